/*
 * Reading a group: where its log stands, then its index, then each record, then
 * what the log says has changed since: nothing is missed in between.
 *
 * The log is read from its last entry that was read, that one included: when it is
 * not there any more, the log was cut short or Redis has lost it, and everything is
 * read again. A reading counts as done once its records have been handed over, so
 * that what a lost connection took with it is read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/store_read_internal.h"

#define SCAN_COUNT "512"
#define LOG_COUNT  "512"
#define LOG_PIECE  512u
#define AGAIN_MS   1000u

/* Who was asked, and in which run. */
struct asked {
	struct store_follow *follow;
	uint64_t run;
};

/* A question whose reply tells `fn` the run it was asked in. */
static bool ask(struct store_follow *f, redis_reply_fn fn, int argc, const char *const *argv)
{
	struct asked *a = malloc(sizeof(*a));

	if (!a)
		return false;
	*a = (struct asked){f, f->run};
	if (!store_read_command(f, fn, a, argc, argv)) {
		free(a);
		return false;
	}
	f->asking = true;
	return true;
}

/* The follow a reply is for, or NULL: it is of an earlier run, or there is none. */
static struct store_follow *replied(void *arg, const redisReply *r)
{
	struct asked a = *(struct asked *)arg;
	struct store *s = a.follow->store;

	free(arg);
	if (!store_answered(s) || a.run != a.follow->run)
		return NULL;
	a.follow->asking = false;
	a.follow->failed |= !r || r->type == REDIS_REPLY_ERROR;
	return a.follow;
}

/* ---- beginning, and the index ---- */

static void on_position(void *arg, const redisReply *r)
{
	struct store_follow *f = replied(arg, r);
	const redisReply *id;

	if (!f)
		return;
	f->next[0] = '\0';
	if (!f->failed && r->type == REDIS_REPLY_ARRAY && r->elements == 1) {
		id = r->element[0]->type == REDIS_REPLY_ARRAY && r->element[0]->elements > 0
			     ? r->element[0]->element[0]
			     : NULL;
		if (id && is_text(id) && id->len < POSITION)
			snprintf(f->next, sizeof(f->next), "%s", id->str);
	}
	if (!f->failed) {
		snprintf(f->position, sizeof(f->position), "%s", f->next);
		f->phase = READ_INDEX;
	}
	store_read_step(f);
}

static void ask_position(struct store_follow *f)
{
	const char *argv[] = {"XREVRANGE", f->store->group[f->group].log, "+", "-", "COUNT", "1"};

	ask(f, on_position, 6, argv);
}

static void on_scan(void *arg, const redisReply *r)
{
	struct store_follow *f = replied(arg, r);

	if (!f)
		return;
	if (!f->failed &&
	    (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || !is_text(r->element[0]) ||
	     r->element[0]->len >= sizeof(f->cursor) || r->element[1]->type != REDIS_REPLY_ARRAY))
		f->failed = true;
	if (!f->failed) {
		snprintf(f->cursor, sizeof(f->cursor), "%s", r->element[0]->str);
		f->scanned = strcmp(f->cursor, "0") == 0;
		for (size_t i = 0; i < r->element[1]->elements; i++)
			store_fetch_add(f, r->element[1]->element[i]);
	}
	store_read_step(f);
}

static void ask_index(struct store_follow *f)
{
	const char *argv[] = {"SSCAN", f->store->group[f->group].index, f->cursor, "COUNT",
			      SCAN_COUNT};

	ask(f, on_scan, 5, argv);
}

static void restart(struct store_follow *f, enum store_phase phase)
{
	f->run++;
	f->phase = phase;
	f->asking = f->scanned = f->at_end = f->failed = f->read = false;
	f->first = f->count = f->fetching = 0;
	f->records = 0;
	snprintf(f->cursor, sizeof(f->cursor), "0");
}

static void begin(struct store_follow *f)
{
	restart(f, READ_BEGIN);
	f->store->group[f->group].reading = true;
	if (f->store->group[f->group].epoch == 0)
		store_queue_forget(f->store, f->group);
	f->reader.begin(f->reader.arg, f->group);
	store_read_step(f);
}

static void fail(struct store_follow *f)
{
	bool reading = f->phase == READ_BEGIN || f->phase == READ_INDEX;
	uint64_t records = f->records;

	restart(f, reading ? (f->follow ? READ_WAIT : READ_OFF) : f->phase);
	f->due_ms = store_now() + AGAIN_MS;
	if (reading)
		f->reader.loaded(f->reader.arg, f->group, false, records);
}

/* ---- the log ---- */

static void take_entry(struct store_follow *f, const redisReply *entry)
{
	const redisReply *id, *pairs, *kind = NULL, *what = NULL;
	char member[64];
	int n;

	if (entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
	    !is_text(entry->element[0]) || entry->element[0]->len >= POSITION ||
	    entry->element[1]->type != REDIS_REPLY_ARRAY) {
		f->failed = true;
		return;
	}
	id = entry->element[0];
	pairs = entry->element[1];
	snprintf(f->next, sizeof(f->next), "%s", id->str);
	for (size_t i = 0; i + 1 < pairs->elements; i += 2) {
		if (is_text(pairs->element[i]) && pairs->element[i]->len == 1) {
			if (pairs->element[i]->str[0] == 'k')
				kind = pairs->element[i + 1];
			else if (pairs->element[i]->str[0] == 'i')
				what = pairs->element[i + 1];
		}
	}
	n = kind && what && is_text(kind) && is_text(what)
		    ? snprintf(member, sizeof(member), "%s:%s", kind->str, what->str)
		    : 0;
	if (n <= 0 || (size_t)n >= sizeof(member)) {
		f->store->gauges.malformed++;
		return;
	}
	store_fetch_add(f, &(const redisReply){
				   .type = REDIS_REPLY_STRING, .str = member, .len = (size_t)n});
}

