#include "tests/bench/gen/hist.h"

#include "tests/lib/unit.h"

static struct hist h;

static void every_value_is_within_two_percent(void **state)
{
	(void)state;
	for (uint64_t v = 1; v < UINT64_MAX / 3; v += v / 7 + 1) {
		uint64_t upper = hist_upper(hist_index(v));

		assert_true(hist_index(v) < HIST_BUCKETS);
		assert_true(upper >= v);
		assert_true((double)(upper - v) <= 0.02 * (double)v);
	}
	assert_true(hist_index(UINT64_MAX) < HIST_BUCKETS);
	assert_int_equal(hist_upper(hist_index(UINT64_MAX)), UINT64_MAX);
}

static void buckets_neither_overlap_nor_leave_gaps(void **state)
{
	(void)state;
	for (uint32_t i = 0; i + 1 < HIST_BUCKETS; i++) {
		assert_int_equal(hist_index(hist_upper(i)), i);
		assert_int_equal(hist_index(hist_upper(i) + 1), i + 1);
	}
}

static void percentiles_of_known_values(void **state)
{
	(void)state;
	hist_reset(&h);
	for (uint64_t v = 1; v <= 1000; v++)
		hist_add(&h, v * 1000);
	assert_int_equal(h.count, 1000);
	assert_int_equal(h.min, 1000);
	assert_int_equal(h.max, 1000000);
	assert_in_range(hist_at(&h, 0.5), 500000, 510000);
	assert_in_range(hist_at(&h, 0.99), 990000, 1000000);
	assert_int_equal(hist_at(&h, 1.0), 1000000);
}

static void one_slow_packet_of_a_thousand_is_seen(void **state)
{
	(void)state;
	hist_reset(&h);
	for (int i = 0; i < 999; i++)
		hist_add(&h, 100);
	hist_add(&h, 5000000);
	assert_int_equal(hist_at(&h, 0.99), 100);
	assert_int_equal(hist_at(&h, 0.9995), 5000000);
}

static void an_empty_one_has_no_percentile(void **state)
{
	(void)state;
	hist_reset(&h);
	assert_int_equal(hist_at(&h, 0.5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_within_two_percent),
		cmocka_unit_test(buckets_neither_overlap_nor_leave_gaps),
		cmocka_unit_test(percentiles_of_known_values),
		cmocka_unit_test(one_slow_packet_of_a_thousand_is_seen),
		cmocka_unit_test(an_empty_one_has_no_percentile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
