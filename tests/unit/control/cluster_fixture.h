/*
 * cluster_fixture: two nodes in one process, with a redis-server and heartbeats over
 * loopback. Whatever a test does, no group is served by both: each turn looks.
 */
#ifndef TESTS_CLUSTER_FIXTURE_H
#define TESTS_CLUSTER_FIXTURE_H

#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "control/cluster_internal.h"
#include "tests/lib/real_redis.h"
#include "tests/lib/unit.h"
#include "tests/unit/control/cluster_dp.h"

#define NODES   2u
#define GROUPS  2u
#define LEASE   1500u /* generous: the machine that tests may be busy */
#define WAIT_MS 60000u

struct node {
	struct config *config;
	struct dataplane dp;
	struct redis *redis;
	struct store *store;
	struct warm *warm;
	struct cluster *cluster;
	uint32_t drained, fenced;
	uint64_t stored;
	bool holds; /* its workers do not answer barriers */
};

/* Before each test: an empty server, which the nodes that it starts use, and one key for both. */
extern struct real_redis server, *redis;
extern uint32_t replicas;
extern uint64_t key;
extern uv_loop_t loop;
extern struct node node[NODES];
extern uint16_t port[NODES];

void node_start(unsigned i);
void node_start_with(unsigned i, unsigned lease);
/* Until each serves its own group and has heard of the other. */
void nodes_start(void);

/* As when the process is killed: nothing is said, nothing is given up. */
void node_crash(unsigned i);
bool node_serves(unsigned i, uint16_t g);
/* The workers of a node that `holds` have written what they had. */
void node_pass_barrier(unsigned i);

/* Both nodes turn once; false when it is later than `until`. Or for `ms`. */
bool nodes_turn(uint64_t until);
void nodes_pass(uint32_t ms);

#define WAIT_FOR(condition)                                                                        \
	do {                                                                                       \
		uint64_t until_ = dp_now() + WAIT_MS;                                              \
		while (!(condition) && nodes_turn(until_))                                         \
			;                                                                          \
		assert_true(condition);                                                            \
	} while (0)

/* Records of calls, by number. */
void node_record_id(char id[IDENT_LEN], uint16_t group, unsigned number);
void node_put(unsigned i, uint16_t group, unsigned number, bool there);
/* Until they are kept. */
void node_put_some(unsigned i, uint16_t group, unsigned from, unsigned count);
/* Whether a node's workers have one. */
bool node_has(unsigned i, uint16_t group, unsigned number);

int nodes_set_up(void **state); /* of a test */
int nodes_tear_down(void **state);
int nodes_start_server(void **state); /* of a group of tests */
int nodes_stop_server(void **state);

#define TEST(f) cmocka_unit_test_setup_teardown(f, nodes_set_up, nodes_tear_down)

#endif
