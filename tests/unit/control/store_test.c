/*
 * What workers owe gets into Redis, each id in order, whatever happens on the way:
 * with a real redis-server, and a proxy before it that misbehaves.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_fixture.h"

static struct store_end end;

static struct store_gauges gauges(void)
{
	struct store_gauges g;

	store_gauges_read(end.store, &g);
	return g;
}

static bool is_refusing(void *arg)
{
	(void)arg;
	return !end.up && gauges().refused > 0;
}

static bool is_down(void *arg)
{
	(void)arg;
	return !end.up;
}

static bool has_resynced(void *arg)
{
	return end.resyncs >= *(uint32_t *)arg;
}

static bool has_fenced(void *arg)
{
	(void)arg;
	return end.fenced > 0;
}

static long long log_length(void)
{
	return real_redis_number(&server, "XLEN " STORE_PREFIX "log");
}

static int set_up(void **state)
{
	store_bed_open(state);
	store_end_open(&end, true, 1000);
	store_end_wait_up(&end);
	return 0;
}

static int tear_down(void **state)
{
	store_end_close(&end);
	return store_bed_close(state);
}

static void a_put_becomes_a_hash_that_expires(void **state)
{
	redisReply *r;
	long long ttl;

	(void)state;
	store_end_put(&end, 7, 1);
	store_end_flush(&end);
	assert_int_equal(end.good, 1);
	assert_int_equal(store_kept(7), 1);
	assert_true(store_is_indexed(7));
	ttl = real_redis_number(&server,
				"TTL " STORE_PREFIX "call:00000000000000000000000000000007");
	assert_true(ttl > 3000 && ttl <= 3600);
	r = real_redis_command(&server,
			       "HGET " STORE_PREFIX "call:00000000000000000000000000000007 odd");
	assert_int_equal(r->len, 8);
	assert_memory_equal(r->str, "\0\r\n$5\r\n*", 8);
	freeReplyObject(r);
	assert_int_equal(log_length(), 1);
	r = real_redis_command(&server, "HGET " STORE_PREFIX "lease epoch");
	assert_string_equal(r->str, "1");
	freeReplyObject(r);
}

static void fields_that_are_gone_go_from_the_hash(void **state)
{
	(void)state;
	store_end_put(&end, 7, 1);
	store_end_flush(&end);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000007 old 1");
	store_end_put(&end, 7, 2);
	store_end_flush(&end);
	assert_int_equal(real_redis_number(&server, "HLEN " STORE_PREFIX
						    "call:00000000000000000000000000000007"),
			 2);
}

static void a_change_is_of_the_version_before_alone(void **state)
{
	(void)state;
	store_end_put(&end, 7, 1);
	store_end_flush(&end);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000007 old 1");
	store_end_change(&end, 7, 2);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 2);
	assert_false(store_is_odd(7));
	/* What it does not name stays. */
	assert_int_equal(real_redis_number(&server, "HLEN " STORE_PREFIX
						    "call:00000000000000000000000000000007"),
			 3);
	/* Done before, by a batch whose reply was lost. */
	store_end_change(&end, 7, 2);
	store_end_flush(&end);
	assert_int_equal(end.good, 3);
	store_end_change(&end, 7, 4);
	store_end_change(&end, 8, 1);
	store_end_flush(&end);
	assert_int_equal(end.bad, 2);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(store_kept(8), 0);
	assert_false(store_is_indexed(8));
	store_end_change(&end, 7, 3);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 3);
	assert_true(store_is_odd(7));
}

/* The others of its batch are carried out. */
static void a_change_of_what_is_lost_is_refused_alone(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		store_end_put(&end, i, 1);
	store_end_flush(&end);
	real_redis_do(&server, "DEL " STORE_PREFIX "call:00000000000000000000000000000002");
	for (uint32_t i = 1; i <= 3; i++)
		store_end_change(&end, i, 2);
	store_end_flush(&end);
	assert_int_equal(end.bad, 1);
	assert_int_equal(store_kept(1), 2);
	assert_int_equal(store_kept(2), 0);
	assert_int_equal(store_kept(3), 2);
	store_end_put(&end, 2, 3);
	store_end_flush(&end);
	assert_int_equal(store_kept(2), 3);
}

