#include "tests/bench/gen/rtp.h"

#define CHECKED_OF 64u /* one of so many has its checksums computed */

/* Whose port it is, or UINT32_MAX. */
static inline uint32_t call_at(const struct gen *g, enum side side, uint32_t ip, uint16_t port)
{
	uint32_t host = rte_be_to_cpu_32(ip) - rte_be_to_cpu_32(g->port[side].host[0].ip);
	uint32_t slot = (uint32_t)port - GEN_RTP_BASE, call;

	if (host >= g->port[side].hosts || slot >= 2 * GEN_PER_ADDRESS || slot % 2 != 0)
		return UINT32_MAX;
	call = host * GEN_PER_ADDRESS + slot / 2;
	return call < g->max_calls ? call : UINT32_MAX;
}

/* The stream's receiving end, or NULL: not where its packets go, or not from where they come. */
static inline struct rtp_end *end_of(struct gen *g, enum side side, const uint8_t *f,
				     uint32_t *call, enum side *sender)
{
	uint32_t src = *(const uint32_t *)(f + 26), dst = *(const uint32_t *)(f + 30);
	uint16_t sport = *(const uint16_t *)(f + 34);
	uint16_t dport = rte_be_to_cpu_16(*(const uint16_t *)(f + 36));
	uint32_t ssrc = rte_be_to_cpu_32(*(const uint32_t *)(f + RTP_AT_SSRC));
	struct rtp_end *e;

	if (g->reference) {
		*sender = (enum side)(ssrc & 1);
		*call = (ssrc & 0x0fffffff) >> 1;
		if (*call >= g->max_calls || dst != g->port[*sender].border.ip ||
		    dport != rte_be_to_cpu_16(sport))
			return NULL;
	} else {
		*sender = other_side(side);
		*call = call_at(g, side, dst, dport);
	}
	if (*call == UINT32_MAX || ssrc != rtp_ssrc(*call, *sender))
		return NULL;
	e = &g->rtp->end[*sender][*call];
	return e->source_ip == src && e->source_port == sport ? e : NULL;
}

static void count_one(struct gen *g, struct rtp_end *e, uint16_t seq, uint64_t latency,
		      enum side sender)
{
	struct rtp_counts *c = &g->rtp->count;
	enum track_result what = track_add(&e->track, seq);

	if (unlikely(what == TRACK_DUPLICATE)) {
		c->duplicated++;
		return;
	}
	e->proven = true;
	c->reordered += what == TRACK_REORDERED;
	c->rx++;
	c->rx_side[sender]++;
	hist_add(&g->rtp->latency, latency);
}

bool rtp_input(struct gen *g, enum side side, const struct rte_mbuf *m, uint64_t now)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
	struct rtp *r = g->rtp;
	struct rtp_end *e;
	enum side sender;
	uint64_t then;
	uint32_t call;
	uint16_t run;

	if (m->data_len != RTP_FRAME || f[12] != 8 || f[13] != 0 || f[14] != 0x45 || f[23] != 17 ||
	    f[42] != 0x80)
		return false;
	e = end_of(g, side, f, &call, &sender);
	if (unlikely(e == NULL)) {
		r->count.misdelivered++;
		return true;
	}
	memcpy(&then, f + RTP_AT_TIME, 8);
	memcpy(&run, f + RTP_AT_RUN, 2);
	if (unlikely(++r->checked % CHECKED_OF == 0) && !frame_checksum_ok(m)) {
		r->count.corrupted++;
		return true;
	}
	if (unlikely(run != r->run)) {
		r->count.stale++;
		return true;
	}
	count_one(g, e, rte_be_to_cpu_16(*(const uint16_t *)(f + RTP_AT_SEQ)), now - then, sender);
	if (!g->reference && g->calls->rtp_packets != 0)
		call_media_came(g, &g->calls->call[call], side);
	return true;
}
