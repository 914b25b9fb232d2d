/* Media through flows: relayed both ways, latched, and nothing for an attacker. */
#include "tests/dataplane/bed.h"

#include <arpa/inet.h>
#include <string.h>

#include "dataplane/relay.h"

#define CALL       0x100000005u
#define PHONE_RTP  40000u
#define PBX_RTP    12000u
#define OUT_RTP    20000u
#define IN_RTP     30000u
#define PHONE_SSRC 0x11111111u
#define PBX_SSRC   0x22222222u

static struct frame f;
static uint8_t rtp[2048];

/* The outside's phone is behind NAT: latched; the inside's PBX is where it says. */
static struct flow_spec spec(uint32_t port, bool rtcp)
{
	struct flow_spec s = {.realm = (uint16_t)port, .peer_realm = (uint16_t)!port};

	s.port = (uint16_t)((port == OUTSIDE ? OUT_RTP : IN_RTP) + rtcp);
	s.peer_port = (uint16_t)((port == OUTSIDE ? IN_RTP : OUT_RTP) + rtcp);
	s.call = CALL;
	s.leg = (uint8_t)port;
	s.rtcp = rtcp;
	s.clock_rate = 8000;
	s.epoch = 1;
	s.dscp = 46;
	if (port == OUTSIDE) {
		s.remote = (struct net_addr){htonl(0xc0a80132), 4000};
		s.gate_ip = htonl(PHONE);
		s.latch = true;
	} else {
		s.remote = (struct net_addr){htonl(PBX), (uint16_t)(PBX_RTP + rtcp)};
		s.proven = true;
	}
	return s;
}

static void publish(struct bed *b)
{
	for (uint32_t port = 0; port < 2; port++)
		for (int rtcp = 0; rtcp < 2; rtcp++) {
			struct flow_spec s = spec(port, rtcp);

			relay_publish(b->dp->worker[0], &s);
		}
}

static void retire(struct bed *b)
{
	for (uint16_t rtcp = 0; rtcp < 2; rtcp++) {
		relay_retire(b->dp->worker[0], OUTSIDE, 0, (uint16_t)(OUT_RTP + rtcp));
		relay_retire(b->dp->worker[0], INSIDE, 0, (uint16_t)(IN_RTP + rtcp));
	}
	assert_int_equal(b->dp->worker[0]->live_count, 0);
}

static void bed_up(struct bed *b)
{
	bed_init(b, 1);
	bed_open(b, 0);
	bed_learn_all(b);
	publish(b);
}

static void bed_down(struct bed *b)
{
	retire(b);
	bed_close(b);
}

static struct frame_spec from_phone(void)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	s.sport = PHONE_RTP;
	s.dport = OUT_RTP;
	return s;
}

static struct frame_spec from_pbx(void)
{
	struct frame_spec s = bed_spec(INSIDE, PBX, PBX_MAC);

	s.sport = PBX_RTP;
	s.dport = IN_RTP;
	return s;
}

static void send_rtp(struct bed *b, uint32_t port, const struct frame_spec *s, uint32_t ssrc,
		     uint16_t seq, uint32_t n)
{
	uint32_t len = frame_rtp(rtp, ssrc, seq, seq * 160u, n);

	frame_udp(&f, s, rtp, len);
	bed_put(b, port, &f);
	bed_turn(b);
}

static void expect(struct bed *b, uint32_t port, const uint8_t *mac, uint32_t dst, uint16_t dport,
		   uint32_t n)
{
	struct frame_view v = bed_expect(b, port, &f);

	assert_memory_equal(v.to, mac, 6);
	assert_memory_equal(v.from, port == OUTSIDE ? OUT_MAC : IN_MAC, 6);
	assert_int_equal(v.src, port == OUTSIDE ? OUT_IP : IN_IP);
	assert_int_equal(v.sport, port == OUTSIDE ? OUT_RTP : IN_RTP);
	assert_int_equal(v.dst, dst);
	assert_int_equal(v.dport, dport);
	assert_int_equal(v.ttl, 64);
	assert_int_equal(v.tos >> 2, 46);
	assert_int_equal(v.n, 12 + n);
	assert_memory_equal(v.payload, rtp, 12 + n);
}

