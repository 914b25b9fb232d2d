/* Two-leg calls through the engine: who is told what, when, and what is left. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/core/engine_fixture.h"

static struct fixture f;
static struct parties p;

static int begin(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	p = (struct parties){.id = 1};
	fixture_begin(&f, 1, 8);
	return 0;
}

static void call_is_set_up_and_ended_by_the_caller(void **state)
{
	(void)state;
	call_up(&f, &p);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(driver_flows(f.driver), 4);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	phone_request(&f, &p, "BYE", 2, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	answer(&f, CORE, fixture_take(&f, CORE, "BYE "), "200 OK", "", "", "");
	fixture_silent(&f);
	assert_int_equal(f.end, END_BYE_CALLER);
	assert_int_equal(fixture_stats(&f).calls, 0);
	assert_int_equal(driver_flows(f.driver), 0);
	fixture_end(&f);
}

static void call_is_ended_by_the_callee(void **state)
{
	(void)state;
	call_up(&f, &p);
	pbx_request(&f, &p, "BYE", 7, "", "");
	fixture_take(&f, CORE, "SIP/2.0 200");
	answer(&f, ACCESS, fixture_take(&f, ACCESS, "BYE "), "200 OK", "", "", "");
	fixture_silent(&f);
	assert_int_equal(f.end, END_BYE_CALLEE);
	fixture_end(&f);
}

static void byes_that_cross_are_both_answered(void **state)
{
	(void)state;
	call_up(&f, &p);
	phone_request(&f, &p, "BYE", 2, "", "");
	pbx_request(&f, &p, "BYE", 7, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	answer(&f, CORE, fixture_take(&f, CORE, "BYE "), "200 OK", "", "", "");
	fixture_take(&f, CORE, "SIP/2.0 481");
	fixture_silent(&f);
	assert_int_equal(fixture_reason(&f, REASON_SIP_NO_DIALOG), 1);
	fixture_end(&f);
}

static void cancel_ends_both_legs(void **state)
{
	const char *out;

	(void)state;
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "180 Ringing", "bobtag1", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 180");
	fixture_recv(&f, ACCESS, fixture_phone(),
		     "CANCEL sip:bob@203.0.113.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKphonei1\r\n"
		     "From: <sip:alice@203.0.113.1>;tag=alicetag1\r\nTo: <sip:bob@203.0.113.1>\r\n"
		     "Call-ID: phonecall-1@192.168.1.20\r\nCSeq: 1 CANCEL\r\n\r\n");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, ACCESS, "SIP/2.0 487");
	out = fixture_take(&f, CORE, "CANCEL ");
	answer(&f, CORE, out, "200 OK", "bobtag1", "", "");
	assert_int_equal(f.end, END_CANCELLED);
	/* It answered after all: that dialog is acknowledged and ended. */
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_take(&f, CORE, "ACK ");
	answer(&f, CORE, fixture_take(&f, CORE, "BYE "), "200 OK", "", "", "");
	fixture_end(&f);
}

static void refusal_reaches_the_caller(void **state)
{
	(void)state;
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "486 Busy Here", "bobtag1", "", "");
	fixture_take(&f, CORE, "ACK ");
	fixture_take(&f, ACCESS, "SIP/2.0 486");
	assert_int_equal(f.end, END_REFUSED);
	assert_int_equal(f.status, 486);
	fixture_end(&f);
}

