/*
 * net: a transport address as the border's logic sees it.
 *
 * `ip` is an IPv4 address in network byte order, `port` is in host byte order.
 * The border relays IPv4; whoever compares or prints an address does so through
 * these functions, so that a second family has one place to enter.
 */
#ifndef SBC_BASE_NET_H
#define SBC_BASE_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/slice.h"
#include "sbc/base/wbuf.h"

struct net_addr {
	uint32_t ip;
	uint16_t port;
};

/* Room for "255.255.255.255:65535" and a NUL. */
#define NET_ADDR_STRLEN 22

static inline bool net_addr_eq(struct net_addr a, struct net_addr b)
{
	return a.ip == b.ip && a.port == b.port;
}

static inline bool net_addr_is_set(struct net_addr a)
{
	return a.ip != 0 && a.port != 0;
}

/*
 * Dotted quad, exactly four decimal octets without sign, space or leading zero
 * ("010" is ten to some readers and eight to others).
 */
bool net_ip_parse(struct slice s, uint32_t *ip);

/* How many bytes at the front are such an address, or 0: what follows is the caller's. */
uint32_t net_ip_cut(struct slice s, uint32_t *ip);

/* "a.b.c.d:port"; port 1 to 65535. */
bool net_addr_parse(struct slice s, struct net_addr *out);

/*
 * Where there is room for NET_ADDR_STRLEN bytes, all of which may be written; they
 * return the end of the text.
 */
char *net_ip_compose(char *p, uint32_t ip);
char *net_addr_compose(char *p, struct net_addr a);

void net_ip_write(struct wbuf *w, uint32_t ip);
void net_addr_write(struct wbuf *w, struct net_addr a);

/*
 * An address to which media or signalling may ever be sent: not 0/8, not
 * 127/8, not multicast, not 240/4 nor broadcast. The border's own addresses are
 * refused elsewhere, by whoever knows them.
 */
bool net_ip_is_unicast(uint32_t ip);

#endif
