/* IPv4, ICMP and UDP: headers that lie, hosts that cannot be, fragments, echo. */
#include "tests/dataplane/bed.h"

#include <string.h>

#include "dataplane/icmp.h"
#include "dataplane/reassembly.h"

static struct frame f;

static void bed_up(struct bed *b)
{
	bed_init(b, 1);
	bed_open(b, 0);
	bed_learn_all(b);
}

static struct frame_spec phone(void)
{
	return bed_spec(OUTSIDE, PHONE, PHONE_MAC);
}

static void put(struct bed *b)
{
	bed_put(b, OUTSIDE, &f);
	bed_turn(b);
}

static void echo(struct bed *b, const struct frame_spec *s, uint16_t seq, uint32_t n)
{
	frame_icmp_echo(&f, s, seq, n);
	put(b);
}

static void expect_echo(struct bed *b, uint16_t seq, uint32_t n)
{
	struct frame_view v = bed_expect(b, OUTSIDE, &f);

	assert_int_equal(v.proto, 1);
	assert_int_equal(v.src, OUT_IP);
	assert_int_equal(v.dst, PHONE);
	assert_int_equal(v.ttl, 64);
	assert_int_equal(v.payload[0], 0);
	assert_int_equal(v.payload[7], seq);
	assert_int_equal(v.n, 8 + n);
	assert_int_equal(frame_sum(v.payload, v.n), 0xffff);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(v.payload[8 + i], (uint8_t)i);
}

static void echo_is_answered(void **state)
{
	static const uint32_t sizes[] = {0, 1, 56, 57, 1472};
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		echo(&b, &s, (uint16_t)i, sizes[i]);
		expect_echo(&b, (uint16_t)i, sizes[i]);
	}
	/* Padding to Ethernet's least length is not part of it. */
	frame_icmp_echo(&f, &s, 9, 2);
	memset(f.b + f.n, 0xaa, 60 - f.n);
	f.n = 60;
	put(&b);
	expect_echo(&b, 9, 2);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void echo_is_limited_in_rate(void **state)
{
	struct frame_spec s = phone();
	struct bed b;
	uint32_t answers = 0;

	(void)state;
	bed_up(&b);
	for (uint16_t i = 0; i < ICMP_BURST + 10; i++)
		echo(&b, &s, i, 8);
	while (bed_take(&b, OUTSIDE, &f))
		answers++;
	assert_int_equal(answers, ICMP_BURST);
	bed_assert_count(&b, ICMP_RATE, 10);
	bed_elapse(&b, 1000 / ICMP_PER_SECOND);
	echo(&b, &s, 1, 8);
	echo(&b, &s, 2, 8);
	expect_echo(&b, 1, 8);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void other_icmp_is_dropped(void **state)
{
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	/* Unreachable, redirect, timestamp, a reply, and one with a wrong checksum. */
	for (uint32_t type = 0; type < 16; type++) {
		frame_icmp_echo(&f, &s, 1, 8);
		if (type == 8)
			continue;
		f.b[14 + 20] = (uint8_t)type;
		f.b[14 + 20 + 2] = (uint8_t)(f.b[14 + 20 + 2] + 8 - type);
		put(&b);
	}
	bed_assert_count(&b, ICMP_OTHER, 15);
	frame_icmp_echo(&f, &s, 1, 8);
	f.b[14 + 20 + 9] ^= 1;
	put(&b);
	s.proto = 1;
	frame_ip(&f, &s, "\x08\x00\xf7\xff", 4);
	put(&b);
	bed_assert_count(&b, ICMP_OTHER, 17);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void options_are_skipped(void **state)
{
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t n = 4; n <= 40; n += 4) {
		s.options = (uint8_t)n;
		echo(&b, &s, (uint16_t)n, 24);
		expect_echo(&b, (uint16_t)n, 24);
	}
	bed_close(&b);
}

static void lying_headers_are_dropped(void **state)
{
	/* Offset in the IPv4 header, value; the checksum is made right again. */
	static const struct {
		uint32_t at;
		uint8_t value;
	} lies[] = {{0, 0x65}, {0, 0x44}, {0, 0x4f}, {0, 0x05}, {2, 0x40}, {3, 19}, {3, 0}};
	struct frame_spec s = phone();
	struct bed b;
	uint32_t n = sizeof(lies) / sizeof(lies[0]);

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < n; i++) {
		frame_icmp_echo(&f, &s, 1, 4);
		f.b[14 + lies[i].at] = lies[i].value;
		frame_fix_ip(&f);
		put(&b);
		bed_assert_count(&b, IP_BAD, i + 1);
	}
	/* Every length shorter than it says, and every bit of the header flipped. */
	for (uint32_t cut = 14 + 20 + 12 - 1; cut > 18; cut--) {
		frame_icmp_echo(&f, &s, 1, 4);
		f.n = cut;
		put(&b);
		bed_assert_count(&b, IP_BAD, ++n);
	}
	for (uint32_t bit = 0; bit < 160; bit++) {
		frame_icmp_echo(&f, &s, 1, 4);
		f.b[14 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		put(&b);
		bed_assert_count(&b, IP_BAD, ++n);
	}
	bed_expect_silence(&b);
	bed_close(&b);
}

static void only_our_addresses_are_taken(void **state)
{
	static const uint32_t others[] = {OUT_IP + 1, IN_IP, 0xffffffff, 0xcb0071ff, 0xe0000001, 0};
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		s.dst = others[i];
		echo(&b, &s, 1, 8);
		bed_assert_count(&b, IP_NOT_OURS, i + 1);
	}
	bed_expect_silence(&b);
	bed_close(&b);
}

