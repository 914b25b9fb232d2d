#include "control/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "control/cluster_internal.h"
#include "control/log.h"

static const char *group_name(const struct cluster *c, uint16_t group)
{
	return c->config->cluster.group[group].name;
}

/* ---- actions ---- */

static void stop_group(struct cluster *c, uint16_t group, enum lease_stop why)
{
	static const char *const reasons[] = {[LEASE_STOP_LOST] = "another node has it",
					      [LEASE_STOP_EXPIRED] = "it could not be renewed",
					      [LEASE_STOP_RELEASED] = "given away"};

	if (why == LEASE_STOP_RELEASED)
		c->given++;
	else
		c->lost++;
	cluster_group_stop(&c->group[group]);
	log_at(why == LEASE_STOP_RELEASED ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
	       LOG_MSG("a group is not ours any more"), LOG_STR("group", group_name(c, group)),
	       LOG_STR("why", reasons[why]));
}

static void act(struct cluster *c, const struct lease_action *a)
{
	switch (a->type) {
	case LEASE_SEND:
		cluster_net_send(c, &c->out.heartbeat);
		return;
	case LEASE_RENEW:
	case LEASE_READ:
	case LEASE_CLAIM:
	case LEASE_RELEASE:
	case LEASE_JOIN:
	case LEASE_LEAVE:
		cluster_script_run(c, a);
		return;
	case LEASE_SERVE:
		cluster_group_serve(&c->group[a->group], a->epoch, a->until_ms);
		return;
	case LEASE_PREPARE:
		cluster_group_prepare(&c->group[a->group]);
		return;
	case LEASE_FORGET:
		cluster_group_forget(&c->group[a->group]);
		return;
	case LEASE_TAKEN:
		cluster_group_take(&c->group[a->group]);
		return;
	case LEASE_STOP:
		stop_group(c, a->group, a->why);
		return;
	case LEASE_YIELD:
		cluster_group_yield(&c->group[a->group]);
		return;
	}
}

void cluster_act(struct cluster *c)
{
	c->acting = true;
	for (uint32_t i = 0; i < c->out.count; i++)
		act(c, &c->out.action[i]);
	c->acting = false;
}

/* ---- turns ---- */

bool cluster_all_loaded(const struct cluster *c)
{
	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		if (!c->group[i].epoch && !c->group[i].loaded)
			return false;
	return true;
}

static void tell_group(struct cluster *c, struct cluster_group *g)
{
	if (!g->told && cluster_group_is_in(g)) {
		g->told = true;
		lease_restored(c->lease, dp_now(), g->index, &c->out);
		cluster_act(c);
	}
	if (g->yield == YIELD_DONE) {
		g->yield = YIELD_NOT;
		lease_yielded(c->lease, dp_now(), g->index, &c->out);
		cluster_act(c);
	}
}

static void tell_drained(struct cluster *c)
{
	void (*done)(void *arg) = c->drained;

	if (!done || !lease_is_drained(c->lease))
		return;
	c->drained = NULL;
	done(c->drained_arg);
}

static void tell_doubled(struct cluster *c)
{
	if (c->doubled || !lease_is_doubled(c->lease))
		return;
	c->doubled = true;
	log_at(LOG_LEVEL_ERROR,
	       LOG_MSG("another process runs as this node: this one serves nothing any more"),
	       LOG_STR("node", c->config->snapshot.node));
}

static void on_tick(uv_timer_t *t)
{
	struct cluster *c = t->data;
	bool busy = false;

	c->ticking = true;
	c->soon = false;
	/* First what has expired: this process may have been stopped for long. */
	lease_tick(c->lease, dp_now(), &c->out);
	cluster_act(c);
	cluster_script_turn(c, dp_now());
	for (uint16_t i = 0; i < c->config->cluster.groups; i++) {
		cluster_group_turn(&c->group[i], dp_now());
		tell_group(c, &c->group[i]);
		busy |= cluster_group_is_busy(&c->group[i]);
	}
	lease_ready(c->lease, cluster_all_loaded(c));
	tell_doubled(c);
	c->ticking = false;
	uv_timer_start(t, on_tick, c->soon ? 0 : busy ? CLUSTER_BUSY_MS : CLUSTER_TICK_MS, 0);
	tell_drained(c);
}

void cluster_soon(struct cluster *c)
{
	c->soon = true;
	if (c->dp && !c->closed && !c->ticking)
		uv_timer_start(&c->tick, on_tick, 0, 0);
}

void cluster_woken(struct cluster *c)
{
	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		if (cluster_group_is_busy(&c->group[i])) {
			cluster_soon(c);
			return;
		}
}

/* ---- life ---- */

static void on_closed(uv_handle_t *h)
{
	struct cluster *c = h->data;

	if (--c->handles > 0)
		return;
	free(c->lease);
	free(c);
}

static void free_groups(struct cluster *c)
{
	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		cluster_group_free(&c->group[i]);
}

void cluster_close(struct cluster *c)
{
	if (!c)
		return;
	c->closed = true;
	if (c->redis)
		cluster_script_close(c);
	free_groups(c);
	uv_close((uv_handle_t *)&c->tick, on_closed);
	uv_close((uv_handle_t *)&c->udp, on_closed);
}

/* Never 0: that is nobody's. */
static bool make_incarnation(uint64_t *out)
{
	do {
		if (getrandom(out, sizeof(*out), 0) != (ssize_t)sizeof(*out))
			return false;
	} while (*out == 0);
	return true;
}

