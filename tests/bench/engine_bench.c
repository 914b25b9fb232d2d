/*
 * engine_bench [CPS]: what a whole two-leg call costs without I/O.
 *
 * INVITE, 100, 180, 200, ACK, BYE, 200: seven messages in, with SDP and media
 * flows, through engine_handle() at 1,000 calls a second of virtual time, so that
 * every transaction lives its 32 s and the tables are as full as in real life; and
 * again at CPS (30,000), where what RFC 3261 and 6026 keep of finished calls is far
 * beyond any cache. Only the engine's own calls are timed; of rounds of calls the
 * median is taken, so that a busy neighbour does not count. The reference is
 * indexing the same seven messages once, the least that reading them costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "talk.h"

#define CALLS          20000u /* at once */
#define SMALL_CPS      1000u
#define LARGE_CPS      30000u
#define WARM_S         34u /* more than any transaction lives */
#define ROUNDS         151u
#define ROUND_CALLS    200u
#define MESSAGES       7u
#define BEST_B2BUA_CPS 3100.0

struct bench {
	struct snapshot snapshot;
	struct engine *engine;
	struct engine_out out;
	void *memory;
	size_t size;
	uint32_t cps, of_ms; /* calls begun in this ms of virtual time */
	unsigned calls;
	uint64_t now;
	double handle_ns, parse_ns;
	char request[TALK_MESSAGE];  /* towards the callee, to be answered */
	char response[TALK_MESSAGE]; /* towards the caller */
	struct sip_msg m;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "engine_bench: %s\n", what);
	exit(1);
}

static void keep(char *to, struct slice s)
{
	if (s.n >= TALK_MESSAGE)
		die("message too long");
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

/* Carries the actions out: what each side was sent last is kept. */
static void bench_collect(struct bench *b)
{
	for (uint32_t i = 0; i < b->out.count; i++) {
		const struct engine_action *a = &b->out.action[i];

		if (a->type != ENGINE_SEND)
			continue;
		if (a->send.path.listener == 0)
			keep(b->response, a->send.bytes);
		else if (memcmp(a->send.bytes.p, "ACK", 3) != 0)
			keep(b->request, a->send.bytes);
	}
	if (b->out.overflow)
		die("actions did not fit");
}

static void bench_tick(struct bench *b)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK, .now = b->now};
	bool more = true;

	while (more) {
		engine_out_clear(&b->out);
		double at = now_ns();
		more = engine_handle(b->engine, &ev, &b->out);
		b->handle_ns += now_ns() - at;
	}
}

static void bench_recv(struct bench *b, uint16_t listener, const char *text, uint32_t n)
{
	struct sip_fault fault;
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE, .now = b->now};

	ev.message.bytes = slice_of(text, n);
	ev.message.path.listener = listener;
	ev.message.path.remote = talk_source(&b->snapshot, listener);
	double at = now_ns();
	if (sip_msg_parse(&b->m, text, n, &fault) != SBC_OK)
		die("a message of its own does not parse");
	b->parse_ns += now_ns() - at;
	engine_out_clear(&b->out);
	at = now_ns();
	engine_handle(b->engine, &ev, &b->out);
	b->handle_ns += now_ns() - at;
	bench_collect(b);
}

/* The callee answers the request that it got last. */
static void bench_answer(struct bench *b, const char *status, const char *to_tag, bool sdp)
{
	char text[TALK_MESSAGE];
	uint32_t n = talk_answer(text, slice_str(b->request), status, to_tag, sdp);

	if (n == 0)
		die("nothing to answer");
	bench_recv(b, 1, text, n);
}

/* The caller's ACK or BYE, to the Contact and tag that the 200 gave. */
static void bench_in_dialog(struct bench *b, const char *method, unsigned cseq, unsigned id,
			    const char *target, const char *to)
{
	char text[TALK_MESSAGE];

	bench_recv(b, 0, text, talk_in_dialog(text, method, cseq, id, target, to));
}

static void bench_call(struct bench *b, unsigned id)
{
	char text[TALK_MESSAGE], tag[32], to[256], target[256];
	struct sip_fault fault;

	snprintf(tag, sizeof(tag), ";tag=b%08x", id);
	bench_recv(b, 0, text, talk_invite(text, id));
	bench_answer(b, "100 Trying", "", false);
	bench_answer(b, "180 Ringing", tag, false);
	bench_answer(b, "200 OK", tag, true);
	if (sip_msg_parse(&b->m, b->response, (uint32_t)strlen(b->response), &fault) != SBC_OK ||
	    !talk_dialog(&b->m, target, sizeof(target), to, sizeof(to)))
		die("the call was not answered");
	bench_in_dialog(b, "ACK", 1, id, target, to);
	bench_in_dialog(b, "BYE", 2, id, target, to);
	bench_answer(b, "200 OK", "", false);
	b->calls++;
	if (++b->of_ms < b->cps / 1000)
		return;
	b->of_ms = 0;
	b->now++;
	bench_tick(b);
}

