/*
 * Groups of addresses that nodes take over from one another: what is not ours now
 * takes nothing, answers nothing and sends nothing, whatever the process slept
 * through; what becomes ours is announced.
 *
 * Each port has an address of its own, of no group, and one of each of two groups.
 */
#include "tests/dataplane/talk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/arp.h"
#include "dataplane/flows.h"
#include "dataplane/group.h"

#define OUT_OWN  0xcb007109u /* 203.0.113.9 */
#define IN_OWN   0x0a000009u
#define OUT_TWO  0xcb007102u /* group 1's */
#define IN_TWO   0x0a000002u
#define NEWCOMER 0xcb007137u /* 203.0.113.55, not known */
#define LEASE    300u

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t none[6];
static const uint8_t NODE2_MAC[6] = {2, 0, 0, 0, 9, 2}, NODE3_MAC[6] = {2, 0, 0, 0, 9, 3};

static struct frame f;
static uint8_t rtp[512];

static void realm_two(struct bed *b, uint16_t port, uint32_t ip)
{
	struct snapshot *s = &b->snapshot;
	uint16_t i = s->realms++;

	s->realm[i] = s->realm[port];
	snprintf(s->realm[i].name, sizeof(s->realm[i].name), "realm%u@g2", port);
	s->realm[i].group = 1;
	s->realm[i].media_ip = htonl(ip);
	s->listener[s->listeners++] = (struct snapshot_listener){i, {htonl(ip), SIP}};
	b->conf.realm_port[i] = port;
}

static void groups_init(struct bed *b, uint16_t workers)
{
	bed_init(b, workers);
	b->conf.groups_held = true;
	b->conf.port[OUTSIDE].ip = htonl(OUT_OWN);
	b->conf.port[INSIDE].ip = htonl(IN_OWN);
	b->snapshot.groups = 2;
	realm_two(b, OUTSIDE, OUT_TWO);
	realm_two(b, INSIDE, IN_TWO);
}

/* Group 0 is ours for a lease, 1 is not; its neighbours are known. */
static void bed_up(struct bed *b, uint16_t workers)
{
	groups_init(b, workers);
	bed_open(b, 0);
	dp_group_until(b->dp, 0, b->now + LEASE);
	bed_learn_all(b);
}

static void arp(struct bed *b, uint32_t port, uint16_t op, const uint8_t *to, const uint8_t *sha,
		uint32_t sip, uint32_t tip)
{
	struct frame_spec s = {.to = to, .from = sha};

	frame_arp(&f, &s, op, sha, sip, tip);
	bed_put(b, port, &f);
	bed_turn(b);
}

static void who_has(struct bed *b, uint32_t ip)
{
	arp(b, OUTSIDE, 1, everyone, PHONE_MAC, PHONE, ip);
}

static void ping_put(struct bed *b, uint32_t src, const uint8_t *mac, uint32_t dst)
{
	struct frame_spec s = bed_spec(OUTSIDE, src, mac);

	s.dst = dst;
	frame_icmp_echo(&f, &s, 1, 8);
	bed_put(b, OUTSIDE, &f);
}

static void ping(struct bed *b, uint32_t dst)
{
	ping_put(b, PHONE, PHONE_MAC, dst);
	bed_turn(b);
}

static void expect_pong(struct bed *b, uint32_t from)
{
	struct frame_view v = bed_expect(b, OUTSIDE, &f);

	assert_int_equal(v.proto, 1);
	assert_int_equal(v.src, from);
	assert_memory_equal(v.to, PHONE_MAC, 6);
	bed_expect_silence(b);
}

/* ---- not ours ---- */

static void nothing_is_taken_or_answered_before_its_time(void **state)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	struct bed b;

	(void)state;
	groups_init(&b, 1);
	bed_open(&b, 0);
	assert_false(dp_group_is_active(b.dp, 0));
	arp_announce_all(b.dp->worker[0]);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).tip, OUT_OWN);
	assert_int_equal(bed_expect(&b, INSIDE, &f).tip, IN_OWN);
	bed_expect_silence(&b);
	who_has(&b, OUT_IP);
	ping(&b, OUT_IP);
	frame_udp(&f, &s, "OPTIONS", 7);
	bed_put(&b, OUTSIDE, &f);
	s.dport = 20000;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 1, 1, 1, 20));
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 4);
	/* The port itself is there. */
	who_has(&b, OUT_OWN);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).sip, OUT_OWN);
	ping(&b, OUT_OWN);
	expect_pong(&b, OUT_OWN);
	bed_assert_count(&b, GROUP_PASSIVE, 4);
	bed_close(&b);
}

