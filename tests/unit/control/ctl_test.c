/*
 * The control socket whole: clients, questions to (fake) workers, answers; and
 * posternctl against it, given as the program's argument.
 */
#include <errno.h>
#include <fcntl.h>
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
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "control/ctl.h"
#include "control/log.h"
#include "tests/unit/control/fake_dp.h"

extern char **environ;

static const char *posternctl;
static char directory[] = "/tmp/postern-ctl-XXXXXX";
static char path[sizeof(directory) + 32];

static const char text[] =
	"node: {name: edge, workers: 2}\n"
	"ports:\n"
	"  - {name: out, device: net_null0, address: 192.0.2.1/24}\n"
	"  - {name: in, device: net_null1, address: 10.0.0.1/24}\n"
	"realms:\n"
	"  - {name: access, port: out, trust: untrusted, sip: [\"udp:5060\"], media: 20000-20999}\n"
	"  - {name: core, port: in, trust: trusted, sip: [\"udp:5060\"], media: 20000-20999}\n"
	"peers:\n"
	"  - {name: pbx, realm: core, address: \"10.0.0.10:5060\"}\n";

static struct {
	uv_loop_t loop;
	struct config *config;
	struct collect *collect;
	struct ctl ctl;
	struct ctl_server *server;
	uint32_t asked;
	uint64_t ms; /* collect's clock */
} node;

static void drop_line(void *arg, enum log_level level, const char *line, size_t len)
{
	(void)arg;
	(void)level;
	(void)line;
	(void)len;
}

static void asked(void *arg)
{
	(void)arg;
	node.asked++;
}

static int set_up(void **state)
{
	static struct config_report report;
	char why[256] = "";

	(void)state;
	memset(&node, 0, sizeof(node));
	fake_dp_reset(2);
	log_set_sink(drop_line, NULL, NULL);
	node.config = config_parse("t", text, strlen(text), CONFIG_CHECK_TEXT, &report);
	assert_non_null(node.config);
	node.collect = collect_new((struct dataplane *)&fake_dp, 2);
	uv_loop_init(&node.loop);
	node.ctl = (struct ctl){
		.config = node.config, .collect = node.collect, .began_ms = 400000, .asked = asked};
	node.server =
		ctl_server_open(&node.loop, path, ctl_serve_line, &node.ctl, why, sizeof(why));
	if (!node.server)
		print_error("%s\n", why);
	assert_non_null(node.server);
	return 0;
}

static int tear_down(void **state)
{
	struct stat st;

	(void)state;
	collect_free(node.collect);
	ctl_server_close(node.server);
	uv_run(&node.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&node.loop), 0);
	free(node.config);
	assert_int_equal(fake_dp.replies_out, 0);
	assert_int_equal(stat(path, &st), -1);
	fake_dp_reset(1);
	log_set_sink(NULL, NULL, NULL);
	return 0;
}

static void turn(void)
{
	uv_run(&node.loop, UV_RUN_NOWAIT);
	collect_poll(node.collect, node.ms);
}

static int connect_client(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(int fd, const char *s, size_t n)
{
	while (n) {
		ssize_t sent = send(fd, s, n, MSG_NOSIGNAL);

		if (sent < 0) {
			assert_int_equal(errno, EAGAIN);
			turn();
			continue;
		}
		s += sent;
		n -= (size_t)sent;
	}
}

/* The next line, without its newline; NULL when the server closes instead. */
static char *hear(int fd)
{
	static char line[4 * 1024 * 1024];
	size_t n = 0;

	for (int turns = 0; turns < 100000 && n < sizeof(line) - 1; turns++) {
		ssize_t got = read(fd, line + n, 1);

		if (got == 0 || (got < 0 && errno == ECONNRESET))
			return NULL;
		if (got < 0) {
			turn();
			continue;
		}
		turns = 0;
		if (line[n] == '\n') {
			line[n] = '\0';
			return line;
		}
		n++;
	}
	fail_msg("no answer");
	return NULL;
}

static json_t *ask(const char *line)
{
	int fd = connect_client();
	json_t *j;
	char *answer;

	say(fd, line, strlen(line));
	say(fd, "\n", 1);
	answer = hear(fd);
	assert_non_null(answer);
	j = json_loads(answer, 0, NULL);
	assert_non_null(j);
	close(fd);
	return j;
}

static void assert_refused(json_t *j, const char *why)
{
	assert_true(json_is_false(json_object_get(j, "ok")));
	assert_string_equal(json_string_value(json_object_get(j, "error")), why);
	json_decref(j);
}

static int64_t num(const json_t *j, const char *key)
{
	assert_true(json_is_integer(json_object_get(j, key)));
	return json_integer_value(json_object_get(j, key));
}

static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	assert_non_null(s);
	return s;
}

