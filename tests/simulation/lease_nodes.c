/* The nodes: what control/cluster does with the protocol's actions. */
#include "tests/simulation/lease_sim.h"

#include <stdlib.h>
#include <string.h>

#define TICK_MS 10u

bool node_serves(const struct world *w, uint16_t node, uint16_t group)
{
	return w->node[node].up && world_clock(w, node) < w->node[node].serve[group].until;
}

static void send(struct world *w, uint16_t from, const struct lease_heartbeat *h)
{
	for (uint16_t to = 0; to < w->conf.nodes; to++) {
		if (to == from || w->cut[from][to])
			continue;
		for (uint32_t copies = 1 + (world_below(w, 1000) < w->twice); copies; copies--) {
			uint64_t in = 50 + world_below(w, w->slow ? 400 * MS : 700);
			struct world_event *ev;

			if (world_below(w, 1000) < w->loss)
				continue;
			if (w->conf.faults && world_below(w, 300) == 0)
				in += world_below(w, 1500 * MS);
			ev = world_push(w, WORLD_HEARTBEAT, to, in);
			ev->process = 0;
			ev->heartbeat = malloc(sizeof(*h));
			if (!ev->heartbeat)
				abort();
			*ev->heartbeat = *h;
		}
	}
}

/* The heart of it: nobody else may serve now. */
static void serve(struct world *w, uint16_t node, const struct lease_action *a)
{
	struct world_node *n = &w->node[node];
	uint16_t g = a->group;

	if (n->serve[g].epoch != a->epoch)
		world_note(w, "node %u serves group %u under %llu", node, g,
			   (unsigned long long)a->epoch);
	if (!n->serve[g].taken)
		world_fail(w, "node %u serves group %u that it has not restored", node, g);
	for (uint16_t i = 0; i < w->conf.nodes; i++)
		if (i != node && node_serves(w, i, g))
			world_fail(w, "nodes %u (epoch %llu) and %u (epoch %llu) serve group %u", i,
				   (unsigned long long)w->node[i].serve[g].epoch, node,
				   (unsigned long long)a->epoch, g);
	if (a->epoch < n->serve[g].epoch || (w->conf.wait && a->epoch < w->highest[g]))
		world_fail(w, "group %u goes back to epoch %llu", g, (unsigned long long)a->epoch);
	if (a->epoch > w->highest[g])
		w->highest[g] = a->epoch;
	n->serve[g].until = a->until_ms;
	n->serve[g].epoch = a->epoch;
	w->tally.serves++;
	if (w->gone_at[g] && w->now - w->gone_at[g] > w->tally.longest_ms * MS)
		w->tally.longest_ms = (w->now - w->gone_at[g]) / MS;
	w->gone_at[g] = 0;
}

static void later(struct world *w, enum world_event_type type, uint16_t node, uint16_t group,
		  uint64_t epoch, uint32_t ms)
{
	struct world_event *ev = world_push(w, type, node, 100 + world_below(w, ms * MS));

	ev->group = group;
	ev->epoch = epoch;
}

static void stop(struct world *w, uint16_t node, const struct lease_action *a)
{
	struct world_node *n = &w->node[node];

	if (w->calm && n->serve[a->group].until && a->why != LEASE_STOP_RELEASED)
		world_fail(w, "node %u stops serving group %u, though all nodes are well", node,
			   a->group);
	if (n->serve[a->group].until && !w->gone_at[a->group])
		w->gone_at[a->group] = w->now;
	n->serve[a->group].until = n->serve[a->group].epoch = 0;
	n->serve[a->group].taken = 0;
	n->serve[a->group].prepared = n->serve[a->group].yielding = false;
	w->tally.stops++;
	w->tally.expiries += a->why == LEASE_STOP_EXPIRED;
	world_note(w, "node %u stops group %u: %s", node, a->group,
		   (const char *[]){"lost", "expired", "released"}[a->why]);
}

/* All is written; until now it served on. */
static void yielded(struct world *w, const struct world_event *ev)
{
	struct world_node *n = &w->node[ev->node];

	if (!n->serve[ev->group].yielding)
		return;
	if (n->serve[ev->group].until)
		w->gone_at[ev->group] = w->now;
	n->serve[ev->group].until = 0;
	n->serve[ev->group].yielding = false;
}

static void group_action(struct world *w, uint16_t node, const struct lease_action *a)
{
	struct world_node *n = &w->node[node];

	switch (a->type) {
	case LEASE_SERVE:
		serve(w, node, a);
		break;
	case LEASE_PREPARE:
		later(w, WORLD_RESTORED, node, a->group, 0, 60);
		break;
	case LEASE_FORGET:
		n->serve[a->group].prepared = false;
		w->tally.forgotten++;
		break;
	case LEASE_TAKEN:
		n->serve[a->group].taken = a->epoch;
		w->tally.takes++;
		later(w, WORLD_RESTORED, node, a->group, a->epoch,
		      n->serve[a->group].prepared ? 3 : 100);
		break;
	case LEASE_YIELD:
		n->serve[a->group].yielding = true;
		w->tally.handed++;
		later(w, WORLD_YIELDED, node, a->group, 0, 40);
		break;
	default:
		stop(w, node, a);
		break;
	}
}

static void carry_out(struct world *w, uint16_t node, struct lease_out *out)
{
	for (uint32_t i = 0; i < out->count && w->node[node].up; i++) {
		const struct lease_action *a = &out->action[i];

		if (w->conf.faults && world_below(w, 40000) == 0) {
			node_crash(w, node);
			return;
		}
		if (a->type == LEASE_SEND)
			send(w, node, &out->heartbeat);
		else if (a->type <= LEASE_LEAVE)
			redis_script(w, node, a);
		else
			group_action(w, node, a);
		if (a->type == LEASE_JOIN)
			w->tally.rejoins++;
		if (a->type == LEASE_CLAIM && node_serves(w, node, a->group))
			w->tally.reasserts++;
	}
}

