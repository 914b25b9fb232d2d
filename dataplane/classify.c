#include "dataplane/classify.h"

#include <rte_prefetch.h>

#include "dataplane/checksum.h"
#include "dataplane/nd.h"
#include "dataplane/worker.h"

static enum packet_kind drop(enum reason *why, enum reason r)
{
	*why = r;
	return PACKET_DROP;
}

/*
 * Whether the UDP checksum is right. One that a local kernel left to be finished
 * by a device that is not there holds the pseudo header's sum: it is written now,
 * as what is relayed changes it by a delta.
 */
static bool udp_checksum_ok(uint8_t *ip, uint32_t n, bool partial)
{
	uint64_t pseudo;
	uint16_t stored;

	memcpy(&stored, ip + UDP_SUM, 2);
	if (stored == 0)
		return true;
	pseudo = checksum_pseudo(ip, n);
	if (checksum_fold(checksum_add(pseudo, ip + PACKET_IP_LEN, n)) == 0xffff)
		return true;
	if (!partial || stored != checksum_fold(pseudo))
		return false;
	checksum_udp_write(ip, n);
	return true;
}

bool classify_checksum_ok(struct rte_mbuf *m)
{
	uint8_t *ip = packet_ip(m);

	if (!packet_is_unverified(m))
		return true;
	m->hash.fdir.hi &= ~PACKET_UNVERIFIED;
	return udp_checksum_ok(ip, be16_get(ip + UDP_LEN), false);
}

static enum packet_kind udp_target(struct worker *w, struct rte_mbuf *m, const struct address *a,
				   uint16_t port, uint32_t flow, enum reason *why)
{
	if (flow != FLOW_NONE) {
		packet_target(m, PACKET_MEDIA, flow);
		rte_prefetch0(&w->flow[flow]);
		rte_prefetch0_write(&w->flow[flow].packets);
		return PACKET_MEDIA;
	}
	for (uint16_t i = 0; i < a->listeners; i++)
		if (a->listener[i].port == port) {
			packet_target(m, PACKET_SIP, a->listener[i].listener);
			return PACKET_SIP;
		}
	return drop(why, REASON_UDP_PORT);
}

/* `ip` is contiguous: a header without options and `n` - 20 bytes behind it. */
static enum packet_kind classify_l4(struct worker *w, const struct device *dev, struct rte_mbuf *m,
				    const struct address *a, uint8_t *ip, uint32_t n,
				    enum reason *why)
{
	uint16_t port;
	uint32_t flow;

	if (ip[IP4_PROTO] == IPPROTO_ICMP) {
		packet_target(m, PACKET_ICMP, 0);
		return PACKET_ICMP;
	}
	if (ip[IP4_PROTO] != IPPROTO_UDP)
		return drop(why, REASON_IP_PROTO);
	/* Bytes that IP has and UDP has not would get through unseen. */
	if (n < PACKET_IP_LEN + PACKET_UDP_LEN || be16_get(ip + UDP_LEN) != n - PACKET_IP_LEN)
		return drop(why, REASON_UDP_BAD);
	port = be16_get(ip + UDP_DST);
	flow = address_flow(a, port);
	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD) {
		/* A datagram just put together, and what the kernel left open, are verified now. */
		if (flow != FLOW_NONE && dev != NULL && !dev->partial_checksums)
			packet_mark_unverified(m);
		else if (!udp_checksum_ok(ip, n - PACKET_IP_LEN,
					  dev != NULL && dev->partial_checksums))
			return drop(why, REASON_UDP_CHECKSUM);
	}
	return udp_target(w, m, a, port, flow, why);
}

static void options_cut(struct rte_mbuf *m, uint32_t header)
{
	uint8_t *ip = packet_ip(m);
	uint32_t options = header - PACKET_IP_LEN;
	uint16_t total = be16_get(ip + IP4_TOTAL);

	memmove(ip + options, ip, PACKET_IP_LEN);
	ip += options;
	ip[0] = 0x45;
	be16_put(ip + IP4_TOTAL, (uint16_t)(total - options));
	checksum_ip_write(ip, PACKET_IP_LEN);
	packet_note(m, packet_port(m), m->l2_len + options);
}

