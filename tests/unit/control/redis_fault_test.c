/*
 * With a proxy that misbehaves before a real server: each command is answered once,
 * whatever happens, and the connection comes back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/fake_redis.h"
#include "tests/lib/unit.h"
#include "tests/unit/control/redis_bed.h"

static struct fake_redis *fake;
static struct fake_faults *faults;

static int setup_fake(void **state)
{
	setup(state);
	fake = fake_redis_open(&bed.loop, server.path);
	faults = fake_redis_faults(fake);
	use_socket(fake_redis_path(fake));
	return 0;
}

static int teardown_fake(void **state)
{
	close_bed();
	fake_redis_close(fake);
	return teardown(state);
}

static void lost_replies_are_told_once(void **state)
{
	(void)state;
	connect_and_wait();
	bed.ask_more = true;
	faults->mute = true;
	for (int i = 0; i < 50; i++)
		assert_true(ASK("PING"));
	assert_int_equal(redis_pending(bed.redis), 50);
	while (fake_redis_count(fake).commands < 50)
		uv_run(&bed.loop, UV_RUN_ONCE);
	fake_redis_drop(fake);
	faults->mute = false;
	wait_for(all_answered);
	assert_int_equal(bed.lost, 50);
	assert_int_equal(bed.downs, 1);
	wait_for(came_back);
}

static void a_server_that_answers_nothing_is_down(void **state)
{
	(void)state;
	bed.conf.timeout_ms = 200;
	connect_and_wait();
	faults->deaf = true;
	assert_true(ASK("PING"));
	assert_true(ASK("PING"));
	wait_for(all_answered);
	assert_int_equal(bed.lost, 2);
	assert_string_equal(bed.why, "no answer for 200 ms");
	/* It accepts, and is not up until it has answered. */
	while (fake_redis_count(fake).accepted < 3)
		uv_run(&bed.loop, UV_RUN_ONCE);
	assert_int_equal(bed.ups, 1);
	faults->deaf = false;
	wait_for(is_up);
}

static void a_slow_server_is_not_down(void **state)
{
	(void)state;
	bed.conf.timeout_ms = 5000;
	faults->delay_ms = 50;
	connect_and_wait();
	for (int i = 0; i < 20; i++) {
		assert_true(ASK("PING"));
		wait_for(all_answered);
	}
	assert_int_equal(bed.good, 20);
	assert_int_equal(bed.downs, 0);
}

static void thaws_with_all_its_answers(void **state)
{
	(void)state;
	bed.conf.timeout_ms = 60000;
	connect_and_wait();
	faults->frozen = true;
	for (int i = 0; i < 30; i++)
		assert_true(ASK("PING"));
	for (int i = 0; i < 20; i++)
		uv_run(&bed.loop, UV_RUN_ONCE);
	assert_int_equal(bed.answered, 0);
	assert_true(redis_lag_ms(bed.redis) > 0);
	fake_redis_thaw(fake);
	wait_for(all_answered);
	assert_int_equal(bed.good, 30);
	assert_int_equal(redis_lag_ms(bed.redis), 0);
}

static void errors_of_a_command_are_its_own(void **state)
{
	(void)state;
	connect_and_wait();
	snprintf(faults->reply, sizeof(faults->reply), "-OOM command not allowed\r\n");
	faults->skip = 1;
	faults->instead = 1;
	for (int i = 0; i < 3; i++)
		assert_true(ASK("PING"));
	wait_for(all_answered);
	assert_int_equal(bed.good, 2);
	assert_int_equal(bed.errors, 1);
	assert_int_equal(bed.downs, 0);
}

static void some_errors_are_the_server_s(void **state)
{
	static const char *const errors[] = {
		"-LOADING Redis is loading the dataset in memory\r\n",
		"-READONLY You can't write against a read only replica.\r\n",
		"-MASTERDOWN Link with MASTER is down\r\n",
		"-NOAUTH Authentication required.\r\n",
	};

	(void)state;
	connect_and_wait();
	for (uint32_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		snprintf(faults->reply, sizeof(faults->reply), "%s", errors[i]);
		faults->instead = 1;
		assert_true(ASK("PING"));
		assert_true(ASK("PING"));
		wait_for(all_answered);
		assert_int_equal(bed.errors, i + 1);
		assert_int_equal(bed.lost, i + 1);
		assert_int_equal(bed.downs, i + 1);
		assert_memory_equal(bed.why, errors[i] + 1, strlen(errors[i]) - 3);
		wait_for(is_up);
	}
}

