/*
 * The fast way against the plain one: what flow_relay_fast() takes, flow_admit()
 * and flow_rewrite() would have taken in the same way to the last bit of flow and
 * packet; what it does not take has changed neither.
 */
#include "sbc/media/flow_fast.h"

#include <arpa/inet.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#define OUTSIDE  htonl(0xcb007101)
#define INSIDE   htonl(0x0a000001)
#define SSRC     0x11223344u
#define HEADERS  28u
#define PAYLOAD  12u
#define ROOM     (HEADERS + 64u)
#define OUT_PORT 20000u

static const struct net_addr phone = {0x0a6433c6, 40000}, host = {0x0a00000a, 30000};

struct pair {
	struct flow a, b;
};

static struct flow_spec spec_of(bool inside)
{
	return (struct flow_spec){.realm = inside,
				  .peer_realm = !inside,
				  .port = inside ? 30000 : OUT_PORT,
				  .peer_port = inside ? OUT_PORT : 30000,
				  .remote = inside ? host : phone,
				  .clock_rate = 8000,
				  .dscp = 46,
				  .proven = true,
				  .epoch = 1,
				  .call = 7,
				  .leg = inside};
}

static void pair_join(struct pair *p)
{
	flow_join(&p->a, &p->b);
	flow_join(&p->b, &p->a);
}

static void pair_up(struct pair *p)
{
	struct flow_spec a = spec_of(false), b = spec_of(true);

	memset(p, 0, sizeof(*p));
	flow_publish(&p->a, &a, OUTSIDE, 1000);
	flow_publish(&p->b, &b, INSIDE, 1000);
	pair_join(p);
}

