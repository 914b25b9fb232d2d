/*
 * A connection to Redis comes up, says when it is lost, comes back, and answers each
 * command once: with real servers, and with a proxy that misbehaves before one.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/log.h"
#include "control/redis.h"
#include "tests/lib/fake_redis.h"
#include "tests/lib/real_redis.h"
#include "tests/lib/unit.h"

#define LIMIT_MS 60000 /* nothing takes so long, on any machine */

struct bed {
	uv_loop_t loop;
	uv_timer_t guard, tick;
	bool late;
	struct config_state conf;
	struct redis *redis;
	uint32_t ups, downs;
	struct redis_up up;
	char why[256];
	uint64_t asked, answered, good, errors, lost;
	char last[256];
	long long number;
	bool ask_more; /* in each callback of a lost command */
};

static struct bed bed;
static struct real_redis server;

static void on_up(void *arg, const struct redis_up *up)
{
	struct bed *b = arg;

	b->ups++;
	b->up = *up;
	assert_true(redis_is_up(b->redis));
	assert_string_equal(redis_why(b->redis), "");
}

static void on_down(void *arg, const char *why)
{
	struct bed *b = arg;

	b->downs++;
	snprintf(b->why, sizeof(b->why), "%s", why);
	assert_false(redis_is_up(b->redis));
}

static void on_guard(uv_timer_t *t)
{
	((struct bed *)t->data)->late = true;
}

/* Only so that a loop that waits looks at its condition from time to time. */
static void on_tick(uv_timer_t *t)
{
	(void)t;
}

static void wait_for(bool (*met)(void))
{
	bed.late = false;
	uv_timer_start(&bed.guard, on_guard, LIMIT_MS, 0);
	while (!met() && !bed.late)
		uv_run(&bed.loop, UV_RUN_ONCE);
	uv_timer_stop(&bed.guard);
	assert_false(bed.late);
}

static bool is_up(void)
{
	return redis_is_up(bed.redis);
}

static bool is_down(void)
{
	return !redis_is_up(bed.redis);
}

static bool all_answered(void)
{
	return bed.answered == bed.asked;
}

static void open_bed(void)
{
	const struct redis_events events = {on_up, on_down, &bed};

	bed.redis = redis_open(&bed.loop, &bed.conf, "postern-test", &events);
	assert_non_null(bed.redis);
}

static void close_bed(void)
{
	struct redis *r = bed.redis;

	bed.redis = NULL;
	redis_close(r);
}

static int setup(void **state)
{
	(void)state;
	memset(&bed, 0, sizeof(bed));
	uv_loop_init(&bed.loop);
	uv_timer_init(&bed.loop, &bed.guard);
	uv_timer_init(&bed.loop, &bed.tick);
	bed.guard.data = &bed;
	uv_timer_start(&bed.tick, on_tick, 5, 5);
	bed.conf.timeout_ms = 2000;
	return 0;
}

/* All handles are gone, and every command has had its callback. */
static int teardown(void **state)
{
	(void)state;
	close_bed();
	uv_close((uv_handle_t *)&bed.guard, NULL);
	uv_close((uv_handle_t *)&bed.tick, NULL);
	assert_int_equal(uv_run(&bed.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&bed.loop), 0);
	assert_int_equal(bed.answered, bed.asked);
	return 0;
}

static void use_socket(const char *path)
{
	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "unix:%s", path);
}

static void on_reply(void *arg, const redisReply *reply)
{
	static const char *const ping[] = {"PING"};
	struct bed *b = arg;

	b->answered++;
	if (!reply) {
		b->lost++;
		if (b->ask_more)
			assert_false(redis_command(b->redis, on_reply, b, 1, ping, NULL));
		return;
	}
	if (reply->type == REDIS_REPLY_ERROR)
		b->errors++;
	else
		b->good++;
	if (reply->str)
		snprintf(b->last, sizeof(b->last), "%s", reply->str);
	b->number = reply->integer;
}

#define ASK(...)                                                                                   \
	ask((const char *[]){__VA_ARGS__}, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *))

