/*
 * worker: one poll-mode worker, and what the workers share.
 *
 * Internal to dataplane/ and its tests. dp_create() does all of dp_start() but
 * launching: tests then turn the workers' loops themselves with worker_turn(),
 * one turn at a time and at a time of their choosing, so that what comes out is
 * a function of what went in. dp_launch() hands them to their lcores.
 *
 * A struct worker is touched by its own thread only, but for `beat`, `published` and
 * `wait.asleep`, which are atomics, and for the rings.
 */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/device.h"
#include "dataplane/idle.h"
#include "dataplane/neigh.h"
#include "dataplane/packet.h"
#include "dataplane/port.h"
#include "dataplane/reassembly.h"
#include "dataplane/sanitize.h"
#include "dataplane/state.h"
#include "dataplane/telemetry.h"
#include "dataplane/wait.h"
#include "sbc/core/engine.h"

#define WORKER_BURST     32u
#define WORKER_TX_BUFFER 128u
#define WORKER_HANDOFF   1024u /* packets on the way from one worker to another */
#define WORKER_MESSAGES  512u
#define WORKER_RECORDS   4096u
#define WORKER_REQUESTS  64u
#define WORKER_REPLIES   8u
#define WORKER_MEDIA_EV  64u
#define WORKER_PENDING   64u /* unresolved next hops waited for at one time */
#define WORKER_PENDING_N 16u /* packets held for each */
#define WORKER_RX        (DP_MAX_PORTS * DEVICE_QUEUES)

/* Packets collected for a device, or for the worker that sends on it. */
struct worker_tx {
	uint16_t eth;
	uint16_t queue;
	uint16_t n;
	uint16_t owner;        /* of the ring: who sends for us */
	struct rte_ring *ring; /* instead of the queue */
	struct rte_mbuf *pkt[WORKER_TX_BUFFER];
};

struct worker_rx {
	const struct device *dev;
	uint16_t queue;
};

/* Where packets leave that go out by one of our ports: all that a relayed one needs of it. */
struct worker_way {
	uint16_t device;
	uint16_t mtu;
};

struct worker_tx_in {
	struct rte_ring *ring;
	uint16_t device;
};

/* Packets collected for another worker. */
struct worker_handoff {
	struct rte_ring *ring;
	uint16_t n;
	struct rte_mbuf *pkt[WORKER_BURST];
};

struct pending {
	uint32_t ip; /* 0: free */
	uint16_t port;
	uint16_t n;
	uint64_t since;
	struct rte_mbuf *pkt[WORKER_PENDING_N];
};

/* Tokens of the echo limit, in thousandths. */
struct icmp_rate {
	uint64_t at;
	uint64_t tokens;
};

/* What a worker says to another beside packets. */
enum shard_message_type { SHARD_ASK, SHARD_ANSWER, SHARD_NEIGH_WANT };
struct shard_message {
	enum shard_message_type type;
	union {
		struct engine_ask ask;
		struct engine_answer answer;
		struct {
			uint16_t port;
			uint32_t ip;
		} neigh;
	};
};

/* Announcements of a group that are still to be made. */
struct announce {
	uint32_t left;
	uint64_t next;
};

struct worker_counters {
	uint64_t loops, busy_loops, rx_packets, tx_packets, relayed, handed_off, records_lost,
		sleeps, woken_by_packet, woken_by_bell;
	uint64_t busy_cycles; /* of turns that found something to do */
	uint64_t began;       /* by the same clock; 0: not yet */
};

struct worker {
	struct dataplane *dp;
	uint16_t id;
	uint16_t rx_count;
	uint16_t tx_in_count;
	uint16_t media_events;
	uint32_t bells;  /* workers in whose rings we have put something this turn, a bit each */
	uint64_t now;    /* ms, of this turn */
	uint32_t active; /* groups that are ours: group_mask() as of `looked` */
	uint64_t looked;
	uint64_t last_tick;
	uint64_t last_report;
	bool engine_due;   /* the engine said that more is due at once */
	struct flow *flow; /* of all workers: dp->flow */
	struct worker_way way[DP_MAX_PORTS];
	struct rte_mempool *pool;
	struct reason_counters reasons;
	struct worker_counters count;
	struct worker_rx rx[WORKER_RX];
	struct worker_tx tx[DP_MAX_PORTS];
	struct worker_tx_in tx_in[DP_MAX_PORTS * DP_MAX_WORKERS];
	struct worker_handoff handoff[DP_MAX_WORKERS]; /* to others; our own is unused */
	struct rte_ring *handoff_in[DP_MAX_WORKERS];
	struct rte_ring *message_out[DP_MAX_WORKERS];
	struct rte_ring *message_in[DP_MAX_WORKERS];
	struct icmp_rate icmp;
	struct announce announce[SNAPSHOT_MAX_GROUPS]; /* worker 0's */
	uint16_t ip_id;
	uint32_t pendings;
	struct pending pending[WORKER_PENDING];
	struct reassembly *reassembly;
	/* Flows of ours, in no order: for walks. */
	uint32_t *live;
	uint32_t live_count;
	uint32_t live_scan;
	uint32_t live_owed;  /* thousandths of a flow to look at */
	uint32_t live_renew; /* so many from the first have next hops that may be others now */
	struct engine_media media_event[WORKER_MEDIA_EV];
	struct engine *engine;
	void *engine_mem;
	size_t engine_len;
	struct engine_out *out;
	const struct snapshot *snapshot;
	uint8_t *datagram; /* PACKET_DATAGRAM bytes: a reassembled one, or one to fragment */
	/* Control's ends: requests in, replies and records out. */
	struct rte_ring *requests;
	struct rte_ring *replies;
	struct rte_ring *replies_free;
	void *reply; /* lent to us, for the next request */
	struct rte_ring *records;
	struct state state;
	struct idle idle;
	struct wait wait; /* `asleep` is an atomic: others ring by it */
	struct telemetry_published published;
	uint64_t beat; /* atomic: ms of the last turn */
	bool done;     /* atomic: the last turn is over */
};

