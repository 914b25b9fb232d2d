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

/* SBC_EBAD: not version 2, or shorter than its own header says (RFC 3550 A.1). */
enum sbc_err rtp_header_read(struct rtp_header *h, const uint8_t *p, uint32_t n);

/*
 * RFC 3550 A.8 and A.3 in the receiver's own clock: jitter needs the arrival in
 * media clock units. One per direction of a stream.
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
	uint32_t duplicates; /* late or doubled: sequence not advancing */
};

/* `arrival` in timestamp units (clock rate of the stream), wrapping. */
void rtp_stats_packet(struct rtp_stats *s, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
		      uint32_t arrival);

/* Expected minus received so far, never below 0 (RFC 3550 A.3). */
uint32_t rtp_stats_lost(const struct rtp_stats *s);

/* Sender SSRC of the first packet of a compound RTCP packet (RFC 3550 6.1). */
enum sbc_err rtcp_ssrc(const uint8_t *p, uint32_t n, uint32_t *ssrc);

#endif
