/* To the workers: what their rings have no room for waits here, and is bounded at its source. */
#include <stdlib.h>
#include <string.h>

#include "control/log.h"
#include "control/state_internal.h"

#define RECORDS_HIGH 1024u /* waiting: reading stops, */
#define RECORDS_LOW  256u  /* and goes on */

void state_post_mode(struct state *s)
{
	enum engine_store_mode mode = s->config->state.none     ? ENGINE_STORE_OFF
				      : !s->up || s->fenced     ? ENGINE_STORE_DOWN
				      : s->config->state.behind ? ENGINE_STORE_BEHIND
								: ENGINE_STORE_DURABLE;

	s->mode = mode;
	s->mode_owed = true;
	if (s->dp)
		state_turn_soon(s);
}

/* As many as all engines' windows together: an engine has no more puts out. */
static bool ack_room(struct state *s)
{
	uint32_t room = s->ack_room ? s->ack_room * 2 : 1024;
	struct state_ack *ack;

	if (s->ack_count < s->ack_room)
		return true;
	ack = malloc(room * sizeof(*ack));
	if (!ack)
		return false;
	/* It is full: from the oldest to its end, then from its beginning. */
	if (s->ack_room) {
		uint32_t tail = s->ack_room - s->ack_first;

		memcpy(ack, s->ack + s->ack_first, tail * sizeof(*ack));
		memcpy(ack + tail, s->ack, s->ack_first * sizeof(*ack));
	}
	free(s->ack);
	s->ack = ack;
	s->ack_first = 0;
	s->ack_room = room;
	return true;
}

static bool post_ack(struct state *s, const struct state_ack *a)
{
	return dp_stored_post(s->dp, a->worker, (enum checkpoint_kind)a->kind, a->handle,
			      a->version, a->ok);
}

void state_post_ack(struct state *s, const struct state_ack *a)
{
	if (s->ack_count == 0 && !s->mode_owed && post_ack(s, a))
		return;
	if (!ack_room(s)) {
		log_at(LOG_LEVEL_ERROR, LOG_MSG("out of memory: an acknowledgement is lost"));
		return;
	}
	s->ack[(s->ack_first + s->ack_count) % s->ack_room] = *a;
	s->ack_count++;
	state_turn_soon(s);
}

static bool post_acks(struct state *s)
{
	while (s->ack_count > 0) {
		if (!post_ack(s, &s->ack[s->ack_first]))
			return false;
		s->ack_first = (s->ack_first + 1) % s->ack_room;
		s->ack_count--;
	}
	return true;
}

void state_post_record(struct state *s, enum checkpoint_kind kind, const char id[IDENT_LEN],
		       struct slice fields)
{
	struct state_record *r;

	if (!s->record && dp_restore_post(s->dp, kind, id, fields)) {
		s->posted++;
		return;
	}
	r = malloc(sizeof(*r) + fields.n);
	if (!r) {
		log_at(LOG_LEVEL_ERROR, LOG_MSG("out of memory: a record is not restored"));
		return;
	}
	r->next = NULL;
	r->kind = kind;
	r->n = fields.n;
	memcpy(r->id, id, IDENT_LEN);
	memcpy(r->fields, fields.p, fields.n);
	*s->record_end = r;
	s->record_end = &r->next;
	if (++s->records >= RECORDS_HIGH)
		store_read_pause(s->store, 0, true);
	state_turn_soon(s);
}

static bool post_records(struct state *s)
{
	while (s->record) {
		struct state_record *r = s->record;

		if (!dp_restore_post(s->dp, r->kind, r->id, slice_of(r->fields, r->n)))
			return false;
		s->posted++;
		s->records--;
		s->record = r->next;
		if (!s->record)
			s->record_end = &s->record;
		free(r);
		if (s->records == RECORDS_LOW)
			store_read_pause(s->store, 0, false);
	}
	return true;
}

bool state_post_all(struct state *s)
{
	if (s->mode_owed) {
		if (!dp_store_mode_post(s->dp, s->mode, s->resync_owed))
			return false;
		s->mode_owed = s->resync_owed = false;
	}
	if (!post_acks(s) || !post_records(s))
		return false;
	if (s->activate_owed) {
		if (!dp_group_post(s->dp, 0, true))
			return false;
		s->activate_owed = false;
	}
	return true;
}

void state_post_free(struct state *s)
{
	while (s->record) {
		struct state_record *r = s->record;

		s->record = r->next;
		free(r);
	}
	free(s->ack);
	s->ack = NULL;
	s->ack_count = 0;
}
