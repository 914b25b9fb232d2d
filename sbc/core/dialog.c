#include "sbc/core/dialog.h"

#include "sbc/core/wire.h"

/* A longer route set is nobody's: each hop is a proxy that wants to see the dialog. */
#define ROUTES_MAX 16u

static struct slice leg_blob(const struct engine *e, uint32_t ref)
{
	return ref ? blob_slice(&e->blobs, ref) : SLICE_NONE;
}

static struct slice leg_part(const struct engine *e, const struct leg *leg, uint32_t off,
			     uint32_t n)
{
	struct slice all = leg_blob(e, leg->ident);

	return all.n >= off + n ? slice_of(all.p + off, n) : SLICE_NONE;
}

struct slice leg_call_id(const struct engine *e, const struct leg *leg)
{
	return leg_part(e, leg, 0, leg->call_id_len);
}

struct slice leg_local(const struct engine *e, const struct leg *leg)
{
	return leg_part(e, leg, leg->call_id_len, leg->local_len);
}

struct slice leg_remote(const struct engine *e, const struct leg *leg)
{
	return leg_part(e, leg, (uint32_t)leg->call_id_len + leg->local_len, leg->remote_len);
}

static void leg_find_user(struct leg *leg, struct slice remote)
{
	struct slice tag;
	struct sip_addr a;
	struct sip_uri u;

	if (sip_addr_tagged(&a, &tag, remote) != SBC_OK || sip_uri_parse(&u, a.uri) != SBC_OK ||
	    !u.user.n)
		return;
	leg->user_at = (uint16_t)(u.user.p - remote.p);
	leg->user_len = (uint16_t)u.user.n;
}

/* Found once, when asked for: a call's records name both users several times. */
struct slice leg_user(const struct engine *e, struct leg *leg)
{
	struct slice remote = leg_remote(e, leg);

	if (leg->user_len == 0)
		leg_find_user(leg, remote);
	return remote.n ? slice_of(remote.p + leg->user_at, leg->user_len) : SLICE_NONE;
}

struct slice leg_remote_tag(const struct engine *e, const struct leg *leg)
{
	return leg_blob(e, leg->remote_tag);
}

struct slice leg_name_addr(const struct sip_addr *a)
{
	struct slice s = a->whole;

	if (a->params.n)
		s.n = (uint32_t)(a->params.p - s.p);
	return slice_trim(s);
}

bool leg_set_ident(struct engine *e, struct leg *leg, struct slice call_id, struct slice local,
		   struct slice remote)
{
	struct wbuf w;
	uint32_t n = call_id.n + local.n + remote.n;

	if (n > UINT16_MAX)
		return false;
	leg->changed = true;
	leg->ident = blob_take(&e->blobs, n);
	if (leg->ident == 0)
		return false;
	wbuf_init(&w, blob_ptr(&e->blobs, leg->ident), n);
	wbuf_put(&w, call_id);
	leg->call_id_len = (uint16_t)w.n;
	wire_put(&w, local);
	leg->local_len = (uint16_t)(w.n - leg->call_id_len);
	wire_put(&w, remote);
	leg->remote_len = (uint16_t)(w.n - leg->call_id_len - leg->local_len);
	leg->user_at = leg->user_len = 0;
	return wbuf_ok(&w);
}

/* Replaces a blob of the leg by other bytes. */
static bool leg_put(struct engine *e, struct leg *leg, uint32_t *ref, struct slice s)
{
	uint32_t fresh = 0;

	if (slice_eq(leg_blob(e, *ref), s))
		return true;
	if (s.n) {
		fresh = blob_copy(&e->blobs, s);
		if (fresh == 0)
			return false;
	}
	blob_give(&e->blobs, *ref);
	*ref = fresh;
	leg->changed = true;
	return true;
}

bool leg_set_remote_tag(struct engine *e, struct leg *leg, struct slice tag)
{
	return leg_put(e, leg, &leg->remote_tag, tag);
}

static void uri_addr(const struct sip_uri *u, struct net_addr *addr)
{
	if (sip_uri_addr(u, addr) != SBC_OK)
		*addr = (struct net_addr){0};
}

bool leg_set_target(struct engine *e, struct leg *leg, const struct sip_msg *m)
{
	struct sip_addr contact;
	struct sip_uri uri;
	struct slice tag;

	if (sip_addr_tagged_of(m, SIP_HDR_CONTACT, &contact, &tag) != SBC_OK || contact.is_star ||
	    slice_eq(contact.uri, leg_blob(e, leg->target)) ||
	    sip_uri_parse(&uri, contact.uri) != SBC_OK || uri.scheme > SIP_SCHEME_SIPS)
		return true;
	if (!leg_put(e, leg, &leg->target, contact.uri))
		return false;
	uri_addr(&uri, &leg->target_addr);
	return true;
}

