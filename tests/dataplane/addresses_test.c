/* Several media addresses a realm, and walks that look at some of many flows at a time. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/port.h"
#include "dataplane/relay.h"
#include "tests/dataplane/talk.h"

#define OUT_FURTHER (OUT_IP + 63) /* 203.0.113.64, .65 */
#define IN_FURTHER  (IN_IP + 63)  /* 10.0.0.64 */
#define SCAN_MAX    256u

static struct frame f;
static uint8_t rtp[512];

static void bed_up(struct bed *b, uint16_t workers)
{
	bed_init(b, workers);
	b->snapshot.realm[OUTSIDE].media_extras = 2;
	b->snapshot.realm[OUTSIDE].media_extra[0] = htonl(OUT_FURTHER);
	b->snapshot.realm[OUTSIDE].media_extra[1] = htonl(OUT_FURTHER + 1);
	b->snapshot.realm[INSIDE].media_extras = 1;
	b->snapshot.realm[INSIDE].media_extra[0] = htonl(IN_FURTHER);
	bed_open(b, 0);
	bed_learn_all(b);
}

/* The address in a description's c= line, host order. */
static uint32_t connection(const char *text)
{
	const char *c = strstr(text, "\r\nc=IN IP4 ");
	char ip[INET_ADDRSTRLEN] = "";

	assert_non_null(c);
	sscanf(c + 11, "%15[0-9.]", ip);
	return ntohl(inet_addr(ip));
}

static void send_rtp(struct bed *b, uint32_t port, uint32_t to, uint16_t dport, uint32_t ssrc,
		     uint16_t seq)
{
	struct frame_spec s = port == OUTSIDE ? bed_spec(OUTSIDE, PHONE, PHONE_MAC)
					      : bed_spec(INSIDE, PBX, PBX_MAC);

	s.dst = to;
	s.sport = port == OUTSIDE ? TALK_PHONE_RTP : TALK_PBX_RTP;
	s.dport = dport;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, ssrc, seq, seq * 160u, 160));
	bed_put(b, port, &f);
	bed_turn(b);
}

static void expect_rtp(struct bed *b, uint32_t port, uint32_t from, uint16_t sport)
{
	struct frame_view v = bed_expect(b, port, &f);

	assert_int_equal(v.src, from);
	assert_int_equal(v.sport, sport);
	assert_int_equal(v.dst, port == OUTSIDE ? PHONE : PBX);
	assert_int_equal(v.dport, port == OUTSIDE ? TALK_PHONE_RTP : TALK_PBX_RTP);
}

/* Media of a call both ways, by the addresses that its descriptions named. */
static void relay(struct bed *b, const struct talk *t)
{
	uint32_t out = connection(t->ok), in = connection(t->invite);

	send_rtp(b, OUTSIDE, out, t->out_rtp, 1, 1);
	send_rtp(b, OUTSIDE, out, t->out_rtp, 1, 2);
	expect_rtp(b, INSIDE, in, t->in_rtp);
	send_rtp(b, INSIDE, in, t->in_rtp, 2, 1);
	expect_rtp(b, OUTSIDE, out, t->out_rtp);
	bed_expect_silence(b);
}

static void media_goes_by_every_address(void **state)
{
	(void)state;
	for (uint16_t workers = 1; workers <= 3; workers++) {
		uint32_t out[3] = {0}, in[2] = {0};
		struct talk t[12];
		struct bed b;

		bed_up(&b, workers);
		for (uint32_t i = 0; i < 12; i++) {
			talk_init(&t[i], i);
			talk_call(&b, &t[i]);
			out[connection(t[i].ok) == OUT_IP
				    ? 0
				    : connection(t[i].ok) - OUT_FURTHER + 1]++;
			in[connection(t[i].invite) == IN_IP ? 0 : 1]++;
		}
		for (uint32_t i = 0; i < 12; i++)
			relay(&b, &t[i]);
		assert_true(out[0] && out[1] && out[2] && in[0] && in[1]);
		/* The same port on another address is another flow, or none. */
		send_rtp(&b, OUTSIDE, connection(t[0].ok) == OUT_IP ? OUT_FURTHER : OUT_IP,
			 (uint16_t)(t[0].out_rtp + 100), 1, 3);
		bed_expect_silence(&b);
		for (uint32_t i = 0; i < 12; i++) {
			talk_bye(&b, &t[i]);
			bed_elapse(&b, 100);
			bed_drain(&b);
		}
		bed_elapse(&b, 40000);
		bed_drain(&b);
		for (uint16_t i = 0; i < workers; i++) {
			struct engine_stats s;

			engine_stats_read(b.dp->worker[i]->engine, &s);
			assert_int_equal(s.ports_used, 0);
			assert_int_equal(b.dp->worker[i]->live_count, 0);
		}
		bed_close(&b);
	}
}

