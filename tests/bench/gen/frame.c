#include <rte_arp.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "tests/bench/gen/gen.h"

uint32_t gen_address(const struct gen *g, enum gen_side side, uint32_t call)
{
	return rte_cpu_to_be_32(rte_be_to_cpu_32(g->port[side].ip) + call / GEN_PER_ADDRESS);
}

uint16_t gen_rtp_port(uint32_t call)
{
	return (uint16_t)(GEN_RTP_BASE + 2 * (call % GEN_PER_ADDRESS));
}

struct rte_mbuf *gen_udp_frame(struct gen *g, enum gen_side side, uint32_t src_ip, uint16_t sport,
			       uint16_t dport, const void *payload, uint16_t len)
{
	const struct gen_port *p = &g->port[side];
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);
	struct rte_ether_hdr *eth;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;

	if (!m)
		return NULL;
	eth = (struct rte_ether_hdr *)rte_pktmbuf_append(m, (uint16_t)(42 + len));
	if (!eth) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	ip = (struct rte_ipv4_hdr *)(eth + 1);
	udp = (struct rte_udp_hdr *)(ip + 1);
	eth->src_addr = p->mac;
	eth->dst_addr = p->border_mac;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .time_to_live = 64,
				    .next_proto_id = IPPROTO_UDP,
				    .total_length = rte_cpu_to_be_16((uint16_t)(28 + len)),
				    .src_addr = src_ip,
				    .dst_addr = p->border_ip};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(sport),
				    .dst_port = rte_cpu_to_be_16(dport),
				    .dgram_len = rte_cpu_to_be_16((uint16_t)(8 + len))};
	memcpy(udp + 1, payload, len);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	return m;
}

static void arp_send(struct gen *g, enum gen_side side, uint16_t opcode, uint32_t sender_ip,
		     const struct rte_ether_addr *target, uint32_t target_ip)
{
	const struct gen_port *p = &g->port[side];
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);
	struct rte_ether_hdr *eth;
	struct rte_arp_hdr *arp;

	if (!m)
		return;
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
	if (rte_eth_tx_burst(p->id, 0, &m, 1) == 0)
		rte_pktmbuf_free(m);
}

void gen_arp_request(struct gen *g, enum gen_side side)
{
	struct rte_ether_addr all = {{255, 255, 255, 255, 255, 255}};

	arp_send(g, side, RTE_ARP_OP_REQUEST, g->port[side].ip, &all, g->port[side].border_ip);
}

/* Answers for every address that calls may use, learns the border's. */
bool gen_arp_input(struct gen *g, enum gen_side side, struct rte_mbuf *m)
{
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(eth + 1);
	struct gen_port *p = &g->port[side];
	uint32_t first = rte_be_to_cpu_32(p->ip), asked;

	if (eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) || m->data_len < 42)
		return false;
	if (arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REPLY)) {
		if (arp->arp_data.arp_sip == p->border_ip) {
			p->border_mac = arp->arp_data.arp_sha;
			p->resolved = true;
		}
		return true;
	}
	asked = rte_be_to_cpu_32(arp->arp_data.arp_tip);
	if (asked >= first && asked <= first + g->calls / GEN_PER_ADDRESS)
		arp_send(g, side, RTE_ARP_OP_REPLY, arp->arp_data.arp_tip, &arp->arp_data.arp_sha,
			 arp->arp_data.arp_sip);
	return true;
}