/* What was refused is not taken for done because its answer was lost, and others came. */
static void an_answer_is_of_its_own_batch(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	(void)state;
	store_end_put(&end, 7, 1);
	store_end_flush(&end);
	real_redis_do(&server, "DEL " STORE_PREFIX "call:00000000000000000000000000000007");
	f->mute = true;
	store_end_change(&end, 7, 2);
	store_bed_turn(50);
	assert_int_equal(gauges().underway, 1);
	f->mute = false;
	store_end_put(&end, 8, 1);
	store_end_flush(&end);
	assert_int_equal(end.bad, 1);
	assert_int_equal(end.good, 2);
	assert_int_equal(store_kept(7), 0);
	assert_int_equal(store_kept(8), 1);
}

static void what_waits_is_written_once(void **state)
{
	(void)state;
	for (uint32_t v = 1; v <= 50; v++)
		store_end_put(&end, 7, v);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 50);
	assert_int_equal(log_length(), 1);
	assert_int_equal(end.good, 1);
	assert_int_equal(end.bad, 49); /* each is answered */
	assert_int_equal(gauges().batches, 1);
}

static void a_call_that_ends_before_it_is_written_leaves_no_trace(void **state)
{
	(void)state;
	store_end_put(&end, 7, 1);
	store_end_delete(&end, 7);
	store_end_flush(&end);
	assert_int_equal(log_length(), 0);
	assert_int_equal(end.good + end.bad, 1);
}

static void the_last_of_put_and_delete_counts(void **state)
{
	(void)state;
	store_end_put(&end, 7, 1);
	store_end_put(&end, 8, 1);
	store_end_flush(&end);
	store_end_delete(&end, 7);
	store_end_put(&end, 7, 2);
	store_end_put(&end, 8, 2);
	store_end_delete(&end, 8);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(store_kept(8), 0);
	assert_false(store_is_indexed(8));
	assert_int_equal(store_indexed(), 1);
	store_end_delete(&end, 7);
	store_end_flush(&end);
	assert_int_equal(store_indexed(), 0);
}

static bool all_good(void *arg)
{
	return end.good == *(uint64_t *)arg;
}

static void many_at_once_go_in_batches(void **state)
{
	uint64_t n = 5000;

	(void)state;
	for (uint64_t i = 1; i <= n; i++)
		store_end_put(&end, i, 1);
	assert_int_equal(gauges().waiting + gauges().underway, n);
	store_bed_wait(all_good, &n);
	assert_int_equal(store_indexed(), n);
	assert_true(gauges().batches < n / 32);
	assert_int_equal(gauges().waiting + gauges().underway, 0);
	assert_int_equal(gauges().lag_ms, 0);
}

/* Of one id the next op goes only when what became of the one before is known. */
static void an_id_is_under_way_once(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	(void)state;
	f->mute = true;
	store_end_put(&end, 7, 1);
	store_bed_turn(50);
	assert_int_equal(gauges().underway, 1);
	store_end_put(&end, 7, 2);
	store_end_put(&end, 8, 1);
	store_bed_turn(50);
	assert_int_equal(gauges().waiting, 1);
	assert_int_equal(gauges().underway, 2);
	f->mute = false;
	fake_redis_drop(bed.proxy);
	store_bed_wait(is_down, NULL);
	store_end_wait_up(&end);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(store_kept(8), 1);
	assert_int_equal(end.good + end.bad, 3);
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
			store_end_put(&end, ++n, 1);
		store_bed_turn(20);
		f->cut_commands = f->cut_replies = -1;
		store_end_flush(&end);
		assert_int_equal(end.good, n);
	}
	assert_int_equal(end.bad, 0);
	assert_int_equal(store_indexed(), (long long)n);
}

