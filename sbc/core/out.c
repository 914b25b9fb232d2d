#include "sbc/core/out.h"

#include "sbc/core/snapshot.h"

#include <string.h>

/* Objects in scratch are read as structs: aligned for the widest member. */
#define OBJECT_ALIGN 8u

void engine_out_clear(struct engine_out *o)
{
	o->count = 0;
	o->overflow = false;
	wbuf_init(&o->scratch, o->scratch_bytes, sizeof(o->scratch_bytes));
}

uint32_t engine_out_room(const struct engine_out *o)
{
	return ENGINE_MAX_ACTIONS - o->count;
}

uint32_t engine_out_scratch_room(const struct engine_out *o)
{
	return o->scratch.cap - o->scratch.n;
}

struct wbuf engine_out_compose(struct engine_out *o)
{
	struct wbuf w;

	wbuf_init(&w, o->scratch_bytes + o->scratch.n, engine_out_scratch_room(o));
	return w;
}

struct slice engine_out_composed(struct engine_out *o, const struct wbuf *w)
{
	if (!wbuf_ok(w)) {
		o->overflow = true;
		return SLICE_NONE;
	}
	o->scratch.n += w->n;
	return wbuf_slice(w);
}

static struct engine_action *action_add(struct engine_out *o, enum engine_action_type type)
{
	if (o->count == ENGINE_MAX_ACTIONS) {
		o->overflow = true;
		return NULL;
	}
	struct engine_action *a = &o->action[o->count++];
	memset(a, 0, sizeof(*a));
	a->type = type;
	return a;
}

static bool in_scratch(const struct engine_out *o, struct slice s)
{
	uintptr_t base = (uintptr_t)o->scratch_bytes, p = (uintptr_t)s.p;

	return p >= base && p - base <= o->scratch.n && s.n <= o->scratch.n - (p - base);
}

/* Moved, as the bytes may have been composed in the room that they are to be kept in. */
static struct slice scratch_copy(struct engine_out *o, struct slice s)
{
	char *p = o->scratch_bytes + o->scratch.n;

	if (s.n)
		memmove(p, s.p, s.n);
	o->scratch.n += s.n;
	return slice_of(p, s.n);
}

void engine_out_send(struct engine_out *o, const struct engine_path *path, struct slice bytes)
{
	if (path->listener == SNAPSHOT_NONE)
		return;
	if (!in_scratch(o, bytes)) {
		if (engine_out_room(o) == 0 || bytes.n > engine_out_scratch_room(o)) {
			o->overflow = true;
			return;
		}
		bytes = scratch_copy(o, bytes);
	}
	struct engine_action *a = action_add(o, ENGINE_SEND);
	if (a == NULL)
		return;
	a->send.path = *path;
	a->send.bytes = bytes;
}

void engine_out_flow_publish(struct engine_out *o, const struct flow_spec *spec)
{
	struct engine_action *a = action_add(o, ENGINE_FLOW_PUBLISH);

	if (a != NULL)
		a->flow = *spec;
}

void engine_out_flow_retire(struct engine_out *o, uint16_t realm, uint8_t address, uint16_t port)
{
	struct engine_action *a = action_add(o, ENGINE_FLOW_RETIRE);

	if (a == NULL)
		return;
	a->flow.realm = realm;
	a->flow.address = address;
	a->flow.port = port;
}

/* A zeroed object with an action to carry it, or neither. */
static void *object_add(struct engine_out *o, enum engine_action_type type, uint32_t size,
			struct engine_action **action)
{
	uintptr_t at = (uintptr_t)o->scratch_bytes + o->scratch.n;
	uint32_t pad = (uint32_t)(-at & (OBJECT_ALIGN - 1));

	if (engine_out_room(o) == 0 || engine_out_scratch_room(o) < pad + size) {
		o->overflow = true;
		return NULL;
	}
	void *p = o->scratch_bytes + o->scratch.n + pad;
	o->scratch.n += pad + size;
	memset(p, 0, size);
	*action = action_add(o, type);
	return p;
}

struct engine_ask *engine_out_ask(struct engine_out *o)
{
	struct engine_action *a;
	struct engine_ask *ask = object_add(o, ENGINE_ASK, sizeof(*ask), &a);

	if (ask != NULL)
		a->ask = ask;
	return ask;
}

struct engine_answer *engine_out_answer(struct engine_out *o)
{
	struct engine_action *a;
	struct engine_answer *answer = object_add(o, ENGINE_ANSWER, sizeof(*answer), &a);

	if (answer != NULL)
		a->answer = answer;
	return answer;
}

struct engine_record *engine_out_record(struct engine_out *o)
{
	struct engine_action *a;
	struct engine_record *record = object_add(o, ENGINE_RECORD, sizeof(*record), &a);

	if (record != NULL)
		a->record = record;
	return record;
}

struct engine_store *engine_out_store(struct engine_out *o, enum engine_action_type type)
{
	struct engine_action *a;
	struct engine_store *store = object_add(o, type, sizeof(*store), &a);

	if (store != NULL)
		a->store = store;
	return store;
}

bool engine_out_barrier(struct engine_out *o, uint64_t ref)
{
	if (engine_out_room(o) == 0)
		return false;
	o->action[o->count++] =
		(struct engine_action){.type = ENGINE_STORE_BARRIER, .barrier = ref};
	return true;
}

struct engine_forward *engine_out_forward(struct engine_out *o)
{
	struct engine_action *a;
	struct engine_forward *forward = object_add(o, ENGINE_FORWARD, sizeof(*forward), &a);

	if (forward != NULL)
		a->forward = forward;
	return forward;
}

static const char *const end_names[END_COUNT] = {
	[END_NONE] = "none",
	[END_BYE_CALLER] = "bye-caller",
	[END_BYE_CALLEE] = "bye-callee",
	[END_CANCELLED] = "cancelled",
	[END_REFUSED] = "refused",
	[END_TIMEOUT] = "timeout",
	[END_NO_ACK] = "no-ack",
	[END_MEDIA] = "media",
	[END_OPERATOR] = "operator",
	[END_DRAIN] = "drain",
	[END_MAX_TIME] = "max-time",
	[END_ERROR] = "error",
};

const char *engine_end_name(enum engine_end e)
{
	return (unsigned)e < END_COUNT ? end_names[e] : "unknown";
}
