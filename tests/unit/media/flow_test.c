/*
 * Source policy: who is relayed, and where to nothing is sent.
 */
#include "sbc/media/flow.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#define OUTSIDE htonl(0xcb007101) /* 203.0.113.1: ours towards the phones */
#define INSIDE  htonl(0x0a000001) /* 10.0.0.1: ours towards the core */

static const struct net_addr phone = {0x0a6433c6 /* 198.51.100.10 */, 40000};
static const struct net_addr phone_rtcp = {0x0a6433c6, 40777};
static const struct net_addr stranger = {0x426433c6 /* 198.51.100.66 */, 40000};
static const struct net_addr neighbour = {0x0a6433c6, 41111}; /* behind the same NAT */
static const struct net_addr sdp_addr = {0x0501a8c0 /* 192.168.1.5 */, 7078};
static const struct net_addr switch_addr = {0x0a00000a /* 10.0.0.10 */, 30000};

/* A phone behind NAT and a switch, RTP and RTCP. */
struct call {
	struct flow rtp_a, rtcp_a, rtp_b, rtcp_b;
	struct flow_spec spec_a, spec_b;
	enum reason why;
	uint64_t now;
};

static void join(struct call *c)
{
	flow_join(&c->rtp_a, &c->rtp_b);
	flow_join(&c->rtp_b, &c->rtp_a);
	flow_join(&c->rtcp_a, &c->rtcp_b);
	flow_join(&c->rtcp_b, &c->rtcp_a);
}

static void publish_one(struct call *c, struct flow *f, struct flow_spec spec, bool rtcp,
			uint32_t local)
{
	if (rtcp) {
		spec.rtcp = true;
		spec.port++;
		spec.peer_port++;
		spec.closed = false;
		if (spec.remote.port)
			spec.remote.port++;
	}
	flow_publish(f, &spec, local, c->now);
}

static void publish(struct call *c)
{
	publish_one(c, &c->rtp_a, c->spec_a, false, OUTSIDE);
	publish_one(c, &c->rtcp_a, c->spec_a, true, OUTSIDE);
	publish_one(c, &c->rtp_b, c->spec_b, false, INSIDE);
	publish_one(c, &c->rtcp_b, c->spec_b, true, INSIDE);
	join(c);
}

static int setup(void **state)
{
	static struct call c;

	memset(&c, 0, sizeof(c));
	c.now = 1000;
	c.spec_a = (struct flow_spec){.realm = 0,
				      .port = 20000,
				      .peer_realm = 1,
				      .peer_port = 30000,
				      .remote = sdp_addr,
				      .gate_ip = phone.ip,
				      .clock_rate = 8000,
				      .dscp = 46,
				      .latch = true,
				      .epoch = 1,
				      .call = 99};
	c.spec_b = (struct flow_spec){.realm = 1,
				      .port = 30000,
				      .peer_realm = 0,
				      .peer_port = 20000,
				      .remote = switch_addr,
				      .clock_rate = 8000,
				      .dscp = 0,
				      .proven = true,
				      .epoch = 1,
				      .call = 99,
				      .leg = 1};
	publish(&c);
	*state = &c;
	return 0;
}

/* ---- datagrams ---- */

