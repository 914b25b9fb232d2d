#include "sbc/sip/uri.h"

#include "sbc/sip/chars.h"
#include "sbc/sip/host.h"
#include "sbc/sip/param.h"

/* "sip:" as it lies in memory, and the bits by which its letters' cases differ. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define SIP_WORD 0x7369703au
#define SIP_FOLD 0x20202000u
#else
#define SIP_WORD 0x3a706973u
#define SIP_FOLD 0x00202020u
#endif

static bool cut_scheme(struct slice *s, struct sip_uri *u)
{
	const int32_t colon = slice_find(*s, ':');

	if (colon < 1 || !sip_char_is_alpha(*s->p))
		return false;
	u->scheme_name = slice_of(s->p, (uint32_t)colon);
	for (uint32_t i = 1; i < u->scheme_name.n; i++) {
		const char c = s->p[i];

		if (!sip_char_is_alpha(c) && !sip_char_is_digit(c) && c != '+' && c != '-' &&
		    c != '.')
			return false;
	}
	sip_cut(s, (uint32_t)colon + 1);
	if (slice_ieq(u->scheme_name, SLICE_LIT("sip")))
		u->scheme = SIP_SCHEME_SIP;
	else if (slice_ieq(u->scheme_name, SLICE_LIT("sips")))
		u->scheme = SIP_SCHEME_SIPS;
	else if (slice_ieq(u->scheme_name, SLICE_LIT("tel")))
		u->scheme = SIP_SCHEME_TEL;
	else
		u->scheme = SIP_SCHEME_OTHER;
	return true;
}

/* user [ ":" password ] "@"; '@' stands nowhere else unescaped (RFC 3261 25.1). */
static bool cut_userinfo(struct slice *s, struct sip_uri *u)
{
	const int32_t at = slice_find(*s, '@');

	if (at < 0)
		return true;
	struct slice info = slice_of(s->p, (uint32_t)at);
	const int32_t colon = slice_find(info, ':');

	u->has_user = true;
	u->user = info;
	if (colon >= 0) {
		u->user.n = (uint32_t)colon;
		u->password = slice_of(info.p + colon + 1, info.n - (uint32_t)colon - 1);
	}
	sip_cut(s, (uint32_t)at + 1);
	return u->user.n && sip_char_all_or_escaped(u->user, SIP_CH_USER) &&
	       sip_char_all_or_escaped(u->password, SIP_CH_PASS);
}

/* *( ";" name [ "=" value ] ) of paramchars, up to '?' or the end. */
static bool cut_uri_params(struct slice *s, struct sip_uri *u)
{
	const int32_t mark = slice_find(*s, '?');
	struct slice list = slice_of(s->p, mark < 0 ? s->n : (uint32_t)mark);

	u->params = list;
	sip_cut(s, list.n);
	while (list.n) {
		uint32_t n = 1;

		while (n < list.n && list.p[n] != ';')
			n++;
		struct slice name = slice_of(list.p + 1, n - 1), value = SLICE_NONE;
		const int32_t eq = slice_find(name, '=');

		if (eq >= 0) {
			value = slice_of(name.p + eq + 1, name.n - (uint32_t)eq - 1);
			name.n = (uint32_t)eq;
		}
		if (*list.p != ';' || !name.n || !sip_char_all_or_escaped(name, SIP_CH_PARAM) ||
		    !sip_char_all_or_escaped(value, SIP_CH_PARAM))
			return false;
		sip_cut(&list, n);
	}
	return true;
}

/* "?" hname "=" hvalue *( "&" hname "=" hvalue ) */
static bool take_uri_headers(struct slice s, struct sip_uri *u)
{
	if (!s.n)
		return true;
	sip_cut(&s, 1);
	u->headers = s;
	do {
		const int32_t amp = slice_find(s, '&');
		struct slice one = slice_of(s.p, amp < 0 ? s.n : (uint32_t)amp);
		const int32_t eq = slice_find(one, '=');

		if (eq < 1)
			return false;
		if (!sip_char_all_or_escaped(slice_of(one.p, (uint32_t)eq), SIP_CH_HEADER) ||
		    !sip_char_all_or_escaped(slice_of(one.p + eq + 1, one.n - (uint32_t)eq - 1),
					     SIP_CH_HEADER))
			return false;
		sip_cut(&s, one.n);
		if (!s.n)
			return true;
		sip_cut(&s, 1);
	} while (s.n);
	return false;
}

