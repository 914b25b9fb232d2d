/*
 * state: what ties the workers to Redis on a node: takes checkpoints from the
 * dataplane to the store and acknowledgements back, reads everything at the
 * start, and with a cluster drives leases, heartbeats and takeovers (cluster.h).
 *
 * A node alone: starts its own Redis or connects, restores what its last process
 * left, then serves. When Redis does not answer within state.start_wait_s it serves
 * without, and restores when it comes.
 */
#ifndef CONTROL_STATE_H
#define CONTROL_STATE_H

#include "control/cluster.h"
#include "control/config.h"
#include "control/store.h"
#include "control/warm.h"

struct state;

/* Before the dataplane: starts Redis or connects. NULL with a sentence in `why`. */
struct state *state_open(uv_loop_t *loop, struct config *config, char *why, size_t why_len);

/* The dataplane is up (with groups_held): begins to restore and to serve. */
void state_start(struct state *s, struct dataplane *dp);
/* It serves, or is one of a cluster, where others decide what it serves. */
bool state_is_ready(const struct state *s);

/*
 * Serves no more; what is owed is written, and leases are given up; then done(),
 * which comes after `within_ms` in any case. Once only.
 */
void state_finish(struct state *s, uint32_t within_ms, void (*done)(void *arg), void *arg);

/* Before the loop ends; the dataplane is still there. */
void state_close(struct state *s);

struct store *state_store(struct state *s);
struct warm *state_warm(struct state *s);
struct cluster *state_cluster(struct state *s); /* NULL: a node alone */

struct state_view {
	bool serving;      /* any of our groups */
	bool own;          /* the redis-server is ours */
	bool behind;       /* write-behind by configuration */
	bool none;         /* nothing is kept, by configuration: there is no Redis */
	const char *redis; /* where: an address, or the master's name */
	struct store_gauges store;
	uint64_t restored, restore_ms; /* by the last start of a node alone */
	uint64_t ups, downs;           /* of Redis */
};
void state_view_read(const struct state *s, struct state_view *v);

#endif
