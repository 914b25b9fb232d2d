#include "sbc/core/admission.h"

#define ADMISSION_SECOND_MS 1000u

static uint32_t admission_share(const struct engine *e, uint32_t limit)
{
	return (limit + e->limits.shards - 1) / e->limits.shards;
}

bool admission_knows_source(const struct engine *e, const struct rx *rx)
{
	const struct snapshot *s = e->snap;

	if (s->realm[rx->realm].trust != SNAPSHOT_TRUSTED)
		return true;
	for (uint16_t i = 0; i < s->peers; i++) {
		if (s->peer[i].realm == rx->realm)
			return snapshot_peer_at(s, rx->realm, rx->path.remote, true) !=
			       SNAPSHOT_NONE;
	}
	return true;
}

bool admission_reach(const struct engine *e, uint16_t slot)
{
	const struct snapshot_realm *r = engine_realm(e, slot);

	return r->max_calls == 0 || e->slots.realm[slot].calls < admission_share(e, r->max_calls);
}

static bool admission_rate(struct engine *e, struct realm_slot *slot, uint32_t max_cps)
{
	if (e->now - slot->second_ms >= ADMISSION_SECOND_MS) {
		slot->second_ms = e->now;
		slot->begun = 0;
	}
	if (max_cps && slot->begun >= admission_share(e, max_cps))
		return false;
	slot->begun++;
	return true;
}

enum reason admission_begin(struct engine *e, uint16_t slot)
{
	if (e->draining)
		return REASON_CALL_DRAINING;
	if (!admission_reach(e, slot) ||
	    !admission_rate(e, &e->slots.realm[slot], engine_realm(e, slot)->max_cps))
		return REASON_CALL_LIMIT;
	if (e->calls.used == e->calls.capacity)
		return REASON_CALL_FULL;
	return REASON_COUNT;
}