/* Whether the log still has the entry that was read last: then nothing after it is gone. */
static bool joins(const struct store_follow *f, const redisReply *r)
{
	const redisReply *first = r->elements ? r->element[0] : NULL;

	if (!f->position[0])
		return !first;
	return first && first->type == REDIS_REPLY_ARRAY && first->elements == 2 &&
	       is_text(first->element[0]) && strcmp(first->element[0]->str, f->position) == 0;
}

static void on_log(void *arg, const redisReply *r)
{
	struct store_follow *f = replied(arg, r);

	if (!f)
		return;
	if (!f->failed && r->type != REDIS_REPLY_ARRAY)
		f->failed = true;
	if (!f->failed && !joins(f, r)) {
		begin(f);
		return;
	}
	if (!f->failed) {
		for (size_t i = 1; i < r->elements; i++)
			take_entry(f, r->element[i]);
		f->at_end = r->elements < LOG_PIECE;
		f->read = true;
	}
	store_read_step(f);
}

static void ask_log(struct store_follow *f)
{
	const char *argv[] = {"XRANGE",
			      f->store->group[f->group].log,
			      f->position[0] ? f->position : "-",
			      "+",
			      "COUNT",
			      LOG_COUNT};

	snprintf(f->next, sizeof(f->next), "%s", f->position);
	if (ask(f, on_log, 6, argv))
		f->wanted = false;
}

/* ---- what comes next ---- */

/* Between two readings of the log. */
static bool is_idle(const struct store_follow *f)
{
	return f->phase == READ_LOG && !f->asking && !f->read;
}

static void index_done(struct store_follow *f)
{
	uint64_t records = f->records;

	f->phase = f->follow ? READ_LOG : READ_OFF;
	f->at_end = false;
	f->store->group[f->group].reading = false;
	f->reader.loaded(f->reader.arg, f->group, true, records);
	if (is_idle(f))
		ask_log(f);
}

static void log_done(struct store_follow *f)
{
	f->read = false;
	snprintf(f->position, sizeof(f->position), "%s", f->next);
	/* Who asked since this was begun wants what came after, too. */
	if (!f->at_end || f->wanted)
		ask_log(f);
	else
		f->reader.caught_up(f->reader.arg, f->group);
}

void store_read_step(struct store_follow *f)
{
	if (f->failed) {
		fail(f);
		return;
	}
	if (!f->store->connected)
		return;
	store_fetch_more(f);
	if (f->asking || f->first < f->count)
		return;
	if (f->phase == READ_BEGIN)
		ask_position(f);
	else if (f->phase == READ_INDEX && !f->scanned)
		ask_index(f);
	else if (f->phase == READ_INDEX && f->fetching == 0)
		index_done(f);
	else if (f->phase == READ_LOG && f->read && f->fetching == 0)
		log_done(f);
}

/* ---- from outside ---- */

static bool may_begin(const struct store_follow *f)
{
	return f->phase == READ_WAIT && f->store->connected &&
	       store_is_claimed(f->store, &f->store->group[f->group]);
}

static bool is_reading(const struct store_follow *f)
{
	return f && f->phase != READ_OFF;
}

bool store_reads(const struct store *s)
{
	for (uint16_t i = 0; i < s->groups; i++)
		if (is_reading(s->follow[i]))
			return true;
	return false;
}

static void tend(struct store_follow *f)
{
	if (may_begin(f) && store_now() >= f->due_ms)
		begin(f);
	else if (is_idle(f))
		ask_log(f);
	else
		store_read_step(f);
}

void store_read_poll(struct store *s)
{
	for (uint16_t i = 0; s->connected && i < s->groups; i++)
		if (is_reading(s->follow[i]))
			tend(s->follow[i]);
}

void store_read_up(struct store *s)
{
	for (uint16_t i = 0; i < s->groups; i++)
		if (is_reading(s->follow[i]) && may_begin(s->follow[i]))
			begin(s->follow[i]);
}

void store_read_down(struct store *s)
{
	for (uint16_t i = 0; i < s->groups; i++)
		if (is_reading(s->follow[i]) && s->follow[i]->phase != READ_WAIT)
			fail(s->follow[i]);
}

void store_load(struct store *s, uint16_t group, const struct store_reader *reader, bool follow)
{
	struct store_follow *f = s->follow[group];

	if (!f)
		f = s->follow[group] = calloc(1, sizeof(*f));
	if (!f) {
		reader->loaded(reader->arg, group, false, 0);
		return;
	}
	f->store = s;
	f->group = group;
	f->reader = *reader;
	f->follow = follow;
	f->paused = f->wanted = false;
	s->group[group].reading = true;
	store_poll_start(s);
	restart(f, READ_WAIT);
	f->due_ms = 0;
	if (may_begin(f))
		begin(f);
}

void store_follow_stop(struct store *s, uint16_t group)
{
	if (s->follow[group])
		restart(s->follow[group], READ_OFF);
}

void store_read_pause(struct store *s, uint16_t group, bool pause)
{
	struct store_follow *f = s->follow[group];

	if (!f || f->paused == pause)
		return;
	f->paused = pause;
	if (!pause && is_reading(f))
		store_read_step(f);
}

void store_catch_up(struct store *s, uint16_t group)
{
	struct store_follow *f = s->follow[group];

	if (!is_reading(f))
		return;
	f->wanted = true;
	if (s->connected && is_idle(f))
		ask_log(f);
}

/* Once no command is under way, which would answer to them. */
void store_read_free(struct store *s)
{
	for (uint16_t i = 0; i < s->groups; i++) {
		if (s->follow[i])
			free(s->follow[i]->list);
		free(s->follow[i]);
	}
}
