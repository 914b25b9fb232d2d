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
		s->realm[i].index = SNAPSHOT_NONE;
		s->realm[i].port_room =
			i < snap->realms ? snapshot_media_count(&snap->realm[i]) : 1;
		s->realm[i].port_memory = arena_take(a, 1, port_set_size(s->realm[i].port_room));
	}
	for (uint32_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++)
		s->listener_index[i] = SNAPSHOT_NONE;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_PEERS; i++)
		s->peer_index[i] = SNAPSHOT_NONE;
}

static uint16_t realm_slot(const struct slots *s, const char *name)
{
	uint16_t spare = SLOT_NONE;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		if (strncmp(s->realm[i].name, name, SNAPSHOT_NAME) == 0)
			return i;
	}
	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		if (s->realm[i].name[0] == '\0')
			return i;
		if (s->realm[i].index == SNAPSHOT_NONE && s->realm[i].calls == 0)
			spare = i;
	}
	return spare;
}

static uint16_t listener_slot(const struct slots *s, struct net_addr addr)
{
	uint16_t spare = SLOT_NONE;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++) {
		if (net_addr_eq(s->listener_addr[i], addr))
			return i;
	}
	for (uint16_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++) {
		if (s->listener_addr[i].ip == 0)
			return i;
		if (s->listener_index[i] == SNAPSHOT_NONE)
			spare = i;
	}
	return spare;
}

static uint16_t peer_slot(const struct slots *s, const char *name)
{
	uint16_t spare = SLOT_NONE;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_PEERS; i++) {
		if (strncmp(s->peer_name[i], name, SNAPSHOT_NAME) == 0)
			return i;
	}
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

/* Whether range or addresses changed: then all ports are made anew over the slot's memory. */
static bool load_ports(struct slots *s, struct realm_slot *r, const struct snapshot_realm *realm)
{
	uint16_t count = snapshot_media_count(realm), pairs, lo;
	uint16_t n = count < r->port_room ? count : r->port_room;
	uint32_t ip[SNAPSHOT_MAX_MEDIA];
	struct arena memory;

	if (ports_fit(r, realm, n))
		return false;
	r->media_lo = realm->media_lo;
	r->media_hi = realm->media_hi;
	for (uint16_t i = 0; i < n; i++)
		ip[i] = snapshot_media_ip(realm, i);
	port_pool_slice(realm->media_lo, realm->media_hi, s->shard, s->shards, &lo, &pairs);
	arena_init(&memory, r->port_memory, port_set_size(r->port_room));
	port_set_init(&r->ports, &memory, ip, n, lo, pairs);
	return true;
}

static uint32_t load_realms(struct slots *s, const struct snapshot *snap)
{
	uint32_t changed = 0;

	for (uint16_t i = 0; i < snap->realms; i++) {
		uint16_t slot = realm_slot(s, snap->realm[i].name);

		s->realm_of[i] = slot;
		if (slot == SLOT_NONE)
			continue;
		if (strncmp(s->realm[slot].name, snap->realm[i].name, SNAPSHOT_NAME) != 0)
			s->realm[slot].media_lo = s->realm[slot].media_hi = 0;
		memcpy(s->realm[slot].name, snap->realm[i].name, SNAPSHOT_NAME);
		s->realm[slot].index = i;
		s->realm[slot].group = snap->realm[i].group;
		if (load_ports(s, &s->realm[slot], &snap->realm[i]))
			changed |= 1u << slot;
	}
	return changed;
}

uint32_t slots_load(struct slots *s, const struct snapshot *snap)
{
	for (uint32_t i = 0; i < SNAPSHOT_MAX_REALMS; i++)
		s->realm[i].index = SNAPSHOT_NONE;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++)
		s->listener_index[i] = SNAPSHOT_NONE;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_PEERS; i++)
		s->peer_index[i] = SNAPSHOT_NONE;
	for (uint16_t i = 0; i < snap->listeners; i++) {
		uint16_t slot = listener_slot(s, snap->listener[i].addr);

		s->listener_of[i] = slot;
		s->listener_addr[slot] = snap->listener[i].addr;
		s->listener_index[slot] = i;
	}
	for (uint16_t i = 0; i < snap->peers; i++) {
		uint16_t slot = peer_slot(s, snap->peer[i].name);

		s->peer_of[i] = slot;
		memcpy(s->peer_name[slot], snap->peer[i].name, SNAPSHOT_NAME);
		s->peer_index[slot] = i;
	}
	return load_realms(s, snap);
}
