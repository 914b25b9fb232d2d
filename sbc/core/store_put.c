#include "sbc/core/gather.h"
#include "sbc/core/store_internal.h"

/* Marks looked at in one event when the store has lost data. */
#define RESYNC_BUDGET 4096u

/* Registrations expire by themselves; the store keeps them a little longer. */
#define REGISTRATION_SPARE_S 60u

/* What one put needs beside its checkpoint, and an answer beside its own bytes. */
#define PUT_ACTIONS 8u
#define PUT_SPARE   8192u

static bool has_room(const struct engine *e, uint32_t scratch)
{
	return engine_out_room(e->out) >= PUT_ACTIONS &&
	       engine_out_scratch_room(e->out) >= scratch + PUT_SPARE;
}

/* Bytes that leave when an answer need not wait any more: the 2xx, and the callee's ACK. */
static uint32_t answer_scratch(const struct engine *e, uint32_t item)
{
	const struct call *call = item < e->limits.calls ? pool_at(&e->calls, item) : NULL;
	const struct exchange *ex = call ? exchange_get(e, call->invite) : NULL;

	if (ex == NULL || !(ex->flags & EXCHANGE_F_WAITS))
		return 0;
	return 2 * blob_slice(&e->blobs, ex->message).n + PUT_SPARE;
}

struct engine_store *store_action(struct engine *e, enum engine_action_type type,
				  enum checkpoint_kind kind, struct slice id, uint16_t slot)
{
	struct engine_store *s = id.n == IDENT_LEN ? engine_out_store(e->out, type) : NULL;

	if (s == NULL)
		return NULL;
	s->kind = kind;
	s->group = e->slots.realm[slot].group;
	memcpy(s->id, id.p, IDENT_LEN);
	return s;
}

void store_delete(struct engine *e, enum checkpoint_kind kind, struct slice id, uint16_t slot)
{
	if (store_action(e, ENGINE_STORE_DELETE, kind, id, slot) != NULL)
		e->store.deletes++;
}

/* What is to be put, all of it or what has changed. */
struct content {
	struct slice fields;
	bool whole;
	uint16_t gone;
};

/* What was gathered becomes an action. */
static bool put_action(struct engine *e, uint32_t item, const struct content *what)
{
	struct store_mark *m = store_mark_at(e, item);
	bool is_call = item < e->limits.calls;
	struct call *call = is_call ? pool_at(&e->calls, item) : NULL;
	struct registration *r =
		is_call ? NULL : pool_at(&e->registrations, item - e->limits.calls);
	struct slice id =
		is_call ? leg_call_id(e, &call->leg[CALL_CALLEE]) : slice_of(r->minted, IDENT_LEN);
	struct engine_store *s = store_action(e, ENGINE_STORE_PUT,
					      is_call ? CHECKPOINT_CALL : CHECKPOINT_REGISTRATION,
					      id, is_call ? call->leg[CALL_CALLER].slot : r->slot);

	if (s == NULL)
		return false;
	s->fields = what->fields;
	s->whole = what->whole;
	s->gone = what->gone;
	s->version = m->version;
	if (is_call) {
		s->handle = call_handle(e, call);
		s->urgent = store_holds(call);
		s->ttl_s = call->state == CALL_ENDING ? STORE_ENDING_TTL_S : e->snap->store_ttl_s;
	} else {
		uint64_t left = r->expires_ms > e->now ? r->expires_ms - e->now : 0;

		s->handle = pool_handle(&e->registrations, registration_index(e, r));
		s->ttl_s = (uint32_t)(left / 1000) + REGISTRATION_SPARE_S;
	}
	return true;
}

bool store_legs_changed(const struct call *call)
{
	return call->leg[CALL_CALLER].changed || call->leg[CALL_CALLEE].changed;
}

/* While everything is put again, what it has not come to yet may be gone too. */
bool store_has_base(const struct engine *e, uint32_t item)
{
	bool lost = e->store.resync_all && item >= e->store.resync;

	return (store_mark_at(e, item)->flags & STORE_F_BASE) && !lost;
}

