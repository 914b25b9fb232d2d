#include "dataplane/idle.h"

#include <rte_cycles.h>
#include <rte_pause.h>

#include "dataplane/flows.h"
#include "dataplane/group.h"
#include "dataplane/worker.h"

/* Between looks at what nobody rings for: a full device or ring, another's next hop. */
#define SHORT_MS 1u

void idle_init(struct worker *w)
{
	w->idle = (struct idle){.spin = rte_get_tsc_hz() / 1000000 * IDLE_SPIN_US,
				.luck = IDLE_LUCK_MAX};
}

bool idle_spin_begin(struct idle *i)
{
	i->spins = i->luck >= IDLE_LUCK || ++i->left_out == IDLE_TRY;
	if (i->spins)
		i->left_out = 0;
	return i->spins;
}

void idle_spin_end(struct idle *i, bool caught)
{
	if (caught)
		i->luck = RTE_MIN(i->luck + IDLE_CAUGHT, IDLE_LUCK_MAX);
	else
		i->luck -= RTE_MIN(i->luck, IDLE_MISSED);
	i->spins = false;
}

/* Something waits for what is done elsewhere, and nobody will ring when it is. */
static bool is_waiting(const struct worker *w)
{
	if (w->pendings != 0 || w->state.refusals != 0 || w->state.barrier != 0)
		return true;
	for (uint16_t i = 0; i < w->dp->devices; i++)
		if (w->tx[i].n != 0)
			return true;
	return false;
}

uint64_t idle_due(const struct worker *w)
{
	uint64_t due = w->now + (is_waiting(w) ? SHORT_MS : w->dp->idle_max_ms);

	if (w->id == 0) {
		due = RTE_MIN(due, neigh_due(w));
		due = RTE_MIN(due, group_due(w));
	}
	due = RTE_MIN(due, relay_scan_due(w));
	due = RTE_MIN(due, reassembly_due(w));
	return RTE_MIN(due, engine_next_due_by(w->engine, due));
}

/* How long to sleep by the clock, in us; 0: not at all. */
static uint64_t time_left(const struct worker *w)
{
	uint64_t due = idle_due(w), now = dp_now();

	return due > now ? (due - now) * 1000 : 0;
}

static uint64_t nap(struct worker *w, uint64_t us)
{
	struct idle *i = &w->idle;
	uint32_t most = IDLE_NAP_MAX_US * w->dp->workers;

	if (!w->wait.blind && i->false_ends < IDLE_FALSE_MAX)
		return us;
	i->nap_us = i->nap_us == 0 ? IDLE_NAP_US : RTE_MIN(2 * i->nap_us, most);
	return RTE_MIN(us, i->nap_us);
}

static void sleep_for(struct worker *w, uint64_t us)
{
	struct idle *i = &w->idle;
	enum wait_end end = WAIT_END_TIME;

	/* A queue that cried wolf is not listened to, nor is the bell, until packets come. */
	if (i->false_ends >= IDLE_FALSE_MAX)
		rte_delay_us_sleep((unsigned int)us);
	else
		end = wait_block(w, us);
	w->count.sleeps++;
	w->count.woken_by_bell += end == WAIT_END_BELL;
	w->count.woken_by_packet += end == WAIT_END_QUEUE;
	if (end != WAIT_END_QUEUE)
		return;
	/* Polled for until the queue has been silent again for a while. */
	i->false_ends++;
	i->since = 0;
}

static void idle_sleep(struct worker *w)
{
	bool busy;
	uint64_t us;

	wait_arm(w);
	busy = worker_turn(w, dp_now());
	us = busy ? 0 : time_left(w);
	if (us != 0 && !__atomic_load_n(&w->dp->stop, __ATOMIC_RELAXED))
		sleep_for(w, nap(w, us));
	wait_disarm(w);
	if (busy)
		idle_turn(w, true);
}

void idle_turn(struct worker *w, bool busy)
{
	struct idle *i = &w->idle;

	if (busy) {
		if (i->spins)
			idle_spin_end(i, true);
		i->since = 0;
		i->nap_us = 0;
		i->false_ends = 0;
		return;
	}
	if (w->dp->conf.idle == DP_IDLE_POLL)
		return;
	if (i->since == 0) {
		i->since = rte_rdtsc();
		idle_spin_begin(i);
	}
	if (i->spins && rte_rdtsc() - i->since <= i->spin) {
		rte_pause();
		return;
	}
	if (i->spins)
		idle_spin_end(i, false);
	idle_sleep(w);
}
