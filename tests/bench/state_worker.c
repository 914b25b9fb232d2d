/*
 * The worker's thread: phones at both sides, and the engine between them.
 *
 * Its CPU is taken around the engine and the hand-over of its actions, less what
 * reading the clock takes.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state.h"

#define WINDOW  256u  /* calls being set up at one time */
#define HOLD_MS 400u  /* virtual: one call begins each */
#define QUEUE   4096u /* messages on their way to a phone */

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

struct phones {
	void *memory; /* the engine's */
	struct engine_out out;
	struct sip_msg m;
	struct held *held;
	struct queued *queue;
	uint32_t queue_first, queue_count;
	unsigned begun, up, ended; /* calls */
	double clock_ns;           /* that reading the clock adds to each stretch */
};

struct worker worker;
static struct phones p;

void die(const char *what)
{
	fprintf(stderr, "state_bench: %s\n", what);
	exit(1);
}

double clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

double now_ns(void)
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

void worker_start(void)
{
	talk_snapshot(&worker.snapshot);
	/* Virtual time runs at its own pace: nothing may be given up for being late in it. */
	worker.snapshot.store_deadline_ms = 3600 * 1000;
	strcpy(worker.snapshot.group[0], "bench");
	worker.now = 1000;
	worker.wait_ns = calloc(CALLS, sizeof(*worker.wait_ns));
	p.held = calloc(CALLS, sizeof(*p.held));
	p.queue = calloc(QUEUE, sizeof(*p.queue));
	if (!worker.wait_ns || !p.held || !p.queue)
		die("no memory");
	p.clock_ns = clock_cost();
}

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
	keeper_ring_put(&keeper.to_control, put ? OP_PUT : OP_DELETE, &op, sizeof(op),
			put ? s->fields : SLICE_NONE);
	keeper_wake();
}

static void carry_send(const struct engine_action *a)
{
	struct queued *q;

	if (p.queue_count == QUEUE || a->send.bytes.n > TALK_MESSAGE)
		die("too much to say");
	q = &p.queue[(p.queue_first + p.queue_count++) % QUEUE];
	q->listener = a->send.path.listener;
	q->n = a->send.bytes.n;
	memcpy(q->bytes, a->send.bytes.p, q->n);
}

bool worker_handle(struct engine_event *ev)
{
	bool more;
	double at;

	ev->now = worker.now;
	engine_out_clear(&p.out);
	at = cpu_ns();
	more = engine_handle(worker.engine, ev, &p.out);
	if (p.out.overflow)
		die("actions did not fit");
	for (uint32_t i = 0; i < p.out.count; i++) {
		const struct engine_action *a = &p.out.action[i];

		if (a->type == ENGINE_STORE_PUT || a->type == ENGINE_STORE_DELETE)
			carry_store(a);
	}
	worker.engine_ns += cpu_ns() - at - p.clock_ns;
	for (uint32_t i = 0; i < p.out.count; i++)
		if (p.out.action[i].type == ENGINE_SEND)
			carry_send(&p.out.action[i]);
	return more;
}

static void receive(uint16_t listener, const char *text, uint32_t n)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};

	ev.message.bytes = slice_of(text, n);
	ev.message.path.listener = listener;
	ev.message.path.remote = talk_source(&worker.snapshot, listener);
	worker_handle(&ev);
}

static void tick(void)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK};

	while (worker_handle(&ev))
		;
}

/* Time passes while nothing can be done: not the calls' cost. */
static void idle(uint64_t ms)
{
	double before = worker.engine_ns;

	struct timespec pause = {0, 20000};

	worker.now += ms;
	tick();
	worker.engine_ns = before;
	nanosleep(&pause, NULL);
}

/* What the callee was sent: a call rings and is answered at once, a BYE is. */
static void at_callee(const struct queued *q)
{
	char text[TALK_MESSAGE], tag[32];
	struct slice request = slice_of(q->bytes, q->n);

	snprintf(tag, sizeof(tag), ";tag=b%08x", p.begun);
	if (q->n > 6 && memcmp(q->bytes, "INVITE", 6) == 0) {
		receive(1, text, talk_answer(text, request, "180 Ringing", tag, false));
		p.held[p.begun - 1].answered_ns = now_ns();
		receive(1, text, talk_answer(text, request, "200 OK", tag, true));
	} else if (q->n > 3 && memcmp(q->bytes, "BYE", 3) == 0) {
		receive(1, text, talk_answer(text, request, "200 OK", "", false));
		p.ended++;
	}
}

