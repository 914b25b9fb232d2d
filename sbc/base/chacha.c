#include "sbc/base/chacha.h"

#include <string.h>

#define ROUNDS 20

typedef uint32_t row __attribute__((vector_size(16)));
typedef uint8_t row_bytes __attribute__((vector_size(16)));

/* The square of sixteen words, a row a vector. */
struct block {
	row a, b, c, d;
};

/* By whole bytes: one shuffle where there is one. */
static inline row rotl16(row v)
{
	const row_bytes x = (row_bytes)v;

	return (row)__builtin_shufflevector(x, x, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12,
					    13);
}

static inline row rotl8(row v)
{
	const row_bytes x = (row_bytes)v;

	return (row)__builtin_shufflevector(x, x, 3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13,
					    14);
}

static inline row rotl(row v, int n)
{
	return v << n | v >> (32 - n);
}

/* A quarter round on each of the four columns. */
static inline void columns(struct block *x)
{
	x->a += x->b;
	x->d = rotl16(x->d ^ x->a);
	x->c += x->d;
	x->b = rotl(x->b ^ x->c, 12);
	x->a += x->b;
	x->d = rotl8(x->d ^ x->a);
	x->c += x->d;
	x->b = rotl(x->b ^ x->c, 7);
}

/* The same on the diagonals, which are made columns for it. */
static inline void diagonals(struct block *x)
{
	x->b = __builtin_shufflevector(x->b, x->b, 1, 2, 3, 0);
	x->c = __builtin_shufflevector(x->c, x->c, 2, 3, 0, 1);
	x->d = __builtin_shufflevector(x->d, x->d, 3, 0, 1, 2);
	columns(x);
	x->b = __builtin_shufflevector(x->b, x->b, 3, 0, 1, 2);
	x->c = __builtin_shufflevector(x->c, x->c, 2, 3, 0, 1);
	x->d = __builtin_shufflevector(x->d, x->d, 1, 2, 3, 0);
}

static inline struct block block_start(const struct siphash_key *key, uint64_t counter)
{
	const row k = {(uint32_t)key->k0, (uint32_t)(key->k0 >> 32), (uint32_t)key->k1,
		       (uint32_t)(key->k1 >> 32)};

	/* "expand 16-byte k", and the key twice: what it says for keys of 128 bits. */
	return (struct block){{0x61707865, 0x3120646e, 0x79622d36, 0x6b206574},
			      k,
			      k,
			      {(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0}};
}

static inline void block_end(struct block *x, const struct block *start, uint64_t *out)
{
	x->a += start->a;
	x->b += start->b;
	x->c += start->c;
	x->d += start->d;
	memcpy(out, x, sizeof(*x));
}

void chacha_blocks(const struct siphash_key *key, uint64_t counter, uint64_t out[CHACHA_WORDS])
{
	const struct block start0 = block_start(key, counter),
			   start1 = block_start(key, counter + 1);
	struct block x = start0, y = start1;

	/* Each waits for itself all the time: two at once fill the gaps. */
	for (int i = 0; i < ROUNDS / 2; i++) {
		columns(&x);
		columns(&y);
		diagonals(&x);
		diagonals(&y);
	}
	block_end(&x, &start0, out);
	block_end(&y, &start1, out + CHACHA_WORDS / 2);
}
