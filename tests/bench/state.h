/*
 * state: the two threads of state_bench.
 *
 * The worker's (state_worker.c) is the caller's: it plays calls through an engine.
 * Control's (state_keeper.c) runs an event loop and carries what the engine puts to
 * Redis with the code of the daemon. Byte rings join them, as in the daemon. Times are
 * in ns unless a name says otherwise; whatever goes wrong ends the program.
 */
#ifndef TESTS_BENCH_STATE_H
#define TESTS_BENCH_STATE_H

#include <pthread.h>

#include "control/store.h"
#include "dataplane/byte_ring.h"
#include "talk.h"

#ifndef CALLS
#define CALLS 30000u
#endif
#define STANDING 10000u
#define STUCK_S  60.0

enum state_message { OP_PUT, OP_DELETE, ACK, RECORD, DONE };

struct ack {
	uint64_t handle;
	uint32_t version;
	enum checkpoint_kind kind;
	bool ok;
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
	struct byte_ring to_control, to_worker;
};

extern struct keeper keeper;

/* The worker's, whose engine is made anew for each round. */
struct worker {
	struct snapshot snapshot;
	struct engine *engine;
	uint64_t now;     /* ms, virtual */
	double *wait_ns;  /* of each call: from the callee's 2xx to the caller's */
	double engine_ns; /* of the worker's thread, inside the engine and handing over */
	double pace;      /* calls a second; 0: as many as it can */
};

extern struct worker worker;

/* ---- state_keeper.c ---- */

/* Its thread runs from then on; Redis may not be there yet. */
void keeper_start(const char *address);
bool keeper_is_up(void);
void keeper_ring_put(struct byte_ring *r, uint32_t type, const void *head, uint32_t n,
		     struct slice rest);
/* Something is in its ring. */
void keeper_wake(void);
/* Reads everything back: a RECORD each, then DONE. */
void keeper_load(void);
/* All that was put is to be in Redis: keeper_is_flushed() then says so. */
void keeper_flush(void);
bool keeper_is_flushed(void);

/* ---- state_worker.c ---- */

void worker_start(void);
void worker_engine_make(enum engine_store_mode store);
bool worker_handle(struct engine_event *ev);
/* Whole calls, or such as are left standing. */
void worker_play(unsigned calls, bool stand);
/* Until all that is owed is in Redis. */
void worker_settle(void);

/* ---- both ---- */

_Noreturn void die(const char *what);
double clock_ns(clockid_t id);
double now_ns(void);

#endif
