/* Reply heads and responses of the border's own. */
#include "tests/unit/core/hiding_fixture.h"

static char out[70000];

static const struct engine_path source = {.listener = 0};

static struct engine_path from_source(const char *ip, uint16_t port)
{
	struct engine_path p = source;

	p.remote = (struct net_addr){ip_of(ip), port};
	return p;
}

static enum sbc_err head_of(const char *text, bool record_route, struct slice *head)
{
	struct engine_path path = from_source("198.51.100.7", 40000);
	struct sip_fault fault;
	struct sip_msg m;
	struct wbuf w;
	enum sbc_err err;

	/* Also messages that are refused must be answered. */
	(void)sip_msg_parse(&m, text, (uint32_t)strlen(text), &fault);
	wbuf_init(&w, out, sizeof(out));
	err = reply_head_write(&w, &m, &path, record_route);
	*head = wbuf_slice(&w);
	return err;
}

#define REST                                                                                       \
	"From: <sip:a@x>;tag=f\r\nTo: <sip:b@y>\r\nCall-ID: c@x\r\nCSeq: 1 INVITE\r\n"             \
	"Content-Length: 0\r\n\r\n"
#define REST_OUT "From: <sip:a@x>;tag=f\r\nCall-ID: c@x\r\nCSeq: 1 INVITE\r\nTo: <sip:b@y>"

static void the_topmost_via_learns_where_the_request_came_from(void **state)
{
	static const struct {
		const char *in, *want; /* Via lines */
	} v[] = {
		{"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1\r\n",
		 "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK1\r\n"},
		{"Via: SIP/2.0/UDP 192.168.1.2;branch=z9hG4bK1\r\n",
		 "Via: SIP/2.0/UDP 192.168.1.2;branch=z9hG4bK1;received=198.51.100.7\r\n"},
		{"Via: SIP/2.0/UDP phone.lan;branch=z9hG4bK1\r\n",
		 "Via: SIP/2.0/UDP phone.lan;branch=z9hG4bK1;received=198.51.100.7\r\n"},
		/* RFC 3581 4: with rport, received even where it equals sent-by. */
		{"Via: SIP/2.0/UDP 198.51.100.7:40000;rport;branch=z9hG4bK1\r\n",
		 "Via: SIP/2.0/UDP "
		 "198.51.100.7:40000;branch=z9hG4bK1;received=198.51.100.7;rport=40000\r\n"},
		/* The client's own word is not believed. */
		{"Via: SIP/2.0/UDP 192.168.1.2;received=1.2.3.4;rport=9;branch=z9hG4bK1\r\n",
		 "Via: SIP/2.0/UDP "
		 "192.168.1.2;branch=z9hG4bK1;received=198.51.100.7;rport=40000\r\n"},
		{"v: SIP / 2.0 / UDP\r\n 192.168.1.2\r\n\t;branch=z9hG4bK1;rport ,\r\n"
		 " SIP/2.0/UDP second;branch=z9hG4bK2;rport\r\n"
		 "VIA : SIP/2.0/TCP third;branch=z9hG4bK3;received=1.1.1.1\r\n",
		 NULL},
	};
	struct slice head;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char text[1024], want[1024];

		snprintf(text, sizeof(text), "INVITE sip:b@y SIP/2.0\r\n%s" REST, v[i].in);
		assert_int_equal(head_of(text, false, &head), SBC_OK);
		if (!v[i].want)
			continue;
		snprintf(want, sizeof(want), "%s" REST_OUT, v[i].want);
		if (!slice_eq(head, slice_str(want)))
			fail_msg("%.*s", (int)head.n, head.p);
	}
	/* The folded one: three values in their order, the later ones as they came. */
	assert_true(slice_search(head, SLICE_LIT("192.168.1.2")) > 0);
	assert_int_equal(slice_search(head, SLICE_LIT("\r\n ")), -1);
	assert_int_equal(slice_search(head, SLICE_LIT("\r\n\t")), -1);
	assert_true(slice_search(head, SLICE_LIT("received=198.51.100.7;rport=40000, "
						 "SIP/2.0/UDP second;branch=z9hG4bK2;rport\r\n"
						 "Via: SIP/2.0/TCP third;branch=z9hG4bK3;"
						 "received=1.1.1.1\r\n")) > 0);
}