static bool ask(const char *const *argv, size_t argc)
{
	bool ok = redis_command(bed.redis, on_reply, &bed, (int)argc, argv, NULL);

	bed.asked += ok;
	return ok;
}

static void connect_and_wait(void)
{
	open_bed();
	wait_for(is_up);
}

/* ---- with a server that behaves ---- */

static void comes_up_and_answers(void **state)
{
	static const char key[] = "a\0b", value[] = "\r\n$3\r\nDEL\r\n";
	const char *set[] = {"SET", key, value};
	const size_t len[] = {3, 3, sizeof(value) - 1};
	redisReply *names;

	(void)state;
	use_socket(server.path);
	open_bed();
	assert_false(redis_is_up(bed.redis));
	assert_false(ASK("PING"));
	wait_for(is_up);
	assert_int_equal(bed.ups, 1);
	assert_int_equal(strlen(bed.up.run_id), 40);
	assert_int_equal(bed.up.replicas, 0);
	assert_true(ASK("PING"));
	assert_int_equal(redis_pending(bed.redis), 1);
	wait_for(all_answered);
	assert_int_equal(redis_pending(bed.redis), 0);
	assert_string_equal(bed.last, "PONG");
	/* Bytes of an argument are nothing else, whatever they are. */
	assert_true(redis_command(bed.redis, on_reply, &bed, 3, set, len));
	bed.asked++;
	wait_for(all_answered);
	assert_string_equal(bed.last, "OK");
	assert_true(redis_command(bed.redis, NULL, NULL, 1, (const char *[]){"PING"}, NULL));
	assert_true(ASK("NOSUCHCOMMAND"));
	wait_for(all_answered);
	assert_int_equal(bed.errors, 1);
	assert_true(redis_is_up(bed.redis));
	assert_true(redis_bytes_out(bed.redis) > 50);
	assert_true(redis_commands(bed.redis) >= 5);
	names = real_redis_command(&server, "CLIENT LIST");
	assert_non_null(strstr(names->str, "name=postern-test"));
	freeReplyObject(names);
}

static void comes_up_over_tcp_and_by_name(void **state)
{
	(void)state;
	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "localhost:%u", server.port);
	connect_and_wait();
	assert_true(ASK("PING"));
	wait_for(all_answered);
	assert_int_equal(bed.good, 1);
}

static void uses_the_database_it_is_told(void **state)
{
	(void)state;
	use_socket(server.path);
	bed.conf.database = 3;
	connect_and_wait();
	real_redis_do(&server, "FLUSHALL");
	assert_true(ASK("SET", "k", "v"));
	wait_for(all_answered);
	assert_int_equal(real_redis_number(&server, "DBSIZE"), 0);
}

static void scripts_are_loaded_where_they_are_not_known(void **state)
{
	struct redis_script script = {.text = "return redis.call('INCRBY', KEYS[1], ARGV[1])"};
	const char *argv[] = {"1", "counter", "5"};

	(void)state;
	use_socket(server.path);
	connect_and_wait();
	real_redis_do(&server, "FLUSHALL");
	real_redis_do(&server, "SCRIPT FLUSH");
	for (int i = 1; i <= 3; i++) {
		assert_true(redis_eval(bed.redis, &script, on_reply, &bed, 3, argv, NULL));
		bed.asked++;
		wait_for(all_answered);
		assert_int_equal(bed.number, 5 * i);
	}
	/* Forgotten while calls are under way: each is still carried out once. */
	real_redis_do(&server, "SCRIPT FLUSH");
	for (int i = 0; i < 100; i++) {
		assert_true(redis_eval(bed.redis, &script, on_reply, &bed, 3, argv, NULL));
		bed.asked++;
	}
	wait_for(all_answered);
	assert_int_equal(bed.errors, 0);
	assert_int_equal(bed.number, 5 * 103);
}

