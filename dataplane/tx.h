/*
 * tx: packets on their way to a device, collected and sent in bursts.
 *
 * A buffer a device and worker. What the device does not take at once stays for
 * the next turn; when the buffer is full, the newest packet is dropped and
 * counted. Frames are complete; a packet put here is no longer the caller's.
 */
#ifndef DATAPLANE_TX_H
#define DATAPLANE_TX_H

#include <rte_branch_prediction.h>

#include "dataplane/worker.h"

/* Sends what the device takes. */
void tx_flush(struct worker *w, struct worker_tx *t);

/* All devices. */
void tx_flush_all(struct worker *w);

/* Packets of workers that have no queue of their own: to our buffers. How many. */
uint32_t tx_drain(struct worker *w);

static inline void tx_put(struct worker *w, uint16_t device, struct rte_mbuf *m)
{
	struct worker_tx *t = &w->tx[device];

	if (unlikely(t->n == WORKER_TX_BUFFER)) {
		tx_flush(w, t);
		if (t->n == WORKER_TX_BUFFER) {
			worker_drop(w, m, REASON_TX_FULL);
			return;
		}
	}
	t->pkt[t->n++] = m;
}

#endif
