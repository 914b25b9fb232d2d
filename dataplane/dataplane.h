/*
 * dataplane: the poll-mode workers, as the slow side sees them.
 *
 * dp_start() brings up the DPDK environment, the ports and one worker per
 * engine shard; from then on control and workers speak only through rings:
 * requests in, replies and records out. No call here blocks on a worker but
 * dp_stop(). All functions are for one thread (control's main thread).
 *
 * Ownership: dp_conf and all it points to is copied, but for the snapshot, which
 * the caller keeps unchanged until dp_stop() or, after dp_snapshot_post(), until
 * every worker has answered that it uses the newer one. Replies are the
 * caller's to give back with dp_reply_free().
 *
 * Addresses in network order, ports (UDP) in host order, times in ms of the
 * workers' monotonic clock (dp_now()).
 */
#ifndef DATAPLANE_DATAPLANE_H
#define DATAPLANE_DATAPLANE_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/core/engine.h"
#include "sbc/core/snapshot.h"

#define DP_MAX_PORTS      8u
#define DP_MAX_WORKERS    16u
#define DP_BATCH          32u
#define DP_MAX_ADDRESSES6 16u

enum dp_idle {
	DP_IDLE_POLL,   /* never yields: lowest latency, one core burnt */
	DP_IDLE_BACKOFF /* sleeps while nothing comes, until a packet or a word wakes it */
};

/* A port of ours. Two with the same device and different VLANs share the device. */
struct dp_port_conf {
	char name[SNAPSHOT_NAME];
	char device
		[256]; /* DPDK device with arguments: "net_af_packet0,iface=out0", a PCI address */
	uint32_t ip;
	uint8_t prefix;   /* length, 0 to 32 */
	uint32_t gateway; /* 0: only on-link */
	/* IPv6 addresses that are announced and answered for with their group (neighbour discovery). */
	uint16_t addresses6;
	struct {
		uint8_t ip[16];
		uint16_t group;
	} address6[DP_MAX_ADDRESSES6];
	uint16_t vlan;  /* 0: untagged */
	uint16_t mtu;   /* of IP; 1500 */
	uint8_t mac[6]; /* all zero: the device's own */
};

struct dp_conf {
	const char *program; /* EAL's file prefix and log name */
	uint16_t workers;
	int cpus[DP_MAX_WORKERS + 1]; /* [0] control, [1..] workers; -1: the scheduler's choice */
	bool hugepages;               /* false: --no-huge */
	uint32_t memory_mb;           /* 0: as needed */
	enum dp_idle idle;
	uint16_t ports;
	struct dp_port_conf port[DP_MAX_PORTS];
	uint16_t realm_port[SNAPSHOT_MAX_REALMS]; /* port of each realm of the snapshot */
	const struct snapshot *snapshot;
	struct engine_limits limits; /* of each worker; shard and shards are filled in */
	struct siphash_key key;
	uint64_t wall_ms; /* engine_conf's; 0: by the clock at the start */
	bool groups_held; /* groups are not ours until dp_group_until(); else all are, for good */
	bool no_records;  /* nobody takes them: none are made */
	uint32_t mbufs;   /* per worker, 0: default */
	uint16_t rx_desc, tx_desc; /* 0: device's default */
};

struct dataplane;

/*
 * NULL on failure, with a sentence in `why` that names the port or setting at
 * fault; everything begun is undone. Only one dataplane a process: EAL cannot be
 * brought up twice.
 */
struct dataplane *dp_start(const struct dp_conf *conf, char *why, uint32_t why_len);

/* Stops and joins the workers, frees ports and memory. */
void dp_stop(struct dataplane *dp);

/* False when a worker has died or hangs: not turned its loop for a second. */
bool dp_is_alive(const struct dataplane *dp);

uint64_t dp_now(void);

enum dp_request_type {
	DP_STATS,
	DP_CALLS,
	DP_REGISTRATIONS,
	DP_FLOWS,
	DP_PORTS, /* any worker answers for all */
	DP_NEIGHBOURS,
	DP_KILL,
	DP_DRAIN,
	DP_SNAPSHOT
};

struct dp_request {
	enum dp_request_type type;
	uint16_t worker;
	uint64_t ref;    /* given back */
	uint32_t cursor; /* 0 first, then the reply's */
	uint64_t call;   /* DP_KILL */
	const struct snapshot *snapshot;
};

struct dp_flow_info {
	uint64_t call;
	uint16_t realm, port, peer_realm, peer_port, stream;
	uint32_t local_ip; /* where `port` is */
	uint8_t leg;
	bool rtcp, latched, locked, closed;
	struct net_addr remote; /* locked source, or what signalling said */
	uint64_t packets, bytes, refused, last_ms;
	uint32_t lost, duplicates, jitter_us, ssrc;
};

struct dp_port_info {
	char name[SNAPSHOT_NAME];
	uint8_t mac[6];
	bool link_up;
	uint16_t queues;
	uint16_t rules,
		rules_wanted; /* that steer media to its worker: taken by the device, asked */
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes, rx_missed, rx_errors, tx_errors;
};

struct dp_neighbour_info {
	uint16_t port;
	uint32_t ip;
	uint8_t mac[6];
	bool resolved;
	uint32_t age_ms;
};

struct dp_worker_stats {
	struct engine_stats engine;     /* with the engine's reasons */
	struct reason_counters reasons; /* the packet path's */
	uint64_t loops, busy_loops, rx_packets, tx_packets, relayed, handed_off, records_lost,
		sleeps, woken_by_packet, woken_by_bell;
	uint64_t busy_us, up_us; /* in turns that found something to do; since the worker began */
	uint32_t flows, mbufs_used, mbufs_free;
	uint32_t store_ring_used, store_ring_size; /* bytes */
	uint64_t deletes_lost; /* found no room there: the records expire by themselves */
};

