/*
 * gen: a load generator on the other side of a border's two ports.
 *
 * It plays all callers (outside port) and all answerers (inside port) on one
 * core: calls in a closed loop, RTP on every stream, registrations with a
 * registrar, floods. Commands come on standard input, each is answered with one
 * line of JSON (command.h). tests/bench/gen/README.md has all of them.
 *
 * One thread on purpose: the machine's other core is the border's. What it
 * counts is exact: sent = received + lost + still under way.
 *
 * Addresses are in network order, ports in host order, times in TSC cycles.
 */
#ifndef TESTS_BENCH_GEN_GEN_H
#define TESTS_BENCH_GEN_GEN_H

#include <rte_ether.h>
#include <rte_mbuf.h>

#include "tests/bench/gen/check.h"
#include "tests/bench/gen/hist.h"
#include "tests/bench/gen/timers.h"

#define GEN_BURST       64u
#define GEN_QUEUE       1024u  /* frames that wait for a device to take them */
#define GEN_PER_ADDRESS 25000u /* calls that one address has RTP ports for */
#define GEN_RTP_BASE    10000u
#define GEN_QUEUES      16u
#define GEN_ADDRESSES   100u
#define GEN_SIP_PORT    5060u
#define GEN_SIP_MAX     1458u /* what fits behind 42 bytes of headers in 1500 */
#define GEN_HEADERS     42u   /* Ethernet, IPv4, UDP */

enum side { OUTSIDE, INSIDE };

static inline enum side other_side(enum side s)
{
	return s == OUTSIDE ? INSIDE : OUTSIDE;
}

/* An address, also as it stands in messages. */
struct host {
	uint32_t ip;
	char dotted[16], sent_by[24]; /* 192.0.2.1 and 192.0.2.1:5060 */
	struct text name, via;
};

/* One port of ours: the network that the border sees there. */
struct port {
	uint16_t id, queues, next_queue;
	struct host host[GEN_ADDRESSES]; /* ours: calls beyond GEN_PER_ADDRESS use the next */
	uint32_t hosts;
	struct host border;
	struct media_hosts media; /* the border's */
	struct rte_ether_addr mac, border_mac;
	bool resolved;
	bool copies; /* the device has copied a frame when it has taken it */
	struct scan_forbidden forbidden;
	char network[20]; /* what the other side must not see of this one's addresses */
	struct rte_mbuf *queue[GEN_QUEUE];
	uint32_t queued;
	uint16_t ip_id;
};

struct counts {
	uint64_t tx[2], rx[2]; /* frames */
	uint64_t tx_bytes[2], rx_bytes[2];
	uint64_t tx_dropped; /* the device did not take them, and the queue was full */
	uint64_t tx_full;    /* RTP that the device did not take: not sent then */
	uint64_t no_mbuf;
	uint64_t sip_tx[2], sip_rx[2];
	uint64_t retransmitted; /* ours */
	uint64_t repeated;      /* of what we have seen already */
	uint64_t stale;         /* of a call that is over */
	uint64_t unexpected;    /* of no call of ours */
	uint64_t malformed;
	uint64_t other; /* neither ARP, SIP nor RTP for us */
	uint64_t fault[FAULTS];
	uint64_t calls_done, calls_ended;
	uint64_t turns, busy_cycles, idle_cycles;
	uint64_t paused_cycles; /* of turns so long that they cannot have been all ours */
	uint64_t call_cycles;   /* of turns that did something while only calls were made */
	uint64_t rtp_tx, rtp_tx_cycles, rtp_rx, rtp_rx_cycles;
};

#define GEN_PAUSE 100e-6 /* seconds: no turn of a few bursts takes so long */

struct calls;
struct rtp;
struct phones;
struct job;

struct gen {
	struct port port[2];
	struct rte_mempool *pool;
	uint64_t hz, now; /* now: of this turn */
	uint32_t max_calls;
	bool reference; /* no border, no calls: streams come back as they were sent */
	bool direct;    /* no border: the two sides are each other's peer */
	bool agent_hidden;
	uint32_t work;   /* things done in this turn */
	uint64_t turned; /* when the turn before began; 0: there was none */
	double grace;    /* seconds that calls have to end after the last has been started */
	struct counts count;
	struct calls *calls;
	struct rtp *rtp;
	struct phones *phones;
	struct job *jobs; /* JOBS of them */
};

static inline uint64_t gen_cycles(const struct gen *g, double seconds)
{
	return (uint64_t)(seconds * (double)g->hz);
}

static inline double gen_us(const struct gen *g, uint64_t cycles)
{
	return (double)cycles * 1e6 / (double)g->hz;
}

/* turn.c: receive, timers, what is due, send. True when there was something to do. */
bool gen_turn(struct gen *g);

/* host.c */
void host_set(struct host *h, uint32_t ip);
const struct host *host_of_call(const struct gen *g, enum side side, uint32_t call);
/* Whom a side of a call sends to: the border, or without one the other side. */
const struct host *host_peer(const struct gen *g, enum side side, uint32_t call);
/* Where a call's media may be asked for: the border, or without one the other side. */
struct media_hosts host_media(const struct gen *g, enum side side);
/* What each side must not see of the other. */
void host_forbid(struct gen *g);

#endif
