#include "control/lease_internal.h"

/* ---- what a reply reports ---- */

/*
 * Another process joins under our name again and again. One token that is not ours is
 * that of the process before this one, or of a history that got lost.
 */
static void stranger(struct lease *l, uint64_t token, struct lease_out *out)
{
	uint32_t limit = LEASE_DOUBLED;

	if (token - l->conf.incarnation <= l->token - l->conf.incarnation || token == l->stranger)
		return;
	if (l->strangers == 0 || l->now >= l->strangers_since + LEASE_DOUBLED_MS) {
		l->strangers = 0;
		l->strangers_since = l->now;
	}
	l->stranger = token;
	for (uint16_t i = 0; i < l->conf.groups; i++)
		if (lease_is_ours(&l->group[i]))
			limit = LEASE_DOUBLED_OWN;
	if (++l->strangers >= limit)
		lease_double(l, out);
}

static void see_nodes(struct lease *l, const struct lease_reply *r, uint64_t sent,
		      struct lease_out *out)
{
	for (uint16_t n = 0; n < l->conf.nodes; n++) {
		struct lease_node *o = &l->node[n];

		if (!r->node[n].in && o->counted != LEASE_OUT)
			o->out_first = sent;
		if (!r->node[n].in)
			o->out_since = sent;
		o->counted = r->node[n].in ? LEASE_COUNTED : LEASE_OUT;
		o->token = r->node[n].token;
	}
	if (r->node[l->conf.self].in)
		stranger(l, r->node[l->conf.self].token, out);
	if (l->joined && (!r->node[l->conf.self].in || r->node[l->conf.self].token != l->token))
		lease_new_token(l);
}

/*
 * The record of a group that is ours says otherwise. A higher epoch: it is another's.
 * A lower one: writes were lost, and it is claimed again while it is served.
 */
static void contradict(struct lease *l, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];

	/* Our claim of a moment ago, of which we were not told that it was carried out. */
	if (g->owner == l->conf.self && g->epoch > g->own && g->epoch == g->known &&
	    g->epoch == g->minted) {
		g->own = g->epoch;
		g->own_since = l->now;
		return;
	}
	if (g->epoch > g->own) {
		lease_stop(l, group, LEASE_STOP_LOST, out);
		return;
	}
	if (g->state == LEASE_YIELDING) {
		lease_stop(l, group, g->epoch == g->own ? LEASE_STOP_RELEASED : LEASE_STOP_LOST,
			   out);
		return;
	}
	if (l->joined && !g->claim.ref)
		lease_claim_send(l, group, out);
}

static void see_group(struct lease *l, const struct lease_reply *r, uint16_t i,
		      struct lease_out *out)
{
	struct lease_group *g = &l->group[i];
	uint16_t owner = r->group[i].owner;

	/* Lost under our eyes: as if this were another server. */
	if (g->seen && r->group[i].epoch < g->epoch)
		l->settled = l->now;
	if (!g->seen || owner != g->owner || r->group[i].epoch != g->epoch ||
	    r->group[i].beat != g->beat)
		g->since = l->now;
	/* Another has it: what was prepared of it is old. */
	if (g->seen && g->preparing && !lease_is_ours(g) && r->group[i].epoch > g->epoch &&
	    owner != l->conf.self && owner != LEASE_NONE) {
		lease_emit(out, LEASE_FORGET, i);
		g->preparing = g->present = false;
	}
	g->seen = true;
	g->owner = owner;
	g->heir = r->group[i].heir;
	g->epoch = r->group[i].epoch;
	g->beat = r->group[i].beat;
	if (owner != LEASE_NONE)
		g->before = owner;
	if (g->epoch > g->known)
		g->known = g->epoch;
	if (lease_is_ours(g) && (g->epoch != g->own || owner != l->conf.self))
		contradict(l, i, out);
}

/* ---- replies, each by its script ---- */

static void claimed(struct lease *l, uint16_t group, const struct lease_call *call,
		    struct lease_out *out)
{
	struct lease_group *g = &l->group[group];

	if (lease_is_ours(g)) {
		g->own = call->epoch;
		g->own_since = l->now;
		if (g->by_redis < call->sent + l->conf.lease_ms)
			g->by_redis = call->sent + l->conf.lease_ms;
		return;
	}
	if (l->now < call->sent + l->conf.lease_ms)
		lease_begin(l, group, call->epoch, call->sent, out);
	else /* the answer is too old: others may have taken it, and put us out */
		lease_new_token(l);
}

