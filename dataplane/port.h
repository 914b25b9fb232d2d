/*
 * port: our addresses on the wire, and what listens on them.
 *
 * Built once at start from the configuration and the snapshot, read by all
 * workers, never written again. A port is a device with a VLAN; an address is an
 * IPv4 address of ours on one port (the port's own, a listener's, a realm's media
 * address), with the media ranges and SIP listeners found there. The same IP on
 * two ports is two addresses.
 *
 * An address may be of a group, and is then ours only while that is active
 * (group.h): `active` below is the asking worker's view of that. The port's own
 * address, where no realm has it, and every address of a node that serves all its
 * groups for good, always is.
 */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "sbc/base/reason.h"
#include "sbc/media/flow.h"

/* Its own, those of every realm, one a listener. */
#define PORT_ADDRESSES (1u + SNAPSHOT_MAX_REALMS * SNAPSHOT_MAX_MEDIA + SNAPSHOT_MAX_LISTENERS)
#define PORT_SLOT_BITS 13u
#define PORT_SLOTS     (1u << PORT_SLOT_BITS)
#define PORT_ALWAYS    (1u << 31)

static_assert(PORT_SLOTS > 2 * PORT_ADDRESSES, "free places end every search");
static_assert(SNAPSHOT_MAX_GROUPS < 31, "a bit for each group beside PORT_ALWAYS");

#define PORT_NONE UINT16_MAX

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
	uint32_t gate; /* bit of its group, or PORT_ALWAYS */
	uint16_t ranges;
	uint16_t listeners;
	struct media_range range[SNAPSHOT_MAX_REALMS];
	struct port_listener listener[SNAPSHOT_MAX_LISTENERS];
};

struct address6 {
	uint8_t ip[16];
	uint32_t gate;
};

/* A place of the table that finds an address by its IP; at 0: free. */
struct port_slot {
	uint32_t ip;
	uint32_t at; /* address + 1 */
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
	uint16_t addresses6;
	struct port_slot slot[PORT_SLOTS];
	struct address *address[PORT_ADDRESSES];
	struct address6 address6[DP_MAX_ADDRESSES6];
};

struct realm_media {
	uint16_t port; /* ours */
	uint16_t lo;
	uint32_t count; /* ports on each address; 0: the realm has no media */
	uint32_t
		base; /* flow of the first address's port `lo`; the next's are `count` further on */
	uint32_t gate;
	uint16_t addresses;
	uint32_t ip[SNAPSHOT_MAX_MEDIA];
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

/* Multiplicative hashing: what is in the table is the configuration's, not a stranger's. */
static inline uint32_t port_slot_of(uint32_t ip)
{
	return ip * 0x9e3779b1u >> (32 - PORT_SLOT_BITS);
}

/* The address with that IP, whether it is active or not. */
static inline const struct address *port_address(const struct port *p, uint32_t ip)
{
	for (uint32_t i = port_slot_of(ip);; i++) {
		const struct port_slot *s = &p->slot[i % PORT_SLOTS];

		if (s->at == 0)
			return NULL;
		if (s->ip == ip)
			return p->address[s->at - 1];
	}
}

/* The same, if it is ours at present. */
static inline const struct address *port_ours(const struct port *p, uint32_t active, uint32_t ip)
{
	const struct address *a = port_address(p, ip);

	return a != NULL && (a->gate & active) ? a : NULL;
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
bool port_source_ok(const struct port *p, uint32_t active, uint32_t src);

/* Who is asked for its Ethernet address to reach `dst`; false: there is no route. */
bool port_next_hop(const struct port *p, uint32_t active, uint32_t dst, uint32_t *hop);

#endif
