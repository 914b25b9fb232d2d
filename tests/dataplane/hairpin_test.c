/*
 * Two phones of one border whose calls meet on our own address: each call's flow
 * inside sends to the other's port there. Media goes from phone to phone, and
 * nothing of the way between is ever seen on a wire.
 */
#include "tests/dataplane/bed.h"

#include <arpa/inet.h>
#include <string.h>

#include "dataplane/output.h"
#include "dataplane/relay.h"

#define CALLEE      0xcb007133u /* 203.0.113.51 */
#define CALLER_RTP  40000u
#define CALLEE_RTP  41000u
#define CALLER_SSRC 0x11111111u
#define CALLEE_SSRC 0x33333333u

/* Our ports: outside and inside for each of the two calls. */
struct ports {
	uint16_t out[2], in[2];
	uint16_t worker[2]; /* whose the calls are */
};

static const struct ports same = {{20000, 20010}, {30000, 30010}, {0, 0}};
/* The second worker has the upper halves. */
static const struct ports apart = {{20000, 20110}, {30000, 30110}, {0, 1}};

static const uint8_t CALLEE_MAC[6] = {2, 0, 0, 0, 0, 0x33};
static struct frame f;
static uint8_t rtp[4096];

static struct flow_spec outside(const struct ports *p, uint32_t call, bool rtcp)
{
	return (struct flow_spec){.realm = OUTSIDE,
				  .port = (uint16_t)(p->out[call] + rtcp),
				  .peer_realm = INSIDE,
				  .peer_port = (uint16_t)(p->in[call] + rtcp),
				  .gate_ip = htonl(call ? CALLEE : PHONE),
				  .latch = true,
				  .rtcp = rtcp,
				  .epoch = 1,
				  .leg = (uint8_t)call,
				  .call = 1 + call};
}

/* The trusted side said where: at the other call's port, on our own address. */
static struct flow_spec inside(const struct ports *p, uint32_t call, bool rtcp)
{
	return (struct flow_spec){.realm = INSIDE,
				  .port = (uint16_t)(p->in[call] + rtcp),
				  .peer_realm = OUTSIDE,
				  .peer_port = (uint16_t)(p->out[call] + rtcp),
				  .remote = {htonl(IN_IP), (uint16_t)(p->in[!call] + rtcp)},
				  .proven = true,
				  .rtcp = rtcp,
				  .epoch = 1,
				  .leg = (uint8_t)!call,
				  .call = 1 + call};
}

static void bed_up(struct bed *b, const struct ports *p, uint16_t workers)
{
	bed_init(b, workers);
	bed_open(b, 0);
	bed_learn_all(b);
	bed_learn(b, OUTSIDE, CALLEE, CALLEE_MAC);
	for (uint32_t call = 0; call < 2; call++)
		for (int rtcp = 0; rtcp < 2; rtcp++) {
			struct flow_spec o = outside(p, call, rtcp), i = inside(p, call, rtcp);

			relay_publish(b->dp->worker[p->worker[call]], &o);
			relay_publish(b->dp->worker[p->worker[call]], &i);
		}
}

static void bed_down(struct bed *b, const struct ports *p)
{
	for (uint32_t call = 0; call < 2; call++)
		for (uint16_t rtcp = 0; rtcp < 2; rtcp++) {
			struct worker *w = b->dp->worker[p->worker[call]];

			relay_retire(w, OUTSIDE, 0, (uint16_t)(p->out[call] + rtcp));
			relay_retire(w, INSIDE, 0, (uint16_t)(p->in[call] + rtcp));
		}
	for (uint16_t i = 0; i < b->dp->workers; i++)
		assert_int_equal(b->dp->worker[i]->live_count, 0);
	bed_close(b);
}

static struct frame_spec from(const struct ports *p, uint32_t call)
{
	struct frame_spec s =
		bed_spec(OUTSIDE, call ? CALLEE : PHONE, call ? CALLEE_MAC : PHONE_MAC);

	s.sport = call ? CALLEE_RTP : CALLER_RTP;
	s.dport = p->out[call];
	return s;
}