static uint32_t rtp(uint8_t *p, uint32_t ssrc, uint16_t seq)
{
	memset(p, 0, 32);
	p[0] = 0x80;
	p[2] = (uint8_t)(seq >> 8);
	p[3] = (uint8_t)seq;
	for (int i = 0; i < 4; i++)
		p[8 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return 32;
}

static uint32_t rtcp(uint8_t *p, uint32_t ssrc)
{
	static const uint8_t receiver_report[4] = {0x80, 201, 0, 1};

	memcpy(p, receiver_report, 4);
	for (int i = 0; i < 4; i++)
		p[4 + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	return 8;
}

static uint32_t dtls(uint8_t *p, uint16_t record)
{
	memset(p, 0, 20);
	p[0] = 22;
	p[1] = 0xfe;
	p[2] = 0xff;
	p[9] = (uint8_t)(record >> 8);
	p[10] = (uint8_t)record;
	return 20;
}

/* As the dataplane does: admit, and on a latch join again and see. */
static enum flow_verdict admit(struct call *c, struct flow *f, struct net_addr src,
			       const uint8_t *p, uint32_t n)
{
	const struct flow *peer = f == &c->rtcp_a ? &c->rtp_a : f == &c->rtcp_b ? &c->rtp_b : NULL;
	struct guard g;
	const char *flush = guard_end(&g, p, n);

	c->why = REASON_COUNT;
	enum flow_verdict v = flow_admit(f, peer, src, (const uint8_t *)flush, n, c->now, &c->why);
	guard_free(&g);
	if (v == FLOW_RELAY_LATCHED || v == FLOW_LATCHED_HELD)
		join(c);
	if (v == FLOW_LATCHED_HELD)
		assert_int_equal(c->why, REASON_FLOW_HELD);
	else if (v != FLOW_DROP)
		assert_int_equal(c->why, REASON_COUNT);
	return v;
}

static enum flow_verdict send_rtp(struct call *c, struct flow *f, struct net_addr src,
				  uint32_t ssrc, uint16_t seq)
{
	uint8_t p[32];

	return admit(c, f, src, p, rtp(p, ssrc, seq));
}

static enum flow_verdict send_rtcp(struct call *c, struct flow *f, struct net_addr src,
				   uint32_t ssrc)
{
	uint8_t p[8];

	return admit(c, f, src, p, rtcp(p, ssrc));
}

static void assert_dropped(struct call *c, enum flow_verdict v, enum reason why)
{
	assert_int_equal(v, FLOW_DROP);
	assert_string_equal(reason_name(c->why), reason_name(why));
}

static void latch(struct call *c)
{
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 100), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 101), FLOW_RELAY_LATCHED);
}

/* ---- latching ---- */

static void a_natted_phone_latches_on_its_second_packet(void **state)
{
	struct call *c = *state;

	assert_int_equal(c->rtp_b.out_dst_ip, 0); /* nowhere yet */
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 1), REASON_FLOW_UNPROVEN);
	latch(c);
	assert_int_equal(c->rtp_a.state, FLOW_LOCKED);
	assert_true(c->rtp_a.latched);
	assert_int_equal(c->rtp_b.out_dst_ip, phone.ip);
	assert_int_equal(c->rtp_b.out_dst_port, htons(phone.port));
	assert_int_equal(c->rtp_b.out_src_ip, OUTSIDE);
	assert_int_equal(c->rtp_b.out_src_port, htons(20000));
	assert_int_equal(c->rtp_a.out_dst_ip, switch_addr.ip);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 102), FLOW_RELAY);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 2), FLOW_RELAY);
	assert_int_equal(c->rtp_a.packets, 2);
	assert_int_equal(c->rtp_a.bytes, 64);
	assert_int_equal(c->rtp_a.refused, 1);
}

static void strangers_do_not_pass_the_gate(void **state)
{
	struct call *c = *state;

	for (uint16_t i = 0; i < 1000; i++)
		assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, i), REASON_FLOW_GATE);
	assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
	assert_int_equal(c->rtp_a.refused, 1000);
	assert_int_equal(c->rtp_a.packets, 0);
	assert_int_equal(c->rtp_b.out_dst_ip, 0);
}

static void after_the_lock_nothing_injected_passes(void **state)
{
	struct call *c = *state;

	latch(c);
	for (uint16_t i = 0; i < 1000; i++) {
		assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, (uint16_t)(102 + i)),
			       REASON_FLOW_SOURCE);
		assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 5, (uint16_t)(102 + i)),
			       REASON_FLOW_SOURCE);
		assert_dropped(c, send_rtp(c, &c->rtp_a, sdp_addr, 5, (uint16_t)(102 + i)),
			       REASON_FLOW_SOURCE);
	}
	assert_int_equal(c->rtp_b.out_dst_ip, phone.ip);
	assert_int_equal(c->rtp_b.out_dst_port, htons(phone.port));
	assert_int_equal(c->rtp_a.packets, 1);
}

static void one_spoofed_packet_decides_nothing(void **state)
{
	struct call *c = *state;

	/* From the phone's own host, as a spoofer would: another port, another SSRC. */
	assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 666, 1), REASON_FLOW_SSRC);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 100), REASON_FLOW_SSRC);
	assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 666, 2), REASON_FLOW_SSRC);
	latch(c);
	assert_int_equal(c->rtp_a.src_port, htons(phone.port));
}

