#include "sbc/base/net.h"

/* Digits at the front of an octet, without leading zero: "010" is ten to some and eight to others. */
static uint32_t octet_parse(const char *p, uint32_t n, uint8_t *out)
{
	uint32_t v = 0, at = 0;

	while (at < n && at < 3 && p[at] >= '0' && p[at] <= '9')
		v = v * 10 + (uint32_t)(p[at++] - '0');
	if (v > 255 || (at > 1 && p[0] == '0'))
		return 0;
	*out = (uint8_t)v;
	return at;
}

bool net_ip_parse(struct slice s, uint32_t *ip)
{
	uint8_t octet[4];
	uint32_t at = 0, n;

	if (s.n == 0)
		return false;
	for (int i = 0; i < 4; i++) {
		if (i && (at == s.n || s.p[at++] != '.'))
			return false;
		n = octet_parse(s.p + at, s.n - at, &octet[i]);
		if (n == 0)
			return false;
		at += n;
	}
	if (at != s.n)
		return false;
	memcpy(ip, octet, 4);
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

static char *octet_write(char *p, uint8_t v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

void net_ip_write(struct wbuf *w, uint32_t ip)
{
	uint8_t octet[4];
	/* Composed aside, so that an address is written whole or not at all. */
	char text[NET_ADDR_STRLEN], *p = text;

	memcpy(octet, &ip, 4);
	for (int i = 0; i < 4; i++) {
		if (i)
			*p++ = '.';
		p = octet_write(p, octet[i]);
	}
	wbuf_put(w, slice_of(text, (uint32_t)(p - text)));
}

void net_addr_write(struct wbuf *w, struct net_addr a)
{
	char text[NET_ADDR_STRLEN];
	struct wbuf t;

	wbuf_init(&t, text, sizeof(text));
	net_ip_write(&t, a.ip);
	wbuf_char(&t, ':');
	wbuf_u64(&t, a.port);
	wbuf_put(w, wbuf_slice(&t));
}

bool net_ip_is_unicast(uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	return octet[0] != 0 && octet[0] != 127 && octet[0] < 224;
}
