/* A redis-server of our own: started, supervised, ended with us, and nothing it said is lost. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control/log.h"
#include "control/redis_server.h"
#include "tests/lib/real_redis.h"
#include "tests/lib/unit.h"

#define TRIES 6000 /* of 10 ms: nothing takes so long, on any machine */

static char dir[64];
static struct real_redis access_to; /* only its path: for commands */
static uv_loop_t loop;
static uv_timer_t tick;

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/postern-own-XXXXXX");
	assert_non_null(mkdtemp(dir));
	memset(&access_to, 0, sizeof(access_to));
	snprintf(access_to.path, sizeof(access_to.path), "%s/redis.sock", dir);
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 10, 10);
	return 0;
}

static void end_loop(void)
{
	uv_close((uv_handle_t *)&tick, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
}

static void remove_all(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	char name[400];

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		if (unlink(name) < 0)
			remove_all(name);
	}
	if (d)
		closedir(d);
	rmdir(path);
}

/* No process has the lock any more: nothing was left behind. */
static bool is_locked(const char *name)
{
	char path[96];
	int fd;
	bool locked;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	locked = flock(fd, LOCK_EX | LOCK_NB) < 0;
	close(fd);
	return locked;
}

static int teardown(void **state)
{
	(void)state;
	end_loop();
	assert_false(is_locked("redis.lock"));
	assert_false(is_locked("server.lock"));
	remove_all(dir);
	return 0;
}

static struct redis_server *start(void)
{
	char why[512] = "";
	struct redis_server *s = redis_server_start(&loop, dir, why, sizeof(why));

	if (!s)
		fail_msg("%s", why);
	return s;
}

static bool answers(void)
{
	redisContext *c = redisConnectUnix(access_to.path);
	redisReply *r = c && !c->err ? redisCommand(c, "PING") : NULL;
	bool ok = r && r->type == REDIS_REPLY_STATUS;

	freeReplyObject(r);
	redisFree(c);
	return ok;
}

