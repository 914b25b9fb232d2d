/* A connection to Redis comes up, says when it is lost and comes back: with real servers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/unit.h"
#include "tests/unit/control/redis_bed.h"

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

	bed.conf.timeout_ms = LIMIT_MS; /* the name server may be slow to say so */
	snprintf(bed.conf.redis, sizeof(bed.conf.redis), "no-such-host.invalid:6379");
	snprintf(bed.last, sizeof(bed.last), "no-such-host.invalid");
	open_bed();
	wait_for(is_refused);
	assert_int_equal(bed.ups, 0);
	assert_int_equal(bed.downs, 0);
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

/* How often the server was told to end a connection. */
static unsigned long kills(void)
{
	redisReply *r = real_redis_command(&server, "INFO commandstats");
	const char *at = strstr(r->str, "cmdstat_client|kill:calls=");
	unsigned long n = at ? strtoul(strchr(at, '=') + 1, NULL, 10) : 0;

	freeReplyObject(r);
	return n;
}

/* What was sent and not carried out may not be carried out after what is sent next. */
static void the_connection_before_is_ended_first(void **state)
{
	unsigned long before = kills();

	(void)state;
	bed.conf.timeout_ms = 400;
	use_socket(server.path);
	connect_and_wait();
	assert_int_equal(kills(), before);
	real_redis_freeze(&server, true);
	assert_true(ASK("SET", "k", "old"));
	wait_for(is_frozen_out);
	real_redis_freeze(&server, false);
	wait_for(is_up);
	assert_int_equal(kills(), before + 1);
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

#define PLAIN(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		PLAIN(the_connection_before_is_ended_first),
		PLAIN(a_master_that_becomes_a_replica_is_left),
		PLAIN(the_master_that_sentinels_name),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
