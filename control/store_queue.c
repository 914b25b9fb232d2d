/* What is owed to Redis: one op an id waits, one is under way. */
#include <stdlib.h>
#include <string.h>

#include "control/store_internal.h"

static void answer(struct store *s, const struct store_entry *e, struct store_put *put, bool ok)
{
	s->io.stored(s->io.arg, put->worker, (enum checkpoint_kind)e->kind, put->handle,
		     put->version, ok);
	free(put);
}

/* Changes what waits for an entry. In a list only while nothing of it is under way. */
static void set_waits(struct store *s, uint32_t i, enum store_act act, struct store_put *put,
		      bool front)
{
	struct store_entry *e = &s->table.entry[i];
	struct store_list *list = s->group[e->group].list;

	if (e->waits != STORE_IDLE) {
		s->waiting[e->waits]--;
		if (e->underway == STORE_IDLE)
			store_list_take(&s->table, &list[e->waits], i);
	}
	e->waits = (uint8_t)act;
	e->put = put;
	if (act == STORE_IDLE)
		return;
	s->waiting[act]++;
	if (e->underway == STORE_IDLE)
		store_list_push(&s->table, &list[act], i, front);
}

/* Forgets an entry that has nothing more to say. */
static void settle(struct store *s, uint32_t i)
{
	struct store_entry *e = &s->table.entry[i];

	if (e->waits != STORE_IDLE || e->underway != STORE_IDLE)
		return;
	if (e->flush) {
		e->flush = false;
		s->flush_left--;
	}
	if (!e->live)
		store_table_remove(&s->table, i);
}

static struct store_put *make_put(const struct dp_store_op *op, uint32_t fields)
{
	struct store_put *p = malloc(sizeof(*p) + op->fields.n);

	if (!p)
		return NULL;
	*p = (struct store_put){.handle = op->handle,
				.since_ms = store_now(),
				.version = op->version,
				.ttl_s = op->ttl_s,
				.n = op->fields.n,
				.count = fields,
				.worker = op->worker,
				.gone = op->whole ? 0 : op->gone,
				.whole = op->whole};
	memcpy(p->fields, op->fields.p, op->fields.n);
	return p;
}

void store_queue_put(struct store *s, const struct dp_store_op *op, const uint8_t id[STORE_ID],
		     uint32_t fields)
{
	struct store_put *p = make_put(op, fields), *before = NULL;
	uint32_t i = p ? store_table_add(&s->table, op->group, op->kind, id) : STORE_NONE;
	struct store_entry *e;

	if (i == STORE_NONE) {
		free(p);
		s->gauges.refused++;
		s->io.stored(s->io.arg, op->worker, op->kind, op->handle, op->version, false);
		return;
	}
	e = &s->table.entry[i];
	if (e->waits == STORE_PUT)
		before = e->put;
	set_waits(s, i, STORE_PUT, p, false);
	s->gauges.puts++;
	if (before)
		answer(s, e, before, false);
}

/* A put that waits for an id that Redis never saw needs no delete. */
void store_queue_delete(struct store *s, uint16_t group, enum checkpoint_kind kind,
			const uint8_t id[STORE_ID])
{
	uint32_t i = store_table_add(&s->table, group, kind, id);
	struct store_put *before = NULL;
	struct store_entry *e;
	bool needed;

	if (i == STORE_NONE) {
		s->gauges.deletes_lost++;
		return;
	}
	e = &s->table.entry[i];
	if (e->waits == STORE_DELETE)
		return;
	if (e->waits == STORE_PUT)
		before = e->put;
	needed = !before || e->live || e->underway != STORE_IDLE;
	if (needed && s->waiting[STORE_DELETE] >= s->deletes_max) {
		s->gauges.deletes_lost++;
		e->live = false;
		needed = false;
	}
	set_waits(s, i, needed ? STORE_DELETE : STORE_IDLE, NULL, false);
	s->gauges.deletes++;
	if (before)
		answer(s, e, before, true);
	settle(s, i);
}

void store_queue_drop(struct store *s, uint16_t group)
{
	for (uint32_t i = 0; i < s->table.size; i++) {
		struct store_entry *e = &s->table.entry[i];
		struct store_put *put = e->put;

		if (!e->used || e->group != group || e->waits == STORE_IDLE)
			continue;
		set_waits(s, i, STORE_IDLE, NULL, false);
		if (put)
			answer(s, e, put, false);
		settle(s, i);
	}
}

