/*
 * state_bench: what it costs that calls survive.
 *
 *   state_bench ADDRESS        ADDRESS of a Redis that may be emptied: unix:PATH
 *
 * A worker's thread plays whole calls through an engine, control's thread carries
 * checkpoints to Redis with the code of the daemon, and byte rings join them, as in
 * the daemon; there is no packet I/O. A call is answered at once and held for 400 ms
 * of virtual time, so that it is put when it is answered and again when it stands.
 * Rounds: nothing kept (the reference), written behind, durable before answered as fast
 * as it goes, and the same at a pace that all can keep up with. Then so many calls are
 * left standing and are read back into an empty engine.
 *
 * CPU is that of threads, so that a core that is shared costs nobody anything: the
 * worker's is taken around the engine and the hand-over of its actions, less what
 * reading the clock takes; control's is all of its thread; Redis tells its own.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/store.h"
#include "dataplane/byte_ring.h"
#include "talk.h"

#ifndef CALLS
#define CALLS 30000u
#endif
#define STANDING 10000u
#define WINDOW   256u /* calls being set up at one time */
#define HOLD_MS  400u /* virtual: one call begins each */
#define RING     (8u << 20)
#define QUEUE    4096u /* messages on their way to a phone */
#define STUCK_S  60.0
#define PACE     0.6 /* of what went as fast as it could */

enum { OP_PUT, OP_DELETE, ACK, RECORD, DONE };

struct ack {
	uint64_t handle;
	uint32_t version;
	enum checkpoint_kind kind;
	bool ok;
};

struct held {
	char target[160], to[160];
	double answered_ns;
	uint64_t up_ms;
	bool up;
};

struct queued {
	uint16_t listener; /* it left from there */
	uint32_t n;
	char bytes[TALK_MESSAGE];
};

/* Control's side: its thread runs the loop. */
struct keeper {
	uv_loop_t loop;
	uv_async_t wake, finish, load;
	uv_timer_t taking;
	bool woken; /* atomic */
	struct redis *redis;
	struct store *store;
	bool up;      /* atomic */
	bool flushed; /* atomic */
	char group[1][SNAPSHOT_NAME];
	pthread_t thread;
};

struct bench {
	struct snapshot snapshot;
	struct engine *engine;
	void *memory;
	struct engine_out out;
	uint64_t now;
	struct sip_msg m;
	struct held *held;
	struct queued *queue;
	uint32_t queue_first, queue_count;
	unsigned begun, up, ended, target; /* calls */
	struct byte_ring to_control, to_worker;
	double *wait_ns;  /* of each call: from the callee's 2xx to the caller's */
	double engine_ns; /* of the worker's thread, inside the engine and handing over */
	double clock_ns;  /* that reading the clock adds to each such stretch */
	double pace;      /* calls a second; 0: as many as it can */
	struct keeper keeper;
	redisContext *asking; /* a connection of our own */
};

static struct bench b;

static void die(const char *what)
{
	fprintf(stderr, "state_bench: %s\n", what);
	exit(1);
}

static double clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static double cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* What a stretch of nothing seems to take. */
static double clock_cost(void)
{
	double sum = 0;

	for (int i = 0; i < 100000; i++) {
		double at = cpu_ns();

		sum += cpu_ns() - at;
	}
	return sum / 100000;
}

/* ---- control's thread ---- */

static void ring_put(struct byte_ring *r, uint32_t type, const void *head, uint32_t n,
		     struct slice rest)
{
	while (!byte_ring_put(r, type, head, n, rest, 0))
		sched_yield();
}

static void stored(void *arg, uint16_t worker, enum checkpoint_kind kind, uint64_t handle,
		   uint32_t version, bool ok)
{
	struct ack a = {handle, version, kind, ok};

	(void)arg;
	(void)worker;
	ring_put(&b.to_worker, ACK, &a, sizeof(a), SLICE_NONE);
}

static void mode(void *arg, bool up, bool resync)
{
	(void)arg;
	(void)resync;
	__atomic_store_n(&b.keeper.up, up, __ATOMIC_RELEASE);
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
	store_redis_up(b.keeper.store, up);
}

static void redis_down(void *arg, const char *why)
{
	(void)arg;
	fprintf(stderr, "state_bench: Redis: %s\n", why);
	store_redis_down(b.keeper.store);
}

/* As state.c takes it: each ms while there is something. */
static bool take(void)
{
	struct byte_ring_message m;
	bool some = false;

	while (byte_ring_peek(&b.to_control, &m)) {
		struct dp_store_op op = *(const struct dp_store_op *)m.head;

		op.fields = m.rest;
		store_put(b.keeper.store, &op);
		byte_ring_drop(&b.to_control);
		some = true;
	}
	return some;
}

