#include "sbc/core/registration.h"
#include "sbc/core/route.h"

/* RFC 3261 10.2.1.1: what a registrar means that does not say. */
#define EXPIRES_DEFAULT 3600u

static bool uri_user_is(struct slice uri, struct slice user)
{
	struct sip_uri u;

	return sip_uri_parse(&u, uri) == SBC_OK && slice_eq(u.user, user);
}

static uint32_t contact_expires(const struct sip_addr *c, const struct sip_msg *m)
{
	struct sip_param p;
	uint32_t seconds;

	if (sip_param_find(c->params, SLICE_LIT("expires"), &p) &&
	    slice_u32(p.value, UINT32_MAX, &seconds))
		return seconds;
	if (sip_msg_u32(m, SIP_HDR_EXPIRES, &seconds) == SBC_OK)
		return seconds;
	return EXPIRES_DEFAULT;
}

/* Seconds the registrar grants to a contact user of ours; 0: none. */
static uint32_t granted(const struct sip_msg *m, struct slice minted)
{
	struct contact_walk it = {0};
	struct sip_addr c;

	while (registration_next_contact(m, &it, &c)) {
		if (!c.is_star && uri_user_is(c.uri, minted))
			return contact_expires(&c, m);
	}
	return 0;
}

static uint16_t registrar_slot(const struct engine *e, const struct rx *request)
{
	const struct snapshot_route *route =
		route_find(e->snap, request->realm, registration_user(request));

	return route && route->target == SNAPSHOT_TO_PEER ? e->slots.peer_of[route->peer] : 0;
}

static void binding_refresh(struct engine *e, struct exchange *ex, struct registration *r,
			    const struct rx *request, uint32_t seconds)
{
	r->slot = request->slot;
	r->listener = request->path.listener;
	r->peer = registrar_slot(e, request);
	r->source = request->path.remote;
	if (r->cseq <= ex->cseq_out) {
		r->cseq = ex->cseq_out;
		memcpy(r->call_id, ex->call_id, IDENT_LEN);
	}
	r->refreshed_ms = e->now;
	r->expires_ms = e->now + 1000ull * seconds;
	registration_arm(e, r);
	store_touch_registration(e, r);
}

/* Makes, refreshes or removes one binding; false when there is no room for it. */
static bool binding_update(struct engine *e, struct exchange *ex, const struct rx *request,
			   const struct sip_addr *contact, struct slice minted, uint32_t seconds)
{
	struct registration *r = registration_by_contact(e, minted);

	if (seconds == 0) {
		if (r != NULL)
			registration_remove(e, r);
		return true;
	}
	if (r != NULL) {
		binding_refresh(e, ex, r, request, seconds);
		return true;
	}
	r = registration_new(e, minted, registration_user(request));
	if (r == NULL)
		return false;
	binding_refresh(e, ex, r, request, seconds);
	r->contact = blob_copy(&e->blobs, contact->uri);
	if (r->contact == 0) {
		registration_remove(e, r);
		return false;
	}
	e->registered_total++;
	registration_record(e, r, RECORD_REGISTERED);
	return true;
}

static void contact_put(struct engine *e, struct slice uri, uint64_t seconds)
{
	if (e->text.n)
		wbuf_lit(&e->text, ", ");
	wbuf_char(&e->text, '<');
	wbuf_put(&e->text, uri);
	wbuf_lit(&e->text, ">;expires=");
	wbuf_u64(&e->text, seconds);
}

/* Carries out what was granted; the contacts as the phone knows them are left in text. */
static bool bindings_apply(struct engine *e, struct exchange *ex, const struct rx *request,
			   const struct sip_msg *m)
{
	struct slice user = registration_user(request);
	struct contact_walk it = {0};
	struct sip_addr c;
	char minted[IDENT_LEN];
	bool fits = true;

	while (registration_next_contact(request->m, &it, &c)) {
		if (c.is_star) {
			registration_remove_user(e, user, request->slot);
			continue;
		}
		registration_mint(e, request->slot, user, c.uri, minted);
		uint32_t seconds = granted(m, slice_of(minted, IDENT_LEN));
		if (!binding_update(e, ex, request, &c, slice_of(minted, IDENT_LEN), seconds))
			fits = false;
		else if (seconds)
			contact_put(e, c.uri, seconds);
	}
	return fits;
}

/* A query (10.2.3) shows a phone its own bindings, those from its own host. */
static void bindings_list(struct engine *e, const struct rx *request, const struct sip_msg *m)
{
	struct contact_walk it = {0};
	struct sip_addr c;
	struct sip_uri uri;

	while (registration_next_contact(m, &it, &c)) {
		if (c.is_star || sip_uri_parse(&uri, c.uri) != SBC_OK)
			continue;
		struct registration *r = registration_by_contact(e, uri.user);
		if (r != NULL && r->slot == request->slot &&
		    r->source.ip == request->path.remote.ip)
			contact_put(e, blob_slice(&e->blobs, r->contact),
				    (r->expires_ms - e->now) / 1000);
	}
}

static void register_reply(struct engine *e, struct exchange *ex, const struct rx *rx,
			   struct slice contact)
{
	char tag[IDENT_TAG_LEN];

	ident_tag(&e->gen, tag);
	struct hiding_response hr = {
		.snap = e->snap,
		.from_realm = rx->realm,
		.to_realm = e->snap->listener[engine_listener(e, ex->source.listener)].realm,
		.head = tx_server_head(e->tx, ex->server),
		.status = rx->m->status,
		.to_tag = slice_of(tag, sizeof(tag)),
		.contact = contact,
		.drop_body = true,
	};
	struct wbuf w = engine_compose(e);
	if (hr.head.n == 0)
		return;
	if (hiding_write_response(&w, rx->m, &hr) != SBC_OK) {
		engine_count(e, REASON_SIP_OUT_FULL);
		exchange_reply(e, ex, 500, SLICE_NONE, SLICE_NONE);
		return;
	}
	struct slice bytes = engine_composed(e, &w);
	if (bytes.n)
		tx_server_respond(e->tx, ex->server, rx->m->status, bytes, e->now, e->out);
}

static void register_granted(struct engine *e, struct exchange *ex, const struct rx *rx)
{
	struct slice bytes = blob_slice(&e->blobs, ex->message);
	struct sip_fault fault;
	struct rx request;

	if (sip_msg_parse(&e->kept, bytes.p, bytes.n, &fault) != SBC_OK ||
	    !engine_rx_init(e, &request, &e->kept, &ex->source)) {
		exchange_reply(e, ex, 500, SLICE_NONE, SLICE_NONE);
		return;
	}
	engine_text(e);
	if (!bindings_apply(e, ex, &request, rx->m)) {
		engine_count(e, REASON_REG_FULL);
		exchange_reply(e, ex, 503, SLICE_NONE, ENGINE_RETRY_AFTER);
		return;
	}
	if (!sip_msg_has(&e->kept, SIP_HDR_CONTACT))
		bindings_list(e, &request, rx->m);
	register_reply(e, ex, rx, wbuf_ok(&e->text) ? wbuf_slice(&e->text) : SLICE_NONE);
}

void registration_response(struct engine *e, struct exchange *ex, const struct rx *rx)
{
	uint16_t status = rx->m->status;

	if (status < 200)
		return;
	if (engine_listener(e, ex->source.listener) == SNAPSHOT_NONE)
		exchange_reply(e, ex, 503, SLICE_NONE, SLICE_NONE);
	else if (status < 300)
		register_granted(e, ex, rx);
	else
		register_reply(e, ex, rx, SLICE_NONE);
	exchange_free(e, ex);
}
