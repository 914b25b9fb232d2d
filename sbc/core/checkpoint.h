/*
 * checkpoint: a call or a registration as it is kept outside the process, and the
 * codec between that and plain structs.
 *
 * A checkpoint is a list of fields, name and value, both bytes, each name once: what
 * becomes one Redis hash. Values are text that a person reads, most of them lines of two
 * fields (docs/state.md describes them all); the field `v` is the schema's version. A
 * release reads what the one before wrote: what it does not know is passed over, what
 * is missing has the meaning it had before there was any.
 *
 * Between threads a checkpoint is flat: for each field one byte of name length, two
 * of value length (little-endian), name, value. A flat one may come from a
 * store that somebody else wrote to: decoding trusts nothing, bounds everything
 * and either fills the struct whole or says SBC_EBAD.
 *
 * Everything that names a thing of the configuration does so by name or address,
 * never by index. Times are wall-clock ms since 1970. Slices of a decoded struct
 * point into the flat one.
 */
#ifndef SBC_CORE_CHECKPOINT_H
#define SBC_CORE_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/err.h"
#include "sbc/base/ident.h"
#include "sbc/base/net.h"
#include "sbc/base/slice.h"
#include "sbc/base/wbuf.h"
#include "sbc/media/sdp.h"

#define CHECKPOINT_SCHEMA    3u     /* what is written; CHECKPOINT_SCHEMA - 1 is read too */
#define CHECKPOINT_MAX       49152u /* bytes of a flat one: a call that does not fit is not kept */
#define CHECKPOINT_EXCHANGES 4u

enum checkpoint_kind { CHECKPOINT_CALL, CHECKPOINT_REGISTRATION };
const char *checkpoint_kind_name(enum checkpoint_kind kind); /* "call", "reg": part of keys */

/* ---- flat checkpoints ---- */

struct checkpoint_field {
	struct slice name, value;
};

/* The next field; false at the end. One that is cut short ends with `*bad`. */
bool checkpoint_next(struct slice *rest, struct checkpoint_field *field, bool *bad);

/* Adds a field; wbuf_ok() tells whether it fitted. Names have 1 to 255 bytes, values up to 65535. */
void checkpoint_put(struct wbuf *w, struct slice name, struct slice value);

/* ---- a call ---- */

enum checkpoint_state {
	CHECKPOINT_EARLY,    /* a dialog on the callee's side, no final answer yet */
	CHECKPOINT_ANSWERED, /* 2xx relayed, or about to be */
	CHECKPOINT_ENDING    /* over; `owed` is what is still to be told to whom */
};

struct checkpoint_leg {
	struct slice realm; /* name in the snapshot */
	struct net_addr listener, source;
	struct slice call_id, local, remote;
	struct slice tag; /* ours, IDENT_TAG_LEN */
	struct slice remote_tag, target, routes;
	uint32_t cseq_local, cseq_remote, rseq, rseq_far, sdp_version;
	uint64_t sdp_print, asked;
	bool confirmed;
};

struct checkpoint_side {
	struct net_addr rtp, rtcp;                 /* as signalled */
	struct net_addr latched_rtp, latched_rtcp; /* port 0: not latched */
	uint32_t gate, epoch;
	uint16_t port; /* ours */
	uint32_t ip;   /* ours; 0: the realm's first media address */
	uint8_t direction;
	bool known;
	uint64_t packets, bytes; /* relayed from this side so far, for the CDR */
};

struct checkpoint_stream {
	struct checkpoint_side side[2];
	uint32_t clock_rate;
	bool opaque, published;
};

/*
 * An INVITE under way. Other requests are not kept: a request that had no final
 * answer counts as not received (cseq_remote is the one before), and is served when it
 * is repeated.
 */
