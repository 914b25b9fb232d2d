/* Client transactions: every transition of RFC 3261 17.1 and RFC 6026 7.2. */
#include "tests/unit/core/transaction_fixture.h"

#include <string.h>

#include "sbc/core/transaction_internal.h"

#define BRANCH "z9hG4bK0123456789abcdef"
#define N(a)   (sizeof(a) / sizeof((a)[0]))

static const uint64_t timer_a[] = {500, 1500, 3500, 7500, 15500, 31500};
static const uint64_t timer_e[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};

static const char ack_text[] = "ACK sip:bob@10.0.0.10 SIP/2.0\r\n"
			       "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=" BRANCH "\r\n"
			       "Route: <sip:10.0.0.10;lr>\r\n"
			       "Route: <sip:10.0.0.11;lr>, <sip:10.0.0.12;lr>\r\n"
			       "Max-Forwards: 70\r\n"
			       "From: <sip:alice@10.0.0.1>;tag=ours\r\n"
			       "Call-ID: own-call\r\n"
			       "CSeq: 101 ACK\r\n"
			       "To: \"Bob\" <sip:bob@10.0.0.10>;tag=t1\r\n"
			       "Content-Length: 0\r\n\r\n";

static enum tx_rx answer(struct fx *f, uint16_t status, const char *method, const char *tag)
{
	struct fx_msg x;

	fx_response(&x, status, method, BRANCH, tag);
	return fx_receive(f, &x, NULL);
}

static uint64_t invite(struct fx *f)
{
	uint64_t tx = fx_client(f, "INVITE", BRANCH, 11);

	assert_true(tx != 0);
	fx_sent(f, f->now - f->mark, "INVITE sip:bob@10.0.0.10 SIP/2.0");
	return tx;
}

static void invite_is_repeated_by_timer_a_and_times_out_by_b(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	fx_elapse(&f, FX_64T1);
	fx_sent_at(&f, timer_a, N(timer_a), "INVITE sip:bob@10.0.0.10 SIP/2.0");
	assert_true(f.log[f.read].event.user == 11);
	assert_false(f.log[f.read].event.server);
	assert_int_equal(f.log[f.read].event.method, SIP_INVITE);
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	assert_int_equal(tx_retransmissions(f.l), N(timer_a));
	fx_close(&f);
}

static void retransmission_is_the_request_byte_by_byte(void **state)
{
	struct fx f;
	char buf[FX_TEXT];
	struct slice bytes = fx_own(buf, "INVITE", BRANCH);

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	fx_elapse(&f, 500);
	const struct fx_entry *e = fx_sent(&f, 500, "INVITE");
	assert_int_equal(e->len, bytes.n);
	assert_memory_equal(e->text, bytes.p, bytes.n);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* Ticks are 4 ms: sendings move by less than one and the error does not add up. */
static void retransmission_does_not_drift_from_an_odd_start(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	fx_elapse(&f, 3);
	fx_mark(&f);
	uint64_t tx = invite(&f);
	fx_elapse(&f, FX_64T1 + WHEEL_TICK_MS);
	for (uint32_t i = 0; i < N(timer_a); i++)
		fx_sent(&f, timer_a[i] + 1, "INVITE");
	fx_said(&f, FX_64T1 + 1, TX_EV_TIMEOUT, tx);
	fx_close(&f);
}

static void late_driver_repeats_once_and_not_as_often_as_it_missed(void **state)
{
	struct tx_event ev[4];
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	f.now += 20000;
	assert_int_equal(tx_expire(f.l, f.now, ev, 4, 100000, f.out), 0);
	assert_int_equal(f.out->count, 1);
	engine_out_clear(f.out);
	/* The next one is a whole interval away: nothing is made up for. */
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(tx_expire(f.l, f.now, ev, 4, 100000, f.out), 0);
		assert_int_equal(f.out->count, 0);
		f.now += 300;
	}
	f.now += 11100;
	assert_int_equal(tx_expire(f.l, f.now, ev, 4, 100000, f.out), 1);
	assert_int_equal(ev[0].type, TX_EV_TIMEOUT);
	assert_true(ev[0].tx == tx);
	assert_int_equal(f.out->count, 0);
	fx_close(&f);
}