static void a_row_needs_one_ssrc_and_advancing_numbers(void **state)
{
	struct call *c = *state;
	static const struct {
		uint32_t ssrc;
		uint16_t seq;
	} broken[] = {{5, 100},   {6, 101},   {5, 102},          {5, 101}, {5, 101},
		      {5, 40000}, {5, 36999}, {5, 39999 - 3000}, {7, 1}};

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
		assert_dropped(c, send_rtp(c, &c->rtp_a, phone, broken[i].ssrc, broken[i].seq),
			       REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 7, 3), FLOW_RELAY_LATCHED);
}

static void a_row_may_cross_the_wrap(void **state)
{
	struct call *c = *state;

	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 65535), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 0), FLOW_RELAY_LATCHED);
}

static void keep_alives_of_real_phones_do_not_break_the_row(void **state)
{
	struct call *c = *state;
	uint8_t p[32] = {0};

	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 100), REASON_FLOW_SSRC);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 0), REASON_FLOW_EMPTY);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 20), REASON_FLOW_STUN);
	assert_dropped(c, admit(c, &c->rtp_a, phone, (const uint8_t *)"\r\n", 2), REASON_FLOW_BAD);
	assert_dropped(c, send_rtcp(c, &c->rtp_a, phone, 5), REASON_FLOW_SSRC); /* rtcp-mux */
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 101), FLOW_RELAY_LATCHED);
}

static void the_address_of_the_sdp_passes_the_gate_too(void **state)
{
	struct call *c = *state;

	assert_dropped(c, send_rtp(c, &c->rtp_a, sdp_addr, 5, 1), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, sdp_addr, 5, 2), FLOW_RELAY_LATCHED);
}

static void an_open_gate_lets_any_host_latch_but_no_impossible_one(void **state)
{
	struct call *c = *state;
	struct net_addr multicast = {0x010000e0 /* 224.0.0.1 */, 5000}, none = {phone.ip, 0};

	c->spec_a.gate_ip = 0;
	c->spec_a.epoch++;
	publish(c);
	assert_dropped(c, send_rtp(c, &c->rtp_a, multicast, 5, 1), REASON_FLOW_GATE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, none, 5, 1), REASON_FLOW_GATE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 1), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, stranger, 5, 2), FLOW_RELAY_LATCHED);
}

static void dtls_latches_behind_a_gate_only(void **state)
{
	struct call *c = *state;
	uint8_t p[20];

	assert_dropped(c, admit(c, &c->rtp_a, phone, p, dtls(p, 0)), REASON_FLOW_SSRC);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, dtls(p, 0)), REASON_FLOW_SSRC);
	assert_int_equal(admit(c, &c->rtp_a, phone, p, dtls(p, 1)), FLOW_RELAY_LATCHED);
	assert_int_equal(admit(c, &c->rtp_a, phone, p, dtls(p, 2)), FLOW_RELAY);

	c->spec_a.gate_ip = 0;
	c->spec_a.epoch++;
	publish(c);
	for (uint16_t i = 0; i < 10; i++)
		assert_dropped(c, admit(c, &c->rtp_a, stranger, p, dtls(p, i)), REASON_FLOW_SSRC);
}

static void opaque_flows_latch_by_count(void **state)
{
	struct call *c = *state;
	uint8_t p[4] = {0};

	c->spec_a.opaque = c->spec_b.opaque = true;
	publish(c);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 4), REASON_FLOW_SSRC);
	assert_dropped(c, admit(c, &c->rtp_a, neighbour, p, 4), REASON_FLOW_SSRC);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 4), REASON_FLOW_SSRC);
	assert_dropped(c, admit(c, &c->rtp_a, stranger, p, 4), REASON_FLOW_GATE);
	assert_int_equal(admit(c, &c->rtp_a, phone, p, 4), FLOW_RELAY_LATCHED);
	assert_int_equal(admit(c, &c->rtp_a, phone, p, 4), FLOW_RELAY);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 0), REASON_FLOW_EMPTY);
	assert_int_equal(c->rtp_a.rtp.started, 0);
}

/* ---- RTCP ---- */

