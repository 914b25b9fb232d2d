/* A node alone: what its last process left comes back before anything is served. */
#include "control/log.h"
#include "control/state_internal.h"

#define AGAIN_MS 1000u

static void serve(struct state *s)
{
	if (s->serving || s->finishing)
		return;
	s->serving = true;
	dp_group_until(s->dp, 0, UINT64_MAX);
	s->activate_owed = true;
	state_turn_soon(s);
}

static void on_record(void *arg, uint16_t group, enum checkpoint_kind kind,
		      const char id[IDENT_LEN], struct slice fields)
{
	struct state *s = arg;

	(void)group;
	if (!s->finishing)
		state_post_record(s, kind, id, fields);
}

static void on_begin(void *arg, uint16_t group)
{
	struct state *s = arg;

	(void)group;
	s->restore_began_ms = uv_now(s->loop);
	s->phase = ALONE_LOADING;
}

static void on_loaded(void *arg, uint16_t group, bool ok, uint64_t records)
{
	struct state *s = arg;

	(void)group;
	(void)records;
	/* Cut short: what was read is read again, and changes nothing the second time. */
	s->phase = ok ? ALONE_RESTORING : ALONE_WAITING;
	state_turn_soon(s);
}

static void on_caught_up(void *arg, uint16_t group)
{
	(void)arg;
	(void)group;
}

static void load(struct state *s)
{
	const struct store_reader reader = {.record = on_record,
					    .begin = on_begin,
					    .loaded = on_loaded,
					    .caught_up = on_caught_up,
					    .arg = s};

	s->restore_began_ms = uv_now(s->loop);
	store_load(s->store, 0, &reader, false);
}

void state_alone_start(struct state *s)
{
	if (s->config->state.none) {
		s->phase = ALONE_DONE;
		log_at(LOG_LEVEL_WARN,
		       LOG_MSG("nothing is kept, by configuration: calls and registrations end "
			       "with this process"));
		serve(s);
		return;
	}
	store_own(s->store, 0, STORE_OWN_ALONE);
	s->began_ms = uv_now(s->loop);
	s->restored_before = dp_restored(s->dp);
	if (redis_is_up(s->redis))
		load(s);
	state_turn_soon(s);
}

void state_alone_up(struct state *s)
{
	if (s->dp && s->phase == ALONE_WAITING && !s->finishing)
		load(s);
}

static void finish_restoring(struct state *s)
{
	s->phase = ALONE_DONE;
	s->restored = s->posted;
	s->restore_ms = uv_now(s->loop) - s->restore_began_ms;
	log_at(LOG_LEVEL_INFO, LOG_MSG("restored what was kept"), LOG_U64("records", s->restored),
	       LOG_U64("ms", s->restore_ms));
	serve(s);
}

/* Redis is up and its records could not be read: perhaps now. */
static bool is_due_again(const struct state *s)
{
	return s->phase == ALONE_WAITING && redis_is_up(s->redis) &&
	       uv_now(s->loop) - s->restore_began_ms >= AGAIN_MS;
}

bool state_alone_turn(struct state *s)
{
	uint64_t wait_ms = (uint64_t)s->config->state.start_wait_s * 1000;

	if (is_due_again(s))
		load(s);

	if (s->phase == ALONE_RESTORING && !s->record &&
	    dp_restored(s->dp) - s->restored_before >= s->posted)
		finish_restoring(s);
	if (s->phase == ALONE_WAITING && !s->serving && uv_now(s->loop) - s->began_ms >= wait_ms) {
		log_at(LOG_LEVEL_WARN,
		       LOG_MSG("Redis does not answer: serving without what was kept"),
		       LOG_U64("waited_s", s->config->state.start_wait_s));
		serve(s);
	}
	return s->phase == ALONE_RESTORING ||
	       (s->phase == ALONE_WAITING && (!s->serving || redis_is_up(s->redis)));
}
