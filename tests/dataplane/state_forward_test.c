/* Requests of dialogs that other nodes have. */
#include "tests/dataplane/keep.h"

static char text[TALK_MAX];

static void lost_bye(char *to, size_t room)
{
	snprintf(to, room,
		 "BYE sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bKlost\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\n"
		 "To: <sip:bob@203.0.113.1>;tag=0123456789abcdef\r\nCall-ID: lost@phone\r\n"
		 "CSeq: 2 BYE\r\nContent-Length: 0\r\n\r\n");
}

static void a_request_for_another_nodes_dialog_is_passed_on(void **state)
{
	struct dp_forward fw;
	struct bed b;

	(void)state;
	bed_init(&b, 2);
	b.snapshot.forward = true;
	bed_open(&b, 0);
	bed_learn_all(&b);
	lost_bye(text, sizeof(text));
	talk_send(&b, OUTSIDE, text);
	bed_expect_silence(&b);
	assert_true(keep_woken(&b));
	assert_true(dp_forward_take(b.dp, &fw));
	assert_int_equal(fw.path.listener, OUTSIDE);
	assert_int_equal(fw.path.remote.ip, htonl(PHONE));
	assert_int_equal(fw.path.remote.port, SIP);
	assert_int_equal(fw.bytes.n, strlen(text));
	assert_memory_equal(fw.bytes.p, text, fw.bytes.n);
	assert_int_equal(fw.print, engine_dialog_print(&b.conf.key, SLICE_LIT("lost@phone"),
						       SLICE_LIT("0123456789abcdef")));
	assert_false(dp_forward_take(b.dp, &fw));
	/* Passed back, since nobody has it: answered, and not passed on again. */
	fw.path = (struct engine_path){.listener = OUTSIDE, .remote = {htonl(PHONE), SIP}};
	assert_true(dp_forwarded_post(b.dp, &fw.path, slice_str(text)));
	bed_turn(&b);
	talk_expect(&b, OUTSIDE, "SIP/2.0 481", text, sizeof(text));
	assert_false(dp_forward_take(b.dp, &fw));
	bed_close(&b);
}

static void a_request_that_another_node_sent_is_taken_as_if_it_had_come_here(void **state)
{
	struct engine_path path = {.listener = OUTSIDE, .remote = {htonl(PHONE), SIP}};
	struct talk t;
	struct bed b;

	(void)state;
	keep_open(&b, 4);
	/* From several calls, so that several workers are the owners. */
	for (uint32_t i = 0; i < 8; i++) {
		talk_init(&t, i);
		snprintf(text, sizeof(text),
			 "OPTIONS sip:203.0.113.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=%s\r\n"
			 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\n"
			 "To: <sip:203.0.113.1>\r\nCall-ID: %s\r\nCSeq: 7 OPTIONS\r\n"
			 "Content-Length: 0\r\n\r\n",
			 t.branch, t.call_id);
		assert_true(dp_forwarded_post(b.dp, &path, slice_str(text)));
		bed_turn(&b);
		talk_expect(&b, OUTSIDE, "SIP/2.0 200", text, sizeof(text));
	}
	path.listener = 9; /* no such one */
	assert_true(dp_forwarded_post(b.dp, &path, slice_str(text)));
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_for_another_nodes_dialog_is_passed_on),
		cmocka_unit_test(a_request_that_another_node_sent_is_taken_as_if_it_had_come_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
