/*
 * The daemon as its service manager sees it: start, signals, draining, exit codes;
 * run as a process over a dataplane without packets. Arguments: that program, and
 * the directory of the shipped configurations.
 */
#define _GNU_SOURCE /* nftw() */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

extern char **environ;

static const char *postern, *conf_directory;
static char directory[] = "/tmp/postern-daemon-XXXXXX";

static struct {
	pid_t pid;
	int notify; /* the service manager's end */
	char config[64], control[64], pidfile[64], key[64], err[64], state[64], log[65536];
} run;

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void write_config_state(const char *more, const char *kept)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "node: {name: edge, control: %s, pidfile: %s, hugepages: \"no\"%s}\n"
		 "state: {directory: %s%s}\n"
		 "ports:\n"
		 "  - {name: out, device: net_null0, address: 192.0.2.1/24}\n"
		 "realms:\n"
		 "  - {name: a, port: out, trust: trusted, sip: [\"udp:5060\"],\n"
		 "     media: 20000-20999}\n",
		 run.control, run.pidfile, more, run.state, kept);
	write_file(run.config, text, 0600);
}

static void write_config(const char *more)
{
	write_config_state(more, "");
}

static int set_up(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const struct timeval wait = {.tv_sec = 20};

	(void)state;
	unsetenv("FAKE_CALLS");
	unsetenv("FAKE_FAULT");
	snprintf(run.config, sizeof(run.config), "%s/c.yaml", directory);
	snprintf(run.control, sizeof(run.control), "%s/run/c.sock", directory);
	snprintf(run.pidfile, sizeof(run.pidfile), "%s/pid", directory);
	snprintf(run.key, sizeof(run.key), "%s/key", directory);
	snprintf(run.err, sizeof(run.err), "%s/err", directory);
	snprintf(run.state, sizeof(run.state), "%s/state", directory);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/notify", directory);
	run.notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(run.notify, (struct sockaddr *)&un, sizeof(un)), 0);
	setsockopt(run.notify, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setenv("NOTIFY_SOCKET", un.sun_path, 1);
	unsetenv("JOURNAL_STREAM");
	write_config("");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	const char *notify = getenv("NOTIFY_SOCKET");
	char path[64];

	(void)state;
	close(run.notify);
	if (notify)
		unlink(notify);
	/* The daemon has taken back what it made. */
	assert_int_equal(access(run.control, F_OK), -1);
	assert_int_equal(access(run.pidfile, F_OK), -1);
	nftw(run.state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	unlink(run.config);
	unlink(run.key);
	unlink(run.err);
	snprintf(path, sizeof(path), "%s/run", directory);
	rmdir(path);
	return 0;
}

static void start_with(const char *const *args)
{
	char *argv[8] = {(char *)postern};
	posix_spawn_file_actions_t files;
	int n = 1;

	while (*args)
		argv[n++] = (char *)*args++;
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, run.err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(posix_spawn(&run.pid, postern, &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
}

#define START(...) start_with((const char *const[]){__VA_ARGS__, NULL})

static void expect_notice(const char *what)
{
	char text[64] = "";
	ssize_t n = recv(run.notify, text, sizeof(text) - 1, 0);

	assert_true(n > 0);
	assert_string_equal(text, what);
}

static void start_ready(void)
{
	START(run.config);
	expect_notice("READY=1");
	assert_int_equal(access(run.control, F_OK), 0);
	assert_int_equal(access(run.pidfile, F_OK), 0);
}

/* The exit code; run.log is what was written to standard error. */
static int ended(void)
{
	FILE *f;
	int status;

	assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
	f = fopen(run.err, "r");
	assert_non_null(f);
	run.log[fread(run.log, 1, sizeof(run.log) - 1, f)] = '\0';
	fclose(f);
	if (!WIFEXITED(status))
		print_error("%s", run.log);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_logged(const char *what)
{
	if (!strstr(run.log, what))
		print_error("%s", run.log);
	assert_non_null(strstr(run.log, what));
}

static void term_without_calls_ends_clean(void **state)
{
	(void)state;
	start_ready();
	kill(run.pid, SIGTERM);
	expect_notice("STOPPING=1");
	assert_int_equal(ended(), 0);
	assert_logged("level=info msg=ready node=edge");
	assert_logged("msg=\"draining: no new calls\" timeout_s=30");
	assert_logged("msg=stopped");
}

static void int_ends_at_once_in_spite_of_calls(void **state)
{
	(void)state;
	setenv("FAKE_CALLS", "3", 1);
	start_ready();
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
	assert_logged("msg=\"SIGINT: stopping at once\"");
	assert_null(strstr(run.log, "draining"));
}

static void term_ends_what_is_left_after_the_drain_time(void **state)
{
	(void)state;
	setenv("FAKE_CALLS", "300", 1);
	write_config(", drain_timeout: 0");
	start_ready();
	kill(run.pid, SIGTERM);
	assert_int_equal(ended(), 0);
	assert_logged("msg=\"drain time is over: ending the calls that are left\" calls=300");
	assert_logged("msg=stopped");
}

static void a_second_term_does_not_wait(void **state)
{
	(void)state;
	setenv("FAKE_CALLS", "1", 1);
	write_config(", drain_timeout: 86400");
	start_ready();
	kill(run.pid, SIGTERM);
	expect_notice("STOPPING=1");
	kill(run.pid, SIGTERM);
	assert_int_equal(ended(), 0);
	assert_logged("msg=\"second SIGTERM: stopping at once\"");
	assert_null(strstr(run.log, "ending the calls"));
}

static void a_worker_that_hangs_ends_the_process(void **state)
{
	(void)state;
	setenv("FAKE_FAULT", "dead", 1);
	START(run.config);
	assert_int_equal(ended(), 70);
	assert_logged("level=error msg=\"a worker has died or hangs: giving up\"");
}

static void a_worker_that_answers_nothing_cannot_hold_the_drain(void **state)
{
	(void)state;
	setenv("FAKE_FAULT", "silent", 1);
	write_config(", drain_timeout: 0");
	start_ready();
	kill(run.pid, SIGTERM);
	assert_int_equal(ended(), 0);
}

static void what_the_dataplane_refuses_is_said(void **state)
{
	(void)state;
	setenv("FAKE_FAULT", "start", 1);
	START(run.config);
	assert_int_equal(ended(), 1);
	assert_logged("level=error msg=\"cannot start\" why=\"port out: no such device\"");
}

static void a_second_node_leaves_the_first_alone(void **state)
{
	pid_t first;

	(void)state;
	start_ready();
	first = run.pid;
	START(run.config);
	assert_int_equal(ended(), 1);
	assert_logged("is served by another process");
	assert_int_equal(access(run.control, F_OK), 0);
	assert_int_equal(access(run.pidfile, F_OK), 0);
	run.pid = first;
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
}

static redisReply *ask_redis(const char *format, ...)
{
	char path[96];
	redisContext *c;
	redisReply *r;
	va_list args;

	snprintf(path, sizeof(path), "%s/redis.sock", run.state);
	c = redisConnectUnix(path);
	assert_true(c && !c->err);
	va_start(args, format);
	r = redisvCommand(c, format, args);
	va_end(args);
	redisFree(c);
	assert_non_null(r);
	return r;
}

/* What a process that was killed left is read before the next one says that it is ready. */
static void what_was_kept_is_restored_after_a_kill(void **state)
{
	int status;

	(void)state;
	start_ready();
	for (int i = 1; i <= 3; i++) {
		freeReplyObject(ask_redis("HSET postern:edge:edge:call:%032x v 2", i));
		freeReplyObject(ask_redis("SADD postern:edge:edge:index call:%032x", i));
	}
	kill(run.pid, SIGKILL);
	assert_int_equal(waitpid(run.pid, &status, 0), run.pid);
	start_ready();
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
	assert_logged("msg=\"restored what was kept\" records=3");
}

static void a_redis_that_is_not_there_is_waited_for_and_done_without(void **state)
{
	(void)state;
	write_config_state("", ", redis: \"unix:/tmp/postern-none.sock\", start_wait: 1");
	start_ready();
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
	assert_logged("msg=\"Redis does not answer: serving without what was kept\"");
}

static void a_state_directory_is_one_nodes(void **state)
{
	char control[sizeof(run.control)];
	pid_t first;

	(void)state;
	start_ready();
	first = run.pid;
	snprintf(control, sizeof(control), "%s", run.control);
	snprintf(run.control, sizeof(run.control), "%s/run/other.sock", directory);
	write_config("");
	START(run.config);
	assert_int_equal(ended(), 1);
	assert_logged("is in use by another process");
	snprintf(run.control, sizeof(run.control), "%s", control);
	run.pid = first;
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
}

static void mistakes_are_shown_with_file_and_line(void **state)
{
	char expected[256];

	(void)state;
	write_config(", wokers: 2");
	snprintf(expected, sizeof(expected), "%s:1: unknown key \"wokers\": did you mean",
		 run.config);
	START(run.config);
	assert_int_equal(ended(), 1);
	assert_logged(expected);
	START("--check", run.config);
	assert_int_equal(ended(), 1);
	assert_logged(expected);
}

static void the_key_file_is_secret(void **state)
{
	char more[128];

	(void)state;
	snprintf(more, sizeof(more), ", key_file: %s", run.key);
	write_config(more);
	write_file(run.key, "000102030405060708090a0b0c0d0e0f\n", 0644);
	START("--check", run.config);
	assert_int_equal(ended(), 1);
	assert_logged("has mode 0644: expected 0600 or 0400");
	START("--check", "--no-devices", run.config);
	assert_int_equal(ended(), 0);
	assert_int_equal(chmod(run.key, 0600), 0);
	start_ready();
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
}

static void usage_is_told(void **state)
{
	(void)state;
	START("--nonsense");
	assert_int_equal(ended(), 2);
	START("--log", "loud", run.config);
	assert_int_equal(ended(), 2);
	START("--no-devices", run.config);
	assert_int_equal(ended(), 2);
	START("--check");
	assert_int_equal(ended(), 2);
	assert_logged("usage: postern");
	START("--help");
	assert_int_equal(ended(), 0);
	START("--version");
	assert_int_equal(ended(), 0);
}

static void the_log_level_of_the_command_line_wins(void **state)
{
	(void)state;
	START("--log", "error", run.config);
	expect_notice("READY=1");
	kill(run.pid, SIGINT);
	assert_int_equal(ended(), 0);
	assert_string_equal(run.log, "");
}

static void shipped_configurations_are_right(void **state)
{
	char pattern[512];
	glob_t g;

	(void)state;
	snprintf(pattern, sizeof(pattern), "%s/*.yaml", conf_directory);
	assert_int_equal(glob(pattern, 0, NULL, &g), 0);
	assert_true(g.gl_pathc >= 4);
	for (size_t i = 0; i < g.gl_pathc; i++) {
		int code;

		START("--check", "--no-devices", g.gl_pathv[i]);
		code = ended();
		if (code)
			print_error("%s", run.log);
		assert_int_equal(code, 0);
	}
	globfree(&g);
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(term_without_calls_ends_clean),
		TEST(int_ends_at_once_in_spite_of_calls),
		TEST(term_ends_what_is_left_after_the_drain_time),
		TEST(a_second_term_does_not_wait),
		TEST(a_worker_that_hangs_ends_the_process),
		TEST(a_worker_that_answers_nothing_cannot_hold_the_drain),
		TEST(what_the_dataplane_refuses_is_said),
		TEST(a_second_node_leaves_the_first_alone),
		TEST(what_was_kept_is_restored_after_a_kill),
		TEST(a_redis_that_is_not_there_is_waited_for_and_done_without),
		TEST(a_state_directory_is_one_nodes),
		TEST(mistakes_are_shown_with_file_and_line),
		TEST(the_key_file_is_secret),
		TEST(usage_is_told),
		TEST(the_log_level_of_the_command_line_wins),
		TEST(shipped_configurations_are_right),
	};
	int failed;

	if (argc != 3 || !mkdtemp(directory)) {
		fprintf(stderr, "usage: daemon_test POSTERN CONF_DIRECTORY\n");
		return 2;
	}
	postern = argv[1];
	conf_directory = argv[2];
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
