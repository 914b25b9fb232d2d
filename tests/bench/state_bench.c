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
 * CPU is that of threads, so that a core that is shared costs nobody anything: of the
 * worker's what state_worker.c says, of control's all; Redis tells its own.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state.h"

#define PACE 0.6 /* of what went as fast as it could */

static redisContext *asking; /* a connection of our own */

/* Redis's own CPU so far, all its threads. */
static double redis_ns(void)
{
	static const char *const parts[] = {"used_cpu_sys:", "used_cpu_user:"};
	redisReply *r = redisCommand(asking, "INFO cpu");
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

static struct round run(enum engine_store_mode store, double pace)
{
	clockid_t control;
	struct store_gauges before, after;
	struct round r;
	double at, kept, redis;

	worker.pace = pace;
	pthread_getcpuclockid(keeper.thread, &control);
	worker_engine_make(store);
	store_gauges_read(keeper.store, &before);
	at = now_ns();
	worker.engine_ns = 0;
	redis = redis_ns();
	kept = clock_ns(control);
	worker_play(CALLS, false);
	r.seconds = (now_ns() - at) / 1e9;
	if (store != ENGINE_STORE_OFF)
		worker_settle();
	r.engine_us = worker.engine_ns / 1e3 / CALLS;
	r.control_us = (clock_ns(control) - kept) / 1e3 / CALLS;
	r.redis_us = (redis_ns() - redis) / 1e3 / CALLS;
	store_gauges_read(keeper.store, &after);
	r.commands = (double)(after.commands - before.commands) / CALLS;
	r.bytes = (double)(after.bytes - before.bytes) / CALLS;
	r.puts = (double)(after.puts - before.puts) / CALLS;
	qsort(worker.wait_ns, CALLS, sizeof(*worker.wait_ns), by_value);
	r.wait_p50_us = worker.wait_ns[CALLS / 2] / 1e3;
	r.wait_p99_us = worker.wait_ns[CALLS / 100 * 99] / 1e3;
	return r;
}

/* Calls read back in a second, from Redis into an empty engine; and of that, the engine's part. */
static void restore(double *all, double *engine_us)
{
	struct engine_stats st;
	double at, inside = 0;
	bool done = false;

	worker.pace = 0;
	worker_engine_make(ENGINE_STORE_DURABLE);
	worker_play(STANDING, true);
	worker_settle();
	worker_engine_make(ENGINE_STORE_DURABLE);
	at = now_ns();
	keeper_load();
	while (!done) {
		struct byte_ring_message m;

		while (byte_ring_peek(&keeper.to_worker, &m)) {
			struct engine_event ev = {.type = ENGINE_EV_RESTORE};

			done |= m.type == DONE;
			if (m.type == RECORD) {
				double t = now_ns();

				ev.restore.kind = *(const enum checkpoint_kind *)m.head;
				ev.restore.fields = m.rest;
				worker_handle(&ev);
				inside += now_ns() - t;
			}
			byte_ring_drop(&keeper.to_worker);
		}
		sched_yield();
	}
	*all = STANDING / ((now_ns() - at) / 1e9);
	*engine_us = inside / 1e3 / STANDING;
	engine_stats_read(worker.engine, &st);
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
	worker_start();
	asking = redisConnectUnix(strncmp(address, "unix:", 5) == 0 ? address + 5 : address);
	if (asking == NULL || asking->err)
		die("no Redis");
	keeper_start(address);
	for (double end = now_ns() + 10e9; !keeper_is_up();) {
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
