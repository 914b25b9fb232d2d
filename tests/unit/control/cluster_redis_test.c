/* Leases, and what befalls the Redis that has them. */
#include "tests/unit/control/cluster_fixture.h"

/* A lease that a failover could lose is none. */
static void a_lease_counts_when_replicas_have_it(void **state)
{
	struct real_redis master, replica;
	char extra[64];

	(void)state;
	real_redis_start(&master, real_redis_port(), "");
	redis = &master;
	replicas = 1;
	node_start(0);
	nodes_pass(3 * LEASE);
	assert_false(dp_group_is_active(&node[0].dp, 0) || dp_group_is_active(&node[0].dp, 1));
	snprintf(extra, sizeof(extra), "replicaof 127.0.0.1 %u", master.port);
	real_redis_start(&replica, 0, extra);
	WAIT_FOR(node_serves(0, 0) && node_serves(0, 1));
	/* A server that has forgotten its scripts changes nothing. */
	real_redis_do(&master, "SCRIPT FLUSH");
	nodes_pass(LEASE);
	assert_true(node_serves(0, 0) && node_serves(0, 1));
	real_redis_freeze(&replica, true);
	WAIT_FOR(!dp_group_is_active(&node[0].dp, 0));
	real_redis_freeze(&replica, false);
	WAIT_FOR(node_serves(0, 0));
	node_crash(0);
	real_redis_remove(&replica);
	real_redis_remove(&master);
}

/* Redis is gone for longer than a lease: nothing goes down. */
static void redis_may_be_away(void **state)
{
	(void)state;
	nodes_start();
	real_redis_freeze(&server, true);
	nodes_pass(4 * LEASE);
	assert_true(node_serves(0, 0) && node_serves(1, 1));
	real_redis_freeze(&server, false);
	nodes_pass(2 * LEASE);
	WAIT_FOR(node_serves(0, 0) && node_serves(1, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lease_counts_when_replicas_have_it),
		TEST(redis_may_be_away),
	};

	return cmocka_run_group_tests(tests, nodes_start_server, nodes_stop_server);
}