static void it_is_ours_until_its_time_and_longer_when_renewed(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	assert_true(dp_group_is_active(b.dp, 0));
	assert_false(dp_group_is_active(b.dp, 1));
	assert_false(dp_group_is_active(b.dp, 99));
	ping(&b, OUT_IP);
	expect_pong(&b, OUT_IP);
	ping(&b, OUT_TWO);
	bed_expect_silence(&b);
	bed_elapse(&b, LEASE - 10);
	dp_group_until(b.dp, 0, b.now + LEASE);
	bed_elapse(&b, LEASE - 10);
	ping(&b, OUT_IP);
	expect_pong(&b, OUT_IP);
	bed_elapse(&b, 10);
	assert_false(dp_group_is_active(b.dp, 0));
	ping(&b, OUT_IP);
	who_has(&b, OUT_IP);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void without_groups_held_all_is_ours_for_good(void **state)
{
	struct bed b;

	(void)state;
	groups_init(&b, 1);
	b.conf.groups_held = false;
	bed_open(&b, 0);
	bed_learn_all(&b);
	dp_group_until(b.dp, 0, 0);
	assert_true(dp_group_is_active(b.dp, 0));
	ping(&b, OUT_IP);
	expect_pong(&b, OUT_IP);
	ping(&b, OUT_TWO);
	expect_pong(&b, OUT_TWO);
	bed_close(&b);
}

/* The engine goes on repeating its INVITE; none of it leaves. */
static void sip_does_not_leave_from_a_lost_address(void **state)
{
	struct bed b;
	struct talk t;

	(void)state;
	bed_up(&b, 1);
	talk_init(&t, 1);
	talk_invite(&b, &t);
	bed_expect_silence(&b);
	dp_group_until(b.dp, 0, 0);
	bed_elapse(&b, 4000);
	bed_expect_silence(&b);
	assert_true(bed_count(&b, REASON_GROUP_SOURCE) >= 3);
	/* It is ours again, and goes on. */
	dp_group_until(b.dp, 0, UINT64_MAX);
	bed_elapse(&b, 4000);
	assert_int_equal(bed_expect(&b, INSIDE, &f).src, IN_IP);
	bed_elapse(&b, 40000);
	bed_close(&b);
}

/* A datagram whose first half came while the address was ours. */
static void fragments_are_not_put_together_for_a_lost_address(void **state)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	s.id = 7;
	s.frag = 0x2000;
	frame_ip(&f, &s, "12345678", 8);
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	dp_group_until(b.dp, 0, 0);
	s.frag = 1;
	frame_ip(&f, &s, "12345678", 8);
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	bed_expect_silence(&b);
	bed_elapse(&b, 3000);
	bed_close(&b);
}

/* ---- taking over ---- */

/* Byte by byte: RFC 826, RFC 5227 2.3. */
static void expect_announced(struct bed *b, uint32_t port, uint32_t ip, const uint8_t *mac)
{
	uint8_t want[42] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0,
			    0,    8,    6,    0,    1,    8,    0, 6, 4, 0, 1};

	memcpy(want + 6, mac, 6);
	memcpy(want + 22, mac, 6);
	for (int i = 0; i < 4; i++)
		want[28 + i] = want[38 + i] = (uint8_t)(ip >> (24 - 8 * i));
	if (!bed_take(b, port, &f))
		bed_fail("nothing was announced");
	assert_int_equal(f.n, sizeof(want));
	assert_memory_equal(f.b, want, sizeof(want));
}

