#include "tests/bench/gen/pace.h"

#include <string.h>

#define LEAST_ROOM 64u /* two bursts are never too much */

void pace_start(struct pace *p, double rate, uint64_t hz, uint64_t now, double slack_us,
		double backlog_us)
{
	memset(p, 0, sizeof(*p));
	p->begin = now;
	p->per_cycle = rate / (double)hz;
	p->slack = LEAST_ROOM + (uint64_t)(rate * slack_us / 1e6);
	if (backlog_us > 0)
		p->backlog = LEAST_ROOM + (uint64_t)(rate * backlog_us / 1e6);
}

static uint64_t behind(struct pace *p, uint64_t now)
{
	uint64_t should = (uint64_t)((double)(now - p->begin) * p->per_cycle), due;

	if (p->total != 0 && should > p->total)
		should = p->total;
	due = should > p->done ? should - p->done : 0;
	if (p->backlog != 0 && due > p->backlog) {
		p->skipped += due - p->backlog;
		p->done += due - p->backlog;
		due = p->backlog;
	}
	return due;
}

uint32_t pace_due(struct pace *p, uint64_t now, uint32_t max)
{
	uint64_t due = p->per_cycle > 0 ? behind(p, now) : max;
	uint32_t n;

	if (p->per_cycle <= 0 && p->total != 0 && due > p->total - p->done)
		due = p->total - p->done;
	n = due < max ? (uint32_t)due : max;
	if (due > p->slack && p->per_cycle > 0)
		p->late += n;
	return n;
}