/* A server that greets with an error, with nonsense, as a replica, while it loads. */
static void greetings_that_are_not_accepted(void **state)
{
	static const char info[] = "$40\r\nrole:master\r\nloading:1\r\nrun_id:abcdefghi\r\n\r\n";
	static const struct {
		const char *reply, *why;
	} v[] = {
		{"-LOADING Redis is loading\r\n", "LOADING"},
		{":7\r\n", "its INFO is not understood"},
		{"*-1\r\n", "its INFO is not understood"},
		{"$-1\r\n", "its INFO is not understood"},
		{"$6\r\nnorole\r\n", "its INFO is not understood"},
		{"$10\r\nrole:slave\r\n", "it is a replica: expected a master"},
		{info, "it is loading its data"},
		{"?what\r\n", "Protocol error"},
		{"HTTP/1.1 400 Bad Request\r\n", "Protocol error"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		snprintf(faults->reply, sizeof(faults->reply), "%s", v[i].reply);
		faults->skip = 2; /* CLIENT SETNAME, CLIENT ID */
		faults->instead = UINT32_MAX;
		snprintf(bed.last, sizeof(bed.last), "%s", v[i].why);
		open_bed();
		wait_for(is_refused);
		close_bed();
	}
	assert_int_equal(bed.ups, 0);
	faults->instead = faults->skip = 0;
	connect_and_wait();
}

static void garbage_and_what_was_not_asked(void **state)
{
#define BYTES(s)                                                                                   \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}
	static const struct {
		const char *bytes;
		size_t n;
	} v[] = {
		BYTES("+OK\r\n"),
		BYTES("-ERR max number of clients reached\r\n"),
		BYTES("\0\0\0\0\r\n"),
		BYTES("*2\r\n$1\r\na\r\n:99999999999999999999999\r\n"),
		BYTES("$-7\r\n"),
		BYTES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"),
		BYTES("GET / HTTP/1.1\r\n"),
	};

	(void)state;
	connect_and_wait();
	for (uint32_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		fake_redis_say(fake, v[i].bytes, v[i].n);
		wait_for(is_down);
		assert_int_equal(bed.downs, i + 1);
		wait_for(is_up);
	}
	/* The same with commands under way, which fail. */
	faults->deaf = true;
	assert_true(ASK("PING"));
	fake_redis_say(fake, "?\r\n", 3);
	wait_for(all_answered);
	assert_int_equal(bed.lost, 1);
}

static void refused_again_and_again(void **state)
{
	(void)state;
	faults->refuse = true;
	open_bed();
	while (fake_redis_count(fake).accepted < 4)
		uv_run(&bed.loop, UV_RUN_ONCE);
	assert_int_equal(bed.ups, 0);
	faults->refuse = false;
	wait_for(is_up);
}

static void no_more_is_taken_than_is_held(void **state)
{
	static char big[8 * 1024 * 1024];
	const char *set[] = {"SET", "big", big};
	const size_t len[] = {3, 3, sizeof(big)};
	uint32_t n = 0;

	(void)state;
	bed.conf.timeout_ms = 60000;
	connect_and_wait();
	faults->frozen = true;
	while (ASK("PING"))
		n++;
	assert_in_range(n, REDIS_MAX_PENDING - 2, REDIS_MAX_PENDING);
	fake_redis_thaw(fake);
	wait_for(all_answered);
	assert_int_equal(bed.good, n);
	for (n = 0; redis_command(bed.redis, on_reply, &bed, 3, set, len); n++)
		bed.asked++;
	assert_in_range(n, 2, REDIS_MAX_BYTES / sizeof(big));
	assert_true(redis_backlog(bed.redis) <= REDIS_MAX_BYTES);
	close_bed();
	assert_int_equal(bed.lost, n);
}

static void on_reply_close(void *arg, const redisReply *reply)
{
	bed.answered++;
	(void)arg;
	(void)reply;
	close_bed();
}

static void closed_with_commands_under_way(void **state)
{
	static const char *const ping[] = {"PING"};

	(void)state;
	connect_and_wait();
	for (int i = 0; i < 10; i++)
		assert_true(ASK("PING"));
	close_bed();
	assert_int_equal(bed.lost, 10);
	assert_int_equal(bed.downs, 0);

	/* And by the callback of one of them, of an answer and of a loss. */
	for (int i = 0; i < 2; i++) {
		bed.ups = 0;
		connect_and_wait();
		faults->deaf = i == 1;
		assert_true(redis_command(bed.redis, on_reply_close, NULL, 1, ping, NULL));
		bed.asked++;
		for (int j = 0; j < 9; j++)
			assert_true(ASK("PING"));
		if (i == 1)
			fake_redis_say(fake, "?\r\n", 3);
		wait_for(all_answered);
	}
	assert_int_equal(bed.lost, 10 + 9 + 9);
}

/*
 * Commands that write, while the connection is cut at places that a seed chooses,
 * within commands and within replies: each has one callback, what was acknowledged is
 * there, and no more than was asked.
 */
static void ten_thousand_commands_over_a_breaking_connection(void **state)
{
	const char *incr[] = {"INCR", "n"};
	uint64_t seed = 0x5eed, sent = 0;

	(void)state;
	real_redis_do(&server, "FLUSHALL");
	open_bed();
	while (sent < 10000) {
		wait_for(is_up);
		if (unit_random(&seed) % 2)
			faults->cut_replies = (int64_t)(unit_random(&seed) % 3000);
		else
			faults->cut_commands = (int64_t)(unit_random(&seed) % 12000);
		for (int i = 0; i < 700 && sent < 10000; i++, sent++) {
			assert_true(redis_command(bed.redis, on_reply, &bed, 2, incr, NULL));
			bed.asked++;
		}
		wait_for(all_answered);
	}
	assert_int_equal(bed.good + bed.lost, 10000);
	assert_int_equal(bed.errors, 0);
	assert_true(bed.downs >= 5);
	assert_true(bed.lost > 0 && bed.good > 0);
	faults->cut_replies = faults->cut_commands = -1;
	wait_for(is_up);
	assert_true(ASK("GET", "n"));
	wait_for(all_answered);
	assert_in_range(strtoull(bed.last, NULL, 10), bed.good - 1, 10000);
}

#define FAKE(f) cmocka_unit_test_setup_teardown(f, setup_fake, teardown_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE(lost_replies_are_told_once),
		FAKE(a_server_that_answers_nothing_is_down),
		FAKE(a_slow_server_is_not_down),
		FAKE(thaws_with_all_its_answers),
		FAKE(errors_of_a_command_are_its_own),
		FAKE(some_errors_are_the_server_s),
		FAKE(greetings_that_are_not_accepted),
		FAKE(garbage_and_what_was_not_asked),
		FAKE(refused_again_and_again),
		FAKE(no_more_is_taken_than_is_held),
		FAKE(closed_with_commands_under_way),
		FAKE(ten_thousand_commands_over_a_breaking_connection),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
