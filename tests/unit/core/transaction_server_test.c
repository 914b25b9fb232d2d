/* Server transactions: every transition of RFC 3261 17.2 and RFC 6026 7.1. */
#include "tests/unit/core/transaction_fixture.h"

#include <string.h>

#include "sbc/core/transaction_internal.h"

#define BRANCH "z9hG4bKserver1"

/* G, and the repetition of a 2xx: doubling to T2 for 64*T1. */
static const uint64_t capped[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
#define N(a) (sizeof(a) / sizeof((a)[0]))

static void invite_retransmitted_before_any_response_is_absorbed(void **state)
{
	struct fx f;
	struct fx_msg x;
	uint64_t tx, again;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	tx = fx_server(&f, &x);
	assert_int_equal(fx_receive(&f, &x, &again), TX_ABSORBED);
	assert_true(again == tx);
	fx_silent(&f);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void invite_retransmitted_gets_the_latest_provisional(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	assert_int_equal(fx_respond(&f, tx, 100), SBC_OK);
	assert_int_equal(fx_respond(&f, tx, 180), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 100");
	fx_sent(&f, 0, "SIP/2.0 180");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_sent(&f, 0, "SIP/2.0 180");
	assert_int_equal(fx_respond(&f, tx, 183), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 183");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_sent(&f, 0, "SIP/2.0 183");
	assert_int_equal(tx_retransmissions(f.l), 2);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

/* The exception that the header names: its TU ends it, no timer does. */
static void invite_in_proceeding_lasts_until_its_tu_ends_it(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_respond(&f, tx, 180);
	fx_sent(&f, 0, "SIP/2.0 180");
	fx_elapse(&f, 3600 * 1000);
	fx_silent(&f);
	assert_int_equal(tx_used(f.l), 1);
	tx_abandon(f.l, tx);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void non_2xx_final_is_repeated_by_timer_g_and_given_up_by_h(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_elapse(&f, 2000);
	fx_mark(&f);
	assert_int_equal(fx_respond(&f, tx, 486), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 486");
	fx_elapse(&f, FX_64T1 + 1000);
	fx_sent_at(&f, capped, N(capped), "SIP/2.0 486");
	fx_said(&f, FX_64T1, TX_EV_NO_ACK, tx);
	assert_int_equal(tx_retransmissions(f.l), N(capped));
	fx_close(&f);
}

static void invite_retransmitted_in_completed_gets_the_final(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_respond(&f, tx, 404);
	fx_sent(&f, 0, "SIP/2.0 404");
	fx_elapse(&f, 200);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_sent(&f, 200, "SIP/2.0 404");
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void ack_to_a_non_2xx_stops_it_and_timer_i_ends_it(void **state)
{
	struct fx f;
	struct fx_msg x, ack;
	uint64_t matched;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	fx_request(&ack, "ACK", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_respond(&f, tx, 486);
	fx_sent(&f, 0, "SIP/2.0 486");
	fx_elapse(&f, 600);
	fx_sent(&f, 500, "SIP/2.0 486");
	assert_int_equal(fx_receive(&f, &ack, &matched), TX_ABSORBED);
	assert_true(matched == tx);
	/* Nothing is kept that could be sent again. */
	assert_int_equal(blob_used(&f.blobs), 0);
	fx_mark(&f);
	fx_elapse(&f, 2000);
	assert_int_equal(fx_receive(&f, &ack, NULL), TX_ABSORBED);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_silent(&f);
	/* The second ACK has not begun I anew. */
	fx_elapse(&f, FX_T4);
	fx_said(&f, FX_T4, TX_EV_ENDED, tx);
	assert_int_equal(fx_receive(&f, &ack, &matched), TX_NEW);
	assert_true(matched == 0);
	fx_close(&f);
}

static void unacknowledged_2xx_is_repeated_for_64_t1(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	assert_int_equal(fx_respond(&f, tx, 200), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 200");
	fx_elapse(&f, FX_64T1);
	fx_sent_at(&f, capped, N(capped), "SIP/2.0 200");
	fx_said(&f, FX_64T1, TX_EV_NO_ACK, tx);
	fx_close(&f);
}

static void acknowledged_2xx_is_silent_and_absorbs_until_timer_l(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_respond(&f, tx, 200);
	fx_sent(&f, 0, "SIP/2.0 200");
	fx_elapse(&f, 700);
	fx_sent(&f, 500, "SIP/2.0 200");
	tx_server_acked(f.l, tx, f.now);
	tx_server_acked(f.l, tx, f.now);
	assert_int_equal(blob_used(&f.blobs), 0);
	fx_elapse(&f, 20000);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_silent(&f);
	fx_elapse(&f, FX_64T1);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
	fx_close(&f);
}

/* RFC 6026 7.1: absorbed, "without changing its state", and not answered here. */
static void invite_retransmitted_in_accepted_is_absorbed_unanswered(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_respond(&f, tx, 200);
	fx_sent(&f, 0, "SIP/2.0 200");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_silent(&f);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void ack_under_the_branch_of_an_accepted_invite_goes_to_its_dialog(void **state)
{
	struct fx f;
	struct fx_msg x, ack;
	uint64_t matched;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	fx_request(&ack, "ACK", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	fx_respond(&f, tx, 200);
	fx_sent(&f, 0, "SIP/2.0 200");
	assert_int_equal(fx_receive(&f, &ack, &matched), TX_NEW);
	assert_true(matched == tx);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void ack_before_any_final_is_absorbed(void **state)
{
	struct fx f;
	struct fx_msg x, ack;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	fx_request(&ack, "ACK", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	assert_int_equal(fx_receive(&f, &ack, NULL), TX_ABSORBED);
	/* It has changed nothing: the transaction still takes its response. */
	assert_int_equal(fx_respond(&f, tx, 200), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 200");
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void ack_begins_no_transaction(void **state)
{
	struct engine_path path = fx_path();
	struct fx f;
	struct fx_msg ack;

	(void)state;
	fx_open(&f);
	fx_request(&ack, "ACK", BRANCH);
	assert_int_equal(fx_receive(&f, &ack, NULL), TX_NEW);
	assert_true(tx_server_new(f.l, &ack.m, &ack.via, &path, SLICE_NONE, 0, f.now) == 0);
	fx_close(&f);
}

static void responses_are_refused_once_a_final_is_sent(void **state)
{
	static const char *const method[] = {"INVITE", "BYE"};
	static const uint16_t final[] = {200, 486};

	(void)state;
	for (uint32_t i = 0; i < 4; i++) {
		struct fx f;
		struct fx_msg x;

		fx_open(&f);
		fx_request(&x, method[i / 2], BRANCH);
		uint64_t tx = fx_server(&f, &x);
		assert_int_equal(fx_respond(&f, tx, final[i % 2]), SBC_OK);
		fx_sent(&f, 0, "SIP/2.0");
		assert_int_equal(fx_respond(&f, tx, 180), SBC_ESTATE);
		assert_int_equal(fx_respond(&f, tx, 200), SBC_ESTATE);
		assert_int_equal(fx_respond(&f, tx, 500), SBC_ESTATE);
		fx_silent(&f);
		tx_abandon(f.l, tx);
		assert_int_equal(fx_respond(&f, tx, 200), SBC_ESTATE);
		assert_int_equal(fx_respond(&f, 0, 200), SBC_ESTATE);
		fx_close(&f);
	}
}

static void responses_that_are_none_are_refused(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	uint64_t client = fx_client(&f, "BYE", "z9hG4bKc", 0);
	fx_sent(&f, 0, "BYE");
	assert_int_equal(fx_respond(&f, tx, 99), SBC_EBAD);
	assert_int_equal(fx_respond(&f, tx, 700), SBC_EBAD);
	assert_int_equal(fx_respond(&f, client, 200), SBC_ESTATE);
	tx_server_acked(f.l, tx, f.now);
	tx_server_acked(f.l, client, f.now);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_silent(&f);
	tx_abandon(f.l, tx);
	tx_abandon(f.l, client);
	fx_close(&f);
}

static void non_invite_absorbs_in_trying_and_answers_later(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "OPTIONS", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_silent(&f);
	assert_int_equal(fx_respond(&f, tx, 183), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 183");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_sent(&f, 0, "SIP/2.0 183");
	fx_elapse(&f, 10000);
	fx_mark(&f);
	assert_int_equal(fx_respond(&f, tx, 200), SBC_OK);
	fx_sent(&f, 0, "SIP/2.0 200");
	fx_elapse(&f, 30000);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_sent(&f, 30000, "SIP/2.0 200");
	/* J counts from the final, not from the retransmission. */
	fx_elapse(&f, 10000);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	assert_int_equal(fx_receive(&f, &x, NULL), TX_NEW);
	fx_close(&f);
}

static void non_invite_never_answered_ends_by_itself(void **state)
{
	static const uint16_t first[] = {0, 183};

	(void)state;
	for (uint32_t i = 0; i < N(first); i++) {
		struct fx f;
		struct fx_msg x;

		fx_open(&f);
		fx_request(&x, "REGISTER", BRANCH);
		uint64_t tx = fx_server(&f, &x);
		if (first[i]) {
			fx_respond(&f, tx, first[i]);
			fx_sent(&f, 0, "SIP/2.0 183");
		}
		fx_elapse(&f, FX_64T1);
		fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
		assert_int_equal(fx_respond(&f, tx, 200), SBC_ESTATE);
		fx_close(&f);
	}
}

static void cancel_finds_its_invite_and_is_a_transaction_of_its_own(void **state)
{
	struct fx f;
	struct fx_msg x, cancel, other;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	fx_request(&cancel, "CANCEL", BRANCH);
	fx_request(&other, "CANCEL", BRANCH "2");
	assert_true(tx_server_find_invite(f.l, &cancel.m, &cancel.via) == 0);
	uint64_t invite = fx_server(&f, &x);
	uint64_t tx = fx_server(&f, &cancel);
	assert_true(tx != invite);
	assert_true(tx_server_find_invite(f.l, &cancel.m, &cancel.via) == invite);
	assert_true(tx_server_find_invite(f.l, &other.m, &other.via) == 0);
	fx_respond(&f, tx, 200);
	fx_sent(&f, 0, "SIP/2.0 200");
	fx_respond(&f, invite, 487);
	fx_sent(&f, 0, "SIP/2.0 487");
	assert_int_equal(fx_receive(&f, &cancel, NULL), TX_ABSORBED);
	fx_sent(&f, 0, "SIP/2.0 200");
	assert_int_equal(fx_receive(&f, &x, NULL), TX_ABSORBED);
	fx_sent(&f, 0, "SIP/2.0 487");
	tx_abandon(f.l, tx);
	tx_abandon(f.l, invite);
	fx_close(&f);
}

static void head_is_kept_until_a_final_and_user_is_given_back(void **state)
{
	struct fx f;
	struct fx_msg x;

	(void)state;
	fx_open(&f);
	fx_request(&x, "MESSAGE", BRANCH);
	uint64_t tx = fx_server(&f, &x);
	assert_true(slice_eq(tx_server_head(f.l, tx), SLICE_LIT("kept head")));
	fx_respond(&f, tx, 100);
	assert_true(slice_eq(tx_server_head(f.l, tx), SLICE_LIT("kept head")));
	fx_respond(&f, tx, 200);
	assert_int_equal(tx_server_head(f.l, tx).n, 0);
	assert_int_equal(blob_used(&f.blobs), 1);
	tx_set_user(f.l, tx, 77);
	fx_elapse(&f, FX_64T1);
	fx_sent(&f, 0, "SIP/2.0 100");
	fx_sent(&f, 0, "SIP/2.0 200");
	const struct tx_event *ev = &f.log[f.read].event;
	assert_true(ev->user == 77);
	assert_true(ev->server);
	assert_int_equal(ev->method, SIP_MESSAGE);
	fx_said(&f, FX_64T1, TX_EV_ENDED, tx);
	assert_int_equal(tx_server_head(f.l, tx).n, 0);
	tx_set_user(f.l, tx, 78);
	fx_close(&f);
}

static void response_goes_to_the_source_by_18_2_2_and_rfc_3581(void **state)
{
	static const struct {
		const char *via;
		bool nat;
		uint16_t port;
	} v[] = {
		{"SIP/2.0/UDP 10.1.1.1", false, 5060},
		{"SIP/2.0/UDP 10.1.1.1:5070", false, 5070},
		{"SIP/2.0/UDP 10.1.1.1:5070;rport", false, 31337},
		{"SIP/2.0/UDP 10.1.1.1:5070;rport=9", false, 31337},
		{"SIP/2.0/UDP 10.1.1.1:5070", true, 31337},
		{"SIP/2.0/UDP host.example.com", false, 5060},
		{"SIP/2.0/UDP 10.1.1.1;received=203.0.113.7", false, 5060},
		{"SIP/2.0/UDP 10.1.1.1;maddr=224.2.0.1;ttl=1", false, 5060},
	};
	struct engine_path source = {.listener = 9, .remote = {0x050200c0u, 31337}};

	(void)state;
	for (uint32_t i = 0; i < N(v); i++) {
		struct sip_via via;
		assert_int_equal(sip_via_parse(&via, slice_str(v[i].via)), SBC_OK);
		struct engine_path p = tx_reply_path(&via, &source, v[i].nat);
		assert_int_equal(p.listener, 9);
		assert_int_equal(p.remote.ip, source.remote.ip);
		assert_int_equal(p.remote.port, v[i].port);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(invite_retransmitted_before_any_response_is_absorbed),
		cmocka_unit_test(invite_retransmitted_gets_the_latest_provisional),
		cmocka_unit_test(invite_in_proceeding_lasts_until_its_tu_ends_it),
		cmocka_unit_test(non_2xx_final_is_repeated_by_timer_g_and_given_up_by_h),
		cmocka_unit_test(invite_retransmitted_in_completed_gets_the_final),
		cmocka_unit_test(ack_to_a_non_2xx_stops_it_and_timer_i_ends_it),
		cmocka_unit_test(unacknowledged_2xx_is_repeated_for_64_t1),
		cmocka_unit_test(acknowledged_2xx_is_silent_and_absorbs_until_timer_l),
		cmocka_unit_test(invite_retransmitted_in_accepted_is_absorbed_unanswered),
		cmocka_unit_test(ack_under_the_branch_of_an_accepted_invite_goes_to_its_dialog),
		cmocka_unit_test(ack_before_any_final_is_absorbed),
		cmocka_unit_test(ack_begins_no_transaction),
		cmocka_unit_test(responses_are_refused_once_a_final_is_sent),
		cmocka_unit_test(responses_that_are_none_are_refused),
		cmocka_unit_test(non_invite_absorbs_in_trying_and_answers_later),
		cmocka_unit_test(non_invite_never_answered_ends_by_itself),
		cmocka_unit_test(cancel_finds_its_invite_and_is_a_transaction_of_its_own),
		cmocka_unit_test(head_is_kept_until_a_final_and_user_is_given_back),
		cmocka_unit_test(response_goes_to_the_source_by_18_2_2_and_rfc_3581),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
