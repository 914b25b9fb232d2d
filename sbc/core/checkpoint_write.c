#include "sbc/core/checkpoint_internal.h"

/* Bytes before a field's name: the lengths of name and value. */
#define FIELD_HEAD 3u

/* "prefix" and, unless negative, an index and a dot. */
struct group_name {
	struct slice prefix;
	int index;
};

/* A name, its lengths before it: the value's is put in once that is written, at `at`. */
static void name_write(struct wbuf *w, struct group_name group, const struct checkpoint_member *m)
{
	uint32_t index = group.index >= 0 ? 2 : 0, n = group.prefix.n + index + m->len;
	char *p = w->p + w->n;

	if (w->full || FIELD_HEAD + n > w->cap - w->n) {
		w->full = true;
		return;
	}
	p[0] = (char)n;
	p[1] = p[2] = 0;
	p += FIELD_HEAD;
	for (uint32_t i = 0; i < group.prefix.n; i++)
		*p++ = group.prefix.p[i];
	if (index) {
		*p++ = (char)('0' + group.index);
		*p++ = '.';
	}
	for (uint32_t i = 0; i < m->len; i++)
		*p++ = m->name[i];
	w->n += FIELD_HEAD + n;
}

/* The value is written where it is to stand, and its length put in afterwards. */
static void member_write(struct wbuf *w, struct group_name group, const struct checkpoint_member *m,
			 const void *base)
{
	uint32_t at = w->n, from;

	name_write(w, group, m);
	from = w->n;
	checkpoint_value_write(w, m, base);
	if (!wbuf_ok(w))
		return;
	if (w->n - from > UINT16_MAX) {
		w->full = true;
		return;
	}
	w->p[at + 1] = (char)((w->n - from) & 0xff);
	w->p[at + 2] = (char)((w->n - from) >> 8);
}

static void group_write(struct wbuf *w, struct group_name group,
			const struct checkpoint_members *set, const void *base)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];

		/* What must be there is, even if it says nothing. */
		if (m->need || !checkpoint_value_is_zero(m, base))
			member_write(w, group, m, base);
	}
}

static void version_write(struct wbuf *w)
{
	char text[8];
	struct wbuf v;

	wbuf_init(&v, text, sizeof(text));
	wbuf_u64(&v, CHECKPOINT_SCHEMA);
	checkpoint_put(w, SLICE_LIT("v"), wbuf_slice(&v));
}

void checkpoint_call_write(struct wbuf *w, const struct call_checkpoint *c)
{
	version_write(w);
	group_write(w, (struct group_name){SLICE_NONE, -1}, &checkpoint_call_members, c);
	group_write(w, (struct group_name){SLICE_LIT("caller."), -1}, &checkpoint_leg_members,
		    &c->leg[0]);
	group_write(w, (struct group_name){SLICE_LIT("callee."), -1}, &checkpoint_leg_members,
		    &c->leg[1]);
	for (int i = 0; i < c->streams; i++)
		group_write(w, (struct group_name){SLICE_LIT("stream."), i},
			    &checkpoint_stream_members, &c->stream[i]);
	for (int i = 0; i < c->pendings; i++)
		group_write(w, (struct group_name){SLICE_LIT("pending."), i},
			    &checkpoint_stream_members, &c->pending[i]);
	for (int i = 0; i < c->exchanges; i++)
		group_write(w, (struct group_name){SLICE_LIT("invite."), i},
			    &checkpoint_exchange_members, &c->exchange[i]);
}

void checkpoint_registration_write(struct wbuf *w, const struct registration_checkpoint *r)
{
	version_write(w);
	group_write(w, (struct group_name){SLICE_NONE, -1}, &checkpoint_registration_members, r);
}
