/* Who takes no part: other settings, another key, strangers. */
#include "tests/unit/control/cluster_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static void other_settings_take_no_part(void **state)
{
	struct cluster_view v;

	(void)state;
	node_start(0);
	WAIT_FOR(node_serves(0, 0) && node_serves(0, 1));
	node_start_with(1, LEASE + 100);
	do {
		nodes_turn(UINT64_MAX);
		cluster_view_read(node[1].cluster, dp_now(), &v);
	} while (!v.differs[0] || !v.differs[1]);
	nodes_pass(2 * LEASE);
	cluster_view_read(node[0].cluster, dp_now(), &v);
	assert_true(v.differs[1]);
	assert_false(v.node[1].in || v.node[1].heard);
	assert_true(v.heartbeats_bad > 0);
	assert_true(node_serves(0, 0) && node_serves(0, 1));
	/* Nor when the others are gone. */
	node_crash(0);
	nodes_pass(3 * LEASE);
	assert_false(dp_group_is_active(&node[1].dp, 0) || dp_group_is_active(&node[1].dp, 1));
}

/* It could restore nothing: identifiers are told to be ours by the key. */
static void another_key_takes_no_part(void **state)
{
	struct cluster_view v;

	(void)state;
	node_start(0);
	WAIT_FOR(node_serves(0, 0) && node_serves(0, 1));
	key++;
	node_start(1);
	do {
		nodes_turn(UINT64_MAX);
		cluster_view_read(node[1].cluster, dp_now(), &v);
	} while (!v.differs[1]);
	node_crash(0);
	nodes_pass(3 * LEASE);
	assert_false(dp_group_is_active(&node[1].dp, 0) || dp_group_is_active(&node[1].dp, 1));
}

static void strangers_are_not_listened_to(void **state)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(port[0]),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct cluster_view v;
	char junk[700];

	(void)state;
	node_start(0);
	memset(junk, 'x', sizeof(junk));
	assert_int_equal(sendto(fd, junk, sizeof(junk), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(junk));
	do {
		nodes_turn(UINT64_MAX);
		cluster_view_read(node[0].cluster, dp_now(), &v);
	} while (v.heartbeats_bad == 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_settings_take_no_part),
		TEST(another_key_takes_no_part),
		TEST(strangers_are_not_listened_to),
	};

	return cmocka_run_group_tests(tests, nodes_start_server, nodes_stop_server);
}
