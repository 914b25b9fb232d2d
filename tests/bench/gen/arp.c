#include <rte_arp.h>

#include "tests/bench/gen/port.h"

static void arp_send(struct gen *g, enum side side, uint16_t opcode, uint32_t sender_ip,
		     const struct rte_ether_addr *target, uint32_t target_ip)
{
	const struct port *p = &g->port[side];
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	if (!m) {
		g->count.no_mbuf++;
		return;
	}
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, 60);
	memset(eth, 0, 60);
	arp = (struct rte_arp_hdr *)(eth + 1);
	eth->src_addr = p->mac;
	eth->dst_addr = *target;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	arp->arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	arp->arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	arp->arp_hlen = 6;
	arp->arp_plen = 4;
	arp->arp_opcode = rte_cpu_to_be_16(opcode);
	arp->arp_data.arp_sha = p->mac;
	arp->arp_data.arp_sip = sender_ip;
	if (opcode == RTE_ARP_OP_REPLY)
		arp->arp_data.arp_tha = *target;
	arp->arp_data.arp_tip = target_ip;
	port_send(g, side, m);
}

void arp_request(struct gen *g, enum side side)
{
	struct rte_ether_addr all = {{255, 255, 255, 255, 255, 255}};

	arp_send(g, side, RTE_ARP_OP_REQUEST, g->port[side].host[0].ip, &all,
		 g->port[side].border.ip);
}

bool arp_input(struct gen *g, enum side side, const struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *arp = (const struct rte_arp_hdr *)(eth + 1);
	struct port *p = &g->port[side];
	uint32_t asked;

	if (m->data_len < sizeof(*eth) + sizeof(*arp) ||
	    eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP))
		return false;
	if (arp->arp_data.arp_sip == p->border.ip) {
		p->border_mac = arp->arp_data.arp_sha;
		p->resolved = true;
	}
	if (arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		return true;
	asked = rte_be_to_cpu_32(arp->arp_data.arp_tip) - rte_be_to_cpu_32(p->host[0].ip);
	if (asked < p->hosts)
		arp_send(g, side, RTE_ARP_OP_REPLY, arp->arp_data.arp_tip, &arp->arp_data.arp_sha,
			 arp->arp_data.arp_sip);
	return true;
}
