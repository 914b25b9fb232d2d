/* Addresses for the other side: From, To, request URIs, asserted identities and their kin. */
#include <assert.h>

#include "sbc/core/hiding_internal.h"
#include "sbc/sip/param.h"
#include "sbc/sip/uri.h"
#include "sbc/sip/usual.h"

#define SIP_PORT 5060u

static void host_write(struct wbuf *w, const char *domain, struct net_addr addr)
{
	if (domain[0]) {
		wbuf_put(w, slice_str(domain));
		return;
	}
	net_ip_write(w, addr.ip);
	if (addr.port != SIP_PORT) {
		wbuf_char(w, ':');
		wbuf_u64(w, addr.port);
	}
}

void hiding_realm_host(struct wbuf *w, const struct snapshot *snap, uint16_t realm)
{
	uint16_t l = snapshot_listener_of(snap, realm);

	if (l == SNAPSHOT_NONE)
		host_write(w, snap->realm[realm].domain,
			   (struct net_addr){snap->realm[realm].media_ip, SIP_PORT});
	else
		host_write(w, snap->realm[realm].domain, snap->listener[l].addr);
}

void hiding_peer_host(struct wbuf *w, const struct snapshot *snap, uint16_t peer)
{
	host_write(w, snap->peer[peer].domain, snap->peer[peer].addr);
}

/* ---- URIs ---- */

static void anonymous_write(struct wbuf *w, struct slice host)
{
	wbuf_lit(w, "sip:anonymous@");
	wbuf_put(w, host);
}

/* Parameters that say what the user part is, not where it is (RFC 3261 19.1.1, RFC 4458). */
static void uri_params_write(struct wbuf *w, struct slice params)
{
	struct sip_param p;

	/* Alone, as it nearly always is. */
	if (slice_eq(params, SLICE_LIT(";user=phone"))) {
		wbuf_lit(w, ";user=phone");
		return;
	}
	while (sip_param_next(&params, &p)) {
		bool ok = (slice_ieq(p.name, SLICE_LIT("user")) &&
			   slice_ieq(p.value, SLICE_LIT("phone"))) ||
			  (slice_ieq(p.name, SLICE_LIT("cause")) && wire_is_digits(p.value, 3));

		if (!ok)
			continue;
		wbuf_char(w, ';');
		wbuf_put(w, p.name);
		wbuf_char(w, '=');
		wbuf_put(w, p.value);
	}
}

/* A domain that both sides know stays. */
static inline struct slice host_for(const struct snapshot *snap, const struct sip_uri *u,
				    struct slice host)
{
	return snap->domains && snapshot_host_is_shared(snap, u->host) ? u->host : host;
}

static void sip_write(struct wbuf *w, const struct snapshot *snap, const struct sip_uri *u,
		      struct slice host)
{
	wbuf_lit(w, "sip:");
	if (u->has_user) {
		hiding_user_write(w, snap, u);
		wbuf_char(w, '@');
	}
	wbuf_put(w, host_for(snap, u, host));
	if (u->params.n)
		uri_params_write(w, u->params);
}

static bool is_tel_number(struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (!wire_is(s.p[i], WIRE_HEX) && (!s.p[i] || !strchr("+-.()*#", s.p[i])))
			return false;
	return s.n > 0 && s.n <= 64 && !hiding_names_host(s, SLICE_NONE);
}

/* RFC 3966 5.1.5: a local number is nothing without its context, so it becomes a SIP URI here. */
static void tel_write(struct wbuf *w, const struct snapshot *snap, const struct sip_uri *u,
		      struct slice host)
{
	struct sip_param context;

	if (!is_tel_number(u->user)) {
		anonymous_write(w, host);
		return;
	}
	if (u->user.p[0] == '+' ||
	    (sip_param_find(u->params, SLICE_LIT("phone-context"), &context) &&
	     hiding_context_stays(snap, context.value))) {
		wbuf_lit(w, "tel:");
		wbuf_put(w, u->user);
		hiding_tel_params_write(w, snap, u->params);
		return;
	}
	wbuf_lit(w, "sip:");
	hiding_user_write(w, snap, u);
	wbuf_char(w, '@');
	wbuf_put(w, host);
	wbuf_lit(w, ";user=phone");
}

static void parsed_uri_write(struct wbuf *w, const struct snapshot *snap, const struct sip_uri *u,
			     struct slice host)
{
	switch (u->scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		sip_write(w, snap, u, host);
		return;
	case SIP_SCHEME_TEL:
		tel_write(w, snap, u, host);
		return;
	case SIP_SCHEME_OTHER:
		break;
	}
	anonymous_write(w, host);
}

