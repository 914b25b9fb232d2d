#include "control/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/store_internal.h"

#define RETRY_SEND_MS 10u

uint64_t store_now(void)
{
	return uv_hrtime() / 1000000;
}

/* ---- life ---- */

static void release(struct store *s)
{
	if (!s->closed || s->handles || s->commands)
		return;
	store_read_free(s);
	free(s);
}

bool store_answered(struct store *s)
{
	s->commands--;
	if (!s->closed)
		return true;
	release(s);
	return false;
}

static void on_gather(uv_timer_t *t)
{
	store_pump(t->data);
}

static void on_turn_end(struct store *s)
{
	uv_prepare_stop(&s->prepare);
	uv_check_stop(&s->check);
	store_pump(s);
}

static void on_prepare(uv_prepare_t *p)
{
	on_turn_end(p->data);
}

static void on_check(uv_check_t *c)
{
	on_turn_end(c->data);
}

static void on_poll(uv_timer_t *t)
{
	struct store *s = t->data;

	if (store_reads(s))
		store_read_poll(s);
	else
		uv_timer_stop(t);
}

void store_poll_start(struct store *s)
{
	if (!uv_is_active((uv_handle_t *)&s->poll))
		uv_timer_start(&s->poll, on_poll, STORE_POLL_MS, STORE_POLL_MS);
}

static void name_keys(struct store *s, uint16_t group, const char *name)
{
	struct store_group *g = &s->group[group];

	snprintf(g->prefix, sizeof(g->prefix), "postern:%s:%s:", s->cluster, name);
	snprintf(g->lease, sizeof(g->lease), "postern:%s:%s:lease", s->cluster, name);
	snprintf(g->index, sizeof(g->index), "postern:%s:%s:index", s->cluster, name);
	snprintf(g->log, sizeof(g->log), "postern:%s:%s:log", s->cluster, name);
	for (int act = 0; act < 3; act++)
		store_list_init(&g->list[act]);
}

static void open_handles(struct store *s)
{
	uv_timer_init(s->loop, &s->gather);
	uv_timer_init(s->loop, &s->retry);
	uv_timer_init(s->loop, &s->poll);
	uv_prepare_init(s->loop, &s->prepare);
	uv_check_init(s->loop, &s->check);
	s->gather.data = s->retry.data = s->poll.data = s->prepare.data = s->check.data = s;
	s->handles = 5;
}

struct store *store_open(uv_loop_t *loop, struct redis *redis, const struct store_conf *conf,
			 const struct store_io *io)
{
	struct store *s = calloc(1, sizeof(*s));
	uint64_t ids = (uint64_t)conf->deletes_max * (1u + conf->groups) + 65536u;

	if (!s)
		return NULL;
	s->loop = loop;
	s->redis = redis;
	s->io = *io;
	s->alone = conf->alone;
	s->followed = conf->followed;
	s->groups = conf->groups;
	s->gather_ms = conf->gather_ms;
	s->deletes_max = conf->deletes_max;
	snprintf(s->cluster, sizeof(s->cluster), "%s", conf->cluster);
	if ((s->alone && !store_name_process(s)) ||
	    !store_table_init(&s->table, ids < STORE_NONE / 2 ? (uint32_t)ids : STORE_NONE / 2)) {
		store_table_free(&s->table);
		free(s);
		return NULL;
	}
	for (uint16_t i = 0; i < s->groups; i++)
		name_keys(s, i, conf->group[i]);
	open_handles(s);
	return s;
}

static void on_closed(uv_handle_t *h)
{
	struct store *s = h->data;

	s->handles--;
	release(s);
}

static void free_waiters(struct store_waiter *w)
{
	while (w) {
		struct store_waiter *next = w->next;

		free(w);
		w = next;
	}
}