static void a_takeover_is_announced_six_times_within_a_second(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	dp_group_until(b.dp, 1, UINT64_MAX);
	bed_elapse(&b, 10);
	bed_expect_silence(&b); /* not before it is said */
	assert_true(dp_group_post(b.dp, 1, true));
	bed_elapse(&b, 1);
	for (uint32_t i = 0; i < 1 + GROUP_ANNOUNCE_AGAIN; i++) {
		expect_announced(&b, OUTSIDE, OUT_TWO, OUT_MAC);
		expect_announced(&b, INSIDE, IN_TWO, IN_MAC);
		bed_expect_silence(&b);
		bed_elapse(&b, GROUP_ANNOUNCE_MS);
	}
	assert_true(GROUP_ANNOUNCE_AGAIN * GROUP_ANNOUNCE_MS < 1000);
	bed_elapse(&b, 5000);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void announcements_end_with_the_group(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	dp_group_until(b.dp, 1, b.now + 100);
	assert_true(dp_group_post(b.dp, 1, true));
	bed_elapse(&b, 2);
	expect_announced(&b, OUTSIDE, OUT_TWO, OUT_MAC);
	expect_announced(&b, INSIDE, IN_TWO, IN_MAC);
	bed_elapse(&b, 1000); /* it has run out */
	bed_expect_silence(&b);
	assert_true(dp_group_post(b.dp, 1, false));
	bed_turn(&b);
	dp_group_until(b.dp, 1, UINT64_MAX);
	bed_elapse(&b, 1000);
	bed_expect_silence(&b);
	assert_true(dp_group_post(b.dp, 99, true)); /* no such group: nothing */
	bed_elapse(&b, 1000);
	bed_expect_silence(&b);
	bed_close(&b);
}

/* ---- an address of ours that another node has is a host like any other ---- */

static void another_nodes_address_is_a_neighbour(void **state)
{
	struct frame_view v;
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	arp(&b, OUTSIDE, 1, everyone, NODE2_MAC, OUT_TWO, OUT_TWO); /* it says so */
	arp(&b, OUTSIDE, 1, everyone, NODE2_MAC, OUT_TWO, OUT_IP);  /* it asks for ours */
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.op, 2);
	assert_memory_equal(v.to, NODE2_MAC, 6);
	bed_assert_count(&b, ARP_BAD, 0);
	bed_assert_count(&b, GROUP_PASSIVE, 0);
	ping_put(&b, OUT_TWO, NODE2_MAC, OUT_IP);
	bed_turn(&b);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.dst, OUT_TWO);
	assert_memory_equal(v.to, NODE2_MAC, 6);
	bed_expect_silence(&b);
	/* Nobody else may have one that is ours. */
	arp(&b, OUTSIDE, 1, everyone, NODE2_MAC, OUT_IP, OUT_IP);
	bed_assert_count(&b, ARP_BAD, 1);
	ping_put(&b, OUT_IP, NODE2_MAC, OUT_IP);
	bed_turn(&b);
	bed_assert_count(&b, IP_SOURCE, 1);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void who_asks_for_another_nodes_address_is_not_learned(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	arp(&b, OUTSIDE, 1, everyone, NODE3_MAC, NEWCOMER, OUT_TWO);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	/* It is resolved when it is sent to. */
	ping_put(&b, NEWCOMER, NODE3_MAC, OUT_IP);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).type, 0x0806);
	bed_elapse(&b, 6000);
	bed_drain(&b);
	bed_close(&b);
}

/* The address moves on from one other node to a third, and the old one is silent. */
static void another_nodes_address_is_followed_fast_when_it_moves(void **state)
{
	struct frame_view v;
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	dp_group_until(b.dp, 0, UINT64_MAX);
	arp(&b, OUTSIDE, 1, everyone, NODE2_MAC, OUT_TWO, OUT_IP);
	bed_expect(&b, OUTSIDE, &f);
	bed_elapse(&b, 2000);
	arp(&b, OUTSIDE, 1, everyone, NODE3_MAC, OUT_TWO, OUT_TWO);
	v = bed_expect(&b, OUTSIDE, &f); /* whom we know is asked, once */
	assert_memory_equal(v.to, NODE2_MAC, 6);
	assert_int_equal(v.tip, OUT_TWO);
	bed_elapse(&b, 300);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_memory_equal(v.to, everyone, 6);
	assert_int_equal(v.tip, OUT_TWO);
	arp(&b, OUTSIDE, 2, OUT_MAC, NODE3_MAC, OUT_TWO, OUT_OWN);
	ping_put(&b, OUT_TWO, NODE3_MAC, OUT_IP);
	bed_turn(&b);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, NODE3_MAC, 6);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void one_that_still_answers_is_not_diverted(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	dp_group_until(b.dp, 0, UINT64_MAX);
	arp(&b, OUTSIDE, 1, everyone, NODE2_MAC, OUT_TWO, OUT_IP);
	bed_expect(&b, OUTSIDE, &f);
	bed_elapse(&b, 2000);
	arp(&b, OUTSIDE, 1, everyone, EVIL_MAC, OUT_TWO, OUT_TWO);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, NODE2_MAC, 6);
	arp(&b, OUTSIDE, 2, OUT_MAC, EVIL_MAC, OUT_TWO, OUT_OWN);
	arp(&b, OUTSIDE, 2, OUT_MAC, NODE2_MAC, OUT_TWO, OUT_OWN);
	bed_elapse(&b, 1000);
	bed_expect_silence(&b);
	ping_put(&b, OUT_TWO, NODE2_MAC, OUT_IP);
	bed_turn(&b);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, NODE2_MAC, 6);
	bed_close(&b);
}

