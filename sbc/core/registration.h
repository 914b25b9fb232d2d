/*
 * registration: phones that reach their registrar through the border (RFC 3261
 * section 10, seen from the middle).
 *
 * A REGISTER is relayed with each Contact replaced by one of ours, derived from
 * realm, address of record and the phone's own Contact, so that refreshes and
 * other shards come to the same one. What the registrar grants becomes a
 * binding: the phone's Contact and the source it was proven at. Expiry is the
 * registrar's. Several contacts in one request are mapped one by one, up to
 * REGISTRATION_CONTACTS; `Contact: *` goes on as such and removes all bindings of
 * that address of record in that realm.
 */
#ifndef SBC_CORE_REGISTRATION_H
#define SBC_CORE_REGISTRATION_H

#include "sbc/core/exchange.h"

#define REGISTRATION_CONTACTS 4u

struct registration {
	char minted[IDENT_LEN];  /* contact user that the registrar knows */
	char call_id[IDENT_LEN]; /* ours towards the registrar, kept over refreshes */
	uint32_t cseq;
	uint16_t slot, peer; /* the phone's realm, the registrar */
	uint32_t listener;   /* of the phone: slots_listener() */
	struct net_addr source;
	uint32_t contact; /* blob: the phone's Contact URI */
	uint32_t user;    /* blob: user of the address of record */
	uint64_t expires_ms, refreshed_ms;
	struct store_mark store;
};

static inline uint32_t registration_index(const struct engine *e, const struct registration *r)
{
	return (uint32_t)(((const uint8_t *)r - e->registrations.objects) /
			  sizeof(struct registration));
}

/* ---- registration.c ---- */
struct registration *registration_by_contact(const struct engine *e, struct slice user);

/* Only bindings in this realm (slot) or at a registrar in it; and preferably from `ip`. */
struct registration_filter {
	uint16_t realm;
	uint32_t ip;
};

/* The binding of a user that was refreshed last, or the one from filter.ip. */
struct registration *registration_by_user(const struct engine *e, struct slice user,
					  const struct registration_filter *filter);

/* Whether a phone of that realm (slot) is registered as `user` from that host. */
bool registration_is_from(const struct engine *e, struct slice user, uint16_t slot, uint32_t ip);

/* Removes all bindings of a user in a realm (slot): Contact: *. */
void registration_remove_user(struct engine *e, struct slice user, uint16_t slot);

struct registration *registration_new(struct engine *e, struct slice minted, struct slice user);
void registration_remove(struct engine *e, struct registration *r);

/* Without a record and without a delete: it is another node's now. */
void registration_forget(struct engine *e, struct registration *r);
void registration_record(struct engine *e, const struct registration *r,
			 enum engine_record_kind kind);
void registration_arm(struct engine *e, struct registration *r);

/* Answers a question of another shard. */
void registration_ask(struct engine *e, const struct engine_ask *ask);
void registration_fill(const struct engine *e, const struct registration *r,
		       struct engine_answer *answer);

/* ---- registration_request.c ---- */
void registration_request(struct engine *e, struct rx *rx);

/* The minted contact user of one Contact of a REGISTER. */
void registration_mint(const struct engine *e, uint16_t slot, struct slice user,
		       struct slice contact_uri, char *out);

/* User of the To of a REGISTER; empty when it has none. */
struct slice registration_user(const struct rx *rx);

/* The next Contact of a message over all its lines. `it` begins zeroed. */
struct contact_walk {
	uint8_t entry; /* index + 1 of the line at hand; 0 before the first */
	struct slice rest;
};
bool registration_next_contact(const struct sip_msg *m, struct contact_walk *it,
			       struct sip_addr *contact);

/* ---- registration_answer.c ---- */
void registration_response(struct engine *e, struct exchange *ex, const struct rx *rx);

#endif
