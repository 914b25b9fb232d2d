/* Ethernet, VLAN and ARP: who is answered, who is believed, what is dropped. */
#include "tests/dataplane/bed.h"

#include <arpa/inet.h>
#include <string.h>

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct frame f;

static void bed_up(struct bed *b)
{
	bed_init(b, 1);
	bed_open(b, 0);
}

static void arp(struct bed *b, uint32_t port, uint16_t op, const uint8_t *to, const uint8_t *sha,
		uint32_t sip, uint32_t tip)
{
	struct frame_spec s = {.to = to, .from = sha};

	frame_arp(&f, &s, op, sha, sip, tip);
	bed_put(b, port, &f);
	bed_turn(b);
}

/* Makes the border send to a host: it is pinged by it. */
static void ping(struct bed *b, uint32_t port, uint32_t src, const uint8_t *mac, uint16_t seq)
{
	struct frame_spec s = bed_spec(port, src, mac);

	frame_icmp_echo(&f, &s, seq, 32);
	bed_put(b, port, &f);
	bed_turn(b);
}

static void arp_request_is_answered(void **state)
{
	struct bed b;
	struct frame_view v;

	(void)state;
	bed_up(&b);
	arp(&b, OUTSIDE, 1, everyone, PHONE_MAC, PHONE, OUT_IP);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.type, 0x0806);
	assert_int_equal(v.op, 2);
	assert_memory_equal(v.to, PHONE_MAC, 6);
	assert_memory_equal(v.from, OUT_MAC, 6);
	assert_memory_equal(v.sha, OUT_MAC, 6);
	assert_memory_equal(v.tha, PHONE_MAC, 6);
	assert_int_equal(v.sip, OUT_IP);
	assert_int_equal(v.tip, PHONE);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void arp_probe_is_answered_and_not_learned(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	arp(&b, OUTSIDE, 1, everyone, PHONE_MAC, 0, OUT_IP);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).op, 2);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).op, 1);
	bed_elapse(&b, 10000);
	bed_close(&b);
}

static void arp_for_others_is_dropped(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	arp(&b, OUTSIDE, 1, everyone, PHONE_MAC, PHONE, OUT_IP + 8);
	bed_assert_count(&b, ARP_OTHER, 1);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void bad_arp_is_dropped(void **state)
{
	static const struct {
		uint32_t at;
		uint8_t value;
	} breaks[] = {{15, 9}, {16, 9}, {18, 5}, {19, 6}, {21, 9}, {22, 0xff}, {11, 0x77}};
	struct bed b;
	struct frame_spec s = {.to = everyone, .from = PHONE_MAC};

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_IP);
		f.b[breaks[i].at] = breaks[i].value;
		bed_put(&b, OUTSIDE, &f);
		bed_turn(&b);
		bed_assert_count(&b, ARP_BAD, i + 1);
	}
	frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_IP);
	f.n -= 1;
	bed_put(&b, OUTSIDE, &f);
	/* Someone has our address. */
	frame_arp(&f, &s, 1, PHONE_MAC, OUT_IP, OUT_IP);
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, ARP_BAD, 9);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void next_hop_is_resolved_and_waiting_packets_follow(void **state)
{
	struct bed b;
	struct frame_view v;

	(void)state;
	bed_up(&b);
	for (uint16_t i = 1; i <= 3; i++)
		ping(&b, OUTSIDE, PHONE, PHONE_MAC, i);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.op, 1);
	assert_memory_equal(v.to, everyone, 6);
	assert_int_equal(v.sip, OUT_IP);
	assert_int_equal(v.tip, PHONE);
	bed_expect_silence(&b);

	arp(&b, OUTSIDE, 2, OUT_MAC, PHONE_MAC, PHONE, OUT_IP);
	bed_elapse(&b, 1);
	for (uint16_t i = 1; i <= 3; i++) {
		v = bed_expect(&b, OUTSIDE, &f);
		assert_memory_equal(v.to, PHONE_MAC, 6);
		assert_int_equal(v.dst, PHONE);
		assert_int_equal(v.payload[7], i);
	}
	bed_expect_silence(&b);
	bed_close(&b);
}

