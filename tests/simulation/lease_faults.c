/*
 * What goes wrong, and when: phases of chaos between quiet ones, at whose end every
 * group must be served; and outages of Redis alone, during which none may cease to be.
 */
#include "tests/simulation/lease_sim.h"

#include <string.h>

enum { PHASE_CHAOS, PHASE_QUIET, PHASE_OUTAGE, PHASES };

static uint16_t any(struct world *w)
{
	return (uint16_t)world_below(w, w->conf.nodes);
}

static void heal(struct world *w)
{
	memset(w->cut, 0, sizeof(w->cut));
	memset(w->cut_redis, 0, sizeof(w->cut_redis));
	w->loss = w->twice = 0;
	w->slow = false;
	w->redis.frozen = false;
	for (uint16_t i = 0; i < w->conf.nodes; i++) {
		node_resume(w, i);
		node_start(w, i);
		node_drain(w, i, false);
	}
}

static void cut(struct world *w)
{
	uint16_t a = any(w), b = any(w);

	w->tally.cuts++;
	switch (world_below(w, 4)) {
	case 0:
		w->cut[a][b] = true;
		break;
	case 1:
		w->cut[a][b] = w->cut[b][a] = true;
		break;
	case 2:
		w->cut_redis[a] = true;
		redis_drop(w, a, 500);
		break;
	default: /* a node alone with itself */
		for (b = 0; b < w->conf.nodes; b++)
			w->cut[a][b] = w->cut[b][a] = a != b;
		w->cut_redis[a] = true;
		redis_drop(w, a, 500);
		break;
	}
	world_note(w, "cut at %u and %u", a, b);
}

static void mend(struct world *w)
{
	uint16_t a = any(w);

	for (uint16_t b = 0; b < w->conf.nodes; b++)
		w->cut[a][b] = w->cut[b][a] = false;
	w->cut_redis[a] = false;
	world_note(w, "node %u is connected again", a);
}

static uint32_t length(struct world *w)
{
	static const uint32_t upto[] = {20, 100, 400, 1000, 4000};

	return 1 + world_below(w, upto[world_below(w, 5)]);
}

static void break_redis(struct world *w)
{
	switch (world_below(w, 5)) {
	case 0:
		redis_freeze(w, length(w));
		break;
	case 1:
		redis_drop(w, any(w), 200);
		break;
	case 2:
		if (!w->conf.wait) {
			world_note(w, "redis: emptied");
			redis_flush(w);
		}
		break;
	default:
		redis_failover(w, world_below(w, 10) ? world_below(w, 60) : WORLD_PAST, length(w));
		break;
	}
}

static void worsen(struct world *w)
{
	uint16_t n = any(w);

	switch (world_below(w, 12)) {
	case 0:
		node_crash(w, n);
		break;
	case 1:
	case 2:
		node_start(w, n);
		break;
	case 3:
	case 4:
		node_stop(w, n, length(w));
		break;
	case 5:
		cut(w);
		break;
	case 6:
	case 7:
		mend(w);
		break;
	case 8:
		break_redis(w);
		break;
	case 9:
		w->loss = world_below(w, 3) ? world_below(w, 300) : 0;
		w->twice = world_below(w, 100);
		w->slow = world_below(w, 4) == 0;
		break;
	case 10:
		node_drain(w, n, world_below(w, 2));
		break;
	default:
		if (w->node[n].up && !w->node[n].stopped)
			lease_move(w->node[n].lease, world_clock(w, n),
				   (uint16_t)world_below(w, w->conf.groups), any(w));
		break;
	}
}

/* All has been well for long enough that somebody serves every group. */
void faults_check(struct world *w)
{
	for (uint16_t g = 0; g < w->conf.groups; g++) {
		uint16_t owners = 0;

		for (uint16_t n = 0; n < w->conf.nodes; n++)
			owners += node_serves(w, n, g);
		if (owners != 1)
			world_fail(w, "group %u is served by %u nodes after a quiet time", g,
				   owners);
	}
}

static void next_phase(struct world *w)
{
	uint64_t quiet = 3ull * w->conf.alone_ms + 20ull * w->conf.lease_ms;

	if (w->phase != PHASE_CHAOS)
		faults_check(w);
	w->phase = (w->phase + 1) % PHASES;
	world_note(w, "---- %s", (const char *[]){"chaos", "quiet", "redis is out"}[w->phase]);
	w->calm = w->phase == PHASE_OUTAGE;
	w->conf.faults = w->phase == PHASE_CHAOS;
	if (w->phase == PHASE_CHAOS) {
		w->phase_end = w->now + (2000 + world_below(w, 20000)) * (uint64_t)MS;
		return;
	}
	heal(w);
	w->phase_end = w->now + quiet * MS;
	if (w->phase == PHASE_OUTAGE)
		redis_failover(w, world_below(w, 2) ? 0 : 30,
			       (uint32_t)(quiet / 2 + world_below(w, (uint32_t)quiet / 8)));
}

void faults_next(struct world *w)
{
	if (w->now >= w->phase_end)
		next_phase(w);
	if (w->phase == PHASE_CHAOS)
		worsen(w);
	world_push(w, WORLD_FAULT, WORLD_NODES, (1 + world_below(w, 400)) * (uint64_t)MS);
}