struct flow_slot {
	uint32_t live_at;    /* position in its worker's `live` */
	bool told;           /* silence has been reported */
	uint32_t counted_ms; /* when the engine was told last what it has relayed; low bits */
	uint64_t counted;    /* packets, then */
};

/* Where control stands in the workers' byte rings, and whether it holds a message there. */
struct dp_taking {
	uint16_t at;
	bool holds;
};

struct dataplane {
	struct dp_conf conf;
	uint16_t workers;
	uint16_t ports;
	uint16_t devices;
	uint16_t groups;
	bool launched;
	bool ends_eal; /* begun by dp_start() */
	struct device device[DP_MAX_PORTS];
	struct port port[DP_MAX_PORTS];
	struct realm_media realm[SNAPSHOT_MAX_REALMS];
	struct flow *flow;
	struct flow_slot *flow_slot;
	uint8_t *flow_owner; /* by the port's slice; no worker's number: nobody's */
	uint32_t flow_count;
	struct neigh_table *neigh;
	struct rte_mempool *messages;
	struct rte_mempool *pool[DP_MAX_WORKERS];
	struct worker *worker[DP_MAX_WORKERS];
	struct dp_reply *reply; /* of all workers */
	uint16_t reply_turn;
	uint16_t record_turn;
	uint64_t group_until[SNAPSHOT_MAX_GROUPS]; /* atomics: ms */
	uint64_t (*clock)(void);                   /* dp_now(), or a test's */
	uint32_t idle_max_ms; /* IDLE_MAX_MS, or a test's that sees a lost wake-up by it */
	struct dp_taking store_taking, forward_taking;
	int wake_fd;
	bool woken; /* atomic: control has been woken, and has not cleared it */
	bool stop;  /* atomic */
};

/* All of dp_start() but the launch. */
struct dataplane *dp_create(const struct dp_conf *conf, char *why, uint32_t why_len);
bool dp_launch(struct dataplane *dp, char *why, uint32_t why_len);
/* Ends the loops of launched workers: they are the caller's again. */
void dp_join(struct dataplane *dp);

/* Makes and frees the parts of one worker: pools, rings, engine. */
bool worker_create(struct dataplane *dp, uint16_t id);
void worker_connect(struct worker *w);
void worker_free(struct worker *w);

/* One turn of the loop; whether there was anything to do. */
bool worker_turn(struct worker *w, uint64_t now);

/* What classification found: here when it is ours, or to its owner. */
void worker_dispatch(struct worker *w, enum packet_kind kind, struct rte_mbuf *m);

/* Carries out what classification found: the packet is this worker's. */
void worker_take(struct worker *w, enum packet_kind kind, struct rte_mbuf *m);

/* A fragment that belongs to us. */
void worker_fragment(struct worker *w, struct rte_mbuf *m);

/* Turns until dp->stop; an lcore function. */
int worker_main(void *arg);

static inline void worker_drop(struct worker *w, struct rte_mbuf *m, enum reason why)
{
	reason_count(&w->reasons, why);
	packet_free(m);
}

/* For control; lost and counted when its ring is full. */
static inline void worker_record(struct worker *w, const struct engine_record *r)
{
	if (rte_ring_sp_enqueue_elem(w->records, (void *)(uintptr_t)r, sizeof(*r)) != 0)
		w->count.records_lost++;
}

/*
 * All bytes of a packet from its IPv4 header on, contiguous: in place, or a
 * chain copied to w->datagram. Valid until the next call for this worker.
 */
static inline uint8_t *worker_contiguous(struct worker *w, struct rte_mbuf *m, uint32_t *n)
{
	*n = m->pkt_len - m->l2_len;
	if (m->nb_segs == 1)
		return packet_ip(m);
	rte_pktmbuf_read(m, m->l2_len, *n, w->datagram);
	return w->datagram;
}

/*
 * Zeroed memory that lives until the end, on huge pages where the kernel gives them. All
 * of it is had from the kernel here: a worker never waits for a page, and a machine
 * without so much says so at the start. NULL: there is not so much.
 */
void *memory_map(size_t n);
void memory_unmap(void *p, size_t n);

#endif
