#include "sbc/media/rtp.h"

#include <stdbool.h>

/* RFC 3550 A.1. */
#define MAX_MISORDER 100u

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

enum media_kind media_kind_of(const uint8_t *p, uint32_t n)
{
	if (n == 0)
		return MEDIA_OTHER;
	if (p[0] <= 3)
		return MEDIA_STUN;
	if (p[0] >= 20 && p[0] <= 63)
		return MEDIA_DTLS;
	if (p[0] < 128 || p[0] > 191 || n < 2)
		return MEDIA_OTHER;
	uint8_t type = p[1] & 0x7f;
	return type >= 64 && type <= 95 ? MEDIA_RTCP : MEDIA_RTP;
}

enum sbc_err rtp_header_read(struct rtp_header *h, const uint8_t *p, uint32_t n)
{
	if (n < RTP_HEADER_LEN || p[0] >> 6 != 2)
		return SBC_EBAD;
	uint32_t len = RTP_HEADER_LEN + 4u * (p[0] & 15);
	if (p[0] & 0x10) {
		if (n < len + 4)
			return SBC_EBAD;
		len += 4 + 4u * be16(p + len + 2);
	}
	/* An extension may be longer than any datagram: 16 bits of words. */
	if (n < len || len > UINT16_MAX)
		return SBC_EBAD;
	*h = (struct rtp_header){
		.payload_type = p[1] & 0x7f,
		.marker = p[1] >> 7,
		.seq = be16(p + 2),
		.timestamp = be32(p + 4),
		.ssrc = be32(p + 8),
		.header_len = (uint16_t)len,
	};
	return SBC_OK;
}

static void begin(struct rtp_stats *s, uint32_t ssrc, uint16_t seq)
{
	s->lost_before = rtp_stats_lost(s);
	s->ssrc = ssrc;
	s->max_seq = seq;
	s->base_seq = seq;
	s->cycles = 0;
	s->received = 0;
	s->bad_seq = RTP_SEQ_NONE;
	s->started = 1;
}

/* RFC 3550 A.1 update_seq(). False for the first packet after a jump, which decides nothing. */
static bool sequence(struct rtp_stats *s, uint16_t seq)
{
	uint16_t ahead = (uint16_t)(seq - s->max_seq);

	if (ahead == 0 || ahead > 0x10000 - MAX_MISORDER) {
		s->duplicates++;
	} else if (ahead < RTP_MAX_DROPOUT) {
		if (seq < s->max_seq)
			s->cycles += 0x10000;
		s->max_seq = seq;
	} else {
		if (seq != s->bad_seq) {
			s->bad_seq = (seq + 1u) & 0xffff;
			return false;
		}
		/* Two in sequence after the jump: the sender restarted without telling. */
		begin(s, s->ssrc, seq);
	}
	return true;
}

void rtp_stats_packet(struct rtp_stats *s, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
		      uint32_t arrival)
{
	uint32_t transit = arrival - timestamp;
	bool fresh = !s->started || s->ssrc != ssrc;

	if (fresh)
		begin(s, ssrc, seq);
	else if (!sequence(s, seq))
		return;
	/* begin() within sequence() leaves nothing received either: its transit is the first. */
	fresh = s->received == 0;
	s->received++;
	if (!fresh) {
		int32_t d = (int32_t)(transit - s->transit);
		uint32_t size = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;
		s->jitter_q4 += size - ((s->jitter_q4 + 8) >> 4);
	}
	s->transit = transit;
}

uint32_t rtp_stats_lost(const struct rtp_stats *s)
{
	if (!s->started)
		return s->lost_before;
	uint32_t expected = s->cycles + s->max_seq - s->base_seq + 1;
	return s->lost_before + (expected > s->received ? expected - s->received : 0);
}

enum sbc_err rtcp_ssrc(const uint8_t *p, uint32_t n, uint32_t *ssrc)
{
	if (n < 8 || p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223)
		return SBC_EBAD;
	uint32_t len = 4u * (be16(p + 2) + 1u);
	if (len < 8 || len > n)
		return SBC_EBAD;
	*ssrc = be32(p + 4);
	return SBC_OK;
}
