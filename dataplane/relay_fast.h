/*
 * relay_fast: the packet that most are, from its flow to the device's buffer.
 *
 * Of a flow of this worker, in one buffer, its IPv4 header right and without
 * options. True: it is sent, rewritten by a delta, whether or not its UDP checksum
 * is right (media/flow_fast.h). False: nothing has changed; relay_packet() is for
 * it, which verifies the checksum first.
 */
#ifndef DATAPLANE_RELAY_FAST_H
#define DATAPLANE_RELAY_FAST_H

#include <assert.h>
#include <rte_branch_prediction.h>

#include "dataplane/checksum.h"
#include "dataplane/tx.h"
#include "dataplane/worker.h"
#include "sbc/media/flow_fast.h"

/* Puts the Ethernet header of its flow before a packet of `n` bytes, and the frame to the device. */
static inline void relay_frame(struct worker *w, struct rte_mbuf *m, const struct flow *f,
			       uint8_t *ip, uint32_t n)
{
	uint8_t *l2 = ip - f->out_l2_len;

	/* Two sizes, so that both copies are of a constant length. */
	if (likely(f->out_l2_len == RTE_ETHER_HDR_LEN))
		memcpy(l2, f->out_l2, RTE_ETHER_HDR_LEN);
	else
		memcpy(l2, f->out_l2, PACKET_L2_MAX);
	m->data_off = (uint16_t)(l2 - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)(n + f->out_l2_len);
	m->pkt_len = m->data_len;
	tx_put(w, w->way[f->out_port].device, m);
}

static inline bool relay_fast(struct worker *w, struct rte_mbuf *m, struct flow *f, uint8_t *ip)
{
	uint32_t n = be16_get(ip + IP4_TOTAL);
	bool right = CHECKSUM_VERIFIED(ip, n);

	if (unlikely(f->out_l2_len == 0 || n > w->way[f->out_port].mtu ||
		     !flow_relay_fast(f, ip, n, w->now)))
		return false;
	CHECKSUM_ASSERT(ip, n, right);
	w->count.relayed++;
	relay_frame(w, m, f, ip, n);
	return true;
}

#endif
