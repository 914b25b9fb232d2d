#include "control/lease_internal.h"

#include <string.h>

_Static_assert(LEASE_MAX_GROUPS <= 16 && LEASE_MAX_NODES <= 16, "masks have 16 bits");

size_t lease_size(void)
{
	return sizeof(struct lease);
}

void lease_init(struct lease *l, const struct lease_conf *conf, uint64_t now)
{
	memset(l, 0, sizeof(*l));
	l->conf = *conf;
	if (l->conf.loss_ms == 0)
		l->conf.loss_ms = LEASE_LOSS_MS;
	l->now = now;
	l->wait = lease_wait(conf->lease_ms);
	l->step = conf->lease_ms / 6 ? conf->lease_ms / 6 : 1;
	l->token = conf->incarnation;
	l->beat_due = l->read_due = now;
	for (uint16_t i = 0; i < LEASE_MAX_GROUPS; i++) {
		struct lease_group *g = &l->group[i];

		g->owner = g->heir = g->before = g->wants = g->move_to = LEASE_NONE;
		/* What the process before us has granted. */
		g->promised = now + l->wait;
	}
}

struct lease_action *lease_emit(struct lease_out *out, enum lease_action_type type, uint16_t group)
{
	struct lease_action *a;

	/* An event says at most six things of a group, and a few of the node. */
	if (out->count == LEASE_MAX_ACTIONS)
		out->count--;
	a = &out->action[out->count++];
	*a = (struct lease_action){.type = type, .group = group, .node = LEASE_NONE};
	return a;
}

struct lease_action *lease_call(struct lease *l, struct lease_out *out, struct lease_call *call,
				enum lease_action_type type, uint16_t group)
{
	struct lease_action *a = lease_emit(out, type, group);

	*call = (struct lease_call){.ref = ++l->next_ref, .sent = l->now};
	a->ref = call->ref;
	if (type == LEASE_RENEW || type == LEASE_RELEASE)
		a->epoch = call->epoch = l->group[group].own;
	return a;
}

/* What the old token was used for is void; the join that is under way too. */
void lease_new_token(struct lease *l)
{
	l->token++;
	l->joined = false;
	l->join.ref = 0;
	for (uint16_t n = 0; n < LEASE_MAX_NODES; n++)
		l->node[n].counts_us = 0;
}

/* ---- heartbeats ---- */

static void say_grants(const struct lease *l, struct lease_heartbeat *h)
{
	for (uint16_t n = 0; n < l->conf.nodes; n++) {
		const struct lease_node *o = &l->node[n];

		if (n == l->conf.self || !o->incarnation)
			continue;
		h->grant[n].incarnation = o->incarnation;
		h->grant[n].seq = o->seq;
		h->grant[n].groups = o->grants;
	}
}

void lease_say(struct lease *l, struct lease_out *out)
{
	struct lease_heartbeat *h = &out->heartbeat;

	for (uint32_t i = 0; i < out->count; i++)
		if (out->action[i].type == LEASE_SEND)
			return;
	memset(h, 0, sizeof(*h));
	l->sent[++l->seq % LEASE_SENT] = l->now;
	l->beat_due = l->now + l->step;
	h->from = l->conf.self;
	h->incarnation = l->conf.incarnation;
	h->seq = l->seq;
	h->leaving = l->drain || l->doubled;
	h->ready = l->ready;
	for (uint16_t n = 0; n < l->conf.nodes; n++)
		if (l->node[n].counted == LEASE_COUNTED)
			h->member[n] = l->node[n].token;
	for (uint16_t i = 0; i < LEASE_MAX_GROUPS; i++) {
		const struct lease_group *g = &l->group[i];

		h->known[i] = g->known;
		h->wants[i] = i < l->conf.groups && lease_is_ours(g) ? g->wants : LEASE_NONE;
		if (i < l->conf.groups && lease_is_ours(g) && !g->yielded)
			h->epoch[i] = g->own;
		if (i < l->conf.groups && g->present)
			h->prepared |= (uint16_t)(1u << i);
	}
	say_grants(l, h);
	lease_emit(out, LEASE_SEND, LEASE_NONE);
}

