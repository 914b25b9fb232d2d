/*
 * slots: stable numbers for what a configuration names.
 *
 * A snapshot's indices change when it is replaced; what lives longer than a
 * snapshot (calls, registrations) holds slot numbers instead. A realm or peer
 * keeps its slot by name, a listener by address. A slot whose thing is gone maps
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
	uint16_t port_room;   /* addresses that port_memory is for */
	uint8_t *port_memory; /* room for the largest range on each, so that it may change */
};

struct slots {
	struct realm_slot realm[SNAPSHOT_MAX_REALMS];
	uint16_t realm_of[SNAPSHOT_MAX_REALMS]; /* snapshot index -> slot */
	struct net_addr listener_addr[SNAPSHOT_MAX_LISTENERS];
	uint16_t listener_index[SNAPSHOT_MAX_LISTENERS]; /* slot -> snapshot index */
	uint16_t listener_of[SNAPSHOT_MAX_LISTENERS];
	char peer_name[SNAPSHOT_MAX_PEERS][SNAPSHOT_NAME];
	uint16_t peer_index[SNAPSHOT_MAX_PEERS];
	uint16_t peer_of[SNAPSHOT_MAX_PEERS];
	uint16_t shard, shards;
};

/*
 * A slot has room for as many media addresses as the realm of `snap` that comes to it,
 * for one at least: of a later configuration's realm with more, the first are used.
 */
void slots_init(struct slots *s, struct arena *a, uint16_t shard, uint16_t shards,
		const struct snapshot *snap);

/*
 * Takes a snapshot over. Bit r of the answer: realm slot r has a new media range
 * or addresses and its ports are all free; the owner claims the running calls' ports again.
 */
uint32_t slots_load(struct slots *s, const struct snapshot *snap);

#endif