static void status_adds_the_workers_up(void **state)
{
	json_t *j, *w;

	(void)state;
	for (uint16_t i = 0; i < 2; i++) {
		struct dp_worker_stats *s = &fake_dp.worker[i].stats;

		fake_dp_calls(i, 3 + i);
		s->engine.calls_total = 1ull << 40;
		s->engine.ports_used = 10;
		s->flows = 4;
		s->rx_packets = 5 + i;
		s->mbufs_free = 99;
	}
	j = ask("{\"cmd\":\"status\"}");
	assert_true(json_is_true(json_object_get(j, "ok")));
	assert_string_equal(str(j, "node"), "edge");
	assert_true(*str(j, "version"));
	assert_int_equal(num(j, "uptime_ms"), 600000);
	assert_true(json_is_false(json_object_get(j, "draining")));
	assert_int_equal(num(j, "calls"), 7);
	assert_int_equal(num(j, "calls_established"), 7);
	assert_true(num(j, "calls_total") == 1ll << 41);
	assert_int_equal(num(j, "ports_used"), 20);
	assert_int_equal(num(j, "flows"), 8);
	static const char *const others[] = {
		"registrations",   "transactions",   "ports_free",
		"blobs",           "calls_answered", "registered_total",
		"retransmissions", "messages_in",    "messages_out"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(num(j, others[i]), 0);
	assert_int_equal(json_array_size(json_object_get(j, "workers")), 2);
	w = json_array_get(json_object_get(j, "workers"), 1);
	assert_int_equal(num(w, "worker"), 1);
	assert_int_equal(num(w, "rx_packets"), 6);
	assert_int_equal(num(w, "mbufs_free"), 99);
	static const char *const more[] = {"tx_packets",   "relayed",    "handed_off",
					   "loops",        "busy_loops", "mbufs_used",
					   "records_lost", "busy_us",    "up_us"};
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		assert_int_equal(num(w, more[i]), 0);
	assert_true(node.asked > 0);
	json_decref(j);
}

static void calls_of_all_workers_come_by_age(void **state)
{
	json_t *j, *c, *list;

	(void)state;
	fake_dp_calls(0, 2 * DP_BATCH); /* the last full batch is followed by an empty one */
	fake_dp_calls(1, 5);
	fake_dp.worker[1].call[3].began_ms -= 1000;
	fake_dp.worker[1].call[3].answered_ms = 0;
	fake_dp.worker[1].call[3].state = CALL_EARLY;
	fake_dp.worker[1].full = 3;
	j = ask("{\"cmd\":\"calls\"}");
	list = json_object_get(j, "calls");
	assert_int_equal(json_array_size(list), 2 * DP_BATCH + 5);
	assert_null(json_object_get(j, "truncated"));
	c = json_array_get(list, 0);
	assert_string_equal(str(c, "id"), "0000000110000003");
	assert_int_equal(num(c, "worker"), 1);
	assert_string_equal(str(c, "state"), engine_call_state_name(CALL_EARLY));
	assert_int_equal(num(c, "age_ms"), 3000);
	assert_true(json_is_null(json_object_get(c, "answered_ms_ago")));
	c = json_array_get(list, 1);
	assert_int_equal(num(c, "answered_ms_ago"), 1000);
	assert_int_equal(num(c, "streams"), 1);
	c = json_object_get(c, "from");
	assert_string_equal(str(c, "realm"), "access");
	assert_string_equal(str(c, "user"), "alice0");
	assert_string_equal(str(c, "address"), "198.51.100.7:5062");
	assert_true(strncmp(str(c, "call_id"), "a-", 2) == 0);
	assert_int_equal(num(c, "media_port"), 20000);
	json_decref(j);
}

static void registrations_show_what_is_not_utf8(void **state)
{
	json_t *j, *r;

	(void)state;
	fake_dp.worker[1].registrations = 40;
	j = ask("{\"cmd\":\"registrations\"}");
	assert_int_equal(json_array_size(json_object_get(j, "registrations")), 40);
	r = json_array_get(json_object_get(j, "registrations"), 39);
	assert_string_equal(str(r, "user"), "j?rg0039");
	assert_string_equal(str(r, "contact"), "sip:x@192.168.1.2:5060");
	assert_string_equal(str(r, "realm"), "access");
	assert_string_equal(str(r, "peer"), "pbx");
	assert_string_equal(str(r, "source"), "198.51.100.7:5062");
	assert_int_equal(num(r, "expires_in_ms"), 60000);
	json_decref(j);
}

static void flows_stand_by_call_and_leg(void **state)
{
	json_t *j, *f;

	(void)state;
	fake_dp.worker[0].flows = 4;
	fake_dp.worker[1].flows = 4;
	j = ask("{\"cmd\":\"flows\"}");
	assert_int_equal(json_array_size(json_object_get(j, "flows")), 8);
	f = json_array_get(json_object_get(j, "flows"), 7);
	assert_string_equal(str(f, "call"), "0000000110000000");
	assert_string_equal(str(f, "realm"), "access");
	assert_int_equal(num(f, "port"), 20003);
	assert_string_equal(str(f, "peer_realm"), "core");
	assert_int_equal(num(f, "peer_port"), 30003);
	assert_int_equal(num(f, "leg"), 1);
	assert_int_equal(num(f, "stream"), 0);
	assert_true(json_is_true(json_object_get(f, "rtcp")));
	assert_true(json_is_true(json_object_get(f, "latched")));
	assert_true(json_is_true(json_object_get(f, "locked")));
	assert_true(json_is_false(json_object_get(f, "closed")));
	assert_string_equal(str(f, "remote"), "198.51.100.7:4000");
	assert_int_equal(num(f, "packets"), 1234);
	assert_int_equal(num(f, "bytes"), 265310);
	assert_int_equal(num(f, "refused"), 0);
	assert_int_equal(num(f, "lost"), 0);
	assert_int_equal(num(f, "duplicates"), 0);
	assert_int_equal(num(f, "jitter_us"), 1250);
	assert_string_equal(str(f, "ssrc"), "deadbeef");
	assert_int_equal(num(f, "idle_ms"), 20);
	json_decref(j);
}

static void drops_of_engine_and_packet_path(void **state)
{
	json_t *j, *d;

	(void)state;
	j = ask("{\"cmd\":\"drops\"}");
	assert_int_equal(json_array_size(json_object_get(j, "drops")), 0);
	json_decref(j);
	fake_dp.worker[0].stats.reasons.n[REASON_FLOW_SOURCE] = 2;
	fake_dp.worker[1].stats.engine.reasons.n[REASON_FLOW_SOURCE] = 3;
	j = ask("{\"cmd\":\"drops\"}");
	assert_int_equal(json_array_size(json_object_get(j, "drops")), 1);
	d = json_array_get(json_object_get(j, "drops"), 0);
	assert_string_equal(str(d, "reason"), "flow-source");
	assert_int_equal(num(d, "count"), 5);
	assert_string_equal(str(d, "text"), reason_text(REASON_FLOW_SOURCE));
	json_decref(j);
	j = ask("{\"cmd\":\"drops\",\"all\":true}");
	assert_int_equal(json_array_size(json_object_get(j, "drops")), REASON_COUNT);
	json_decref(j);
}

static void ports_and_neighbours_are_the_nodes(void **state)
{
	json_t *j, *p;

	(void)state;
	j = ask("{\"cmd\":\"ports\"}");
	assert_int_equal(json_array_size(json_object_get(j, "ports")), 2);
	p = json_array_get(json_object_get(j, "ports"), 1);
	assert_string_equal(str(p, "name"), "in");
	assert_string_equal(str(p, "mac"), "02:00:00:00:00:01");
	assert_true(json_is_false(json_object_get(p, "link_up")));
	json_decref(j);
	j = ask("{\"cmd\":\"neighbours\"}");
	assert_int_equal(json_array_size(json_object_get(j, "neighbours")), 2);
	p = json_array_get(json_object_get(j, "neighbours"), 0);
	assert_string_equal(str(p, "port"), "out");
	assert_string_equal(str(p, "address"), "192.0.2.254");
	assert_true(json_is_null(json_object_get(p, "mac")));
	p = json_array_get(json_object_get(j, "neighbours"), 1);
	assert_string_equal(str(p, "mac"), "02:00:00:00:00:09");
	json_decref(j);
}

static void kill_ends_the_call_of_its_worker_only(void **state)
{
	(void)state;
	fake_dp_calls(0, 3);
	fake_dp_calls(1, 3);
	json_decref(ask("{\"cmd\":\"kill\",\"call\":\"0000000110000002\"}"));
	assert_int_equal(fake_dp.worker[0].killed, 0);
	assert_int_equal(fake_dp.worker[1].killed, 1);
	assert_refused(ask("{\"cmd\":\"kill\",\"call\":\"0000000110000002\"}"),
		       "there is no such call");
	assert_refused(ask("{\"cmd\":\"kill\",\"call\":\"0000000190000002\"}"),
		       "there is no such call");
}

static void drain_reaches_every_worker(void **state)
{
	json_t *j = ask("{\"cmd\":\"drain\"}");

	(void)state;
	assert_true(json_is_true(json_object_get(j, "ok")));
	assert_true(fake_dp.worker[0].draining && fake_dp.worker[1].draining);
	json_decref(j);
	j = ask("{\"cmd\":\"status\"}");
	assert_true(json_is_true(json_object_get(j, "draining")));
	json_decref(j);
}

static void too_many_rows_are_cut(void **state)
{
	json_t *j;

	(void)state;
	fake_dp.worker[0].registrations = COLLECT_MAX_ROWS + 100;
	fake_dp.worker[1].registrations = 10;
	/* Its text alone is longer than hear() takes: read what it says at its end. */
	int fd = connect_client();
	static char tail[64];
	size_t total = 0;
	ssize_t n;

	say(fd, "{\"cmd\":\"registrations\"}\n", 24);
	do {
		static char chunk[65536];

		n = read(fd, chunk, sizeof(chunk));
		if (n < 0) {
			turn();
			continue;
		}
		total += (size_t)n;
		if ((size_t)n >= sizeof(tail))
			memcpy(tail, chunk + n - sizeof(tail), sizeof(tail));
		else {
			memmove(tail, tail + n, sizeof(tail) - (size_t)n);
			memcpy(tail + sizeof(tail) - n, chunk, (size_t)n);
		}
	} while (tail[sizeof(tail) - 1] != '\n');
	close(fd);
	assert_true(total > COLLECT_MAX_ROWS * 100u);
	tail[sizeof(tail) - 1] = '\0';
	assert_non_null(strstr(tail, "],\"truncated\":true}"));
	j = ask("{\"cmd\":\"calls\"}");
	json_decref(j);
}

static void a_silent_worker_is_not_waited_for(void **state)
{
	int fd = connect_client();

	(void)state;
	fake_dp.worker[1].silent = true;
	node.ms = 1000;
	say(fd, "{\"cmd\":\"calls\"}\n", 16);
	for (int i = 0; i < 10; i++)
		turn();
	node.ms += COLLECT_TIMEOUT_MS;
	assert_string_equal(hear(fd),
			    "{\"ok\":false,\"error\":\"a worker did not answer in time\"}");
	/* What comes after all belongs to nobody and does no harm. */
	fake_dp.worker[1].silent = false;
	say(fd, "{\"cmd\":\"calls\"}\n", 16);
	assert_string_equal(hear(fd), "{\"ok\":true,\"calls\":[]}");
	close(fd);
}

static void lines_of_one_client_are_answered_in_turn(void **state)
{
	static const char both[] = "{\"cmd\":\"calls\"}\nrubbish\n{\"cmd\":\"drain\"}";
	int fd = connect_client();

	(void)state;
	say(fd, both, strlen(both));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(hear(fd), "{\"ok\":true,\"calls\":[]}");
	assert_non_null(strstr(hear(fd), "\"error\":\"not JSON"));
	/* The last line had no newline; the client had already closed its side. */
	assert_string_equal(hear(fd), "{\"ok\":true}");
	assert_null(hear(fd));
	close(fd);
}

static void a_line_in_pieces_and_zero_bytes(void **state)
{
	static const char line[] = "{\"cmd\":\"calls\"}\n";
	int fd = connect_client();

	(void)state;
	for (size_t i = 0; i < strlen(line); i++) {
		say(fd, line + i, 1);
		turn();
	}
	assert_string_equal(hear(fd), "{\"ok\":true,\"calls\":[]}");
	say(fd, "\0\0\n", 3);
	assert_non_null(strstr(hear(fd), "\"error\":\"not JSON"));
	say(fd, "\n", 1);
	assert_non_null(strstr(hear(fd), "\"error\":\"not JSON"));
	close(fd);
}

static void too_long_a_line_ends_the_client(void **state)
{
	static char line[CTL_MAX_LINE + 1];
	int fd = connect_client();

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, "{\"cmd\":\"calls\"}", 15);
	line[CTL_MAX_LINE] = '\n'; /* the longest there may be */
	say(fd, line, sizeof(line));
	assert_string_equal(hear(fd), "{\"ok\":true,\"calls\":[]}");
	line[CTL_MAX_LINE] = ' ';
	say(fd, line, sizeof(line));
	assert_string_equal(hear(fd), "{\"ok\":false,\"error\":\"line longer than 65536 bytes\"}");
	assert_null(hear(fd));
	close(fd);
}

