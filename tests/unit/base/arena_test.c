#include "sbc/base/arena.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"

static void measuring_and_cutting_agree(void **state)
{
	static const size_t want[][2] = {{1, 1}, {3, 40}, {0, 8}, {64, 1}, {7, 65}};
	struct arena measure, cut;

	(void)state;
	arena_init(&measure, NULL, 999);
	for (size_t i = 0; i < 5; i++)
		assert_null(arena_take(&measure, want[i][0], want[i][1]));
	assert_false(arena_ok(&measure));

	uint8_t *mem = aligned_alloc(ARENA_ALIGN, measure.used), *last = mem;
	memset(mem, 0xa5, measure.used);
	arena_init(&cut, mem, measure.used);
	for (size_t i = 0; i < 5; i++) {
		uint8_t *p = arena_take(&cut, want[i][0], want[i][1]);
		assert_non_null(p);
		assert_true(p >= last);
		assert_int_equal((uintptr_t)p % ARENA_ALIGN, 0);
		for (size_t b = 0; b < want[i][0] * want[i][1]; b++)
			assert_int_equal(p[b], 0);
		last = p + want[i][0] * want[i][1];
	}
	assert_true(arena_ok(&cut));
	assert_int_equal(cut.used, measure.used);
	free(mem);
}

static void one_byte_too_many_is_not_ok(void **state)
{
	_Alignas(64) uint8_t mem[128];
	struct arena a;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	assert_non_null(arena_take(&a, 1, 128));
	assert_true(arena_ok(&a));
	assert_null(arena_take(&a, 1, 1));
	assert_false(arena_ok(&a));
}

static void a_size_that_overflows_is_never_ok(void **state)
{
	_Alignas(64) uint8_t mem[128];
	struct arena a;

	(void)state;
	arena_init(&a, mem, sizeof(mem));
	assert_null(arena_take(&a, SIZE_MAX / 2, 4));
	assert_null(arena_take(&a, SIZE_MAX, 1));
	assert_null(arena_take(&a, 1, 64));
	assert_false(arena_ok(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measuring_and_cutting_agree),
		cmocka_unit_test(one_byte_too_many_is_not_ok),
		cmocka_unit_test(a_size_that_overflows_is_never_ok),
	};
	return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