static void sources_that_cannot_be_are_dropped(void **state)
{
	static const uint32_t sources[] = {0,          0x00000001, 0x7f000001, 0xe0000001,
					   0xefffffff, 0xf0000001, 0xffffffff, OUT_IP,
					   0xcb007100, 0xcb0071ff};
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		s.src = sources[i];
		echo(&b, &s, 1, 8);
		bed_assert_count(&b, IP_SOURCE, i + 1);
	}
	bed_expect_silence(&b);
	bed_close(&b);
}

static void ttl_zero_is_dropped_and_one_is_not(void **state)
{
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	s.ttl = TTL_ZERO;
	echo(&b, &s, 1, 8);
	bed_assert_count(&b, IP_TTL, 1);
	s.ttl = 1;
	echo(&b, &s, 2, 8);
	expect_echo(&b, 2, 8);
	bed_close(&b);
}

static void other_protocols_are_dropped(void **state)
{
	struct frame_spec s = phone();
	struct bed b;
	uint32_t n = 0;

	(void)state;
	bed_up(&b);
	for (uint32_t proto = 2; proto < 255; proto++) {
		s.proto = (uint8_t)proto;
		if (proto == 17)
			continue;
		frame_ip(&f, &s, "12345678", 8);
		put(&b);
		bed_assert_count(&b, IP_PROTO, ++n);
	}
	bed_close(&b);
}

static void bad_udp_is_dropped(void **state)
{
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	/* Shorter than a header; a length of 7, one more and one less than there is. */
	frame_ip(&f, &s, "1234567", 7);
	put(&b);
	for (int d = -9; d <= 1; d++) {
		if (d == 0)
			continue;
		frame_udp(&f, &s, "12345678", 8);
		f.b[14 + 20 + 5] = (uint8_t)(16 + d);
		put(&b);
	}
	bed_assert_count(&b, UDP_BAD, 11);

	for (uint32_t bit = 0; bit < 8 * 8; bit++) {
		frame_udp(&f, &s, "12345678", 8);
		f.b[14 + 20 + 8 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		put(&b);
	}
	bed_assert_count(&b, UDP_CHECKSUM, 64);
	/* The addresses are under the checksum too. */
	frame_udp(&f, &s, "12345678", 8);
	f.b[14 + 15] ^= 1;
	frame_fix_ip(&f);
	put(&b);
	bed_assert_count(&b, UDP_CHECKSUM, 65);
	bed_expect_silence(&b);
	bed_close(&b);
}

static void udp_to_nowhere_is_dropped(void **state)
{
	static const uint16_t ports[] = {1, 5059, 5061, 19999, 20200, 30000, 65535, 0};
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		s.dport = ports[i];
		frame_udp(&f, &s, "x", 1);
		put(&b);
		bed_assert_count(&b, UDP_PORT, i + 1);
	}
	/* No checksum is no error: it gets as far as the port. */
	s.no_checksum = true;
	frame_udp(&f, &s, "x", 1);
	put(&b);
	bed_assert_count(&b, UDP_PORT, 9);
	bed_expect_silence(&b);
	bed_close(&b);
}