static void a_redis_that_is_full_still_deletes(void **state)
{
	(void)state;
	store_end_put(&end, 1, 1);
	store_end_put(&end, 2, 1);
	store_end_flush(&end);
	real_redis_do(&server, "CONFIG SET maxmemory 1");
	store_end_put(&end, 3, 1);
	store_bed_wait(is_refusing, NULL);
	store_end_delete(&end, 1);
	store_bed_turn(300);
	assert_int_equal(store_kept(1), 0);
	assert_false(store_is_indexed(1));
	assert_int_equal(store_kept(3), 0);
	real_redis_do(&server, "CONFIG SET maxmemory 0");
	store_end_wait_up(&end);
	store_end_flush(&end);
	assert_int_equal(store_kept(3), 1);
	assert_int_equal(end.good, 3);
	assert_int_equal(end.bad, 0);
}

static void what_redis_cannot_take_is_refused(void **state)
{
	(void)state;
	real_redis_do(&server, "SET " STORE_PREFIX "index odd");
	store_end_put(&end, 1, 1);
	store_end_flush(&end);
	assert_int_equal(end.bad, 1);
	assert_false(end.up);
	real_redis_do(&server, "DEL " STORE_PREFIX "index");
	store_end_wait_up(&end);
	store_end_put(&end, 1, 2);
	store_end_flush(&end);
	assert_int_equal(store_kept(1), 2);
}

static void a_replica_is_not_written_to(void **state)
{
	(void)state;
	real_redis_do(&server, "REPLICAOF 127.0.0.1 1");
	store_end_put(&end, 1, 1);
	store_bed_wait(is_down, NULL);
	real_redis_do(&server, "REPLICAOF NO ONE");
	store_end_wait_up(&end);
	store_end_flush(&end);
	assert_int_equal(store_kept(1), 1);
	assert_int_equal(end.bad, 0);
}

static void who_has_lost_the_group_writes_nothing(void **state)
{
	(void)state;
	store_end_put(&end, 1, 1);
	store_end_flush(&end);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner other epoch 2");
	store_end_put(&end, 1, 2);
	store_end_put(&end, 2, 1);
	store_end_delete(&end, 1);
	store_bed_wait(has_fenced, NULL);
	assert_int_equal(store_kept(1), 1);
	assert_int_equal(store_kept(2), 0);
	store_end_put(&end, 3, 1);
	store_end_flush(&end);
	assert_int_equal(end.fenced, 1);
	assert_int_equal(store_indexed(), 1);
	assert_int_equal(end.good + end.bad, 4);
	store_own(end.store, 0, 3);
	assert_int_equal(end.fenced, 1);
}

static void a_server_that_lost_its_data_is_told_all_again(void **state)
{
	uint32_t once = 1, twice = 2;

	(void)state;
	store_end_put(&end, 1, 1);
	store_end_flush(&end);
	assert_int_equal(end.resyncs, 0);
	real_redis_kill(&server);
	real_redis_again(&server);
	store_bed_wait(has_resynced, &once);
	real_redis_do(&server, "FLUSHALL");
	store_end_put(&end, 2, 1); /* by which it is found out */
	store_bed_wait(has_resynced, &twice);
	store_end_flush(&end);
	assert_int_equal(store_kept(2), 1);
	assert_int_equal(gauges().resyncs, 2);
}

/* A cluster's store: epochs are the lease's business. */
static void own_in_cluster(const char *epoch)
{
	store_end_close(&end);
	store_end_open(&end, false, 1000);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch %s", epoch);
	store_own(end.store, 0, strtoull(epoch, NULL, 10));
	store_end_wait_up(&end);
}