void store_close(struct store *s)
{
	if (!s)
		return;
	s->closed = true;
	for (uint32_t i = 0; i < s->table.size; i++)
		free(s->table.entry[i].put);
	store_table_free(&s->table);
	free_waiters(s->flushing);
	free_waiters(s->flush_next);
	uv_close((uv_handle_t *)&s->gather, on_closed);
	uv_close((uv_handle_t *)&s->retry, on_closed);
	uv_close((uv_handle_t *)&s->poll, on_closed);
	uv_close((uv_handle_t *)&s->prepare, on_closed);
	uv_close((uv_handle_t *)&s->check, on_closed);
}

/* ---- whether Redis can be written to ---- */

void store_mode_update(struct store *s)
{
	bool up = s->connected && !s->refusing[STORE_PUT], resync = up && s->resync;

	for (uint16_t i = 0; i < s->groups; i++)
		up &= s->group[i].epoch == 0 || s->group[i].claimed;
	resync &= up;
	if (up == s->mode_up && !resync)
		return;
	s->mode_up = up;
	s->was_up |= up;
	if (resync) {
		s->resync = false;
		s->gauges.resyncs++;
	}
	s->io.mode(s->io.arg, up, resync);
	for (uint16_t i = 0; resync && i < s->groups; i++)
		if (s->group[i].epoch)
			store_reconcile(s, i);
}

static void on_retry(uv_timer_t *t)
{
	struct store *s = t->data;

	for (int act = STORE_PUT; act <= STORE_DELETE; act++) {
		s->probe[act] = s->refusing[act];
		if (s->waiting[act] == 0)
			s->refusing[act] = s->probe[act] = false;
	}
	for (uint16_t i = 0; i < s->groups; i++)
		if (s->alone && s->connected && s->group[i].epoch && !s->group[i].claimed)
			store_claim(s, i);
	store_mode_update(s);
	store_pump(s);
}

void store_refused(struct store *s, enum store_act act)
{
	s->refusing[act] = true;
	if (!uv_is_active((uv_handle_t *)&s->retry))
		uv_timer_start(&s->retry, on_retry, STORE_RETRY_MS, 0);
	store_mode_update(s);
}

void store_accepted(struct store *s, enum store_act act)
{
	s->refusing[act] = s->probe[act] = false;
	store_mode_update(s);
}

void store_redis_up(struct store *s, const struct redis_up *up)
{
	s->connected = true;
	s->resync |= s->run_id[0] && strcmp(s->run_id, up->run_id) != 0;
	snprintf(s->run_id, sizeof(s->run_id), "%s", up->run_id);
	for (uint16_t i = 0; i < s->groups; i++)
		if (s->alone && s->group[i].epoch)
			store_claim(s, i);
	store_mode_update(s);
	store_read_up(s);
	store_pump(s);
}

void store_redis_down(struct store *s)
{
	s->connected = false;
	memset(s->refusing, 0, sizeof(s->refusing));
	memset(s->probe, 0, sizeof(s->probe));
	for (uint16_t i = 0; i < s->groups; i++) {
		s->group[i].claimed = !s->alone;
		s->group[i].answered = false;
	}
	store_mode_update(s);
	store_read_down(s);
}

void store_own(struct store *s, uint16_t group, uint64_t epoch)
{
	struct store_group *g = &s->group[group];

	/* Claimed again while it was ours: Redis had lost the claim, and more perhaps. */
	s->resync |= epoch != 0 && g->epoch != 0 && epoch != g->epoch;
	g->owned += epoch != 0 && g->epoch == 0;
	g->epoch = epoch;
	g->claimed = !s->alone;
	g->held = g->minted = false;
	if (epoch == 0) {
		g->reconcile_done = g->reconcile_asked;
		store_queue_drop(s, group);
	} else if (s->alone && s->connected)
		store_claim(s, group);
	store_mode_update(s);
	store_flush_check(s);
	store_pump(s);
}

/* ---- sending ---- */

/* While Redis refuses, one batch a second tries. */
static bool may_send(const struct store *s, enum store_act act)
{
	return s->batches < STORE_BATCHES && (!s->refusing[act] || s->probe[act]);
}

