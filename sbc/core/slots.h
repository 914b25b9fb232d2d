/*
 * slots: stable numbers for what a configuration names.
 *
 * A snapshot's indices change when it is replaced; what lives longer than a
 * snapshot (calls, registrations, transactions) holds slot numbers instead, so that
 * nothing has to be gone through then. A realm or peer keeps its slot by name, a
 * listener by address. A slot whose thing is gone maps
 * to SNAPSHOT_NONE, and is used again only when nothing can refer to it: slots
 * of removed things are never handed out while free ones remain.
 */
#ifndef SBC_CORE_SLOTS_H
#define SBC_CORE_SLOTS_H

#include "sbc/base/arena.h"
#include "sbc/core/snapshot.h"
#include "sbc/media/port_set.h"

#define SLOT_NONE UINT16_MAX

struct realm_slot {
	char name[SNAPSHOT_NAME]; /* empty: never used */
	uint16_t index;           /* in the snapshot, or SNAPSHOT_NONE */
	uint16_t group;           /* of the snapshot that had it last */
	uint16_t media_lo, media_hi;
	uint32_t calls;     /* running, on either side of them */
	uint64_t second_ms; /* start of the second that `begun` counts in */
	uint32_t begun;     /* calls begun in that second */
	struct port_set ports;
};

struct slots {
	struct realm_slot realm[SNAPSHOT_MAX_REALMS];
	uint16_t realm_of[SNAPSHOT_MAX_REALMS]; /* snapshot index -> slot */
	struct net_addr listener_addr[SNAPSHOT_MAX_LISTENERS];
	uint16_t listener_index[SNAPSHOT_MAX_LISTENERS]; /* slot -> snapshot index */
	uint16_t listener_of[SNAPSHOT_MAX_LISTENERS];
	uint16_t listener_use[SNAPSHOT_MAX_LISTENERS]; /* addresses that have had the slot */
	char peer_name[SNAPSHOT_MAX_PEERS][SNAPSHOT_NAME];
	uint16_t peer_index[SNAPSHOT_MAX_PEERS];
	uint16_t peer_of[SNAPSHOT_MAX_PEERS];
	uint16_t shard, shards;
};

/*
 * A slot has pools for twice as many media addresses as the realm of `snap` that comes to
 * it, for one at least: those of a later configuration beyond that wait until one is free.
 */
void slots_init(struct slots *s, struct arena *a, uint16_t shard, uint16_t shards,
		const struct snapshot *snap);

/* Takes a snapshot over. Ports that calls have are theirs still, in the new range or not. */
void slots_load(struct slots *s, const struct snapshot *snap);

/*
 * The name of a listener inside the engine, which whoever has it keeps when a snapshot
 * lists it elsewhere: its slot, and which address of those that had the slot. From one
 * that is gone nothing leaves, and none that has its slot later is taken for it, but for
 * the 65,536th. SNAPSHOT_NONE is none in both directions.
 */
static inline uint32_t slots_listener(const struct slots *s, uint16_t index)
{
	uint16_t slot = index < SNAPSHOT_MAX_LISTENERS ? s->listener_of[index] : SLOT_NONE;

	return slot == SLOT_NONE ? SNAPSHOT_NONE : (uint32_t)s->listener_use[slot] << 16 | slot;
}

static inline uint16_t slots_listener_slot(uint32_t listener)
{
	return (uint16_t)listener;
}

/* Its address; none when another has the slot. */
static inline struct net_addr slots_listener_addr(const struct slots *s, uint32_t listener)
{
	uint16_t slot = slots_listener_slot(listener);

	if (slot >= SNAPSHOT_MAX_LISTENERS || s->listener_use[slot] != listener >> 16)
		return (struct net_addr){0, 0};
	return s->listener_addr[slot];
}

/* In the present snapshot. */
static inline uint16_t slots_listener_index(const struct slots *s, uint32_t listener)
{
	uint16_t slot = slots_listener_slot(listener);

	if (slot >= SNAPSHOT_MAX_LISTENERS || s->listener_use[slot] != listener >> 16)
		return SNAPSHOT_NONE;
	return s->listener_index[slot];
}

#endif
