#include <rte_ip.h>
#include <rte_udp.h>

#include "tests/bench/gen/port.h"

struct rte_mbuf *frame_new(struct gen *g, struct out *o)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(g->pool);

	if (!m) {
		g->count.no_mbuf++;
		return NULL;
	}
	o->p = rte_pktmbuf_mtod_offset(m, char *, GEN_HEADERS);
	return m;
}

void frame_head(const struct gen *g, enum side side, uint8_t *to, struct frame_way way,
		uint16_t payload)
{
	const struct port *p = &g->port[side];
	struct rte_ether_hdr *eth = (struct rte_ether_hdr *)to;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(eth + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	eth->src_addr = p->mac;
	eth->dst_addr = p->border_mac;
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	*ip = (struct rte_ipv4_hdr){.version_ihl = 0x45,
				    .time_to_live = 64,
				    .next_proto_id = IPPROTO_UDP,
				    .total_length = rte_cpu_to_be_16((uint16_t)(28 + payload)),
				    .src_addr = way.src,
				    .dst_addr = way.dst};
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(way.sport),
				    .dst_port = rte_cpu_to_be_16(way.dport),
				    .dgram_len = rte_cpu_to_be_16((uint16_t)(8 + payload))};
}

void frame_finish(struct gen *g, enum side side, struct rte_mbuf *m, const struct out *o,
		  struct frame_way way)
{
	uint8_t *head = rte_pktmbuf_mtod(m, uint8_t *);
	uint16_t payload = (uint16_t)(o->p - (char *)head - GEN_HEADERS);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(head + 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	frame_head(g, side, head, way, payload);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	m->data_len = (uint16_t)(GEN_HEADERS + payload);
	m->pkt_len = m->data_len;
}

bool frame_read(const struct rte_mbuf *m, struct frame_seen *seen)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	uint32_t n;

	if (m->data_len < GEN_HEADERS || m->nb_segs != 1 ||
	    eth->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) || ip->version_ihl != 0x45 ||
	    ip->next_proto_id != IPPROTO_UDP ||
	    (ip->fragment_offset & rte_cpu_to_be_16(0x3fff)) != 0)
		return false;
	n = rte_be_to_cpu_16(udp->dgram_len);
	if (n < 8 || n + 34 > m->data_len || n + 20 != rte_be_to_cpu_16(ip->total_length))
		return false;
	seen->way = (struct frame_way){ip->src_addr, ip->dst_addr, rte_be_to_cpu_16(udp->src_port),
				       rte_be_to_cpu_16(udp->dst_port)};
	seen->payload = (const uint8_t *)(udp + 1);
	seen->n = (uint16_t)(n - 8);
	return true;
}

bool frame_checksum_ok(const struct rte_mbuf *m)
{
	const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, const struct rte_ipv4_hdr *, 14);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	uint32_t sum;

	if (rte_raw_cksum(ip, sizeof(*ip)) != 0xffff)
		return false;
	if (udp->dgram_cksum == 0)
		return true;
	sum = (uint32_t)rte_raw_cksum(udp, rte_be_to_cpu_16(udp->dgram_len)) +
	      rte_ipv4_phdr_cksum(ip, 0);
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}
