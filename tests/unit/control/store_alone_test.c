/*
 * A node alone: each of its processes has an epoch of its own, by which what the one
 * before it had sent is refused when Redis carries it out late; and none is kept out,
 * whatever Redis has lost and whichever answer has.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/control/store_fixture.h"

#define NEVER_MS 600000u

/* Two processes of one node, each with a way to Redis of its own. */
static struct store_end before, after;
static struct fake_redis *other;

/* What the later one was told when it read. */
static struct {
	uint32_t begun, loaded;
	uint64_t records;
} seen;

static void on_record(void *arg, uint16_t group, enum checkpoint_kind kind,
		      const char id[IDENT_LEN], struct slice fields)
{
	(void)arg;
	(void)group;
	(void)kind;
	(void)id;
	(void)fields;
}

static void on_begin(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
	seen.begun++;
}

static void on_loaded(void *arg, uint16_t group, bool ok, uint64_t records)
{
	(void)arg;
	(void)group;
	seen.loaded += ok;
	seen.records = records;
}

static void on_caught_up(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
}

static const struct store_reader reader = {on_record, on_begin, on_loaded, on_caught_up, NULL};

static bool has_loaded(void *arg)
{
	(void)arg;
	return seen.loaded > 0;
}

static bool has_fenced(void *arg)
{
	return ((struct store_end *)arg)->fenced > 0;
}

static bool is_down(void *arg)
{
	return !((struct store_end *)arg)->up;
}

static bool is_connected(void *arg)
{
	return redis_is_up(((struct store_end *)arg)->redis);
}

static bool is_empty(void *arg)
{
	return fake_redis_count(arg).open == 0;
}

static bool has_resynced(void *arg)
{
	return ((struct store_end *)arg)->resyncs > 0;
}

static long long epoch(void)
{
	redisReply *r = real_redis_command(&server, "HGET " STORE_PREFIX "lease epoch");
	long long n = r->type == REDIS_REPLY_STRING ? atoll(r->str) : 0;

	freeReplyObject(r);
	return n;
}

static int set_up(void **state)
{
	store_bed_open(state);
	bed.timeout_ms = NEVER_MS;
	memset(&seen, 0, sizeof(seen));
	other = fake_redis_open(&bed.loop, server.path);
	return 0;
}

static int tear_down(void **state)
{
	while (bed.open)
		store_end_close(bed.open);
	fake_redis_close(other);
	return store_bed_close(state);
}

static void begin_before(void)
{
	store_end_open(&before, true, 1000);
	store_end_wait_up(&before);
}

static void open_after(void)
{
	store_end_open_at(&after, fake_redis_path(other), true, 1000);
	store_own(after.store, 0, STORE_OWN_ALONE);
	store_load(after.store, 0, &reader, false);
}

static void begin_after(void)
{
	open_after();
	store_end_wait_up(&after);
	store_bed_wait(has_loaded, NULL);
}

static void end_before(void)
{
	store_end_close(&before);
	store_bed_wait(is_empty, bed.proxy);
}

/* Of what it sends from here on, Redis hears only when release_before() is called. */
static void hold_before(void)
{
	fake_redis_faults(bed.proxy)->frozen = true;
}

static void kill_before(void)
{
	store_bed_turn(30);
	store_end_close(&before);
	store_bed_turn(10);
}

static void release_before(void)
{
	fake_redis_thaw(bed.proxy);
	store_bed_wait(is_empty, bed.proxy);
}

/* Whoever was killed leaves puts and deletes behind; nobody knows of them but Redis. */
static void what_a_dead_process_had_sent_is_refused(void **state)
{
	(void)state;
	begin_before();
	store_end_put(&before, 7, 1);
	store_end_put(&before, 9, 1);
	store_end_flush(&before);
	hold_before();
	store_end_put(&before, 7, 2);
	store_end_put(&before, 8, 1);
	store_end_delete(&before, 9);
	kill_before();
	begin_after();
	assert_int_equal(seen.records, 2);
	store_end_put(&after, 7, 5);
	store_end_flush(&after);
	release_before();
	assert_int_equal(store_kept(7), 5);
	assert_int_equal(store_kept(8), 0);
	assert_int_equal(store_kept(9), 1);
	assert_true(store_is_indexed(9));
	assert_false(store_is_indexed(8));
	/* And the living one goes on. */
	store_end_put(&after, 7, 6);
	store_end_flush(&after);
	assert_int_equal(store_kept(7), 6);
	assert_int_equal(after.bad + after.fenced + after.resyncs, 0);
}