/*
 * sip:user@host[;user=phone], as nearly all are, with a user of which nothing has to be
 * looked at: how long it is in the end and where its parts stand are known before.
 */
static bool uri_is_usual(const struct sip_uri *u)
{
	return u->scheme == SIP_SCHEME_SIP && u->user.n <= HIDING_TEXT_MAX &&
	       wire_all(u->user, WIRE_PLAIN) &&
	       (!u->params.n || slice_eq(u->params, SLICE_LIT(";user=phone")));
}

static inline uint64_t usual_uri_len(const struct sip_uri *u, struct slice host)
{
	return sizeof("sip:@") - 1 + (uint64_t)u->user.n + host.n + u->params.n;
}

static inline char *usual_uri_out(char *at, const struct sip_uri *u, struct slice host)
{
	at = wbuf_copy_out(wbuf_lit_out(at, "sip:"), u->user);
	*at++ = '@';
	at = wbuf_copy_out(at, host);
	return u->params.n ? wbuf_lit_out(at, ";user=phone") : at;
}

static void usual_uri_write(struct wbuf *w, const struct sip_uri *u, struct slice host)
{
	char *at = wbuf_room(w, usual_uri_len(u, host));

	if (at)
		wbuf_took(w, usual_uri_out(at, u, host));
}

void hiding_uri_write(struct wbuf *w, const struct snapshot *snap, struct slice uri,
		      struct slice host)
{
	struct sip_uri u;

	if (sip_uri_parse(&u, uri) != SBC_OK)
		anonymous_write(w, host);
	else if (uri_is_usual(&u))
		usual_uri_write(w, &u, host_for(snap, &u, host));
	else
		parsed_uri_write(w, snap, &u, host);
}

void hiding_uri_write_plain(struct wbuf *w, const struct snapshot *snap, struct slice uri,
			    struct slice host)
{
	struct sip_uri u;

	if (sip_uri_parse(&u, uri) == SBC_OK)
		parsed_uri_write(w, snap, &u, host);
	else
		anonymous_write(w, host);
}

/* ---- display names ---- */

/* "alice@example.org": an '@' with no space on either side. */
static bool holds_address(struct slice s)
{
	for (uint32_t i = 1; i + 1 < s.n; i++)
		if (s.p[i] == '@' && wire_is(s.p[i - 1], WIRE_TOKEN) &&
		    wire_is(s.p[i + 1], WIRE_TOKEN))
			return true;
	return false;
}

static void display_put(struct wbuf *w, struct slice inner)
{
	wbuf_char(w, '"');
	wire_put(w, inner);
	wbuf_lit(w, "\" ");
}

/* Without the quotes around it. */
static inline struct slice display_inner(struct slice display)
{
	const bool quoted = display.n >= 2 && display.p[0] == '"';

	return quoted ? slice_of(display.p + 1, display.n - 2) : display;
}

/* As a quoted string, also what came as bare tokens: phones write "Jörg" without quotes. */
static void display_write(struct wbuf *w, struct slice display, struct slice host)
{
	const bool quoted = display.n && display.p[0] == '"';
	const struct slice inner = display_inner(display);

	if (inner.n == 0 || inner.n > HIDING_TEXT_MAX)
		return;
	if (wire_is_plain(inner)) {
		display_put(w, inner);
		return;
	}
	if (quoted ? !wire_is_quoted(display)
		   : (!wire_is_utf8(inner) || slice_find(inner, '"') >= 0 ||
		      slice_find(inner, '\\') >= 0))
		return;
	if (hiding_names_host(inner, host) || holds_address(inner))
		return;
	display_put(w, inner);
}

static void parsed_address_write(struct wbuf *w, const struct snapshot *snap,
				 const struct sip_addr *a, const struct sip_uri *u,
				 struct slice host)
{
	display_write(w, a->display, u ? u->host : SLICE_NONE);
	wbuf_char(w, '<');
	if (u)
		parsed_uri_write(w, snap, u, host);
	else
		anonymous_write(w, host);
	wbuf_char(w, '>');
}

/* A name that is carried as it is, or none, and a usual URI. */
static void usual_address_write(struct wbuf *w, struct slice name, const struct sip_uri *u,
				struct slice host)
{
	const uint64_t quoted = name.n ? (uint64_t)name.n + sizeof("\"\" ") - 1 : 0;
	const uint64_t n = quoted + usual_uri_len(u, host) + 2;
	char *at = wbuf_room(w, n);
	const char *const begin = at;