/* Two packets of the phone latch its flow: the second goes through. */
static void latch(struct bed *b)
{
	struct frame_spec s = from_phone();

	send_rtp(b, OUTSIDE, &s, PHONE_SSRC, 1, 160);
	bed_expect_silence(b);
	send_rtp(b, OUTSIDE, &s, PHONE_SSRC, 2, 160);
	expect(b, INSIDE, PBX_MAC, PBX, PBX_RTP, 160);
}

static void media_is_relayed_both_ways_and_counted(void **state)
{
	static const uint32_t sizes[] = {160, 1, 0, 33, 1460};
	struct frame_spec out = from_phone(), in = from_pbx();
	struct dp_flow_info info[DP_BATCH];
	uint32_t cursor = 0;
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	for (uint16_t i = 0; i < 5; i++) {
		send_rtp(&b, OUTSIDE, &out, PHONE_SSRC, (uint16_t)(3 + i), sizes[i]);
		expect(&b, INSIDE, PBX_MAC, PBX, PBX_RTP, sizes[i]);
		send_rtp(&b, INSIDE, &in, PBX_SSRC, i, sizes[i]);
		expect(&b, OUTSIDE, PHONE_MAC, PHONE, PHONE_RTP, sizes[i]);
	}
	bed_expect_silence(&b);
	assert_int_equal(b.dp->worker[0]->count.relayed, 11);
	assert_int_equal(relay_flows_read(b.dp->worker[0], &cursor, info, DP_BATCH), 4);
	assert_int_equal(info[0].packets, 6);
	assert_int_equal(info[0].bytes, 160 + 160 + 1 + 33 + 1460 + 6 * 12);
	assert_true(info[0].latched && info[0].locked);
	assert_int_equal(info[0].remote.ip, htonl(PHONE));
	assert_int_equal(info[0].remote.port, PHONE_RTP);
	assert_int_equal(info[2].packets, 5);
	bed_down(&b);
}

static void nothing_is_sent_to_one_who_is_not_proven(void **state)
{
	struct frame_spec in = from_pbx();
	struct bed b;

	(void)state;
	bed_up(&b);
	send_rtp(&b, INSIDE, &in, PBX_SSRC, 1, 160);
	bed_assert_count(&b, FLOW_UNPROVEN, 1);
	bed_expect_silence(&b);
	bed_down(&b);
}

static void injected_media_goes_nowhere(void **state)
{
	struct frame_spec s = from_phone(), in = from_pbx();
	struct bed b;

	(void)state;
	bed_up(&b);
	/* Before the latch, from an address that never signalled. */
	s.src = FAR;
	s.from = EVIL_MAC;
	for (uint16_t i = 0; i < 100; i++)
		send_rtp(&b, OUTSIDE, &s, 0x66666666, i, 160);
	bed_assert_count(&b, FLOW_GATE, 100);
	/* From the phone's address, but no row of one sender. */
	s = from_phone();
	send_rtp(&b, OUTSIDE, &s, 1, 1, 160);
	send_rtp(&b, OUTSIDE, &s, 2, 2, 160);
	s.sport++;
	send_rtp(&b, OUTSIDE, &s, 2, 3, 160);
	bed_assert_count(&b, FLOW_SSRC, 3);
	bed_expect_silence(&b);
	latch(&b);
	/* After it, from another port and another address, with the right SSRC even. */
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 160);
	s.src = FAR;
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 4, 160);
	bed_assert_count(&b, FLOW_SOURCE, 2);
	bed_expect_silence(&b);
	/* And what the PBX says goes to the phone alone. */
	for (uint16_t i = 0; i < 10; i++) {
		send_rtp(&b, INSIDE, &in, PBX_SSRC, i, 160);
		expect(&b, OUTSIDE, PHONE_MAC, PHONE, PHONE_RTP, 160);
	}
	bed_expect_silence(&b);
	bed_down(&b);
}

