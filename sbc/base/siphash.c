#include "sbc/base/siphash.h"

#include <string.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int b)
{
	return x << b | x >> (64 - b);
}

static inline void rounds(struct state *s, int n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline void absorb(struct state *s, uint64_t word, int c_rounds)
{
	s->v3 ^= word;
	rounds(s, c_rounds);
	s->v0 ^= word;
}

/* Bytes in little-endian order, whatever the machine's. */
static inline uint64_t load_word(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* The `left` bytes at p, fewer than eight, of `n` that end there. */
static inline uint64_t load_rest(const uint8_t *p, size_t left, size_t n)
{
	uint64_t v = 0;

	if (left == 0)
		return 0;
	/* With a whole word before, the last eight bytes are read at once. */
	if (n >= 8)
		return load_word(p + left - 8) >> (64 - 8 * left);
	for (size_t i = 0; i < left; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static inline struct state start(const struct siphash_key *key)
{
	return (struct state){
		key->k0 ^ 0x736f6d6570736575u,
		key->k1 ^ 0x646f72616e646f6du,
		key->k0 ^ 0x6c7967656e657261u,
		key->k1 ^ 0x7465646279746573u,
	};
}

static inline uint64_t finish(struct state *s, int d)
{
	s->v2 ^= 0xff;
	rounds(s, d);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

static inline uint64_t siphash(const struct siphash_key *key, const uint8_t *p, size_t n, int c,
			       int d)
{
	struct state s = start(key);
	size_t left = n;

	for (; left >= 8; left -= 8, p += 8)
		absorb(&s, load_word(p), c);
	absorb(&s, load_rest(p, left, n) | (uint64_t)n << 56, c);
	return finish(&s, d);
}

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 1, 3);
}

uint64_t siphash24(const struct siphash_key *key, const void *data, size_t n)
{
	return siphash(key, data, n, 2, 4);
}

uint64_t siphash24_short(const struct siphash_key *key, uint64_t first, uint64_t rest, uint32_t n)
{
	struct state s = start(key);

	absorb(&s, first, 2);
	absorb(&s, rest | (uint64_t)n << 56, 2);
	return finish(&s, 4);
}
