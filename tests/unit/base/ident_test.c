#include "sbc/base/ident.h"

#include <string.h>

#include "sbc/base/wbuf.h"
#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static const struct siphash_key key = {0x1122334455667788u, 0x99aabbccddeeff00u};
static const struct siphash_key other_key = {0x1122334455667788u, 0x99aabbccddeeff01u};
static const struct siphash_key seed_a = {1, 2};
static const struct siphash_key seed_b = {1, 3};

static void derive(const struct siphash_key *k, uint8_t bucket, struct slice input, char *out)
{
	struct ident_derive_key d;

	ident_derive_key_init(&d, k);
	ident_derive(k, &d, bucket, input, out);
}

static void the_bucket_survives(void **state)
{
	struct ident_gen g;
	char id[IDENT_LEN];

	(void)state;
	ident_gen_init(&g, &seed_a);
	for (uint32_t bucket = 0; bucket < IDENT_BUCKETS; bucket++) {
		uint8_t got = (uint8_t)~bucket;
		ident_mint(&g, &key, (uint8_t)bucket, id);
		assert_true(ident_is_ours(&key, slice_of(id, IDENT_LEN), &got));
		assert_int_equal(got, bucket);
		assert_int_equal(ident_bucket(&key, slice_of(id, IDENT_LEN)), bucket);

		derive(&key, (uint8_t)bucket, SLICE_LIT("sip:alice@10.1.1.1:5060"), id);
		assert_true(ident_is_ours(&key, slice_of(id, IDENT_LEN), &got));
		assert_int_equal(got, bucket);
	}
}

/* They live on in phones, peers and Redis: written down by a release before. */
static void identifiers_of_releases_before_are_ours(void **state)
{
	static const struct {
		uint8_t bucket;
		const char *minted, *derived;
	} v[] = {
		{0, "b0773bda175e6adae4be984a8802c211", "28690a2303228ed6a55550e60227eec6"},
		{85, "648c1e9c0b29ae2b351c52f04006b0a7", "28690a2303228ed6a55550e6579cbd59"},
		{170, "777702af6a1d97e819036f5233f60ab7", "28690a2303228ed6a55550e6a88612ed"},
		{255, "f21fbd78a2752affa0356f6b0b4be8ae", "28690a2303228ed6a55550e6fd75666e"},
	};
	char id[IDENT_LEN];
	uint8_t bucket;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_true(ident_is_ours(&key, slice_str(v[i].minted), &bucket));
		assert_int_equal(bucket, v[i].bucket);
		derive(&key, v[i].bucket, SLICE_LIT("sip:alice@10.1.1.1:5060"), id);
		assert_memory_equal(id, v[i].derived, IDENT_LEN);
	}
}

/* No number comes twice, over many refills. */
static void random_numbers_do_not_repeat(void **state)
{
	static uint64_t seen[1000];
	struct ident_gen g;

	(void)state;
	ident_gen_init(&g, &seed_a);
	for (uint32_t i = 0; i < 1000; i++) {
		seen[i] = ident_random(&g);
		for (uint32_t k = 0; k < i; k++)
			assert_true(seen[k] != seen[i]);
	}
}

static void an_identifier_is_lower_case_hex(void **state)
{
	struct ident_gen g;
	char id[IDENT_LEN], tag[IDENT_TAG_LEN];

	(void)state;
	ident_gen_init(&g, &seed_a);
	ident_mint(&g, &key, 9, id);
	ident_tag(&g, tag);
	for (uint32_t i = 0; i < IDENT_LEN; i++)
		assert_non_null(memchr("0123456789abcdef", id[i], 16));
	for (uint32_t i = 0; i < IDENT_TAG_LEN; i++)
		assert_non_null(memchr("0123456789abcdef", tag[i], 16));
}

static void a_changed_digit_makes_it_a_strangers(void **state)
{
	struct ident_gen g;
	char id[IDENT_LEN];
	uint8_t bucket;

	(void)state;
	ident_gen_init(&g, &seed_a);
	ident_mint(&g, &key, 200, id);
	for (uint32_t i = 0; i < IDENT_LEN; i++) {
		for (int d = 0; d < 16; d++) {
			char forged[IDENT_LEN];
			memcpy(forged, id, IDENT_LEN);
			forged[i] = "0123456789abcdef"[d];
			bool same = forged[i] == id[i];
			assert_int_equal(ident_is_ours(&key, slice_of(forged, IDENT_LEN), &bucket),
					 same);
		}
	}
}

static void strings_of_other_forms_are_not_ours(void **state)
{
	static const char *const v[] = {
		"",
		"a84b4c76e66710@pc33.atlanta.com",
		"00000000000000000000000000000000",
		"ffffffffffffffffffffffffffffffff",
		"0000000000000000000000000000000g",
		"0000000000000000/000000000000000",
		":0000000000000000000000000000000",
		"000000000000000`0000000000000000",
		"000000000000000\2600000000000000000",
	};
	struct ident_gen gen;
	char id[IDENT_LEN + 1], upper[IDENT_LEN];
	uint8_t bucket;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_false(ident_is_ours(&key, slice_str(v[i]), &bucket));
	assert_false(ident_is_ours(&key, SLICE_NONE, &bucket));
	(void)ident_bucket(&key, SLICE_NONE);

	ident_gen_init(&gen, &seed_a);
	ident_mint(&gen, &key, 1, id);
	id[IDENT_LEN] = '0';
	for (uint32_t i = 0; i < IDENT_LEN; i++)
		upper[i] = (char)(id[i] >= 'a' ? id[i] - 'a' + 'A' : id[i]);
	assert_false(ident_is_ours(&key, slice_of(id, IDENT_LEN + 1), &bucket));
	assert_false(ident_is_ours(&key, slice_of(id, IDENT_LEN - 1), &bucket));
	assert_false(ident_is_ours(&key, slice_of(upper, IDENT_LEN), &bucket));
	assert_false(ident_is_ours(&other_key, slice_of(id, IDENT_LEN), &bucket));
}

