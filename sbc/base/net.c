#include "sbc/base/net.h"

#include "sbc/base/decimal.h"

static inline uint32_t digit_at(const char *p, uint32_t n, uint32_t at)
{
	return at < n ? (uint32_t)(uint8_t)p[at] - '0' : 10;
}

/*
 * How many digits at the front are an octet, at most three, or 0. Without leading zero:
 * "010" is ten to some and eight to others.
 */
static inline uint32_t octet_cut(const char *p, uint32_t n, uint32_t *out)
{
	uint32_t v = digit_at(p, n, 0), next = digit_at(p, n, 1);

	*out = v;
	if (v > 9)
		return 0;
	if (next > 9)
		return 1;
	*out = v * 10 + next;
	if (v == 0)
		return 0;
	next = digit_at(p, n, 2);
	if (next > 9)
		return 2;
	*out = *out * 10 + next;
	return *out > 255 ? 0 : 3;
}

uint32_t net_ip_cut(struct slice s, uint32_t *ip)
{
	uint8_t octet[4];
	uint32_t at = 0, n, v;

	for (int i = 0; i < 4; i++) {
		if (i && (at == s.n || s.p[at++] != '.'))
			return 0;
		n = octet_cut(s.p + at, s.n - at, &v);
		if (n == 0)
			return 0;
		octet[i] = (uint8_t)v;
		at += n;
	}
	memcpy(ip, octet, 4);
	return at;
}

bool net_ip_parse(struct slice s, uint32_t *ip)
{
	uint32_t found;

	if (s.n == 0 || net_ip_cut(s, &found) != s.n)
		return false;
	*ip = found;
	return true;
}

bool net_addr_parse(struct slice s, struct net_addr *out)
{
	int32_t colon = slice_find(s, ':');
	uint32_t ip, port;

	if (colon < 0 || !net_ip_parse(slice_of(s.p, (uint32_t)colon), &ip))
		return false;
	if (!slice_u32(slice_of(s.p + colon + 1, s.n - (uint32_t)colon - 1), 65535, &port) ||
	    port == 0)
		return false;
	*out = (struct net_addr){.ip = ip, .port = (uint16_t)port};
	return true;
}

/* The digits of an octet, and how many. */
#define OCTET(v)                                                                                   \
	{                                                                                          \
		{(v) >= 100  ? '0' + (v) / 100                                                     \
		 : (v) >= 10 ? '0' + (v) / 10                                                      \
			     : '0' + (v),                                                          \
		 (v) >= 100 ? '0' + (v) / 10 % 10 : '0' + (v) % 10, '0' + (v) % 10},               \
			1 + ((v) >= 10) + ((v) >= 100)                                             \
	}
#define OCTETS_4(v)  OCTET(v), OCTET((v) + 1), OCTET((v) + 2), OCTET((v) + 3)
#define OCTETS_16(v) OCTETS_4(v), OCTETS_4((v) + 4), OCTETS_4((v) + 8), OCTETS_4((v) + 12)
#define OCTETS_64(v) OCTETS_16(v), OCTETS_16((v) + 16), OCTETS_16((v) + 32), OCTETS_16((v) + 48)

static const struct octet {
	char digit[3];
	uint8_t n;
} octets[256] = {OCTETS_64(0), OCTETS_64(64), OCTETS_64(128), OCTETS_64(192)};

char *net_ip_compose(char *p, uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	for (int i = 0; i < 4; i++) {
		const struct octet *o = &octets[octet[i]];

		/* Four bytes in one go: the count is written over by what follows. */
		memcpy(p, o, sizeof(*o));
		p += o->n;
		*p++ = '.';
	}
	return p - 1;
}

char *net_addr_compose(char *p, struct net_addr a)
{
	p = net_ip_compose(p, a.ip);
	*p++ = ':';
	return decimal_write(p, a.port);
}

/* An address is written whole or not at all: aside first, where the longest has no room. */
void net_ip_write(struct wbuf *w, uint32_t ip)
{
	char text[NET_ADDR_STRLEN];

	if (!w->full && w->cap - w->n >= NET_ADDR_STRLEN)
		wbuf_took(w, net_ip_compose(w->p + w->n, ip));
	else
		wbuf_put(w, wbuf_aside(text, net_ip_compose(text, ip)));
}

void net_addr_write(struct wbuf *w, struct net_addr a)
{
	char text[NET_ADDR_STRLEN];

	if (!w->full && w->cap - w->n >= NET_ADDR_STRLEN)
		wbuf_took(w, net_addr_compose(w->p + w->n, a));
	else
		wbuf_put(w, wbuf_aside(text, net_addr_compose(text, a)));
}

bool net_ip_is_unicast(uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	return octet[0] != 0 && octet[0] != 127 && octet[0] < 224;
}
