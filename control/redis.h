/*
 * redis: one connection to Redis that keeps itself up, on the event loop.
 *
 * It connects (address, Unix socket, or the master that the sentinels name),
 * authenticates, selects the database, makes sure that it talks to a master, and
 * says so; when it is lost, slow (a command unanswered for timeout_ms) or no longer
 * a master (READONLY), it says that too, fails what was under way, and tries
 * again with a growing pause of at most a second. It never blocks.
 *
 * Commands are argument vectors with lengths: no byte of an argument can become a
 * command or another argument. All functions are for the loop's thread. A command's
 * callback is called once, always: with the reply (valid during the call; it may be an
 * error reply), or with NULL when the connection was lost or the command timed out.
 * Whether Redis has carried out what was lost is not known.
 */
#ifndef CONTROL_REDIS_H
#define CONTROL_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "control/config.h"

struct redis;

struct redis_up {
	char run_id[48];   /* of the server: another one may have lost data */
	uint32_t replicas; /* connected to it */
};

struct redis_events {
	void (*up)(void *arg, const struct redis_up *up);
	void (*down)(void *arg, const char *why); /* once for each up() */
	void *arg;
};

typedef void (*redis_reply_fn)(void *arg, const redisReply *reply);

/* `name` goes to CLIENT SETNAME and log lines. Begins to connect with the next turn of the loop. */
struct redis *redis_open(uv_loop_t *loop, const struct config_state *conf, const char *name,
			 const struct redis_events *events);

/* Fails what is under way (with NULL replies) and closes; down() is not called any more. */
void redis_close(struct redis *r);

bool redis_is_up(const struct redis *r);

/* False, and no callback, when it is not up or `limit` commands are under way. fn may be NULL. */
bool redis_command(struct redis *r, redis_reply_fn fn, void *arg, int argc, const char *const *argv,
		   const size_t *len);

/*
 * A Lua script, by its SHA-1; loaded where the server does not know it. argv is
 * that of EVALSHA after the hash: the number of keys, keys, arguments.
 */
struct redis_script {
	const char *text;
	char sha[41]; /* computed at the first use */
};
bool redis_eval(struct redis *r, struct redis_script *script, redis_reply_fn fn, void *arg,
		int argc, const char *const *argv, const size_t *len);

/* Commands under way, and bytes written that the kernel has not taken. */
uint32_t redis_pending(const struct redis *r);
uint64_t redis_commands(const struct redis *r); /* since the start */
uint64_t redis_bytes_out(const struct redis *r);

/* Milliseconds since the oldest unanswered command was sent; 0 when there is none. */
uint64_t redis_lag_ms(const struct redis *r);

#endif
