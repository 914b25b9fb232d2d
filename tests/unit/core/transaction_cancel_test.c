/* CANCEL by RFC 3261 9.1, and its races in every order. */
#include "tests/unit/core/transaction_fixture.h"

#include <string.h>

#include "sbc/core/transaction_internal.h"

#define BRANCH "z9hG4bKcancel0123456789"
#define N(a)   (sizeof(a) / sizeof((a)[0]))

static const char cancel_text[] = "CANCEL sip:bob@10.0.0.10 SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=" BRANCH "\r\n"
				  "Route: <sip:10.0.0.10;lr>\r\n"
				  "Route: <sip:10.0.0.11;lr>, <sip:10.0.0.12;lr>\r\n"
				  "Max-Forwards: 70\r\n"
				  "From: <sip:alice@10.0.0.1>;tag=ours\r\n"
				  "Call-ID: own-call\r\n"
				  "CSeq: 101 CANCEL\r\n"
				  "To: \"Bob\" <sip:bob@10.0.0.10>\r\n"
				  "Content-Length: 0\r\n\r\n";

static const uint64_t timer_e[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};

static enum tx_rx answer(struct fx *f, uint16_t status, const char *method)
{
	struct fx_msg x;

	fx_response(&x, status, method, BRANCH, "t1");
	return fx_receive(f, &x, NULL);
}

static uint64_t invite(struct fx *f)
{
	uint64_t tx = fx_client(f, "INVITE", BRANCH, 11);

	assert_true(tx != 0);
	fx_sent(f, f->now - f->mark, "INVITE");
	return tx;
}

static uint64_t ringing(struct fx *f)
{
	uint64_t tx = invite(f);

	assert_int_equal(answer(f, 180, "INVITE"), TX_PASS);
	return tx;
}

static void cancel_goes_at_once_when_it_rings(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = ringing(&f);
	fx_cancel(&f, tx);
	const struct fx_entry *e = fx_sent(&f, 0, "CANCEL");
	assert_string_equal(e->text, cancel_text);
	assert_int_equal(tx_used(f.l), 2);
	fx_cancel(&f, tx);
	fx_silent(&f);
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_ABSORBED);
	assert_int_equal(answer(&f, 487, "INVITE"), TX_PASS);
	fx_sent(&f, 0, "ACK");
	fx_cancel(&f, tx);
	fx_elapse(&f, FX_64T1);
	/* The CANCEL's own transaction has no event. */
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void cancel_waits_for_a_provisional(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	fx_cancel(&f, tx);
	fx_cancel(&f, tx);
	fx_silent(&f);
	/* The INVITE goes on meanwhile. */
	fx_elapse(&f, 600);
	fx_sent(&f, 500, "INVITE");
	assert_int_equal(answer(&f, 100, "INVITE"), TX_PASS);
	const struct fx_entry *e = fx_sent(&f, 600, "CANCEL");
	assert_string_equal(e->text, cancel_text);
	assert_int_equal(answer(&f, 180, "INVITE"), TX_PASS);
	fx_silent(&f);
	assert_int_equal(answer(&f, 487, "INVITE"), TX_PASS);
	fx_sent(&f, 600, "ACK");
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_ABSORBED);
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1 + 600, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void cancel_that_meets_no_provisional_times_out_with_the_invite(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	fx_cancel(&f, tx);
	fx_elapse(&f, FX_64T1);
	for (uint32_t i = 0; i < 6; i++)
		fx_sent(&f, (500u << (i + 1)) - 500u, "INVITE");
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	fx_close(&f);
}

static void cancel_before_a_final_needs_none(void **state)
{
	static const uint16_t final[] = {200, 486};

	(void)state;
	for (uint32_t i = 0; i < N(final); i++) {
		struct fx f;

		fx_open(&f);
		uint64_t tx = invite(&f);
		fx_cancel(&f, tx);
		assert_int_equal(answer(&f, final[i], "INVITE"), TX_PASS);
		if (final[i] >= 300)
			fx_sent(&f, 0, "ACK");
		/* Late provisionals call for no CANCEL any more. */
		assert_int_equal(answer(&f, 180, "INVITE"), TX_ABSORBED);
		fx_silent(&f);
		assert_int_equal(tx_used(f.l), 1);
		fx_elapse(&f, FX_64T1);
		fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
		fx_close(&f);
	}
}

static void cancel_after_a_final_is_harmless(void **state)
{
	static const uint16_t final[] = {200, 486};

	(void)state;
	for (uint32_t i = 0; i < N(final); i++) {
		struct fx f;

		fx_open(&f);
		uint64_t tx = ringing(&f);
		assert_int_equal(answer(&f, final[i], "INVITE"), TX_PASS);
		if (final[i] >= 300)
			fx_sent(&f, 0, "ACK");
		fx_cancel(&f, tx);
		fx_silent(&f);
		assert_int_equal(tx_used(f.l), 1);
		fx_elapse(&f, FX_64T1);
		fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
		fx_close(&f);
	}
}

