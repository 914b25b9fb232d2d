/*
 * INVITE transactions that go on in another process: each is told by one layer and
 * taken up by another.
 */
#include "tests/unit/core/transaction_fixture.h"

#include <stdio.h>
#include <string.h>

#define BRANCH "z9hG4bKadopted"

/* A copy that outlives the layer it came from. */
static struct slice copied(char *room, struct slice s)
{
	if (s.n)
		memcpy(room, s.p, s.n);
	return slice_of(room, s.n);
}

/* The border's answer, with the Via of the request. */
static void respond(struct fx *f, uint64_t tx, unsigned status)
{
	char text[FX_TEXT];
	int n = snprintf(
		text, sizeof(text),
		"SIP/2.0 %u Answer\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=" BRANCH "\r\n"
		"From: <sip:alice@192.0.2.1>;tag=from1\r\nTo: <sip:bob@192.0.2.9>;tag=t\r\n"
		"Call-ID: call-1\r\nCSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n",
		status);

	engine_out_clear(f->out);
	assert_int_equal(tx_server_respond(f->l, tx, (uint16_t)status, slice_of(text, (uint32_t)n),
					   f->now, f->out),
			 SBC_OK);
	assert_int_equal(f->out->count, 1);
	engine_out_clear(f->out);
}

static void server_in_proceeding_goes_on(void **state)
{
	static char response[FX_TEXT], head[FX_TEXT];
	struct tx_server_kept kept;
	struct fx_msg x;
	uint64_t tx, again;
	struct fx f;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	tx = fx_server(&f, &x);
	respond(&f, tx, 180);
	assert_true(tx_server_keep(f.l, tx, &kept));
	assert_false(kept.legacy);
	kept.response = copied(response, kept.response);
	kept.head = copied(head, kept.head);
	/* It is here already. */
	assert_int_equal(tx_server_adopt(f.l, &kept, 7, f.now), 0);
	tx_abandon(f.l, tx);
	again = tx_server_adopt(f.l, &kept, 7, f.now);
	assert_true(again != 0);
	fx_silent(&f);
	assert_int_equal(fx_receive(&f, &x, &tx), TX_ABSORBED);
	assert_true(tx == again);
	fx_sent(&f, 0, "SIP/2.0 180");
	respond(&f, again, 486);
	tx_abandon(f.l, again);
	fx_close(&f);
}

static void server_in_accepted_repeats_until_acknowledged(void **state)
{
	static char response[FX_TEXT];
	struct tx_server_kept kept;
	struct fx_msg x;
	uint64_t tx;
	struct fx f;

	(void)state;
	fx_open(&f);
	fx_request(&x, "INVITE", BRANCH);
	tx = fx_server(&f, &x);
	respond(&f, tx, 200);
	assert_true(tx_server_keep(f.l, tx, &kept));
	kept.response = copied(response, kept.response);
	tx_abandon(f.l, tx);
	fx_mark(&f);
	tx = tx_server_adopt(f.l, &kept, 7, f.now);
	assert_true(tx != 0);
	fx_elapse(&f, 8);
	assert_non_null(fx_sent(&f, 0, "SIP/2.0 200"));
	tx_server_acked(f.l, tx, f.now);
	assert_false(tx_server_keep(f.l, tx, &kept));
	fx_elapse(&f, 10000);
	fx_silent(&f);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void client_goes_on_in_each_state(void **state)
{
	static char request[FX_TEXT];
	struct tx_client_kept kept;
	struct fx_msg x;
	uint64_t tx, got;
	struct fx f;

	(void)state;
	fx_open(&f);
	tx = fx_client(&f, "INVITE", BRANCH, 5);
	fx_sent(&f, 0, "INVITE ");
	assert_true(tx_client_keep(f.l, tx, &kept));
	assert_false(kept.provisional || kept.accepted);
	kept.request = copied(request, kept.request);
	kept.branch = SLICE_LIT(BRANCH);
	assert_int_equal(tx_client_adopt(f.l, &kept, 5, f.now, f.out), 0);
	tx_abandon(f.l, tx);
	/* Calling: sent again after T1. */
	fx_mark(&f);
	tx = tx_client_adopt(f.l, &kept, 5, f.now, f.out);
	assert_true(tx != 0);
	fx_elapse(&f, FX_T1);
	fx_sent(&f, FX_T1, "INVITE ");
	tx_abandon(f.l, tx);
	/* Proceeding: can be cancelled, its failure is acknowledged. */
	kept.provisional = true;
	tx = tx_client_adopt(f.l, &kept, 5, f.now, f.out);
	fx_elapse(&f, 2 * FX_64T1);
	fx_silent(&f);
	fx_mark(&f);
	fx_cancel(&f, tx);
	fx_sent(&f, 0, "CANCEL ");
	fx_response(&x, 487, "INVITE", BRANCH, "far");
	assert_int_equal(fx_receive(&f, &x, &got), TX_PASS);
	assert_true(got == tx);
	fx_sent(&f, 0, "ACK ");
	fx_response(&x, 200, "CANCEL", BRANCH, "far");
	assert_int_equal(fx_receive(&f, &x, &got), TX_ABSORBED);
	assert_false(tx_client_keep(f.l, tx, &kept));
	tx_abandon(f.l, tx);
	fx_elapse(&f, 2 * FX_64T1);
	/* Accepted: further 2xx are passed up. */
	kept = (struct tx_client_kept){
		.path = fx_path(), .branch = SLICE_LIT(BRANCH), .accepted = true};
	tx = tx_client_adopt(f.l, &kept, 5, f.now, f.out);
	fx_response(&x, 200, "INVITE", BRANCH, "far");
	assert_int_equal(fx_receive(&f, &x, &got), TX_PASS);
	tx_abandon(f.l, tx);
	fx_close(&f);
}

static void what_is_no_response_to_an_invite_is_not_taken(void **state)
{
	static const char *const wrong[] = {
		"", "SIP/2.0 200 OK\r\n\r\n",
		("SIP/2.0 486 Busy\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: "
		 "<sip:a@b>;tag=1\r\n"
		 "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n"),
		("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nFrom: "
		 "<sip:a@b>;tag=1\r\n"
		 "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 BYE\r\n\r\n")};
	struct fx f;

	(void)state;
	fx_open(&f);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct tx_server_kept kept = {.path = fx_path(), .response = slice_str(wrong[i])};

		assert_int_equal(tx_server_adopt(f.l, &kept, 7, f.now), 0);
	}
	fx_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(server_in_proceeding_goes_on),
		cmocka_unit_test(server_in_accepted_repeats_until_acknowledged),
		cmocka_unit_test(client_goes_on_in_each_state),
		cmocka_unit_test(what_is_no_response_to_an_invite_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
