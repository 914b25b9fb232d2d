/*
 * packet: what the workers note in an mbuf while it travels between their stages.
 *
 * A received packet is classified once; where it goes next and where its headers
 * lie is kept in fields of the mbuf itself that no device reads, so that it can
 * be handed to another worker as one pointer:
 *   packet_type    enum packet_kind
 *   hash.usr       target: index of the flow (MEDIA) or of the listener (SIP)
 *   hash.fdir.hi   our port (index into dataplane.port); in the upper half how often
 *                  the packet has been relayed to a flow of our own, and whether its UDP
 *                  checksum is still to be verified (MEDIA only)
 *   l2_len         bytes before the IPv4 header, options cut out of the way
 *   l3_len         20: a classified header has no options
 * A chain of mbufs is a reassembled datagram with l2_len 0; all else is one mbuf.
 */
#ifndef DATAPLANE_PACKET_H
#define DATAPLANE_PACKET_H

#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PACKET_IP_LEN   20u
#define PACKET_UDP_LEN  8u
#define PACKET_DATAGRAM 65535u
#define PACKET_VLAN_LEN 4u
#define PACKET_L2_MAX   (RTE_ETHER_HDR_LEN + PACKET_VLAN_LEN)
/* In hash.fdir.hi. */
#define PACKET_UNVERIFIED (1u << 31)

enum packet_kind {
	PACKET_DROP, /* with a reason */
	PACKET_MEDIA,
	PACKET_SIP,
	PACKET_FRAGMENT,
	PACKET_ARP,
	PACKET_ICMP,
	PACKET_ICMP6
};

/* Offsets within an IPv4 header (RFC 791) and the UDP header behind it. */
enum {
	IP4_TOS = 1,
	IP4_TOTAL = 2,
	IP4_ID = 4,
	IP4_FRAG = 6,
	IP4_TTL = 8,
	IP4_PROTO = 9,
	IP4_SUM = 10,
	IP4_SRC = 12,
	IP4_DST = 16,
	UDP_SRC = 20,
	UDP_DST = 22,
	UDP_LEN = 24,
	UDP_SUM = 26
};

/* Offset of the sender's address in an ARP packet (RFC 826), and of what we read of IPv6. */
enum {
	ARP_SENDER = 14,
	IP6_LENGTH = 4,
	IP6_NEXT = 6,
	IP6_HOPS = 7,
	IP6_SRC = 8,
	IP6_DST = 24,
	IP6_LEN = 40
};

#define IP4_FRAG_MORE   0x2000u
#define IP4_FRAG_DF     0x4000u
#define IP4_FRAG_OFFSET 0x1fffu

static inline uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Network order on both sides: addresses are compared, never computed with. */
static inline uint32_t ip_get(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void ip_put(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline uint8_t *packet_ip(struct rte_mbuf *m)
{
	return rte_pktmbuf_mtod_offset(m, uint8_t *, m->l2_len);
}

static inline void packet_note(struct rte_mbuf *m, uint16_t port, uint32_t before_ip)
{
	m->tx_offload = 0;
	m->l2_len = before_ip & 0x7f;
	m->l3_len = PACKET_IP_LEN;
	m->hash.fdir.hi = port;
}

static inline void packet_target(struct rte_mbuf *m, enum packet_kind kind, uint32_t target)
{
	m->packet_type = kind;
	m->hash.usr = target;
}

/* Relayed to ourselves once more, by that port. */
static inline void packet_turn(struct rte_mbuf *m, uint16_t port)
{
	m->hash.fdir.hi = (m->hash.fdir.hi & ~0xffffu) + 0x10000u + port;
}

static inline uint32_t packet_turns(const struct rte_mbuf *m)
{
	return (m->hash.fdir.hi & ~PACKET_UNVERIFIED) >> 16;
}

/* Nobody has looked at the UDP checksum: who decides anything by the packet does. */
static inline void packet_mark_unverified(struct rte_mbuf *m)
{
	m->hash.fdir.hi |= PACKET_UNVERIFIED;
}

static inline bool packet_is_unverified(const struct rte_mbuf *m)
{
	return m->hash.fdir.hi & PACKET_UNVERIFIED;
}

static inline uint16_t packet_port(const struct rte_mbuf *m)
{
	return (uint16_t)m->hash.fdir.hi;
}

#endif
