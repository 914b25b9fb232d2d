#include <assert.h>
#include <string.h>

#include "sbc/core/checkpoint_internal.h"

/* Bytes before a field's name: the lengths of name and value. */
#define FIELD_HEAD 3u

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
static const struct slice fixed_name = {CHECKPOINT_FIXED, sizeof(CHECKPOINT_FIXED) - 1};
static const struct slice now_name = {CHECKPOINT_NOW, sizeof(CHECKPOINT_NOW) - 1};

/* Where something can be composed: where it is to stand, or beside when the end is near. */
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

static char *name_compose(char *p, const struct group *g, const struct checkpoint_member *m)
{
	memcpy(p, g->text, CHECKPOINT_NAME);
	memcpy(p + g->n, m->name, CHECKPOINT_NAME);
	return p + g->n + m->len;
}

/* What must be there is, even if it says nothing. */
static bool is_written(const struct checkpoint_member *m, uint64_t v)
{
	return m->need || !checkpoint_value_is_left_out(m, v);
}

/* ---- fields ---- */

static void length_set(char *field, uint32_t n)
{
	field[1] = (char)(n & 0xff);
	field[2] = (char)(n >> 8);
}

/* A name and the lengths before it; the end. The value's length is put in later. */
static char *head_compose(char *p, const struct group *g, const struct checkpoint_member *m)
{
	p[0] = (char)(g->n + m->len);
	p[1] = p[2] = 0;
	return name_compose(p + FIELD_HEAD, g, m);
}

static void bytes_write(struct wbuf *w, const struct group *g, const struct checkpoint_member *m,
			struct slice value)
{
	char beside[CHECKPOINT_ROOM], *from = room_for(w, beside);
	char *end = head_compose(from, g, m);

	w->full |= value.n > UINT16_MAX;
	length_set(from, value.n);
	composed(w, from, end);
	wbuf_append(w, value.p, value.n);
}

static void field_write(struct wbuf *w, const struct group *g, const struct checkpoint_member *m,
			const void *base, uint64_t v)
{
	char beside[CHECKPOINT_ROOM], *from, *value, *end;

	if (m->type == VALUE_BYTES) {
		bytes_write(w, g, m, *(const struct slice *)checkpoint_member_at(m, base));
		return;
	}
	from = room_for(w, beside);
	value = head_compose(from, g, m);
	end = checkpoint_value_compose(value, m, base, v);
	length_set(from, (uint32_t)(end - value));
	composed(w, from, end);
}

/* Members that are fields of their own; which were written, a bit each, by position. */
static uint32_t fields_write(struct wbuf *w, const struct group *g,
			     const struct checkpoint_members *set, const void *base)
{
	uint32_t there = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];
		uint64_t v;

		if (!m->own)
			continue;
		v = checkpoint_value_load(m, base);
		if (!is_written(m, v))
			continue;
		there |= 1u << i;
		field_write(w, g, m, base, v);
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

/* ---- lines ---- */

/* What could be taken for the next line is not written at all. */
static void text_write(struct wbuf *w, struct slice text)
{
	w->full |= text.n && memchr(text.p, '\n', text.n) != NULL;
	wbuf_append(w, text.p, text.n);
	wbuf_char(w, '\n');
}

static void line_write(struct wbuf *w, const struct group *g, const struct checkpoint_member *m,
		       const void *base, uint64_t v)
{
	char beside[CHECKPOINT_ROOM], *from = room_for(w, beside);
	char *end = name_compose(from, g, m);

	*end++ = '=';
	if (m->type == VALUE_BYTES) {
		composed(w, from, end);
		text_write(w, *(const struct slice *)checkpoint_member_at(m, base));
		return;
	}
	end = checkpoint_value_compose(end, m, base, v);
	*end++ = '\n';
	composed(w, from, end);
}

static void lines_write(struct wbuf *w, const struct group *g, const struct checkpoint_members *set,
			const void *base, bool fixed)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];
		uint64_t v;

		if (m->own || m->fixed != fixed)
			continue;
		v = checkpoint_value_load(m, base);
		if (is_written(m, v))
			line_write(w, g, m, base, v);
	}
}

