/*
 * redis_server: a redis-server of our own for a node that is given none.
 *
 * Runs as a child on a Unix socket (mode 0700 directory, no TCP port) with
 * append-only files (fsync each second) under the state directory; is started
 * again when it ends, with a growing pause; ends with us, also when we are
 * killed: a server that an earlier process left behind on the same directory is
 * used as it is, or ended first when it does not answer. It is asked to write and
 * stop (SIGTERM) when the node stops.
 */
#ifndef CONTROL_REDIS_SERVER_H
#define CONTROL_REDIS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct redis_server;

/* NULL with a sentence in `why`: no redis-server program, or a directory that cannot be used. */
struct redis_server *redis_server_start(uv_loop_t *loop, const char *directory, char *why,
					size_t why_len);
void redis_server_stop(struct redis_server *s);

/* "unix:PATH" to connect to. */
const char *redis_server_address(const struct redis_server *s);

#endif
