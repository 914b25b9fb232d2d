#include "sbc/base/wheel.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/dies.h"
#include "tests/lib/unit.h"

#define N    512u
#define TURN ((uint64_t)WHEEL_TICK_MS * WHEEL_SLOTS)
#define LOTS 1000000u

struct fixture {
	struct arena arena;
	struct wheel wheel;
	uint32_t out[N];
};

static int setup(void **state)
{
	static struct fixture f;
	struct arena measure;
	struct wheel w;

	arena_init(&measure, NULL, 0);
	wheel_init(&w, &measure, N, 1000);
	arena_init(&f.arena, aligned_alloc(ARENA_ALIGN, measure.used), measure.used);
	wheel_init(&f.wheel, &f.arena, N, 1000);
	*state = &f;
	return arena_ok(&f.arena) ? 0 : -1;
}

static int teardown(void **state)
{
	free(((struct fixture *)*state)->arena.base);
	return 0;
}

static void a_timer_never_fires_early(void **state)
{
	struct fixture *f = *state;

	for (uint64_t deadline = 1001; deadline < 1050; deadline++) {
		uint64_t now = deadline - 1;
		wheel_arm(&f->wheel, 3, deadline);
		assert_int_equal(wheel_expire(&f->wheel, now, f->out, N, LOTS), 0);
		while (wheel_expire(&f->wheel, now, f->out, N, LOTS) == 0)
			now++;
		assert_true(now >= deadline && now < deadline + WHEEL_TICK_MS);
		assert_int_equal(f->out[0], 3);
		assert_false(wheel_is_armed(&f->wheel, 3));
	}
}

static void what_is_due_already_fires_at_the_next_call(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(wheel_expire(&f->wheel, 5000, f->out, N, LOTS), 0);
	wheel_arm(&f->wheel, 1, 5000);
	wheel_arm(&f->wheel, 2, 17);
	wheel_arm(&f->wheel, 4, 0);
	assert_int_equal(wheel_expire(&f->wheel, 5000, f->out, N, LOTS), 3);
	assert_int_equal(f->wheel.armed, 0);
}

static void deadlines_beyond_a_turn_wait_their_turns(void **state)
{
	struct fixture *f = *state;

	wheel_arm(&f->wheel, 1, 1000 + 5 * TURN);
	wheel_arm(&f->wheel, 2, 1000 + TURN);
	for (uint64_t now = 1000; now < 1000 + TURN; now += 512)
		assert_int_equal(wheel_expire(&f->wheel, now, f->out, N, LOTS), 0);
	assert_int_equal(wheel_expire(&f->wheel, 1000 + TURN, f->out, N, LOTS), 1);
	assert_int_equal(f->out[0], 2);
	assert_int_equal(wheel_expire(&f->wheel, 999 + 5 * TURN, f->out, N, LOTS), 0);
	assert_int_equal(wheel_expire(&f->wheel, 1000 + 5 * TURN, f->out, N, LOTS), 1);
	assert_int_equal(f->out[0], 1);
}

static void a_deadline_at_the_end_of_time_does_not_fire(void **state)
{
	struct fixture *f = *state;

	wheel_arm(&f->wheel, 1, UINT64_MAX);
	assert_int_equal(wheel_expire(&f->wheel, UINT64_MAX / 2, f->out, N, LOTS), 0);
	assert_true(wheel_is_armed(&f->wheel, 1));
	assert_true(wheel_next_due(&f->wheel) > UINT64_MAX / 2);
	wheel_disarm(&f->wheel, 1);
	assert_true(wheel_next_due(&f->wheel) == UINT64_MAX);
}

static void arming_again_moves_a_timer(void **state)
{
	struct fixture *f = *state;

	wheel_arm(&f->wheel, 1, 1100);
	wheel_arm(&f->wheel, 1, 1200);
	assert_int_equal(f->wheel.armed, 1);
	assert_int_equal(wheel_expire(&f->wheel, 1199, f->out, N, LOTS), 0);
	wheel_arm(&f->wheel, 1, 1200);
	assert_int_equal(wheel_expire(&f->wheel, 1200, f->out, N, LOTS), 1);
	assert_int_equal(wheel_expire(&f->wheel, 9999, f->out, N, LOTS), 0);
	wheel_disarm(&f->wheel, 1);
	wheel_disarm(&f->wheel, N);
	assert_false(wheel_is_armed(&f->wheel, N));
}