static bool send_group(struct store *s, uint16_t group)
{
	const struct store_group *g = &s->group[group];

	if (g->epoch == 0 || !g->claimed || g->held)
		return true;
	for (int act = STORE_DELETE; act >= STORE_PUT; act--) {
		while (g->list[act].count && may_send(s, (enum store_act)act)) {
			if (!store_batch_send(s, group, (enum store_act)act))
				return false;
		}
	}
	return true;
}

void store_pump(struct store *s)
{
	bool sent = s->connected;

	store_reconcile_owed(s);
	for (uint16_t n = 0; sent && n < s->groups; n++) {
		uint16_t group = s->next_group;

		s->next_group = (uint16_t)((group + 1u) % s->groups);
		sent = send_group(s, group);
	}
	if (!sent && s->connected)
		uv_timer_start(&s->gather, on_gather, RETRY_SEND_MS, 0);
}

static void schedule(struct store *s, bool urgent)
{
	if (urgent || s->gather_ms == 0) {
		uv_prepare_start(&s->prepare, on_prepare);
		uv_check_start(&s->check, on_check);
	} else if (!uv_is_active((uv_handle_t *)&s->gather)) {
		uv_timer_start(&s->gather, on_gather, s->gather_ms, 0);
	}
}

static bool count_fields(struct slice flat, uint32_t *count)
{
	struct checkpoint_field f;
	bool bad = false;

	for (*count = 0; checkpoint_next(&flat, &f, &bad); ++*count)
		if (*count == STORE_MAX_FIELDS)
			return false;
	return !bad && *count > 0;
}

void store_put(struct store *s, const struct dp_store_op *op)
{
	uint8_t id[STORE_ID];
	uint32_t fields = 0;
	bool ok = op->group < s->groups && s->group[op->group].epoch != 0 &&
		  op->kind <= CHECKPOINT_REGISTRATION && store_id_parse(op->id, id);

	if (ok && op->put)
		ok = op->fields.n <= CHECKPOINT_MAX && count_fields(op->fields, &fields) &&
		     (op->whole || op->gone < fields);
	if (!ok) {
		s->gauges.refused++;
		if (op->put)
			s->io.stored(s->io.arg, op->worker, op->kind, op->handle, op->version,
				     false);
		return;
	}
	if (op->put)
		store_queue_put(s, op, id, fields);
	else
		store_queue_delete(s, op->group, op->kind, id);
	schedule(s, op->urgent);
	store_flush_check(s);
}

/* ---- looking in ---- */

static uint64_t oldest_put(const struct store *s)
{
	uint64_t oldest = UINT64_MAX;

	for (uint16_t i = 0; i < s->groups; i++) {
		uint32_t head = s->group[i].list[STORE_PUT].head;

		if (head != STORE_NONE && s->table.entry[head].put->since_ms < oldest)
			oldest = s->table.entry[head].put->since_ms;
	}
	for (uint32_t b = 0; b < s->batches; b++)
		if (s->batch[b]->act == STORE_PUT && s->batch[b]->item[0].put->since_ms < oldest)
			oldest = s->batch[b]->item[0].put->since_ms;
	return oldest;
}

void store_gauges_read(const struct store *s, struct store_gauges *g)
{
	uint64_t oldest = oldest_put(s), now = store_now();

	*g = s->gauges;
	g->up = s->mode_up;
	if (s->redis) {
		g->commands = redis_commands(s->redis);
		g->bytes = redis_bytes_out(s->redis);
	}
	g->waiting = s->waiting[STORE_PUT];
	g->underway = s->underway[STORE_PUT];
	g->deletes_waiting = s->waiting[STORE_DELETE] + s->underway[STORE_DELETE];
	g->lag_ms = oldest < now ? now - oldest : 0;
	for (uint16_t i = 0; i < s->groups; i++)
		g->unreconciled += s->group[i].reconcile_asked != s->group[i].reconcile_done;
}
