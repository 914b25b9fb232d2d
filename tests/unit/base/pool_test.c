#include "sbc/base/pool.h"

#include <string.h>

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

#define N 8u

struct fixture {
	_Alignas(64) uint8_t mem[4096];
	struct arena arena;
	struct pool pool;
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.arena, f.mem, sizeof(f.mem));
	pool_init(&f.pool, &f.arena, N, 24);
	*state = &f;
	return arena_ok(&f.arena) ? 0 : -1;
}

static void every_object_is_taken_once_and_comes_back(void **state)
{
	struct pool *p = &((struct fixture *)*state)->pool;
	bool seen[N] = {false};

	for (uint32_t i = 0; i < N; i++) {
		uint32_t at = pool_take(p);
		assert_true(at < N && !seen[at]);
		seen[at] = true;
		assert_true(pool_is_taken(p, at));
	}
	assert_int_equal(pool_take(p), POOL_NONE);
	assert_int_equal(p->used, N);
	for (uint32_t i = 0; i < N; i++)
		pool_give(p, i);
	assert_int_equal(p->used, 0);
	assert_false(pool_is_taken(p, 0));
	assert_false(pool_is_taken(p, N));
}

static void a_taken_object_is_zeroed_and_the_last_given(void **state)
{
	struct pool *p = &((struct fixture *)*state)->pool;
	static const uint8_t zero[24];
	uint32_t at = pool_take(p);

	memset(pool_at(p, at), 0xee, 24);
	pool_give(p, at);
	assert_int_equal(pool_take(p), at);
	assert_memory_equal(pool_at(p, at), zero, 24);
}

static void a_stale_handle_names_nothing(void **state)
{
	struct pool *p = &((struct fixture *)*state)->pool;
	uint32_t at = pool_take(p);
	uint64_t old = pool_handle(p, at);

	assert_int_not_equal(old, 0);
	assert_int_equal(pool_index(old), at);
	assert_ptr_equal(pool_get(p, old), pool_at(p, at));
	pool_give(p, at);
	assert_null(pool_get(p, old));
	assert_null(pool_get(p, pool_handle(p, at))); /* of a free object */
	assert_int_equal(pool_take(p), at);
	assert_null(pool_get(p, old));
	assert_non_null(pool_get(p, pool_handle(p, at)));
}

static void forged_handles_name_nothing(void **state)
{
	struct pool *p = &((struct fixture *)*state)->pool;
	uint32_t at = pool_take(p);

	assert_null(pool_get(p, 0));
	assert_null(pool_get(p, UINT64_MAX));
	assert_null(pool_get(p, pool_handle(p, at) | N));
	assert_null(pool_get(p, pool_handle(p, at) ^ (uint64_t)2 << 32));
}

static void the_generation_may_wrap(void **state)
{
	struct pool *p = &((struct fixture *)*state)->pool;

	p->place[p->free_head].gen = UINT32_MAX - 1;
	uint32_t at = pool_take(p);
	uint64_t last = pool_handle(p, at);
	assert_non_null(pool_get(p, last));
	pool_give(p, at);
	assert_int_equal(pool_take(p), at);
	assert_int_not_equal(pool_handle(p, at) >> 32, 0);
	assert_null(pool_get(p, last));
}

static void give_first(void *pool)
{
	pool_give(pool, 0);
}

static void give_beyond(void *pool)
{
	pool_give(pool, N);
}

static void giving_what_is_not_taken_aborts(void **state)
{
	struct pool *p = &((struct fixture *)*state)->pool;

	uint32_t at = pool_take(p);
	assert_int_equal(at, 0);
	assert_false(dies(give_first, p)); /* the child's copy: taken there */
	pool_give(p, at);
	assert_true(dies(give_first, p));
	assert_true(dies(give_beyond, p));
}

static void a_pool_without_memory_is_empty(void **state)
{
	struct arena measure;
	struct pool p;

	(void)state;
	arena_init(&measure, NULL, 0);
	pool_init(&p, &measure, N, 24);
	assert_true(measure.used >= N * 24);
	assert_int_equal(pool_take(&p), POOL_NONE);
	assert_null(pool_get(&p, (uint64_t)1 << 32));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_object_is_taken_once_and_comes_back, setup),
		cmocka_unit_test_setup(a_taken_object_is_zeroed_and_the_last_given, setup),
		cmocka_unit_test_setup(a_stale_handle_names_nothing, setup),
		cmocka_unit_test_setup(forged_handles_name_nothing, setup),
		cmocka_unit_test_setup(the_generation_may_wrap, setup),
		cmocka_unit_test_setup(giving_what_is_not_taken_aborts, setup),
		cmocka_unit_test(a_pool_without_memory_is_empty),
	};
	return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
