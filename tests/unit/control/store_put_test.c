/* What workers owe gets into Redis, each id in order. */
#include "tests/unit/control/store_one.h"

static long long log_length(void)
{
	return real_redis_number(&server, "XLEN " STORE_PREFIX "log");
}

static void a_put_becomes_a_hash_that_expires(void **state)
{
	redisReply *r;
	long long ttl;

	(void)state;
	store_end_put(&one, 7, 1);
	store_end_flush(&one);
	assert_int_equal(one.good, 1);
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
	store_end_put(&one, 7, 1);
	store_end_flush(&one);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000007 old 1");
	store_end_put(&one, 7, 2);
	store_end_flush(&one);
	assert_int_equal(real_redis_number(&server, "HLEN " STORE_PREFIX
						    "call:00000000000000000000000000000007"),
			 2);
}

static void a_change_is_of_the_version_before_alone(void **state)
{
	(void)state;
	store_end_put(&one, 7, 1);
	store_end_flush(&one);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:00000000000000000000000000000007 old 1");
	store_end_change(&one, 7, 2);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 2);
	assert_false(store_is_odd(7));
	/* What it does not name stays. */
	assert_int_equal(real_redis_number(&server, "HLEN " STORE_PREFIX
						    "call:00000000000000000000000000000007"),
			 3);
	/* Done before, by a batch whose reply was lost. */
	store_end_change(&one, 7, 2);
	store_end_flush(&one);
	assert_int_equal(one.good, 3);
	store_end_change(&one, 7, 4);
	store_end_change(&one, 8, 1);
	store_end_flush(&one);
	assert_int_equal(one.bad, 2);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(store_kept(8), 0);
	assert_false(store_is_indexed(8));
	store_end_change(&one, 7, 3);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 3);
	assert_true(store_is_odd(7));
}

/* The others of its batch are carried out. */
static void a_change_of_what_is_lost_is_refused_alone(void **state)
{
	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		store_end_put(&one, i, 1);
	store_end_flush(&one);
	real_redis_do(&server, "DEL " STORE_PREFIX "call:00000000000000000000000000000002");
	for (uint32_t i = 1; i <= 3; i++)
		store_end_change(&one, i, 2);
	store_end_flush(&one);
	assert_int_equal(one.bad, 1);
	assert_int_equal(store_kept(1), 2);
	assert_int_equal(store_kept(2), 0);
	assert_int_equal(store_kept(3), 2);
	store_end_put(&one, 2, 3);
	store_end_flush(&one);
	assert_int_equal(store_kept(2), 3);
}

static void what_waits_is_written_once(void **state)
{
	(void)state;
	for (uint32_t v = 1; v <= 50; v++)
		store_end_put(&one, 7, v);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 50);
	assert_int_equal(log_length(), 1);
	assert_int_equal(one.good, 1);
	assert_int_equal(one.bad, 49); /* each is answered */
	assert_int_equal(store_one_gauges().batches, 1);
}

static void a_call_that_ends_before_it_is_written_leaves_no_trace(void **state)
{
	(void)state;
	store_end_put(&one, 7, 1);
	store_end_delete(&one, 7);
	store_end_flush(&one);
	assert_int_equal(log_length(), 0);
	assert_int_equal(one.good + one.bad, 1);
}

static void the_last_of_put_and_delete_counts(void **state)
{
	(void)state;
	store_end_put(&one, 7, 1);
	store_end_put(&one, 8, 1);
	store_end_flush(&one);
	store_end_delete(&one, 7);
	store_end_put(&one, 7, 2);
	store_end_put(&one, 8, 2);
	store_end_delete(&one, 8);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(store_kept(8), 0);
	assert_false(store_is_indexed(8));
	assert_int_equal(store_indexed(), 1);
	store_end_delete(&one, 7);
	store_end_flush(&one);
	assert_int_equal(store_indexed(), 0);
}