static void clients_are_bounded(void **state)
{
	int fd[CTL_MAX_CLIENTS], extra;

	(void)state;
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		fd[i] = connect_client();
		turn();
	}
	extra = connect_client();
	assert_string_equal(hear(extra), "{\"ok\":false,\"error\":\"too many clients\"}");
	assert_null(hear(extra));
	close(extra);
	/* All ask at once, some leave without waiting. */
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		say(fd[i], "{\"cmd\":\"status\"}\n", 17);
		if (i % 4 == 0)
			close(fd[i]);
	}
	for (unsigned i = 0; i < CTL_MAX_CLIENTS; i++) {
		if (i % 4 == 0)
			continue;
		assert_non_null(strstr(hear(fd[i]), "\"ok\":true"));
		close(fd[i]);
	}
	for (int i = 0; i < 20; i++)
		turn();
	json_decref(ask("{\"cmd\":\"calls\"}"));
}

static void a_client_that_is_waiting_when_the_node_stops(void **state)
{
	int fd = connect_client();

	(void)state;
	fake_dp.worker[0].silent = true;
	say(fd, "{\"cmd\":\"calls\"}\n", 16);
	for (int i = 0; i < 10; i++)
		turn();
	assert_int_equal(collect_active(node.collect), 1);
	node.ctl.collect = NULL;
	collect_free(node.collect);
	node.collect = collect_new((struct dataplane *)&fake_dp, 2);
	assert_string_equal(hear(fd), "{\"ok\":false,\"error\":\"the node is stopping\"}");
	say(fd, "{\"cmd\":\"calls\"}\n", 16);
	assert_string_equal(hear(fd), "{\"ok\":false,\"error\":\"not ready\"}");
	close(fd);
}