struct slice leg_route_write(struct engine *e, const struct sip_msg *m, bool reverse)
{
	struct slice value[ROUTES_MAX], rest;
	uint32_t n = 0, from = e->text.n;

	for (uint8_t i = m->first[SIP_HDR_RECORD_ROUTE]; i != SIP_NO_ENTRY;
	     i = sip_msg_next(m, i)) {
		rest = sip_entry_value(m, i);
		while (n < ROUTES_MAX && sip_list_next(&rest, &value[n]))
			n++;
	}
	for (uint32_t i = 0; i < n; i++) {
		if (i)
			wbuf_lit(&e->text, ", ");
		wire_put(&e->text, value[reverse ? n - 1 - i : i]);
	}
	return wbuf_ok(&e->text) ? engine_text_cut(e, from) : SLICE_NONE;
}

bool leg_set_routes(struct engine *e, struct leg *leg, const struct sip_msg *m, bool reverse)
{
	engine_text(e);
	return leg_put(e, leg, &leg->routes, leg_route_write(e, m, reverse));
}

uint64_t leg_uri_print(const struct engine *e, struct slice uri, struct net_addr *addr)
{
	struct siphash_key key = e->key;
	char host[SNAPSHOT_HOST];
	struct sip_uri u;
	uint32_t n;

	*addr = (struct net_addr){0};
	if (sip_uri_parse(&u, uri) != SBC_OK)
		return siphash13(&e->key, uri.p, uri.n);
	uri_addr(&u, addr);
	n = u.host.n < sizeof(host) ? u.host.n : (uint32_t)sizeof(host);
	for (uint32_t i = 0; i < n; i++)
		host[i] = slice_lower(u.host.p[i]);
	key.k0 ^= siphash13(&e->key, u.user.p, u.user.n);
	key.k1 ^= u.port ? u.port : 5060u;
	return siphash13(&key, host, n);
}

void leg_free(struct engine *e, struct leg *leg)
{
	blob_give(&e->blobs, leg->ident);
	blob_give(&e->blobs, leg->remote_tag);
	blob_give(&e->blobs, leg->target);
	blob_give(&e->blobs, leg->routes);
	leg->ident = leg->remote_tag = leg->target = leg->routes = 0;
}

/* Derived once: each 1xx and 2xx has it, and neither Call-ID nor tag changes. */
void leg_contact_write(struct engine *e, struct wbuf *w, struct leg *leg)
{
	uint16_t listener = engine_listener(e, leg->listener);

	if (leg->contact[0] == '\0')
		ident_derive(&e->key, &e->derive, ident_bucket(&e->key, leg_call_id(e, leg)),
			     leg_tag(leg), leg->contact);
	wbuf_lit(w, "<sip:");
	wbuf_put(w, slice_of(leg->contact, sizeof(leg->contact)));
	wbuf_char(w, '@');
	net_addr_write(w, e->snap->listener[listener].addr);
	wbuf_char(w, '>');
}

/* The IPv4 address in a URI, if requests may be sent there. */
static bool uri_hop(const struct engine *e, struct slice uri, struct net_addr *hop)
{
	struct sip_uri u;

	return uri.n && sip_uri_parse(&u, uri) == SBC_OK && sip_uri_addr(&u, hop) == SBC_OK &&
	       engine_may_send(e, hop->ip);
}

/* The same for the remote target, whose address is kept from when it was set. */
static bool target_hop(const struct engine *e, const struct leg *leg, struct net_addr *hop)
{
	if (!net_addr_is_set(leg->target_addr))
		return uri_hop(e, leg_blob(e, leg->target), hop);
	*hop = leg->target_addr;
	return engine_may_send(e, hop->ip);
}

struct leg_route {
	struct slice first; /* URI of the first route */
	struct slice rest;  /* what follows it */
	bool strict;        /* no lr: RFC 2543 router (12.2.1.1) */
};

static bool leg_first_route(const struct engine *e, const struct leg *leg, struct leg_route *r)
{
	struct slice rest = leg_blob(e, leg->routes), one;
	struct sip_addr a;
	struct sip_uri uri;
	struct sip_param lr;

	if (!sip_list_next(&rest, &one) || sip_addr_parse(&a, one) != SBC_OK ||
	    sip_uri_parse(&uri, a.uri) != SBC_OK)
		return false;
	*r = (struct leg_route){.first = a.uri, .rest = rest};
	r->strict = !sip_param_find(uri.params, SLICE_LIT("lr"), &lr);
	return true;
}

