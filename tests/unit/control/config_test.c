/*
 * Every mistake of a configuration is refused at its line, with what was expected.
 * Argument: docs/configuration.md.
 */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/config.h"
#include "control/node_key.h"
#include "control/secret.h"

#define NODE "node: {name: edge}\n"
#define PORTS                                                                                      \
	"ports:\n"                                                                                 \
	"  - {name: out, device: net_null0, address: 192.0.2.1/24}\n"                              \
	"  - {name: in, device: net_null1, address: 10.0.0.1/24}\n"
#define REALMS                                                                                     \
	"realms:\n"                                                                                \
	"  - {name: access, port: out, trust: untrusted, sip: [\"udp:5060\"], media: "             \
	"20000-20999}\n"                                                                           \
	"  - {name: core, port: in, trust: trusted, sip: [\"udp:5060\"], media: 20000-20999}\n"
#define PEERS                                                                                      \
	"peers:\n"                                                                                 \
	"  - {name: pbx, realm: core, address: \"10.0.0.10:5060\"}\n"
#define ROUTES                                                                                     \
	"routes:\n"                                                                                \
	"  - {from: access, to: pbx}\n"                                                            \
	"  - {from: core, to: registered}\n"
/* Lines 1, 2 to 4, 5 to 7, 8 and 9, 10 to 12. */
#define WHOLE NODE PORTS REALMS PEERS ROUTES

#define REALM(port, sip, media)                                                                    \
	"  - {name: extra, port: " port ", trust: trusted, sip: [" sip "], media: " media "}\n"

struct vector {
	const char *text;
	const char *mistakes; /* as printed, without the file's name */
};

static void print_mistakes(const struct config_report *r, char *out, size_t cap)
{
	FILE *f = fmemopen(out, cap, "w");

	assert_non_null(f);
	for (uint32_t i = 0; i < config_report_kept(r); i++)
		fprintf(f, "%s%u: %s", i ? "\n" : "", r->mistake[i].line, r->mistake[i].text);
	fclose(f);
}

static void check_vectors(const struct vector *v, size_t n, enum config_check check)
{
	static struct config_report report;
	static char got[CONFIG_MAX_MISTAKES * CONFIG_MISTAKE_LEN];

	for (size_t i = 0; i < n; i++) {
		struct config *c = config_parse("t", v[i].text, strlen(v[i].text), check, &report);

		memset(got, 0, sizeof(got));
		print_mistakes(&report, got, sizeof(got));
		if (c || strcmp(got, v[i].mistakes) != 0)
			print_error("for:\n%s", v[i].text);
		assert_null(c);
		assert_string_equal(got, v[i].mistakes);
	}
}

#define CHECK(vectors)                                                                             \
	check_vectors(vectors, sizeof(vectors) / sizeof((vectors)[0]), CONFIG_CHECK_TEXT)

static struct config *parse_good(const char *text)
{
	static struct config_report report;
	struct config *c = config_parse("t", text, strlen(text), CONFIG_CHECK_TEXT, &report);

	if (!c)
		config_report_print(&report, stderr);
	assert_non_null(c);
	assert_int_equal(report.count, 0);
	return c;
}

