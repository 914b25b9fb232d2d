/* The lease's scripts, on a connection of their own, and the nodes' settings in Redis. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cluster_internal.h"
#include "control/lease_scripts.h"
#include "control/log.h"

#define MAX_ARGS (1u + 1u + SNAPSHOT_MAX_GROUPS + 9u)

/*
 * "postern:C:config" is a hash: a node's name -> the print of its settings, for as
 * long as it takes part. Who finds another print than its own there stays out, and
 * takes its own away: when all nodes have been given new settings, they come in.
 */
static const char check_settings[] = "#!lua flags=allow-oom\n"
				     "local all = redis.call('HGETALL', KEYS[1])\n"
				     "for i = 1, #all, 2 do\n"
				     "  if all[i] ~= ARGV[1] and all[i+1] ~= ARGV[2] then\n"
				     "    redis.call('HDEL', KEYS[1], ARGV[1])\n"
				     "    return all[i]\n"
				     "  end\n"
				     "end\n"
				     "redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
				     "return ''\n";

/* A write, whatever there is room for, for WAIT to count. */
static const char write_something[] = "#!lua flags=allow-oom\n"
				      "return redis.call('SET', KEYS[1], '1')\n";

/* A script under way, until its reply counts. */
struct cluster_call {
	struct cluster *cluster;
	uint64_t ref;
	bool leaves; /* it takes this node out */
	bool synced, waits;
	struct lease_reply reply;
};

static struct redis_script scripts[] = {
	[LEASE_RENEW] = {.text = lease_script_renew},
	[LEASE_READ] = {.text = lease_script_read},
	[LEASE_CLAIM] = {.text = lease_script_claim},
	[LEASE_RELEASE] = {.text = lease_script_release},
	[LEASE_JOIN] = {.text = lease_script_join},
	[LEASE_LEAVE] = {.text = lease_script_leave},
};
static struct redis_script settings_script = {.text = check_settings};

/* ---- what Redis has said ---- */

static uint64_t number_of(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING ? strtoull(r->str, NULL, 10) : 0;
}

static uint16_t node_of(const struct cluster *c, const redisReply *r)
{
	const struct config_cluster *k = &c->config->cluster;

	if (r->type != REDIS_REPLY_STRING || r->len == 0)
		return LEASE_NONE;
	for (uint16_t i = 0; i < k->nodes; i++)
		if (strcmp(r->str, k->node[i].name) == 0)
			return i;
	return LEASE_STRANGER;
}

static bool is_array(const redisReply *r, size_t n)
{
	return r->type == REDIS_REPLY_ARRAY && r->elements >= n;
}

static void read_groups(struct cluster *c, const redisReply *r, struct lease_reply *out)
{
	for (uint16_t i = 0; i < c->config->cluster.groups; i++) {
		redisReply *const *at = r->element + 4u * i;

		out->group[i].owner = node_of(c, at[0]);
		out->group[i].epoch = number_of(at[1]);
		out->group[i].beat = number_of(at[2]);
		out->group[i].heir = node_of(c, at[3]);
		if (out->group[i].owner == LEASE_STRANGER)
			snprintf(c->stranger[i], sizeof(c->stranger[i]), "%s", at[0]->str);
	}
}

/* "in TOKEN" or "out TOKEN" */
static void read_members(struct cluster *c, const redisReply *r, struct lease_reply *out)
{
	for (size_t i = 0; i + 1 < r->elements; i += 2) {
		const redisReply *value = r->element[i + 1];
		uint16_t n = node_of(c, r->element[i]);
		const char *space;

		if (n >= c->config->cluster.nodes || value->type != REDIS_REPLY_STRING)
			continue;
		space = strchr(value->str, ' ');
		out->node[n].in = strncmp(value->str, "in ", 3) == 0;
		out->node[n].token = space ? strtoull(space + 1, NULL, 10) : 0;
	}
}

static bool read_reply(struct cluster *c, const redisReply *r, struct lease_reply *out)
{
	if (!r || !is_array(r, 3) || r->element[0]->type != REDIS_REPLY_INTEGER ||
	    !is_array(r->element[1], 4u * c->config->cluster.groups) || !is_array(r->element[2], 0))
		return false;
	out->done = r->element[0]->integer == 1;
	read_groups(c, r->element[1], out);
	read_members(c, r->element[2], out);
	return true;
}

static void refuse_later(struct cluster *c, uint64_t ref)
{
	if (c->refusals < CLUSTER_REFUSED)
		c->refused[c->refusals++] = ref;
}