static void provisional_stops_a_and_b(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	uint32_t blobs = blob_used(&f.blobs);
	fx_elapse(&f, 600);
	fx_sent(&f, 500, "INVITE");
	assert_int_equal(answer(&f, 100, "INVITE", "t1"), TX_PASS);
	assert_int_equal(answer(&f, 180, "INVITE", "t1"), TX_PASS);
	assert_int_equal(answer(&f, 180, "INVITE", "t1"), TX_PASS);
	assert_int_equal(blob_used(&f.blobs), blobs);
	fx_elapse(&f, 3600 * 1000);
	fx_silent(&f);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* What waits in Proceeding is small: no body, no header that ACK and CANCEL lack. */
static void ringing_invite_keeps_only_what_follows_it(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	answer(&f, 180, "INVITE", "t1");
	const struct tx *t = pool_get(&f.l->pool, tx);
	assert_int_equal(t->msg, 0);
	struct slice kept = blob_slice(&f.blobs, t->aux);
	assert_true(slice_search(kept, SLICE_LIT("Contact")) < 0);
	assert_true(slice_search(kept, SLICE_LIT("v=0")) < 0);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void accepted_from_calling_and_from_proceeding_passes_every_2xx(void **state)
{
	(void)state;
	for (uint32_t rung = 0; rung < 2; rung++) {
		struct fx f;
		struct fx_msg x;
		uint64_t matched;

		fx_open(&f);
		uint64_t tx = invite(&f);
		if (rung)
			assert_int_equal(answer(&f, 183, "INVITE", "t1"), TX_PASS);
		assert_int_equal(answer(&f, 200, "INVITE", "t1"), TX_PASS);
		assert_int_equal(blob_used(&f.blobs), 0);
		fx_elapse(&f, 1000);
		/* Retransmitted, and forked. */
		assert_int_equal(answer(&f, 200, "INVITE", "t1"), TX_PASS);
		fx_response(&x, 202, "INVITE", BRANCH, "t2");
		assert_int_equal(fx_receive(&f, &x, &matched), TX_PASS);
		assert_true(matched == tx);
		/* RFC 6026 7.2 passes 2xx only, and acknowledges nothing. */
		assert_int_equal(answer(&f, 180, "INVITE", "t3"), TX_ABSORBED);
		assert_int_equal(answer(&f, 486, "INVITE", "t4"), TX_ABSORBED);
		fx_silent(&f);
		fx_elapse(&f, FX_64T1);
		fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
		assert_int_equal(answer(&f, 200, "INVITE", "t1"), TX_STRAY);
		fx_close(&f);
	}
}

static void non_2xx_from_calling_and_from_proceeding_is_acknowledged(void **state)
{
	(void)state;
	for (uint32_t rung = 0; rung < 2; rung++) {
		struct fx f;

		fx_open(&f);
		uint64_t tx = invite(&f);
		if (rung)
			assert_int_equal(answer(&f, 180, "INVITE", "t1"), TX_PASS);
		assert_int_equal(answer(&f, 486, "INVITE", "t1"), TX_PASS);
		const struct fx_entry *e = fx_sent(&f, 0, "ACK");
		assert_int_equal(e->len, sizeof(ack_text) - 1);
		assert_string_equal(e->text, ack_text);
		fx_elapse(&f, 700);
		/* Retransmissions are acknowledged anew and go no further. */
		assert_int_equal(answer(&f, 486, "INVITE", "t1"), TX_ABSORBED);
		e = fx_sent(&f, 700, "ACK");
		assert_string_equal(e->text, ack_text);
		assert_int_equal(answer(&f, 180, "INVITE", "t1"), TX_ABSORBED);
		fx_silent(&f);
		fx_elapse(&f, 60000);
		fx_said(&f, TX_TIMER_D_MIN_MS, TX_EV_ENDED, tx);
		assert_int_equal(answer(&f, 486, "INVITE", "t1"), TX_STRAY);
		fx_close(&f);
	}
}

static void ack_carries_the_to_of_the_response_it_acknowledges(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	answer(&f, 302, "INVITE", "forkA");
	assert_non_null(strstr(fx_sent(&f, 0, "ACK")->text, ";tag=forkA\r\n"));
	answer(&f, 603, "INVITE", "forkB");
	assert_non_null(strstr(fx_sent(&f, 0, "ACK")->text, ";tag=forkB\r\n"));
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* 16.7: a proxy forwards any 2xx, whatever it has forwarded before. */
static void accepting_after_a_refusal_is_passed_up(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	assert_int_equal(answer(&f, 487, "INVITE", "t1"), TX_PASS);
	fx_sent(&f, 0, "ACK");
	assert_int_equal(answer(&f, 200, "INVITE", "t2"), TX_PASS);
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	fx_close(&f);
}

static void non_invite_is_repeated_by_timer_e_and_times_out_by_f(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = fx_client(&f, "BYE", BRANCH, 5);
	fx_sent(&f, 0, "BYE");
	fx_elapse(&f, FX_64T1);
	fx_sent_at(&f, timer_e, N(timer_e), "BYE");
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	fx_close(&f);
}

/* 17.1.2.2: E goes on as set, and at T2 once it has fired in Proceeding; F goes on. */
static void provisional_to_a_non_invite_slows_timer_e(void **state)
{
	static const uint64_t at[] = {1500, 5500, 9500, 13500, 17500, 21500, 25500, 29500};
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = fx_client(&f, "OPTIONS", BRANCH, 5);
	fx_sent(&f, 0, "OPTIONS");
	fx_elapse(&f, 600);
	fx_sent(&f, 500, "OPTIONS");
	assert_int_equal(answer(&f, 100, "OPTIONS", "t1"), TX_PASS);
	fx_elapse(&f, FX_64T1);
	fx_sent_at(&f, at, N(at), "OPTIONS");
	fx_said(&f, FX_64T1, TX_EV_TIMEOUT, tx);
	fx_close(&f);
}

static void final_to_a_non_invite_is_passed_once_and_k_ends_it(void **state)
{
	static const uint16_t final[] = {200, 302, 404, 503, 603};

	(void)state;
	for (uint32_t i = 0; i < 2 * N(final); i++) {
		struct fx f;

		fx_open(&f);
		uint64_t tx = fx_client(&f, "BYE", BRANCH, 5);
		fx_sent(&f, 0, "BYE");
		if (i % 2)
			assert_int_equal(answer(&f, 100, "BYE", "t1"), TX_PASS);
		assert_int_equal(answer(&f, final[i / 2], "BYE", "t1"), TX_PASS);
		assert_int_equal(blob_used(&f.blobs), 0);
		assert_int_equal(answer(&f, final[i / 2], "BYE", "t1"), TX_ABSORBED);
		assert_int_equal(answer(&f, 200, "BYE", "t2"), TX_ABSORBED);
		assert_int_equal(answer(&f, 180, "BYE", "t2"), TX_ABSORBED);
		fx_elapse(&f, FX_64T1);
		fx_said(&f, FX_T4, TX_EV_ENDED, tx);
		assert_int_equal(answer(&f, 200, "BYE", "t1"), TX_STRAY);
		fx_close(&f);
	}
}

static void response_needs_both_branch_and_method(void **state)
{
	struct fx f;
	struct fx_msg x;
	uint64_t matched = 1;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	assert_int_equal(answer(&f, 200, "BYE", "t1"), TX_STRAY);
	assert_int_equal(answer(&f, 200, "CANCEL", "t1"), TX_STRAY);
	assert_int_equal(answer(&f, 200, "FOO", "t1"), TX_STRAY);
	fx_response(&x, 200, "INVITE", BRANCH "0", "t1");
	assert_int_equal(fx_receive(&f, &x, &matched), TX_STRAY);
	assert_true(matched == 0);
	fx_response(&x, 200, "INVITE", "z9hG4bK0123456789abcde", "t1");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_STRAY);
	fx_parse(&x, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nFrom: <sip:a@b>;tag=1\r\n"
		     "To: <sip:b@c>;tag=2\r\nCall-ID: own-call\r\nCSeq: 101 INVITE\r\n\r\n");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_STRAY);
	fx_silent(&f);
	/* None of them has changed its state. */
	fx_elapse(&f, 500);
	fx_sent(&f, 500, "INVITE");
	/* Parameter values compare without case (7.3.1). */
	fx_response(&x, 200, "INVITE", "Z9HG4BK0123456789ABCDEF", "t1");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_PASS);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* The parser refuses it; whoever asks all the same gets no transaction. */
static void response_with_unreadable_cseq_is_stray(void **state)
{
	static const char text[] =
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=" BRANCH "\r\n"
		"From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>;tag=2\r\n"
		"Call-ID: own-call\r\nCSeq: INVITE\r\n\r\n";
	struct sip_fault fault;
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	assert_int_not_equal(sip_msg_parse(&x.m, text, sizeof(text) - 1, &fault), SBC_OK);
	assert_int_equal(sip_via_top(&x.m, &x.via), SBC_OK);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_STRAY);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void extension_methods_are_told_apart_by_name(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t foo = fx_client(&f, "FOO", BRANCH, 1);
	uint64_t bar = fx_client(&f, "BAR", BRANCH, 2);
	fx_sent(&f, 0, "FOO");
	fx_sent(&f, 0, "BAR");
	assert_int_equal(answer(&f, 200, "BAR", "t1"), TX_PASS);
	fx_elapse(&f, FX_T4);
	fx_sent_at(&f, timer_e, 3, "FOO");
	fx_said(&f, FX_T4, TX_EV_ENDED, bar);
	tx_abandon(f.l, foo);
	fx_close(&f);
}

static void abandoned_transaction_says_nothing_more(void **state)
{
	struct fx f;

	(void)state;
	fx_open(&f);
	uint64_t tx = invite(&f);
	tx_abandon(f.l, tx);
	tx_client_cancel(f.l, tx, f.now, f.out);
	fx_elapse(&f, FX_64T1);
	fx_silent(&f);
	assert_int_equal(answer(&f, 200, "INVITE", "t1"), TX_STRAY);
	fx_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(invite_is_repeated_by_timer_a_and_times_out_by_b),
		cmocka_unit_test(retransmission_is_the_request_byte_by_byte),
		cmocka_unit_test(retransmission_does_not_drift_from_an_odd_start),
		cmocka_unit_test(late_driver_repeats_once_and_not_as_often_as_it_missed),
		cmocka_unit_test(provisional_stops_a_and_b),
		cmocka_unit_test(ringing_invite_keeps_only_what_follows_it),
		cmocka_unit_test(accepted_from_calling_and_from_proceeding_passes_every_2xx),
		cmocka_unit_test(non_2xx_from_calling_and_from_proceeding_is_acknowledged),
		cmocka_unit_test(ack_carries_the_to_of_the_response_it_acknowledges),
		cmocka_unit_test(accepting_after_a_refusal_is_passed_up),
		cmocka_unit_test(non_invite_is_repeated_by_timer_e_and_times_out_by_f),
		cmocka_unit_test(provisional_to_a_non_invite_slows_timer_e),
		cmocka_unit_test(final_to_a_non_invite_is_passed_once_and_k_ends_it),
		cmocka_unit_test(response_needs_both_branch_and_method),
		cmocka_unit_test(response_with_unreadable_cseq_is_stray),
		cmocka_unit_test(extension_methods_are_told_apart_by_name),
		cmocka_unit_test(abandoned_transaction_says_nothing_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