static enum sbc_err parse_sip(struct slice s, struct sip_uri *u)
{
	if (!cut_userinfo(&s, u) || sip_host_cut(&s, &u->host) != SBC_OK)
		return SBC_EBAD;
	if (s.n && *s.p == ':') {
		sip_cut(&s, 1);
		if (sip_port_cut(&s, &u->port) != SBC_OK)
			return SBC_EBAD;
	}
	return cut_uri_params(&s, u) && take_uri_headers(s, u) ? SBC_OK : SBC_EBAD;
}

/* RFC 3966 3: digits with visual separators; a local number may hold hex digits, '*', '#'. */
static bool is_tel_number(struct slice s)
{
	uint32_t digits = 0;
	const bool global = s.n && *s.p == '+';

	if (global)
		sip_cut(&s, 1);
	for (uint32_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (sip_char_is_digit(c) ||
		    (!global && (sip_char_is_hex(c) || c == '*' || c == '#')))
			digits++;
		else if (c != '-' && c != '.' && c != '(' && c != ')')
			return false;
	}
	return digits != 0;
}

static enum sbc_err parse_tel(struct slice s, struct sip_uri *u)
{
	const int32_t semi = slice_find(s, ';');

	u->user = slice_of(s.p, semi < 0 ? s.n : (uint32_t)semi);
	u->has_user = true;
	sip_cut(&s, u->user.n);
	if (!is_tel_number(u->user) || !cut_uri_params(&s, u) || s.n)
		return SBC_EBAD;
	return SBC_OK;
}

static enum sbc_err parse_other(struct slice s)
{
	for (uint32_t i = 0; i < s.n; i++)
		if ((uint8_t)s.p[i] <= ' ')
			return SBC_EBAD;
	return s.n ? SBC_OK : SBC_EBAD;
}

/* `sip:` in any case. */
static inline bool is_sip(const char *p)
{
	uint32_t word;

	memcpy(&word, p, 4);
	return (word | SIP_FOLD) == SIP_WORD;
}

/* user "@", or no '@' at all. */
static inline bool usual_user(struct slice *s, struct sip_uri *u)
{
	struct slice t = *s;
	/* Neither ':' nor '@' is of the class: the first of them stands behind it. */
	const struct slice user = sip_cut_class(&t, SIP_CH_USER);

	if (!t.n || *t.p != '@')
		return slice_find(t, '@') < 0;
	u->has_user = true;
	u->user = user;
	sip_cut(&t, 1);
	*s = t;
	return user.n != 0;
}

/* Parameters up to the end, without escapes. */
static inline bool usual_params(struct slice s)
{
	while (s.n && *s.p == ';') {
		sip_cut(&s, 1);
		if (!sip_cut_class(&s, SIP_CH_PARAM).n)
			return false;
		if (s.n && *s.p == '=') {
			sip_cut(&s, 1);
			sip_cut_class(&s, SIP_CH_PARAM);
		}
	}
	return !s.n;
}

/*
 * sip:user@host[:port][;params] as nearly all are: no password, no escapes, no
 * headers. False: it may be any other URI, or none, and `u` holds nothing.
 */
static bool parse_usual(struct sip_uri *u, struct slice s)
{
	if (s.n < 5 || !is_sip(s.p))
		return false;
	*u = (struct sip_uri){
		.scheme = SIP_SCHEME_SIP, .whole = s, .scheme_name = slice_of(s.p, 3)};
	sip_cut(&s, 4);
	if (!usual_user(&s, u) || sip_host_cut(&s, &u->host) != SBC_OK)
		return false;
	if (s.n && *s.p == ':') {
		sip_cut(&s, 1);
		if (sip_port_cut(&s, &u->port) != SBC_OK)
			return false;
	}
	u->params = s;
	return usual_params(s);
}

enum sbc_err sip_uri_parse(struct sip_uri *u, struct slice s)
{
	return parse_usual(u, s) ? SBC_OK : uri_parse_with_care(u, s);
}

enum sbc_err uri_parse_with_care(struct sip_uri *u, struct slice s)
{
	*u = (struct sip_uri){.whole = s};
	if (!cut_scheme(&s, u))
		return SBC_EBAD;
	switch (u->scheme) {
	case SIP_SCHEME_SIP:
	case SIP_SCHEME_SIPS:
		return parse_sip(s, u);
	case SIP_SCHEME_TEL:
		return parse_tel(s, u);
	default:
		return parse_other(s);
	}
}

enum sbc_err sip_uri_addr(const struct sip_uri *u, struct net_addr *out)
{
	const uint16_t usual = u->scheme == SIP_SCHEME_SIPS ? 5061 : 5060;

	if (!net_ip_parse(u->host, &out->ip))
		return SBC_ENONE;
	out->port = u->port ? u->port : usual;
	return SBC_OK;
}
