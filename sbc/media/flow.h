/*
 * flow: one direction's receiving end of a media path, as data.
 *
 * A flow belongs to one local port of one realm: packets that arrive there pass
 * its source policy and leave from its partner's local port to the partner's
 * remote. Two flows that name one another make a relay; RTP and RTCP have a pair
 * each. The dataplane finds a flow by indexing with the local port and calls
 * flow_admit(); only when that says FLOW_RELAY does the packet go on, rewritten
 * by flow_rewrite().
 *
 * Source policy (why no stranger's packet is relayed, and nothing is sent to an
 * address nobody proved):
 *  - FLOW_EXPECT: the source must be exactly `remote`, known from signalling. A
 *    remote that is not known, or that no host can have, admits nobody.
 *  - FLOW_LATCH: `remote` is learned one time. The candidate's IP must pass the
 *    gate (`gate_ip`: where the same phone's signalling comes from; or the
 *    address its SDP gave; gate_ip 0 opens the gate to all), and
 *    FLOW_LATCH_PACKETS packets in a row must come from one address with one
 *    SSRC and advancing sequence numbers. Those packets are held back and counted
 *    (flow-ssrc), so that a single spoofed packet decides nothing. The first SSRC
 *    to complete wins; then the flow is locked. What real phones send besides
 *    (STUN and empty keep-alives, RTCP on the RTP port, a packet doubled by the
 *    network) neither counts nor breaks the row. DTLS latches by its record
 *    numbers in place of RTP's, since a DTLS-SRTP phone sends no RTP before the
 *    handshake is done, but only behind a gate: with an open one anybody's two
 *    ClientHellos would do. Opaque flows count packets.
 *  - RTCP flows latch when their RTP partner in the same direction has locked and
 *    relayed: the same IP and, for the first sender, that SSRC. One packet is
 *    enough: who guesses 32 bits is not off the path.
 *  - Locked: any other source is dropped and counted. Only a new offer or
 *    answer (flow_publish with a new epoch) unlocks. Within the locked source the
 *    SSRC may change: phones do that at transfer and music on hold.
 *  - Restored (spec.source): locked from the start to the source that had latched
 *    in an earlier process. Its RTCP, where that had not latched, waits for the
 *    first RTP packet, which tells the SSRC.
 *  - Closed: nothing is relayed, but source policy is the same: a far end that may
 *    not send (hold, an announcement to listen to) still proves by its packets
 *    where it receives. They are dropped (flow-held), counted as nothing and move
 *    no clock of silence. RTCP multiplexed on the port of a closed RTP flow is
 *    relayed, as RFC 3264 5.1 wants; a closed RTCP flow relays nothing, so hold
 *    closes RTP flows only.
 * Sending: towards a flow's remote only when `proven`: latched, given by a trusted
 * side's signalling, or (FLOW_EXPECT on an untrusted side) once a packet has come
 * from exactly there, so that an SDP cannot aim the border's media at a victim.
 *
 * Ownership: the dataplane owns the array; one worker owns each flow and is the
 * only one that reads or writes it. Line 0 is read on every packet and written
 * only when the flow is published, latched or its next hop changes; line 1 is
 * written on every packet; the rest is cold. Times are milliseconds.
 */
#ifndef SBC_MEDIA_FLOW_H
#define SBC_MEDIA_FLOW_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sbc/base/net.h"
#include "sbc/base/reason.h"
#include "sbc/media/rtp.h"

#define FLOW_LATCH_PACKETS 2u
#define FLOW_NONE          UINT32_MAX

enum flow_state {
	FLOW_FREE = 0,
	FLOW_LATCHING, /* waiting for a source that passes; or none can (EXPECT without remote) */
	FLOW_LOCKED    /* source known: expected or latched */
};

enum flow_flag {
	FLOW_F_RTCP = 1u << 0,     /* port of RTCP */
	FLOW_F_PROVEN = 1u << 1,   /* may be sent to */
	FLOW_F_CLOSED = 1u << 2,   /* nothing is relayed from here: hold, inactive (RFC 3264 8.4) */
	FLOW_F_OPAQUE = 1u << 3,   /* not RTP (udptl, ...): no SSRC gate, no statistics */
	FLOW_F_CHECKSUM = 1u << 4, /* `udp_delta` is valid for locked source and partner's remote */
	FLOW_F_FAST = 1u << 5, /* RTP of the locked source is relayed as it comes: flow_fast.h */
};

/* What signalling knows of a flow; the argument of publish. */
struct flow_spec {
	uint16_t realm;      /* whose local address and port it is */
	uint16_t port;       /* local port, host order */
	uint16_t peer_realm; /* the partner's */
	uint16_t peer_port;
	struct net_addr remote; /* where its far end says it is (SDP), port 0 when unknown */
	uint32_t gate_ip;       /* FLOW_LATCH: 0 is open */
	uint32_t clock_rate;    /* Hz, for jitter; 8000 when unknown */
	uint8_t dscp;           /* of what leaves from this port towards its remote */
	bool latch;             /* FLOW_LATCH instead of FLOW_EXPECT */
	bool proven;            /* the side's word suffices to send there */
	bool closed;
	bool rtcp;
	bool opaque;
	uint8_t address;      /* number of the local address among its realm's */
	uint8_t peer_address; /* the partner's, among its own realm's */
	/*
	 * A restored flow's: the source that had latched, which it begins locked to (port
	 * 0: none), and what it had relayed. Only a flow that starts from nothing looks at them.
	 */
	struct net_addr source;
	uint64_t packets, bytes;
	/* Raised when remote or source policy changes: a lower or equal one keeps the lock. */
	uint32_t epoch;
	uint64_t call;   /* handle of the call, given back in media events */
	uint16_t stream; /* media line index within the call */
	uint8_t leg;     /* 0: caller's side, 1: callee's side */
};

