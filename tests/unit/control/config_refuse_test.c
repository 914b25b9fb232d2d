/* What is no configuration is refused at its line, with what was expected. */
#include "tests/unit/control/config_fixture.h"

static void what_is_not_a_document(void **state)
{
	static const struct config_vector v[] = {
		{"", "0: the file is empty: expected node, ports and realms"},
		{"# nothing\n", "0: the file is empty: expected node, ports and realms"},
		{"node: {name: a\nports: [", "2: not YAML: did not find expected ',' or '}', while "
					     "parsing a flow mapping"},
		{"node:\n\t- x\n", "2: not YAML: found character that cannot start any token, "
				   "while scanning for the next token"},
		{"a: 1\nb: \xff\n", "2: not YAML: invalid leading UTF-8 octet"},
		{NODE "---\n" NODE, "2: a second document: expected only one"},
		{"node: &x {name: a}\nports: *x\n",
		 "2: an alias (*name): expected the value itself"},
		{"node: {name: \"a\\0b\"}\n", "1: a zero byte in a value: expected text"},
		{"? [a]\n: b\n", "1: expected a key, found a list or a mapping"},
		{"a: [[[[[[[[1]]]]]]]]\n", "1: nested deeper than any configuration is"},
		{NODE PORTS NODE, "5: key \"node\" stands twice: it is on line 1 already"},
		{"node: {name: a, name: b}\n",
		 "1: key \"name\" stands twice: it is on line 1 already"},
		{"- a\n",
		 "1: the file: a list: expected a mapping with the keys node, domains, ports, "
		 "realms, peers, routes, state, cluster"},
	};

	(void)state;
	CHECK(v);
}

static void keys_and_types(void **state)
{
	static const struct config_vector v[] = {
		{WHOLE "route: []\n", "13: unknown key \"route\": did you mean \"routes\"?"},
		{"node: {name: a, wokers: 1}\n" PORTS REALMS,
		 "1: unknown key \"wokers\": did you mean \"workers\"?"},
		{NODE PORTS "realms:\n"
			    "  - {name: a, port: out, trust: trusted, sip: [\"udp:5060\"],\n"
			    "     media: 20000-20999, colour: red}\n",
		 "7: unknown key \"colour\": expected a mapping with the keys name, port, trust, "
		 "nat, latch, sip, media, media_addresses, domain, unknown_headers, unknown_media, "
		 "user_agent, "
		 "registered_callers_only, max_calls, max_cps, media_timeout, media_dscp, "
		 "sip_dscp"},
		{NODE, "1: missing key \"ports\": expected a list of ports\n"
		       "1: missing key \"realms\": expected a list of realms"},
		{PORTS REALMS, "1: missing key \"node\": expected a mapping with the keys name, "
			       "workers, cpus, idle, hugepages, memory_mb, mbufs, rx_desc, "
			       "tx_desc, product, log, log_rate, control, pidfile, key_file, "
			       "limits, t1, t2, t4, ring_timeout, max_call, drain_timeout"},
		{"node: {workers: 1}\n" PORTS REALMS,
		 "1: missing key \"name\" in node: expected a name of up to 31 letters, digits, "
		 "'-', '_' or '.'"},
		{NODE "ports:\n  - {name: out, address: 192.0.2.1/24}\n" REALMS,
		 "3: missing key \"device\" in ports: expected a DPDK device such as "
		 "\"net_af_packet0,iface=eth1\" or a PCI address such as 0000:03:00.0"},
		{NODE PORTS "realms:\n  - {name: a, port: out, trust: trusted}\n",
		 "6: missing key \"sip\" in realms: expected SIP listeners such as \"udp:5060\"\n"
		 "6: missing key \"media\" in realms: expected two UDP ports from 1024 to 65535, "
		 "such as 20000-29999"},
		{"node: edge\n" PORTS REALMS,
		 "1: node: edge: expected a mapping with the keys name, workers, cpus, idle, "
		 "hugepages, memory_mb, mbufs, rx_desc, tx_desc, product, log, log_rate, control, "
		 "pidfile, key_file, limits, t1, t2, t4, ring_timeout, max_call, drain_timeout"},
		{NODE "ports: {name: out}\n" REALMS,
		 "2: ports: a mapping: expected a list of ports"},
		{NODE PORTS REALMS "peers:\n",
		 "8: peers: nothing: expected a list of at least one peer"},
		{NODE PORTS REALMS "routes: []\n",
		 "8: routes: a list: expected a list of at least one route"},
		{"node: {name: [a]}\n" PORTS REALMS,
		 "1: name: a list: expected a name of up to 31 letters, digits, '-', '_' or '.'"},
		{"node: {name: abcdefghijklmnopqrstuvwxyz0123456}\n" PORTS REALMS,
		 "1: name: abcdefghijklmnopqrstuvwxyz0123456: expected a name of up to 31 letters, "
		 "digits, '-', '_' or '.'"},
		{NODE PORTS "realms:\n"
			    "  - {name: a, port: out, trust: yes, nat: yes, latch: off,\n"
			    "     sip: 5060, media: 20000-20999, unknown_headers: keep,\n"
			    "     user_agent: show, unknown_media: drop}\n",
		 "6: trust: yes: expected untrusted or trusted\n"
		 "6: nat: yes: expected true or false\n"
		 "6: latch: off: expected never or signalled or any\n"
		 "7: sip: 5060: expected SIP listeners such as \"udp:5060\"\n"
		 "7: unknown_headers: keep: expected drop or carry\n"
		 "8: user_agent: show: expected hide or carry\n"
		 "8: unknown_media: drop: expected refuse or relay"},
		{"node: {name: a, idle: sleep, hugepages: true, log: loud}\n" PORTS REALMS,
		 "1: idle: sleep: expected poll or backoff\n"
		 "1: hugepages: true: expected auto or yes or no\n"
		 "1: log: loud: expected error or warn or info or debug"},
	};

	(void)state;
	CHECK(v);
}