/* ---- fragments: of an echo request, whose answer shows what was put together ---- */

#define ECHO_N 2000u

static uint8_t whole[8 + 65536 + 256];

/* The ICMP message that frame_icmp_echo() would make, for cutting. */
static uint32_t echo_bytes(uint32_t n)
{
	uint16_t sum;

	memset(whole, 0, 8);
	whole[0] = 8;
	whole[7] = 5;
	for (uint32_t i = 0; i < n; i++)
		whole[8 + i] = (uint8_t)i;
	sum = (uint16_t)~frame_sum(whole, 8 + n);
	whole[2] = (uint8_t)(sum >> 8);
	whole[3] = (uint8_t)sum;
	return 8 + n;
}

static void put_piece(struct bed *b, uint32_t src, uint16_t id, uint32_t off, uint32_t n, bool more)
{
	struct frame_spec s = phone();

	s.src = src;
	s.id = id;
	s.proto = 1;
	s.frag = (uint16_t)(off / 8 | (more ? 0x2000 : 0));
	frame_ip(&f, &s, whole + off, n);
	put(b);
}

/* The answer comes in fragments as well; they are put together here. */
static void expect_big_echo(struct bed *b, uint32_t n)
{
	static uint8_t got[sizeof(whole)];
	uint32_t have = 0;
	bool more = true;
	uint16_t id = 0;

	while (more) {
		struct frame_view v = bed_expect(b, OUTSIDE, &f);

		assert_true(v.n + 20 <= 1500);
		assert_int_equal((v.frag & 0x1fff) * 8, have);
		if (have != 0)
			assert_int_equal(v.id, id);
		id = v.id;
		memcpy(got + have, v.payload, v.n);
		have += v.n;
		more = v.frag & 0x2000;
	}
	assert_int_equal(have, 8 + n);
	assert_int_equal(got[0], 0);
	assert_int_equal(frame_sum(got, have), 0xffff);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(got[8 + i], (uint8_t)i);
	bed_expect_silence(b);
}

