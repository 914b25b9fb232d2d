#include "sbc/sip/host.h"

#include "sbc/base/net.h"
#include "sbc/sip/chars.h"

#define IP6_GROUPS 8u

/* 1 to 4 hex digits at the front, or 0. */
static uint32_t hex_group_len(struct slice s)
{
	uint32_t n = 0;

	while (n < s.n && sip_char_is_hex(s.p[n]))
		n++;
	return n <= 4 ? n : 0;
}

bool sip_host_is_ip6(struct slice s)
{
	uint32_t groups = 0, ip;
	bool gap = false;

	if (s.n >= 2 && s.p[0] == ':' && s.p[1] == ':') {
		gap = true;
		sip_cut(&s, 2);
	}
	while (s.n) {
		const uint32_t n = hex_group_len(s);

		if (slice_find(s, ':') < 0 && slice_find(s, '.') >= 0) {
			groups += 2;
			return net_ip_parse(s, &ip) &&
			       (gap ? groups < IP6_GROUPS : groups == IP6_GROUPS);
		}
		if (!n || ++groups > IP6_GROUPS)
			return false;
		sip_cut(&s, n);
		if (!s.n)
			break;
		if (*s.p != ':' || s.n == 1)
			return false;
		sip_cut(&s, 1);
		if (*s.p == ':') {
			if (gap)
				return false;
			gap = true;
			sip_cut(&s, 1);
		}
	}
	return gap ? groups < IP6_GROUPS : groups == IP6_GROUPS;
}

/* Labels not empty, not beginning or ending with '-'; one dot may end the name. */
static bool is_name(struct slice s)
{
	bool other = false; /* something that an address has not */
	char before = '.';
	uint32_t ip;

	for (uint32_t i = 0; i < s.n; i++) {
		const char c = s.p[i];

		if (c == '.' ? before == '.' || before == '-' : c == '-' && before == '.')
			return false;
		other |= c > '9' || c == '-';
		before = c;
	}
	return before != '-' && (other || net_ip_parse(s, &ip));
}

static enum sbc_err cut_ip6(struct slice *s, struct slice *host)
{
	const int32_t close = slice_find(*s, ']');

	if (close < 0 || !sip_host_is_ip6(slice_of(s->p + 1, (uint32_t)close - 1)))
		return SBC_EBAD;
	*host = slice_of(s->p, (uint32_t)close + 1);
	sip_cut(s, host->n);
	return SBC_OK;
}

enum sbc_err sip_host_cut(struct slice *s, struct slice *host)
{
	if (s->n && *s->p == '[')
		return cut_ip6(s, host);
	*host = sip_cut_class(s, SIP_CH_HOST);
	return host->n && is_name(*host) ? SBC_OK : SBC_EBAD;
}

enum sbc_err sip_port_cut(struct slice *s, uint16_t *port)
{
	uint32_t n = 0, v;

	while (n < s->n && sip_char_is_digit(s->p[n]))
		n++;
	if (!slice_u32(slice_of(s->p, n), UINT16_MAX, &v) || v == 0)
		return SBC_EBAD;
	sip_cut(s, n);
	*port = (uint16_t)v;
	return SBC_OK;
}
