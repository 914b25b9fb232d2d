/*
 * rtp: what a relay must read of a media datagram, and nothing more.
 *
 * Kinds by first byte (RFC 7983), RTP against RTCP on one port by payload type
 * (RFC 5761 section 4: 64 to 95 after masking is RTCP). Numbers in host order.
 */
#ifndef SBC_MEDIA_RTP_H
#define SBC_MEDIA_RTP_H

#include <stdint.h>

#include "sbc/base/err.h"

enum media_kind { MEDIA_RTP, MEDIA_RTCP, MEDIA_STUN, MEDIA_DTLS, MEDIA_OTHER };

enum media_kind media_kind_of(const uint8_t *p, uint32_t n);

#define RTP_HEADER_LEN 12u

struct rtp_header {
	uint8_t payload_type;
	uint8_t marker;
	uint16_t seq;
	uint32_t timestamp;
	uint32_t ssrc;
	uint16_t header_len; /* with CSRCs and extension */
};

/*
 * SBC_EBAD: not version 2, or shorter than its own header says (RFC 3550 A.1).
 * The padding count is not looked at: in SRTP it is encrypted and a tag follows.
 */
enum sbc_err rtp_header_read(struct rtp_header *h, const uint8_t *p, uint32_t n);

/*
 * RFC 3550 A.1, A.3 and A.8 in the receiver's own clock: jitter needs the arrival
 * in media clock units. One per direction of a stream; a sender that changes its
 * SSRC or restarts its numbers begins anew and keeps what was lost until then.
 */
struct rtp_stats {
	uint32_t ssrc;
	uint16_t max_seq;
	uint16_t started; /* 0 until the first packet */
	uint32_t cycles;  /* wrapped sequence numbers, times 65536 */
	uint32_t base_seq;
	uint32_t received;
	uint32_t jitter_q4; /* jitter in timestamp units times 16 */
	uint32_t transit;
	uint32_t duplicates;  /* late or doubled: sequence not advancing */
	uint32_t lost_before; /* by earlier SSRCs and before restarts */
	uint32_t bad_seq; /* what follows a jump, if the jump was a restart; else RTP_SEQ_NONE */
};

#define RTP_SEQ_NONE UINT32_MAX
/* RFC 3550 A.1: a jump as wide is no loss but a restart. */
#define RTP_MAX_DROPOUT 3000u

/* `arrival` in timestamp units (clock rate of the stream), wrapping. */
void rtp_stats_packet(struct rtp_stats *s, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
		      uint32_t arrival);

/* Expected minus received so far (RFC 3550 A.3), never below 0, with `lost_before`. */
uint32_t rtp_stats_lost(const struct rtp_stats *s);

/*
 * Sender SSRC of the first packet of a compound RTCP packet (RFC 3550 6.1), or of
 * a reduced-size one (RFC 5506). SBC_EBAD: not RTCP, or shorter than its first
 * packet says. SRTCP has this much in the clear too.
 */
enum sbc_err rtcp_ssrc(const uint8_t *p, uint32_t n, uint32_t *ssrc);

#endif
