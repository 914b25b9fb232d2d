/* Via values. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/via.h"

static void via_with_rport_and_received(void **state)
{
	struct sip_via v;

	(void)state;
	assert_int_equal(
		sip_via_parse(&v, SLICE_LIT("SIP/2.0/UDP 192.0.2.1:5070;rport=6000;"
					    "received=198.51.100.7;branch=z9hG4bKx , next")),
		SBC_OK);
	assert_slice(v.transport, "UDP");
	assert_slice(v.host, "192.0.2.1");
	assert_int_equal(v.port, 5070);
	assert_true(v.has_rport);
	assert_int_equal(v.rport, 6000);
	assert_slice(v.received, "198.51.100.7");
	assert_slice(v.branch, "z9hG4bKx");
	assert_true(sip_via_is_3261(&v));
	assert_slice(v.params, ";rport=6000;received=198.51.100.7;branch=z9hG4bKx");
	assert_slice(v.whole, "SIP/2.0/UDP 192.0.2.1:5070;rport=6000;received=198.51.100.7;"
			      "branch=z9hG4bKx");
	assert_slice(v.rest, "next");
}

static void via_with_white_space_wherever_it_may_be(void **state)
{
	struct sip_via v;

	(void)state;
	assert_int_equal(
		sip_via_parse(&v, SLICE_LIT("SIP  / 2.0\r\n /TCP     spindle.example.com  :\t"
					    " 99 ;\r\n branch  =   z9hG4bK9ikj8  ,\r\n"
					    " SIP  /    2.0   / UDP  192.168.255.111   ; "
					    "branch=\r\n z9hG4bK30239")),
		SBC_OK);
	assert_slice(v.transport, "TCP");
	assert_slice(v.host, "spindle.example.com");
	assert_int_equal(v.port, 99);
	assert_slice(v.branch, "z9hG4bK9ikj8");
	assert_int_equal(sip_via_parse(&v, v.rest), SBC_OK);
	assert_slice(v.host, "192.168.255.111");
	assert_slice(v.branch, "z9hG4bK30239");
	assert_int_equal(v.rest.n, 0);
}

static void via_with_little(void **state)
{
	struct sip_via v;

	(void)state;
	assert_int_equal(sip_via_parse(&v, SLICE_LIT("SIP/2.0/UDP iftgw.example.com")), SBC_OK);
	assert_int_equal(v.port, 0);
	assert_null(v.branch.p);
	assert_false(v.has_rport);
	assert_false(sip_via_is_3261(&v));
	assert_int_equal(sip_via_parse(&v, SLICE_LIT("SIP/2.0/UDP [2001:db8::1];rport;branch=1")),
			 SBC_OK);
	assert_slice(v.host, "[2001:db8::1]");
	assert_true(v.has_rport);
	assert_int_equal(v.rport, 0);
	assert_false(sip_via_is_3261(&v));
	assert_int_equal(sip_via_parse(&v, SLICE_LIT("SIP/2.0/UDP h;branch=z9hG4bK")), SBC_OK);
	assert_false(sip_via_is_3261(&v));
	assert_int_equal(sip_via_parse(&v, SLICE_LIT("sip/2.0/WSS h;rport=;RECEIVED=2001:db8::2")),
			 SBC_OK);
	assert_true(v.has_rport);
	assert_slice(v.received, "2001:db8::2");
}

static void malformed_values(void **state)
{
	static const char *const values[] = {
		"",
		"SIP",
		"SIP/2.0",
		"SIP/2.0/UDP",
		"SIP/2.0/UDP ",
		"SIP/2.0/UDP;branch=1",
		"SIP/2.0 h",
		"SIP/3.0/UDP h",
		"HTTP/2.0/UDP h",
		"SIP/2.0/ h",
		"SIP/2.0/UDP h:",
		"SIP/2.0/UDP h:0",
		"SIP/2.0/UDP h:65536",
		"SIP/2.0/UDP h:1:2",
		"SIP/2.0/UDP h i",
		"SIP/2.0/UDP a@h",
		"SIP/2.0/UDP 1.2.3.4.5",
		"SIP/2.0/UDP [::1",
		"SIP/2.0/UDP ::1",
		"SIP/2.0/UDP h;",
		"SIP/2.0/UDP h;;branch=1",
		"SIP/2.0/UDP 192.0.2.15;;,;,,",
		"SIP/2.0/UDP h,",
		"SIP/2.0/UDP h,,",
		"SIP/2.0/UDP h;branch=",
		"SIP/2.0/UDP h;branch",
		"SIP/2.0/UDP h;branch=a;branch=b",
		"SIP/2.0/UDP h;received=a;received=b",
		"SIP/2.0/UDP h;rport;rport",
		"SIP/2.0/UDP h;rport=x",
		"SIP/2.0/UDP h;rport=65536",
		"SIP/2.0/UDP h;rport=0",
		"SIP/2.0/UDP h;received=",
		"SIP/2.0/UDP h;a=\"b",
		"SIP/2.0/UDP h branch=1",
		"\"SIP/2.0/UDP h\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct sip_via v;

		check_vector(sip_via_parse(&v, slice_str(values[i])) == SBC_EBAD, values[i]);
	}
}

static void one_prefix(struct slice s)
{
	struct sip_via v;

	sip_via_parse(&v, s);
}

static void nothing_is_read_beyond_the_end(void **state)
{
	static const char text[] = "SIP / 2.0 / UDP [1::2.3.4.5] : 50 ; rport=1 ; a = \"\\\"\" , x";

	(void)state;
	each_prefix(text, sizeof(text) - 1, one_prefix);
}

static void values_are_counted_over_all_lines(void **state)
{
	static const char text[] =
		REQUEST_LINE MANDATORY "v: SIP/2.0/UDP b;x=\"1,2\", SIP/2.0/UDP c\r\n"
				       "Via: SIP/2.0/UDP d\r\n\r\n";
	struct sip_msg m;
	struct sip_fault fault;
	struct sip_via v;

	(void)state;
	assert_int_equal(sip_msg_parse(&m, text, sizeof(text) - 1, &fault), SBC_OK);
	assert_int_equal(sip_via_count(&m, 70), 4);
	assert_int_equal(sip_via_count(&m, 2), 3);
	assert_int_equal(sip_via_top(&m, &v), SBC_OK);
	assert_slice(v.host, "192.0.2.1");
	m.first[SIP_HDR_VIA] = SIP_NO_ENTRY;
	assert_int_equal(sip_via_top(&m, &v), SBC_ENONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(via_with_rport_and_received),
		cmocka_unit_test(via_with_white_space_wherever_it_may_be),
		cmocka_unit_test(via_with_little),
		cmocka_unit_test(malformed_values),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
		cmocka_unit_test(values_are_counted_over_all_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