static void say(struct bed *b, const struct frame_spec *s, uint32_t call, uint16_t seq, uint32_t n)
{
	uint32_t ssrc = call ? CALLEE_SSRC : CALLER_SSRC;

	frame_udp(&f, s, rtp, frame_rtp(rtp, ssrc, seq, seq * 160u, n));
	bed_put(b, OUTSIDE, &f);
	bed_turn(b);
}

/* What the phone of `call` hears is what the other said last; bed_expect() sums it up. */
static void hears(struct bed *b, const struct ports *p, uint32_t call, uint32_t n)
{
	struct frame_view v = bed_expect(b, OUTSIDE, &f);

	assert_memory_equal(v.to, call ? CALLEE_MAC : PHONE_MAC, 6);
	assert_int_equal(v.src, OUT_IP);
	assert_int_equal(v.sport, p->out[call]);
	assert_int_equal(v.dst, call ? CALLEE : PHONE);
	assert_int_equal(v.dport, call ? CALLEE_RTP : CALLER_RTP);
	assert_int_equal(v.ttl, 64);
	assert_int_equal(v.n, 12 + n);
	assert_memory_equal(v.payload, rtp, 12 + n);
	bed_expect_silence(b);
}

/* Both phones speak twice: then each may be sent to. */
static void latch(struct bed *b, const struct ports *p)
{
	struct frame_spec caller = from(p, 0), callee = from(p, 1);

	say(b, &caller, 0, 1, 160);
	say(b, &caller, 0, 2, 160);
	bed_expect_silence(b);
	bed_assert_count(b, FLOW_UNPROVEN, 1);
	say(b, &callee, 1, 1, 160);
	bed_expect_silence(b);
	say(b, &callee, 1, 2, 160);
	hears(b, p, 0, 160);
}

static void talk_both_ways(const struct ports *p, uint16_t workers)
{
	static const uint32_t sizes[] = {160, 1, 0, 33, 1460};
	struct frame_spec caller = from(p, 0), callee = from(p, 1);
	struct bed b;

	bed_up(&b, p, workers);
	latch(&b, p);
	for (uint16_t i = 0; i < 5; i++) {
		say(&b, &caller, 0, (uint16_t)(3 + i), sizes[i]);
		hears(&b, p, 1, sizes[i]);
		say(&b, &callee, 1, (uint16_t)(3 + i), sizes[i]);
		hears(&b, p, 0, sizes[i]);
	}
	caller.no_checksum = true;
	say(&b, &caller, 0, 20, 160);
	hears(&b, p, 1, 160);
	bed_assert_count(&b, RELAY_LOOP, 0);
	bed_assert_count(&b, NO_ROUTE, 0);
	bed_down(&b, p);
}

static void phones_of_one_border_hear_each_other(void **state)
{
	(void)state;
	talk_both_ways(&same, 1);
}

static void calls_of_two_workers_are_handed_over(void **state)
{
	(void)state;
	talk_both_ways(&apart, 2);
}

static void rtcp_turns_round_as_well(void **state)
{
	static const uint8_t report[28] = {0x80, 200, 0, 6, 0x11, 0x11, 0x11, 0x11};
	static const uint8_t answer[28] = {0x80, 200, 0, 6, 0x33, 0x33, 0x33, 0x33};
	struct frame_spec caller = from(&same, 0), callee = from(&same, 1);
	struct frame_view v;
	struct bed b;

	(void)state;
	bed_up(&b, &same, 1);
	latch(&b, &same);
	/* The callee has not heard the caller yet: its RTP must have come through first. */
	say(&b, &caller, 0, 3, 160);
	hears(&b, &same, 1, 160);
	caller.sport++;
	caller.dport++;
	callee.sport++;
	callee.dport++;
	frame_udp(&f, &callee, answer, sizeof(answer));
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_expect_silence(&b);
	frame_udp(&f, &caller, report, sizeof(report));
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.dst, CALLEE);
	assert_int_equal(v.dport, CALLEE_RTP + 1);
	assert_memory_equal(v.payload, report, sizeof(report));
	bed_down(&b, &same);
}