	if (!at)
		return;
	if (name.n) {
		*at++ = '"';
		at = wbuf_lit_out(wbuf_copy_out(at, name), "\" ");
	}
	*at++ = '<';
	at = usual_uri_out(at, u, host);
	*at++ = '>';
	assert((uint64_t)(at - begin) == n);
	(void)begin;
	wbuf_took(w, at);
}

static void address_write(struct wbuf *w, const struct snapshot *snap, const struct sip_addr *a,
			  struct slice host)
{
	const struct slice name = display_inner(a->display);
	struct sip_uri u;
	const bool ok = !a->is_star && sip_uri_parse(&u, a->uri) == SBC_OK;

	if (ok && name.n <= HIDING_TEXT_MAX && wire_is_plain(name) && uri_is_usual(&u))
		usual_address_write(w, name, &u, host_for(snap, &u, host));
	else
		parsed_address_write(w, snap, a, ok ? &u : NULL, host);
}

/* sip_addr_parse(), with a look at what nearly all are before it. */
static inline bool addr_read(struct sip_addr *a, struct slice value)
{
	struct slice tag;

	return sip_addr_usual(a, &tag, value) || sip_addr_parse(a, value) == SBC_OK;
}

void hiding_identity_write_plain(struct wbuf *w, const struct snapshot *snap, struct slice value,
				 struct slice host)
{
	struct sip_addr a;
	struct sip_uri u;
	bool ok;

	if (sip_addr_parse(&a, value) != SBC_OK)
		a = (struct sip_addr){.is_star = true};
	ok = !a.is_star && sip_uri_parse(&u, a.uri) == SBC_OK;
	parsed_address_write(w, snap, &a, ok ? &u : NULL, host);
}

void hiding_identity_write(struct wbuf *w, const struct snapshot *snap, struct slice value,
			   struct slice host)
{
	struct sip_addr a;

	if (addr_read(&a, value)) {
		address_write(w, snap, &a, host);
		return;
	}
	wbuf_char(w, '<');
	anonymous_write(w, host);
	wbuf_char(w, '>');
}

/* ---- headers of addresses ---- */

static void privacy_read(struct hiding_ctx *c)
{
	const struct sip_msg *m = c->msg;

	c->privacy_read = true;
	for (uint8_t i = m->first[SIP_HDR_PRIVACY]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		struct slice rest = sip_entry_value(m, i), word;

		while (wire_next_token(&rest, &word)) {
			c->privacy_id |= wire_in("id", word);
			c->privacy_history |= wire_in("history header session", word);
		}
	}
}

/* What Privacy keeps from an untrusted side (RFC 3325 7, RFC 7044 10.1). */
static bool is_private(struct hiding_ctx *c, enum sip_hdr id)
{
	if (!hiding_to_untrusted(c))
		return false;
	if (!c->privacy_read)
		privacy_read(c);
	if (id == SIP_HDR_P_ASSERTED_IDENTITY || id == SIP_HDR_REMOTE_PARTY_ID)
		return c->privacy_id;
	if (id == SIP_HDR_HISTORY_INFO || id == SIP_HDR_DIVERSION)
		return c->privacy_history;
	return false;
}

/* A single value's own wish: ;privacy=full of RFC 5806, ?Privacy=history of RFC 7044. */
static bool value_is_private(struct hiding_ctx *c, enum sip_hdr id, const struct sip_addr *a)
{
	struct sip_param p;
	int32_t query;

	if (!hiding_to_untrusted(c))
		return false;
	if ((id == SIP_HDR_REMOTE_PARTY_ID || id == SIP_HDR_DIVERSION) &&
	    sip_param_find(a->params, SLICE_LIT("privacy"), &p))
		return !wire_in("off \"off\"", p.value);
	query = slice_find(a->uri, '?');
	return id == SIP_HDR_HISTORY_INFO && query >= 0 &&
	       wire_isearch(slice_of(a->uri.p + query, a->uri.n - (uint32_t)query),
			    SLICE_LIT("privacy")) >= 0;
}

/*
 * What is asked of a transfer in the headers of a Refer-To (Replaces above all)
 * is bound to one side's dialogs; without them it would be another transfer.
 */
static bool is_unusable(enum sip_hdr id, const struct sip_addr *a)
{
	return id == SIP_HDR_REFER_TO && slice_find(a->uri, '?') >= 0;
}

void hiding_filter_addresses(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	const uint32_t from = c->w->n;
	struct sip_addr a;

	if (is_private(c, id))
		return;
	while (v.n && addr_read(&a, v)) {
		v = a.rest;
		if (a.is_star || value_is_private(c, id, &a) || is_unusable(id, &a))
			continue;
		hiding_comma(c, from);
		address_write(c->w, c->snap, &a, hiding_host(c));
		hiding_params_write(c, id, a.params);
	}
}