static void what_is_not_media_is_dropped(void **state)
{
	struct frame_spec s = from_phone();
	static const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	struct bed b;

	(void)state;
	bed_up(&b);
	frame_udp(&f, &s, "", 0);
	bed_put(&b, OUTSIDE, &f);
	frame_udp(&f, &s, stun, sizeof(stun));
	bed_put(&b, OUTSIDE, &f);
	frame_udp(&f, &s, "INVITE sip:a", 12);
	bed_put(&b, OUTSIDE, &f);
	frame_udp(&f, &s, "\x80\x08\x00", 3);
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, FLOW_EMPTY, 1);
	bed_assert_count(&b, FLOW_STUN, 1);
	bed_assert_count(&b, FLOW_BAD, 2);
	s.dport = OUT_RTP + 10;
	send_rtp(&b, OUTSIDE, &s, 1, 1, 8);
	bed_assert_count(&b, FLOW_NONE, 1);
	bed_expect_silence(&b);
	bed_down(&b);
}

static void held_media_is_dropped(void **state)
{
	struct flow_spec hold = spec(OUTSIDE, false);
	struct frame_spec s = from_phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	hold.closed = true;
	relay_publish(b.dp->worker[0], &hold);
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 160);
	bed_assert_count(&b, FLOW_HELD, 1);
	bed_expect_silence(&b);
	hold.closed = false;
	relay_publish(b.dp->worker[0], &hold);
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 4, 160);
	expect(&b, INSIDE, PBX_MAC, PBX, PBX_RTP, 160);
	bed_down(&b);
}

/* A phone that is only to listen hears what is said once its packets have come. */
static void held_phone_is_known_by_what_it_may_not_send(void **state)
{
	struct flow_spec hold = spec(OUTSIDE, false);
	struct frame_spec s = from_phone(), in = from_pbx();
	struct bed b;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn_all(&b);
	publish(&b);
	hold.closed = true;
	relay_publish(b.dp->worker[0], &hold);
	send_rtp(&b, INSIDE, &in, PBX_SSRC, 1, 160);
	bed_assert_count(&b, FLOW_UNPROVEN, 1);
	for (uint16_t i = 1; i <= 4; i++)
		send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, i, 160);
	bed_expect_silence(&b);
	bed_assert_count(&b, FLOW_SSRC, 1);
	bed_assert_count(&b, FLOW_HELD, 3);
	assert_int_equal(b.dp->worker[0]->count.relayed, 0);
	send_rtp(&b, INSIDE, &in, PBX_SSRC, 2, 160);
	expect(&b, OUTSIDE, PHONE_MAC, PHONE, PHONE_RTP, 160);
	bed_down(&b);
}

static void sender_without_checksum_stays_without(void **state)
{
	struct frame_spec s = from_phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	s.no_checksum = true;
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 160);
	assert_true(bed_expect(&b, INSIDE, &f).no_checksum);
	bed_down(&b);
}

/* As a kernel leaves it for a device to finish: only the pseudo header's sum. */
static void checksum_left_to_a_device_is_finished(void **state)
{
	struct frame_spec s = from_phone();
	uint8_t pseudo[12] = {0xcb, 0, 0x71, 0x32, 0xcb, 0, 0x71, 1, 0, 17, 0, 180};
	uint16_t sum = frame_sum(pseudo, sizeof(pseudo));
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	frame_udp(&f, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 3, 480, 160));
	f.b[40] = (uint8_t)(sum >> 8);
	f.b[41] = (uint8_t)sum;
	b.dp->device[0].partial_checksums = true;
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	expect(&b, INSIDE, PBX_MAC, PBX, PBX_RTP, 160);
	bed_down(&b);
}

