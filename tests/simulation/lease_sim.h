/*
 * lease_sim: seeded simulation of the nodes of a cluster, each running the real
 * lease protocol (control/lease.h), with clocks of their own, over a network and a
 * Redis that fail in every way that the protocol says it bears.
 *
 * Time is true time in us. A node's clock has an offset and a rate; wall clocks do not
 * exist, which is the point. Held at every moment: no two nodes may serve a group at
 * one instant, where a node may serve while its own clock is before the `until` it
 * was told, whether its process runs or not; epochs grow. At the end of each quiet
 * time: every group is served. During an outage of Redis alone: none ceases to be.
 */
#ifndef TESTS_SIMULATION_LEASE_SIM_H
#define TESTS_SIMULATION_LEASE_SIM_H

#include <stdio.h>

#include "control/lease.h"

#define WORLD_NODES  4u
#define WORLD_GROUPS 3u
#define WORLD_PAST   256u
#define WORLD_TRACE  400u
#define MS           1000u

enum world_event_type {
	WORLD_TICK,
	WORLD_HEARTBEAT, /* arrives at `node` */
	WORLD_SCRIPT,    /* arrives at Redis */
	WORLD_REPLY,     /* arrives at `node` */
	WORLD_UP,        /* `node` may try to connect */
	WORLD_RESTORED,
	WORLD_YIELDED,
	WORLD_READY,
	WORLD_START, /* a process of `node` begins */
	WORLD_RESUME,
	WORLD_THAW,
	WORLD_SERVER, /* a new Redis answers */
	WORLD_FAULT
};

struct world_event {
	uint64_t at, order;
	enum world_event_type type;
	uint16_t node, group;
	uint64_t process;    /* that it is for; another one does not get it */
	uint64_t connection; /* SCRIPT, REPLY */
	uint64_t epoch;
	struct lease_heartbeat *heartbeat;
	struct lease_action script;
	struct lease_reply *reply;
	struct world_event *next; /* while its node is stopped */
};

struct world_record {
	uint16_t owner, heir;
	uint64_t epoch, beat;
};

struct world_data {
	struct world_record group[WORLD_GROUPS];
	struct {
		bool in;
		uint64_t token;
	} node[WORLD_NODES];
};

struct world_redis {
	bool up, frozen;
	uint64_t server; /* which run of a server it is */
	struct world_data data;
	uint64_t writes;  /* number of the latest change */
	uint64_t counted; /* changes that replicas have for certain */
	struct world_data past[WORLD_PAST];
	uint64_t when[WORLD_PAST];
};

struct world_node {
	struct lease *lease;
	bool up, stopped, draining;
	uint64_t process; /* 0: none yet; its incarnation is made of it */
	int64_t offset_ms;
	uint64_t rate;       /* millionths */
	uint64_t connection; /* 0: none */
	uint64_t server;
	uint64_t script_at, reply_at; /* FIFO: nothing overtakes on a connection */
	uint64_t fails_at;            /* the connection's end is noticed; 0 */
	struct world_event *held, **held_end;
	struct {
		uint64_t until, epoch; /* by its clock; 0: does not serve */
		uint64_t taken;        /* epoch of the latest TAKEN; 0 */
		bool prepared, yielding;
	} serve[WORLD_GROUPS];
};

struct world_conf {
	uint64_t seed;
	uint16_t nodes, groups;
	uint32_t lease_ms, alone_ms, loss_ms, seconds;
	bool wait; /* replies count only when replicas have it, and only those are promoted */
	bool faults, trace;
};

struct world_tally {
	uint64_t events, serves, takes, stops, expiries, crashes, pauses, failovers, losses, cuts,
		handed, forgotten, longest_ms, rejoins, reasserts;
};

struct world {
	struct world_conf conf;
	uint64_t random, now, order, connections, processes;
	struct world_event **heap;
	uint32_t events, cap;
	struct world_node node[WORLD_NODES];
	struct world_redis redis;
	bool cut[WORLD_NODES][WORLD_NODES], cut_redis[WORLD_NODES];
	uint32_t loss, twice; /* of 1000 heartbeats */
	bool slow;            /* heartbeats are late, and overtake one another */
	bool calm;            /* none may cease to serve */
	uint64_t highest[WORLD_GROUPS], gone_at[WORLD_GROUPS];
	uint64_t phase_end;
	uint32_t phase;
	struct world_tally tally;
	char trace[WORLD_TRACE][160], failure[400];
	uint32_t traced;
};

/* lease_world.c: chance, time, what fails */
uint64_t world_random(struct world *w);
uint32_t world_below(struct world *w, uint32_t n);
struct world_event *world_push(struct world *w, enum world_event_type type, uint16_t node,
			       uint64_t in_us);
struct world_event *world_pop(struct world *w);
void world_again(struct world *w, struct world_event *ev); /* a popped one, now */
void world_event_free(struct world_event *ev);
uint64_t world_clock(const struct world *w, uint16_t node);
void world_note(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* lease_redis.c */
void redis_script(struct world *w, uint16_t node, const struct lease_action *a);
void redis_arrive(struct world *w, const struct world_event *ev);
void redis_connect(struct world *w, uint16_t node);
void redis_drop(struct world *w, uint16_t node, uint32_t noticed_ms);
void redis_failover(struct world *w, uint32_t lost, uint32_t down_ms);
void redis_freeze(struct world *w, uint32_t ms);
void redis_flush(struct world *w);

/* lease_nodes.c */
void node_start(struct world *w, uint16_t node);
void node_crash(struct world *w, uint16_t node);
void node_stop(struct world *w, uint16_t node, uint32_t ms);
void node_resume(struct world *w, uint16_t node);
void node_event(struct world *w, struct world_event *ev);
bool node_serves(const struct world *w, uint16_t node, uint16_t group);
void node_drain(struct world *w, uint16_t node, bool drain);

/* lease_faults.c */
void faults_next(struct world *w);
void faults_check(struct world *w);

#endif
