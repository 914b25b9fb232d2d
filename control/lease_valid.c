#include "control/lease_internal.h"

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * Until when node `n` keeps from the group. A grant counts from the sending of the
 * heartbeat that was granted: the grantor counts from its coming. Of a node that was
 * out when members were read last it is known that it will not claim for alone_ms,
 * when neither that nor our claim can get lost any more.
 */
static uint64_t kept_by(const struct lease *l, const struct lease_group *g, uint16_t n,
			uint64_t said)
{
	const struct lease_node *o = &l->node[n];
	uint64_t granted = g->grant_at[n] ? g->grant_at[n] + l->conf.lease_ms : 0;

	if (o->counted != LEASE_OUT || o->out_since < o->out_first + l->conf.loss_ms ||
	    o->out_since < g->own_since + l->conf.loss_ms)
		return granted;
	return max(granted, min(said, o->out_since + l->conf.alone_ms));
}

static uint64_t by_grants(const struct lease *l, const struct lease_group *g)
{
	uint64_t until;

	if (l->seq < g->first_seq || g->yielded)
		return 0;
	until = l->sent[l->seq % LEASE_SENT] + l->conf.lease_ms;
	for (uint16_t n = 0; n < l->conf.nodes; n++)
		if (n != l->conf.self)
			until = min(until, kept_by(l, g, n, until));
	return until;
}

void lease_stop(struct lease *l, uint16_t group, enum lease_stop why, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];
	struct lease_action *a = lease_emit(out, LEASE_STOP, group);

	a->why = why;
	a->epoch = g->own;
	g->state = LEASE_OTHERS;
	g->own = g->until = g->told = g->by_redis = g->by_grants = 0;
	g->renew.ref = g->release.ref = 0;
	g->preparing = g->present = g->yielded = false;
	g->wants = g->move_to = LEASE_NONE;
	/* Whoever took it may have put us out, in a history that may get lost again. */
	if (why != LEASE_STOP_RELEASED)
		lease_new_token(l);
}

void lease_double(struct lease *l, struct lease_out *out)
{
	l->doubled = true;
	for (uint16_t g = 0; g < l->conf.groups; g++)
		if (lease_is_ours(&l->group[g]))
			lease_stop(l, g, LEASE_STOP_LOST, out);
}

void lease_expire(struct lease *l, struct lease_out *out)
{
	for (uint16_t i = 0; i < l->conf.groups; i++)
		if (lease_is_ours(&l->group[i]) && l->now >= l->group[i].until)
			lease_stop(l, i, LEASE_STOP_EXPIRED, out);
}

void lease_begin(struct lease *l, uint16_t group, uint64_t epoch, uint64_t sent,
		 struct lease_out *out)
{
	struct lease_group *g = &l->group[group];

	g->state = LEASE_TAKING;
	g->own = epoch;
	g->own_since = l->now;
	g->first_seq = l->seq + 1;
	g->by_redis = g->until = sent + l->conf.lease_ms;
	g->by_grants = g->told = 0;
	g->preparing = true;
	g->present = g->yielded = false;
	g->calm = 0;
	for (uint16_t n = 0; n < LEASE_MAX_NODES; n++)
		g->grant_at[n] = 0;
	lease_emit(out, LEASE_TAKEN, group)->epoch = epoch;
}

/* What was justified once stays so: `until` never falls. */
void lease_extend(struct lease *l, struct lease_out *out)
{
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		struct lease_group *g = &l->group[i];
		struct lease_action *a;

		if (!lease_is_ours(g))
			continue;
		g->by_grants = max(g->by_grants, by_grants(l, g));
		g->until = max(g->until, max(g->by_redis, g->by_grants));
		if (g->state == LEASE_TAKING || g->yielded || g->until <= g->told)
			continue;
		g->told = g->until;
		a = lease_emit(out, LEASE_SERVE, i);
		a->until_ms = g->until;
		a->epoch = g->own;
	}
}
