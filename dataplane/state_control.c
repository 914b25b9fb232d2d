/* Control's ends of what workers keep, restore and forward: see dataplane.h. */
#include <errno.h>
#include <unistd.h>

#include "dataplane/worker.h"
#include "sbc/base/ident.h"

/* ---- from the workers ---- */

/*
 * The oldest message of the next ring that has one; the message taken before is
 * done with now. `at` is the ring that it lies in, or nowhere.
 */
static bool take(struct dataplane *dp, struct byte_ring *(*ring)(struct worker *),
		 struct dp_taking *t, struct byte_ring_message *m)
{
	if (t->holds)
		byte_ring_drop(ring(dp->worker[t->at]));
	t->holds = false;
	for (uint16_t i = 0; i < dp->workers; i++) {
		t->at = (uint16_t)((t->at + 1) % dp->workers);
		if (byte_ring_peek(ring(dp->worker[t->at]), m)) {
			t->holds = true;
			return true;
		}
	}
	return false;
}

static struct byte_ring *ops_of(struct worker *w)
{
	return &w->state.ops;
}

static struct byte_ring *forwards_of(struct worker *w)
{
	return &w->state.forwards;
}

bool dp_store_take(struct dataplane *dp, struct dp_store_op *op)
{
	struct byte_ring_message m;

	if (!take(dp, ops_of, &dp->store_taking, &m))
		return false;
	memcpy(op, m.head, sizeof(*op));
	op->fields = m.rest;
	return true;
}

bool dp_forward_take(struct dataplane *dp, struct dp_forward *f)
{
	struct byte_ring_message m;

	if (!take(dp, forwards_of, &dp->forward_taking, &m))
		return false;
	memcpy(f, m.head, sizeof(*f));
	f->bytes = m.rest;
	return true;
}

int dp_wake_fd(struct dataplane *dp)
{
	return dp->wake_fd;
}

void dp_wake_hold(struct dataplane *dp)
{
	uint64_t n;

	while (read(dp->wake_fd, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

void dp_wake_clear(struct dataplane *dp)
{
	/* In this order: a worker that finds us not woken writes after the reading. */
	dp_wake_hold(dp);
	(void)__atomic_exchange_n(&dp->woken, false, __ATOMIC_ACQ_REL);
}

uint64_t dp_restored(const struct dataplane *dp)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < dp->workers; i++)
		sum += __atomic_load_n(&dp->worker[i]->state.restored, __ATOMIC_ACQUIRE);
	return sum;
}

/* ---- to the workers ---- */

static bool post(struct dataplane *dp, uint16_t worker, const struct engine_event *ev,
		 struct slice rest, uint32_t spare)
{
	struct worker *w = dp->worker[worker];

	if (!byte_ring_put(&w->state.in, 0, ev, sizeof(*ev), rest, spare))
		return false;
	wait_ring(&w->wait);
	return true;
}

/* To all of them or none. */
static bool post_all(struct dataplane *dp, const struct engine_event *ev)
{
	for (uint16_t i = 0; i < dp->workers; i++)
		if (!byte_ring_fits(&dp->worker[i]->state.in, sizeof(*ev), 0, 0))
			return false;
	for (uint16_t i = 0; i < dp->workers; i++)
		post(dp, i, ev, SLICE_NONE, 0);
	return true;
}

bool dp_stored_post(struct dataplane *dp, uint16_t worker, enum checkpoint_kind kind,
		    uint64_t handle, uint32_t version, bool ok)
{
	struct engine_event ev = {
		.type = ENGINE_EV_STORED,
		.stored = {.kind = kind, .handle = handle, .version = version, .ok = ok}};

	return worker < dp->workers && post(dp, worker, &ev, SLICE_NONE, 0);
}

bool dp_store_mode_post(struct dataplane *dp, enum engine_store_mode mode, bool resync)
{
	struct engine_event ev = {.type = ENGINE_EV_STORE,
				  .store = {.mode = mode, .resync = resync}};

	return post_all(dp, &ev);
}

bool dp_barrier_post(struct dataplane *dp, uint64_t ref)
{
	struct engine_event ev = {.type = ENGINE_EV_BARRIER, .barrier = ref};

	return post_all(dp, &ev);
}

static uint16_t owner_of(const struct dataplane *dp, const char *id)
{
	return ident_shard(ident_bucket(&dp->conf.key, slice_of(id, IDENT_LEN)), dp->workers);
}

bool dp_restore_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN],
		     struct slice fields)
{
	struct engine_event ev = {.type = ENGINE_EV_RESTORE, .restore = {.kind = kind}};

	return post(dp, owner_of(dp, id), &ev, fields, STATE_IN_SPARE);
}

bool dp_forget_post(struct dataplane *dp, enum checkpoint_kind kind, const char id[IDENT_LEN])
{
	struct engine_event ev = {.type = ENGINE_EV_FORGET, .forget = {.kind = kind}};

	memcpy(ev.forget.id, id, IDENT_LEN);
	return post(dp, owner_of(dp, id), &ev, SLICE_NONE, STATE_IN_SPARE);
}

bool dp_forwarded_post(struct dataplane *dp, const struct engine_path *path, struct slice bytes)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE,
				  .message = {.path = *path, .forwarded = true}};
	uint8_t bucket = engine_bucket(&dp->conf.key, bytes.p, bytes.n);

	return post(dp, ident_shard(bucket, dp->workers), &ev, bytes, STATE_IN_SPARE);
}

/* ---- groups ---- */

void dp_group_until(struct dataplane *dp, uint16_t group, uint64_t until_ms)
{
	if (group < SNAPSHOT_MAX_GROUPS)
		__atomic_store_n(&dp->group_until[group], until_ms, __ATOMIC_RELEASE);
}

bool dp_group_is_active(const struct dataplane *dp, uint16_t group)
{
	if (group >= SNAPSHOT_MAX_GROUPS)
		return false;
	return !dp->conf.groups_held ||
	       __atomic_load_n(&dp->group_until[group], __ATOMIC_RELAXED) > dp->clock();
}

bool dp_group_post(struct dataplane *dp, uint16_t group, bool active)
{
	struct engine_event ev = {.type = ENGINE_EV_GROUP,
				  .group = {.group = group, .active = active}};

	return post_all(dp, &ev);
}

bool dp_has_turned(const struct dataplane *dp, uint64_t since_ms)
{
	bool all = true;

	for (uint16_t i = 0; i < dp->workers; i++) {
		struct worker *w = dp->worker[i];

		if (__atomic_load_n(&w->beat, __ATOMIC_ACQUIRE) > since_ms)
			continue;
		/* It may be asleep, and has nothing else to turn for. */
		wait_ring(&w->wait);
		all = false;
	}
	return all;
}