struct flow {
	/* line 0: read on the fast path */
	uint32_t src_ip;       /* locked source; network order */
	uint16_t src_port;     /* network order */
	uint8_t state;         /* enum flow_state */
	uint8_t flags;         /* enum flow_flag */
	uint32_t peer;         /* index of the partner in the dataplane's array, FLOW_NONE: alone */
	uint32_t out_src_ip;   /* partner's local address; network order */
	uint32_t out_dst_ip;   /* partner's remote; network order; 0 when not proven */
	uint16_t out_src_port; /* network order */
	uint16_t out_dst_port; /* network order */
	uint16_t udp_delta;    /* RFC 1624: sum of changes to the words under the UDP checksum */
	uint8_t tos;
	uint8_t out_port;   /* dataplane port id of the partner's realm */
	uint8_t out_l2_len; /* bytes of out_l2 in use: 14 or 18; 0 when the next hop is unresolved */
	uint8_t out_l2[18]; /* Ethernet and 802.1Q header, ready to be copied */
	uint8_t pad0[1];
	uint32_t local_ip;   /* network order */
	uint16_t local_port; /* network order */
	uint16_t realm;
	uint32_t clock_rate; /* Hz */
	uint16_t ip_sum;     /* of the words of the header that leaves which a flow decides */
	uint8_t pad1[2];

	/* line 1: written by the relaying worker on every packet */
	_Alignas(64) uint64_t packets;
	uint64_t bytes;   /* of UDP payload */
	uint64_t last_ms; /* when the source was last heard, relayed or not */
	struct rtp_stats rtp;

	/* cold */
	_Alignas(64) struct flow_spec spec;
	struct net_addr candidate;
	uint32_t candidate_ssrc;
	uint16_t candidate_seq;
	uint8_t candidate_kind; /* enum media_kind */
	uint8_t candidate_count;
	bool latched; /* locked by latching, not by signalling */
	uint64_t since_ms;
	uint64_t refused; /* packets the source policy dropped */
};

static_assert(offsetof(struct flow, packets) == 64, "line 0 is one cache line");
static_assert(offsetof(struct flow, spec) == 128, "line 1 is one cache line");
static_assert(offsetof(struct flow, clock_rate) + 8 == 64, "line 0 has no hidden padding");

/*
 * Sets a flow up, or changes a live one in place. For the same call, leg and
 * stream: a higher epoch forgets the lock and starts source policy anew, with
 * the statistics kept; a lower or equal one keeps a lock and what it rests on
 * (remote, gate, latch, proven) and takes over the rest (closed, partner, DSCP).
 * Another call's flow on the same port starts from nothing. A flow that starts
 * from nothing, or whose partner changes, has `peer` FLOW_NONE until the
 * dataplane sets it. Call flow_join() for it and its partner afterwards.
 */
void flow_publish(struct flow *f, const struct flow_spec *spec, uint32_t local_ip, uint64_t now);

/* Back to FLOW_FREE: nothing is admitted, nothing is sent. Join its partner with NULL. */
void flow_retire(struct flow *f);

enum flow_verdict {
	FLOW_RELAY,
	/*
	 * The flow has just locked, or its expected remote is proven: tell the engine,
	 * flow_join() both flows, then relay; when this flow's flow_join() is false
	 * there is nowhere to send yet: drop as flow-unproven.
	 */
	FLOW_RELAY_LATCHED,
	/* The same on a closed flow: tell the engine, flow_join() both, then drop as `*why` says. */
	FLOW_LATCHED_HELD,
	FLOW_DROP
};

/*
 * Source policy for one datagram. `rtp_peer` is, for an RTCP flow, the RTP flow
 * of the same call's leg and stream, which tells who may send RTCP (else NULL). On
 * FLOW_DROP and FLOW_LATCHED_HELD `*why` is the reason. Counts and statistics are kept for what is
 * relayed only. FLOW_RELAY is only said when there is somewhere to send, so it
 * depends on flow_join(); until then a good packet is flow-unproven.
 */
enum flow_verdict flow_admit(struct flow *f, const struct flow *rtp_peer, struct net_addr src,
			     const uint8_t *payload, uint32_t len, uint64_t now, enum reason *why);

/*
 * Joins a flow to its partner (NULL: it has none): what leaves, from and to
 * where, and the checksum delta. Call for both flows after a publish, a latch or
 * a retire of one. When the destination changes, `out_l2_len` becomes 0: the next
 * hop is the dataplane's to resolve again, and so is `out_port` when the
 * partner's realm changes. Returns whether there is anywhere to send.
 */
bool flow_join(struct flow *f, const struct flow *partner);

/*
 * Rewrites IPv4 and UDP headers in place for the partner's side: addresses,
 * ports, DSCP (the ECN bits are the packet's), TTL 64, fresh header checksum; UDP
 * checksum by delta (RFC 1624, eqn. 3), or left 0 when the sender sent none. `ip`
 * points to a header without options (IHL 5) followed by UDP. Only for a packet
 * that flow_admit() let through: the delta is that of the locked source.
 */
void flow_rewrite(const struct flow *f, uint8_t *ip);

#endif