/* What was known of who had it before is forgotten when it is ours, and when it goes. */
static void nothing_old_is_believed_when_a_group_comes_and_goes(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	dp_group_until(b.dp, 0, UINT64_MAX);
	arp(&b, OUTSIDE, 1, everyone, NODE2_MAC, OUT_TWO, OUT_IP);
	bed_expect(&b, OUTSIDE, &f);
	dp_group_until(b.dp, 1, UINT64_MAX);
	bed_elapse(&b, 2);
	dp_group_until(b.dp, 1, 0);
	bed_elapse(&b, 2);
	ping_put(&b, OUT_TWO, NODE3_MAC, OUT_IP);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).type, 0x0806);
	bed_elapse(&b, 6000);
	bed_drain(&b);
	bed_close(&b);
}

/* ---- asking while our own address is another's ---- */

static void requests_never_come_from_a_lost_address(void **state)
{
	struct frame_view v;
	struct bed b;

	(void)state;
	groups_init(&b, 1);
	b.conf.port[OUTSIDE].ip = htonl(OUT_IP); /* a realm has it: of that group */
	b.conf.port[INSIDE].ip = htonl(IN_IP);
	bed_open(&b, 0);
	assert_true(neigh_want(b.dp->worker[0], OUTSIDE, htonl(PHONE)));
	bed_turn(&b);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.sip, 0); /* nobody learns anything of it */
	assert_int_equal(v.tip, PHONE);
	assert_memory_equal(v.tha, none, 6);
	arp(&b, OUTSIDE, 2, OUT_MAC, PHONE_MAC, PHONE, 0);
	bed_assert_count(&b, ARP_OTHER, 0);
	dp_group_until(b.dp, 1, UINT64_MAX);
	bed_turn(&b);
	assert_true(neigh_want(b.dp->worker[0], OUTSIDE, htonl(NEWCOMER)));
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).sip, OUT_TWO);
	dp_group_until(b.dp, 0, UINT64_MAX);
	bed_turn(&b);
	/* The phone was learned by the probe's answer. */
	ping(&b, OUT_IP);
	expect_pong(&b, OUT_IP);
	bed_elapse(&b, 6000);
	bed_drain(&b);
	bed_close(&b);
}

/* ---- stopped in between ---- */

/* The turn began while the address was ours; the process slept before its end. */
static void sleeping_past_the_lease_within_a_turn_sends_nothing(void **state)
{
	struct bed b;
	uint64_t began;

	(void)state;
	bed_up(&b, 1);
	began = b.now;
	ping_put(&b, PHONE, PHONE_MAC, OUT_IP);
	ping_put(&b, PHONE, PHONE_MAC, OUT_OWN);
	bed_sleep(&b, LEASE + 1);
	worker_turn(b.dp->worker[0], began);
	expect_pong(&b, OUT_OWN); /* what was never at stake goes on */
	bed_assert_count(&b, GROUP_FENCED, 1);
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void sleeping_within_the_lease_loses_nothing(void **state)
{
	struct bed b;
	uint64_t began;

	(void)state;
	bed_up(&b, 1);
	began = b.now;
	ping_put(&b, PHONE, PHONE_MAC, OUT_IP);
	bed_sleep(&b, LEASE - 1);
	worker_turn(b.dp->worker[0], began);
	expect_pong(&b, OUT_IP);
	bed_assert_count(&b, GROUP_FENCED, 0);
	bed_close(&b);
}

static struct flow_spec spec(uint16_t realm, uint16_t port, uint16_t peer, uint16_t peer_port,
			     uint32_t ip, uint16_t udp)
{
	return (struct flow_spec){.realm = realm,
				  .port = port,
				  .peer_realm = peer,
				  .peer_port = peer_port,
				  .remote = {htonl(ip), udp},
				  .proven = true,
				  .epoch = 1};
}

/* The phone's flow at `port`, towards wherever `ip` is inside. */
static void publish(struct worker *w, uint16_t port, uint16_t in, uint32_t ip, uint16_t udp)
{
	struct flow_spec o = spec(OUTSIDE, port, INSIDE, in, PHONE, 40000);
	struct flow_spec i = spec(INSIDE, in, OUTSIDE, port, ip, udp);

	relay_publish(w, &o);
	relay_publish(w, &i);
}

static void media_put(struct bed *b, uint16_t port, uint16_t seq)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);

	s.sport = 40000;
	s.dport = port;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 1, seq, seq * 160u, 160));
	bed_put(b, OUTSIDE, &f);
}