static void every_address_has_flows_and_owners_of_its_own(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 3);
	assert_int_equal(b.dp->flow_count, 5 * 200);
	for (uint32_t a = 0; a < 3; a++) {
		uint32_t ip = a == 0 ? OUT_IP : OUT_FURTHER + a - 1;
		const struct address *at = port_address(&b.dp->port[OUTSIDE], htonl(ip));

		assert_non_null(at);
		for (uint32_t k = 0; k < 200; k++) {
			uint32_t flow = address_flow(at, (uint16_t)(20000 + k));

			assert_int_equal(flow, a * 200 + k);
			assert_int_equal(b.dp->flow_owner[flow], b.dp->flow_owner[k]);
		}
	}
	bed_close(&b);
}

static void arp_is_answered_for_every_address(void **state)
{
	static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	for (uint32_t i = 0; i < 2; i++) {
		struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
		struct frame_view v;

		s.to = everyone;
		frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_FURTHER + i);
		bed_put(&b, OUTSIDE, &f);
		bed_turn(&b);
		v = bed_expect(&b, OUTSIDE, &f);
		assert_memory_equal(v.from, OUT_MAC, 6);
		assert_memory_equal(v.to, PHONE_MAC, 6);
	}
	bed_close(&b);
}

static void other_addresses_need_a_restart(void **state)
{
	static struct snapshot next;
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	next = b.snapshot;
	assert_true(ports_fit(b.dp, &next));
	next.realm[OUTSIDE].media_extra[1] = htonl(OUT_FURTHER + 5);
	assert_false(ports_fit(b.dp, &next));
	next = b.snapshot;
	next.realm[INSIDE].media_extras = 0;
	assert_false(ports_fit(b.dp, &next));
	bed_close(&b);
}

static void publish_all(struct bed *b, bool publish)
{
	for (uint8_t a = 0; a < 3; a++)
		for (uint16_t k = 0; k < 200; k++) {
			struct flow_spec s = {.realm = OUTSIDE,
					      .address = a,
					      .port = (uint16_t)(20000 + k),
					      .peer_realm = INSIDE,
					      .call = 0x100000000u + a * 200u + k};

			if (publish)
				relay_publish(b->dp->worker[0], &s);
			else
				relay_retire(b->dp->worker[0], OUTSIDE, a, s.port);
		}
}

/* However many flows there are, and however late it is: a turn looks at so many. */
static void a_walk_looks_at_some_flows_a_turn(void **state)
{
	struct worker *w;
	struct bed b;
	uint32_t turns = 0, at, seen = 0;

	(void)state;
	bed_up(&b, 1);
	w = b.dp->worker[0];
	publish_all(&b, true);
	assert_int_equal(w->live_count, 600);
	for (at = w->live_scan; seen < 600; turns++) {
		relay_scan(w, 100000);
		uint32_t looked = (w->live_scan + 600 - at) % 600;
		assert_true(looked != 0 && looked <= SCAN_MAX);
		at = w->live_scan;
		seen += looked;
	}
	assert_int_equal(turns, 3);
	/* A second's worth of small steps sees each once, whatever is not in use. */
	for (uint32_t i = 0, was = w->live_scan; i < 1000; i++, was = w->live_scan) {
		relay_scan(w, 1);
		assert_true((w->live_scan + 600 - was) % 600 <= 1);
	}
	w->live_renew = w->live_count;
	assert_int_equal(relay_renew(w), 600 - SCAN_MAX);
	assert_int_equal(relay_renew(w), 600 - 2 * SCAN_MAX);
	assert_int_equal(relay_renew(w), 0);
	publish_all(&b, false);
	assert_int_equal(w->live_count, 0);
	bed_drain(&b);
	bed_close(&b);
}

static void flows_are_shown_with_their_address(void **state)
{
	struct dp_flow_info info[4];
	uint32_t cursor = 0;
	struct talk t[2];
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	for (uint32_t i = 0; i < 2; i++) {
		talk_init(&t[i], i);
		talk_call(&b, &t[i]);
	}
	for (uint32_t i = 0; i < 2; i++) {
		assert_int_equal(relay_flows_read(b.dp->worker[0], &cursor, info, 4), 4);
		for (uint32_t k = 0; k < 4; k++)
			assert_int_equal(ntohl(info[k].local_ip),
					 info[k].realm == OUTSIDE ? connection(t[i].ok)
								  : connection(t[i].invite));
	}
	assert_int_equal(relay_flows_read(b.dp->worker[0], &cursor, info, 4), 0);
	bed_drain(&b);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(media_goes_by_every_address),
		cmocka_unit_test(every_address_has_flows_and_owners_of_its_own),
		cmocka_unit_test(arp_is_answered_for_every_address),
		cmocka_unit_test(other_addresses_need_a_restart),
		cmocka_unit_test(a_walk_looks_at_some_flows_a_turn),
		cmocka_unit_test(flows_are_shown_with_their_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