/* Of what became of a put nothing was heard; the group went away and came back. */
static void what_was_put_in_an_earlier_ownership_is_not_put_again(void **state)
{
	(void)state;
	own_in_cluster("5");
	store_end_put(&end, 7, 1);
	store_end_put(&end, 8, 1);
	store_end_flush(&end);
	fake_redis_faults(bed.proxy)->mute = true;
	store_end_put(&end, 7, 2);
	store_end_delete(&end, 8);
	store_bed_turn(50);
	store_own(end.store, 0, 0);
	/* Another owner goes on with both. */
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 22");
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000007 n 9");
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000008 n 9");
	store_own(end.store, 0, 22);
	fake_redis_faults(bed.proxy)->mute = false;
	fake_redis_drop(bed.proxy);
	store_bed_wait(is_down, NULL);
	store_end_wait_up(&end);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 9);
	assert_int_equal(store_kept(8), 9);
	assert_int_equal(end.good, 2);
	assert_int_equal(end.bad, 1);
}

/* The claim that outdates an epoch may be our own, and known to the store a moment later. */
static void what_our_own_claim_refuses_is_written_under_it(void **state)
{
	(void)state;
	own_in_cluster("5");
	store_end_put(&end, 7, 1);
	store_end_put(&end, 8, 1);
	store_end_flush(&end);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 22");
	store_end_put(&end, 7, 2);
	store_end_delete(&end, 8);
	store_bed_wait(has_fenced, NULL);
	store_bed_turn(50);
	assert_int_equal(store_kept(7), 1);
	store_own(end.store, 0, 22);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 2);
	assert_false(store_is_indexed(8));
	assert_int_equal(end.bad, 0);
	/* And when it was another's, nothing is written. */
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner other epoch 33");
	end.fenced = 0;
	store_end_put(&end, 7, 3);
	store_bed_wait(has_fenced, NULL);
	store_own(end.store, 0, 0);
	store_end_flush(&end);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(end.bad, 1);
}

/* An owner claims again while it serves only when what Redis had was lost. */
static void a_claim_while_serving_has_all_put_again(void **state)
{
	uint32_t once = 1;

	(void)state;
	own_in_cluster("5");
	store_end_put(&end, 7, 1);
	store_end_flush(&end);
	real_redis_do(&server, "FLUSHALL");
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 22");
	assert_int_equal(end.resyncs, 0);
	store_own(end.store, 0, 22);
	store_bed_wait(has_resynced, &once);
	store_own(end.store, 0, 0);
	store_own(end.store, 0, 38);
	store_bed_turn(20);
	assert_int_equal(end.resyncs, 1);
}

/* Another server may have what had ended: it would come back to life at the next start. */
static void a_resync_removes_what_had_ended(void **state)
{
	uint32_t once = 1;

	(void)state;
	store_end_put(&end, 1, 1);
	store_end_flush(&end);
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

static void deletes_that_wait_are_bounded(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 1500; i++)
		store_end_put(&end, i, 1);
	store_end_flush(&end);
	fake_redis_faults(bed.proxy)->refuse = true;
	fake_redis_drop(bed.proxy);
	store_bed_wait(is_down, NULL);
	for (uint64_t i = 1; i <= 1500; i++)
		store_end_delete(&end, i);
	assert_int_equal(gauges().deletes_waiting, 1000);
	assert_int_equal(gauges().deletes_lost, 500);
	fake_redis_faults(bed.proxy)->refuse = false;
	store_end_wait_up(&end);
	store_end_flush(&end);
	assert_int_equal(store_indexed(), 500);
}

static void ops_of_no_known_form_are_refused(void **state)
{
	static char large[CHECKPOINT_MAX + 1];
	const struct slice good = SLICE_LIT("\1\1\0aX"), cut = SLICE_LIT("\1\5\0aX");
	struct dp_store_op op = {.put = true, .whole = true, .worker = 3, .fields = good};

	(void)state;
	store_id(1, op.id);
	op.group = 1;
	store_put(end.store, &op);
	op.group = 0;
	op.fields = cut;
	store_put(end.store, &op);
	op.fields = SLICE_NONE;
	store_put(end.store, &op);
	op.fields = slice_of(large, sizeof(large));
	store_put(end.store, &op);
	op.fields = good;
	memcpy(op.id, "lease\0x*", 8);
	store_put(end.store, &op);
	store_id(0xabc, op.id);
	op.id[31] = 'C';
	store_put(end.store, &op);
	/* A change that sets nothing. */
	store_id(2, op.id);
	op.whole = false;
	op.gone = 1;
	store_put(end.store, &op);
	store_end_flush(&end);
	assert_int_equal(end.bad, 7);
	assert_int_equal(store_indexed(), 0);
}

