#include "control/drain.h"

#include <stdlib.h>

#include "control/log.h"

#define COUNT_EVERY_MS 100u
#define KILLS_A_TURN   64u

void drain_init(struct drain *d, struct dataplane *dp, struct collect *collect, uint16_t workers,
		uint32_t timeout_s)
{
	*d = (struct drain){
		.dp = dp, .collect = collect, .workers = workers, .timeout_s = timeout_s};
}

void drain_free(struct drain *d)
{
	free(d->call);
	d->call = NULL;
}

bool drain_begun(const struct drain *d)
{
	return d->state != DRAIN_NO;
}

bool drain_is_busy(const struct drain *d)
{
	return d->state == DRAIN_KILL;
}

static void was_told(void *arg, struct collect_result *r)
{
	struct drain *d = arg;

	d->counting = false;
	d->told = r->error == NULL;
}

static void was_counted(void *arg, struct collect_result *r)
{
	struct drain *d = arg;
	uint32_t calls = 0;

	d->counting = false;
	if (r->error)
		return;
	for (uint16_t i = 0; i < r->workers; i++)
		calls += r->stats[i].engine.calls;
	if (calls == 0)
		d->state = DRAIN_DONE;
}

static void was_listed(void *arg, struct collect_result *r)
{
	struct drain *d = arg;

	d->counting = false;
	if (r->error)
		return;
	d->call = calloc(r->rows ? r->rows : 1, sizeof(*d->call));
	if (!d->call)
		return;
	for (uint32_t i = 0; i < r->rows; i++)
		d->call[i] = (struct drain_call){r->row[i].worker, r->row[i].call.call};
	d->calls = r->rows;
	d->state = DRAIN_KILL;
	log_at(LOG_LEVEL_WARN, LOG_MSG("drain time is over: ending the calls that are left"),
	       LOG_U64("calls", d->calls));
}

void drain_begin(struct drain *d, uint64_t now_ms)
{
	d->state = DRAIN_WAIT;
	d->deadline_ms = now_ms + (uint64_t)d->timeout_s * 1000;
	log_at(LOG_LEVEL_INFO, LOG_MSG("draining: no new calls"),
	       LOG_U64("timeout_s", d->timeout_s));
}

/* One question at a time: first that they drain, then how many calls there are. */
static void ask(struct drain *d, uint64_t now_ms)
{
	if (d->counting || now_ms < d->count_at_ms)
		return;
	d->count_at_ms = now_ms + COUNT_EVERY_MS;
	if (!d->told)
		d->counting = collect_start(d->collect, DP_DRAIN, 0, 0, was_told, d);
	else
		d->counting = collect_start(d->collect, DP_STATS, 0, 0, was_counted, d);
}

static void list(struct drain *d)
{
	if (!d->counting)
		d->counting = collect_start(d->collect, DP_CALLS, 0, 0, was_listed, d);
}

/* What a ring has no room for stays in the list for the next turn. */
static void kill_some(struct drain *d, uint64_t now_ms)
{
	for (uint32_t n = 0; n < KILLS_A_TURN && d->calls > 0; n++) {
		const struct drain_call *c = &d->call[d->calls - 1];
		const struct dp_request r = {.type = DP_KILL, .worker = c->worker, .call = c->call};

		if (!dp_request_post(d->dp, &r))
			return;
		d->calls--;
	}
	if (d->calls > 0)
		return;
	drain_free(d);
	d->state = DRAIN_LAST;
	d->deadline_ms = now_ms + DRAIN_KILL_MS;
}

bool drain_turn(struct drain *d, uint64_t now_ms)
{
	switch (d->state) {
	case DRAIN_NO:
		return false;
	case DRAIN_WAIT:
		if (now_ms >= d->deadline_ms &&
		    (d->told || now_ms >= d->deadline_ms + DRAIN_KILL_MS)) {
			d->state = DRAIN_LIST;
			d->deadline_ms = now_ms + DRAIN_KILL_MS;
		}
		ask(d, now_ms);
		return false;
	case DRAIN_LIST:
		list(d);
		return now_ms >= d->deadline_ms;
	case DRAIN_KILL:
		kill_some(d, now_ms);
		return false;
	case DRAIN_LAST:
		ask(d, now_ms);
		return now_ms >= d->deadline_ms;
	case DRAIN_DONE:
		return true;
	}
	return true;
}
