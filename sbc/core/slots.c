#include "sbc/core/slots.h"

#include <assert.h>
#include <string.h>

static_assert(SNAPSHOT_MAX_MEDIA == PORT_SET_MAX, "a pool for every address of a realm");

void slots_init(struct slots *s, struct arena *a, uint16_t shard, uint16_t shards,
		const struct snapshot *snap)
{
	memset(s, 0, sizeof(*s));
	s->shard = shard;
	s->shards = shards;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		uint16_t n = i < snap->realms ? snapshot_media_count(&snap->realm[i]) : 1;

		s->realm[i].index = SNAPSHOT_NONE;
		port_set_init(&s->realm[i].ports, a, i < snap->realms ? (uint16_t)(2 * n) : n);
	}
	for (uint32_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++)
		s->listener_index[i] = SNAPSHOT_NONE;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_PEERS; i++)
		s->peer_index[i] = SNAPSHOT_NONE;
}

/*
 * What a snapshot names anew gets a slot only when all else has found its own: a slot is
 * nobody's when nothing in the whole snapshot has it.
 */

static uint16_t realm_find(const struct slots *s, const char *name)
{
	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++)
		if (strncmp(s->realm[i].name, name, SNAPSHOT_NAME) == 0)
			return i;
	return SLOT_NONE;
}

static uint16_t realm_spare(const struct slots *s)
{
	uint16_t spare = SLOT_NONE;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		if (s->realm[i].name[0] == '\0')
			return i;
		if (s->realm[i].index == SNAPSHOT_NONE && s->realm[i].calls == 0)
			spare = i;
	}
	return spare;
}

static uint16_t listener_find(const struct slots *s, struct net_addr addr)
{
	for (uint16_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++)
		if (net_addr_eq(s->listener_addr[i], addr))
			return i;
	return SLOT_NONE;
}

static uint16_t listener_spare(const struct slots *s)
{
	uint16_t spare = SLOT_NONE;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++) {
		if (s->listener_addr[i].ip == 0)
			return i;
		if (s->listener_index[i] == SNAPSHOT_NONE)
			spare = i;
	}
	return spare;
}

static uint16_t peer_find(const struct slots *s, const char *name)
{
	for (uint16_t i = 0; i < SNAPSHOT_MAX_PEERS; i++)
		if (strncmp(s->peer_name[i], name, SNAPSHOT_NAME) == 0)
			return i;
	return SLOT_NONE;
}

static uint16_t peer_spare(const struct slots *s)
{
	uint16_t spare = SLOT_NONE;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_PEERS; i++) {
		if (s->peer_name[i][0] == '\0')
			return i;
		if (s->peer_index[i] == SNAPSHOT_NONE)
			spare = i;
	}
	return spare;
}

/* Whether the slot's ports are those of the realm. */
static bool ports_fit(const struct realm_slot *r, const struct snapshot_realm *realm, uint16_t n)
{
	bool fit = r->media_lo == realm->media_lo && r->media_hi == realm->media_hi &&
		   r->ports.addresses == n;

	for (uint16_t i = 0; fit && i < n; i++)
		fit = r->ports.ip[i] == snapshot_media_ip(realm, i);
	return fit;
}

static void load_ports(struct slots *s, struct realm_slot *r, const struct snapshot_realm *realm)
{
	uint16_t n = snapshot_media_count(realm), pairs, lo;
	uint32_t ip[SNAPSHOT_MAX_MEDIA];

	if (ports_fit(r, realm, n))
		return;
	r->media_lo = realm->media_lo;
	r->media_hi = realm->media_hi;
	for (uint16_t i = 0; i < n; i++)
		ip[i] = snapshot_media_ip(realm, i);
	port_pool_slice(realm->media_lo, realm->media_hi, s->shard, s->shards, &lo, &pairs);
	port_set_range(&r->ports, ip, n, lo, pairs);
}

static void load_realms(struct slots *s, const struct snapshot *snap)
{
	for (uint16_t i = 0; i < snap->realms; i++) {
		s->realm_of[i] = realm_find(s, snap->realm[i].name);
		if (s->realm_of[i] != SLOT_NONE)
			s->realm[s->realm_of[i]].index = i;
	}
	for (uint16_t i = 0; i < snap->realms; i++) {
		struct realm_slot *r;

		if (s->realm_of[i] == SLOT_NONE)
			s->realm_of[i] = realm_spare(s);
		if (s->realm_of[i] == SLOT_NONE)
			continue;
		r = &s->realm[s->realm_of[i]];
		if (r->index != i)
			r->media_lo = r->media_hi = 0;
		memcpy(r->name, snap->realm[i].name, SNAPSHOT_NAME);
		r->index = i;
		r->group = snap->realm[i].group;
		load_ports(s, r, &snap->realm[i]);
	}
}

static void load_listeners(struct slots *s, const struct snapshot *snap)
{
	for (uint16_t i = 0; i < snap->listeners; i++) {
		s->listener_of[i] = listener_find(s, snap->listener[i].addr);
		if (s->listener_of[i] != SLOT_NONE)
			s->listener_index[s->listener_of[i]] = i;
	}
	for (uint16_t i = 0; i < snap->listeners; i++) {
		uint16_t slot;

		if (s->listener_of[i] != SLOT_NONE)
			continue;
		slot = s->listener_of[i] = listener_spare(s);
		s->listener_addr[slot] = snap->listener[i].addr;
		s->listener_index[slot] = i;
		s->listener_use[slot]++;
	}
}

static void load_peers(struct slots *s, const struct snapshot *snap)
{
	for (uint16_t i = 0; i < snap->peers; i++) {
		s->peer_of[i] = peer_find(s, snap->peer[i].name);
		if (s->peer_of[i] != SLOT_NONE)
			s->peer_index[s->peer_of[i]] = i;
	}
	for (uint16_t i = 0; i < snap->peers; i++) {
		uint16_t slot;

		if (s->peer_of[i] != SLOT_NONE)
			continue;
		slot = s->peer_of[i] = peer_spare(s);
		memcpy(s->peer_name[slot], snap->peer[i].name, SNAPSHOT_NAME);
		s->peer_index[slot] = i;
	}
}

void slots_load(struct slots *s, const struct snapshot *snap)
{
	for (uint32_t i = 0; i < SNAPSHOT_MAX_REALMS; i++)
		s->realm[i].index = SNAPSHOT_NONE;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++)
		s->listener_index[i] = SNAPSHOT_NONE;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_PEERS; i++)
		s->peer_index[i] = SNAPSHOT_NONE;
	load_listeners(s, snap);
	load_peers(s, snap);
	load_realms(s, snap);
}
