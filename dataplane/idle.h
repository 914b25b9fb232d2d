/*
 * idle: what a worker does between turns that found nothing to do.
 *
 * It polls on for IDLE_SPIN_US, about what a sleep and a waking cost: who polls longer for
 * what then does not come burns more than a sleep would have. Where polling has mostly
 * been in vain of late, it is left out, but for every IDLE_TRY-th time, by which more
 * traffic is noticed. Then it arms its wait
 * (wait.h), turns once more, and when that found nothing either it sleeps until a packet
 * or a word for it comes or the next thing of its own is due: a timer of the engine, a request for a next hop,
 * a fragment's end, the walk over its flows; IDLE_MAX_MS at most, so that counters
 * are told and the beat goes on. Woken by the clock alone it goes back to sleep
 * after one turn.
 *
 * A worker with a queue that cannot be waited on (net_ring, net_pcap) sleeps for
 * IDLE_NAP_US, then twice as long each time it finds nothing, up to IDLE_NAP_MAX_US
 * for each worker that there is: some 2.5 % of a core here, whose price is the
 * waking on time. A queue whose descriptor says that there are packets and whose
 * driver gives none is treated the same way after some tries.
 */
#ifndef DATAPLANE_IDLE_H
#define DATAPLANE_IDLE_H

#include <stdbool.h>
#include <stdint.h>

#define IDLE_SPIN_US    20u
#define IDLE_MAX_MS     250u
#define IDLE_NAP_US     50u
#define IDLE_NAP_MAX_US 1000u
#define IDLE_FALSE_MAX  8u

/* Polling goes on as long as it finds something about every third time. */
#define IDLE_LUCK_MAX 32u
#define IDLE_LUCK     16u /* what polling takes */
#define IDLE_CAUGHT   4u
#define IDLE_MISSED   2u
#define IDLE_TRY      8u

struct worker;

struct idle {
	uint64_t since;      /* cycles of the first idle turn; 0: busy */
	uint64_t spin;       /* cycles */
	uint32_t nap_us;     /* the latest, of one who cannot wait */
	uint32_t false_ends; /* wakes by a queue, in a row, that brought nothing */
	uint32_t luck;       /* of polling before a sleep, of late: 0 to IDLE_LUCK_MAX */
	uint32_t left_out;   /* times in a row that there was none */
	bool spins;
};

void idle_init(struct worker *w);

/* Whether to poll before the sleep that comes now, and what came of it. */
bool idle_spin_begin(struct idle *i);
void idle_spin_end(struct idle *i, bool caught);

/* After a turn, and whether it found anything to do. */
void idle_turn(struct worker *w, bool busy);

/* Until when nothing of this worker's own is due, in ms: now, at the latest IDLE_MAX_MS on. */
uint64_t idle_due(const struct worker *w);

#endif
