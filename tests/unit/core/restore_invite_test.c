/*
 * INVITEs under way when the process dies: early calls, answers that were not
 * acknowledged, re-INVITEs. Each goes on, on both sides.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/core/restore_fixture.h"

static struct fixture f;
static struct reborn kept;

static struct parties party(unsigned id)
{
	struct parties p;

	memset(&p, 0, sizeof(p));
	p.id = id;
	return p;
}

static void begin(void)
{
	memset(&f, 0, sizeof(f));
	fixture_begin(&f, 1, 64);
}

/* Rings: the caller has a 180, the callee has a dialog. */
static void call_rings(struct parties *p, const char *offer)
{
	phone_invite(&f, p, "", offer);
	pbx_gets_invite(&f, p);
	answer(&f, CORE, p->invite, "180 Ringing", "bobtag1", "", "");
	phone_learns(p, fixture_take(&f, ACCESS, "SIP/2.0 180"));
	fixture_silent(&f);
}

static void end_from_phone(struct parties *p, unsigned cseq)
{
	const char *bye;

	phone_request(&f, p, "BYE", cseq, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	bye = fixture_take(&f, CORE, "BYE ");
	answer(&f, CORE, bye, "200 OK", "", "", "");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 0);
}

/* The same tag at the far end, whichever process speaks. */
static void same_to_tag(const struct parties *p, const char *response)
{
	struct slice to = text_header(slice_str(response), "To", 0);

	assert_true(slice_eq(text_param(to, "tag"), text_param(slice_str(p->to), "tag")));
}

/* ---- early calls ---- */

static void early_call_is_answered(void **state)
{
	struct parties p = party(1);
	const char *ok;

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	reborn_cycle(&f);
	assert_int_equal(fixture_stats(&f).calls, 1);
	assert_int_equal(fixture_stats(&f).calls_established, 0);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	ok = fixture_take(&f, ACCESS, "SIP/2.0 200");
	same_to_tag(&p, ok);
	assert_int_equal(text_cseq(slice_str(ok)), 1);
	assert_non_null(strstr(ok, "z9hG4bKphonei1"));
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 1, "", "");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(driver_flows(f.driver), 4);
	end_from_phone(&p, 2);
	fixture_end(&f);
}

static void early_call_rings_on(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	reborn_cycle(&f);
	answer(&f, CORE, p.invite, "183 Session Progress", "bobtag1", "", pbx_sdp);
	same_to_tag(&p, fixture_take(&f, ACCESS, "SIP/2.0 183"));
	assert_int_equal(driver_flows(f.driver), 4);
	reborn_cycle(&f);
	assert_int_equal(driver_flows(f.driver), 4);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 1, "", "");
	end_from_phone(&p, 2);
	fixture_end(&f);
}

static void early_call_is_cancelled(void **state)
{
	struct parties p = party(1);
	struct slice via, uri;
	const char *cancel, *refused;

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	reborn_cycle(&f);
	snprintf(f.text, sizeof(f.text),
		 "CANCEL sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKphonei1\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=alicetag1\r\n"
		 "To: <sip:bob@203.0.113.1>\r\nCall-ID: phonecall-1@192.168.1.20\r\n"
		 "CSeq: 1 CANCEL\r\n\r\n");
	fixture_recv(&f, ACCESS, fixture_phone(), f.text);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	refused = fixture_take(&f, ACCESS, "SIP/2.0 487");
	same_to_tag(&p, refused);
	cancel = fixture_take(&f, CORE, "CANCEL ");
	/* 9.1: alike in Request-URI, Via, From, To, Call-ID and number. */
	via = text_header(slice_str(p.invite), "Via", 0);
	assert_true(slice_eq(via, text_header(slice_str(cancel), "Via", 0)));
	uri = text_request_uri(slice_str(p.invite));
	assert_true(slice_eq(uri, text_request_uri(slice_str(cancel))));
	assert_true(slice_eq(text_header(slice_str(p.invite), "To", 0),
			     text_header(slice_str(cancel), "To", 0)));
	assert_int_equal(text_cseq(slice_str(p.invite)), text_cseq(slice_str(cancel)));
	answer(&f, CORE, cancel, "200 OK", "bobtag1", "", "");
	answer(&f, CORE, p.invite, "487 Request Terminated", "bobtag1", "", "");
	assert_non_null(strstr(fixture_take(&f, CORE, "ACK "), "bobtag1"));
	assert_int_equal(f.end, END_CANCELLED);
	fixture_end(&f);
}

