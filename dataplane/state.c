#include "dataplane/state.h"

#include <unistd.h>

#include "dataplane/group.h"
#include "dataplane/sip_stage.h"
#include "dataplane/worker.h"

static uint32_t power_of_two(uint64_t n)
{
	uint32_t size = STATE_OPS_MIN;

	while (size < n && size < 1u << 31)
		size *= 2;
	return size;
}

static bool ring_create(struct byte_ring *r, uint32_t size)
{
	void *mem = memory_map(size);

	if (mem != NULL)
		byte_ring_init(r, mem, size);
	return mem != NULL;
}

bool state_create(struct worker *w)
{
	const struct engine_limits *l = &w->dp->conf.limits;
	struct state *s = &w->state;
	uint64_t spare = ((uint64_t)l->calls + l->registrations) *
			 byte_ring_cost(sizeof(struct dp_store_op), 0);
	uint32_t size = power_of_two(STATE_OPS_MIN / 2 + spare);

	s->ops_spare = (uint32_t)RTE_MIN(spare, size / 2);
	return ring_create(&s->ops, size) && ring_create(&s->in, STATE_IN) &&
	       ring_create(&s->forwards, STATE_FORWARDS);
}

void state_free(struct worker *w)
{
	memory_unmap(w->state.ops.mem, w->state.ops.size);
	memory_unmap(w->state.in.mem, w->state.in.size);
	memory_unmap(w->state.forwards.mem, w->state.forwards.size);
}

/* ---- out ---- */

static struct dp_store_op op_of(const struct worker *w, const struct engine_store *s, bool put)
{
	struct dp_store_op op = {.put = put,
				 .whole = s->whole,
				 .gone = s->gone,
				 .urgent = s->urgent,
				 .kind = s->kind,
				 .worker = w->id,
				 .group = s->group,
				 .handle = s->handle,
				 .version = s->version,
				 .ttl_s = s->ttl_s};

	memcpy(op.id, s->id, IDENT_LEN);
	return op;
}

void state_put(struct worker *w, const struct engine_store *s)
{
	struct dp_store_op op = op_of(w, s, true);
	struct state *st = &w->state;

	if (byte_ring_put(&st->ops, 0, &op, sizeof(op), s->fields, st->ops_spare)) {
		st->posted = true;
		return;
	}
	/* No more than its window without an answer: there is room. */
	if (st->refusals < ENGINE_STORE_WINDOW)
		st->refused[st->refusals++] =
			(struct state_refused){s->kind, s->version, s->handle};
}

void state_delete(struct worker *w, const struct engine_store *s)
{
	struct dp_store_op op = op_of(w, s, false);

	if (byte_ring_put(&w->state.ops, 0, &op, sizeof(op), SLICE_NONE, 0))
		w->state.posted = true;
	else
		w->state.deletes_lost++;
}

void state_barrier(struct worker *w, uint64_t ref)
{
	struct dp_store_op op = {.barrier = ref, .worker = w->id};
	struct state *s = &w->state;

	if (s->refusals == 0 && byte_ring_put(&s->ops, 0, &op, sizeof(op), SLICE_NONE, 0))
		s->posted = true;
	else
		s->barrier = ref;
}

void state_forward(struct worker *w, const struct engine_forward *f)
{
	struct dp_forward out = {.print = f->print, .worker = w->id, .path = f->path};

	if (byte_ring_put(&w->state.forwards, 0, &out, sizeof(out), f->bytes, 0))
		w->state.posted = true;
	else
		reason_count(&w->reasons, REASON_CONTROL_FULL);
}

void state_wake(struct worker *w)
{
	struct dataplane *dp = w->dp;
	uint64_t one = 1;

	if (!w->state.posted)
		return;
	w->state.posted = false;
	/* Once until dp_wake_clear(), which goes before the taking. */
	if (!__atomic_exchange_n(&dp->woken, true, __ATOMIC_ACQ_REL))
		while (write(dp->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
}

/* ---- in ---- */

static void stored_no(struct worker *w, const struct state_refused *r)
{
	struct engine_event ev = {
		.type = ENGINE_EV_STORED,
		.stored = {
			.kind = r->kind, .handle = r->handle, .version = r->version, .ok = false}};

	sip_stage_event(w, &ev);
}

/*
 * Puts that found no room, once there is some. Those that the engine makes
 * meanwhile and that find none again are of the next turn.
 */
static uint32_t refusals_answer(struct worker *w)
{
	struct state *s = &w->state;
	struct state_refused now[STATE_WORK_BUSY];
	uint32_t n = RTE_MIN(s->refusals, STATE_WORK_BUSY);

	if (n == 0 ||
	    !byte_ring_fits(&s->ops, sizeof(struct dp_store_op), CHECKPOINT_MAX, s->ops_spare))
		return 0;
	memcpy(now, s->refused, n * sizeof(now[0]));
	s->refusals -= n;
	memmove(s->refused, s->refused + n, s->refusals * sizeof(now[0]));
	for (uint32_t i = 0; i < n; i++)
		stored_no(w, &now[i]);
	return n;
}

static uint32_t barrier_again(struct worker *w)
{
	struct state *s = &w->state;
	struct engine_event ev = {.type = ENGINE_EV_BARRIER, .barrier = s->barrier};

	if (s->barrier == 0 || s->refusals > 0 ||
	    !byte_ring_fits(&s->ops, sizeof(struct dp_store_op), 0, 0))
		return 0;
	s->barrier = 0;
	sip_stage_event(w, &ev);
	return 1;
}

/* A message that another node has sent us: taken only for an address that is ours. */
static void forwarded(struct worker *w, struct engine_event *ev)
{
	uint16_t listener = ev->message.path.listener;
	const struct snapshot *s = w->snapshot;

	if (listener < s->listeners && (w->dp->realm[s->listener[listener].realm].gate & w->active))
		sip_stage_event(w, ev);
	else
		reason_count(&w->reasons, REASON_GROUP_PASSIVE);
}

/* Carries out one; what it counted as work. */
static uint32_t event_take(struct worker *w, const struct byte_ring_message *m)
{
	struct engine_event *ev = m->head;

	switch (ev->type) {
	case ENGINE_EV_RESTORE:
		ev->restore.fields = m->rest;
		sip_stage_event(w, ev);
		break;
	case ENGINE_EV_MESSAGE:
		ev->message.bytes = m->rest;
		forwarded(w, ev);
		return STATE_COST;
	case ENGINE_EV_GROUP:
		/* What control said of it before is seen from here on. */
		group_look(w, w->dp->clock());
		if (w->id == 0)
			group_announce(w, ev->group.group, ev->group.active);
		sip_stage_event(w, ev);
		w->state.forgetting = w->engine_due && !ev->group.active;
		return STATE_COST;
	case ENGINE_EV_FORGET:
		sip_stage_event(w, ev);
		break;
	default:
		sip_stage_event(w, ev);
		return 1;
	}
	__atomic_store_n(&w->state.restored, w->state.restored + 1, __ATOMIC_RELEASE);
	w->state.posted = true;
	return STATE_COST;
}

uint32_t state_serve(struct worker *w, bool busy)
{
	uint32_t budget = busy ? STATE_WORK_BUSY : STATE_WORK;
	uint32_t taken = refusals_answer(w) + barrier_again(w);
	struct state *s = &w->state;
	struct byte_ring_message m;

	s->forgetting &= w->engine_due;
	for (uint32_t work = 0; !s->forgetting && work < budget && byte_ring_peek(&s->in, &m);
	     taken++) {
		work += event_take(w, &m);
		byte_ring_drop(&s->in);
	}
	return taken + s->forgetting;
}
