#include "sbc/base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sbc/base/net.h"
#include "sbc/base/wbuf.h"
#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

/* As printf() has it, with no byte writable behind the last digit. */
static void check(uint64_t v)
{
	char want[DECIMAL_MAX + 1];
	const uint32_t n = (uint32_t)snprintf(want, sizeof(want), "%" PRIu64, v);
	struct guard g;
	char *to = guard_end(&g, NULL, n);

	assert_int_equal(decimal_len(v), n);
	assert_ptr_equal(decimal_write(to, v), to + n);
	assert_memory_equal(to, want, n);
	guard_free(&g);
}

static void numbers_around_each_power(void **state)
{
	uint64_t power = 1;

	(void)state;
	check(0);
	check(UINT64_MAX);
	check(UINT32_MAX);
	check(UINT32_MAX + 1ull);
	for (uint32_t i = 0; i < DECIMAL_MAX; i++, power *= 10) {
		check(power - 1);
		check(power);
		check(power + 1);
	}
	for (uint32_t bit = 0; bit < 64; bit++) {
		check(1ull << bit);
		check((1ull << bit) - 1);
	}
}

static void numbers_of_any_length(void **state)
{
	uint64_t seed = 5;

	(void)state;
	for (uint32_t i = 0; i < 4096; i++) {
		const uint64_t v = unit_random(&seed);

		check(v >> (v & 63));
	}
}

/* In place and aside: whole where it has room, however little is left behind it, or not at all. */
static void what_is_put_is_put_whole(void **state)
{
	const struct net_addr addr = {0xfffefdfcu, 65535};
	char want[64];
	struct wbuf w;

	(void)state;
	for (uint32_t cap = 0; cap < 48; cap++) {
		struct guard g;
		char *to = guard_end(&g, NULL, cap);

		wbuf_init(&w, to, cap);
		wbuf_u64(&w, 1234567);
		assert_int_equal(wbuf_ok(&w), cap >= 7);
		assert_int_equal(w.n, cap >= 7 ? 7 : 0);
		assert_memory_equal(to, "1234567", w.n);

		wbuf_init(&w, want, sizeof(want));
		net_ip_write(&w, addr.ip);
		wbuf_lit(&w, ":65535");
		const uint32_t n = w.n;

		wbuf_init(&w, to, cap);
		net_addr_write(&w, addr);
		assert_int_equal(wbuf_ok(&w), cap >= n);
		assert_int_equal(w.n, cap >= n ? n : 0);
		assert_memory_equal(to, want, w.n);
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_around_each_power),
		cmocka_unit_test(numbers_of_any_length),
		cmocka_unit_test(what_is_put_is_put_whole),
	};
	return cmocka_run_group_tests_name("base/decimal", tests, NULL, NULL);
}
