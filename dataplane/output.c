#include "dataplane/output.h"

#include "dataplane/checksum.h"
#include "dataplane/neigh.h"
#include "dataplane/steer.h"
#include "dataplane/tx.h"
#include "dataplane/worker.h"

uint32_t output_l2(const struct port *p, uint8_t *l2, const uint8_t to[6], uint16_t type)
{
	memcpy(l2, to, 6);
	memcpy(l2 + 6, p->mac, 6);
	if (p->vlan == 0) {
		be16_put(l2 + 12, type);
		return RTE_ETHER_HDR_LEN;
	}
	be16_put(l2 + 12, RTE_ETHER_TYPE_VLAN);
	be16_put(l2 + 14, p->vlan);
	be16_put(l2 + 16, type);
	return PACKET_L2_MAX;
}

void output_frame(struct worker *w, uint16_t port, struct rte_mbuf *m, const uint8_t to[6],
		  uint16_t type)
{
	const struct port *p = &w->dp->port[port];
	uint16_t n = p->vlan ? PACKET_L2_MAX : RTE_ETHER_HDR_LEN;

	output_l2(p, (uint8_t *)rte_pktmbuf_prepend(m, n), to, type);
	tx_put(w, p->device, m);
}

static struct pending *pending_of(struct worker *w, uint16_t port, uint32_t hop)
{
	struct pending *room = NULL;

	for (uint32_t i = 0; i < WORKER_PENDING; i++) {
		struct pending *q = &w->pending[i];

		if (q->ip == hop && q->port == port)
			return q;
		if (q->ip == 0 && room == NULL)
			room = q;
	}
	if (room == NULL)
		return NULL;
	*room = (struct pending){.ip = hop, .port = port, .since = w->now};
	w->pendings++;
	return room;
}

/* Keeps a packet until its next hop is known. */
static void pend(struct worker *w, uint16_t port, uint32_t hop, struct rte_mbuf *m)
{
	struct pending *q = pending_of(w, port, hop);

	if (q == NULL || q->n == WORKER_PENDING_N) {
		worker_drop(w, m, REASON_NEIGH_PENDING);
		return;
	}
	q->pkt[q->n++] = m;
}

void output_packet(struct worker *w, uint16_t port, struct rte_mbuf *m)
{
	const struct port *p = &w->dp->port[port];
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	uint8_t mac[6];
	uint32_t hop;

	if (port_ours(p, w->active, ip_get(ip + IP4_SRC)) == NULL) {
		worker_drop(w, m, REASON_GROUP_SOURCE);
		return;
	}
	if (!port_next_hop(p, w->active, ip_get(ip + IP4_DST), &hop)) {
		worker_drop(w, m, REASON_NO_ROUTE);
		return;
	}
	switch (neigh_lookup(w->dp->neigh, port, hop, w->now, mac)) {
	case NEIGH_REACHABLE:
	case NEIGH_PROBING:
		output_frame(w, port, m, mac, RTE_ETHER_TYPE_IPV4);
		break;
	case NEIGH_FAILED:
		worker_drop(w, m, REASON_NEIGH_FAILED);
		break;
	case NEIGH_NONE:
		if (!steer_neigh_want(w, port, hop)) {
			worker_drop(w, m, REASON_NEIGH_TABLE);
			break;
		}
		__attribute__((fallthrough));
	case NEIGH_INCOMPLETE:
		pend(w, port, hop, m);
		break;
	}
}

static void pending_send(struct worker *w, struct pending *q, const uint8_t mac[6])
{
	for (uint16_t i = 0; i < q->n; i++)
		output_frame(w, q->port, q->pkt[i], mac, RTE_ETHER_TYPE_IPV4);
}

static void pending_drop(struct worker *w, struct pending *q, enum reason why)
{
	for (uint16_t i = 0; i < q->n; i++)
		worker_drop(w, q->pkt[i], why);
}

/* Whether the wait is over, one way or the other. */
static bool pending_done(struct worker *w, struct pending *q)
{
	uint8_t mac[6];

	switch (neigh_lookup(w->dp->neigh, q->port, q->ip, w->now, mac)) {
	case NEIGH_REACHABLE:
	case NEIGH_PROBING:
		pending_send(w, q, mac);
		return true;
	case NEIGH_FAILED:
		pending_drop(w, q, REASON_NEIGH_FAILED);
		return true;
	case NEIGH_NONE:
		/* Asked of the writer by message, and it had no room. */
		if (w->now - q->since < OUTPUT_PENDING_MS)
			return false;
		pending_drop(w, q, REASON_NEIGH_TABLE);
		return true;
	case NEIGH_INCOMPLETE:
		return false;
	}
	return false;
}