/* One that was stopped, not killed, finds out by its next word that it is over. */
static void a_process_that_was_replaced_writes_nothing_more(void **state)
{
	(void)state;
	begin_before();
	store_end_put(&before, 7, 1);
	store_end_flush(&before);
	begin_after();
	store_end_put(&before, 7, 2);
	store_bed_wait(has_fenced, &before);
	fake_redis_drop(bed.proxy);
	store_bed_wait(is_down, &before);
	store_bed_wait(is_connected, &before);
	store_end_put(&before, 7, 3);
	store_bed_turn(50);
	assert_int_equal(store_kept(7), 1);
	assert_int_equal(before.fenced, 1);
	store_end_put(&after, 7, 4);
	store_end_flush(&after);
	assert_int_equal(store_kept(7), 4);
	assert_int_equal(after.fenced, 0);
}

/* It hears of that by its claim, too, when it has lost the connection first. */
static void a_process_that_was_replaced_claims_nothing(void **state)
{
	long long held;

	(void)state;
	begin_before();
	begin_after();
	held = epoch();
	fake_redis_drop(bed.proxy);
	store_bed_wait(has_fenced, &before);
	assert_int_equal(epoch(), held);
	store_end_put(&after, 7, 4);
	store_end_flush(&after);
	assert_int_equal(store_kept(7), 4);
}

static void hold_at_claim(void)
{
	hold_before();
}

/* The claim itself may be late: it is of a lease that is not there any more. */
static void a_late_claim_takes_nothing_from_the_successor(void **state)
{
	long long held;

	(void)state;
	begin_before();
	store_end_put(&before, 7, 1);
	store_end_flush(&before);
	real_redis_do(&server, "DEL " STORE_PREFIX "lease");
	before.connected = hold_at_claim;
	fake_redis_drop(bed.proxy);
	store_bed_wait(is_down, &before);
	store_bed_wait(is_connected, &before);
	kill_before();
	begin_after();
	held = epoch();
	release_before();
	assert_int_equal(epoch(), held);
	store_end_put(&after, 7, 5);
	store_end_flush(&after);
	assert_int_equal(store_kept(7), 5);
	assert_int_equal(after.fenced + after.resyncs, 0);
}

static void each_process_has_a_higher_epoch_and_all_records(void **state)
{
	long long last = 0;

	(void)state;
	for (uint32_t i = 1; i <= 5; i++) {
		begin_before();
		assert_true(epoch() > last);
		last = epoch();
		store_end_put(&before, i, 1);
		store_end_flush(&before);
		assert_int_equal(before.resyncs, 0);
		end_before();
	}
	begin_after();
	assert_int_equal(seen.records, 5);
	assert_true(epoch() > last);
}

/* As releases before left it: everybody's epoch was 1. */
static void what_an_earlier_release_left_is_found(void **state)
{
	(void)state;
	real_redis_do(&server, "HSET " STORE_PREFIX "lease owner edge epoch 1");
	real_redis_do(&server, "SADD " STORE_PREFIX "index call:%032x", 7);
	real_redis_do(&server, "HSET " STORE_PREFIX "call:%032x n 3 version 3", 7);
	begin_after();
	assert_int_equal(seen.records, 1);
	assert_true(epoch() > 1);
	store_end_change(&after, 7, 4);
	store_end_flush(&after);
	assert_int_equal(store_kept(7), 4);
	assert_int_equal(after.resyncs, 0);
}

