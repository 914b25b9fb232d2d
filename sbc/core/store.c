#include "sbc/core/store.h"

#include "sbc/core/call.h"
#include "sbc/core/registration.h"
#include "sbc/core/store_internal.h"

void store_init(struct engine *e)
{
	struct store_list empty = {POOL_NONE, POOL_NONE};

	for (uint32_t i = 0; i < STORE_LINES; i++)
		e->store.line[i] = empty;
	e->store.ready = e->store.late = e->store.remembered = empty;
	for (uint32_t i = 0; i < STORE_WAITING; i++)
		e->store.waiting[i] = empty;
	e->store.resync = POOL_NONE;
}

/* ---- items and lines ---- */

struct store_mark *store_mark_at(const struct engine *e, uint32_t item)
{
	struct registration *r;

	if (item < e->limits.calls)
		return &((struct call *)pool_at(&e->calls, item))->store;
	r = pool_at(&e->registrations, item - e->limits.calls);
	return &r->store;
}

static uint32_t item_of_call(const struct engine *e, const struct call *call)
{
	return call_index(e, call);
}

static uint32_t item_of_registration(const struct engine *e, const struct registration *r)
{
	return e->limits.calls + registration_index(e, r);
}

static bool line_is_dirty(uint8_t line)
{
	return line == STORE_LINE_HELD || line == STORE_LINE_NOW || line == STORE_LINE_SOON;
}

void store_line_push(struct engine *e, uint32_t item, enum store_line line)
{
	struct store_mark *m = store_mark_at(e, item);
	struct store_list *list = &e->store.line[line];

	m->line = (uint8_t)line;
	if (line == STORE_LINE_NONE)
		return;
	m->next = POOL_NONE;
	m->prev = list->tail;
	if (list->tail == POOL_NONE)
		list->head = item;
	else
		store_mark_at(e, list->tail)->next = item;
	list->tail = item;
	e->store.dirty += line_is_dirty(m->line);
}

void store_line_cut(struct engine *e, uint32_t item)
{
	struct store_mark *m = store_mark_at(e, item);
	struct store_list *list = &e->store.line[m->line];

	if (m->line == STORE_LINE_NONE)
		return;
	if (m->prev == POOL_NONE)
		list->head = m->next;
	else
		store_mark_at(e, m->prev)->next = m->next;
	if (m->next == POOL_NONE)
		list->tail = m->prev;
	else
		store_mark_at(e, m->next)->prev = m->prev;
	e->store.dirty -= line_is_dirty(m->line);
	m->line = STORE_LINE_NONE;
}

void store_line_move(struct engine *e, uint32_t item, enum store_line line)
{
	store_line_cut(e, item);
	if (line == STORE_LINE_SOON)
		store_mark_at(e, item)->at = e->now + ENGINE_STORE_GATHER_MS;
	else if (line == STORE_LINE_KEPT)
		store_mark_at(e, item)->at = e->now;
	store_line_push(e, item, line);
}

void store_account(struct engine *e, uint32_t item)
{
	struct store_mark *m = store_mark_at(e, item);
	bool owed = line_is_dirty(m->line) || (m->flags & (STORE_F_AGAIN_NOW | STORE_F_AGAIN_SOON));

	if (owed == (m->owed != 0))
		return;
	if (owed) {
		m->owed = 1 + e->store.turn;
		e->store.owed[e->store.turn]++;
	} else {
		e->store.owed[m->owed - 1]--;
		m->owed = 0;
	}
}

static void item_change(struct engine *e, uint32_t item, enum store_urgency urgency)
{
	struct store_mark *m = store_mark_at(e, item);

	if (e->store.mode == ENGINE_STORE_OFF) {
		m->flags |= STORE_F_CHANGED;
		return;
	}
	if (m->flags & STORE_F_UNDERWAY) {
		m->flags |= urgency == STORE_NOW ? STORE_F_AGAIN_NOW : STORE_F_AGAIN_SOON;
		return;
	}
	if (m->line == STORE_LINE_HELD || m->line == STORE_LINE_NOW ||
	    (m->line == STORE_LINE_SOON && urgency == STORE_SOON))
		return;
	store_line_move(e, item, urgency == STORE_NOW ? STORE_LINE_NOW : STORE_LINE_SOON);
}