static void fragments_in_any_order_are_put_together(void **state)
{
	static const uint8_t orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					    {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	struct bed b;
	uint32_t n = echo_bytes(ECHO_N);

	(void)state;
	bed_up(&b);
	for (uint16_t i = 0; i < 6; i++) {
		for (uint32_t k = 0; k < 3; k++) {
			uint32_t off = orders[i][k] * 800u;

			put_piece(&b, PHONE, i, off, off == 1600 ? n - 1600 : 800, off != 1600);
		}
		expect_big_echo(&b, ECHO_N);
	}
	bed_close(&b);
}

static void largest_datagram_is_put_together(void **state)
{
	struct bed b;
	uint32_t n = echo_bytes(65515 - 8);

	(void)state;
	bed_up(&b);
	for (uint32_t off = 0; off < n; off += 1480)
		put_piece(&b, PHONE, 77, off, n - off > 1480 ? 1480 : n - off, n - off > 1480);
	expect_big_echo(&b, 65515 - 8);
	bed_close(&b);
}

static void fragment_with_options_is_taken(void **state)
{
	struct frame_spec s = phone();
	struct bed b;
	uint32_t n = echo_bytes(1200);

	(void)state;
	bed_up(&b);
	s.proto = 1;
	s.id = 3;
	s.options = 8;
	s.frag = 0x2000;
	frame_ip(&f, &s, whole, 800);
	put(&b);
	put_piece(&b, PHONE, 3, 800, n - 800, false);
	expect_echo(&b, 5, 1200);
	bed_close(&b);
}

static void overlap_drops_all(void **state)
{
	/* The second piece: offset and length against a first of 0 to 800. */
	static const struct {
		uint32_t off, n;
		bool more;
	} second[] = {
		{792, 800, true}, {0, 808, true}, {400, 200, true}, {0, 8, true}, {8, 792, true}};
	struct bed b;

	(void)state;
	bed_up(&b);
	echo_bytes(ECHO_N);
	for (uint16_t i = 0; i < 5; i++) {
		uint64_t before = bed_count(&b, REASON_FRAG_BAD);

		put_piece(&b, PHONE, i, 0, 800, true);
		put_piece(&b, PHONE, i, second[i].off, second[i].n, second[i].more);
		assert_int_equal(bed_count(&b, REASON_FRAG_BAD), before + 2);
		/* The rest does not help any more. */
		put_piece(&b, PHONE, i, 800, 1208, false);
		put_piece(&b, PHONE, i, 0, 800, true);
		assert_int_equal(bed_count(&b, REASON_FRAG_BAD), before + 4);
	}
	bed_expect_silence(&b);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_close(&b);
}

static void doubled_fragment_is_dropped_alone(void **state)
{
	struct bed b;
	uint32_t n = echo_bytes(ECHO_N);

	(void)state;
	bed_up(&b);
	put_piece(&b, PHONE, 1, 0, 800, true);
	put_piece(&b, PHONE, 1, 0, 800, true);
	bed_assert_count(&b, FRAG_BAD, 1);
	put_piece(&b, PHONE, 1, 800, n - 800, false);
	expect_big_echo(&b, ECHO_N);
	/* The same place with other bytes is an attack. */
	put_piece(&b, PHONE, 2, 0, 800, true);
	whole[100] ^= 1;
	put_piece(&b, PHONE, 2, 0, 800, true);
	bed_assert_count(&b, FRAG_BAD, 3);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_close(&b);
}

static void two_ends_drop_all(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	echo_bytes(ECHO_N);
	put_piece(&b, PHONE, 1, 1600, 400, false);
	put_piece(&b, PHONE, 1, 1600, 408, false);
	bed_assert_count(&b, FRAG_BAD, 2);
	put_piece(&b, PHONE, 2, 1600, 400, false);
	put_piece(&b, PHONE, 2, 1200, 800 + 8, true);
	bed_assert_count(&b, FRAG_BAD, 4);
	put_piece(&b, PHONE, 3, 1600, 400, true);
	put_piece(&b, PHONE, 3, 800, 400, false);
	bed_assert_count(&b, FRAG_BAD, 6);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_close(&b);
}

static void impossible_fragments_are_dropped(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	put_piece(&b, PHONE, 1, 0, 801, true);
	put_piece(&b, PHONE, 1, 0, 0, true);
	put_piece(&b, PHONE, 1, 65528, 100, false);
	bed_assert_count(&b, FRAG_BAD, 3);
	bed_close(&b);
}

static void too_many_fragments_drop_all(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint32_t i = 0; i <= REASSEMBLY_FRAGMENTS; i++)
		put_piece(&b, PHONE, 1, i * 8, 8, true);
	bed_assert_count(&b, FRAG_BAD, REASSEMBLY_FRAGMENTS + 1);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_close(&b);
}

static void reassembly_is_bounded(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	for (uint16_t i = 0; i < REASSEMBLY_PER_SOURCE + 2; i++)
		put_piece(&b, PHONE, i, 0, 800, true);
	bed_assert_count(&b, FRAG_TABLE, 2);
	for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++)
		put_piece(&b, FAR + i, 1, 0, 800, true);
	bed_assert_count(&b, FRAG_TABLE, 2 + REASSEMBLY_PER_SOURCE);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_assert_count(&b, FRAG_TIMEOUT, REASSEMBLY_DATAGRAMS);
	/* Room again. */
	echo_bytes(1200);
	put_piece(&b, PHONE, 9, 0, 800, true);
	put_piece(&b, PHONE, 9, 800, 408, false);
	expect_echo(&b, 5, 1200);
	bed_close(&b);
}

