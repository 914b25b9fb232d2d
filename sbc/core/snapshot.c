#include "sbc/core/snapshot.h"

#include <string.h>

uint16_t snapshot_listener_of(const struct snapshot *s, uint16_t realm)
{
	for (uint16_t i = 0; i < s->listeners; i++)
		if (s->listener[i].realm == realm)
			return i;
	return SNAPSHOT_NONE;
}

uint16_t snapshot_peer_at(const struct snapshot *s, uint16_t realm, struct net_addr addr,
			  bool any_port)
{
	for (uint16_t i = 0; i < s->peers; i++) {
		const struct snapshot_peer *p = &s->peer[i];

		if (p->realm == realm && p->addr.ip == addr.ip &&
		    (any_port || p->addr.port == addr.port))
			return i;
	}
	return SNAPSHOT_NONE;
}

/* A name with the root's dot is the same name (RFC 1034 3.1). */
static struct slice without_root(struct slice host)
{
	if (host.n > 1 && host.p[host.n - 1] == '.')
		host.n--;
	return host;
}

bool snapshot_ip_is_ours(const struct snapshot *s, uint32_t ip)
{
	for (uint16_t i = 0; i < s->listeners; i++)
		if (s->listener[i].addr.ip == ip)
			return true;
	for (uint16_t i = 0; i < s->realms; i++)
		if (snapshot_realm_has_ip(&s->realm[i], ip))
			return true;
	return false;
}

bool snapshot_host_is_ours(const struct snapshot *s, struct slice host)
{
	uint32_t ip;

	host = without_root(host);
	if (host.n == 0)
		return false;
	if (net_ip_parse(host, &ip) && snapshot_ip_is_ours(s, ip))
		return true;
	for (uint16_t i = 0; i < s->realms; i++)
		if (slice_ieq(host, slice_str(s->realm[i].domain)))
			return true;
	return false;
}

bool snapshot_host_is_shared(const struct snapshot *s, struct slice host)
{
	host = without_root(host);
	if (host.n == 0)
		return false;
	for (uint16_t i = 0; i < s->domains; i++)
		if (slice_ieq(host, slice_str(s->domain[i])))
			return true;
	return false;
}

void snapshot_defaults(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->t1_ms = 500;
	s->t2_ms = 4000;
	s->t4_ms = 5000;
	s->ring_timeout_ms = 185 * 1000;
	s->max_call_s = 24 * 3600;
	s->max_forwards = 70;
	s->groups = 1;
	s->store_deadline_ms = 50;
	s->store_ttl_s = 24 * 3600;
}

void snapshot_realm_defaults(struct snapshot_realm *r, enum snapshot_trust trust, bool nat)
{
	memset(r, 0, sizeof(*r));
	r->trust = trust;
	r->nat = nat;
	/* Behind a NAT the SDP's address is never the source; elsewhere it is proof enough. */
	r->latch = nat ? SNAPSHOT_LATCH_SIGNALLED : SNAPSHOT_LATCH_NEVER;
	/* Versions of the core are what an attacker looks for; those of phones help operators. */
	r->hide_user_agent = trust == SNAPSHOT_TRUSTED;
	r->media_timeout_s = 3600;
	r->media_dscp = 46; /* EF, RFC 4594 4.1 */
	r->sip_dscp = 40;   /* CS5, RFC 4594 4.2 */
}
