/*
 * A group is read whole, and what changes afterwards is not missed: while others
 * write, over lost connections, past a log that was cut, and among entries that
 * nobody of us wrote.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/store_fixture.h"

#define IDS 4096u

static struct store_end writer, reader;

/* What the reader was told. */
static struct {
	uint32_t version[IDS];
	uint32_t begun, loaded, failed, caught_up;
	uint64_t records, total;
	uint32_t pause_at; /* records, then it is full */
} seen;

static void on_record(void *arg, uint16_t group, enum checkpoint_kind kind,
		      const char id[IDENT_LEN], struct slice fields)
{
	struct checkpoint_field f;
	char text[IDENT_LEN + 1];
	uint32_t version = 0;
	uint64_t n;
	bool bad = false;

	(void)arg;
	assert_int_equal(group, 0);
	assert_int_equal(kind, CHECKPOINT_CALL);
	memcpy(text, id, IDENT_LEN);
	text[IDENT_LEN] = '\0';
	n = strtoull(text, NULL, 16);
	while (checkpoint_next(&fields, &f, &bad))
		if (slice_eq(f.name, SLICE_LIT("n")))
			assert_true(slice_u32(f.value, UINT32_MAX, &version));
	assert_false(bad);
	assert_true(n < IDS);
	seen.version[n] = version;
	seen.total++;
	if (seen.pause_at && seen.total == seen.pause_at)
		store_read_pause(reader.store, 0, true);
}

static void on_begin(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
	memset(seen.version, 0, sizeof(seen.version));
	seen.begun++;
}

static void on_loaded(void *arg, uint16_t group, bool ok, uint64_t records)
{
	(void)arg;
	(void)group;
	seen.loaded += ok;
	seen.failed += !ok;
	seen.records = records;
}

static void on_caught_up(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
	seen.caught_up++;
}

static const struct store_reader callbacks = {on_record, on_begin, on_loaded, on_caught_up, NULL};

static bool has_loaded(void *arg)
{
	return seen.loaded >= *(uint32_t *)arg;
}

static void wait_loaded(uint32_t times)
{
	store_bed_wait(has_loaded, &times);
}

static bool has_caught_up(void *arg)
{
	return seen.caught_up > *(uint32_t *)arg;
}

static void catch_up(void)
{
	uint32_t before = seen.caught_up;

	store_catch_up(reader.store, 0);
	store_bed_wait(has_caught_up, &before);
}

static uint64_t malformed(void)
{
	struct store_gauges g;

	store_gauges_read(reader.store, &g);
	return g.malformed;
}

static int set_up(void **state)
{
	store_bed_open(state);
	memset(&seen, 0, sizeof(seen));
	store_end_open(&writer, true, 100000);
	store_end_open(&reader, false, 100000);
	store_end_wait_up(&writer);
	store_end_wait_up(&reader);
	return 0;
}

static int tear_down(void **state)
{
	store_end_close(&writer);
	store_end_close(&reader);
	return store_bed_close(state);
}

static void put_many(uint64_t first, uint64_t last)
{
	for (uint64_t n = first; n <= last; n++)
		store_end_put(&writer, n, (uint32_t)n + 1);
	store_end_flush(&writer);
}

static void assert_seen(uint64_t first, uint64_t last)
{
	for (uint64_t n = 0; n < IDS; n++)
		assert_int_equal(seen.version[n], n >= first && n <= last ? n + 1 : 0);
}

static void an_empty_group_is_loaded(void **state)
{
	(void)state;
	store_load(reader.store, 0, &callbacks, false);
	wait_loaded(1);
	assert_int_equal(seen.begun, 1);
	assert_int_equal(seen.total, 0);
}

static void all_that_is_kept_is_read(void **state)
{
	(void)state;
	put_many(1, 3000);
	store_load(reader.store, 0, &callbacks, false);
	wait_loaded(1);
	assert_seen(1, 3000);
	assert_true(seen.records >= 3000);
	store_end_put(&writer, 1, 77);
	store_end_flush(&writer);
	store_bed_turn(100);
	assert_int_equal(seen.version[1], 2); /* it was not to be followed */
}

static void what_changes_afterwards_is_followed(void **state)
{
	(void)state;
	put_many(1, 100);
	store_load(reader.store, 0, &callbacks, true);
	wait_loaded(1);
	put_many(101, 1500);
	for (uint64_t n = 1; n <= 50; n++)
		store_end_delete(&writer, n);
	store_end_flush(&writer);
	catch_up();
	assert_seen(51, 1500);
	assert_int_equal(seen.begun, 1);
	store_follow_stop(reader.store, 0);
	put_many(1, 1);
	store_bed_turn(100);
	assert_int_equal(seen.version[1], 0);
}

