#include "dataplane/flows.h"

#include <rte_prefetch.h>

#include "dataplane/neigh.h"
#include "dataplane/output.h"
#include "dataplane/steer.h"
#include "dataplane/worker.h"

/* Every flow is looked at this often. */
#define SCAN_PERIOD_MS 1000u
#define SCAN_MAX       256u
/* The engine is told this often what a flow has relayed. */
#define COUNT_PERIOD_MS 30000u
/* Of the events of a turn, those that count: the rest is for what cannot wait. */
#define COUNT_MAX (WORKER_MEDIA_EV / 2)

static uint32_t index_of(const struct dataplane *dp, uint16_t realm, uint8_t address, uint16_t port)
{
	const struct realm_media *r;
	uint32_t off;

	if (realm >= SNAPSHOT_MAX_REALMS)
		return FLOW_NONE;
	r = &dp->realm[realm];
	off = (uint32_t)port - r->lo;
	if (off >= r->count || address >= r->addresses)
		return FLOW_NONE;
	return r->base + address * r->count + off;
}

static struct flow *partner_of(const struct worker *w, const struct flow *f)
{
	return f->peer == FLOW_NONE ? NULL : &w->dp->flow[f->peer];
}

void flows_resolve(struct worker *w, struct flow *f)
{
	const struct port *p = &w->dp->port[f->out_port];
	uint8_t mac[6];
	uint32_t hop;
	enum neigh_state s = NEIGH_NONE;

	if (f->out_dst_ip != 0 && port_next_hop(p, w->active, f->out_dst_ip, &hop))
		s = neigh_lookup(w->dp->neigh, f->out_port, hop, w->now, mac);
	else
		hop = 0;
	/* Of a group that stands by: its first packet after a takeover waits for nobody. */
	if (s == NEIGH_NONE && hop != 0 && !(w->dp->realm[f->spec.realm].gate & w->active))
		steer_neigh_want(w, f->out_port, hop);
	if (s == NEIGH_REACHABLE || s == NEIGH_PROBING)
		f->out_l2_len = (uint8_t)output_l2(p, f->out_l2, mac, RTE_ETHER_TYPE_IPV4);
	else
		f->out_l2_len = 0;
}

void flows_join(struct worker *w, struct flow *f)
{
	struct flow *partner = partner_of(w, f);

	if (flow_join(f, partner))
		flows_resolve(w, f);
	if (partner != NULL && flow_join(partner, f))
		flows_resolve(w, partner);
}

static void live_add(struct worker *w, uint32_t index)
{
	w->dp->flow_slot[index].live_at = w->live_count;
	w->live[w->live_count++] = index;
}

static void live_remove(struct worker *w, uint32_t index)
{
	uint32_t at = w->dp->flow_slot[index].live_at;
	uint32_t last = w->live[--w->live_count];

	w->live[at] = last;
	w->dp->flow_slot[last].live_at = at;
}

/* A flow whose partner has gone, or has found another. */
static void part(struct worker *w, uint32_t index, uint32_t partner)
{
	struct flow *f = &w->dp->flow[index];

	if (f->state == FLOW_FREE || f->peer != partner)
		return;
	f->peer = FLOW_NONE;
	flow_join(f, NULL);
}

static uint32_t index_of_action(const struct dataplane *dp, const struct engine_action *a)
{
	if (a->type != ENGINE_FLOW_PUBLISH && a->type != ENGINE_FLOW_RETIRE)
		return FLOW_NONE;
	return index_of(dp, a->flow.realm, a->flow.address, a->flow.port);
}

/* What live_remove() will change of flows that are retired: their places and who takes them. */
static void live_ahead(const struct worker *w, const struct engine_out *out)
{
	uint32_t last = w->live_count;

	for (uint32_t i = 0; i < out->count && last != 0; i++) {
		const struct engine_action *a = &out->action[i];
		uint32_t index =
			a->type == ENGINE_FLOW_RETIRE ? index_of_action(w->dp, a) : FLOW_NONE;

		if (index == FLOW_NONE)
			continue;
		rte_prefetch0(&w->dp->flow_slot[w->live[--last]]);
		rte_prefetch0(&w->live[w->dp->flow_slot[index].live_at]);
	}
}

void relay_ahead(const struct worker *w, const struct engine_out *out)
{
	for (uint32_t i = 0; i < out->count; i++) {
		uint32_t index = index_of_action(w->dp, &out->action[i]);

		if (index == FLOW_NONE)
			continue;
		for (uint32_t at = 0; at < sizeof(struct flow); at += 64)
			rte_prefetch0((const char *)&w->dp->flow[index] + at);
		rte_prefetch0(&w->dp->flow_slot[index]);
	}
	live_ahead(w, out);
}