static void what_is_not_a_document(void **state)
{
	static const struct vector v[] = {
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
	static const struct vector v[] = {
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
	static const struct vector v[] = {
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

static void ports(void **state)
{
#define PORT(x) NODE "ports:\n  - {name: out, " x "}\n" REALM_OUT
#define REALM_OUT                                                                                  \
	"realms:\n  - {name: a, port: out, trust: trusted, sip: [\"udp:5060\"], media: "           \
	"20000-20999}\n"
#define NULL0 "device: net_null0, "
	static const struct vector v[] = {
		{PORT(NULL0 "address: 192.0.2.1"),
		 "3: address: 192.0.2.1: expected an address with its prefix length, such as "
		 "203.0.113.1/24"},
		{PORT(NULL0 "address: 192.0.2.1/33"),
		 "3: address: 192.0.2.1/33: expected an address with its prefix length, such as "
		 "203.0.113.1/24"},
		{PORT(NULL0 "address: 192.0.2/24"),
		 "3: address: 192.0.2/24: expected an address with its prefix length, such as "
		 "203.0.113.1/24"},
		{PORT(NULL0 "address: 192.0.2.0/24"),
		 "3: address: 192.0.2.0/24: expected the address of a host in that network, not "
		 "the network's own, its broadcast or a special one"},
		{PORT(NULL0 "address: 192.0.2.255/24"),
		 "3: address: 192.0.2.255/24: expected the address of a host in that network, not "
		 "the network's own, its broadcast or a special one"},
		{PORT(NULL0 "address: 127.0.0.1/8"),
		 "3: address: 127.0.0.1/8: expected the address of a host in that network, not "
		 "the network's own, its broadcast or a special one"},
		{PORT(NULL0 "address: 192.0.2.1/24, gateway: 192.0.3.1"),
		 "3: gateway: 192.0.3.1 is off-link: expected a host of 192.0.2.1/24"},
		{PORT(NULL0 "address: 192.0.2.1/24, gateway: 192.0.2.1"),
		 "3: gateway: 192.0.2.1 is the port's own address: expected the router's"},
		{PORT(NULL0 "address: 192.0.2.1/24, gateway: router"),
		 "3: gateway: router: expected an address on the port's own network"},
		{PORT(NULL0 "address: 192.0.2.1/24, vlan: 4095"),
		 "3: vlan: 4095: expected a whole number from 1 to 4094"},
		{PORT(NULL0 "address: 192.0.2.1/24, mtu: 100"),
		 "3: mtu: 100: expected a whole number from 576 to 9000"},
		{PORT(NULL0 "address: 192.0.2.1/24, mac: 01:00:00:00:00:01"),
		 "3: mac: 01:00:00:00:00:01: expected a unicast MAC address such as "
		 "02:00:00:00:00:01"},
		{PORT(NULL0 "address: 192.0.2.1/24, mac: 02:00:00:00:00"),
		 "3: mac: 02:00:00:00:00: expected a unicast MAC address such as "
		 "02:00:00:00:00:01"},
		{PORT("device: eth0, address: 192.0.2.1/24"),
		 "3: device: eth0: expected one of net_af_packet, net_af_xdp, net_virtio_user, "
		 "net_vhost, net_tap, net_pcap, net_ring, net_null, or a PCI address such as "
		 "0000:03:00.0"},
		{PORT("device: net_af_packetx, address: 192.0.2.1/24"),
		 "3: device: net_af_packetx: expected one of net_af_packet, net_af_xdp, "
		 "net_virtio_user, net_vhost, net_tap, net_pcap, net_ring, net_null, or a PCI "
		 "address such as 0000:03:00.0"},
		{PORT("device: net_af_packet0, address: 192.0.2.1/24"),
		 "3: device: net_af_packet0: expected iface=INTERFACE with it"},
		{PORT("device: \"net_virtio_user0,queues=1\", address: 192.0.2.1/24"),
		 "3: device: net_virtio_user0,queues=1: expected path=PATH with it"},
		{NODE "ports:\n"
		      "  - {name: out, device: net_null0, address: 192.0.2.1/24}\n"
		      "  - {name: out, device: net_null0, address: 192.0.3.1/24}\n" REALM_OUT,
		 "4: name: port out stands twice: it is on line 3 already\n"
		 "4: device: port out on line 3 has this device with the same VLAN: expected "
		 "another device or another vlan"},
		{NODE "ports:\n"
		      "  - {name: out, device: \"net_tap0,iface=a\", address: 192.0.2.1/24}\n"
		      "  - {name: in, device: \"net_tap0,iface=b\", address: 192.0.3.1/24,\n"
		      "     vlan: 5}\n" REALM_OUT,
		 "4: device: net_tap0 has other arguments on line 3: expected the same device "
		 "written the same way"},
	};

	(void)state;
	CHECK(v);
}

static void realms(void **state)
{
	static const struct vector v[] = {
		{NODE PORTS REALMS
		 "  - {name: core, port: in, trust: trusted, sip: [\"udp:5070\"], "
		 "media: 30000-30999}\n",
		 "8: name: realm core stands twice: it is on line 7 already"},
		{NODE PORTS REALMS REALM("nowhere", "\"udp:5060\"", "20000-29999"),
		 "8: port: nowhere: expected the name of a port in ports"},
		{NODE PORTS REALMS REALM("in", "\"udp:5070\"", "20998-21999"),
		 "8: media: 20998-21999 overlaps 20000-20999 of realm core on line 7, which has "
		 "the same address: expected a range of its own"},
		{NODE PORTS REALMS REALM("in", "\"udp:5060\"", "30000-30999"),
		 "8: sip: udp:5060 is taken by realm core on line 7, which has the same address: "
		 "expected another port"},
		{NODE PORTS REALMS REALM("in", "\"udp:20500\"", "30000-30999"),
		 "8: sip: port 20500 lies in the media range 20000-20999 of realm core: expected a "
		 "port outside it"},
		{NODE PORTS REALMS REALM("in", "\"udp:30001\"", "30000-30999"),
		 "8: sip: port 30001 lies in the media range 30000-30999 of realm extra: expected "
		 "a port outside it"},
		{NODE PORTS REALMS REALM("in", "\"tcp:5070\", \"udp:0\", \"udp:65536\", \"udp:\"",
					 "30000-30999"),
		 "8: sip: tcp:5070: expected udp: and a port from 1 to 65535, such as "
		 "\"udp:5060\"\n"
		 "8: sip: udp:0: expected udp: and a port from 1 to 65535, such as \"udp:5060\"\n"
		 "8: sip: udp:65536: expected udp: and a port from 1 to 65535, such as "
		 "\"udp:5060\"\n"
		 "8: sip: udp:: expected udp: and a port from 1 to 65535, such as \"udp:5060\""},
		{NODE PORTS REALMS REALM("in", "\"udp:5070\"", "30000"),
		 "8: media: 30000: expected two UDP ports from 1024 to 65535, such as 20000-29999"},
		{NODE PORTS REALMS REALM("in", "\"udp:5070\"", "30999-30000"),
		 "8: media: 30999-30000: expected two UDP ports from 1024 to 65535, such as "
		 "20000-29999"},
		{NODE PORTS REALMS REALM("in", "\"udp:5070\"", "1023-2000"),
		 "8: media: 1023-2000: expected two UDP ports from 1024 to 65535, such as "
		 "20000-29999"},
		{NODE PORTS REALMS REALM("in", "\"udp:5070\"", "30000-65536"),
		 "8: media: 30000-65536: expected two UDP ports from 1024 to 65535, such as "
		 "20000-29999"},
		{"node: {name: a, workers: 4}\n" PORTS REALMS REALM("in", "\"udp:5070\"",
								    "30000-30006"),
		 "8: media: 30000-30006 is too small: expected at least one pair of an even and an "
		 "odd port for each of 4 workers"},
		{NODE PORTS REALMS "  - {name: x, port: in, trust: trusted, sip: [\"udp:5070\"], "
				   "media: 30000-30999,\n"
				   "     domain: \"a..b\", media_dscp: 64, sip_dscp: 99}\n",
		 "9: media_dscp: 64: expected a whole number from 0 to 63\n"
		 "9: sip_dscp: 99: expected a whole number from 0 to 63"},
		{NODE PORTS REALMS "  - {name: x, port: in, trust: trusted, sip: [\"udp:5070\"], "
				   "media: 30000-30999,\n"
				   "     domain: \"a..b\"}\n",
		 "9: domain: a..b: expected a host name such as example.com, or an address"},
		/* The same address on two VLANs: still one address. */
		{NODE "ports:\n"
		      "  - {name: a, device: net_null0, address: 10.0.0.1/24, vlan: 1}\n"
		      "  - {name: b, device: net_null0, address: 10.0.0.1/24, vlan: 2}\n"
		      "realms:\n" REALM("a", "\"udp:5060\"",
					"20000-20999") "  - {name: y, port: b, trust: trusted, "
						       "sip: [\"udp:5060\"], media: "
						       "20500-21499}\n",
		 "7: media: 20500-21499 overlaps 20000-20999 of realm extra on line 6, which has "
		 "the same address: expected a range of its own\n"
		 "7: sip: udp:5060 is taken by realm extra on line 6, which has the same address: "
		 "expected another port"},
	};

	(void)state;
	CHECK(v);
}

static void peers_and_routes(void **state)
{
#define PEER(x) NODE PORTS REALMS PEERS "  - {name: other, " x "}\n"
	static const struct vector v[] = {
		{NODE PORTS REALMS PEERS
		 "  - {name: pbx, realm: core, address: \"10.0.0.11:5060\"}\n",
		 "10: name: peer pbx stands twice: it is on line 9 already"},
		{NODE PORTS REALMS "peers:\n"
				   "  - {name: registered, realm: core, address: "
				   "\"10.0.0.11:5060\"}\n",
		 "9: name: registered is reserved for routes to registered phones: expected "
		 "another "
		 "name"},
		{PEER("realm: nowhere, address: \"10.0.0.11:5060\""),
		 "10: realm: nowhere: expected the name of a realm in realms"},
		{PEER("realm: core, address: 10.0.0.11"),
		 "10: address: 10.0.0.11: expected an address and a UDP port, such as "
		 "\"10.0.0.10:5060\""},
		{PEER("realm: core, address: \"pbx.example.com:5060\""),
		 "10: address: pbx.example.com:5060: expected an address and a UDP port, such as "
		 "\"10.0.0.10:5060\""},
		{PEER("realm: core, address: \"224.0.0.1:5060\""),
		 "10: address: 224.0.0.1:5060: expected an address and a UDP port, such as "
		 "\"10.0.0.10:5060\""},
		{PEER("realm: core, address: \"10.0.1.10:5060\""),
		 "10: address: 10.0.1.10:5060 is not reachable: expected a host of the network of "
		 "port in, or a gateway there"},
		{PEER("realm: core, address: \"10.0.0.255:5060\""),
		 "10: address: 10.0.0.255:5060 is the network or broadcast address of port in: "
		 "expected a host's"},
		{PEER("realm: core, address: \"10.0.0.1:5060\""),
		 "10: address: 10.0.0.1:5060 is one of the border's own: expected the peer's"},
		{PEER("realm: core, address: \"192.0.2.1:5060\""),
		 "10: address: 192.0.2.1:5060 is one of the border's own: expected the peer's"},
		{PEER("realm: core, address: \"10.0.0.10:5060\""),
		 "10: address: 10.0.0.10:5060 is peer pbx on line 9 already: expected one peer for "
		 "one address"},
		{PEER("realm: core, address: \"10.0.0.11:5060\", domain: \"b_d\""),
		 "10: domain: b_d: expected a host name such as example.com, or an address"},
		{NODE PORTS REALMS PEERS "routes:\n"
					 "  - {from: nowhere, to: pbx}\n"
					 "  - {from: access, to: noone}\n",
		 "11: from: nowhere: expected the name of a realm in realms\n"
		 "12: to: noone: expected the name of a peer in peers, or registered"},
		{WHOLE "  - {from: access, to: registered, prefix: \"9\"}\n",
		 "13: from: access: this route is never used, the one on line 11 takes all it "
		 "could: expected the longer prefix first"},
		{WHOLE "  - {from: core, to: pbx}\n",
		 "13: from: core: this route is never used, the one on line 12 takes all it could: "
		 "expected the longer prefix first"},
		{NODE PORTS REALMS PEERS "routes:\n"
					 "  - {from: access, to: pbx, prefix: \"9 1\"}\n",
		 "11: prefix: 9 1: expected the beginning of a called user, up to 31 characters "
		 "without spaces"},
	};

	(void)state;
	CHECK(v);
}

static void where_state_is_kept(void **state)
{
#define STATE(x) WHOLE "state: {" x "}\n"
#define ENDPOINTS                                                                                  \
	"expected a host and a TCP port such as \"10.0.9.5:6379\", or \"unix:\" and an absolute "  \
	"path of up to 107 characters"
	static const struct vector v[] = {
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

#define KEYED                                                                                      \
	"node: {name: edge, key_file: /k}\n" PORTS REALMS PEERS ROUTES                             \
	"state: {redis: \"10.0.9.5:6379\"}\n"
#define NODES                                                                                      \
	"  nodes: [{name: edge, address: \"10.0.9.1:7400\"}, {name: b, address: \"nb:7400\"}]\n"
#define CLUSTER(x) KEYED "cluster:\n  name: c\n" NODES "  groups:\n" x
#define GROUP1                                                                                     \
	"  - {name: g1, home: edge, addresses: [{realm: access, ip: 192.0.2.11},\n"                \
	"     {realm: core, ip: 10.0.0.11}]}\n"

static void clusters(void **state)
{
	static const struct vector v[] = {
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

static void devices_that_are_not_there(void **state)
{
#define DEVICE(x)                                                                                  \
	NODE "ports:\n  - {name: out, device: \"" x "\", address: 192.0.2.1/24}\n" REALM_OUT
	static const struct vector v[] = {
		{DEVICE("net_af_packet0,iface=nosuchif0"),
		 "3: device: there is no interface nosuchif0: expected one that `ip link` shows"},
		{DEVICE("net_af_xdp0,iface=nosuchif0,start_queue=0"),
		 "3: device: there is no interface nosuchif0: expected one that `ip link` shows"},
		{DEVICE("net_virtio_user0,path=/nosuchdir/v.sock"),
		 "3: device: there is no directory for /nosuchdir/v.sock: expected one that "
		 "exists"},
		{DEVICE("net_vhost0,iface=/nosuchdir/v.sock"),
		 "3: device: there is no directory for /nosuchdir/v.sock: expected one that "
		 "exists"},
		{DEVICE("net_pcap0,rx_pcap=/nosuchfile.pcap"),
		 "3: device: /nosuchfile.pcap: expected a readable file"},
		{DEVICE("0000:ff:1f.7"),
		 "3: device: there is no PCI device 0000:ff:1f.7: expected one that `lspci -D` "
		 "shows"},
		{DEVICE("ff:1f.7"),
		 "3: device: there is no PCI device 0000:ff:1f.7: expected one that `lspci -D` "
		 "shows"},
		{"node: {name: a, cpus: [0, 1023]}\n" PORTS REALMS,
		 "1: cpus: there is no CPU 1023: expected one that `lscpu` shows"},
		{"node: {name: a, key_file: /nosuchdir/key}\n" PORTS REALMS,
		 "1: key_file: /nosuchdir/key: No such file or directory: expected a file with 32 "
		 "hexadecimal digits"},
		{NODE PORTS REALMS "state: {redis: \"r:1\", password_file: /nosuchdir/pw}\n",
		 "8: password_file: /nosuchdir/pw: No such file or directory: expected a file with "
		 "a password of up to 511 characters on one line"},
	};
	static struct config_report report;
	const char *good = DEVICE("net_af_packet0,iface=lo");
	struct config *c;

	(void)state;
	check_vectors(v, sizeof(v) / sizeof(v[0]), CONFIG_CHECK_DEVICES);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		free(parse_good(v[i].text));
	c = config_parse("t", good, strlen(good), CONFIG_CHECK_DEVICES, &report);
	assert_non_null(c);
	free(c);
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

static void a_whole_file_becomes_a_snapshot(void **state)
{
	struct config *c = parse_good(WHOLE);
	const struct snapshot *s = &c->snapshot;
	struct snapshot_realm expected;

	(void)state;
	assert_ptr_equal(c->dp.snapshot, s);
	assert_string_equal(s->node, "edge");
	assert_string_equal(c->dp.program, "postern-edge");
	assert_int_equal(c->dp.workers, 1);
	assert_int_equal(c->dp.idle, DP_IDLE_BACKOFF);
	assert_int_equal(c->dp.cpus[0], -1);
	assert_int_equal(c->dp.cpus[DP_MAX_WORKERS], -1);
	assert_int_equal(c->hugepages, CONFIG_HUGE_AUTO);
	assert_string_equal(c->control, "/run/postern/control.sock");
	assert_int_equal(c->dp.ports, 2);
	assert_int_equal(c->dp.port[0].ip, inet_addr("192.0.2.1"));
	assert_int_equal(c->dp.port[0].prefix, 24);
	assert_int_equal(c->dp.port[0].mtu, 1500);
	assert_int_equal(c->dp.realm_port[0], 0);
	assert_int_equal(c->dp.realm_port[1], 1);
	assert_int_equal(s->realms, 2);
	assert_int_equal(s->listeners, 2);
	assert_int_equal(s->listener[1].realm, 1);
	assert_int_equal(s->listener[1].addr.ip, inet_addr("10.0.0.1"));
	assert_int_equal(s->listener[1].addr.port, 5060);
	memset(&expected, 0, sizeof(expected));
	snapshot_realm_defaults(&expected, SNAPSHOT_UNTRUSTED, false);
	assert_int_equal(s->realm[0].latch, expected.latch);
	assert_int_equal(s->realm[0].hide_user_agent, expected.hide_user_agent);
	assert_int_equal(s->realm[0].media_timeout_s, expected.media_timeout_s);
	assert_int_equal(s->realm[0].media_ip, inet_addr("192.0.2.1"));
	assert_int_equal(s->realm[0].media_lo, 20000);
	assert_int_equal(s->realm[0].media_hi, 20999);
	assert_int_equal(s->peers, 1);
	assert_int_equal(s->peer[0].realm, 1);
	assert_int_equal(s->peer[0].addr.ip, inet_addr("10.0.0.10"));
	assert_int_equal(s->routes, 2);
	assert_int_equal(s->route[0].target, SNAPSHOT_TO_PEER);
	assert_int_equal(s->route[0].peer, 0);
	assert_int_equal(s->route[1].from, 1);
	assert_int_equal(s->route[1].target, SNAPSHOT_TO_REGISTERED);
	free(c);
}

static void every_setting_arrives(void **state)
{
	struct config *c = parse_good(
		"node:\n"
		"  {name: n, workers: 2, cpus: [0, 1, 1], idle: poll, hugepages: \"no\",\n"
		"   memory_mb: 512, mbufs: 8192, rx_desc: 256, tx_desc: 512, product: Border/2,\n"
		"   log: debug, log_rate: 7, control: /tmp/c, pidfile: /tmp/p, key_file: /tmp/k,\n"
		"   limits: {calls: 800, registrations: 1600}, t1: 100, t2: 200, t4: 300,\n"
		"   ring_timeout: 20, max_call: 3600, drain_timeout: 5}\n"
		"domains: [example.com]\n"
		"ports:\n"
		"  - {name: p, device: net_null0, address: 10.0.0.1/24, gateway: 10.0.0.254,\n"
		"     vlan: 7, mtu: 1400, mac: 02:aB:00:00:00:01}\n"
		"realms:\n"
		"  - {name: r, port: p, trust: untrusted, nat: true, latch: any,\n"
		"     sip: [\"udp:5060\", \"udp:5062\"], media: 20001-20100, domain: "
		"r.example.com,\n"
		"     unknown_headers: carry, unknown_media: relay, user_agent: hide,\n"
		"     registered_callers_only: true, max_calls: 5, max_cps: 6, media_timeout: 7,\n"
		"     media_dscp: 46, sip_dscp: 26}\n"
		"peers:\n"
		"  - {name: far, realm: r, address: \"198.51.100.1:5080\", domain: t.example.com}\n"
		"routes:\n"
		"  - {from: r, to: far, prefix: \"+49\"}\n"
		"  - {from: r, to: registered}\n");
	const struct snapshot_realm *r = &c->snapshot.realm[0];
	const uint8_t mac[6] = {2, 0xab, 0, 0, 0, 1};

	(void)state;
	assert_int_equal(c->dp.workers, 2);
	assert_int_equal(c->dp.cpus[0], 0);
	assert_int_equal(c->dp.cpus[2], 1);
	assert_int_equal(c->dp.cpus[3], -1);
	assert_int_equal(c->dp.idle, DP_IDLE_POLL);
	assert_int_equal(c->hugepages, CONFIG_HUGE_NO);
	assert_int_equal(c->dp.memory_mb, 512);
	assert_int_equal(c->dp.mbufs, 8192);
	assert_int_equal(c->dp.rx_desc, 256);
	assert_int_equal(c->dp.tx_desc, 512);
	assert_int_equal(c->dp.limits.calls, 450); /* half, and an eighth to spare */
	assert_int_equal(c->dp.limits.registrations, 900);
	assert_string_equal(c->snapshot.product, "Border/2");
	assert_int_equal(c->log, LOG_LEVEL_DEBUG);
	assert_int_equal(c->log_rate, 7);
	assert_int_equal(c->drain_timeout_s, 5);
	assert_string_equal(c->control, "/tmp/c");
	assert_string_equal(c->pidfile, "/tmp/p");
	assert_string_equal(c->key_file, "/tmp/k");
	assert_int_equal(c->snapshot.t1_ms, 100);
	assert_int_equal(c->snapshot.t2_ms, 200);
	assert_int_equal(c->snapshot.t4_ms, 300);
	assert_int_equal(c->snapshot.ring_timeout_ms, 20000);
	assert_int_equal(c->snapshot.max_call_s, 3600);
	assert_string_equal(c->snapshot.domain[0], "example.com");
	assert_int_equal(c->dp.port[0].gateway, inet_addr("10.0.0.254"));
	assert_int_equal(c->dp.port[0].vlan, 7);
	assert_int_equal(c->dp.port[0].mtu, 1400);
	assert_memory_equal(c->dp.port[0].mac, mac, 6);
	assert_true(r->nat);
	assert_int_equal(r->latch, SNAPSHOT_LATCH_ANY);
	assert_string_equal(r->domain, "r.example.com");
	assert_true(r->carry_unknown_headers);
	assert_true(r->carry_unknown_media);
	assert_true(r->hide_user_agent);
	assert_true(r->calls_need_registration);
	assert_int_equal(r->max_calls, 5);
	assert_int_equal(r->max_cps, 6);
	assert_int_equal(r->media_timeout_s, 7);
	assert_int_equal(r->media_dscp, 46);
	assert_int_equal(r->sip_dscp, 26);
	assert_int_equal(c->snapshot.listeners, 2);
	assert_string_equal(c->snapshot.peer[0].domain, "t.example.com");
	assert_string_equal(c->snapshot.route[0].prefix, "+49");
	free(c);
}

static void state_has_defaults(void **state)
{
	struct config *c = parse_good(WHOLE);

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
	struct config *c = parse_good(WHOLE "state: {directory: /d, durable: none}\n");

	(void)state;
	assert_true(c->state.none);
	assert_false(c->state.behind);
	free(c);
}

static void settings_of_state_arrive(void **state)
{
	struct config *c = parse_good(
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
	c = parse_good(WHOLE "state: {sentinels: [\"s1:26379\", \"[::1]:26379\"], master: m}\n");
	assert_int_equal(c->state.sentinels, 2);
	assert_string_equal(c->state.sentinel[1], "[::1]:26379");
	assert_string_equal(c->state.master, "m");
	free(c);
}

static void settings_of_a_cluster_arrive(void **state)
{
	struct config *c = parse_good(
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
	c = parse_good(CLUSTER(GROUP1));
	assert_int_equal(c->cluster.lease_ms, 300);
	assert_int_equal(c->cluster.alone_ms, 60000);
	assert_int_equal(c->cluster.give_back, CONFIG_GIVE_BACK_AUTO);
	assert_int_equal(c->cluster.give_back_after_s, 30);
	free(c);
}

static void a_realm_has_an_instance_in_each_group(void **state)
{
	struct config *c = parse_good(
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

/* Realm a with further addresses, beside realm b on a port of its own. */
#define MEDIA_PORTS                                                                                \
	"ports:\n"                                                                                 \
	"  - {name: out, device: net_null0, address: 192.0.2.1/24, gateway: 192.0.2.254}\n"        \
	"  - {name: in, device: net_null1, address: 10.0.0.1/24}\n"
#define REALM_A(media)                                                                             \
	"  - {name: a, port: out, trust: untrusted, sip: [\"udp:5060\"], media: 20000-20999,\n"    \
	"     media_addresses: " media "}\n"
#define REALM_B(media)                                                                             \
	"  - {name: b, port: in, trust: trusted, sip: [\"udp:5060\"], media: 20000-20999" media    \
	"}\n"
#define MEDIA(a, b) NODE MEDIA_PORTS "realms:\n" REALM_A(a) REALM_B(b)

static void further_media_addresses(void **state)
{
	static const struct vector v[] = {
		{MEDIA("[192.0.2]", ""),
		 "7: media_addresses: 192.0.2: expected an address, or the first and the last of "
		 "several, such as 203.0.113.64-203.0.113.127"},
		{MEDIA("[192.0.2.20-192.0.2.10]", ""),
		 "7: media_addresses: 192.0.2.20-192.0.2.10: expected an address, or the first and "
		 "the last of several, such as 203.0.113.64-203.0.113.127"},
		{MEDIA("[\"192.0.2.20-\"]", ""),
		 "7: media_addresses: 192.0.2.20-: expected an address, or the first and the last "
		 "of several, such as 203.0.113.64-203.0.113.127"},
		{MEDIA("[192.0.2.10-192.0.2.73]", ""),
		 "7: media_addresses: 192.0.2.10-192.0.2.73: expected at most 63 addresses for a "
		 "realm"},
		{MEDIA("[192.0.2.2, 192.0.2.10-192.0.2.72]", ""),
		 "7: media_addresses: 192.0.2.10-192.0.2.72: expected at most 63 addresses for a "
		 "realm"},
		{MEDIA("[0.0.0.1-255.255.255.255]", ""),
		 "7: media_addresses: 0.0.0.1-255.255.255.255: expected at most 63 addresses for a "
		 "realm"},
		{MEDIA("[192.0.3.10-192.0.3.20]", ""),
		 "7: media_addresses: 192.0.3.10: expected a host of the network of port out"},
		{MEDIA("[192.0.2.250-192.0.2.255]", ""),
		 "7: media_addresses: 192.0.2.254 is out's already: expected an address that only "
		 "this realm has"},
		{MEDIA("[192.0.2.255]", ""),
		 "7: media_addresses: 192.0.2.255: expected a host of the network of port out"},
		{MEDIA("[192.0.2.1]", ""),
		 "7: media_addresses: 192.0.2.1 is out's already: expected an address that only "
		 "this realm has"},
		{MEDIA("[192.0.2.10-192.0.2.20, 192.0.2.20]", ""),
		 "7: media_addresses: 192.0.2.20 is a's already: expected an address that only "
		 "this realm has"},
		{MEDIA("[192.0.2.10]",
		       ", media_addresses: [10.0.0.10]") "peers:\n  - {name: p, realm: b, address: "
							 "\"10.0.0.10:5060\"}\n",
		 "8: media_addresses: 10.0.0.10 is p's already: expected an address that only this "
		 "realm has"},
	};

	(void)state;
	CHECK(v);
}

static void further_media_addresses_are_the_realms(void **state)
{
	struct config *c = parse_good(MEDIA("[192.0.2.10-192.0.2.12,\n     192.0.2.9]", ""));
	const struct snapshot_realm *r;

	(void)state;
	r = &c->snapshot.realm[0];
	assert_int_equal(r->media_ip, inet_addr("192.0.2.1"));
	assert_int_equal(r->media_extras, 4);
	assert_int_equal(r->media_extra[0], inet_addr("192.0.2.10"));
	assert_int_equal(r->media_extra[2], inet_addr("192.0.2.12"));
	assert_int_equal(r->media_extra[3], inet_addr("192.0.2.9"));
	assert_int_equal(c->snapshot.realm[1].media_extras, 0);
	free(c);
}

static void groups_have_further_media_addresses(void **state)
{
	struct config *c = parse_good(
		KEYED "cluster:\n"
		      "  name: c\n"
		      "  nodes: [{name: edge, address: \"10.0.9.1:7400\"}]\n"
		      "  groups:\n"
		      "  - {name: g1, home: edge, addresses: [{realm: core, ip: 10.0.0.11},\n"
		      "     {realm: access, ip: 192.0.2.11, media_addresses: [192.0.2.64]}]}\n"
		      "  - {name: g2, home: edge, addresses: [{realm: core, ip: 10.0.0.12},\n"
		      "     {realm: access, ip: 192.0.2.12,\n"
		      "      media_addresses: [192.0.2.65-192.0.2.66]}]}\n");

	(void)state;
	assert_int_equal(c->snapshot.realm[0].media_extras, 1);
	assert_int_equal(c->snapshot.realm[0].media_extra[0], inet_addr("192.0.2.64"));
	assert_int_equal(c->snapshot.realm[1].media_extras, 0);
	assert_int_equal(c->snapshot.realm[2].media_extras, 2);
	assert_int_equal(c->snapshot.realm[2].media_extra[1], inet_addr("192.0.2.66"));
	free(c);
}

static const char *manual;

static void keys_are_in(const char *text, const cyaml_schema_value_t *v)
{
	char row[64];

	if (v->type == CYAML_SEQUENCE)
		v = v->sequence.entry;
	if (v->type != CYAML_MAPPING)
		return;
	for (const cyaml_schema_field_t *f = v->mapping.fields; f->key; f++) {
		snprintf(row, sizeof(row), "\n| `%s` |", f->key);
		if (!strstr(text, row))
			fail_msg("%s says nothing of %s", manual, f->key);
		keys_are_in(text, &f->value);
	}
}

static void the_manual_has_every_key(void **state)
{
	static char text[128 * 1024];
	FILE *f = fopen(manual, "r");

	(void)state;
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	keys_are_in(text, &config_schema);
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

static void write_key(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static void key_files(void **state)
{
	char path[] = "/tmp/postern-key-XXXXXX", why[512] = "";
	struct siphash_key a = {0, 0}, b = {0, 0};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_key(path, "000102030405060708090a0B0C0d0e0f\n", 0600);
	assert_true(node_key_read(path, &a, why, sizeof(why)));
	assert_true(a.k0 == 0x0706050403020100ull && a.k1 == 0x0f0e0d0c0b0a0908ull);
	write_key(path, "000102030405060708090a0B0C0d0e0f\n", 0640);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0640: expected 0600 or 0400"));
	write_key(path, "000102030405060708090a0B0C0d0e0", 0600);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	assert_non_null(strstr(why, "expected 32 hexadecimal digits"));
	write_key(path, "000102030405060708090a0B0C0d0e0f00", 0600);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	write_key(path, "000102030405060708090a0B0C0d0e0g", 0600);
	assert_false(node_key_read(path, &b, why, sizeof(why)));
	unlink(path);
	assert_true(node_key_random(&a) && node_key_random(&b));
	assert_true(a.k0 != b.k0 || a.k1 != b.k1);
}

/* Processes that come at the same time all get the key of the one that was first. */
static void a_key_is_kept(void **state)
{
	char dir[] = "/tmp/postern-key-XXXXXX", path[64], why[512] = "";
	struct siphash_key a, b;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/key", dir);
	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(node_key_keep(dir, &a, why, sizeof(why)) ? 0 : 1);
	}
	for (int i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_true(node_key_keep(dir, &a, why, sizeof(why)));
	assert_true(node_key_read(path, &b, why, sizeof(why)));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	write_key(path, "not a key\n", 0600);
	assert_false(node_key_keep(dir, &a, why, sizeof(why)));
	assert_non_null(strstr(why, "expected 32 hexadecimal digits"));
	write_key(path, "000102030405060708090a0B0C0d0e0f\n", 0644);
	assert_false(node_key_keep(dir, &a, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0644"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_false(node_key_keep(dir, &a, why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0755: expected 0700"));
	assert_int_equal(rmdir(dir), 0);
	assert_true(node_key_keep(dir, &a, why, sizeof(why)));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_false(node_key_keep("/nosuchdir/state", &a, why, sizeof(why)));
	assert_non_null(strstr(why, "cannot be made"));
}

static void passwords(void **state)
{
	char path[] = "/tmp/postern-pw-XXXXXX", why[512] = "", pw[8];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_key(path, "secret!\n", 0400);
	assert_true(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_string_equal(pw, "secret!");
	write_key(path, "secret!!", 0600);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_non_null(strstr(why, "expected a word"));
	assert_null(strstr(why, "secret"));
	write_key(path, "a\nb\n", 0600);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	write_key(path, "\n", 0600);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	write_key(path, "secret", 0604);
	assert_false(secret_read(path, "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_non_null(strstr(why, "has mode 0604"));
	unlink(path);
	assert_false(secret_read("/", "a word", pw, sizeof(pw), why, sizeof(why)));
	assert_non_null(strstr(why, "expected a file"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_a_document),
		cmocka_unit_test(keys_and_types),
		cmocka_unit_test(numbers_and_bounds),
		cmocka_unit_test(ports),
		cmocka_unit_test(realms),
		cmocka_unit_test(peers_and_routes),
		cmocka_unit_test(where_state_is_kept),
		cmocka_unit_test(clusters),
		cmocka_unit_test(more_than_a_cluster_has_room_for),
		cmocka_unit_test(devices_that_are_not_there),
		cmocka_unit_test(more_entries_than_there_is_room_for),
		cmocka_unit_test(more_mistakes_than_are_kept),
		cmocka_unit_test(a_whole_file_becomes_a_snapshot),
		cmocka_unit_test(every_setting_arrives),
		cmocka_unit_test(state_has_defaults),
		cmocka_unit_test(keeping_nothing_arrives),
		cmocka_unit_test(settings_of_state_arrive),
		cmocka_unit_test(settings_of_a_cluster_arrive),
		cmocka_unit_test(a_realm_has_an_instance_in_each_group),
		cmocka_unit_test(further_media_addresses),
		cmocka_unit_test(further_media_addresses_are_the_realms),
		cmocka_unit_test(groups_have_further_media_addresses),
		cmocka_unit_test(the_manual_has_every_key),
		cmocka_unit_test(a_file_that_cannot_be_read),
		cmocka_unit_test(key_files),
		cmocka_unit_test(a_key_is_kept),
		cmocka_unit_test(passwords),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: config_test MANUAL\n");
		return 2;
	}
	manual = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
