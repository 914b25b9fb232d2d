#include "tests/lib/driver.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/base/ident.h"
#include "tests/lib/driver_check.h"
#include "tests/lib/driver_internal.h"

void *driver_need(void *p)
{
	if (!p)
		abort();
	return p;
}

static void secrets_init(struct driver *d)
{
	const struct snapshot *s = d->snap;

	for (uint16_t i = 0; i < s->domains; i++)
		oracle_share(d->oracle, s->domain[i]);
	for (uint16_t i = 0; i < s->listeners; i++)
		oracle_add_ip(d->oracle, s->listener[i].realm, s->listener[i].addr.ip,
			      "border's listener");
	for (uint16_t i = 0; i < s->realms; i++) {
		for (uint16_t k = 0; k < snapshot_media_count(&s->realm[i]); k++)
			oracle_add_ip(d->oracle, i, snapshot_media_ip(&s->realm[i], k),
				      "border's media address");
		oracle_add(d->oracle, i, slice_str(s->realm[i].domain), "realm's domain");
	}
	for (uint16_t i = 0; i < s->peers; i++) {
		oracle_add_ip(d->oracle, s->peer[i].realm, s->peer[i].addr.ip, "peer's address");
		oracle_add(d->oracle, s->peer[i].realm, slice_str(s->peer[i].domain),
			   "peer's domain");
	}
}

static void engine_start(struct driver *d, uint16_t shard)
{
	struct engine_conf ec = {.key = d->key, .snapshot = d->snap, .wall_ms = DRIVER_WALL_MS};
	size_t size;

	engine_limits_for(&ec.limits, d->conf.calls, d->conf.registrations);
	ec.limits.shard = shard;
	ec.limits.shards = d->shards;
	ec.seed = (struct siphash_key){d->conf.seed * 2 + 1 + d->restarts,
				       0x9e3779b97f4a7c15ull + shard};
	size = (engine_size(&ec) + 63) & ~(size_t)63;
	d->memory[shard] = driver_need(aligned_alloc(64, size));
	d->engine[shard] = driver_need(engine_init(d->memory[shard], size, &ec, d->now));
}

struct driver *driver_new(const struct driver_conf *conf)
{
	struct driver *d = driver_need(calloc(1, sizeof(*d)));

	d->conf = *conf;
	d->snap = conf->snapshot;
	d->shards = conf->shards ? conf->shards : 1;
	d->now = 1000000;
	d->key = (struct siphash_key){0x0706050403020100ull ^ conf->seed, 0x0f0e0d0c0b0a0908ull};
	d->out = driver_need(malloc(sizeof(*d->out)));
	d->oracle = oracle_new();
	driver_flows_room(d, true);
	secrets_init(d);
	driver_store_init(d);
	for (uint16_t i = 0; i < d->shards; i++)
		engine_start(d, i);
	return d;
}

void driver_free(struct driver *d)
{
	if (!d)
		return;
	for (uint16_t i = 0; i < d->shards; i++)
		free(d->memory[i]);
	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++)
		free(d->shadow[i]);
	driver_store_free(d);
	oracle_free(d->oracle);
	free(d->out);
	free(d);
}

void driver_restart(struct driver *d)
{
	d->restarts++;
	d->dead = d->doomed = false;
	driver_flows_room(d, true);
	d->flows = 0;
	d->pending_count = 0;
	for (uint16_t i = 0; i < d->shards; i++) {
		free(d->memory[i]);
		engine_start(d, i);
	}
}

struct engine *driver_engine(struct driver *d, uint16_t shard)
{
	return d->engine[shard];
}

uint64_t driver_now(const struct driver *d)
{
	return d->now;
}

struct oracle *driver_oracle(struct driver *d)
{
	return d->oracle;
}

const struct snapshot *driver_snapshot(const struct driver *d)
{
	return d->snap;
}

const char *driver_failure(const struct driver *d)
{
	return d->failure[0] ? d->failure : NULL;
}

void driver_fail(struct driver *d, const char *format, ...)
{
	va_list ap;

	if (d->failure[0])
		return;
	va_start(ap, format);
	vsnprintf(d->failure, sizeof(d->failure), format, ap);
	va_end(ap);
}

/* ---- what leaves ---- */