void output_pending(struct worker *w)
{
	if (w->pendings == 0)
		return;
	for (uint32_t i = 0; i < WORKER_PENDING; i++) {
		struct pending *q = &w->pending[i];

		if (q->ip != 0 && pending_done(w, q)) {
			q->ip = 0;
			w->pendings--;
		}
	}
}

void output_free(struct worker *w)
{
	for (uint32_t i = 0; i < WORKER_PENDING; i++)
		if (w->pending[i].ip != 0)
			rte_pktmbuf_free_bulk(w->pending[i].pkt, w->pending[i].n);
}

static struct rte_mbuf *fragment(struct worker *w, const uint8_t *ip, uint32_t off, uint32_t n,
				 bool more)
{
	struct rte_mbuf *m = packet_alloc(w->pool);
	uint8_t *p;

	if (m == NULL)
		return NULL;
	p = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(PACKET_IP_LEN + n));
	memcpy(p, ip, PACKET_IP_LEN);
	memcpy(p + PACKET_IP_LEN, ip + PACKET_IP_LEN + off, n);
	be16_put(p + IP4_TOTAL, (uint16_t)(PACKET_IP_LEN + n));
	be16_put(p + IP4_FRAG, (uint16_t)(off / 8 | (more ? IP4_FRAG_MORE : 0)));
	checksum_ip_write(p, PACKET_IP_LEN);
	return m;
}

/*
 * Don't-fragment is not kept: the datagram is ours, to a host of which no more
 * than its UDP address is known (RFC 3261 18.1.1 leaves nothing smaller).
 */
static void output_fragments(struct worker *w, uint16_t port, uint8_t *ip, uint32_t n)
{
	uint32_t payload = n - PACKET_IP_LEN;
	uint32_t step = (w->dp->port[port].mtu - PACKET_IP_LEN) & ~7u;

	be16_put(ip + IP4_ID, w->ip_id++);
	for (uint32_t off = 0; off < payload; off += step) {
		uint32_t len = RTE_MIN(step, payload - off);
		struct rte_mbuf *m = fragment(w, ip, off, len, off + len < payload);

		if (m == NULL) {
			reason_count(&w->reasons, REASON_NO_MBUF);
			return;
		}
		output_packet(w, port, m);
	}
}

void output_datagram(struct worker *w, uint16_t port, uint8_t *ip, uint32_t n)
{
	struct rte_mbuf *m;

	if (n > w->dp->port[port].mtu) {
		output_fragments(w, port, ip, n);
		return;
	}
	m = packet_alloc(w->pool);
	if (m == NULL) {
		reason_count(&w->reasons, REASON_NO_MBUF);
		return;
	}
	memcpy(rte_pktmbuf_append(m, (uint16_t)n), ip, n);
	output_packet(w, port, m);
}

/* Headers before the `n` - 28 bytes of payload that are there already. */
static void udp_headers(struct worker *w, uint8_t *ip, uint32_t n, struct net_addr src,
			struct net_addr dst, uint8_t tos)
{
	ip[0] = 0x45;
	ip[IP4_TOS] = tos;
	be16_put(ip + IP4_TOTAL, (uint16_t)n);
	be16_put(ip + IP4_ID, w->ip_id++);
	be16_put(ip + IP4_FRAG, 0);
	ip[IP4_TTL] = 64;
	ip[IP4_PROTO] = IPPROTO_UDP;
	ip_put(ip + IP4_SRC, src.ip);
	ip_put(ip + IP4_DST, dst.ip);
	checksum_ip_write(ip, PACKET_IP_LEN);
	be16_put(ip + UDP_SRC, src.port);
	be16_put(ip + UDP_DST, dst.port);
	be16_put(ip + UDP_LEN, (uint16_t)(n - PACKET_IP_LEN));
	checksum_udp_write(ip, n - PACKET_IP_LEN);
}

void output_udp(struct worker *w, uint16_t port, struct net_addr src, struct net_addr dst,
		uint8_t tos, struct slice bytes)
{
	const uint32_t headers = PACKET_IP_LEN + PACKET_UDP_LEN;
	uint32_t n = headers + bytes.n;
	struct rte_mbuf *m;
	uint8_t *ip;

	if (n > PACKET_DATAGRAM) {
		reason_count(&w->reasons, REASON_TX_TOO_LONG);
		return;
	}
	if (n > w->dp->port[port].mtu) {
		memcpy(w->datagram + headers, bytes.p, bytes.n);
		udp_headers(w, w->datagram, n, src, dst, tos);
		output_fragments(w, port, w->datagram, n);
		return;
	}
	m = packet_alloc(w->pool);
	if (m == NULL) {
		reason_count(&w->reasons, REASON_NO_MBUF);
		return;
	}
	ip = (uint8_t *)rte_pktmbuf_append(m, (uint16_t)n);
	memcpy(ip + headers, bytes.p, bytes.n);
	udp_headers(w, ip, n, src, dst, tos);
	output_packet(w, port, m);
}
