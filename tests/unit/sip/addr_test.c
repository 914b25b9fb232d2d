/* name-addr and addr-spec values; CSeq and RAck. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/addr.h"
#include "sbc/sip/cseq.h"

static void parts_of_an_address(void **state)
{
	static const struct {
		const char *value, *display, *uri, *params, *whole, *rest;
	} vectors[] = {
		{"sip:a@b", "", "sip:a@b", "", "sip:a@b", ""},
		{"sip:a@b;tag=1", "", "sip:a@b", ";tag=1", "sip:a@b;tag=1", ""},
		{"<sip:a@b;lr>;tag=1", "", "sip:a@b;lr", ";tag=1", "<sip:a@b;lr>;tag=1", ""},
		{"caller<sip:c@d>;tag=323", "caller", "sip:c@d", ";tag=323",
		 "caller<sip:c@d>;tag=323", ""},
		{"A. Bell  <sip:a@b> ", "A. Bell", "sip:a@b", "", "A. Bell  <sip:a@b>", ""},
		{"\"Q \\\" <,;\" <sip:a@b> ; x = \"1,2\" , <sip:c>", "\"Q \\\" <,;\"", "sip:a@b",
		 "; x = \"1,2\"", "\"Q \\\" <,;\" <sip:a@b> ; x = \"1,2\"", "<sip:c>"},
		{"\"\"<sip:a>", "\"\"", "sip:a", "", "\"\"<sip:a>", ""},
		{"J\xc3\xb6rg (home) <sip:a>", "J\xc3\xb6rg (home)", "sip:a", "",
		 "J\xc3\xb6rg (home) <sip:a>", ""},
		{"<sip:a,b;c?d=e@f>,g:h", "", "sip:a,b;c?d=e@f", "", "<sip:a,b;c?d=e@f>", "g:h"},
		{"tel:+1;tag=2,x:y", "", "tel:+1", ";tag=2", "tel:+1;tag=2", "x:y"},
		{"\r\n <sip:a>\r\n ;\r\n tag\r\n =\r\n 1", "", "sip:a", ";\r\n tag\r\n =\r\n 1",
		 "<sip:a>\r\n ;\r\n tag\r\n =\r\n 1", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct sip_addr a;

		check_vector(sip_addr_parse(&a, slice_str(vectors[i].value)) == SBC_OK,
			     vectors[i].value);
		assert_slice(a.display, vectors[i].display);
		assert_slice(a.uri, vectors[i].uri);
		assert_slice(a.params, vectors[i].params);
		assert_slice(a.whole, vectors[i].whole);
		assert_slice(a.rest, vectors[i].rest);
		assert_false(a.is_star);
		assert_int_equal(a.in_brackets, strstr(vectors[i].whole, ">") != NULL);
	}
}

static void malformed_addresses(void **state)
{
	static const char *const values[] = {
		"",
		" ",
		"<>",
		"<sip:a",
		"sip:a>",
		"alice",
		"\"open <sip:a>",
		"\"q\" sip:a",
		"\"q\"",
		"\"q\"x<sip:a>",
		"Bell, Alexander <sip:a>",
		"x:y <sip:a>",
		"a\\b <sip:a>",
		"< sip:a>",
		"<sip:a >",
		"<sip:a b>",
		"<sip:\"a\">",
		"<<sip:a>>",
		"<sip:a><sip:b>",
		"<sip:a> x",
		"sip:a b",
		"sip:a?x=y",
		"<sip:a>;",
		"<sip:a>;;tag=1",
		"<sip:a>;tag=1;tag=2",
		"<sip:a>;tag=1;TAG=2",
		"<sip:a>,",
		"<sip:a>;a=\"b",
		"*;x=1",
		"**",
		"* , <sip:a>",
		"\"Joe\" <sip:joe@example.org>;;;;",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct sip_addr a;

		check_vector(sip_addr_parse(&a, slice_str(values[i])) == SBC_EBAD, values[i]);
	}
}

static void the_star_stands_alone(void **state)
{
	struct sip_addr a;

	(void)state;
	assert_int_equal(sip_addr_parse(&a, SLICE_LIT(" * ")), SBC_OK);
	assert_true(a.is_star);
	assert_int_equal(a.uri.n, 0);
}

static void tags(void **state)
{
	struct sip_addr a;

	(void)state;
	assert_int_equal(sip_addr_parse(&a, SLICE_LIT("<sip:a;tag=no>;x=\";tag=no\";TAG=yes")),
			 SBC_OK);
	assert_slice(sip_addr_tag(&a), "yes");
	assert_int_equal(sip_addr_parse(&a, SLICE_LIT("<sip:a;tag=no>")), SBC_OK);
	assert_null(sip_addr_tag(&a).p);
}

static void one_prefix(struct slice s)
{
	struct sip_addr a;

	sip_addr_parse(&a, s);
}

static void nothing_is_read_beyond_the_end(void **state)
{
	static const char text[] =
		"\"a\\\"b\" <sip:c@d;e?f=g> ; h = \"i\\\"\" ; tag = j , k <sip:l>";

	(void)state;
	each_prefix(text, sizeof(text) - 1, one_prefix);
	each_prefix("word word <sip:a>;b", 19, one_prefix);
	each_prefix("sip:a@b;tag=c,d", 15, one_prefix);
}

static void headers_with_one_address_hold_one(void **state)
{
	static const struct {
		const char *from;
		enum sbc_err err;
	} vectors[] = {
		{"<sip:a>;tag=1", SBC_OK}, {"<sip:a>, <sip:b>", SBC_EBAD}, {"sip:a,b@c", SBC_EBAD},
		{"*", SBC_EBAD},           {"nothing", SBC_EBAD},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		char text[512];
		struct sip_msg m;
		struct sip_fault fault;
		struct sip_addr a;

		snprintf(text, sizeof(text),
			 REQUEST_LINE
			 "Via: v\r\nFrom: %s\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
			 "Contact: <sip:x>, <sip:y>\r\n\r\n",
			 vectors[i].from);
		assert_int_equal(sip_msg_parse(&m, text, (uint32_t)strlen(text), &fault), SBC_OK);
		check_vector(sip_addr_of(&m, SIP_HDR_FROM, &a) == vectors[i].err, vectors[i].from);
		assert_int_equal(sip_addr_of(&m, SIP_HDR_CONTACT, &a), SBC_OK);
		assert_slice(a.rest, "<sip:y>");
		assert_int_equal(sip_addr_of(&m, SIP_HDR_ROUTE, &a), SBC_ENONE);
	}
}

static void cseq_values(void **state)
{
	static const struct {
		const char *value;
		enum sbc_err err;
		uint32_t seq;
		enum sip_method method;
	} vectors[] = {
		{"1 INVITE", SBC_OK, 1, SIP_INVITE},
		{" 0009\r\n  ACK ", SBC_OK, 9, SIP_ACK},
		{"2147483647 BYE", SBC_OK, 2147483647, SIP_BYE},
		{"0 bye", SBC_OK, 0, SIP_METHOD_OTHER},
		{"00000000000000000000000000000000001\tX-!%", SBC_OK, 1, SIP_METHOD_OTHER},
		{"2147483648 BYE", SBC_ELIMIT, 0, 0},
		{"36893488147419103232 BYE", SBC_ELIMIT, 0, 0},
		{"1", SBC_EBAD, 0, 0},
		{"1 ", SBC_EBAD, 0, 0},
		{"1INVITE", SBC_EBAD, 0, 0},
		{"-1 INVITE", SBC_EBAD, 0, 0},
		{"INVITE 1", SBC_EBAD, 0, 0},
		{"1 INVITE x", SBC_EBAD, 0, 0},
		{"1 IN(VITE", SBC_EBAD, 0, 0},
		{"", SBC_EBAD, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct sip_cseq c;

		check_vector(sip_cseq_parse(&c, slice_str(vectors[i].value)) == vectors[i].err,
			     vectors[i].value);
		if (vectors[i].err != SBC_OK)
			continue;
		check_vector(c.seq == vectors[i].seq, vectors[i].value);
		check_vector(c.method == vectors[i].method, vectors[i].value);
	}
}

static void rack_values(void **state)
{
	struct sip_rack r;

	(void)state;
	assert_int_equal(sip_rack_parse(&r, SLICE_LIT("4294967295 1 INVITE")), SBC_OK);
	assert_int_equal(r.rseq, 4294967295u);
	assert_int_equal(r.cseq.seq, 1);
	assert_int_equal(r.cseq.method, SIP_INVITE);
	assert_int_equal(sip_rack_parse(&r, SLICE_LIT("4294967296 1 INVITE")), SBC_ELIMIT);
	assert_int_equal(sip_rack_parse(&r, SLICE_LIT("1 INVITE")), SBC_EBAD);
	assert_int_equal(sip_rack_parse(&r, SLICE_LIT("1")), SBC_EBAD);
	assert_int_equal(sip_rack_parse(&r, SLICE_LIT("")), SBC_EBAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_an_address),
		cmocka_unit_test(malformed_addresses),
		cmocka_unit_test(the_star_stands_alone),
		cmocka_unit_test(tags),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
		cmocka_unit_test(headers_with_one_address_hold_one),
		cmocka_unit_test(cseq_values),
		cmocka_unit_test(rack_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
