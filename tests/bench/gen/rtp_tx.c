#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <stdlib.h>

#include "tests/bench/gen/rtp.h"
#include "tests/bench/gen/table.h"

#define POOL_FRAMES 32767u /* a device that does not copy holds a ring of them for each side */
#define SILENCE     0xd5

static void fill(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	struct rte_mbuf *m = object;

	(void)pool, (void)arg, (void)index;
	memset((uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM, SILENCE, RTP_FRAME);
}

int rtp_init(struct gen *g)
{
	struct rtp *r = rte_zmalloc("rtp", sizeof(*r), 0);

	g->rtp = r;
	if (!r)
		return -1;
	r->run = 1;
	for (int side = 0; side < 2; side++) {
		r->stream[side] = table_of(g->max_calls, RTP_HEAD);
		r->end[side] = table_of(g->max_calls, sizeof(*r->end[side]));
		if (!r->stream[side] || !r->end[side])
			return -1;
	}
	r->live = table_of(g->max_calls, sizeof(*r->live));
	r->pool = rte_pktmbuf_pool_create("rtp", POOL_FRAMES, 256, 0, RTE_PKTMBUF_HEADROOM + 256,
					  SOCKET_ID_ANY);
	if (!r->live || !r->pool)
		return -1;
	rte_mempool_obj_iter(r->pool, fill, NULL);
	hist_reset(&r->latency);
	return 0;
}

void rtp_free(struct gen *g)
{
	if (!g->rtp)
		return;
	for (int side = 0; side < 2; side++) {
		free(g->rtp->stream[side]);
		free(g->rtp->end[side]);
	}
	free(g->rtp->live);
	rte_mempool_free(g->rtp->pool);
	rte_free(g->rtp);
	g->rtp = NULL;
}

static uint32_t sum_of(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i += 2)
		sum += *(const uint16_t *)(p + i);
	return sum;
}

/*
 * What does not change of the UDP sum, in the order of the machine (RFC 1071 2B):
 * it waits where the time of sending goes in a frame.
 */
static uint32_t constant_sum(const uint8_t *head)
{
	static const uint16_t silence = SILENCE << 8 | SILENCE;
	uint32_t rest = (RTP_FRAME - RTP_HEAD) / 2;

	return sum_of(head + 26, 8) + rte_cpu_to_be_16(IPPROTO_UDP) +
	       rte_cpu_to_be_16(RTP_FRAME - 34) + sum_of(head + 34, 6) + sum_of(head + 42, 2) +
	       sum_of(head + RTP_AT_SSRC, 4) + rest * silence;
}

static void prepare(struct gen *g, enum side sender, uint32_t call, struct media to)
{
	uint8_t *head = g->rtp->stream[sender][call].head;
	struct frame_way way = {
		.src = g->port[sender].host[call / GEN_PER_ADDRESS].ip,
		.dst = to.ip,
		.sport = (uint16_t)(GEN_RTP_BASE + 2 * (call % GEN_PER_ADDRESS)),
		.dport = to.port,
	};
	uint32_t ssrc = rte_cpu_to_be_32(rtp_ssrc(call, sender)), sum;

	memset(head, 0, RTP_HEAD);
	frame_head(g, sender, head, way, RTP_FRAME - GEN_HEADERS);
	head[42] = 0x80;
	memcpy(head + RTP_AT_SSRC, &ssrc, 4);
	sum = constant_sum(head);
	memcpy(head + RTP_AT_TIME, &sum, 4);
}

static void expect(struct gen *g, enum side sender, uint32_t call, struct media from)
{
	g->rtp->end[sender][call] =
		(struct rtp_end){.source_ip = from.ip, .source_port = rte_cpu_to_be_16(from.port)};
}

void rtp_call_open(struct gen *g, const struct call *c)
{
	for (int side = 0; side < 2; side++) {
		/* A side hears from where it sends to: RTP is symmetric (RFC 4961). */
		prepare(g, (enum side)side, c->index, c->media[side]);
		expect(g, other_side((enum side)side), c->index, c->media[side]);
	}
}

void rtp_reference_open(struct gen *g)
{
	for (uint32_t call = 0; call < g->max_calls; call++)
		for (int side = 0; side < 2; side++) {
			struct media to = {g->port[side].border.ip,
					   (uint16_t)(GEN_RTP_BASE + 2 * (call % GEN_PER_ADDRESS))};

			prepare(g, (enum side)side, call, to);
			expect(g, (enum side)side, call,
			       (struct media){g->port[side].host[call / GEN_PER_ADDRESS].ip,
					      to.port});
		}
}