static void on_take(uv_timer_t *t)
{
	if (take()) {
		uv_timer_start(t, on_take, 1, 0);
		return;
	}
	(void)__atomic_exchange_n(&b.keeper.woken, false, __ATOMIC_ACQ_REL);
	take();
}

static void on_wake(uv_async_t *async)
{
	(void)async;
	take();
	uv_timer_start(&b.keeper.taking, on_take, 1, 0);
}

static void flushed(void *arg)
{
	(void)arg;
	__atomic_store_n(&b.keeper.flushed, true, __ATOMIC_RELEASE);
}

static void on_finish(uv_async_t *async)
{
	(void)async;
	take();
	store_flush(b.keeper.store, flushed, NULL);
}

static void record(void *arg, uint16_t group, enum checkpoint_kind kind, const char id[IDENT_LEN],
		   struct slice fields)
{
	(void)arg;
	(void)group;
	(void)id;
	ring_put(&b.to_worker, RECORD, &kind, sizeof(kind), fields);
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
	ring_put(&b.to_worker, DONE, &records, sizeof(records), SLICE_NONE);
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
	store_load(b.keeper.store, 0, &reader, false);
}

static void *keeper_main(void *arg)
{
	uv_run(&b.keeper.loop, UV_RUN_DEFAULT);
	return arg;
}

static void keeper_start(const char *address)
{
	static const struct redis_events events = {redis_up, redis_down, NULL};
	static const struct store_io io = {stored, mode, fenced, NULL};
	static struct config_state conf = {.timeout_ms = 5000};
	struct keeper *k = &b.keeper;
	struct store_conf sc = {.cluster = "bench",
				.alone = true,
				.groups = 1,
				.group = k->group,
				.gather_ms = 0,
				.deletes_max = CALLS};

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

/* ---- the worker's thread ---- */

static void carry_store(const struct engine_action *a)
{
	const struct engine_store *s = a->store;
	bool put = a->type == ENGINE_STORE_PUT;
	struct dp_store_op op = {
		.put = put,
		.whole = s->whole,
		.gone = s->gone,
		.urgent = s->urgent,
		.kind = s->kind,
		.group = s->group,
		.handle = s->handle,
		.version = s->version,
		.ttl_s = s->ttl_s,
	};

	memcpy(op.id, s->id, IDENT_LEN);
	ring_put(&b.to_control, put ? OP_PUT : OP_DELETE, &op, sizeof(op),
		 put ? s->fields : SLICE_NONE);
	if (!__atomic_exchange_n(&b.keeper.woken, true, __ATOMIC_ACQ_REL))
		uv_async_send(&b.keeper.wake);
}

static void carry_send(const struct engine_action *a)
{
	struct queued *q;

	if (b.queue_count == QUEUE || a->send.bytes.n > TALK_MESSAGE)
		die("too much to say");
	q = &b.queue[(b.queue_first + b.queue_count++) % QUEUE];
	q->listener = a->send.path.listener;
	q->n = a->send.bytes.n;
	memcpy(q->bytes, a->send.bytes.p, q->n);
}

static bool handle(struct engine_event *ev)
{
	bool more;
	double at;

	ev->now = b.now;
	engine_out_clear(&b.out);
	at = cpu_ns();
	more = engine_handle(b.engine, ev, &b.out);
	if (b.out.overflow)
		die("actions did not fit");
	for (uint32_t i = 0; i < b.out.count; i++) {
		const struct engine_action *a = &b.out.action[i];

		if (a->type == ENGINE_STORE_PUT || a->type == ENGINE_STORE_DELETE)
			carry_store(a);
	}
	b.engine_ns += cpu_ns() - at - b.clock_ns;
	for (uint32_t i = 0; i < b.out.count; i++)
		if (b.out.action[i].type == ENGINE_SEND)
			carry_send(&b.out.action[i]);
	return more;
}

static void receive(uint16_t listener, const char *text, uint32_t n)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};

	ev.message.bytes = slice_of(text, n);
	ev.message.path.listener = listener;
	ev.message.path.remote = talk_source(&b.snapshot, listener);
	handle(&ev);
}

static void tick(void)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK};

	while (handle(&ev))
		;
}

/* Time passes while nothing can be done: not the calls' cost. */
static void idle(uint64_t ms)
{
	double before = b.engine_ns;

	struct timespec pause = {0, 20000};

	b.now += ms;
	tick();
	b.engine_ns = before;
	nanosleep(&pause, NULL);
}

