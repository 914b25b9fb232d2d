#include "sbc/base/chacha.h"

#include <string.h>

#include "tests/lib/unit.h"

/*
 * Keys of 128 bits and 20 rounds in draft-strombergson-chacha-test-vectors-01: the
 * first two blocks of TC1, whose key and nonce are nothing but zeros.
 */
static void published_vectors(void **state)
{
	static const uint8_t want[128] = {
		0x89, 0x67, 0x09, 0x52, 0x60, 0x83, 0x64, 0xfd, 0x00, 0xb2, 0xf9, 0x09, 0x36,
		0xf0, 0x31, 0xc8, 0xe7, 0x56, 0xe1, 0x5d, 0xba, 0x04, 0xb8, 0x49, 0x3d, 0x00,
		0x42, 0x92, 0x59, 0xb2, 0x0f, 0x46, 0xcc, 0x04, 0xf1, 0x11, 0x24, 0x6b, 0x6c,
		0x2c, 0xe0, 0x66, 0xbe, 0x3b, 0xfb, 0x32, 0xd9, 0xaa, 0x0f, 0xdd, 0xfb, 0xc1,
		0x21, 0x23, 0xd4, 0xb9, 0xe4, 0x4f, 0x34, 0xdc, 0xa0, 0x5a, 0x10, 0x3f, 0x6c,
		0xd1, 0x35, 0xc2, 0x87, 0x8c, 0x83, 0x2b, 0x58, 0x96, 0xb1, 0x34, 0xf6, 0x14,
		0x2a, 0x9d, 0x4d, 0x8d, 0x0d, 0x8f, 0x10, 0x26, 0xd2, 0x0a, 0x0a, 0x81, 0x51,
		0x2c, 0xbc, 0xe6, 0xe9, 0x75, 0x8a, 0x71, 0x43, 0xd0, 0x21, 0x97, 0x80, 0x22,
		0xa3, 0x84, 0x14, 0x1a, 0x80, 0xce, 0xa3, 0x06, 0x2f, 0x41, 0xf6, 0x7a, 0x75,
		0x2e, 0x66, 0xad, 0x34, 0x11, 0x98, 0x4c, 0x78, 0x7e, 0x30, 0xad,
	};
	const struct siphash_key zero = {0, 0};
	uint64_t out[CHACHA_WORDS];

	(void)state;
	chacha_blocks(&zero, 0, out);
	assert_memory_equal(out, want, sizeof(want));
}

static uint32_t rotl(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

static void quarter(uint32_t x[16], int a, int b, int c, int d)
{
	x[a] += x[b], x[d] = rotl(x[d] ^ x[a], 16);
	x[c] += x[d], x[b] = rotl(x[b] ^ x[c], 12);
	x[a] += x[b], x[d] = rotl(x[d] ^ x[a], 8);
	x[c] += x[d], x[b] = rotl(x[b] ^ x[c], 7);
}

/* As the paper has it, word by word. */
static void plain_block(const struct siphash_key *key, uint64_t counter, uint32_t out[16])
{
	uint32_t in[16] = {0x61707865, 0x3120646e, 0x79622d36, 0x6b206574};

	for (int i = 0; i < 2; i++) {
		in[4 + 4 * i] = (uint32_t)key->k0;
		in[5 + 4 * i] = (uint32_t)(key->k0 >> 32);
		in[6 + 4 * i] = (uint32_t)key->k1;
		in[7 + 4 * i] = (uint32_t)(key->k1 >> 32);
	}
	in[12] = (uint32_t)counter;
	in[13] = (uint32_t)(counter >> 32);
	memcpy(out, in, sizeof(in));
	for (int i = 0; i < 10; i++) {
		for (int k = 0; k < 4; k++)
			quarter(out, k, 4 + k, 8 + k, 12 + k);
		for (int k = 0; k < 4; k++)
			quarter(out, k, 4 + (k + 1) % 4, 8 + (k + 2) % 4, 12 + (k + 3) % 4);
	}
	for (int i = 0; i < 16; i++)
		out[i] += in[i];
}

static void both_blocks_are_as_word_by_word(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int i = 0; i < 200; i++) {
		const struct siphash_key key = {unit_random(&seed), unit_random(&seed)};
		/* Some counters whose lower half is full. */
		const uint64_t counter =
			i % 4 ? unit_random(&seed) : unit_random(&seed) | UINT32_MAX;
		uint64_t out[CHACHA_WORDS];
		uint32_t want[32];

		plain_block(&key, counter, want);
		plain_block(&key, counter + 1, want + 16);
		chacha_blocks(&key, counter, out);
		assert_memory_equal(out, want, sizeof(want));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(both_blocks_are_as_word_by_word),
	};
	return cmocka_run_group_tests_name("base/chacha", tests, NULL, NULL);
}
