/*
 * Digest credentials and challenges (RFC 3261 22, RFC 7616, RFC 8760, RFC 3310).
 *
 * Both ends hash over realm, nonce, uri and opaque: changing one breaks the
 * authentication, so they are carried as they are. `domain` lists URIs of the
 * challenger's side and is not hashed: it goes, and so does every parameter that
 * is not of these RFCs. Other schemes are not served: their tokens and URLs name
 * servers of one side (RFC 8898).
 */
#include "sbc/core/hiding_internal.h"

static const char params_known[] =
	"realm nonce opaque algorithm qop uri response username username* userhash cnonce nc "
	"stale auts nextnonce rspauth";

static bool value_ok(struct slice v)
{
	return wire_all(v, WIRE_TOKEN) || wire_is_quoted(v);
}

static void params_write(struct hiding_ctx *c, struct slice v, uint32_t from)
{
	struct slice element;

	while (sip_list_next(&v, &element)) {
		int32_t eq = slice_find(element, '=');
		struct slice name, value;

		if (eq < 0)
			continue;
		name = slice_trim(slice_of(element.p, (uint32_t)eq));
		value = slice_trim(slice_of(element.p + eq + 1, element.n - (uint32_t)eq - 1));
		if (!wire_in(params_known, name) || !value_ok(value))
			continue;
		hiding_comma(c, from);
		wbuf_put(c->w, name);
		wbuf_char(c->w, '=');
		wire_put(c->w, value);
	}
}

void hiding_filter_digest(struct hiding_ctx *c, enum sip_hdr id, struct slice v)
{
	static const char scheme[] = "Digest";
	const uint32_t n = sizeof(scheme) - 1, before = c->w->n;
	uint32_t from = before;

	if (id != SIP_HDR_AUTHENTICATION_INFO) {
		if (v.n <= n || !slice_ieq(slice_of(v.p, n), SLICE_LIT("Digest")) ||
		    !wire_is(v.p[n], WIRE_LWS))
			return;
		wbuf_lit(c->w, "Digest ");
		from = c->w->n;
		v = slice_trim(slice_of(v.p + n, v.n - n));
	}
	params_write(c, v, from);
	if (c->w->n == from)
		c->w->n = before;
}
