#include "dataplane/port.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/worker.h"

static struct address *address_of(struct dataplane *dp, uint16_t port, uint32_t ip)
{
	struct port *p = &dp->port[port];
	uint32_t slot = port_slot_of(ip);
	struct address *a;

	for (; p->slot[slot % PORT_SLOTS].at != 0; slot++)
		if (p->slot[slot % PORT_SLOTS].ip == ip)
			return p->address[p->slot[slot % PORT_SLOTS].at - 1];
	if (p->addresses == PORT_ADDRESSES)
		return NULL;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->ip = ip;
	a->gate = PORT_ALWAYS;
	p->address[p->addresses++] = a;
	p->slot[slot % PORT_SLOTS] = (struct port_slot){ip, p->addresses};
	return a;
}

/* The address of a realm's, in its group. NULL: no room, or it is in another group too. */
static struct address *realm_address(struct dataplane *dp, uint16_t realm, uint32_t ip)
{
	uint32_t gate = 1u << dp->conf.snapshot->realm[realm].group;
	struct address *a = address_of(dp, dp->conf.realm_port[realm], ip);

	if (a == NULL || (a->gate != PORT_ALWAYS && a->gate != gate))
		return NULL;
	a->gate = gate;
	return a;
}

/* One address of a realm, with the flows of its ports behind those of the one before. */
static bool realm_media_add(struct dataplane *dp, uint16_t realm, uint16_t number)
{
	const struct snapshot_realm *s = &dp->conf.snapshot->realm[realm];
	struct realm_media *m = &dp->realm[realm];
	struct address *a = realm_address(dp, realm, snapshot_media_ip(s, number));

	if (a == NULL)
		return false;
	a->range[a->ranges++] = (struct media_range){
		.lo = m->lo, .realm = realm, .count = m->count, .base = dp->flow_count};
	m->ip[m->addresses++] = a->ip;
	dp->flow_count += m->count;
	return true;
}

static bool realm_add(struct dataplane *dp, uint16_t realm)
{
	const struct snapshot_realm *s = &dp->conf.snapshot->realm[realm];
	struct realm_media *m = &dp->realm[realm];

	m->port = dp->conf.realm_port[realm];
	m->gate = 1u << s->group;
	if (s->media_ip == 0 || s->media_hi < s->media_lo || s->media_lo == 0)
		return true;
	m->lo = s->media_lo;
	m->count = (uint32_t)s->media_hi - s->media_lo + 1;
	m->base = dp->flow_count;
	for (uint16_t i = 0; i < snapshot_media_count(s); i++)
		if (!realm_media_add(dp, realm, i))
			return false;
	return true;
}

static bool listener_add(struct dataplane *dp, uint16_t index)
{
	const struct snapshot_listener *l = &dp->conf.snapshot->listener[index];
	struct address *a = realm_address(dp, l->realm, l->addr.ip);

	if (a == NULL)
		return false;
	a->listener[a->listeners++] =
		(struct port_listener){.port = l->addr.port, .listener = index};
	return true;
}

/* False: an IPv6 address of a group that there is not, or too many of them. */
static bool port6_fill(struct port *p, const struct dp_port_conf *c, uint16_t groups)
{
	if (c->addresses6 > DP_MAX_ADDRESSES6)
		return false;
	p->addresses6 = c->addresses6;
	for (uint16_t i = 0; i < c->addresses6; i++) {
		if (c->address6[i].group >= groups)
			return false;
		memcpy(p->address6[i].ip, c->address6[i].ip, 16);
		p->address6[i].gate = 1u << c->address6[i].group;
	}
	return true;
}

static void port_fill(struct port *p, const struct dp_port_conf *c)
{
	memcpy(p->name, c->name, sizeof(p->name));
	p->vlan = c->vlan;
	p->mtu = c->mtu ? c->mtu : 1500;
	p->ip = c->ip;
	p->mask = c->prefix ? htonl(UINT32_MAX << (32 - c->prefix)) : 0;
	p->gateway = c->gateway;
}