static void a_user_with_a_password(void **state)
{
	char path[] = "/tmp/postern-pw-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "right\n", 6), 6);
	close(fd);
	real_redis_do(&server, "ACL SETUSER postern on >right ~* +@all");
	use_socket(server.path);
	snprintf(bed.conf.user, sizeof(bed.conf.user), "postern");
	snprintf(bed.conf.password_file, sizeof(bed.conf.password_file), "%s", path);
	connect_and_wait();
	assert_true(ASK("ACL", "WHOAMI"));
	wait_for(all_answered);
	assert_string_equal(bed.last, "postern");
	unlink(path);
	real_redis_do(&server, "ACL DELUSER postern");
}

static bool is_refused(void)
{
	return strstr(redis_why(bed.redis), bed.last) != NULL;
}

static void what_is_refused_says_why(void **state)
{
	char path[] = "/tmp/postern-pw-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "wrong\n", 6), 6);
	close(fd);
	use_socket(server.path);
	snprintf(bed.conf.user, sizeof(bed.conf.user), "nobody");
	snprintf(bed.conf.password_file, sizeof(bed.conf.password_file), "%s", path);
	snprintf(bed.last, sizeof(bed.last), "WRONGPASS");
	open_bed();
	wait_for(is_refused);
	assert_null(strstr(redis_why(bed.redis), "wrong"));
	close_bed();

	chmod(path, 0644);
	snprintf(bed.last, sizeof(bed.last), "has mode 0644");
	open_bed();
	wait_for(is_refused);
	close_bed();
	unlink(path);

	bed.conf.password_file[0] = '\0';
	bed.conf.database = 999;
	snprintf(bed.last, sizeof(bed.last), "DB index");
	open_bed();
	wait_for(is_refused);
	close_bed();

	bed.conf.database = 0;
	real_redis_do(&server, "ACL SETUSER default on resetpass >secret");
	snprintf(bed.last, sizeof(bed.last), "NOAUTH");
	open_bed();
	wait_for(is_refused);
	close_bed();
	freeReplyObject(real_redis_command(&server, "PING"));
	real_redis_kill(&server);
	real_redis_again(&server);

	use_socket("/tmp/postern-no-such-socket");
	snprintf(bed.last, sizeof(bed.last), "No such file");
	open_bed();
	wait_for(is_refused);
	close_bed();

	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "127.0.0.1:%u", real_redis_port());
	snprintf(bed.last, sizeof(bed.last), "refused");
	open_bed();
	wait_for(is_refused);
	close_bed();

	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "no-such-host.invalid:6379");
	snprintf(bed.last, sizeof(bed.last), "no-such-host.invalid");
	open_bed();
	wait_for(is_refused);
	assert_int_equal(bed.ups, 0);
	assert_int_equal(bed.downs, 0);
}

static bool came_back(void)
{
	return bed.ups == 2;
}

static void a_server_that_is_started_again_is_another(void **state)
{
	char first[48];

	(void)state;
	use_socket(server.path);
	connect_and_wait();
	snprintf(first, sizeof(first), "%s", bed.up.run_id);
	real_redis_kill(&server);
	wait_for(is_down);
	assert_int_equal(bed.downs, 1);
	assert_false(ASK("PING"));
	real_redis_again(&server);
	wait_for(came_back);
	assert_string_not_equal(first, bed.up.run_id);
}

static bool is_frozen_out(void)
{
	return bed.downs == 1;
}

/* Nothing is under way: the server is asked from time to time. */
static void a_frozen_server_is_noticed_when_idle(void **state)
{
	(void)state;
	bed.conf.timeout_ms = 400;
	use_socket(server.path);
	connect_and_wait();
	real_redis_freeze(&server, true);
	wait_for(is_frozen_out);
	assert_string_equal(bed.why, "no answer for 400 ms");
	real_redis_freeze(&server, false);
	wait_for(is_up);
}

