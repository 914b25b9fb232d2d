#include "sbc/media/rtp.h"

#include <stdbool.h>
#include <string.h>

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

static void kinds_by_the_first_bytes(void **state)
{
	static const struct {
		uint8_t b[2];
		uint32_t n;
		enum media_kind kind;
	} v[] = {
		{{0, 1}, 2, MEDIA_STUN},     {{3, 0}, 2, MEDIA_STUN},
		{{4, 0}, 2, MEDIA_OTHER},    {{19, 0}, 2, MEDIA_OTHER},
		{{20, 0xfe}, 2, MEDIA_DTLS}, {{63, 0xfe}, 2, MEDIA_DTLS},
		{{64, 0}, 2, MEDIA_OTHER},   {{79, 0}, 2, MEDIA_OTHER},
		{{127, 0}, 2, MEDIA_OTHER},  {{128, 0}, 2, MEDIA_RTP},
		{{191, 0}, 2, MEDIA_RTP},    {{192, 0}, 2, MEDIA_OTHER},
		{{128, 63}, 2, MEDIA_RTP},   {{128, 191}, 2, MEDIA_RTP},
		{{128, 192}, 2, MEDIA_RTCP}, {{128, 200}, 2, MEDIA_RTCP},
		{{128, 223}, 2, MEDIA_RTCP}, {{128, 224}, 2, MEDIA_RTP},
		{{128, 96}, 2, MEDIA_RTP},   {{128, 0}, 1, MEDIA_OTHER},
		{{0, 0}, 0, MEDIA_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct guard g;
		const char *p = guard_end(&g, v[i].b, v[i].n);
		assert_int_equal(media_kind_of((const uint8_t *)p, v[i].n), v[i].kind);
		guard_free(&g);
	}
}

static enum sbc_err read_flush(struct rtp_header *h, const uint8_t *p, uint32_t n)
{
	struct guard g;
	const char *flush = guard_end(&g, p, n);
	enum sbc_err err = rtp_header_read(h, (const uint8_t *)flush, n);

	guard_free(&g);
	return err;
}

static void header_fields_are_read(void **state)
{
	static const uint8_t p[] = {0x80, 0x88, 0x12, 0x34, 0xde, 0xad, 0xbe,
				    0xef, 1,    2,    3,    4,    0xff};
	struct rtp_header h;

	(void)state;
	assert_int_equal(read_flush(&h, p, sizeof(p)), SBC_OK);
	assert_int_equal(h.payload_type, 8);
	assert_int_equal(h.marker, 1);
	assert_int_equal(h.seq, 0x1234);
	assert_int_equal(h.timestamp, 0xdeadbeef);
	assert_int_equal(h.ssrc, 0x01020304);
	assert_int_equal(h.header_len, 12);
}

static void csrcs_and_extension_belong_to_the_header(void **state)
{
	uint8_t p[12 + 8 + 4 + 12] = {0x92, 0};
	struct rtp_header h;

	(void)state;
	p[12 + 8 + 3] = 3; /* words of extension */
	assert_int_equal(read_flush(&h, p, sizeof(p)), SBC_OK);
	assert_int_equal(h.header_len, sizeof(p));
	for (uint32_t n = 0; n < sizeof(p); n++)
		assert_int_equal(read_flush(&h, p, n), SBC_EBAD);
	p[12 + 8 + 2] = 0xff; /* 65283 words */
	assert_int_equal(read_flush(&h, p, sizeof(p)), SBC_EBAD);
}

static void other_versions_are_refused(void **state)
{
	uint8_t p[12] = {0};
	struct rtp_header h;

	(void)state;
	for (int version = 0; version < 4; version++) {
		p[0] = (uint8_t)(version << 6);
		assert_int_equal(read_flush(&h, p, sizeof(p)), version == 2 ? SBC_OK : SBC_EBAD);
	}
}

static void padding_is_the_payloads_business(void **state)
{
	/* P set, and a last byte that RTP would refuse but an SRTP tag may be. */
	uint8_t p[14] = {0xa0, 0, [13] = 0xff};
	struct rtp_header h;

	(void)state;
	assert_int_equal(read_flush(&h, p, sizeof(p)), SBC_OK);
}

static void rtcp_names_its_sender(void **state)
{
	static const struct {
		const char *what;
		uint8_t p[12];
		uint32_t n;
		enum sbc_err err;
	} v[] = {
		{"RR", {0x80, 201, 0, 1, 1, 2, 3, 4}, 8, SBC_OK},
		{"with more after it", {0x80, 201, 0, 1, 1, 2, 3, 4, 0x81, 202}, 12, SBC_OK},
		{"feedback alone", {0x81, 206, 0, 2, 1, 2, 3, 4}, 12, SBC_OK},
		{"longer than the datagram", {0x80, 200, 0, 6, 1, 2, 3, 4}, 12, SBC_EBAD},
		{"length 65535", {0x80, 200, 0xff, 0xff, 1, 2, 3, 4}, 12, SBC_EBAD},
		{"BYE of nobody", {0x80, 203, 0, 0, 1, 2, 3, 4}, 8, SBC_EBAD},
		{"version 1", {0x40, 201, 0, 1, 1, 2, 3, 4}, 8, SBC_EBAD},
		{"RTP", {0x80, 8, 0, 1, 1, 2, 3, 4}, 8, SBC_EBAD},
		{"cut", {0x80, 201, 0, 1, 1, 2, 3}, 7, SBC_EBAD},
		{"empty", {0}, 0, SBC_EBAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		struct guard g;
		uint32_t ssrc = 0;
		const char *p = guard_end(&g, v[i].p, v[i].n);
		assert_int_equal(rtcp_ssrc((const uint8_t *)p, v[i].n, &ssrc), v[i].err);
		assert_int_equal(ssrc, v[i].err == SBC_OK ? 0x01020304 : 0);
		guard_free(&g);
	}
}

static void a_clean_stream_loses_nothing_over_the_wrap(void **state)
{
	struct rtp_stats s = {0};

	(void)state;
	assert_int_equal(rtp_stats_lost(&s), 0);
	for (uint32_t i = 0; i < 200000; i++)
		rtp_stats_packet(&s, 7, (uint16_t)(65000 + i), 160 * i, 160 * i + 1234);
	assert_int_equal(s.received, 200000);
	assert_int_equal(rtp_stats_lost(&s), 0);
	assert_int_equal(s.duplicates, 0);
	assert_int_equal(s.jitter_q4, 0);
	assert_int_equal(s.cycles, 4 * 65536);
}

static void gaps_are_lost_until_they_arrive_late(void **state)
{
	static const uint16_t seq[] = {65533, 65535, 1, 2};
	struct rtp_stats s = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		rtp_stats_packet(&s, 7, seq[i], 0, 0);
	assert_int_equal(rtp_stats_lost(&s), 2);
	rtp_stats_packet(&s, 7, 65534, 0, 0);
	assert_int_equal(rtp_stats_lost(&s), 1);
	rtp_stats_packet(&s, 7, 2, 0, 0);
	assert_int_equal(s.duplicates, 2);
	rtp_stats_packet(&s, 7, 2, 0, 0);
	assert_int_equal(rtp_stats_lost(&s), 0); /* duplicates outweigh: never below 0 */
}

static void one_wild_number_changes_nothing_two_are_a_restart(void **state)
{
	struct rtp_stats s = {0};

	(void)state;
	rtp_stats_packet(&s, 7, 100, 0, 0);
	rtp_stats_packet(&s, 7, 102, 0, 0);
	rtp_stats_packet(&s, 7, 40000, 0, 0);
	assert_int_equal(s.max_seq, 102);
	assert_int_equal(rtp_stats_lost(&s), 1);
	rtp_stats_packet(&s, 7, 103, 0, 0);
	rtp_stats_packet(&s, 7, 20000, 0, 0);
	rtp_stats_packet(&s, 7, 20001, 0, 0);
	assert_int_equal(s.max_seq, 20001);
	assert_int_equal(rtp_stats_lost(&s), 1); /* kept over the restart */
	rtp_stats_packet(&s, 7, 20003, 0, 0);
	assert_int_equal(rtp_stats_lost(&s), 2);
}

static void a_new_ssrc_begins_anew_and_keeps_the_loss(void **state)
{
	struct rtp_stats s = {0};

	(void)state;
	rtp_stats_packet(&s, 7, 1, 0, 0);
	rtp_stats_packet(&s, 7, 4, 0, 0);
	rtp_stats_packet(&s, 8, 60000, 99, 0);
	assert_int_equal(s.ssrc, 8);
	assert_int_equal(s.received, 1);
	assert_int_equal(rtp_stats_lost(&s), 2);
	assert_int_equal(s.jitter_q4, 0);
}

/* RFC 3550 A.8 by hand: |D| of 16, 16, 0 timestamp units. */
static void jitter_is_smoothed_by_a_sixteenth(void **state)
{
	struct rtp_stats s = {0};

	(void)state;
	rtp_stats_packet(&s, 7, 1, 1000, 5000);
	rtp_stats_packet(&s, 7, 2, 1160, 5176);
	assert_int_equal(s.jitter_q4, 16);
	rtp_stats_packet(&s, 7, 3, 1320, 5320);
	assert_int_equal(s.jitter_q4, 16 + 16 - 1);
	rtp_stats_packet(&s, 7, 4, 1480, 5480);
	assert_int_equal(s.jitter_q4, 31 - 2);
}

static void numbers_at_random_never_trap(void **state)
{
	struct rtp_stats s = {0};
	uint64_t seed = 77;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		uint64_t a = unit_random(&seed), b = unit_random(&seed);
		rtp_stats_packet(&s, (uint32_t)(a % 3), (uint16_t)(a >> 8), (uint32_t)(a >> 32),
				 (uint32_t)b);
		(void)rtp_stats_lost(&s);
	}
	assert_true(s.started);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_by_the_first_bytes),
		cmocka_unit_test(header_fields_are_read),
		cmocka_unit_test(csrcs_and_extension_belong_to_the_header),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(padding_is_the_payloads_business),
		cmocka_unit_test(rtcp_names_its_sender),
		cmocka_unit_test(a_clean_stream_loses_nothing_over_the_wrap),
		cmocka_unit_test(gaps_are_lost_until_they_arrive_late),
		cmocka_unit_test(one_wild_number_changes_nothing_two_are_a_restart),
		cmocka_unit_test(a_new_ssrc_begins_anew_and_keeps_the_loss),
		cmocka_unit_test(jitter_is_smoothed_by_a_sixteenth),
		cmocka_unit_test(numbers_at_random_never_trap),
	};
	return cmocka_run_group_tests_name("media/rtp", tests, NULL, NULL);
}
