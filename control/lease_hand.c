#include "control/lease_internal.h"

static bool is_settled_home(const struct lease *l, uint16_t home)
{
	const struct lease_node *n = &l->node[home];

	return l->conf.give_back && home != l->conf.self && lease_is_well(l, home) &&
	       l->now >= n->well_since + l->conf.give_back_after_ms;
}

/* Whom the group should go to; one that was chosen is kept to while it is well. */
static uint16_t heir_of(struct lease *l, uint16_t group)
{
	struct lease_group *g = &l->group[group];

	if (g->move_to != LEASE_NONE && lease_is_well(l, g->move_to))
		return g->move_to;
	g->move_to = LEASE_NONE;
	if (l->drain && g->wants != LEASE_NONE && lease_is_well(l, g->wants))
		return g->wants;
	if (l->drain)
		return lease_next(l, group);
	return is_settled_home(l, l->conf.home[group]) ? l->conf.home[group] : LEASE_NONE;
}

static void hand(struct lease *l, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];
	bool prepared;

	g->wants = heir_of(l, group);
	prepared = g->wants != LEASE_NONE && l->node[g->wants].prepared >> group & 1;
	/* Without Redis nobody could take what is yielded. */
	if (!l->connected || !(prepared || (l->abandon && g->wants == LEASE_NONE)))
		return;
	g->state = LEASE_YIELDING;
	lease_emit(out, LEASE_YIELD, group)->node = g->wants;
}

static void release(struct lease *l, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];
	struct lease_action *a;

	if (!l->connected || !g->yielded || g->release.ref)
		return;
	a = lease_call(l, out, &g->release, LEASE_RELEASE, group);
	a->epoch = g->own;
	a->node = g->wants;
}

static bool has_nothing(const struct lease *l)
{
	for (uint16_t i = 0; i < l->conf.groups; i++)
		if (lease_is_ours(&l->group[i]) || l->group[i].claim.ref)
			return false;
	return true;
}

bool lease_is_drained(const struct lease *l)
{
	return l->drain && has_nothing(l) && !l->join.ref &&
	       (l->node[l->conf.self].counted != LEASE_COUNTED || !l->connected);
}

void lease_hand_tick(struct lease *l, struct lease_out *out)
{
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		struct lease_group *g = &l->group[i];

		/* What was taken and never served is given back like the rest. */
		if (g->state == LEASE_MINE)
			hand(l, i, out);
		if (g->state == LEASE_YIELDING)
			release(l, i, out);
	}
	/* Out, so that the others' owners do without our grants. */
	if (l->drain && l->connected && l->node[l->conf.self].counted == LEASE_COUNTED &&
	    !l->leave.ref && !l->join.ref && has_nothing(l)) {
		struct lease_action *a = lease_call(l, out, &l->leave, LEASE_LEAVE, LEASE_NONE);

		a->node = l->conf.self;
		a->token = l->node[l->conf.self].token;
	}
}

void lease_yielded(struct lease *l, uint64_t now, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];

	out->count = 0;
	l->now = now;
	lease_expire(l, out);
	if (g->state != LEASE_YIELDING)
		return;
	g->yielded = true;
	release(l, group, out);
}

bool lease_move(struct lease *l, uint64_t now, uint16_t group, uint16_t node)
{
	l->now = now;
	if (group >= l->conf.groups || node >= l->conf.nodes || node == l->conf.self ||
	    l->group[group].state != LEASE_MINE || !lease_is_well(l, node))
		return false;
	l->group[group].move_to = node;
	return true;
}