static void a_group_without_a_log_is_followed_too(void **state)
{
	(void)state;
	store_load(reader.store, 0, &callbacks, true);
	wait_loaded(1);
	put_many(1, 10);
	catch_up();
	assert_seen(1, 10);
}

/* Writes go on while the group is being read: each is either in what was read, or told after. */
static void nothing_is_missed_between_reading_and_following(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	uint32_t version = 0, model[IDS] = {0};

	(void)state;
	put_many(1, 2000);
	for (uint64_t n = 1; n <= 2000; n++)
		model[n] = (uint32_t)n + 1;
	fake_redis_faults(bed.proxy)->delay_ms = 1;
	store_load(reader.store, 0, &callbacks, true);
	while (seen.loaded == 0 || version < 3000) {
		uint64_t n = unit_random(&seed) % IDS;

		version++;
		if (unit_random(&seed) % 3) {
			store_end_put(&writer, n, 10000 + version);
			model[n] = 10000 + version;
		} else {
			store_end_delete(&writer, n);
			model[n] = 0;
		}
		if (version % 16 == 0)
			store_bed_turn(1);
	}
	store_end_flush(&writer);
	catch_up();
	for (uint64_t n = 0; n < IDS; n++)
		assert_int_equal(seen.version[n], model[n]);
	assert_int_equal(seen.begun, 1);
}

static void a_log_that_was_cut_makes_all_be_read_again(void **state)
{
	(void)state;
	put_many(1, 100);
	store_load(reader.store, 0, &callbacks, true);
	wait_loaded(1);
	catch_up();
	fake_redis_faults(bed.proxy)->refuse = true;
	fake_redis_drop(bed.proxy);
	store_bed_turn(50);
	real_redis_do(&server, "DEL " STORE_PREFIX "call:%032x", 1);
	real_redis_do(&server, "SREM " STORE_PREFIX "index call:%032x", 1);
	real_redis_do(&server, "XADD " STORE_PREFIX "log * k call i %032x", 1);
	real_redis_do(&server, "XTRIM " STORE_PREFIX "log MAXLEN 0");
	real_redis_do(&server, "XADD " STORE_PREFIX "log * k call i %032x", 2);
	fake_redis_faults(bed.proxy)->refuse = false;
	wait_loaded(2);
	assert_int_equal(seen.begun, 2);
	assert_seen(2, 100);
}

static void lost_data_make_all_be_read_again(void **state)
{
	(void)state;
	put_many(1, 100);
	store_load(reader.store, 0, &callbacks, true);
	wait_loaded(1);
	real_redis_do(&server, "FLUSHALL");
	wait_loaded(2);
	assert_seen(1, 0);
}

static bool has_failed(void *arg)
{
	(void)arg;
	return seen.failed > 0;
}

static void a_reading_that_is_cut_short_says_so_and_is_begun_again(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	(void)state;
	put_many(1, 3000);
	f->cut_replies = 40000;
	store_load(reader.store, 0, &callbacks, true);
	store_bed_wait(has_failed, NULL);
	f->cut_replies = -1;
	wait_loaded(1);
	assert_seen(1, 3000);
	assert_true(seen.begun > 1);
}

static void following_goes_on_after_a_lost_connection(void **state)
{
	struct fake_faults *f = fake_redis_faults(bed.proxy);

	(void)state;
	put_many(1, 100);
	store_load(reader.store, 0, &callbacks, true);
	wait_loaded(1);
	for (uint64_t round = 1; round < 20; round++) {
		f->cut_replies = (int64_t)round * 37;
		for (uint64_t n = round * 100 + 1; n <= round * 100 + 100; n++)
			store_end_put(&writer, n, (uint32_t)n + 1);
		store_bed_turn(40);
		f->cut_replies = -1;
		store_end_flush(&writer);
	}
	catch_up();
	assert_seen(1, 2000);
	assert_int_equal(seen.begun, 1);
}

static bool has_paused(void *arg)
{
	(void)arg;
	return seen.total >= seen.pause_at;
}

static void a_reader_that_is_full_is_waited_for(void **state)
{
	(void)state;
	put_many(1, 3000);
	seen.pause_at = 200;
	store_load(reader.store, 0, &callbacks, false);
	store_bed_wait(has_paused, NULL);
	store_bed_turn(100);
	assert_int_equal(seen.loaded, 0);
	assert_true(seen.total < 200 + 512);
	store_read_pause(reader.store, 0, false);
	wait_loaded(1);
	assert_seen(1, 3000);
}

