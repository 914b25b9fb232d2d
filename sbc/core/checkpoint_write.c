#include <assert.h>
#include <string.h>

#include "sbc/core/checkpoint_internal.h"

/* Bytes before a field's name: the lengths of name and value. */
#define FIELD_HEAD 3u

/* Which members of a group are written. */
enum which { ALL, FIXED, CHANGING };

/* What stands before a member's name: "caller.", "stream.0." */
struct group {
	char text[CHECKPOINT_NAME];
	uint32_t n;
};

static struct group group_of(const char *prefix, uint32_t n, int index)
{
	struct group g = {.n = n};

	memcpy(g.text, prefix, n);
	if (index >= 0) {
		g.text[g.n++] = (char)('0' + index);
		g.text[g.n++] = '.';
	}
	return g;
}

#define GROUP(prefix, index) group_of((prefix), sizeof(prefix) - 1, (index))

static const struct group top = {.n = 0};

/* A name and the lengths before it; the end. The value's length is put in by field_end(). */
static char *name_compose(char *p, const struct group *g, const struct checkpoint_member *m)
{
	p[0] = (char)(g->n + m->len);
	p[1] = p[2] = 0;
	memcpy(p + FIELD_HEAD, g->text, CHECKPOINT_NAME);
	memcpy(p + FIELD_HEAD + g->n, m->name, CHECKPOINT_NAME);
	return p + FIELD_HEAD + g->n + m->len;
}

static void length_set(char *field, uint32_t n)
{
	field[1] = (char)(n & 0xff);
	field[2] = (char)(n >> 8);
}

/* Where a field can be composed: where it is to stand, or beside when the end is near. */
static char *room_for(const struct wbuf *w, char *beside)
{
	return w->full || w->cap - w->n < CHECKPOINT_ROOM ? beside : w->p + w->n;
}

static void composed(struct wbuf *w, const char *from, const char *end)
{
	if (from == w->p + w->n)
		w->n += (uint32_t)(end - from);
	else
		wbuf_append(w, from, (uint32_t)(end - from));
}

static void bytes_write(struct wbuf *w, const struct group *g, const struct checkpoint_member *m,
			struct slice value)
{
	char beside[CHECKPOINT_ROOM], *from = room_for(w, beside);
	char *end = name_compose(from, g, m);

	w->full |= value.n > UINT16_MAX;
	length_set(from, value.n);
	composed(w, from, end);
	wbuf_append(w, value.p, value.n);
}

static void member_write(struct wbuf *w, const struct group *g, const struct checkpoint_member *m,
			 const void *base, uint64_t v)
{
	char beside[CHECKPOINT_ROOM], *from = room_for(w, beside);
	char *value = name_compose(from, g, m);
	char *end = checkpoint_value_compose(value, m, base, v);

	length_set(from, (uint32_t)(end - value));
	composed(w, from, end);
}

/* Which of them were written, a bit each, by position: of those that are not fixed. */
static uint32_t group_write(struct wbuf *w, const struct group *g,
			    const struct checkpoint_members *set, const void *base,
			    enum which which)
{
	uint32_t there = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];
		uint64_t v;

		if (which != ALL && (which == FIXED) != m->fixed)
			continue;
		v = checkpoint_value_load(m, base);
		/* What must be there is, even if it says nothing. */
		if (!m->need && checkpoint_value_is_left_out(m, v))
			continue;
		there |= m->fixed ? 0 : 1u << i;
		if (m->type == VALUE_BYTES)
			bytes_write(w, g, m, *(const struct slice *)checkpoint_member_at(m, base));
		else
			member_write(w, g, m, base, v);
	}
	return there;
}

/* Names alone, of those members; how many. */
static uint32_t names_write(struct wbuf *w, const struct group *g,
			    const struct checkpoint_members *set, uint32_t members)
{
	uint32_t n = 0;

	for (; members; members &= members - 1, n++)
		bytes_write(w, g, &set->member[__builtin_ctz(members)], SLICE_NONE);
	return n;
}

static void version_write(struct wbuf *w)
{
	static_assert(CHECKPOINT_SCHEMA < 10, "one digit");
	const char digit = '0' + CHECKPOINT_SCHEMA;

	checkpoint_put(w, SLICE_LIT("v"), slice_of(&digit, 1));
}

/* ---- a call ---- */

static struct group leg_group(uint32_t leg)
{
	return leg ? GROUP("callee.", -1) : GROUP("caller.", -1);
}