static void early_call_is_refused(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	reborn_cycle(&f);
	answer(&f, CORE, p.invite, "486 Busy Here", "bobtag1", "", "");
	fixture_take(&f, CORE, "ACK ");
	same_to_tag(&p, fixture_take(&f, ACCESS, "SIP/2.0 486"));
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

static void early_call_times_out(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	reborn_cycle(&f);
	fixture_elapse(&f, f.snapshot.ring_timeout_ms + 100);
	fixture_take(&f, ACCESS, "SIP/2.0 408");
	fixture_take(&f, CORE, "CANCEL ");
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

static void repeated_invite_is_absorbed(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	reborn_cycle(&f);
	phone_invite(&f, &p, "", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 1);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

/* RFC 2543: no magic cookie; told by Request-URI, tags and Via parameters. */
static void repeated_invite_of_an_old_client_is_absorbed(void **state)
{
	static const char *const invite =
		"INVITE sip:bob@203.0.113.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.168.1.20:5062;branch=7;x=%s\r\n"
		"From: <sip:alice@203.0.113.1>;tag=old\r\nTo: <sip:bob@203.0.113.1>\r\n"
		"Call-ID: old@192.168.1.20\r\nCSeq: 1 INVITE\r\n"
		"Contact: <sip:alice@192.168.1.20:5062>\r\nMax-Forwards: 70\r\n\r\n";
	struct parties p = party(1);
	uint64_t total;

	(void)state;
	begin();
	snprintf(f.text, sizeof(f.text), invite, "a");
	fixture_recv(&f, ACCESS, fixture_phone(), f.text);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "180 Ringing", "bobtag1", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 180");
	reborn_cycle(&f);
	total = fixture_stats(&f).calls_total;
	snprintf(f.text, sizeof(f.text), invite, "a");
	fixture_recv(&f, ACCESS, fixture_phone(), f.text);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_total, total);
	/* Another Via parameter makes it another request. */
	snprintf(f.text, sizeof(f.text), invite, "b");
	fixture_recv(&f, ACCESS, fixture_phone(), f.text);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	fixture_take(&f, CORE, "INVITE ");
	driver_kill_all(f.driver);
	fixture_end(&f);
}

/* RFC 3262: numbers go on, and acknowledgements find what they are for. */
static void reliable_response_is_acknowledged(void **state)
{
	struct parties p = party(1);
	struct slice rseq;
	char number[64];
	const char *early, *prack;

	(void)state;
	begin();
	phone_invite(&f, &p, "Supported: 100rel\r\n", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "183 Session Progress", "bobtag1",
	       "Require: 100rel\r\nRSeq: 77\r\n", pbx_sdp);
	early = fixture_take(&f, ACCESS, "SIP/2.0 183");
	phone_learns(&p, early);
	rseq = text_header(slice_str(early), "RSeq", 0);
	snprintf(number, sizeof(number), "RAck: %.*s 1 INVITE\r\n", (int)rseq.n, rseq.p);
	reborn_cycle(&f);
	phone_request(&f, &p, "PRACK", 2, number, "");
	prack = fixture_take(&f, CORE, "PRACK ");
	assert_non_null(strstr(prack, "RAck: 77 "));
	answer(&f, CORE, prack, "200 OK", "", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	answer(&f, CORE, p.invite, "180 Ringing", "bobtag1", "Require: 100rel\r\nRSeq: 78\r\n", "");
	early = fixture_take(&f, ACCESS, "SIP/2.0 180");
	assert_int_equal(text_number(text_header(slice_str(early), "RSeq", 0)),
			 strtoul(number + 6, NULL, 10) + 1);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 1, "", "");
	end_from_phone(&p, 3);
	fixture_end(&f);
}

/* ---- answers ---- */

static void unacknowledged_answer_is_sent_until_its_ack(void **state)
{
	struct parties p = party(1);
	char first[FIXTURE_BYTES];

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	strcpy(first, fixture_take(&f, ACCESS, "SIP/2.0 200"));
	fixture_take(&f, CORE, "ACK ");
	reborn_cycle(&f);
	fixture_elapse(&f, 10);
	assert_string_equal(fixture_take(&f, ACCESS, "SIP/2.0 200"), first);
	fixture_elapse(&f, 1200);
	assert_string_equal(fixture_take(&f, ACCESS, "SIP/2.0 200"), first);
	fixture_discard(&f);
	phone_request(&f, &p, "ACK", 1, "", "");
	fixture_elapse(&f, 40000);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	end_from_phone(&p, 2);
	fixture_end(&f);
}

static void answer_never_acknowledged_ends_the_call(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_discard(&f);
	reborn_cycle(&f);
	fixture_elapse(&f, 40000);
	assert_int_equal(f.end, END_NO_ACK);
	assert_int_equal(fixture_stats(&f).calls, 0);
	fixture_end(&f);
}

/* The ACK was only not written down in time: long after it nobody repeats the answer. */
static void late_restart_does_not_wait_for_an_ack(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, phone_sdp);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_discard(&f);
	reborn_gather(&kept, &f, 0);
	phone_request(&f, &p, "ACK", 1, "", "");
	driver_restart(f.driver);
	fixture_elapse(&f, 60000);
	reborn_give_all(&kept, &f);
	fixture_elapse(&f, 60000);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	end_from_phone(&p, 2);
	fixture_end(&f);
}

static void answer_in_the_ack_comes_after_the_restart(void **state)
{
	struct parties p = party(1);
	const char *ok, *ack;

	(void)state;
	begin();
	call_rings(&p, "");
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	ok = fixture_take(&f, ACCESS, "SIP/2.0 200");
	assert_true(text_body(slice_str(ok)).n > 0);
	fixture_silent(&f);
	reborn_cycle(&f);
	fixture_elapse(&f, 10);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	phone_request(&f, &p, "ACK", 1, "", phone_sdp);
	ack = fixture_take(&f, CORE, "ACK ");
	assert_non_null(strstr(ack, "m=audio 3"));
	assert_int_equal(driver_flows(f.driver), 4);
	fixture_silent(&f);
	end_from_phone(&p, 2);
	fixture_end(&f);
}

/* It was to bring the answer, and nobody sends it any more: both sides are told. */
static void answer_in_an_ack_that_is_lost_ends_the_call(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	call_rings(&p, "");
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_discard(&f);
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	fixture_elapse(&f, 60000);
	reborn_give_all(&kept, &f);
	fixture_take(&f, CORE, "BYE ");
	fixture_take(&f, ACCESS, "BYE ");
	assert_int_equal(f.end, END_NO_ACK);
	fixture_end(&f);
}

/* The answer waited for the store when the process died: it leaves now, and the callee's ACK. */
static void held_answer_leaves_after_the_restart(void **state)
{
	struct parties p = party(1);

	(void)state;
	begin();
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	driver_store_behave(f.driver, DRIVER_STORE_HOLDS, 0);
	call_rings(&p, phone_sdp);
	answer(&f, CORE, p.invite, "200 OK", "bobtag1", "", pbx_sdp);
	fixture_silent(&f);
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	reborn_give_all(&kept, &f);
	fixture_take(&f, CORE, "ACK ");
	fixture_elapse(&f, 10);
	phone_learns(&p, fixture_take(&f, ACCESS, "SIP/2.0 200"));
	phone_request(&f, &p, "ACK", 1, "", "");
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	fixture_elapse(&f, 5000);
	fixture_silent(&f);
	end_from_phone(&p, 2);
	fixture_end(&f);
}

/* ---- re-INVITEs ---- */

/* However long the process was away: the other side may still be asking its user. */
static void reinvite_outlasts_a_long_absence(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];

	(void)state;
	begin();
	call_up(&f, &p);
	phone_request(&f, &p, "INVITE", 2, "", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	strcpy(inv, fixture_take(&f, CORE, "INVITE "));
	answer(&f, CORE, inv, "100 Trying", "", "", "");
	reborn_gather(&kept, &f, 0);
	driver_restart(f.driver);
	fixture_elapse(&f, 60000);
	reborn_give_all(&kept, &f);
	fixture_silent(&f);
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	end_from_phone(&p, 3);
	fixture_end(&f);
}

static const char *reinvite(struct parties *p)
{
	phone_request(&f, p, "INVITE", 2, "", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	return fixture_take(&f, CORE, "INVITE ");
}

static void reinvite_under_way_is_completed(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];

	(void)state;
	begin();
	call_up(&f, &p);
	strcpy(inv, reinvite(&p));
	answer(&f, CORE, inv, "100 Trying", "", "", "");
	reborn_cycle(&f);
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	fixture_elapse(&f, 5000);
	fixture_silent(&f);
	end_from_phone(&p, 3);
	fixture_end(&f);
}

/* Nothing was heard of it: it is sent again as it was. */
static void reinvite_without_a_sign_is_repeated(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];

	(void)state;
	begin();
	call_up(&f, &p);
	strcpy(inv, reinvite(&p));
	reborn_cycle(&f);
	fixture_elapse(&f, 600);
	assert_string_equal(fixture_take(&f, CORE, "INVITE "), inv);
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 2, "", "");
	end_from_phone(&p, 3);
	fixture_end(&f);
}