static void media_in_a_burst_is_fenced(void **state)
{
	struct bed b;
	uint64_t began;

	(void)state;
	bed_up(&b, 1);
	publish(b.dp->worker[0], 20000, 30000, PBX, 17000);
	media_put(&b, 20000, 1);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, INSIDE, &f).dst, PBX);
	began = b.now;
	for (uint16_t i = 2; i < 22; i++)
		media_put(&b, 20000, i);
	bed_sleep(&b, 30000);
	worker_turn(b.dp->worker[0], began);
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_FENCED, 20);
	bed_close(&b);
}

/* On its way from the receiving worker to the flow's when the process is stopped. */
static void media_between_workers_is_dropped_after_a_sleep(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	publish(b.dp->worker[1], 20110, 30110, PBX, 17000);
	media_put(&b, 20110, 1);
	worker_turn(b.dp->worker[0], b.now);
	worker_turn(b.dp->worker[1], b.now);
	worker_turn(b.dp->worker[0], b.now); /* sends for both, where queues are few */
	worker_turn(b.dp->worker[1], b.now);
	assert_int_equal(bed_expect(&b, INSIDE, &f).dst, PBX);
	media_put(&b, 20110, 2);
	worker_turn(b.dp->worker[0], b.now);
	bed_sleep(&b, LEASE);
	worker_turn(b.dp->worker[1], b.now);
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	bed_close(&b);
}

/* Inside's one queue is worker 1's: what worker 0 sends there goes through a ring. */
static void frames_on_their_way_to_another_workers_queue_are_dropped_after_a_sleep(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 2);
	publish(b.dp->worker[0], 20000, 30000, PBX, 17000);
	media_put(&b, 20000, 1);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, INSIDE, &f).dst, PBX);
	media_put(&b, 20000, 2);
	worker_turn(b.dp->worker[0], b.now);
	bed_expect_silence(&b);
	bed_sleep(&b, LEASE);
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_FENCED, 1);
	bed_close(&b);
}

/* A device that took nothing for a while gets nothing old. */
static void what_a_device_did_not_take_is_fenced(void **state)
{
	struct bed b;

	(void)state;
	groups_init(&b, 1);
	bed_open(&b, 32);
	dp_group_until(b.dp, 0, b.now + LEASE);
	for (uint32_t i = 0; i < 50; i++)
		who_has(&b, OUT_IP);
	assert_true(b.dp->worker[0]->tx[OUTSIDE].n > 0);
	bed_sleep(&b, LEASE);
	bed_drain(&b);
	bed_turn(&b);
	bed_expect_silence(&b);
	assert_int_equal(b.dp->worker[0]->tx[OUTSIDE].n, 0);
	assert_int_equal(bed_count(&b, REASON_GROUP_FENCED), 50 - 31);
	bed_close(&b);
}

/* Its next hop answers when the address is gone. */
static void what_waits_for_a_next_hop_is_fenced(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	ping_put(&b, NEWCOMER, NODE3_MAC, OUT_IP);
	ping_put(&b, NEWCOMER, NODE3_MAC, OUT_OWN);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).tip, NEWCOMER);
	bed_sleep(&b, LEASE);
	arp(&b, OUTSIDE, 2, OUT_MAC, NODE3_MAC, NEWCOMER, OUT_OWN);
	bed_elapse(&b, 5);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).src, OUT_OWN);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_FENCED, 1);
	bed_close(&b);
}

