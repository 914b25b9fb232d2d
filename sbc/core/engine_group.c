#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/registration.h"
#include "sbc/core/tx_sweep.h"

/*
 * Entries looked at in one event, where one that is forgotten counts as many: its memory
 * is seldom in a cache, and packets wait meanwhile.
 */
#define SWEEP_BUDGET ENGINE_SWEEP
#define SWEEP_FORGET 64u

static bool slot_is_lost(const struct engine *e, uint16_t slot)
{
	return e->lost_groups >> e->slots.realm[slot].group & 1;
}

static void forget_call(struct engine *e, uint32_t i)
{
	struct call *call = pool_at(&e->calls, i);

	if (slot_is_lost(e, call->leg[CALL_CALLER].slot))
		call_forget(e, call);
}

static void forget_registration(struct engine *e, uint32_t i)
{
	struct registration *r = pool_at(&e->registrations, i);

	if (slot_is_lost(e, r->slot))
		registration_forget(e, r);
}

/* Its calls are gone and so are its transactions: what still names one is the group's. */
static void forget_exchange(struct engine *e, uint32_t i)
{
	struct exchange *ex = pool_at(&e->exchanges, i);
	bool lost;

	if (ex->kind == EXCHANGE_OWED)
		lost = slot_is_lost(e, (uint16_t)ex->far_tag);
	else
		lost = (ex->server && !tx_is_live(e->tx, ex->server)) ||
		       (ex->client && !tx_is_live(e->tx, ex->client));
	if (!lost)
		return;
	tx_abandon(e->tx, ex->server);
	tx_abandon(e->tx, ex->client);
	exchange_free(e, ex);
}

/* Slots, for a transaction of an address that is gone is nobody's either. */
static uint64_t lost_listeners(const struct engine *e)
{
	uint64_t mask = 0;

	for (uint16_t i = 0; i < e->snap->listeners; i++) {
		uint16_t realm = e->snap->listener[i].realm;

		if (e->lost_groups >> e->snap->realm[realm].group & 1)
			mask |= 1ull << e->slots.listener_of[i];
	}
	return mask;
}

static bool forget_one(struct engine *e, const struct pool *pool, uint32_t at,
		       void (*forget)(struct engine *, uint32_t), uint32_t *work)
{
	*work += 1;
	if (!pool_is_taken(pool, at))
		return true;
	forget(e, at);
	if (!pool_is_taken(pool, at))
		*work += SWEEP_FORGET;
	return true;
}

/*
 * Calls, registrations, transactions, exchanges: in this order, so that what a
 * call or transaction would still say is never said.
 */
static bool forget_next(struct engine *e, uint64_t listeners, uint32_t *work)
{
	uint32_t at = e->lost_sweep;

	if (at < e->calls.capacity)
		return forget_one(e, &e->calls, at, forget_call, work);
	at -= e->calls.capacity;
	if (at < e->registrations.capacity)
		return forget_one(e, &e->registrations, at, forget_registration, work);
	at -= e->registrations.capacity;
	if (at < e->limits.transactions) {
		*work += tx_sweep_one(e->tx, listeners, at) ? SWEEP_FORGET : 1;
		return true;
	}
	at -= e->limits.transactions;
	if (at < e->exchanges.capacity)
		return forget_one(e, &e->exchanges, at, forget_exchange, work);
	return false;
}

void engine_group_sweep(struct engine *e)
{
	uint64_t listeners = lost_listeners(e);
	uint32_t work = 0;

	while (work < SWEEP_BUDGET && engine_has_room(e)) {
		if (!forget_next(e, listeners, &work)) {
			e->lost_groups = 0;
			return;
		}
		e->lost_sweep++;
		e->looked++;
	}
	e->due = true;
}

void engine_group(struct engine *e, uint16_t group, bool active)
{
	if (active || group >= SNAPSHOT_MAX_GROUPS)
		return;
	e->lost_groups |= 1u << group;
	e->lost_sweep = 0;
	engine_group_sweep(e);
}