static void off_link_goes_to_the_gateway(void **state)
{
	struct bed b;
	struct frame_view v;

	(void)state;
	bed_up(&b);
	bed_learn(&b, OUTSIDE, OUT_GW, GW_MAC);
	ping(&b, OUTSIDE, FAR, GW_MAC, 1);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_memory_equal(v.to, GW_MAC, 6);
	assert_int_equal(v.dst, FAR);
	/* The inside has no gateway. */
	ping(&b, INSIDE, FAR, PBX_MAC, 1);
	bed_assert_count(&b, NO_ROUTE, 1);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void silent_next_hop_is_asked_three_times_and_given_up(void **state)
{
	struct bed b;
	uint32_t requests = 0;

	(void)state;
	bed_up(&b);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	bed_elapse(&b, NEIGH_TRIES * NEIGH_RETRY_MS + 500);
	while (bed_take(&b, OUTSIDE, &f))
		requests += frame_read(&f).op == 1;
	assert_int_equal(requests, NEIGH_TRIES);
	bed_assert_count(&b, NEIGH_FAILED, 1);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 2);
	bed_assert_count(&b, NEIGH_FAILED, 2);
	bed_expect_silence(&b);
	/* Later it is tried anew. */
	bed_elapse(&b, NEIGH_FAILED_MS + 500);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 3);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).op, 1);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	bed_elapse(&b, 1);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, PHONE_MAC, 6);
	bed_close(&b);
}

static void waiting_packets_are_bounded(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint16_t i = 0; i < WORKER_PENDING_N + 3; i++)
		ping(&b, OUTSIDE, PHONE, PHONE_MAC, i);
	bed_assert_count(&b, NEIGH_PENDING, 3);
	bed_elapse(&b, 5000);
	bed_assert_count(&b, NEIGH_FAILED, WORKER_PENDING_N);
	bed_close(&b);
}

static void claims_do_not_replace_what_is_known(void **state)
{
	struct bed b;
	struct frame_view v;

	(void)state;
	bed_up(&b);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	bed_elapse(&b, NEIGH_RETRY_MS + 10);
	/* Gratuitous, an unasked answer, a request to us: all three for the phone's address. */
	arp(&b, OUTSIDE, 1, everyone, EVIL_MAC, PHONE, PHONE);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.op, 1);
	assert_memory_equal(v.to, PHONE_MAC, 6);
	arp(&b, OUTSIDE, 2, OUT_MAC, EVIL_MAC, PHONE, OUT_IP);
	arp(&b, OUTSIDE, 1, everyone, EVIL_MAC, PHONE, OUT_IP);
	bed_drain(&b);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, PHONE_MAC, 6);
	/* The phone answers the probe, and all is as before. */
	arp(&b, OUTSIDE, 2, OUT_MAC, PHONE_MAC, PHONE, OUT_IP);
	bed_elapse(&b, 20000);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 2);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, PHONE_MAC, 6);
	bed_close(&b);
}

static void host_that_moved_is_followed(void **state)
{
	struct bed b;
	bool broadcast = false;

	(void)state;
	bed_up(&b);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	bed_elapse(&b, NEIGH_RETRY_MS + 10);
	arp(&b, OUTSIDE, 1, everyone, GW_MAC, PHONE, PHONE);
	/* Its old address is asked, in vain; then everyone. */
	bed_elapse(&b, (NEIGH_TRIES + 1) * NEIGH_RETRY_MS);
	while (bed_take(&b, OUTSIDE, &f))
		broadcast = broadcast || memcmp(frame_read(&f).to, everyone, 6) == 0;
	assert_true(broadcast);
	arp(&b, OUTSIDE, 2, OUT_MAC, GW_MAC, PHONE, OUT_IP);
	ping(&b, OUTSIDE, PHONE, GW_MAC, 1);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, GW_MAC, 6);
	bed_close(&b);
}