static void a_record_as_large_as_any_is_kept(void **state)
{
	static char bytes[CHECKPOINT_MAX];
	struct dp_store_op op = {.put = true, .whole = true, .worker = 3, .ttl_s = 60};
	struct wbuf w;

	(void)state;
	wbuf_init(&w, bytes, sizeof(bytes));
	for (uint32_t i = 0; i < 1000; i++) {
		char name[8], value[40];
		int n = snprintf(name, sizeof(name), "f%u", i);

		memset(value, 'x', sizeof(value));
		checkpoint_put(&w, slice_of(name, (uint32_t)n), slice_of(value, sizeof(value)));
	}
	assert_true(wbuf_ok(&w));
	op.fields = wbuf_slice(&w);
	for (uint64_t i = 1; i <= 100; i++) {
		store_id(i, op.id);
		store_put(end.store, &op);
	}
	store_end_flush(&end);
	assert_int_equal(end.good, 100);
	assert_int_equal(real_redis_number(&server, "HLEN " STORE_PREFIX
						    "call:00000000000000000000000000000064"),
			 1000);
}

static void a_store_can_be_closed_with_all_under_way(void **state)
{
	(void)state;
	fake_redis_faults(bed.proxy)->mute = true;
	for (uint64_t i = 1; i <= 3000; i++)
		store_end_put(&end, i, 1);
	store_bed_turn(30);
	assert_true(gauges().underway > 0 && gauges().waiting > 0);
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
	store_end_put(&end, 7, 1);
	store_end_flush(&end);
	real_redis_do(&server, "FLUSHALL");
	fake_redis_drop(bed.proxy);
	store_bed_wait(is_down, NULL);
	store_bed_wait(is_connected, &end);
	assert_false(end.up);
	fake_redis_faults(bed.proxy)->mute = true;
	store_bed_turn(50);
	fake_redis_faults(bed.proxy)->mute = false;
	fake_redis_drop(bed.proxy);
	store_end_wait_up(&end);
	assert_int_equal(end.resyncs, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_put_becomes_a_hash_that_expires),
		TEST(fields_that_are_gone_go_from_the_hash),
		TEST(a_change_is_of_the_version_before_alone),
		TEST(a_change_of_what_is_lost_is_refused_alone),
		TEST(an_answer_is_of_its_own_batch),
		TEST(a_loss_that_a_lost_answer_told_of_is_found_out),
		TEST(what_waits_is_written_once),
		TEST(a_call_that_ends_before_it_is_written_leaves_no_trace),
		TEST(the_last_of_put_and_delete_counts),
		TEST(many_at_once_go_in_batches),
		TEST(an_id_is_under_way_once),
		TEST(a_connection_lost_in_a_batch_loses_nothing),
		TEST(a_redis_that_is_full_still_deletes),
		TEST(what_redis_cannot_take_is_refused),
		TEST(a_replica_is_not_written_to),
		TEST(who_has_lost_the_group_writes_nothing),
		TEST(a_server_that_lost_its_data_is_told_all_again),
		TEST(a_resync_removes_what_had_ended),
		TEST(what_was_put_in_an_earlier_ownership_is_not_put_again),
		TEST(what_our_own_claim_refuses_is_written_under_it),
		TEST(a_claim_while_serving_has_all_put_again),
		TEST(deletes_that_wait_are_bounded),
		TEST(ops_of_no_known_form_are_refused),
		TEST(a_record_as_large_as_any_is_kept),
		TEST(a_store_can_be_closed_with_all_under_way),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
