#include "sbc/core/gather.h"
#include "sbc/core/store_internal.h"

/*
 * Exchanges of kind EXCHANGE_OWED. `call` is the handle of what is gone, by which
 * the answer to its last put is known; `far_tag` the realm's slot, `from` the
 * sides whose BYE is under way, `cseq_in` how many those are, `cseq_out` the
 * version of the ENDING in `message`.
 */

#define LISTED (EXCHANGE_F_READY | EXCHANGE_F_BLOCKED)

static void list_push(struct engine *e, struct store_list *list, struct exchange *ex, unsigned flag)
{
	uint32_t i = pool_index(exchange_handle(e, ex));

	ex->next = POOL_NONE;
	ex->flags |= (uint16_t)flag;
	if (list->tail == POOL_NONE)
		list->head = i;
	else
		((struct exchange *)pool_at(&e->exchanges, list->tail))->next = i;
	list->tail = i;
}

static void list_cut(struct engine *e, struct store_list *list, struct exchange *ex)
{
	uint32_t self = pool_index(exchange_handle(e, ex)), before = POOL_NONE;

	for (uint32_t i = list->head; i != POOL_NONE; before = i, i = ex->next) {
		ex = pool_at(&e->exchanges, i);
		if (i != self)
			continue;
		if (before == POOL_NONE)
			list->head = ex->next;
		else
			((struct exchange *)pool_at(&e->exchanges, before))->next = ex->next;
		if (list->tail == self)
			list->tail = before;
		ex->next = POOL_NONE;
		ex->flags &= (uint16_t)~LISTED;
		return;
	}
}

/* An ENDING is owed from when it is listed until it is put, or dropped. */
static void owed_account(struct engine *e, struct exchange *ex, bool owed)
{
	if (owed) {
		ex->flags |= e->store.turn ? EXCHANGE_F_TURN : 0;
		e->store.owed[e->store.turn]++;
	} else {
		e->store.owed[ex->flags & EXCHANGE_F_TURN ? 1 : 0]--;
		ex->flags &= (uint16_t)~EXCHANGE_F_TURN;
	}
}

static void owed_unlist(struct engine *e, struct exchange *ex)
{
	if (ex->flags & EXCHANGE_F_READY)
		list_cut(e, &e->store.ready, ex);
	else if (ex->flags & EXCHANGE_F_BLOCKED)
		list_cut(e, &e->store.blocked, ex);
}

static struct exchange *owed_new(struct engine *e, const char *id, uint64_t handle, uint16_t slot)
{
	struct exchange *ex = exchange_new(e, EXCHANGE_OWED, SIP_BYE);

	if (ex == NULL)
		return NULL;
	memcpy(ex->call_id, id, IDENT_LEN);
	ex->call = handle;
	ex->far_tag = slot;
	return ex;
}

struct exchange *store_owed(struct engine *e, struct call *call)
{
	struct slice id = leg_call_id(e, &call->leg[CALL_CALLEE]);

	if (!(call->store.flags & STORE_F_PUT) || id.n != IDENT_LEN)
		return NULL;
	return owed_new(e, id.p, call_handle(e, call), call->leg[CALL_CALLER].slot);
}

void store_end(struct engine *e, struct call *call, struct exchange *owed)
{
	struct wbuf w = engine_out_compose(e->out);

	if (e->store.mode != ENGINE_STORE_BEHIND && e->store.mode != ENGINE_STORE_DURABLE)
		return;
	if (w.cap > CHECKPOINT_MAX)
		w.cap = CHECKPOINT_MAX;
	owed->cseq_out = call->store.version + 1;
	if (!gather_call(e, call, owed->cseq_out, owed->from, &w) || !wbuf_ok(&w))
		return;
	owed->message = blob_copy(&e->blobs, wbuf_slice(&w));
	if (owed->message == 0)
		return;
	if (call->store.flags & STORE_F_UNDERWAY)
		list_push(e, &e->store.blocked, owed, EXCHANGE_F_BLOCKED);
	else
		list_push(e, &e->store.ready, owed, EXCHANGE_F_READY);
	owed_account(e, owed, true);
}

void store_remember(struct engine *e, const struct registration *r)
{
	uint32_t i = registration_index(e, r);
	struct exchange *ex = owed_new(e, r->minted, pool_handle(&e->registrations, i), r->slot);

	if (ex == NULL)
		return;
	ex->flags |= EXCHANGE_F_REGISTRATION;
	list_push(e, &e->store.blocked, ex, EXCHANGE_F_BLOCKED);
}

bool store_remembers(const struct engine *e, const struct registration *r)
{
	for (uint32_t i = e->store.blocked.head; i != POOL_NONE;) {
		const struct exchange *ex = pool_at(&e->exchanges, i);

		if ((ex->flags & EXCHANGE_F_REGISTRATION) &&
		    memcmp(ex->call_id, r->minted, IDENT_LEN) == 0)
			return true;
		i = ex->next;
	}
	return false;
}

void store_unblock(struct engine *e, enum checkpoint_kind kind, uint64_t handle)
{
	unsigned want = kind == CHECKPOINT_REGISTRATION ? EXCHANGE_F_REGISTRATION : 0;

	for (uint32_t i = e->store.blocked.head; i != POOL_NONE;) {
		struct exchange *ex = pool_at(&e->exchanges, i);

		if (ex->call == handle && (ex->flags & EXCHANGE_F_REGISTRATION) == want) {
			owed_unlist(e, ex);
			if (want)
				exchange_free(e, ex);
			else
				list_push(e, &e->store.ready, ex, EXCHANGE_F_READY);
			return;
		}
		i = ex->next;
	}
}

void store_put_ready(struct engine *e)
{
	struct exchange *ex = pool_at(&e->exchanges, e->store.ready.head);
	struct slice fields = blob_slice(&e->blobs, ex->message);
	struct wbuf w = engine_out_compose(e->out);
	struct engine_store *s;

	owed_unlist(e, ex);
	owed_account(e, ex, false);
	wbuf_put(&w, fields);
	fields = engine_out_composed(e->out, &w);
	s = store_action(e, ENGINE_STORE_PUT, CHECKPOINT_CALL, slice_of(ex->call_id, IDENT_LEN),
			 (uint16_t)ex->far_tag);
	blob_give(&e->blobs, ex->message);
	ex->message = 0;
	if (s == NULL || fields.n == 0)
		return;
	s->fields = fields;
	s->version = ex->cseq_out;
	s->handle = ex->call;
	s->ttl_s = STORE_ENDING_TTL_S;
	e->store.underway++;
	e->store.puts++;
}

void store_told(struct engine *e, struct exchange *owed)
{
	if (owed->cseq_in && --owed->cseq_in)
		return;
	store_delete(e, CHECKPOINT_CALL, slice_of(owed->call_id, IDENT_LEN),
		     (uint16_t)owed->far_tag);
	exchange_free(e, owed);
}

void store_drop_owed(struct engine *e, struct exchange *owed)
{
	if ((owed->flags & LISTED) && !(owed->flags & EXCHANGE_F_REGISTRATION))
		owed_account(e, owed, false);
	owed_unlist(e, owed);
}
