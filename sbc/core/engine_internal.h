/*
 * engine_internal: what the parts of the engine share.
 *
 * While an event is handled, `now` and `out` are the event's. All strings that
 * are composed on the way go to `text`, which every composer begins anew: its
 * slices live until the next message is composed. `msg` is the message at hand
 * and `kept` a second one that is read beside it (a held INVITE, a REGISTER whose
 * answer has come).
 *
 * Timers of the wheel are numbered: calls, then registrations, then exchanges.
 */
#ifndef SBC_CORE_ENGINE_INTERNAL_H
#define SBC_CORE_ENGINE_INTERNAL_H

#include "sbc/base/blob.h"
#include "sbc/base/ident.h"
#include "sbc/base/pool.h"
#include "sbc/base/table.h"
#include "sbc/base/wheel.h"
#include "sbc/core/engine.h"
#include "sbc/core/hiding.h"
#include "sbc/core/reply.h"
#include "sbc/core/slots.h"
#include "sbc/core/store.h"
#include "sbc/core/transaction.h"
#include "sbc/media/sdp.h"
#include "sbc/sip/addr.h"
#include "sbc/sip/cseq.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/uri.h"
#include "sbc/sip/usual.h"
#include "sbc/sip/via.h"

/* Largest payload of a UDP datagram over IPv4. */
#define ENGINE_MAX_DATAGRAM 65507u
#define ENGINE_TEXT         16384u
#define ENGINE_BODY         32768u

/* RFC 3261 21.5.4: when a client may try again. */
#define ENGINE_RETRY_AFTER SLICE_LIT("Retry-After: 5\r\n")

/* Actions and bytes that ending one call may take: 8 streams' flows, BYEs, replies, a record. */
#define ENGINE_CALL_ACTIONS 64u
#define ENGINE_CALL_SCRATCH (65536u + CHECKPOINT_MAX)

/* A question to another shard that is not answered by then is taken for "no". */
#define ENGINE_ASK_MS 2000u

struct engine {
	struct engine_limits limits;
	struct siphash_key key;
	struct ident_derive_key derive; /* of `key` */
	struct ident_gen gen;
	const struct snapshot *snap;
	struct slots slots;
	struct tx_layer *tx;
	struct blob_store blobs;
	struct pool calls;         /* struct call */
	struct pool exchanges;     /* struct exchange */
	struct pool registrations; /* struct registration */
	struct table dialogs;      /* call index * 2 + leg, by Call-ID and our tag */
	struct table ids;          /* call index, by the Call-ID of the callee's leg */
	struct table contacts;     /* registration index, by the contact user we minted */
	struct table users;        /* registration index, by the user of the address of record */
	struct wheel wheel;
	uint32_t *exchange_of; /* by index of a server transaction; checked against its handle */

	uint64_t now;
	struct engine_out *out;
	struct wbuf text;

	bool no_records;
	bool draining;
	bool due;       /* more to do at once */
	uint32_t sweep; /* next call to look at for a removed realm; POOL_NONE when done */
	struct store store;
	uint32_t lost_groups; /* bit g: group g is being forgotten */
	uint32_t lost_sweep;  /* where that stands */
	uint32_t looked;      /* entries that sweeps of this event have looked at */
	uint32_t looked_most; /* of any event */
	uint64_t wall_ms;     /* added to `now`: ms since 1970 */
	uint32_t established;
	uint32_t refused; /* exchanges of kind EXCHANGE_REFUSED */
	uint64_t calls_total, calls_answered, registered_total;
	uint64_t messages_in, messages_out;
	struct reason_counters reasons;

	struct sip_msg msg, kept;
	struct sdp sdp;
	char text_bytes[ENGINE_TEXT];
	char body[ENGINE_BODY]; /* the SDP being sent on */
};

/* One request or response at hand, with what every path needs of it. */
struct rx {
	const struct sip_msg *m;
	struct engine_path path; /* listener it came to (its name: slots.h), and its source */
	uint16_t realm;          /* of the snapshot */
	uint16_t slot;           /* the realm's */
	struct sip_via via;
	struct sip_cseq cseq;
	struct sip_addr from, to;
	struct sip_uri uri; /* the Request-URI, once engine_request_uri() has read it */
	struct slice from_tag, to_tag;
	struct slice call_id;
	uint32_t dialog;     /* of a request with a To tag: what call_find() looks for */
	struct exchange *ex; /* request already has a transaction: answers go there */
	bool forwarded;      /* by another node: answered here, whatever it is */
};