static void rtcp_latches_to_the_host_and_sender_of_its_rtp(void **state)
{
	struct call *c = *state;
	struct net_addr stranger_rtcp = {stranger.ip, 40777};

	assert_dropped(c, send_rtcp(c, &c->rtcp_a, phone_rtcp, 5),
		       REASON_FLOW_SSRC); /* too early */
	latch(c);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, phone_rtcp, 6), REASON_FLOW_SSRC);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, stranger_rtcp, 5), REASON_FLOW_GATE);
	assert_int_equal(send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), FLOW_RELAY_LATCHED);
	assert_int_equal(send_rtcp(c, &c->rtcp_a, phone_rtcp, 6), FLOW_RELAY);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, neighbour, 5), REASON_FLOW_SOURCE);
	assert_int_equal(c->rtcp_b.out_dst_port, htons(phone_rtcp.port));
	assert_int_equal(c->rtcp_b.out_src_port, htons(20001));
}

static void rtcp_from_another_allowed_host_than_rtp_is_refused(void **state)
{
	struct call *c = *state;
	struct net_addr declared = {sdp_addr.ip, 7079};

	/* Both pass the gate; RTP has locked to the one, so RTCP is not the other's. */
	latch(c);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, declared, 5), REASON_FLOW_GATE);
}

static void rtcp_without_its_rtp_does_not_latch(void **state)
{
	struct call *c = *state;
	uint8_t p[8];

	latch(c);
	assert_int_equal(flow_admit(&c->rtcp_a, NULL, phone_rtcp, p, rtcp(p, 5), c->now, &c->why),
			 FLOW_DROP);
	assert_int_equal(c->why, REASON_FLOW_SSRC);
	c->rtp_a.spec.call++; /* another call's has come to the port before */
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), REASON_FLOW_SSRC);
}

static void rtp_on_an_rtcp_port_is_refused(void **state)
{
	struct call *c = *state;

	latch(c);
	assert_dropped(c, send_rtp(c, &c->rtcp_a, phone_rtcp, 5, 7), REASON_FLOW_BAD);
	assert_int_equal(send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), FLOW_RELAY_LATCHED);
	assert_dropped(c, send_rtp(c, &c->rtcp_a, phone_rtcp, 5, 7), REASON_FLOW_BAD);
}

static void multiplexed_rtcp_is_relayed_and_no_part_of_the_statistics(void **state)
{
	struct call *c = *state;

	latch(c);
	assert_int_equal(send_rtcp(c, &c->rtp_a, phone, 5), FLOW_RELAY);
	assert_int_equal(c->rtp_a.packets, 2);
	assert_int_equal(c->rtp_a.rtp.received, 1);
}

/* ---- expected sources ---- */

static void only_the_signalled_source_is_expected(void **state)
{
	struct call *c = *state;
	struct net_addr other_port = {switch_addr.ip, 30002};

	latch(c);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 1), FLOW_RELAY);
	assert_dropped(c, send_rtp(c, &c->rtp_b, other_port, 9, 2), REASON_FLOW_SOURCE);
	assert_dropped(c, send_rtp(c, &c->rtp_b, stranger, 9, 2), REASON_FLOW_SOURCE);
	assert_int_equal(c->rtp_b.refused, 2);
}

static void an_expected_source_unknown_or_impossible_admits_nobody(void **state)
{
	struct call *c = *state;
	static const struct net_addr bad[] = {
		{0, 0}, {0x0a00000a, 0}, {0, 30000}, {0x0100007f, 30000}, {0x010000e0, 30000}};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c->spec_b.remote = bad[i];
		c->spec_b.epoch++;
		publish(c);
		assert_dropped(c, send_rtp(c, &c->rtp_b, bad[i], 9, 1), REASON_FLOW_SOURCE);
		assert_dropped(c, send_rtp(c, &c->rtp_b, stranger, 9, 1), REASON_FLOW_SOURCE);
		assert_int_equal(c->rtp_a.out_dst_ip, 0); /* and nothing is sent there */
	}
}

static void an_sdp_cannot_aim_media_at_a_victim(void **state)
{
	struct call *c = *state;

	/* An untrusted side that may not latch: its word alone proves nothing. */
	c->spec_a.latch = false;
	c->spec_a.remote = phone;
	c->spec_a.epoch++;
	publish(c);
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 1), REASON_FLOW_UNPROVEN);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 1), REASON_FLOW_SOURCE);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 1), FLOW_RELAY_LATCHED);
	assert_false(c->rtp_a.latched);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 2), FLOW_RELAY);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 2), FLOW_RELAY);
}

