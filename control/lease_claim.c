#include "control/lease_internal.h"

bool lease_is_well(const struct lease *l, uint16_t n)
{
	if (n == l->conf.self)
		return l->ready && l->joined && !l->drain && !l->doubled;
	return l->node[n].well_since && lease_hears(l, n);
}

/* The i-th of the order in which nodes take a group: its home, then around from who had it. */
static uint16_t in_order(const struct lease *l, uint16_t group, uint16_t i)
{
	const struct lease_group *g = &l->group[group];
	uint16_t home = l->conf.home[group], from = g->before < l->conf.nodes ? g->before : home;
	uint16_t n = from;

	if (i == 0)
		return home;
	for (uint16_t at = 0; at < l->conf.nodes; at++) {
		n = (uint16_t)((from + 1 + at) % l->conf.nodes);
		if (n != home && --i == 0)
			break;
	}
	return n;
}

/* How many would better take the group than this node. */
static uint32_t rank(const struct lease *l, uint16_t group)
{
	uint32_t better = 0;

	for (uint16_t i = 0; i < l->conf.nodes; i++) {
		uint16_t n = in_order(l, group, i);

		if (n == l->conf.self)
			break;
		better += n != l->group[group].owner && lease_is_well(l, n);
	}
	return better;
}

uint16_t lease_next(const struct lease *l, uint16_t group)
{
	const struct lease_group *g = &l->group[group];
	uint16_t has = lease_is_ours(g) ? l->conf.self : g->owner;

	for (uint16_t i = 0; i < l->conf.nodes; i++) {
		uint16_t n = in_order(l, group, i);

		if (n != has && lease_is_well(l, n))
			return n;
	}
	return LEASE_NONE;
}

/* When the record alone lets a claim be tried. */
static uint64_t open_at(const struct lease *l, const struct lease_group *g)
{
	/* What is missing may have been lost: its owner gets the time to say so. */
	if (g->owner != LEASE_NONE || g->epoch == 0)
		return g->since + l->wait;
	/* Free, but perhaps by a server that has lost a claim: then its validity is over. */
	return l->settled + l->wait;
}

/* When node `n` needs our grants, or what it read when we were out is too old. */
static uint64_t apart_from(const struct lease *l, uint16_t n)
{
	uint64_t in_since = l->joined_at > l->settled ? l->joined_at : l->settled;

	if (n < l->conf.nodes && l->node[n].counts_us &&
	    l->now < l->node[n].heard_ms + l->conf.alone_ms / 2)
		return l->node[n].counts_us + l->wait;
	return in_since + lease_wait(l->conf.alone_ms) + l->wait;
}

/*
 * When nobody can be serving by the grants of others, without Redis: not the record's
 * owner, and if there is no record, nobody.
 */
static uint64_t apart_at(const struct lease *l, const struct lease_group *g)
{
	uint64_t at = 0;

	if (g->owner == l->conf.self)
		return 0;
	if (g->owner != LEASE_NONE)
		return apart_from(l, g->owner);
	for (uint16_t n = 0; n < l->conf.nodes && g->epoch == 0; n++)
		if (n != l->conf.self && apart_from(l, n) > at)
			at = apart_from(l, n);
	return at;
}

/* Manners, not safety: so that candidates come one after another. */
static uint64_t turn(const struct lease *l, uint16_t group)
{
	const struct lease_group *g = &l->group[group];
	uint64_t after = rank(l, group) * (l->conf.lease_ms / 8);

	if (g->owner == LEASE_NONE && g->heir == l->conf.self)
		return 0;
	if (g->owner == LEASE_NONE && g->heir < l->conf.nodes && lease_hears(l, g->heir))
		after += l->wait;
	if (!l->ready)
		after += l->conf.lease_ms;
	return after;
}

/* By whom we had promised it to: that has stopped. */
static bool is_released(const struct lease_group *g)
{
	return g->owner == LEASE_NONE && g->epoch && g->epoch == g->promised_epoch;
}

static bool may_claim(const struct lease *l, uint16_t group)
{
	const struct lease_group *g = &l->group[group];
	uint64_t at = open_at(l, g), apart = apart_at(l, g);

	if (!g->seen || g->claim.ref || (l->now < g->promised && !is_released(g)))
		return false;
	if (at < apart)
		at = apart;
	if (at < g->since)
		at = g->since;
	return l->now >= at + turn(l, group);
}

void lease_claim_send(struct lease *l, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];
	struct lease_action *a = lease_call(l, out, &g->claim, LEASE_CLAIM, group);
	uint64_t high = g->known > g->minted ? g->known : g->minted;

	a->node = g->owner;
	a->epoch = g->epoch;
	a->beat = g->beat;
	a->token = l->token;
	a->out = g->owner < l->conf.nodes && g->owner != l->conf.self && !lease_hears(l, g->owner);
	a->next_epoch = (high / LEASE_MAX_NODES + 1) * LEASE_MAX_NODES + l->conf.self;
	g->claim.epoch = g->minted = a->next_epoch;
}

/* Copies are restored before they are needed, by the node that is first to take them. */
static bool is_failing(const struct lease *l, uint16_t group)
{
	const struct lease_group *g = &l->group[group];
	uint64_t half = l->conf.lease_ms / 2;

	return l->joined && l->ready && g->seen && g->owner != LEASE_NONE &&
	       l->now >= g->since + half && l->now >= g->owner_heard + half && rank(l, group) == 0;
}

static bool is_promised_us(const struct lease *l, uint16_t group)
{
	for (uint16_t n = 0; n < l->conf.nodes; n++)
		if (n != l->conf.self && lease_hears(l, n) &&
		    (l->node[n].wants_us & l->node[n].serves) >> group & 1)
			return true;
	return l->group[group].owner == LEASE_NONE && l->group[group].heir == l->conf.self;
}

static void forget(struct lease *l, uint16_t group, struct lease_out *out)
{
	lease_emit(out, LEASE_FORGET, group);
	l->group[group].preparing = l->group[group].present = false;
	l->group[group].calm = 0;
}

static void prepare(struct lease *l, uint16_t group, struct lease_out *out)
{
	struct lease_group *g = &l->group[group];
	bool needed = !l->drain && (is_promised_us(l, group) || is_failing(l, group));

	if (needed || g->claim.ref) {
		g->calm = 0;
		if (!g->preparing)
			lease_emit(out, LEASE_PREPARE, group);
		g->preparing = true;
	} else if (g->preparing) {
		if (g->calm == 0)
			g->calm = l->now;
		if (l->now >= g->calm + LEASE_CALM * (uint64_t)l->conf.lease_ms)
			forget(l, group, out);
	}
}

/*
 * There has been a higher epoch, in a history that got lost: some would not grant ours.
 * Not behind a renewal, which would change the record that is to be found.
 */
static void outbid(struct lease *l, uint16_t group, struct lease_out *out)
{
	const struct lease_group *g = &l->group[group];

	if (g->own < g->known && g->state != LEASE_YIELDING && l->connected && l->joined &&
	    g->seen && !g->renew.ref && !g->claim.ref)
		lease_claim_send(l, group, out);
}

void lease_claim_tick(struct lease *l, struct lease_out *out)
{
	for (uint16_t i = 0; i < l->conf.groups; i++) {
		if (lease_is_ours(&l->group[i])) {
			outbid(l, i, out);
			continue;
		}
		if (l->connected && l->joined && !l->drain && may_claim(l, i))
			lease_claim_send(l, i, out);
		prepare(l, i, out);
	}
}
