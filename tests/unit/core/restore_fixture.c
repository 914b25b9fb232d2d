#include "tests/unit/core/restore_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "sbc/core/gather.h"

/* Flush against its end: a byte read too far is seen by the sanitizer. */
static char *exact_copy(const char *bytes, uint32_t n)
{
	char *p = malloc(n ? n : 1);

	assert_non_null(p);
	memcpy(p, bytes, n);
	return p;
}

static struct wbuf next_room(struct reborn *r, uint16_t shard, enum checkpoint_kind kind)
{
	struct wbuf w;

	assert_true(r->count < REBORN_MAX);
	r->kept[r->count].kind = kind;
	r->kept[r->count].shard = shard;
	wbuf_init(&w, r->kept[r->count].bytes, CHECKPOINT_MAX);
	return w;
}

static void gather_shard(struct reborn *r, struct engine *e, uint16_t shard, uint8_t owed)
{
	for (uint32_t i = 0; i < e->calls.capacity; i++) {
		if (!pool_is_taken(&e->calls, i))
			continue;
		struct call *call = pool_at(&e->calls, i);
		struct wbuf w = next_room(r, shard, CHECKPOINT_CALL);
		assert_true(gather_call(e, call, call->store.version + 1, owed, &w, NULL));
		r->kept[r->count++].n = w.n;
	}
	for (uint32_t i = 0; i < e->registrations.capacity; i++) {
		if (!pool_is_taken(&e->registrations, i))
			continue;
		const struct registration *reg = pool_at(&e->registrations, i);
		struct wbuf w = next_room(r, shard, CHECKPOINT_REGISTRATION);
		assert_true(gather_registration(e, reg, reg->store.version + 1, &w));
		r->kept[r->count++].n = w.n;
	}
}

void reborn_gather(struct reborn *r, struct fixture *f, uint8_t owed)
{
	uint16_t shard = 0;
	struct engine *e;

	r->count = 0;
	while ((e = driver_engine(f->driver, shard)) != NULL)
		gather_shard(r, e, shard++, owed);
}

/* The store has it, under the id that it says it has. */
static void seed(const struct reborn *r, struct fixture *f, uint32_t i)
{
	struct slice flat = slice_of(r->kept[i].bytes, r->kept[i].n);
	struct registration_checkpoint reg;
	struct call_checkpoint call;

	if (checkpoint_call_read(&call, flat) == SBC_OK)
		driver_store_seed(f->driver, CHECKPOINT_CALL, call.id.p, call.version, flat);
	else if (checkpoint_registration_read(&reg, flat) == SBC_OK)
		driver_store_seed(f->driver, CHECKPOINT_REGISTRATION, reg.id.p, reg.version, flat);
}

void reborn_give(const struct reborn *r, struct fixture *f, uint32_t i)
{
	seed(r, f, i);
	char *p = exact_copy(r->kept[i].bytes, r->kept[i].n);
	struct engine_event ev = {.type = ENGINE_EV_RESTORE};

	ev.restore.kind = r->kept[i].kind;
	ev.restore.fields = slice_of(p, r->kept[i].n);
	driver_event(f->driver, r->kept[i].shard, &ev);
	free(p);
}

void reborn_give_all(const struct reborn *r, struct fixture *f)
{
	for (uint32_t i = 0; i < r->count; i++)
		reborn_give(r, f, i);
}

void reborn_cycle(struct fixture *f)
{
	struct reborn *r = calloc(1, sizeof(*r));
	struct engine_stats before = fixture_stats(f), after;
	uint32_t flows = driver_flows(f->driver);

	assert_non_null(r);
	reborn_gather(r, f, 0);
	driver_restart(f->driver);
	assert_int_equal(driver_flows(f->driver), 0);
	reborn_give_all(r, f);
	after = fixture_stats(f);
	assert_int_equal(after.calls, before.calls);
	assert_int_equal(after.calls_established, before.calls_established);
	assert_int_equal(after.registrations, before.registrations);
	assert_int_equal(after.ports_used, before.ports_used);
	assert_int_equal(driver_flows(f->driver), flows);
	for (uint32_t i = REASON_RESTORE_BAD; i <= REASON_RESTORE_FULL; i++)
		assert_int_equal(after.reasons.n[i], 0);
	free(r);
}

void reborn_call_read(const struct reborn *r, uint32_t i, struct call_checkpoint *c)
{
	struct slice flat = slice_of(r->kept[i].bytes, r->kept[i].n);

	assert_int_equal(r->kept[i].kind, CHECKPOINT_CALL);
	assert_int_equal(checkpoint_call_read(c, flat), SBC_OK);
}

void reborn_call_write(struct reborn *r, uint32_t i, const struct call_checkpoint *c)
{
	static char bytes[CHECKPOINT_MAX];
	struct wbuf w;

	/* The struct's slices point into what is replaced. */
	wbuf_init(&w, bytes, sizeof(bytes));
	checkpoint_call_write(&w, c);
	assert_true(wbuf_ok(&w));
	memcpy(r->kept[i].bytes, bytes, w.n);
	r->kept[i].n = w.n;
}