static void both_sides_latching_meet(void **state)
{
	struct call *c = *state;

	c->spec_b.latch = true;
	c->spec_b.proven = false;
	c->spec_b.gate_ip = switch_addr.ip;
	c->spec_b.epoch++;
	publish(c);
	latch(c);
	assert_false(flow_join(&c->rtp_a, &c->rtp_b)); /* what it was told: nowhere to send */
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 102), REASON_FLOW_UNPROVEN);
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 1), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 2), FLOW_RELAY_LATCHED);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 103), FLOW_RELAY);
}

static void a_trusted_latching_side_is_sent_to_where_it_said_until_it_latches(void **state)
{
	struct call *c = *state;

	c->spec_a.proven = true;
	c->spec_a.epoch++;
	publish(c);
	assert_int_equal(c->rtp_b.out_dst_ip, sdp_addr.ip);
	latch(c);
	assert_int_equal(c->rtp_b.out_dst_ip, phone.ip);
}

/* ---- publishing again ---- */

static void an_equal_or_lower_epoch_keeps_the_lock(void **state)
{
	struct call *c = *state;

	latch(c);
	c->spec_a.remote = stranger; /* what an equal epoch says of sources does not count */
	c->spec_a.gate_ip = stranger.ip;
	c->spec_a.dscp = 10;
	publish(c);
	assert_int_equal(c->rtp_a.state, FLOW_LOCKED);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 102), REASON_FLOW_SOURCE);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 102), FLOW_RELAY);
	assert_int_equal(c->rtp_b.tos, 10 << 2); /* the rest does */
	c->spec_a.epoch--;
	publish(c);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 103), FLOW_RELAY);
	c->spec_a.epoch++;
	publish(c); /* still not above the epoch of the lock */
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 104), FLOW_RELAY);
	assert_int_equal(c->rtp_a.packets, 4);
}

static void a_higher_epoch_unlocks_and_proves_anew(void **state)
{
	struct call *c = *state;

	latch(c);
	c->spec_a.epoch++;
	publish(c);
	assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
	assert_int_equal(c->rtp_b.out_dst_ip, 0);
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 3), REASON_FLOW_UNPROVEN);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 102), REASON_FLOW_GATE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 8, 1), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, neighbour, 8, 2), FLOW_RELAY_LATCHED);
	assert_int_equal(c->rtp_b.out_dst_port, htons(neighbour.port));
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 103), REASON_FLOW_SOURCE);
	assert_int_equal(c->rtp_a.packets, 2); /* counted on */
}

static void a_remote_learned_later_is_taken_at_any_epoch_while_unlocked(void **state)
{
	struct call *c = *state;

	c->spec_b.remote = (struct net_addr){0, 0};
	c->spec_b.epoch++;
	publish(c);
	c->spec_b.remote = switch_addr;
	publish(c);
	latch(c);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 1), FLOW_RELAY);
}

static void another_call_on_the_port_starts_from_nothing(void **state)
{
	struct call *c = *state;

	latch(c);
	c->spec_a.call = 100;
	c->spec_a.epoch = 0;
	publish(c);
	assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
	assert_int_equal(c->rtp_a.packets, 0);
	assert_int_equal(c->rtp_a.peer, FLOW_NONE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 102), REASON_FLOW_SSRC);
}

static void a_new_partner_is_set_by_the_dataplane(void **state)
{
	struct call *c = *state;

	c->rtp_a.peer = 7;
	publish(c);
	assert_int_equal(c->rtp_a.peer, 7);
	c->spec_a.peer_port = 30002;
	publish(c);
	assert_int_equal(c->rtp_a.peer, FLOW_NONE);
}

static void a_retired_flow_admits_nobody_and_is_sent_nothing(void **state)
{
	struct call *c = *state;

	latch(c);
	flow_retire(&c->rtp_a);
	assert_false(flow_join(&c->rtp_b, NULL));
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 102), REASON_FLOW_NONE);
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 1), REASON_FLOW_UNPROVEN);
	assert_false(flow_join(&c->rtp_b, &c->rtp_a)); /* nor by its slot */
	assert_false(flow_join(&c->rtp_a, &c->rtp_b));
}

/* ---- hold ---- */

