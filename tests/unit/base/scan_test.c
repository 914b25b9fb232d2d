/* All implementations that run here against the meaning, byte by byte. */
#include "sbc/base/scan.h"
#include "sbc/base/span.h"

#include "tests/lib/guard.h"
#include "tests/lib/scan_plain.h"
#include "tests/lib/unit.h"

#define LONGEST 300u

static uint64_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void all_agree(const char *p, uint32_t n)
{
	for (uint32_t i = 0; scan_impl_at(i) != NULL; i++)
		if (!scan_head_agrees(scan_impl_at(i), p, n) ||
		    !scan_text_agrees(scan_impl_at(i), p, n))
			fail_msg("%s: %u bytes", scan_impl_at(i)->name, n);
}

static void the_plain_one_runs_everywhere(void **state)
{
	(void)state;
	assert_non_null(scan_impl_at(0));
	assert_string_equal(scan_impl_at(0)->name, "plain");
	assert_null(scan_impl_at(100));
}

static void a_head_is_cut_at_its_line_feeds(void **state)
{
	static const char head[] = "Via: a\r\nTo: b\r\n\r\nbody\r\n\r\n";
	uint16_t lf[SCAN_HEAD_ROOM];

	(void)state;
	assert_int_equal(scan_head(head, sizeof(head) - 1, lf), 3);
	assert_int_equal(lf[0], 7);
	assert_int_equal(lf[1], 14);
	assert_int_equal(lf[2], 16);
	assert_int_equal(scan_head("\r\nbody", 6, lf), 1);
	assert_int_equal(lf[0], 1);
	assert_int_equal(scan_head("a\r\n", 3, lf), 0);
	assert_int_equal(scan_head("a\n\n", 3, lf), 0);
	assert_int_equal(scan_head("a\tb\r\n\r\n", 8, lf), 0);
	assert_int_equal(scan_head("", 0, lf), 0);
}

static void a_text_is_cut_at_its_line_feeds(void **state)
{
	static const char text[] = "v=0\r\n\r\na\n\nb\t\n";
	uint16_t lf[SCAN_TEXT_ROOM];

	(void)state;
	assert_int_equal(scan_text(text, sizeof(text) - 1, lf), 5);
	assert_int_equal(lf[0], 4);
	assert_int_equal(lf[1], 6);
	assert_int_equal(lf[2], 8);
	assert_int_equal(lf[3], 9);
	assert_int_equal(lf[4], 12);
	assert_int_equal(scan_text("a", 1, lf), 0);
	assert_int_equal(scan_text("", 0, lf), 0);
	assert_int_equal(scan_text("a\r", 2, lf), SCAN_NOT_PLAIN);
	assert_int_equal(scan_text("a\r\r\n", 4, lf), SCAN_NOT_PLAIN);
	assert_int_equal(scan_text("a\tb\n", 4, lf), SCAN_NOT_PLAIN);
	assert_int_equal(scan_text("a\x1f", 2, lf), SCAN_NOT_PLAIN);
}

/* Every length, flush against the page that cannot be read, and an end of head at each place. */
static void each_length_and_each_place(void **state)
{
	char bytes[LONGEST];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (uint32_t n = 0; n <= LONGEST; n++) {
		struct guard g;
		char *p = guard_end(&g, bytes, n);

		all_agree(p, n);
		for (uint32_t at = 0; at + 4 <= n; at++) {
			memcpy(p + at, "\r\n\r\n", 4);
			all_agree(p, n);
			memset(p + at, 'x', 4);
		}
		guard_free(&g);
	}
}

/* One byte that decides something, at each place of a head that is else as it should be. */
static void each_byte_at_each_place(void **state)
{
	static const char others[] = {'\0', '\t', '\n', '\r',       0x0f,       0x10,
				      0x1f, ' ',  0x7f, (char)0x8a, (char)0x8d, (char)0x9f};
	char bytes[200];

	(void)state;
	for (uint32_t at = 0; at < sizeof(bytes); at++)
		for (uint32_t k = 0; k < sizeof(others); k++) {
			memset(bytes, 'x', sizeof(bytes));
			memcpy(bytes + 60, "\r\n", 2);
			memcpy(bytes + 127, "\r\n", 2);
			memcpy(bytes + 180, "\r\n\r\n", 4);
			bytes[at] = others[k];
			all_agree(bytes, sizeof(bytes));
		}
}