/* A connection that is lost while something is sent says so from within. */
static void tell(struct cluster_call *call, bool ok)
{
	struct cluster *c = call->cluster;

	call->reply.ref = call->ref;
	call->reply.ok = ok;
	if (c->acting) {
		refuse_later(c, call->ref);
	} else if (!c->closed) {
		lease_replied(c->lease, dp_now(), &call->reply, &c->out);
		cluster_act(c);
	}
	free(call);
}

static void log_refusal(const redisReply *r)
{
	if (r && r->type == REDIS_REPLY_ERROR)
		log_at(LOG_LEVEL_ERROR, LOG_MSG("Redis refuses a script of the leases"),
		       LOG_STR("why", r->str));
}

static void on_waited(void *arg, const redisReply *r)
{
	struct cluster_call *call = arg;

	log_refusal(r);
	tell(call, call->synced && r && r->type == REDIS_REPLY_INTEGER &&
			   r->integer >= (long long)call->cluster->config->state.replicas);
}

static void on_synced(void *arg, const redisReply *r)
{
	struct cluster_call *call = arg;

	log_refusal(r);
	call->synced = r && r->type == REDIS_REPLY_STATUS;
	if (!call->waits)
		tell(call, false);
}

/*
 * With replicas a reply counts when so many of them have all that it tells of. WAIT
 * counts those that have the connection's last write, hence there is one: with its
 * text, since one by its SHA-1 may be sent again, behind WAIT.
 */
static bool wait_for_replicas(struct cluster_call *call)
{
	struct cluster *c = call->cluster;
	char replicas[16], timeout[16];
	const char *sync[] = {"EVAL", write_something, "1", c->keys.sync};
	const char *wait[] = {"WAIT", replicas, timeout};

	snprintf(replicas, sizeof(replicas), "%" PRIu32, c->config->state.replicas);
	snprintf(timeout, sizeof(timeout), "%" PRIu32, c->config->cluster.lease_ms / 2 + 1);
	if (!redis_command(c->redis, on_synced, call, 4, sync, NULL))
		return false;
	call->waits = redis_command(c->redis, on_waited, call, 3, wait, NULL);
	return true;
}

static void leave_settings(struct cluster *c)
{
	const char *del[] = {"HDEL", c->keys.config,
			     c->config->cluster.node[c->config->cluster.self].name};

	/* Before it comes in again, it looks again. */
	c->agreed = false;
	c->check_at = 0;
	redis_command(c->redis, NULL, NULL, 3, del, NULL);
}

static void on_replied(void *arg, const redisReply *r)
{
	struct cluster_call *call = arg;
	struct cluster *c = call->cluster;

	log_refusal(r);
	if (!read_reply(c, r, &call->reply)) {
		tell(call, false);
		return;
	}
	if (call->leaves && !c->closed)
		leave_settings(c);
	if (c->config->state.replicas == 0 || c->closed)
		tell(call, true);
	else if (!wait_for_replicas(call))
		tell(call, false);
}

/* ---- asking ---- */

struct args {
	const char *v[MAX_ARGS];
	int n;
	char text[6][24];
	int texts;
};

static void add(struct args *a, const char *s)
{
	a->v[a->n++] = s;
}

static void add_number(struct args *a, uint64_t v)
{
	char *text = a->text[a->texts++];

	snprintf(text, sizeof(a->text[0]), "%" PRIu64, v);
	add(a, text);
}

static const char *name_of(const struct cluster *c, const struct lease_action *a)
{
	if (a->node < c->config->cluster.nodes)
		return c->config->cluster.node[a->node].name;
	return a->node == LEASE_STRANGER ? c->stranger[a->group] : "";
}

static void add_claim(struct cluster *c, const struct lease_action *a, struct args *args)
{
	add_number(args, a->token);
	add(args, name_of(c, a));
	add_number(args, a->epoch);
	add_number(args, a->beat);
	add_number(args, a->next_epoch);
	add(args, a->out ? "1" : "0");
}

static void add_args(struct cluster *c, const struct lease_action *a, struct args *args)
{
	const char *self = c->config->cluster.node[c->config->cluster.self].name;

	if (a->type == LEASE_RENEW || a->type == LEASE_CLAIM || a->type == LEASE_RELEASE)
		add_number(args, a->group + 1u);
	if (a->type == LEASE_LEAVE)
		add(args, a->node < c->config->cluster.nodes ? name_of(c, a) : self);
	else if (a->type != LEASE_READ)
		add(args, self);
	if (a->type == LEASE_RENEW || a->type == LEASE_RELEASE)
		add_number(args, a->epoch);
	if (a->type == LEASE_RELEASE)
		add(args, name_of(c, a));
	else if (a->type == LEASE_CLAIM)
		add_claim(c, a, args);
	else if (a->type == LEASE_JOIN || a->type == LEASE_LEAVE)
		add_number(args, a->token);
}

