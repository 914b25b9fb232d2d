#include "tests/bench/gen/track.h"

#include "tests/lib/unit.h"

static void in_order_over_the_wrap(void **state)
{
	struct track t = {0};

	(void)state;
	for (uint32_t i = 65000; i < 65000 + 70000; i++)
		assert_int_equal(track_add(&t, (uint16_t)i), TRACK_NEXT);
}

static void a_late_one_is_reordered_and_counted_once(void **state)
{
	struct track t = {0};

	(void)state;
	assert_int_equal(track_add(&t, 10), TRACK_NEXT);
	assert_int_equal(track_add(&t, 12), TRACK_NEXT);
	assert_int_equal(track_add(&t, 11), TRACK_REORDERED);
	assert_int_equal(track_add(&t, 11), TRACK_DUPLICATE);
	assert_int_equal(track_add(&t, 12), TRACK_DUPLICATE);
	assert_int_equal(track_add(&t, 13), TRACK_NEXT);
}

static void a_late_one_over_the_wrap(void **state)
{
	struct track t = {0};

	(void)state;
	assert_int_equal(track_add(&t, 65534), TRACK_NEXT);
	assert_int_equal(track_add(&t, 1), TRACK_NEXT);
	assert_int_equal(track_add(&t, 65535), TRACK_REORDERED);
	assert_int_equal(track_add(&t, 65535), TRACK_DUPLICATE);
	assert_int_equal(track_add(&t, 0), TRACK_REORDERED);
}

static void a_long_gap_forgets_what_was_before(void **state)
{
	struct track t = {0};

	(void)state;
	assert_int_equal(track_add(&t, 1), TRACK_NEXT);
	assert_int_equal(track_add(&t, 1000), TRACK_NEXT);
	assert_int_equal(track_add(&t, 1), TRACK_REORDERED);
	assert_int_equal(track_add(&t, 999), TRACK_REORDERED);
	assert_int_equal(track_add(&t, 999), TRACK_DUPLICATE);
	assert_int_equal(track_add(&t, 1000 - 63), TRACK_REORDERED);
	assert_int_equal(track_add(&t, 1000 - 63), TRACK_DUPLICATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_order_over_the_wrap),
		cmocka_unit_test(a_late_one_is_reordered_and_counted_once),
		cmocka_unit_test(a_late_one_over_the_wrap),
		cmocka_unit_test(a_long_gap_forgets_what_was_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
