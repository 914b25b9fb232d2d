#include "sbc/base/net.h"

/* An octet without leading zero: "010" is ten to some and eight to others. */
static bool octet_parse(struct slice s, uint8_t *out)
{
	uint32_t v;

	if (s.n > 3 || (s.n > 1 && s.p[0] == '0') || !slice_u32(s, 255, &v))
		return false;
	*out = (uint8_t)v;
	return true;
}

bool net_ip_parse(struct slice s, uint32_t *ip)
{
	uint8_t octet[4];

	for (int i = 0; i < 4; i++) {
		int32_t dot = slice_find(s, '.');
		if ((dot < 0) != (i == 3))
			return false;
		struct slice part = dot < 0 ? s : slice_of(s.p, (uint32_t)dot);
		if (!octet_parse(part, &octet[i]))
			return false;
		if (dot >= 0)
			s = slice_of(s.p + dot + 1, s.n - (uint32_t)dot - 1);
	}
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

void net_ip_write(struct wbuf *w, uint32_t ip)
{
	uint8_t octet[4];
	char text[NET_ADDR_STRLEN];
	struct wbuf t;

	/* Composed aside, so that an address is written whole or not at all. */
	wbuf_init(&t, text, sizeof(text));
	memcpy(octet, &ip, 4);
	for (int i = 0; i < 4; i++) {
		if (i)
			wbuf_char(&t, '.');
		wbuf_u64(&t, octet[i]);
	}
	wbuf_put(w, wbuf_slice(&t));
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