static bool put_gather_call(struct engine *e, uint32_t item, struct wbuf *w, struct content *what)
{
	struct call *call = pool_at(&e->calls, item);
	struct store_mark *m = &call->store;
	struct checkpoint_change change = {store_legs_changed(call), .shape = m->shape};
	uint8_t owed = call->state == CALL_ENDING ? CALL_BYE_BOTH : 0;
	bool fits;

	what->whole = !store_has_base(e, item);
	fits = what->whole ? gather_call(e, call, m->version + 1, owed, w, &change.shape)
			   : gather_change(e, call, m->version + 1, owed, w, &change, false);
	if (!fits)
		return false;
	what->gone = (uint16_t)change.gone;
	m->shape = change.shape;
	call->leg[CALL_CALLER].changed = call->leg[CALL_CALLEE].changed = false;
	return true;
}

static bool put_gather(struct engine *e, uint32_t item, struct content *what)
{
	struct wbuf w = engine_out_compose(e->out);
	bool fits;

	if (w.cap > CHECKPOINT_MAX)
		w.cap = CHECKPOINT_MAX;
	if (item < e->limits.calls)
		fits = put_gather_call(e, item, &w, what);
	else
		fits = gather_registration(e, pool_at(&e->registrations, item - e->limits.calls),
					   store_mark_at(e, item)->version + 1, &w);
	if (!fits)
		return false;
	what->fields = engine_out_composed(e->out, &w);
	return what->fields.n != 0;
}

/* It cannot be kept as it is; what the store has of it stays. */
static void put_unfit(struct engine *e, uint32_t item)
{
	engine_count(e, REASON_STORE_UNFIT);
	if (item < e->limits.calls && store_holds(pool_at(&e->calls, item)))
		call_let_go_unstored(e, pool_at(&e->calls, item));
	/* What was noted of it was not put. */
	store_mark_at(e, item)->flags &= (uint16_t)~STORE_F_BASE;
	store_line_cut(e, item);
}

static void put_try(struct engine *e, uint32_t item)
{
	struct store_mark *m = store_mark_at(e, item);
	struct call *call = item < e->limits.calls ? pool_at(&e->calls, item) : NULL;
	bool held = call != NULL && store_holds(call);
	struct content what = {.whole = true};

	if (call == NULL &&
	    store_remembers(e, pool_at(&e->registrations, item - e->limits.calls))) {
		store_line_move(e, item, STORE_LINE_SOON);
		return;
	}
	if (!put_gather(e, item, &what)) {
		put_unfit(e, item);
		return;
	}
	m->version++;
	if (!put_action(e, item, &what)) {
		put_unfit(e, item);
		return;
	}
	store_line_move(e, item, held ? STORE_LINE_WAIT : STORE_LINE_NONE);
	m->flags &= (uint16_t)~STORE_F_CHANGED;
	m->flags |= STORE_F_PUT | STORE_F_UNDERWAY;
	m->flags |= what.whole ? 0 : STORE_F_PART;
	if (call != NULL && (held || call->state == CALL_ANSWERED))
		m->flags |= STORE_F_ANSWER;
	e->store.underway++;
	e->store.puts++;
}

static void put_item(struct engine *e, uint32_t item)
{
	put_try(e, item);
	store_account(e, item);
}

/* ---- what is due ---- */

static uint64_t kept_due(const struct engine *e)
{
	uint32_t item = e->store.line[STORE_LINE_KEPT].head;

	return item == POOL_NONE ? UINT64_MAX
				 : store_mark_at(e, item)->at + 500ull * e->snap->store_ttl_s;
}

static uint64_t soon_due(const struct engine *e)
{
	uint32_t item = e->store.line[STORE_LINE_SOON].head;
	/* Not none at all: what cannot be put now comes back here. */
	uint64_t early = e->store.barrier ? ENGINE_STORE_GATHER_MS - 1 : 0;

	return item == POOL_NONE ? UINT64_MAX : store_mark_at(e, item)->at - early;
}

static bool is_writing(const struct engine *e)
{
	return e->store.mode == ENGINE_STORE_BEHIND || e->store.mode == ENGINE_STORE_DURABLE;
}

