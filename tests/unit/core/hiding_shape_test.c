/* Bodies, and messages as a whole. */
#include "tests/unit/core/hiding_header_fixture.h"

static void bodies_cross_by_their_type(void **state)
{
	static const struct {
		const char *lines, *type; /* type: NULL, the body is dropped */
	} v[] = {
		{"Content-Type: text/plain;charset=utf-8;x=pbx\r\n", "text/plain;charset=utf-8"},
		{"c: application/dtmf-relay\r\n", "application/dtmf-relay"},
		{"Content-Type: application/dtmf ; charset=pbx\r\n", "application/dtmf"},
		{"Content-Type: application/media_control+xml\r\n",
		 "application/media_control+xml"},
		{"Content-Type: application/sdp\r\n", NULL},
		{"Content-Type: multipart/mixed;boundary=x\r\n", NULL},
		{"Content-Type: message/sipfrag\r\n", NULL},
		{"Content-Type: application/pidf+xml\r\n", NULL},
		{"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", NULL},
		{"Content-Type: text/plain\r\nContent-Encoding: identity\r\n", "text/plain"},
		{"", NULL},
	};
	struct sip_msg m;
	char got[256];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char lines[512];
		struct slice text;
		const char *type;

		snprintf(lines, sizeof(lines),
			 "%sMIME-Version: 1.0\r\nContent-Language: en\r\n"
			 "Content-Disposition: render;handling=optional;x=y\r\n",
			 v[i].lines);
		text = header_request(ACCESS, lines, "Signal=5\r\n");
		fixture_parse(&m, text);
		type = header_value(text, "Content-Type", got);
		assert_int_equal(type != NULL, v[i].type != NULL);
		if (type)
			assert_string_equal(type, v[i].type);
		assert_int_equal(m.body_len, v[i].type ? 10 : 0);
		type = header_value(text, "Content-Disposition", got);
		assert_int_equal(type != NULL, v[i].type != NULL);
		if (type)
			assert_string_equal(type, "render;handling=optional");
		assert_int_equal(header_value(text, "MIME-Version", got) != NULL,
				 v[i].type != NULL);
		assert_int_equal(header_value(text, "Content-Language", got) != NULL,
				 v[i].type != NULL);
		assert_null(header_value(text, "Content-Encoding", got));
	}
	assert_true(hiding_carries_body(SLICE_LIT("Application/SDP ; x=y")));
	assert_true(hiding_is_sdp(SLICE_LIT("Application/SDP;x=y")));
	assert_false(hiding_is_sdp(SLICE_LIT("application/sdpx")));
	assert_false(hiding_carries_body(SLICE_NONE));
}

static void a_body_of_ours_takes_the_originals_place(void **state)
{
	struct hiding_request r = fixture_request(&header_snapshot, ACCESS);
	struct sip_msg m, n;
	struct wbuf w;
	char got[256];

	(void)state;
	header_request(ACCESS, "Content-Type: application/sdp\r\n", "v=0\r\no=secret\r\n");
	fixture_parse(&m, slice_str(header_in));
	r.body = SLICE_LIT("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n");
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	fixture_parse(&n, wbuf_slice(&w));
	assert_true(slice_eq(sip_msg_body(&n), r.body));
	assert_string_equal(header_value(wbuf_slice(&w), "Content-Type", got), "application/sdp");

	/* Without a usable Content-Type of the original there is one all the same. */
	header_request(ACCESS, "Content-Type: multipart/mixed;boundary=b\r\n", "--b--");
	fixture_parse(&m, slice_str(header_in));
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	assert_string_equal(header_value(wbuf_slice(&w), "Content-Type", got), "application/sdp");

	r.drop_body = true;
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	fixture_parse(&n, wbuf_slice(&w));
	assert_int_equal(n.body_len, 0);
	assert_null(header_value(wbuf_slice(&w), "Content-Type", got));
}

static void reliable_provisionals_are_numbered_by_us(void **state)
{
	struct hiding_response r = fixture_response(&header_snapshot, CORE, 183);
	struct sip_msg m;
	struct wbuf w;
	char got[256];

	(void)state;
	header_response(CORE, "Require: 100rel, timer\r\nRSeq: 988789\r\n");
	fixture_parse(&m, slice_str(header_in));
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	assert_string_equal(header_value(wbuf_slice(&w), "Require", got), "timer");
	assert_null(header_value(wbuf_slice(&w), "RSeq", got));

	r.rseq = SLICE_LIT("17");
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	assert_string_equal(header_value(wbuf_slice(&w), "RSeq", got), "17");
	fixture_parse(&m, wbuf_slice(&w));
	assert_true(sip_msg_lists(&m, SIP_HDR_REQUIRE, SLICE_LIT("100rel")));
	assert_true(sip_msg_lists(&m, SIP_HDR_REQUIRE, SLICE_LIT("timer")));
}

