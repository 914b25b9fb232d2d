/*
 * IPv6 neighbour discovery of a border that otherwise has no IPv6: announcements
 * and answers byte by byte, and what RFC 4861 says is to be dropped.
 */
#include "tests/dataplane/bed.h"

#include <string.h>

#include "dataplane/group.h"
#include "dataplane/icmp.h"

#define IP6(last)                                                                                  \
	{                                                                                          \
		0xfd, 0x12, [13] = 0xab, [14] = 0xcd, [15] = (last)                                \
	}

static const uint8_t ours[16] = IP6(1), passive[16] = IP6(2), host[16] = IP6(9);
static const uint8_t nobody[16];
static const uint8_t all_nodes[16] = {0xff, 2, [15] = 1};
static const uint8_t all_nodes_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
/* ff02::1:ffab:cd01, and the station of it. */
static const uint8_t our_group[16] = {0xff, 2, [11] = 1, 0xff, 0xab, 0xcd, 1};
static const uint8_t our_group_mac[6] = {0x33, 0x33, 0xff, 0xab, 0xcd, 1};
static const uint8_t passive_group[16] = {0xff, 2, [11] = 1, 0xff, 0xab, 0xcd, 2};

static struct frame f;

static void bed_up(struct bed *b, uint16_t vlan)
{
	struct dp_port_conf *p = &b->conf.port[OUTSIDE];

	bed_init(b, 2);
	b->conf.groups_held = true;
	b->snapshot.groups = 2;
	p->vlan = vlan;
	p->addresses6 = 2;
	memcpy(p->address6[0].ip, ours, 16);
	memcpy(p->address6[1].ip, passive, 16);
	p->address6[1].group = 1;
	bed_open(b, 0);
	dp_group_until(b->dp, 0, UINT64_MAX);
	bed_turn(b);
}

/* A solicitation as a host sends it; a test spoils it. */
struct solicitation {
	const uint8_t *to, *src, *dst;
	uint8_t hops;
	uint8_t icmp[64];
	uint32_t n;
	uint16_t vlan;
};

static struct solicitation asks(const uint8_t *target)
{
	struct solicitation s = {
		.to = our_group_mac, .src = host, .dst = our_group, .hops = 255, .n = 32};

	s.icmp[0] = 135;
	memcpy(s.icmp + 8, target, 16);
	s.icmp[24] = 1; /* source link-layer address */
	s.icmp[25] = 1;
	memcpy(s.icmp + 26, PHONE_MAC, 6);
	return s;
}

static void send(struct bed *b, const struct solicitation *s)
{
	struct frame_spec spec = {.to = s->to, .from = PHONE_MAC, .vlan = s->vlan};

	frame_icmp6(&f, &spec, s->src, s->dst, s->hops, s->icmp, s->n);
	bed_put(b, OUTSIDE, &f);
	bed_turn(b);
}

/* Sum of the pseudo header (RFC 8200 8.1) and the ICMPv6 message. */
static uint16_t sum6(const uint8_t *ip, uint32_t n)
{
	uint8_t all[2048];

	memcpy(all, ip + 8, 32);
	memset(all + 32, 0, 8);
	all[34] = (uint8_t)(n >> 8);
	all[35] = (uint8_t)n;
	all[39] = 58;
	memcpy(all + 40, ip + 40, n);
	return frame_sum(all, 40 + n);
}

/* The whole frame, but for the checksum, which must be right. */
static void expect_advertised(struct bed *b, const uint8_t *mac, const uint8_t *dst,
			      const uint8_t *target, uint8_t flags)
{
	uint8_t want[86] = {0};
	uint8_t *ip = want + 14;

	memcpy(want, mac, 6);
	memcpy(want + 6, OUT_MAC, 6);
	want[12] = 0x86;
	want[13] = 0xdd;
	ip[0] = 0x60;
	ip[5] = 32;
	ip[6] = 58;
	ip[7] = 255;
	memcpy(ip + 8, target, 16);
	memcpy(ip + 24, dst, 16);
	ip[40] = 136;
	ip[44] = flags;
	memcpy(ip + 48, target, 16);
	ip[64] = 2;
	ip[65] = 1;
	memcpy(ip + 66, OUT_MAC, 6);
	if (!bed_take(b, OUTSIDE, &f))
		bed_fail("nothing was advertised");
	assert_int_equal(f.n, sizeof(want));
	assert_int_equal(sum6(f.b + 14, 32), 0xffff);
	memcpy(ip + 42, f.b + 56, 2);
	assert_memory_equal(f.b, want, sizeof(want));
}

