/* Puts that change what is stored: what they make of it, and whether that is right. */
#include "sbc/core/call.h"
#include "sbc/core/gather.h"
#include "tests/lib/driver_internal.h"

static bool field_value(struct slice flat, struct slice name, struct slice *value)
{
	struct checkpoint_field f;
	bool bad;

	while (checkpoint_next(&flat, &f, &bad)) {
		*value = f.value;
		if (slice_eq(f.name, name))
			return true;
	}
	return false;
}

static uint32_t count(struct slice flat)
{
	struct checkpoint_field f;
	uint32_t n = 0;
	bool bad;

	while (checkpoint_next(&flat, &f, &bad))
		n++;
	return n;
}

bool driver_same_fields(struct slice a, struct slice b)
{
	struct checkpoint_field f;
	struct slice value;
	bool bad;

	if (count(a) != count(b))
		return false;
	while (checkpoint_next(&a, &f, &bad))
		if (!field_value(b, f.name, &value) || !slice_eq(value, f.value))
			return false;
	return true;
}

struct slice driver_change(struct driver *d, struct slice was, struct slice change, uint32_t gone)
{
	static char room[2 * CHECKPOINT_MAX];
	uint32_t n = count(change);
	struct checkpoint_field f;
	struct slice value;
	struct wbuf w;
	bool bad;

	wbuf_init(&w, room, sizeof(room));
	if (gone >= n)
		driver_fail(d, "a change of %u fields, %u of them gone", n, gone);
	while (checkpoint_next(&was, &f, &bad))
		if (!field_value(change, f.name, &value))
			checkpoint_put(&w, f.name, f.value);
	for (; n > gone && checkpoint_next(&change, &f, &bad); n--)
		checkpoint_put(&w, f.name, f.value);
	while (checkpoint_next(&change, &f, &bad))
		if (f.value.n)
			driver_fail(d, "%.*s is gone and has a value", (int)f.name.n, f.name.p);
	return wbuf_slice(&w);
}

void driver_check_change(struct driver *d, uint16_t shard, const struct engine_store *s,
			 struct slice result)
{
	static char room[CHECKPOINT_MAX];
	struct engine *e = d->engine[shard];
	const struct call *call = pool_get(&e->calls, s->handle);
	struct wbuf w;

	if (s->kind != CHECKPOINT_CALL)
		driver_fail(d, "a registration that is changed");
	/* Of a call that is over nobody can tell what it was. */
	if (s->kind != CHECKPOINT_CALL || call == NULL || call->store.version != s->version)
		return;
	wbuf_init(&w, room, sizeof(room));
	if (!gather_call(e, call, s->version, call->state == CALL_ENDING ? CALL_BYE_BOTH : 0, &w,
			 NULL))
		driver_fail(d, "a call that does not fit");
	if (!driver_same_fields(result, wbuf_slice(&w)))
		driver_fail(d, "call %.*s version %u: its changes do not make what it is",
			    (int)IDENT_LEN, s->id, s->version);
}