struct checkpoint_exchange {
	bool initial;   /* the one that began the call; else a re-INVITE */
	uint8_t from;   /* leg */
	uint16_t flags; /* enum exchange_flag, those that have a meaning in another process */
	uint32_t cseq_in, cseq_out;
	/* server side: absent (head empty) when its transaction is over */
	struct slice head;     /* core/reply.h: Via, From, To, Call-ID, CSeq of the request */
	struct slice response; /* 2xx sent, or to be sent, and not acknowledged */
	struct net_addr server_listener, server_remote; /* where responses leave from and go */
	/* of a client that follows RFC 2543, whose copies are told by them: Request-URI, Via as it came
	 */
	struct slice uri, via;
	/* client side: absent when branch is empty */
	struct slice branch;
	/* without a final: the INVITE; once a provisional has come, what CANCEL and ACK repeat of it */
	struct slice request;
	struct net_addr client_listener, client_remote;
	bool provisional; /* one has come */
	struct slice ack; /* sent for its 2xx, for when that is repeated */
	uint32_t far_tag;
};

struct call_checkpoint {
	uint32_t schema;
	struct slice id;  /* the Call-ID that we minted for the callee's leg: IDENT_LEN */
	uint32_t version; /* grows with each writing of this call */
	enum checkpoint_state state;
	uint8_t owed; /* ENDING: bit 0 the caller's side, bit 1 the callee's awaits a BYE */
	uint64_t began, answered; /* 0: not answered */
	uint64_t written;         /* when this checkpoint was made */
	uint16_t status;
	uint32_t offers;
	uint8_t offer_by; /* enum call_offerer */
	struct checkpoint_leg leg[2];
	uint8_t streams, pendings, exchanges;
	bool has_pending;
	struct checkpoint_stream stream[SDP_MAX_MEDIA], pending[SDP_MAX_MEDIA];
	struct checkpoint_exchange exchange[CHECKPOINT_EXCHANGES];
};

/* Which fields were written of those that may be absent from a later one. */
struct checkpoint_shape {
	uint8_t exchange[CHECKPOINT_EXCHANGES]; /* a bit each */
};

/*
 * wbuf_ok() tells whether it fitted. What is written is always CHECKPOINT_SCHEMA. Of text
 * from messages only that of exchanges may hold line ends: nothing else does in a call
 * of the engine's, and what does not fit for it is not written.
 */
struct checkpoint_shape checkpoint_call_write(struct wbuf *w, const struct call_checkpoint *c);

/*
 * What makes a checkpoint of that shape into this one: the fields to be set, and behind
 * them, without values, those to be taken away. It leaves out `v` and, unless `fixed`
 * says that it has changed, what is fixed: `id`, `began` and what identifies a leg
 * (realm, addresses, identifiers, target, route set). checkpoint_call_write_rest() writes
 * what is left out.
 */
struct checkpoint_change {
	bool fixed;
	struct checkpoint_shape shape; /* of what there is; afterwards of what there is then */
	uint32_t rest, set; /* written: where in `w` they begin, where those to be set end, */
	uint32_t gone;      /* and how many are taken away */
};
void checkpoint_call_write_change(struct wbuf *w, const struct call_checkpoint *c,
				  struct checkpoint_change *change);
void checkpoint_call_write_rest(struct wbuf *w, const struct call_checkpoint *c,
				const struct checkpoint_change *change);

/* SBC_OK, SBC_EBAD (malformed, or not a call), SBC_ELIMIT (a schema newer or older than read). */
enum sbc_err checkpoint_call_read(struct call_checkpoint *c, struct slice flat);

/* ---- a registration ---- */

struct registration_checkpoint {
	uint32_t schema;
	struct slice id; /* the contact user minted for the registrar: IDENT_LEN */
	uint32_t version;
	struct slice call_id; /* ours towards the registrar: IDENT_LEN */
	uint32_t cseq;
	struct slice realm, peer; /* names in the snapshot */
	struct net_addr listener, source;
	struct slice contact, user;
	uint64_t expires, refreshed;
};

void checkpoint_registration_write(struct wbuf *w, const struct registration_checkpoint *r);
enum sbc_err checkpoint_registration_read(struct registration_checkpoint *r, struct slice flat);

#endif
