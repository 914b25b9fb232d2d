/*
 * A call outlives its process: whatever state it was in, both sides go on as if
 * nothing had happened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/core/restore_fixture.h"

static struct fixture f;

static const char *const hold_sdp =
	"v=0\r\no=alice 11 13 IN IP4 192.168.1.20\r\ns=-\r\n"
	"c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0\r\n"
	"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n";

static void begin(void)
{
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
}

static struct parties party(unsigned id)
{
	struct parties p;

	memset(&p, 0, sizeof(p));
	p.id = id;
	return p;
}

static void hang_up_from_phone(struct parties *p, unsigned cseq)
{
	const char *bye;

	phone_request(&f, p, "BYE", cseq, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	bye = fixture_take(&f, CORE, "BYE ");
	answer(&f, CORE, bye, "200 OK", "", "", "");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 0);
}

static void hang_up_from_pbx(struct parties *p, unsigned cseq)
{
	const char *bye;

	pbx_request(&f, p, "BYE", cseq, "", "");
	fixture_take(&f, CORE, "SIP/2.0 200");
	bye = fixture_take(&f, ACCESS, "BYE ");
	answer(&f, ACCESS, bye, "200 OK", "", "", "");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 0);
}

/* ---- established calls ---- */

static void established_call_is_ended_by_the_caller(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_up(&f, &p);
	reborn_cycle(&f);
	hang_up_from_phone(&p, 2);
	assert_int_equal(f.end, END_BYE_CALLER);
	fixture_end(&f);
}

static void established_call_is_ended_by_the_callee(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_up(&f, &p);
	reborn_cycle(&f);
	hang_up_from_pbx(&p, 2);
	assert_int_equal(f.end, END_BYE_CALLEE);
	fixture_end(&f);
}

static void call_survives_any_number_of_restarts(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_up(&f, &p);
	for (int i = 0; i < 10; i++) {
		reborn_cycle(&f);
		fixture_elapse(&f, 10000);
	}
	fixture_silent(&f);
	hang_up_from_phone(&p, 2);
	fixture_end(&f);
}

