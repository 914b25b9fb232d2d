/* What may be written on another wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sbc/core/wire.h"
#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

/* Each check sees its input flush against an unreadable page. */
static bool flush(bool (*check)(struct slice), const char *text)
{
	struct guard g;
	uint32_t n = (uint32_t)strlen(text);
	bool ok = check(slice_of(guard_end(&g, text, n), n));

	guard_free(&g);
	return ok;
}

static void utf8_is_checked_to_the_letter(void **state)
{
	static const char *const good[] = {
		"abc",          "J\xc3\xb6rg", "\xe2\x82\xac", "\xf0\x9f\x93\x9e",
		"\xef\xbf\xbf", "a\tb",        "a\r\n b"};
	static const char *const bad[] = {"\xc3",
					  "\xc0\xaf",
					  "\xe0\x80\xaf",
					  "\xed\xa0\x80",
					  "\xf4\x90\x80\x80",
					  "\xf0\x80\x80\x80",
					  "\xff",
					  "\x80",
					  "\xe2\x82",
					  "\xe2\x82z",
					  "a\x01",
					  "\x7f"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(flush(wire_is_utf8, good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(flush(wire_is_utf8, bad[i]));
}

static void quoted_strings_close_where_they_end(void **state)
{
	static const char *const good[] = {"\"\"",     "\"a b\"",      "\"\\\"\"",
					   "\"\\\\\"", "\"\xc3\xb6\"", "\"a\r\n b\""};
	static const char *const bad[] = {
		"",         "\"",       "a",        "\"a", "\"\\\"", "\"a\"b\"", "\"\\\xc3\xb6\"",
		"\"\xc3\"", "\"\x01\"", "\"a\\\n\""};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(flush(wire_is_quoted, good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(flush(wire_is_quoted, bad[i]));
}

static void folds_become_one_space(void **state)
{
	static const struct {
		const char *in, *out;
	} v[] = {
		{"a b", "a b"},
		{"a\r\n b", "a b"},
		{"a \t\r\n\t \r\n b", "a b"},
		{"a\n b", "a b"},
		{"\r\n a", " a"},
		{"a\x01"
		 "b",
		 "a b"},
		{"a  b", "a  b"},
		{"a\r\n", "a "},
		{"", ""},
		{"a\r\n b\r\n c", "a b c"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct wbuf w;
		struct guard g;
		uint32_t n = (uint32_t)strlen(v[i].in);

		wbuf_init(&w, out, sizeof(out));
		wire_put(&w, slice_of(guard_end(&g, v[i].in, n), n));
		assert_true(slice_eq(wbuf_slice(&w), slice_str(v[i].out)));
		guard_free(&g);
	}
}

static void tokens_are_cut_and_the_rest_skipped(void **state)
{
	static const char text[] = " a ,b;c,\"d, e\",f<g>, h\r\n i,";
	static const char *const want[] = {"a", "b", "c", "h", "i"};
	struct slice rest, token;
	struct guard g;

	(void)state;
	rest = slice_of(guard_end(&g, text, sizeof(text) - 1), sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		assert_true(wire_next_token(&rest, &token));
		assert_true(slice_eq(token, slice_str(want[i])));
	}
	assert_false(wire_next_token(&rest, &token));
	assert_false(wire_next_token(&rest, &token));
	guard_free(&g);
}

static void words_and_searches_fold_case(void **state)
{
	(void)state;
	assert_true(wire_in("timer 100rel privacy", SLICE_LIT("100REL")));
	assert_true(wire_in("timer", SLICE_LIT("Timer")));
	assert_false(wire_in("timer 100rel", SLICE_LIT("time")));
	assert_false(wire_in("timer 100rel", SLICE_LIT("timer 100rel")));
	assert_false(wire_in("timer", SLICE_NONE));
	assert_int_equal(wire_isearch(SLICE_LIT("at PBX.internal"), SLICE_LIT("pbx")), 3);
	assert_int_equal(wire_isearch(SLICE_LIT("pb"), SLICE_LIT("pbx")), -1);
	assert_int_equal(wire_isearch(SLICE_LIT("pbx"), SLICE_NONE), -1);
	assert_true(wire_is_digits(SLICE_LIT("123"), 3));
	assert_false(wire_is_digits(SLICE_LIT("1234"), 3));
	assert_false(wire_is_digits(SLICE_NONE, 3));
	assert_true(wire_is_line(SLICE_LIT("a\tb")));
	assert_false(wire_is_line(SLICE_LIT("a\nb")));
	assert_false(wire_is_line(SLICE_NONE));
}

/* The rows that scan_span() reads say of each byte what the table of classes says. */
static void sets_are_the_classes(void **state)
{
	(void)state;
	for (int b = 0; b < 256; b++) {
		const char c = (char)b;

		for (uint32_t bit = 0; bit < 8; bit++)
			assert_int_equal(scan_set_has(&wire_set[bit], c),
					 wire_class_of[b] >> bit & 1);
		assert_int_equal(scan_set_has(&wire_set[WIRE_SET_NAME], c),
				 wire_is(c, WIRE_PLAIN) || c == ' ');
		assert_int_equal(scan_set_has(&wire_set[WIRE_SET_LINE], c), !wire_is(c, WIRE_CTL));
		assert_int_equal(scan_set_has(&wire_set[WIRE_SET_TEXT], c),
				 b < 0x80 && (!wire_is(c, WIRE_CTL) || wire_is(c, WIRE_LWS)));
	}
}

/* Of all bytes that a token may have, only letters of both cases are alike. */
static void words_in_any_case(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

	(void)state;
	for (int b = 0; b < 256; b++)
		for (const char *c = letters; wire_is((char)b, WIRE_TOKEN) && *c; c++)
			assert_int_equal(WIRE_ANY_CASE((uint64_t)b) == WIRE_ANY_CASE((uint64_t)*c),
					 slice_lower((char)b) == *c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_the_classes),
		cmocka_unit_test(utf8_is_checked_to_the_letter),
		cmocka_unit_test(quoted_strings_close_where_they_end),
		cmocka_unit_test(folds_become_one_space),
		cmocka_unit_test(tokens_are_cut_and_the_rest_skipped),
		cmocka_unit_test(words_in_any_case),
		cmocka_unit_test(words_and_searches_fold_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
