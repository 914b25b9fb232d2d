#include "dataplane/arp.h"

#include <rte_arp.h>

#include "dataplane/neigh.h"
#include "dataplane/output.h"
#include "dataplane/worker.h"

static const uint8_t everyone[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t unknown[6];

static bool is_host(const struct rte_ether_addr *mac)
{
	return rte_is_unicast_ether_addr(mac) && !rte_is_zero_ether_addr(mac);
}

/* Malformed, or naming another sender than the frame that carries it. */
static bool arp_ok(struct rte_mbuf *m, const struct rte_arp_hdr *a)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, struct rte_ether_hdr *);

	return m->data_len >= m->l2_len + sizeof(*a) &&
	       a->arp_hardware == RTE_BE16(RTE_ARP_HRD_ETHER) &&
	       a->arp_protocol == RTE_BE16(RTE_ETHER_TYPE_IPV4) && a->arp_hlen == 6 &&
	       a->arp_plen == 4 &&
	       (a->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST) ||
		a->arp_opcode == RTE_BE16(RTE_ARP_OP_REPLY)) &&
	       is_host(&a->arp_data.arp_sha) &&
	       rte_is_same_ether_addr(&eth->src_addr, &a->arp_data.arp_sha);
}

static void fill(struct rte_arp_hdr *a, uint16_t op, const struct port *p, uint32_t sip,
		 const uint8_t *tha, uint32_t tip)
{
	a->arp_hardware = RTE_BE16(RTE_ARP_HRD_ETHER);
	a->arp_protocol = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	a->arp_hlen = 6;
	a->arp_plen = 4;
	a->arp_opcode = rte_cpu_to_be_16(op);
	memcpy(&a->arp_data.arp_sha, p->mac, 6);
	a->arp_data.arp_sip = sip;
	memcpy(&a->arp_data.arp_tha, tha, 6);
	a->arp_data.arp_tip = tip;
}

static void arp_reply(struct worker *w, struct rte_mbuf *m, uint16_t port)
{
	const struct port *p = &w->dp->port[port];
	struct rte_arp_hdr *a;
	uint8_t asker[6];
	uint32_t ours, theirs;

	rte_pktmbuf_adj(m, m->l2_len);
	a = rte_pktmbuf_mtod(m, struct rte_arp_hdr *);
	ours = a->arp_data.arp_tip;
	theirs = a->arp_data.arp_sip;
	memcpy(asker, &a->arp_data.arp_sha, 6);
	rte_pktmbuf_trim(m, (uint16_t)(m->data_len - sizeof(*a)));
	fill(a, RTE_ARP_OP_REPLY, p, ours, asker, theirs);
	output_frame(w, port, m, asker, RTE_ETHER_TYPE_ARP);
}

/*
 * The address we ask from: the port's own; when that is of a group that another
 * node has, one in the same subnet that is ours, or none at all: a request from
 * 0.0.0.0 is answered to us and leaves nobody with a wrong idea (RFC 5227 2.1.1).
 */
static uint32_t arp_sender(const struct worker *w, const struct port *p)
{
	if (port_ours(p, w->active, p->ip) != NULL)
		return p->ip;
	for (uint16_t i = 0; i < p->addresses; i++)
		if ((p->address[i]->gate & w->active) && port_on_link(p, p->address[i]->ip))
			return p->address[i]->ip;
	return 0;
}

void arp_receive(struct worker *w, struct rte_mbuf *m)
{
	const struct rte_arp_hdr *a = (const struct rte_arp_hdr *)packet_ip(m);
	uint16_t port = packet_port(m);
	const struct port *p = &w->dp->port[port];
	const struct address *target;
	uint32_t sip, tip;
	uint8_t sha[6];
	bool asks;

	/* Another station with an address of ours contradicts us: never learned. */
	if (!arp_ok(m, a) || port_ours(p, w->active, a->arp_data.arp_sip) != NULL) {
		worker_drop(w, m, REASON_ARP_BAD);
		return;
	}
	sip = a->arp_data.arp_sip;
	tip = a->arp_data.arp_tip;
	memcpy(sha, &a->arp_data.arp_sha, 6);
	asks = a->arp_opcode == RTE_BE16(RTE_ARP_OP_REQUEST);
	target = port_address(p, tip);
	if (asks && target != NULL && (target->gate & w->active)) {
		/* Sender 0.0.0.0 is a probe (RFC 5227 2.1.1): answered, never learned. */
		if (port_on_link(p, sip) && port_source_ok(p, w->active, sip))
			neigh_heard(w, port, sip, sha);
		arp_reply(w, m, port);
		return;
	}
	if (!asks && (tip == arp_sender(w, p) || port_ours(p, w->active, tip) != NULL) &&
	    neigh_answered(w, port, sip, sha)) {
		packet_free(m);
		return;
	}
	neigh_claimed(w, port, sip, sha);
	/* Who announces an address that he has from us asks for nothing. */
	worker_drop(w, m,
		    asks && target != NULL && sip != tip ? REASON_GROUP_PASSIVE : REASON_ARP_OTHER);
}

static void arp_send(struct worker *w, uint16_t port, uint32_t sip, const uint8_t *to,
		     const uint8_t *tha, uint32_t tip)
{
	struct rte_mbuf *m = packet_alloc(w->pool);

	if (m == NULL) {
		reason_count(&w->reasons, REASON_NO_MBUF);
		return;
	}
	fill((struct rte_arp_hdr *)rte_pktmbuf_append(m, sizeof(struct rte_arp_hdr)),
	     RTE_ARP_OP_REQUEST, &w->dp->port[port], sip, tha, tip);
	output_frame(w, port, m, to, RTE_ETHER_TYPE_ARP);
}

void arp_request(struct worker *w, uint16_t port, uint32_t ip, const uint8_t *mac)
{
	arp_send(w, port, arp_sender(w, &w->dp->port[port]), mac ? mac : everyone, unknown, ip);
}

void arp_announce(struct worker *w, uint16_t port, uint32_t ip)
{
	arp_send(w, port, ip, everyone, unknown, ip);
}

void arp_announce_all(struct worker *w)
{
	for (uint16_t i = 0; i < w->dp->ports; i++)
		for (uint16_t k = 0; k < w->dp->port[i].addresses; k++)
			if (w->dp->port[i].address[k]->gate & w->active)
				arp_announce(w, i, w->dp->port[i].address[k]->ip);
}