/* What the caller was sent: a 2xx to its INVITE is acknowledged. */
static void at_caller(const struct queued *q)
{
	char text[TALK_MESSAGE];
	struct sip_fault fault;
	struct held *h;
	unsigned id;

	if (sip_msg_parse(&p.m, q->bytes, q->n, &fault) != SBC_OK || p.m.is_request ||
	    p.m.status != 200 || !talk_call_of(&p.m, &id) || id >= p.begun)
		return;
	h = &p.held[id];
	if (h->up || !talk_dialog(&p.m, h->target, sizeof(h->target), h->to, sizeof(h->to)))
		return;
	h->up = true;
	h->up_ms = worker.now;
	worker.wait_ns[p.up++] = now_ns() - h->answered_ns;
	receive(0, text, talk_in_dialog(text, "ACK", 1, id, h->target, h->to));
}

static void deliver(void)
{
	while (p.queue_count) {
		struct queued q = p.queue[p.queue_first];

		p.queue_first = (p.queue_first + 1) % QUEUE;
		p.queue_count--;
		if (q.listener)
			at_callee(&q);
		else
			at_caller(&q);
	}
}

static void acks(void)
{
	struct byte_ring_message m;

	while (byte_ring_peek(&keeper.to_worker, &m)) {
		struct ack a = *(const struct ack *)m.head;
		struct engine_event ev = {.type = ENGINE_EV_STORED};

		byte_ring_drop(&keeper.to_worker);
		ev.stored.kind = a.kind;
		ev.stored.handle = a.handle;
		ev.stored.version = a.version;
		ev.stored.ok = a.ok;
		worker_handle(&ev);
	}
}

static void begin_call(void)
{
	char text[TALK_MESSAGE];
	unsigned id = p.begun++;

	receive(0, text, talk_invite(text, id));
	deliver();
	worker.now++;
	tick();
}

static void end_calls(unsigned *oldest, bool all)
{
	char text[TALK_MESSAGE];

	while (*oldest < p.begun && p.held[*oldest].up &&
	       (all || p.held[*oldest].up_ms + HOLD_MS <= worker.now)) {
		const struct held *h = &p.held[*oldest];

		receive(0, text, talk_in_dialog(text, "BYE", 2, *oldest, h->target, h->to));
		deliver();
		++*oldest;
	}
}

void worker_engine_make(enum engine_store_mode store)
{
	struct engine_conf conf = {
		.key = {0x1234, 0x5678},
		.seed = {0x9abc, 0xdef0},
		.snapshot = &worker.snapshot,
		.wall_ms = 1700000000000ull,
	};
	struct engine_event ev = {.type = ENGINE_EV_STORE, .store = {.mode = store}};
	size_t size;

	engine_limits_for(&conf.limits, 20000, 100);
	size = engine_size(&conf);
	free(p.memory);
	if (posix_memalign(&p.memory, 64, size) != 0)
		die("no memory");
	memset(p.memory, 0, size);
	worker.engine = engine_init(p.memory, size, &conf, worker.now);
	if (worker.engine == NULL)
		die("engine_init failed");
	worker_handle(&ev);
}
/* Whether the next call is due. */
static bool is_time(double began)
{
	return worker.pace == 0 || now_ns() - began >= p.begun * 1e9 / worker.pace;
}

void worker_play(unsigned calls, bool stand)
{
	unsigned oldest = 0;
	double began = now_ns(), stuck = began + STUCK_S * 1e9;

	memset(p.held, 0, CALLS * sizeof(*p.held));
	p.begun = p.up = p.ended = 0;
	while (stand ? p.up < calls : p.ended < calls) {
		unsigned before = p.begun + p.up + p.ended;

		acks();
		deliver();
		if (p.begun < calls && p.begun - p.up < WINDOW && is_time(began))
			begin_call();
		if (!stand)
			end_calls(&oldest, p.begun == calls);
		if (before != p.begun + p.up + p.ended) {
			stuck = now_ns() + STUCK_S * 1e9;
		} else {
			if (now_ns() > stuck)
				die("calls do not go on");
			idle(p.begun == calls);
		}
	}
}

/* All that is owed is in Redis. */
void worker_settle(void)
{
	double stuck = now_ns() + STUCK_S * 1e9;
	struct engine_stats st;

	do {
		idle(10);
		acks();
		deliver();
		engine_stats_read(worker.engine, &st);
		if (now_ns() > stuck)
			die("what is owed is not stored");
	} while (st.store_dirty || st.store_inflight);
	keeper_flush();
	while (!keeper_is_flushed()) {
		acks();
		sched_yield();
	}
}
