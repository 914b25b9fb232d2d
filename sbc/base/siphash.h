/*
 * siphash: the keyed hash for every table that holds what a stranger chose.
 *
 * SipHash-1-3 for table look-ups and SipHash-2-4 for what is shown outside
 * (identifiers), both after Aumasson and Bernstein, "SipHash: a fast short-input
 * PRF" (2012). The key is the node's, 16 random bytes from start-up.
 */
#ifndef SBC_BASE_SIPHASH_H
#define SBC_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0;
	uint64_t k1;
};

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t n);
uint64_t siphash24(const struct siphash_key *key, const void *data, size_t n);

/*
 * siphash24() of 8 to 15 bytes that are numbers already: the first eight, and the
 * others with zeros above, the byte that comes first lowest in both.
 */
uint64_t siphash24_short(const struct siphash_key *key, uint64_t first, uint64_t rest, uint32_t n);

#endif
