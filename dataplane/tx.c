#include "dataplane/tx.h"

#include <rte_ethdev.h>

#include "dataplane/group.h"

void tx_flush(struct worker *w, struct worker_tx *t)
{
	uint16_t sent;

	if (t->n == 0)
		return;
	group_look_again(w);
	if (t->ring != NULL) {
		sent = (uint16_t)rte_ring_sp_enqueue_burst(t->ring, (void **)t->pkt, t->n, NULL);
		w->bells |= 1u << t->owner;
	} else {
		packets_give(t->pkt, t->n);
		sent = rte_eth_tx_burst(t->eth, t->queue, t->pkt, t->n);
		w->count.tx_packets += sent;
	}
	t->n = (uint16_t)(t->n - sent);
	if (unlikely(t->n != 0))
		memmove(t->pkt, t->pkt + sent, t->n * sizeof(void *));
}

void tx_flush_all(struct worker *w)
{
	for (uint16_t i = 0; i < w->dp->devices; i++)
		tx_flush(w, &w->tx[i]);
}

uint32_t tx_drain(struct worker *w)
{
	struct rte_mbuf *m[WORKER_BURST];
	uint32_t all = 0;

	for (uint16_t i = 0; i < w->tx_in_count; i++) {
		uint32_t n =
			rte_ring_sc_dequeue_burst(w->tx_in[i].ring, (void **)m, WORKER_BURST, NULL);

		for (uint32_t k = 0; k < n; k++) {
			/* Put there a while ago, perhaps: before this process was stopped. */
			if (w->active == UINT32_MAX || group_frame_ok(w, w->tx_in[i].device, m[k]))
				tx_put(w, w->tx_in[i].device, m[k]);
			else
				worker_drop(w, m[k], REASON_GROUP_FENCED);
		}
		all += n;
	}
	return all;
}