/* The next packet of a stream into a frame; the stream goes on only when it has been sent. */
static inline void compose(struct rtp_stream *s, struct rte_mbuf *m, uint64_t now, uint16_t run,
			   bool copied)
{
	uint16_t seq = (uint16_t)(rte_be_to_cpu_16(*(uint16_t *)(s->head + RTP_AT_SEQ)) + 1);
	uint32_t stamp = rte_be_to_cpu_32(*(rtp_word *)(s->head + RTP_AT_STAMP)) + 160;
	uint64_t sum = *(rtp_word *)(s->head + RTP_AT_TIME);
	uint32_t stamp_be = rte_cpu_to_be_32(stamp);
	uint16_t seq_be = rte_cpu_to_be_16(seq);
	uint8_t *f;

	m->data_off = RTE_PKTMBUF_HEADROOM;
	m->data_len = RTP_FRAME;
	m->pkt_len = RTP_FRAME;
	m->ol_flags = 0;
	*(uint16_t *)(s->head + RTP_AT_SEQ) = seq_be;
	*(rtp_word *)(s->head + RTP_AT_STAMP) = stamp_be;
	f = (uint8_t *)m->buf_addr + RTE_PKTMBUF_HEADROOM;
	memcpy(f, s->head, RTP_HEAD);
	if (!copied) /* who had the buffer before may have written to it */
		memset(f + RTP_HEAD, SILENCE, RTP_FRAME - RTP_HEAD);
	memcpy(f + RTP_AT_TIME, &now, 8);
	memcpy(f + RTP_AT_RUN, &run, 2);
	sum += seq_be + (uint64_t)stamp_be + (now >> 32) + (uint32_t)now + run;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	seq = (uint16_t)~sum;
	*(uint16_t *)(f + RTP_AT_UDP_SUM) = seq ? seq : 0xffff;
}

/* What the device did not take was never sent: those streams are where they were. */
static void take_back(struct rtp *r, enum side side, struct rte_mbuf **m, const uint32_t *call,
		      uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *head = r->stream[side][call[i]].head;
		uint16_t *seq = (uint16_t *)(head + RTP_AT_SEQ);
		rtp_word *stamp = (rtp_word *)(head + RTP_AT_STAMP);

		*seq = rte_cpu_to_be_16((uint16_t)(rte_be_to_cpu_16(*seq) - 1));
		*stamp = rte_cpu_to_be_32(rte_be_to_cpu_32(*stamp) - 160);
	}
	rte_pktmbuf_free_bulk(m, n);
}

static void sent(struct gen *g, enum side side, uint32_t n)
{
	g->rtp->count.tx += n;
	g->rtp->count.tx_side[side] += n;
	g->count.tx[side] += n;
	g->work += n;
}

/* The streams of one queue in turn: a stream always goes by the same, or it would be reordered. */
uint32_t rtp_send(struct gen *g, enum side side, uint32_t n)
{
	struct rtp *r = g->rtp;
	uint32_t queues = RTE_MIN((uint32_t)g->port[side].queues, r->lives), q = r->queue[side];
	uint32_t call[GEN_BURST], place[GEN_BURST + 1], at = r->next[side][q], took;
	struct rte_mbuf *m[GEN_BURST];
	uint64_t now;

	n = RTE_MIN(n, GEN_BURST);
	if (r->lives == 0 || n == 0)
		return 0;
	if (rte_mempool_get_bulk(r->pool, (void **)m, n)) {
		g->count.no_mbuf++;
		return 0;
	}
	now = rte_get_tsc_cycles();
	for (uint32_t i = 0; i < n; i++) {
		place[i] = at;
		call[i] = r->live[at];
		at = at + queues >= r->lives ? q : at + queues;
		rte_prefetch0(&r->stream[side][r->live[RTE_MIN(at + 3 * queues, r->lives - 1)]]);
		compose(&r->stream[side][call[i]], m[i], now, r->run, g->port[side].copies);
	}
	place[n] = at;
	took = rte_eth_tx_burst(g->port[side].id, (uint16_t)q, m, (uint16_t)n);
	if (took < n) {
		g->count.tx_full += n - took;
		take_back(r, side, m + took, call + took, n - took);
	}
	r->next[side][q] = place[took];
	r->queue[side] = q + 1 >= queues ? 0 : q + 1;
	sent(g, side, took);
	g->count.rtp_tx += took;
	g->count.rtp_tx_cycles += rte_get_tsc_cycles() - now;
	return took;
}

static uint32_t call_send(struct gen *g, const struct call *c, enum side side, uint32_t n,
			  uint16_t run)
{
	struct rtp *r = g->rtp;

	for (uint32_t i = 0; i < n; i++) {
		struct rte_mbuf *m;

		if (rte_mempool_get(r->pool, (void **)&m)) {
			g->count.no_mbuf++;
			return i;
		}
		compose(&r->stream[side][c->index], m, rte_get_tsc_cycles(), run,
			g->port[side].copies);
		port_send(g, side, m);
	}
	return n;
}

void rtp_call_send(struct gen *g, const struct call *c, enum side side, uint32_t n)
{
	n = call_send(g, c, side, n, g->rtp->run);
	g->rtp->count.tx += n;
	g->rtp->count.tx_side[side] += n;
}

/* From outside: a trusted side's word is enough. */
void rtp_call_prove(struct gen *g, const struct call *c, uint32_t n)
{
	call_send(g, c, OUTSIDE, n, RTP_PROOF);
}
