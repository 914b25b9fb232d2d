#include "sbc/core/registration.h"
#include "sbc/core/route.h"

struct slice registration_user(const struct rx *rx)
{
	struct sip_uri uri;

	return sip_uri_parse(&uri, rx->to.uri) == SBC_OK ? uri.user : SLICE_NONE;
}

bool registration_next_contact(const struct sip_msg *m, struct contact_walk *it,
			       struct sip_addr *contact)
{
	struct slice one;

	for (;;) {
		if (it->entry && sip_list_next(&it->rest, &one))
			return sip_addr_parse(contact, one) == SBC_OK;
		uint8_t i = it->entry ? sip_msg_next(m, (uint8_t)(it->entry - 1))
				      : m->first[SIP_HDR_CONTACT];
		if (i == SIP_NO_ENTRY)
			return false;
		it->entry = (uint8_t)(i + 1);
		it->rest = sip_entry_value(m, i);
	}
}

/* Realm, user and Contact are what makes a binding; siphash has no use for separators inside. */
void registration_mint(const struct engine *e, uint16_t slot, struct slice user,
		       struct slice contact_uri, char *out)
{
	const char *realm = e->slots.realm[slot].name;
	struct siphash_key key = e->key;
	uint64_t part[3];

	part[0] = siphash24(&key, realm, strnlen(realm, SNAPSHOT_NAME));
	part[1] = siphash24(&key, user.p, user.n);
	key.k1 ^= part[1];
	part[2] = siphash24(&key, contact_uri.p, contact_uri.n);
	ident_derive(&e->key, &e->derive, ident_bucket(&e->key, user),
		     slice_of((const char *)part, sizeof(part)), out);
}

static bool contact_is_usable(const struct sip_addr *c)
{
	struct sip_uri uri;

	return sip_uri_parse(&uri, c->uri) == SBC_OK && uri.scheme <= SIP_SCHEME_SIPS &&
	       c->uri.n <= ENGINE_CONTACT;
}

/* 10.2.2: the star stands alone, with Expires: 0. */
static bool star_is_right(const struct sip_msg *m, uint32_t count)
{
	uint32_t expires;

	return count == 1 && sip_msg_u32(m, SIP_HDR_EXPIRES, &expires) == SBC_OK && expires == 0;
}

static bool contacts_are_right(const struct sip_msg *m, bool *star)
{
	struct contact_walk it = {0};
	struct sip_addr c;
	uint32_t count = 0, values = 0;

	for (uint8_t i = m->first[SIP_HDR_CONTACT]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		struct slice rest = sip_entry_value(m, i), one;

		while (values <= REGISTRATION_CONTACTS && sip_list_next(&rest, &one))
			values++;
	}
	*star = false;
	while (count < values && registration_next_contact(m, &it, &c)) {
		*star |= c.is_star;
		if (!c.is_star && !contact_is_usable(&c))
			return false;
		count++;
	}
	return count == values && count <= REGISTRATION_CONTACTS &&
	       (!*star || star_is_right(m, count));
}

/* Room for what the registrar may grant; known bindings need none. */
static bool contacts_fit(const struct engine *e, const struct rx *rx, struct slice user)
{
	uint32_t fresh = 0;
	struct contact_walk it = {0};
	struct sip_addr c;
	char minted[IDENT_LEN];

	while (registration_next_contact(rx->m, &it, &c)) {
		registration_mint(e, rx->slot, user, c.uri, minted);
		if (!c.is_star && !registration_by_contact(e, slice_of(minted, IDENT_LEN)))
			fresh++;
	}
	return fresh <= e->registrations.capacity - e->registrations.used;
}

static struct slice contacts_write(struct engine *e, const struct rx *rx, struct slice user,
				   uint16_t listener, bool star)
{
	uint32_t at = e->text.n;
	struct contact_walk it = {0};
	struct sip_addr c;
	struct sip_param expires;
	char minted[IDENT_LEN];
	uint32_t seconds;

	if (star)
		return SLICE_LIT("*");
	while (registration_next_contact(rx->m, &it, &c)) {
		registration_mint(e, rx->slot, user, c.uri, minted);
		if (e->text.n != at)
			wbuf_lit(&e->text, ", ");
		wbuf_lit(&e->text, "<sip:");
		wbuf_put(&e->text, slice_of(minted, sizeof(minted)));
		wbuf_char(&e->text, '@');
		net_addr_write(&e->text, e->snap->listener[listener].addr);
		wbuf_char(&e->text, '>');
		if (sip_param_find(c.params, SLICE_LIT("expires"), &expires) &&
		    slice_u32(expires.value, UINT32_MAX, &seconds)) {
			wbuf_lit(&e->text, ";expires=");
			wbuf_u64(&e->text, seconds);
		}
	}
	return engine_text_cut(e, at);
}