static void answer_never_acknowledged_ends_the_call(void **state)
{
	(void)state;
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_elapse(&f, 33000);
	assert_int_equal(f.end, END_NO_ACK);
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

static void callee_hanging_up_before_the_ack_waits_for_it(void **state)
{
	(void)state;
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	phone_learns(&p, fixture_take(&f, ACCESS, "SIP/2.0 200"));
	fixture_take(&f, CORE, "ACK ");
	pbx_request(&f, &p, "BYE", 7, "", "");
	fixture_take(&f, CORE, "SIP/2.0 200");
	fixture_silent(&f);
	assert_int_equal(driver_flows(f.driver), 0);
	phone_request(&f, &p, "ACK", 1, "", "");
	answer(&f, ACCESS, fixture_take(&f, ACCESS, "BYE "), "200 OK", "", "", "");
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

static void ringing_too_long_is_cancelled(void **state)
{
	(void)state;
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "180 Ringing", "bobtag1", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 180");
	fixture_elapse(&f, f.snapshot.ring_timeout_ms + 10);
	fixture_take(&f, ACCESS, "SIP/2.0 408");
	fixture_take(&f, CORE, "CANCEL ");
	assert_int_equal(f.end, END_TIMEOUT);
	fixture_end(&f);
}

static uint64_t only_call(void)
{
	const struct flow_spec *flow;
	uint32_t cursor = 0;

	flow = driver_flow_next(f.driver, &cursor);
	assert_non_null(flow);
	return flow->call;
}

static void operator_kills_a_call(void **state)
{
	(void)state;
	call_up(&f, &p);
	driver_kill(f.driver, 0, only_call());
	fixture_take(&f, CORE, "BYE ");
	fixture_take(&f, ACCESS, "BYE ");
	assert_int_equal(f.end, END_OPERATOR);
	fixture_end(&f);
}

static void silent_media_ends_a_call(void **state)
{
	const struct flow_spec *flow;
	uint32_t cursor = 0;

	(void)state;
	call_up(&f, &p);
	flow = driver_flow_next(f.driver, &cursor);
	assert_true(driver_silent(f.driver, flow->realm, flow->port));
	assert_int_equal(f.end, END_MEDIA);
	fixture_end(&f);
}

static void call_may_not_last_longer_than_the_limit(void **state)
{
	(void)state;
	f.snapshot.max_call_s = 60;
	call_up(&f, &p);
	fixture_elapse(&f, 61000);
	assert_int_equal(f.end, END_MAX_TIME);
	fixture_end(&f);
}

#define HOLD_SDP                                                                                   \
	"v=0\r\no=alice 11 13 IN IP4 192.168.1.20\r\ns=-\r\nc=IN IP4 192.168.1.20\r\nt=0 0\r\n"    \
	"m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendonly\r\n"

static void hold_closes_the_way_back_and_keeps_the_lock(void **state)
{
	const struct flow_spec *flow;
	uint32_t cursor = 0, closed = 0, epoch = 0;

	(void)state;
	call_up(&f, &p);
	phone_request(&f, &p, "INVITE", 2, "", HOLD_SDP);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	answer(&f, CORE, fixture_take(&f, CORE, "INVITE "), "200 OK", "", "",
	       "v=0\r\no=bob 21 23 IN IP4 10.0.0.20\r\ns=-\r\nc=IN IP4 10.0.0.20\r\nt=0 0\r\n"
	       "m=audio 17000 RTP/AVP 8\r\na=recvonly\r\n");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	while ((flow = driver_flow_next(f.driver, &cursor)) != NULL) {
		closed += flow->closed;
		epoch = flow->epoch > epoch ? flow->epoch : epoch;
		if (flow->closed)
			assert_int_equal(flow->realm, CORE);
	}
	assert_int_equal(closed, 1);
	assert_int_equal(epoch, 1);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void reinvites_that_cross_are_refused(void **state)
{
	const char *invite;

	(void)state;
	call_up(&f, &p);
	phone_request(&f, &p, "INVITE", 2, "", HOLD_SDP);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	invite = fixture_take(&f, CORE, "INVITE ");
	pbx_request(&f, &p, "INVITE", 7, "", pbx_sdp);
	fixture_take(&f, CORE, "SIP/2.0 491");
	assert_int_equal(fixture_reason(&f, REASON_CALL_GLARE), 1);
	/* Refused, the session is as it was: four open flows. */
	answer(&f, CORE, invite, "488 Not Acceptable Here", "", "", "");
	fixture_take(&f, CORE, "ACK ");
	fixture_take(&f, ACCESS, "SIP/2.0 488");
	assert_int_equal(driver_flows(f.driver), 4);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void request_out_of_order_is_refused(void **state)
{
	(void)state;
	call_up(&f, &p);
	phone_request(&f, &p, "INFO", 1, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 500");
	assert_int_equal(fixture_reason(&f, REASON_SIP_CSEQ), 1);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void dialog_unknown_to_the_callee_ends_the_call(void **state)
{
	(void)state;
	call_up(&f, &p);
	phone_request(&f, &p, "INFO", 2, "", "");
	answer(&f, CORE, fixture_take(&f, CORE, "INFO "), "481 No Such Call", "", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 481");
	fixture_take(&f, ACCESS, "BYE ");
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

static void media_aimed_at_the_border_is_refused(void **state)
{
	(void)state;
	phone_invite(&f, &p, "",
		     "v=0\r\no=a 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n"
		     "m=audio 30000 RTP/AVP 8\r\n");
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	fixture_take(&f, ACCESS, "SIP/2.0 488");
	fixture_silent(&f);
	assert_int_equal(fixture_reason(&f, REASON_CALL_SDP_REFUSED), 1);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(call_is_set_up_and_ended_by_the_caller, begin),
		cmocka_unit_test_setup(call_is_ended_by_the_callee, begin),
		cmocka_unit_test_setup(byes_that_cross_are_both_answered, begin),
		cmocka_unit_test_setup(cancel_ends_both_legs, begin),
		cmocka_unit_test_setup(refusal_reaches_the_caller, begin),
		cmocka_unit_test_setup(answer_never_acknowledged_ends_the_call, begin),
		cmocka_unit_test_setup(callee_hanging_up_before_the_ack_waits_for_it, begin),
		cmocka_unit_test_setup(ringing_too_long_is_cancelled, begin),
		cmocka_unit_test_setup(operator_kills_a_call, begin),
		cmocka_unit_test_setup(silent_media_ends_a_call, begin),
		cmocka_unit_test_setup(call_may_not_last_longer_than_the_limit, begin),
		cmocka_unit_test_setup(hold_closes_the_way_back_and_keeps_the_lock, begin),
		cmocka_unit_test_setup(reinvites_that_cross_are_refused, begin),
		cmocka_unit_test_setup(request_out_of_order_is_refused, begin),
		cmocka_unit_test_setup(dialog_unknown_to_the_callee_ends_the_call, begin),
		cmocka_unit_test_setup(media_aimed_at_the_border_is_refused, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
