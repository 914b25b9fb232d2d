#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/registration.h"

/*
 * What one tick may take is bounded, as packets wait meanwhile: timers that end something,
 * and entries looked at. What is left goes on in the next, which is asked for at once.
 */
#define TICK_EVENTS 32u
#define TICK_BUDGET ENGINE_SWEEP

bool engine_has_room(const struct engine *e)
{
	return engine_out_room(e->out) >= ENGINE_CALL_ACTIONS &&
	       engine_out_scratch_room(e->out) >= ENGINE_CALL_SCRATCH;
}

/*
 * One transaction event at a time: handling it may take a whole call's worth of
 * actions, which the layer leaves room for.
 */
static void tick_transactions(struct engine *e)
{
	struct tx_event ev;

	for (uint32_t i = 0; i < TICK_EVENTS && engine_has_room(e); i++) {
		uint32_t n = tx_expire(e->tx, e->now, &ev, 1, TICK_BUDGET, e->out);

		if (n == 0) {
			e->due |= tx_is_behind(e->tx);
			return;
		}
		call_tx_event(e, &ev);
	}
	e->due = true;
}

/* A question that nobody answered counts as answered with no; the store's time is up. */
static void tick_exchange(struct engine *e, struct exchange *ex)
{
	struct engine_answer none = {.ref = exchange_handle(e, ex)};
	struct call *call = pool_get(&e->calls, ex->call);

	if ((ex->flags & EXCHANGE_F_WAITS) && call != NULL) {
		call_let_go_unstored(e, call);
		return;
	}
	engine_answered(e, &none);
}

static void tick_timer(struct engine *e, uint32_t timer)
{
	if (timer < e->limits.calls) {
		call_timer(e, pool_at(&e->calls, timer));
		return;
	}
	timer -= e->limits.calls;
	if (timer < e->limits.registrations) {
		registration_remove(e, pool_at(&e->registrations, timer));
		return;
	}
	tick_exchange(e, pool_at(&e->exchanges, timer - e->limits.registrations));
}

static void tick_timers(struct engine *e)
{
	uint32_t timer;

	for (uint32_t i = 0; i < TICK_EVENTS && engine_has_room(e); i++) {
		if (wheel_expire(&e->wheel, e->now, &timer, 1, TICK_BUDGET) == 0)
			return;
		tick_timer(e, timer);
	}
	e->due = true;
}

/* Calls that lost their realm or listener to a new configuration are ended bit by bit. */
static void tick_sweep(struct engine *e)
{
	for (; e->sweep < e->calls.capacity; e->sweep++, e->looked++) {
		if (!engine_has_room(e) || e->looked >= TICK_BUDGET) {
			e->due = true;
			return;
		}
		if (!pool_is_taken(&e->calls, e->sweep))
			continue;
		struct call *call = pool_at(&e->calls, e->sweep);
		if (!call_is_whole(e, call))
			call_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);
	}
	e->sweep = POOL_NONE;
}

void engine_tick(struct engine *e)
{
	if (e->lost_groups)
		engine_group_sweep(e);
	tick_transactions(e);
	tick_timers(e);
	if (e->sweep != POOL_NONE)
		tick_sweep(e);
}