static void carry_send(struct driver *d, const struct engine_path *path, struct slice msg)
{
	uint16_t realm;
	char why[1024];

	if (path->listener >= d->snap->listeners || !net_addr_is_set(path->remote) || msg.n == 0) {
		driver_fail(d, "send without a path or without bytes");
		return;
	}
	realm = d->snap->listener[path->listener].realm;
	for (uint16_t i = 0; i < d->snap->listeners; i++)
		if (net_addr_eq(path->remote, d->snap->listener[i].addr))
			driver_fail(d, "the border sends to itself:\n%.*s", (int)msg.n, msg.p);
	if (!oracle_check(d->oracle, realm, msg, why, sizeof(why)))
		driver_fail(d, "%s\ntowards realm %s:\n%.*s", why, d->snap->realm[realm].name,
			    (int)msg.n, msg.p);
	if (d->conf.learn)
		oracle_learn_sent(d->oracle, realm, msg);
	driver_check_sent(d, realm, msg);
	if (d->conf.on_send)
		d->conf.on_send(d->conf.ctx, path, msg);
}

/* ---- events ---- */

static struct pending *pending_add(struct driver *d)
{
	if (d->pending_count == MAX_PENDING) {
		driver_fail(d, "more than %u questions between shards", MAX_PENDING);
		return NULL;
	}
	return &d->pending[(d->pending_first + d->pending_count++) % MAX_PENDING];
}

static void carry_forward(struct driver *d, const struct engine_forward *f)
{
	if (!d->snap->forward)
		driver_fail(d, "forwarded where there are no other nodes");
	if (d->conf.on_forward)
		d->conf.on_forward(d->conf.ctx, f);
}

static void carry(struct driver *d, uint16_t shard, const struct engine_action *a)
{
	struct pending *p;

	switch (a->type) {
	case ENGINE_SEND:
		carry_send(d, &a->send.path, a->send.bytes);
		break;
	case ENGINE_FLOW_PUBLISH:
		driver_publish(d, shard, &a->flow);
		break;
	case ENGINE_FLOW_RETIRE:
		driver_retire(d, shard, &a->flow);
		break;
	case ENGINE_ASK:
		p = pending_add(d);
		if (p)
			*p = (struct pending){.ask = *a->ask};
		break;
	case ENGINE_ANSWER:
		p = pending_add(d);
		if (p)
			*p = (struct pending){.is_answer = true, .answer = *a->answer};
		break;
	case ENGINE_RECORD:
		if (d->conf.on_record)
			d->conf.on_record(d->conf.ctx, shard, a->record);
		break;
	case ENGINE_STORE_PUT:
		driver_store_put(d, shard, a->store);
		break;
	case ENGINE_STORE_DELETE:
		driver_store_delete(d, shard, a->store);
		break;
	case ENGINE_STORE_BARRIER:
		driver_store_passed(d, shard, a->barrier);
		break;
	case ENGINE_FORWARD:
		carry_forward(d, a->forward);
		break;
	}
}

/* Whether it dies before its next action. */
static bool driver_dies(struct driver *d)
{
	d->dead |= d->doomed && d->actions_left == 0;
	d->actions_left -= d->doomed && d->actions_left;
	return d->dead;
}

static bool handle_once(struct driver *d, uint16_t shard, struct engine_event *ev)
{
	bool more;

	if (d->dead)
		return false;
	ev->now = d->now;
	engine_out_clear(d->out);
	more = engine_handle(d->engine[shard], ev, d->out);
	if (d->out->overflow)
		driver_fail(d, "an event's actions did not fit");
	for (uint32_t i = 0; i < d->out->count && !driver_dies(d); i++)
		carry(d, shard, &d->out->action[i]);
	if (d->dead)
		return false;
	for (uint32_t i = 0; i < d->out->count; i++)
		if (d->out->action[i].type == ENGINE_FLOW_PUBLISH)
			driver_check_pair(d, &d->out->action[i].flow);
	return more;
}

void driver_handle(struct driver *d, uint16_t shard, struct engine_event *ev)
{
	struct engine_event tick = {.type = ENGINE_EV_TICK};
	uint32_t turns = 0;

	if (!handle_once(d, shard, ev))
		return;
	while (handle_once(d, shard, &tick)) {
		if (++turns > 100000) {
			driver_fail(d, "an engine that never has done with one moment");
			return;
		}
	}
}

