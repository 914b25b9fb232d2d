#define _GNU_SOURCE /* close_range() */
#include "control/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/log.h"
#include "control/secret.h"

#define PATH_CAP      384u
#define SOCKET_CAP    108u /* sockaddr_un's */
#define PAUSE_MIN_MS  100u
#define PAUSE_MAX_MS  5000u
#define STEADY_MS     10000u /* having run so long, it has not failed at its start */
#define LOOK_MS       20u    /* between looks whether an old one has ended */
#define PATIENCE_MS   5000u  /* after SIGTERM */
#define LOCK_FD_CHILD 3
#define REWRITE_MB    256u

enum child { CHILD_NONE, CHILD_RUNS, CHILD_GONE /* its handle is being closed */ };

struct redis_server {
	uv_loop_t *loop;
	uv_process_t process;
	uv_timer_t timer;
	char directory[PATH_CAP], address[SOCKET_CAP + 8];
	char program[PATH_CAP], setpriv[PATH_CAP]; /* setpriv empty: not there */
	int lock;                                  /* of the directory, ours */
	enum child child;
	bool stopping;
	uint32_t pause_ms, waited_ms, starts;
	uint64_t began_ms;
};

static void on_timer(uv_timer_t *timer);

static bool path_of(const struct redis_server *s, const char *name, char out[PATH_CAP])
{
	return snprintf(out, PATH_CAP, "%s/%s", s->directory, name) < (int)PATH_CAP;
}

static bool find_program(const char *name, char out[PATH_CAP])
{
	const char *dir = getenv("PATH");

	for (size_t n; dir && *dir; dir += n + (dir[n] == ':')) {
		n = strcspn(dir, ":");
		snprintf(out, PATH_CAP, "%.*s/%s", (int)n, dir, name);
		if (n && access(out, X_OK) == 0)
			return true;
	}
	out[0] = '\0';
	return false;
}