static void lines_of_any_length(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[2000];
		const uint32_t longest = 1 + rnd(round % 2 ? 20 : 120);
		uint32_t n = 0;

		while (n + longest + 2 < sizeof(bytes)) {
			const uint32_t len = rnd(longest);

			memset(bytes + n, 'x', len);
			memcpy(bytes + n + len, "\r\n", 2);
			n += len + 2;
		}
		if (rnd(4) == 0)
			bytes[rnd(n)] = (char)rnd(0x22);
		all_agree(bytes, n);
		all_agree(bytes + rnd(64), n - 64);
	}
}

/* As many lines as there may be, one fewer and one more. */
static void lines_are_bounded(void **state)
{
	char bytes[3 * (SCAN_HEAD_LINES + 2) + 2];
	uint16_t lf[SCAN_HEAD_ROOM];

	(void)state;
	for (uint32_t lines = SCAN_HEAD_LINES - 2; lines <= SCAN_HEAD_LINES; lines++) {
		for (uint32_t i = 0; i < lines; i++)
			memcpy(bytes + 3 * i, "x\r\n", 3);
		memcpy(bytes + 3 * lines, "\r\n", 2);
		for (uint32_t i = 0; scan_impl_at(i) != NULL; i++)
			assert_int_equal(scan_impl_at(i)->head(bytes, 3 * lines + 2, lf),
					 lines < SCAN_HEAD_LINES ? lines + 1 : 0);
		all_agree(bytes, 3 * lines + 2);
	}
}

static void lines_of_a_text_are_bounded(void **state)
{
	char bytes[2 * SCAN_TEXT_LINES + 4];
	uint16_t lf[SCAN_TEXT_ROOM];

	(void)state;
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 2 ? '\n' : 'x';
	for (uint32_t i = 0; scan_impl_at(i) != NULL; i++) {
		const struct scan_impl *impl = scan_impl_at(i);

		assert_int_equal(impl->text(bytes, 2 * SCAN_TEXT_LINES + 1, lf), SCAN_TEXT_LINES);
		assert_int_equal(impl->text(bytes, 2 * SCAN_TEXT_LINES + 2, lf), SCAN_NOT_PLAIN);
	}
	for (uint32_t n = 0; n <= sizeof(bytes); n++)
		all_agree(bytes, n);
	memset(bytes, '\n', sizeof(bytes));
	for (uint32_t n = 0; n <= sizeof(bytes); n++)
		all_agree(bytes, n);
}

static struct scan_set any_set(void)
{
	struct scan_set s = {.high = rnd(2)};

	for (int i = 0; i < 16; i++)
		s.row[i] = (uint8_t)(rnd(2) ? 0xff : rnd(256));
	return s;
}

static void a_span_ends_where_its_class_does(void **state)
{
	(void)state;
	for (uint32_t n = 0; n <= LONGEST; n++) {
		struct guard g;
		char *p = guard_end(&g, NULL, n);

		for (int round = 0; round < 60; round++) {
			const struct scan_set s = any_set();

			for (uint32_t i = 0; i < n; i++) {
				do
					p[i] = (char)rnd(256);
				while (rnd(4) && !scan_set_has(&s, p[i]));
			}
			assert_int_equal(scan_span(&s, p, n), scan_span_plain(&s, p, n));
			assert_int_equal(span_of(&s, p, n), scan_span_plain(&s, p, n));
		}
		guard_free(&g);
	}
}

static void a_stranger_is_seen_at_each_place(void **state)
{
	const struct scan_set not_x = {.row = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
					       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
				       .high = true};
	char bytes[100];

	(void)state;
	for (uint32_t n = 0; n <= sizeof(bytes); n++)
		for (uint32_t at = 0; at < n; at++) {
			memset(bytes, 'a', n);
			bytes[at] = 'x';
			assert_int_equal(scan_span(&not_x, bytes, n), at);
			assert_int_equal(span_of(&not_x, bytes, n), at);
			bytes[at] = (char)0xf8;
			assert_int_equal(scan_span(&not_x, bytes, n), n);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plain_one_runs_everywhere),
		cmocka_unit_test(a_head_is_cut_at_its_line_feeds),
		cmocka_unit_test(a_text_is_cut_at_its_line_feeds),
		cmocka_unit_test(each_length_and_each_place),
		cmocka_unit_test(each_byte_at_each_place),
		cmocka_unit_test(lines_of_any_length),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(lines_of_a_text_are_bounded),
		cmocka_unit_test(a_span_ends_where_its_class_does),
		cmocka_unit_test(a_stranger_is_seen_at_each_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
