/* Comma lists, option tags and numbers. */
#include "tests/unit/sip/common.h"

/* Elements joined with '|'. */
static void join(struct slice value, char *out, size_t room)
{
	struct slice one;
	size_t n = 0;

	while (sip_list_next(&value, &one) && n + one.n + 2 < room) {
		memcpy(out + n, one.p, one.n);
		n += one.n;
		out[n++] = '|';
	}
	out[n] = '\0';
}

static void elements_are_cut_at_commas_outside_of_pairs(void **state)
{
	static const struct {
		const char *value, *elements;
	} vectors[] = {
		{"", ""},
		{" , ,", ""},
		{"a", "a|"},
		{"a,b , c", "a|b|c|"},
		{",a,,b,", "a|b|"},
		{"\"x,y\" <sip:a,b@c>;p=\"1,2\", z", "\"x,y\" <sip:a,b@c>;p=\"1,2\"|z|"},
		{"\"a\\\",b\", c", "\"a\\\",b\"|c|"},
		{"INVITE (first, or not (even, nested)), BYE",
		 "INVITE (first, or not (even, nested))|BYE|"},
		{"a (\\), b), c", "a (\\), b)|c|"},
		{"\"open, b", "\"open, b|"},
		{"a, <open, b", "a|<open, b|"},
		{"(open, b", "(open, b|"},
		{"a\r\n , b", "a|b|"},
	};
	char got[256];

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		join(slice_str(vectors[i].value), got, sizeof(got));
		check_vector(strcmp(got, vectors[i].elements) == 0, vectors[i].value);
	}
}

static void one_prefix(struct slice s)
{
	char out[256];

	join(s, out, sizeof(out));
}

static void nothing_is_read_beyond_the_end(void **state)
{
	static const char text[] = "a, \"b\\\"c\" , <d,e>, (f\\)g), \\";

	(void)state;
	each_prefix(text, sizeof(text) - 1, one_prefix);
}

static struct sip_msg m;

static void parse(const char *lines)
{
	static char text[1024];
	struct sip_fault fault;

	snprintf(text, sizeof(text), REQUEST_LINE MANDATORY "%s\r\n", lines);
	assert_int_equal(sip_msg_parse(&m, text, (uint32_t)strlen(text), &fault), SBC_OK);
}

static void tokens_are_looked_up_over_all_lines(void **state)
{
	(void)state;
	parse("Supported: a, 100REL\r\nAllow: INVITE\r\nk: timer\r\nAllow: bye, ACK\r\n");
	assert_true(sip_msg_lists(&m, SIP_HDR_SUPPORTED, SLICE_LIT("100rel")));
	assert_true(sip_msg_lists(&m, SIP_HDR_SUPPORTED, SLICE_LIT("timer")));
	assert_false(sip_msg_lists(&m, SIP_HDR_SUPPORTED, SLICE_LIT("time")));
	assert_false(sip_msg_lists(&m, SIP_HDR_REQUIRE, SLICE_LIT("timer")));
	assert_true(sip_msg_lists(&m, SIP_HDR_ALLOW, SLICE_LIT("ACK")));
	assert_false(sip_msg_lists(&m, SIP_HDR_ALLOW, SLICE_LIT("BYE")));
}

static void numbers(void **state)
{
	static const struct {
		const char *line;
		enum sip_hdr id;
		enum sbc_err err;
		uint32_t value;
	} vectors[] = {
		{"", SIP_HDR_EXPIRES, SBC_ENONE, 0},
		{"Expires: 3600\r\n", SIP_HDR_EXPIRES, SBC_OK, 3600},
		{"Expires: 4294967295\r\n", SIP_HDR_EXPIRES, SBC_OK, 4294967295u},
		{"Expires: 4294967296\r\n", SIP_HDR_EXPIRES, SBC_ELIMIT, 0},
		{"Expires:\r\n", SIP_HDR_EXPIRES, SBC_EBAD, 0},
		{"Expires: -1\r\n", SIP_HDR_EXPIRES, SBC_EBAD, 0},
		{"Expires: 1 2\r\n", SIP_HDR_EXPIRES, SBC_EBAD, 0},
		{"Expires: soon\r\n", SIP_HDR_EXPIRES, SBC_EBAD, 0},
		{"Max-Forwards: 0068\r\n", SIP_HDR_MAX_FORWARDS, SBC_OK, 68},
		{"Max-Forwards: 255\r\n", SIP_HDR_MAX_FORWARDS, SBC_OK, 255},
		{"Max-Forwards: 256\r\n", SIP_HDR_MAX_FORWARDS, SBC_ELIMIT, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		uint32_t v = 0;

		parse(vectors[i].line);
		check_vector(sip_msg_u32(&m, vectors[i].id, &v) == vectors[i].err, vectors[i].line);
		check_vector(vectors[i].err != SBC_OK || v == vectors[i].value, vectors[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_cut_at_commas_outside_of_pairs),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
		cmocka_unit_test(tokens_are_looked_up_over_all_lines),
		cmocka_unit_test(numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
