#include "sbc/core/restore_internal.h"

bool restore_is_here(const struct engine *e, struct slice id)
{
	uint8_t bucket;

	return ident_is_ours(&e->key, id, &bucket) &&
	       ident_shard(bucket, e->limits.shards) == e->limits.shard;
}

static void restore_refuse(struct engine *e, enum reason why)
{
	engine_count(e, why);
	e->store.restore_failed++;
}

/* ---- the object ---- */

/*
 * Back to nothing but its place and its flows: those of the dataplane go
 * by the call's handle, and one that stays as it is must not notice.
 */
static void call_clear(struct engine *e, struct call *call, struct restore_flows *old)
{
	restore_media_strip(e, call, old);
	call_strip(e, call);
	call_unindex(e, call);
	for (uint8_t i = 0; i < 2; i++)
		leg_free(e, &call->leg[i]);
	wheel_disarm(&e->wheel, call_index(e, call));
	memset(call, 0, sizeof(*call));
}

static struct call *call_take(struct engine *e)
{
	uint32_t i = pool_take(&e->calls);

	return i == POOL_NONE ? NULL : pool_at(&e->calls, i);
}

/* Nothing of it is left, and nobody is told: there is no dialog to tell it in. */
static void call_drop(struct engine *e, struct call *call, const struct restore_flows *old)
{
	restore_media_publish(e, call, old);
	for (uint8_t i = 0; i < 2; i++)
		leg_free(e, &call->leg[i]);
	store_drop(e, call);
	pool_give(&e->calls, call_index(e, call));
}

/* ---- dialogs ---- */

/* Whether a side that is gone can be given a slot that stands for nothing. */
static bool legs_place(const struct engine *e, struct call *call, const struct call_checkpoint *c,
		       bool *whole)
{
	*whole = true;
	for (uint8_t i = 0; i < 2; i++) {
		struct leg *leg = &call->leg[i];

		*whole &= restore_realm(e, c->leg[i].realm, &leg->slot);
		if (leg->slot == SLOT_NONE)
			return false;
		*whole &= restore_listener(e, leg->slot, c->leg[i].listener, &leg->listener);
	}
	return true;
}

static bool legs_fill(struct engine *e, struct call *call, const struct call_checkpoint *c)
{
	uint32_t gap = restore_cseq_gap(e, c->written);

	for (uint8_t i = 0; i < 2; i++)
		if (!restore_leg(e, &call->leg[i], &c->leg[i], gap))
			return false;
	for (uint8_t i = 0; i < 2; i++)
		call_index_leg(e, call, i);
	return true;
}

static bool call_is_right(const struct engine *e, const struct call_checkpoint *c)
{
	return slice_eq(c->id, c->leg[CALL_CALLEE].call_id) && restore_is_here(e, c->id) &&
	       restore_leg_is_right(e, &c->leg[CALL_CALLER]) &&
	       restore_leg_is_right(e, &c->leg[CALL_CALLEE]) && restore_exchanges_are_right(e, c);
}

/* ---- the call ---- */

static void call_count(struct engine *e, struct call *call, const struct call_checkpoint *c)
{
	call->began_ms = restore_time(e, c->began);
	call->answered_ms = restore_time(e, c->answered);
	call->status = c->status;
	if (c->state == CHECKPOINT_ENDING) {
		call->state = CALL_ENDING;
		return;
	}
	call->state = c->state == CHECKPOINT_ANSWERED ? CALL_ANSWERED : CALL_EARLY;
	e->established += call->state == CALL_ANSWERED;
	for (uint8_t i = 0; i < 2; i++)
		e->slots.realm[call->leg[i].slot].calls++;
}

