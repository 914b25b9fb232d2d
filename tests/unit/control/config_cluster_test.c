/* Where state is kept, and by which nodes of a cluster. */
#include "tests/unit/control/config_fixture.h"

static void where_state_is_kept(void **state)
{
#define STATE(x) WHOLE "state: {" x "}\n"
#define ENDPOINTS                                                                                  \
	"expected a host and a TCP port such as \"10.0.9.5:6379\", or \"unix:\" and an absolute "  \
	"path of up to 107 characters"
	static const struct config_vector v[] = {
		{STATE("redis: 10.0.9.5"), "13: redis: 10.0.9.5: " ENDPOINTS},
		{STATE("redis: \"10.0.9.5:0\""), "13: redis: 10.0.9.5:0: " ENDPOINTS},
		{STATE("redis: \"10.0.9.5:65536\""), "13: redis: 10.0.9.5:65536: " ENDPOINTS},
		{STATE("redis: \":6379\""), "13: redis: :6379: " ENDPOINTS},
		{STATE("redis: \"a b:6379\""), "13: redis: a b:6379: " ENDPOINTS},
		{STATE("redis: \"::1:6379\""), "13: redis: ::1:6379: " ENDPOINTS},
		{STATE("redis: \"[::1:6379\""), "13: redis: [::1:6379: " ENDPOINTS},
		{STATE("redis: \"unix:redis.sock\""), "13: redis: unix:redis.sock: " ENDPOINTS},
		{STATE("directory: lib, password_file: pw, redis: \"r:1\""),
		 "13: directory: lib: expected an absolute path\n"
		 "13: password_file: pw: expected an absolute path"},
		{STATE("redis: \"r:1\", user: \"a b\", password_file: /p"),
		 "13: user: a b: expected the name of a Redis ACL user, up to 63 characters "
		 "without spaces"},
		{STATE("redis: \"r:1\", user: a"),
		 "13: user: no password_file: expected the file with its password"},
		{STATE("sentinels: [\"s:1\", s], master: m"),
		 "13: sentinels: s: expected hosts and TCP ports such as \"10.0.9.5:26379\""},
		{STATE("sentinels: [\"s:1\"]"),
		 "13: sentinels: no master: expected its name at the sentinels with them"},
		{STATE("master: m"), "13: master: no sentinels: expected those that know it"},
		{STATE("sentinels: [\"s:1\"], master: m, redis: \"r:1\""),
		 "13: sentinels: stand beside redis: expected one of them"},
		{STATE("sentinels: [\"s:1\"], master: \"a b\""),
		 "13: master: a b: expected the name that the sentinels have for the master"},
		{STATE("password_file: /p, replicas: 1"),
		 "13: password_file: expected none with a redis-server of our own\n"
		 "13: replicas: expected none with a redis-server of our own"},
		{STATE("redis: \"r:1\", durable: none"),
		 "13: durable: none: expected answer or behind with a Redis or a cluster"},
		{STATE("durable: often, deadline: 0, ttl: 59, timeout: 49, start_wait: 3601,\n"
		       "  database: 1024, replicas: 16"),
		 "13: durable: often: expected answer or behind or none\n"
		 "13: deadline: 0: expected a whole number from 1 to 5000\n"
		 "13: ttl: 59: expected a whole number from 60 to 2592000\n"
		 "13: timeout: 49: expected a whole number from 50 to 60000\n"
		 "13: start_wait: 3601: expected a whole number from 0 to 3600\n"
		 "14: database: 1024: expected a whole number from 0 to 1023\n"
		 "14: replicas: 16: expected a whole number from 0 to 15"},
	};

	(void)state;
	CHECK(v);
}