static void the_smallest_budget_gets_to_the_end(void **state)
{
	struct fixture *f = *state;
	bool seen[N] = {false};
	uint32_t n = 0, calls = 0;

	/* One slot with as many that are due as that have turns to wait. */
	for (uint32_t i = 0; i < N; i++)
		wheel_arm(&f->wheel, i, 1040 + (i % 2) * TURN);
	do {
		uint32_t got = wheel_expire(&f->wheel, 1100, f->out, N, 1);
		assert_true(got <= 1);
		if (got) {
			assert_true(f->out[0] % 2 == 0 && !seen[f->out[0]]);
			seen[f->out[0]] = true;
		}
		n += got;
		assert_true(++calls < 4 * N);
	} while (wheel_is_behind(&f->wheel));
	assert_int_equal(n, N / 2);
	assert_int_equal(wheel_expire(&f->wheel, 1100, f->out, N, LOTS), 0);
}

static void a_full_answer_is_continued(void **state)
{
	struct fixture *f = *state;
	uint32_t n = 0;

	for (uint32_t i = 0; i < N; i++)
		wheel_arm(&f->wheel, i, 1000 + i % 40);
	for (int i = 0; i < (int)(N / 8); i++) {
		assert_int_equal(wheel_expire(&f->wheel, 1100, f->out, 8, LOTS), 8);
		n += 8;
	}
	assert_int_equal(n, N);
	assert_int_equal(wheel_expire(&f->wheel, 1100, f->out, 8, LOTS), 0);
}

/* A walk stands still in mid-slot; what it would go on with is disarmed or moved. */
static void changes_between_calls_lose_nothing(void **state)
{
	struct fixture *f = *state;
	uint32_t n = 0;

	for (uint32_t i = 0; i < 6; i++)
		wheel_arm(&f->wheel, i, 1040);
	n += wheel_expire(&f->wheel, 1040, f->out, 2, LOTS);
	assert_int_equal(n, 2);
	uint32_t next = f->wheel.resume;
	assert_int_not_equal(next, WHEEL_NONE);
	wheel_disarm(&f->wheel, next);
	wheel_arm(&f->wheel, f->wheel.resume, 2000);
	wheel_arm(&f->wheel, 7, 1040); /* into the very slot, whose head has been passed */
	n += wheel_expire(&f->wheel, 1040, f->out, N, LOTS);
	assert_int_equal(n, 2 + 2 + 1);
	assert_int_equal(wheel_expire(&f->wheel, 2000, f->out, N, LOTS), 1);
	assert_int_equal(f->wheel.armed, 0);
}

static void a_clock_that_jumps_turns_ahead_loses_nothing(void **state)
{
	struct fixture *f = *state;
	uint64_t now = 1000 + 50 * TURN;
	uint32_t n = 0;

	for (uint32_t i = 0; i < N; i++)
		wheel_arm(&f->wheel, i, 1000 + i * 911);
	wheel_arm(&f->wheel, 0, now + TURN / 2);
	do {
		assert_true(wheel_next_due(&f->wheel) <= now);
		n += wheel_expire(&f->wheel, now, f->out, 5, 100);
	} while (wheel_is_behind(&f->wheel));
	assert_int_equal(n, N - 1);
	assert_true(wheel_next_due(&f->wheel) > now);
}

static void next_due_is_a_lower_bound_and_exact_at_the_tick(void **state)
{
	struct fixture *f = *state;

	assert_true(wheel_next_due(&f->wheel) == UINT64_MAX);
	wheel_arm(&f->wheel, 1, 1002 + 3 * TURN);
	assert_int_equal(wheel_next_due(&f->wheel), 1004 + 3 * TURN);
	wheel_arm(&f->wheel, 2, 1500);
	assert_int_equal(wheel_next_due(&f->wheel), 1500);
	wheel_arm(&f->wheel, 3, 1496);
	assert_int_equal(wheel_next_due(&f->wheel), 1496);
}