static void settle_questions(struct driver *d)
{
	while (d->pending_count) {
		struct pending p = d->pending[d->pending_first];
		struct engine_event ev = {.type = ENGINE_EV_ASK};
		uint16_t to = ident_shard(p.ask.bucket, d->shards);

		d->pending_first = (d->pending_first + 1) % MAX_PENDING;
		d->pending_count--;
		if (d->dead)
			continue;
		if (p.is_answer) {
			ev.type = ENGINE_EV_ANSWER;
			ev.answer = &p.answer;
			to = p.answer.to_shard;
		} else {
			ev.ask = &p.ask;
		}
		if (to >= d->shards)
			driver_fail(d, "question or answer for shard %u", to);
		else
			driver_handle(d, to, &ev);
	}
}

void driver_settle(struct driver *d)
{
	do
		settle_questions(d);
	while (driver_store_answer_next(d));
}

static void recv_message(struct driver *d, uint16_t listener, struct net_addr source,
			 struct slice bytes, bool forwarded)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};
	uint16_t realm = d->snap->listener[listener].realm;
	char *exact = driver_need(malloc(bytes.n ? bytes.n : 1));

	if (bytes.n)
		memcpy(exact, bytes.p, bytes.n);
	if (d->conf.learn)
		oracle_learn(d->oracle, realm, source, bytes,
			     d->snap->realm[realm].hide_user_agent);
	ev.message.forwarded = forwarded;
	ev.message.bytes = slice_of(exact, bytes.n);
	ev.message.path = (struct engine_path){.listener = listener, .remote = source};
	driver_handle(d, ident_shard(engine_bucket(&d->key, exact, bytes.n), d->shards), &ev);
	driver_settle(d);
	free(exact);
}

void driver_recv(struct driver *d, uint16_t listener, struct net_addr source, struct slice bytes)
{
	recv_message(d, listener, source, bytes, false);
}

void driver_recv_forwarded(struct driver *d, uint16_t listener, struct net_addr source,
			   struct slice bytes)
{
	recv_message(d, listener, source, bytes, true);
}

uint64_t driver_next_due(const struct driver *d)
{
	uint64_t due = driver_store_next_due(d);

	for (uint16_t i = 0; i < d->shards; i++) {
		uint64_t t = engine_next_due(d->engine[i]);

		due = t < due ? t : due;
	}
	return due;
}

static void tick_all(struct driver *d)
{
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_event ev = {.type = ENGINE_EV_TICK};

		driver_handle(d, i, &ev);
		driver_settle(d);
	}
}

void driver_step(struct driver *d, uint64_t to)
{
	d->now = to;
	tick_all(d);
}

void driver_advance(struct driver *d, uint64_t to)
{
	for (;;) {
		uint64_t due = driver_next_due(d);

		if (due > to)
			break;
		/* A lower bound may lie in the past: time still goes on. */
		d->now = due > d->now ? due : d->now + 1;
		if (d->now > to)
			break;
		tick_all(d);
	}
	d->now = to;
}

void driver_event(struct driver *d, uint16_t shard, struct engine_event *ev)
{
	if (ev->type == ENGINE_EV_STORE)
		d->store.mode = ev->store.mode;
	driver_handle(d, shard, ev);
	driver_settle(d);
}

void driver_kill(struct driver *d, uint16_t shard, uint64_t call)
{
	struct engine_event ev = {.type = ENGINE_EV_COMMAND};

	ev.command.what = ENGINE_KILL;
	ev.command.call = call;
	driver_handle(d, shard, &ev);
	driver_settle(d);
}

void driver_kill_all(struct driver *d)
{
	struct engine_call_info *info = driver_need(calloc(4096, sizeof(*info)));

	for (uint16_t i = 0; i < d->shards; i++) {
		uint32_t cursor = 0, n;

		do {
			n = engine_calls_read(d->engine[i], &cursor, info, 4096);
			for (uint32_t k = 0; k < n; k++)
				driver_kill(d, i, info[k].call);
		} while (n == 4096);
	}
	free(info);
}

