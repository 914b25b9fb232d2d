/*
 * fake_redis: what stands between a client and a redis-server, on the test's own
 * loop, and misbehaves when told: delays, drops a connection within a command or a
 * reply, swallows, freezes, answers with errors or garbage. Without a server behind
 * it (`upstream` NULL) it answers only what the test has it say. A connection on which
 * something was swallowed is dropped when it would go on: a stream has no gap.
 *
 * All counters and settings are for every connection together and may be changed
 * at any time.
 */
#ifndef TESTS_LIB_FAKE_REDIS_H
#define TESTS_LIB_FAKE_REDIS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct fake_redis;

struct fake_faults {
	uint32_t delay_ms; /* each piece of an answer comes so much later */
	bool refuse;       /* new connections are closed at once */
	bool frozen; /* nothing is passed in either direction; comes later when it thaws, from a
			      client that has gone meanwhile too */
	bool deaf;   /* commands are thrown away: they never reach the server */
	bool mute;   /* answers are thrown away: the server has carried out what was asked */
	int64_t cut_commands; /* connections are cut after so many more bytes of commands; -1 */
	int64_t cut_replies;  /* ... of answers; -1: never */
	uint32_t skip;        /* so many replies are passed on before ... */
	uint32_t instead;     /* ... so many are replaced ... */
	char reply[512];      /* ... by these bytes, such as "-OOM command not allowed\r\n" */
};

/* Listens on a Unix socket of its own under /tmp. */
struct fake_redis *fake_redis_open(uv_loop_t *loop, const char *upstream);
void fake_redis_close(struct fake_redis *f); /* its memory goes with a later turn of the loop */

const char *fake_redis_path(const struct fake_redis *f);

/* Set before: cut_commands and cut_replies -1, nothing else. */
struct fake_faults *fake_redis_faults(struct fake_redis *f);

/* Drops all connections; thaws what was frozen (also to be called after `frozen` is reset). */
void fake_redis_drop(struct fake_redis *f);
void fake_redis_thaw(struct fake_redis *f);

/* Sends bytes to every client, asked or not. */
void fake_redis_say(struct fake_redis *f, const char *bytes, size_t n);

struct fake_count {
	uint64_t accepted, commands, replies; /* bytes of commands, whole replies */
	uint32_t open;
};
struct fake_count fake_redis_count(const struct fake_redis *f);

#endif