void node_start(struct world *w, uint16_t node)
{
	struct world_node *n = &w->node[node];
	struct lease_conf conf = {.nodes = w->conf.nodes,
				  .self = node,
				  .groups = w->conf.groups,
				  .lease_ms = w->conf.lease_ms,
				  .alone_ms = w->conf.alone_ms,
				  .loss_ms = w->conf.loss_ms,
				  .give_back = true,
				  .give_back_after_ms = 4 * w->conf.lease_ms};

	if (n->up)
		return;
	n->process = ++w->processes;
	/* A clock of its own, and another one after a reboot. */
	n->offset_ms = 1000 + world_below(w, 100000000);
	n->rate = 1000000 - 7700 + world_below(w, 15400);
	conf.incarnation = n->process << 32 | (world_random(w) >> 40);
	for (uint16_t g = 0; g < w->conf.groups; g++)
		conf.home[g] = g % w->conf.nodes;
	memset(n->serve, 0, sizeof(n->serve));
	n->up = true;
	n->stopped = n->draining = false;
	n->connection = n->fails_at = 0;
	lease_init(n->lease, &conf, world_clock(w, node));
	world_push(w, WORLD_TICK, node, world_below(w, TICK_MS * MS));
	world_push(w, WORLD_UP, node, world_below(w, 30 * MS));
	world_push(w, WORLD_READY, node, world_below(w, 200 * MS));
	world_note(w, "node %u starts", node);
}

static void drop_held(struct world_node *n)
{
	while (n->held) {
		struct world_event *next = n->held->next;

		world_event_free(n->held);
		n->held = next;
	}
	n->held_end = &n->held;
}

void node_crash(struct world *w, uint16_t node)
{
	struct world_node *n = &w->node[node];

	if (!n->up)
		return;
	for (uint16_t g = 0; g < w->conf.groups; g++)
		if (n->serve[g].until && !w->gone_at[g])
			w->gone_at[g] = w->now;
	memset(n->serve, 0, sizeof(n->serve));
	n->up = n->stopped = false;
	n->connection = 0;
	drop_held(n);
	w->tally.crashes++;
	world_note(w, "node %u crashes", node);
}

void node_stop(struct world *w, uint16_t node, uint32_t ms)
{
	struct world_node *n = &w->node[node];

	if (!n->up || n->stopped)
		return;
	n->stopped = true;
	n->held = NULL;
	n->held_end = &n->held;
	w->tally.pauses++;
	world_push(w, WORLD_RESUME, node, ms * (uint64_t)MS);
	world_note(w, "node %u is stopped for %u ms", node, ms);
}

/* What came meanwhile is all there at once, in any order. */
void node_resume(struct world *w, uint16_t node)
{
	struct world_node *n = &w->node[node];

	if (!n->up || !n->stopped)
		return;
	n->stopped = false;
	world_note(w, "node %u goes on", node);
	while (n->held) {
		struct world_event *ev = n->held;

		n->held = ev->next;
		ev->next = NULL;
		world_again(w, ev);
	}
}

void node_drain(struct world *w, uint16_t node, bool drain)
{
	struct world_node *n = &w->node[node];

	if (!n->up || n->draining == drain)
		return;
	n->draining = drain;
	lease_drain(n->lease, drain);
	world_note(w, "node %u %s", node, drain ? "drains" : "takes part again");
}

static void tick(struct world *w, uint16_t node, uint64_t now, struct lease_out *out)
{
	struct world_node *n = &w->node[node];

	world_push(w, WORLD_TICK, node, TICK_MS * MS + world_below(w, 2 * MS));
	if (n->fails_at && w->now >= n->fails_at) {
		n->connection = n->fails_at = 0;
		lease_connected(n->lease, now, false, out);
		carry_out(w, node, out);
		world_push(w, WORLD_UP, node, world_below(w, 100 * MS));
		if (!n->up)
			return;
	}
	lease_tick(n->lease, now, out);
	carry_out(w, node, out);
}

static void restored(struct world *w, const struct world_event *ev, uint64_t now,
		     struct lease_out *out)
{
	struct world_node *n = &w->node[ev->node];

	/* What was taken is restored by its own answer, not by that of an earlier one. */
	if (n->serve[ev->group].taken != ev->epoch)
		return;
	if (ev->epoch == 0)
		n->serve[ev->group].prepared = true;
	lease_restored(n->lease, now, ev->group, out);
}

void node_event(struct world *w, struct world_event *ev)
{
	struct world_node *n = &w->node[ev->node];
	uint64_t now = world_clock(w, ev->node);
	struct lease_out out = {.count = 0};

	switch (ev->type) {
	case WORLD_TICK:
		tick(w, ev->node, now, &out);
		return;
	case WORLD_HEARTBEAT:
		lease_heard(n->lease, now, ev->heartbeat, &out);
		break;
	case WORLD_REPLY:
		if (ev->connection == n->connection)
			lease_replied(n->lease, now, ev->reply, &out);
		break;
	case WORLD_UP:
		redis_connect(w, ev->node);
		if (n->connection)
			lease_connected(n->lease, now, true, &out);
		break;
	case WORLD_RESTORED:
		restored(w, ev, now, &out);
		break;
	case WORLD_YIELDED:
		yielded(w, ev);
		lease_yielded(n->lease, now, ev->group, &out);
		break;
	default:
		lease_ready(n->lease, true);
		break;
	}
	carry_out(w, ev->node, &out);
}
