/*
 * transaction: RFC 3261 section 17 with RFC 6026, both sides, over UDP.
 *
 * The layer matches messages to transactions, absorbs and answers
 * retransmissions, retransmits what must be, acknowledges non-2xx finals, and
 * tells its user (the TU: core/call, core/registration) what remains. It knows
 * nothing of dialogs.
 *
 * Handles are pool handles: a stale one is harmless. `user` is the TU's own
 * 64-bit value, given back with every event. The layer copies what it must keep
 * into the blob store and frees it as soon as the state no longer needs it.
 * Times are ms; sends go to the engine_out.
 *
 * Timers: A B D E F G H I J K of RFC 3261, L and M of RFC 6026, and for the TU's
 * convenience the 2xx retransmission of 13.3.1.4 (until tx_server_acked()).
 *
 * How long a transaction lives: each state has a timer that ends it, whatever
 * its TU does with events, with one exception that RFC 3261 leaves to the TU: an
 * INVITE in Proceeding, on either side, lasts until its TU answers, cancels or
 * abandons it. (A non-INVITE server transaction that its TU never answers ends
 * at 64*T1, when no client waits any more: RFC 4320 3.) The last event of a
 * transaction, after which its handle is stale, is exactly one of TIMEOUT,
 * NO_ACK and ENDED; none comes after tx_abandon().
 *
 * The 100 of 17.2.1 is the TU's to send.
 */
#ifndef SBC_CORE_TRANSACTION_H
#define SBC_CORE_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/blob.h"
#include "sbc/base/reason.h"
#include "sbc/base/siphash.h"
#include "sbc/core/out.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/via.h"

struct tx_layer; /* cut from an arena, see tx_layer_init() */

/* Bytes that identify a transaction; a request whose branch and sent-by are longer gets none. */
#define TX_KEY_MAX 2048u

/*
 * RFC 2543 requests alike in all but Request-URI, To tag and Via parameters that
 * are served at once. These are compared by their own rules and therefore are
 * not in the hash; the bound keeps a stranger from making the comparison long.
 */
#define TX_2543_ALIKE 8u

/* Actions and bytes of scratch that tx_expire() leaves to whoever handles its events. */
#define TX_EXPIRE_SPARE_ACTIONS 128u
#define TX_EXPIRE_SPARE_SCRATCH 131072u

struct tx_conf {
	uint32_t capacity; /* transactions of all kinds */
	uint32_t t1_ms, t2_ms, t4_ms;
	struct siphash_key key;
	struct blob_store *blobs;
};

/* NULL while the arena only measures. */
struct tx_layer *tx_layer_init(struct arena *a, const struct tx_conf *conf, uint64_t now);

enum tx_rx {
	TX_NEW,      /* request that belongs to no transaction */
	TX_ABSORBED, /* retransmission or ACK of a non-2xx: done with */
	TX_PASS,     /* for the TU: response of a live client transaction */
	TX_STRAY     /* response (or ACK) that belongs to none */
};

/*
 * Where a response goes: RFC 3261 18.2.2, RFC 3581; with `nat` always to the
 * source. The address is the request's source in any case, which is what
 * `received` says; the port is the source's with rport, else sent-by's. maddr is
 * not followed: the border is no multicast server, and a stranger could name any
 * host by it.
 */
struct engine_path tx_reply_path(const struct sip_via *via, const struct engine_path *source,
				 bool nat);

/* ---- server side ---- */

/*
 * Matches a request by RFC 3261 17.2.3 (branch, sent-by, method with ACK taken
 * for INVITE; without the magic cookie by the RFC 2543 rules: Request-URI, tags,
 * Call-ID, CSeq and Via). A request that matches is answered with the last
 * response if there is one: TX_ABSORBED. An INVITE in Accepted is absorbed without
 * an answer (RFC 6026 7.1): the 2xx is sent again by its own timer. An ACK before
 * a final, in Completed or in Confirmed: TX_ABSORBED; any other ACK, that to a 2xx
 * under the INVITE's branch too: TX_NEW, for the dialog that it belongs to. `*tx`
 * is the transaction that matched, or 0.
 */
enum tx_rx tx_server_match(struct tx_layer *l, const struct sip_msg *m, const struct sip_via *via,
			   const struct engine_path *source, uint64_t now, struct engine_out *out,
			   uint64_t *tx);

/* The INVITE transaction a CANCEL means (9.2), or 0. */
uint64_t tx_server_find_invite(struct tx_layer *l, const struct sip_msg *cancel,
			       const struct sip_via *via);

/*
 * Begins a server transaction; `reply_head` (core/reply.h) is kept for composing
 * responses later, `path` is where they go. 0 when there is no room: the caller
 * answers 503 statelessly. An ACK begins none: 0.
 */
uint64_t tx_server_new(struct tx_layer *l, const struct sip_msg *m, const struct sip_via *via,
		       const struct engine_path *path, struct slice reply_head, uint64_t user,
		       uint64_t now);

/* The head kept; SLICE_NONE once a final has been sent, or the transaction is gone. */
struct slice tx_server_head(const struct tx_layer *l, uint64_t tx);

void tx_set_user(struct tx_layer *l, uint64_t tx, uint64_t user);

/*
 * Sends a response and keeps it for retransmission as the state needs. Finals
 * after a final, and anything on a stale handle, are SBC_ESTATE and nothing is
 * sent; SBC_EFULL when it could not be kept (it is sent once all the same, and
 * the state is what it would be); SBC_EBAD for a status outside 100 to 699.
 */
enum sbc_err tx_server_respond(struct tx_layer *l, uint64_t tx, uint16_t status, struct slice bytes,
			       uint64_t now, struct engine_out *out);

