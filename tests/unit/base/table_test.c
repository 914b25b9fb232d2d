#include "sbc/base/table.h"

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

#define N 64u

struct fixture {
	_Alignas(64) uint8_t mem[8192];
	struct arena arena;
	struct table table;
};

static int setup(void **state)
{
	static struct fixture f;

	arena_init(&f.arena, f.mem, sizeof(f.mem));
	table_init(&f.table, &f.arena, N);
	*state = &f;
	return arena_ok(&f.arena) ? 0 : -1;
}

/* Bit i set: index i is a candidate for the hash. */
static uint64_t candidates(const struct table *t, uint32_t hash)
{
	uint64_t set = 0;

	for (uint32_t i = table_first(t, hash); i != TABLE_NONE; i = table_next(t, i)) {
		assert_true(i < N);
		assert_int_equal(set >> i & 1, 0);
		set |= (uint64_t)1 << i;
	}
	return set;
}

static void an_empty_table_has_no_candidates(void **state)
{
	struct table *t = &((struct fixture *)*state)->table;

	assert_int_equal(table_first(t, 0), TABLE_NONE);
	assert_int_equal(table_first(t, UINT32_MAX), TABLE_NONE);
}

static void all_of_one_hash_are_candidates_and_none_of_another(void **state)
{
	struct table *t = &((struct fixture *)*state)->table;

	table_insert(t, 1, 5);
	table_insert(t, 2, 5);
	table_insert(t, 3, 5 + N); /* the same chain, another hash */
	table_insert(t, 4, 6);
	assert_int_equal(candidates(t, 5), 1 << 1 | 1 << 2);
	assert_int_equal(candidates(t, 5 + N), 1 << 3);
	assert_int_equal(candidates(t, 6), 1 << 4);
	assert_int_equal(candidates(t, 5 + 2 * N), 0);
	assert_int_equal(t->count, 4);
}

static void any_link_of_a_chain_can_be_removed(void **state)
{
	struct table *t = &((struct fixture *)*state)->table;

	for (uint32_t out = 0; out < 4; out++) {
		for (uint32_t i = 0; i < 4; i++)
			table_insert(t, i, 9);
		table_remove(t, out);
		table_remove(t, out); /* absent by now */
		assert_int_equal(candidates(t, 9), 0xf & ~(1 << out));
		for (uint32_t i = 0; i < 4; i++)
			table_remove(t, i);
		assert_int_equal(candidates(t, 9), 0);
		assert_int_equal(t->count, 0);
	}
}

static void random_changes_match_a_plain_model(void **state)
{
	struct table *t = &((struct fixture *)*state)->table;
	int64_t model[N]; /* hash, -1 is absent */
	uint64_t seed = 11;

	for (uint32_t i = 0; i < N; i++)
		model[i] = -1;
	for (int step = 0; step < 20000; step++) {
		uint32_t i = (uint32_t)(unit_random(&seed) % N);
		uint32_t hash = (uint32_t)(unit_random(&seed) % 7) * (N / 2);
		if (model[i] < 0) {
			table_insert(t, i, hash);
			model[i] = hash;
		} else {
			table_remove(t, i);
			model[i] = -1;
		}
		uint64_t want = 0;
		for (uint32_t j = 0; j < N; j++)
			if (model[j] == (int64_t)hash)
				want |= (uint64_t)1 << j;
		assert_true(candidates(t, hash) == want);
	}
}

static void insert_one(void *table)
{
	table_insert(table, 1, 1);
}

static void insert_beyond(void *table)
{
	table_insert(table, N, 1);
}

static void inserting_twice_aborts(void **state)
{
	struct table *t = &((struct fixture *)*state)->table;

	assert_false(dies(insert_one, t));
	table_insert(t, 1, 1);
	assert_true(dies(insert_one, t));
	assert_true(dies(insert_beyond, t));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_table_has_no_candidates, setup),
		cmocka_unit_test_setup(all_of_one_hash_are_candidates_and_none_of_another, setup),
		cmocka_unit_test_setup(any_link_of_a_chain_can_be_removed, setup),
		cmocka_unit_test_setup(random_changes_match_a_plain_model, setup),
		cmocka_unit_test_setup(inserting_twice_aborts, setup),
	};
	return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
