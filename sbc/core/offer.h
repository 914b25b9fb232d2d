/*
 * offer: RFC 3264 between the two legs of a call.
 *
 * The streams of a call are an array in a blob: `call.streams` is what is in
 * force and has its flows published, `call.pending` what an offer on the way
 * would make of it. An answer puts pending in force; a refused offer is rolled
 * back by dropping pending. Ports belong to the stream that has them in either
 * array and go back when neither has.
 */
#ifndef SBC_CORE_OFFER_H
#define SBC_CORE_OFFER_H

#include "sbc/core/call.h"

enum stream_flag {
	STREAM_F_OPAQUE = 1u << 0,    /* not RTP */
	STREAM_F_PUBLISHED = 1u << 1, /* its flows are known to the dataplane */
};

struct stream_side {
	struct net_addr rtp, rtcp;                 /* where the far end receives; port 0 unknown */
	struct net_addr latched_rtp, latched_rtcp; /* as the dataplane said; port 0: not latched */
	uint64_t packets, bytes;                   /* RTP relayed from this side, as it said last */
	uint32_t gate;                             /* IP that may latch; 0 open */
	uint32_t epoch;
	uint16_t port;     /* ours; 0 when the stream is refused */
	uint8_t direction; /* enum sdp_direction: as the far end said last */
	uint8_t known;     /* the far end has described it */
	uint32_t ip;       /* ours, where `port` is */
};

struct stream {
	struct stream_side side[2];
	uint32_t clock_rate;
	uint32_t flags;
};

/*
 * The SDP of a message from leg `from`, taken in and written anew for the other
 * leg. 0, or the status that the message is to be refused with (400, 488, 491,
 * 503, 513), counted under its reason. `*body` is what goes on: SLICE_NONE when
 * the message has no SDP, or has one that has no meaning there, which is then
 * said by `*drop`.
 */
struct offer_io {
	struct slice body;
	bool drop;
	bool is_offer, is_answer;
};

uint16_t offer_from_request(struct engine *e, struct call *call, struct exchange *ex,
			    const struct sip_msg *m, struct offer_io *io);
uint16_t offer_from_response(struct engine *e, struct call *call, struct exchange *ex,
			     const struct sip_msg *m, struct offer_io *io);

/* The answer that an ACK brings to the offer of its 2xx. */
uint16_t offer_from_ack(struct engine *e, struct call *call, uint8_t from, const struct sip_msg *m,
			struct offer_io *io);

/* Whether an offer waits for its answer. */
bool offer_is_pending(const struct call *call);

/* Whether the answer of leg `leg` is what is waited for: in its ACK or PRACK. */
static inline bool offer_waits_for(const struct call *call, uint8_t leg)
{
	return call->offer_by != OFFER_BY_NONE && call->offer_by != leg;
}

/* Drops the offer under way: the session is as before. */
void offer_rollback(struct engine *e, struct call *call);

/* ---- offer_media.c ---- */

/* Puts pending in force: publishes, changes and retires flows, gives ports back. */
void offer_commit(struct engine *e, struct call *call);

/*
 * Ports for both sides of a stream of the pending array, of the addresses that its
 * other streams have, as far as there are any left there. False, and none, when one
 * side has no more.
 */
bool offer_take_ports(struct engine *e, const struct call *call, struct stream *s);
void offer_give_ports(struct engine *e, const struct call *call, struct stream *s);

/* Publishes what is in force as it stands: a restored call's. */
void offer_publish(struct engine *e, struct call *call);

/* All flows and ports of a call. */
void offer_end(struct engine *e, struct call *call);

/* Asks for what that gives back: see base/prefetch.h. */
void offer_end_ahead(struct engine *e, const struct call *call);

/* What one side says of a stream: address, direction, and by whose word it is sent to. */
void offer_side_set(const struct engine *e, const struct leg *leg, struct stream_side *side,
		    const struct sdp_media *m);

/*
 * Whether a trusted leg names an RTP port of ours in its own realm, or in another
 * instance of that: the far end of another call of this border or cluster, given to
 * this side and come back through it.
 */
bool offer_is_own(const struct engine *e, const struct leg *leg, struct net_addr rtp);

/* Our address and port on one side of a stream. */
static inline struct net_addr stream_local(const struct stream *s, uint8_t side)
{
	return (struct net_addr){s->side[side].ip, s->side[side].port};
}

/* Whether two streams are on the same ports of ours: then they are one. */
static inline bool stream_is_same(const struct stream *a, const struct stream *b)
{
	return net_addr_eq(stream_local(a, 0), stream_local(b, 0)) &&
	       net_addr_eq(stream_local(a, 1), stream_local(b, 1));
}

/* Says that the flows of one side of a stream are to go, RTP and RTCP. */
void offer_retire_side(struct engine *e, uint16_t realm, const struct stream_side *side);

struct stream *offer_streams(const struct engine *e, uint32_t blob, uint32_t *n);

#endif
