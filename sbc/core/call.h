/*
 * call: two dialogs coupled, RFC 7092's signalling and media plane B2BUA.
 *
 * Leg 0 is the caller's: there the border is UAS. Leg 1 is the callee's: there it
 * is UAC. A call lives from its INVITE until both sides are told of its end; its
 * flows, ports and strings go at that moment. What the far ends may still repeat
 * is absorbed by transactions and by exchanges that outlive it.
 */
#ifndef SBC_CORE_CALL_H
#define SBC_CORE_CALL_H

#include "sbc/core/dialog.h"
#include "sbc/core/exchange.h"

struct offer_io;

#define CALL_CALLER 0u
#define CALL_CALLEE 1u

enum call_offerer { OFFER_BY_CALLER = CALL_CALLER, OFFER_BY_CALLEE = CALL_CALLEE, OFFER_BY_NONE };

struct call {
	uint32_t exchanges;        /* list */
	uint8_t state;             /* enum engine_call_state */
	uint8_t offer_by;          /* who made the pending offer */
	uint8_t end;               /* enum engine_end, once ENDING */
	uint32_t streams, pending; /* blobs of struct stream[] */
	uint32_t offers;           /* offers that came into force */
	uint64_t invite;           /* the exchange that began it, while it lives */
	uint64_t began_ms, answered_ms;
	uint16_t status;
	struct store_mark store;
	uint64_t owed; /* ENDING, caller not acknowledged yet: the exchange that BYEs report to */
	struct leg leg[2];
};

static inline uint64_t call_handle(const struct engine *e, const struct call *call)
{
	return pool_handle(&e->calls, (uint32_t)(((const uint8_t *)call - e->calls.objects) /
						 sizeof(struct call)));
}

static inline uint32_t call_index(const struct engine *e, const struct call *call)
{
	return pool_index(call_handle(e, call));
}

/* ---- call.c ---- */

/* NULL when there is no room. */
struct call *call_new(struct engine *e);

/* Makes a leg findable by its Call-ID and our tag. */
void call_index_leg(struct engine *e, struct call *call, uint8_t leg);

/* Makes both legs findable no more. */
void call_unindex(struct engine *e, struct call *call);

/* The call whose callee's leg has this Call-ID of ours: what a checkpoint calls its id. NULL: none. */
struct call *call_by_id(const struct engine *e, struct slice id);

/*
 * Ahead of call_find() and of the end of a call (base/prefetch.h), each step after what
 * the one before asked for has come: where a request's dialog stands in the table,
 * once Call-ID and To tag are known; the call that stands there; what its end changes.
 */
void call_find_ahead(const struct engine *e, struct rx *rx);
void call_ahead(const struct engine *e, const struct rx *rx);
void call_end_ahead(struct engine *e, const struct call *call);

/* The leg that a request belongs to: Call-ID and both tags (12.2.2). NULL: none. */
struct call *call_find(struct engine *e, const struct rx *rx, uint8_t *leg);

/*
 * Whether an INVITE out of dialogs is one that we sent, come back with another
 * target: a spiral (RFC 3261 6). One Call-ID is then in two calls of ours, and in
 * both with one From tag, which is ours in the one and the far end's in the other.
 * Dialogs stay apart because they are found by the tag that is ours in them. With
 * several groups of addresses one that is in no call here may be in a call of
 * another group: it counts as a spiral, and Max-Forwards ends it.
 */
bool call_spirals(const struct engine *e, const struct rx *rx);

void call_link(struct engine *e, struct call *call, struct exchange *ex);

/* Both legs' realms and listeners are in the present configuration. */
bool call_is_whole(const struct engine *e, const struct call *call);

/*
 * Ends a call, whatever state it is in: who is owed a BYE gets it (bit 0 the
 * caller's side, bit 1 the callee's), an unanswered caller gets `status`, an
 * unanswered callee a CANCEL; open requests are answered; all is given back.
 */
#define CALL_BYE_CALLER 1u
#define CALL_BYE_CALLEE 2u
#define CALL_BYE_BOTH   3u
void call_end(struct engine *e, struct call *call, enum engine_end end, uint16_t status,
	      unsigned bye);

/*
 * The same for a call that was over in another process, which has made its record:
 * counted by nobody, and owes these BYEs still.
 */
void call_end_again(struct engine *e, struct call *call, unsigned bye);

/*
 * Ends a call without a word on any wire: it is another node's now. Its
 * transactions go with it, its flows and ports are given back.
 */
void call_forget(struct engine *e, struct call *call);

/* The part of it that is not media, dialogs and memory: counted no more, nothing under way. */
void call_strip(struct engine *e, struct call *call);

/* The caller has acknowledged, or never will: the BYE that an ended call owes it. */
void call_owed(struct engine *e, struct call *call);

/* The user of a leg's far end, cut to `cap` and NUL-terminated. */
void call_user(const struct engine *e, struct call *call, uint8_t leg, char *out, uint32_t cap);

/* ---- call_invite.c ---- */

/* A new call's INVITE, at first and again when another shard has answered. */
void call_invite(struct engine *e, struct rx *rx, const struct engine_answer *answer);

/* ---- call_answer.c: responses to the INVITE that began a call ---- */
void call_invite_response(struct engine *e, struct call *call, struct exchange *ex,
			  const struct rx *rx);

/* Relays a response to the server side; false when it did not fit or its SDP was unusable. */
bool call_relay_response(struct engine *e, struct call *call, struct exchange *ex,
			 const struct sip_msg *m, const struct offer_io *io, struct slice rseq);

/*
 * The 2xx that waits for the store (EXCHANGE_F_WAITS: composed, in ex->message)
 * leaves, and the callee is acknowledged: the call stands.
 */
void call_let_go(struct engine *e, struct call *call);

/* The same at the deadline, or when there is nothing to wait for any more. */
void call_let_go_unstored(struct engine *e, struct call *call);

/* ACK to the 2xx on the client side's leg, kept for its repetition. */
void call_ack_send(struct engine *e, struct call *call, struct exchange *ex, struct slice sdp);

/* The far end of `leg` answers our request: tag, target and route set follow it. */
bool call_track(struct engine *e, struct call *call, uint8_t leg, const struct rx *rx);

/* ---- call_request.c: requests within dialogs ---- */
void call_request(struct engine *e, struct call *call, uint8_t from, struct rx *rx);

/* ---- call_response.c: answers to requests relayed within dialogs ---- */
void call_response(struct engine *e, struct call *call, struct exchange *ex, const struct rx *rx);

/* ---- call_ack.c: ACK, CANCEL ---- */
void call_ack(struct engine *e, struct rx *rx);
void call_cancel(struct engine *e, struct rx *rx);

/* ---- call_event.c: what is not a message ---- */
void call_tx_event(struct engine *e, const struct tx_event *ev);
void call_timer(struct engine *e, struct call *call);
void call_media(struct engine *e, const struct engine_media *m);

/* One of our own records, begun. */
void call_record(struct engine *e, struct call *call, enum engine_record_kind kind);

#endif
