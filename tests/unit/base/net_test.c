#include "sbc/base/net.h"

#include <arpa/inet.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static void only_four_plain_octets_are_an_address(void **state)
{
	static const char *const bad[] = {
		"",         "1",          "1.2.3",     "1.2.3.4.5", "1.2.3.",
		".1.2.3",   "1..2.3",     "1.2.3.256", "1.2.3.04",  "010.0.0.1",
		"1.2.3.4 ", " 1.2.3.4",   "+1.2.3.4",  "1.2.3.-4",  "1.2.3.0x4",
		"1.2.3.4a", "1.2.3.1000", "::1",       "1.2.3.4:5", "a.b.c.d",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct guard g;
		uint32_t ip = 7, n = (uint32_t)strlen(bad[i]);
		assert_false(net_ip_parse(slice_of(guard_end(&g, bad[i], n), n), &ip));
		assert_int_equal(ip, 7);
		guard_free(&g);
	}
	assert_false(net_ip_parse(SLICE_NONE, &(uint32_t){0}));
}

static void addresses_are_in_network_order(void **state)
{
	struct net_addr a;
	uint32_t ip;

	(void)state;
	assert_true(net_ip_parse(SLICE_LIT("255.0.10.1"), &ip));
	assert_int_equal(ip, htonl(0xff000a01));
	assert_true(net_addr_parse(SLICE_LIT("10.0.0.1:5060"), &a));
	assert_int_equal(a.ip, htonl(0x0a000001));
	assert_int_equal(a.port, 5060);
}

static void a_port_is_1_to_65535(void **state)
{
	static const char *const bad[] = {"10.0.0.1",       "10.0.0.1:",   "10.0.0.1:0",  ":5060",
					  "10.0.0.1:65536", "10.0.0.1:1 ", "10.0.0.1:1:2"};
	struct net_addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(net_addr_parse(slice_str(bad[i]), &a));
	assert_false(net_addr_parse(SLICE_NONE, &a));
	assert_true(net_addr_parse(SLICE_LIT("10.0.0.1:65535"), &a));
}

static void what_is_written_is_read_again(void **state)
{
	uint64_t seed = 3;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		char text[NET_ADDR_STRLEN];
		struct net_addr in = {(uint32_t)unit_random(&seed),
				      (uint16_t)(unit_random(&seed) % 65535 + 1)};
		struct net_addr out;
		struct wbuf w;
		wbuf_init(&w, text, sizeof(text));
		net_addr_write(&w, in);
		assert_true(net_addr_parse(wbuf_slice(&w), &out));
		assert_true(net_addr_eq(in, out));
	}
}

static void an_address_is_written_whole_or_not_at_all(void **state)
{
	char text[8];
	struct wbuf w;

	(void)state;
	wbuf_init(&w, text, sizeof(text));
	net_ip_write(&w, htonl(0x0a0a0a0a));
	assert_false(wbuf_ok(&w));
	assert_int_equal(w.n, 0);
}

static void media_may_go_to_unicast_only(void **state)
{
	static const struct {
		const char *ip;
		bool ok;
	} v[] = {{"0.0.0.0", false},        {"0.1.2.3", false},        {"1.0.0.0", true},
		 {"10.0.0.1", true},        {"126.255.255.255", true}, {"127.0.0.1", false},
		 {"128.0.0.0", true},       {"192.168.1.1", true},     {"223.255.255.255", true},
		 {"224.0.0.1", false},      {"239.1.1.1", false},      {"240.0.0.1", false},
		 {"255.255.255.255", false}};
	uint32_t ip;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_true(net_ip_parse(slice_str(v[i].ip), &ip));
		assert_int_equal(net_ip_is_unicast(ip), v[i].ok);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_four_plain_octets_are_an_address),
		cmocka_unit_test(addresses_are_in_network_order),
		cmocka_unit_test(a_port_is_1_to_65535),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(an_address_is_written_whole_or_not_at_all),
		cmocka_unit_test(media_may_go_to_unicast_only),
	};
	return cmocka_run_group_tests_name("base/net", tests, NULL, NULL);
}