/* The stream of a locked flow is changed by a delta: its far end finds out, as behind a NAT. */
static void a_wrong_checksum_of_the_stream_stays_wrong(void **state)
{
	struct frame_spec s = from_phone();
	struct frame_view v;
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	for (uint32_t bit = 0; bit < 16 * 8; bit++) {
		uint32_t n = frame_rtp(rtp, PHONE_SSRC, (uint16_t)(3 + bit), 480, 20);

		frame_udp(&f, &s, rtp, n);
		/* In the checksum, or in the payload. */
		f.b[bit < 16 ? 40 + bit / 8 : 54 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		memcpy(rtp, f.b + 42, n);
		bed_put(&b, OUTSIDE, &f);
		bed_turn(&b);
		assert_true(bed_take(&b, INSIDE, &f));
		v = frame_read(&f);
		assert_false(v.ok);
		assert_int_equal(v.dst, PBX);
		assert_int_equal(v.dport, PBX_RTP);
		assert_memory_equal(f.b + 42, rtp, n);
		assert_int_equal(frame_sum(f.b + 14, 20), 0xffff);
	}
	bed_assert_count(&b, UDP_CHECKSUM, 0);
	assert_int_equal(b.dp->worker[0]->count.relayed, 1 + 128);
	bed_down(&b);
}

/* Sends a payload of the phone's with a wrong checksum; it is the `count`th that is dropped. */
static void wrong(struct bed *b, const struct frame_spec *s, const void *payload, uint32_t n,
		  uint32_t count)
{
	frame_udp(&f, s, payload, n);
	f.b[41] ^= 1;
	bed_put(b, s->to == OUT_MAC ? OUTSIDE : INSIDE, &f);
	bed_turn(b);
	bed_assert_count(b, UDP_CHECKSUM, count);
	bed_expect_silence(b);
}

static void what_decides_anything_must_have_a_right_checksum(void **state)
{
	static const uint8_t report[8] = {0x80, 201, 0, 1, 0x11, 0x11, 0x11, 0x11};
	static const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
	struct frame_spec s = from_phone(), c = from_phone();
	struct flow_spec held = spec(OUTSIDE, false);
	struct bed b;

	(void)state;
	bed_up(&b);
	/* No source is learned from it: the second right one latches. */
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 1, 160, 20), 1);
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 2, 320, 20), 2);
	latch(&b);
	/* RTCP, on its own port and on this; keep-alives; another sender; a jump; a step back. */
	c.sport = PHONE_RTP + 1;
	c.dport = OUT_RTP + 1;
	wrong(&b, &c, report, sizeof(report), 3);
	wrong(&b, &s, report, sizeof(report), 4);
	wrong(&b, &s, stun, sizeof(stun), 5);
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC + 1, 3, 480, 20), 6);
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 9000, 480, 20), 7);
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 2, 480, 20), 8);
	/* Another source, and a flow that is held. */
	s.sport = PHONE_RTP + 2;
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 3, 480, 20), 9);
	s.sport = PHONE_RTP;
	held.closed = true;
	relay_publish(b.dp->worker[0], &held);
	wrong(&b, &s, rtp, frame_rtp(rtp, PHONE_SSRC, 3, 480, 20), 10);
	bed_assert_count(&b, FLOW_HELD, 0);
	bed_assert_count(&b, FLOW_STUN, 0);
	bed_assert_count(&b, FLOW_SOURCE, 0);
	bed_down(&b);
}

static void options_do_not_go_on(void **state)
{
	struct frame_spec s = from_phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	s.options = 12;
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 160);
	expect(&b, INSIDE, PBX_MAC, PBX, PBX_RTP, 160);
	assert_int_equal(f.b[14], 0x45);
	bed_down(&b);
}

