#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "tests/bench/gen/gen.h"

/* Offsets in the frame: what changes from packet to packet. */
#define OFF_CHECKSUM 40u
#define OFF_SEQ      44u
#define OFF_STAMP    46u

static uint32_t sum_of(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	return sum;
}

static struct rte_mbuf *prepare_one(struct gen *g, enum gen_side side, uint32_t call)
{
	uint8_t rtp[172] = {0x80, 0};
	uint32_t ssrc = rte_cpu_to_be_32(0x50000000u + call * 2 + side);
	uint16_t dport =
		g->reference ? (uint16_t)(20000 + 2 * (call % 5000)) : g->call[call].media[side];
	struct rte_mbuf *m;

	memcpy(rtp + 8, &ssrc, 4);
	memset(rtp + 12, 0xd5, 160);
	m = gen_udp_frame(g, side, gen_address(g, side, call), gen_rtp_port(call), dport, rtp,
			  sizeof(rtp));
	if (m) {
		const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);

		/* pseudo header: addresses, protocol, length; header and payload as they are, changing
		 * fields still zero */
		g->checksum[side][call] =
			sum_of(f + 26, 8) + 17 + 180 + sum_of(f + 34, 6) + sum_of(f + 42, 172);
	}
	return m;
}

int gen_rtp_prepare(struct gen *g)
{
	for (int side = 0; side < 2; side++) {
		g->stream[side] = calloc(g->calls, sizeof(*g->stream[side]));
		g->checksum[side] = calloc(g->calls, sizeof(uint32_t));
		g->seq[side] = calloc(g->calls, sizeof(uint16_t));
		if (!g->stream[side] || !g->checksum[side] || !g->seq[side])
			return -1;
		for (uint32_t i = 0; i < g->calls; i++) {
			g->stream[side][i] = prepare_one(g, (enum gen_side)side, i);
			if (!g->stream[side][i])
				return -1;
		}
	}
	return 0;
}

/* Next sequence number and timestamp in place; RFC 1071's sum over what changed. */
static void advance(struct gen *g, enum gen_side side, uint32_t call, uint8_t *f)
{
	uint16_t seq = ++g->seq[side][call];
	uint32_t stamp = (uint32_t)seq * 160;
	uint64_t sum = (uint64_t)g->checksum[side][call] + seq + (stamp >> 16) + (stamp & 0xffff);
	uint16_t check;

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	check = (uint16_t)~sum;
	if (check == 0)
		check = 0xffff;
	*(uint16_t *)(f + OFF_CHECKSUM) = rte_cpu_to_be_16(check);
	*(uint16_t *)(f + OFF_SEQ) = rte_cpu_to_be_16(seq);
	*(uint32_t *)(f + OFF_STAMP) = rte_cpu_to_be_32(stamp);
}

/*
 * A device that copies on transmit (vhost) is given the prepared frames
 * themselves, with a reference more: they come back unchanged. Others hold the
 * frame for a while and get a copy.
 */
static struct rte_mbuf *to_send(struct gen *g, struct rte_mbuf *frame)
{
	struct rte_mbuf *m;

	if (g->copies) {
		rte_mbuf_refcnt_set(frame, 2);
		return frame;
	}
	m = rte_pktmbuf_alloc(g->pool);
	if (m)
		memcpy(rte_pktmbuf_append(m, GEN_RTP_FRAME), rte_pktmbuf_mtod(frame, void *),
		       GEN_RTP_FRAME);
	return m;
}

uint16_t gen_rtp_send(struct gen *g, enum gen_side side, uint16_t n)
{
	struct rte_mbuf *burst[GEN_BURST];
	uint32_t first = g->next[side];
	uint16_t got = 0, sent;

	for (; got < n; got++) {
		uint32_t call = g->next[side];
		struct rte_mbuf *frame = g->stream[side][call];

		advance(g, side, call, rte_pktmbuf_mtod(frame, uint8_t *));
		burst[got] = to_send(g, frame);
		if (!burst[got])
			break;
		g->next[side] = call + 1 == g->calls ? 0 : call + 1;
	}
	sent = rte_eth_tx_burst(g->port[side].id, 0, burst, got);
	g->stats.tx[side] += sent;
	if (sent < got) {
		/* what the device did not take was never sent: those streams go on where they were */
		g->stats.tx_full += got - sent;
		for (uint16_t i = sent; i < got; i++) {
			uint32_t call = (first + i) % g->calls;

			g->seq[side][call]--;
			if (g->copies)
				rte_mbuf_refcnt_set(burst[i], 1);
			else
				rte_pktmbuf_free(burst[i]);
		}
		g->next[side] = (first + sent) % g->calls;
	}
	return sent;
}