static void numbers_and_bounds(void **state)
{
#define NODE_WITH(x) "node: {name: edge, " x "}\n" PORTS REALMS
	static const struct config_vector v[] = {
		{NODE_WITH("workers: 0"), "1: workers: 0: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: 17"), "1: workers: 17: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: -1"), "1: workers: -1: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: two"),
		 "1: workers: two: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: 010"),
		 "1: workers: 010: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: 0x1"),
		 "1: workers: 0x1: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: 1.5"),
		 "1: workers: 1.5: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: \"1\""),
		 "1: workers: 1: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: 4294967297"),
		 "1: workers: 4294967297: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: 99999999999999999999"),
		 "1: workers: 99999999999999999999: expected a whole number from 1 to 16"},
		{NODE_WITH("workers: "),
		 "1: workers: nothing: expected a whole number from 1 to 16"},
		{NODE_WITH("cpus: [0, x]"), "1: cpus: x: expected a whole number from 0 to 1023"},
		{NODE_WITH("cpus: [0]"),
		 "1: cpus: 1 entries: expected 2: control's CPU, then one for each worker"},
		{NODE_WITH("t1: 10"), "1: t1: 10: expected a whole number from 50 to 10000"},
		{NODE_WITH("t1: 500, t2: 400"),
		 "1: t2 (400 ms) below t1 (500 ms): expected t1 or more"},
		{NODE_WITH("limits: {calls: 0, registrations: 16000001}"),
		 "1: calls: 0: expected a whole number from 1 to 4000000\n"
		 "1: registrations: 16000001: expected a whole number from 1 to 16000000"},
		{NODE_WITH("control: run/x.sock, pidfile: x, key_file: y"),
		 "1: control: run/x.sock: expected an absolute path of up to 107 characters\n"
		 "1: pidfile: x: expected an absolute path\n"
		 "1: key_file: y: expected an absolute path"},
		{NODE_WITH("product: \"a\\r\\nb\""),
		 "1: product: a\?\?b: expected a product name such as Postern/1.0, up to 31 "
		 "characters"},
		{"node: {name: \"a b\"}\n" PORTS REALMS,
		 "1: name: a b: expected a name of up to 31 letters, digits, '-', '_' or '.'"},
		{NODE "domains: [example.com, \"-x\", EXAMPLE.com]\n" PORTS REALMS,
		 "2: domains: -x: expected a host name such as example.com, or an address\n"
		 "2: domains: EXAMPLE.com stands twice: it is on line 2 already"},
	};

	(void)state;
	CHECK(v);
}