void driver_drain(struct driver *d)
{
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_event ev = {.type = ENGINE_EV_COMMAND};

		ev.command.what = ENGINE_DRAIN;
		driver_handle(d, i, &ev);
		driver_settle(d);
	}
}

void driver_reconfigure(struct driver *d, const struct snapshot *s)
{
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_event ev = {.type = ENGINE_EV_SNAPSHOT};

		ev.snapshot = s;
		driver_handle(d, i, &ev);
		driver_settle(d);
	}
	d->snap = s;
	driver_flows_room(d, false);
	secrets_init(d);
}

static bool media_event(struct driver *d, enum engine_media_type type, uint16_t realm,
			uint16_t port, struct net_addr source)
{
	const struct flow_spec *f = driver_flow(d, realm, port);
	struct engine_event ev = {.type = ENGINE_EV_MEDIA};

	if (!f)
		return false;
	ev.media = (struct engine_media){.type = type,
					 .call = f->call,
					 .stream = f->stream,
					 .leg = f->leg,
					 .rtcp = f->rtcp,
					 .source = source};
	driver_handle(d, driver_shadow(d, realm, port)->shard, &ev);
	driver_settle(d);
	return true;
}

bool driver_latched(struct driver *d, uint16_t realm, uint16_t port, struct net_addr source)
{
	if (d->conf.learn)
		oracle_add_ip(d->oracle, realm, source.ip, "media source");
	if (driver_flow(d, realm, port))
		driver_shadow(d, realm, port)->latched = source;
	return media_event(d, ENGINE_MEDIA_LATCHED, realm, port, source);
}

bool driver_counted(struct driver *d, uint16_t realm, uint16_t port, uint64_t packets,
		    uint64_t bytes)
{
	const struct flow_spec *f = driver_flow(d, realm, port);
	struct engine_event ev = {.type = ENGINE_EV_MEDIA};

	if (!f)
		return false;
	ev.media = (struct engine_media){.type = ENGINE_MEDIA_COUNTED,
					 .call = f->call,
					 .stream = f->stream,
					 .leg = f->leg,
					 .rtcp = f->rtcp,
					 .packets = packets,
					 .bytes = bytes};
	driver_handle(d, driver_shadow(d, realm, port)->shard, &ev);
	driver_settle(d);
	return true;
}

bool driver_silent(struct driver *d, uint16_t realm, uint16_t port)
{
	return media_event(d, ENGINE_MEDIA_SILENT, realm, port, (struct net_addr){0, 0});
}

void driver_stats(const struct driver *d, struct engine_stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_stats s;

		engine_stats_read(d->engine[i], &s);
		sum->calls += s.calls;
		sum->calls_established += s.calls_established;
		sum->registrations += s.registrations;
		sum->transactions += s.transactions;
		sum->blobs += s.blobs;
		sum->ports_used += s.ports_used;
		sum->ports_free += s.ports_free;
		sum->calls_total += s.calls_total;
		sum->calls_answered += s.calls_answered;
		sum->registered_total += s.registered_total;
		sum->retransmissions += s.retransmissions;
		sum->messages_in += s.messages_in;
		sum->messages_out += s.messages_out;
		sum->draining |= s.draining;
		sum->store_dirty += s.store_dirty;
		sum->store_inflight += s.store_inflight;
		sum->store_held += s.store_held;
		sum->degraded += s.degraded;
		sum->degraded_total += s.degraded_total;
		sum->store_puts += s.store_puts;
		sum->store_deletes += s.store_deletes;
		sum->restored += s.restored;
		sum->restored_registrations += s.restored_registrations;
		sum->restore_failed += s.restore_failed;
		for (uint32_t r = 0; r < REASON_COUNT; r++)
			sum->reasons.n[r] += s.reasons.n[r];
	}
}

bool driver_is_clean(const struct driver *d, char *why, uint32_t why_len)
{
	struct engine_stats s;

	driver_stats(d, &s);
	if (s.calls == 0 && s.transactions == 0 && s.ports_used == 0 && d->flows == 0 &&
	    (s.blobs == 0 || s.registrations))
		return true;
	snprintf(why, why_len,
		 "left over: %u calls, %u transactions, %u ports, %u flows, %u blocks (%u "
		 "registrations)",
		 s.calls, s.transactions, s.ports_used, d->flows, s.blobs, s.registrations);
	return false;
}
