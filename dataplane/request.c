#include "dataplane/request.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>

#include "dataplane/flows.h"
#include "dataplane/neigh.h"
#include "dataplane/sip_stage.h"
#include "dataplane/worker.h"

static void stats_fill(struct worker *w, struct dp_worker_stats *s)
{
	uint64_t us = rte_get_tsc_hz() / 1000000;

	memset(s, 0, sizeof(*s));
	engine_stats_read(w->engine, &s->engine);
	s->reasons = w->reasons;
	s->loops = w->count.loops;
	s->busy_loops = w->count.busy_loops;
	s->busy_us = w->count.busy_cycles / us;
	s->up_us = w->count.began ? (rte_rdtsc() - w->count.began) / us : 0;
	s->rx_packets = w->count.rx_packets;
	s->tx_packets = w->count.tx_packets;
	s->relayed = w->count.relayed;
	s->handed_off = w->count.handed_off;
	s->records_lost = w->count.records_lost;
	s->sleeps = w->count.sleeps;
	s->woken_by_packet = w->count.woken_by_packet;
	s->woken_by_bell = w->count.woken_by_bell;
	s->flows = w->live_count;
	s->store_ring_used = byte_ring_used(&w->state.ops);
	s->store_ring_size = w->state.ops.size;
	s->deletes_lost = w->state.deletes_lost;
	s->mbufs_free = rte_mempool_avail_count(w->pool);
	s->mbufs_used = rte_mempool_in_use_count(w->pool);
}

static void port_info_fill(const struct dataplane *dp, const struct port *p, struct dp_port_info *i)
{
	const struct device *d = &dp->device[p->device];
	struct rte_eth_stats st = {0};
	struct rte_eth_link link = {0};

	rte_eth_stats_get(d->eth, &st);
	rte_eth_link_get_nowait(d->eth, &link);
	*i = (struct dp_port_info){.link_up = link.link_status == RTE_ETH_LINK_UP,
				   .queues = d->rx_queues,
				   .rules = d->rules.taken,
				   .rules_wanted = d->rules.wanted,
				   .rx_packets = st.ipackets,
				   .tx_packets = st.opackets,
				   .rx_bytes = st.ibytes,
				   .tx_bytes = st.obytes,
				   .rx_missed = st.imissed + st.rx_nombuf,
				   .rx_errors = st.ierrors,
				   .tx_errors = st.oerrors};
	snprintf(i->name, sizeof(i->name), "%s", p->name);
	memcpy(i->mac, p->mac, 6);
}

static void ports_fill(struct worker *w, struct dp_reply *r)
{
	for (uint16_t i = 0; i < w->dp->ports; i++)
		port_info_fill(w->dp, &w->dp->port[i], &r->port[i]);
	r->count = w->dp->ports;
}

static void neighbours_fill(struct worker *w, struct dp_reply *r)
{
	struct neigh_view v;

	for (; r->cursor < NEIGH_ENTRIES && r->count < DP_BATCH; r->cursor++) {
		struct dp_neighbour_info *i = &r->neighbour[r->count];

		if (!neigh_view(w->dp->neigh, r->cursor, &v))
			continue;
		*i = (struct dp_neighbour_info){
			.port = v.port,
			.ip = v.ip,
			.resolved = v.state == NEIGH_REACHABLE || v.state == NEIGH_PROBING,
			.age_ms = neigh_age(w->dp->neigh, r->cursor, w->now)};
		memcpy(i->mac, v.mac, 6);
		r->count++;
	}
	r->more = r->cursor < NEIGH_ENTRIES;
}

static void snapshot_take(struct worker *w, const struct dp_request *q, struct dp_reply *r)
{
	r->ok = q->snapshot != NULL && ports_fit(w->dp, q->snapshot);
	if (r->ok)
		sip_stage_snapshot(w, q->snapshot);
}

static void answer(struct worker *w, const struct dp_request *q, struct dp_reply *r)
{
	switch (q->type) {
	case DP_STATS:
		stats_fill(w, &r->stats);
		r->count = 1;
		break;
	case DP_CALLS:
		r->count = engine_calls_read(w->engine, &r->cursor, r->call, DP_BATCH);
		r->more = r->count == DP_BATCH;
		break;
	case DP_REGISTRATIONS:
		r->count =
			engine_registrations_read(w->engine, &r->cursor, r->registration, DP_BATCH);
		r->more = r->count == DP_BATCH;
		break;
	case DP_FLOWS:
		r->count = relay_flows_read(w, &r->cursor, r->flow, DP_BATCH);
		r->more = r->count == DP_BATCH;
		break;
	case DP_PORTS:
		ports_fill(w, r);
		break;
	case DP_NEIGHBOURS:
		neighbours_fill(w, r);
		break;
	case DP_KILL:
		r->ok = sip_stage_command(w, ENGINE_KILL, q->call);
		break;
	case DP_DRAIN:
		sip_stage_command(w, ENGINE_DRAIN, 0);
		break;
	case DP_SNAPSHOT:
		snapshot_take(w, q, r);
		break;
	default:
		r->ok = false;
		break;
	}
}

bool request_serve(struct worker *w)
{
	struct dp_request q;
	struct dp_reply *r;

	/* First the reply, kept until there is a request for it. */
	if (w->reply == NULL && rte_ring_sc_dequeue(w->replies_free, &w->reply) != 0)
		return false;
	if (rte_ring_sc_dequeue_elem(w->requests, &q, sizeof(q)) != 0)
		return false;
	r = w->reply;
	w->reply = NULL;
	r->type = q.type;
	r->worker = w->id;
	r->ref = q.ref;
	r->ok = true;
	r->more = false;
	r->cursor = q.cursor;
	r->count = 0;
	answer(w, &q, r);
	/* Room for every reply that exists: this cannot fail. */
	rte_ring_sp_enqueue(w->replies, r);
	return true;
}
