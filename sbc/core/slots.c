#include "sbc/core/slots.h"

#include <string.h>

/* One shard may own a realm's whole range: 32,768 pairs. */
#define MAX_PAIRS 32768u

/* What port_pool_init() cuts for the largest pool. */
static size_t port_memory_size(void)
{
	struct arena measure;
	struct port_pool pool;

	arena_init(&measure, NULL, 0);
	port_pool_init(&pool, &measure, 2, MAX_PAIRS - 2);
	return measure.used;
}

void slots_init(struct slots *s, struct arena *a, uint16_t shard, uint16_t shards)
{
	size_t size = port_memory_size();

	memset(s, 0, sizeof(*s));
	s->shard = shard;
	s->shards = shards;
	for (uint32_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		s->realm[i].index = SNAPSHOT_NONE;
		s->realm[i].port_memory = arena_take(a, 1, size);
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

/* Whether the range changed: then the pool is made anew over the slot's memory. */
static bool load_ports(struct slots *s, struct realm_slot *r, const struct snapshot_realm *realm)
{
	struct arena memory;
	uint16_t lo;
	uint16_t pairs;

	if (r->media_lo == realm->media_lo && r->media_hi == realm->media_hi)
		return false;
	r->media_lo = realm->media_lo;
	r->media_hi = realm->media_hi;
	port_pool_slice(realm->media_lo, realm->media_hi, s->shard, s->shards, &lo, &pairs);
	arena_init(&memory, r->port_memory, port_memory_size());
	memset(r->port_memory, 0, port_memory_size());
	port_pool_init(&r->ports, &memory, lo, pairs);
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
