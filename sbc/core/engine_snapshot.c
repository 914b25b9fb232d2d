#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/offer.h"
#include "sbc/core/tx_sweep.h"

/*
 * A changed media range makes a new pool: the ports that running calls hold in it
 * are claimed first. Ports outside the new range stay with their calls and go
 * nowhere when these end. This walks all calls, at a change of range only.
 */
static void snapshot_claim(struct engine *e, uint32_t slots)
{
	for (uint32_t i = 0; i < e->calls.capacity; i++) {
		if (pool_is_taken(&e->calls, i))
			offer_claim_ports(e, pool_at(&e->calls, i), slots);
	}
}

static void path_renumber(struct engine_path *path, const uint16_t *to)
{
	if (path->listener < SNAPSHOT_MAX_LISTENERS)
		path->listener = to[path->listener];
}

/*
 * Transactions and exchanges go on from the same addresses when these are listed in
 * another order; from those that are gone nothing leaves. This walks all of them,
 * at such a change only.
 */
static void snapshot_renumber(struct engine *e, const uint16_t *slot_was)
{
	uint16_t to[SNAPSHOT_MAX_LISTENERS];
	bool moved = false;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_LISTENERS; i++) {
		to[i] = e->slots.listener_index[slot_was[i]];
		moved |= to[i] != i;
	}
	if (!moved)
		return;
	tx_sweep_renumber(e->tx, to);
	for (uint32_t i = 0; i < e->exchanges.capacity; i++) {
		struct exchange *ex = pool_at(&e->exchanges, i);

		if (!pool_is_taken(&e->exchanges, i))
			continue;
		path_renumber(&ex->client_path, to);
		path_renumber(&ex->source, to);
	}
}

void engine_snapshot(struct engine *e, const struct snapshot *snap)
{
	uint16_t slot_was[SNAPSHOT_MAX_LISTENERS];
	uint32_t changed;

	memcpy(slot_was, e->slots.listener_of, sizeof(slot_was));
	e->snap = snap;
	changed = slots_load(&e->slots, snap);
	snapshot_renumber(e, slot_was);
	if (changed)
		snapshot_claim(e, changed);
	e->sweep = 0;
	e->due = true;
}
