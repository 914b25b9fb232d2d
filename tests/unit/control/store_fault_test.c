/* What is owed when answers, connections or Redis itself fail. */
#include "tests/unit/control/store_one.h"

static bool is_refusing(void *arg)
{
	(void)arg;
	return !one.up && store_one_gauges().refused > 0;
}

/* What was refused is not taken for done because its answer was lost, and others came. */
static void an_answer_is_of_its_own_batch(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	(void)state;
	store_end_put(&one, 7, 1);
	store_end_flush(&one);
	real_redis_do(&server, "DEL " STORE_PREFIX "call:00000000000000000000000000000007");
	f->mute = true;
	store_end_change(&one, 7, 2);
	store_bed_turn(50);
	assert_int_equal(store_one_gauges().underway, 1);
	f->mute = false;
	store_end_put(&one, 8, 1);
	store_end_flush(&one);
	assert_int_equal(one.bad, 1);
	assert_int_equal(one.good, 2);
	assert_int_equal(store_kept(7), 0);
	assert_int_equal(store_kept(8), 1);
}

static void a_connection_lost_in_a_batch_loses_nothing(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);
	uint64_t n = 0;

	(void)state;
	for (int round = 0; round < 24; round++) {
		if (round % 2)
			f->cut_commands = 100 + round * 700;
		else
			f->cut_replies = round * 3;
		for (int i = 0; i < 100; i++)
			store_end_put(&one, ++n, 1);
		store_bed_turn(20);
		f->cut_commands = f->cut_replies = -1;
		store_end_flush(&one);
		assert_int_equal(one.good, n);
	}
	assert_int_equal(one.bad, 0);
	assert_int_equal(store_indexed(), (long long)n);
}

static void a_redis_that_is_full_still_deletes(void **state)
{
	(void)state;
	store_end_put(&one, 1, 1);
	store_end_put(&one, 2, 1);
	store_end_flush(&one);
	real_redis_do(&server, "CONFIG SET maxmemory 1");
	store_end_put(&one, 3, 1);
	store_bed_wait(is_refusing, NULL);
	store_end_delete(&one, 1);
	store_bed_turn(300);
	assert_int_equal(store_kept(1), 0);
	assert_false(store_is_indexed(1));
	assert_int_equal(store_kept(3), 0);
	real_redis_do(&server, "CONFIG SET maxmemory 0");
	store_end_wait_up(&one);
	store_end_flush(&one);
	assert_int_equal(store_kept(3), 1);
	assert_int_equal(one.good, 3);
	assert_int_equal(one.bad, 0);
}

static void what_redis_cannot_take_is_refused(void **state)
{
	(void)state;
	real_redis_do(&server, "SET " STORE_PREFIX "index odd");
	store_end_put(&one, 1, 1);
	store_end_flush(&one);
	assert_int_equal(one.bad, 1);
	assert_false(one.up);
	real_redis_do(&server, "DEL " STORE_PREFIX "index");
	store_end_wait_up(&one);
	store_end_put(&one, 1, 2);
	store_end_flush(&one);
	assert_int_equal(store_kept(1), 2);
}

static void a_replica_is_not_written_to(void **state)
{
	(void)state;
	real_redis_do(&server, "REPLICAOF 127.0.0.1 1");
	store_end_put(&one, 1, 1);
	store_bed_wait(store_one_is_down, NULL);
	real_redis_do(&server, "REPLICAOF NO ONE");
	store_end_wait_up(&one);
	store_end_flush(&one);
	assert_int_equal(store_kept(1), 1);
	assert_int_equal(one.bad, 0);
}

static void deletes_that_wait_are_bounded(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 1500; i++)
		store_end_put(&one, i, 1);
	store_end_flush(&one);
	fake_redis_faults(bed.proxy)->refuse = true;
	fake_redis_drop(bed.proxy);
	store_bed_wait(store_one_is_down, NULL);
	for (uint64_t i = 1; i <= 1500; i++)
		store_end_delete(&one, i);
	assert_int_equal(store_one_gauges().deletes_waiting, 1000);
	assert_int_equal(store_one_gauges().deletes_lost, 500);
	fake_redis_faults(bed.proxy)->refuse = false;
	store_end_wait_up(&one);
	store_end_flush(&one);
	assert_int_equal(store_indexed(), 500);
}

static bool is_connected(void *arg)
{
	const struct store_end *e = arg;

	return redis_is_up(e->redis);
}

/* The lease that was lost is there again: the claim says so once, and nobody heard it. */
static void a_loss_that_a_lost_answer_told_of_is_found_out(void **state)
{
	(void)state;
	store_end_put(&one, 7, 1);
	store_end_flush(&one);
	real_redis_do(&server, "FLUSHALL");
	fake_redis_drop(bed.proxy);
	store_bed_wait(store_one_is_down, NULL);
	store_bed_wait(is_connected, &one);
	assert_false(one.up);
	fake_redis_faults(bed.proxy)->mute = true;
	store_bed_turn(50);
	fake_redis_faults(bed.proxy)->mute = false;
	fake_redis_drop(bed.proxy);
	store_end_wait_up(&one);
	assert_int_equal(one.resyncs, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_is_of_its_own_batch),
		TEST(a_loss_that_a_lost_answer_told_of_is_found_out),
		TEST(a_connection_lost_in_a_batch_loses_nothing),
		TEST(a_redis_that_is_full_still_deletes),
		TEST(what_redis_cannot_take_is_refused),
		TEST(a_replica_is_not_written_to),
		TEST(deletes_that_wait_are_bounded),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