/* What node `from` grants us, as of one of our heartbeats. */
static void take_grants(struct lease *l, const struct lease_heartbeat *h)
{
	uint64_t seq = h->grant[l->conf.self].seq;
	uint16_t groups = h->grant[l->conf.self].groups;

	if (h->grant[l->conf.self].incarnation != l->conf.incarnation || seq > l->seq ||
	    seq + LEASE_SENT <= l->seq || seq == 0)
		return;
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		struct lease_group *g = &l->group[i];

		if (groups >> i & 1 && lease_is_ours(g) && seq >= g->first_seq &&
		    l->sent[seq % LEASE_SENT] > g->grant_at[h->from])
			g->grant_at[h->from] = l->sent[seq % LEASE_SENT];
	}
}

/* A grant is a promise: see lease.h. Not while a claim of ours may still be carried out. */
static bool grant(struct lease *l, uint16_t group, uint64_t epoch)
{
	struct lease_group *g = &l->group[group];

	if (epoch == 0 || epoch < g->known || lease_is_ours(g) || g->claim.ref || g->claim_open)
		return false;
	g->promised = l->now + l->wait;
	g->promised_epoch = epoch;
	g->owner_heard = l->now;
	return true;
}

/* Returns whether it has just ceased to serve a group. */
static bool hear_groups(struct lease *l, const struct lease_heartbeat *h, struct lease_out *out)
{
	struct lease_node *n = &l->node[h->from];
	uint16_t served = n->serves;

	n->grants = n->serves = n->wants_us = 0;
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		struct lease_group *g = &l->group[i];
		uint16_t bit = (uint16_t)(1u << i);

		if (lease_is_ours(g) && h->epoch[i] > g->own)
			lease_stop(l, i, LEASE_STOP_LOST, out);
		if (grant(l, i, h->epoch[i]))
			n->grants |= bit;
		if (h->epoch[i] > g->known)
			g->known = h->epoch[i];
		if (h->known[i] > g->known)
			g->known = h->known[i];
		if (h->epoch[i])
			n->serves |= bit;
		if (h->wants[i] == l->conf.self)
			n->wants_us |= bit;
	}
	return (served & ~n->serves) != 0;
}

static void hear_node(struct lease *l, const struct lease_heartbeat *h)
{
	struct lease_node *n = &l->node[h->from];

	if (n->incarnation != h->incarnation)
		n->counts_us = 0;
	n->incarnation = h->incarnation;
	n->seq = h->seq;
	n->heard_ms = l->now;
	n->leaving = h->leaving;
	n->ready = h->ready;
	n->prepared = h->prepared;
	if (!l->joined || h->member[l->conf.self] != l->token)
		n->counts_us = 0;
	else if (n->counts_us == 0)
		n->counts_us = l->now;
}

void lease_heard(struct lease *l, uint64_t now, const struct lease_heartbeat *h,
		 struct lease_out *out)
{
	out->count = 0;
	l->now = now;
	lease_expire(l, out);
	if (h->from >= l->conf.nodes || h->seq == 0 || h->incarnation == 0)
		return;
	if (h->from == l->conf.self) {
		if (h->incarnation != l->conf.incarnation)
			lease_double(l, out);
		return;
	}
	if (h->incarnation == l->node[h->from].incarnation && h->seq <= l->node[h->from].seq)
		return;
	hear_node(l, h);
	if (hear_groups(l, h, out))
		lease_read_now(l, out);
	take_grants(l, h);
	lease_extend(l, out);
}

/* ---- time ---- */

static void watch_nodes(struct lease *l)
{
	for (uint16_t n = 0; n < l->conf.nodes; n++) {
		struct lease_node *o = &l->node[n];
		bool well =
			o->counted == LEASE_COUNTED && lease_hears(l, n) && o->ready && !o->leaving;

		if (!well)
			o->well_since = 0;
		else if (o->well_since == 0)
			o->well_since = l->now ? l->now : 1;
	}
}

void lease_read_now(struct lease *l, struct lease_out *out)
{
	if (!l->connected)
		return;
	if (l->read.ref) {
		l->read_again = true;
		return;
	}
	lease_call(l, out, &l->read, LEASE_READ, LEASE_NONE);
	l->read_again = false;
	l->read_due = l->now + l->step;
}

static void renew(struct lease *l, struct lease_out *out)
{
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		struct lease_group *g = &l->group[i];

		if (!lease_is_ours(g) || g->renew.ref || g->release.ref || g->yielded)
			continue;
		if (l->now < g->renew.sent + l->step)
			continue;
		lease_call(l, out, &g->renew, LEASE_RENEW, i);
		/* It reports everything too. */
		if (l->read_due < l->now + l->step)
			l->read_due = l->now + l->step;
	}
}

