#include "sbc/base/wbuf.h"

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static void a_write_that_does_not_fit_sticks(void **state)
{
	struct guard g;
	struct wbuf w;

	(void)state;
	wbuf_init(&w, guard_end(&g, NULL, 4), 4);
	wbuf_lit(&w, "abc");
	assert_true(wbuf_ok(&w));
	wbuf_lit(&w, "de");
	assert_false(wbuf_ok(&w));
	wbuf_char(&w, 'x'); /* would fit, but the text would have a hole */
	assert_int_equal(w.n, 3);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("abc")));
	guard_free(&g);
}

static void the_last_byte_may_be_used(void **state)
{
	struct guard g;
	struct wbuf w;

	(void)state;
	wbuf_init(&w, guard_end(&g, NULL, 4), 4);
	wbuf_put(&w, SLICE_NONE);
	wbuf_lit(&w, "abcd");
	wbuf_put(&w, SLICE_NONE);
	assert_true(wbuf_ok(&w));
	wbuf_char(&w, 'e');
	assert_false(wbuf_ok(&w));
	guard_free(&g);
}

static void numbers_and_hex(void **state)
{
	char text[64];
	struct wbuf w;

	(void)state;
	wbuf_init(&w, text, sizeof(text));
	wbuf_u64(&w, 0);
	wbuf_char(&w, ' ');
	wbuf_u64(&w, UINT64_MAX);
	wbuf_char(&w, ' ');
	wbuf_hex(&w, (const uint8_t *)"\x00\x9f\xff", 3);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("0 18446744073709551615 009fff")));

	wbuf_init(&w, text, 5);
	wbuf_hex(&w, (const uint8_t *)"\x01\x02\x03", 3);
	assert_false(wbuf_ok(&w));
	assert_int_equal(w.n, 0);
}

/* Against one digit after another, with nothing readable or writable behind. */
static void hex_of_each_length(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (uint32_t n = 0; n <= 40; n++) {
		char in[40], want[80];
		struct guard from, to;
		struct wbuf w;

		for (uint32_t i = 0; i < n; i++) {
			const uint8_t byte = (uint8_t)unit_random(&seed);

			in[i] = (char)byte;
			want[2 * i] = "0123456789abcdef"[byte >> 4];
			want[2 * i + 1] = "0123456789abcdef"[byte & 15];
		}
		wbuf_init(&w, guard_end(&to, NULL, 2 * n), 2 * n);
		wbuf_hex(&w, (const uint8_t *)guard_end(&from, in, n), n);
		assert_true(slice_eq(wbuf_slice(&w), slice_of(want, 2 * n)));
		assert_true(wbuf_ok(&w));
		guard_free(&from);
		guard_free(&to);
	}
}

/* Neither is read or written beyond, whatever the length of the piece. */
static void pieces_of_each_length(void **state)
{
	char bytes[80];

	(void)state;
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (uint32_t n = 0; n <= sizeof(bytes); n++) {
		struct guard from, to;
		struct wbuf w;
		const char *p = guard_end(&from, bytes, n);

		wbuf_init(&w, guard_end(&to, NULL, n), n);
		wbuf_put(&w, slice_of(p, n));
		assert_true(wbuf_ok(&w) && w.n == n);
		assert_memory_equal(w.p, bytes, n);
		guard_free(&from);
		guard_free(&to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_of_each_length),
		cmocka_unit_test(a_write_that_does_not_fit_sticks),
		cmocka_unit_test(the_last_byte_may_be_used),
		cmocka_unit_test(numbers_and_hex),
		cmocka_unit_test(hex_of_each_length),
	};
	return cmocka_run_group_tests_name("base/wbuf", tests, NULL, NULL);
}
