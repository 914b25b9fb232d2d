#include "tests/bench/gen/timers.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/unit.h"

#define N 500u

static void each_fires_once_in_its_time(void **state)
{
	struct timers t;
	uint32_t fired = 0, id;

	(void)state;
	assert_int_equal(timers_init(&t, N), 0);
	t.delay[0] = 100;
	t.delay[1] = 1000;
	for (uint32_t i = 0; i < N; i++)
		timers_arm(&t, i, i % 2, i);
	for (uint64_t now = 0; now < 2000; now++)
		while ((id = timers_expired(&t, now)) != TIMERS_NONE) {
			assert_int_equal(now, id + (id % 2 ? 1000 : 100));
			fired++;
		}
	assert_int_equal(fired, N);
	assert_int_equal(t.armed, 0);
	timers_free(&t);
}

static void stopped_ones_never_fire(void **state)
{
	struct timers t;
	uint32_t id, fired = 0;

	(void)state;
	assert_int_equal(timers_init(&t, N), 0);
	t.delay[0] = 10;
	for (uint32_t i = 0; i < N; i++)
		timers_arm(&t, i, 0, 0);
	for (uint32_t i = 0; i < N; i += 3)
		timers_stop(&t, i);
	timers_stop(&t, 0);
	while ((id = timers_expired(&t, 10)) != TIMERS_NONE) {
		assert_int_not_equal(id % 3, 0);
		fired++;
	}
	assert_int_equal(fired, N - (N + 2) / 3);
	timers_free(&t);
}

static void armed_again_it_fires_at_the_new_time_only(void **state)
{
	struct timers t;

	(void)state;
	assert_int_equal(timers_init(&t, 2), 0);
	t.delay[0] = 10;
	t.delay[1] = 40;
	timers_arm(&t, 1, 0, 0);
	timers_arm(&t, 1, 1, 5);
	assert_int_equal(timers_expired(&t, 44), TIMERS_NONE);
	assert_int_equal(timers_expired(&t, 45), 1);
	assert_int_equal(timers_expired(&t, 1000), TIMERS_NONE);
	timers_free(&t);
}

static void a_shorter_delay_overtakes(void **state)
{
	struct timers t;

	(void)state;
	assert_int_equal(timers_init(&t, 3), 0);
	t.delay[0] = 100;
	timers_arm(&t, 0, 0, 0);
	timers_arm(&t, 1, 0, 5);
	t.delay[0] = 10;
	timers_arm(&t, 2, 0, 6);
	assert_int_equal(timers_expired(&t, 16), 2);
	assert_int_equal(timers_expired(&t, 100), 0);
	assert_int_equal(timers_expired(&t, 105), 1);
	timers_free(&t);
}

/* Against a plain table of deadlines. */
static void random_use_agrees_with_a_table(void **state)
{
	uint64_t due[64];
	struct timers t;
	uint32_t id;

	(void)state;
	srand(7);
	memset(due, 0xff, sizeof(due));
	assert_int_equal(timers_init(&t, 64), 0);
	for (uint32_t i = 0; i < TIMERS_DELAYS; i++)
		t.delay[i] = 3u << i;
	for (uint64_t now = 0; now < 20000; now++) {
		uint32_t which = (uint32_t)rand() % 64, delay = (uint32_t)rand() % TIMERS_DELAYS;

		if (rand() % 3 == 0) {
			timers_stop(&t, which);
			due[which] = UINT64_MAX;
		} else {
			timers_arm(&t, which, delay, now);
			due[which] = now + t.delay[delay];
		}
		while ((id = timers_expired(&t, now)) != TIMERS_NONE) {
			assert_true(due[id] <= now);
			due[id] = UINT64_MAX;
		}
		for (uint32_t i = 0; i < 64; i++)
			assert_true(due[i] > now);
	}
	timers_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fires_once_in_its_time),
		cmocka_unit_test(stopped_ones_never_fire),
		cmocka_unit_test(armed_again_it_fires_at_the_new_time_only),
		cmocka_unit_test(a_shorter_delay_overtakes),
		cmocka_unit_test(random_use_agrees_with_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
