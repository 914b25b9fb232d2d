/* What is kept in Redis, as JSON: the store's gauges beside what the engines owe. */
#include "control/ctl_rows.h"

static json_t *num(uint64_t n)
{
	return json_integer((json_int_t)n);
}

struct owed {
	uint64_t dirty, held, degraded, degraded_total, deletes_lost;
	uint64_t restored, registrations, failed;
};

static struct owed sum_of(const struct collect_result *r)
{
	struct owed o = {.dirty = 0};

	for (uint16_t i = 0; i < r->workers; i++) {
		const struct engine_stats *e = &r->stats[i].engine;

		o.dirty += (uint64_t)e->store_dirty + e->store_inflight;
		o.held += e->store_held;
		o.degraded += e->degraded;
		o.degraded_total += e->degraded_total;
		o.deletes_lost += r->stats[i].deletes_lost;
		o.restored += e->restored;
		o.registrations += e->restored_registrations;
		o.failed += e->restore_failed;
	}
	return o;
}

static json_t *now(const struct state_view *v, const struct owed *o)
{
	const struct store_gauges *g = &v->store;

	return json_pack("{s:b,s:b,s:s,s:b,s:b,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "up", g->up,
			 "kept", !v->none, "redis", v->redis ? v->redis : "", "own", v->own,
			 "durable", !v->behind && !v->none, "serving", v->serving, "owed",
			 num(o->dirty), "waiting", num(g->waiting), "underway", num(g->underway),
			 "deletes_waiting", num(g->deletes_waiting), "held", num(o->held),
			 "degraded", num(o->degraded), "lag_ms", num(g->lag_ms), "last_ms",
			 num(g->last_ms));
}

static json_t *since_start(const struct state_view *v, const struct owed *o)
{
	const struct store_gauges *g = &v->store;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "degraded_total",
			 num(o->degraded_total), "puts", num(g->puts), "deletes", num(g->deletes),
			 "batches", num(g->batches), "refused", num(g->refused), "fenced",
			 num(g->fenced), "resyncs", num(g->resyncs), "deletes_lost",
			 num(g->deletes_lost + o->deletes_lost), "malformed", num(g->malformed),
			 "commands", num(g->commands), "bytes", num(g->bytes), "downs",
			 num(v->downs));
}

static json_t *restored(const struct state_view *v, const struct owed *o)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "restored", num(o->restored),
			 "restored_registrations", num(o->registrations), "restore_failed",
			 num(o->failed), "records", num(v->restored), "restore_ms",
			 num(v->restore_ms));
}

json_t *ctl_store(const struct ctl_context *ctx, const struct collect_result *r)
{
	const struct owed o = sum_of(r);
	json_t *j, *part[2];

	if (!ctx->has_state)
		return json_null();
	j = now(&ctx->state, &o);
	part[0] = since_start(&ctx->state, &o);
	part[1] = restored(&ctx->state, &o);
	for (int i = 0; i < 2; i++) {
		if (j && part[i])
			json_object_update(j, part[i]);
		json_decref(part[i]);
	}
	return j;
}