static void item_touch(struct engine *e, uint32_t item, enum store_urgency urgency)
{
	item_change(e, item, urgency);
	store_account(e, item);
}

/* There is a dialog on the callee's side: it could go on in another process. */
static bool call_is_kept(const struct call *call)
{
	return call->leg[CALL_CALLEE].remote_tag != 0;
}

void store_touch(struct engine *e, struct call *call, enum store_urgency urgency)
{
	if (call_is_kept(call))
		item_touch(e, item_of_call(e, call), urgency);
}

void store_touch_registration(struct engine *e, struct registration *r)
{
	item_touch(e, item_of_registration(e, r), STORE_SOON);
}

static void item_restored(struct engine *e, uint32_t item, uint32_t version, enum store_line line)
{
	struct store_mark *m = store_mark_at(e, item);

	m->flags |= STORE_F_PUT;
	m->version = version;
	store_line_move(e, item, line);
	store_account(e, item);
}

void store_restored(struct engine *e, struct call *call, uint32_t version)
{
	item_restored(e, item_of_call(e, call), version, STORE_LINE_KEPT);
}

void store_restored_registration(struct engine *e, struct registration *r, uint32_t version)
{
	item_restored(e, item_of_registration(e, r), version, STORE_LINE_NONE);
}

/* ---- answers that wait ---- */

bool store_holds(const struct call *call)
{
	return call->store.line == STORE_LINE_HELD || call->store.line == STORE_LINE_WAIT;
}

bool store_hold(struct engine *e, struct call *call)
{
	struct store_mark *m = &call->store;
	uint32_t item = item_of_call(e, call);

	if (e->store.mode != ENGINE_STORE_DURABLE || !call_is_kept(call))
		return false;
	if (m->flags & STORE_F_UNDERWAY)
		m->flags |= STORE_F_AGAIN_NOW;
	store_line_move(e, item, m->flags & STORE_F_UNDERWAY ? STORE_LINE_WAIT : STORE_LINE_HELD);
	store_account(e, item);
	e->store.held++;
	return true;
}

static void degrade(struct engine *e, struct store_mark *m)
{
	if (m->flags & STORE_F_DEGRADED)
		return;
	m->flags |= STORE_F_DEGRADED;
	e->store.degraded++;
	e->store.degraded_total++;
}

void store_let_go(struct engine *e, struct call *call, bool stored)
{
	struct store_mark *m = &call->store;
	uint32_t item = item_of_call(e, call);

	if (!stored && e->store.mode != ENGINE_STORE_BEHIND && e->store.mode != ENGINE_STORE_OFF)
		degrade(e, m);
	if (!store_holds(call))
		return;
	e->store.held--;
	if (m->line == STORE_LINE_HELD)
		store_line_move(e, item, STORE_LINE_NOW);
	else
		store_line_cut(e, item);
	store_account(e, item);
}

/* ---- what the store says ---- */

static void mark_recovered(struct engine *e, struct store_mark *m)
{
	e->store.degraded -= (m->flags & STORE_F_DEGRADED) != 0;
	m->flags &= (uint16_t)~STORE_F_DEGRADED;
}

/* Where a mark goes when nothing of it is under way any more. */
static void item_place(struct engine *e, uint32_t item, bool ok)
{
	struct store_mark *m = store_mark_at(e, item);
	unsigned again = m->flags & (STORE_F_AGAIN_NOW | STORE_F_AGAIN_SOON);
	enum store_line line = STORE_LINE_KEPT;

	m->flags &= (uint16_t) ~(STORE_F_AGAIN_NOW | STORE_F_AGAIN_SOON);
	if (e->store.mode == ENGINE_STORE_OFF) {
		m->flags |= again || !ok ? STORE_F_CHANGED : 0;
		return;
	}
	/* Its answer has left meanwhile, which changed it: it is in line again already. */
	if (line_is_dirty(m->line))
		return;
	if (m->line == STORE_LINE_WAIT)
		line = STORE_LINE_HELD;
	else if (!ok || again == STORE_F_AGAIN_SOON)
		line = STORE_LINE_SOON;
	else if (again)
		line = STORE_LINE_NOW;
	else if (item >= e->limits.calls)
		line = STORE_LINE_NONE;
	store_line_move(e, item, line);
}

