/*
 * pace: how many of something are due now at a constant rate.
 *
 * An open loop: what the other side does has no influence on when things are
 * due. Who falls behind catches up, but never by more than `backlog` at once:
 * what is beyond that is skipped and counted, so that a pause of this program
 * does not become a burst that the other side is blamed for. What goes out later
 * than `slack` after its time is counted too. Times are cycles of a steady clock.
 */
#ifndef TESTS_BENCH_GEN_PACE_H
#define TESTS_BENCH_GEN_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t begin;
	uint64_t done;    /* with what was skipped */
	uint64_t total;   /* of all; 0: no end */
	uint64_t backlog; /* 0: nothing is ever skipped */
	uint64_t slack;
	uint64_t late, skipped;
	double per_cycle; /* 0: as fast as it goes */
};

/* Rate a second, 0: all that goes. `slack_us` and `backlog_us` are turned into numbers by it. */
void pace_start(struct pace *p, double rate, uint64_t hz, uint64_t now, double slack_us,
		double backlog_us);

/* How many are due, at most `max`. */
uint32_t pace_due(struct pace *p, uint64_t now, uint32_t max);

/* `n` of those that were due have been done. */
static inline void pace_did(struct pace *p, uint32_t n)
{
	p->done += n;
}

/* `total` have been done or skipped; never without a total. */
static inline bool pace_over(const struct pace *p)
{
	return p->total != 0 && p->done >= p->total;
}

#endif