/* What the callee was sent: a call rings and is answered at once, a BYE is. */
static void at_callee(const struct queued *q)
{
	char text[TALK_MESSAGE], tag[32];
	struct slice request = slice_of(q->bytes, q->n);

	snprintf(tag, sizeof(tag), ";tag=b%08x", b.begun);
	if (q->n > 6 && memcmp(q->bytes, "INVITE", 6) == 0) {
		receive(1, text, talk_answer(text, request, "180 Ringing", tag, false));
		b.held[b.begun - 1].answered_ns = now_ns();
		receive(1, text, talk_answer(text, request, "200 OK", tag, true));
	} else if (q->n > 3 && memcmp(q->bytes, "BYE", 3) == 0) {
		receive(1, text, talk_answer(text, request, "200 OK", "", false));
		b.ended++;
	}
}

/* What the caller was sent: a 2xx to its INVITE is acknowledged. */
static void at_caller(const struct queued *q)
{
	char text[TALK_MESSAGE];
	struct sip_fault fault;
	struct held *h;
	unsigned id;

	if (sip_msg_parse(&b.m, q->bytes, q->n, &fault) != SBC_OK || b.m.is_request ||
	    b.m.status != 200 || !talk_call_of(&b.m, &id) || id >= b.begun)
		return;
	h = &b.held[id];
	if (h->up || !talk_dialog(&b.m, h->target, sizeof(h->target), h->to, sizeof(h->to)))
		return;
	h->up = true;
	h->up_ms = b.now;
	b.wait_ns[b.up++] = now_ns() - h->answered_ns;
	receive(0, text, talk_in_dialog(text, "ACK", 1, id, h->target, h->to));
}

static void deliver(void)
{
	while (b.queue_count) {
		struct queued q = b.queue[b.queue_first];

		b.queue_first = (b.queue_first + 1) % QUEUE;
		b.queue_count--;
		if (q.listener)
			at_callee(&q);
		else
			at_caller(&q);
	}
}

static void acks(void)
{
	struct byte_ring_message m;

	while (byte_ring_peek(&b.to_worker, &m)) {
		struct ack a = *(const struct ack *)m.head;
		struct engine_event ev = {.type = ENGINE_EV_STORED};

		byte_ring_drop(&b.to_worker);
		ev.stored.kind = a.kind;
		ev.stored.handle = a.handle;
		ev.stored.version = a.version;
		ev.stored.ok = a.ok;
		handle(&ev);
	}
}

static void begin_call(void)
{
	char text[TALK_MESSAGE];
	unsigned id = b.begun++;

	receive(0, text, talk_invite(text, id));
	deliver();
	b.now++;
	tick();
}

static void end_calls(unsigned *oldest, bool all)
{
	char text[TALK_MESSAGE];

	while (*oldest < b.begun && b.held[*oldest].up &&
	       (all || b.held[*oldest].up_ms + HOLD_MS <= b.now)) {
		const struct held *h = &b.held[*oldest];

		receive(0, text, talk_in_dialog(text, "BYE", 2, *oldest, h->target, h->to));
		deliver();
		++*oldest;
	}
}

static void engine_make(enum engine_store_mode store)
{
	struct engine_conf conf = {
		.key = {0x1234, 0x5678},
		.seed = {0x9abc, 0xdef0},
		.snapshot = &b.snapshot,
		.wall_ms = 1700000000000ull,
	};
	struct engine_event ev = {.type = ENGINE_EV_STORE, .store = {.mode = store}};
	size_t size;

	engine_limits_for(&conf.limits, 20000, 100);
	size = engine_size(&conf);
	free(b.memory);
	if (posix_memalign(&b.memory, 64, size) != 0)
		die("no memory");
	memset(b.memory, 0, size);
	b.engine = engine_init(b.memory, size, &conf, b.now);
	if (b.engine == NULL)
		die("engine_init failed");
	handle(&ev);
}

/* Redis's own CPU so far, all its threads. */
static double redis_ns(void)
{
	static const char *const parts[] = {"used_cpu_sys:", "used_cpu_user:"};
	redisReply *r = redisCommand(b.asking, "INFO cpu");
	double s = 0;

	if (r == NULL || r->type != REDIS_REPLY_STRING)
		die("Redis does not tell what it uses");
	for (int i = 0; i < 2; i++) {
		const char *at = strstr(r->str, parts[i]);

		s += at ? strtod(at + strlen(parts[i]), NULL) : 0;
	}
	freeReplyObject(r);
	return s * 1e9;
}