static bool send_script(struct cluster *c, const struct lease_action *a)
{
	struct args args = {.n = 0};
	struct cluster_call *call;

	/* Nothing is taken by a node that the others would not understand. */
	if (!c->agreed && (a->type == LEASE_JOIN || a->type == LEASE_CLAIM))
		return false;
	add_number(&args, 1u + c->config->cluster.groups);
	add(&args, c->keys.nodes);
	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		add(&args, c->keys.lease[i]);
	add_args(c, a, &args);
	call = calloc(1, sizeof(*call));
	if (!call)
		return false;
	call->cluster = c;
	call->ref = a->ref;
	call->leaves = a->type == LEASE_LEAVE &&
		       (a->node == c->config->cluster.self || a->node >= c->config->cluster.nodes);
	if (redis_eval(c->redis, &scripts[a->type], on_replied, call, args.n, args.v, NULL))
		return true;
	free(call);
	return false;
}

void cluster_script_run(struct cluster *c, const struct lease_action *a)
{
	if (!send_script(c, a))
		refuse_later(c, a->ref);
}

/* ---- settings ---- */

static void on_settings(void *arg, const redisReply *r)
{
	struct cluster *c = arg;
	bool was = c->disagreed;

	c->checking = false;
	log_refusal(r);
	if (!r || r->type != REDIS_REPLY_STRING) {
		c->agreed = false;
		return;
	}
	c->agreed = r->len == 0;
	c->disagreed = !c->agreed;
	if (c->disagreed && !was)
		log_at(LOG_LEVEL_ERROR,
		       LOG_MSG("this node's settings differ from another's: it takes no part"),
		       LOG_STR("node", r->str));
	else if (was && c->agreed)
		log_at(LOG_LEVEL_INFO, LOG_MSG("this node's settings are the others' now"));
}

static void look_at_settings(struct cluster *c, uint64_t now)
{
	char print[24];
	const char *argv[] = {"1", c->keys.config,
			      c->config->cluster.node[c->config->cluster.self].name, print};

	if (c->checking || c->draining || now < c->check_at || !redis_is_up(c->redis))
		return;
	snprintf(print, sizeof(print), "%016" PRIx64, c->print);
	c->check_at = now + CLUSTER_CHECK_MS;
	c->checking = redis_eval(c->redis, &settings_script, on_settings, c, 4, argv, NULL);
}

/* ---- the connection ---- */

/* What the lease was told last may be two changes behind. */
static void tell_connection(struct cluster *c)
{
	bool up = redis_is_up(c->redis);

	if (c->told_up && (c->broke || !up)) {
		c->told_up = false;
		lease_connected(c->lease, dp_now(), false, &c->out);
		cluster_act(c);
	}
	c->broke = false;
	if (!c->told_up && up) {
		c->told_up = true;
		lease_connected(c->lease, dp_now(), true, &c->out);
		cluster_act(c);
	}
}

void cluster_script_turn(struct cluster *c, uint64_t now)
{
	tell_connection(c);
	look_at_settings(c, now);
	while (c->refusals) {
		const struct lease_reply reply = {.ref = c->refused[--c->refusals]};

		lease_replied(c->lease, dp_now(), &reply, &c->out);
		cluster_act(c);
	}
}

static void on_change(struct cluster *c)
{
	c->agreed = false;
	c->check_at = 0;
	if (c->dp && !c->acting && !c->closed)
		cluster_script_turn(c, dp_now());
}

static void on_up(void *arg, const struct redis_up *up)
{
	(void)up;
	on_change(arg);
}

static void on_down(void *arg, const char *why)
{
	struct cluster *c = arg;

	log_at(LOG_LEVEL_WARN, LOG_MSG("leases: Redis is lost"), LOG_STR("why", why));
	c->broke = true;
	on_change(c);
}

bool cluster_script_open(struct cluster *c)
{
	const struct redis_events events = {on_up, on_down, c};
	const char *name = c->config->cluster.name;
	struct cluster_keys *k = &c->keys;

	snprintf(k->nodes, sizeof(k->nodes), "postern:%s:nodes", name);
	snprintf(k->config, sizeof(k->config), "postern:%s:config", name);
	snprintf(k->sync, sizeof(k->sync), "postern:%s:sync:%s", name,
		 c->config->cluster.node[c->config->cluster.self].name);
	for (uint16_t i = 0; i < c->config->cluster.groups; i++)
		snprintf(k->lease[i], sizeof(k->lease[i]), "postern:%s:%s:lease", name,
			 c->config->cluster.group[i].name);
	c->redis = redis_open(c->loop, &c->config->state, "postern-lease", &events);
	return c->redis != NULL;
}

void cluster_script_close(struct cluster *c)
{
	redis_close(c->redis);
	c->redis = NULL;
}