static inline uint32_t engine_hash(const struct engine *e, struct slice s)
{
	return (uint32_t)siphash13(&e->key, s.p, s.n);
}

static inline void engine_count(struct engine *e, enum reason r)
{
	reason_count(&e->reasons, r);
}

/* NULL when nobody takes records, or there is no room for one. */
static inline struct engine_record *engine_record(struct engine *e)
{
	return e->no_records ? NULL : engine_out_record(e->out);
}

static inline const struct snapshot_realm *engine_realm(const struct engine *e, uint16_t slot)
{
	return &e->snap->realm[e->slots.realm[slot].index];
}

static inline uint16_t engine_listener(const struct engine *e, uint32_t listener)
{
	return slots_listener_index(&e->slots, listener);
}

/* The far ends of this side are reached at their source, whatever they claim. */
static inline bool engine_realm_by_source(const struct snapshot_realm *r)
{
	return r->nat || r->trust == SNAPSHOT_UNTRUSTED;
}

/* ---- engine.c ---- */

/* Begins a new set of strings. */
struct wbuf *engine_text(struct engine *e);

/* What was written to text since `from`. */
static inline struct slice engine_text_cut(const struct engine *e, uint32_t from)
{
	return slice_of(e->text.p + from, e->text.n - from);
}

/* The INVITE that waits for an answer goes on with it. */
void engine_answered(struct engine *e, const struct engine_answer *answer);

/* ---- engine_send.c ---- */

/* A writer for one message that leaves with this event. */
struct wbuf engine_compose(struct engine *e);

/* The message written, or SLICE_NONE when it did not fit: counted as sip-out-full. */
struct slice engine_composed(struct engine *e, const struct wbuf *w);

/* Sends without a transaction. */
void engine_send(struct engine *e, const struct engine_path *path, struct slice bytes);

/* "z9hG4bK" and a fresh random part, in text. */
struct slice engine_branch(struct engine *e);

/*
 * Refuses a request under a reason: on its transaction if it has one (which ends
 * the exchange). Else an INVITE whose repetition might fare better gets one, so
 * that a call is never both refused and taken, as long as such refusals hold no
 * more than an eighth of all transactions. All else is refused without state, with
 * a To tag that the ACK is known by.
 * `extra`: whole header lines. ACKs are never answered.
 */
void engine_refuse(struct engine *e, struct rx *rx, enum reason why, uint16_t status,
		   struct slice extra);

/* Answers a request without a transaction: what is stateless by nature. */
void engine_answer(struct engine *e, const struct rx *rx, const struct reply *r);

/* Whether an ACK acknowledges a refusal sent by engine_refuse() without a transaction. */
bool engine_acks_refusal(const struct engine *e, const struct rx *rx);

/* Where responses to this request go. */
struct engine_path engine_reply_path(const struct engine *e, const struct rx *rx);

/* An address that neither is ours nor can be nobody's: may be sent to. */
bool engine_may_send(const struct engine *e, uint32_t ip);

/* ---- engine_receive.c ---- */

/* `forwarded`: see struct engine_event. */
void engine_receive(struct engine *e, struct slice bytes, const struct engine_path *path,
		    bool forwarded);

/* Fills rx for a request over an index made before; false when it lacks what rx holds. */
bool engine_rx_init(struct engine *e, struct rx *rx, const struct sip_msg *m,
		    const struct engine_path *path);

/* ---- engine_request.c ---- */

/* The Request-URI, read once; false when it is malformed. */
bool engine_request_uri(struct rx *rx);

void engine_request(struct engine *e, struct rx *rx);

/* A request of a dialog that is not here goes to other nodes, where there are any. */
bool engine_forward(struct engine *e, const struct rx *rx);

/* Checks shared by requests in and out of dialogs; false: refused. */
bool engine_request_checks(struct engine *e, struct rx *rx);

/* ---- engine_tick.c ---- */

void engine_tick(struct engine *e);

/* Room for the end of one more call. */
bool engine_has_room(const struct engine *e);

/* ---- engine_group.c ---- */

/* A group is ours, or is not any more: then all that is its is forgotten bit by bit. */
void engine_group(struct engine *e, uint16_t group, bool active);
void engine_group_sweep(struct engine *e);

/* ---- engine_snapshot.c ---- */

void engine_snapshot(struct engine *e, const struct snapshot *snap);

#endif