static void more_entries_than_there_is_room_for(void **state)
{
	static char text[16384], expected[128];
	static struct config_report report;
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", WHOLE);

	(void)state;
	for (unsigned i = 0; i < SNAPSHOT_MAX_ROUTES - 1; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "  - {from: access, to: pbx, prefix: \"%u\"}\n", 100 + i);
	assert_null(config_parse("t", text, n, CONFIG_CHECK_TEXT, &report));
	assert_int_equal(report.count, 1);
	assert_int_equal(report.mistake[0].line, 10 + SNAPSHOT_MAX_ROUTES + 1);
	snprintf(expected, sizeof(expected), "routes: %u entries: expected at most %u",
		 SNAPSHOT_MAX_ROUTES + 1, SNAPSHOT_MAX_ROUTES);
	assert_string_equal(report.mistake[0].text, expected);

	n = (size_t)snprintf(text, sizeof(text), "%s", NODE PORTS "realms:\n");
	for (unsigned i = 0; i <= SNAPSHOT_MAX_LISTENERS / 11; i++) {
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			"  - {name: r%u, port: in, trust: trusted, media: %u-%u, sip: [", i,
			20000 + i * 100, 20099 + i * 100);
		for (unsigned j = 0; j < 11; j++)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"udp:%u\"",
					      j ? "," : "", 5000 + i * 20 + j);
		n += (size_t)snprintf(text + n, sizeof(text) - n, "]}\n");
	}
	assert_null(config_parse("t", text, n, CONFIG_CHECK_TEXT, &report));
	assert_int_equal(report.count, 1);
	snprintf(expected, sizeof(expected), "sip: expected at most %u listeners in all realms",
		 SNAPSHOT_MAX_LISTENERS);
	assert_string_equal(report.mistake[0].text, expected);
}

static void more_mistakes_than_are_kept(void **state)
{
	static struct config_report report;
	static char text[8192], out[64 * 1024];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s", WHOLE);
	FILE *f = fmemopen(out, sizeof(out), "w");

	(void)state;
	for (unsigned i = 0; i < 70; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "zzzzzzzzzzzz%u: 1\n", i);
	assert_null(config_parse("t", text, n, CONFIG_CHECK_TEXT, &report));
	assert_int_equal(report.count, 70);
	assert_int_equal(config_report_print(&report, f), CONFIG_MAX_MISTAKES);
	fclose(f);
	assert_non_null(strstr(out, "t:13: unknown key \"zzzzzzzzzzzz0\""));
	assert_non_null(strstr(out, "t: and 6 more mistakes\n"));
}

static void a_file_that_cannot_be_read(void **state)
{
	static struct config_report report;

	(void)state;
	assert_null(config_load("/nosuchfile.yaml", CONFIG_CHECK_TEXT, &report));
	assert_int_equal(report.count, 1);
	assert_string_equal(report.mistake[0].text, "cannot be read: No such file or directory");
	assert_null(config_load("/", CONFIG_CHECK_TEXT, &report));
	assert_string_equal(report.mistake[0].text, "cannot be read: Is a directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_a_document),
		cmocka_unit_test(keys_and_types),
		cmocka_unit_test(numbers_and_bounds),
		cmocka_unit_test(more_entries_than_there_is_room_for),
		cmocka_unit_test(more_mistakes_than_are_kept),
		cmocka_unit_test(a_file_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
