/* Who serves which group: at home, after a death, and after a sleep. */
#include "tests/unit/control/cluster_fixture.h"

static void each_group_is_served_at_home(void **state)
{
	struct cluster_view v;

	(void)state;
	nodes_start();
	do {
		nodes_turn(UINT64_MAX);
		cluster_view_read(node[0].cluster, dp_now(), &v);
	} while (v.group[1].owner != 1 || !v.loaded[1]);
	assert_int_equal(v.group[0].state, LEASE_MINE);
	assert_int_equal(v.group[0].owner, 0);
	assert_false(v.differs[0] || v.differs[1]);
	assert_int_equal(v.heartbeats_bad, 0);
}

static void a_dead_nodes_calls_go_on(void **state)
{
	(void)state;
	nodes_start();
	node_put_some(0, 0, 1, 300);
	node_put(0, 0, 5, false);
	nodes_pass(200);
	node_crash(0);
	/* Rings that are full now and then. */
	node[1].dp.full = 100;
	WAIT_FOR(node_serves(1, 0) && node_serves(1, 1));
	for (unsigned k = 1; k <= 300; k++)
		assert_int_equal(node_has(1, 0, k), k != 5);
	/* When it comes again, it gets its own back, with what has been added. */
	node_put_some(1, 0, 301, 1);
	node_start(0);
	WAIT_FOR(node_serves(0, 0));
	assert_int_equal(node[0].dp.records, 300);
	assert_true(node_has(0, 0, 301));
	WAIT_FOR(node[1].dp.records == 0);
}

/* The process stands still while its lease runs out, and goes on. */
static void who_slept_serves_no_more(void **state)
{
	struct node *n = &node[0];

	(void)state;
	nodes_start();
	node_put_some(0, 0, 1, 10);
	uv_timer_stop(&n->cluster->tick);
	uv_udp_recv_stop(&n->cluster->udp);
	redis_close(n->cluster->redis); /* nor does an answer reach it */
	n->cluster->redis = redis_open(&loop, &n->config->state, "none", &(struct redis_events){0});
	WAIT_FOR(node_serves(1, 0));
	assert_false(dp_group_is_active(&n->dp, 0));
	/* It wakes: what it still writes is refused, and it stops. */
	node_put(0, 0, 99, true);
	WAIT_FOR(n->fenced > 0);
	assert_int_equal(node[1].dp.records, 10);
	node_crash(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_group_is_served_at_home),
		TEST(a_dead_nodes_calls_go_on),
		TEST(who_slept_serves_no_more),
	};

	return cmocka_run_group_tests(tests, nodes_start_server, nodes_stop_server);
}