static void clusters(void **state)
{
	static const struct config_vector v[] = {
		{WHOLE "cluster:\n  name: c\n" NODES "  groups:\n" GROUP1,
		 "13: cluster: no redis or sentinels in state: expected a Redis that all nodes "
		 "reach\n"
		 "13: cluster: no key_file in node: expected one with the same key on all nodes"},
		{KEYED
		 "cluster: {name: c, nodes: [{name: a, address: \"a:1\"}], groups: [{name: g,\n"
		 "  home: a, addresses: [{realm: access, ip: 192.0.2.11}, {realm: core, ip: "
		 "10.0.0.11}]}]}\n",
		 "14: nodes: edge is not among them: expected this node's own name too"},
		{KEYED "cluster: {name: c}\n",
		 "14: missing key \"nodes\" in cluster: expected a list of nodes\n"
		 "14: missing key \"groups\" in cluster: expected a list of groups"},
		{KEYED "cluster:\n  name: \"a:b\"\n  lease: 2000\n  alone: 1000\n"
		       "  nodes: [{name: edge, address: \"a:1\"}, {name: edge, address: \"a:1\"},\n"
		       "    {name: \"x y\", address: x}]\n  groups:\n" GROUP1,
		 "15: name: a:b: expected a name of up to 31 letters, digits, '-', '_' or '.'\n"
		 "17: alone (1000 ms) below lease (2000 ms): expected lease or more\n"
		 "18: name: edge stands twice: it is on line 18 already\n"
		 "18: address: a:1 stands twice: it is on line 18 already\n"
		 "19: name: x y: expected a name of up to 31 letters, digits, '-', '_' or '.'\n"
		 "19: address: x: expected a host and a UDP port, such as \"10.0.9.1:7400\""},
		{CLUSTER(GROUP1
			 "  - {name: g1, home: z, addresses: [{realm: access, ip: 192.0.2.12}]}\n"),
		 "20: name: g1 stands twice: it is on line 18 already\n"
		 "20: home: z: expected the name of a node in nodes\n"
		 "20: addresses: realm core has none in group g1: expected one for each realm"},
		{CLUSTER("  - name: g1\n    home: edge\n    addresses:\n"
			 "    - {realm: access, ip: 192.0.2.11}\n"
			 "    - {realm: access, ip: 192.0.2.12}\n"
			 "    - {realm: nowhere, ip: 192.0.2.13}\n"
			 "    - {realm: core, ip: \"2001:db8::1\"}\n"),
		 "22: realm: access has an address in this group already: expected one\n"
		 "23: realm: nowhere: expected the name of a realm in realms\n"
		 "24: ip: 2001:db8::1: expected an address on the network of the realm's port"},
		{CLUSTER(GROUP1 "  - name: g2\n    home: b\n    addresses: [{realm: access, ip: "
				"192.0.2.12},\n"
				"      {realm: core, ip: 10.0.0.12}]\n    announce6:\n"
				"    - {realm: access, ip: \"2001:db8::11\"}\n"
				"    - {realm: access, ip: \"2001:db8::0:11\"}\n"
				"    - {realm: core, ip: \"ff02::1\"}\n"
				"    - {realm: core, ip: \"::1\"}\n"
				"    - {realm: core, ip: 10.0.0.13}\n"
				"    - {realm: nowhere, ip: \"2001:db8::12\"}\n"),
		 "26: ip: 2001:db8::0:11 stands twice for port out: expected it in one group\n"
		 "27: ip: ff02::1: expected an IPv6 unicast address such as \"2001:db8::11\"\n"
		 "28: ip: ::1: expected an IPv6 unicast address such as \"2001:db8::11\"\n"
		 "29: ip: 10.0.0.13: expected an IPv6 unicast address such as \"2001:db8::11\"\n"
		 "30: realm: nowhere: expected the name of a realm in realms"},
		/* What groups and the rest of the file get wrong together. */
		{CLUSTER("  - {name: g1, home: edge, addresses: [{realm: access, ip: 192.0.3.11},\n"
			 "     {realm: core, ip: 10.0.0.1}]}\n"),
		 "18: groups: 192.0.3.11 for realm access: expected a host of the network of port "
		 "out\n"
		 "18: groups: 10.0.0.1 for realm core is in's already: expected an address that "
		 "only this group has"},
		{CLUSTER("  - {name: abcdefghijklmnopqrstuvwxyz, home: edge, addresses: [{realm: "
			 "access,\n     ip: 192.0.2.11}, {realm: core, ip: 10.0.0.11}]}\n"),
		 "18: groups: realm access is called access@abcdefghijklmnopqrstuvwxyz in this "
		 "group: expected both names to have 30 characters at most together"},
	};

	(void)state;
	CHECK(v);
}