struct store_put *store_queue_take(struct store *s, uint32_t i)
{
	struct store_entry *e = &s->table.entry[i];
	enum store_act act = (enum store_act)e->waits;
	struct store_put *put = e->put;

	set_waits(s, i, STORE_IDLE, NULL, false);
	e->underway = (uint8_t)act;
	s->underway[act]++;
	if (act == STORE_PUT)
		e->live = true; /* even when the answer is lost */
	return put;
}

/* What came meanwhile for the same id may go now. */
static void end_underway(struct store *s, uint32_t i)
{
	struct store_entry *e = &s->table.entry[i];

	s->underway[e->underway]--;
	e->underway = STORE_IDLE;
	if (e->waits != STORE_IDLE)
		store_list_push(&s->table, &s->group[e->group].list[e->waits], i, false);
}

void store_queue_done(struct store *s, uint32_t i, struct store_put *put, bool ok)
{
	struct store_entry *e = &s->table.entry[i];

	if (e->underway == STORE_DELETE)
		e->live = false;
	end_underway(s, i);
	if (put)
		answer(s, e, put, ok);
	settle(s, i);
}

/*
 * Whether it was carried out is not known, and does not matter: all ops may be
 * repeated. But a put that may have been is one that a delete is needed for.
 */
void store_queue_again(struct store *s, uint32_t i, struct store_put *put)
{
	struct store_entry *e = &s->table.entry[i];
	enum store_act act = (enum store_act)e->underway;
	bool replaced = e->waits != STORE_IDLE, over = e->waits == STORE_DELETE;

	e->live |= act == STORE_PUT;
	end_underway(s, i);
	if (!replaced)
		set_waits(s, i, act, put, true);
	else if (put)
		answer(s, e, put, over);
}

void store_queue_seen(struct store *s, uint16_t group, enum checkpoint_kind kind,
		      const uint8_t id[STORE_ID], bool there)
{
	uint32_t i = there ? store_table_add(&s->table, group, kind, id)
			   : store_table_find(&s->table, group, kind, id);

	if (i == STORE_NONE) {
		s->group[group].unknown |= there;
		return;
	}
	if (there)
		s->table.entry[i].live = true;
	else if (s->table.entry[i].waits == STORE_IDLE && s->table.entry[i].underway == STORE_IDLE)
		s->table.entry[i].live = false;
	settle(s, i);
}

void store_queue_forget(struct store *s, uint16_t group)
{
	for (uint32_t i = 0; i < s->table.size; i++) {
		if (!s->table.entry[i].used || s->table.entry[i].group != group)
			continue;
		s->table.entry[i].live = false;
		settle(s, i);
	}
	s->group[group].unknown = false;
}

bool store_queue_knows(const struct store *s, uint16_t group, enum checkpoint_kind kind,
		       const uint8_t id[STORE_ID])
{
	return store_table_find(&s->table, group, kind, id) != STORE_NONE;
}

/* ---- flushing ---- */

static void mark_all(struct store *s)
{
	for (uint32_t i = 0; i < s->table.size; i++) {
		struct store_entry *e = &s->table.entry[i];

		if (!e->used || (e->waits == STORE_IDLE && e->underway == STORE_IDLE))
			continue;
		e->flush = true;
		s->flush_left++;
	}
}

/* Each round marks what is owed at its beginning; who asks during one waits for the next. */
void store_flush_check(struct store *s)
{
	while (s->flush_left == 0 && (s->flushing || s->flush_next)) {
		struct store_waiter *w = s->flushing;

		if (w) {
			s->flushing = w->next;
			w->done(w->arg);
			free(w);
			continue;
		}
		s->flushing = s->flush_next;
		s->flush_next = NULL;
		mark_all(s);
	}
}

void store_flush(struct store *s, void (*done)(void *arg), void *arg)
{
	struct store_waiter *w = malloc(sizeof(*w));

	if (!w) {
		done(arg);
		return;
	}
	*w = (struct store_waiter){done, arg, s->flush_next};
	s->flush_next = w;
	store_flush_check(s);
	store_pump(s);
}