static void reinvite_refused_leaves_the_session(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];

	(void)state;
	begin();
	call_up(&f, &p);
	strcpy(inv, reinvite(&p));
	reborn_cycle(&f);
	answer(&f, CORE, inv, "488 Not Acceptable Here", "", "", "");
	fixture_take(&f, CORE, "ACK ");
	fixture_take(&f, ACCESS, "SIP/2.0 488");
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	assert_int_equal(driver_flows(f.driver), 4);
	end_from_phone(&p, 3);
	fixture_end(&f);
}

static void reinvite_is_cancelled_after_the_restart(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];
	const char *cancel;

	(void)state;
	begin();
	call_up(&f, &p);
	strcpy(inv, reinvite(&p));
	answer(&f, CORE, inv, "100 Trying", "", "", "");
	reborn_cycle(&f);
	snprintf(f.text, sizeof(f.text),
		 "CANCEL %s SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKphoneINVITE12\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=alicetag1\r\n"
		 "To: %s\r\nCall-ID: phonecall-1@192.168.1.20\r\nCSeq: 2 CANCEL\r\n\r\n",
		 p.target, p.to);
	fixture_recv(&f, ACCESS, fixture_phone(), f.text);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	cancel = fixture_take(&f, CORE, "CANCEL ");
	assert_true(slice_eq(text_header(slice_str(inv), "Via", 0),
			     text_header(slice_str(cancel), "Via", 0)));
	answer(&f, CORE, cancel, "200 OK", "", "", "");
	/* Once more: who was told to cancel knows it still. */
	reborn_cycle(&f);
	answer(&f, CORE, fixture_take(&f, CORE, "CANCEL "), "200 OK", "", "", "");
	answer(&f, CORE, inv, "487 Request Terminated", "", "", "");
	fixture_take(&f, CORE, "ACK ");
	fixture_take(&f, ACCESS, "SIP/2.0 487");
	end_from_phone(&p, 3);
	fixture_end(&f);
}

