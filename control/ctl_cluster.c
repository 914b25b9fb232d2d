#include "control/ctl_cluster.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "control/ctl_rows.h"

static json_t *num(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *node_name(const struct config_cluster *k, uint16_t i)
{
	return i < k->nodes ? json_string(k->node[i].name) : json_null();
}

static json_t *node_row(const struct config_cluster *k, const struct cluster_view *v, uint16_t i,
			uint64_t now)
{
	const struct lease_node_view *n = &v->node[i];
	bool self = i == v->self;

	return json_pack("{s:s,s:s,s:b,s:b,s:o,s:b,s:b,s:b}", "name", k->node[i].name, "address",
			 k->node[i].address, "self", self, "in", n->in, "heard_ms_ago",
			 n->heard && !self ? num(now > n->heard_ms ? now - n->heard_ms : 0)
					   : json_null(),
			 "ready", n->ready, "leaving", n->leaving, "differs", v->differs[i]);
}

static const char *state_name(enum lease_view_state s)
{
	static const char *const names[] = {[LEASE_OTHERS] = "other",
					    [LEASE_FREE] = "free",
					    [LEASE_TAKING] = "taking",
					    [LEASE_MINE] = "serving",
					    [LEASE_YIELDING] = "giving"};

	return names[s];
}

static json_t *group_row(const struct config_cluster *k, const struct cluster_view *v, uint16_t i,
			 uint64_t now)
{
	const struct lease_view *g = &v->group[i];
	const struct warm_count *w = &v->warm[i];
	bool mine = g->state == LEASE_MINE;
	json_t *warm = json_pack("{s:b,s:o,s:o,s:o,s:o}", "complete", v->loaded[i], "calls",
				 num(w->calls), "registrations", num(w->registrations), "left_out",
				 num(w->left_out), "bytes", num(w->bytes));

	return json_pack("{s:s,s:s,s:o,s:o,s:o,s:o,s:b,s:b,s:o,s:o}", "name", k->group[i].name,
			 "state", state_name(g->state), "owner", node_name(k, g->owner), "home",
			 node_name(k, k->group[i].home), "next", node_name(k, g->next), "epoch",
			 num(lease_epoch_count(g->epoch)), "by_redis", mine && g->by_redis,
			 "by_grants", mine && g->by_grants, "until_ms",
			 mine ? num(g->until_ms > now ? g->until_ms - now : 0) : json_null(),
			 "warm", warm);
}

static json_t *view_json(const struct config *config, const struct cluster *c)
{
	const struct config_cluster *k = &config->cluster;
	json_t *nodes = json_array(), *groups = json_array();
	uint64_t now = dp_now();
	struct cluster_view v;

	cluster_view_read(c, now, &v);
	for (uint16_t i = 0; i < v.nodes; i++)
		json_array_append_new(nodes, node_row(k, &v, i, now));
	for (uint16_t i = 0; i < v.groups; i++)
		json_array_append_new(groups, group_row(k, &v, i, now));
	return json_pack("{s:b,s:s,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "ok", 1, "name",
			 k->name, "self", k->node[v.self].name, "draining", v.draining, "nodes",
			 nodes, "groups", groups, "takeovers", num(v.takeovers), "given",
			 num(v.given), "lost", num(v.lost), "forwarded", num(v.forwarded),
			 "forward_unknown", num(v.forward_unknown), "heartbeats_bad",
			 num(v.heartbeats_bad));
}

static struct ctl_text move(const struct config *config, struct cluster *c,
			    const struct ctl_request *r)
{
	const struct config_cluster *k = &config->cluster;
	uint16_t group = 0, node = 0;
	const char *why = "";

	while (group < k->groups && strcmp(k->group[group].name, r->group) != 0)
		group++;
	while (node < k->nodes && strcmp(k->node[node].name, r->node) != 0)
		node++;
	if (group == k->groups)
		return ctl_answer_error("there is no such group");
	if (node == k->nodes)
		return ctl_answer_error("there is no such node");
	if (!cluster_move(c, group, node, &why))
		return ctl_answer_error(why);
	return ctl_answer_json(json_pack("{s:b}", "ok", 1));
}

bool ctl_is_clusters(struct state *state, const struct ctl_request *r)
{
	if (r->cmd == CTL_DRAIN)
		return r->off || (state && state_cluster(state));
	return r->cmd == CTL_CLUSTER || r->cmd == CTL_MOVE;
}

struct ctl_text ctl_cluster_answer(const struct config *config, struct state *state,
				   const struct ctl_request *r)
{
	struct cluster *c = state ? state_cluster(state) : NULL;

	if (!c)
		return ctl_answer_error("this node is alone: it is no member of a cluster");
	if (r->cmd == CTL_MOVE)
		return move(config, c, r);
	if (r->cmd == CTL_CLUSTER)
		return ctl_answer_json(view_json(config, c));
	cluster_drain(c, !r->off, NULL, NULL);
	return ctl_answer_json(json_pack("{s:b,s:b}", "ok", 1, "draining", !r->off));
}
