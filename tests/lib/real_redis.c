#include "tests/lib/real_redis.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/unit.h"

#define TRIES 3000 /* of 10 ms */

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
}

uint16_t real_redis_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static redisContext *connect_to(const struct real_redis *s)
{
	const struct timeval limit = {30, 0};
	redisContext *c =
		s->path[0] ? redisConnectUnix(s->path) : redisConnect("127.0.0.1", s->port);

	if (c && !c->err)
		redisSetTimeout(c, limit);
	return c;
}

static redisReply *ask(const struct real_redis *s, const char *format, va_list args)
{
	redisContext *c = connect_to(s);
	redisReply *reply = c && !c->err ? redisvCommand(c, format, args) : NULL;

	redisFree(c);
	return reply;
}

static redisReply *try(const struct real_redis *s, const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = ask(s, format, args);
	va_end(args);
	return reply;
}

redisReply *real_redis_command(const struct real_redis *s, const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = ask(s, format, args);
	va_end(args);
	assert_non_null(reply);
	return reply;
}

void real_redis_do(const struct real_redis *s, const char *format, ...)
{
	va_list args;
	redisReply *reply;

	va_start(args, format);
	reply = ask(s, format, args);
	va_end(args);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s: %s", format, reply->str);
	freeReplyObject(reply);
}

long long real_redis_number(const struct real_redis *s, const char *format, ...)
{
	va_list args;
	redisReply *reply;
	long long n;

	va_start(args, format);
	reply = ask(s, format, args);
	va_end(args);
	assert_non_null(reply);
	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	n = reply->integer;
	freeReplyObject(reply);
	return n;
}

static void write_configuration(const struct real_redis *s)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/conf", s->dir);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "port %u\nbind 127.0.0.1\nprotected-mode no\ndir %s\nlogfile %s/log\n", s->port,
		s->dir, s->dir);
	if (!s->sentinel)
		fprintf(f, "unixsocket %s\nsave \"\"\nrepl-diskless-sync-delay 0\nappendonly %s\n",
			s->path, s->persistent ? "yes" : "no");
	fprintf(f, "%s\n", s->extra);
	fclose(f);
}

static bool answers(const struct real_redis *s)
{
	redisReply *reply = try(s, "PING");
	bool ok = reply && reply->type == REDIS_REPLY_STATUS;

	/* One that wants a password answers too. */
	ok = ok ||
	     (reply && reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOAUTH", 6) == 0);
	freeReplyObject(reply);
	return ok;
}

void real_redis_again(struct real_redis *s)
{
	char path[96];
	int tries = 0;

	assert_int_equal(s->pid, 0);
	snprintf(path, sizeof(path), "%s/conf", s->dir);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 3; fd < 256; fd++)
			close(fd);
		if (s->sentinel)
			execlp("redis-server", "redis-server", path, "--sentinel", NULL);
		else
			execlp("redis-server", "redis-server", path, NULL);
		_exit(127);
	}
	while (!answers(s)) {
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
			fail_msg("redis-server ended at once: is it installed? %s/log", s->dir);
		assert_true(++tries < TRIES);
		wait_a_little();
	}
}

static void start(struct real_redis *s, uint16_t port)
{
	snprintf(s->dir, sizeof(s->dir), "/tmp/postern-redis-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	if (!s->sentinel)
		snprintf(s->path, sizeof(s->path), "%s/sock", s->dir);
	s->port = port;
	if (port)
		snprintf(s->address, sizeof(s->address), "127.0.0.1:%u", port);
	write_configuration(s);
	real_redis_again(s);
}

void real_redis_start(struct real_redis *s, uint16_t port, const char *extra)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->extra, sizeof(s->extra), "%s", extra ? extra : "");
	start(s, port);
}

void real_redis_start_sentinel(struct real_redis *s, uint16_t port, const struct real_redis *master)
{
	memset(s, 0, sizeof(*s));
	s->sentinel = true;
	snprintf(s->extra, sizeof(s->extra),
		 "sentinel monitor mymaster 127.0.0.1 %u 1\n"
		 "sentinel down-after-milliseconds mymaster 1000\n"
		 "sentinel failover-timeout mymaster 6000\n",
		 master->port);
	start(s, port);
}

void real_redis_kill(struct real_redis *s)
{
	if (!s->pid)
		return;
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) != s->pid)
		;
	s->pid = 0;
	if (s->path[0])
		unlink(s->path);
}

void real_redis_freeze(struct real_redis *s, bool frozen)
{
	kill(s->pid, frozen ? SIGSTOP : SIGCONT);
}

static void remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (unlink(path) < 0)
			remove_all(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

void real_redis_remove(struct real_redis *s)
{
	real_redis_kill(s);
	if (s->dir[0])
		remove_all(s->dir);
	s->dir[0] = '\0';
}