static void session_is_renegotiated_by_the_caller(void **state)
{
	struct parties p = party(1);
	const char *inv;

	(void)state;
	begin();
	call_up(&f, &p);
	reborn_cycle(&f);
	phone_request(&f, &p, "INVITE", 2, "", hold_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	inv = fixture_take(&f, CORE, "INVITE ");
	assert_non_null(strstr(inv, "a=sendonly"));
	/* Our CSeq goes on above anything that the process before may have sent. */
	assert_true(text_cseq(slice_str(inv)) > 100);
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	hang_up_from_phone(&p, 3);
	fixture_end(&f);
}

static void session_is_renegotiated_by_the_callee(void **state)
{
	struct parties p = party(1);
	const char *inv;

	(void)state;
	begin();
	call_up(&f, &p);
	reborn_cycle(&f);
	pbx_request(&f, &p, "INVITE", 2, "", pbx_sdp);
	fixture_take(&f, CORE, "SIP/2.0 100");
	inv = fixture_take(&f, ACCESS, "INVITE ");
	answer(&f, ACCESS, inv, "200 OK", "", "", phone_sdp);
	fixture_take(&f, CORE, "SIP/2.0 200");
	fixture_take(&f, ACCESS, "ACK ");
	pbx_request(&f, &p, "ACK", 2, "", "");
	hang_up_from_pbx(&p, 3);
	fixture_end(&f);
}

/* RFC 4028: what says nothing new keeps its version, before and after. */
static void session_refresh_keeps_the_version(void **state)
{
	struct parties p = party(1);
	char origin[256];
	const char *inv;
	struct slice o;

	(void)state;
	begin();
	call_up(&f, &p);
	o = text_sdp(text_body(slice_str(p.invite)), 'o', 0);
	snprintf(origin, sizeof(origin), "%.*s", (int)o.n, o.p);
	reborn_cycle(&f);
	phone_request(&f, &p, "INVITE", 2, "Session-Expires: 1800\r\n", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	inv = fixture_take(&f, CORE, "INVITE ");
	o = text_sdp(text_body(slice_str(inv)), 'o', 0);
	assert_true(slice_eq(o, slice_str(origin)));
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	hang_up_from_phone(&p, 3);
	fixture_end(&f);
}

static void requests_in_dialog_are_told_by_their_order(void **state)
{
	struct parties p = party(1);
	const char *info;

	(void)state;
	begin();
	call_up(&f, &p);
	phone_request(&f, &p, "INFO", 5, "", "");
	info = fixture_take(&f, CORE, "INFO ");
	answer(&f, CORE, info, "200 OK", "", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	reborn_cycle(&f);
	phone_request(&f, &p, "INFO", 4, "Subject: late\r\n", "");
	fixture_take(&f, ACCESS, "SIP/2.0 500");
	assert_int_equal(fixture_reason(&f, REASON_SIP_CSEQ), 1);
	hang_up_from_phone(&p, 6);
	fixture_end(&f);
}

/* It had no final answer: it counts as not received, and its repetition is served. */
static void request_under_way_is_served_when_repeated(void **state)
{
	struct parties p = party(1);
	const char *info;

	(void)state;
	begin();
	call_up(&f, &p);
	phone_request(&f, &p, "INFO", 2, "", "");
	fixture_take(&f, CORE, "INFO ");
	reborn_cycle(&f);
	phone_request(&f, &p, "INFO", 2, "", "");
	info = fixture_take(&f, CORE, "INFO ");
	answer(&f, CORE, info, "200 OK", "", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	hang_up_from_phone(&p, 3);
	fixture_end(&f);
}

/* An UPDATE's offer goes with it, and comes again with it. */
static void offer_in_an_update_under_way_is_made_again(void **state)
{
	struct parties p = party(1);
	const char *update;

	(void)state;
	begin();
	call_up(&f, &p);
	phone_request(&f, &p, "UPDATE", 2, "", hold_sdp);
	fixture_take(&f, CORE, "UPDATE ");
	reborn_cycle(&f);
	phone_request(&f, &p, "UPDATE", 2, "", hold_sdp);
	update = fixture_take(&f, CORE, "UPDATE ");
	answer(&f, CORE, update, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	hang_up_from_phone(&p, 3);
	fixture_end(&f);
}

static void longest_time_goes_on_counting(void **state)
{
	struct parties p = party(1);

	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_snapshot(&f.snapshot);
	f.snapshot.max_call_s = 600;
	fixture_begin(&f, 1, 64);
	call_up(&f, &p);
	fixture_elapse(&f, 400 * 1000);
	reborn_cycle(&f);
	fixture_elapse(&f, 190 * 1000);
	fixture_silent(&f);
	fixture_elapse(&f, 11 * 1000);
	assert_int_equal(f.end, END_MAX_TIME);
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

static void callees_repeated_answer_is_acknowledged_again(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_up(&f, &p);
	reborn_cycle(&f);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_take(&f, CORE, "ACK ");
	fixture_silent(&f);
	hang_up_from_phone(&p, 2);
	fixture_end(&f);
}

/* A fork that answers late gets its ACK and BYE, and the call stays. */
static void late_fork_is_let_go(void **state)
{
	struct parties p = party(1);
	const char *bye;

	(void)state;
	begin();
	call_up(&f, &p);
	reborn_cycle(&f);
	answer(&f, CORE, p.invite, "200 OK", "othertag", "", pbx_sdp);
	fixture_take(&f, CORE, "ACK ");
	bye = fixture_take(&f, CORE, "BYE ");
	answer(&f, CORE, bye, "200 OK", "", "", "");
	hang_up_from_phone(&p, 2);
	fixture_end(&f);
}

/* ---- media ---- */

static void flows_come_back_as_they_were(void **state)
{
	struct parties p = party(1);
	struct net_addr nat = {fixture_phone().ip, 46000}, rtcp = {fixture_phone().ip, 46001};
	struct flow_spec before[8] = {0}, *b = before;
	const struct flow_spec *s;
	struct engine_event ev = {.type = ENGINE_EV_MEDIA};
	uint32_t cursor = 0;

	(void)state;
	begin();
	call_up(&f, &p);
	while ((s = driver_flow_next(f.driver, &cursor)) != NULL)
		*b++ = *s;
	assert_int_equal(b - before, 4);
	assert_true(driver_latched(f.driver, ACCESS, before[0].port, nat));
	assert_true(driver_latched(f.driver, ACCESS, before[1].port, rtcp));
	ev.media = (struct engine_media){.type = ENGINE_MEDIA_COUNTED,
					 .call = before[0].call,
					 .leg = before[0].leg,
					 .packets = 1500,
					 .bytes = 258000};
	driver_event(f.driver, 0, &ev);
	reborn_cycle(&f);
	for (b = before; b < before + 4; b++) {
		s = driver_flow(f.driver, b->realm, b->port);
		assert_non_null(s);
		assert_true(net_addr_eq(s->remote, b->remote));
		assert_int_equal(s->peer_port, b->peer_port);
		assert_int_equal(s->peer_realm, b->peer_realm);
		assert_int_equal(s->gate_ip, b->gate_ip);
		assert_int_equal(s->latch, b->latch);
		assert_int_equal(s->proven, b->proven);
		assert_int_equal(s->closed, b->closed);
		assert_int_equal(s->epoch, b->epoch);
		assert_int_equal(s->leg, b->leg);
	}
	assert_true(net_addr_eq(driver_flow(f.driver, ACCESS, before[0].port)->source, nat));
	assert_true(net_addr_eq(driver_flow(f.driver, ACCESS, before[1].port)->source, rtcp));
	assert_int_equal(driver_flow(f.driver, ACCESS, before[0].port)->packets, 1500);
	assert_int_equal(driver_flow(f.driver, ACCESS, before[0].port)->bytes, 258000);
	hang_up_from_phone(&p, 2);
	fixture_end(&f);
}

/* What an address that is no longer offered had latched is not believed again. */
static void new_address_forgets_what_had_latched(void **state)
{
	struct parties p = party(1);
	static const char moved[] =
		"v=0\r\no=alice 11 14 IN IP4 192.168.1.20\r\ns=-\r\n"
		"c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 40010 RTP/AVP 8 0\r\n"
		"a=rtpmap:8 PCMA/8000\r\n";
	struct net_addr nat = {fixture_phone().ip, 46000};
	uint32_t cursor = 0;
	uint16_t port;
	const char *inv;

	(void)state;
	begin();
	call_up(&f, &p);
	port = driver_flow_next(f.driver, &cursor)->port;
	assert_true(driver_latched(f.driver, ACCESS, port, nat));
	phone_request(&f, &p, "INVITE", 2, "", moved);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	inv = fixture_take(&f, CORE, "INVITE ");
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	reborn_cycle(&f);
	assert_int_equal(driver_flow(f.driver, ACCESS, port)->source.port, 0);
	hang_up_from_phone(&p, 3);
	fixture_end(&f);
}

static void many_calls_have_exactly_their_ports(void **state)
{
	struct parties p[20];

	(void)state;
	begin();
	for (unsigned i = 0; i < 20; i++) {
		p[i] = party(i + 1);
		call_up(&f, &p[i]);
	}
	for (unsigned i = 0; i < 20; i += 2) {
		phone_request(&f, &p[i], "BYE", 2, "", "");
		fixture_take(&f, ACCESS, "SIP/2.0 200");
		fixture_take(&f, CORE, "BYE ");
	}
	reborn_cycle(&f);
	assert_int_equal(fixture_stats(&f).calls, 10);
	assert_int_equal(fixture_stats(&f).ports_used, 10 * 4);
	assert_int_equal(driver_flows(f.driver), 10 * 4);
	for (unsigned i = 1; i < 20; i += 2) {
		phone_request(&f, &p[i], "BYE", 2, "", "");
		fixture_take(&f, ACCESS, "SIP/2.0 200");
		fixture_take(&f, CORE, "BYE ");
	}
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(established_call_is_ended_by_the_caller),
		cmocka_unit_test(established_call_is_ended_by_the_callee),
		cmocka_unit_test(call_survives_any_number_of_restarts),
		cmocka_unit_test(session_is_renegotiated_by_the_caller),
		cmocka_unit_test(session_is_renegotiated_by_the_callee),
		cmocka_unit_test(session_refresh_keeps_the_version),
		cmocka_unit_test(requests_in_dialog_are_told_by_their_order),
		cmocka_unit_test(request_under_way_is_served_when_repeated),
		cmocka_unit_test(offer_in_an_update_under_way_is_made_again),
		cmocka_unit_test(longest_time_goes_on_counting),
		cmocka_unit_test(callees_repeated_answer_is_acknowledged_again),
		cmocka_unit_test(late_fork_is_let_go),
		cmocka_unit_test(flows_come_back_as_they_were),
		cmocka_unit_test(new_address_forgets_what_had_latched),
		cmocka_unit_test(many_calls_have_exactly_their_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
