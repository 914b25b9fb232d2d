/*
 * port: our addresses on the wire, and what listens on them.
 *
 * Built once at start from the configuration and the snapshot, read by all
 * workers, never written again. A port is a device with a VLAN; an address is an
 * IPv4 address of ours on one port (the port's own, a listener's, a realm's media
 * address), with the media ranges and SIP listeners found there. The same IP on
 * two ports is two addresses.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "sbc/base/reason.h"
#include "sbc/media/flow.h"

#define PORT_ADDRESSES 16u
#define PORT_NONE      UINT16_MAX

struct media_range {
	uint16_t lo;
	uint16_t realm;
	uint32_t count;
	uint32_t base; /* flow of port `lo` */
};

struct port_listener {
	uint16_t port; /* UDP, host order */
	uint16_t listener;
};

struct address {
	uint32_t ip;
	uint16_t ranges;
	uint16_t listeners;
	struct media_range range[SNAPSHOT_MAX_REALMS];
	struct port_listener listener[SNAPSHOT_MAX_LISTENERS];
};

struct port {
	char name[SNAPSHOT_NAME];
	uint16_t device;
	uint16_t vlan;
	uint16_t mtu;
	uint16_t addresses;
	uint32_t ip;
	uint32_t mask; /* network order */
	uint32_t gateway;
	uint8_t mac[6];
	struct address *address[PORT_ADDRESSES];
};

struct realm_media {
	uint16_t port; /* ours */
	uint16_t lo;
	uint32_t count; /* 0: the realm has no media */
	uint32_t base;
	uint32_t ip;
};

struct dataplane;

/* Fills dp->port (but for device and mac), addresses and realms. False: `why` says it. */
bool ports_build(struct dataplane *dp, char *why, uint32_t why_len);
void ports_free(struct dataplane *dp);

/*
 * Whether a newer snapshot can be used with the tables built at start: realms,
 * listeners and their addresses as they were.
 */
bool ports_fit(const struct dataplane *dp, const struct snapshot *s);

static inline const struct address *port_address(const struct port *p, uint32_t ip)
{
	for (uint16_t i = 0; i < p->addresses; i++)
		if (p->address[i]->ip == ip)
			return p->address[i];
	return NULL;
}

/* The flow of a UDP port there, or FLOW_NONE: it is no media port. */
static inline uint32_t address_flow(const struct address *a, uint16_t port)
{
	for (uint16_t i = 0; i < a->ranges; i++) {
		uint32_t off = (uint32_t)port - a->range[i].lo;

		if (off < a->range[i].count)
			return a->range[i].base + off;
	}
	return FLOW_NONE;
}

static inline bool port_on_link(const struct port *p, uint32_t ip)
{
	return ((ip ^ p->ip) & p->mask) == 0;
}

/* Whether a host may send from there: RFC 1122 3.2.1.3, RFC 1812 5.3.7. */
bool port_source_ok(const struct port *p, uint32_t src);

/* Who is asked for its Ethernet address to reach `dst`; false: there is no route. */
bool port_next_hop(const struct port *p, uint32_t dst, uint32_t *hop);

#endif