static void a_closed_flow_relays_no_media_but_multiplexed_rtcp(void **state)
{
	struct call *c = *state;

	latch(c);
	c->spec_a.closed = true;
	publish(c);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 102), REASON_FLOW_HELD);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 102), REASON_FLOW_SOURCE);
	assert_int_equal(send_rtcp(c, &c->rtp_a, phone, 5), FLOW_RELAY);
	assert_int_equal(send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), FLOW_RELAY_LATCHED);
	/* The other direction goes on: music on hold. */
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 2), FLOW_RELAY);
	c->spec_a.closed = false;
	publish(c);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 103), FLOW_RELAY);
}

/* A phone that only listens: its packets say where it does, and go no further. */
static void a_closed_flow_latches_and_relays_nothing(void **state)
{
	struct call *c = *state;

	c->spec_a.closed = true;
	publish(c);
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 1), REASON_FLOW_UNPROVEN);
	c->now += 1000;
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 100), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 101), FLOW_LATCHED_HELD);
	assert_int_equal(c->rtp_a.state, FLOW_LOCKED);
	assert_true(c->rtp_a.latched);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 102), REASON_FLOW_HELD);
	assert_int_equal(c->rtp_a.packets, 0);
	assert_int_equal(c->rtp_a.last_ms, c->now - 1000);
	assert_false(c->rtp_a.rtp.started);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 2), FLOW_RELAY);
	assert_int_equal(c->rtp_b.out_dst_ip, phone.ip);
	/* When it may speak it is known already. */
	c->spec_a.closed = false;
	publish(c);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 103), FLOW_RELAY);
	assert_int_equal(c->rtp_a.packets, 1);
}

static void a_closed_flow_is_as_strict_as_an_open_one(void **state)
{
	struct call *c = *state;

	c->spec_a.closed = true;
	publish(c);
	for (uint16_t i = 0; i < 5; i++)
		assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, i), REASON_FLOW_GATE);
	assert_int_equal(c->rtp_a.refused, 5);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 5, 1), REASON_FLOW_SSRC);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 6, 2), REASON_FLOW_SSRC);
	assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 6, 3), REASON_FLOW_SSRC);
	assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
	assert_int_equal(send_rtp(c, &c->rtp_a, neighbour, 6, 4), FLOW_LATCHED_HELD);
	assert_dropped(c, send_rtp(c, &c->rtp_a, phone, 6, 5), REASON_FLOW_SOURCE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 6, 5), REASON_FLOW_HELD);
}

/* With latching off: the SDP's address is proven by a packet from there, held or not. */
static void a_closed_flow_proves_its_expected_source(void **state)
{
	struct call *c = *state;

	c->spec_a.latch = false;
	c->spec_a.remote = phone;
	c->spec_a.closed = true;
	publish(c);
	assert_dropped(c, send_rtp(c, &c->rtp_b, switch_addr, 9, 1), REASON_FLOW_UNPROVEN);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 1), REASON_FLOW_SOURCE);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 1), FLOW_LATCHED_HELD);
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 2), FLOW_RELAY);
}

static void a_closed_rtcp_flow_relays_nothing(void **state)
{
	struct call *c = *state;
	struct flow_spec spec = c->rtcp_b.spec;

	spec.closed = true;
	flow_publish(&c->rtcp_b, &spec, INSIDE, c->now);
	join(c);
	assert_dropped(c, send_rtcp(c, &c->rtcp_b, spec.remote, 9), REASON_FLOW_HELD);
}

/* ---- what else comes ---- */

static void malformed_media_of_the_right_source_is_refused(void **state)
{
	struct call *c = *state;
	uint8_t p[32];

	latch(c);
	(void)rtp(p, 5, 102);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 11), REASON_FLOW_BAD);
	p[0] = 0x8f; /* 15 CSRCs */
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 32), REASON_FLOW_BAD);
	p[0] = 0x40;
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 32), REASON_FLOW_BAD);
	memset(p, 0, sizeof(p));
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 20), REASON_FLOW_STUN);
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 0), REASON_FLOW_EMPTY);
	p[0] = 22; /* DTLS by its first byte alone */
	assert_dropped(c, admit(c, &c->rtp_a, phone, p, 32), REASON_FLOW_BAD);
	assert_int_equal(c->rtp_a.packets, 1);
}

static void a_locked_source_may_change_its_ssrc(void **state)
{
	struct call *c = *state;

	latch(c);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 77, 9000), FLOW_RELAY);
	assert_int_equal(c->rtp_a.rtp.ssrc, 77);
}

