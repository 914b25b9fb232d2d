#include "dataplane/relay.h"

#include "dataplane/checksum.h"
#include "dataplane/classify.h"
#include "dataplane/flows.h"
#include "dataplane/output.h"
#include "dataplane/relay_fast.h"
#include "dataplane/steer.h"
#include "dataplane/tx.h"
#include "dataplane/worker.h"

/* RTP and its RTCP are neighbours in the array as their ports are (RFC 3550 11). */
static const struct flow *rtp_of(const struct worker *w, uint32_t index)
{
	const struct flow *f = &w->dp->flow[index];

	if (!(f->flags & FLOW_F_RTCP) || index == 0)
		return NULL;
	return f[-1].realm == f->realm && f[-1].state != FLOW_FREE ? &f[-1] : NULL;
}

static void tell_latched(struct worker *w, const struct flow *f)
{
	if (w->media_events == WORKER_MEDIA_EV)
		return;
	w->media_event[w->media_events++] =
		(struct engine_media){.type = ENGINE_MEDIA_LATCHED,
				      .call = f->spec.call,
				      .stream = f->spec.stream,
				      .leg = f->spec.leg,
				      .rtcp = f->spec.rtcp,
				      .source = {f->src_ip, rte_be_to_cpu_16(f->src_port)}};
}

/* Too long for the port, in pieces, or without a known next hop. */
static void relay_slow(struct worker *w, struct rte_mbuf *m, struct flow *f, uint8_t *ip)
{
	uint32_t n = PACKET_IP_LEN + be16_get(ip + UDP_LEN);

	if (m->nb_segs > 1 || n > w->dp->port[f->out_port].mtu) {
		output_datagram(w, f->out_port, ip, n);
		packet_free(m);
		return;
	}
	flows_resolve(w, f);
	rte_pktmbuf_adj(m, m->l2_len);
	output_packet(w, f->out_port, m);
}

static void relay_send(struct worker *w, struct rte_mbuf *m, struct flow *f, uint8_t *ip)
{
	uint32_t n = m->pkt_len - m->l2_len;

	if (f->out_l2_len == 0 || m->nb_segs > 1 || n > w->way[f->out_port].mtu)
		relay_slow(w, m, f, ip);
	else
		relay_frame(w, m, f, ip, n);
}

/* Through one flow: rewritten for its partner's side. False: dropped. */
static bool relay_admit(struct worker *w, struct rte_mbuf *m, uint8_t *ip, uint32_t n)
{
	const uint32_t headers = PACKET_IP_LEN + PACKET_UDP_LEN;
	struct flow *f = &w->dp->flow[m->hash.usr];
	struct net_addr src = {ip_get(ip + IP4_SRC), be16_get(ip + UDP_SRC)};
	enum reason why = REASON_FLOW_UNPROVEN;
	bool right;
	enum flow_verdict v =
		flow_admit(f, rtp_of(w, m->hash.usr), src, ip + headers, n - headers, w->now, &why);

	if (v == FLOW_RELAY_LATCHED || v == FLOW_LATCHED_HELD) {
		flows_join(w, f);
		tell_latched(w, f);
	}
	if (v == FLOW_DROP || v == FLOW_LATCHED_HELD || f->out_dst_ip == 0) {
		worker_drop(w, m, why);
		return false;
	}
	right = CHECKSUM_VERIFIED(ip, n);
	flow_rewrite(f, ip);
	CHECKSUM_ASSERT(ip, n, right);
	w->count.relayed++;
	return true;
}

/* The flow of our own that a flow sends to, or FLOW_NONE: it sends to a host. */
static uint32_t relay_inward(const struct worker *w, const struct flow *f)
{
	const struct address *a = port_ours(&w->dp->port[f->out_port], w->active, f->out_dst_ip);

	return a == NULL ? FLOW_NONE : address_flow(a, rte_be_to_cpu_16(f->out_dst_port));
}

/*
 * Makes a packet that leaves for a flow of our own one that has come to it. True:
 * it goes on here; else it is its owner's now, or dropped for going round. A chain
 * gets its headers back, since the owner reads them there.
 */
static bool relay_turn(struct worker *w, struct rte_mbuf *m, const struct flow *f, uint32_t to,
		       const uint8_t *ip)
{
	uint16_t owner = relay_owner(w, to);

	if (packet_turns(m) == RELAY_TURNS) {
		worker_drop(w, m, REASON_RELAY_LOOP);
		return false;
	}
	packet_turn(m, f->out_port);
	packet_target(m, PACKET_MEDIA, to);
	if (owner == w->id)
		return true;
	if (m->nb_segs > 1)
		memcpy(packet_ip(m), ip, PACKET_IP_LEN + PACKET_UDP_LEN);
	steer_packet(w, owner, m);
	return false;
}

void relay_packet(struct worker *w, struct rte_mbuf *m)
{
	uint32_t n, to;
	uint8_t *ip = worker_contiguous(w, m, &n);

	if (likely(m->nb_segs == 1) && likely(relay_fast(w, m, &w->flow[m->hash.usr], ip)))
		return;
	if (!classify_checksum_ok(m)) {
		worker_drop(w, m, REASON_UDP_CHECKSUM);
		return;
	}
	while (relay_admit(w, m, ip, n)) {
		struct flow *f = &w->dp->flow[m->hash.usr];

		/* Ours has no station on the wire, so its next hop is never resolved. */
		to = likely(f->out_l2_len != 0) ? FLOW_NONE : relay_inward(w, f);
		if (likely(to == FLOW_NONE)) {
			relay_send(w, m, f, ip);
			return;
		}
		if (!relay_turn(w, m, f, to, ip))
			return;
	}
}

uint16_t relay_owner(const struct worker *w, uint32_t flow)
{
	uint8_t owner = w->dp->flow_owner[flow];

	return owner < w->dp->workers ? owner : w->id;
}