static void relayed_into_a_vlan_gets_its_tag(void **state)
{
	struct frame_spec s = from_phone();
	struct frame_view v;
	struct bed b;

	(void)state;
	bed_init(&b, 1);
	b.conf.port[INSIDE].vlan = 7;
	bed_open(&b, 0);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	frame_arp(&f,
		  &(struct frame_spec){.to = (const uint8_t[6]){255, 255, 255, 255, 255, 255},
				       .from = PBX_MAC,
				       .vlan = 7},
		  1, PBX_MAC, PBX, IN_IP);
	bed_put(&b, INSIDE, &f);
	bed_turn(&b);
	bed_drain(&b);
	publish(&b);
	for (uint16_t i = 1; i <= 3; i++)
		send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, i, 160);
	v = bed_expect(&b, INSIDE, &f);
	assert_int_equal(v.vlan, 7);
	assert_int_equal(v.dst, PBX);
	assert_int_equal(v.payload[3], 2);
	assert_int_equal(v.n, 172);
	bed_drain(&b);
	bed_down(&b);
}

static void datagram_in_pieces_is_relayed_in_pieces(void **state)
{
	static const uint8_t udp[8] = {0x9c, 0x40, 0x4e, 0x20, 0x0b, 0xb8, 0, 0};
	static uint8_t big[3000];
	struct frame_spec s = from_phone();
	struct frame_view v;
	uint32_t at;
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	s.no_checksum = true;
	s.id = 99;
	s.frag = 0x2000;
	memcpy(big, udp, sizeof(udp));
	frame_rtp(big + 8, PHONE_SSRC, 3, 480, sizeof(big) - 8 - 12);
	frame_ip(&f, &s, big, 1480);
	bed_put(&b, OUTSIDE, &f);
	s.frag = 0x2000 | 185;
	frame_ip(&f, &s, big + 1480, 1480);
	bed_put(&b, OUTSIDE, &f);
	s.frag = 370;
	frame_ip(&f, &s, big + 2960, 40);
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	for (at = 0; at < sizeof(big); at += v.n) {
		v = bed_expect(&b, INSIDE, &f);
		assert_int_equal(v.dst, PBX);
		assert_int_equal((v.frag & 0x1fff) * 8, at);
		assert_memory_equal(v.payload + (at ? 0 : 8), big + at + (at ? 0 : 8),
				    v.n - (at ? 0 : 8));
	}
	assert_int_equal(at, sizeof(big));
	bed_expect_silence(&b);
	bed_down(&b);
}

static void smaller_mtu_cuts(void **state)
{
	struct frame_spec s = from_phone();
	struct bed b;

	(void)state;
	bed_init(&b, 1);
	b.conf.port[INSIDE].mtu = 576;
	bed_open(&b, 0);
	bed_learn_all(&b);
	publish(&b);
	latch(&b);
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 1000);
	assert_int_equal(bed_expect(&b, INSIDE, &f).n, 552);
	assert_int_equal(bed_expect(&b, INSIDE, &f).n, 8 + 12 + 1000 - 552);
	bed_expect_silence(&b);
	bed_down(&b);
}

static void next_hop_that_moves_is_followed(void **state)
{
	struct frame_spec s = from_phone();
	struct frame_spec arp = {.to = IN_MAC, .from = GW_MAC};
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	bed_elapse(&b, 1100);
	/* The PBX's address is announced from elsewhere; the old one answers no more. */
	frame_arp(&f, &arp, 1, GW_MAC, PBX, PBX);
	bed_put(&b, INSIDE, &f);
	bed_elapse(&b, 4000);
	frame_arp(&f, &arp, 2, GW_MAC, PBX, IN_IP);
	bed_put(&b, INSIDE, &f);
	bed_elapse(&b, 1100);
	bed_drain(&b);
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 160);
	expect(&b, INSIDE, GW_MAC, PBX, PBX_RTP, 160);
	bed_down(&b);
}