struct dp_reply {
	enum dp_request_type type;
	uint16_t worker;
	uint64_t ref;
	bool ok;
	bool more; /* ask again with `cursor` */
	uint32_t cursor;
	uint32_t count; /* entries used below */
	union {
		struct dp_worker_stats stats;
		struct engine_call_info call[DP_BATCH];
		struct engine_registration_info registration[DP_BATCH];
		struct dp_flow_info flow[DP_BATCH];
		struct dp_port_info port[DP_MAX_PORTS];
		struct dp_neighbour_info neighbour[DP_BATCH];
	};
};

/* False when the worker's ring is full: try later. */
bool dp_request_post(struct dataplane *dp, const struct dp_request *request);

/* Next reply of any worker, or NULL. */
struct dp_reply *dp_reply_take(struct dataplane *dp);
void dp_reply_free(struct dataplane *dp, struct dp_reply *reply);

/*
 * ---- state: what is kept outside the process, and what comes back ----
 *
 * Checkpoints leave the workers through byte rings, one a worker, and come back
 * the same way. A worker whose ring is full keeps what it owes in its engine.
 */
struct dp_store_op {
	uint64_t barrier; /* not 0: all that this worker owed at a dp_barrier_post() came before */
	bool put;         /* else delete */
	bool whole;       /* PUT: all of it, else what has changed since the version before, */
	uint16_t gone;    /* the last so many fields being those that are gone */
	bool urgent;      /* an answer is held for it */
	enum checkpoint_kind kind;
	uint16_t worker, group;
	uint64_t handle;
	uint32_t version, ttl_s;
	char id[IDENT_LEN];
	struct slice fields; /* PUT: valid until the next call of dp_store_take() */
};

/* The next of any worker; false when there is none. */
bool dp_store_take(struct dataplane *dp, struct dp_store_op *op);

/*
 * A descriptor that becomes readable when a worker has put something into an
 * empty ring of ops, forwards or results: for an event loop. dp_wake_clear() before
 * taking, which goes on until nothing is left.
 */
int dp_wake_fd(struct dataplane *dp);
void dp_wake_clear(struct dataplane *dp);

/* Has it readable no more, and not again until dp_wake_clear(): who looks by itself until then. */
void dp_wake_hold(struct dataplane *dp);

/* ENGINE_EV_STORED to a worker; false when its ring is full: try later. */
bool dp_stored_post(struct dataplane *dp, uint16_t worker, enum checkpoint_kind kind,
		    uint64_t handle, uint32_t version, bool ok);

/* ENGINE_EV_STORE to all workers. */
bool dp_store_mode_post(struct dataplane *dp, enum engine_store_mode mode, bool resync);

/*
 * ENGINE_EV_BARRIER to all workers: each hands over at once what it would have gathered
 * longer, and then an op with this ref, which is above those before. Of several that
 * wait, a worker may answer only the last. False when a ring is full: try later.
 */
bool dp_barrier_post(struct dataplane *dp, uint64_t ref);

/*
 * ENGINE_EV_RESTORE and ENGINE_EV_FORGET to the worker that owns `id` (by the
 * bucket it carries); false when its ring is full: try later. What came of them is
 * in the engine's stats; dp_restored() counts those that have been carried out,
 * over all workers, so that a caller knows when all it posted is in.
 */
bool dp_restore_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN],
		     struct slice fields);
bool dp_forget_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN]);
uint64_t dp_restored(const struct dataplane *dp);

/*
 * A group's addresses are ours until `until_ms` (dp_now() time; UINT64_MAX: for
 * good; 0: not). While they are not, nothing that comes to them is taken, ARP and
 * ND do not answer for them, and nothing leaves from them: each is dropped under
 * its reason. Workers look at the time themselves, at each turn and again before
 * they transmit after having been stopped, so that a process that slept past its
 * time sends nothing. Takes effect within a turn, without any ring; renewing costs
 * one atomic store.
 */
void dp_group_until(struct dataplane *dp, uint16_t group, uint64_t until_ms);
bool dp_group_is_active(const struct dataplane *dp, uint16_t group);

/*
 * ENGINE_EV_GROUP to all workers. With `active`, worker 0 also announces the group's
 * addresses: gratuitous ARP and unsolicited neighbour advertisements, again 5 times
 * within a second, since one may be lost. Without, engines forget the group: what is
 * posted behind it waits until they have, so that a restore is not forgotten too.
 * Post it after dp_group_until().
 */
bool dp_group_post(struct dataplane *dp, uint16_t group, bool active);

/* True when every worker has begun a turn since `since_ms`: none still acts on what was before. */
bool dp_has_turned(const struct dataplane *dp, uint64_t since_ms);

struct dp_forward {
	uint64_t print; /* engine_dialog_print() */
	uint16_t worker;
	struct engine_path path;
	struct slice bytes; /* valid until the next dp_forward_take() */
};
/* A request that belongs to a dialog of another node, perhaps. */
bool dp_forward_take(struct dataplane *dp, struct dp_forward *f);
/*
 * One that another node sent us, or that no other node has the dialog of: taken as if
 * it had come to path.listener from path.remote, and never forwarded again.
 */
bool dp_forwarded_post(struct dataplane *dp, const struct engine_path *path, struct slice bytes);

/* Next record (call or registration began, ended) of any worker; false when none. */
bool dp_record_take(struct dataplane *dp, struct engine_record *record, uint16_t *worker);

#endif
