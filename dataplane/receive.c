#include "dataplane/receive.h"

#include <rte_ethdev.h>
#include <rte_prefetch.h>

#include "dataplane/classify.h"
#include "dataplane/classify_fast.h"
#include "dataplane/relay_fast.h"
#include "dataplane/steer.h"

/* What a packet of a burst is: of a flow here, or of a kind. */
struct found {
	uint32_t flow; /* FLOW_NONE: see `kind` */
	enum packet_kind kind;
};

static inline void prefetch_frame(const struct rte_mbuf *m)
{
	rte_prefetch0(rte_pktmbuf_mtod(m, const void *));
}

static inline void prefetch_flow(const struct worker *w, uint32_t flow)
{
	rte_prefetch0(&w->flow[flow]);
	rte_prefetch0_write(&w->flow[flow].packets);
}

static inline bool is_mine(const struct worker *w, uint32_t flow)
{
	return w->dp->workers == 1 || w->dp->flow_owner[flow] == w->id;
}

/* The long way: told apart byte by byte. */
static __rte_noinline enum packet_kind find_long(struct worker *w, const struct device *dev,
						 struct rte_mbuf *m)
{
	enum reason why = REASON_L2_SHORT;
	enum packet_kind kind = classify_frame(w, dev, m, &why);

	if (kind == PACKET_DROP)
		reason_count(&w->reasons, why);
	return kind;
}

static inline void find(struct worker *w, const struct device *dev, struct classify_hint *h,
			struct rte_mbuf *m, struct found *to)
{
	uint32_t flow = likely(h->port != NULL) ? classify_media(w, h, m) : FLOW_NONE;

	to->flow = flow;
	if (unlikely(flow == FLOW_NONE)) {
		to->kind = find_long(w, dev, m);
	} else if (likely(is_mine(w, flow))) {
		prefetch_flow(w, flow);
	} else {
		classify_media_note(m, h, flow);
		to->flow = FLOW_NONE;
		to->kind = PACKET_MEDIA;
	}
}

static inline void carry(struct worker *w, const struct classify_hint *h, struct rte_mbuf *m,
			 const struct found *found)
{
	uint8_t *ip = rte_pktmbuf_mtod_offset(m, uint8_t *, RTE_ETHER_HDR_LEN);

	if (unlikely(found->flow == FLOW_NONE)) {
		worker_dispatch(w, found->kind, m);
		return;
	}
	if (likely(relay_fast(w, m, &w->flow[found->flow], ip)))
		return;
	classify_media_note(m, h, found->flow);
	worker_take(w, PACKET_MEDIA, m);
}

static void burst(struct worker *w, const struct device *dev, struct rte_mbuf **pkt, uint16_t n)
{
	struct classify_hint hint = classify_hint_of(w, dev);
	struct found found[WORKER_BURST];

	for (uint16_t i = 0; i < n; i++)
		prefetch_frame(pkt[i]);
	for (uint16_t i = 0; i < n; i++)
		find(w, dev, &hint, pkt[i], &found[i]);
	for (uint16_t i = 0; i < n; i++)
		carry(w, &hint, pkt[i], &found[i]);
}

uint32_t receive(struct worker *w)
{
	struct rte_mbuf *pkt[WORKER_BURST];
	uint32_t all = 0;

	for (uint16_t i = 0; i < w->rx_count; i++) {
		const struct worker_rx *rx = &w->rx[i];
		uint16_t n = rte_eth_rx_burst(rx->dev->eth, rx->queue, pkt, WORKER_BURST);

		packets_got(pkt, n);
		if (n != 0)
			burst(w, rx->dev, pkt, n);
		all += n;
	}
	w->count.rx_packets += all;
	return all;
}