static void neighbour_in_use_is_asked_again_and_an_unused_one_forgotten(void **state)
{
	struct bed b;
	struct frame_view v;

	(void)state;
	bed_up(&b);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	bed_elapse(&b, NEIGH_FRESH_MS - 5000);
	bed_expect_silence(&b);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	bed_drain(&b);
	bed_elapse(&b, 6000);
	v = bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(v.op, 1);
	assert_memory_equal(v.to, PHONE_MAC, 6);
	arp(&b, OUTSIDE, 2, OUT_MAC, PHONE_MAC, PHONE, OUT_IP);
	bed_drain(&b);
	bed_elapse(&b, NEIGH_UNUSED_MS + 2000);
	bed_drain(&b);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	assert_memory_equal(bed_expect(&b, OUTSIDE, &f).to, everyone, 6);
	bed_elapse(&b, 10000);
	bed_close(&b);
}

/* All of an entry's places taken by others. */
static void full_neighbour_table_is_counted(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < NEIGH_ENTRIES; i++)
		b.dp->neigh->entry[i].key = UINT64_MAX - i;
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	bed_assert_count(&b, NEIGH_TABLE, 1);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void vlan_ports_share_a_device(void **state)
{
	struct bed b;
	struct frame_spec s;
	struct frame_view v;

	(void)state;
	bed_init(&b, 1);
	memcpy(b.conf.port[INSIDE].device, b.conf.port[OUTSIDE].device,
	       sizeof(b.conf.port[0].device));
	b.conf.port[OUTSIDE].vlan = 100;
	b.conf.port[INSIDE].vlan = 200;
	b.devices = 1;
	bed_open(&b, 0);

	s = (struct frame_spec){.to = everyone, .from = PBX_MAC, .vlan = 200};
	frame_arp(&f, &s, 1, PBX_MAC, PBX, IN_IP);
	bed_put(&b, 0, &f);
	bed_turn(&b);
	v = bed_expect(&b, 0, &f);
	assert_int_equal(v.vlan, 200);
	assert_int_equal(v.op, 2);
	assert_memory_equal(v.sha, IN_MAC, 6);

	s = bed_spec(INSIDE, PBX, PBX_MAC);
	s.vlan = 200;
	frame_icmp_echo(&f, &s, 7, 32);
	bed_put(&b, 0, &f);
	bed_turn(&b);
	v = bed_expect(&b, 0, &f);
	assert_int_equal(v.vlan, 200);
	assert_int_equal(v.dst, PBX);

	/* The inside's address from the outside's VLAN, no tag, and a tag nobody has. */
	s.vlan = 100;
	s.to = OUT_MAC;
	frame_icmp_echo(&f, &s, 7, 32);
	bed_put(&b, 0, &f);
	bed_turn(&b);
	bed_assert_count(&b, IP_NOT_OURS, 1);
	s.vlan = 0;
	frame_icmp_echo(&f, &s, 7, 32);
	bed_put(&b, 0, &f);
	s.vlan = 300;
	frame_icmp_echo(&f, &s, 7, 32);
	bed_put(&b, 0, &f);
	bed_turn(&b);
	bed_assert_count(&b, L2_VLAN, 2);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void stripped_vlan_tag_counts(void **state)
{
	struct bed b;
	struct frame_spec s = {.to = everyone, .from = PHONE_MAC};
	void *m = NULL;

	(void)state;
	bed_init(&b, 1);
	b.conf.port[OUTSIDE].vlan = 100;
	bed_open(&b, 0);
	frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_IP);
	bed_put(&b, OUTSIDE, &f);
	assert_int_equal(rte_ring_dequeue(b.rx[OUTSIDE], &m), 0);
	((struct rte_mbuf *)m)->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	((struct rte_mbuf *)m)->vlan_tci = 100;
	assert_int_equal(rte_ring_enqueue(b.rx[OUTSIDE], m), 0);
	bed_turn(&b);
	assert_int_equal(bed_expect(&b, OUTSIDE, &f).vlan, 100);
	bed_close(&b);
}

