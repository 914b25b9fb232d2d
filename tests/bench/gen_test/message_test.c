#include "tests/bench/gen/message.h"

#include <stdio.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static const struct scan_forbidden inside = {
	.mark = '~', .string = {{"203.0.113.", 10}, {"qophone.invalid", 15}}};

static const char invite[] = "INVITE sip:d0000000100000002@10.0.0.10 SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKd368de60;rport\r\n"
			     "Max-Forwards: 69\r\n"
			     "From: \"Caller\" <sip:c@10.0.0.1>;tag=e4a61b04\r\n"
			     "To: <sip:d@10.0.0.10>\r\n"
			     "Call-ID: e6f4146df1aa6659\r\n"
			     "CSeq: 7 INVITE\r\n"
			     "Contact: <sip:f764bb54@10.0.0.1:5060>\r\n"
			     "Content-Length: 5\r\n\r\nv=0\r\n";

/* Read with nothing readable behind it. */
static bool read_text(struct message *m, const char *text, struct guard *g)
{
	uint32_t n = (uint32_t)strlen(text);

	return message_read(m, guard_end(g, text, n), n, &inside);
}

static bool is(struct text t, const char *want)
{
	return t.n == strlen(want) && memcmp(t.p, want, t.n) == 0;
}

static void a_request_is_cut_into_its_parts(void **state)
{
	struct message m;
	struct guard g;

	(void)state;
	assert_true(read_text(&m, invite, &g));
	assert_int_equal(m.status, 0);
	assert_int_equal(m.method, METHOD_INVITE);
	assert_int_equal(m.cseq, 7);
	assert_true(is(m.uri, "sip:d0000000100000002@10.0.0.10"));
	assert_true(is(message_sent_by(m.via), "10.0.0.1:5060"));
	assert_true(is(message_param(m.via, TEXT("branch=")), "z9hG4bKd368de60"));
	assert_true(is(message_tag(m.from), "e4a61b04"));
	assert_int_equal(message_tag(m.to).n, 0);
	assert_true(is(m.call_id, "e6f4146df1aa6659"));
	assert_true(is(message_uri(m.contact), "sip:f764bb54@10.0.0.1:5060"));
	assert_true(is(m.body, "v=0\r\n"));
	assert_false(m.leak);
	guard_free(&g);
}

static void a_response_has_a_status(void **state)
{
	struct message m;
	struct guard g;

	(void)state;
	assert_true(
		read_text(&m,
			  "SIP/2.0 486 Busy Here\r\nvia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx\r\n"
			  "from: <sip:a@b>;tag=1\r\nto: <sip:c@d>;tag=2\r\ncall-id: x\r\n"
			  "cseq: 1 BYE\r\ncontent-length: 0\r\n\r\n",
			  &g));
	assert_int_equal(m.status, 486);
	assert_int_equal(m.method, METHOD_BYE);
	assert_true(is(message_tag(m.to), "2"));
	guard_free(&g);
}

/* Every shorter copy is refused, and none is read beyond its end. */
static void what_is_cut_off_is_no_message(void **state)
{
	struct message m;

	(void)state;
	for (uint32_t n = 0; n < sizeof(invite) - 1; n++) {
		struct guard g;

		assert_false(message_read(&m, guard_end(&g, invite, n), n, &inside));
		guard_free(&g);
	}
}

static void replaced(char *out, size_t room, const char *what, const char *with)
{
	const char *at = strstr(invite, what);

	assert_non_null(at);
	snprintf(out, room, "%.*s%s%s", (int)(at - invite), invite, with, at + strlen(what));
}

static void malformed_messages_are_refused(void **state)
{
	static const char *const change[][2] = {
		{"Content-Length: 5", "Content-Length: 4"},
		{"Content-Length: 5", "X-Length: 5"},
		{"CSeq: 7 INVITE", "CSeq: 7 BYE"},
		{"CSeq: 7 INVITE", "CSeq: INVITE"},
		{"Call-ID: ", "X-ID: "},
		{"To: ", "From: "},
		{" SIP/2.0\r\n", " SIP/3.0\r\n"},
		{"Max-Forwards: 69\r\n", "Max-Forwards: 69\n"},
		{"Max-Forwards: 69", "Max-Forwards 69"},
	};
	char text[2048];
	struct message m;

	(void)state;
	for (uint32_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
		struct guard g;

		replaced(text, sizeof(text), change[i][0], change[i][1]);
		if (read_text(&m, text, &g))
			fail_msg("taken: %s", change[i][1]);
		guard_free(&g);
	}
}

/* Wherever it stands, and however the message lies with regard to blocks of 16. */
static void a_leak_is_seen_at_every_place(void **state)
{
	static const char *const secret[] = {"~", "203.0.113.", "qophone.invalid"};
	struct scan s;
	char text[200];

	(void)state;
	for (uint32_t k = 0; k < 3; k++) {
		uint32_t len = (uint32_t)strlen(secret[k]);

		for (uint32_t n = len; n < 80; n++)
			for (uint32_t at = 0; at + len <= n; at++) {
				struct guard g;

				memset(text, 'x', sizeof(text));
				memcpy(text + at, secret[k], len);
				scan_message(&s, guard_end(&g, text, n), n, &inside);
				assert_true(s.leak);
				assert_int_equal(s.leak_at, at);
				guard_free(&g);
			}
	}
}

static void what_only_looks_alike_is_none(void **state)
{
	static const char *const text[] = {"203.0.114.1 203.0.1131 203,0.113.1 203.0.11",
					   "qophonf.invalid qophone.invali", "----------------"};
	struct scan s;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct guard g;
		uint32_t n = (uint32_t)strlen(text[i]);

		scan_message(&s, guard_end(&g, text[i], n), n, &inside);
		assert_false(s.leak);
		guard_free(&g);
	}
}

static void lines_begin_where_they_do(void **state)
{
	struct scan s;
	char text[1000];
	uint32_t n = 0, begins[SCAN_LINES], lines = 0;

	(void)state;
	for (uint32_t i = 0; i < 40; i++) {
		begins[lines++] = n;
		for (uint32_t k = 0; k < i % 23; k++)
			text[n++] = 'a';
		text[n++] = '\n';
	}
	scan_message(&s, text, n, &(struct scan_forbidden){0});
	assert_int_equal(s.lines, lines);
	for (uint32_t i = 0; i < lines; i++)
		assert_int_equal(s.line[i], begins[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_cut_into_its_parts),
		cmocka_unit_test(a_response_has_a_status),
		cmocka_unit_test(what_is_cut_off_is_no_message),
		cmocka_unit_test(malformed_messages_are_refused),
		cmocka_unit_test(a_leak_is_seen_at_every_place),
		cmocka_unit_test(what_only_looks_alike_is_none),
		cmocka_unit_test(lines_begin_where_they_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