struct round {
	double seconds, engine_us, control_us, redis_us, wait_p50_us, wait_p99_us;
	double commands, bytes, puts;
};

static int by_value(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

/* Whether the next call is due. */
static bool is_time(double began)
{
	return b.pace == 0 || now_ns() - began >= b.begun * 1e9 / b.pace;
}

static void play(unsigned calls, bool stand)
{
	unsigned oldest = 0;
	double began = now_ns(), stuck = began + STUCK_S * 1e9;

	memset(b.held, 0, CALLS * sizeof(*b.held));
	b.begun = b.up = b.ended = 0;
	while (stand ? b.up < calls : b.ended < calls) {
		unsigned before = b.begun + b.up + b.ended;

		acks();
		deliver();
		if (b.begun < calls && b.begun - b.up < WINDOW && is_time(began))
			begin_call();
		if (!stand)
			end_calls(&oldest, b.begun == calls);
		if (before != b.begun + b.up + b.ended) {
			stuck = now_ns() + STUCK_S * 1e9;
		} else {
			if (now_ns() > stuck)
				die("calls do not go on");
			idle(b.begun == calls);
		}
	}
}

/* All that is owed is in Redis. */
static void settle(void)
{
	double stuck = now_ns() + STUCK_S * 1e9;
	struct engine_stats st;

	do {
		idle(10);
		acks();
		deliver();
		engine_stats_read(b.engine, &st);
		if (now_ns() > stuck)
			die("what is owed is not stored");
	} while (st.store_dirty || st.store_inflight);
	__atomic_store_n(&b.keeper.flushed, false, __ATOMIC_RELEASE);
	uv_async_send(&b.keeper.finish);
	while (!__atomic_load_n(&b.keeper.flushed, __ATOMIC_ACQUIRE)) {
		acks();
		sched_yield();
	}
}

static struct round run(enum engine_store_mode store, double pace)
{
	clockid_t control;
	struct store_gauges before, after;
	struct round r;
	double at, keeper, redis;

	b.pace = pace;
	pthread_getcpuclockid(b.keeper.thread, &control);
	engine_make(store);
	store_gauges_read(b.keeper.store, &before);
	at = now_ns();
	b.engine_ns = 0;
	redis = redis_ns();
	keeper = clock_ns(control);
	play(CALLS, false);
	r.seconds = (now_ns() - at) / 1e9;
	if (store != ENGINE_STORE_OFF)
		settle();
	r.engine_us = b.engine_ns / 1e3 / CALLS;
	r.control_us = (clock_ns(control) - keeper) / 1e3 / CALLS;
	r.redis_us = (redis_ns() - redis) / 1e3 / CALLS;
	store_gauges_read(b.keeper.store, &after);
	r.commands = (double)(after.commands - before.commands) / CALLS;
	r.bytes = (double)(after.bytes - before.bytes) / CALLS;
	r.puts = (double)(after.puts - before.puts) / CALLS;
	qsort(b.wait_ns, CALLS, sizeof(*b.wait_ns), by_value);
	r.wait_p50_us = b.wait_ns[CALLS / 2] / 1e3;
	r.wait_p99_us = b.wait_ns[CALLS / 100 * 99] / 1e3;
	return r;
}

/* Calls read back in a second, from Redis into an empty engine; and of that, the engine's part. */
static void restore(double *all, double *engine_us)
{
	struct engine_stats st;
	double at, inside = 0;
	bool done = false;

	b.pace = 0;
	engine_make(ENGINE_STORE_DURABLE);
	play(STANDING, true);
	settle();
	engine_make(ENGINE_STORE_DURABLE);
	at = now_ns();
	uv_async_send(&b.keeper.load);
	while (!done) {
		struct byte_ring_message m;

		while (byte_ring_peek(&b.to_worker, &m)) {
			struct engine_event ev = {.type = ENGINE_EV_RESTORE};

			done |= m.type == DONE;
			if (m.type == RECORD) {
				double t = now_ns();

				ev.restore.kind = *(const enum checkpoint_kind *)m.head;
				ev.restore.fields = m.rest;
				handle(&ev);
				inside += now_ns() - t;
			}
			byte_ring_drop(&b.to_worker);
		}
		sched_yield();
	}
	*all = STANDING / ((now_ns() - at) / 1e9);
	*engine_us = inside / 1e3 / STANDING;
	engine_stats_read(b.engine, &st);
	if (st.calls_established != STANDING)
		die("not every call was restored");
}

static void print(const char *name, double value, const char *unit, const char *reference,
		  double reference_value, const char *goal)
{
	printf("{\"name\": \"%s\", \"value\": %.2f, \"unit\": \"%s\", \"reference\": \"%s\", "
	       "\"reference_value\": %.2f%s}\n",
	       name, value, unit, reference, reference_value, goal);
}

static void setup(const char *address)
{
	void *out, *in;

	talk_snapshot(&b.snapshot);
	/* Virtual time runs at its own pace: nothing may be given up for being late in it. */
	b.snapshot.store_deadline_ms = 3600 * 1000;
	strcpy(b.snapshot.group[0], "bench");
	b.now = 1000;
	b.held = calloc(CALLS, sizeof(*b.held));
	b.queue = calloc(QUEUE, sizeof(*b.queue));
	b.wait_ns = calloc(CALLS, sizeof(*b.wait_ns));
	out = aligned_alloc(64, RING);
	in = aligned_alloc(64, RING);
	if (!b.held || !b.queue || !b.wait_ns || !out || !in)
		die("no memory");
	byte_ring_init(&b.to_control, out, RING);
	byte_ring_init(&b.to_worker, in, RING);
	b.clock_ns = clock_cost();
	b.asking = redisConnectUnix(strncmp(address, "unix:", 5) == 0 ? address + 5 : address);
	if (b.asking == NULL || b.asking->err)
		die("no Redis");
	keeper_start(address);
	for (double end = now_ns() + 10e9; !__atomic_load_n(&b.keeper.up, __ATOMIC_ACQUIRE);) {
		if (now_ns() > end)
			die("Redis does not come up");
		sched_yield();
	}
}

#define LOWER  ", \"better\": \"lower\""
#define HIGHER ", \"better\": \"higher\""
#define GOAL   LOWER ", \"goal\": 40"

/* What a call costs, in CPU, of whom. */
static void show_cost(const struct round *off, const struct round *paced, const struct round *fast)
{
	double all = paced->engine_us + paced->control_us;

	print("state: CPU of Postern a call, durable", all, "us", "nothing kept", off->engine_us,
	      GOAL);
	print("state: CPU of Postern a call, flat out", fast->engine_us + fast->control_us, "us",
	      "nothing kept", off->engine_us, LOWER);
	print("state: of it the worker's, durable", paced->engine_us, "us", "nothing kept",
	      off->engine_us, LOWER);
	print("state: of it control's, durable", paced->control_us, "us", "all of it", all, LOWER);
	print("state: CPU of Redis a call, durable", paced->redis_us, "us", "Postern's", all,
	      LOWER);
	print("state: CPU of Redis a call, flat out", fast->redis_us, "us", "paced",
	      paced->redis_us, LOWER);
	print("state: puts of a call", paced->puts, "puts", "its batches", paced->commands, LOWER);
	print("state: bytes to Redis of a call", paced->bytes, "bytes", "flat out", fast->bytes,
	      LOWER);
}

static void show_speed(const struct round *off, const struct round *behind,
		       const struct round *paced, const struct round *fast)
{
	print("state: calls a second, durable", CALLS / fast->seconds, "calls/s", "nothing kept",
	      CALLS / off->seconds, HIGHER);
	print("state: calls a second, written behind", CALLS / behind->seconds, "calls/s",
	      "nothing kept", CALLS / off->seconds, HIGHER);
	print("state: calls a second, the pace", CALLS / paced->seconds, "calls/s", "durable",
	      CALLS / fast->seconds, HIGHER);
	print("state: an answer waits, median", paced->wait_p50_us, "us", "flat out",
	      fast->wait_p50_us, LOWER);
	print("state: an answer waits, 99 of 100", paced->wait_p99_us, "us", "flat out",
	      fast->wait_p99_us, LOWER);
}

int main(int argc, char **argv)
{
	struct round off, behind, fast, paced;
	double rate, engine_us;

	if (argc != 2)
		die("usage: state_bench unix:PATH");
	setup(argv[1]);
	off = run(ENGINE_STORE_OFF, 0);
	behind = run(ENGINE_STORE_BEHIND, 0);
	fast = run(ENGINE_STORE_DURABLE, 0);
	paced = run(ENGINE_STORE_DURABLE, PACE * CALLS / fast.seconds);
	restore(&rate, &engine_us);
	show_cost(&off, &paced, &fast);
	show_speed(&off, &behind, &paced, &fast);
	print("state: calls restored a second", rate, "calls/s", "engine alone", 1e6 / engine_us,
	      HIGHER);
	fflush(stdout);
	_exit(0); /* the loop's thread ends with us */
}