/* Reassembled, turned round between workers, and cut again. */
static void datagram_in_pieces_comes_through(void **state)
{
	struct frame_spec s = from(&apart, 0);
	struct frame_view v;
	uint32_t at;
	struct bed b;

	(void)state;
	bed_up(&b, &apart, 2);
	latch(&b, &apart);
	s.no_checksum = true;
	s.id = 99;
	memcpy(rtp, "\x9c\x40\x4e\x20\x0b\xb8\x00\x00", 8);
	frame_rtp(rtp + 8, CALLER_SSRC, 3, 480, 3000 - 8 - 12);
	for (at = 0; at < 3000; at += 1480) {
		s.frag = (uint16_t)((at + 1480 < 3000 ? 0x2000 : 0) | at / 8);
		frame_ip(&f, &s, rtp + at, at + 1480 < 3000 ? 1480 : 3000 - at);
		bed_put(&b, OUTSIDE, &f);
	}
	bed_turn(&b);
	for (at = 0; at < 3000; at += v.n) {
		v = bed_expect(&b, OUTSIDE, &f);
		assert_int_equal(v.dst, CALLEE);
		assert_int_equal(v.src, OUT_IP);
		assert_int_equal((v.frag & 0x1fff) * 8, at);
		assert_memory_equal(v.payload + (at ? 0 : 8), rtp + at + (at ? 0 : 8),
				    v.n - (at ? 0 : 8));
	}
	assert_int_equal(at, 3000);
	bed_expect_silence(&b);
	bed_down(&b, &apart);
}

/* From the wire, our own address is nobody's, on either side. */
static void stranger_cannot_pass_for_the_other_call(void **state)
{
	struct frame_spec s = bed_spec(INSIDE, IN_IP, EVIL_MAC);
	struct bed b;

	(void)state;
	bed_up(&b, &same, 1);
	latch(&b, &same);
	s.sport = same.in[1];
	s.dport = same.in[0];
	frame_udp(&f, &s, rtp, frame_rtp(rtp, CALLEE_SSRC, 3, 480, 160));
	bed_put(&b, INSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, IP_SOURCE, 1);
	s.src = PBX;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, CALLEE_SSRC, 3, 480, 160));
	bed_put(&b, INSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, FLOW_SOURCE, 1);
	bed_expect_silence(&b);
	bed_down(&b, &same);
}

/* The other call is gone: its port is nobody's, and nobody is asked for our address. */
static void call_that_is_gone_takes_nothing(void **state)
{
	struct frame_spec s = from(&same, 0);
	struct bed b;

	(void)state;
	bed_up(&b, &same, 1);
	latch(&b, &same);
	relay_retire(b.dp->worker[0], INSIDE, 0, same.in[1]);
	say(&b, &s, 0, 3, 160);
	bed_assert_count(&b, FLOW_NONE, 1);
	bed_elapse(&b, 3000);
	bed_expect_silence(&b);
	relay_publish(b.dp->worker[0], &(struct flow_spec){.realm = INSIDE, .port = same.in[1]});
	bed_down(&b, &same);
}

/* Neither SIP nor media may be sent to a port of ours that no flow has. */
static void nothing_else_goes_to_our_own_addresses(void **state)
{
	struct flow_spec to_sip = inside(&same, 0, false);
	struct frame_spec s = from(&same, 0);
	struct bed b;

	(void)state;
	bed_up(&b, &same, 1);
	output_udp(b.dp->worker[0], OUTSIDE, (struct net_addr){htonl(OUT_IP), SIP},
		   (struct net_addr){htonl(OUT_IP), SIP}, 0, SLICE_LIT("OPTIONS"));
	bed_assert_count(&b, NO_ROUTE, 1);
	to_sip.remote = (struct net_addr){htonl(IN_IP), SIP};
	to_sip.epoch++;
	relay_publish(b.dp->worker[0], &to_sip);
	say(&b, &s, 0, 1, 160);
	say(&b, &s, 0, 2, 160);
	bed_assert_count(&b, NO_ROUTE, 2);
	bed_elapse(&b, 3000);
	bed_expect_silence(&b);
	bed_down(&b, &same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones_of_one_border_hear_each_other),
		cmocka_unit_test(calls_of_two_workers_are_handed_over),
		cmocka_unit_test(rtcp_turns_round_as_well),
		cmocka_unit_test(datagram_in_pieces_comes_through),
		cmocka_unit_test(stranger_cannot_pass_for_the_other_call),
		cmocka_unit_test(call_that_is_gone_takes_nothing),
		cmocka_unit_test(nothing_else_goes_to_our_own_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
