/*
 * Runs it: lease_sim [--runs N] [--seed N] [--nodes N] [--seconds N] [--trace 1]; `runs`
 * seeds from `seed` on, each with other numbers of nodes and groups. Reports in TAP.
 */
#include "tests/simulation/lease_sim.h"

#include <stdlib.h>
#include <string.h>

static bool is_for(struct world *w, const struct world_event *ev)
{
	const struct world_node *n = &w->node[ev->node];

	return n->up && (ev->process == 0 || ev->process == n->process);
}

static void to_node(struct world *w, struct world_event *ev)
{
	struct world_node *n = &w->node[ev->node];

	if (!is_for(w, ev)) {
		world_event_free(ev);
	} else if (n->stopped) {
		*n->held_end = ev;
		n->held_end = &ev->next;
		ev->next = NULL;
	} else {
		node_event(w, ev);
		world_event_free(ev);
	}
}

static void dispatch(struct world *w, struct world_event *ev)
{
	w->tally.events++;
	switch (ev->type) {
	case WORLD_SCRIPT:
		redis_arrive(w, ev);
		break;
	case WORLD_RESUME:
		node_resume(w, ev->node);
		break;
	case WORLD_THAW:
		w->redis.frozen = false;
		break;
	case WORLD_SERVER:
		w->redis.up = true;
		world_note(w, "redis: answers");
		break;
	case WORLD_FAULT:
		faults_next(w);
		break;
	case WORLD_START:
		node_start(w, ev->node);
		break;
	default:
		to_node(w, ev);
		return;
	}
	world_event_free(ev);
}

static void begin(struct world *w)
{
	w->redis.up = true;
	w->redis.server = 1;
	redis_flush(w);
	w->redis.counted = w->redis.writes;
	for (uint16_t i = 0; i < w->conf.nodes; i++) {
		w->node[i].lease = calloc(1, lease_size());
		if (!w->node[i].lease)
			abort();
		world_push(w, WORLD_START, i, world_below(w, 500 * MS));
	}
	w->phase_end = 0;
	w->phase = 0; /* next: quiet */
	world_push(w, WORLD_FAULT, WORLD_NODES, 600 * MS);
}

static void end(struct world *w)
{
	struct world_event *ev;

	for (uint16_t i = 0; i < w->conf.nodes; i++) {
		node_crash(w, i);
		free(w->node[i].lease);
	}
	while ((ev = world_pop(w)) != NULL)
		world_event_free(ev);
	free(w->heap);
}

static void print_failure(const struct world *w)
{
	uint32_t from = w->traced > WORLD_TRACE ? w->traced - WORLD_TRACE : 0;

	printf("# seed %llu, %u nodes, %u groups%s: %s\n", (unsigned long long)w->conf.seed,
	       w->conf.nodes, w->conf.groups, w->conf.wait ? ", replicas are waited for" : "",
	       w->failure);
	for (uint32_t i = from; i < w->traced; i++)
		printf("# %s\n", w->trace[i % WORLD_TRACE]);
}

static void add(struct world_tally *sum, const struct world_tally *t)
{
	sum->events += t->events;
	sum->serves += t->serves;
	sum->takes += t->takes;
	sum->stops += t->stops;
	sum->expiries += t->expiries;
	sum->crashes += t->crashes;
	sum->pauses += t->pauses;
	sum->failovers += t->failovers;
	sum->losses += t->losses;
	sum->cuts += t->cuts;
	sum->handed += t->handed;
	sum->forgotten += t->forgotten;
	sum->rejoins += t->rejoins;
	sum->reasserts += t->reasserts;
}

static bool run(const struct world_conf *conf, struct world_tally *sum)
{
	struct world *w = calloc(1, sizeof(*w));
	struct world_event *ev;
	bool ok;

	if (!w)
		abort();
	w->conf = *conf;
	w->random = conf->seed * 0x9e3779b97f4a7c15u + 1;
	world_random(w);
	if (!conf->nodes)
		w->conf.nodes = (uint16_t)(2 + world_below(w, 3));
	w->conf.groups = (uint16_t)(1 + world_below(w, WORLD_GROUPS));
	w->conf.wait = world_below(w, 2);
	begin(w);
	while (!w->failure[0] && w->now < conf->seconds * 1000000ull &&
	       (ev = world_pop(w)) != NULL) {
		w->now = ev->at;
		dispatch(w, ev);
	}
	ok = !w->failure[0];
	if (!ok)
		print_failure(w);
	add(sum, &w->tally);
	end(w);
	free(w);
	return ok;
}

static void report(const struct world_tally *t, uint64_t runs)
{
	printf("# %llu runs, %llu events: %llu groups taken, %llu handed over, %llu stops of which "
	       "%llu expired, %llu prepared in vain\n",
	       (unsigned long long)runs, (unsigned long long)t->events,
	       (unsigned long long)t->takes, (unsigned long long)t->handed,
	       (unsigned long long)t->stops, (unsigned long long)t->expiries,
	       (unsigned long long)t->forgotten);
	printf("# %llu crashes, %llu processes stopped, %llu cuts, %llu failovers that lost %llu "
	       "changes, %llu leases asserted again, %llu joins\n",
	       (unsigned long long)t->crashes, (unsigned long long)t->pauses,
	       (unsigned long long)t->cuts, (unsigned long long)t->failovers,
	       (unsigned long long)t->losses, (unsigned long long)t->reasserts,
	       (unsigned long long)t->rejoins);
}

int main(int argc, char **argv)
{
	struct world_conf c = {
		.seed = 1, .lease_ms = 300, .alone_ms = 2500, .loss_ms = 500, .seconds = 120};
	struct world_tally sum = {0};
	uint64_t runs = 100, done;
	bool ok = true;

	for (int i = 1; i + 1 < argc; i += 2) {
		uint64_t n = strtoull(argv[i + 1], NULL, 10);

		if (strcmp(argv[i], "--runs") == 0)
			runs = n;
		else if (strcmp(argv[i], "--seed") == 0)
			c.seed = n;
		else if (strcmp(argv[i], "--nodes") == 0)
			c.nodes = (uint16_t)(n < WORLD_NODES ? n : WORLD_NODES);
		else if (strcmp(argv[i], "--seconds") == 0)
			c.seconds = (uint32_t)n;
		else if (strcmp(argv[i], "--alone") == 0)
			c.alone_ms = (uint32_t)n;
		else if (strcmp(argv[i], "--trace") == 0)
			c.trace = n;
		else
			return 2;
	}
	printf("1..1\n");
	for (done = 0; done < runs && ok; done++, c.seed++)
		ok = run(&c, &sum);
	report(&sum, done);
	printf("%sok 1 - one owner of a group at a time, and in the end there is one\n",
	       ok ? "" : "not ");
	return ok ? 0 : 1;
}
