/*
 * A group on a node: its warm copies while it is another's, its way into the workers
 * when it is to be taken, and out of them when it is given away.
 *
 * Warm copies are posted by walking the table; what changes from then on is posted
 * behind them. A restore with a version that the workers have changes nothing, so
 * that a record may be posted both ways. Rings that are full are tried again in the
 * next turn; when too many changes wait, the store is told to pause.
 */
#include <stdlib.h>
#include <string.h>

#include "control/cluster_internal.h"
#include "control/log.h"

/* No turn posts more than this of one group. */
#define POSTS_A_TURN 4096u

/* ---- changes ---- */

static void drop_changes(struct cluster_group *g)
{
	while (g->first) {
		struct cluster_change *next = g->first->next;

		free(g->first);
		g->first = next;
	}
	g->last = &g->first;
	g->changes = 0;
}

static void pause_reading(struct cluster_group *g, bool pause)
{
	if (g->paused == pause)
		return;
	g->paused = pause;
	store_read_pause(g->cluster->store, g->index, pause);
}

static void add_change(struct cluster_group *g, enum checkpoint_kind kind, const char *id,
		       struct slice fields)
{
	struct cluster_change *ch = malloc(sizeof(*ch) + fields.n);

	if (!ch) {
		/* Everything is read again, and what is in the workers begins anew. */
		g->reload_at = dp_now() + CLUSTER_RELOAD_MS;
		g->loaded = false;
		return;
	}
	*ch = (struct cluster_change){.kind = kind, .n = fields.n};
	memcpy(ch->id, id, IDENT_LEN);
	if (fields.n)
		memcpy(ch->fields, fields.p, fields.n);
	*g->last = ch;
	g->last = &ch->next;
	if (++g->changes >= CLUSTER_CHANGES)
		pause_reading(g, true);
}

/* ---- warm copies ---- */

static void on_record(void *arg, uint16_t group, enum checkpoint_kind kind,
		      const char id[IDENT_LEN], struct slice fields)
{
	struct cluster *c = arg;
	struct cluster_group *g = &c->group[group];

	if (g->epoch)
		return;
	if (fields.n)
		warm_put(c->warm, group, kind, id, fields);
	else
		warm_remove(c->warm, group, kind, id);
	if (g->wanted)
		add_change(g, kind, id, fields);
}

/* What the workers have of it may have ended unseen: they begin anew, with what is read. */
static void on_begin(void *arg, uint16_t group)
{
	struct cluster *c = arg;
	struct cluster_group *g = &c->group[group];

	if (g->epoch)
		return;
	warm_clear(c->warm, group);
	g->loaded = false;
	drop_changes(g);
	g->walking = false;
	g->forget |= g->stocked;
}

static void on_loaded(void *arg, uint16_t group, bool ok, uint64_t records)
{
	struct cluster *c = arg;
	struct cluster_group *g = &c->group[group];

	if (g->epoch)
		return;
	g->loaded = ok;
	if (!ok)
		g->reload_at = dp_now() + CLUSTER_RELOAD_MS;
	else
		log_at(LOG_LEVEL_INFO, LOG_MSG("warm copies are complete"),
		       LOG_STR("group", c->config->cluster.group[group].name),
		       LOG_U64("records", records));
}

static void on_caught_up(void *arg, uint16_t group)
{
	struct cluster *c = arg;

	c->group[group].caught_up = true;
	if (c->group[group].taken)
		cluster_soon(c);
}

void cluster_group_follow(struct cluster_group *g)
{
	const struct store_reader reader = {.record = on_record,
					    .begin = on_begin,
					    .loaded = on_loaded,
					    .caught_up = on_caught_up,
					    .arg = g->cluster};

	g->reload_at = 0;
	g->loaded = g->paused = false;
	store_load(g->cluster->store, g->index, &reader, true);
}

/* ---- into the workers ---- */

static void want(struct cluster_group *g)
{
	if (g->wanted)
		return;
	g->wanted = true;
	g->told = false;
	g->walking = true;
	g->cursor = 0;
}

static void unwant(struct cluster_group *g)
{
	g->wanted = g->walking = g->taken = g->told = false;
	drop_changes(g);
	pause_reading(g, false);
}

void cluster_group_prepare(struct cluster_group *g)
{
	want(g);
}

/* Copies that found no room are read once more, now that they are needed. */
static void read_left_out(struct cluster_group *g)
{
	struct warm_count n;

	warm_count(g->cluster->warm, g->index, &n);
	if (n.left_out == 0)
		return;
	log_at(LOG_LEVEL_WARN, LOG_MSG("not all of a group was in memory: reading it"),
	       LOG_STR("group", g->cluster->config->cluster.group[g->index].name),
	       LOG_U64("left_out", n.left_out));
	cluster_group_follow(g);
}

void cluster_group_take(struct cluster_group *g)
{
	want(g);
	g->taken = true;
	g->told = g->caught_up = false;
	store_catch_up(g->cluster->store, g->index);
	read_left_out(g);
}