static bool owns_any(const struct lease *l, uint16_t n)
{
	for (uint16_t i = 0; i < l->conf.groups; i++)
		if (n == l->conf.self ? lease_is_ours(&l->group[i]) : l->group[i].owner == n)
			return true;
	return false;
}

/*
 * A member that is gone and has no group would be missed when Redis goes: owners could
 * not do without its grants. An owner puts it out after a long silence.
 */
static void expel(struct lease *l, struct lease_out *out)
{
	if (!l->joined || l->leave.ref || !owns_any(l, l->conf.self))
		return;
	for (uint16_t n = 0; n < l->conf.nodes; n++) {
		const struct lease_node *o = &l->node[n];
		uint64_t from = o->heard_ms > l->settled ? o->heard_ms : l->settled;
		struct lease_action *a;

		if (n == l->conf.self || o->counted != LEASE_COUNTED || owns_any(l, n) ||
		    l->now < from + l->conf.alone_ms)
			continue;
		a = lease_call(l, out, &l->leave, LEASE_LEAVE, LEASE_NONE);
		a->node = n;
		a->token = o->token;
		return;
	}
}

static void ask_redis(struct lease *l, struct lease_out *out)
{
	if (!l->connected || l->doubled)
		return;
	if (!l->joined && !l->join.ref && !l->drain && l->now >= l->join.sent + l->step)
		lease_call(l, out, &l->join, LEASE_JOIN, LEASE_NONE)->token = l->token;
	renew(l, out);
	expel(l, out);
	if (!l->read.ref && l->now >= l->read_due)
		lease_read_now(l, out);
}

void lease_tick(struct lease *l, uint64_t now, struct lease_out *out)
{
	out->count = 0;
	l->now = now;
	lease_expire(l, out);
	watch_nodes(l);
	if (now >= l->beat_due)
		lease_say(l, out);
	lease_extend(l, out);
	ask_redis(l, out);
	if (l->doubled)
		return;
	lease_claim_tick(l, out);
	lease_hand_tick(l, out);
}

void lease_restored(struct lease *l, uint64_t now, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];

	out->count = 0;
	l->now = now;
	lease_expire(l, out);
	if (group >= l->conf.groups || !g->preparing)
		return;
	if (g->state == LEASE_TAKING) {
		g->state = LEASE_MINE;
		lease_extend(l, out);
	}
	/* An owner waits for this to yield. */
	if (!g->present) {
		g->present = true;
		lease_say(l, out);
	}
}

void lease_ready(struct lease *l, bool ready)
{
	l->ready = ready;
}

void lease_drain(struct lease *l, bool drain)
{
	l->drain = drain;
	l->abandon = false;
	if (!drain)
		lease_new_token(l);
}

void lease_abandon(struct lease *l)
{
	l->drain = l->abandon = true;
}

bool lease_is_doubled(const struct lease *l)
{
	return l->doubled;
}

/* ---- for people ---- */

void lease_view_read(const struct lease *l, uint64_t now, uint16_t group, struct lease_view *v)
{
	const struct lease_group *g = &l->group[group];

	*v = (struct lease_view){
		.state = g->state, .owner = g->owner, .next = lease_next(l, group)};
	v->epoch = g->seen ? g->epoch : g->known;
	if (lease_is_ours(g)) {
		v->owner = l->conf.self;
		v->epoch = g->own;
		v->until_ms = g->until;
		v->by_redis = now < g->by_redis;
		v->by_grants = now < g->by_grants;
	} else if (g->seen && g->owner == LEASE_NONE) {
		v->state = LEASE_FREE;
	}
}

void lease_node_view_read(const struct lease *l, uint64_t now, uint16_t node,
			  struct lease_node_view *v)
{
	const struct lease_node *n = &l->node[node];

	*v = (struct lease_node_view){.in = n->counted == LEASE_COUNTED,
				      .heard = n->incarnation &&
					       now < n->heard_ms + l->conf.lease_ms,
				      .ready = n->ready,
				      .leaving = n->leaving,
				      .heard_ms = n->heard_ms};
	if (node == l->conf.self) {
		v->in = l->joined;
		v->heard = true;
		v->ready = l->ready;
		v->leaving = l->drain;
		v->heard_ms = now;
	}
}
