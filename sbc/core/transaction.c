#include "sbc/core/transaction.h"

#include <string.h>

#include "sbc/core/transaction_internal.h"

#define EXPIRE_BATCH 32u

struct tx_layer *tx_layer_init(struct arena *a, const struct tx_conf *conf, uint64_t now)
{
	struct tx_layer *taken = arena_take(a, 1, sizeof(*taken));
	struct tx_layer measured, *l = taken != NULL ? taken : &measured;

	*l = (struct tx_layer){
		.key = conf->key,
		.blobs = conf->blobs,
		.t1_ms = conf->t1_ms,
		.t2_ms = conf->t2_ms,
		.t4_ms = conf->t4_ms,
	};
	pool_init(&l->pool, a, conf->capacity, sizeof(struct tx));
	table_init(&l->table, a, conf->capacity);
	wheel_init(&l->wheel, a, conf->capacity, now);
	return arena_ok(a) ? taken : NULL;
}

static bool key_store(struct tx_layer *l, struct tx *t, const struct tx_key *k)
{
	t->key_len = (uint16_t)k->n;
	t->key_hashed = (uint16_t)k->hashed;
	if (k->n <= TX_KEY_INLINE) {
		memcpy(t->key.bytes, k->bytes, k->n);
		return true;
	}
	t->key.blob = blob_copy(l->blobs, slice_of((const char *)k->bytes, k->n));
	return t->key.blob != 0;
}

struct tx *tx_create(struct tx_layer *l, const struct tx_key *key)
{
	uint32_t index = key->too_long ? POOL_NONE : pool_take(&l->pool);

	if (index == POOL_NONE)
		return NULL;
	struct tx *t = tx_at(l, index);
	if (!key_store(l, t, key)) {
		pool_give(&l->pool, index);
		return NULL;
	}
	t->repeat_at = TX_NEVER;
	t->end_at = TX_NEVER;
	table_insert(&l->table, index, key->hash);
	return t;
}

void tx_destroy(struct tx_layer *l, struct tx *t)
{
	uint32_t index = tx_index(l, t);

	wheel_disarm(&l->wheel, index);
	table_remove(&l->table, index);
	tx_drop(l, &t->msg);
	tx_drop(l, &t->aux);
	if (t->key_len > TX_KEY_INLINE)
		tx_drop(l, &t->key.blob);
	pool_give(&l->pool, index);
}

void tx_drop(struct tx_layer *l, uint32_t *blob)
{
	blob_give(l->blobs, *blob);
	*blob = 0;
}

bool tx_keep(struct tx_layer *l, uint32_t *blob, struct slice bytes)
{
	tx_drop(l, blob);
	*blob = blob_copy(l->blobs, bytes);
	return *blob != 0;
}

void tx_arm(struct tx_layer *l, struct tx *t)
{
	uint64_t at = t->repeat_at < t->end_at ? t->repeat_at : t->end_at;

	if (at == TX_NEVER)
		wheel_disarm(&l->wheel, tx_index(l, t));
	else
		wheel_arm(&l->wheel, tx_index(l, t), at);
}

void tx_resend(struct tx_layer *l, const struct tx *t, struct engine_out *out)
{
	if (t->msg == 0)
		return;
	engine_out_send(out, &t->path, blob_slice(l->blobs, t->msg));
	l->retransmissions++;
}

void tx_set_user(struct tx_layer *l, uint64_t tx, uint64_t user)
{
	struct tx *t = tx_of(l, tx);

	if (t != NULL)
		t->user = user;
}

void tx_abandon(struct tx_layer *l, uint64_t tx)
{
	struct tx *t = tx_of(l, tx);

	if (t != NULL)
		tx_destroy(l, t);
}

/* What the end of a state's time means to the TU. */
static enum tx_event_type end_type(const struct tx *t)
{
	bool unfinished = t->state != TX_COMPLETED && t->state != TX_ACCEPTED;

	switch (t->kind) {
	case TX_CLIENT_INVITE:
	case TX_CLIENT_OTHER:
		return unfinished ? TX_EV_TIMEOUT : TX_EV_ENDED;
	case TX_SERVER_INVITE:
		if (t->state == TX_COMPLETED)
			return TX_EV_NO_ACK;
		if (t->state == TX_ACCEPTED && !(t->flags & TX_F_ACKED))
			return TX_EV_NO_ACK;
		return TX_EV_ENDED;
	default:
		return TX_EV_ENDED;
	}
}