/* ---- a call to an address of ours: inside or by the wire ---- */

static uint32_t relayed_by_wire(struct bed *b, uint16_t seq, struct frame_view *v)
{
	uint32_t n = 0;

	media_put(b, 20000, seq);
	bed_turn(b);
	while (bed_take(b, INSIDE, &f)) {
		*v = frame_read(&f);
		n++;
	}
	return n;
}

static void media_to_an_address_of_ours_follows_its_group(void **state)
{
	struct flow_spec o = spec(2, 20010, 3, 30010, PHONE, 41000);
	struct flow_spec i = spec(3, 30010, 2, 20010, IN_IP, 30000);
	struct frame_view v = {0};
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	dp_group_until(b.dp, 0, UINT64_MAX);
	publish(b.dp->worker[0], 20000, 30000, IN_TWO, 30010);
	/* The other node's: asked for, and sent there. */
	assert_int_equal(relayed_by_wire(&b, 1, &v), 1);
	assert_int_equal(v.type, 0x0806);
	assert_int_equal(v.tip, IN_TWO);
	arp(&b, INSIDE, 2, IN_MAC, NODE2_MAC, IN_TWO, IN_OWN);
	bed_elapse(&b, 1100);
	bed_drain(&b);
	assert_int_equal(relayed_by_wire(&b, 2, &v), 1);
	assert_int_equal(v.dst, IN_TWO);
	assert_memory_equal(v.to, NODE2_MAC, 6);
	/* It has come to us: the packet turns round inside, to the other call's phone. */
	relay_publish(b.dp->worker[0], &o);
	relay_publish(b.dp->worker[0], &i);
	dp_group_until(b.dp, 1, UINT64_MAX);
	assert_int_equal(relayed_by_wire(&b, 3, &v), 0);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.src, OUT_TWO);
	assert_int_equal(v.dst, PHONE);
	assert_int_equal(v.dport, 41000);
	/* And has gone again: nothing is left from before. */
	dp_group_until(b.dp, 1, 0);
	assert_int_equal(relayed_by_wire(&b, 4, &v), 1);
	assert_int_equal(v.type, 0x0806);
	assert_int_equal(v.tip, IN_TWO);
	bed_expect_silence(&b);
	bed_elapse(&b, 6000);
	bed_drain(&b);
	bed_close(&b);
}

/* ---- two groups of one process ---- */

static void calls_go_on_in_the_group_that_stays(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	bed_up(&b, 1);
	dp_group_until(b.dp, 0, UINT64_MAX);
	dp_group_until(b.dp, 1, UINT64_MAX);
	bed_turn(&b);
	talk_init(&t, 1);
	talk_call(&b, &t);
	dp_group_until(b.dp, 1, 0);
	assert_true(dp_group_post(b.dp, 1, false));
	bed_elapse(&b, 10);
	engine_stats_read(b.dp->worker[0]->engine, &s);
	assert_int_equal(s.calls, 1);
	talk_bye(&b, &t);
	bed_elapse(&b, 40000);
	bed_close(&b);
}

static void a_lost_group_is_forgotten_without_a_word(void **state)
{
	struct engine_record r;
	struct bed b;
	struct talk t;
	struct engine_stats s;
	uint16_t worker;

	(void)state;
	bed_up(&b, 1);
	dp_group_until(b.dp, 0, UINT64_MAX);
	talk_init(&t, 1);
	talk_call(&b, &t);
	dp_group_until(b.dp, 0, 0);
	assert_true(dp_group_post(b.dp, 0, false));
	bed_elapse(&b, 100);
	engine_stats_read(b.dp->worker[0]->engine, &s);
	assert_int_equal(s.calls, 0);
	assert_int_equal(b.dp->worker[0]->live_count, 0);
	bed_expect_silence(&b);
	/* The other node says at its end what the call has carried. */
	while (dp_record_take(b.dp, &r, &worker))
		assert_int_not_equal(r.kind, RECORD_MEDIA);
	bed_close(&b);
}

