#include "sbc/core/checkpoint_internal.h"

/* Longest: "invite.3.response" and its like. */
#define NAME_MAX_LEN 32u

/* "prefix" and, unless negative, an index and a dot. */
struct group_name {
	const char *prefix;
	int index;
};

static struct slice field_name(char *buf, struct group_name group, const char *name)
{
	struct wbuf w;

	wbuf_init(&w, buf, NAME_MAX_LEN);
	wbuf_put(&w, slice_str(group.prefix));
	if (group.index >= 0) {
		wbuf_u64(&w, (uint64_t)group.index);
		wbuf_char(&w, '.');
	}
	wbuf_put(&w, slice_str(name));
	return wbuf_slice(&w);
}

/* The value is written where it is to stand, and its length put in afterwards. */
static void member_write(struct wbuf *w, struct slice name, const struct checkpoint_member *m,
			 const void *base)
{
	uint32_t at = w->n;

	checkpoint_put(w, name, SLICE_NONE);
	uint32_t from = w->n;
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
	char name[NAME_MAX_LEN];

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];

		/* What must be there is, even if it says nothing. */
		if (m->need || !checkpoint_value_is_zero(m, base))
			member_write(w, field_name(name, group, m->name), m, base);
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
	group_write(w, (struct group_name){"", -1}, &checkpoint_call_members, c);
	group_write(w, (struct group_name){"caller.", -1}, &checkpoint_leg_members, &c->leg[0]);
	group_write(w, (struct group_name){"callee.", -1}, &checkpoint_leg_members, &c->leg[1]);
	for (int i = 0; i < c->streams; i++)
		group_write(w, (struct group_name){"stream.", i}, &checkpoint_stream_members,
			    &c->stream[i]);
	for (int i = 0; i < c->pendings; i++)
		group_write(w, (struct group_name){"pending.", i}, &checkpoint_stream_members,
			    &c->pending[i]);
	for (int i = 0; i < c->exchanges; i++)
		group_write(w, (struct group_name){"invite.", i}, &checkpoint_exchange_members,
			    &c->exchange[i]);
}

void checkpoint_registration_write(struct wbuf *w, const struct registration_checkpoint *r)
{
	version_write(w);
	group_write(w, (struct group_name){"", -1}, &checkpoint_registration_members, r);
}