/* True when there is an event for the TU. */
static bool end(struct tx_layer *l, struct tx *t, struct tx_event *ev)
{
	bool heard = !(t->flags & TX_F_SILENT);

	if (heard)
		*ev = (struct tx_event){
			.type = end_type(t),
			.tx = tx_handle(l, t),
			.user = t->user,
			.method = (enum sip_method)t->method,
			.server = t->kind == TX_SERVER_INVITE || t->kind == TX_SERVER_OTHER,
		};
	tx_destroy(l, t);
	return heard;
}

/* The next sending counts from when this one was due, so that ticks do not add up to a drift. */
static void repeat(struct tx_layer *l, struct tx *t, uint64_t now, struct engine_out *out)
{
	uint64_t due = t->repeat_at;

	if (t->kind == TX_SERVER_INVITE)
		tx_server_repeat(l, t, out);
	else
		tx_client_repeat(l, t, now, out);
	if (t->repeat_at == TX_NEVER)
		return;
	t->repeat_at = due + t->interval_ms;
	if (t->repeat_at <= now)
		t->repeat_at = now + t->interval_ms;
}

static bool fire(struct tx_layer *l, uint32_t index, uint64_t now, struct tx_event *ev,
		 struct engine_out *out)
{
	struct tx *t = tx_at(l, index);

	if (t->end_at <= now)
		return end(l, t, ev);
	if (t->repeat_at <= now)
		repeat(l, t, now, out);
	tx_arm(l, t);
	return false;
}

static uint32_t over(uint32_t have, uint32_t spare)
{
	return have > spare ? have - spare : 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* How many timers may fire so that each finds room for what it sends: at most one message. */
static uint32_t expire_room(const struct tx_layer *l, uint32_t events, const struct engine_out *out)
{
	uint32_t actions = over(engine_out_room(out), TX_EXPIRE_SPARE_ACTIONS);
	uint32_t bytes = over(engine_out_scratch_room(out), TX_EXPIRE_SPARE_SCRATCH);
	uint32_t longest = 1;

	for (uint32_t c = 0; c < BLOB_CLASSES; c++)
		if (l->blobs->cls[c].count && l->blobs->cls[c].size > longest)
			longest = l->blobs->cls[c].size;
	bytes /= least(longest, SIP_MAX_MESSAGE);
	return least(least(events, EXPIRE_BATCH), least(actions, bytes));
}

/*
 * What ended calls leave behind goes in the order in which it came, long ago: while one
 * is at hand, the object of the next but one comes, and then what that refers to.
 */
static void expire_ahead(const struct tx_layer *l)
{
	uint32_t next = wheel_stopped_at(&l->wheel), after;

	if (next == WHEEL_NONE)
		return;
	blob_ahead(l->blobs, tx_at(l, next)->msg, 0);
	table_remove_ahead(&l->table, next);
	after = wheel_after(&l->wheel, next);
	if (after == WHEEL_NONE)
		return;
	prefetch_lines(tx_at(l, after), sizeof(struct tx));
	wheel_place_ahead(&l->wheel, after);
	table_place_ahead(&l->table, after);
	pool_place_ahead(&l->pool, after);
}

uint32_t tx_expire(struct tx_layer *l, uint64_t now, struct tx_event *events, uint32_t max,
		   uint32_t budget, struct engine_out *out)
{
	uint32_t timers[EXPIRE_BATCH];
	uint32_t n = 0;

	for (;;) {
		uint32_t room = least(expire_room(l, max - n, out), budget);
		if (room == 0) {
			l->behind = true;
			return n;
		}
		uint32_t got = wheel_expire(&l->wheel, now, timers, room, budget);
		expire_ahead(l);
		for (uint32_t i = 0; i < got; i++)
			n += fire(l, timers[i], now, &events[n], out);
		if (got < room) {
			l->behind = wheel_is_behind(&l->wheel);
			return n;
		}
		budget -= got;
	}
}

bool tx_is_behind(const struct tx_layer *l)
{
	return l->behind;
}

uint64_t tx_next_due(const struct tx_layer *l)
{
	return wheel_next_due(&l->wheel);
}

uint64_t tx_next_due_by(const struct tx_layer *l, uint64_t until)
{
	return wheel_next_due_by(&l->wheel, until);
}

uint32_t tx_used(const struct tx_layer *l)
{
	return l->pool.used;
}

uint64_t tx_retransmissions(const struct tx_layer *l)
{
	return l->retransmissions;
}