static uint16_t sum_of(const uint8_t *p, uint32_t n, uint32_t sum)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Of the UDP part and its pseudo header: 0xffff is right. */
static uint16_t udp_sum(const uint8_t *ip, uint32_t n)
{
	return sum_of(ip + 20, n - 20, 17u + (n - 20) + sum_of(ip + 12, 8, 0));
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* From the phone, or another source, to the outside's port: all sums right. */
static uint32_t packet(uint8_t *ip, struct net_addr src, const uint8_t *payload, uint32_t len)
{
	uint32_t n = HEADERS + len;

	memset(ip, 0, HEADERS);
	ip[0] = 0x45;
	ip[1] = 3;
	put16(ip + 2, n);
	put16(ip + 4, 0x1234);
	put16(ip + 6, 0x4000);
	ip[8] = 9;
	ip[9] = 17;
	memcpy(ip + 12, &src.ip, 4);
	memcpy(ip + 16, &(uint32_t){OUTSIDE}, 4);
	put16(ip + 20, src.port);
	put16(ip + 22, OUT_PORT);
	put16(ip + 24, n - 20);
	memcpy(ip + HEADERS, payload, len);
	put16(ip + 10, (uint16_t)~sum_of(ip, 20, 0));
	put16(ip + 26, (uint16_t)~udp_sum(ip, n));
	return n;
}

static uint32_t rtp(uint8_t *p, uint32_t ssrc, uint16_t seq, uint32_t stamp)
{
	memset(p, 0, RTP_HEADER_LEN + PAYLOAD);
	p[0] = 0x80;
	put16(p + 2, seq);
	put16(p + 4, stamp >> 16);
	put16(p + 6, stamp);
	put16(p + 8, ssrc >> 16);
	put16(p + 10, ssrc);
	return RTP_HEADER_LEN + PAYLOAD;
}

/* A copy with an unreadable page behind it, until the next. */
static uint8_t *at_the_edge(const uint8_t *ip, uint32_t n)
{
	static struct guard g;

	if (g.map == NULL)
		guard_map(&g, ROOM);
	return memcpy(g.body + g.body_len - n, ip, n);
}

/* Offers one packet both ways; whether the fast one took it. */
static bool offer(struct flow *f, const uint8_t *ip, uint32_t n, struct net_addr src, uint64_t now)
{
	uint8_t *fast = at_the_edge(ip, n), plain[ROOM];
	struct flow slow, before;
	enum reason why;
	bool taken;

	memcpy(&slow, f, sizeof(slow));
	memcpy(&before, f, sizeof(before));
	memcpy(plain, ip, n);
	taken = flow_relay_fast(f, fast, n, now);
	if (!taken) {
		assert_memory_equal(f, &before, sizeof(before));
		assert_memory_equal(fast, ip, n);
		memcpy(f, &slow, sizeof(slow));
		flow_admit(f, NULL, src, ip + HEADERS, n - HEADERS, now, &why);
	} else {
		assert_int_equal(
			flow_admit(&slow, NULL, src, plain + HEADERS, n - HEADERS, now, &why),
			FLOW_RELAY);
		flow_rewrite(&slow, plain);
		assert_memory_equal(f, &slow, sizeof(slow));
		assert_memory_equal(fast, plain, n);
		assert_int_equal(sum_of(fast, 20, 0), 0xffff);
	}
	return taken;
}

static bool offer_rtp(struct pair *p, uint32_t ssrc, uint16_t seq, uint64_t now)
{
	uint8_t payload[64], ip[ROOM];
	uint32_t len = rtp(payload, ssrc, seq, seq * 160u);

	return offer(&p->a, ip, packet(ip, phone, payload, len), phone, now);
}

static void the_stream_of_a_locked_flow_is_taken(void **state)
{
	struct pair p;

	(void)state;
	pair_up(&p);
	assert_false(offer_rtp(&p, SSRC, 65500, 1000)); /* its first decides what the stream is */
	for (uint32_t i = 1; i < 100; i++)
		assert_true(offer_rtp(&p, SSRC, (uint16_t)(65500 + i), 1000 + i * 20));
	assert_int_equal(p.a.packets, 100);
	assert_int_equal(p.a.rtp.received, 100);
	assert_int_equal(rtp_stats_lost(&p.a.rtp), 0);
}

static void a_step_in_the_stream_is_looked_at(void **state)
{
	struct pair p;

	(void)state;
	pair_up(&p);
	offer_rtp(&p, SSRC, 1, 1000);
	assert_true(offer_rtp(&p, SSRC, 2, 1020));
	assert_false(offer_rtp(&p, SSRC, 2, 1020));
	assert_false(offer_rtp(&p, SSRC, 1, 1020));
	assert_true(offer_rtp(&p, SSRC, 2 + 2999, 1040));
	assert_false(offer_rtp(&p, SSRC, 2 + 2999 + 3000, 1040));
	assert_false(offer_rtp(&p, SSRC + 1, 9, 1060));
	assert_true(offer_rtp(&p, SSRC + 1, 10, 1080));
}

static void only_an_open_proven_joined_flow_takes(void **state)
{
	struct flow_spec closed = spec_of(false), opaque = spec_of(false), rtcp = spec_of(false);
	const struct flow_spec *const specs[] = {&closed, &opaque, &rtcp};
	struct pair p;

	(void)state;
	closed.closed = true;
	opaque.opaque = true;
	rtcp.rtcp = true;
	for (uint32_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		pair_up(&p);
		flow_publish(&p.a, specs[i], OUTSIDE, 1000);
		pair_join(&p);
		for (uint16_t seq = 1; seq < 4; seq++)
			assert_false(offer_rtp(&p, SSRC, seq, 1000));
	}
	pair_up(&p);
	offer_rtp(&p, SSRC, 1, 1000);
	flow_join(&p.a, NULL);
	assert_false(offer_rtp(&p, SSRC, 2, 1000));
	pair_join(&p);
	assert_true(offer_rtp(&p, SSRC, 3, 1000));
	/* Published anew: not before it is joined again. */
	closed = spec_of(false);
	flow_publish(&p.a, &closed, OUTSIDE, 1000);
	assert_false(offer_rtp(&p, SSRC, 4, 1000));
	flow_retire(&p.a);
	assert_false(offer_rtp(&p, SSRC, 5, 1000));
}

static void another_source_is_not_taken(void **state)
{
	const struct net_addr others[] = {
		{phone.ip, 40001}, {host.ip, 40000}, {phone.ip ^ 0x01000000, 40000}, {phone.ip, 0}};
	uint8_t payload[64], ip[ROOM];
	struct pair p;

	(void)state;
	pair_up(&p);
	offer_rtp(&p, SSRC, 1, 1000);
	for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		uint32_t n = packet(ip, others[i], payload, rtp(payload, SSRC, 2, 320));

		assert_false(offer(&p.a, ip, n, others[i], 1000));
		assert_int_equal(p.a.packets, 1);
	}
}