#define SOLICITED 0x40u
#define OVERRIDE  0x20u

static void a_solicitation_is_answered_to_who_asked(void **state)
{
	struct solicitation s = asks(ours);
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	send(&b, &s);
	expect_advertised(&b, PHONE_MAC, host, ours, SOLICITED | OVERRIDE);
	/* To our station, and without the option, as a probe for reachability is. */
	s.to = OUT_MAC;
	s.dst = ours;
	s.n = 24;
	send(&b, &s);
	expect_advertised(&b, PHONE_MAC, host, ours, SOLICITED | OVERRIDE);
	/* Other options are passed over. */
	s = asks(ours);
	s.icmp[32] = 14;
	s.icmp[33] = 2;
	s.n = 48;
	send(&b, &s);
	expect_advertised(&b, PHONE_MAC, host, ours, SOLICITED | OVERRIDE);
	bed_expect_silence(&b);
	bed_close(&b);
}

/* Duplicate address detection of another: RFC 4862 5.4.3. */
static void one_without_an_address_is_answered_to_all(void **state)
{
	struct solicitation s = asks(ours);
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	s.src = nobody;
	s.n = 24;
	send(&b, &s);
	expect_advertised(&b, all_nodes_mac, all_nodes, ours, OVERRIDE);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void a_tagged_port_is_served_too(void **state)
{
	struct solicitation s = asks(ours);
	struct bed b;

	(void)state;
	bed_up(&b, 7);
	s.vlan = 7;
	send(&b, &s);
	assert_true(bed_take(&b, OUTSIDE, &f));
	assert_int_equal(f.n, 90);
	assert_int_equal(f.b[12] << 8 | f.b[13], 0x8100);
	assert_int_equal(f.b[15], 7);
	assert_int_equal(f.b[18 + 40], 136);
	bed_close(&b);
}

static void a_takeover_is_advertised_to_all_nodes(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	dp_group_until(b.dp, 1, UINT64_MAX);
	assert_true(dp_group_post(b.dp, 1, true));
	bed_turn(&b);
	for (uint32_t i = 0; i < 1 + GROUP_ANNOUNCE_AGAIN; i++) {
		expect_advertised(&b, all_nodes_mac, all_nodes, passive, OVERRIDE);
		bed_expect_silence(&b);
		bed_elapse(&b, GROUP_ANNOUNCE_MS);
	}
	bed_elapse(&b, 2000);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void an_address_of_another_node_is_not_answered_for(void **state)
{
	struct solicitation s = asks(passive);
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	s.dst = passive_group;
	send(&b, &s);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	/* Another node with it is no contradiction; one with ours is. */
	s = asks(ours);
	s.src = passive;
	send(&b, &s);
	expect_advertised(&b, PHONE_MAC, passive, ours, SOLICITED | OVERRIDE);
	s.src = ours;
	send(&b, &s);
	bed_expect_silence(&b);
	bed_assert_count(&b, ND_BAD, 1);
	bed_close(&b);
}

static void an_advertisement_is_fenced_like_all_else(void **state)
{
	struct solicitation s = asks(ours);
	struct frame_spec spec = {.to = s.to, .from = PHONE_MAC};
	struct bed b;
	uint64_t began;

	(void)state;
	bed_up(&b, 0);
	dp_group_until(b.dp, 0, b.now + 300);
	bed_turn(&b);
	began = b.now;
	frame_icmp6(&f, &spec, s.src, s.dst, s.hops, s.icmp, s.n);
	bed_put(&b, OUTSIDE, &f);
	bed_sleep(&b, 300);
	for (uint16_t i = 0; i < 2; i++)
		worker_turn(b.dp->worker[i], began);
	bed_turn(&b);
	bed_expect_silence(&b);
	bed_assert_count(&b, GROUP_FENCED, 1);
	bed_close(&b);
}

/* ---- RFC 4861 7.1.1 ---- */

static void code(struct solicitation *s)
{
	s->icmp[1] = 1;
}

static void hop_limit(struct solicitation *s)
{
	s->hops = 254;
}

static void too_short(struct solicitation *s)
{
	s->n = 23;
}

static void multicast_target(struct solicitation *s)
{
	s->icmp[8] = 0xff;
}

static void multicast_source(struct solicitation *s)
{
	s->src = all_nodes;
}

static void empty_option(struct solicitation *s)
{
	s->icmp[25] = 0;
}

static void option_beyond_the_end(struct solicitation *s)
{
	s->icmp[25] = 2;
}

static void half_an_option(struct solicitation *s)
{
	s->n = 25;
}

static void option_of_nobody(struct solicitation *s)
{
	s->src = nobody;
}

static void nobody_to_one(struct solicitation *s)
{
	s->src = nobody;
	s->dst = ours;
	s->n = 24;
}

static void option_of_another_station(struct solicitation *s)
{
	memcpy(s->icmp + 26, EVIL_MAC, 6);
}

static void malformed_solicitations_are_dropped(void **state)
{
	static void (*const spoil[])(struct solicitation *) = {code,
							       hop_limit,
							       too_short,
							       empty_option,
							       multicast_target,
							       multicast_source,
							       nobody_to_one,
							       half_an_option,
							       option_beyond_the_end,
							       option_of_nobody,
							       option_of_another_station};
	const uint32_t n = sizeof(spoil) / sizeof(spoil[0]);
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	for (uint32_t i = 0; i < n; i++) {
		struct solicitation s = asks(ours);

		spoil[i](&s);
		send(&b, &s);
		bed_expect_silence(&b);
		bed_assert_count(&b, ND_BAD, i + 1);
	}
	bed_close(&b);
}

static void a_wrong_checksum_or_length_is_dropped(void **state)
{
	struct solicitation s = asks(ours);
	struct frame_spec spec = {.to = OUT_MAC, .from = PHONE_MAC};
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	frame_icmp6(&f, &spec, s.src, s.dst, s.hops, s.icmp, s.n);
	f.b[f.n - 1] ^= 1;
	bed_put(&b, OUTSIDE, &f);
	frame_icmp6(&f, &spec, s.src, s.dst, s.hops, s.icmp, s.n);
	f.b[14 + 4] = 0xff; /* longer than the frame */
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, ND_BAD, 2);
	/* Every length there is, cut anywhere: no trap, no answer. */
	for (uint32_t n = 14; n < 14 + 40 + s.n; n++) {
		frame_icmp6(&f, &spec, s.src, s.dst, s.hops, s.icmp, s.n);
		f.n = n;
		bed_put(&b, OUTSIDE, &f);
		bed_turn(&b);
	}
	bed_expect_silence(&b);
	/* What follows the datagram in its frame is no part of it. */
	frame_icmp6(&f, &spec, s.src, s.dst, s.hops, s.icmp, s.n);
	memset(f.b + f.n, 0x55, 6);
	f.n += 6;
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	expect_advertised(&b, PHONE_MAC, host, ours, SOLICITED | OVERRIDE);
	bed_close(&b);
}

static void other_ipv6_is_dropped_as_ever(void **state)
{
	struct solicitation s;
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	s = asks(host); /* a neighbour whose address ends as ours */
	send(&b, &s);
	bed_assert_count(&b, ND_OTHER, 1);
	s = asks(ours);
	s.dst = host;
	send(&b, &s);
	s = asks(ours);
	s.icmp[0] = 133; /* router solicitation */
	send(&b, &s);
	s.icmp[0] = 136; /* somebody's advertisement */
	send(&b, &s);
	bed_assert_count(&b, L2_TYPE, 3);
	s = asks(ours);
	s.to = GW_MAC;
	send(&b, &s);
	bed_assert_count(&b, L2_OTHER, 1);
	/* A port without an IPv6 address knows nothing of it. */
	{
		struct frame_spec spec = {.to = IN_MAC, .from = PBX_MAC};

		s = asks(ours);
		frame_icmp6(&f, &spec, s.src, s.dst, s.hops, s.icmp, s.n);
		bed_put(&b, INSIDE, &f);
		bed_turn(&b);
	}
	bed_assert_count(&b, L2_TYPE, 4);
	bed_expect_silence(&b);
	bed_close(&b);
}

/* ---- echo ---- */

static struct solicitation echo(void)
{
	struct solicitation s = {.to = OUT_MAC, .src = host, .dst = ours, .hops = 61, .n = 40};

	s.icmp[0] = 128;
	for (uint32_t i = 4; i < s.n; i++)
		s.icmp[i] = (uint8_t)(i * 7);
	return s;
}

static void echo_is_answered_within_its_rate(void **state)
{
	struct solicitation s = echo();
	struct bed b;
	uint32_t n = 0;

	(void)state;
	bed_up(&b, 0);
	send(&b, &s);
	assert_true(bed_take(&b, OUTSIDE, &f));
	assert_int_equal(f.n, 14 + 40 + s.n);
	assert_memory_equal(f.b, PHONE_MAC, 6);
	assert_memory_equal(f.b + 6, OUT_MAC, 6);
	assert_memory_equal(f.b + 14 + 8, ours, 16);
	assert_memory_equal(f.b + 14 + 24, host, 16);
	assert_int_equal(f.b[14 + 7], 64);
	assert_int_equal(f.b[54], 129);
	assert_memory_equal(f.b + 58, s.icmp + 4, s.n - 4);
	assert_int_equal(sum6(f.b + 14, s.n), 0xffff);
	for (uint32_t i = 0; i < 2 * ICMP_BURST; i++)
		send(&b, &s);
	while (bed_take(&b, OUTSIDE, &f))
		n++;
	assert_int_equal(n, ICMP_BURST - 1);
	assert_int_equal(bed_count(&b, REASON_ICMP_RATE), ICMP_BURST + 1);
	bed_close(&b);
}

static void echo_from_or_to_many_is_not_answered(void **state)
{
	struct solicitation s = echo();
	struct bed b;

	(void)state;
	bed_up(&b, 0);
	s.dst = our_group;
	send(&b, &s);
	s = echo();
	s.src = all_nodes;
	send(&b, &s);
	s.src = nobody;
	send(&b, &s);
	s = echo();
	s.icmp[1] = 1;
	send(&b, &s);
	s = echo();
	s.n = 7;
	send(&b, &s);
	bed_assert_count(&b, ND_BAD, 5);
	s = echo();
	s.dst = passive;
	send(&b, &s);
	bed_assert_count(&b, GROUP_PASSIVE, 1);
	s.dst = all_nodes;
	send(&b, &s);
	bed_assert_count(&b, L2_TYPE, 1);
	bed_expect_silence(&b);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_solicitation_is_answered_to_who_asked),
		cmocka_unit_test(one_without_an_address_is_answered_to_all),
		cmocka_unit_test(a_tagged_port_is_served_too),
		cmocka_unit_test(a_takeover_is_advertised_to_all_nodes),
		cmocka_unit_test(an_address_of_another_node_is_not_answered_for),
		cmocka_unit_test(an_advertisement_is_fenced_like_all_else),
		cmocka_unit_test(malformed_solicitations_are_dropped),
		cmocka_unit_test(a_wrong_checksum_or_length_is_dropped),
		cmocka_unit_test(other_ipv6_is_dropped_as_ever),
		cmocka_unit_test(echo_is_answered_within_its_rate),
		cmocka_unit_test(echo_from_or_to_many_is_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
