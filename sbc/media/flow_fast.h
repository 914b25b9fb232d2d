/*
 * flow_fast: the way most packets go, in one piece for the caller's loop.
 *
 * RTP of the locked source on an open flow, next in its stream: flow_admit() and
 * flow_rewrite() would do the same, a call and a branch at a time. Whatever is
 * anything else (another source or SSRC, RTCP, STUN, DTLS, a jump or a step back
 * in the sequence, a flow that is held) changes nothing here and goes there.
 *
 * So what is carried here decides nothing: it moves counters, the clock of
 * silence and the statistics of a stream that is known. That is why a caller need
 * not have verified the UDP checksum of what it offers, only of what is refused
 * here: the delta keeps a wrong one wrong (RFC 1624), and the host it is for drops
 * the packet, as behind any NAT (RFC 3022 4.1).
 */
#ifndef SBC_MEDIA_FLOW_FAST_H
#define SBC_MEDIA_FLOW_FAST_H

#include <string.h>

#include "sbc/media/flow.h"

/* Offsets in an IPv4 header without options, the UDP header and the RTP header behind it. */
enum {
	FLOW_IP_TOS = 1,
	FLOW_IP_TOTAL = 2,
	FLOW_IP_FRAG = 6,
	FLOW_IP_TTL = 8,
	FLOW_IP_SUM = 10,
	FLOW_IP_SRC = 12,
	FLOW_UDP_SRC = 20,
	FLOW_UDP_SUM = 26,
	FLOW_RTP = 28
};

/* What leaves: addresses and ports lie side by side, here and in the headers. */
#define FLOW_PATH_LEN 12u
#define FLOW_TTL      64u

static_assert(offsetof(struct flow, out_dst_port) + 2 - offsetof(struct flow, out_src_ip) ==
		      FLOW_PATH_LEN,
	      "the path out is one piece");

static inline uint16_t flow_get16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static inline uint32_t flow_get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline uint32_t flow_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Ones' complement sum of two and more words in 16 bits; of less than 2^31. */
static inline uint16_t flow_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

/* The IPv4 header and the ports, for the partner's side; `f->ip_sum` is right (flow_join()). */
static inline void flow_write_path(const struct flow *f, uint8_t *ip)
{
	const uint8_t first[2] = {ip[0], (uint8_t)(f->tos | (ip[FLOW_IP_TOS] & 3))};
	uint32_t length_id = flow_get32(ip + FLOW_IP_TOTAL);
	uint32_t sum = f->ip_sum;

	sum += flow_get16(first) + (length_id & 0xffff) + (length_id >> 16) +
	       flow_get16(ip + FLOW_IP_FRAG);
	sum = (uint16_t)~flow_fold(sum);
	ip[FLOW_IP_TOS] = first[1];
	ip[FLOW_IP_TTL] = FLOW_TTL;
	memcpy(ip + FLOW_IP_SUM, &(uint16_t){(uint16_t)sum}, 2);
	memcpy(ip + FLOW_IP_SRC, &f->out_src_ip, FLOW_PATH_LEN);
}

/* The UDP checksum by a delta: RFC 1624 eqn. 3. */
static inline void flow_write_checksum(uint8_t *ip, uint16_t delta)
{
	uint16_t sum = flow_get16(ip + FLOW_UDP_SUM);

	if (sum == 0)
		return; /* none was sent: RFC 768 */
	sum = (uint16_t)~flow_fold((uint32_t)(uint16_t)~sum + delta);
	if (sum == 0)
		sum = 0xffff; /* zero would say that there is none */
	memcpy(ip + FLOW_UDP_SUM, &sum, 2);
}

/* Whether a payload is RTP: RFC 7983, RFC 5761 4, RFC 3550 A.1. */
static inline bool flow_is_rtp(const uint8_t *p, uint32_t n)
{
	struct rtp_header h;

	if (n < RTP_HEADER_LEN || p[0] >> 6 != 2 || (uint8_t)((p[1] & 0x7f) - 64) < 32)
		return false;
	return (p[0] & 0x1f) == 0 || rtp_header_read(&h, p, n) == SBC_OK;
}

/* rtp_stats_packet() of the next packet of a stream; false, and nothing changed, of another. */
static inline bool flow_next_in_stream(struct rtp_stats *s, const uint8_t *rtp, uint32_t arrival)
{
	uint16_t seq = (uint16_t)(rtp[2] << 8 | rtp[3]);
	uint32_t transit = arrival - flow_be32(rtp + 4);
	uint32_t late = transit - s->transit;
	uint16_t ahead = (uint16_t)(seq - s->max_seq);

	if (s->started == 0 || s->ssrc != flow_be32(rtp + 8) || s->received == 0 ||
	    (uint16_t)(ahead - 1) >= RTP_MAX_DROPOUT - 1)
		return false;
	s->cycles += (uint32_t)(seq < s->max_seq) << 16;
	s->max_seq = seq;
	s->received++;
	s->jitter_q4 += ((int32_t)late < 0 ? 0u - late : late) - ((s->jitter_q4 + 8) >> 4);
	s->transit = transit;
	return true;
}

/*
 * Admits and rewrites a packet whose IPv4 header is right, has no options and says
 * `n` bytes with UDP's header. False: nothing has changed, flow_admit() decides.
 */
static inline bool flow_relay_fast(struct flow *f, uint8_t *ip, uint32_t n, uint64_t now)
{
	const uint8_t *rtp = ip + FLOW_RTP;

	if (!(f->flags & FLOW_F_FAST) || f->src_ip != flow_get32(ip + FLOW_IP_SRC) ||
	    f->src_port != flow_get16(ip + FLOW_UDP_SRC) || !flow_is_rtp(rtp, n - FLOW_RTP) ||
	    !flow_next_in_stream(&f->rtp, rtp, (uint32_t)(now * f->clock_rate / 1000)))
		return false;
	f->packets++;
	f->bytes += n - FLOW_RTP;
	f->last_ms = now;
	flow_write_checksum(ip, f->udp_delta);
	flow_write_path(f, ip);
	return true;
}

#endif