static bool ip_header_ok(const struct rte_mbuf *m, const uint8_t *ip, uint32_t room)
{
	uint32_t header, total;

	if (room < PACKET_IP_LEN || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 15) * 4u;
	total = be16_get(ip + IP4_TOTAL);
	if (header < PACKET_IP_LEN || header > total || total > room)
		return false;
	return (m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD ||
	       checksum_ip_ok(ip, header);
}

static enum packet_kind classify_ip(struct worker *w, const struct device *dev, struct rte_mbuf *m,
				    enum reason *why)
{
	const struct port *p = &w->dp->port[packet_port(m)];
	uint32_t room = m->data_len - m->l2_len;
	uint8_t *ip = packet_ip(m);
	const struct address *a;
	uint16_t total;

	if (!ip_header_ok(m, ip, room))
		return drop(why, REASON_IP_BAD);
	a = port_address(p, ip_get(ip + IP4_DST));
	if (a == NULL)
		return drop(why, REASON_IP_NOT_OURS);
	if (unlikely(!(a->gate & w->active)))
		return drop(why, REASON_GROUP_PASSIVE);
	if (!port_source_ok(p, w->active, ip_get(ip + IP4_SRC)))
		return drop(why, REASON_IP_SOURCE);
	if (ip[IP4_TTL] == 0)
		return drop(why, REASON_IP_TTL);
	total = be16_get(ip + IP4_TOTAL);
	if (room > total)
		rte_pktmbuf_trim(m, (uint16_t)(room - total));
	if (ip[0] != 0x45) {
		options_cut(m, (ip[0] & 15) * 4u);
		ip = packet_ip(m);
		total = be16_get(ip + IP4_TOTAL);
	}
	if (be16_get(ip + IP4_FRAG) & (IP4_FRAG_MORE | IP4_FRAG_OFFSET)) {
		packet_target(m, PACKET_FRAGMENT, 0);
		return PACKET_FRAGMENT;
	}
	return classify_l4(w, dev, m, a, ip, total, why);
}

/* The VLAN of a frame and the length of its header; 0 when it is too short. */
static uint32_t frame_header(struct rte_mbuf *m, uint16_t *vlan, uint16_t *type)
{
	const uint8_t *p = rte_pktmbuf_mtod(m, const uint8_t *);

	*vlan = 0;
	if (m->data_len < RTE_ETHER_HDR_LEN)
		return 0;
	*type = be16_get(p + 12);
	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		*vlan = m->vlan_tci & 0xfff;
	if (*type != RTE_ETHER_TYPE_VLAN)
		return RTE_ETHER_HDR_LEN;
	if (m->data_len < PACKET_L2_MAX)
		return 0;
	*vlan = be16_get(p + 14) & 0xfff;
	*type = be16_get(p + 16);
	return PACKET_L2_MAX;
}

/* Neither IPv4 nor ARP: something of IPv6 that concerns an address of ours, or nothing. */
static enum packet_kind classify_other(struct worker *w, struct rte_mbuf *m, uint16_t type,
				       uint16_t port, uint32_t header, enum reason *why)
{
	const uint8_t *to = rte_pktmbuf_mtod(m, const uint8_t *);
	const struct port *p = &w->dp->port[port];

	if (type != RTE_ETHER_TYPE_IPV6 || p->addresses6 == 0)
		return drop(why, REASON_L2_TYPE);
	packet_note(m, port, header);
	if (memcmp(to, p->mac, 6) != 0 && !(to[0] & 1))
		return drop(why, REASON_L2_OTHER);
	if (!nd_is_ours(p, m))
		return drop(why, REASON_L2_TYPE);
	packet_target(m, PACKET_ICMP6, 0);
	return PACKET_ICMP6;
}

enum packet_kind classify_frame(struct worker *w, const struct device *dev, struct rte_mbuf *m,
				enum reason *why)
{
	uint16_t vlan, type = 0;
	uint32_t header;
	const uint8_t *to = rte_pktmbuf_mtod(m, const uint8_t *);
	uint8_t port;

	/* No device is set up to scatter: a chain would be one that ignores its set-up. */
	header = m->nb_segs == 1 ? frame_header(m, &vlan, &type) : 0;
	if (header == 0)
		return drop(why, REASON_L2_SHORT);
	port = dev->port_of_vlan[vlan];
	if (port == 0)
		return drop(why, REASON_L2_VLAN);
	port--;
	if (type != RTE_ETHER_TYPE_IPV4 && type != RTE_ETHER_TYPE_ARP)
		return classify_other(w, m, type, port, header, why);
	packet_note(m, port, header);
	if (memcmp(to, w->dp->port[port].mac, 6) != 0 &&
	    (type == RTE_ETHER_TYPE_IPV4 || !(to[0] & 1)))
		return drop(why, REASON_L2_OTHER);
	if (type == RTE_ETHER_TYPE_IPV4)
		return classify_ip(w, dev, m, why);
	packet_target(m, PACKET_ARP, 0);
	return PACKET_ARP;
}

enum packet_kind classify_datagram(struct worker *w, struct rte_mbuf *m, enum reason *why)
{
	uint32_t n;
	uint8_t *ip = worker_contiguous(w, m, &n);
	const struct address *a = port_address(&w->dp->port[packet_port(m)], ip_get(ip + IP4_DST));

	return classify_l4(w, NULL, m, a, ip, n, why);
}