/* A call that stands by for a takeover is not silent; its time begins when it is ours. */
static void media_of_a_group_that_is_not_ours_is_not_silent(void **state)
{
	struct bed b;
	struct worker *w;

	(void)state;
	groups_init(&b, 1);
	b.snapshot.realm[OUTSIDE].media_timeout_s = 10;
	b.snapshot.realm[INSIDE].media_timeout_s = 10;
	bed_open(&b, 0);
	w = b.dp->worker[0];
	publish(w, 20000, 30000, PBX, 17000);
	bed_elapse(&b, 30000);
	assert_false(b.dp->flow_slot[w->live[0]].told);
	dp_group_until(b.dp, 0, UINT64_MAX);
	bed_elapse(&b, 9000);
	assert_false(b.dp->flow_slot[w->live[0]].told);
	bed_elapse(&b, 3000);
	assert_true(b.dp->flow_slot[w->live[0]].told);
	bed_close(&b);
}

/*
 * Media that stands by asks for its next hop from the port's own address, which is
 * always ours; so the first packet after a takeover leaves at once.
 */
static void what_stands_by_knows_its_next_hop(void **state)
{
	struct frame_view v;
	struct worker *w;
	struct bed b;

	(void)state;
	groups_init(&b, 1);
	bed_open(&b, 0);
	w = b.dp->worker[0];
	bed_turn(&b);
	bed_drain(&b);
	publish(w, 20000, 30000, PBX, 17000);
	bed_elapse(&b, 2);
	v = bed_expect(&b, INSIDE, &f);
	assert_int_equal(v.tip, PBX);
	assert_int_equal(v.sip, IN_OWN);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.tip, PHONE);
	assert_int_equal(v.sip, OUT_OWN);
	bed_expect_silence(&b);
	arp(&b, INSIDE, 2, IN_MAC, PBX_MAC, PBX, IN_OWN);
	arp(&b, OUTSIDE, 2, OUT_MAC, PHONE_MAC, PHONE, OUT_OWN);
	bed_elapse(&b, 1000);
	for (uint32_t i = 0; i < w->live_count; i++)
		assert_true(b.dp->flow[w->live[i]].out_l2_len != 0);
	dp_group_until(b.dp, 0, UINT64_MAX);
	bed_turn(&b);
	media_put(&b, 20000, 1);
	bed_turn(&b);
	v = bed_expect(&b, INSIDE, &f);
	assert_int_equal(v.src, IN_IP);
	assert_int_equal(v.dst, PBX);
	assert_memory_equal(v.to, PBX_MAC, 6);
	bed_expect_silence(&b);
	bed_close(&b);
}

/* ---- tables ---- */

static void a_port_has_room_for_an_address_of_every_realm_and_listener(void **state)
{
	struct bed b;
	struct snapshot *s = &b.snapshot;
	uint32_t ips = 1;

	(void)state;
	groups_init(&b, 1);
	b.conf.port[OUTSIDE].prefix = 16;
	s->groups = SNAPSHOT_MAX_GROUPS;
	while (s->realms < SNAPSHOT_MAX_REALMS) {
		uint16_t i = s->realms++;

		s->realm[i] = s->realm[OUTSIDE];
		s->realm[i].group = i % s->groups;
		s->realm[i].media_ip = htonl(0xcb007200u + i);
		s->realm[i].media_hi = (uint16_t)(s->realm[i].media_lo + 9);
		b.conf.realm_port[i] = OUTSIDE;
		ips++;
	}
	while (s->listeners < SNAPSHOT_MAX_LISTENERS) {
		uint16_t i = s->listeners++;

		s->listener[i] = (struct snapshot_listener){(uint16_t)(4 + i % 28),
							    {htonl(0xcb007300u + i), SIP}};
		ips++;
	}
	bed_open(&b, 0);
	for (uint16_t g = 0; g < s->groups; g++)
		dp_group_until(b.dp, g, UINT64_MAX);
	bed_turn(&b);
	assert_int_equal(b.dp->port[OUTSIDE].addresses, ips + 2);
	for (uint32_t i = 4; i < SNAPSHOT_MAX_LISTENERS; i++) {
		who_has(&b, 0xcb007300u + i);
		assert_int_equal(bed_expect(&b, OUTSIDE, &f).sip, 0xcb007300u + i);
		if (i >= SNAPSHOT_MAX_REALMS)
			continue;
		who_has(&b, 0xcb007200u + i);
		assert_int_equal(bed_expect(&b, OUTSIDE, &f).sip, 0xcb007200u + i);
	}
	/* One group of sixteen goes: its addresses and no others. */
	dp_group_until(b.dp, 5, 0);
	for (uint32_t i = 4; i < SNAPSHOT_MAX_REALMS; i++) {
		who_has(&b, 0xcb007200u + i);
		assert_int_equal(bed_take(&b, OUTSIDE, &f), i % SNAPSHOT_MAX_GROUPS != 5);
	}
	for (uint32_t ip = 0xcb007400u; ip < 0xcb007500u; ip++)
		assert_null(port_address(&b.dp->port[OUTSIDE], htonl(ip)));
	bed_close(&b);
}

