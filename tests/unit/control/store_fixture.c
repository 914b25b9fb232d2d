#include "tests/unit/control/store_fixture.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MS 60000

struct store_bed bed;
struct real_redis server;

int store_bed_server(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	real_redis_start(&server, 0, "");
	return 0;
}

int store_bed_no_server(void **state)
{
	(void)state;
	real_redis_remove(&server);
	return 0;
}

static void on_tick(uv_timer_t *t)
{
	(void)t;
}

static void on_guard(uv_timer_t *t)
{
	(void)t;
	bed.late = true;
}

int store_bed_open(void **state)
{
	(void)state;
	real_redis_do(&server, "CONFIG SET maxmemory 0");
	real_redis_do(&server, "FLUSHALL");
	memset(&bed, 0, sizeof(bed));
	assert_int_equal(uv_loop_init(&bed.loop), 0);
	uv_timer_init(&bed.loop, &bed.tick);
	uv_timer_init(&bed.loop, &bed.guard);
	/* So that a loop that waits looks at its condition from time to time. */
	uv_timer_start(&bed.tick, on_tick, 5, 5);
	bed.proxy = fake_redis_open(&bed.loop, server.path);
	bed.timeout_ms = 500;
	return 0;
}

/* Everything that was opened is closed: else the loop would not end. */
int store_bed_close(void **state)
{
	(void)state;
	while (bed.open)
		store_end_close(bed.open);
	fake_redis_close(bed.proxy);
	uv_close((uv_handle_t *)&bed.tick, NULL);
	uv_close((uv_handle_t *)&bed.guard, NULL);
	uv_run(&bed.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&bed.loop), 0);
	return 0;
}

static void on_up(void *arg, const struct redis_up *up)
{
	struct store_end *e = arg;

	if (e->connected)
		e->connected();
	store_redis_up(e->store, up);
}

static void on_down(void *arg, const char *why)
{
	struct store_end *e = arg;

	(void)why;
	store_redis_down(e->store);
}

static void on_stored(void *arg, uint16_t worker, enum checkpoint_kind kind, uint64_t handle,
		      uint32_t version, bool ok)
{
	struct store_end *e = arg;

	assert_int_equal(worker, 3);
	assert_int_equal(kind, CHECKPOINT_CALL);
	e->good += ok;
	e->bad += !ok;
	if (e->stored)
		e->stored(handle, version, ok);
}

static void on_mode(void *arg, bool up, bool resync)
{
	struct store_end *e = arg;

	e->up = up;
	e->ups += up;
	e->resyncs += resync;
	if (e->mode)
		e->mode(up, resync);
}

static void on_fenced(void *arg, uint16_t group)
{
	struct store_end *e = arg;

	assert_int_equal(group, 0);
	e->fenced++;
}

void store_end_open_at(struct store_end *e, const char *path, bool alone, uint32_t deletes_max)
{
	static char groups[1][SNAPSHOT_NAME] = {STORE_GROUP};
	const struct redis_events events = {on_up, on_down, e};
	const struct store_io io = {on_stored, on_mode, on_fenced, e};
	const struct store_conf conf = {.cluster = "edge",
					.alone = alone,
					.followed = true,
					.groups = 1,
					.group = groups,
					.gather_ms = 1,
					.deletes_max = deletes_max};
	struct config_state c = {.timeout_ms = bed.timeout_ms};

	memset(e, 0, sizeof(*e));
	snprintf(c.redis, sizeof(c.redis), "unix:%s", path);
	e->redis = redis_open(&bed.loop, &c, "test", &events);
	e->store = store_open(&bed.loop, e->redis, &conf, &io);
	assert_non_null(e->store);
	e->next = bed.open;
	bed.open = e;
}

void store_end_open(struct store_end *e, bool alone, uint32_t deletes_max)
{
	store_end_open_at(e, fake_redis_path(bed.proxy), alone, deletes_max);
	if (alone)
		store_own(e->store, 0, STORE_OWN_ALONE);
}