static void a_request_keeps_its_shape(void **state)
{
	static const char want[] = "MESSAGE sip:dialled@far.invalid SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKours;rport\r\n"
				   "Max-Forwards: 69\r\n"
				   "Route: <sip:10.0.0.9;lr>\r\n"
				   "From: <sip:caller@border.invalid>;tag=ourfrom\r\n"
				   "To: <sip:dialled@far.invalid>\r\n"
				   "Call-ID: ourcallid\r\n"
				   "CSeq: 7 MESSAGE\r\n"
				   "Contact: <sip:minted@border.invalid>\r\n"
				   "RAck: 1 2 INVITE\r\n"
				   "Extra: x\r\n"
				   "Expires: 5\r\n"
				   "Content-Type: text/plain\r\n"
				   "Content-Length: 2\r\n\r\nhi";
	struct hiding_request r = fixture_request(&header_snapshot, ACCESS);
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	header_request(ACCESS, "Expires: 5\r\nX-A: 1\r\nContent-Type : text/plain\r\n", "hi");
	fixture_parse(&m, slice_str(header_in));
	r.route = SLICE_LIT("<sip:10.0.0.9;lr>");
	r.rack = SLICE_LIT("1 2 INVITE");
	r.extra = SLICE_LIT("Extra: x\r\n");
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	assert_int_equal(w.n, sizeof(want) - 1);
	assert_memory_equal(header_out, want, w.n);
	/* One byte less of room is refused. */
	uint32_t n = w.n;
	wbuf_init(&w, header_out, n - 1);
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_EFULL);
}

static void a_response_says_its_reason_by_the_rfc(void **state)
{
	static const char want[] = "SIP/2.0 200 OK\r\n" FIXTURE_HEAD ";tag=ourto\r\n"
				   "Contact: <sip:minted@border.invalid>\r\n"
				   "Expires: 5\r\nContent-Length: 0\r\n\r\n";
	struct slice text = header_response(CORE, "Expires: 5\r\n");

	(void)state;
	assert_int_equal(text.n, sizeof(want) - 1);
	assert_memory_equal(text.p, want, text.n);
}

static void requests_of_our_own_are_whole(void **state)
{
	struct hiding_own_request r = {
		.snap = &header_snapshot,
		.listener = ACCESS,
		.method = SIP_BYE,
		.request_uri = SLICE_LIT("sip:a@198.51.100.7"),
		.branch = SLICE_LIT("z9hG4bKb"),
		.from = SLICE_LIT("<sip:b@203.0.113.1>;tag=f"),
		.to = SLICE_LIT("<sip:a@198.51.100.7>;tag=t"),
		.call_id = SLICE_LIT("cid"),
		.cseq = 12,
		.extra = SLICE_LIT("Reason: Q.850;cause=16\r\n"),
	};
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	wbuf_init(&w, header_out, sizeof(header_out));
	hiding_own_request_write(&w, &r);
	fixture_parse(&m, wbuf_slice(&w));
	assert_int_equal(m.method, SIP_BYE);
	assert_true(slice_eq(sip_msg_value(&m, SIP_HDR_REASON), SLICE_LIT("Q.850;cause=16")));
	assert_false(sip_msg_has(&m, SIP_HDR_CONTACT));
	assert_false(sip_msg_has(&m, SIP_HDR_USER_AGENT));
	r.method = SIP_INVITE;
	r.content_type = SLICE_LIT("application/sdp");
	r.body = SLICE_LIT("v=0\r\n");
	wbuf_init(&w, header_out, sizeof(header_out));
	hiding_own_request_write(&w, &r);
	fixture_parse(&m, wbuf_slice(&w));
	assert_true(slice_eq(sip_msg_body(&m), r.body));
}

static void composing_beyond_the_scratch_is_refused(void **state)
{
	struct hiding_request r = fixture_request(&header_snapshot, CORE);
	struct sip_msg m;
	struct wbuf w;
	uint32_t n;

	(void)state;
	/* Short identities grow by the border's host: beyond the scratch, nothing is sent. */
	n = (uint32_t)snprintf(header_in, sizeof(header_in),
			       "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			       "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
			       "CSeq: 1 OPTIONS\r\nP-Asserted-Identity: <sip:a@h>");
	for (int i = 0; i < 4000; i++)
		n += (uint32_t)snprintf(header_in + n, sizeof(header_in) - n, ", <sip:a@h>");
	n += (uint32_t)snprintf(header_in + n, sizeof(header_in) - n, "\r\n\r\n");
	fixture_parse(&m, slice_of(header_in, n));
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_EFULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_cross_by_their_type),
		cmocka_unit_test(a_body_of_ours_takes_the_originals_place),
		cmocka_unit_test(reliable_provisionals_are_numbered_by_us),
		cmocka_unit_test(a_request_keeps_its_shape),
		cmocka_unit_test(a_response_says_its_reason_by_the_rfc),
		cmocka_unit_test(requests_of_our_own_are_whole),
		cmocka_unit_test(composing_beyond_the_scratch_is_refused),
	};

	fixture_snapshot(&header_snapshot);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
