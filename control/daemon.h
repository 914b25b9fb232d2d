/*
 * daemon: the life of a node: start, serve, drain, stop.
 *
 * SIGTERM drains: no new calls are taken, and the process ends once the last
 * call has, or after the configured time, when what is left is ended with BYE.
 * Of a cluster's node the calls go on at the nodes that take its groups. A second
 * SIGTERM, or SIGINT at any time, ends at once: what is kept is written, and calls
 * go on with the next start. A worker that hangs
 * ends the process with EXIT_WORKER: media would stand still, and the service
 * manager's restart is the way out.
 */
#ifndef CONTROL_DAEMON_H
#define CONTROL_DAEMON_H

#include "control/config.h"

#define EXIT_REFUSED 1 /* configuration or start failed */
#define EXIT_USAGE   2
#define EXIT_WORKER  70 /* a worker has died or hangs */

/* Runs until it is told to stop; returns the exit code. */
int daemon_run(struct config *config);

#endif
