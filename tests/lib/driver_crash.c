#include <stdlib.h>
#include <string.h>

#include "tests/lib/driver_internal.h"

#define CALLS_AT_ONCE 256u

void driver_die_after(struct driver *d, uint32_t actions)
{
	d->doomed = true;
	d->actions_left = actions;
	d->dead |= actions == 0;
}

void driver_spare(struct driver *d)
{
	d->doomed = d->dead;
}

bool driver_is_dead(const struct driver *d)
{
	return d->dead;
}

/* ---- what there must be afterwards ---- */

struct expected {
	uint32_t flows, pairs;
};

static uint16_t realm_by_name(const struct driver *d, struct slice name)
{
	for (uint16_t i = 0; i < d->snap->realms; i++)
		if (slice_eq(slice_str(d->snap->realm[i].name), name))
			return i;
	return SNAPSHOT_NONE;
}

static void expect_flow(struct driver *d, uint16_t realm, uint16_t port, struct expected *x)
{
	for (uint16_t i = 0; i < 2; i++) {
		x->flows++;
		if (!driver_flow(d, realm, (uint16_t)(port + i)))
			driver_fail(d, "a restored call lacks its flow at %s:%u",
				    d->snap->realm[realm].name, port + i);
	}
}

static void expect_call(struct driver *d, const struct call_checkpoint *c, struct expected *x)
{
	for (uint8_t i = 0; i < c->streams; i++) {
		for (uint8_t k = 0; k < 2 && c->stream[i].side[k].port; k++) {
			x->pairs++;
			if (c->stream[i].published)
				expect_flow(d, realm_by_name(d, c->leg[k].realm),
					    c->stream[i].side[k].port, x);
		}
	}
	for (uint8_t i = 0; i < c->pendings; i++) {
		bool same = i < c->streams;

		for (uint8_t k = 0; k < 2; k++)
			same &= c->pending[i].side[k].port == c->stream[i].side[k].port;
		if (!same && c->pending[i].side[0].port)
			x->pairs += 2;
	}
}

static bool is_alive(const struct driver *d, struct slice id)
{
	static struct engine_call_info info[CALLS_AT_ONCE];

	for (uint16_t shard = 0; shard < d->shards; shard++) {
		uint32_t cursor = 0, n;

		do {
			n = engine_calls_read(d->engine[shard], &cursor, info, CALLS_AT_ONCE);
			for (uint32_t i = 0; i < n; i++)
				if (slice_eq(slice_str(info[i].call_id[1]), id))
					return info[i].state != CALL_ENDING;
		} while (n == CALLS_AT_ONCE);
	}
	return false;
}

/* Flows and ports are those of the calls that were stored and go on, and no others. */
static void check_restored(struct driver *d)
{
	static struct call_checkpoint c;
	const struct driver_record *r;
	struct expected x = {0, 0};
	struct engine_stats s;
	uint32_t cursor = 0;

	while ((r = driver_store_next(d, &cursor)) != NULL)
		if (r->kind == CHECKPOINT_CALL && checkpoint_call_read(&c, r->fields) == SBC_OK &&
		    is_alive(d, c.id))
			expect_call(d, &c, &x);
	driver_stats(d, &s);
	if (d->flows != x.flows)
		driver_fail(d, "%u flows after restoring, %u in the store", d->flows, x.flows);
	if (s.ports_used != 2 * x.pairs)
		driver_fail(d, "%u ports after restoring, %u in the store", s.ports_used,
			    2 * x.pairs);
}

void driver_take_over(struct driver *d)
{
	for (uint32_t i = 0; i < d->store.records; i++) {
		const struct driver_record *r = &d->store.record[i];

		if (r->present)
			d->store.record[i].deleted = false;
		if (r->present && r->expires > d->now)
			driver_restore(d, r);
	}
	if (!d->dead)
		check_restored(d);
}

void driver_begin(struct driver *d, uint32_t calls)
{
	bool doomed = d->doomed;
	uint32_t left = d->actions_left;

	d->conf.calls = calls;
	driver_restart(d);
	d->doomed = doomed && left;
	d->actions_left = left;
	driver_take_over(d);
}
