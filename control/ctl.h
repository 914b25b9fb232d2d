/*
 * ctl: what the control socket is asked, taken to the workers and back.
 */
#ifndef CONTROL_CTL_H
#define CONTROL_CTL_H

#include "control/collect.h"
#include "control/config.h"
#include "control/ctl_server.h"
#include "control/state.h"

struct ctl {
	const struct config *config;
	struct collect *collect; /* NULL until the dataplane runs: requests are refused */
	struct state *state;     /* NULL: nothing is kept */
	uint64_t began_ms;
	void (*asked)(void *arg); /* a question is on its way: poll soon */
	void *arg;
};

/* A ctl_line_fn; `arg` is a struct ctl. */
void ctl_serve_line(void *arg, struct ctl_client *client, const char *line, size_t len);

#endif