/* -1 when another holds it, or with another errno than EWOULDBLOCK. */
static int take_lock(const struct redis_server *s, const char *name)
{
	char path[PATH_CAP];
	int fd, err;

	if (!path_of(s, name, path))
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/*
 * The process that the pid file names, if it works in our directory: a pid that was
 * left behind may be anybody's by now. 0: none.
 */
static pid_t old_server(const struct redis_server *s)
{
	char path[PATH_CAP], text[32] = "";
	struct stat here, there;
	FILE *f;
	long pid;

	if (!path_of(s, "redis.pid", path))
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	pid = fgets(text, sizeof(text), f) ? strtol(text, NULL, 10) : 0;
	fclose(f);
	snprintf(path, sizeof(path), "/proc/%ld/cwd", pid);
	if (pid <= 1 || stat(path, &there) < 0 || stat(s->directory, &here) < 0)
		return 0;
	return here.st_dev == there.st_dev && here.st_ino == there.st_ino ? (pid_t)pid : 0;
}

static void end_old_server(struct redis_server *s)
{
	pid_t pid = old_server(s);

	if (s->waited_ms == 0)
		log_at(LOG_LEVEL_WARN, LOG_MSG("a redis-server of an earlier process is ended"),
		       LOG_STR("directory", s->directory), LOG_I64("pid", pid));
	if (pid && s->waited_ms == 0)
		kill(pid, SIGTERM);
	if (pid && s->waited_ms == PATIENCE_MS)
		kill(pid, SIGKILL);
	s->waited_ms += LOOK_MS;
	uv_timer_start(&s->timer, on_timer, LOOK_MS, 0);
}

/* A double-quoted word of redis.conf. */
static void put_quoted(FILE *f, const char *key, const char *directory, const char *name)
{
	fprintf(f, "%s \"", key);
	for (const char *c = directory; *c; c++)
		fprintf(f, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	fprintf(f, "%s\"\n", name);
}

static bool write_configuration(const struct redis_server *s, char path[PATH_CAP])
{
	bool ok;
	FILE *f;

	if (!path_of(s, "redis.conf", path))
		return false;
	f = fopen(path, "we");
	if (!f)
		return false;
	fprintf(f, "# Written anew at each start.\nport 0\n");
	put_quoted(f, "unixsocket", s->directory, "/redis.sock");
	put_quoted(f, "dir", s->directory, "");
	put_quoted(f, "pidfile", s->directory, "/redis.pid");
	put_quoted(f, "logfile", s->directory, "/redis.log");
	fprintf(f,
		"unixsocketperm 700\ndaemonize no\ndatabases 1024\nsave \"\"\n"
		"appendonly yes\nappendfsync everysec\n"
		/* Calls come and go: the file is rewritten small again each time, by a fork. */
		"auto-aof-rewrite-min-size %uMB\n",
		REWRITE_MB);
	ok = !ferror(f);
	return fclose(f) == 0 && ok;
}

static void free_server(uv_handle_t *handle)
{
	struct redis_server *s = handle->data;

	close(s->lock);
	free(s);
}

static void start_again(struct redis_server *s)
{
	uv_timer_start(&s->timer, on_timer, s->pause_ms, 0);
	s->pause_ms = s->pause_ms * 2 < PAUSE_MAX_MS ? s->pause_ms * 2 : PAUSE_MAX_MS;
}

static void on_process_closed(uv_handle_t *handle)
{
	struct redis_server *s = handle->data;

	s->child = CHILD_NONE;
	if (s->stopping)
		uv_close((uv_handle_t *)&s->timer, free_server);
	else
		start_again(s);
}

static void on_child_exit(uv_process_t *process, int64_t status, int signum)
{
	struct redis_server *s = process->data;

	s->child = CHILD_GONE;
	if (!s->stopping)
		log_at(LOG_LEVEL_ERROR, LOG_MSG("redis-server has ended; redis.log says why"),
		       LOG_STR("directory", s->directory), LOG_I64("status", status),
		       LOG_I64("signal", signum));
	if (uv_now(s->loop) - s->began_ms >= STEADY_MS)
		s->pause_ms = PAUSE_MIN_MS;
	uv_close((uv_handle_t *)process, on_process_closed);
}

/* In a session of its own: Ctrl-C is for us, who stop it when nothing more is owed. */
static int spawn(struct redis_server *s, char *conf, int lock)
{
	char *direct[] = {s->program, conf, NULL};
	char *bound[] = {s->setpriv, "--pdeathsig", "TERM", "--", s->program, conf, NULL};
	uv_stdio_container_t io[LOCK_FD_CHILD + 1] = {
		{.flags = UV_IGNORE},
		{.flags = UV_IGNORE},
		{.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
		{.flags = UV_INHERIT_FD, .data.fd = lock},
	};
	uv_process_options_t options = {
		.exit_cb = on_child_exit,
		.file = s->setpriv[0] ? s->setpriv : s->program,
		.args = s->setpriv[0] ? bound : direct,
		.cwd = s->directory,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = LOCK_FD_CHILD + 1,
		.stdio = io,
	};

	/*
	 * Devices' descriptors are nobody's to mark but ours: a server that outlives this
	 * process for a moment would keep them from the next. Linux before 5.11 does not.
	 */
	close_range(LOCK_FD_CHILD, ~0u, CLOSE_RANGE_CLOEXEC);
	return uv_spawn(s->loop, &s->process, &options);
}

static void cannot_start(const struct redis_server *s, const char *why)
{
	log_at(LOG_LEVEL_ERROR, LOG_MSG("redis-server cannot be started"),
	       LOG_STR("directory", s->directory), LOG_STR("why", why));
}

static void try_start(struct redis_server *s)
{
	char conf[PATH_CAP];
	int lock = take_lock(s, "redis.lock"), err;

	if (lock < 0 && errno == EWOULDBLOCK) {
		end_old_server(s);
		return;
	}
	s->waited_ms = 0;
	if (lock < 0 || !write_configuration(s, conf)) {
		cannot_start(s, strerror(errno));
		if (lock >= 0)
			close(lock);
		start_again(s);
		return;
	}
	s->began_ms = uv_now(s->loop);
	err = spawn(s, conf, lock);
	close(lock); /* the child has it, and with it the lock */
	s->child = err ? CHILD_GONE : CHILD_RUNS;
	s->starts += err == 0;
	if (err) {
		cannot_start(s, uv_strerror(err));
		uv_close((uv_handle_t *)&s->process, on_process_closed);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct redis_server *s = timer->data;

	if (!s->stopping)
		try_start(s);
	else if (s->child == CHILD_RUNS)
		uv_process_kill(&s->process, SIGKILL);
}

static bool prepare(struct redis_server *s, const char *directory, char *why, size_t why_len)
{
	size_t n = strcspn(directory, "\r\n");

	if (directory[n] || snprintf(s->address, sizeof(s->address), "unix:%s/redis.sock",
				     directory) >= (int)(SOCKET_CAP + strlen("unix:"))) {
		snprintf(why, why_len, "%s: expected a path of at most %zu characters", directory,
			 SOCKET_CAP - sizeof("/redis.sock"));
		return false;
	}
	snprintf(s->directory, sizeof(s->directory), "%s", directory);
	if (!find_program("redis-server", s->program)) {
		snprintf(why, why_len,
			 "there is no redis-server: expected Debian's package redis-server, or "
			 "state.redis in the configuration");
		return false;
	}
	if (!find_program("setpriv", s->setpriv))
		log_at(LOG_LEVEL_WARN,
		       LOG_MSG("no setpriv: redis-server will outlive this process if that is "
			       "killed"));
	if (!secret_directory(directory, why, why_len))
		return false;
	s->lock = take_lock(s, "server.lock");
	if (s->lock >= 0)
		return true;
	snprintf(why, why_len, "%s: %s", directory,
		 errno == EWOULDBLOCK ? "in use by another process" : strerror(errno));
	return false;
}

struct redis_server *redis_server_start(uv_loop_t *loop, const char *directory, char *why,
					size_t why_len)
{
	struct redis_server *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	if (!prepare(s, directory, why, why_len)) {
		free(s);
		return NULL;
	}
	s->loop = loop;
	s->pause_ms = PAUSE_MIN_MS;
	uv_timer_init(loop, &s->timer);
	s->timer.data = s->process.data = s;
	uv_timer_start(&s->timer, on_timer, 0, 0);
	return s;
}

void redis_server_stop(struct redis_server *s)
{
	if (!s || s->stopping)
		return;
	s->stopping = true;
	uv_timer_stop(&s->timer);
	if (s->child == CHILD_NONE) {
		uv_close((uv_handle_t *)&s->timer, free_server);
	} else if (s->child == CHILD_RUNS) {
		uv_process_kill(&s->process, SIGTERM);
		uv_timer_start(&s->timer, on_timer, PATIENCE_MS, PATIENCE_MS);
	}
}

const char *redis_server_address(const struct redis_server *s)
{
	return s->address;
}

uint32_t redis_server_starts(const struct redis_server *s)
{
	return s->starts;
}