/* Every first two bytes and many lengths: RTP is taken, all else is not. */
static void what_is_not_rtp_is_not_taken(void **state)
{
	uint8_t payload[64], ip[ROOM];
	struct rtp_header h;
	struct pair p;
	uint16_t seq = 1;

	(void)state;
	pair_up(&p);
	offer_rtp(&p, SSRC, seq, 1000);
	for (uint32_t two = 0; two < 65536; two++) {
		uint32_t len = rtp(payload, SSRC, ++seq, two);
		bool is_rtp;

		len = two % 7 == 0 ? two % len : len;
		put16(payload, two);
		is_rtp = media_kind_of(payload, len) == MEDIA_RTP &&
			 rtp_header_read(&h, payload, len) == SBC_OK;
		assert_int_equal(offer(&p.a, ip, packet(ip, phone, payload, len), phone, 1000),
				 is_rtp);
		if (!is_rtp)
			seq--;
	}
}

/* Random packets of few kinds, one after another on one flow. */
static void random_packets_pass_alike(void **state)
{
	uint8_t payload[64], ip[ROOM];
	uint32_t seed = 12345, taken = 0;
	uint64_t now = 1000;
	struct pair p;

	(void)state;
	pair_up(&p);
	for (uint32_t i = 0; i < 200000; i++) {
		uint32_t r = seed = seed * 1664525u + 1013904223u;
		uint16_t seq = (uint16_t)(i + ((r >> 8 & 15) == 0) * (r >> 12 & 7));
		uint32_t len = rtp(payload, SSRC + (r >> 28 == 0), seq, i * 160 + (r >> 16 & 63));
		struct net_addr src = phone;
		uint32_t n;

		payload[0] ^= (r >> 20 & 31) == 0 ? (uint8_t)(r >> 3) : 0;
		payload[1] ^= (r >> 24 & 15) == 0 ? (uint8_t)(r >> 5) : 0;
		src.port ^= (r >> 4 & 63) == 0;
		now += r >> 14 & 31;
		n = packet(ip, src, payload, len);
		if ((r & 15) == 0)
			put16(ip + 26, 0);
		taken += offer(&p.a, ip, n, src, now);
	}
	assert_true(taken > 100000);
}

/* The sum that is written is right when the one that came was, and wrong by as much if not. */
static void a_wrong_checksum_stays_wrong(void **state)
{
	uint8_t payload[64], ip[ROOM];
	struct pair p;

	(void)state;
	pair_up(&p);
	offer_rtp(&p, SSRC, 1, 1000);
	for (uint32_t i = 0; i < 65536; i++) {
		uint32_t n = packet(ip, phone, payload, rtp(payload, SSRC, (uint16_t)(2 + i), i));
		uint16_t stored = (uint16_t)((uint32_t)ip[26] << 8 | ip[27]), before;

		put16(ip + 26, stored + i);
		before = udp_sum(ip, n);
		if (ip[26] == 0 && ip[27] == 0)
			continue;
		assert_true(flow_relay_fast(&p.a, ip, n, 1000));
		assert_true(ip[26] != 0 || ip[27] != 0);
		assert_int_equal(udp_sum(ip, n) == 0xffff, before == 0xffff);
		assert_int_equal(udp_sum(ip, n) % 0xffff, before % 0xffff);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stream_of_a_locked_flow_is_taken),
		cmocka_unit_test(a_step_in_the_stream_is_looked_at),
		cmocka_unit_test(only_an_open_proven_joined_flow_takes),
		cmocka_unit_test(another_source_is_not_taken),
		cmocka_unit_test(what_is_not_rtp_is_not_taken),
		cmocka_unit_test(random_packets_pass_alike),
		cmocka_unit_test(a_wrong_checksum_stays_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
