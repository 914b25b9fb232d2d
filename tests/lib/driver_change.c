/* Puts that change what is stored: what they make of it, and whether that is right. */
#include "sbc/core/call.h"
#include "sbc/core/gather.h"
#include "tests/lib/change.h"
#include "tests/lib/driver_internal.h"

struct slice driver_change(struct driver *d, struct slice was, struct slice change, uint32_t gone)
{
	static char room[2 * CHECKPOINT_MAX];
	struct wbuf w;

	wbuf_init(&w, room, sizeof(room));
	if (!change_apply(&w, was, change, gone))
		driver_fail(d, "a change that is none, of %u fields gone", gone);
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
	if (!change_same(result, wbuf_slice(&w)))
		driver_fail(d, "call %.*s version %u: its changes do not make what it is",
			    (int)IDENT_LEN, s->id, s->version);
}
