#include "sbc/base/slice.h"

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static void tokens_compare_without_case_in_ascii_only(void **state)
{
	(void)state;
	assert_true(slice_ieq(SLICE_LIT("Via"), SLICE_LIT("vIA")));
	assert_false(slice_ieq(SLICE_LIT("Via"), SLICE_LIT("Vib")));
	assert_false(slice_ieq(SLICE_LIT("Via"), SLICE_LIT("Vi")));
	assert_true(slice_ieq(SLICE_NONE, SLICE_LIT("")));
	/* '@' and '`', '[' and '{' differ by the case bit and are no letters. */
	assert_false(slice_ieq(SLICE_LIT("@"), SLICE_LIT("`")));
	assert_false(slice_ieq(SLICE_LIT("["), SLICE_LIT("{")));
	assert_false(slice_ieq(SLICE_LIT("\xc4"), SLICE_LIT("\xe4")));
}

static void equality_is_by_length_and_bytes(void **state)
{
	(void)state;
	assert_true(slice_eq(SLICE_NONE, SLICE_LIT("")));
	assert_true(slice_eq(slice_of("a\0b", 3), slice_of("a\0b", 3)));
	assert_false(slice_eq(slice_of("a\0b", 3), slice_of("a\0c", 3)));
	assert_true(slice_starts(SLICE_LIT("sip:x"), SLICE_LIT("sip:")));
	assert_true(slice_starts(SLICE_LIT("x"), SLICE_NONE));
	assert_false(slice_starts(SLICE_LIT("si"), SLICE_LIT("sip")));
}

static void trim_cuts_lws_at_both_ends(void **state)
{
	static const struct {
		const char *in, *out;
	} v[] = {{" \t a b \r\n", "a b"}, {"", ""}, {" \r\n\t ", ""}, {"x", "x"}, {"x\v", "x\v"}};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		assert_true(slice_eq(slice_trim(slice_str(v[i].in)), slice_str(v[i].out)));
	assert_int_equal(slice_trim(SLICE_NONE).n, 0);
}

static void search_finds_the_first_and_reads_no_further(void **state)
{
	static const struct {
		const char *hay, *needle;
		int32_t at;
	} v[] = {
		{"abcabc", "cab", 2}, {"aaab", "aab", 1}, {"abc", "abc", 0},  {"abc", "abcd", -1},
		{"abc", "", -1},      {"", "a", -1},      {"abab", "bb", -1}, {"xxya", "ya", 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct guard g;
		uint32_t n = (uint32_t)strlen(v[i].hay);
		struct slice hay = slice_of(guard_end(&g, v[i].hay, n), n);
		assert_int_equal(slice_search(hay, slice_str(v[i].needle)), v[i].at);
		guard_free(&g);
	}
	assert_int_equal(slice_find(SLICE_LIT("a:b:"), ':'), 1);
	assert_int_equal(slice_find(SLICE_LIT("ab"), ':'), -1);
	assert_int_equal(slice_find(SLICE_NONE, ':'), -1);
}

static void numbers_are_digits_within_a_bound(void **state)
{
	static const struct {
		const char *in;
		uint32_t max;
		bool ok;
		uint32_t value;
	} v[] = {
		{"0", 0, true, 0},
		{"65535", 65535, true, 65535},
		{"65536", 65535, false, 0},
		{"4294967295", UINT32_MAX, true, UINT32_MAX},
		{"4294967296", UINT32_MAX, false, 0},
		{"18446744073709551617", UINT32_MAX, false, 0},
		{"99999999999999999999999999999999999999", UINT32_MAX, false, 0},
		{"00000000000000000000000000000000000007", 9, true, 7},
		{"", 9, false, 0},
		{"+1", 9, false, 0},
		{"-1", 9, false, 0},
		{" 1", 9, false, 0},
		{"1 ", 9, false, 0},
		{"0x1", 99, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		uint32_t out = 77;
		assert_int_equal(slice_u32(slice_str(v[i].in), v[i].max, &out), v[i].ok);
		assert_int_equal(out, v[i].ok ? v[i].value : 77);
	}
}

/* Any two bytes at any place of any length: equal when their lower cases are. */
static void case_is_folded_at_each_place(void **state)
{
	char a[40], b[40];

	(void)state;
	for (uint32_t n = 1; n <= sizeof(a); n++)
		for (uint32_t at = 0; at < n; at++)
			for (int x = 0; x < 256; x++) {
				memset(a, 'q', n);
				memset(b, 'Q', n);
				a[at] = (char)x;
				for (int y = 0; y < 256; y += n % 8 ? 5 : 1) {
					b[at] = (char)y;
					if (slice_ieq(slice_of(a, n), slice_of(b, n)) !=
					    (slice_lower((char)x) == slice_lower((char)y)))
						fail_msg("%d and %d at %u of %u", x, y, at, n);
				}
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(case_is_folded_at_each_place),
		cmocka_unit_test(tokens_compare_without_case_in_ascii_only),
		cmocka_unit_test(equality_is_by_length_and_bytes),
		cmocka_unit_test(trim_cuts_lws_at_both_ends),
		cmocka_unit_test(search_finds_the_first_and_reads_no_further),
		cmocka_unit_test(numbers_are_digits_within_a_bound),
	};
	return cmocka_run_group_tests_name("base/slice", tests, NULL, NULL);
}
