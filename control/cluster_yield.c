/*
 * A group that is given away. While it is still served, the workers put all that they
 * would have gathered longer, and it is written; only then is it served no more, and
 * what has changed since is put and written the same way. So callers miss what a few
 * words between workers, this thread and Redis take. Each time, a barrier tells when
 * the store has all that the workers owed, and a flush when Redis has it.
 *
 * Redis slow: each of the two is waited for CLUSTER_YIELD_MS. Redis away: the group is
 * served on as long as the lease lasts, since nobody could take it.
 */
#include "control/cluster_internal.h"
#include "control/log.h"

static void enter(struct cluster_group *g, enum cluster_yield phase)
{
	g->yield = phase;
	g->barrier_owed = phase == YIELD_PUT || phase == YIELD_LAST_PUT;
	cluster_soon(g->cluster);
}

void cluster_group_yield(struct cluster_group *g)
{
	g->yield_since = dp_now();
	enter(g, YIELD_PUT);
}

static bool have_all_passed(const struct cluster_group *g)
{
	const struct cluster *c = g->cluster;

	for (uint16_t i = 0; i < c->config->dp.workers; i++)
		if (c->passed[i] < g->barrier)
			return false;
	return !g->barrier_owed;
}

static void post_barrier(struct cluster_group *g)
{
	struct cluster *c = g->cluster;

	if (!g->barrier_owed || !dp_barrier_post(c->dp, c->barriers + 1))
		return;
	g->barrier = ++c->barriers;
	g->barrier_owed = false;
}

static void on_flushed(void *arg)
{
	struct cluster_group *g = arg;

	g->flushes--;
	cluster_soon(g->cluster);
}

static void write_all(struct cluster_group *g, enum cluster_yield phase)
{
	enter(g, phase);
	g->flushes++;
	store_flush(g->cluster->store, on_flushed, g);
}

static void serve_no_more(struct cluster_group *g, uint64_t now)
{
	dp_group_until(g->cluster->dp, g->index, 0);
	g->yield_since = now;
	enter(g, YIELD_TURN);
}

static void finish(struct cluster_group *g, bool late)
{
	if (late)
		log_at(LOG_LEVEL_WARN,
		       LOG_MSG("a group is given away before Redis has all of its changes"),
		       LOG_STR("group", g->cluster->config->cluster.group[g->index].name));
	enter(g, YIELD_DONE);
}

/* Waiting for Redis has taken too long. */
static bool is_late(struct cluster_group *g, uint64_t now)
{
	struct store_gauges s;

	store_gauges_read(g->cluster->store, &s);
	if (!s.up && g->yield < YIELD_TURN)
		g->yield_since = now;
	return now >= g->yield_since + CLUSTER_YIELD_MS;
}

void cluster_yield_turn(struct cluster_group *g, uint64_t now)
{
	post_barrier(g);
	switch (g->yield) {
	case YIELD_NOT:
	case YIELD_DONE:
		break;
	case YIELD_PUT:
		if (have_all_passed(g))
			write_all(g, YIELD_WRITE);
		else if (is_late(g, now))
			serve_no_more(g, now);
		break;
	case YIELD_WRITE:
		if (g->flushes == 0 || is_late(g, now))
			serve_no_more(g, now);
		break;
	case YIELD_TURN:
		/* However long: until then something might still leave. */
		if (dp_has_turned(g->cluster->dp, g->yield_since))
			enter(g, YIELD_LAST_PUT);
		break;
	case YIELD_LAST_PUT:
		if (have_all_passed(g))
			write_all(g, YIELD_LAST_WRITE);
		else if (is_late(g, now))
			finish(g, true);
		break;
	case YIELD_LAST_WRITE:
		if (g->flushes == 0 || is_late(g, now))
			finish(g, g->flushes != 0);
		break;
	}
}

void cluster_passed(struct cluster *c, uint16_t worker, uint64_t ref)
{
	if (worker >= DP_MAX_WORKERS || ref < c->passed[worker])
		return;
	c->passed[worker] = ref;
	cluster_soon(c);
}