static void reinvites_answer_is_sent_until_its_ack(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];

	(void)state;
	begin();
	call_up(&f, &p);
	strcpy(inv, reinvite(&p));
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	reborn_cycle(&f);
	fixture_elapse(&f, 10);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	phone_request(&f, &p, "ACK", 2, "", "");
	/* The callee's own repetition is acknowledged too. */
	answer(&f, CORE, inv, "200 OK", "", "", pbx_sdp);
	fixture_take(&f, CORE, "ACK ");
	fixture_elapse(&f, 5000);
	fixture_silent(&f);
	end_from_phone(&p, 3);
	fixture_end(&f);
}

static void requests_cross_as_before(void **state)
{
	struct parties p = party(1);
	char inv[FIXTURE_BYTES];

	(void)state;
	begin();
	call_up(&f, &p);
	strcpy(inv, reinvite(&p));
	reborn_cycle(&f);
	pbx_request(&f, &p, "INVITE", 2, "", pbx_sdp);
	fixture_take(&f, CORE, "SIP/2.0 491");
	phone_request(&f, &p, "INVITE", 3, "", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 500");
	driver_kill_all(f.driver);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(early_call_is_answered),
		cmocka_unit_test(early_call_rings_on),
		cmocka_unit_test(early_call_is_cancelled),
		cmocka_unit_test(early_call_is_refused),
		cmocka_unit_test(early_call_times_out),
		cmocka_unit_test(repeated_invite_is_absorbed),
		cmocka_unit_test(repeated_invite_of_an_old_client_is_absorbed),
		cmocka_unit_test(reliable_response_is_acknowledged),
		cmocka_unit_test(unacknowledged_answer_is_sent_until_its_ack),
		cmocka_unit_test(answer_never_acknowledged_ends_the_call),
		cmocka_unit_test(late_restart_does_not_wait_for_an_ack),
		cmocka_unit_test(answer_in_the_ack_comes_after_the_restart),
		cmocka_unit_test(answer_in_an_ack_that_is_lost_ends_the_call),
		cmocka_unit_test(held_answer_leaves_after_the_restart),
		cmocka_unit_test(reinvite_outlasts_a_long_absence),
		cmocka_unit_test(reinvite_under_way_is_completed),
		cmocka_unit_test(reinvite_without_a_sign_is_repeated),
		cmocka_unit_test(reinvite_refused_leaves_the_session),
		cmocka_unit_test(reinvite_is_cancelled_after_the_restart),
		cmocka_unit_test(reinvites_answer_is_sent_until_its_ack),
		cmocka_unit_test(requests_cross_as_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
