/*
 * timers: one timer for each number 0..n-1, in an ordered list for each delay.
 *
 * RFC 3261's timers have few different delays, and what is armed later with the
 * same delay is due later: arming appends, stopping unlinks, both O(1), and only
 * the heads of the lists are ever looked at. A delay that has been changed while
 * its list was not empty costs a walk from the tail. Times are cycles.
 */
#ifndef TESTS_BENCH_GEN_TIMERS_H
#define TESTS_BENCH_GEN_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

#define TIMERS_DELAYS 8u
#define TIMERS_NONE   UINT32_MAX

struct timer {
	uint64_t due;
	uint32_t next, prev;
	uint8_t delay;
	bool armed;
};

struct timers {
	struct timer *timer;
	uint32_t n, armed;
	uint32_t head[TIMERS_DELAYS], tail[TIMERS_DELAYS];
	uint64_t delay[TIMERS_DELAYS];
};

int timers_init(struct timers *t, uint32_t n); /* 0, or -1 without memory */
void timers_free(struct timers *t);

/* Arms or arms again, with the delay of that number. */
void timers_arm(struct timers *t, uint32_t id, uint32_t delay, uint64_t now);
void timers_stop(struct timers *t, uint32_t id);

/* Takes out one timer that is due; TIMERS_NONE when there is none. */
uint32_t timers_expired(struct timers *t, uint64_t now);

#endif