static bool fail(char *why, uint32_t why_len, const char *name, const char *what)
{
	snprintf(why, why_len, "%s: %s", name, what);
	return false;
}

bool ports_build(struct dataplane *dp, char *why, uint32_t why_len)
{
	const struct snapshot *s = dp->conf.snapshot;

	if (s->groups == 0 || s->groups > SNAPSHOT_MAX_GROUPS)
		return fail(why, why_len, s->node, "1 to 16 groups");
	for (uint16_t i = 0; i < s->realms; i++)
		if (s->realm[i].group >= s->groups)
			return fail(why, why_len, s->realm[i].name, "no such group");
	for (uint16_t i = 0; i < dp->ports; i++) {
		const struct dp_port_conf *c = &dp->conf.port[i];

		port_fill(&dp->port[i], c);
		if (!port6_fill(&dp->port[i], c, s->groups))
			return fail(why, why_len, c->name,
				    "too many IPv6 addresses, or one of no group");
		if (c->prefix > 32 || dp->port[i].mtu < 576 || c->vlan > 4094)
			return fail(why, why_len, c->name, "prefix, MTU or VLAN out of range");
		if (address_of(dp, i, c->ip) == NULL)
			return fail(why, why_len, c->name, "no memory");
	}
	for (uint16_t i = 0; i < s->realms; i++)
		if (dp->conf.realm_port[i] >= dp->ports || !realm_add(dp, i))
			return fail(why, why_len, s->realm[i].name,
				    "no such port, too many addresses on it, or one in two groups");
	for (uint16_t i = 0; i < s->listeners; i++)
		if (!listener_add(dp, i))
			return fail(why, why_len, s->realm[s->listener[i].realm].name,
				    "too many addresses on its port, or one in two groups");
	return true;
}

void ports_free(struct dataplane *dp)
{
	for (uint16_t i = 0; i < dp->ports; i++)
		for (uint16_t k = 0; k < dp->port[i].addresses; k++)
			free(dp->port[i].address[k]);
}

static bool same_media(const struct snapshot_realm *a, const struct snapshot_realm *b)
{
	return a->media_ip == b->media_ip && a->media_lo == b->media_lo &&
	       a->media_hi == b->media_hi && a->media_extras == b->media_extras &&
	       memcmp(a->media_extra, b->media_extra,
		      a->media_extras * sizeof(a->media_extra[0])) == 0;
}

bool ports_fit(const struct dataplane *dp, const struct snapshot *s)
{
	const struct snapshot *old = dp->conf.snapshot;

	if (s->groups != old->groups || s->realms != old->realms || s->listeners != old->listeners)
		return false;
	for (uint16_t i = 0; i < s->realms; i++)
		if (!same_media(&s->realm[i], &old->realm[i]) ||
		    s->realm[i].group != old->realm[i].group)
			return false;
	for (uint16_t i = 0; i < s->listeners; i++)
		if (s->listener[i].realm != old->listener[i].realm ||
		    !net_addr_eq(s->listener[i].addr, old->listener[i].addr))
			return false;
	return true;
}

bool port_source_ok(const struct port *p, uint32_t active, uint32_t src)
{
	uint32_t host = ntohl(src & ~p->mask);
	uint32_t all = ntohl(~p->mask);

	if (!net_ip_is_unicast(src) || port_ours(p, active, src) != NULL)
		return false;
	/* Network and broadcast address of our own subnet; RFC 3021 has none on a /31. */
	return all <= 1 || !port_on_link(p, src) || (host != 0 && host != all);
}

bool port_next_hop(const struct port *p, uint32_t active, uint32_t dst, uint32_t *hop)
{
	if (!net_ip_is_unicast(dst) || port_ours(p, active, dst) != NULL)
		return false;
	*hop = port_on_link(p, dst) ? dst : p->gateway;
	return *hop != 0;
}