static bool open_parts(struct cluster *c, char *why, size_t why_len)
{
	snprintf(why, why_len, "out of memory");
	c->lease = calloc(1, lease_size());
	if (!c->lease || !make_incarnation(&c->incarnation))
		return false;
	c->print = cluster_config_print(c->config);
	heartbeat_key_init(&c->key, &c->config->dp.key, c->config->cluster.name);
	return cluster_net_open(c, why, why_len) && cluster_script_open(c);
}

struct cluster *cluster_open(uv_loop_t *loop, const struct config *config, struct store *store,
			     struct warm *warm, char *why, size_t why_len)
{
	struct cluster *c = calloc(1, sizeof(*c));

	if (!c) {
		snprintf(why, why_len, "out of memory");
		return NULL;
	}
	c->loop = loop;
	c->config = config;
	c->store = store;
	c->warm = warm;
	for (uint16_t i = 0; i < config->cluster.groups; i++)
		cluster_group_init(c, i);
	uv_timer_init(loop, &c->tick);
	uv_udp_init(loop, &c->udp);
	c->tick.data = c->udp.data = c;
	c->handles = 2;
	if (open_parts(c, why, why_len))
		return c;
	cluster_close(c);
	return NULL;
}

static void lease_begins(struct cluster *c)
{
	const struct config_cluster *k = &c->config->cluster;
	struct lease_conf conf = {.nodes = k->nodes,
				  .self = k->self,
				  .groups = k->groups,
				  .lease_ms = k->lease_ms,
				  .alone_ms = k->alone_ms,
				  .give_back = k->give_back == CONFIG_GIVE_BACK_AUTO,
				  .give_back_after_ms = k->give_back_after_s * 1000,
				  .incarnation = c->incarnation};

	for (uint16_t i = 0; i < k->groups; i++)
		conf.home[i] = k->group[i].home;
	lease_init(c->lease, &conf, dp_now());
}

void cluster_start(struct cluster *c, struct dataplane *dp)
{
	c->dp = dp;
	c->restored_before = dp_restored(dp);
	lease_begins(c);
	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		cluster_group_follow(&c->group[i]);
	cluster_net_start(c);
	uv_timer_start(&c->tick, on_tick, 0, 0);
}

/* ---- orders ---- */

void cluster_fenced(struct cluster *c, uint16_t group)
{
	/* The lease reads at every step; what it will find is told here already. */
	log_at(LOG_LEVEL_WARN, LOG_MSG("Redis refuses a write: another node has the group"),
	       LOG_STR("group", group_name(c, group)));
}

bool cluster_has_heir(const struct cluster *c)
{
	for (uint16_t i = 0; i < c->config->cluster.nodes; i++) {
		struct lease_node_view v;

		if (!c->dp || i == c->config->cluster.self)
			continue;
		lease_node_view_read(c->lease, dp_now(), i, &v);
		if (v.in && v.heard && v.ready && !v.leaving)
			return true;
	}
	return false;
}

void cluster_drain(struct cluster *c, bool drain, void (*done)(void *arg), void *arg)
{
	c->draining = drain;
	c->drained = drain ? done : NULL;
	c->drained_arg = arg;
	if (c->dp)
		lease_drain(c->lease, drain);
}

void cluster_abandon(struct cluster *c)
{
	if (c->dp)
		lease_abandon(c->lease);
}

bool cluster_is_draining(const struct cluster *c)
{
	return c->draining;
}

bool cluster_move(struct cluster *c, uint16_t group, uint16_t node, const char **why)
{
	struct lease_view g;
	struct lease_node_view n;

	lease_view_read(c->lease, dp_now(), group, &g);
	lease_node_view_read(c->lease, dp_now(), node, &n);
	if (g.owner == node)
		*why = "that node has the group already";
	else if (g.owner >= c->config->cluster.nodes)
		*why = "nobody has the group now";
	else if (g.owner != c->config->cluster.self)
		*why = "another node has the group: ask that one";
	else if (!n.in || !n.heard)
		*why = "that node is not in the cluster now";
	else if (!n.ready || n.leaving)
		*why = "that node is not ready to take it";
	else if (!lease_move(c->lease, dp_now(), group, node))
		*why = "the group is on its way already";
	else
		return true;
	return false;
}

/* ---- looking in ---- */

void cluster_view_read(const struct cluster *c, uint64_t now, struct cluster_view *v)
{
	const struct config_cluster *k = &c->config->cluster;

	memset(v, 0, sizeof(*v));
	v->nodes = k->nodes;
	v->self = k->self;
	v->groups = k->groups;
	v->takeovers = c->takeovers;
	v->given = c->given;
	v->lost = c->lost;
	v->forwarded = c->forwarded;
	v->forward_unknown = c->forward_unknown;
	v->heartbeats_bad = c->heartbeats_bad;
	v->draining = c->draining;
	v->differs[k->self] = c->disagreed;
	for (uint16_t i = 0; i < k->groups; i++) {
		warm_count(c->warm, i, &v->warm[i]);
		v->loaded[i] = c->group[i].loaded;
		if (c->dp)
			lease_view_read(c->lease, now, i, &v->group[i]);
	}
	for (uint16_t i = 0; i < k->nodes; i++) {
		if (c->dp)
			lease_node_view_read(c->lease, now, i, &v->node[i]);
		if (i != k->self)
			v->differs[i] = c->node[i].differs;
	}
}
