#include "tests/bench/gen/pace.h"

#include "tests/lib/unit.h"

#define HZ 1000000000u

static void a_rate_is_kept_to_the_last_one(void **state)
{
	struct pace p;
	uint64_t n = 0;

	(void)state;
	pace_start(&p, 12345, HZ, 500, 1000, 0);
	for (uint64_t t = 0; t <= HZ; t += 777) {
		uint32_t due = pace_due(&p, 500 + t, 64);

		assert_true(due <= 1);
		pace_did(&p, due);
		n += due;
	}
	assert_in_range(n, 12344, 12345);
	assert_int_equal(p.late, 0);
	assert_int_equal(p.skipped, 0);
}

static void what_could_not_be_done_stays_due(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 1000, HZ, 0, 1e6, 0);
	assert_int_equal(pace_due(&p, HZ / 100, 64), 10);
	pace_did(&p, 4);
	assert_int_equal(pace_due(&p, HZ / 100, 64), 6);
}

static void a_pause_is_late_and_not_made_up_for_beyond_the_backlog(void **state)
{
	struct pace p;
	uint32_t due;

	(void)state;
	pace_start(&p, 1e6, HZ, 0, 100, 1000);
	due = pace_due(&p, HZ / 10, 32); /* 100,000 are due after a tenth of a second */
	assert_int_equal(due, 32);
	assert_int_equal(p.late, 32);
	assert_int_equal(p.skipped, 100000 - 1064);
	for (uint32_t sum = 0; sum < 1064; sum += due) {
		due = pace_due(&p, HZ / 10, 32);
		assert_true(due > 0);
		pace_did(&p, due);
	}
	assert_int_equal(pace_due(&p, HZ / 10, 32), 0);
}

static void calls_are_never_skipped(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 100, HZ, 0, 1000, 0);
	assert_int_equal(pace_due(&p, 10ull * HZ, 2000), 1000);
	assert_int_equal(p.skipped, 0);
}

static void it_ends_with_its_total(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 100, HZ, 0, 1000, 0);
	p.total = 7;
	assert_int_equal(pace_due(&p, 10ull * HZ, 64), 7);
	assert_false(pace_over(&p));
	pace_did(&p, 7);
	assert_true(pace_over(&p));
	assert_int_equal(pace_due(&p, 20ull * HZ, 64), 0);
}

static void without_a_rate_all_are_due(void **state)
{
	struct pace p;

	(void)state;
	pace_start(&p, 0, HZ, 0, 100, 1000);
	assert_int_equal(pace_due(&p, 0, 64), 64);
	assert_int_equal(p.late, 0);
	p.total = 3;
	assert_int_equal(pace_due(&p, 0, 64), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_kept_to_the_last_one),
		cmocka_unit_test(what_could_not_be_done_stays_due),
		cmocka_unit_test(a_pause_is_late_and_not_made_up_for_beyond_the_backlog),
		cmocka_unit_test(calls_are_never_skipped),
		cmocka_unit_test(it_ends_with_its_total),
		cmocka_unit_test(without_a_rate_all_are_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
