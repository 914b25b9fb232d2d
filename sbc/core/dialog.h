/*
 * dialog: one leg of a call, RFC 3261 section 12 as its own UA.
 *
 * `local` and `remote` are the From and To values without tags as this side
 * knows them; our tag is random, the far end's comes from its messages. Requests
 * go to the far end's proven source where the realm is untrusted or behind NAT,
 * and by route set and remote target where it is trusted; never to an address of
 * the border's own.
 *
 * Strings lie in one blob (`ident`: Call-ID, local, remote) and one each for
 * what changes. leg_free() gives all back.
 */
#ifndef SBC_CORE_DIALOG_H
#define SBC_CORE_DIALOG_H

#include "sbc/core/engine_internal.h"

struct leg {
	uint32_t listener;      /* slots_listener() */
	struct net_addr source; /* where its signalling comes from, or is sent to at first */
	uint32_t cseq_local;    /* of the latest request we sent */
	uint32_t cseq_remote;   /* of the latest request that came; 0: none yet */
	uint32_t rseq;          /* RFC 3262: latest that we sent on this leg */
	uint32_t rseq_far;      /* what the other leg's far end called it */
	uint32_t ident;
	uint16_t call_id_len, local_len, remote_len;
	uint16_t user_at, user_len; /* in `remote`; 0 before it was asked for */
	uint16_t slot;              /* realm */
	bool confirmed;
	bool indexed; /* in the table of dialogs */
	bool changed; /* source, identifiers, target or routes, since it was put (core/store.h) */
	uint32_t remote_tag, target, routes; /* blobs */
	struct net_addr target_addr;         /* of `target`, once it was read; else not set */
	char tag[IDENT_TAG_LEN];
	char contact[IDENT_LEN]; /* user of our Contact, once it was derived; else NULs */
	uint32_t sdp_version;
	uint64_t sdp_print; /* of the SDP sent last on this leg */
	uint64_t asked;     /* leg_uri_print() of the INVITE that we began it with */
};

struct slice leg_call_id(const struct engine *e, const struct leg *leg);
struct slice leg_local(const struct engine *e, const struct leg *leg);
struct slice leg_remote(const struct engine *e, const struct leg *leg);
struct slice leg_user(const struct engine *e, struct leg *leg); /* the far end's */
struct slice leg_remote_tag(const struct engine *e, const struct leg *leg);

static inline struct slice leg_tag(const struct leg *leg)
{
	return slice_of(leg->tag, IDENT_TAG_LEN);
}

/* Name-addr without header parameters: what From and To keep of a value. */
struct slice leg_name_addr(const struct sip_addr *a);

/* Sets the fixed strings; false when there is no room. */
bool leg_set_ident(struct engine *e, struct leg *leg, struct slice call_id, struct slice local,
		   struct slice remote);

/* The far end's tag; false when there is no room. */
bool leg_set_remote_tag(struct engine *e, struct leg *leg, struct slice tag);

/* Remote target from a Contact, where it has a usable one; false when there is no room. */
bool leg_set_target(struct engine *e, struct leg *leg, const struct sip_msg *m);

/* Route set from Record-Route: as it stands for a UAS, reversed for a UAC (12.1.1, 12.1.2). */
bool leg_set_routes(struct engine *e, struct leg *leg, const struct sip_msg *m, bool reverse);

/* The same as a Route value in text; SLICE_NONE when there is none or it is absurd. */
struct slice leg_route_write(struct engine *e, const struct sip_msg *m, bool reverse);

/*
 * Keyed hash of whom a Request-URI asks for: user, host and port, without parameters.
 * `*addr` is the URI's address, or not set when it has none.
 */
uint64_t leg_uri_print(const struct engine *e, struct slice uri, struct net_addr *addr);

void leg_free(struct engine *e, struct leg *leg);

/* <sip:minted@border:port>, the Contact that this leg's far end sees. */
void leg_contact_write(struct engine *e, struct wbuf *w, struct leg *leg);

/* What a request on this leg says; slices in text or in the leg's blobs. */
struct leg_request {
	struct engine_path path;
	uint16_t realm;
	struct slice uri, from, to, call_id, route, branch;
};
void leg_request_fill(struct engine *e, const struct leg *leg, struct leg_request *r);

/* The Contact of a request or response that has one, added to text. */
struct slice leg_contact(struct engine *e, struct leg *leg);

/* A request of our own on this leg: ACK or BYE. SLICE_NONE when it did not fit. */
struct slice leg_own_request(struct engine *e, const struct leg *leg, enum sip_method method,
			     uint32_t cseq, const struct leg_request *r, struct slice extra,
			     struct slice sdp);

/* Whether this may be a message of the leg's far end, by where it comes from. */
bool leg_knows_source(const struct engine *e, const struct leg *leg, const struct rx *rx);

#endif
