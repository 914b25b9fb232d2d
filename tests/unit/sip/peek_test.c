/* Peeking at the Call-ID for steering: always what the index finds. */
#include "tests/unit/sip/common.h"

static const char *const messages[] = {
	REQUEST_LINE MANDATORY "\r\n",
	"\r\n\n" REQUEST_LINE MANDATORY "\r\n",
	"SIP/2.0 200 OK\r\n" MANDATORY "\r\n",
	"REGISTER sip:r SIP/2.0\r\nTo: <sip:u@r>\r\ni:x\r\nt: second\r\n\r\n",
	"REGISTER sip:r SIP/2.0\r\ni:x\r\nVia: v\r\nt : u\r\n v\r\n\r\n",
	"REGISTER sip:r SIP/2.0\r\ni:x\r\n\r\n",
	REQUEST_LINE "CALL-id \t:\r\n  folded\r\n\r\n",
	REQUEST_LINE "Call-ID: a\r\nCall-ID: b\r\n\r\n",
	REQUEST_LINE "X: \r\n Call-ID: in a fold\r\ni: real\r\n\r\n",
	REQUEST_LINE " Call-ID: not folded\r\ni: real\r\n\r\n",
	REQUEST_LINE "Call-ID: bare \r cr\r\ni: real\r\n\r\n",
	REQUEST_LINE "broken\r\nCall-IDx: no\r\nCall-I: no\r\ni: real\r\n\r\n",
	REQUEST_LINE "Call-ID:\r\ni: real\r\n\r\n",
	REQUEST_LINE "Via: v\r\n\r\nCall-ID: in the body\r\n",
	REQUEST_LINE "Call-ID: unterminated",
	"INVITE sip:b SIP/3.0\r\ni: version\r\n\r\n",
	"INVITE  sip:b SIP/2.0\r\ni: start line\r\n\r\n",
	"SIP/2.0 9999 x\r\ni: status line\r\n\r\n",
	"GET / HTTP/1.1\r\nCall-ID: x\r\n\r\n",
	"REGISTER sip:r\nCall-ID: x\r\n\r\n",
	"register sip:r SIP/2.0\r\ni: x\r\nTo: t\r\n\r\n",
	"REGISTER sip:r SIP/2.0\r\ni: a\r\nCall-ID: b\r\nTo: t\r\nTo: u\r\n\r\n",
	"\r\n\r\n",
	"",
};

static struct sip_msg m;

static void compare(struct slice s)
{
	struct sip_fault fault;
	struct sip_peek peek;
	const enum sbc_err err = sip_peek_call_id(s.p, s.n, &peek);

	sip_msg_parse(&m, s.p, s.n, &fault);
	const struct slice indexed = sip_msg_value(&m, SIP_HDR_CALL_ID);

	assert_int_equal(err, indexed.n ? SBC_OK : SBC_EBAD);
	assert_true(slice_eq(peek.call_id, indexed));
	if (err == SBC_OK)
		assert_int_equal(peek.is_register, m.method == SIP_REGISTER);
}

static void peek_and_index_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++)
		compare(slice_str(messages[i]));
}

static void they_agree_on_every_prefix_and_read_no_further(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++)
		each_prefix(messages[i], strlen(messages[i]), compare);
}

static void they_agree_beyond_the_limits(void **state)
{
	static char text[SIP_MAX_MESSAGE + 100];

	(void)state;
	for (int before = 63; before <= 65; before++) {
		text[0] = '\0';
		append(text, sizeof(text), REQUEST_LINE);
		for (int i = 0; i < before; i++)
			append(text, sizeof(text), i % 3 ? "X: y\r\n" : "broken\r\nX: y\r\n");
		append(text, sizeof(text), "Call-ID: late\r\n\r\n");
		compare(slice_str(text));
	}
	/* A Call-ID across the last byte that is looked at. */
	for (uint32_t cut = 0; cut < 16; cut++) {
		memset(text, 'x', sizeof(text));
		put_at(text, 0, REQUEST_LINE "X: ");
		put_at(text, SIP_MAX_MESSAGE - cut - 2, "\r\ni: abc\r\n\r\n");
		compare(slice_of(text, sizeof(text)));
	}
}

static void a_register_shows_its_to(void **state)
{
	struct sip_peek peek;

	(void)state;
	assert_int_equal(sip_peek_call_id(messages[3], (uint32_t)strlen(messages[3]), &peek),
			 SBC_OK);
	assert_true(peek.is_register);
	assert_slice(peek.to, "<sip:u@r>");
	assert_slice(peek.call_id, "x");
	assert_int_equal(sip_peek_call_id(messages[4], (uint32_t)strlen(messages[4]), &peek),
			 SBC_OK);
	assert_slice(peek.to, "u\r\n v");
	assert_int_equal(sip_peek_call_id(messages[5], (uint32_t)strlen(messages[5]), &peek),
			 SBC_OK);
	assert_slice(peek.to, "");
	/* Other methods are steered by the Call-ID alone, and methods tell case apart. */
	assert_int_equal(sip_peek_call_id(messages[0], (uint32_t)strlen(messages[0]), &peek),
			 SBC_OK);
	assert_false(peek.is_register);
	assert_slice(peek.to, "");
	assert_int_equal(sip_peek_call_id(messages[20], (uint32_t)strlen(messages[20]), &peek),
			 SBC_OK);
	assert_false(peek.is_register);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peek_and_index_agree),
		cmocka_unit_test(they_agree_on_every_prefix_and_read_no_further),
		cmocka_unit_test(they_agree_beyond_the_limits),
		cmocka_unit_test(a_register_shows_its_to),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
