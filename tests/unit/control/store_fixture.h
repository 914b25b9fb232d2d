/*
 * What the tests of the store share: a loop, a redis-server, a proxy before it that
 * misbehaves, and a store whose answers are counted.
 */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "control/store.h"
#include "tests/lib/fake_redis.h"
#include "tests/lib/real_redis.h"
#include "tests/lib/unit.h"

#define STORE_GROUP  "edge"
#define STORE_PREFIX "postern:edge:edge:"

/* A connection with its store. */
struct store_end {
	struct redis *redis;
	struct store *store;
	bool up, resync;
	uint32_t ups, resyncs, fenced;
	uint64_t good, bad; /* answers to puts */
	void (*stored)(uint64_t handle, uint32_t version, bool ok);
	void (*mode)(bool up, bool resync);
	void (*connected)(void); /* before the store hears of it */
	struct store_end *next;  /* of those that are open */
};

struct store_bed {
	uv_loop_t loop;
	uv_timer_t tick, guard;
	bool late;
	struct fake_redis *proxy;
	uint32_t timeout_ms;    /* of connections that are opened: 500 */
	struct store_end *open; /* closed with the bed, when a test that failed has not */
};

extern struct store_bed bed;
extern struct real_redis server;

int store_bed_server(void **state); /* of a group of tests */
int store_bed_no_server(void **state);
int store_bed_open(void **state); /* of a test: an empty server, a proxy */
int store_bed_close(void **state);

/* Connects through the proxy; `alone` owns the group. */
void store_end_open(struct store_end *e, bool alone, uint32_t deletes_max);
/* The same by another socket, and nothing is owned yet. */
void store_end_open_at(struct store_end *e, const char *path, bool alone, uint32_t deletes_max);
void store_end_close(struct store_end *e);

/* Turns the loop until `met` says so; fails the test after a minute. */
void store_bed_wait(bool (*met)(void *arg), void *arg);
void store_bed_turn(uint32_t ms);
void store_end_wait_up(struct store_end *e);
void store_end_flush(struct store_end *e);

/* Ids are numbers, as 32 digits. */
void store_id(uint64_t n, char id[IDENT_LEN]);
/* A call's checkpoint whose field `n` is `version`, with another when that is odd; handle is the number. */
void store_end_put(struct store_end *e, uint64_t n, uint32_t version);
/* The same as a change of the version before. */
void store_end_change(struct store_end *e, uint64_t n, uint32_t version);
void store_end_delete(struct store_end *e, uint64_t n);

/* What Redis has of a call: its version, or 0. */
uint32_t store_kept(uint64_t n);
bool store_is_odd(uint64_t n);
bool store_is_indexed(uint64_t n);
long long store_indexed(void);

#endif