static void statistics_are_of_what_was_relayed(void **state)
{
	struct call *c = *state;

	latch(c); /* relayed: 101 */
	c->now = 2000;
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 103), FLOW_RELAY);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 102), REASON_FLOW_SOURCE);
	assert_int_equal(rtp_stats_lost(&c->rtp_a.rtp), 1);
	assert_int_equal(c->rtp_a.last_ms, 2000);
	c->now = 3000;
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 104), REASON_FLOW_SOURCE);
	assert_int_equal(c->rtp_a.last_ms, 2000); /* a stranger does not keep a call alive */
}

/* Anything from anywhere, flush against the guard page: no trap, and no stranger passes. */
static void random_datagrams_pass_from_the_locked_source_only(void **state)
{
	struct call *c = *state;
	uint64_t seed = 1234;

	latch(c);
	for (int i = 0; i < 20000; i++) {
		uint8_t p[64];
		uint64_t r = unit_random(&seed);
		uint32_t n = (uint32_t)(r % sizeof(p));
		for (uint32_t b = 0; b < n; b++)
			p[b] = (uint8_t)unit_random(&seed);
		struct net_addr src =
			r >> 32 & 1 ? phone
				    : (struct net_addr){(uint32_t)(r >> 16), (uint16_t)(r >> 40)};
		if (admit(c, &c->rtp_a, src, p, n) != FLOW_DROP)
			assert_true(net_addr_eq(src, phone));
		else
			assert_true(c->why < REASON_COUNT);
	}
}

/* ---- restored ---- */

static void restore_spec(struct call *c)
{
	c->spec_a.source = phone;
	c->spec_a.packets = 500;
	c->spec_a.bytes = 80000;
}

/* The same call, as it begins in a process that restores it. */
static void restore(struct call *c)
{
	flow_retire(&c->rtp_a);
	flow_retire(&c->rtcp_a);
	flow_retire(&c->rtp_b);
	flow_retire(&c->rtcp_b);
	restore_spec(c);
	publish(c);
	flow_retire(&c->rtcp_a);
	c->spec_a.source = phone_rtcp;
	publish_one(c, &c->rtcp_a, c->spec_a, true, OUTSIDE);
	join(c);
}

static void a_restored_flow_begins_locked_to_its_source(void **state)
{
	struct call *c = *state;

	restore(c);
	assert_int_equal(c->rtp_a.state, FLOW_LOCKED);
	assert_true(c->rtp_a.latched);
	assert_int_equal(c->rtp_a.packets, 500);
	assert_int_equal(c->rtp_a.bytes, 80000);
	assert_int_equal(c->rtp_b.out_dst_ip, phone.ip);
	assert_int_equal(c->rtp_b.out_dst_port, htons(phone.port));
	/* Both ways at once, from the first packet. */
	assert_int_equal(send_rtp(c, &c->rtp_b, switch_addr, 9, 1), FLOW_RELAY);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 100), FLOW_RELAY);
	assert_int_equal(c->rtp_a.packets, 501);
	assert_int_equal(c->rtp_a.bytes, 80032);
}

static void a_restored_flow_refuses_strangers(void **state)
{
	struct call *c = *state;

	restore(c);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 1), REASON_FLOW_SOURCE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, neighbour, 5, 2), REASON_FLOW_SOURCE);
	assert_dropped(c, send_rtp(c, &c->rtp_a, sdp_addr, 5, 3), REASON_FLOW_SOURCE);
	assert_int_equal(c->rtp_b.out_dst_ip, phone.ip);
}

static void restored_rtcp_is_locked_to_its_own_source(void **state)
{
	struct call *c = *state;

	restore(c);
	assert_int_equal(send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), FLOW_RELAY);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, stranger, 5), REASON_FLOW_SOURCE);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, phone, 5), REASON_FLOW_SOURCE);
}

static void rtcp_that_had_not_latched_waits_for_its_restored_rtp(void **state)
{
	struct call *c = *state;

	restore(c);
	flow_retire(&c->rtcp_a);
	c->spec_a.source = (struct net_addr){0};
	publish_one(c, &c->rtcp_a, c->spec_a, true, OUTSIDE);
	join(c);
	assert_dropped(c, send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), REASON_FLOW_SSRC);
	assert_int_equal(send_rtp(c, &c->rtp_a, phone, 5, 100), FLOW_RELAY);
	assert_int_equal(send_rtcp(c, &c->rtcp_a, phone_rtcp, 5), FLOW_RELAY_LATCHED);
}

