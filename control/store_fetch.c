/* The records of a group that is read: asked for within a window, checked, handed over. */
#include <stdio.h>
#include <stdlib.h>

#include "control/store_read_internal.h"

bool store_member_parse(const char *p, size_t n, enum checkpoint_kind *kind, uint8_t id[STORE_ID])
{
	for (unsigned k = 0; k < STORE_KINDS; k++) {
		const char *name = checkpoint_kind_name((enum checkpoint_kind)k);
		size_t len = strlen(name);

		if (n == len + 1 + IDENT_LEN && memcmp(p, name, len) == 0 && p[len] == ':') {
			*kind = (enum checkpoint_kind)k;
			return store_id_parse(p + len + 1, id);
		}
	}
	return false;
}

bool store_read_command(struct store_follow *f, redis_reply_fn fn, void *arg, int argc,
			const char *const *argv)
{
	size_t len[8];

	for (int i = 0; i < argc; i++)
		len[i] = strlen(argv[i]);
	if (!redis_command(f->store->redis, fn, arg, argc, argv, len))
		return false;
	f->store->commands++;
	return true;
}

/* ---- the list of what is to be fetched ---- */

static bool list_add(struct store_follow *f, enum checkpoint_kind kind, const uint8_t id[STORE_ID])
{
	if (f->first == f->count)
		f->first = f->count = 0;
	if (f->count == f->room) {
		uint32_t room = f->room ? f->room * 2 : 1024;
		struct store_id *list = realloc(f->list, room * sizeof(*list));

		if (!list)
			return false;
		f->list = list;
		f->room = room;
	}
	f->list[f->count].kind = (uint8_t)kind;
	memcpy(f->list[f->count++].id, id, STORE_ID);
	return true;
}

void store_fetch_add(struct store_follow *f, const redisReply *r)
{
	enum checkpoint_kind kind;
	uint8_t id[STORE_ID];

	if (!is_text(r) || !store_member_parse(r->str, r->len, &kind, id))
		f->store->gauges.malformed++;
	else if (!list_add(f, kind, id))
		f->failed = true;
}

/* ---- one record ---- */

/* As pairs, each once and within bounds; else it is nothing we wrote. */
static bool flatten(const redisReply *r, struct wbuf *w)
{
	if (r->type != REDIS_REPLY_ARRAY || r->elements % 2)
		return false;
	for (size_t i = 0; i < r->elements; i += 2) {
		const redisReply *name = r->element[i], *value = r->element[i + 1];

		if (!is_text(name) || !is_text(value) || name->len == 0 || name->len > UINT8_MAX ||
		    value->len > UINT16_MAX)
			return false;
		checkpoint_put(w, slice_of(name->str, (uint32_t)name->len),
			       slice_of(value->str, (uint32_t)value->len));
	}
	return wbuf_ok(w);
}

static void hand_over(struct store_follow *f, const struct store_id *of, const redisReply *r)
{
	static char bytes[CHECKPOINT_MAX];
	enum checkpoint_kind kind = (enum checkpoint_kind)of->kind;
	struct store *s = f->store;
	char id[IDENT_LEN];
	struct wbuf w;

	wbuf_init(&w, bytes, sizeof(bytes));
	if (!flatten(r, &w)) {
		s->gauges.malformed++;
		return;
	}
	store_queue_seen(s, f->group, kind, of->id, w.n > 0);
	if (w.n == 0 && f->phase == READ_INDEX) {
		/* It has expired, and the index does not know. */
		if (s->group[f->group].epoch && !store_queue_knows(s, f->group, kind, of->id))
			store_queue_delete(s, f->group, kind, of->id);
		return;
	}
	f->records += w.n > 0;
	store_id_print(of->id, id);
	f->reader.record(f->reader.arg, f->group, kind, id, wbuf_slice(&w));
}

static void on_record(void *arg, const redisReply *r)
{
	struct store_fetch *t = arg;
	struct store_follow *f = t->follow;

	t->used = false;
	if (!store_answered(f->store) || t->run != f->run)
		return;
	f->fetching--;
	if (!r)
		f->failed = true;
	else
		hand_over(f, &t->of, r);
	store_read_step(f);
}

static struct store_fetch *free_fetch(struct store_follow *f)
{
	for (uint32_t i = 0; i < STORE_WINDOW; i++)
		if (!f->fetch[i].used)
			return &f->fetch[i];
	return NULL;
}

static bool fetch_one(struct store_follow *f, const struct store_id *of)
{
	struct store_fetch *t = free_fetch(f);
	char key[STORE_KEY + 40];
	const char *argv[] = {"HGETALL", key};
	int n;

	if (!t)
		return false;
	n = snprintf(key, sizeof(key) - IDENT_LEN - 1, "%s%s:", f->store->group[f->group].prefix,
		     checkpoint_kind_name((enum checkpoint_kind)of->kind));
	store_id_print(of->id, key + n);
	key[n + (int)IDENT_LEN] = '\0';
	*t = (struct store_fetch){.follow = f, .run = f->run, .of = *of};
	if (!store_read_command(f, on_record, t, 2, argv))
		return false;
	t->used = true;
	return true;
}

void store_fetch_more(struct store_follow *f)
{
	while (!f->paused && f->first < f->count && f->fetching < STORE_WINDOW) {
		if (!fetch_one(f, &f->list[f->first]))
			return;
		f->first++;
		f->fetching++;
	}
}