void store_end_close(struct store_end *e)
{
	struct store_end **at = &bed.open;

	while (*at && *at != e)
		at = &(*at)->next;
	if (*at)
		*at = e->next;
	store_close(e->store);
	redis_close(e->redis);
}

void store_bed_wait(bool (*met)(void *arg), void *arg)
{
	bed.late = false;
	uv_timer_start(&bed.guard, on_guard, LIMIT_MS, 0);
	while (!met(arg) && !bed.late)
		uv_run(&bed.loop, UV_RUN_ONCE);
	uv_timer_stop(&bed.guard);
	assert_false(bed.late);
}

void store_bed_turn(uint32_t ms)
{
	uint64_t end = uv_hrtime() + ms * UINT64_C(1000000);

	while (uv_hrtime() < end)
		uv_run(&bed.loop, UV_RUN_ONCE);
}

static bool is_up(void *arg)
{
	const struct store_end *e = arg;

	return e->up;
}

void store_end_wait_up(struct store_end *e)
{
	store_bed_wait(is_up, e);
}

static void on_flushed(void *arg)
{
	*(bool *)arg = true;
}

static bool is_true(void *arg)
{
	return *(bool *)arg;
}

void store_end_flush(struct store_end *e)
{
	bool done = false;

	store_flush(e->store, on_flushed, &done);
	store_bed_wait(is_true, &done);
}

void store_id(uint64_t n, char id[IDENT_LEN])
{
	char text[IDENT_LEN + 1];

	snprintf(text, sizeof(text), "%032" PRIx64, n);
	memcpy(id, text, IDENT_LEN);
}

static void put(struct store_end *e, uint64_t n, uint32_t version, bool whole)
{
	char bytes[256], text[16];
	struct wbuf w;
	struct dp_store_op op = {.put = true,
				 .whole = whole,
				 .kind = CHECKPOINT_CALL,
				 .worker = 3,
				 .handle = n,
				 .version = version,
				 .ttl_s = 3600};
	int len = snprintf(text, sizeof(text), "%" PRIu32, version);

	wbuf_init(&w, bytes, sizeof(bytes));
	checkpoint_put(&w, SLICE_LIT("n"), slice_of(text, (uint32_t)len));
	checkpoint_put(&w, SLICE_LIT("version"), slice_of(text, (uint32_t)len));
	if (version % 2)
		checkpoint_put(&w, SLICE_LIT("odd"), SLICE_LIT("\0\r\n$5\r\n*"));
	else if (!whole)
		checkpoint_put(&w, SLICE_LIT("odd"), SLICE_NONE);
	op.gone = !whole && version % 2 == 0;
	op.fields = wbuf_slice(&w);
	store_id(n, op.id);
	store_put(e->store, &op);
}

void store_end_put(struct store_end *e, uint64_t n, uint32_t version)
{
	put(e, n, version, true);
}

void store_end_change(struct store_end *e, uint64_t n, uint32_t version)
{
	put(e, n, version, false);
}

void store_end_delete(struct store_end *e, uint64_t n)
{
	struct dp_store_op op = {.kind = CHECKPOINT_CALL, .worker = 3, .handle = n};

	store_id(n, op.id);
	store_put(e->store, &op);
}

uint32_t store_kept(uint64_t n)
{
	redisReply *r =
		real_redis_command(&server, "HGET " STORE_PREFIX "call:%032" PRIx64 " n", n);
	uint32_t version = r->type == REDIS_REPLY_STRING ? (uint32_t)atoi(r->str) : 0;

	freeReplyObject(r);
	return version;
}

bool store_is_odd(uint64_t n)
{
	return real_redis_number(&server, "HEXISTS " STORE_PREFIX "call:%032" PRIx64 " odd", n);
}

bool store_is_indexed(uint64_t n)
{
	return real_redis_number(&server, "SISMEMBER " STORE_PREFIX "index call:%032" PRIx64, n);
}

long long store_indexed(void)
{
	return real_redis_number(&server, "SCARD " STORE_PREFIX "index");
}
