#include "tests/unit/control/fake_dp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define QUEUE 4096u

struct fake_dp fake_dp;

static struct dp_request queue[QUEUE];
static uint32_t queued;

void fake_dp_reset(uint16_t workers)
{
	for (uint32_t i = 0; i < DP_MAX_WORKERS; i++)
		free(fake_dp.worker[i].call);
	if (fake_dp.wake_fd > 0)
		close(fake_dp.wake_fd);
	memset(&fake_dp, 0, sizeof(fake_dp));
	fake_dp.workers = workers;
	fake_dp.ports = 2;
	fake_dp.now = 1000000;
	queued = 0;
}

void fake_dp_calls(uint16_t worker, uint32_t calls)
{
	struct fake_worker *w = &fake_dp.worker[worker];

	free(w->call);
	w->call = calloc(calls ? calls : 1, sizeof(*w->call));
	if (!w->call)
		abort();
	w->calls = calls;
	for (uint32_t i = 0; i < calls; i++) {
		struct engine_call_info *c = &w->call[i];

		c->call = 1ull << 32 | i;
		c->state = CALL_ANSWERED;
		c->realm[1] = 1;
		c->remote[0] = (struct net_addr){inet_addr("198.51.100.7"), 5062};
		c->remote[1] = (struct net_addr){inet_addr("10.0.0.10"), 5060};
		snprintf(c->user[0], sizeof(c->user[0]), "alice%u", i);
		snprintf(c->user[1], sizeof(c->user[1]), "bob");
		snprintf(c->call_id[0], sizeof(c->call_id[0]), "a-%u-%u", worker, i);
		snprintf(c->call_id[1], sizeof(c->call_id[1]), "b-%u-%u", worker, i);
		c->media_port[0] = 20000;
		c->media_port[1] = 30000;
		c->streams = 1;
		c->began_ms = fake_dp.now - 2000;
		c->answered_ms = fake_dp.now - 1000;
	}
}

struct dataplane *dp_start(const struct dp_conf *conf, char *why, uint32_t why_len)
{
	if (fake_dp.refuse_start) {
		snprintf(why, why_len, "port out: no such device");
		return NULL;
	}
	fake_dp.workers = conf->workers;
	return (struct dataplane *)&fake_dp;
}

void dp_stop(struct dataplane *dp)
{
	(void)dp;
	fake_dp.stopped = true;
}

bool dp_is_alive(const struct dataplane *dp)
{
	(void)dp;
	return !fake_dp.dead;
}

uint64_t dp_now(void)
{
	return fake_dp.now;
}

bool dp_request_post(struct dataplane *dp, const struct dp_request *request)
{
	struct fake_worker *w = &fake_dp.worker[request->worker];

	(void)dp;
	if (request->worker >= fake_dp.workers)
		abort();
	if (w->full) {
		w->full--;
		return false;
	}
	if (queued == QUEUE)
		return false;
	queue[queued++] = *request;
	w->asked++;
	return true;
}

static uint32_t batch(struct dp_reply *r, uint32_t total)
{
	uint32_t left = r->cursor < total ? total - r->cursor : 0;

	r->count = left < DP_BATCH ? left : DP_BATCH;
	r->more = r->count == DP_BATCH;
	return r->cursor;
}

static void fill_calls(const struct fake_worker *w, struct dp_reply *r)
{
	uint32_t from = batch(r, w->calls);

	for (uint32_t i = 0; i < r->count; i++)
		r->call[i] = w->call[from + i];
	r->cursor += r->count;
}

static void fill_registrations(const struct fake_worker *w, struct dp_reply *r)
{
	uint32_t from = batch(r, w->registrations);

	for (uint32_t i = 0; i < r->count; i++) {
		struct engine_registration_info *g = &r->registration[i];

		memset(g, 0, sizeof(*g));
		/* A user in Latin-1: no UTF-8. */
		snprintf(g->user, sizeof(g->user), "j\xf6rg%04u", from + i);
		snprintf(g->contact, sizeof(g->contact), "sip:x@192.168.1.2:5060");
		g->source = (struct net_addr){inet_addr("198.51.100.7"), 5062};
		g->expires_ms = fake_dp.now + 60000;
	}
	r->cursor += r->count;
}

static void fill_flows(const struct fake_worker *w, struct dp_reply *r)
{
	uint32_t from = batch(r, w->flows);

	for (uint32_t i = 0; i < r->count; i++) {
		r->flow[i] = (struct dp_flow_info){
			.call = 1ull << 32 | (from + i) / 4,
			.port = (uint16_t)(20000 + from + i),
			.peer_realm = 1,
			.peer_port = (uint16_t)(30000 + from + i),
			.leg = (from + i) / 2 % 2,
			.rtcp = (from + i) % 2,
			.latched = true,
			.locked = true,
			.remote = {inet_addr("198.51.100.7"), 4000},
			.packets = 1234,
			.bytes = 265310,
			.last_ms = fake_dp.now - 20,
			.jitter_us = 1250,
			.ssrc = 0xdeadbeef,
		};
	}
	r->cursor += r->count;
}