static void a_master_that_becomes_a_replica_is_left(void **state)
{
	struct real_redis other;

	(void)state;
	real_redis_start(&other, real_redis_port(), NULL);
	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "%s", other.address);
	connect_and_wait();
	real_redis_do(&other, "REPLICAOF 127.0.0.1 %u", server.port);
	assert_true(ASK("SET", "k", "v"));
	assert_true(ASK("GET", "k"));
	wait_for(all_answered);
	assert_int_equal(bed.errors, 1);
	assert_int_equal(bed.lost, 1); /* what came after READONLY is not waited for */
	assert_int_equal(bed.downs, 1);
	assert_non_null(strstr(bed.why, "READONLY"));
	snprintf(bed.last, sizeof(bed.last), "it is a replica");
	wait_for(is_refused);
	real_redis_do(&other, "REPLICAOF NO ONE");
	wait_for(is_up);
	real_redis_remove(&other);
}

/* ---- with one that does not ---- */

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
		faults->skip = 1; /* CLIENT SETNAME */
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

/* ---- sentinels ---- */

static bool is_up_elsewhere(void)
{
	return redis_is_up(bed.redis) && bed.ups >= 2;
}

static bool knows_its_replica(const struct real_redis *sentinel)
{
	redisReply *r = real_redis_command(sentinel, "SENTINEL replicas mymaster");
	bool knows = r->type == REDIS_REPLY_ARRAY && r->elements == 1;

	freeReplyObject(r);
	return knows;
}

static void the_master_that_sentinels_name(void **state)
{
	struct real_redis master, replica, sentinel;
	char first[48], extra[96];

	(void)state;
	real_redis_start(&master, real_redis_port(), NULL);
	snprintf(extra, sizeof(extra), "replicaof 127.0.0.1 %u", master.port);
	real_redis_start(&replica, real_redis_port(), extra);
	real_redis_start_sentinel(&sentinel, real_redis_port(), &master);
	/* The first is dead, the second knows it. */
	snprintf(bed.conf.sentinel[0], sizeof(bed.conf.sentinel[0]), "127.0.0.1:%u",
		 real_redis_port());
	snprintf(bed.conf.sentinel[1], sizeof(bed.conf.sentinel[1]), "%s", sentinel.address);
	bed.conf.sentinels = 2;
	snprintf(bed.conf.master, sizeof(bed.conf.master), "othermaster");
	snprintf(bed.last, sizeof(bed.last), "the sentinel knows no such master");
	open_bed();
	wait_for(is_refused);
	close_bed();
	snprintf(bed.conf.master, sizeof(bed.conf.master), "mymaster");
	connect_and_wait();
	snprintf(first, sizeof(first), "%s", bed.up.run_id);
	assert_true(ASK("SET", "before", "1"));
	wait_for(all_answered);
	while (!knows_its_replica(&sentinel) || !real_redis_number(&replica, "EXISTS before"))
		uv_run(&bed.loop, UV_RUN_ONCE);
	real_redis_kill(&master);
	wait_for(is_up_elsewhere);
	assert_string_not_equal(first, bed.up.run_id);
	assert_true(ASK("GET", "before"));
	assert_true(ASK("SET", "after", "1"));
	wait_for(all_answered);
	assert_int_equal(bed.errors, 0);
	assert_int_equal(bed.downs, 1);
	real_redis_remove(&sentinel);
	real_redis_remove(&replica);
	real_redis_remove(&master);
}

static int start_server(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	real_redis_start(&server, real_redis_port(), NULL);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	real_redis_remove(&server);
	return 0;
}

#define PLAIN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define FAKE(f)  cmocka_unit_test_setup_teardown(f, setup_fake, teardown_fake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(comes_up_and_answers),
		PLAIN(comes_up_over_tcp_and_by_name),
		PLAIN(uses_the_database_it_is_told),
		PLAIN(scripts_are_loaded_where_they_are_not_known),
		PLAIN(a_user_with_a_password),
		PLAIN(what_is_refused_says_why),
		PLAIN(a_server_that_is_started_again_is_another),
		PLAIN(a_frozen_server_is_noticed_when_idle),
		PLAIN(a_master_that_becomes_a_replica_is_left),
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
		PLAIN(the_master_that_sentinels_name),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
