/* SIP through the workers: a whole call with its media, big messages, control's rings. */
#include "tests/dataplane/talk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static struct frame f;
static char text[TALK_MAX];
static uint8_t rtp[512];

static void bed_up(struct bed *b, uint16_t workers)
{
	bed_init(b, workers);
	bed_open(b, 0);
	bed_learn_all(b);
}

static void options(char *to, size_t room, const char *extra)
{
	snprintf(to, room,
		 "OPTIONS sip:203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bKopt\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\n"
		 "To: <sip:203.0.113.1>\r\nCall-ID: opt@phone\r\nCSeq: 7 OPTIONS\r\n%s"
		 "Content-Length: 0\r\n\r\n",
		 extra);
}

static void options_is_answered(void **state)
{
	struct bed b;
	char value[128];

	(void)state;
	bed_up(&b, 1);
	options(text, sizeof(text), "");
	talk_send(&b, OUTSIDE, text);
	talk_expect(&b, OUTSIDE, "SIP/2.0 200", text, sizeof(text));
	assert_true(talk_header(text, "CSeq", value, sizeof(value)));
	assert_string_equal(value, "7 OPTIONS");
	bed_expect_silence(&b);
	bed_close(&b);
}

static void relay(struct bed *b, const struct talk *t, uint16_t count)
{
	struct frame_spec out = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	struct frame_spec in = bed_spec(INSIDE, PBX, PBX_MAC);

	out.sport = TALK_PHONE_RTP;
	out.dport = t->out_rtp;
	in.sport = TALK_PBX_RTP;
	in.dport = t->in_rtp;
	for (uint16_t i = 0; i < count; i++) {
		frame_udp(&f, &out, rtp, frame_rtp(rtp, 1, i, i * 160u, 160));
		bed_put(b, OUTSIDE, &f);
		bed_turn(b);
		if (i > 0) {
			struct frame_view v = bed_expect(b, INSIDE, &f);

			assert_int_equal(v.src, IN_IP);
			assert_int_equal(v.sport, t->in_rtp);
			assert_int_equal(v.dst, PBX);
			assert_int_equal(v.dport, TALK_PBX_RTP);
			assert_int_equal(v.payload[3], i);
		}
	}
	for (uint16_t i = 0; i < count; i++) {
		struct frame_view v;

		frame_udp(&f, &in, rtp, frame_rtp(rtp, 2, i, i * 160u, 160));
		bed_put(b, INSIDE, &f);
		bed_turn(b);
		v = bed_expect(b, OUTSIDE, &f);
		assert_int_equal(v.src, OUT_IP);
		assert_int_equal(v.sport, t->out_rtp);
		assert_int_equal(v.dst, PHONE);
		assert_int_equal(v.dport, TALK_PHONE_RTP);
	}
	bed_expect_silence(b);
}

static struct dp_reply *ask(struct bed *b, struct dp_request q)
{
	struct dp_reply *r;

	assert_true(dp_request_post(b->dp, &q));
	bed_turn(b);
	r = dp_reply_take(b->dp);
	assert_non_null(r);
	assert_int_equal(r->type, q.type);
	assert_int_equal(r->worker, q.worker);
	assert_int_equal(r->ref, q.ref);
	return r;
}

static void expect_all_free(struct bed *b)
{
	for (uint16_t i = 0; i < b->dp->workers; i++) {
		struct engine_stats s;

		engine_stats_read(b->dp->worker[i]->engine, &s);
		assert_int_equal(s.calls, 0);
		assert_int_equal(s.ports_used, 0);
		assert_int_equal(b->dp->worker[i]->live_count, 0);
	}
}