static void fill_ports(struct dp_reply *r)
{
	r->count = fake_dp.ports;
	for (uint32_t i = 0; i < r->count; i++) {
		r->port[i] = (struct dp_port_info){
			.mac = {2, 0, 0, 0, 0, (uint8_t)i},
			.link_up = i == 0,
			.queues = 1,
			.rx_packets = 1000000,
			.rx_bytes = 214000000,
		};
		snprintf(r->port[i].name, sizeof(r->port[i].name), i ? "in" : "out");
	}
}

static void fill_neighbours(struct dp_reply *r)
{
	r->count = 2;
	r->neighbour[0] = (struct dp_neighbour_info){.port = 1,
						     .ip = inet_addr("10.0.0.10"),
						     .mac = {2, 0, 0, 0, 0, 9},
						     .resolved = true,
						     .age_ms = 100};
	r->neighbour[1] =
		(struct dp_neighbour_info){.port = 0, .ip = inet_addr("192.0.2.254"), .age_ms = 5};
}

static bool kill_call(struct fake_worker *w, uint64_t call)
{
	for (uint32_t i = 0; i < w->calls; i++) {
		if (w->call[i].call != call)
			continue;
		w->call[i] = w->call[--w->calls];
		w->killed++;
		return true;
	}
	return false;
}

static void answer(struct fake_worker *w, const struct dp_request *q, struct dp_reply *r)
{
	*r = (struct dp_reply){.type = q->type,
			       .worker = q->worker,
			       .ref = q->ref,
			       .ok = !w->refuses,
			       .cursor = q->cursor};
	if (w->refuses)
		return;
	switch (q->type) {
	case DP_STATS:
		r->stats = w->stats;
		r->stats.engine.calls = w->calls;
		r->stats.engine.calls_established = w->calls;
		r->stats.engine.draining = w->draining;
		break;
	case DP_CALLS:
		fill_calls(w, r);
		break;
	case DP_REGISTRATIONS:
		fill_registrations(w, r);
		break;
	case DP_FLOWS:
		fill_flows(w, r);
		break;
	case DP_PORTS:
		fill_ports(r);
		break;
	case DP_NEIGHBOURS:
		fill_neighbours(r);
		break;
	case DP_KILL:
		r->ok = kill_call(w, q->call);
		break;
	case DP_DRAIN:
		w->draining = true;
		break;
	default:
		r->ok = false;
		break;
	}
}

struct dp_reply *dp_reply_take(struct dataplane *dp)
{
	(void)dp;
	for (uint32_t i = 0; i < queued; i++) {
		struct fake_worker *w = &fake_dp.worker[queue[i].worker];
		struct dp_reply *r;

		if (w->silent)
			continue;
		r = malloc(sizeof(*r));
		if (!r)
			abort();
		answer(w, &queue[i], r);
		queue[i] = queue[--queued];
		fake_dp.replies_out++;
		return r;
	}
	return NULL;
}

void dp_reply_free(struct dataplane *dp, struct dp_reply *reply)
{
	(void)dp;
	fake_dp.replies_out--;
	free(reply);
}

bool dp_record_take(struct dataplane *dp, struct engine_record *record, uint16_t *worker)
{
	(void)dp;
	if (fake_dp.records == 0)
		return false;
	*record = fake_dp.record[--fake_dp.records];
	*worker = 0;
	return true;
}

/* ---- state ---- */

void fake_dp_store(const struct dp_store_op *op)
{
	if (fake_dp.ops_put - fake_dp.ops_taken == FAKE_OPS || op->fields.n > FAKE_FIELDS)
		abort();
	struct fake_op *o = &fake_dp.op[fake_dp.ops_put++ % FAKE_OPS];

	o->op = *op;
	memcpy(o->fields, op->fields.p ? op->fields.p : "", op->fields.n);
	o->op.fields = slice_of(o->fields, op->fields.n);
	fake_dp_wake();
}

bool dp_store_take(struct dataplane *dp, struct dp_store_op *op)
{
	(void)dp;
	if (fake_dp.ops_taken == fake_dp.ops_put)
		return false;
	*op = fake_dp.op[fake_dp.ops_taken++ % FAKE_OPS].op;
	return true;
}

