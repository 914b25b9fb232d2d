#include "sbc/core/restore_internal.h"
#include "sbc/core/wire.h"

/* Ours, and derived from what it says of itself: nobody wrote another's Contact into it. */
static bool registration_is_right(const struct engine *e, const struct registration_checkpoint *c,
				  uint16_t slot)
{
	char minted[IDENT_LEN];

	if (c->cseq >= (1u << 31) - 2 * RESTORE_CSEQ_MAX || c->user.n == 0 ||
	    c->user.n > ENGINE_USER || c->contact.n > ENGINE_CONTACT)
		return false;
	registration_mint(e, slot, c->user, c->contact, minted);
	return slice_eq(c->id, slice_of(minted, IDENT_LEN));
}

static bool peer_find(const struct engine *e, struct slice name, uint16_t *slot)
{
	for (uint16_t i = 0; i < e->snap->peers; i++) {
		*slot = e->slots.peer_of[i];
		if (*slot != SLOT_NONE && slice_eq(slice_str(e->snap->peer[i].name), name))
			return true;
	}
	return false;
}

/* Engine time, or the beginning of it for what was before. */
static uint64_t time_since_start(const struct engine *e, uint64_t wall)
{
	return wall > e->wall_ms ? wall - e->wall_ms : 0;
}

static bool registration_fill_in(struct engine *e, struct registration *r,
				 const struct registration_checkpoint *c)
{
	uint64_t now = restore_wall(e);

	memcpy(r->call_id, c->call_id.p, IDENT_LEN);
	r->cseq = c->cseq + restore_cseq_gap(e, c->refreshed);
	r->source = c->source;
	r->refreshed_ms = time_since_start(e, c->refreshed);
	r->expires_ms = e->now + (c->expires - now);
	blob_give(&e->blobs, r->contact);
	r->contact = blob_copy(&e->blobs, c->contact);
	return r->contact != 0;
}

static enum reason registration_restore(struct engine *e, const struct registration_checkpoint *c)
{
	struct registration *r = registration_by_contact(e, c->id);
	uint16_t slot, peer;
	uint32_t listener;

	if (!restore_realm(e, c->realm, &slot) ||
	    !restore_listener(e, slot, c->listener, &listener) || !peer_find(e, c->peer, &peer))
		return REASON_RESTORE_REALM;
	if (!registration_is_right(e, c, slot))
		return REASON_RESTORE_BAD;
	if (r == NULL)
		r = registration_new(e, c->id, c->user);
	if (r == NULL)
		return REASON_RESTORE_FULL;
	r->slot = slot;
	r->listener = listener;
	r->peer = peer;
	if (!registration_fill_in(e, r, c)) {
		registration_forget(e, r);
		return REASON_RESTORE_FULL;
	}
	registration_arm(e, r);
	store_restored_registration(e, r, c->version);
	e->store.restored_registrations++;
	return RESTORED;
}

/* What has expired meanwhile is as good as forgotten. */
static bool is_over(struct engine *e, const struct registration_checkpoint *c)
{
	struct registration *r = registration_by_contact(e, c->id);

	if (c->expires > restore_wall(e))
		return r != NULL && r->store.version >= c->version;
	if (r != NULL && r->store.version < c->version)
		registration_forget(e, r);
	return true;
}

void restore_registration(struct engine *e, struct slice flat)
{
	struct registration_checkpoint c;
	enum sbc_err err = checkpoint_registration_read(&c, flat);
	enum reason why = REASON_RESTORE_BAD;

	if (err == SBC_ELIMIT) {
		why = REASON_RESTORE_SCHEMA;
	} else if (err == SBC_OK && restore_is_here(e, c.id) && restore_is_here(e, c.call_id) &&
		   engine_may_send(e, c.source.ip) && wire_is_line(c.contact)) {
		if (is_over(e, &c))
			return;
		why = registration_restore(e, &c);
	}
	if (why == RESTORED)
		return;
	engine_count(e, why);
	e->store.restore_failed++;
}