static bool all_good(void *arg)
{
	return one.good == *(uint64_t *)arg;
}

static void many_at_once_go_in_batches(void **state)
{
	uint64_t n = 5000;

	(void)state;
	for (uint64_t i = 1; i <= n; i++)
		store_end_put(&one, i, 1);
	assert_int_equal(store_one_gauges().waiting + store_one_gauges().underway, n);
	store_bed_wait(all_good, &n);
	assert_int_equal(store_indexed(), n);
	assert_true(store_one_gauges().batches < n / 32);
	assert_int_equal(store_one_gauges().waiting + store_one_gauges().underway, 0);
	assert_int_equal(store_one_gauges().lag_ms, 0);
}

/* Of one id the next op goes only when what became of the one before is known. */
static void an_id_is_under_way_once(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	(void)state;
	f->mute = true;
	store_end_put(&one, 7, 1);
	store_bed_turn(50);
	assert_int_equal(store_one_gauges().underway, 1);
	store_end_put(&one, 7, 2);
	store_end_put(&one, 8, 1);
	store_bed_turn(50);
	assert_int_equal(store_one_gauges().waiting, 1);
	assert_int_equal(store_one_gauges().underway, 2);
	f->mute = false;
	fake_redis_drop(bed.proxy);
	store_bed_wait(store_one_is_down, NULL);
	store_end_wait_up(&one);
	store_end_flush(&one);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(store_kept(8), 1);
	assert_int_equal(one.good + one.bad, 3);
}

static void ops_of_no_known_form_are_refused(void **state)
{
	static char large[CHECKPOINT_MAX + 1];
	const struct slice good = SLICE_LIT("\1\1\0aX"), cut = SLICE_LIT("\1\5\0aX");
	struct dp_store_op op = {.put = true, .whole = true, .worker = 3, .fields = good};

	(void)state;
	store_id(1, op.id);
	op.group = 1;
	store_put(one.store, &op);
	op.group = 0;
	op.fields = cut;
	store_put(one.store, &op);
	op.fields = SLICE_NONE;
	store_put(one.store, &op);
	op.fields = slice_of(large, sizeof(large));
	store_put(one.store, &op);
	op.fields = good;
	memcpy(op.id, "lease\0x*", 8);
	store_put(one.store, &op);
	store_id(0xabc, op.id);
	op.id[31] = 'C';
	store_put(one.store, &op);
	/* A change that sets nothing. */
	store_id(2, op.id);
	op.whole = false;
	op.gone = 1;
	store_put(one.store, &op);
	store_end_flush(&one);
	assert_int_equal(one.bad, 7);
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
		store_put(one.store, &op);
	}
	store_end_flush(&one);
	assert_int_equal(one.good, 100);
	assert_int_equal(real_redis_number(&server, "HLEN " STORE_PREFIX
						    "call:00000000000000000000000000000064"),
			 1000);
}

static void a_store_can_be_closed_with_all_under_way(void **state)
{
	(void)state;
	fake_redis_faults(bed.proxy)->mute = true;
	for (uint64_t i = 1; i <= 3000; i++)
		store_end_put(&one, i, 1);
	store_bed_turn(30);
	assert_true(store_one_gauges().underway > 0 && store_one_gauges().waiting > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_put_becomes_a_hash_that_expires),
		TEST(fields_that_are_gone_go_from_the_hash),
		TEST(a_change_is_of_the_version_before_alone),
		TEST(a_change_of_what_is_lost_is_refused_alone),
		TEST(what_waits_is_written_once),
		TEST(a_call_that_ends_before_it_is_written_leaves_no_trace),
		TEST(the_last_of_put_and_delete_counts),
		TEST(many_at_once_go_in_batches),
		TEST(an_id_is_under_way_once),
		TEST(ops_of_no_known_form_are_refused),
		TEST(a_record_as_large_as_any_is_kept),
		TEST(a_store_can_be_closed_with_all_under_way),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
