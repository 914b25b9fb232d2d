#include "dataplane/group.h"

#include "dataplane/arp.h"
#include "dataplane/nd.h"
#include "dataplane/neigh.h"

uint32_t group_mask(const struct dataplane *dp, uint64_t now)
{
	uint32_t mask = UINT32_MAX;

	if (!dp->conf.groups_held)
		return mask;
	for (uint32_t i = 0; i < dp->groups; i++)
		if (__atomic_load_n(&dp->group_until[i], __ATOMIC_ACQUIRE) <= now)
			mask &= ~(1u << i);
	return mask;
}

/* The gate of what a frame is sent from; an address that is none of ours has none. */
static uint32_t gate4(const struct port *p, uint32_t ip)
{
	const struct address *a = port_address(p, ip);

	return a == NULL ? PORT_ALWAYS : a->gate;
}

static uint32_t gate6(const struct port *p, const uint8_t *ip)
{
	for (uint16_t i = 0; i < p->addresses6; i++)
		if (memcmp(p->address6[i].ip, ip, 16) == 0)
			return p->address6[i].gate;
	return PORT_ALWAYS;
}

bool group_frame_ok(const struct worker *w, uint16_t device, const struct rte_mbuf *m)
{
	const uint8_t *f = rte_pktmbuf_mtod(m, const uint8_t *);
	uint16_t type = be16_get(f + 12), vlan = 0;
	const uint8_t *l3 = f + RTE_ETHER_HDR_LEN;
	const struct port *p;

	if (type == RTE_ETHER_TYPE_VLAN) {
		vlan = be16_get(f + 14) & 0xfff;
		type = be16_get(f + 16);
		l3 = f + PACKET_L2_MAX;
	}
	p = &w->dp->port[w->dp->device[device].port_of_vlan[vlan] - 1];
	switch (type) {
	case RTE_ETHER_TYPE_IPV4:
		return gate4(p, ip_get(l3 + IP4_SRC)) & w->active;
	case RTE_ETHER_TYPE_ARP:
		return gate4(p, ip_get(l3 + ARP_SENDER)) & w->active;
	case RTE_ETHER_TYPE_IPV6:
		return gate6(p, l3 + IP6_SRC) & w->active;
	default:
		return true;
	}
}

bool group_packet_ok(const struct worker *w, struct rte_mbuf *m)
{
	const struct port *p = &w->dp->port[packet_port(m)];

	if (w->active == UINT32_MAX || m->packet_type == PACKET_ARP)
		return true;
	return gate4(p, ip_get(packet_ip(m) + IP4_DST)) & w->active;
}

static void fence_tx(struct worker *w, uint16_t device)
{
	struct worker_tx *t = &w->tx[device];
	uint16_t kept = 0;

	for (uint16_t i = 0; i < t->n; i++) {
		if (group_frame_ok(w, device, t->pkt[i]))
			t->pkt[kept++] = t->pkt[i];
		else
			worker_drop(w, t->pkt[i], REASON_GROUP_FENCED);
	}
	t->n = kept;
}

static void fence_pending(struct worker *w, struct pending *q)
{
	const struct port *p = &w->dp->port[q->port];
	uint16_t kept = 0;

	for (uint16_t i = 0; i < q->n; i++) {
		const uint8_t *ip = rte_pktmbuf_mtod(q->pkt[i], const uint8_t *);

		if (gate4(p, ip_get(ip + IP4_SRC)) & w->active)
			q->pkt[kept++] = q->pkt[i];
		else
			worker_drop(w, q->pkt[i], REASON_GROUP_FENCED);
	}
	q->n = kept;
}

/* Nothing that waits leaves from an address that is not ours any more. */
static void fence(struct worker *w)
{
	for (uint16_t i = 0; i < w->dp->devices; i++)
		fence_tx(w, i);
	for (uint32_t i = 0; i < WORKER_PENDING; i++)
		if (w->pending[i].ip != 0)
			fence_pending(w, &w->pending[i]);
}

/* What was known of these addresses is about who had them before. */
static void forget(struct worker *w, uint32_t changed)
{
	for (uint16_t i = 0; i < w->dp->ports; i++) {
		const struct port *p = &w->dp->port[i];

		for (uint16_t k = 0; k < p->addresses; k++)
			if (p->address[k]->gate & changed)
				neigh_forget(w, i, p->address[k]->ip);
	}
}

void group_look(struct worker *w, uint64_t now)
{
	uint32_t mask = group_mask(w->dp, now);
	uint32_t changed = mask ^ w->active;

	w->looked = now;
	if (likely(changed == 0))
		return;
	w->active = mask;
	/* Flows to these addresses go round inside now, or by the wire. */
	w->live_renew = w->live_count;
	if (w->id == 0)
		forget(w, changed);
	if (changed & ~mask)
		fence(w);
}

static void announce(struct worker *w, uint32_t gate)
{
	for (uint16_t i = 0; i < w->dp->ports; i++) {
		const struct port *p = &w->dp->port[i];

		for (uint16_t k = 0; k < p->addresses; k++)
			if (p->address[k]->gate == gate)
				arp_announce(w, i, p->address[k]->ip);
		for (uint16_t k = 0; k < p->addresses6; k++)
			if (p->address6[k].gate == gate)
				nd_announce(w, i, p->address6[k].ip);
	}
}

void group_tick(struct worker *w)
{
	for (uint16_t i = 0; i < SNAPSHOT_MAX_GROUPS; i++) {
		struct announce *a = &w->announce[i];

		if (a->left == 0 || w->now < a->next || !(w->active & 1u << i))
			continue;
		a->left--;
		a->next = w->now + GROUP_ANNOUNCE_MS;
		announce(w, 1u << i);
	}
}

uint64_t group_due(const struct worker *w)
{
	uint64_t due = UINT64_MAX;

	for (uint16_t i = 0; i < SNAPSHOT_MAX_GROUPS; i++)
		if (w->announce[i].left != 0 && (w->active & 1u << i))
			due = RTE_MIN(due, w->announce[i].next);
	return due;
}

void group_announce(struct worker *w, uint16_t group, bool active)
{
	if (group >= SNAPSHOT_MAX_GROUPS)
		return;
	w->announce[group].left = active ? 1 + GROUP_ANNOUNCE_AGAIN : 0;
	w->announce[group].next = w->now;
	group_tick(w);
}
