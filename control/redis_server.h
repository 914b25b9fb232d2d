/*
 * redis_server: a redis-server of our own for a node that is given none.
 *
 * Runs as a child on a Unix socket (in a directory of mode 0700, no TCP port) with
 * append-only files (fsync each second) there; is started again when it ends, with
 * a growing pause. Redis writes a command to its file before it answers, so what was
 * acknowledged survives the end of any process, and all but the last second or so
 * the end of the machine.
 *
 * It ends with us. When the node stops it is told to write and stop (SIGTERM), and
 * gets the same signal from the kernel when we are killed (PR_SET_PDEATHSIG, by
 * setpriv(1) of util-linux). It holds a lock on the directory as long as it lives, in
 * any of its processes, and none is started before that is free: a server that an
 * earlier process left behind all the same is ended first, by force when it does
 * not react for some seconds. Two daemons cannot share a directory.
 *
 * Files there: redis.conf (ours, written at each start), redis.sock, redis.pid,
 * redis.log, redis.lock, lock, appendonlydir/.
 */
#ifndef CONTROL_REDIS_SERVER_H
#define CONTROL_REDIS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct redis_server;

/*
 * Takes the directory, made when it is missing, and starts with the next turn of the
 * loop. NULL with a sentence in `why`: no redis-server program, or a directory that
 * cannot be used.
 */
struct redis_server *redis_server_start(uv_loop_t *loop, const char *directory, char *why,
					size_t why_len);

/* The directory and the memory are free once the loop has seen its end. NULL is allowed. */
void redis_server_stop(struct redis_server *s);

/* "unix:PATH" to connect to. */
const char *redis_server_address(const struct redis_server *s);

/* How often it was started: more than once means that it has ended by itself. */
uint32_t redis_server_starts(const struct redis_server *s);

#endif
