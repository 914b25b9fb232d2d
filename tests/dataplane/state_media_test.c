/* What the engine, and so the record of a call, is told of media. */
#include "tests/dataplane/keep.h"

static struct frame f;
static uint8_t rtp[512];

static void publish(struct worker *w, uint16_t port, bool rtcp)
{
	struct flow_spec o = {.realm = OUTSIDE,
			      .port = port,
			      .peer_realm = INSIDE,
			      .peer_port = (uint16_t)(port + 10000),
			      .remote = {htonl(PHONE), 40000},
			      .proven = true,
			      .rtcp = rtcp,
			      .epoch = 1,
			      .call = 42,
			      .packets = 100,
			      .bytes = 1000,
			      .stream = 3};
	struct flow_spec i = {.realm = INSIDE,
			      .port = (uint16_t)(port + 10000),
			      .peer_realm = OUTSIDE,
			      .peer_port = port,
			      .remote = {htonl(PBX), 17000},
			      .proven = true,
			      .rtcp = rtcp,
			      .epoch = 1,
			      .leg = 1,
			      .call = 42};

	relay_publish(w, &o);
	relay_publish(w, &i);
}

static void media(struct bed *b, uint16_t port, uint16_t seq)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	s.sport = 40000;
	s.dport = port;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 1, seq, seq * 160u, 148));
	bed_put(b, OUTSIDE, &f);
	bed_turn(b);
	bed_drain(b);
}

/* Looks at every flow once; the events of it are left in the worker. */
static void scan(struct bed *b)
{
	struct worker *w = b->dp->worker[0];

	w->now = b->now;
	w->live_owed = 0;
	w->media_events = 0;
	for (uint32_t i = 0; i < 4; i++)
		relay_scan(w, 250);
}

static void the_engine_is_told_every_half_minute_what_was_relayed(void **state)
{
	struct bed b;
	struct worker *w;

	(void)state;
	keep_open(&b, 1);
	w = b.dp->worker[0];
	publish(w, 20000, false);
	/* From here the whole period: the first is shortened, so that flows are spread. */
	bed_elapse(&b, 31000);
	media(&b, 20000, 1);
	scan(&b);
	assert_int_equal(w->media_events, 1);
	assert_int_equal(w->media_event[0].type, ENGINE_MEDIA_COUNTED);
	assert_int_equal(w->media_event[0].call, 42);
	assert_int_equal(w->media_event[0].stream, 3);
	assert_int_equal(w->media_event[0].leg, 0);
	assert_int_equal(w->media_event[0].packets, 101);
	assert_int_equal(w->media_event[0].bytes, 1160);
	media(&b, 20000, 2);
	for (uint32_t i = 0; i < 29; i++) {
		bed_sleep(&b, 1000);
		scan(&b);
		assert_int_equal(w->media_events, 0);
	}
	bed_sleep(&b, 1000);
	scan(&b);
	assert_int_equal(w->media_events, 1);
	assert_int_equal(w->media_event[0].packets, 102);
	/* Nothing new, nothing said. */
	bed_sleep(&b, 60000);
	scan(&b);
	assert_int_equal(w->media_events, 0);
	relay_retire(w, OUTSIDE, 0, 20000);
	relay_retire(w, INSIDE, 0, 30000);
	bed_close(&b);
}

static void counts_leave_room_for_what_cannot_wait(void **state)
{
	struct bed b;
	struct worker *w;

	(void)state;
	keep_open(&b, 1);
	w = b.dp->worker[0];
	for (uint16_t port = 20000; port < 20100; port = (uint16_t)(port + 2)) {
		publish(w, port, false);
		w->dp->flow[w->live[w->live_count - 2]].packets++;
	}
	b.now += 31000;
	scan(&b);
	assert_int_equal(w->media_events, WORKER_MEDIA_EV / 2);
	scan(&b);
	assert_int_equal(w->media_events, 50 - WORKER_MEDIA_EV / 2);
	w->media_events = 0;
	bed_close(&b);
}

static bool record_take(struct bed *b, struct engine_record *r)
{
	uint16_t worker;

	while (dp_record_take(b->dp, r, &worker))
		if (r->kind == RECORD_MEDIA)
			return true;
	return false;
}

static void the_end_of_a_flow_is_recorded(void **state)
{
	struct engine_record r;
	struct bed b;
	struct worker *w;

	(void)state;
	keep_open(&b, 1);
	w = b.dp->worker[0];
	publish(w, 20000, false);
	publish(w, 20001, true);
	media(&b, 20000, 1);
	media(&b, 20000, 4);
	bed_elapse(&b, 50);
	relay_retire(w, OUTSIDE, 0, 20000);
	assert_true(record_take(&b, &r));
	assert_int_equal(r.call, 42);
	assert_int_equal(r.from_realm, OUTSIDE);
	assert_int_equal(r.to_realm, INSIDE);
	assert_int_equal(r.at_ms, b.now);
	assert_int_equal(r.began_ms, b.now - 50);
	assert_int_equal(r.media.port, 20000);
	assert_int_equal(r.media.stream, 3);
	assert_int_equal(r.media.leg, 0);
	assert_false(r.media.rtcp);
	assert_int_equal(r.media.packets, 102);
	assert_int_equal(r.media.bytes, 1320);
	assert_int_equal(r.media.lost, 2);
	relay_retire(w, INSIDE, 0, 30000);
	assert_true(record_take(&b, &r));
	assert_int_equal(r.media.leg, 1);
	assert_int_equal(r.media.packets, 0);
	/* RTCP: what carried something, in an earlier process at least. */
	relay_retire(w, OUTSIDE, 0, 20001);
	assert_true(record_take(&b, &r));
	assert_true(r.media.rtcp);
	relay_retire(w, INSIDE, 0, 30001);
	assert_false(record_take(&b, &r));
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_engine_is_told_every_half_minute_what_was_relayed),
		cmocka_unit_test(counts_leave_room_for_what_cannot_wait),
		cmocka_unit_test(the_end_of_a_flow_is_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
