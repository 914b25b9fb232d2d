#include "tests/bench/gen/timers.h"

#include "tests/bench/gen/table.h"

int timers_init(struct timers *t, uint32_t n)
{
	memset(t, 0, sizeof(*t));
	memset(t->head, 0xff, sizeof(t->head));
	memset(t->tail, 0xff, sizeof(t->tail));
	t->n = n;
	t->timer = table_of(n, sizeof(*t->timer));
	return t->timer ? 0 : -1;
}

void timers_free(struct timers *t)
{
	free(t->timer);
	t->timer = NULL;
}

void timers_stop(struct timers *t, uint32_t id)
{
	struct timer *r = &t->timer[id];

	if (!r->armed)
		return;
	if (r->prev == TIMERS_NONE)
		t->head[r->delay] = r->next;
	else
		t->timer[r->prev].next = r->next;
	if (r->next == TIMERS_NONE)
		t->tail[r->delay] = r->prev;
	else
		t->timer[r->next].prev = r->prev;
	r->armed = false;
	t->armed--;
}

void timers_arm(struct timers *t, uint32_t id, uint32_t delay, uint64_t now)
{
	struct timer *r = &t->timer[id];
	uint32_t before;

	timers_stop(t, id);
	r->due = now + t->delay[delay];
	r->delay = (uint8_t)delay;
	r->armed = true;
	t->armed++;
	before = t->tail[delay];
	while (before != TIMERS_NONE && t->timer[before].due > r->due)
		before = t->timer[before].prev;
	r->prev = before;
	r->next = before == TIMERS_NONE ? t->head[delay] : t->timer[before].next;
	if (r->prev == TIMERS_NONE)
		t->head[delay] = id;
	else
		t->timer[r->prev].next = id;
	if (r->next == TIMERS_NONE)
		t->tail[delay] = id;
	else
		t->timer[r->next].prev = id;
}

uint32_t timers_expired(struct timers *t, uint64_t now)
{
	if (t->armed == 0)
		return TIMERS_NONE;
	for (uint32_t d = 0; d < TIMERS_DELAYS; d++) {
		uint32_t id = t->head[d];

		if (id != TIMERS_NONE && t->timer[id].due <= now) {
			timers_stop(t, id);
			return id;
		}
	}
	return TIMERS_NONE;
}