static void the_socket_is_private_and_one_nodes(void **state)
{
	struct stat st;
	char why[256] = "", other[sizeof(path) + 8];
	FILE *f;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_null(ctl_server_open(&node.loop, path, ctl_serve_line, &node.ctl, why, sizeof(why)));
	assert_non_null(strstr(why, "is served by another process"));
	snprintf(other, sizeof(other), "%s.file", path);
	f = fopen(other, "w");
	assert_non_null(f);
	fclose(f);
	assert_null(
		ctl_server_open(&node.loop, other, ctl_serve_line, &node.ctl, why, sizeof(why)));
	assert_non_null(strstr(why, "is there and no socket"));
	assert_int_equal(unlink(other), 0);
	assert_null(ctl_server_open(&node.loop, "/nosuchdir/deep/c.sock", ctl_serve_line, &node.ctl,
				    why, sizeof(why)));
	assert_non_null(strstr(why, "/nosuchdir/deep for the control socket cannot be made"));
}

static void a_socket_left_behind_is_taken_over(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct ctl_server *s;
	char why[256] = "";
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(un.sun_path, sizeof(un.sun_path), "%s.left", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	s = ctl_server_open(&node.loop, un.sun_path, ctl_serve_line, &node.ctl, why, sizeof(why));
	assert_non_null(s);
	ctl_server_close(s);
	assert_int_equal(access(un.sun_path, F_OK), -1);
}

struct run {
	int code;
	char out[16384], err[4096];
};

static void slurp(const char *file, char *out, size_t cap)
{
	FILE *f = fopen(file, "r");

	assert_non_null(f);
	out[fread(out, 1, cap - 1, f)] = '\0';
	fclose(f);
	unlink(file);
}

/* Runs posternctl while the node turns. */
static void run_posternctl(struct run *r, const char *const *args)
{
	char *argv[12] = {(char *)posternctl};
	char out[sizeof(path) + 8], err[sizeof(path) + 8];
	posix_spawn_file_actions_t files;
	pid_t pid;
	int status, n = 1;

	while (*args)
		argv[n++] = (char *)*args++;
	snprintf(out, sizeof(out), "%s.out", path);
	snprintf(err, sizeof(err), "%s.err", path);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&files, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(posix_spawn(&pid, posternctl, &files, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&files);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		turn();
		usleep(200);
	}
	assert_true(WIFEXITED(status));
	r->code = WEXITSTATUS(status);
	slurp(out, r->out, sizeof(r->out));
	slurp(err, r->err, sizeof(r->err));
}

#define RUN(r, ...) run_posternctl(r, (const char *const[]){__VA_ARGS__, NULL})

static void posternctl_prints_tables(void **state)
{
	static struct run r;

	(void)state;
	fake_dp_calls(0, 2);
	fake_dp.worker[0].flows = 2;
	fake_dp.worker[0].stats.reasons.n[REASON_FLOW_SOURCE] = 12;
	fake_dp.worker[0].stats.reasons.n[REASON_UDP_PORT] = 3;
	RUN(&r, "--socket", path, "calls");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.err, "");
	assert_string_equal(
		r.out,
		"CALL              STATE       AGE   TALK  FROM    FROM SIDE                 TO   "
		"TO SIDE                MEDIA PORTS  STREAMS\n"
		"0000000100000000  answered  2.0 s  1.0 s  alice0  access 198.51.100.7:5062  bob  "
		"core 10.0.0.10:5060  20000 / 30000        1\n"
		"0000000100000001  answered  2.0 s  1.0 s  alice1  access 198.51.100.7:5062  bob  "
		"core 10.0.0.10:5060  20000 / 30000        1\n");
	RUN(&r, "--socket", path, "drops");
	assert_string_equal(r.out,
			    "COUNT  REASON       MEANING\n"
			    "    3  udp-port     UDP port where nothing listens\n"
			    "   12  flow-source  media from a source other than the flow's\n");
	RUN(&r, "--socket", path, "flows");
	assert_non_null(strstr(r.out, "265 kB"));
	assert_non_null(strstr(r.out, "1.2 ms"));
	RUN(&r, "--socket", path, "registrations");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "no registrations\n");
	RUN(&r, "--socket", path, "status");
	assert_non_null(strstr(r.out, "calls         2 now, 2 of them answered\n"));
	RUN(&r, "--socket", path, "ports");
	assert_non_null(strstr(r.out, "214 MB"));
	RUN(&r, "--socket", path, "neighbours");
	assert_non_null(strstr(r.out, "unresolved"));
}

