/* A generator that cannot see a fault is worthless: each is made here, and must be seen. */
#include "tests/bench/gen/check.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "tests/lib/unit.h"

static const struct scan_forbidden outside = {.mark = '!',
					      .string = {{"10.0.0.", 7}, {"qipbx.invalid", 13}}};

/* What the border sends a caller, with a hole for each part. */
struct parts {
	const char *sent_by, *branch, *from_tag, *to, *call_id, *contact, *extra;
	unsigned cseq;
};

static const struct parts right = {
	.sent_by = "203.0.113.100:5060",
	.branch = "z9hG4bK~0000000100000002i",
	.from_tag = "~f0000000100000002",
	.to = "<sip:d@203.0.113.1>;tag=17ea3f8f191ff4fb",
	.call_id = "~0000000100000002@qophone.invalid",
	.contact = "<sip:2674583027130947@203.0.113.1:5060>",
	.extra = "",
	.cseq = 1,
};

static const struct expected wanted = {
	.sent_by = {"203.0.113.100:5060", 18},
	.branch = {"z9hG4bK~0000000100000002i", 25},
	.call_id = {"~0000000100000002@qophone.invalid", 33},
	.from_tag = {"~f0000000100000002", 18},
	.to_tag = {"17ea3f8f191ff4fb", 16},
	.cseq = 1,
	.contact = {"203.0.113.1", 11},
};

static uint32_t faults_of(const struct parts *p, const struct expected *e)
{
	char text[2048];
	struct message m;
	int n = snprintf(
		text, sizeof(text),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s;branch=%s;received=203.0.113.100\r\n"
		"From: <sip:c@203.0.113.1>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\n"
		"CSeq: %u INVITE\r\nContact: %s\r\n%sContent-Length: 0\r\n\r\n",
		p->sent_by, p->branch, p->from_tag, p->to, p->call_id, p->cseq, p->contact,
		p->extra);

	assert_true(message_read(&m, text, (uint32_t)n, &outside));
	return check_message(&m, e);
}

static void what_is_right_has_no_fault(void **state)
{
	(void)state;
	assert_int_equal(faults_of(&right, &wanted), 0);
}

#define CHANGED(field, value)                                                                      \
	({                                                                                         \
		struct parts changed = right;                                                      \
		changed.field = value;                                                             \
		faults_of(&changed, &wanted);                                                      \
	})

static void each_identifier_of_the_other_side_is_a_leak(void **state)
{
	(void)state;
	assert_int_equal(CHANGED(extra, "X-Route: !0000000100000002\r\n"), FAULT(LEAK));
	assert_int_equal(CHANGED(extra, "Server: qipbx.invalid\r\n"), FAULT(LEAK));
	assert_int_equal(CHANGED(extra, "Warning: 399 10.0.0.10 \"x\"\r\n"), FAULT(LEAK));
	assert_int_equal(CHANGED(extra, "Warning: 399 10.0.0.1 \"x\"\r\n"), FAULT(LEAK));
	assert_int_equal(CHANGED(to, "<sip:d@203.0.113.1>;tag=!t0000000100000002"),
			 FAULT(LEAK) | FAULT(TAG));
	assert_int_equal(CHANGED(contact, "<sip:d@10.0.0.10:5060>"), FAULT(LEAK) | FAULT(CONTACT));
}

static void what_does_not_come_back_as_sent_is_seen(void **state)
{
	(void)state;
	assert_int_equal(CHANGED(branch, "z9hG4bK~0000000100000003i"), FAULT(VIA));
	assert_int_equal(CHANGED(branch, "z9hG4bK~0000000100000002ii"), FAULT(VIA));
	assert_int_equal(CHANGED(sent_by, "203.0.113.101:5060"), FAULT(VIA));
	assert_int_equal(CHANGED(from_tag, "~f0000000100000003"), FAULT(TAG));
	assert_int_equal(CHANGED(to, "<sip:d@203.0.113.1>;tag=17ea3f8f191ff4fc"), FAULT(TAG));
	assert_int_equal(CHANGED(to, "<sip:d@203.0.113.1>"), FAULT(TAG));
	assert_int_equal(CHANGED(call_id, "~0000000100000003@qophone.invalid"), FAULT(CALL_ID));
	assert_int_equal(CHANGED(cseq, 2), FAULT(CSEQ));
	assert_int_equal(CHANGED(contact, "<sip:x@203.0.113.2:5060>"), FAULT(CONTACT));
	assert_int_equal(CHANGED(contact, "*"), FAULT(CONTACT));
}