static void more_than_a_cluster_has_room_for(void **state)
{
	static char text[16384], expected[128];
	static struct config_report report;
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", CLUSTER(""));

	(void)state;
	n += (size_t)snprintf(text + n, sizeof(text) - n,
			      "  - name: g\n    home: b\n    addresses: [{realm: access, ip: "
			      "192.0.2.11}, {realm: core, ip: 10.0.0.11}]\n    announce6:\n");
	for (unsigned i = 0; i <= DP_MAX_ADDRESSES6; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "    - {realm: core, ip: \"2001:db8::%x\"}\n", i + 1);
	assert_null(config_parse("t", text, n, CONFIG_CHECK_TEXT, &report));
	assert_int_equal(report.count, 1);
	snprintf(expected, sizeof(expected), "announce6: expected at most %u addresses for port in",
		 DP_MAX_ADDRESSES6);
	assert_string_equal(report.mistake[0].text, expected);
}

static void state_has_defaults(void **state)
{
	struct config *c = config_parse_good(WHOLE);

	(void)state;
	assert_string_equal(c->state.directory, "/var/lib/postern");
	assert_string_equal(c->state.redis, "");
	assert_int_equal(c->state.sentinels, 0);
	assert_int_equal(c->state.timeout_ms, 500);
	assert_int_equal(c->state.start_wait_s, 10);
	assert_false(c->state.behind);
	assert_int_equal(c->snapshot.store_deadline_ms, 50);
	assert_int_equal(c->snapshot.store_ttl_s, 86400);
	assert_int_equal(c->cluster.nodes, 0);
	assert_string_equal(c->cluster.name, "edge");
	assert_int_equal(c->snapshot.groups, 1);
	assert_string_equal(c->snapshot.group[0], "edge");
	assert_false(c->snapshot.forward);
	free(c);
}

static void keeping_nothing_arrives(void **state)
{
	struct config *c = config_parse_good(WHOLE "state: {directory: /d, durable: none}\n");

	(void)state;
	assert_true(c->state.none);
	assert_false(c->state.behind);
	free(c);
}

static void settings_of_state_arrive(void **state)
{
	struct config *c = config_parse_good(
		WHOLE
		"state:\n"
		"  {directory: /d, redis: \"unix:/run/r.sock\", database: 7, user: u,\n"
		"   password_file: /p, replicas: 2, durable: behind, deadline: 70, ttl: 600,\n"
		"   timeout: 900, start_wait: 3}\n");

	(void)state;
	assert_string_equal(c->state.directory, "/d");
	assert_string_equal(c->state.redis, "unix:/run/r.sock");
	assert_int_equal(c->state.database, 7);
	assert_string_equal(c->state.user, "u");
	assert_string_equal(c->state.password_file, "/p");
	assert_int_equal(c->state.replicas, 2);
	assert_true(c->state.behind);
	assert_int_equal(c->snapshot.store_deadline_ms, 70);
	assert_int_equal(c->snapshot.store_ttl_s, 600);
	assert_int_equal(c->state.timeout_ms, 900);
	assert_int_equal(c->state.start_wait_s, 3);
	free(c);
	c = config_parse_good(WHOLE
			      "state: {sentinels: [\"s1:26379\", \"[::1]:26379\"], master: m}\n");
	assert_int_equal(c->state.sentinels, 2);
	assert_string_equal(c->state.sentinel[1], "[::1]:26379");
	assert_string_equal(c->state.master, "m");
	free(c);
}

