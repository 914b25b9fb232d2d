/* Mistakes of ports, realms, peers and routes, and of the devices beneath. */
#include "tests/unit/control/config_fixture.h"

static void ports(void **state)
{
#define PORT(x) NODE "ports:\n  - {name: out, " x "}\n" REALM_OUT
#define REALM_OUT                                                                                  \
	"realms:\n  - {name: a, port: out, trust: trusted, sip: [\"udp:5060\"], media: "           \
	"20000-20999}\n"
#define NULL0 "device: net_null0, "
	static const struct config_vector v[] = {
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
	static const struct config_vector v[] = {
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
	static const struct config_vector v[] = {
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

static void devices_that_are_not_there(void **state)
{
#define DEVICE(x)                                                                                  \
	NODE "ports:\n  - {name: out, device: \"" x "\", address: 192.0.2.1/24}\n" REALM_OUT
	static const struct config_vector v[] = {
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
	config_check_vectors(v, sizeof(v) / sizeof(v[0]), CONFIG_CHECK_DEVICES);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		free(config_parse_good(v[i].text));
	c = config_parse("t", good, strlen(good), CONFIG_CHECK_DEVICES, &report);
	assert_non_null(c);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports),
		cmocka_unit_test(realms),
		cmocka_unit_test(peers_and_routes),
		cmocka_unit_test(devices_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
