#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim.h"

/* splitmix64 */
uint64_t sim_random(struct sim *s)
{
	uint64_t z = (s->random += 0x9e3779b97f4a7c15ull);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint32_t sim_below(struct sim *s, uint32_t n)
{
	return n ? (uint32_t)(sim_random(s) % n) : 0;
}

bool sim_chance(struct sim *s, uint32_t of_1000)
{
	return sim_below(s, 1000) < of_1000;
}

struct bytes bytes_copy(const char *p, uint32_t n)
{
	struct bytes b = {malloc(n + 1u), n};

	if (!b.p)
		abort();
	memcpy(b.p, p, n);
	b.p[n] = 0;
	return b;
}

void bytes_free(struct bytes *b)
{
	free(b->p);
	*b = (struct bytes){NULL, 0};
}

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void sim_push(struct sim *s, const struct event *ev)
{
	uint32_t i;

	if (s->events == s->events_cap) {
		s->events_cap = s->events_cap ? s->events_cap * 2 : 4096;
		s->heap = realloc(s->heap, s->events_cap * sizeof(*s->heap));
		if (!s->heap)
			abort();
	}
	i = s->events++;
	s->heap[i] = *ev;
	s->heap[i].order = s->order++;
	while (i && before(&s->heap[i], &s->heap[(i - 1) / 2])) {
		struct event t = s->heap[i];

		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
		s->heap[i] = t;
	}
}

bool sim_pop(struct sim *s, struct event *ev)
{
	uint32_t i = 0, k;

	if (s->events == 0)
		return false;
	*ev = s->heap[0];
	s->heap[0] = s->heap[--s->events];
	while ((k = 2 * i + 1) < s->events) {
		struct event t = s->heap[i];

		if (k + 1 < s->events && before(&s->heap[k + 1], &s->heap[k]))
			k++;
		if (!before(&s->heap[k], &t))
			break;
		s->heap[i] = s->heap[k];
		s->heap[k] = t;
		i = k;
	}
	return true;
}

static uint32_t delay(struct sim *s)
{
	return sim_chance(s, s->conf.late) ? 200 + sim_below(s, 3000) : 2 + sim_below(s, 60);
}

/* A datagram on its way; the network may lose, double or delay it past others. */
void sim_send(struct sim *s, enum event_kind kind, uint16_t realm, struct net_addr addr,
	      const char *p, uint32_t n)
{
	uint32_t copies = 1 + (sim_chance(s, s->conf.twice) ? 1 : 0);

	s->tally.datagrams++;
	for (uint32_t i = 0; i < copies; i++) {
		struct event ev = {.kind = kind, .realm = realm, .addr = addr};

		if (sim_chance(s, s->conf.loss)) {
			s->tally.lost++;
			continue;
		}
		ev.at = s->now + delay(s);
		ev.bytes = bytes_copy(p, n);
		sim_push(s, &ev);
	}
}
