/* Further media addresses of realms and of groups. */
#include "tests/unit/control/config_fixture.h"

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
	static const struct config_vector v[] = {
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
	struct config *c = config_parse_good(MEDIA("[192.0.2.10-192.0.2.12,\n     192.0.2.9]", ""));
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
	struct config *c = config_parse_good(
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(further_media_addresses),
		cmocka_unit_test(further_media_addresses_are_the_realms),
		cmocka_unit_test(groups_have_further_media_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