/* A field whose lines follow; where it begins. */
static uint32_t lines_begin(struct wbuf *w, struct slice name)
{
	uint32_t at = w->n;

	checkpoint_put(w, name, SLICE_NONE);
	return at;
}

/* There was a line at least; between them stands a line's end, behind the last none. */
static void lines_end(struct wbuf *w, uint32_t at, struct slice name)
{
	uint32_t value = at + FIELD_HEAD + name.n;

	if (w->full)
		return;
	w->n--;
	if (w->n - value > UINT16_MAX)
		w->full = true;
	else
		length_set(w->p + at, w->n - value);
}

/* ---- a call ---- */

static void schema_write(struct wbuf *w)
{
	static_assert(CHECKPOINT_SCHEMA < 10, "one digit");
	const char digit = '0' + CHECKPOINT_SCHEMA;

	checkpoint_put(w, SLICE_LIT("v"), slice_of(&digit, 1));
}

static struct group leg_group(uint32_t leg)
{
	return leg ? GROUP("callee.", -1) : GROUP("caller.", -1);
}

static void legs_write(struct wbuf *w, const struct call_checkpoint *c, bool fixed)
{
	for (uint32_t i = 0; i < 2; i++) {
		struct group g = leg_group(i);

		lines_write(w, &g, &checkpoint_leg_members, &c->leg[i], fixed);
	}
}

static void streams_write(struct wbuf *w, const char *prefix, uint32_t n,
			  const struct checkpoint_stream *s, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct group g = group_of(prefix, n, (int)i);

		lines_write(w, &g, &checkpoint_stream_members, &s[i], false);
	}
}

static void fixed_write(struct wbuf *w, const struct call_checkpoint *c)
{
	uint32_t at = lines_begin(w, fixed_name);

	lines_write(w, &top, &checkpoint_call_members, c, true);
	legs_write(w, c, true);
	lines_end(w, at, fixed_name);
}

static void now_write(struct wbuf *w, const struct call_checkpoint *c)
{
	uint32_t at = lines_begin(w, now_name);

	lines_write(w, &top, &checkpoint_call_members, c, false);
	legs_write(w, c, false);
	streams_write(w, "stream.", 7, c->stream, c->streams);
	streams_write(w, "pending.", 8, c->pending, c->pendings);
	for (uint32_t i = 0; i < c->exchanges; i++) {
		struct group g = GROUP("invite.", (int)i);

		lines_write(w, &g, &checkpoint_exchange_members, &c->exchange[i], false);
	}
	lines_end(w, at, now_name);
}

/* All that changes; what was written of it that need not be there the next time. */
static struct checkpoint_shape changing_write(struct wbuf *w, const struct call_checkpoint *c)
{
	struct checkpoint_shape shape = {0};

	fields_write(w, &top, &checkpoint_call_members, c);
	now_write(w, c);
	for (uint32_t i = 0; i < c->exchanges; i++) {
		struct group g = GROUP("invite.", (int)i);

		shape.exchange[i] =
			(uint8_t)fields_write(w, &g, &checkpoint_exchange_members, &c->exchange[i]);
	}
	return shape;
}

struct checkpoint_shape checkpoint_call_write(struct wbuf *w, const struct call_checkpoint *c)
{
	schema_write(w);
	fixed_write(w, c);
	return changing_write(w, c);
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
	struct checkpoint_shape was = change->shape;

	change->rest = w->n;
	if (change->fixed)
		fixed_write(w, c);
	change->shape = changing_write(w, c);
	change->set = w->n;
	change->gone = exchanges_gone(w, &was, &change->shape);
}

void checkpoint_call_write_rest(struct wbuf *w, const struct call_checkpoint *c,
				const struct checkpoint_change *change)
{
	schema_write(w);
	if (!change->fixed)
		fixed_write(w, c);
}

void checkpoint_registration_write(struct wbuf *w, const struct registration_checkpoint *r)
{
	uint32_t at;

	schema_write(w);
	fields_write(w, &top, &checkpoint_registration_members, r);
	at = lines_begin(w, now_name);
	lines_write(w, &top, &checkpoint_registration_members, r, false);
	lines_end(w, at, now_name);
}