/* Whoever can write to our Redis can put anything there: it names no other key. */
static void entries_that_are_none_of_ours_are_passed_over(void **state)
{
	static const char *const members[] = {"",
					      "call:",
					      "call:*",
					      "lease",
					      "call:../../../../../../../../../a",
					      "call:0000000000000000000000000000000",
					      "call:000000000000000000000000000000010",
					      "call:0000000000000000000000000000001G",
					      "call:0000000000000000000000000000000A",
					      "kind:00000000000000000000000000000001"};
	static char large[70000];

	(void)state;
	put_many(10, 20);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		real_redis_do(&server, "SADD " STORE_PREFIX "index %s", members[i]);
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 1);
	real_redis_do(&server, "SET " STORE_PREFIX "call:%032x text", 1);
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 2);
	memset(large, 'x', sizeof(large) - 1);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:%032x n %s", 2, large);
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 3);
	large[300] = '\0';
	real_redis_do(&server, "HSET " STORE_PREFIX "call:%032x %s 1", 3, large);
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 4);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:%032x %s 1", 4, "");
	store_load(reader.store, 0, &callbacks, true);
	wait_loaded(1);
	assert_seen(10, 20);
	assert_int_equal(malformed(), 14);
	real_redis_do(&server, "XADD " STORE_PREFIX "log * k call i ../../x");
	real_redis_do(&server, "XADD " STORE_PREFIX "log * i %032x", 1);
	real_redis_do(&server, "XADD " STORE_PREFIX "log * a b");
	put_many(21, 21);
	catch_up();
	assert_seen(10, 21);
	assert_int_equal(malformed(), 17);
}

static bool is_unindexed(void *arg)
{
	(void)arg;
	return !store_is_indexed(5);
}

static void who_owns_the_group_takes_what_expired_out_of_the_index(void **state)
{
	(void)state;
	put_many(1, 4);
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 5);
	store_load(reader.store, 0, &callbacks, false);
	wait_loaded(1);
	store_bed_turn(100);
	assert_true(store_is_indexed(5)); /* not by another */
	seen.loaded = 0;
	store_load(writer.store, 0, &callbacks, false);
	wait_loaded(1);
	store_end_flush(&writer);
	store_bed_wait(is_unindexed, NULL);
	assert_int_equal(store_indexed(), 4);
	assert_seen(1, 4);
}

static bool has_resynced(void *arg)
{
	(void)arg;
	return reader.resyncs > 0;
}

/* What was only restored, and never put since, is no leftover. */
static void a_resync_spares_what_was_read_before(void **state)
{
	(void)state;
	put_many(1, 100);
	store_end_close(&reader);
	store_end_open(&reader, true, 100000);
	store_load(reader.store, 0, &callbacks, false);
	wait_loaded(1);
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 500);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:%032x n 1", 500);
	real_redis_do(&server, "HSET " STORE_PREFIX "lease epoch 0");
	store_end_put(&reader, 1, 9);
	store_bed_wait(has_resynced, NULL);
	while (store_kept(500))
		store_bed_turn(20);
	assert_int_equal(store_indexed(), 100);
}

/* What a start has not read yet is not what nobody knows. */
static void nothing_is_removed_before_all_is_read(void **state)
{
	(void)state;
	put_many(1, 2000);
	store_end_close(&writer);
	store_end_close(&reader);
	store_end_open(&writer, false, 100000);
	store_end_open(&reader, true, 100000);
	store_end_wait_up(&reader);
	seen.pause_at = 1;
	store_load(reader.store, 0, &callbacks, false);
	store_bed_wait(has_paused, NULL);
	/* Redis has lost something: all is put again, and the index looked through. */
	real_redis_do(&server, "HDEL " STORE_PREFIX "lease epoch");
	store_end_put(&reader, 2500, 2501);
	store_bed_wait(has_resynced, NULL);
	store_end_flush(&reader);
	store_bed_turn(200);
	store_end_flush(&reader);
	store_read_pause(reader.store, 0, false);
	wait_loaded(1);
	assert_int_equal(store_indexed(), 2001);
	for (uint64_t n = 1; n <= 2000; n++)
		assert_int_equal(seen.version[n], n + 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_empty_group_is_loaded),
		TEST(all_that_is_kept_is_read),
		TEST(what_changes_afterwards_is_followed),
		TEST(a_group_without_a_log_is_followed_too),
		TEST(nothing_is_missed_between_reading_and_following),
		TEST(a_log_that_was_cut_makes_all_be_read_again),
		TEST(lost_data_make_all_be_read_again),
		TEST(a_reading_that_is_cut_short_says_so_and_is_begun_again),
		TEST(following_goes_on_after_a_lost_connection),
		TEST(a_reader_that_is_full_is_waited_for),
		TEST(nothing_is_removed_before_all_is_read),
		TEST(entries_that_are_none_of_ours_are_passed_over),
		TEST(who_owns_the_group_takes_what_expired_out_of_the_index),
		TEST(a_resync_spares_what_was_read_before),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