static void media_waits_for_its_next_hop(void **state)
{
	struct frame_spec s = from_phone();
	struct bed b;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	publish(&b);
	for (uint16_t i = 1; i <= 4; i++)
		send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, i, 160);
	assert_int_equal(bed_expect(&b, INSIDE, &f).op, 1);
	bed_expect_silence(&b);
	frame_arp(&f, &(struct frame_spec){.to = IN_MAC, .from = PBX_MAC}, 2, PBX_MAC, PBX, IN_IP);
	bed_put(&b, INSIDE, &f);
	bed_elapse(&b, 1);
	for (uint16_t i = 2; i <= 4; i++)
		assert_int_equal(bed_expect(&b, INSIDE, &f).payload[3], i);
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 5, 160);
	expect(&b, INSIDE, PBX_MAC, PBX, PBX_RTP, 160);
	bed_down(&b);
}

static void rtcp_follows_its_rtp(void **state)
{
	static const uint8_t report[28] = {0x80, 200, 0, 6, 0x11, 0x11, 0x11, 0x11};
	struct frame_spec s = from_phone();
	struct frame_view v;
	struct bed b;

	(void)state;
	bed_up(&b);
	s.dport++;
	s.sport++;
	frame_udp(&f, &s, report, sizeof(report));
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_expect_silence(&b);
	latch(&b);
	frame_udp(&f, &s, report, sizeof(report));
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	v = bed_expect(&b, INSIDE, &f);
	assert_int_equal(v.sport, IN_RTP + 1);
	assert_int_equal(v.dport, PBX_RTP + 1);
	assert_int_equal(v.n, sizeof(report));
	bed_down(&b);
}

static void retired_flow_takes_nothing(void **state)
{
	struct frame_spec s = from_phone(), in = from_pbx();
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	relay_retire(b.dp->worker[0], INSIDE, 0, IN_RTP);
	send_rtp(&b, INSIDE, &in, PBX_SSRC, 1, 160);
	bed_assert_count(&b, FLOW_NONE, 1);
	send_rtp(&b, OUTSIDE, &s, PHONE_SSRC, 3, 160);
	bed_assert_count(&b, FLOW_UNPROVEN, 1);
	bed_expect_silence(&b);
	relay_retire(b.dp->worker[0], INSIDE, 0, IN_RTP);
	relay_retire(b.dp->worker[0], INSIDE, 0, 1);
	relay_retire(b.dp->worker[0], SNAPSHOT_MAX_REALMS, 0, IN_RTP);
	bed_down(&b);
}

/* A second call on other ports knows nothing of the first. */
static void partner_that_changes_leaves_no_way_back(void **state)
{
	struct flow_spec moved = spec(OUTSIDE, false);
	struct frame_spec in = from_pbx();
	struct bed b;

	(void)state;
	bed_up(&b);
	latch(&b);
	moved.peer_port = IN_RTP + 20;
	relay_publish(b.dp->worker[0], &moved);
	send_rtp(&b, INSIDE, &in, PBX_SSRC, 1, 160);
	bed_assert_count(&b, FLOW_UNPROVEN, 1);
	bed_expect_silence(&b);
	bed_down(&b);
}

static uint16_t silences(struct bed *b, uint64_t ms)
{
	uint16_t n = 0;

	for (uint64_t i = 0; i < ms; i++) {
		struct worker *w = b->dp->worker[0];

		w->now = ++b->now;
		relay_scan(w, 1);
		for (uint16_t k = 0; k < w->media_events; k++)
			n += w->media_event[k].type == ENGINE_MEDIA_SILENT &&
			     w->media_event[k].call == CALL;
		w->media_events = 0;
	}
	return n;
}