static void wait_until_it_answers(void)
{
	for (int i = 0; i < TRIES && !answers(); i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(answers());
}

static pid_t server_pid(void)
{
	char path[96], text[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/redis.pid", dir);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(text, sizeof(text), f));
	fclose(f);
	return (pid_t)strtol(text, NULL, 10);
}

static void assert_setting(const char *name, const char *value)
{
	redisReply *r = real_redis_command(&access_to, "CONFIG GET %s", name);

	assert_int_equal(r->type, REDIS_REPLY_ARRAY);
	assert_int_equal(r->elements, 2);
	assert_string_equal(r->element[1]->str, value);
	freeReplyObject(r);
}

static void listens_on_its_socket_only(void **state)
{
	struct redis_server *s = start();
	char address[96];
	struct stat st;

	(void)state;
	wait_until_it_answers();
	snprintf(address, sizeof(address), "unix:%s/redis.sock", dir);
	assert_string_equal(redis_server_address(s), address);
	assert_setting("port", "0");
	assert_setting("appendonly", "yes");
	assert_setting("appendfsync", "everysec");
	assert_setting("auto-aof-rewrite-min-size", "268435456");
	assert_setting("save", "");
	assert_setting("dir", dir);
	assert_int_equal(stat(access_to.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(redis_server_starts(s), 1);
	redis_server_stop(s);
}

/* Devices of the dataplane, which nobody marks, would be held open after our end. */
static void gets_nothing_of_what_we_have_open(void **state)
{
	int ends[2] = {-1, -1};
	struct redis_server *s;
	char path[64], open_there[128], ours[64];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
	n = readlink(path, ours, sizeof(ours) - 1);
	assert_true(n > 0);
	ours[n] = '\0';
	s = start();
	wait_until_it_answers();
	for (int fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)server_pid(), fd);
		n = readlink(path, open_there, sizeof(open_there) - 1);
		if (n < 0)
			continue;
		open_there[n] = '\0';
		assert_string_not_equal(open_there, ours);
	}
	close(ends[0]);
	close(ends[1]);
	redis_server_stop(s);
}

static void keeps_everything_over_a_stop(void **state)
{
	struct redis_server *s = start();
	pid_t pid;

	(void)state;
	wait_until_it_answers();
	pid = server_pid();
	real_redis_do(&access_to, "SET k kept");
	redis_server_stop(s);
	end_loop();
	assert_int_equal(kill(pid, 0), -1);
	assert_false(answers());
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 10, 10);
	s = start();
	wait_until_it_answers();
	assert_int_equal(real_redis_number(&access_to, "EXISTS k"), 1);
	redis_server_stop(s);
}

static void is_started_again_when_it_ends(void **state)
{
	struct redis_server *s = start();

	(void)state;
	wait_until_it_answers();
	for (uint32_t i = 1; i <= 3; i++) {
		pid_t pid = server_pid();

		real_redis_do(&access_to, "INCR n");
		assert_int_equal(kill(pid, SIGKILL), 0);
		while (redis_server_starts(s) == i)
			uv_run(&loop, UV_RUN_ONCE);
		wait_until_it_answers();
		assert_int_not_equal(server_pid(), pid);
		assert_int_equal(real_redis_number(&access_to, "STRLEN n"), 1);
	}
	assert_int_equal(real_redis_number(&access_to, "INCR n"), 4);
	redis_server_stop(s);
}

static void a_directory_has_one_user(void **state)
{
	struct redis_server *s = start();
	char why[512] = "";

	(void)state;
	assert_null(redis_server_start(&loop, dir, why, sizeof(why)));
	assert_non_null(strstr(why, "in use by another process"));
	redis_server_stop(s);
}

/* Writes as long as it lives, and says through the pipe what was acknowledged. */
static void write_until_killed(int out)
{
	struct redis_server *s;
	redisContext *c;
	char why[512];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 10, 10);
	s = redis_server_start(&loop, dir, why, sizeof(why));
	if (!s)
		_exit(3);
	/* Not that of a writer before, which is ending. */
	while (redis_server_starts(s) == 0 || !answers())
		uv_run(&loop, UV_RUN_ONCE);
	c = redisConnectUnix(access_to.path);
	for (;;) {
		redisReply *r = c && !c->err ? redisCommand(c, "INCR n") : NULL;
		int64_t n = r && r->type == REDIS_REPLY_INTEGER ? r->integer : 0;

		if (n == 0 || write(out, &n, sizeof(n)) != (ssize_t)sizeof(n))
			_exit(4);
		freeReplyObject(r);
	}
}

/* The number that was acknowledged last, from a writer that is killed in the midst. */
static int64_t kill_a_writer(int64_t at_least)
{
	int64_t n = 0, last = 0;
	int fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fd[0]);
		write_until_killed(fd[1]);
	}
	close(fd[1]);
	while (read(fd[0], &n, sizeof(n)) == (ssize_t)sizeof(n)) {
		last = n;
		if (n >= at_least)
			kill(pid, SIGKILL);
	}
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return last;
}

static void nothing_acknowledged_is_lost_when_we_are_killed(void **state)
{
	int64_t last = 0;
	struct redis_server *s;

	(void)state;
	/* Each writer finds what the one before left, whose server may not have ended yet. */
	for (int i = 0; i < 3; i++) {
		int64_t before = last;

		last = kill_a_writer(before + 500);
		assert_true(last >= before + 500);
	}
	s = start();
	while (redis_server_starts(s) == 0)
		uv_run(&loop, UV_RUN_ONCE);
	wait_until_it_answers();
	assert_true(real_redis_number(&access_to, "INCR n") > last);
	redis_server_stop(s);
}

