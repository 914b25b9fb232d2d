/* A Redis with replicas that lag, and connections to it that break. */
#include "tests/simulation/lease_sim.h"

#include <stdlib.h>

/* Usually well below a ms, now and then much. */
static uint64_t delay(struct world *w)
{
	if (world_below(w, 200) == 0)
		return world_below(w, 150 * MS);
	return 50 + world_below(w, 800);
}

static void changed(struct world *w)
{
	w->redis.past[++w->redis.writes % WORLD_PAST] = w->redis.data;
	w->redis.when[w->redis.writes % WORLD_PAST] = w->now;
}

void redis_script(struct world *w, uint16_t node, const struct lease_action *a)
{
	struct world_node *n = &w->node[node];
	struct world_event *ev;
	uint64_t at = w->now + delay(w);

	/* Behind a cut: packets wait, and arrive late or never. */
	if (w->cut_redis[node])
		at += world_below(w, 3000) * MS;
	if (at <= n->script_at)
		at = n->script_at + 1;
	n->script_at = at;
	ev = world_push(w, WORLD_SCRIPT, node, at - w->now);
	ev->script = *a;
	ev->connection = n->connection;
	ev->epoch = n->server;
}

static bool run_claim(struct world *w, uint16_t node, const struct lease_action *a)
{
	struct world_data *d = &w->redis.data;
	struct world_record *r = &d->group[a->group];

	if (!d->node[node].in || d->node[node].token != a->token || r->owner != a->node ||
	    r->epoch != a->epoch || r->beat != a->beat)
		return false;
	*r = (struct world_record){.owner = node, .heir = LEASE_NONE, .epoch = a->next_epoch};
	if (a->out)
		d->node[a->node].in = false;
	return true;
}

static bool run(struct world *w, uint16_t node, const struct lease_action *a)
{
	struct world_data *d = &w->redis.data;
	struct world_record *r = a->group < WORLD_GROUPS ? &d->group[a->group] : NULL;

	switch (a->type) {
	case LEASE_RENEW:
		if (r == NULL || r->owner != node || r->epoch != a->epoch)
			return false;
		r->beat++;
		break;
	case LEASE_CLAIM:
		if (!run_claim(w, node, a))
			return false;
		break;
	case LEASE_RELEASE:
		if (r == NULL || r->owner != node || r->epoch != a->epoch)
			return false;
		r->owner = LEASE_NONE;
		r->heir = a->node;
		break;
	case LEASE_JOIN:
		d->node[node].in = true;
		d->node[node].token = a->token;
		break;
	case LEASE_LEAVE:
		if (!d->node[a->node].in || d->node[a->node].token != a->token)
			return false;
		d->node[a->node].in = false;
		break;
	default:
		return true;
	}
	changed(w);
	return true;
}

static struct lease_reply *report(const struct world *w, uint64_t ref, bool done)
{
	struct lease_reply *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->ref = ref;
	r->ok = true;
	r->done = done;
	for (uint16_t i = 0; i < WORLD_GROUPS; i++) {
		r->group[i].owner = w->redis.data.group[i].owner;
		r->group[i].heir = w->redis.data.group[i].heir;
		r->group[i].epoch = w->redis.data.group[i].epoch;
		r->group[i].beat = w->redis.data.group[i].beat;
	}
	for (uint16_t n = 0; n < WORLD_NODES; n++) {
		r->node[n].in = w->redis.data.node[n].in;
		r->node[n].token = w->redis.data.node[n].token;
	}
	return r;
}

