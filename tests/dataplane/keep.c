#include "tests/dataplane/keep.h"

#include <poll.h>

#include "tests/lib/change.h"

struct kept kept;

void keep_open(struct bed *b, uint16_t workers)
{
	bed_init(b, workers);
	bed_open(b, 0);
	bed_learn_all(b);
}

void keep_mode(struct bed *b, enum engine_store_mode m)
{
	assert_true(dp_store_mode_post(b->dp, m, false));
	bed_turn(b);
}

bool keep_take(struct bed *b)
{
	if (!dp_store_take(b->dp, &kept.op))
		return false;
	assert_true(kept.op.fields.n <= sizeof(kept.fields));
	if (kept.op.fields.n != 0)
		memcpy(kept.fields, kept.op.fields.p, kept.op.fields.n);
	kept.op.fields.p = kept.fields;
	return true;
}

void keep_stored(struct bed *b, bool ok)
{
	assert_true(dp_stored_post(b->dp, kept.op.worker, kept.op.kind, kept.op.handle,
				   kept.op.version, ok));
	bed_turn(b);
}

/* A put of all, or what has changed of what was put last: as the store has it then. */
static void put_over(struct kept *store)
{
	static char record[CHECKPOINT_MAX];
	struct wbuf w;

	wbuf_init(&w, record, sizeof(record));
	if (kept.op.whole)
		wbuf_put(&w, kept.op.fields);
	else
		assert_true(change_apply(&w, store->op.fields, kept.op.fields, kept.op.gone));
	assert_true(wbuf_ok(&w));
	store->op = kept.op;
	store->op.fields = slice_of(store->fields, w.n);
	memcpy(store->fields, record, w.n);
}

/* All there is, each acknowledged; how many. What was put last stays in `kept`, whole. */
uint32_t keep_store_all(struct bed *b)
{
	static struct kept last;
	uint32_t n = 0;

	for (; keep_take(b); n++)
		if (kept.op.put) {
			keep_stored(b, true);
			put_over(&last);
		}
	kept = last;
	kept.op.fields.p = kept.fields;
	return n;
}

bool keep_woken(struct bed *b)
{
	struct pollfd p = {.fd = dp_wake_fd(b->dp), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

void keep_engine_read(struct bed *b, uint16_t worker, struct engine_stats *s)
{
	engine_stats_read(b->dp->worker[worker]->engine, s);
}

struct engine_store keep_big_put(uint64_t handle)
{
	static char bytes[CHECKPOINT_MAX];
	struct engine_store s = {.kind = CHECKPOINT_CALL,
				 .handle = handle,
				 .version = 1,
				 .fields = slice_of(bytes, sizeof(bytes))};

	memset(s.id, 'a', IDENT_LEN);
	return s;
}

uint64_t keep_fill(struct worker *w)
{
	uint64_t n = 0;

	while (w->state.refusals == 0) {
		struct engine_store s = keep_big_put(n++);

		state_put(w, &s);
	}
	return n - 1;
}

/* What the long ones leave. */
void keep_fill_up(struct worker *w)
{
	while (w->state.refusals == 1) {
		struct engine_store s = keep_big_put(9999);

		s.fields.n = 1;
		state_put(w, &s);
	}
}
