/*
 * ident: identifiers the border mints, and the bucket they carry.
 *
 * What is shown to the other side (Call-ID, tag, branch, contact user) is the
 * output of a keyed generator: there is nothing of the first side in it to
 * decode. Call-IDs and contact users carry the bucket of their shard, masked and
 * checked with the node's key, so that the worker that receives an answer can
 * name its owner from the bytes alone (ident_bucket()). A string without a
 * valid check is simply hashed: a stranger's Call-ID gets a bucket too, but
 * cannot choose which.
 *
 * Form of a bucket-carrying identifier: 32 lower-case hex digits (16 bytes):
 * 12 random bytes, then 4 bytes holding the bucket and a 24-bit check, masked
 * with siphash24 of the first 12. All nodes of a cluster share the key; the
 * generator's own seed is private to one engine.
 */
#ifndef SBC_BASE_IDENT_H
#define SBC_BASE_IDENT_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/chacha.h"
#include "sbc/base/siphash.h"
#include "sbc/base/slice.h"

#define IDENT_BUCKETS 256u
#define IDENT_LEN     32u /* bucket-carrying: Call-ID, contact user */
#define IDENT_TAG_LEN 16u /* tags and the random part of branches: 64 bits, RFC 3261 19.3 asks 32 */

/* Deterministic for a seed: virtual-time tests replay byte by byte. */
struct ident_gen {
	struct siphash_key seed;
	uint64_t counter; /* of the blocks that come next */
	uint64_t word[CHACHA_WORDS];
	uint32_t used; /* of `word` */
};

void ident_gen_init(struct ident_gen *g, const struct siphash_key *seed);

uint64_t ident_random(struct ident_gen *g);

/* Writes IDENT_TAG_LEN hex digits, no NUL. */
void ident_tag(struct ident_gen *g, char *out);

/* Writes IDENT_LEN hex digits, no NUL, carrying `bucket`. */
void ident_mint(struct ident_gen *g, const struct siphash_key *key, uint8_t bucket, char *out);

/* What ident_derive() hashes its input with: made of a node's key once. */
struct ident_derive_key {
	struct siphash_key half[2];
};

void ident_derive_key_init(struct ident_derive_key *d, const struct siphash_key *key);

/*
 * The same for a fixed input instead of the generator: equal inputs give equal
 * identifiers on every shard and after a restart with the same key (contact
 * users of one phone stay the same over its re-registrations). `d` is of that key.
 */
void ident_derive(const struct siphash_key *key, const struct ident_derive_key *d, uint8_t bucket,
		  struct slice input, char *out);

/* Whether `s` was minted with this key; if so its bucket. */
bool ident_is_ours(const struct siphash_key *key, struct slice s, uint8_t *bucket);

/* The bucket of any string: the carried one, or a keyed hash & 255. */
uint8_t ident_bucket(const struct siphash_key *key, struct slice s);

/* bucket -> shard: contiguous runs, so that a shard count that divides 256 is even. */
static inline uint16_t ident_shard(uint8_t bucket, uint16_t shards)
{
	return (uint16_t)((uint32_t)bucket * shards / IDENT_BUCKETS);
}

#endif