static void record_routes_are_copied_when_wanted(void **state)
{
	static const char text[] = "INVITE sip:b@y SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n"
				   "Record-Route: <sip:p1;lr>,\r\n <sip:p2;lr>\r\n"
				   "Record-Route: <sip:p3;lr>\r\n" REST;
	struct slice head;

	(void)state;
	assert_int_equal(head_of(text, true, &head), SBC_OK);
	assert_true(slice_search(head, SLICE_LIT("\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
						 "Record-Route: <sip:p3;lr>\r\n")) > 0);
	assert_int_equal(head_of(text, false, &head), SBC_OK);
	assert_int_equal(slice_search(head, SLICE_LIT("Record-Route")), -1);
}

static void a_request_without_what_a_reply_needs_gets_none(void **state)
{
	static const char *const lines[] = {
		"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n",
		"From: <sip:a@x>;tag=f\r\n",
		"To: <sip:b@y>\r\n",
		"Call-ID: c\r\n",
		"CSeq: 1 INVITE\r\n",
	};
	static const char *const broken[] = {"Via: SIP/2.0 nothing\r\n", "From:\r\n", "To: \r\n",
					     "Call-ID: a\x01z\r\n", "CSeq: one INVITE\r\n"};
	struct slice head;
	char text[1024];

	(void)state;
	for (size_t skip = 0; skip <= 5; skip++) {
		for (int with = 0; with < 2; with++) {
			strcpy(text, "INVITE sip:b@y SIP/2.0\r\n");
			for (size_t i = 0; i < 5; i++)
				strcat(text, i != skip ? lines[i] : with ? broken[i] : "");
			strcat(text, "\r\n");
			assert_int_equal(head_of(text, false, &head), skip < 5 ? SBC_EBAD : SBC_OK);
		}
	}
}

static void a_refused_request_is_answered_if_it_can_be(void **state)
{
	struct slice head;

	(void)state;
	/* Two From: 400, and the reply repeats the first. */
	assert_int_equal(head_of("INVITE sip:b@y SIP/2.0\r\n"
				 "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n"
				 "From: <sip:z@x>;tag=z\r\n" REST,
				 false, &head),
			 SBC_OK);
	assert_true(slice_search(head, SLICE_LIT("From: <sip:z@x>;tag=z\r\n")) > 0);
	/* A From that breaks the grammar goes back as it came. */
	assert_int_equal(
		head_of("INVITE sip:b@y SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n"
			"f: \"open <sip:z@x>\r\nt: <sip:b@y>\r\ni: c\r\nCSeq: 1 INVITE\r\n\r\n",
			false, &head),
		SBC_OK);
	assert_true(slice_search(head, SLICE_LIT("From: \"open <sip:z@x>\r\n")) > 0);
}

static void a_head_that_does_not_fit_is_said_to_be_full(void **state)
{
	static const char text[] = "INVITE sip:b@y SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n" REST;
	struct engine_path path = from_source("198.51.100.7", 5060);
	struct sip_msg m;
	struct wbuf w;
	uint32_t n;

	(void)state;
	fixture_parse(&m, SLICE_LIT(text));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(reply_head_write(&w, &m, &path, false), SBC_OK);
	n = w.n;
	for (uint32_t cap = 0; cap < n; cap++) {
		wbuf_init(&w, out, cap);
		assert_int_equal(reply_head_write(&w, &m, &path, false), SBC_EFULL);
	}
}