static void silent_call_is_told_once(void **state)
{
	struct flow_spec s[2];
	struct frame_spec in = from_pbx();
	struct bed b;

	(void)state;
	bed_up(&b);
	b.snapshot.realm[OUTSIDE].media_timeout_s = 30;
	b.snapshot.realm[INSIDE].media_timeout_s = 20;
	assert_int_equal(silences(&b, 19000), 0);
	assert_int_equal(silences(&b, 5000), 1);
	assert_int_equal(silences(&b, 60000), 0);
	/* One direction is enough to be alive; then it is told anew. */
	bed_turn(&b);
	bed_drain(&b);
	latch(&b);
	for (uint16_t i = 0; i < 10; i++) {
		send_rtp(&b, INSIDE, &in, PBX_SSRC, i, 160);
		assert_int_equal(silences(&b, 15000), 0);
	}
	assert_int_equal(silences(&b, 30000), 1);
	/* Held both ways it may be silent for ever. */
	for (uint32_t p = 0; p < 2; p++) {
		s[p] = spec(p, false);
		s[p].closed = true;
		relay_publish(b.dp->worker[0], &s[p]);
	}
	assert_int_equal(silences(&b, 60000), 0);
	/* The hosts have been silent too: what waits for them is given up. */
	bed_elapse(&b, 6000);
	bed_drain(&b);
	bed_down(&b);
}

static void many_flows_keep_apart(void **state)
{
	struct frame_spec in = from_pbx();
	struct bed b;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn_all(&b);
	for (uint16_t i = 0; i < 100; i++)
		for (uint32_t p = 0; p < 2; p++) {
			struct flow_spec s = spec(p, false);

			s.port = (uint16_t)(s.port + 2 * i);
			s.peer_port = (uint16_t)(s.peer_port + 2 * i);
			s.remote = (struct net_addr){htonl(p == OUTSIDE ? PHONE : PBX),
						     (uint16_t)(5000 + 2 * i)};
			s.latch = false;
			s.proven = true;
			relay_publish(b.dp->worker[0], &s);
		}
	for (uint16_t i = 0; i < 100; i++) {
		in.sport = (uint16_t)(5000 + 2 * i);
		in.dport = (uint16_t)(IN_RTP + 2 * i);
		frame_udp(&f, &in, rtp, frame_rtp(rtp, i, 1, 1, 20));
		bed_put(&b, INSIDE, &f);
	}
	bed_turn(&b);
	for (uint16_t i = 0; i < 100; i++) {
		struct frame_view v = bed_expect(&b, OUTSIDE, &f);

		assert_int_equal(v.dport - 5000, v.sport - OUT_RTP);
		assert_int_equal(v.payload[11], (v.dport - 5000) / 2);
	}
	for (uint16_t i = 0; i < 100; i++) {
		relay_retire(b.dp->worker[0], OUTSIDE, 0, (uint16_t)(OUT_RTP + 2 * i));
		relay_retire(b.dp->worker[0], INSIDE, 0, (uint16_t)(IN_RTP + 2 * (99 - i)));
	}
	assert_int_equal(b.dp->worker[0]->live_count, 0);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(media_is_relayed_both_ways_and_counted),
		cmocka_unit_test(nothing_is_sent_to_one_who_is_not_proven),
		cmocka_unit_test(injected_media_goes_nowhere),
		cmocka_unit_test(what_is_not_media_is_dropped),
		cmocka_unit_test(held_media_is_dropped),
		cmocka_unit_test(held_phone_is_known_by_what_it_may_not_send),
		cmocka_unit_test(sender_without_checksum_stays_without),
		cmocka_unit_test(checksum_left_to_a_device_is_finished),
		cmocka_unit_test(a_wrong_checksum_of_the_stream_stays_wrong),
		cmocka_unit_test(what_decides_anything_must_have_a_right_checksum),
		cmocka_unit_test(options_do_not_go_on),
		cmocka_unit_test(relayed_into_a_vlan_gets_its_tag),
		cmocka_unit_test(datagram_in_pieces_is_relayed_in_pieces),
		cmocka_unit_test(smaller_mtu_cuts),
		cmocka_unit_test(next_hop_that_moves_is_followed),
		cmocka_unit_test(media_waits_for_its_next_hop),
		cmocka_unit_test(rtcp_follows_its_rtp),
		cmocka_unit_test(retired_flow_takes_nothing),
		cmocka_unit_test(partner_that_changes_leaves_no_way_back),
		cmocka_unit_test(silent_call_is_told_once),
		cmocka_unit_test(many_flows_keep_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