void fake_dp_wake(void)
{
	uint64_t one = 1;

	if (dp_wake_fd(NULL) < 0 || write(fake_dp.wake_fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

int dp_wake_fd(struct dataplane *dp)
{
	(void)dp;
	if (fake_dp.wake_fd <= 0)
		fake_dp.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return fake_dp.wake_fd;
}

void dp_wake_hold(struct dataplane *dp)
{
	dp_wake_clear(dp);
}

void dp_wake_clear(struct dataplane *dp)
{
	uint64_t n;

	if (read(dp_wake_fd(dp), &n, sizeof(n)) < 0 && errno != EAGAIN)
		abort();
}

/* What was posted, the latest FAKE_POSTS of them. */
static bool post(const struct fake_post *p)
{
	if (fake_dp.post_full) {
		fake_dp.post_full--;
		return false;
	}
	fake_dp.post[fake_dp.posts++ % FAKE_POSTS] = *p;
	return true;
}

bool dp_stored_post(struct dataplane *dp, uint16_t worker, enum checkpoint_kind kind,
		    uint64_t handle, uint32_t version, bool ok)
{
	struct fake_post p = {.type = ENGINE_EV_STORED,
			      .worker = worker,
			      .kind = kind,
			      .handle = handle,
			      .version = version,
			      .ok = ok};

	(void)dp;
	return post(&p);
}

bool dp_store_mode_post(struct dataplane *dp, enum engine_store_mode mode, bool resync)
{
	struct fake_post p = {.type = ENGINE_EV_STORE, .mode = mode, .ok = resync};

	(void)dp;
	if (!post(&p))
		return false;
	fake_dp.mode = mode;
	fake_dp.resyncs += resync;
	return true;
}

/* Its workers owe nothing that a test does not put itself: they pass at once. */
bool dp_barrier_post(struct dataplane *dp, uint64_t ref)
{
	struct fake_post p = {.type = ENGINE_EV_BARRIER, .ok = true};
	struct dp_store_op op = {.barrier = ref};

	(void)dp;
	if (!post(&p))
		return false;
	fake_dp_store(&op);
	return true;
}

static void id_copy(struct fake_post *p, const char id[IDENT_LEN])
{
	memcpy(p->id, id, IDENT_LEN);
	p->id[IDENT_LEN] = '\0';
}

bool dp_restore_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN],
		     struct slice fields)
{
	struct fake_post p = {.type = ENGINE_EV_RESTORE, .kind = kind, .fields_n = fields.n};

	(void)dp;
	id_copy(&p, id);
	memcpy(p.fields, fields.p ? fields.p : "", fields.n < FAKE_FIELDS ? fields.n : FAKE_FIELDS);
	if (!post(&p))
		return false;
	fake_dp.restores++;
	return true;
}

bool dp_forget_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN])
{
	struct fake_post p = {.type = ENGINE_EV_FORGET, .kind = kind};

	(void)dp;
	id_copy(&p, id);
	if (!post(&p))
		return false;
	fake_dp.forgets++;
	return true;
}

uint64_t dp_restored(const struct dataplane *dp)
{
	(void)dp;
	return fake_dp.restores + fake_dp.forgets - fake_dp.restores_owed;
}

void dp_group_until(struct dataplane *dp, uint16_t group, uint64_t until_ms)
{
	(void)dp;
	if (group >= SNAPSHOT_MAX_GROUPS)
		abort();
	fake_dp.group_until[group] = until_ms;
}

bool dp_group_is_active(const struct dataplane *dp, uint16_t group)
{
	(void)dp;
	return group < SNAPSHOT_MAX_GROUPS && fake_dp.group_until[group] > fake_dp.now;
}

bool dp_group_post(struct dataplane *dp, uint16_t group, bool active)
{
	struct fake_post p = {.type = ENGINE_EV_GROUP, .group = group, .ok = active};

	(void)dp;
	if (!post(&p))
		return false;
	fake_dp.group_active[group] = active;
	return true;
}

bool dp_has_turned(const struct dataplane *dp, uint64_t since_ms)
{
	(void)dp;
	return !fake_dp.stuck && fake_dp.now > since_ms;
}

bool dp_forward_take(struct dataplane *dp, struct dp_forward *f)
{
	(void)dp;
	if (fake_dp.forwards == 0)
		return false;
	*f = fake_dp.forward[--fake_dp.forwards];
	return true;
}

bool dp_forwarded_post(struct dataplane *dp, const struct engine_path *path, struct slice bytes)
{
	struct fake_post p = {.type = ENGINE_EV_MESSAGE, .path = *path, .fields_n = bytes.n};

	(void)dp;
	memcpy(p.fields, bytes.p, bytes.n < FAKE_FIELDS ? bytes.n : FAKE_FIELDS);
	return post(&p);
}
