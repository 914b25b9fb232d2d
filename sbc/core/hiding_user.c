/*
 * The user part of a URI: whom a call is for. It is carried, because without it
 * nobody could be called, but for what in it plainly names a host.
 */
#include "sbc/core/hiding_internal.h"
#include "sbc/sip/param.h"
#include "sbc/sip/uri.h"

static const char anonymous[] = "anonymous";

/* A run of digits and dots that is an IPv4 address; "+1.2.3.4" is a phone number. */
static bool holds_ip4(struct slice text)
{
	for (uint32_t i = 0; i < text.n; i++) {
		uint32_t end = i, ip;

		if (!wire_is(text.p[i], WIRE_DIGIT))
			continue;
		while (end < text.n && (wire_is(text.p[end], WIRE_DIGIT) || text.p[end] == '.'))
			end++;
		struct slice run = slice_of(text.p + i, end - i);
		while (run.n && run.p[run.n - 1] == '.')
			run.n--;
		if (run.n <= 15 && (i == 0 || text.p[i - 1] != '+') && net_ip_parse(run, &ip))
			return true;
		i = end;
	}
	return false;
}

/*
 * `host` counts only when it has a dot: a user called like a one-word host names
 * nothing. Callers bound `text` by HIDING_TEXT_MAX, so that the search is bounded.
 */
bool hiding_names_host(struct slice text, struct slice host)
{
	if (slice_find(text, '[') >= 0)
		return true;
	if (slice_find(text, '.') < 0)
		return false;
	if (holds_ip4(text))
		return true;
	return host.n <= text.n && slice_find(host, '.') >= 0 && wire_isearch(text, host) >= 0;
}

static int hex_value(char c)
{
	if (wire_is(c, WIRE_DIGIT))
		return c - '0';
	return wire_is(c, WIRE_HEX) ? slice_lower(c) - 'a' + 10 : -1;
}

static bool is_escape(struct slice s, uint32_t i)
{
	return s.p[i] == '%' && i + 2 < s.n && hex_value(s.p[i + 1]) >= 0 &&
	       hex_value(s.p[i + 2]) >= 0;
}

/* RFC 3261 25.1 escaped, taken back: an address written "10%2e0" is still one. */
static struct slice unescape(struct slice s, char *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		if (is_escape(s, i)) {
			out[n++] = (char)((unsigned)hex_value(s.p[i + 1]) << 4 |
					  (unsigned)hex_value(s.p[i + 2]));
			i += 2;
		} else {
			out[n++] = s.p[i];
		}
	}
	return slice_of(out, n);
}

static void put_escaped(struct wbuf *w, struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++) {
		const uint8_t byte = (uint8_t)s.p[i];

		if (wire_is(s.p[i], WIRE_USER) || is_escape(s, i)) {
			wbuf_char(w, s.p[i]);
		} else {
			wbuf_char(w, '%');
			wbuf_hex(w, &byte, 1);
		}
	}
}

/* Without an escaped '@' and what follows, and without parameters. */
static struct slice base_of(struct slice user, struct slice *params)
{
	int32_t at = slice_search(user, SLICE_LIT("%40")), semi;

	*params = SLICE_NONE;
	if (at >= 0)
		user.n = (uint32_t)at;
	semi = slice_find(user, ';');
	if (semi >= 0) {
		*params = slice_of(user.p + semi, user.n - (uint32_t)semi);
		user.n = (uint32_t)semi;
	}
	return user;
}

static bool base_ok(struct slice base, struct slice host)
{
	char plain[HIDING_TEXT_MAX];
	struct slice text = base;

	if (base.n == 0 || base.n > HIDING_TEXT_MAX)
		return false;
	if (slice_find(base, '%') >= 0)
		text = unescape(base, plain);
	return slice_find(text, '@') < 0 && !hiding_names_host(text, host);
}

void hiding_user_write(struct wbuf *w, const struct snapshot *snap, const struct sip_uri *u)
{
	struct slice params, base;

	/* What nearly every user is made of needs no second look. */
	if (u->user.n <= HIDING_TEXT_MAX && wire_all(u->user, WIRE_PLAIN)) {
		wbuf_put(w, u->user);
		return;
	}
	base = base_of(u->user, &params);
	if (!base_ok(base, u->host)) {
		wbuf_put(w, slice_str(anonymous));
		return;
	}
	if (wire_all(base, WIRE_USER))
		wbuf_put(w, base);
	else
		put_escaped(w, base);
	hiding_tel_params_write(w, snap, params);
}

/* ---- parameters of a telephone-subscriber (RFC 3966, RFC 4694, RFC 8225) ---- */

static bool is_phone_text(struct slice s, const char *more)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (!wire_is(s.p[i], WIRE_HEX) && (!s.p[i] || !strchr(more, s.p[i])))
			return false;
	return s.n > 0 && s.n <= 32;
}

/* RFC 3966 5.1.5: a number prefix describes no host; a domain stays when both sides know it. */
bool hiding_context_stays(const struct snapshot *snap, struct slice context)
{
	if (context.n && context.p[0] == '+')
		return is_phone_text(context, "+-.()");
	return snapshot_host_is_shared(snap, context);
}

static bool tel_param_ok(const struct snapshot *snap, const struct sip_param *p)
{
	if (wire_in("npdi", p->name))
		return p->value.p == NULL;
	if (wire_in("rn cic ext isub oli", p->name))
		return is_phone_text(p->value, "+-");
	if (wire_in("verstat", p->name))
		return wire_in("TN-Validation-Passed TN-Validation-Failed No-TN-Validation",
			       p->value);
	if (wire_in("cpc", p->name))
		return wire_in("ordinary test operator payphone unknown emergency", p->value);
	return wire_in("phone-context", p->name) && hiding_context_stays(snap, p->value);
}

void hiding_tel_params_write(struct wbuf *w, const struct snapshot *snap, struct slice params)
{
	struct sip_param p;

	while (sip_param_next(&params, &p)) {
		if (!tel_param_ok(snap, &p))
			continue;
		wbuf_char(w, ';');
		wbuf_put(w, p.name);
		if (p.value.n) {
			wbuf_char(w, '=');
			wbuf_put(w, p.value);
		}
	}
}