/* A lease that nobody of us wrote keeps nobody out. */
static void a_lease_of_no_known_form_is_claimed(void **state)
{
	static const char *const odd[] = {"x", "", "-1", "1e300", "nan", "99999999999999999999"};

	(void)state;
	for (uint32_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		real_redis_do(&server, "HSET " STORE_PREFIX "lease owner %s epoch %s", "a b",
			      odd[i]);
		begin_before();
		store_end_put(&before, 7, i + 1);
		store_end_flush(&before);
		assert_int_equal(store_kept(7), i + 1);
		assert_int_equal(before.resyncs + before.fenced, 0);
		end_before();
	}
}

static void mute_at_claim(void)
{
	fake_redis_faults(bed.proxy)->mute = true;
}

/* It was carried out, and is claimed again: by the same process, which stays what it is. */
static void a_claim_whose_answer_was_lost_is_our_own(void **state)
{
	long long held;

	(void)state;
	store_end_open(&before, true, 1000);
	before.connected = mute_at_claim;
	store_bed_wait(is_connected, &before);
	while (epoch() == 0)
		store_bed_turn(5);
	held = epoch();
	assert_false(before.up);
	before.connected = NULL;
	fake_redis_faults(bed.proxy)->mute = false;
	fake_redis_drop(bed.proxy);
	store_end_wait_up(&before);
	assert_int_equal(epoch(), held);
	store_end_put(&before, 7, 1);
	store_end_flush(&before);
	assert_int_equal(store_kept(7), 1);
	assert_int_equal(before.fenced + before.resyncs + before.bad, 0);
}

static void a_lost_connection_changes_no_epoch(void **state)
{
	long long held;

	(void)state;
	begin_before();
	held = epoch();
	for (int i = 0; i < 3; i++) {
		fake_redis_drop(bed.proxy);
		store_bed_wait(is_down, &before);
		store_end_wait_up(&before);
		store_end_put(&before, 7, (uint32_t)i + 1);
		store_end_flush(&before);
	}
	assert_int_equal(epoch(), held);
	assert_int_equal(before.resyncs, 0);
}

/* Numbers begin again where all was lost: that two are equal makes them no one's. */
static void an_epoch_of_before_a_loss_is_not_the_successor_s(void **state)
{
	(void)state;
	begin_before();
	assert_int_equal(epoch(), 1);
	hold_before();
	store_end_put(&before, 7, 2);
	kill_before();
	real_redis_do(&server, "FLUSHALL");
	begin_after();
	assert_int_equal(epoch(), 1);
	store_end_put(&after, 7, 5);
	store_end_flush(&after);
	release_before();
	assert_int_equal(store_kept(7), 5);
	assert_int_equal(after.fenced, 0);
}

/* The running process stays above what it was, so that its own late commands are late. */
static void a_loss_under_a_running_process_is_written_again(void **state)
{
	long long held;

	(void)state;
	for (int i = 0; i < 3; i++) {
		begin_before();
		if (i < 2)
			end_before();
	}
	held = epoch();
	real_redis_do(&server, "FLUSHALL");
	store_end_put(&before, 7, 1);
	store_bed_wait(has_resynced, &before);
	store_end_flush(&before);
	assert_true(epoch() > held);
	assert_int_equal(store_kept(7), 1);
	assert_int_equal(before.fenced, 0);
	/* An older history, in which it has claimed but not yet again. */
	real_redis_do(&server, "HSET " STORE_PREFIX "lease epoch %lld", held);
	store_end_put(&before, 7, 2);
	store_end_flush(&before);
	assert_true(epoch() > held + 1);
	assert_int_equal(store_kept(7), 2);
	assert_int_equal(before.resyncs, 2);
	assert_int_equal(before.fenced, 0);
}

/* Until the claim has been carried out the one before may still write. */
static void nothing_is_read_before_the_claim(void **state)
{
	struct fake_faults *f = fake_redis_faults(other);

	(void)state;
	begin_before();
	store_end_put(&before, 7, 1);
	store_end_flush(&before);
	open_after();
	store_bed_wait(is_connected, &after);
	f->mute = true;
	store_bed_turn(60);
	assert_int_equal(seen.begun, 0);
	f->mute = false;
	fake_redis_drop(other);
	store_bed_wait(has_loaded, NULL);
	assert_int_equal(seen.records, 1);
}

