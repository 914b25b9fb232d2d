/*
 * real_redis: redis-server and Sentinel as children of a test, in a directory of
 * their own under /tmp that goes with the last of them. Any failure fails the test.
 */
#ifndef TESTS_LIB_REAL_REDIS_H
#define TESTS_LIB_REAL_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct real_redis {
	char dir[64];
	char path[96];    /* Unix socket; empty for a sentinel */
	char address[32]; /* "127.0.0.1:PORT"; empty without */
	uint16_t port;    /* 0: Unix socket only */
	bool sentinel, persistent;
	char extra[256]; /* more lines of its configuration */
	pid_t pid;       /* 0: not running */
};

/* A TCP port of 127.0.0.1 that nobody has at this moment. */
uint16_t real_redis_port(void);

/* Fills in and starts, and waits until it answers. port 0: Unix socket only. */
void real_redis_start(struct real_redis *s, uint16_t port, const char *extra);

/* A sentinel that watches `master` under the name "mymaster", with quorum 1. */
void real_redis_start_sentinel(struct real_redis *s, uint16_t port,
			       const struct real_redis *master);

/* SIGKILL: what it had is gone unless it is persistent. */
void real_redis_kill(struct real_redis *s);
/* The same again, on the same paths and port. */
void real_redis_again(struct real_redis *s);
/* SIGSTOP and SIGCONT. */
void real_redis_freeze(struct real_redis *s, bool frozen);
/* Kills it and removes its directory. */
void real_redis_remove(struct real_redis *s);

/* One command by a connection of its own; the reply is the caller's to free. */
redisReply *real_redis_command(const struct real_redis *s, const char *format, ...);
/* The same, where only that it was not refused matters. */
void real_redis_do(const struct real_redis *s, const char *format, ...);
/* Its integer answer. */
long long real_redis_number(const struct real_redis *s, const char *format, ...);

#endif
