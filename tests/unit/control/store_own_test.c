/* Only the owner of a group writes, and knows what it wrote as such. */
#include "tests/unit/control/store_one.h"

static bool has_resynced(void *arg)
{
	return one.resyncs >= *(uint32_t *)arg;
}

static bool has_fenced(void *arg)
{
	(void)arg;
	return one.fenced > 0;
}

static void who_has_lost_the_group_writes_nothing(void **state)
{
	(void)state;
	store_end_put(&one, 1, 1);
	store_end_flush(&one);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner other epoch 2");
	store_end_put(&one, 1, 2);
	store_end_put(&one, 2, 1);
	store_end_delete(&one, 1);
	store_bed_wait(has_fenced, NULL);
	assert_int_equal(store_kept(1), 1);
	assert_int_equal(store_kept(2), 0);
	store_end_put(&one, 3, 1);
	store_end_flush(&one);
	assert_int_equal(one.fenced, 1);
	assert_int_equal(store_indexed(), 1);
	assert_int_equal(one.good + one.bad, 4);
	store_own(one.store, 0, 3);
	assert_int_equal(one.fenced, 1);
}

static void a_server_that_lost_its_data_is_told_all_again(void **state)
{
	uint32_t once = 1, twice = 2;

	(void)state;
	store_end_put(&one, 1, 1);
	store_end_flush(&one);
	assert_int_equal(one.resyncs, 0);
	real_redis_kill(&server);
	real_redis_again(&server);
	store_bed_wait(has_resynced, &once);
	real_redis_do(&server, "FLUSHALL");
	store_end_put(&one, 2, 1); /* by which it is found out */
	store_bed_wait(has_resynced, &twice);
	store_end_flush(&one);
	assert_int_equal(store_kept(2), 1);
	assert_int_equal(store_one_gauges().resyncs, 2);
}

/* A cluster's store: epochs are the lease's business. */
static void own_in_cluster(const char *epoch)
{
	store_end_close(&one);
	store_end_open(&one, false, 1000);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch %s", epoch);
	store_own(one.store, 0, strtoull(epoch, NULL, 10));
	store_end_wait_up(&one);
}

/* Of what became of a put nothing was heard; the group went away and came back. */
static void what_was_put_in_an_earlier_ownership_is_not_put_again(void **state)
{
	(void)state;
	own_in_cluster("5");
	store_end_put(&one, 7, 1);
	store_end_put(&one, 8, 1);
	store_end_flush(&one);
	fake_redis_faults(bed.proxy)->mute = true;
	store_end_put(&one, 7, 2);
	store_end_delete(&one, 8);
	store_bed_turn(50);
	store_own(one.store, 0, 0);
	/* Another owner goes on with both. */
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 22");
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000007 n 9");
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000008 n 9");
	store_own(one.store, 0, 22);
	fake_redis_faults(bed.proxy)->mute = false;
	fake_redis_drop(bed.proxy);
	store_bed_wait(store_one_is_down, NULL);
	store_end_wait_up(&one);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 9);
	assert_int_equal(store_kept(8), 9);
	assert_int_equal(one.good, 2);
	assert_int_equal(one.bad, 1);
}

/* The claim that outdates an epoch may be our own, and known to the store a moment later. */
static void what_our_own_claim_refuses_is_written_under_it(void **state)
{
	(void)state;
	own_in_cluster("5");
	store_end_put(&one, 7, 1);
	store_end_put(&one, 8, 1);
	store_end_flush(&one);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 22");
	store_end_put(&one, 7, 2);
	store_end_delete(&one, 8);
	store_bed_wait(has_fenced, NULL);
	store_bed_turn(50);
	assert_int_equal(store_kept(7), 1);
	store_own(one.store, 0, 22);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 2);
	assert_false(store_is_indexed(8));
	assert_int_equal(one.bad, 0);
	/* And when it was another's, nothing is written. */
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner other epoch 33");
	one.fenced = 0;
	store_end_put(&one, 7, 3);
	store_bed_wait(has_fenced, NULL);
	store_own(one.store, 0, 0);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(one.bad, 1);
}

/* An owner claims again while it serves only when what Redis had was lost. */
static void a_claim_while_serving_has_all_put_again(void **state)
{
	uint32_t once = 1;

	(void)state;
	own_in_cluster("5");
	store_end_put(&one, 7, 1);
	store_end_flush(&one);
	real_redis_do(&server, "FLUSHALL");
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 22");
	assert_int_equal(one.resyncs, 0);
	store_own(one.store, 0, 22);
	store_bed_wait(has_resynced, &once);
	store_own(one.store, 0, 0);
	store_own(one.store, 0, 38);
	store_bed_turn(20);
	assert_int_equal(one.resyncs, 1);
}

/* Another server may have what had ended: it would come back to life at the next start. */
static void a_resync_removes_what_had_ended(void **state)
{
	uint32_t once = 1;

	(void)state;
	store_end_put(&one, 1, 1);
	store_end_flush(&one);
	real_redis_kill(&server);
	real_redis_again(&server);
	for (int i = 2; i < 1000; i++) {
		real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", i);
		if (i < 5)
			real_redis_do(&server, "HSET " STORE_PREFIX "call:%032x n 1", i);
	}
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 1);
	store_bed_wait(has_resynced, &once);
	while (store_indexed() > 1)
		store_bed_turn(20);
	assert_true(store_is_indexed(1));
	assert_int_equal(store_kept(3), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_has_lost_the_group_writes_nothing),
		TEST(a_server_that_lost_its_data_is_told_all_again),
		TEST(a_resync_removes_what_had_ended),
		TEST(what_was_put_in_an_earlier_ownership_is_not_put_again),
		TEST(what_our_own_claim_refuses_is_written_under_it),
		TEST(a_claim_while_serving_has_all_put_again),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
