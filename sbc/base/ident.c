#include "sbc/base/ident.h"

#include <string.h>

#include "sbc/base/wbuf.h"

#define BODY_LEN 12u /* random or derived part, in bytes */

void ident_gen_init(struct ident_gen *g, const struct siphash_key *seed)
{
	*g = (struct ident_gen){.seed = *seed};
}

static void store64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* A keyed pseudo-random function over a counter: the past says nothing of the future. */
uint64_t ident_random(struct ident_gen *g)
{
	uint8_t block[8];

	store64(block, g->counter++);
	return siphash24(&g->seed, block, sizeof(block));
}

static void write_hex(char *out, const uint8_t *bytes, uint32_t n)
{
	struct wbuf w;

	wbuf_init(&w, out, 2 * n);
	wbuf_hex(&w, bytes, n);
}

void ident_tag(struct ident_gen *g, char *out)
{
	uint8_t bytes[IDENT_TAG_LEN / 2];

	store64(bytes, ident_random(g));
	write_hex(out, bytes, sizeof(bytes));
}

/* What is added to the bucket and its check, so that neither shows. */
static uint32_t mask_of(const struct siphash_key *key, const uint8_t *body)
{
	uint8_t in[1 + BODY_LEN] = {'m'};

	memcpy(in + 1, body, BODY_LEN);
	return (uint32_t)siphash24(key, in, sizeof(in));
}

/*
 * The check covers the bucket: who flips bits of the masked bucket of an
 * identifier that he was shown must guess 24 bits to have it taken for ours.
 */
static uint32_t check_of(const struct siphash_key *key, const uint8_t *body, uint8_t bucket)
{
	uint8_t in[2 + BODY_LEN] = {'c', bucket};

	memcpy(in + 2, body, BODY_LEN);
	return (uint32_t)siphash24(key, in, sizeof(in)) & 0xffffff;
}

static void seal(const struct siphash_key *key, uint8_t bucket, const uint8_t *body, char *out)
{
	uint8_t bytes[IDENT_LEN / 2];
	uint32_t word = ((uint32_t)bucket << 24 | check_of(key, body, bucket)) ^ mask_of(key, body);

	memcpy(bytes, body, BODY_LEN);
	for (int i = 0; i < 4; i++)
		bytes[BODY_LEN + i] = (uint8_t)(word >> (24 - 8 * i));
	write_hex(out, bytes, sizeof(bytes));
}

void ident_mint(struct ident_gen *g, const struct siphash_key *key, uint8_t bucket, char *out)
{
	uint8_t body[16];

	store64(body, ident_random(g));
	store64(body + 8, ident_random(g));
	seal(key, bucket, body, out);
}

void ident_derive(const struct siphash_key *key, uint8_t bucket, struct slice input, char *out)
{
	uint8_t body[16];

	/* Keys of its own: no choice of input can meet what mask and check are made of. */
	for (int i = 0; i < 2; i++) {
		const uint8_t label[2] = {'d', (uint8_t)i}, other[2] = {'e', (uint8_t)i};
		struct siphash_key sub = {siphash24(key, label, sizeof(label)),
					  siphash24(key, other, sizeof(other))};
		store64(body + 8 * i, siphash24(&sub, input.p, input.n));
	}
	seal(key, bucket, body, out);
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool read_hex(struct slice s, uint8_t *bytes)
{
	for (uint32_t i = 0; i < s.n / 2; i++) {
		int hi = hex_value(s.p[2 * i]), lo = hex_value(s.p[2 * i + 1]);
		if (hi < 0 || lo < 0)
			return false;
		bytes[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

bool ident_is_ours(const struct siphash_key *key, struct slice s, uint8_t *bucket)
{
	uint8_t bytes[IDENT_LEN / 2];
	uint32_t word = 0;

	if (s.n != IDENT_LEN || !read_hex(s, bytes))
		return false;
	for (int i = 0; i < 4; i++)
		word = word << 8 | bytes[BODY_LEN + i];
	word ^= mask_of(key, bytes);
	if ((word & 0xffffff) != check_of(key, bytes, (uint8_t)(word >> 24)))
		return false;
	*bucket = (uint8_t)(word >> 24);
	return true;
}

uint8_t ident_bucket(const struct siphash_key *key, struct slice s)
{
	uint8_t bucket;

	if (ident_is_ours(key, s, &bucket))
		return bucket;
	return (uint8_t)(siphash13(key, s.p, s.n) & (IDENT_BUCKETS - 1));
}
