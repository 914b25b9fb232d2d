/*
 * Headers rewritten by delta against headers computed anew.
 */
#include <arpa/inet.h>
#include <string.h>

#include "sbc/media/flow.h"
#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#define HEADERS 28u

static uint32_t sum_be(const uint8_t *p, uint32_t n, uint32_t sum)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t finish(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* RFC 768, over pseudo header, header with a zero checksum, and payload. */
static uint16_t udp_checksum(const uint8_t *ip, uint32_t udp_len)
{
	uint32_t sum = sum_be(ip + 12, 8, 17 + udp_len);

	sum = sum_be(ip + 20, 6, sum);
	sum = sum_be(ip + 28, udp_len - 8, sum);
	uint16_t sent = finish(sum);
	return sent ? sent : 0xffff;
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void build(uint8_t *ip, struct net_addr src, uint32_t dst_ip, uint16_t dst_port,
		  uint32_t payload)
{
	static const uint8_t head[12] = {0x45, 3, 0, 0, 0x12, 0x34, 0x40, 0, 23, 17, 0, 0};

	memcpy(ip, head, sizeof(head));
	put16(ip + 2, (uint16_t)(HEADERS + payload));
	memcpy(ip + 12, &src.ip, 4);
	memcpy(ip + 16, &dst_ip, 4);
	put16(ip + 20, src.port);
	put16(ip + 22, dst_port);
	put16(ip + 24, (uint16_t)(8 + payload));
	put16(ip + 26, 0);
	put16(ip + 10, finish(sum_be(ip, 20, 0)));
}

struct relay {
	struct flow a, b;
	struct net_addr from, to;
	uint32_t local_a, local_b;
};

static void relay_init(struct relay *r, struct net_addr from, struct net_addr to, uint32_t local_a,
		       uint16_t port_a, uint32_t local_b, uint16_t port_b)
{
	struct flow_spec a = {.port = port_a,
			      .peer_port = port_b,
			      .remote = from,
			      .proven = true,
			      .peer_realm = 1};
	struct flow_spec b = {.port = port_b,
			      .peer_port = port_a,
			      .remote = to,
			      .proven = true,
			      .realm = 1,
			      .dscp = 46};

	memset(r, 0, sizeof(*r));
	r->from = from;
	r->to = to;
	r->local_a = local_a;
	r->local_b = local_b;
	flow_publish(&r->a, &a, local_a, 0);
	flow_publish(&r->b, &b, local_b, 0);
	assert_true(flow_join(&r->a, &r->b));
	assert_true(flow_join(&r->b, &r->a));
}

/* What was rewritten must be what one would have written from nothing. */
static void check(const struct relay *r, const uint8_t *ip, uint32_t payload, bool checksummed)
{
	assert_memory_equal(ip + 12, &r->local_b, 4);
	assert_memory_equal(ip + 16, &r->to.ip, 4);
	assert_int_equal(get16(ip + 20), r->b.spec.port);
	assert_int_equal(get16(ip + 22), r->to.port);
	assert_int_equal(ip[1], 46 << 2 | 3); /* DSCP ours, ECN the packet's */
	assert_int_equal(ip[8], 64);
	assert_int_equal(finish(sum_be(ip, 20, 0)), 0);
	assert_int_equal(get16(ip + 26), checksummed ? udp_checksum(ip, 8 + payload) : 0);
	assert_memory_equal(ip + 4, "\x12\x34\x40\x00", 4);
}

static struct net_addr random_addr(uint64_t *seed)
{
	struct net_addr a;

	do {
		a.ip = (uint32_t)unit_random(seed);
		a.port = (uint16_t)unit_random(seed);
	} while (a.port == 0 || !net_ip_is_unicast(a.ip));
	return a;
}

static void random_packets_equal_full_recomputation(void **state)
{
	uint64_t seed = 2024;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct relay r;
		relay_init(&r, random_addr(&seed), random_addr(&seed), random_addr(&seed).ip,
			   (uint16_t)(unit_random(&seed) | 2), random_addr(&seed).ip,
			   (uint16_t)(unit_random(&seed) | 2));
		for (int k = 0; k < 10; k++) {
			uint32_t payload = (uint32_t)(unit_random(&seed) % 180);
			struct guard g;
			uint8_t *ip = (uint8_t *)guard_end(&g, NULL, HEADERS + payload);
			build(ip, r.from, r.local_a, r.a.spec.port, payload);
			for (uint32_t b = 0; b < payload; b++)
				ip[HEADERS + b] = (uint8_t)unit_random(&seed);
			bool checksummed = k != 0;
			put16(ip + 26, checksummed ? udp_checksum(ip, 8 + payload) : 0);
			if (k == 1) /* without a precomputed delta */
				r.a.flags &= (uint8_t)~FLOW_F_CHECKSUM;
			flow_rewrite(&r.a, ip);
			check(&r, ip, payload, checksummed);
			guard_free(&g);
		}
	}
}

/*
 * Two payload bytes run through all their values, and so does the checksum
 * before and after: 0xffff, which stands for a sum of zero, on both sides.
 */
static void every_checksum_value_is_met(void **state)
{
	struct relay r;
	uint64_t seed = 31;
	bool in_ffff = false, out_ffff = false;

	(void)state;
	relay_init(&r, random_addr(&seed), random_addr(&seed), random_addr(&seed).ip, 20000,
		   random_addr(&seed).ip, 30000);
	for (uint32_t v = 0; v < 0x10000; v++) {
		uint8_t ip[HEADERS + 2];
		build(ip, r.from, r.local_a, 20000, 2);
		put16(ip + HEADERS, (uint16_t)v);
		put16(ip + 26, udp_checksum(ip, 10));
		in_ffff |= get16(ip + 26) == 0xffff;
		flow_rewrite(&r.a, ip);
		check(&r, ip, 2, true);
		out_ffff |= get16(ip + 26) == 0xffff;
	}
	assert_true(in_ffff && out_ffff);
}

/* Swapping what the sum cannot see: a delta of ones' complement zero. */
static void a_delta_of_zero_is_harmless(void **state)
{
	struct net_addr from = {htonl(0x0a000001), 5000}, to = {htonl(0x0a000002), 6000};
	struct relay r;

	(void)state;
	relay_init(&r, from, to, to.ip, to.port, from.ip, from.port);
	assert_true(r.a.udp_delta == 0 || r.a.udp_delta == 0xffff);
	for (uint32_t v = 0; v < 0x10000; v++) {
		uint8_t ip[HEADERS + 2];
		build(ip, from, to.ip, to.port, 2);
		put16(ip + HEADERS, (uint16_t)v);
		uint16_t before = udp_checksum(ip, 10);
		put16(ip + 26, before);
		flow_rewrite(&r.a, ip);
		assert_int_equal(get16(ip + 26), before);
		check(&r, ip, 2, true);
	}
}

/* A checksum that was wrong stays wrong: the border does not vouch for broken data. */
static void a_wrong_checksum_is_not_mended(void **state)
{
	struct net_addr from = {htonl(0x0a000001), 5000}, to = {htonl(0x0b000002), 6000};
	uint8_t ip[HEADERS + 4];
	struct relay r;

	(void)state;
	relay_init(&r, from, to, htonl(0x0c000001), 20000, htonl(0x0d000001), 30000);
	build(ip, from, r.local_a, 20000, 4);
	memset(ip + HEADERS, 7, 4);
	put16(ip + 26, (uint16_t)(udp_checksum(ip, 12) ^ 0x0100));
	flow_rewrite(&r.a, ip);
	assert_int_not_equal(get16(ip + 26), udp_checksum(ip, 12));
}

static void a_new_destination_asks_for_a_new_next_hop(void **state)
{
	struct net_addr from = {htonl(0x0a000001), 5000}, to = {htonl(0x0b000002), 6000};
	struct relay r;

	(void)state;
	relay_init(&r, from, to, htonl(0x0c000001), 20000, htonl(0x0d000001), 30000);
	r.a.out_l2_len = 14;
	assert_true(flow_join(&r.a, &r.b));
	assert_int_equal(r.a.out_l2_len, 14); /* unchanged: kept */
	r.b.spec.remote.ip = htonl(0x0b000003);
	r.b.spec.epoch++;
	struct flow_spec next = r.b.spec;
	r.b.spec.epoch--;
	flow_publish(&r.b, &next, r.local_b, 0);
	assert_true(flow_join(&r.a, &r.b));
	assert_int_equal(r.a.out_l2_len, 0);
	r.a.out_l2_len = 14;
	assert_false(flow_join(&r.a, NULL));
	assert_int_equal(r.a.out_l2_len, 0);
	assert_int_equal(r.a.flags & FLOW_F_CHECKSUM, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_packets_equal_full_recomputation),
		cmocka_unit_test(every_checksum_value_is_met),
		cmocka_unit_test(a_delta_of_zero_is_harmless),
		cmocka_unit_test(a_wrong_checksum_is_not_mended),
		cmocka_unit_test(a_new_destination_asks_for_a_new_next_hop),
	};
	return cmocka_run_group_tests_name("media/flow_rewrite", tests, NULL, NULL);
}