/* Nobody knows what became of it: it must not find our token when it is carried out late. */
static void claim_lost(struct lease *l, struct lease_group *g)
{
	g->claim_open = true;
	lease_new_token(l);
}

static void renewed(struct lease *l, struct lease_group *g, const struct lease_call *call)
{
	if (lease_is_ours(g) && g->own == call->epoch &&
	    g->by_redis < call->sent + l->conf.lease_ms)
		g->by_redis = call->sent + l->conf.lease_ms;
}

static bool take(struct lease_call *call, uint64_t ref, struct lease_call *found)
{
	if (call->ref == 0 || call->ref != ref)
		return false;
	*found = *call;
	call->ref = 0;
	return true;
}

/* True when `ref` is that of a group's script. */
static bool group_reply(struct lease *l, uint16_t i, const struct lease_reply *r,
			struct lease_call *call, struct lease_out *out)
{
	struct lease_group *g = &l->group[i];
	bool done = r->ok && r->done;

	if (take(&g->renew, r->ref, call)) {
		if (done)
			renewed(l, g, call);
	} else if (take(&g->claim, r->ref, call)) {
		if (done)
			claimed(l, i, call, out);
		else if (!r->ok)
			claim_lost(l, g);
	} else if (take(&g->release, r->ref, call)) {
		if (done && g->state == LEASE_YIELDING)
			lease_stop(l, i, LEASE_STOP_RELEASED, out);
	} else {
		return false;
	}
	return true;
}

static void join_done(struct lease *l)
{
	l->joined_at = l->now;
	for (uint16_t i = 0; i < l->conf.groups; i++)
		l->group[i].claim_open = false;
}

static bool node_reply(struct lease *l, const struct lease_reply *r, struct lease_call *call)
{
	if (take(&l->join, r->ref, call)) {
		l->joined = r->ok && r->done;
		if (l->joined)
			join_done(l);
		return true;
	}
	return take(&l->leave, r->ref, call) || take(&l->read, r->ref, call);
}

static bool find_reply(struct lease *l, const struct lease_reply *r, struct lease_call *call,
		       struct lease_out *out)
{
	if (node_reply(l, r, call))
		return true;
	for (uint16_t i = 0; i < l->conf.groups; i++)
		if (group_reply(l, i, r, call, out))
			return true;
	return false;
}

void lease_replied(struct lease *l, uint64_t now, const struct lease_reply *r,
		   struct lease_out *out)
{
	struct lease_call call;
	uint16_t had = 0;

	out->count = 0;
	l->now = now;
	lease_expire(l, out);
	for (uint16_t i = 0; i < l->conf.groups; i++)
		had |= (uint16_t)(lease_is_ours(&l->group[i]) << i);
	if (!l->connected || !find_reply(l, r, &call, out))
		return;
	if (r->ok && r->ref > l->last_report) {
		l->last_report = r->ref;
		see_nodes(l, r, call.sent, out);
		for (uint16_t i = 0; i < l->conf.groups; i++)
			see_group(l, r, i, out);
	}
	lease_extend(l, out);
	/* The heir waits to hear that it is free. */
	for (uint16_t i = 0; i < l->conf.groups; i++)
		if (had >> i & 1 && !lease_is_ours(&l->group[i]))
			lease_say(l, out);
	if (l->read_again)
		lease_read_now(l, out);
	if (!l->doubled)
		lease_claim_tick(l, out);
}

void lease_connected(struct lease *l, uint64_t now, bool up, struct lease_out *out)
{
	out->count = 0;
	l->now = now;
	lease_expire(l, out);
	l->connected = up;
	l->read.ref = l->leave.ref = l->join.ref = 0;
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		struct lease_group *g = &l->group[i];

		if (g->claim.ref)
			claim_lost(l, g);
		g->seen = false;
		g->renew.ref = g->claim.ref = g->release.ref = 0;
		g->renew.sent = 0;
	}
	if (!up)
		return;
	l->settled = now;
	l->read_due = now;
	l->join.sent = 0;
	lease_read_now(l, out);
}
