#include "sbc/base/wheel.h"

#include <stdlib.h>
#include <string.h>

#define DISARMED UINT64_MAX
#define SLOT(t)  ((uint32_t)((t) & (WHEEL_SLOTS - 1)))

void wheel_init(struct wheel *w, struct arena *a, uint32_t capacity, uint64_t now_ms)
{
	*w = (struct wheel){.tick = now_ms / WHEEL_TICK_MS, .resume = WHEEL_NONE};
	w->seen = w->tick;
	w->heads = arena_take(a, WHEEL_SLOTS, sizeof(*w->heads));
	w->place = arena_take(a, capacity, sizeof(*w->place));
	if (w->heads == NULL || w->place == NULL)
		return;

	w->capacity = capacity;
	memset(w->heads, 0xff, WHEEL_SLOTS * sizeof(*w->heads));
	for (uint32_t i = 0; i < capacity; i++)
		w->place[i].due = DISARMED;
}

static void link_before(struct wheel *w, uint32_t slot, uint32_t timer, uint32_t successor)
{
	uint32_t before = successor != WHEEL_NONE ? w->place[successor].prev : WHEEL_NONE;

	w->place[timer].prev = before;
	w->place[timer].next = successor;
	if (successor != WHEEL_NONE)
		w->place[successor].prev = timer;
	if (before != WHEEL_NONE)
		w->place[before].next = timer;
	else
		w->heads[slot] = timer;
}

static void unlink_timer(struct wheel *w, uint32_t timer)
{
	uint32_t next = w->place[timer].next, prev = w->place[timer].prev;

	if (w->resume == timer)
		w->resume = next;
	if (next != WHEEL_NONE)
		w->place[next].prev = prev;
	if (prev != WHEEL_NONE)
		w->place[prev].next = next;
	else
		w->heads[SLOT(w->place[timer].due)] = next;
	w->place[timer].due = DISARMED;
	w->armed--;
}

/* Rounded up, so that nothing fires early; kept small enough to be multiplied back. */
static uint64_t deadline_tick(const struct wheel *w, uint64_t deadline_ms)
{
	uint64_t due = deadline_ms / WHEEL_TICK_MS;

	if (deadline_ms % WHEEL_TICK_MS != 0 && due < UINT64_MAX / WHEEL_TICK_MS)
		due++;
	return due > w->tick ? due : w->tick;
}

void wheel_arm(struct wheel *w, uint32_t timer, uint64_t deadline_ms)
{
	if (timer >= w->capacity)
		abort();
	if (w->place[timer].due != DISARMED)
		unlink_timer(w, timer);

	uint64_t due = deadline_tick(w, deadline_ms);
	uint32_t slot = SLOT(due);
	if (w->resume != WHEEL_NONE && slot == SLOT(w->tick)) {
		/* The walk of this slot has passed its head: stand where it goes on. */
		link_before(w, slot, timer, w->resume);
		w->resume = timer;
	} else {
		link_before(w, slot, timer, w->heads[slot]);
	}
	w->place[timer].due = due;
	w->armed++;
}

void wheel_disarm(struct wheel *w, uint32_t timer)
{
	if (wheel_is_armed(w, timer))
		unlink_timer(w, timer);
}

void wheel_disarm_ahead(const struct wheel *w, uint32_t timer)
{
	const struct wheel_place *p = &w->place[timer];

	if (p->due == DISARMED)
		return;
	if (p->next != WHEEL_NONE)
		prefetch(&w->place[p->next]);
	if (p->prev != WHEEL_NONE)
		prefetch(&w->place[p->prev]);
}

bool wheel_is_armed(const struct wheel *w, uint32_t timer)
{
	return timer < w->capacity && w->place[timer].due != DISARMED;
}

/*
 * More than a turn behind, one turn that ends now visits every slot, and with it
 * everything that is due.
 */
static void skip_turns(struct wheel *w, uint64_t now)
{
	if (now > w->tick && now - w->tick >= WHEEL_SLOTS) {
		w->tick = now - (WHEEL_SLOTS - 1);
		w->resume = WHEEL_NONE;
	}
}

/*
 * Serves the slot of w->tick. False when stopped by `max` or `budget`, with
 * w->resume at the first entry that was not looked at.
 */
static bool serve_slot(struct wheel *w, uint64_t now, uint32_t *timers, uint32_t *n, uint32_t max,
		       uint32_t *budget)
{
	uint32_t at = w->resume != WHEEL_NONE ? w->resume : w->heads[SLOT(w->tick)];

	w->resume = WHEEL_NONE;
	while (at != WHEEL_NONE) {
		if (*budget == 0 || *n == max) {
			w->resume = at;
			return false;
		}
		uint32_t next = w->place[at].next;
		(*budget)--;
		if (w->place[at].due <= now) {
			unlink_timer(w, at);
			timers[(*n)++] = at;
		}
		at = next;
	}
	return true;
}

uint32_t wheel_expire(struct wheel *w, uint64_t now_ms, uint32_t *timers, uint32_t max,
		      uint32_t budget)
{
	uint64_t now = now_ms / WHEEL_TICK_MS;
	uint32_t n = 0;

	if (now > w->seen)
		w->seen = now;
	if (w->armed == 0) {
		w->tick = w->seen;
		w->resume = WHEEL_NONE;
		return 0;
	}
	skip_turns(w, now);
	while (w->tick <= now && serve_slot(w, now, timers, &n, max, &budget)) {
		/* The slot of now is served again next time: more may become due in it. */
		if (w->tick == now)
			break;
		w->tick++;
		if (budget == 0)
			break;
		budget--;
	}
	return n;
}

/* The earliest tick among the first `slots`; UINT64_MAX when none of them has a timer. */
static uint64_t next_tick(const struct wheel *w, uint64_t slots)
{
	uint64_t best = UINT64_MAX;

	if (wheel_is_behind(w))
		return w->tick;
	/* Nothing is overdue, so what sits in the slot of a tick is due then or turns later. */
	for (uint64_t t = w->tick; t < w->tick + slots && best > t; t++)
		for (uint32_t i = w->heads[SLOT(t)]; i != WHEEL_NONE; i = w->place[i].next)
			if (w->place[i].due < best)
				best = w->place[i].due;
	return best;
}

uint64_t wheel_next_due(const struct wheel *w)
{
	return w->armed == 0 ? UINT64_MAX : next_tick(w, WHEEL_SLOTS) * WHEEL_TICK_MS;
}

uint64_t wheel_next_due_by(const struct wheel *w, uint64_t until_ms)
{
	uint64_t end = until_ms / WHEEL_TICK_MS + 1, tick;

	if (w->armed == 0 || end <= w->tick)
		return until_ms;
	tick = next_tick(w, end - w->tick < WHEEL_SLOTS ? end - w->tick : WHEEL_SLOTS);
	return tick < end && tick * WHEEL_TICK_MS < until_ms ? tick * WHEEL_TICK_MS : until_ms;
}
