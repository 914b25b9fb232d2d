/* Control's thread, and the rings to it and from it. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

#define RING    (8u << 20)
#define TAKE_MS 2u

struct keeper keeper;

void keeper_ring_put(struct byte_ring *r, uint32_t type, const void *head, uint32_t n,
		     struct slice rest)
{
	while (!byte_ring_put(r, type, head, n, rest, 0))
		sched_yield();
}

static void stored(void *arg, uint16_t to, enum checkpoint_kind kind, uint64_t handle,
		   uint32_t version, bool ok)
{
	struct ack a = {handle, version, kind, ok};

	(void)arg;
	(void)to;
	keeper_ring_put(&keeper.to_worker, ACK, &a, sizeof(a), SLICE_NONE);
}

static void mode(void *arg, bool up, bool resync)
{
	(void)arg;
	(void)resync;
	__atomic_store_n(&keeper.up, up, __ATOMIC_RELEASE);
}

static void fenced(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
	die("the group was fenced");
}

static void redis_up(void *arg, const struct redis_up *up)
{
	(void)arg;
	store_redis_up(keeper.store, up);
}

static void redis_down(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "state_bench: Redis: %s\n", why);
	store_redis_down(keeper.store);
}

/* As state.c takes it: every other ms while there is something. */
static bool take(void)
{
	struct byte_ring_message m;
	bool some = false;

	while (byte_ring_peek(&keeper.to_control, &m)) {
		struct dp_store_op op = *(const struct dp_store_op *)m.head;

		op.fields = m.rest;
		store_put(keeper.store, &op);
		byte_ring_drop(&keeper.to_control);
		some = true;
	}
	return some;
}

static void on_take(uv_timer_t *t)
{
	if (take()) {
		uv_timer_start(t, on_take, TAKE_MS, 0);
		return;
	}
	(void)__atomic_exchange_n(&keeper.woken, false, __ATOMIC_ACQ_REL);
	take();
}

static void on_wake(uv_async_t *async)
{
	(void)async;
	take();
	uv_timer_start(&keeper.taking, on_take, TAKE_MS, 0);
}

static void flushed(void *arg)
{
	(void)arg;
	__atomic_store_n(&keeper.flushed, true, __ATOMIC_RELEASE);
}

static void on_finish(uv_async_t *async)
{
	(void)async;
	take();
	store_flush(keeper.store, flushed, NULL);
}

static void record(void *arg, uint16_t group, enum checkpoint_kind kind, const char id[IDENT_LEN],
		   struct slice fields)
{
	(void)arg;
	(void)group;
	(void)id;
	keeper_ring_put(&keeper.to_worker, RECORD, &kind, sizeof(kind), fields);
}

static void begin(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
}

static void loaded(void *arg, uint16_t group, bool ok, uint64_t records)
{
	(void)arg;
	(void)group;
	if (!ok || records < STANDING)
		die("the calls could not be read back");
	keeper_ring_put(&keeper.to_worker, DONE, &records, sizeof(records), SLICE_NONE);
}

static void caught_up(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
}

static void on_load(uv_async_t *async)
{
	static const struct store_reader reader = {record, begin, loaded, caught_up, NULL};

	(void)async;
	store_load(keeper.store, 0, &reader, false);
}

static void *keeper_main(void *arg)
{
	uv_run(&keeper.loop, UV_RUN_DEFAULT);
	return arg;
}

void keeper_start(const char *address)
{
	static const struct redis_events events = {redis_up, redis_down, NULL};
	static const struct store_io io = {stored, mode, fenced, NULL};
	static struct config_state conf = {.timeout_ms = 5000};
	struct keeper *k = &keeper;
	void *out = aligned_alloc(64, RING), *in = aligned_alloc(64, RING);
	struct store_conf sc = {.cluster = "bench",
				.alone = true,
				.groups = 1,
				.group = k->group,
				.gather_ms = 0,
				.deletes_max = CALLS};

	if (!out || !in)
		die("no memory");
	byte_ring_init(&k->to_control, out, RING);
	byte_ring_init(&k->to_worker, in, RING);
	snprintf(conf.redis, sizeof(conf.redis), "%s", address);
	strcpy(k->group[0], "bench");
	uv_loop_init(&k->loop);
	uv_async_init(&k->loop, &k->wake, on_wake);
	uv_timer_init(&k->loop, &k->taking);
	uv_async_init(&k->loop, &k->finish, on_finish);
	uv_async_init(&k->loop, &k->load, on_load);
	k->redis = redis_open(&k->loop, &conf, "bench", &events);
	k->store = k->redis ? store_open(&k->loop, k->redis, &sc, &io) : NULL;
	if (k->store == NULL)
		die("no store");
	store_own(k->store, 0, STORE_OWN_ALONE);
	if (pthread_create(&k->thread, NULL, keeper_main, NULL) != 0)
		die("no thread");
}

bool keeper_is_up(void)
{
	return __atomic_load_n(&keeper.up, __ATOMIC_ACQUIRE);
}

void keeper_wake(void)
{
	if (!__atomic_exchange_n(&keeper.woken, true, __ATOMIC_ACQ_REL))
		uv_async_send(&keeper.wake);
}

void keeper_load(void)
{
	uv_async_send(&keeper.load);
}

void keeper_flush(void)
{
	__atomic_store_n(&keeper.flushed, false, __ATOMIC_RELEASE);
	uv_async_send(&keeper.finish);
}

bool keeper_is_flushed(void)
{
	return __atomic_load_n(&keeper.flushed, __ATOMIC_ACQUIRE);
}
