#include "tests/bench/gen/port.h"

#include <rte_ethdev.h>

/* Devices that have copied a frame when their transmit function returns. */
static bool device_copies(const char *driver)
{
	return strcmp(driver, "net_vhost") == 0 || strcmp(driver, "net_af_packet") == 0 ||
	       strcmp(driver, "net_tap") == 0;
}

int port_start(struct gen *g, enum side side)
{
	struct port *p = &g->port[side];
	uint16_t rxd = 4096, txd = 4096;
	struct rte_eth_conf conf = {0};
	struct rte_eth_dev_info info;

	if (rte_eth_dev_info_get(p->id, &info))
		return -1;
	p->queues = RTE_MIN(RTE_MIN(info.max_rx_queues, info.max_tx_queues), (uint16_t)GEN_QUEUES);
	if (rte_eth_dev_configure(p->id, p->queues, p->queues, &conf) ||
	    rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &rxd, &txd))
		return -1;
	for (uint16_t q = 0; q < p->queues; q++)
		if (rte_eth_rx_queue_setup(p->id, q, rxd, SOCKET_ID_ANY, NULL, g->pool) ||
		    rte_eth_tx_queue_setup(p->id, q, txd, SOCKET_ID_ANY, NULL))
			return -1;
	if (rte_eth_dev_start(p->id))
		return -1;
	p->copies = device_copies(info.driver_name);
	rte_eth_promiscuous_enable(p->id);
	return rte_eth_macaddr_get(p->id, &p->mac);
}

bool port_linked(const struct gen *g, enum side side)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(g->port[side].id, &link) == 0 && link.link_status;
}

uint32_t port_flush(struct gen *g, enum side side)
{
	struct port *p = &g->port[side];
	uint32_t sent = 0;

	while (sent < p->queued) {
		uint16_t n = (uint16_t)RTE_MIN(p->queued - sent, GEN_BURST);
		uint16_t took = rte_eth_tx_burst(p->id, p->next_queue, p->queue + sent, n);

		sent += took;
		if (took < n)
			break;
	}
	p->next_queue = p->next_queue + 1 >= p->queues ? 0 : (uint16_t)(p->next_queue + 1);
	p->queued -= sent;
	if (p->queued > 0 && sent > 0)
		memmove(p->queue, p->queue + sent, p->queued * sizeof(p->queue[0]));
	g->count.tx[side] += sent;
	return sent;
}

void port_send(struct gen *g, enum side side, struct rte_mbuf *m)
{
	struct port *p = &g->port[side];

	if (p->queued == GEN_QUEUE)
		port_flush(g, side);
	if (p->queued == GEN_QUEUE) {
		g->count.tx_dropped++;
		rte_pktmbuf_free(m);
		return;
	}
	p->queue[p->queued++] = m;
}
