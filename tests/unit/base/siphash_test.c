#include "sbc/base/siphash.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

/* The key of the reference vectors: bytes 00 01 ... 0f. */
static const struct siphash_key reference_key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

/*
 * SipHash-2-4 of 00 01 02 ..., by length: the reference implementation's
 * vectors; the one of 15 bytes is worked through in the paper's appendix A.
 */
static void reference_vectors_of_2_4(void **state)
{
	static const struct {
		uint32_t n;
		uint64_t hash;
	} v[] = {
		{0, 0x726fdb47dd0e0e31u},  {1, 0x74f839c593dc67fdu}, {2, 0x0d6c8009d9a94f5au},
		{3, 0x85676696d7fb7e2du},  {4, 0xcf2794e0277187b7u}, {5, 0x18765564cd99a68du},
		{6, 0xcbc9466e58fee3ceu},  {7, 0xab0200f58b01d137u}, {8, 0x93f5f5799a932462u},
		{15, 0xa129ca6149be45e5u},
	};
	uint8_t in[16];

	(void)state;
	for (uint32_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_true(siphash24(&reference_key, in, v[i].n) == v[i].hash);
}

/* libcrypto's SipHash, which takes the rounds as parameters. */
static uint64_t libcrypto_siphash(const uint8_t key[16], const uint8_t *in, size_t n, unsigned c,
				  unsigned d)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
	size_t size = 8, got = 0;
	uint8_t out[8];
	uint64_t hash = 0;
	OSSL_PARAM params[] = {OSSL_PARAM_size_t(OSSL_MAC_PARAM_SIZE, &size),
			       OSSL_PARAM_uint(OSSL_MAC_PARAM_C_ROUNDS, &c),
			       OSSL_PARAM_uint(OSSL_MAC_PARAM_D_ROUNDS, &d), OSSL_PARAM_END};

	assert_non_null(ctx);
	assert_int_equal(EVP_MAC_init(ctx, key, 16, params), 1);
	assert_int_equal(EVP_MAC_update(ctx, in, n), 1);
	assert_int_equal(EVP_MAC_final(ctx, out, &got, sizeof(out)), 1);
	assert_int_equal(got, 8);
	for (int i = 0; i < 8; i++)
		hash |= (uint64_t)out[i] << (8 * i);
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return hash;
}

static void both_variants_agree_with_libcrypto(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (uint32_t n = 0; n < 200; n++) {
		uint8_t bytes[16], in[200];
		struct siphash_key key = {0, 0};
		struct guard g;
		for (int i = 0; i < 16; i++)
			bytes[i] = (uint8_t)unit_random(&seed);
		for (int i = 0; i < 8; i++) {
			key.k0 |= (uint64_t)bytes[i] << (8 * i);
			key.k1 |= (uint64_t)bytes[8 + i] << (8 * i);
		}
		for (uint32_t i = 0; i < n; i++)
			in[i] = (uint8_t)unit_random(&seed);
		const char *flush = guard_end(&g, in, n);
		assert_true(siphash13(&key, flush, n) == libcrypto_siphash(bytes, in, n, 1, 3));
		assert_true(siphash24(&key, flush, n) == libcrypto_siphash(bytes, in, n, 2, 4));
		guard_free(&g);
	}
}

static void nothing_is_hashed_too(void **state)
{
	(void)state;
	assert_true(siphash24(&reference_key, NULL, 0) == 0x726fdb47dd0e0e31u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_vectors_of_2_4),
		cmocka_unit_test(both_variants_agree_with_libcrypto),
		cmocka_unit_test(nothing_is_hashed_too),
	};
	return cmocka_run_group_tests_name("base/siphash", tests, NULL, NULL);
}
