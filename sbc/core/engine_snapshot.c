#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/offer.h"

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

void engine_snapshot(struct engine *e, const struct snapshot *snap)
{
	uint32_t changed;

	e->snap = snap;
	changed = slots_load(&e->slots, snap);
	if (changed)
		snapshot_claim(e, changed);
	e->sweep = 0;
	e->due = true;
}