static void call_with_media(void **state)
{
	const uint16_t workers[] = {1, 2, 3, 4};

	(void)state;
	for (uint32_t k = 0; k < 4; k++) {
		struct talk t;
		struct bed b;
		uint64_t relayed = 0;

		bed_up(&b, workers[k]);
		for (uint32_t n = 0; n < 8; n++) {
			talk_init(&t, n);
			talk_call(&b, &t);
			relay(&b, &t, 10);
			talk_bye(&b, &t);
			bed_elapse(&b, 100);
			bed_drain(&b);
		}
		for (uint16_t i = 0; i < workers[k]; i++)
			relayed += b.dp->worker[i]->count.relayed;
		assert_int_equal(relayed, 8 * 19);
		bed_elapse(&b, 40000);
		bed_drain(&b);
		expect_all_free(&b);
		bed_close(&b);
	}
}

/* Calls of one 4-tuple reach all workers, whose work was handed to them. */
static void calls_spread_over_workers(void **state)
{
	struct bed b;
	uint32_t with_calls = 0;

	(void)state;
	bed_up(&b, 4);
	for (uint32_t n = 0; n < 24; n++) {
		struct talk t;

		talk_init(&t, n);
		talk_call(&b, &t);
		relay(&b, &t, 3);
	}
	for (uint16_t i = 0; i < 4; i++) {
		struct dp_reply *r = ask(&b, (struct dp_request){.type = DP_STATS, .worker = i});

		with_calls += r->stats.engine.calls > 0;
		assert_int_equal(r->stats.flows, 4 * r->stats.engine.calls);
		assert_int_equal(r->stats.relayed, 5 * r->stats.engine.calls);
		dp_reply_free(b.dp, r);
	}
	assert_true(with_calls > 1);
	assert_true(b.dp->worker[0]->count.handed_off > 0);
	assert_true(b.dp->worker[1]->count.handed_off > 0);
	bed_close(&b);
}