static void streams_write(struct wbuf *w, const char *prefix, uint32_t n,
			  const struct checkpoint_stream *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct group g = group_of(prefix, n, (int)i);

		group_write(w, &g, &checkpoint_stream_members, &s[i], ALL);
	}
}

/* All that changes, and of the legs with a bit in `legs` the rest too; what was written. */
static struct checkpoint_shape changing_write(struct wbuf *w, const struct call_checkpoint *c,
					      unsigned legs, enum which own)
{
	struct checkpoint_shape shape = {.streams = c->streams, .pendings = c->pendings};

	shape.own = (uint16_t)group_write(w, &top, &checkpoint_call_members, c, own);
	for (uint32_t i = 0; i < 2; i++) {
		struct group g = leg_group(i);

		group_write(w, &g, &checkpoint_leg_members, &c->leg[i],
			    legs & 1u << i ? ALL : CHANGING);
	}
	streams_write(w, "stream.", 7, c->stream, c->streams);
	streams_write(w, "pending.", 8, c->pending, c->pendings);
	for (uint32_t i = 0; i < c->exchanges; i++) {
		struct group g = GROUP("invite.", (int)i);

		shape.exchange[i] = (uint8_t)group_write(w, &g, &checkpoint_exchange_members,
							 &c->exchange[i], ALL);
	}
	return shape;
}

struct checkpoint_shape checkpoint_call_write(struct wbuf *w, const struct call_checkpoint *c)
{
	version_write(w);
	return changing_write(w, c, 3, ALL);
}

static uint32_t streams_gone(struct wbuf *w, const char *prefix, uint32_t n, uint32_t now,
			     uint32_t before)
{
	uint32_t gone = 0;

	for (uint32_t i = now; i < before; i++) {
		struct group g = group_of(prefix, n, (int)i);

		gone += names_write(w, &g, &checkpoint_stream_members,
				    (1u << checkpoint_stream_members.count) - 1);
	}
	return gone;
}

/* Of a leg that was written whole, what it does not have: it may have had it. */
static uint32_t leg_gone(struct wbuf *w, uint32_t leg, const struct checkpoint_leg *c)
{
	const struct checkpoint_members *set = &checkpoint_leg_members;
	struct group g = leg_group(leg);
	uint32_t gone = 0;

	for (uint32_t i = 0; i < set->count; i++)
		if (!set->member[i].need && checkpoint_value_load(&set->member[i], c) == 0)
			gone |= 1u << i;
	return names_write(w, &g, set, gone);
}

static uint32_t exchanges_gone(struct wbuf *w, const struct checkpoint_shape *was,
			       const struct checkpoint_shape *is)
{
	uint32_t gone = 0;

	for (uint32_t i = 0; i < CHECKPOINT_EXCHANGES; i++) {
		uint32_t members = was->exchange[i] & ~(uint32_t)is->exchange[i];
		struct group g = GROUP("invite.", (int)i);

		gone += names_write(w, &g, &checkpoint_exchange_members, members);
	}
	return gone;
}

void checkpoint_call_write_change(struct wbuf *w, const struct call_checkpoint *c,
				  struct checkpoint_change *change)
{
	struct checkpoint_shape was = change->shape, is;

	change->rest = w->n;
	is = changing_write(w, c, change->legs, CHANGING);
	change->set = w->n;
	change->gone = names_write(w, &top, &checkpoint_call_members, was.own & ~(uint32_t)is.own);
	for (uint32_t i = 0; i < 2; i++)
		if (change->legs & 1u << i)
			change->gone += leg_gone(w, i, &c->leg[i]);
	change->gone += streams_gone(w, "stream.", 7, is.streams, was.streams);
	change->gone += streams_gone(w, "pending.", 8, is.pendings, was.pendings);
	change->gone += exchanges_gone(w, &was, &is);
	change->shape = is;
}

void checkpoint_call_write_rest(struct wbuf *w, const struct call_checkpoint *c, unsigned legs)
{
	version_write(w);
	group_write(w, &top, &checkpoint_call_members, c, FIXED);
	for (uint32_t i = 0; i < 2; i++) {
		struct group g = leg_group(i);

		if (!(legs & 1u << i))
			group_write(w, &g, &checkpoint_leg_members, &c->leg[i], FIXED);
	}
}

void checkpoint_registration_write(struct wbuf *w, const struct registration_checkpoint *r)
{
	version_write(w);
	group_write(w, &top, &checkpoint_registration_members, r, ALL);
}