void cluster_group_forget(struct cluster_group *g)
{
	unwant(g);
	g->forget |= g->stocked;
	g->announce = false;
}

/* False: the rings are full. */
static bool post_warm(struct cluster_group *g, uint32_t *budget)
{
	struct cluster *c = g->cluster;
	struct warm_record r;

	while (g->walking) {
		uint32_t at = g->cursor;

		if (*budget == 0)
			return false;
		if (!warm_next(c->warm, g->index, &g->cursor, &r)) {
			g->walking = false;
			break;
		}
		if (!dp_restore_post(c->dp, r.kind, r.id, r.fields)) {
			g->cursor = at;
			return false;
		}
		c->posted++;
		g->stocked = true;
		--*budget;
	}
	return true;
}

static bool post_change(struct cluster *c, const struct cluster_change *ch)
{
	return ch->n ? dp_restore_post(c->dp, ch->kind, ch->id, slice_of(ch->fields, ch->n))
		     : dp_forget_post(c->dp, ch->kind, ch->id);
}

static void post_changes(struct cluster_group *g, uint32_t *budget)
{
	struct cluster_change *ch;

	while ((ch = g->first) && *budget) {
		if (!post_change(g->cluster, ch))
			return;
		g->cluster->posted++;
		g->stocked = true;
		--*budget;
		g->first = ch->next;
		if (!g->first)
			g->last = &g->first;
		g->changes--;
		free(ch);
	}
	if (g->changes < CLUSTER_CHANGES / 2)
		pause_reading(g, false);
}

/* Another group that was taken waits for the count of what is in: nothing is added to it. */
static bool must_stand_back(const struct cluster_group *g)
{
	const struct cluster *c = g->cluster;

	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		if (c->group[i].taken && !c->group[i].told)
			return !g->taken || g->told;
	return false;
}

static void feed(struct cluster_group *g)
{
	uint32_t budget = POSTS_A_TURN;

	if (!g->wanted || g->forget || must_stand_back(g))
		return;
	if (post_warm(g, &budget))
		post_changes(g, &budget);
}

bool cluster_group_is_in(const struct cluster_group *g)
{
	const struct cluster *c = g->cluster;

	return g->wanted && g->loaded && !g->walking && !g->first && !g->forget &&
	       (!g->taken || g->caught_up) && dp_restored(c->dp) - c->restored_before == c->posted;
}

/* ---- serving ---- */

void cluster_group_serve(struct cluster_group *g, uint64_t epoch, uint64_t until)
{
	struct cluster *c = g->cluster;
	bool first = g->epoch == 0;

	if (g->epoch != epoch) {
		g->epoch = epoch;
		store_own(c->store, g->index, epoch);
	}
	if (g->yield >= YIELD_TURN)
		return;
	dp_group_until(c->dp, g->index, until);
	if (!first)
		return;
	unwant(g);
	store_follow_stop(c->store, g->index);
	warm_clear(c->warm, g->index);
	g->loaded = false;
	g->reload_at = 0;
	g->announce = g->stocked = true;
	c->takeovers++;
	log_at(LOG_LEVEL_INFO, LOG_MSG("serving a group"),
	       LOG_STR("group", c->config->cluster.group[g->index].name),
	       LOG_U64("epoch", lease_epoch_count(epoch)));
}

void cluster_group_stop(struct cluster_group *g)
{
	struct cluster *c = g->cluster;
	bool served = g->epoch != 0;

	dp_group_until(c->dp, g->index, 0);
	g->epoch = 0;
	g->yield = YIELD_NOT;
	store_own(c->store, g->index, 0);
	cluster_group_forget(g);
	if (served)
		cluster_group_follow(g);
}

/* ---- turns ---- */

static void post_owed(struct cluster_group *g)
{
	/* What is posted from here on comes behind it, and is not forgotten with it. */
	if (g->forget && dp_group_post(g->cluster->dp, g->index, false))
		g->forget = g->stocked = false;
	if (!g->forget && g->announce && dp_group_post(g->cluster->dp, g->index, true))
		g->announce = false;
}

void cluster_group_turn(struct cluster_group *g, uint64_t now)
{
	post_owed(g);
	if (g->reload_at && now >= g->reload_at && !g->epoch)
		cluster_group_follow(g);
	feed(g);
	cluster_yield_turn(g, now);
}

bool cluster_group_is_busy(const struct cluster_group *g)
{
	return g->forget || g->announce || g->walking || g->first || (g->wanted && !g->told) ||
	       (g->yield != YIELD_NOT && g->yield != YIELD_DONE);
}

void cluster_group_init(struct cluster *c, uint16_t i)
{
	struct cluster_group *g = &c->group[i];

	*g = (struct cluster_group){.cluster = c, .index = i};
	g->last = &g->first;
}

void cluster_group_free(struct cluster_group *g)
{
	drop_changes(g);
}