static void bench_print(const char *name, double value, const char *unit, const char *reference,
			double reference_value, const char *more)
{
	printf("{\"name\": \"%s\", \"value\": %.1f, \"unit\": \"%s\", \"reference\": \"%s\", "
	       "\"reference_value\": %.1f%s}\n",
	       name, value, unit, reference, reference_value, more);
}

static void bench_check(struct bench *b)
{
	struct engine_stats st;

	engine_stats_read(b->engine, &st);
	if (st.calls != 0 || st.calls_answered != b->calls)
		die("calls are missing");
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct figures {
	double call_ns, parse_ns;
};

static void bench_rounds(struct bench *b, struct figures *f)
{
	static double handle[ROUNDS], parse[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		b->handle_ns = b->parse_ns = 0;
		for (unsigned i = 0; i < ROUND_CALLS; i++)
			bench_call(b, b->calls);
		handle[r] = b->handle_ns / ROUND_CALLS;
		parse[r] = b->parse_ns / ROUND_CALLS;
	}
	qsort(handle, ROUNDS, sizeof(handle[0]), by_value);
	qsort(parse, ROUNDS, sizeof(parse[0]), by_value);
	f->call_ns = handle[ROUNDS / 2];
	f->parse_ns = parse[ROUNDS / 2];
}

static struct engine_conf bench_conf(struct bench *b, uint32_t cps)
{
	struct engine_conf conf = {
		.key = {0x1234, 0x5678},
		.seed = {0x9abc, 0xdef0},
		.snapshot = &b->snapshot,
	};

	engine_limits_rate(&conf.limits, CALLS, 100, cps);
	return conf;
}

/* Memory as a worker has it: in large pages where there are any. */
static void bench_begin(struct bench *b, uint32_t cps)
{
	memset(b, 0, sizeof(*b));
	talk_snapshot(&b->snapshot);
	struct engine_conf conf = bench_conf(b, cps);
	b->cps = cps;
	b->size = engine_size(&conf);
	b->memory = mmap(NULL, b->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b->memory == MAP_FAILED)
		die("no memory");
	madvise(b->memory, b->size, MADV_HUGEPAGE);
	b->now = 1000;
	b->engine = engine_init(b->memory, b->size, &conf, b->now);
	if (b->engine == NULL)
		die("engine_init failed");
}

/* A whole run at one rate of virtual time. */
static void bench_run(struct bench *b, uint32_t cps, struct figures *f)
{
	bench_begin(b, cps);
	while (b->calls < WARM_S * cps)
		bench_call(b, b->calls);
	bench_rounds(b, f);
	bench_check(b);
	munmap(b->memory, b->size);
}

/* Bytes that room for one more call a second costs. */
static double bench_bytes_cps(struct bench *b)
{
	struct engine_conf few = bench_conf(b, 1000), many = bench_conf(b, 2000);

	return (double)(engine_size(&many) - engine_size(&few)) / 1000;
}

static void bench_report(struct bench *b, uint32_t cps, const struct figures *small,
			 const struct figures *large)
{
	bench_print("engine: a whole call, both legs", small->call_ns, "ns",
		    "indexing its 7 messages", small->parse_ns, ", \"better\": \"lower\"");
	bench_print("engine: calls a second, no I/O", 1e9 / small->call_ns, "calls/s",
		    "best open B2BUA, a core", BEST_B2BUA_CPS,
		    ", \"goal\": 30000, \"better\": \"higher\"");
	bench_print("engine: one message of it", small->call_ns / MESSAGES, "ns", "indexing it",
		    small->parse_ns / MESSAGES, ", \"better\": \"lower\"");
	if (cps != 0) {
		bench_print("engine: a call among 32 s of finished ones", large->call_ns, "ns",
			    "the same at 1,000 calls/s", small->call_ns, ", \"better\": \"lower\"");
		bench_print("engine: calls a second among those", 1e9 / large->call_ns, "calls/s",
			    "best open B2BUA, a core", BEST_B2BUA_CPS,
			    ", \"goal\": 30000, \"better\": \"higher\"");
	}
	bench_print("engine: memory for one more call a second", bench_bytes_cps(b), "bytes",
		    "its 3 transactions of 32 s in 4 KiB each s", 32 * 4096.0,
		    ", \"better\": \"lower\"");
	bench_print("engine: bytes of an established call", engine_bytes_per_call(), "bytes",
		    "4 KiB", 4096, ", \"goal\": 4096, \"better\": \"lower\"");
}

int main(int argc, char **argv)
{
	static struct bench b;
	struct figures small, large = {0};
	uint32_t cps = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : LARGE_CPS;

	bench_run(&b, SMALL_CPS, &small);
	if (cps != 0)
		bench_run(&b, cps, &large);
	bench_report(&b, cps, &small, &large);
	return 0;
}