static void a_second_via_is_seen(void **state)
{
	struct parts p = right;

	(void)state;
	p.branch = "z9hG4bK~0000000100000002i, SIP/2.0/UDP 203.0.113.7:5060;branch=z9hG4bKx";
	assert_int_equal(faults_of(&p, &wanted) & FAULT(VIA), FAULT(VIA));
}

static void a_new_request_has_no_tag_in_to(void **state)
{
	struct expected e = wanted;

	(void)state;
	e.to_tag_none = true;
	assert_int_equal(faults_of(&right, &e), FAULT(TAG));
	struct parts p = right;
	p.to = "<sip:d@203.0.113.1>";
	assert_int_equal(faults_of(&p, &e), 0);
}

static void the_identity_is_the_borders(void **state)
{
	struct expected e = wanted;

	(void)state;
	e.from_host = TEXT("203.0.113.1");
	assert_int_equal(faults_of(&right, &e), 0);
	e.from_host = TEXT("203.0.113.9");
	assert_int_equal(faults_of(&right, &e), FAULT(IDENTITY));
}

static uint32_t sdp(const char *text, uint32_t count, struct media *out)
{
	return check_sdp((struct text){text, (uint32_t)strlen(text)}, inet_addr("203.0.113.1"),
			 count, out);
}

static void media_must_be_the_borders(void **state)
{
	struct media m = {0, 0};

	(void)state;
	assert_int_equal(sdp("v=0\r\no=- 1 1 IN IP4 203.0.113.1\r\ns=-\r\nc=IN IP4 203.0.113.1\r\n"
			     "t=0 0\r\nm=audio 20000 RTP/AVP 0\r\n",
			     1, &m),
			 0);
	assert_int_equal(m.port, 20000);
	assert_int_equal(m.ip, inet_addr("203.0.113.1"));
	assert_int_equal(sdp("v=0\r\no=- 1 1 IN IP4 203.0.113.3\r\nc=IN IP4 203.0.113.4\r\n"
			     "m=audio 20000 RTP/AVP 0\r\n",
			     4, &m),
			 0);
}

static void other_media_is_seen(void **state)
{
	static const char *const wrong[] = {
		"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 203.0.113.2\r\nm=audio 20000 RTP/AVP 0\r\n",
		"o=- 1 1 IN IP4 203.0.113.2\r\nc=IN IP4 203.0.113.1\r\nm=audio 20000 RTP/AVP 0\r\n",
		"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 203.0.113.1\r\nm=audio 20001 RTP/AVP 0\r\n",
		"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 203.0.113.1\r\nm=audio 0 RTP/AVP 0\r\n",
		"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 203.0.113.1\r\n",
		"o=- 1 1 IN IP4 203.0.113.1\r\nm=audio 20000 RTP/AVP 0\r\n",
		"c=IN IP4 203.0.113.1\r\nm=audio 20000 RTP/AVP 0\r\n",
		"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 203.0.113.1.1\r\nm=audio 20000 RTP/AVP "
		"0\r\n",
		"o=- 1 1 IN IP4 203.0.113.1\r\nc=IN IP4 phone\r\nm=audio 20000 RTP/AVP 0\r\n",
		"",
	};
	struct media m;

	(void)state;
	for (uint32_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(sdp(wrong[i], 1, &m), FAULT(SDP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_right_has_no_fault),
		cmocka_unit_test(each_identifier_of_the_other_side_is_a_leak),
		cmocka_unit_test(what_does_not_come_back_as_sent_is_seen),
		cmocka_unit_test(a_second_via_is_seen),
		cmocka_unit_test(a_new_request_has_no_tag_in_to),
		cmocka_unit_test(the_identity_is_the_borders),
		cmocka_unit_test(media_must_be_the_borders),
		cmocka_unit_test(other_media_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
