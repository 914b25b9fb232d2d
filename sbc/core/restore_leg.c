#include "sbc/core/restore_internal.h"
#include "sbc/core/wire.h"

bool restore_realm(const struct engine *e, struct slice name, uint16_t *slot)
{
	*slot = SLOT_NONE;
	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		const struct realm_slot *r = &e->slots.realm[i];

		if (r->index == SNAPSHOT_NONE) {
			*slot = i;
		} else if (slice_eq(slice_of(r->name, (uint32_t)strnlen(r->name, SNAPSHOT_NAME)),
				    name)) {
			*slot = i;
			return true;
		}
	}
	return false;
}

static uint16_t listener_index_at(const struct engine *e, struct net_addr addr)
{
	for (uint16_t i = 0; i < e->snap->listeners; i++)
		if (net_addr_eq(e->snap->listener[i].addr, addr))
			return i;
	return SNAPSHOT_NONE;
}

uint32_t restore_listener_at(const struct engine *e, struct net_addr addr)
{
	return slots_listener(&e->slots, listener_index_at(e, addr));
}

bool restore_listener(const struct engine *e, uint16_t realm_slot, struct net_addr addr,
		      uint32_t *listener)
{
	uint16_t index = listener_index_at(e, addr);

	*listener = SNAPSHOT_NONE;
	if (index == SNAPSHOT_NONE ||
	    e->slots.realm_of[e->snap->listener[index].realm] != realm_slot)
		return false;
	*listener = slots_listener(&e->slots, index);
	return true;
}

/* One word on a line, or nothing. */
static bool is_word(struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (wire_is(s.p[i], WIRE_CTL | WIRE_LWS))
			return false;
	return true;
}

static bool is_line_or_empty(struct slice s)
{
	return s.n == 0 || wire_is_line(s);
}

/* What goes onto the wire again goes there as it would have from a message. */
bool restore_leg_is_right(const struct engine *e, const struct checkpoint_leg *c)
{
	struct sip_addr remote;
	struct sip_uri target;

	return is_word(c->call_id) && is_word(c->tag) && is_word(c->remote_tag) &&
	       wire_is_line(c->local) && wire_is_line(c->remote) && is_line_or_empty(c->routes) &&
	       sip_addr_parse(&remote, c->remote) == SBC_OK &&
	       (c->target.n == 0 || sip_uri_parse(&target, c->target) == SBC_OK) &&
	       engine_may_send(e, c->source.ip) &&
	       c->cseq_local < (1u << 31) - 2 * RESTORE_CSEQ_MAX && c->cseq_remote < 1u << 31;
}

static bool string_put(struct engine *e, uint32_t *ref, struct slice s)
{
	if (s.n == 0)
		return true;
	*ref = blob_copy(&e->blobs, s);
	return *ref != 0;
}

bool restore_leg(struct engine *e, struct leg *leg, const struct checkpoint_leg *c, uint32_t gap)
{
	leg->source = c->source;
	leg->cseq_local = c->cseq_local + gap;
	leg->cseq_remote = c->cseq_remote;
	leg->rseq = c->rseq;
	leg->rseq_far = c->rseq_far;
	leg->sdp_version = c->sdp_version;
	leg->sdp_print = c->sdp_print;
	leg->asked = c->asked;
	leg->confirmed = c->confirmed;
	memcpy(leg->tag, c->tag.p, IDENT_TAG_LEN);
	return leg_set_ident(e, leg, c->call_id, c->local, c->remote) &&
	       string_put(e, &leg->remote_tag, c->remote_tag) &&
	       string_put(e, &leg->target, c->target) && string_put(e, &leg->routes, c->routes);
}