static void a_higher_epoch_unlocks_a_restored_flow(void **state)
{
	struct call *c = *state;

	restore(c);
	c->spec_a.source = phone;
	c->spec_a.epoch = 2;
	publish(c);
	assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
	assert_int_equal(c->rtp_b.out_dst_ip, 0);
	assert_int_equal(c->rtp_a.packets, 500); /* counted on, not anew */
	latch(c);
}

static void a_source_is_for_flows_that_start_from_nothing(void **state)
{
	struct call *c = *state;

	restore_spec(c);
	publish(c);
	assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
	assert_int_equal(c->rtp_a.packets, 0);
	latch(c);
	c->spec_a.source = stranger;
	publish(c);
	assert_dropped(c, send_rtp(c, &c->rtp_a, stranger, 5, 103), REASON_FLOW_SOURCE);
	assert_int_equal(c->rtp_a.packets, 1);
}

static void a_source_that_no_host_can_have_locks_nothing(void **state)
{
	static const struct net_addr none[] = {{0, 4000}, {0xffffffff, 4000}, {0x010000e0, 4000}};
	struct call *c = *state;

	for (uint32_t i = 0; i < 3; i++) {
		flow_retire(&c->rtp_a);
		c->spec_a.source = none[i];
		publish(c);
		assert_int_equal(c->rtp_a.state, FLOW_LATCHING);
		assert_false(c->rtp_a.flags & FLOW_F_PROVEN);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(a_natted_phone_latches_on_its_second_packet),
		T(strangers_do_not_pass_the_gate),
		T(after_the_lock_nothing_injected_passes),
		T(one_spoofed_packet_decides_nothing),
		T(a_row_needs_one_ssrc_and_advancing_numbers),
		T(a_row_may_cross_the_wrap),
		T(keep_alives_of_real_phones_do_not_break_the_row),
		T(the_address_of_the_sdp_passes_the_gate_too),
		T(an_open_gate_lets_any_host_latch_but_no_impossible_one),
		T(dtls_latches_behind_a_gate_only),
		T(opaque_flows_latch_by_count),
		T(rtcp_latches_to_the_host_and_sender_of_its_rtp),
		T(rtcp_from_another_allowed_host_than_rtp_is_refused),
		T(rtcp_without_its_rtp_does_not_latch),
		T(rtp_on_an_rtcp_port_is_refused),
		T(multiplexed_rtcp_is_relayed_and_no_part_of_the_statistics),
		T(only_the_signalled_source_is_expected),
		T(an_expected_source_unknown_or_impossible_admits_nobody),
		T(an_sdp_cannot_aim_media_at_a_victim),
		T(both_sides_latching_meet),
		T(a_trusted_latching_side_is_sent_to_where_it_said_until_it_latches),
		T(an_equal_or_lower_epoch_keeps_the_lock),
		T(a_higher_epoch_unlocks_and_proves_anew),
		T(a_remote_learned_later_is_taken_at_any_epoch_while_unlocked),
		T(another_call_on_the_port_starts_from_nothing),
		T(a_new_partner_is_set_by_the_dataplane),
		T(a_retired_flow_admits_nobody_and_is_sent_nothing),
		T(a_closed_flow_relays_no_media_but_multiplexed_rtcp),
		T(a_closed_flow_latches_and_relays_nothing),
		T(a_closed_flow_is_as_strict_as_an_open_one),
		T(a_closed_flow_proves_its_expected_source),
		T(a_closed_rtcp_flow_relays_nothing),
		T(malformed_media_of_the_right_source_is_refused),
		T(a_locked_source_may_change_its_ssrc),
		T(statistics_are_of_what_was_relayed),
		T(random_datagrams_pass_from_the_locked_source_only),
		T(a_restored_flow_begins_locked_to_its_source),
		T(a_restored_flow_refuses_strangers),
		T(restored_rtcp_is_locked_to_its_own_source),
		T(rtcp_that_had_not_latched_waits_for_its_restored_rtp),
		T(a_higher_epoch_unlocks_a_restored_flow),
		T(a_source_is_for_flows_that_start_from_nothing),
		T(a_source_that_no_host_can_have_locks_nothing),
	};
	return cmocka_run_group_tests_name("media/flow", tests, NULL, NULL);
}
