/*
 * Reconciling: after Redis was another server, or had lost data, its index may name
 * what has ended meanwhile. What nobody here knows is deleted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/store_internal.h"

struct walk {
	struct store *store;
	uint16_t group;
	uint64_t epoch;
	uint32_t asked;
	char cursor[24];
};

static bool ask(struct walk *w);

/* What has not been read is not what nobody knows. */
static bool knows_all(const struct store *s, uint16_t group)
{
	return !s->group[group].unknown && !s->group[group].reading;
}

static void take_member(struct walk *w, const redisReply *r)
{
	enum checkpoint_kind kind;
	uint8_t id[STORE_ID];

	if (r->type != REDIS_REPLY_STRING || !store_member_parse(r->str, r->len, &kind, id))
		w->store->gauges.malformed++;
	else if (!store_queue_knows(w->store, w->group, kind, id))
		store_queue_delete(w->store, w->group, kind, id);
}

static bool is_page(const redisReply *r)
{
	return r && r->type == REDIS_REPLY_ARRAY && r->elements == 2 &&
	       r->element[0]->type == REDIS_REPLY_STRING && r->element[0]->len < 24 &&
	       r->element[1]->type == REDIS_REPLY_ARRAY;
}

/* The walk is over: at the index's end, or it is to be begun again. */
static void end(struct walk *w, bool whole)
{
	struct store_group *g = &w->store->group[w->group];

	g->reconciling = false;
	if (whole)
		g->reconcile_done = w->asked;
	free(w);
}

static void on_page(void *arg, const redisReply *r)
{
	struct walk *w = arg;
	struct store *s = w->store;
	bool whole = false;

	if (!store_answered(s)) {
		free(w);
		return;
	}
	if (!is_page(r) || s->group[w->group].epoch != w->epoch || !knows_all(s, w->group)) {
		end(w, false);
		return;
	}
	for (size_t i = 0; i < r->element[1]->elements; i++)
		take_member(w, r->element[1]->element[i]);
	snprintf(w->cursor, sizeof(w->cursor), "%s", r->element[0]->str);
	whole = strcmp(w->cursor, "0") == 0;
	if (whole || !ask(w))
		end(w, whole);
	store_pump(s);
}

static bool ask(struct walk *w)
{
	const char *argv[] = {"SSCAN", w->store->group[w->group].index, w->cursor, "COUNT", "512"};
	size_t len[5];

	for (int i = 0; i < 5; i++)
		len[i] = strlen(argv[i]);
	if (!redis_command(w->store->redis, on_page, w, 5, argv, len))
		return false;
	w->store->commands++;
	return true;
}

static void begin(struct store *s, uint16_t group)
{
	struct store_group *g = &s->group[group];
	struct walk *w = malloc(sizeof(*w));

	if (!w)
		return;
	*w = (struct walk){s, group, g->epoch, g->reconcile_asked, "0"};
	g->reconciling = true;
	if (!ask(w))
		end(w, false);
}

void store_reconcile_owed(struct store *s)
{
	bool may = !s->refusing[STORE_DELETE] || s->probe[STORE_DELETE];

	for (uint16_t i = 0; may && s->connected && i < s->groups; i++) {
		const struct store_group *g = &s->group[i];

		if (g->reconcile_asked != g->reconcile_done && !g->reconciling && g->epoch &&
		    g->claimed && knows_all(s, i))
			begin(s, i);
	}
}

void store_reconcile(struct store *s, uint16_t group)
{
	s->group[group].reconcile_asked++;
	store_reconcile_owed(s);
}
