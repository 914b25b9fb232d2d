/*
 * cluster: a node among others: carries out what lease.h decides.
 *
 * Heartbeats are UDP datagrams between the nodes' kernel addresses, authenticated
 * with HMAC-SHA-256 under a key derived from the node key, which all nodes share;
 * replays are refused by incarnation and sequence. Leases live in Redis, through a
 * connection of their own that bulk writes cannot delay. The same datagrams carry
 * requests within dialogs that another node holds (dp_forward_take()).
 *
 * Taking a group: PREPARE restores its warm copies into the workers while its
 * addresses are still another's; TAKEN reads the log's end and restores what changed;
 * then the addresses are served and announced. Giving one: what it owes is written
 * while it is served, it is served no more, the rest is written, and it is released
 * to an heir that has said it is ready.
 */
#ifndef CONTROL_CLUSTER_H
#define CONTROL_CLUSTER_H

#include "control/config.h"
#include "control/lease.h"
#include "control/store.h"
#include "control/warm.h"

struct cluster;

/* NULL with a sentence in `why`: the heartbeat address cannot be had. */
struct cluster *cluster_open(uv_loop_t *loop, const struct config *config, struct store *store,
			     struct warm *warm, char *why, size_t why_len);
void cluster_start(struct cluster *c, struct dataplane *dp);
void cluster_close(struct cluster *c);

/* From the store's io: Redis refused a write under this group's epoch. */
void cluster_fenced(struct cluster *c, uint16_t group);

/* A barrier has come back from a worker: the store has been given all that was before it. */
void cluster_passed(struct cluster *c, uint16_t worker, uint64_t ref);

/* The workers have something to tell: what was posted to them may all be done. */
void cluster_woken(struct cluster *c);

/* A request of a dialog that is not here: sent to the node that has it, or answered by nobody. */
void cluster_forward(struct cluster *c, const struct dp_forward *f);

/*
 * Gives every group to a node that is ready, and takes none; `done` (may be NULL) is called
 * once nothing is left and this node is out. As long as nobody is ready it serves on: see
 * cluster_has_heir(), and cluster_abandon(), which gives up what nobody will have. With
 * `drain` false it takes part again.
 */
void cluster_drain(struct cluster *c, bool drain, void (*done)(void *arg), void *arg);
bool cluster_is_draining(const struct cluster *c);
bool cluster_has_heir(const struct cluster *c);
void cluster_abandon(struct cluster *c);

/* An operator's. False with a sentence in `why`. */
bool cluster_move(struct cluster *c, uint16_t group, uint16_t node, const char **why);

struct cluster_view {
	uint16_t nodes, self, groups;
	struct lease_node_view node[CONFIG_MAX_MEMBERS];
	struct lease_view group[SNAPSHOT_MAX_GROUPS];
	struct warm_count warm[SNAPSHOT_MAX_GROUPS];
	bool loaded[SNAPSHOT_MAX_GROUPS]; /* the warm copies are complete */
	bool differs[CONFIG_MAX_MEMBERS]; /* its settings are not those of the others */
	bool draining;
	uint64_t takeovers, given, lost, forwarded, forward_unknown;
	uint64_t heartbeats_bad; /* not authentic, replayed, or of another configuration */
};
void cluster_view_read(const struct cluster *c, uint64_t now, struct cluster_view *v);

#endif
