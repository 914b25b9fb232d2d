/*
 * wheel: a non-cascading timer wheel over caller-numbered timers.
 *
 * After Varghese and Lauck, scheme 6: a timer sits in slot (deadline mod slots)
 * and stays there for as many turns as it needs. Arming, re-arming and
 * disarming are O(1). Timers are numbers 0..capacity-1 which the caller maps to
 * its objects; each number is armed at most once, and arming an armed timer
 * moves it. Times are milliseconds of the caller's clock, which never goes back;
 * resolution is WHEEL_TICK_MS, and a timer never fires early.
 */
#ifndef SBC_BASE_WHEEL_H
#define SBC_BASE_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/prefetch.h"

#define WHEEL_TICK_MS 4u
#define WHEEL_SLOTS   8192u /* one turn is 32.8 s: RFC 3261's 64*T1 fits in it */
#define WHEEL_NONE    UINT32_MAX

struct wheel_place {
	uint64_t due; /* deadline in ticks; UINT64_MAX is disarmed */
	uint32_t next, prev;
};

struct wheel {
	uint32_t *heads;
	struct wheel_place *place; /* by timer */
	uint64_t tick;             /* all slots before this tick have been served */
	uint64_t seen;             /* tick of the latest wheel_expire() */
	uint32_t resume;           /* where a walk stopped by its budget goes on */
	uint32_t capacity;
	uint32_t armed;
};

void wheel_init(struct wheel *w, struct arena *a, uint32_t capacity, uint64_t now_ms);
void wheel_arm(struct wheel *w, uint32_t timer, uint64_t deadline_ms);
void wheel_disarm(struct wheel *w, uint32_t timer);
bool wheel_is_armed(const struct wheel *w, uint32_t timer);

/*
 * Takes out up to `max` timers that are due at `now_ms`, disarmed, into `timers`
 * and returns how many. Fewer than `max` means that all that was due has been
 * returned, or that `budget` ran out: it bounds the slots and entries looked at,
 * and wheel_is_behind() tells the two apart. The next call goes on where this
 * one stopped and nothing is lost. Timers may be armed and disarmed in between.
 * A budget of at least 1 makes progress.
 */
uint32_t wheel_expire(struct wheel *w, uint64_t now_ms, uint32_t *timers, uint32_t max,
		      uint32_t budget);

/* Whether the latest wheel_expire() stopped short, by `max` or by its budget. */
static inline bool wheel_is_behind(const struct wheel *w)
{
	return w->tick < w->seen || w->resume != WHEEL_NONE;
}

/* The timer that the latest wheel_expire() stopped before, and what follows one in its slot. */
static inline uint32_t wheel_stopped_at(const struct wheel *w)
{
	return w->resume;
}

static inline uint32_t wheel_after(const struct wheel *w, uint32_t timer)
{
	return w->place[timer].next;
}

/* Where a timer stands, and once that has come what wheel_disarm() changes: see prefetch.h. */
static inline void wheel_place_ahead(const struct wheel *w, uint32_t timer)
{
	prefetch(&w->place[timer]);
}

void wheel_disarm_ahead(const struct wheel *w, uint32_t timer);

/*
 * A lower bound for the next deadline, in ms: nothing fires before it. UINT64_MAX
 * when nothing is armed. For drivers in virtual time; walks slots up to the answer.
 */
uint64_t wheel_next_due(const struct wheel *w);

/* The same, or `until_ms` when that is sooner: slots beyond it are not walked. */
uint64_t wheel_next_due_by(const struct wheel *w, uint64_t until_ms);

#endif