void relay_publish(struct worker *w, const struct flow_spec *spec)
{
	struct dataplane *dp = w->dp;
	uint32_t index = index_of(dp, spec->realm, spec->address, spec->port);
	uint32_t peer = index_of(dp, spec->peer_realm, spec->peer_address, spec->peer_port);
	uint32_t old;
	struct flow *f;

	if (index == FLOW_NONE)
		return;
	f = &dp->flow[index];
	old = f->state == FLOW_FREE ? FLOW_NONE : f->peer;
	if (f->state == FLOW_FREE) {
		live_add(w, index);
		/* Flows that came at one time, by a restore, are not all told of at one time. */
		dp->flow_slot[index].counted_ms =
			(uint32_t)w->now - index * 7919u % COUNT_PERIOD_MS;
		dp->flow_slot[index].counted = spec->packets;
	}
	dp->flow_slot[index].told = false;
	flow_publish(f, spec, dp->realm[spec->realm].ip[spec->address], w->now);
	if (old != FLOW_NONE && f->peer == FLOW_NONE)
		part(w, old, index);
	/* Only what names each other is a pair: the partner may not be there yet. */
	if (peer != FLOW_NONE && dp->flow[peer].state != FLOW_FREE &&
	    dp->flow[peer].spec.peer_realm == spec->realm &&
	    dp->flow[peer].spec.peer_address == spec->address &&
	    dp->flow[peer].spec.peer_port == spec->port) {
		f->peer = peer;
		f->out_port = (uint8_t)dp->realm[spec->peer_realm].port;
		dp->flow[peer].peer = index;
		dp->flow[peer].out_port = (uint8_t)dp->realm[spec->realm].port;
	}
	flows_join(w, f);
}

static uint32_t jitter_us(const struct flow *f)
{
	uint32_t rate = f->spec.clock_rate ? f->spec.clock_rate : 8000;

	return (uint32_t)((uint64_t)f->rtp.jitter_q4 * 1000000 / 16 / rate);
}

/*
 * What a flow carried. Not when its group is another node's by now, which goes on
 * with the call and says it at the end, and not of RTCP that never came.
 */
static void record(struct worker *w, const struct flow *f)
{
	struct engine_record r = {.kind = RECORD_MEDIA,
				  .call = f->spec.call,
				  .at_ms = w->now,
				  .began_ms = f->since_ms,
				  .from_realm = f->spec.realm,
				  .to_realm = f->spec.peer_realm};

	if (w->dp->conf.no_records || !(w->dp->realm[f->spec.realm].gate & w->active) ||
	    (f->spec.rtcp && f->packets == 0))
		return;
	r.media.port = f->spec.port;
	r.media.stream = f->spec.stream;
	r.media.leg = f->spec.leg;
	r.media.rtcp = f->spec.rtcp;
	r.media.packets = f->packets;
	r.media.bytes = f->bytes;
	r.media.lost = rtp_stats_lost(&f->rtp);
	r.media.jitter_us = jitter_us(f);
	worker_record(w, &r);
}

void relay_retire(struct worker *w, uint16_t realm, uint8_t address, uint16_t port)
{
	uint32_t index = index_of(w->dp, realm, address, port);
	uint32_t peer;

	if (index == FLOW_NONE || w->dp->flow[index].state == FLOW_FREE)
		return;
	peer = w->dp->flow[index].peer;
	record(w, &w->dp->flow[index]);
	live_remove(w, index);
	flow_retire(&w->dp->flow[index]);
	if (peer != FLOW_NONE)
		part(w, peer, index);
}

/* ---- silence ---- */

static uint32_t timeout_of(const struct worker *w, const struct flow *f)
{
	uint32_t a = w->snapshot->realm[f->spec.realm].media_timeout_s;
	uint32_t b = w->snapshot->realm[f->spec.peer_realm].media_timeout_s;

	if (a == 0 || b == 0)
		return a + b;
	return a < b ? a : b;
}

/* The last thing that happened in either direction of a stream. */
static uint64_t active_at(const struct flow *f, const struct flow *partner)
{
	uint64_t at = f->last_ms > f->since_ms ? f->last_ms : f->since_ms;

	if (partner != NULL && partner->last_ms > at)
		at = partner->last_ms;
	return at;
}

static bool is_silent(const struct worker *w, const struct flow *f)
{
	const struct flow *partner = partner_of(w, f);
	uint32_t timeout = timeout_of(w, f);

	if (timeout == 0)
		return false;
	if ((f->flags & FLOW_F_CLOSED) && (partner == NULL || (partner->flags & FLOW_F_CLOSED)))
		return false;
	return w->now > active_at(f, partner) + timeout * 1000ull;
}

/*
 * Whether a call has no stream that is not silent: only asked of a call with a silent
 * one. The engine says where its other streams are, as a walk over all flows would
 * stop the worker when many calls fall silent at one time.
 */
static bool call_is_silent(const struct worker *w, uint64_t call)
{
	struct engine_stream_place at[ENGINE_STREAMS];
	uint32_t n = engine_call_streams(w->engine, call, at);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t index = index_of(w->dp, at[i].realm, at[i].address, at[i].port);
		const struct flow *f = index != FLOW_NONE ? &w->dp->flow[index] : NULL;

		if (f != NULL && f->state != FLOW_FREE && f->spec.call == call && !is_silent(w, f))
			return false;
	}
	return true;
}

