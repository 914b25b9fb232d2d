#include "sbc/core/gather.h"
#include "sbc/core/store_internal.h"

/*
 * Exchanges of kind EXCHANGE_OWED. `call` is the handle of what is gone, by which
 * the answer to its last put is known; `far_tag` the realm's slot, `from` the
 * sides whose BYE is under way, `cseq_in` how many those are, `cseq_out` the
 * version of the ENDING in `message` (struct ending), which is kept until the store
 * has it.
 */

#define WAITING (EXCHANGE_F_BLOCKED | EXCHANGE_F_PUT)
#define LISTED  (EXCHANGE_F_READY | EXCHANGE_F_LATE | WAITING)

static struct store_list *list_of(struct engine *e, const struct exchange *ex)
{
	if (ex->flags & EXCHANGE_F_READY)
		return &e->store.ready;
	if (ex->flags & EXCHANGE_F_LATE)
		return &e->store.late;
	if (ex->flags & EXCHANGE_F_REGISTRATION)
		return &e->store.remembered;
	return &e->store.waiting[pool_index(ex->call) % STORE_WAITING];
}

static void list_push(struct engine *e, struct exchange *ex, unsigned flag)
{
	uint32_t i = pool_index(exchange_handle(e, ex));
	struct store_list *list;

	ex->flags |= (uint16_t)flag;
	list = list_of(e, ex);
	ex->next = POOL_NONE;
	ex->prev = list->tail;
	if (list->tail == POOL_NONE)
		list->head = i;
	else
		((struct exchange *)pool_at(&e->exchanges, list->tail))->next = i;
	list->tail = i;
}

