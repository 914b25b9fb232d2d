/*
 * redis: one connection to Redis that keeps itself up, on the event loop.
 *
 * It connects (address, Unix socket, or the master that the sentinels name),
 * authenticates, selects the database, makes sure that it talks to a master, and
 * says so; when it is lost, silent (no answer for timeout_ms while commands are under
 * way; an idle one is sent PING) or no longer a master (READONLY), it says that too,
 * fails what was under way, and tries again with a growing pause of at most a second,
 * with sentinels of 100 ms. It never blocks. The process ignores SIGPIPE.
 *
 * Commands are argument vectors with lengths: no byte of an argument can become a
 * command or another argument. All functions are for the loop's thread. A command's
 * callback is called once, always: with the reply (valid during the call; it may be an
 * error reply), or with NULL when the connection was lost. Whether Redis has carried
 * out what was lost is not known. Commands are carried out and answered in the order
 * in which they were sent. Any callback may call any function here, redis_close() too.
 */
#ifndef CONTROL_REDIS_H
#define CONTROL_REDIS_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "control/config.h"

/* Commands under way at once, and bytes of them that are held, at most. */
#define REDIS_MAX_PENDING 16384u
#define REDIS_MAX_BYTES   (32u * 1024 * 1024)

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

/*
 * `name`, without spaces, goes to CLIENT SETNAME and log lines. Begins to connect with
 * the next turn of the loop. NULL: out of memory.
 */
struct redis *redis_open(uv_loop_t *loop, const struct config_state *conf, const char *name,
			 const struct redis_events *events);

/*
 * Fails what is under way (with NULL replies) and closes; down() is not called any
 * more. Its memory goes in a later turn of the loop.
 */
void redis_close(struct redis *r);

bool redis_is_up(const struct redis *r);

/* Why it is not up; "" when it is. */
const char *redis_why(const struct redis *r);

/* False, and no callback, when it is not up or too much is under way. fn and len may be NULL. */
bool redis_command(struct redis *r, redis_reply_fn fn, void *arg, int argc, const char *const *argv,
		   const size_t *len);

/*
 * A Lua script, by its SHA-1; loaded at its first use on each connection. argv is
 * that of EVALSHA after the hash: the number of keys, keys, arguments. Should the
 * server forget the script meanwhile (SCRIPT FLUSH), the call is sent again with its
 * text, and what was sent after it may be carried out before.
 */
struct redis_script {
	const char *text;
	char sha[41]; /* computed at the first use */
};
bool redis_eval(struct redis *r, struct redis_script *script, redis_reply_fn fn, void *arg,
		int argc, const char *const *argv, const size_t *len);

/*
 * The same with the arguments as they go over the wire, each "$length CRLF bytes CRLF":
 * `command` is malloc'ed, has them from REDIS_EVAL_HEAD on, up to `len`, and is taken
 * over when this succeeds.
 */
#define REDIS_EVAL_HEAD 96u
bool redis_eval_raw(struct redis *r, struct redis_script *script, redis_reply_fn fn, void *arg,
		    int argc, char *command, size_t len);

/* Writes an argument; how many bytes: at most REDIS_BULK more than its own. */
#define REDIS_BULK 26u
size_t redis_bulk(char *to, const char *p, size_t n);

uint32_t redis_pending(const struct redis *r);  /* commands under way */
size_t redis_backlog(const struct redis *r);    /* bytes that the kernel has not taken */
uint64_t redis_commands(const struct redis *r); /* since the start */
uint64_t redis_bytes_out(const struct redis *r);

/* Milliseconds since the oldest unanswered command was sent; 0 when there is none. */
uint64_t redis_lag_ms(const struct redis *r);

#endif