static void item_settle(struct engine *e, uint32_t item, bool ok)
{
	item_place(e, item, ok);
	store_account(e, item);
}

static void call_stored(struct engine *e, struct call *call, bool ok)
{
	struct store_mark *m = &call->store;
	bool answer = m->flags & STORE_F_ANSWER, part = m->flags & STORE_F_PART;

	m->flags &= (uint16_t) ~(STORE_F_UNDERWAY | STORE_F_ANSWER | STORE_F_BASE | STORE_F_PART);
	m->flags |= ok ? STORE_F_BASE : 0;
	if (answer && ok)
		mark_recovered(e, m);
	/* Of what the store has not got the changes are worth nothing: all of it may be taken. */
	if (answer && store_holds(call) && (ok || !part)) {
		if (ok)
			call_let_go(e, call);
		else
			call_let_go_unstored(e, call);
	}
	item_settle(e, item_of_call(e, call), ok);
}

void store_stored(struct engine *e, enum checkpoint_kind kind, uint64_t handle, uint32_t version,
		  bool ok)
{
	struct call *call = kind == CHECKPOINT_CALL ? pool_get(&e->calls, handle) : NULL;
	struct registration *r =
		kind == CHECKPOINT_REGISTRATION ? pool_get(&e->registrations, handle) : NULL;

	e->store.underway -= e->store.underway != 0;
	if (call != NULL && (call->store.flags & STORE_F_UNDERWAY) &&
	    call->store.version == version) {
		call_stored(e, call, ok);
	} else if (r != NULL && (r->store.flags & STORE_F_UNDERWAY) &&
		   r->store.version == version) {
		r->store.flags &= (uint16_t)~STORE_F_UNDERWAY;
		item_settle(e, item_of_registration(e, r), ok);
	} else {
		store_owed_stored(e, kind, handle, version, ok);
	}
}

void store_mode(struct engine *e, enum engine_store_mode mode, bool resync)
{
	enum engine_store_mode was = e->store.mode;

	e->store.mode = mode;
	if (mode == ENGINE_STORE_OFF)
		return;
	if (resync || was == ENGINE_STORE_OFF) {
		e->store.resync_all =
			resync || (e->store.resync_all && e->store.resync != POOL_NONE);
		e->store.resync = 0;
	}
}

/* ---- endings ---- */

static void item_drop(struct engine *e, uint32_t item)
{
	struct store_mark *m = store_mark_at(e, item);

	e->store.held -= m->line == STORE_LINE_HELD || m->line == STORE_LINE_WAIT;
	mark_recovered(e, m);
	store_line_cut(e, item);
	m->flags = 0;
	store_account(e, item);
}

void store_drop(struct engine *e, struct call *call)
{
	item_drop(e, item_of_call(e, call));
}

void store_drop_registration(struct engine *e, struct registration *r)
{
	item_drop(e, item_of_registration(e, r));
}

void store_call_over(struct engine *e, struct call *call, struct exchange *owed)
{
	bool known = call->store.flags & STORE_F_PUT;

	if (known && owed != NULL && owed->cseq_in)
		store_end(e, call, owed);
	else if (known)
		store_delete(e, CHECKPOINT_CALL, leg_call_id(e, &call->leg[CALL_CALLEE]),
			     call->leg[CALL_CALLER].slot);
	if (owed != NULL && owed->cseq_in == 0)
		exchange_free(e, owed);
	store_drop(e, call);
}

void store_registration_over(struct engine *e, struct registration *r)
{
	struct slice id = slice_of(r->minted, IDENT_LEN);

	if (r->store.flags & STORE_F_PUT)
		store_delete(e, CHECKPOINT_REGISTRATION, id, r->slot);
	if (r->store.flags & STORE_F_UNDERWAY)
		store_remember(e, r);
	store_drop_registration(e, r);
}