static void owed_unlist(struct engine *e, struct exchange *ex)
{
	struct store_list *list = list_of(e, ex);

	if (!(ex->flags & LISTED))
		return;
	if (ex->prev == POOL_NONE)
		list->head = ex->next;
	else
		((struct exchange *)pool_at(&e->exchanges, ex->prev))->next = ex->next;
	if (ex->next == POOL_NONE)
		list->tail = ex->prev;
	else
		((struct exchange *)pool_at(&e->exchanges, ex->next))->prev = ex->prev;
	ex->next = POOL_NONE;
	ex->flags &= (uint16_t)~LISTED;
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

/* The store refused it: again in a moment, so that a store that refuses all is not spun on. */
static void owed_late(struct engine *e, struct exchange *ex)
{
	ex->since = (uint32_t)e->now;
	list_push(e, ex, EXCHANGE_F_LATE);
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

/*
 * An ENDING in its blob: what of it does not change, what does, and what is to be taken
 * away. All of it is the first two, what has changed the last two.
 */
struct ending {
	uint32_t rest, set, gone; /* where the first and the second end; how many of the third */
};

void store_end(struct engine *e, struct call *call, struct exchange *owed)
{
	struct checkpoint_change change = {store_legs_changed(call), .shape = call->store.shape};
	struct wbuf w = engine_out_compose(e->out);
	struct ending ending;

	if (e->store.mode != ENGINE_STORE_BEHIND && e->store.mode != ENGINE_STORE_DURABLE)
		return;
	if (w.cap > CHECKPOINT_MAX)
		w.cap = CHECKPOINT_MAX;
	owed->cseq_out = call->store.version + 1;
	if (!gather_change(e, call, owed->cseq_out, owed->from, &w, &change, true))
		return;
	ending = (struct ending){change.rest, change.set, change.gone};
	owed->message = blob_take(&e->blobs, (uint32_t)sizeof(ending) + w.n);
	if (owed->message == 0)
		return;
	memcpy(blob_ptr(&e->blobs, owed->message), &ending, sizeof(ending));
	memcpy(blob_ptr(&e->blobs, owed->message) + sizeof(ending), w.p, w.n);
	if (call->store.flags & STORE_F_UNDERWAY) {
		list_push(e, owed, EXCHANGE_F_BLOCKED);
	} else {
		owed->flags |= store_has_base(e, call_index(e, call)) ? 0 : EXCHANGE_F_WHOLE;
		list_push(e, owed, EXCHANGE_F_READY);
	}
	owed_account(e, owed, true);
}

/* All of it, or what has changed. */
static struct slice ending_fields(const struct engine *e, const struct exchange *ex,
				  struct ending *ending)
{
	struct slice s = blob_slice(&e->blobs, ex->message);

	memcpy(ending, s.p, sizeof(*ending));
	s = slice_of(s.p + sizeof(*ending), s.n - (uint32_t)sizeof(*ending));
	return ex->flags & EXCHANGE_F_WHOLE ? slice_of(s.p, ending->set)
					    : slice_of(s.p + ending->rest, s.n - ending->rest);
}

void store_remember(struct engine *e, const struct registration *r)
{
	uint32_t i = registration_index(e, r);
	struct exchange *ex = owed_new(e, r->minted, pool_handle(&e->registrations, i), r->slot);

	if (ex == NULL)
		return;
	ex->flags |= EXCHANGE_F_REGISTRATION;
	list_push(e, ex, EXCHANGE_F_BLOCKED);
}

bool store_remembers(const struct engine *e, const struct registration *r)
{
	for (uint32_t i = e->store.remembered.head; i != POOL_NONE;) {
		const struct exchange *ex = pool_at(&e->exchanges, i);

		if (memcmp(ex->call_id, r->minted, IDENT_LEN) == 0)
			return true;
		i = ex->next;
	}
	return false;
}

/* Whose put was answered: the ENDING's own, or one of before the call was over. */
static struct exchange *owed_find(struct engine *e, enum checkpoint_kind kind, uint64_t handle,
				  uint32_t version)
{
	bool is_call = kind == CHECKPOINT_CALL;
	uint32_t i = is_call ? e->store.waiting[pool_index(handle) % STORE_WAITING].head
			     : e->store.remembered.head;

	while (i != POOL_NONE) {
		struct exchange *ex = pool_at(&e->exchanges, i);

		if (ex->call == handle &&
		    (!(ex->flags & EXCHANGE_F_PUT) || ex->cseq_out == version))
			return ex;
		i = ex->next;
	}
	return NULL;
}

void store_owed_stored(struct engine *e, enum checkpoint_kind kind, uint64_t handle,
		       uint32_t version, bool ok)
{
	struct exchange *ex = owed_find(e, kind, handle, version);
	bool ending;

	if (ex == NULL)
		return;
	ending = ex->flags & EXCHANGE_F_PUT;
	owed_unlist(e, ex);
	if (kind == CHECKPOINT_REGISTRATION) {
		exchange_free(e, ex);
	} else if (!ending) {
		ex->flags |= ok ? 0 : EXCHANGE_F_WHOLE;
		list_push(e, ex, EXCHANGE_F_READY);
	} else if (!ok) {
		ex->flags |= EXCHANGE_F_WHOLE;
		owed_late(e, ex);
		owed_account(e, ex, true);
	} else {
		blob_give(&e->blobs, ex->message);
		ex->message = 0;
	}
}

/* A barrier waits for it, and does not spin on a store that refuses either. */
static uint32_t late_ms(const struct engine *e)
{
	return e->store.barrier ? 1 : ENGINE_STORE_ENDING_MS;
}

/* How much longer the oldest of those that wait has to; UINT32_MAX: there is none. */
static uint32_t late_left(const struct engine *e)
{
	const struct exchange *ex;
	uint32_t waited;

	if (e->store.late.head == POOL_NONE)
		return UINT32_MAX;
	ex = pool_at(&e->exchanges, e->store.late.head);
	waited = (uint32_t)e->now - ex->since;
	return waited < late_ms(e) ? late_ms(e) - waited : 0;
}

void store_ready(struct engine *e)
{
	while (late_left(e) == 0) {
		struct exchange *ex = pool_at(&e->exchanges, e->store.late.head);

		owed_unlist(e, ex);
		list_push(e, ex, EXCHANGE_F_READY);
	}
}

uint64_t store_ready_due(const struct engine *e)
{
	uint32_t left = late_left(e);

	return left == UINT32_MAX ? UINT64_MAX : e->now + left;
}

void store_put_ready(struct engine *e)
{
	struct exchange *ex = pool_at(&e->exchanges, e->store.ready.head);
	struct wbuf w = engine_out_compose(e->out);
	struct ending ending;
	struct slice fields = ending_fields(e, ex, &ending);
	struct engine_store *s;

	owed_unlist(e, ex);
	owed_account(e, ex, false);
	wbuf_put(&w, fields);
	fields = engine_out_composed(e->out, &w);
	s = store_action(e, ENGINE_STORE_PUT, CHECKPOINT_CALL, slice_of(ex->call_id, IDENT_LEN),
			 (uint16_t)ex->far_tag);
	if (s == NULL || fields.n == 0)
		return;
	list_push(e, ex, EXCHANGE_F_PUT);
	s->fields = fields;
	s->whole = ex->flags & EXCHANGE_F_WHOLE;
	s->gone = s->whole ? 0 : (uint16_t)ending.gone;
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
	if ((owed->flags & LISTED) && !(owed->flags & (EXCHANGE_F_REGISTRATION | EXCHANGE_F_PUT)))
		owed_account(e, owed, false);
	owed_unlist(e, owed);
}
