/*
 * exchange: one request that crosses the border: a server transaction on the
 * side it came from, a client transaction on the other.
 *
 * Its index and generation are the `user` of both transactions. An exchange of a
 * call stands in the call's list; one that outlives its call (an INVITE whose
 * 2xx may still be repeated or still come) has `call` 0 and answers by itself. It
 * ends with exchange_free(); transactions are left to their own timers.
 */
#ifndef SBC_CORE_EXCHANGE_H
#define SBC_CORE_EXCHANGE_H

#include "sbc/core/engine_internal.h"

enum exchange_kind {
	EXCHANGE_INVITE,   /* begins a call */
	EXCHANGE_REINVITE, /* INVITE in a dialog */
	EXCHANGE_RELAY,    /* other requests in a dialog */
	EXCHANGE_REGISTER,
	EXCHANGE_REFUSED, /* INVITE that was refused at once; only its ACK is waited for */
	EXCHANGE_OWED     /* our own BYEs of a call that is over, and what the store has of it */
};

enum exchange_flag {
	EXCHANGE_F_OFFER = 1u << 0,   /* the request carried an offer */
	EXCHANGE_F_SETTLED = 1u << 1, /* answered in a reliable 1xx or PRACK: later SDP is a copy */
	EXCHANGE_F_FINAL = 1u << 2,   /* a final went to the server side */
	EXCHANGE_F_ACKED = 1u << 3,   /* the 2xx on the server side is acknowledged */
	EXCHANGE_F_CANCELLED = 1u << 4,     /* the client side is not wanted any more */
	EXCHANGE_F_HELD = 1u << 5,          /* waits for another shard's answer */
	EXCHANGE_F_CHECKED = 1u << 6,       /* the caller's registration was asked for and found */
	EXCHANGE_F_ANSWERED = 1u << 7,      /* a 2xx came from the client side */
	EXCHANGE_F_WAITS = 1u << 8,         /* the 2xx in `message` waits for the store */
	EXCHANGE_F_PUT = 1u << 9,           /* OWED: its ENDING is under way */
	EXCHANGE_F_READY = 1u << 10,        /* OWED: in the line to be put as ENDING */
	EXCHANGE_F_BLOCKED = 1u << 11,      /* OWED: a put of its id is under way */
	EXCHANGE_F_REGISTRATION = 1u << 12, /* OWED: the id is a registration's */
	EXCHANGE_F_TURN = 1u << 13, /* OWED: to be put since this turn of barriers (store.h) */
	EXCHANGE_F_LATE =
		1u << 14, /* OWED: the store refused it, and it is put again in a moment */
	EXCHANGE_F_WHOLE = 1u << 15 /* OWED: the store has not what its ENDING would change */
};

struct exchange {
	uint64_t call;           /* handle, or 0 */
	uint64_t server, client; /* transactions, 0 when there is none */
	uint32_t next;           /* in the call's list, OWED: in the store's; POOL_NONE ends */
	uint32_t prev, since;    /* OWED: in the store's list, and since when (ms, modular) */
	uint8_t kind, method;
	uint16_t flags;
	uint8_t from;               /* leg whose request it is */
	uint32_t cseq_in, cseq_out; /* OWED: BYEs under way; version to be put */
	struct engine_path client_path;
	uint32_t far_tag; /* hash of the To tag that the 2xx we acknowledged had */
	uint32_t ack;     /* blob: the ACK sent to it, for when it is repeated */
	/* blob: the request while it is needed (held INVITE, REGISTER), the 2xx that waits for
	   the store, the ENDING that waits to be put */
	uint32_t message;
	struct engine_path source; /* of `message` */
	char call_id[IDENT_LEN];   /* REGISTER: ours towards the registrar; OWED: the id */
};

struct call;

/* Where a call's list of exchanges begins. */
uint32_t *call_exchanges(struct call *call);

/* NULL when there is no room. */
struct exchange *exchange_new(struct engine *e, enum exchange_kind kind, enum sip_method method);
void exchange_free(struct engine *e, struct exchange *ex);

/* Begins the server transaction of a request; false when there is no room. */
bool exchange_serve(struct engine *e, struct exchange *ex, const struct rx *rx);

uint64_t exchange_handle(const struct engine *e, const struct exchange *ex);
struct exchange *exchange_get(const struct engine *e, uint64_t handle);

/* The exchange that owns a server transaction, or NULL. */
struct exchange *exchange_of_server(const struct engine *e, uint64_t tx);

/* The exchange's timer in the engine's wheel. */
uint32_t exchange_timer(const struct engine *e, const struct exchange *ex);

/*
 * Answers the server side with a response of our own. A final sets
 * EXCHANGE_F_FINAL; nothing is sent after one.
 */
void exchange_reply(struct engine *e, struct exchange *ex, uint16_t status, struct slice to_tag,
		    struct slice extra);

/* Begins the client side with a composed request; false when there is no room. */
bool exchange_send(struct engine *e, struct exchange *ex, struct slice branch,
		   const struct engine_path *path, struct slice bytes);

/*
 * A 2xx that nobody here wants (a late fork, a cancelled call's): acknowledges it
 * and ends its dialog, from what it says itself (RFC 3261 13.2.2.4).
 */
void exchange_release_2xx(struct engine *e, struct exchange *ex, const struct sip_msg *m);

#endif