static void posternctl_tells_how_it_went(void **state)
{
	static struct run r;

	(void)state;
	fake_dp_calls(0, 1);
	RUN(&r, "--socket", path, "--json", "calls");
	assert_int_equal(r.code, 0);
	assert_true(strncmp(r.out, "{\"ok\":true,\"calls\":[{", 21) == 0);
	RUN(&r, "--socket", path, "kill", "0000000100000000");
	assert_int_equal(r.code, 0);
	assert_string_equal(r.out, "the call is being ended\n");
	RUN(&r, "--socket", path, "kill", "0000000100000000");
	assert_int_equal(r.code, 1);
	assert_string_equal(r.err, "posternctl: kill: there is no such call\n");
	RUN(&r, "--socket", path, "drain");
	assert_int_equal(r.code, 0);
	RUN(&r, "--socket", path, "cluster");
	assert_int_equal(r.code, 1);
	assert_string_equal(
		r.err, "posternctl: cluster: this node is alone: it is no member of a cluster\n");
	RUN(&r, "--socket", path, "--off", "drain");
	assert_int_equal(r.code, 1);
	RUN(&r, "--socket", path, "move", "g1", "edge2");
	assert_int_equal(r.code, 1);
	RUN(&r, "--socket", path, "move", "g1");
	assert_int_equal(r.code, 2);
	RUN(&r, "--socket", path, "--off", "calls");
	assert_int_equal(r.code, 2);
	RUN(&r, "--socket", path, "nonsense");
	assert_int_equal(r.code, 2);
	RUN(&r, "--socket", path, "kill");
	assert_int_equal(r.code, 2);
	RUN(&r, "--socket", path, "--all", "calls");
	assert_int_equal(r.code, 2);
	RUN(&r, "--nonsense");
	assert_int_equal(r.code, 2);
	RUN(&r, "--socket", "/nosuchdir/c.sock", "calls");
	assert_int_equal(r.code, 3);
	assert_string_equal(r.err, "posternctl: /nosuchdir/c.sock: No such file or directory: is "
				   "postern running? its socket is node.control in its "
				   "configuration, see --socket\n");
	RUN(&r, "--help");
	assert_int_equal(r.code, 0);
	assert_non_null(strstr(r.out, "usage: posternctl"));
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(status_adds_the_workers_up),
		TEST(calls_of_all_workers_come_by_age),
		TEST(registrations_show_what_is_not_utf8),
		TEST(flows_stand_by_call_and_leg),
		TEST(drops_of_engine_and_packet_path),
		TEST(ports_and_neighbours_are_the_nodes),
		TEST(kill_ends_the_call_of_its_worker_only),
		TEST(drain_reaches_every_worker),
		TEST(too_many_rows_are_cut),
		TEST(a_silent_worker_is_not_waited_for),
		TEST(lines_of_one_client_are_answered_in_turn),
		TEST(a_line_in_pieces_and_zero_bytes),
		TEST(too_long_a_line_ends_the_client),
		TEST(clients_are_bounded),
		TEST(a_client_that_is_waiting_when_the_node_stops),
		TEST(the_socket_is_private_and_one_nodes),
		TEST(a_socket_left_behind_is_taken_over),
		TEST(posternctl_prints_tables),
		TEST(posternctl_tells_how_it_went),
	};
	int failed;

	if (argc != 2 || !mkdtemp(directory)) {
		fprintf(stderr, "usage: ctl_test POSTERNCTL\n");
		return 2;
	}
	/* As the daemon does: a client that has gone is a failed write. */
	signal(SIGPIPE, SIG_IGN);
	posternctl = argv[1];
	snprintf(path, sizeof(path), "%s/control.sock", directory);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