static void settings_of_a_cluster_arrive(void **state)
{
	struct config *c = config_parse_good(
		KEYED "cluster:\n"
		      "  name: c\n  lease: 200\n  alone: 5000\n  give_back: manual\n"
		      "  give_back_after: 9\n"
		      "  nodes: [{name: a, address: \"10.0.9.2:7400\"},\n"
		      "          {name: edge, address: \"10.0.9.1:7400\"}]\n"
		      "  groups:\n"
		      "  - {name: g1, home: edge, addresses: [{realm: core, ip: 10.0.0.11},\n"
		      "     {realm: access, ip: 192.0.2.11}]}\n"
		      "  - {name: g2, home: a, addresses: [{realm: core, ip: 10.0.0.12},\n"
		      "     {realm: access, ip: 192.0.2.12}],\n"
		      "     announce6: [{realm: access, ip: \"2001:db8::12\"}]}\n");
	const uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x12};

	(void)state;
	assert_string_equal(c->cluster.name, "c");
	assert_int_equal(c->cluster.lease_ms, 200);
	assert_int_equal(c->cluster.alone_ms, 5000);
	assert_int_equal(c->cluster.give_back, CONFIG_GIVE_BACK_MANUAL);
	assert_int_equal(c->cluster.give_back_after_s, 9);
	assert_int_equal(c->cluster.nodes, 2);
	assert_int_equal(c->cluster.self, 1);
	assert_string_equal(c->cluster.node[0].address, "10.0.9.2:7400");
	assert_int_equal(c->cluster.groups, 2);
	assert_string_equal(c->cluster.group[0].name, "g1");
	assert_int_equal(c->cluster.group[0].home, 1);
	assert_int_equal(c->cluster.group[0].address[0], inet_addr("192.0.2.11"));
	assert_int_equal(c->cluster.group[1].address[1], inet_addr("10.0.0.12"));
	assert_int_equal(c->dp.port[0].addresses6, 1);
	assert_memory_equal(c->dp.port[0].address6[0].ip, ip6, 16);
	assert_int_equal(c->dp.port[0].address6[0].group, 1);
	free(c);
	c = config_parse_good(CLUSTER(GROUP1));
	assert_int_equal(c->cluster.lease_ms, 300);
	assert_int_equal(c->cluster.alone_ms, 60000);
	assert_int_equal(c->cluster.give_back, CONFIG_GIVE_BACK_AUTO);
	assert_int_equal(c->cluster.give_back_after_s, 30);
	free(c);
}

static void a_realm_has_an_instance_in_each_group(void **state)
{
	struct config *c = config_parse_good(
		KEYED "cluster:\n"
		      "  name: c\n"
		      "  nodes: [{name: a, address: \"10.0.9.2:7400\"},\n"
		      "          {name: edge, address: \"10.0.9.1:7400\"}]\n"
		      "  groups:\n"
		      "  - {name: g1, home: edge, addresses: [{realm: core, ip: 10.0.0.11},\n"
		      "     {realm: access, ip: 192.0.2.11}]}\n"
		      "  - {name: g2, home: a, addresses: [{realm: core, ip: 10.0.0.12},\n"
		      "     {realm: access, ip: 192.0.2.12}]}\n");
	const struct snapshot *s = &c->snapshot;

	(void)state;
	assert_int_equal(s->groups, 2);
	assert_string_equal(s->group[1], "g2");
	assert_true(s->forward);
	assert_true(c->dp.groups_held);
	assert_int_equal(s->realms, 4);
	assert_string_equal(s->realm[0].name, "access@g1");
	assert_string_equal(s->realm[3].name, "core@g2");
	for (uint16_t i = 0; i < 4; i++) {
		assert_int_equal(s->realm[i].group, i / 2);
		assert_int_equal(s->realm[i].kin, i % 2 + 1);
		assert_int_equal(c->dp.realm_port[i], i % 2);
		assert_int_equal(s->listener[i].realm, i);
		assert_int_equal(s->listener[i].addr.ip, s->realm[i].media_ip);
		assert_int_equal(s->listener[i].addr.port, 5060);
	}
	assert_int_equal(s->listeners, 4);
	assert_int_equal(s->realm[2].media_ip, inet_addr("192.0.2.12"));
	assert_int_equal(c->dp.port[0].ip, inet_addr("192.0.2.1"));
	assert_int_equal(s->peers, 2);
	assert_string_equal(s->peer[1].name, "pbx@g2");
	assert_int_equal(s->peer[1].realm, 3);
	assert_int_equal(s->routes, 4);
	/* From each instance to the peer of its own group. */
	assert_int_equal(s->route[2].from, 2);
	assert_int_equal(s->route[2].peer, 1);
	assert_int_equal(s->route[3].target, SNAPSHOT_TO_REGISTERED);
	assert_int_equal(s->route[3].peer, SNAPSHOT_NONE);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_state_is_kept),
		cmocka_unit_test(clusters),
		cmocka_unit_test(more_than_a_cluster_has_room_for),
		cmocka_unit_test(state_has_defaults),
		cmocka_unit_test(keeping_nothing_arrives),
		cmocka_unit_test(settings_of_state_arrive),
		cmocka_unit_test(settings_of_a_cluster_arrive),
		cmocka_unit_test(a_realm_has_an_instance_in_each_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