/* Our Call-ID and CSeq towards the registrar: the binding's own, rising, or new ones (10.2.4). */
static uint32_t exchange_number(struct engine *e, struct exchange *ex, const struct rx *rx,
				struct slice user)
{
	struct contact_walk it = {0};
	struct sip_addr c;
	char minted[IDENT_LEN];
	struct registration *r = NULL;

	while (r == NULL && registration_next_contact(rx->m, &it, &c)) {
		registration_mint(e, rx->slot, user, c.uri, minted);
		r = registration_by_contact(e, slice_of(minted, IDENT_LEN));
	}
	if (r != NULL) {
		memcpy(ex->call_id, r->call_id, IDENT_LEN);
		store_touch_registration(e, r);
		return ++r->cseq;
	}
	ident_mint(&e->gen, &e->key, ident_bucket(&e->key, user), ex->call_id);
	return 1;
}

static struct slice tagged_identity(struct engine *e, struct slice value, struct slice host,
				    struct slice tag)
{
	uint32_t at = e->text.n;

	hiding_identity_write(&e->text, e->snap, value, host);
	if (tag.n) {
		wbuf_lit(&e->text, ";tag=");
		wbuf_put(&e->text, tag);
	}
	return engine_text_cut(e, at);
}

static bool register_relay(struct engine *e, struct rx *rx, uint16_t peer, bool star)
{
	struct exchange *ex = rx->ex;
	const struct snapshot_peer *p = &e->snap->peer[peer];
	uint16_t listener = snapshot_listener_of(e->snap, p->realm);
	struct engine_path path = {slots_listener(&e->slots, listener), p->addr};
	struct slice user = registration_user(rx);
	char tag[IDENT_TAG_LEN];
	uint32_t hops;

	ident_tag(&e->gen, tag);
	ex->cseq_out = exchange_number(e, ex, rx, user);
	struct wbuf *w = engine_text(e);
	hiding_peer_host(w, e->snap, peer);
	struct slice host = engine_text_cut(e, 0);
	struct hiding_request hr = {
		.snap = e->snap,
		.from_realm = rx->realm,
		.to_realm = p->realm,
		.listener = listener,
		.from = tagged_identity(e, rx->from.whole, host, slice_of(tag, sizeof(tag))),
		.to = tagged_identity(e, rx->to.whole, host, SLICE_NONE),
		.call_id = slice_of(ex->call_id, IDENT_LEN),
		.cseq = ex->cseq_out,
		.contact = contacts_write(e, rx, user, listener, star),
		.max_forwards = e->snap->max_forwards,
		.drop_body = true,
	};
	if (sip_msg_u32(rx->m, SIP_HDR_MAX_FORWARDS, &hops) == SBC_OK && hops)
		hr.max_forwards = hops - 1;
	uint32_t at = w->n;
	hiding_uri_write(w, e->snap, rx->m->request_uri, host);
	hr.request_uri = engine_text_cut(e, at);
	hr.branch = engine_branch(e);
	struct wbuf out = engine_compose(e);
	if (!wbuf_ok(w) || hiding_write_request(&out, rx->m, &hr) != SBC_OK)
		return false;
	struct slice bytes = engine_composed(e, &out);
	return bytes.n && exchange_send(e, ex, hr.branch, &path, bytes);
}

static void register_open(struct engine *e, struct rx *rx, uint16_t peer, bool star)
{
	struct exchange *ex = exchange_new(e, EXCHANGE_REGISTER, SIP_REGISTER);

	if (ex == NULL || !exchange_serve(e, ex, rx)) {
		if (ex != NULL)
			exchange_free(e, ex);
		engine_refuse(e, rx, REASON_SIP_TX_FULL, 503, ENGINE_RETRY_AFTER);
		return;
	}
	rx->ex = ex;
	ex->source = rx->path;
	ex->message = blob_copy(&e->blobs, slice_of(rx->m->buf, rx->m->len));
	if (ex->message == 0 || !register_relay(e, rx, peer, star))
		engine_refuse(e, rx, REASON_SIP_TX_FULL, 503, ENGINE_RETRY_AFTER);
}

void registration_request(struct engine *e, struct rx *rx)
{
	struct slice user = registration_user(rx);
	const struct snapshot_route *route = route_find(e->snap, rx->realm, user);
	bool star;

	if (e->snap->realm[rx->realm].trust == SNAPSHOT_TRUSTED || route == NULL || user.n == 0 ||
	    route->target != SNAPSHOT_TO_PEER ||
	    snapshot_listener_of(e->snap, e->snap->peer[route->peer].realm) == SNAPSHOT_NONE) {
		engine_refuse(e, rx, REASON_REG_REFUSED, 403, SLICE_NONE);
		return;
	}
	if (!contacts_are_right(rx->m, &star)) {
		engine_refuse(e, rx, REASON_REG_BAD_CONTACT, 400, SLICE_NONE);
		return;
	}
	if (!contacts_fit(e, rx, user)) {
		engine_refuse(e, rx, REASON_REG_FULL, 503, ENGINE_RETRY_AFTER);
		return;
	}
	register_open(e, rx, route->peer, star);
}