static void attacker_gets_nothing_of_a_call(void **state)
{
	struct bed b;
	struct talk t;
	struct frame_spec evil = bed_spec(OUTSIDE, FAR, EVIL_MAC);

	(void)state;
	bed_up(&b, 1);
	talk_init(&t, 1);
	talk_call(&b, &t);
	evil.sport = 6666;
	for (uint32_t port = 20000; port < 20200; port++) {
		evil.dport = (uint16_t)port;
		frame_udp(&f, &evil, rtp, frame_rtp(rtp, 0x66, (uint16_t)port, port, 160));
		bed_put(&b, OUTSIDE, &f);
		bed_turn(&b);
	}
	bed_assert_count(&b, FLOW_GATE, 2);
	bed_assert_count(&b, FLOW_NONE, 198);
	bed_expect_silence(&b);
	relay(&b, &t, 20);
	evil.dport = t.out_rtp;
	for (uint16_t i = 0; i < 100; i++) {
		frame_udp(&f, &evil, rtp, frame_rtp(rtp, 1, (uint16_t)(20 + i), i, 160));
		bed_put(&b, OUTSIDE, &f);
		bed_turn(&b);
	}
	bed_assert_count(&b, FLOW_SOURCE, 100);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void silent_call_is_ended(void **state)
{
	struct bed b;
	struct talk t;

	(void)state;
	bed_init(&b, 1);
	b.snapshot.realm[OUTSIDE].media_timeout_s = 10;
	b.snapshot.realm[INSIDE].media_timeout_s = 10;
	bed_open(&b, 0);
	bed_learn_all(&b);
	talk_init(&t, 1);
	talk_call(&b, &t);
	relay(&b, &t, 5);
	bed_elapse(&b, 9000);
	bed_expect_silence(&b);
	bed_elapse(&b, 3000);
	talk_expect(&b, OUTSIDE, "BYE ", text, sizeof(text));
	bed_drain(&b);
	bed_elapse(&b, 40000);
	bed_drain(&b);
	expect_all_free(&b);
	bed_close(&b);
}

/* A message in fragments, whose answer is longer than the MTU and comes in fragments. */
static void message_beyond_the_mtu(void **state)
{
	static char message[8000], via[3500], fill[3001];
	static uint8_t udp[9000], got[9000];
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	uint32_t n, at = 0, pieces = 0;
	bool more = true;
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	memset(fill, 'p', sizeof(fill) - 1);
	snprintf(via, sizeof(via), "Via: SIP/2.0/UDP h.example;branch=z9hG4bKx;p=%s\r\n", fill);
	options(message, sizeof(message), via);
	n = (uint32_t)strlen(message);
	udp[0] = udp[2] = SIP >> 8;
	udp[1] = udp[3] = SIP & 0xff;
	udp[4] = (uint8_t)((n + 8) >> 8);
	udp[5] = (uint8_t)(n + 8);
	memcpy(udp + 8, message, n);
	n += 8;
	s.id = 4711;
	for (uint32_t off = 0; off < n; off += 1200) {
		s.frag = (uint16_t)(off / 8 | (n - off > 1200 ? 0x2000 : 0));
		frame_ip(&f, &s, udp + off, n - off > 1200 ? 1200 : n - off);
		bed_put(&b, OUTSIDE, &f);
	}
	bed_turn(&b);
	while (more) {
		struct frame_view v = bed_expect(&b, OUTSIDE, &f);

		assert_int_equal((v.frag & 0x1fff) * 8, at);
		memcpy(got + at, v.payload, v.n);
		at += v.n;
		more = v.frag & 0x2000;
		pieces++;
	}
	assert_true(pieces >= 3);
	assert_memory_equal(got + 8, "SIP/2.0 200", 11);
	assert_int_equal(got[4] << 8 | got[5], at);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void sip_that_is_none_is_counted(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	talk_send(&b, OUTSIDE, "GET / HTTP/1.1\r\n\r\n");
	bed_assert_count(&b, SIP_NOT, 1);
	talk_send(&b, OUTSIDE, "\r\n\r\n");
	bed_assert_count(&b, SIP_KEEPALIVE, 1);
	bed_close(&b);
}

static void control_sees_calls_flows_ports_neighbours(void **state)
{
	struct engine_record record;
	uint16_t worker;
	struct dp_reply *r;
	struct talk t;
	struct bed b;
	uint64_t call;

	(void)state;
	bed_up(&b, 1);
	talk_init(&t, 1);
	talk_call(&b, &t);
	relay(&b, &t, 5);

	r = ask(&b, (struct dp_request){.type = DP_CALLS, .ref = 5});
	assert_int_equal(r->count, 1);
	assert_false(r->more);
	assert_int_equal(r->call[0].state, CALL_ANSWERED);
	call = r->call[0].call;
	dp_reply_free(b.dp, r);

	r = ask(&b, (struct dp_request){.type = DP_FLOWS});
	assert_int_equal(r->count, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(r->flow[i].call, call);
	dp_reply_free(b.dp, r);

	r = ask(&b, (struct dp_request){.type = DP_PORTS});
	assert_int_equal(r->count, 2);
	assert_string_equal(r->port[0].name, "outside");
	assert_memory_equal(r->port[1].mac, IN_MAC, 6);
	assert_true(r->port[0].rx_packets > 5);
	dp_reply_free(b.dp, r);

	r = ask(&b, (struct dp_request){.type = DP_NEIGHBOURS});
	assert_int_equal(r->count, 3);
	assert_true(r->neighbour[0].resolved);
	dp_reply_free(b.dp, r);

	r = ask(&b, (struct dp_request){.type = DP_REGISTRATIONS});
	assert_int_equal(r->count, 0);
	dp_reply_free(b.dp, r);

	assert_true(dp_record_take(b.dp, &record, &worker));
	assert_int_equal(record.kind, RECORD_CALL_BEGIN);
	assert_int_equal(record.call, call);
	assert_true(dp_record_take(b.dp, &record, &worker));
	assert_int_equal(record.kind, RECORD_CALL_ANSWERED);
	assert_false(dp_record_take(b.dp, &record, &worker));

	r = ask(&b, (struct dp_request){.type = DP_KILL, .call = call});
	assert_true(r->ok);
	dp_reply_free(b.dp, r);
	bed_drain(&b);
	bed_elapse(&b, 40000);
	bed_drain(&b);
	expect_all_free(&b);
	assert_true(dp_record_take(b.dp, &record, &worker));
	assert_int_equal(record.end, END_OPERATOR);
	r = ask(&b, (struct dp_request){.type = DP_KILL, .call = call});
	assert_false(r->ok);
	dp_reply_free(b.dp, r);
	bed_close(&b);
}

/* The counterpart of the records above: the same call, and nobody who would take them. */
static void records_that_nobody_takes_are_not_made(void **state)
{
	struct engine_record record;
	struct talk t;
	uint16_t worker;
	struct bed b;

	(void)state;
	bed_init(&b, 1);
	b.conf.no_records = true;
	bed_open(&b, 0);
	bed_learn_all(&b);
	talk_init(&t, 1);
	talk_call(&b, &t);
	relay(&b, &t, 5);
	talk_bye(&b, &t);
	bed_elapse(&b, 40000);
	bed_drain(&b);
	expect_all_free(&b);
	assert_false(dp_record_take(b.dp, &record, &worker));
	bed_close(&b);
}

static void replies_are_bounded_and_none_is_lost(void **state)
{
	struct dp_request q = {.type = DP_STATS};
	struct bed b;
	uint32_t posted = 0, taken = 0;
	struct dp_reply *r;

	(void)state;
	bed_up(&b, 1);
	while (dp_request_post(b.dp, &q))
		posted++;
	assert_int_equal(posted, WORKER_REQUESTS - 1);
	while (taken < posted) {
		uint32_t before = taken;

		for (uint32_t i = 0; i < 2 * WORKER_REPLIES; i++)
			bed_turn(&b);
		while ((r = dp_reply_take(b.dp)) != NULL) {
			dp_reply_free(b.dp, r);
			taken++;
		}
		assert_true(taken > before && taken - before <= WORKER_REPLIES);
	}
	q.worker = 1;
	assert_false(dp_request_post(b.dp, &q));
	bed_close(&b);
}

static void draining_refuses_new_calls(void **state)
{
	struct bed b;
	struct talk t;
	struct dp_reply *r;

	(void)state;
	bed_up(&b, 1);
	talk_init(&t, 1);
	talk_call(&b, &t);
	dp_reply_free(b.dp, ask(&b, (struct dp_request){.type = DP_DRAIN}));
	r = ask(&b, (struct dp_request){.type = DP_STATS});
	assert_true(r->stats.engine.draining);
	dp_reply_free(b.dp, r);
	relay(&b, &t, 3);
	bed_close(&b);
}

static void snapshot_that_fits_is_taken(void **state)
{
	struct snapshot next;
	struct bed b;
	struct talk t;
	struct dp_reply *r;

	(void)state;
	bed_up(&b, 1);
	next = b.snapshot;
	next.version = 2;
	next.realm[OUTSIDE].sip_dscp = 24;
	r = ask(&b, (struct dp_request){.type = DP_SNAPSHOT, .snapshot = &next});
	assert_true(r->ok);
	dp_reply_free(b.dp, r);
	options(text, sizeof(text), "");
	talk_send(&b, OUTSIDE, text);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).tos, 24 << 2);

	next.realm[OUTSIDE].media_hi++;
	r = ask(&b, (struct dp_request){.type = DP_SNAPSHOT, .snapshot = &next});
	assert_false(r->ok);
	dp_reply_free(b.dp, r);
	next.realm[OUTSIDE].media_hi--;
	talk_init(&t, 1);
	talk_call(&b, &t);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_is_answered),
		cmocka_unit_test(call_with_media),
		cmocka_unit_test(calls_spread_over_workers),
		cmocka_unit_test(attacker_gets_nothing_of_a_call),
		cmocka_unit_test(silent_call_is_ended),
		cmocka_unit_test(message_beyond_the_mtu),
		cmocka_unit_test(sip_that_is_none_is_counted),
		cmocka_unit_test(control_sees_calls_flows_ports_neighbours),
		cmocka_unit_test(records_that_nobody_takes_are_not_made),
		cmocka_unit_test(replies_are_bounded_and_none_is_lost),
		cmocka_unit_test(draining_refuses_new_calls),
		cmocka_unit_test(snapshot_that_fits_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