static void silence_check(struct worker *w, uint32_t index)
{
	struct flow *f = &w->dp->flow[index];
	struct flow_slot *slot = &w->dp->flow_slot[index];

	if (f->spec.rtcp || f->spec.leg != 0)
		return;
	/* What another node relays now is not silent here: the clock starts when it is ours. */
	if (!(w->dp->realm[f->spec.realm].gate & w->active)) {
		f->since_ms = w->now;
		return;
	}
	if (!is_silent(w, f)) {
		slot->told = false;
		return;
	}
	if (slot->told || w->media_events == WORKER_MEDIA_EV)
		return;
	slot->told = true;
	if (call_is_silent(w, f->spec.call))
		w->media_event[w->media_events++] =
			(struct engine_media){.type = ENGINE_MEDIA_SILENT,
					      .call = f->spec.call,
					      .stream = f->spec.stream,
					      .leg = f->spec.leg};
}

/* ---- counting, for the store ---- */

static void count_check(struct worker *w, uint32_t index)
{
	const struct flow *f = &w->dp->flow[index];
	struct flow_slot *slot = &w->dp->flow_slot[index];

	if (f->packets == slot->counted || (uint32_t)w->now - slot->counted_ms < COUNT_PERIOD_MS ||
	    w->media_events >= COUNT_MAX)
		return;
	slot->counted = f->packets;
	slot->counted_ms = (uint32_t)w->now;
	w->media_event[w->media_events++] = (struct engine_media){.type = ENGINE_MEDIA_COUNTED,
								  .call = f->spec.call,
								  .stream = f->spec.stream,
								  .leg = f->spec.leg,
								  .rtcp = f->spec.rtcp,
								  .packets = f->packets,
								  .bytes = f->bytes};
}

/* ---- walks ---- */

/*
 * From the last to the first: a flow that goes meanwhile is replaced by one behind
 * it, which has been looked at or is newer than the change.
 */
uint32_t relay_renew(struct worker *w)
{
	w->live_renew = RTE_MIN(w->live_renew, w->live_count);
	for (uint32_t i = 0; i < SCAN_MAX && w->live_renew != 0; i++) {
		struct flow *f = &w->dp->flow[w->live[--w->live_renew]];

		if (f->out_dst_ip != 0)
			flows_resolve(w, f);
	}
	return w->live_renew;
}

void relay_scan(struct worker *w, uint64_t elapsed)
{
	uint64_t owed = w->live_owed + (uint64_t)w->live_count * RTE_MIN(elapsed, SCAN_PERIOD_MS);
	uint32_t n = (uint32_t)(owed / SCAN_PERIOD_MS);

	w->live_owed = (uint32_t)(owed % SCAN_PERIOD_MS);
	n = RTE_MIN(RTE_MIN(n, w->live_count), SCAN_MAX);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t index;

		if (w->live_scan >= w->live_count)
			w->live_scan = 0;
		index = w->live[w->live_scan++];
		if (w->dp->flow[index].out_dst_ip != 0)
			flows_resolve(w, &w->dp->flow[index]);
		silence_check(w, index);
		count_check(w, index);
	}
}

uint64_t relay_scan_due(const struct worker *w)
{
	if (w->live_count == 0)
		return UINT64_MAX;
	/* Half of what one scan may look at. */
	return w->now + RTE_MAX(1u, SCAN_PERIOD_MS * SCAN_MAX / 2 / w->live_count);
}

/* ---- looking in ---- */

static struct net_addr remote_of(const struct flow *f)
{
	if (f->state == FLOW_LOCKED)
		return (struct net_addr){f->src_ip, rte_be_to_cpu_16(f->src_port)};
	return f->spec.remote;
}

static void info_fill(struct dp_flow_info *i, const struct flow *f)
{
	*i = (struct dp_flow_info){
		.call = f->spec.call,
		.realm = f->spec.realm,
		.local_ip = f->local_ip,
		.port = f->spec.port,
		.peer_realm = f->spec.peer_realm,
		.peer_port = f->spec.peer_port,
		.stream = f->spec.stream,
		.leg = f->spec.leg,
		.rtcp = f->spec.rtcp,
		.latched = f->latched,
		.locked = f->state == FLOW_LOCKED,
		.closed = f->flags & FLOW_F_CLOSED,
		.remote = remote_of(f),
		.packets = f->packets,
		.bytes = f->bytes,
		.refused = f->refused,
		.last_ms = f->last_ms,
		.lost = rtp_stats_lost(&f->rtp),
		.duplicates = f->rtp.duplicates,
		.jitter_us = jitter_us(f),
		.ssrc = f->rtp.ssrc,
	};
}

uint32_t relay_flows_read(const struct worker *w, uint32_t *cursor, struct dp_flow_info *info,
			  uint32_t max)
{
	uint32_t n = 0;

	while (n < max && *cursor < w->live_count)
		info_fill(&info[n++], &w->dp->flow[w->live[(*cursor)++]]);
	return n;
}