/* The longest time a call may take goes on counting; ringing begins anew, as by a 180. */
static void call_arm(struct engine *e, struct call *call, const struct call_checkpoint *c)
{
	uint64_t now = restore_wall(e), max = 1000ull * e->snap->max_call_s;
	uint64_t since = c->answered < now ? now - c->answered : 0;

	if (call->state == CALL_EARLY)
		wheel_arm(&e->wheel, call_index(e, call), e->now + e->snap->ring_timeout_ms);
	else if (max)
		wheel_arm(&e->wheel, call_index(e, call),
			  since < max ? e->now + max - since : e->now);
}

/* An ACK was to bring the answer to the offer of its 2xx, and nobody sends it any more. */
static bool answer_is_lost(const struct engine *e, const struct call *call,
			   const struct call_checkpoint *c)
{
	if (!restore_is_late(e, c))
		return false;
	for (uint32_t i = 0; i < c->exchanges; i++) {
		const struct checkpoint_exchange *x = &c->exchange[i];

		if (x->response.n && !(x->flags & EXCHANGE_F_ACKED) &&
		    offer_waits_for(call, x->from))
			return true;
	}
	return false;
}

/* All that there is to a call that goes on; why not, and it is to be ended. */
static enum reason call_go_on(struct engine *e, struct call *call, const struct call_checkpoint *c,
			      const struct restore_flows *old, bool whole)
{
	enum reason why = restore_exchanges(e, call, c);

	if (!whole)
		why = REASON_RESTORE_REALM;
	if (why == RESTORED && call->state != CALL_ENDING)
		why = restore_media(e, call, c);
	restore_media_publish(e, call, old);
	if (why != RESTORED || call->state == CALL_ENDING)
		return why;
	restore_exchanges_go_on(e, call);
	call_arm(e, call, c);
	return RESTORED;
}

/* Both sides know a call that cannot be had: they are told. */
static void call_make(struct engine *e, struct call *call, const struct call_checkpoint *c,
		      const struct restore_flows *old)
{
	enum reason why;
	bool whole;

	call->exchanges = POOL_NONE;
	call->offer_by = OFFER_BY_NONE;
	if (!legs_place(e, call, c, &whole)) {
		restore_refuse(e, REASON_RESTORE_REALM);
		call_drop(e, call, old);
		return;
	}
	if (!legs_fill(e, call, c)) {
		restore_refuse(e, REASON_RESTORE_FULL);
		call_drop(e, call, old);
		return;
	}
	call_count(e, call, c);
	store_restored(e, call, c->version);
	why = call_go_on(e, call, c, old, whole);
	if (why == RESTORED)
		e->store.restored++;
	else
		restore_refuse(e, why);
	if (call->state == CALL_ENDING)
		call_end_again(e, call, c->owed);
	else if (why != RESTORED)
		call_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);
	else if (answer_is_lost(e, call, c))
		call_end(e, call, END_NO_ACK, 408, CALL_BYE_BOTH);
}

void restore_call(struct engine *e, struct slice flat)
{
	struct call_checkpoint c;
	struct restore_flows old = {.count = 0};
	enum sbc_err err = checkpoint_call_read(&c, flat);
	struct call *call;

	if (err != SBC_OK || !call_is_right(e, &c)) {
		restore_refuse(e, err == SBC_ELIMIT ? REASON_RESTORE_SCHEMA : REASON_RESTORE_BAD);
		return;
	}
	call = call_by_id(e, c.id);
	if (call != NULL && call->store.version >= c.version)
		return;
	if (call != NULL)
		call_clear(e, call, &old);
	else
		call = call_take(e);
	if (call == NULL)
		restore_refuse(e, REASON_RESTORE_FULL);
	else
		call_make(e, call, &c, &old);
}

void restore_forget(struct engine *e, enum checkpoint_kind kind, struct slice id)
{
	if (kind == CHECKPOINT_CALL) {
		struct call *call = call_by_id(e, id);

		if (call != NULL)
			call_forget(e, call);
	} else {
		struct registration *r = registration_by_contact(e, id);

		if (r != NULL)
			registration_forget(e, r);
	}
}