static void a_to_tag_is_added_only_where_there_is_none(void **state)
{
	static const struct {
		const char *to, *want;
	} v[] = {
		{"<sip:b@y>", "<sip:b@y>;tag=mine"},
		{"sip:b@y", "sip:b@y;tag=mine"},
		{"<sip:b@y>;tag=his", "<sip:b@y>;tag=his"},
		{"sip:b@y;TAG=his", "sip:b@y;TAG=his"},
		{"\"tag=\" <sip:b@y;tag=uri>", "\"tag=\" <sip:b@y;tag=uri>;tag=mine"},
	};
	struct reply r = {.status = 486, .to_tag = SLICE_LIT("mine")};
	char head[256];
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		snprintf(head, sizeof(head),
			 "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=f\r\n"
			 "Call-ID: c\r\nCSeq: 1 INVITE\r\nTo: %s",
			 v[i].to);
		wbuf_init(&w, out, sizeof(out));
		reply_write(&w, slice_str(head), &r);
		fixture_parse(&m, wbuf_slice(&w));
		assert_true(slice_eq(sip_msg_value(&m, SIP_HDR_TO), slice_str(v[i].want)));
	}
	r.to_tag = SLICE_NONE;
	wbuf_init(&w, out, sizeof(out));
	reply_write(&w, SLICE_LIT(FIXTURE_HEAD), &r);
	fixture_parse(&m, wbuf_slice(&w));
	assert_true(slice_eq(sip_msg_value(&m, SIP_HDR_TO), SLICE_LIT("<sip:b@border.invalid>")));
}

static void a_reply_carries_what_it_is_given(void **state)
{
	static const char want[] = "SIP/2.0 200 OK\r\n" FIXTURE_HEAD ";tag=t\r\n"
				   "Contact: <sip:m@h>\r\nServer: Border\r\nAllow: INVITE\r\n"
				   "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi";
	const struct reply r = {.status = 200,
				.to_tag = SLICE_LIT("t"),
				.contact = SLICE_LIT("<sip:m@h>"),
				.server = SLICE_LIT("Border"),
				.extra = SLICE_LIT("Allow: INVITE\r\n"),
				.content_type = SLICE_LIT("text/plain"),
				.body = SLICE_LIT("hi")};
	const struct reply bare = {.status = 400, .reason = SLICE_LIT("Missing Via")};
	struct wbuf w;

	(void)state;
	wbuf_init(&w, out, sizeof(out));
	reply_write(&w, SLICE_LIT(FIXTURE_HEAD), &r);
	assert_int_equal(w.n, sizeof(want) - 1);
	assert_memory_equal(out, want, w.n);
	wbuf_init(&w, out, sizeof(out));
	reply_write(&w, SLICE_LIT(FIXTURE_HEAD), &bare);
	assert_true(slice_starts(wbuf_slice(&w), SLICE_LIT("SIP/2.0 400 Missing Via\r\n")));
}

static void a_100_gives_the_timestamp_back(void **state)
{
	static const char text[] = "INVITE sip:b@y SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n"
				   "Timestamp: 54\r\n" REST;
	static const char bad[] = "INVITE sip:b@y SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK1\r\n"
				  "Timestamp: now\r\n" REST;
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	fixture_parse(&m, SLICE_LIT(text));
	wbuf_init(&w, out, sizeof(out));
	reply_timestamp_write(&w, &m);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("Timestamp: 54\r\n")));
	fixture_parse(&m, SLICE_LIT(bad));
	wbuf_init(&w, out, sizeof(out));
	reply_timestamp_write(&w, &m);
	assert_int_equal(w.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_topmost_via_learns_where_the_request_came_from),
		cmocka_unit_test(record_routes_are_copied_when_wanted),
		cmocka_unit_test(a_request_without_what_a_reply_needs_gets_none),
		cmocka_unit_test(a_refused_request_is_answered_if_it_can_be),
		cmocka_unit_test(a_head_that_does_not_fit_is_said_to_be_full),
		cmocka_unit_test(a_to_tag_is_added_only_where_there_is_none),
		cmocka_unit_test(a_reply_carries_what_it_is_given),
		cmocka_unit_test(a_100_gives_the_timestamp_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
