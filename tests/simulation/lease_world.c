#include "tests/simulation/lease_sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

uint64_t world_random(struct world *w)
{
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return w->random * 0x2545f4914f6cdd1du;
}

uint32_t world_below(struct world *w, uint32_t n)
{
	return n ? (uint32_t)((world_random(w) >> 32) % n) : 0;
}

static bool is_before(const struct world_event *a, const struct world_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void insert(struct world *w, struct world_event *ev)
{
	uint32_t i;

	if (w->events == w->cap) {
		w->cap = w->cap ? 2 * w->cap : 1024;
		w->heap = realloc(w->heap, w->cap * sizeof(struct world_event *));
		if (!w->heap)
			abort();
	}
	ev->order = ++w->order;
	for (i = w->events++; i && is_before(ev, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = ev;
}

struct world_event *world_push(struct world *w, enum world_event_type type, uint16_t node,
			       uint64_t in_us)
{
	struct world_event *ev = calloc(1, sizeof(*ev));

	if (!ev)
		abort();
	ev->type = type;
	ev->node = node;
	ev->at = w->now + in_us;
	ev->process = node < WORLD_NODES ? w->node[node].process : 0;
	insert(w, ev);
	return ev;
}

void world_again(struct world *w, struct world_event *ev)
{
	ev->at = w->now;
	insert(w, ev);
}

struct world_event *world_pop(struct world *w)
{
	struct world_event *top, *last;
	uint32_t i = 0;

	if (w->events == 0)
		return NULL;
	top = w->heap[0];
	last = w->heap[--w->events];
	for (uint32_t c = 1; c < w->events; c = 2 * i + 1) {
		if (c + 1 < w->events && is_before(w->heap[c + 1], w->heap[c]))
			c++;
		if (!is_before(w->heap[c], last))
			break;
		w->heap[i] = w->heap[c];
		i = c;
	}
	w->heap[i] = last;
	return top;
}

void world_event_free(struct world_event *ev)
{
	free(ev->heartbeat);
	free(ev->reply);
	free(ev);
}

uint64_t world_clock(const struct world *w, uint16_t node)
{
	const struct world_node *n = &w->node[node];

	return (uint64_t)n->offset_ms + w->now * n->rate / 1000000000;
}

void world_note(struct world *w, const char *format, ...)
{
	char *line = w->trace[w->traced++ % WORLD_TRACE];
	va_list ap;
	int n = snprintf(line, sizeof(w->trace[0]), "%8.3f ms ", (double)w->now / 1000);

	va_start(ap, format);
	vsnprintf(line + n, sizeof(w->trace[0]) - (size_t)n, format, ap);
	va_end(ap);
	if (w->conf.trace)
		printf("# %s\n", line);
}

void world_fail(struct world *w, const char *format, ...)
{
	va_list ap;

	if (w->failure[0])
		return;
	va_start(ap, format);
	vsnprintf(w->failure, sizeof(w->failure), format, ap);
	va_end(ap);
	world_note(w, "FAILED: %.140s", w->failure);
}