/* The 200 crosses the CANCEL: it is the TU's, and the CANCEL ends by itself. */
static void accepting_that_crosses_the_cancel_is_passed_up(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = ringing(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	assert_int_equal(answer(&f, 200, "INVITE"), TX_PASS);
	assert_int_equal(answer(&f, 200, "INVITE"), TX_PASS);
	assert_int_equal(answer(&f, 481, "CANCEL"), TX_ABSORBED);
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void final_before_the_answer_to_the_cancel(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = ringing(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	assert_int_equal(answer(&f, 487, "INVITE"), TX_PASS);
	fx_sent(&f, 0, "ACK");
	fx_elapse(&f, 600);
	fx_sent(&f, 500, "CANCEL");
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_ABSORBED);
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void cancelled_invite_without_a_final_times_out(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = ringing(&f);
	fx_elapse(&f, 10000);
	fx_mark(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	fx_elapse(&f, 2000);
	fx_sent_at(&f, timer_e, 2, "CANCEL");
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_ABSORBED);
	/* Ringing on does not put the end off. */
	assert_int_equal(answer(&f, 180, "INVITE"), TX_PASS);
	fx_elapse(&f, FX_64T1);
	assert_true(f.log[f.read].event.user == 11);
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	assert_int_equal(answer(&f, 200, "INVITE"), TX_STRAY);
	fx_close(&f);
}

static void unanswered_cancel_is_repeated_by_timer_e(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = ringing(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	fx_elapse(&f, FX_64T1);
	for (uint32_t i = 0; i < N(timer_e); i++)
		assert_string_equal(fx_sent(&f, timer_e[i], "CANCEL")->text, cancel_text);
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	fx_close(&f);
}

static void cancel_lives_on_when_its_invite_is_abandoned(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = ringing(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	tx_abandon(f.l, tx);
	fx_elapse(&f, 500);
	fx_sent(&f, 500, "CANCEL");
	assert_int_equal(answer(&f, 487, "INVITE"), TX_STRAY);
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_ABSORBED);
	fx_elapse(&f, FX_T4);
	fx_close(&f);
}

/* No room for the CANCEL's transaction: it is sent all the same, until there is. */
static void cancel_without_room_is_sent_until_it_finds_some(void **state)
{
	struct fx f;

	(void)state;
	fx_open_sized(&f, 2, 4096, 16);
	uint64_t tx = ringing(&f);
	uint64_t other = fx_client(&f, "BYE", "z9hG4bKother", 0);
	fx_sent(&f, 0, "BYE");
	fx_cancel(&f, tx);
	assert_string_equal(fx_sent(&f, 0, "CANCEL")->text, cancel_text);
	fx_elapse(&f, 200);
	tx_set_user(f.l, other, 1);
	tx_abandon(f.l, other);
	assert_int_equal(tx_used(f.l), 1);
	fx_elapse(&f, 400);
	fx_sent(&f, 500, "CANCEL");
	assert_int_equal(tx_used(f.l), 2);
	/* From here on timer E of the CANCEL's own counts. */
	fx_elapse(&f, 600);
	fx_sent(&f, 1000, "CANCEL");
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_ABSORBED);
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	fx_close(&f);
}

static void cancel_without_any_room_still_ends(void **state)
{
	struct fx f;

	(void)state;
	fx_open_sized(&f, 1, 4096, 16);
	uint64_t tx = ringing(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	fx_elapse(&f, FX_64T1);
	fx_sent_at(&f, timer_e, N(timer_e), "CANCEL");
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	fx_close(&f);

	fx_open_sized(&f, 1, 4096, 16);
	tx = ringing(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL");
	assert_int_equal(answer(&f, 200, "CANCEL"), TX_STRAY);
	assert_int_equal(answer(&f, 487, "INVITE"), TX_PASS);
	fx_sent(&f, 0, "ACK");
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void only_an_invite_can_be_cancelled(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	uint64_t bye = fx_client(&f, "BYE", BRANCH, 0);
	fx_sent(&f, 0, "BYE");
	assert_int_equal(answer(&f, 100, "BYE"), TX_PASS);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t server = fx_server(&f, &x);
	fx_cancel(&f, bye);
	fx_cancel(&f, server);
	fx_cancel(&f, 0);
	fx_silent(&f);
	assert_int_equal(tx_used(f.l), 2);
	tx_abandon(f.l, bye);
	tx_abandon(f.l, server);
	fx_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(cancel_goes_at_once_when_it_rings),
		cmocka_unit_test(cancel_waits_for_a_provisional),
		cmocka_unit_test(cancel_that_meets_no_provisional_times_out_with_the_invite),
		cmocka_unit_test(cancel_before_a_final_needs_none),
		cmocka_unit_test(cancel_after_a_final_is_harmless),
		cmocka_unit_test(accepting_that_crosses_the_cancel_is_passed_up),
		cmocka_unit_test(final_before_the_answer_to_the_cancel),
		cmocka_unit_test(cancelled_invite_without_a_final_times_out),
		cmocka_unit_test(unanswered_cancel_is_repeated_by_timer_e),
		cmocka_unit_test(cancel_lives_on_when_its_invite_is_abandoned),
		cmocka_unit_test(cancel_without_room_is_sent_until_it_finds_some),
		cmocka_unit_test(cancel_without_any_room_still_ends),
		cmocka_unit_test(only_an_invite_can_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