/* A script comes to the server it was meant for, perhaps long after its connection's end. */
void redis_arrive(struct world *w, const struct world_event *ev)
{
	struct world_node *n = &w->node[ev->node];
	struct world_event *re;
	uint64_t at;
	bool done;

	if (!w->redis.up || ev->epoch != w->redis.server)
		return;
	if (w->redis.frozen) {
		re = world_push(w, WORLD_SCRIPT, ev->node, 20 * MS);
		re->script = ev->script;
		re->connection = ev->connection;
		re->epoch = ev->epoch;
		return;
	}
	done = run(w, ev->node, &ev->script);
	if (ev->script.type != LEASE_READ && ev->script.type != LEASE_RENEW)
		world_note(w, "redis: %s of node %u, group %u, %s",
			   (const char *[]){"send", "renew", "read", "claim", "release", "join",
					    "leave"}[ev->script.type],
			   ev->node, ev->script.group, done ? "done" : "refused");
	if (n->connection != ev->connection || !n->up || w->cut_redis[ev->node])
		return;
	at = w->now + delay(w);
	if (at <= n->reply_at)
		at = n->reply_at + 1;
	n->reply_at = at;
	re = world_push(w, WORLD_REPLY, ev->node, at - w->now);
	re->connection = ev->connection;
	re->reply = report(w, ev->script.ref, done);
	/* WAIT: too few replicas answered in time; it was carried out all the same. */
	if (w->conf.wait && w->conf.faults && world_below(w, 300) == 0)
		re->reply->ok = false;
	else
		w->redis.counted = w->redis.writes;
}

void redis_connect(struct world *w, uint16_t node)
{
	struct world_node *n = &w->node[node];

	if (!w->redis.up || w->cut_redis[node] || w->redis.frozen) {
		world_push(w, WORLD_UP, node, (20 + world_below(w, 200)) * MS);
		return;
	}
	n->connection = ++w->connections;
	n->server = w->redis.server;
	n->fails_at = 0;
	n->script_at = n->reply_at = w->now;
}

/* The connection is broken; its node notices within `noticed_ms`. */
void redis_drop(struct world *w, uint16_t node, uint32_t noticed_ms)
{
	struct world_node *n = &w->node[node];
	uint64_t at = w->now + world_below(w, noticed_ms + 1) * MS;

	if (n->connection && (n->fails_at == 0 || at < n->fails_at))
		n->fails_at = at;
}

static void drop_all(struct world *w)
{
	for (uint16_t i = 0; i < w->conf.nodes; i++)
		redis_drop(w, i, 300);
}

/* The state that a server begins with that has lost up to `lost` changes; 0: nothing. */
static uint64_t survivor(const struct world *w, uint32_t lost)
{
	const struct world_redis *r = &w->redis;
	uint64_t to = r->writes;
	uint64_t still =
		w->now > w->conf.loss_ms * (uint64_t)MS ? w->now - w->conf.loss_ms * MS : 0;

	if (lost >= WORLD_PAST - 1 && !w->conf.wait)
		return 0;
	/* A change is lost when it is young, and no replica is known to have it. */
	while (to && lost && r->when[to % WORLD_PAST] > still &&
	       !(w->conf.wait && to <= r->counted)) {
		to--;
		lost--;
	}
	return to;
}

/* Another server goes on, without the last `lost` changes. */
void redis_failover(struct world *w, uint32_t lost, uint32_t down_ms)
{
	struct world_redis *r = &w->redis;
	uint64_t to = survivor(w, lost);

	world_note(w, "redis: fails over, losing %llu changes, down for %u ms",
		   (unsigned long long)(r->writes - to), down_ms);
	w->tally.failovers++;
	w->tally.losses += to ? r->writes - to : 0;
	if (to == 0)
		redis_flush(w);
	else
		r->data = r->past[to % WORLD_PAST];
	changed(w);
	r->counted = r->writes;
	r->server++;
	r->up = down_ms == 0;
	r->frozen = false;
	if (down_ms)
		world_push(w, WORLD_SERVER, WORLD_NODES, down_ms * (uint64_t)MS);
	drop_all(w);
}

void redis_freeze(struct world *w, uint32_t ms)
{
	world_note(w, "redis: frozen for %u ms", ms);
	w->redis.frozen = true;
	world_push(w, WORLD_THAW, WORLD_NODES, ms * (uint64_t)MS);
	for (uint16_t i = 0; i < w->conf.nodes; i++)
		if (w->node[i].connection && w->node[i].fails_at == 0)
			w->node[i].fails_at = w->now + (400 + world_below(w, 200)) * MS;
}

void redis_flush(struct world *w)
{
	for (uint16_t i = 0; i < WORLD_GROUPS; i++)
		w->redis.data.group[i] =
			(struct world_record){.owner = LEASE_NONE, .heir = LEASE_NONE};
	for (uint16_t i = 0; i < WORLD_NODES; i++) {
		w->redis.data.node[i].in = false;
		w->redis.data.node[i].token = 0;
	}
	changed(w);
}