static void bytes_held_are_bounded(void **state)
{
	struct bed b;
	uint32_t put_in = 0;

	(void)state;
	bed_up(&b);
	for (uint32_t src = 0; src < 30; src++)
		for (uint32_t i = 0; i < REASSEMBLY_FRAGMENTS; i++, put_in++)
			put_piece(&b, FAR + src, 1, i * 16, 8, true);
	bed_assert_count(&b, FRAG_TABLE, put_in - REASSEMBLY_HELD);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_assert_count(&b, FRAG_TIMEOUT, REASSEMBLY_HELD);
	bed_close(&b);
}

static void fragments_time_out(void **state)
{
	struct bed b;

	(void)state;
	bed_up(&b);
	put_piece(&b, PHONE, 1, 0, 800, true);
	put_piece(&b, PHONE, 1, 1600, 400, false);
	bed_elapse(&b, REASSEMBLY_MS - 10);
	bed_assert_count(&b, FRAG_TIMEOUT, 0);
	bed_elapse(&b, 20);
	bed_assert_count(&b, FRAG_TIMEOUT, 2);
	put_piece(&b, PHONE, 1, 800, 800, true);
	bed_expect_silence(&b);
	bed_elapse(&b, REASSEMBLY_MS + 10);
	bed_close(&b);
}

static void put_together_datagram_is_checked_like_any(void **state)
{
	static const uint8_t longer[8] = {0x13, 0xc4, 0x13, 0xc4, 0x04, 0xb1, 0, 0};
	static const uint8_t wrong[8] = {0x13, 0xc4, 0x13, 0xc4, 0x04, 0xb0, 0x12, 0x34};
	struct frame_spec s = phone();
	struct bed b;

	(void)state;
	bed_up(&b);
	/* UDP with a length that is not IP's, and a checksum that is wrong. */
	memset(whole, 'x', 1200);
	memcpy(whole, longer, 8);
	for (uint16_t id = 1; id <= 2; id++) {
		s.id = id;
		s.frag = 0x2000;
		frame_ip(&f, &s, whole, 800);
		put(&b);
		s.frag = 100;
		frame_ip(&f, &s, whole + 800, 400);
		put(&b);
		memcpy(whole, wrong, 8);
	}
	bed_assert_count(&b, UDP_BAD, 1);
	bed_assert_count(&b, UDP_CHECKSUM, 1);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_is_answered),
		cmocka_unit_test(echo_is_limited_in_rate),
		cmocka_unit_test(other_icmp_is_dropped),
		cmocka_unit_test(options_are_skipped),
		cmocka_unit_test(lying_headers_are_dropped),
		cmocka_unit_test(only_our_addresses_are_taken),
		cmocka_unit_test(sources_that_cannot_be_are_dropped),
		cmocka_unit_test(ttl_zero_is_dropped_and_one_is_not),
		cmocka_unit_test(other_protocols_are_dropped),
		cmocka_unit_test(bad_udp_is_dropped),
		cmocka_unit_test(udp_to_nowhere_is_dropped),
		cmocka_unit_test(fragments_in_any_order_are_put_together),
		cmocka_unit_test(largest_datagram_is_put_together),
		cmocka_unit_test(fragment_with_options_is_taken),
		cmocka_unit_test(overlap_drops_all),
		cmocka_unit_test(doubled_fragment_is_dropped_alone),
		cmocka_unit_test(two_ends_drop_all),
		cmocka_unit_test(impossible_fragments_are_dropped),
		cmocka_unit_test(too_many_fragments_drop_all),
		cmocka_unit_test(reassembly_is_bounded),
		cmocka_unit_test(bytes_held_are_bounded),
		cmocka_unit_test(fragments_time_out),
		cmocka_unit_test(put_together_datagram_is_checked_like_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
