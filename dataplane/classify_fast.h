/*
 * classify_fast: most frames, in a straight line.
 *
 * An untagged frame of one buffer with an IPv4 header of 20 bytes, whole, UDP, to
 * a media port of ours: classify_frame() would say the same. What is anything
 * else, or is wrong in any way, is told apart there.
 */
#ifndef DATAPLANE_CLASSIFY_FAST_H
#define DATAPLANE_CLASSIFY_FAST_H

#include <rte_branch_prediction.h>

#include "dataplane/worker.h"

/* What a device's untagged frames have in common; which address of ours came last. */
struct classify_hint {
	const struct port *port; /* NULL: all are told apart the long way */
	uint16_t index;
	uint32_t ip;
	const struct address *address;
};

static inline struct classify_hint classify_hint_of(const struct worker *w,
						    const struct device *dev)
{
	struct classify_hint h = {0};
	uint8_t port = dev->port_of_vlan[0];

	/* A local kernel's checksum is finished when it is verified: on the long way. */
	if (port == 0 || dev->partial_checksums)
		return h;
	h.index = port - 1u;
	h.port = &w->dp->port[h.index];
	h.ip = h.port->ip;
	h.address = port_address(h.port, h.ip);
	return h;
}

/* Ethernet to our station, IPv4 with IHL 5: the first 16 bytes, but for the sender's and TOS. */
static inline bool classify_is_plain(const struct port *p, const uint8_t *frame)
{
	static const uint8_t type[3] = {RTE_ETHER_TYPE_IPV4 >> 8, RTE_ETHER_TYPE_IPV4 & 0xff, 0x45};

	return memcmp(frame, p->mac, 6) == 0 && memcmp(frame + 12, type, 3) == 0;
}

/* The header's own checksum: 20 bytes in three loads. */
static inline bool classify_header_ok(const uint8_t *ip)
{
	uint64_t a, b;
	uint32_t c;

	memcpy(&a, ip, 8);
	memcpy(&b, ip + 8, 8);
	memcpy(&c, ip + 16, 4);
	a = (a & 0xffffffff) + (a >> 32) + (b & 0xffffffff) + (b >> 32) + c;
	a = (a & 0xffff) + (a >> 16 & 0xffff) + (a >> 32);
	a = (a & 0xffff) + (a >> 16);
	return (uint16_t)((a & 0xffff) + (a >> 16)) == 0xffff;
}

/* port_source_ok(), of what is plainly right. */
static inline bool classify_source_ok(const struct port *p, const uint8_t *ip)
{
	uint32_t src = ip_get(ip + IP4_SRC), host = rte_be_to_cpu_32(src & ~p->mask);
	uint8_t first = ip[IP4_SRC];

	if ((uint8_t)(first - 1) >= 223 || first == 127 ||
	    p->slot[port_slot_of(src) % PORT_SLOTS].at != 0)
		return false;
	return !port_on_link(p, src) || (host != 0 && host != rte_be_to_cpu_32(~p->mask));
}

/* The flow a frame came for, or FLOW_NONE: the long way says what it is. */
static inline uint32_t classify_media(const struct worker *w, struct classify_hint *h,
				      const struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	const uint8_t *ip = frame + RTE_ETHER_HDR_LEN;
	uint32_t total, dst;

	if (unlikely(m->nb_segs != 1 ||
		     m->data_len < RTE_ETHER_HDR_LEN + PACKET_IP_LEN + PACKET_UDP_LEN ||
		     (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) ||
		     !classify_is_plain(h->port, frame)))
		return FLOW_NONE;
	total = be16_get(ip + IP4_TOTAL);
	if (unlikely(total > (uint32_t)m->data_len - RTE_ETHER_HDR_LEN ||
		     total < PACKET_IP_LEN + PACKET_UDP_LEN ||
		     be16_get(ip + UDP_LEN) != total - PACKET_IP_LEN ||
		     (be16_get(ip + IP4_FRAG) & (IP4_FRAG_MORE | IP4_FRAG_OFFSET)) ||
		     ip[IP4_TTL] == 0 || ip[IP4_PROTO] != IPPROTO_UDP || !classify_header_ok(ip) ||
		     !classify_source_ok(h->port, ip)))
		return FLOW_NONE;
	dst = ip_get(ip + IP4_DST);
	if (unlikely(dst != h->ip)) {
		h->ip = dst;
		h->address = port_address(h->port, dst);
	}
	if (unlikely(h->address == NULL || !(h->address->gate & w->active)))
		return FLOW_NONE;
	return address_flow(h->address, be16_get(ip + UDP_DST));
}

/* Notes what classify_frame() would have, for a packet that does not go on at once. */
static inline void classify_media_note(struct rte_mbuf *m, const struct classify_hint *h,
				       uint32_t flow)
{
	uint32_t total = be16_get(rte_pktmbuf_mtod_offset(m, const uint8_t *, RTE_ETHER_HDR_LEN) +
				  IP4_TOTAL);

	packet_note(m, h->index, RTE_ETHER_HDR_LEN);
	packet_target(m, PACKET_MEDIA, flow);
	m->data_len = (uint16_t)(RTE_ETHER_HDR_LEN + total);
	m->pkt_len = m->data_len;
	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		packet_mark_unverified(m);
}

#endif
