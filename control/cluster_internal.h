/*
 * Inside the cluster: the loop that drives the lease and carries out its actions
 * (cluster.c), datagrams (cluster_net.c), scripts (cluster_script.c), what is in the
 * workers and in memory of each group (cluster_group.c), and its giving away
 * (cluster_yield.c).
 *
 * lease.h's functions are called from here only through cluster_turn() and the
 * callbacks of loop and connection, never while actions are carried out: these only
 * note what is to be done, or begin it.
 */
#ifndef CONTROL_CLUSTER_INTERNAL_H
#define CONTROL_CLUSTER_INTERNAL_H

#include "control/cluster.h"
#include "control/heartbeat.h"
#include "control/redis.h"

#define CLUSTER_TICK_MS   10u
#define CLUSTER_BUSY_MS   1u /* while something is restored or yielded; most of it calls by itself */
#define CLUSTER_UNKNOWN   64u
#define CLUSTER_REFUSED   64u /* scripts that could not be sent, to be told */
#define CLUSTER_CHANGES   8192u
#define CLUSTER_CHECK_MS  2000u /* between looks at the other nodes' settings in Redis */
#define CLUSTER_YIELD_MS  2000u /* for what is owed of a group that is given away, twice */
#define CLUSTER_RELOAD_MS 1000u
#define CLUSTER_KEY       160u

struct cluster_node {
	struct sockaddr_storage address;
	struct heartbeat_peer peer;
	bool differs; /* its settings are not ours */
};

/* A change of a record, on its way to the workers. */
struct cluster_change {
	struct cluster_change *next;
	enum checkpoint_kind kind;
	char id[IDENT_LEN];
	uint32_t n; /* 0: it is gone */
	char fields[];
};

enum cluster_yield {
	YIELD_NOT,
	YIELD_PUT,   /* until the workers have put what they owe; it is still served */
	YIELD_WRITE, /* until Redis has that */
	YIELD_TURN,  /* not served any more: until every worker has noticed */
	YIELD_LAST_PUT,
	YIELD_LAST_WRITE,
	YIELD_DONE
};

struct cluster_group {
	struct cluster *cluster;
	uint16_t index;
	uint64_t epoch; /* it is served under; 0: it is not */
	/* warm copies */
	bool loaded, paused;
	uint64_t reload_at; /* 0: not owed */
	/* its state in the workers */
	bool wanted;  /* is to be there: prepared or taken */
	bool stocked; /* something of it is or was: forgetting it means something */
	bool walking; /* warm copies are being posted, as far as the cursor */
	uint32_t cursor;
	struct cluster_change *first, **last;
	uint32_t changes;
	bool taken, caught_up, told;
	bool forget, announce; /* dp_group_post() is owed: first the one, then the other */
	enum cluster_yield yield;
	uint64_t yield_since, barrier;
	bool barrier_owed;
	uint32_t flushes; /* under way */
};

struct cluster_unknown {
	uint64_t print, since_ms;
};

struct cluster {
	uv_loop_t *loop;
	const struct config *config;
	struct store *store;
	struct warm *warm;
	struct dataplane *dp; /* NULL until cluster_start() */
	struct lease *lease;
	struct lease_out out;
	uint64_t incarnation, print;
	struct heartbeat_key key;

	uv_udp_t udp;
	uv_timer_t tick;
	uint32_t handles; /* that have not been closed */
	bool closed;

	struct redis *redis;
	struct cluster_keys {
		char nodes[CLUSTER_KEY], lease[SNAPSHOT_MAX_GROUPS][CLUSTER_KEY];
		char config[CLUSTER_KEY], sync[CLUSTER_KEY];
	} keys;
	char stranger[SNAPSHOT_MAX_GROUPS][SNAPSHOT_HOST]; /* owners that are no node of ours */
	bool told_up, broke; /* what the lease knows of the connection; lost since */
	bool acting;         /* actions are being carried out */
	bool ticking, soon;  /* a turn is under way; another is wanted at once */
	bool agreed;         /* every other node's settings in Redis are ours */
	bool checking, disagreed;
	uint64_t check_at;
	uint64_t refused[CLUSTER_REFUSED];
	uint32_t refusals;

	struct cluster_node node[CONFIG_MAX_MEMBERS];
	struct cluster_group group[SNAPSHOT_MAX_GROUPS];
	uint64_t posted, restored_before;          /* restores and forgets */
	uint64_t barriers, passed[DP_MAX_WORKERS]; /* refs: posted last, come back from each */

	bool draining, doubled;
	void (*drained)(void *arg);
	void *drained_arg;

	struct cluster_unknown unknown[CLUSTER_UNKNOWN];
	uint32_t next_unknown;

	uint64_t takeovers, given, lost, forwarded, forward_unknown, heartbeats_bad;
	uint8_t in[65536], datagram[HEARTBEAT_MAX];
};

/* ---- cluster.c ---- */

/* Carries out what the lease's last function has put into c->out. */
void cluster_act(struct cluster *c);
bool cluster_all_loaded(const struct cluster *c);
/* What is waited for may have happened: a turn comes at once. */
void cluster_soon(struct cluster *c);

/* ---- cluster_net.c ---- */

/* False with a sentence in `why`. */
bool cluster_net_open(struct cluster *c, char *why, size_t why_len);
void cluster_net_start(struct cluster *c);
void cluster_net_send(struct cluster *c, const struct lease_heartbeat *h);

/* A print of the settings that all nodes must share. */
uint64_t cluster_config_print(const struct config *config);

/* ---- cluster_script.c ---- */

bool cluster_script_open(struct cluster *c);
void cluster_script_close(struct cluster *c);
void cluster_script_run(struct cluster *c, const struct lease_action *a);
/* Tells the lease what could not be sent; looks at the settings again when it is time. */
void cluster_script_turn(struct cluster *c, uint64_t now);

/* ---- cluster_group.c ---- */

void cluster_group_init(struct cluster *c, uint16_t i);
void cluster_group_free(struct cluster_group *g);
/* Begins to keep warm copies. */
void cluster_group_follow(struct cluster_group *g);
void cluster_group_prepare(struct cluster_group *g);
void cluster_group_take(struct cluster_group *g);
void cluster_group_serve(struct cluster_group *g, uint64_t epoch, uint64_t until);
void cluster_group_stop(struct cluster_group *g);
void cluster_group_forget(struct cluster_group *g);
/* Goes on with all that is under way. */
void cluster_group_turn(struct cluster_group *g, uint64_t now);
/* Whether turns should come quickly. */
bool cluster_group_is_busy(const struct cluster_group *g);
/* All that was to be in the workers is there. */
bool cluster_group_is_in(const struct cluster_group *g);

/* ---- cluster_yield.c ---- */

void cluster_group_yield(struct cluster_group *g);
void cluster_yield_turn(struct cluster_group *g, uint64_t now);

#endif
