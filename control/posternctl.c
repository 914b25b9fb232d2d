/* posternctl: asks a running postern over its control socket. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/ctl_request.h"
#include "control/show.h"

#define DEFAULT_SOCKET "/run/postern/control.sock"
#define ANSWER_WAIT_S  30

enum { DONE, REFUSED, USAGE, NO_CONNECTION };

static const char usage[] =
	"usage: posternctl [--socket PATH] [--json] COMMAND\n"
	"\n"
	"  status         the node, its workers, and what is in use\n"
	"  state          what is kept in Redis, what is owed there, what was restored\n"
	"  calls          calls there are now\n"
	"  registrations  phones that are registered through this node\n"
	"  flows          media: where it comes from, what arrived, what was refused\n"
	"  drops [--all]  packets and messages dropped or refused, by reason\n"
	"  ports          network ports\n"
	"  neighbours     next hops and their MAC addresses\n"
	"  kill CALL      ends a call with BYE to both sides; CALL as calls shows it\n"
	"  drain [--off]  takes no new calls from now on; in a cluster: gives its groups\n"
	"                 to other nodes and takes none, or takes part again\n"
	"  cluster        nodes, who serves which group of addresses, who would take it\n"
	"  move GROUP NODE  gives a group that this node serves to another node\n"
	"\n"
	"  --socket PATH  the node's control socket (default " DEFAULT_SOCKET ")\n"
	"  --json         the answer as the node gave it, for programs\n"
	"\n"
	"exit codes: 0 done, 1 refused by the node, 2 usage, 3 no connection\n";

struct options {
	const char *socket;
	bool json, all, off;
	const char *cmd, *arg[2];
};

static int bad_usage(const char *why)
{
	fprintf(stderr, "posternctl: %s\n%s", why, usage);
	return USAGE;
}

static bool is_cmd(const char *name)
{
	for (unsigned i = 0; i < CTL_CMDS; i++)
		if (strcmp(name, ctl_cmd_name((enum ctl_cmd)i)) == 0)
			return true;
	return false;
}

static int read_command(int argc, char **argv, struct options *o)
{
	int args;

	if (argc < 1)
		return bad_usage("expected a command");
	o->cmd = argv[0];
	if (!is_cmd(o->cmd))
		return bad_usage("unknown command");
	args = strcmp(o->cmd, "kill") == 0 ? 1 : strcmp(o->cmd, "move") == 0 ? 2 : 0;
	if (argc != args + 1)
		return bad_usage(args == 1   ? "kill: expected one call"
				 : args == 2 ? "move: expected a group and a node"
					     : "too many arguments");
	for (int i = 0; i < args; i++)
		o->arg[i] = argv[i + 1];
	if (o->all && strcmp(o->cmd, "drops") != 0)
		return bad_usage("--all goes with drops");
	if (o->off && strcmp(o->cmd, "drain") != 0)
		return bad_usage("--off goes with drain");
	return -1;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {{"socket", required_argument, NULL, 's'},
					      {"json", no_argument, NULL, 'j'},
					      {"all", no_argument, NULL, 'a'},
					      {"off", no_argument, NULL, 'o'},
					      {"help", no_argument, NULL, 'h'},
					      {"version", no_argument, NULL, 'v'},
					      {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (opt) {
		case 's':
			o->socket = optarg;
			break;
		case 'j':
			o->json = true;
			break;
		case 'a':
			o->all = true;
			break;
		case 'o':
			o->off = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return DONE;
		case 'v':
			puts("posternctl " POSTERN_VERSION);
			return DONE;
		default:
			fputs(usage, stderr);
			return USAGE;
		}
	}
	return read_command(argc - optind, argv + optind, o);
}

static const char *what_to_do(int err)
{
	switch (err) {
	case ENOENT:
		return "is postern running? its socket is node.control in its configuration, see "
		       "--socket";
	case ECONNREFUSED:
		return "postern has ended without removing it: start it again";
	case EACCES:
	case EPERM:
		return "only the user that runs postern may use it: try as that user";
	default:
		return "see --socket";
	}
}

static int no_connection(const char *path, int err)
{
	fprintf(stderr, "posternctl: %s: %s: %s\n", path, strerror(err), what_to_do(err));
	return -1;
}

static int connect_to(const char *path)
{
	const struct timeval wait = {.tv_sec = ANSWER_WAIT_S};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, err;

	if (strlen(path) >= sizeof(un.sun_path))
		return no_connection(path, ENAMETOOLONG);
	memcpy(un.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return no_connection(path, errno);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
		err = errno;
		close(fd);
		return no_connection(path, err);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

static bool send_request(int fd, const struct options *o)
{
	json_t *j = json_pack("{s:s}", "cmd", o->cmd);
	char *text;
	bool ok;

	if (strcmp(o->cmd, "kill") == 0)
		json_object_set_new(j, "call", json_string(o->arg[0]));
	if (strcmp(o->cmd, "move") == 0) {
		json_object_set_new(j, "group", json_string(o->arg[0]));
		json_object_set_new(j, "node", json_string(o->arg[1]));
	}
	if (o->off)
		json_object_set_new(j, "off", json_true());
	if (o->all)
		json_object_set_new(j, "all", json_true());
	text = json_dumps(j, JSON_COMPACT);
	json_decref(j);
	ok = text && send(fd, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text) &&
	     send(fd, "\n", 1, MSG_NOSIGNAL) == 1;
	free(text);
	return ok;
}

/* The answer's line without its newline, NUL-terminated; NULL when none came whole. */
static char *read_answer(int fd)
{
	size_t n = 0, room = 0;
	char *text = NULL;

	for (;;) {
		ssize_t got;

		if (room - n < 2) {
			char *p = realloc(text, room = room ? room * 2 : 65536);

			if (!p)
				break;
			text = p;
		}
		got = read(fd, text + n, room - n - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (text[n - 1] == '\n') {
			text[n - 1] = '\0';
			return text;
		}
	}
	free(text);
	return NULL;
}

static int show(const struct options *o, const char *text)
{
	json_error_t err;
	json_t *j = json_loads(text, 0, &err);
	const char *why;
	int code = DONE;

	if (!j) {
		fprintf(stderr, "posternctl: the answer is not JSON: %s\n", err.text);
		return NO_CONNECTION;
	}
	if (!json_is_true(json_object_get(j, "ok"))) {
		why = json_string_value(json_object_get(j, "error"));
		fprintf(stderr, "posternctl: %s: %s\n", o->cmd, why ? why : "refused");
		code = REFUSED;
	}
	if (o->json)
		puts(text);
	else if (code == DONE)
		show_answer(o->cmd, j, stdout);
	json_decref(j);
	return code;
}

int main(int argc, char **argv)
{
	struct options o = {.socket = DEFAULT_SOCKET};
	int code = read_options(argc, argv, &o), fd;
	char *text = NULL;

	if (code >= 0)
		return code;
	fd = connect_to(o.socket);
	if (fd < 0)
		return NO_CONNECTION;
	if (send_request(fd, &o))
		text = read_answer(fd);
	close(fd);
	if (!text) {
		fprintf(stderr, "posternctl: %s: no answer within %d s\n", o.socket, ANSWER_WAIT_S);
		return NO_CONNECTION;
	}
	code = show(&o, text);
	free(text);
	return code;
}