static struct net_addr leg_hop(const struct engine *e, const struct leg *leg)
{
	struct leg_route route;
	struct net_addr hop;

	if (engine_realm_by_source(engine_realm(e, leg->slot)))
		return leg->source;
	if (leg->routes && leg_first_route(e, leg, &route))
		return uri_hop(e, route.first, &hop) ? hop : leg->source;
	return target_hop(e, leg, &hop) ? hop : leg->source;
}

static struct slice leg_tagged(struct engine *e, struct slice value, struct slice tag)
{
	uint32_t from = e->text.n;

	wbuf_put(&e->text, value);
	if (tag.n) {
		wbuf_lit(&e->text, ";tag=");
		wbuf_put(&e->text, tag);
	}
	return engine_text_cut(e, from);
}

/* Request-URI and Route by 12.2.1.1; a strict router gets itself as Request-URI. */
static void leg_fill_routing(struct engine *e, const struct leg *leg, struct leg_request *r)
{
	struct leg_route route;
	struct sip_addr remote;

	r->uri = leg_blob(e, leg->target);
	if (r->uri.n == 0 && sip_addr_parse(&remote, leg_remote(e, leg)) == SBC_OK)
		r->uri = remote.uri;
	r->route = leg_blob(e, leg->routes);
	if (!leg->routes || !leg_first_route(e, leg, &route) || !route.strict)
		return;
	uint32_t from = e->text.n;
	if (slice_trim(route.rest).n) {
		wbuf_put(&e->text, slice_trim(route.rest));
		wbuf_lit(&e->text, ", ");
	}
	wbuf_char(&e->text, '<');
	wbuf_put(&e->text, r->uri);
	wbuf_char(&e->text, '>');
	r->route = engine_text_cut(e, from);
	r->uri = route.first;
}

void leg_request_fill(struct engine *e, const struct leg *leg, struct leg_request *r)
{
	engine_text(e);
	*r = (struct leg_request){.realm = e->slots.realm[leg->slot].index};
	r->path.listener = leg->listener;
	r->path.remote = leg_hop(e, leg);
	leg_fill_routing(e, leg, r);
	r->from = leg_tagged(e, leg_local(e, leg), leg_tag(leg));
	r->to = leg_tagged(e, leg_remote(e, leg), leg_remote_tag(e, leg));
	r->call_id = leg_call_id(e, leg);
	r->branch = engine_branch(e);
}

struct slice leg_contact(struct engine *e, struct leg *leg)
{
	uint32_t from = e->text.n;

	leg_contact_write(e, &e->text, leg);
	return engine_text_cut(e, from);
}

struct slice leg_own_request(struct engine *e, const struct leg *leg, enum sip_method method,
			     uint32_t cseq, const struct leg_request *r, struct slice extra,
			     struct slice sdp)
{
	struct hiding_own_request own = {
		.snap = e->snap,
		.listener = engine_listener(e, leg->listener),
		.method = method,
		.request_uri = r->uri,
		.branch = r->branch,
		.from = r->from,
		.to = r->to,
		.call_id = r->call_id,
		.route = r->route,
		.cseq = cseq,
		.extra = extra,
		.content_type = sdp.n ? SLICE_LIT("application/sdp") : SLICE_NONE,
		.body = sdp,
	};
	struct wbuf w = engine_compose(e);

	hiding_own_request_write(&w, &own);
	return engine_composed(e, &w);
}

/*
 * Where the leg's own host is expected: its proven source or, in a trusted realm,
 * a peer there or the next hop by route set or target (a callee behind a proxy
 * that does not record-route). Behind NAT the address may change in mid-call, and
 * Call-ID and tags, 64 random bits of which are ours, are what proves the sender
 * (RFC 5853 3.4 asks to keep natted clients reachable).
 */
bool leg_knows_source(const struct engine *e, const struct leg *leg, const struct rx *rx)
{
	const struct snapshot_realm *realm = engine_realm(e, leg->slot);
	struct net_addr target;

	if (rx->slot != leg->slot)
		return false;
	if (realm->nat || rx->path.remote.ip == leg->source.ip)
		return true;
	if (realm->trust != SNAPSHOT_TRUSTED)
		return false;
	if (snapshot_peer_at(e->snap, rx->realm, rx->path.remote, true) != SNAPSHOT_NONE ||
	    leg_hop(e, leg).ip == rx->path.remote.ip)
		return true;
	return target_hop(e, leg, &target) && target.ip == rx->path.remote.ip;
}