static void ends_when_we_are_killed(void **state)
{
	(void)state;
	kill_a_writer(10);
	for (int i = 0; i < TRIES && is_locked("redis.lock"); i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_false(is_locked("redis.lock"));
	assert_false(answers());
}

/* A server that nothing but force ends, as one is that outlived a process of before. */
static void an_old_server_is_ended_first(void **state)
{
	char lock[96], conf[96];
	struct redis_server *s = start();
	pid_t old;
	int status;

	(void)state;
	wait_until_it_answers();
	real_redis_do(&access_to, "SET k kept");
	redis_server_stop(s);
	end_loop();
	snprintf(lock, sizeof(lock), "%s/redis.lock", dir);
	snprintf(conf, sizeof(conf), "%s/redis.conf", dir);
	old = fork();
	assert_true(old >= 0);
	if (old == 0) {
		int fd = open(lock, O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || chdir(dir) < 0)
			_exit(5);
		execlp("redis-server", "redis-server", conf, NULL);
		_exit(6);
	}
	for (int i = 0; i < TRIES && !answers(); i++)
		nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
	assert_int_equal(server_pid(), old);
	assert_int_equal(kill(old, SIGSTOP), 0);
	uv_loop_init(&loop);
	uv_timer_init(&loop, &tick);
	uv_timer_start(&tick, on_tick, 10, 10);
	s = start();
	/* Its end is seen by its parent, which here is this test. */
	for (int i = 0; i < TRIES && waitpid(old, &status, WNOHANG) != old; i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (redis_server_starts(s) == 0)
		uv_run(&loop, UV_RUN_ONCE);
	wait_until_it_answers();
	assert_int_equal(real_redis_number(&access_to, "EXISTS k"), 1);
	redis_server_stop(s);
}

/* The pid file may name a process that has nothing to do with it. */
static void a_stranger_is_not_ended(void **state)
{
	char path[96];
	struct redis_server *s;
	int fd, status;
	pid_t stranger = fork();
	FILE *f;

	(void)state;
	assert_true(stranger >= 0);
	if (stranger == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	snprintf(path, sizeof(path), "%s/redis.pid", dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%d\n", (int)stranger);
	fclose(f);
	snprintf(path, sizeof(path), "%s/redis.lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	s = start();
	for (int i = 0; i < 20; i++)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(redis_server_starts(s), 0);
	assert_int_equal(waitpid(stranger, &status, WNOHANG), 0);
	close(fd);
	wait_until_it_answers();
	assert_int_equal(waitpid(stranger, &status, WNOHANG), 0);
	kill(stranger, SIGKILL);
	assert_int_equal(waitpid(stranger, &status, 0), stranger);
	redis_server_stop(s);
}

static void stopped_before_it_began(void **state)
{
	(void)state;
	redis_server_stop(start());
	redis_server_stop(NULL);
}

static void what_cannot_be_used(void **state)
{
	char why[512] = "", path[256], old[4096];

	(void)state;
	snprintf(old, sizeof(old), "%s", getenv("PATH"));
	setenv("PATH", "/nonexistent", 1);
	assert_null(redis_server_start(&loop, dir, why, sizeof(why)));
	assert_non_null(strstr(why, "there is no redis-server"));
	setenv("PATH", old, 1);
	snprintf(path, sizeof(path), "%s/%0100d", dir, 0);
	assert_null(redis_server_start(&loop, path, why, sizeof(why)));
	assert_non_null(strstr(why, "expected a path of at most 96 characters"));
	assert_int_equal(chmod(dir, 0750), 0);
	assert_null(redis_server_start(&loop, dir, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0750: expected 0700"));
	assert_int_equal(chmod(dir, 0700), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(listens_on_its_socket_only),
		TEST(gets_nothing_of_what_we_have_open),
		TEST(keeps_everything_over_a_stop),
		TEST(is_started_again_when_it_ends),
		TEST(a_directory_has_one_user),
		TEST(nothing_acknowledged_is_lost_when_we_are_killed),
		TEST(ends_when_we_are_killed),
		TEST(an_old_server_is_ended_first),
		TEST(a_stranger_is_not_ended),
		TEST(stopped_before_it_began),
		TEST(what_cannot_be_used),
	};

	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