/* The 2xx has been acknowledged in its dialog: stop retransmitting it. */
void tx_server_acked(struct tx_layer *l, uint64_t tx, uint64_t now);

/* ---- client side ---- */

/*
 * Sends a request and begins its transaction; `branch` must occur in its topmost
 * Via. ACK to a 2xx is no transaction and is sent by its dialog. 0 when there is
 * no room: nothing was sent.
 */
uint64_t tx_client_new(struct tx_layer *l, enum sip_method method, struct slice branch,
		       const struct engine_path *path, struct slice bytes, uint64_t user,
		       uint64_t now, struct engine_out *out);

/*
 * Matches a response by 17.1.3. TX_PASS: 1xx, the first final, every 2xx of an
 * INVITE (retransmitted and forked ones too, and one that comes after a non-2xx
 * final: a proxy forwards it by 16.7). Non-2xx finals of an INVITE are
 * acknowledged here. What else comes after a final, and all answers to a CANCEL
 * that this layer sent, are TX_ABSORBED. `*tx` is the transaction that matched, or
 * 0; `*user` is set with TX_PASS.
 */
enum tx_rx tx_client_match(struct tx_layer *l, const struct sip_msg *m, const struct sip_via *via,
			   uint64_t now, struct engine_out *out, uint64_t *tx, uint64_t *user);

/*
 * Cancels an INVITE (9.1): at once when a provisional has come, else when one
 * comes. 64*T1 after that without a final the TU gets TX_EV_TIMEOUT. `branch`
 * of the CANCEL is the INVITE's. Harmless after a final and when done before. A
 * 2xx that crosses the CANCEL is passed up like any other: the TU acknowledges it
 * and ends its dialog (15).
 *
 * The CANCEL is a transaction of its own, counted by tx_used(), without events.
 * Where there is no room for one it is sent again at the intervals of timer E
 * until there is or the INVITE ends.
 */
void tx_client_cancel(struct tx_layer *l, uint64_t tx, uint64_t now, struct engine_out *out);

/*
 * Forgets a transaction at once, without an event, and what it would still have
 * absorbed or acknowledged. Finished transactions are better left to their
 * timers, with tx_set_user() to a value that means nobody.
 */
void tx_abandon(struct tx_layer *l, uint64_t tx);

/* ---- going on in another process ---- */

/*
 * INVITE transactions as they are told to another process, and taken up there.
 * Slices point into the layer and are valid until it is used again.
 */
struct tx_server_kept {
	struct engine_path path;
	struct slice head;     /* while there is no final */
	struct slice response; /* the last one, for repetitions */
	/* RFC 2543 clients only: what their copies are told by besides the response's own headers */
	struct slice uri, via_params;
	bool legacy, in_dialog; /* the request had a To tag */
};

struct tx_client_kept {
	struct engine_path path;
	struct slice branch;
	/*
	 * The request, as long as it may be sent again. Once a provisional has come, what
	 * CANCEL and ACK repeat of it: all up to the CSeq's number, and the To.
	 */
	struct slice request, follow, to;
	bool provisional, accepted;
};

/* False when there is nothing to go on with: no INVITE, or one that is over but for its timers. */
bool tx_server_keep(const struct tx_layer *l, uint64_t tx, struct tx_server_kept *kept);
bool tx_client_keep(const struct tx_layer *l, uint64_t tx, struct tx_client_kept *kept);

/*
 * Takes up a server INVITE in Proceeding (`response` is its last 1xx, not sent now)
 * or Accepted (a 2xx, sent again at the next tick and on until it is acknowledged).
 * 0: `response` is no response to an INVITE, the request is here already, or there is
 * no room.
 */
uint64_t tx_server_adopt(struct tx_layer *l, const struct tx_server_kept *kept, uint64_t user,
			 uint64_t now);

/*
 * Takes up a client INVITE: in Accepted, in Proceeding, or else in Calling, where it
 * is sent again after T1. `request` is an INVITE, of which its header fields up to
 * the empty line suffice unless in Calling. `out` lends scratch; nothing is sent.
 */
uint64_t tx_client_adopt(struct tx_layer *l, const struct tx_client_kept *kept, uint64_t user,
			 uint64_t now, struct engine_out *out);

/* ---- time ---- */

enum tx_event_type {
	TX_EV_TIMEOUT, /* timer B or F, or a cancelled INVITE without a final */
	TX_EV_NO_ACK,  /* 2xx unacknowledged for 64*T1 (13.3.1.4), or timer H */
	TX_EV_ENDED    /* transaction gone as it should */
};

struct tx_event {
	enum tx_event_type type;
	uint64_t tx;
	uint64_t user;
	enum sip_method method;
	bool server;
};

/*
 * Serves what is due at `now`: up to `max` events; `budget` bounds the work as for
 * wheel_expire(). Stops early when `out` has no more than the spare room above;
 * tx_is_behind() then tells that more is due. A late call sends a retransmission
 * that was missed once, not as often as it was missed.
 */
uint32_t tx_expire(struct tx_layer *l, uint64_t now, struct tx_event *events, uint32_t max,
		   uint32_t budget, struct engine_out *out);

/* Whether the latest tx_expire() stopped short: call it again with a cleared `out`. */
bool tx_is_behind(const struct tx_layer *l);

/* As wheel_next_due() and wheel_next_due_by(). */
uint64_t tx_next_due(const struct tx_layer *l);
uint64_t tx_next_due_by(const struct tx_layer *l, uint64_t until);

uint32_t tx_used(const struct tx_layer *l);

/* Retransmissions sent since start, for figures and tests. */
uint64_t tx_retransmissions(const struct tx_layer *l);

#endif