static void refused(struct bed *b, const char *part)
{
	char why[256] = "";

	assert_null(dp_create(&b->conf, why, sizeof(why)));
	if (strstr(why, part) == NULL)
		bed_fail("%s", why);
}

static void what_no_group_could_serve_is_refused_at_the_start(void **state)
{
	struct bed b;

	(void)state;
	groups_init(&b, 1);
	b.snapshot.realm[2].media_ip = htonl(OUT_IP); /* of group 0 as well */
	refused(&b, "in two groups");
	groups_init(&b, 1);
	b.snapshot.listener[2].addr.ip = htonl(OUT_IP);
	refused(&b, "in two groups");
	groups_init(&b, 1);
	b.snapshot.realm[3].group = 2;
	refused(&b, "no such group");
	groups_init(&b, 1);
	b.snapshot.groups = 0;
	refused(&b, "groups");
	groups_init(&b, 1);
	b.conf.port[0].addresses6 = 1;
	b.conf.port[0].address6[0].group = 2;
	refused(&b, "IPv6");
}

static void a_snapshot_that_moves_a_realm_to_another_group_does_not_fit(void **state)
{
	struct snapshot other;
	struct bed b;

	(void)state;
	bed_up(&b, 1);
	other = b.snapshot;
	assert_true(ports_fit(b.dp, &other));
	other.realm[2].group = 0;
	assert_false(ports_fit(b.dp, &other));
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_taken_or_answered_before_its_time),
		cmocka_unit_test(it_is_ours_until_its_time_and_longer_when_renewed),
		cmocka_unit_test(without_groups_held_all_is_ours_for_good),
		cmocka_unit_test(sip_does_not_leave_from_a_lost_address),
		cmocka_unit_test(fragments_are_not_put_together_for_a_lost_address),
		cmocka_unit_test(a_takeover_is_announced_six_times_within_a_second),
		cmocka_unit_test(announcements_end_with_the_group),
		cmocka_unit_test(another_nodes_address_is_a_neighbour),
		cmocka_unit_test(who_asks_for_another_nodes_address_is_not_learned),
		cmocka_unit_test(another_nodes_address_is_followed_fast_when_it_moves),
		cmocka_unit_test(one_that_still_answers_is_not_diverted),
		cmocka_unit_test(nothing_old_is_believed_when_a_group_comes_and_goes),
		cmocka_unit_test(requests_never_come_from_a_lost_address),
		cmocka_unit_test(sleeping_past_the_lease_within_a_turn_sends_nothing),
		cmocka_unit_test(sleeping_within_the_lease_loses_nothing),
		cmocka_unit_test(media_in_a_burst_is_fenced),
		cmocka_unit_test(media_between_workers_is_dropped_after_a_sleep),
		cmocka_unit_test(
			frames_on_their_way_to_another_workers_queue_are_dropped_after_a_sleep),
		cmocka_unit_test(what_a_device_did_not_take_is_fenced),
		cmocka_unit_test(what_waits_for_a_next_hop_is_fenced),
		cmocka_unit_test(media_to_an_address_of_ours_follows_its_group),
		cmocka_unit_test(calls_go_on_in_the_group_that_stays),
		cmocka_unit_test(a_lost_group_is_forgotten_without_a_word),
		cmocka_unit_test(media_of_a_group_that_is_not_ours_is_not_silent),
		cmocka_unit_test(what_stands_by_knows_its_next_hop),
		cmocka_unit_test(a_port_has_room_for_an_address_of_every_realm_and_listener),
		cmocka_unit_test(what_no_group_could_serve_is_refused_at_the_start),
		cmocka_unit_test(a_snapshot_that_moves_a_realm_to_another_group_does_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
