/*
 * ctl_server: the control socket: clients, lines in, lines out.
 *
 * A Unix stream socket of mode 0600. Each client is served one line at a time:
 * while a line is being answered nothing more is read from it, so a client can
 * neither queue work nor make us buffer. Lines are bounded, clients are bounded;
 * whoever breaks a bound is told so and closed. A client that has closed its
 * sending side still gets its answer.
 *
 * The handler answers each line exactly once, at once or later, with
 * ctl_client_answer(); a client lives until then, or until ctl_server_close().
 */
#ifndef CONTROL_CTL_SERVER_H
#define CONTROL_CTL_SERVER_H

#include <stddef.h>
#include <uv.h>

#define CTL_MAX_CLIENTS 32u
#define CTL_MAX_LINE    65536u

struct ctl_server;
struct ctl_client;

typedef void (*ctl_line_fn)(void *arg, struct ctl_client *client, const char *line, size_t len);

/*
 * Binds and listens; makes the socket's directory, and takes away a socket that
 * nobody serves any more. NULL with a sentence in `why`.
 */
struct ctl_server *ctl_server_open(uv_loop_t *loop, const char *path, ctl_line_fn handler,
				   void *arg, char *why, size_t why_len);

/* `text` is malloc'ed, `n` bytes with the newline; it is freed here. */
void ctl_client_answer(struct ctl_client *client, char *text, size_t n);

/* Closes all and unlinks the path; the loop must run on until its handles are closed. */
void ctl_server_close(struct ctl_server *s);

#endif