static void next_due_by_looks_no_further_than_asked(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(wheel_next_due_by(&f->wheel, 1200), 1200);
	wheel_arm(&f->wheel, 1, 1100 + TURN);
	assert_int_equal(wheel_next_due_by(&f->wheel, 1200), 1200);
	assert_int_equal(wheel_next_due_by(&f->wheel, 3 * TURN), 1100 + TURN);
	wheel_arm(&f->wheel, 2, 1202);
	assert_int_equal(wheel_next_due_by(&f->wheel, 1200), 1200);
	assert_int_equal(wheel_next_due_by(&f->wheel, 1203), 1203);
	assert_int_equal(wheel_next_due_by(&f->wheel, 1300), 1204);
	assert_int_equal(wheel_next_due_by(&f->wheel, 5), 5);
}

/* The model: an array of deadlines. */
static void check_fired(const uint64_t *model, uint64_t *next, const uint32_t *out, uint32_t n,
			uint64_t now)
{
	for (uint32_t i = 0; i < n; i++) {
		assert_true(model[out[i]] != 0 && model[out[i]] <= now);
		assert_true(next[out[i]] != 0); /* not twice */
		next[out[i]] = 0;
	}
}

static uint32_t model_due(const uint64_t *model, uint64_t now)
{
	uint32_t n = 0;

	/* What is due within the running tick may still wait for the tick's end. */
	for (uint32_t i = 0; i < N; i++)
		if (model[i] != 0 &&
		    (model[i] + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS <= now / WHEEL_TICK_MS)
			n++;
	return n;
}

static void random_use_matches_a_plain_model(void **state)
{
	struct fixture *f = *state;
	static uint64_t model[N];
	uint64_t seed = 42, now = 1000;

	memset(model, 0, sizeof(model));
	for (int step = 0; step < 60000; step++) {
		uint64_t r = unit_random(&seed);
		uint32_t timer = (uint32_t)(r >> 32) % N;
		switch (r % 8) {
		case 0:
			wheel_disarm(&f->wheel, timer);
			model[timer] = 0;
			break;
		case 1:
			now += (r >> 8) % (r % 64 == 1 ? 3 * TURN : 40);
			break;
		case 2:
		case 3: {
			uint32_t max = 1 + (uint32_t)(r >> 20) % 16, budget = 1 + (r >> 40) % 64;
			uint32_t n = wheel_expire(&f->wheel, now, f->out, max, budget);
			check_fired(model, model, f->out, n, now);
			if (!wheel_is_behind(&f->wheel))
				assert_int_equal(model_due(model, now), 0);
			break;
		}
		default:
			model[timer] = now + (r >> 8) % (r % 16 == 7 ? 4 * TURN : 3000) + 1;
			wheel_arm(&f->wheel, timer, model[timer]);
		}
		assert_int_equal(wheel_is_armed(&f->wheel, timer), model[timer] != 0);
	}
	uint32_t n;
	now += 5 * TURN;
	while ((n = wheel_expire(&f->wheel, now, f->out, N, LOTS)) != 0)
		check_fired(model, model, f->out, n, now);
	for (uint32_t i = 0; i < N; i++)
		assert_true(model[i] == 0);
	assert_int_equal(f->wheel.armed, 0);
}

static void arm_beyond(void *wheel)
{
	wheel_arm(wheel, N, 1);
}

static void a_number_beyond_the_capacity_aborts(void **state)
{
	struct fixture *f = *state;

	assert_true(dies(arm_beyond, &f->wheel));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_timer_never_fires_early, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_due_already_fires_at_the_next_call, setup,
						teardown),
		cmocka_unit_test_setup_teardown(deadlines_beyond_a_turn_wait_their_turns, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_deadline_at_the_end_of_time_does_not_fire, setup,
						teardown),
		cmocka_unit_test_setup_teardown(arming_again_moves_a_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(the_smallest_budget_gets_to_the_end, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_full_answer_is_continued, setup, teardown),
		cmocka_unit_test_setup_teardown(changes_between_calls_lose_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_clock_that_jumps_turns_ahead_loses_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(next_due_by_looks_no_further_than_asked, setup,
						teardown),
		cmocka_unit_test_setup_teardown(next_due_is_a_lower_bound_and_exact_at_the_tick,
						setup, teardown),
		cmocka_unit_test_setup_teardown(random_use_matches_a_plain_model, setup, teardown),
		cmocka_unit_test_setup_teardown(a_number_beyond_the_capacity_aborts, setup,
						teardown),
	};
	return cmocka_run_group_tests_name("base/wheel", tests, NULL, NULL);
}