static void frames_for_nobody_are_dropped(void **state)
{
	struct bed b;
	struct frame_spec s;

	(void)state;
	bed_up(&b);
	for (uint32_t n = 1; n < 14; n++) {
		memset(f.b, 0, 14);
		f.n = n;
		bed_put(&b, OUTSIDE, &f);
	}
	s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	s.vlan = 5;
	frame_icmp_echo(&f, &s, 1, 8);
	f.n = 17;
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, L2_SHORT, 14);

	s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	frame_icmp_echo(&f, &s, 1, 8);
	f.b[12] = 0x86;
	f.b[13] = 0xdd;
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, L2_TYPE, 1);

	s.to = EVIL_MAC;
	frame_icmp_echo(&f, &s, 1, 8);
	bed_put(&b, OUTSIDE, &f);
	s.to = everyone;
	frame_icmp_echo(&f, &s, 1, 8);
	bed_put(&b, OUTSIDE, &f);
	s.to = EVIL_MAC;
	frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_IP);
	bed_put(&b, OUTSIDE, &f);
	bed_turn(&b);
	bed_assert_count(&b, L2_OTHER, 3);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void full_device_drops_and_counts(void **state)
{
	struct bed b;
	struct frame_spec s = {.to = everyone, .from = PHONE_MAC};
	uint32_t sent = 0;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 16);
	for (uint32_t i = 0; i < 200; i++) {
		frame_arp(&f, &s, 1, PHONE_MAC, PHONE, OUT_IP);
		bed_put(&b, OUTSIDE, &f);
	}
	bed_turn(&b);
	bed_turn(&b);
	/* 15 in the ring, a buffer of ours full. */
	bed_assert_count(&b, TX_FULL, 200 - 15 - WORKER_TX_BUFFER);
	/* What waits goes out, in order and whole, as the device takes more. */
	for (uint32_t i = 0; i < 20; i++) {
		while (bed_take(&b, OUTSIDE, &f))
			sent++;
		bed_turn(&b);
	}
	assert_int_equal(sent, 15 + WORKER_TX_BUFFER);
	bed_close(&b);
}

static void no_buffer_free_is_counted(void **state)
{
	struct bed b;
	struct rte_mbuf *held[8192];
	uint32_t n = 0;

	(void)state;
	bed_up(&b);
	while ((held[n] = packet_alloc(b.dp->pool[0])) != NULL)
		n++;
	assert_int_equal(n, b.conf.mbufs);
	ping(&b, OUTSIDE, PHONE, PHONE_MAC, 1);
	bed_assert_count(&b, NO_MBUF, 1);
	rte_pktmbuf_free_bulk(held, n);
	bed_elapse(&b, 10000);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arp_request_is_answered),
		cmocka_unit_test(arp_probe_is_answered_and_not_learned),
		cmocka_unit_test(arp_for_others_is_dropped),
		cmocka_unit_test(bad_arp_is_dropped),
		cmocka_unit_test(next_hop_is_resolved_and_waiting_packets_follow),
		cmocka_unit_test(off_link_goes_to_the_gateway),
		cmocka_unit_test(silent_next_hop_is_asked_three_times_and_given_up),
		cmocka_unit_test(waiting_packets_are_bounded),
		cmocka_unit_test(claims_do_not_replace_what_is_known),
		cmocka_unit_test(host_that_moved_is_followed),
		cmocka_unit_test(neighbour_in_use_is_asked_again_and_an_unused_one_forgotten),
		cmocka_unit_test(full_neighbour_table_is_counted),
		cmocka_unit_test(vlan_ports_share_a_device),
		cmocka_unit_test(stripped_vlan_tag_counts),
		cmocka_unit_test(frames_for_nobody_are_dropped),
		cmocka_unit_test(full_device_drops_and_counts),
		cmocka_unit_test(no_buffer_free_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