/* The next to be put, or POOL_NONE. */
static uint32_t next_item(const struct engine *e)
{
	const struct store *s = &e->store;

	if (s->line[STORE_LINE_HELD].head != POOL_NONE)
		return s->line[STORE_LINE_HELD].head;
	if (s->line[STORE_LINE_NOW].head != POOL_NONE)
		return s->line[STORE_LINE_NOW].head;
	if (soon_due(e) <= e->now)
		return s->line[STORE_LINE_SOON].head;
	if (kept_due(e) <= e->now)
		return s->line[STORE_LINE_KEPT].head;
	return POOL_NONE;
}

/* Whether what is under way leaves room for more. */
static bool window_is_open(const struct engine *e)
{
	return e->store.underway < ENGINE_STORE_WINDOW;
}

static uint32_t item_handle_taken(const struct engine *e, uint32_t item)
{
	return item < e->limits.calls ? pool_is_taken(&e->calls, item)
				      : pool_is_taken(&e->registrations, item - e->limits.calls);
}

static void resync_item(struct engine *e, uint32_t item)
{
	struct store_mark *m = store_mark_at(e, item);

	if (!e->store.resync_all && (m->flags & STORE_F_PUT) && !(m->flags & STORE_F_CHANGED))
		return;
	if (e->store.resync_all)
		m->flags &= (uint16_t)~STORE_F_BASE;
	if (item < e->limits.calls)
		store_touch(e, pool_at(&e->calls, item), STORE_SOON);
	else
		store_touch_registration(e, pool_at(&e->registrations, item - e->limits.calls));
}

static void resync(struct engine *e)
{
	uint32_t end = e->limits.calls + e->limits.registrations;

	for (uint32_t n = 0; e->store.resync < end; e->store.resync++) {
		if (n++ == RESYNC_BUDGET) {
			e->due = true;
			return;
		}
		if (item_handle_taken(e, e->store.resync))
			resync_item(e, e->store.resync);
	}
	e->store.resync = POOL_NONE;
	e->store.resync_all = false;
}

/* Nothing waits for a store that is away. */
static void release_all(struct engine *e)
{
	const struct store_list *held = &e->store.line[STORE_LINE_HELD];
	const struct store_list *wait = &e->store.line[STORE_LINE_WAIT];

	for (;;) {
		uint32_t item = held->head != POOL_NONE ? held->head : wait->head;

		if (item == POOL_NONE)
			return;
		if (!has_room(e, answer_scratch(e, item)))
			break;
		call_let_go_unstored(e, pool_at(&e->calls, item));
	}
	e->due = true;
}

static void put_due(struct engine *e)
{
	if (e->store.mode != ENGINE_STORE_DURABLE && e->store.held)
		release_all(e);
	if (e->store.resync != POOL_NONE && e->store.mode != ENGINE_STORE_OFF)
		resync(e);
	if (!is_writing(e))
		return;
	store_ready(e);
	while (window_is_open(e)) {
		uint32_t item = next_item(e);

		if (e->store.ready.head == POOL_NONE && item == POOL_NONE)
			return;
		if (!has_room(e,
			      CHECKPOINT_MAX + (item == POOL_NONE ? 0 : answer_scratch(e, item)))) {
			e->due = true;
			return;
		}
		if (e->store.ready.head != POOL_NONE)
			store_put_ready(e);
		else
			put_item(e, item);
	}
}

void store_put_due(struct engine *e)
{
	store_barrier_begin(e);
	put_due(e);
	store_barrier_end(e);
}

uint64_t store_next_due(const struct engine *e)
{
	const struct store *s = &e->store;
	uint64_t soon = soon_due(e), kept = kept_due(e), ending = store_ready_due(e);

	if (s->mode == ENGINE_STORE_OFF)
		return s->held ? e->now : UINT64_MAX;
	if (s->resync != POOL_NONE)
		return e->now;
	if (!is_writing(e) || !window_is_open(e))
		return UINT64_MAX;
	if (s->ready.head != POOL_NONE || s->line[STORE_LINE_HELD].head != POOL_NONE ||
	    s->line[STORE_LINE_NOW].head != POOL_NONE)
		return e->now;
	kept = ending < kept ? ending : kept;
	return soon < kept ? soon : kept;
}