/* Redis may refuse all writes, and still be read; what came in between is not believed. */
static void a_claim_that_is_refused_does_not_keep_from_reading(void **state)
{
	struct fake_faults *f = fake_redis_faults(other);

	(void)state;
	begin_before();
	store_end_put(&before, 7, 1);
	store_end_flush(&before);
	open_after();
	store_bed_wait(is_connected, &after);
	snprintf(f->reply, sizeof(f->reply), "-MISCONF Errors writing to the AOF file\r\n");
	f->skip = 1; /* SCRIPT LOAD */
	f->instead = 1;
	store_bed_wait(has_loaded, NULL);
	assert_int_equal(seen.records, 1);
	assert_false(after.up);
	store_bed_wait(has_resynced, &after);
	assert_int_equal(after.resyncs, 1);
}

/* ---- with another process, and a Redis that stands still ---- */

#define CALLS 1024u /* as many as are under way at once */

struct orders {
	int to[2], from[2];
};

static void hear(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(1);
}

static void tell(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
}

/* Puts calls; on a word puts them again, which Redis does not read; then hears nothing more. */
static void child(const struct orders *o)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memset(&bed, 0, sizeof(bed));
	uv_loop_init(&bed.loop);
	uv_timer_init(&bed.loop, &bed.tick);
	uv_timer_init(&bed.loop, &bed.guard);
	bed.timeout_ms = NEVER_MS;
	store_end_open_at(&before, server.path, true, 2 * CALLS);
	store_own(before.store, 0, STORE_OWN_ALONE);
	store_end_wait_up(&before);
	for (uint64_t i = 0; i < CALLS; i++)
		store_end_put(&before, i, 1);
	store_end_flush(&before);
	tell(o->from[1]);
	hear(o->to[0]);
	for (uint64_t i = 0; i < CALLS; i++)
		store_end_put(&before, i, 2);
	uv_run(&bed.loop, UV_RUN_NOWAIT);
	for (int i = 0; i < 20; i++) {
		usleep(5000);
		uv_run(&bed.loop, UV_RUN_NOWAIT);
	}
	tell(o->from[1]);
	for (;;)
		pause();
}

static void a_backlog_that_a_stopped_redis_finds_is_refused(void **state)
{
	struct orders o;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(o.to) | pipe(o.from), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		child(&o);
	hear(o.from[0]);
	store_end_open_at(&after, server.path, true, 2 * CALLS);
	store_bed_wait(is_connected, &after);
	real_redis_freeze(&server, true);
	tell(o.to[1]);
	hear(o.from[0]);
	store_own(after.store, 0, STORE_OWN_ALONE);
	for (uint64_t i = CALLS; i > 0; i--)
		store_end_put(&after, i - 1, 9);
	store_bed_turn(50);
	real_redis_freeze(&server, false);
	store_end_flush(&after);
	store_bed_turn(50);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (uint64_t i = 0; i < CALLS; i++)
		assert_int_equal(store_kept(i), 9);
	assert_int_equal(after.fenced + after.resyncs + after.bad, 0);
	for (int i = 0; i < 2; i++) {
		close(o.to[i]);
		close(o.from[i]);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_a_dead_process_had_sent_is_refused),
		TEST(a_process_that_was_replaced_writes_nothing_more),
		TEST(a_process_that_was_replaced_claims_nothing),
		TEST(a_late_claim_takes_nothing_from_the_successor),
		TEST(each_process_has_a_higher_epoch_and_all_records),
		TEST(what_an_earlier_release_left_is_found),
		TEST(a_lease_of_no_known_form_is_claimed),
		TEST(a_claim_whose_answer_was_lost_is_our_own),
		TEST(a_lost_connection_changes_no_epoch),
		TEST(an_epoch_of_before_a_loss_is_not_the_successor_s),
		TEST(a_loss_under_a_running_process_is_written_again),
		TEST(nothing_is_read_before_the_claim),
		TEST(a_claim_that_is_refused_does_not_keep_from_reading),
		TEST(a_backlog_that_a_stopped_redis_finds_is_refused),
	};

	return cmocka_run_group_tests(tests, store_bed_server, store_bed_no_server);
}
