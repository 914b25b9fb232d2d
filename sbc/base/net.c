#include "sbc/base/net.h"

/* One octet off the front of p[0..end), at most three digits; null when there is none. */
static inline const char *octet_parse(const char *p, const char *end, uint8_t *out)
{
	uint32_t v, digit;

	if (p == end || (v = (uint8_t)(*p++ - '0')) > 9)
		return NULL;
	for (uint32_t i = 1; i < 3 && p != end && (digit = (uint8_t)(*p - '0')) <= 9; i++, p++) {
		/* "010" is ten to some and eight to others. */
		if (v == 0)
			return NULL;
		v = v * 10 + digit;
	}
	*out = (uint8_t)v;
	return v <= 255 ? p : NULL;
}

bool net_ip_parse(struct slice s, uint32_t *ip)
{
	uint8_t octet[4];

	if (s.n == 0)
		return false;
	const char *p = s.p, *end = s.p + s.n;
	for (int i = 0; i < 4; i++) {
		if (i && (p == end || *p++ != '.'))
			return false;
		p = octet_parse(p, end, &octet[i]);
		if (p == NULL)
			return false;
	}
	if (p != end)
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
