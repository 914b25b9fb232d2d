/* Groups change hands: a drain, an operator, and what is owed when they do. */
#include "tests/unit/control/cluster_fixture.h"

static void on_drained(void *arg)
{
	((struct node *)arg)->drained++;
}

static void a_drain_gives_everything_away(void **state)
{
	struct cluster_view v;

	(void)state;
	nodes_start();
	node_put_some(0, 0, 1, 50);
	assert_true(cluster_has_heir(node[0].cluster));
	cluster_drain(node[0].cluster, true, on_drained, &node[0]);
	/* Nothing that is put until it is given away is lost. */
	node_put(0, 0, 51, true);
	WAIT_FOR(node[0].drained == 1 && node_serves(1, 0));
	assert_false(dp_group_is_active(&node[0].dp, 0));
	assert_int_equal(node[1].dp.records, 51);
	WAIT_FOR(node[0].dp.records == 0);
	cluster_view_read(node[0].cluster, dp_now(), &v);
	assert_true(v.draining);
	assert_true(v.given >= 1);
	assert_int_equal(v.lost, 0);
	assert_false(cluster_has_heir(node[1].cluster));
	/* And back. */
	cluster_drain(node[0].cluster, false, NULL, NULL);
	WAIT_FOR(node_serves(0, 0));
	assert_int_equal(node[0].dp.records, 51);
	assert_int_equal(node[0].drained, 1);
}

static void a_last_node_gives_up_what_nobody_takes(void **state)
{
	(void)state;
	node_start(0);
	WAIT_FOR(node_serves(0, 0) && node_serves(0, 1));
	assert_false(cluster_has_heir(node[0].cluster));
	cluster_drain(node[0].cluster, true, on_drained, &node[0]);
	nodes_pass(1000);
	assert_int_equal(node[0].drained, 0);
	assert_true(node_serves(0, 0));
	cluster_abandon(node[0].cluster);
	WAIT_FOR(node[0].drained == 1);
	assert_false(dp_group_is_active(&node[0].dp, 0) || dp_group_is_active(&node[0].dp, 1));
}

/* Whom node `i` takes for the owner. */
static uint16_t owner_at(unsigned i, uint16_t group)
{
	struct cluster_view v;

	cluster_view_read(node[i].cluster, dp_now(), &v);
	return v.group[group].owner;
}

static void an_operator_moves_a_group(void **state)
{
	const char *why = "";

	(void)state;
	nodes_start();
	node_put_some(0, 0, 1, 10);
	WAIT_FOR(owner_at(0, 1) == 1);
	assert_false(cluster_move(node[0].cluster, 0, 0, &why));
	assert_string_equal(why, "that node has the group already");
	assert_false(cluster_move(node[0].cluster, 1, 0, &why));
	assert_string_equal(why, "another node has the group: ask that one");
	assert_true(cluster_move(node[0].cluster, 0, 1, &why));
	WAIT_FOR(node_serves(1, 0));
	assert_int_equal(node[1].dp.records, 10);
}

static bool redis_has(uint16_t group, unsigned number)
{
	char id[IDENT_LEN];

	node_record_id(id, group, number);
	return real_redis_number(&server, "EXISTS postern:test:g%u:call:%b", group, id,
				 (size_t)IDENT_LEN) == 1;
}

/* Served until Redis has what is owed; what changes at the very end is written too. */
static void what_is_owed_is_written_before_and_after_serving(void **state)
{
	const char *why = "";
	uint32_t before;

	(void)state;
	nodes_start();
	node_put_some(0, 0, 1, 10);
	WAIT_FOR(node[0].dp.barrier == 0);
	before = node[0].dp.barriers;
	node[0].holds = true;
	assert_true(cluster_move(node[0].cluster, 0, 1, &why));
	WAIT_FOR(node[0].dp.barriers == before + 1);
	assert_true(dp_group_is_active(&node[0].dp, 0));
	/* What the workers had gathered comes before the barrier. */
	node_put(0, 0, 11, true);
	node_pass_barrier(0);
	while (dp_group_is_active(&node[0].dp, 0))
		nodes_turn(UINT64_MAX);
	assert_true(redis_has(0, 11));
	WAIT_FOR(node[0].dp.barriers == before + 2);
	assert_false(dp_group_is_active(&node[0].dp, 0) || dp_group_is_active(&node[1].dp, 0));
	node_put(0, 0, 12, true);
	node_pass_barrier(0);
	WAIT_FOR(node_serves(1, 0));
	assert_int_equal(node[0].dp.barriers, before + 2);
	assert_true(redis_has(0, 12));
	assert_int_equal(node[1].dp.records, 12);
}

/* The lease is renewed while nothing but the writing keeps the group here. */
static void a_group_is_served_as_long_as_its_writing_takes(void **state)
{
	struct cluster_view v;
	const char *why = "";
	uint32_t before;
	uint64_t until;

	(void)state;
	nodes_start();
	WAIT_FOR(node[0].dp.barrier == 0);
	before = node[0].dp.barriers;
	node[0].holds = true;
	assert_true(cluster_move(node[0].cluster, 0, 1, &why));
	WAIT_FOR(node[0].dp.barriers == before + 1);
	until = node[0].dp.until[0];
	WAIT_FOR(node[0].dp.until[0] != until);
	assert_true(node[0].dp.until[0] > until || node[0].dp.until[0] == 0);
	cluster_view_read(node[0].cluster, dp_now(), &v);
	assert_int_equal(v.group[0].state, LEASE_YIELDING);
	/* Workers that never answer hold nobody up for ever. */
	WAIT_FOR(node_serves(1, 0));
	assert_false(dp_group_is_active(&node[0].dp, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_drain_gives_everything_away),
		TEST(a_last_node_gives_up_what_nobody_takes),
		TEST(an_operator_moves_a_group),
		TEST(what_is_owed_is_written_before_and_after_serving),
		TEST(a_group_is_served_as_long_as_its_writing_takes),
	};

	return cmocka_run_group_tests(tests, nodes_start_server, nodes_stop_server);
}