static void reading_ends_with_the_string(void **state)
{
	struct ident_gen gen;
	struct guard g;
	char id[IDENT_LEN];
	uint8_t bucket;

	(void)state;
	ident_gen_init(&gen, &seed_a);
	ident_mint(&gen, &key, 77, id);
	char *p = guard_end(&g, id, IDENT_LEN);
	assert_true(ident_is_ours(&key, slice_of(p, IDENT_LEN), &bucket));
	assert_false(ident_is_ours(&key, slice_of(p + 5, IDENT_LEN - 5), &bucket));
	guard_free(&g);
}

static void one_seed_gives_one_sequence(void **state)
{
	struct ident_gen a, b, c;
	char one[IDENT_LEN], two[IDENT_LEN];

	(void)state;
	ident_gen_init(&a, &seed_a);
	ident_gen_init(&b, &seed_a);
	ident_gen_init(&c, &seed_b);
	for (int i = 0; i < 50; i++) {
		ident_mint(&a, &key, 3, one);
		ident_mint(&b, &key, 3, two);
		assert_memory_equal(one, two, IDENT_LEN);
		ident_mint(&c, &key, 3, two);
		assert_memory_not_equal(one, two, IDENT_LEN);
	}
}

static void derived_identifiers_depend_on_input_and_key_alone(void **state)
{
	char one[IDENT_LEN], two[IDENT_LEN];

	(void)state;
	derive(&key, 5, SLICE_LIT("alice"), one);
	derive(&key, 5, SLICE_LIT("alice"), two);
	assert_memory_equal(one, two, IDENT_LEN);
	derive(&key, 5, SLICE_LIT("alicf"), two);
	assert_memory_not_equal(one, two, IDENT_LEN);
	derive(&other_key, 5, SLICE_LIT("alice"), two);
	assert_memory_not_equal(one, two, IDENT_LEN);
	derive(&key, 5, SLICE_NONE, two);
}

/* Chi-square of 256 cells, 255 degrees of freedom: 400 has a chance of one in 10^8. */
static double spread(const uint32_t count[IDENT_BUCKETS], double expected)
{
	double sum = 0;

	for (uint32_t i = 0; i < IDENT_BUCKETS; i++)
		sum += (count[i] - expected) * (count[i] - expected) / expected;
	return sum;
}

static void strangers_spread_evenly_over_buckets(void **state)
{
	uint32_t count[IDENT_BUCKETS] = {0}, masked[IDENT_BUCKETS] = {0};
	struct ident_gen g;
	char id[IDENT_LEN];

	(void)state;
	ident_gen_init(&g, &seed_a);
	for (uint32_t i = 0; i < 256 * 100; i++) {
		char text[24];
		struct wbuf w;
		wbuf_init(&w, text, sizeof(text));
		wbuf_lit(&w, "call-");
		wbuf_u64(&w, i);
		count[ident_bucket(&key, wbuf_slice(&w))]++;
		/* Minted for one bucket: the digits that hide it show none. */
		ident_mint(&g, &key, 17, id);
		masked[slice_find(SLICE_LIT("0123456789abcdef"), id[24]) * 16 +
		       slice_find(SLICE_LIT("0123456789abcdef"), id[25])]++;
	}
	assert_true(spread(count, 100) < 400);
	assert_true(spread(masked, 100) < 400);
}

static void shards_share_the_buckets_evenly(void **state)
{
	(void)state;
	for (uint16_t shards = 1; shards <= 16; shards++) {
		uint32_t count[16] = {0};
		uint16_t last = 0;
		for (uint32_t b = 0; b < IDENT_BUCKETS; b++) {
			uint16_t s = ident_shard((uint8_t)b, shards);
			assert_true(s < shards && s >= last);
			last = s;
			count[s]++;
		}
		for (uint16_t s = 0; s < shards; s++)
			assert_true(count[s] == IDENT_BUCKETS / shards ||
				    count[s] == IDENT_BUCKETS / shards + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bucket_survives),
		cmocka_unit_test(identifiers_of_releases_before_are_ours),
		cmocka_unit_test(random_numbers_do_not_repeat),
		cmocka_unit_test(an_identifier_is_lower_case_hex),
		cmocka_unit_test(a_changed_digit_makes_it_a_strangers),
		cmocka_unit_test(strings_of_other_forms_are_not_ours),
		cmocka_unit_test(reading_ends_with_the_string),
		cmocka_unit_test(one_seed_gives_one_sequence),
		cmocka_unit_test(derived_identifiers_depend_on_input_and_key_alone),
		cmocka_unit_test(strangers_spread_evenly_over_buckets),
		cmocka_unit_test(shards_share_the_buckets_evenly),
	};
	return cmocka_run_group_tests_name("base/ident", tests, NULL, NULL);
}
