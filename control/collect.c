#include "control/collect.h"

#include <stdlib.h>
#include <string.h>

/* Replies taken in one poll: bounds what one turn of the loop costs. */
#define REPLIES_A_POLL 512u

enum asked { ASKED_NOT, ASKED_TO_POST, ASKED_POSTED, ASKED_ANSWERED };

struct job {
	bool active;
	uint32_t generation;
	enum dp_request_type type;
	uint64_t call;
	uint64_t deadline_ms; /* 0: not yet known */
	uint16_t waiting;     /* workers that have not answered all */
	uint8_t asked[DP_MAX_WORKERS];
	uint32_t cursor[DP_MAX_WORKERS];
	bool refused, truncated, no_memory;
	struct collect_row *row;
	uint32_t rows, room;
	struct dp_worker_stats *stats;
	collect_done_fn done;
	void *arg;
};

struct collect {
	struct dataplane *dp;
	uint16_t workers;
	uint32_t active;
	struct job job[COLLECT_MAX_JOBS];
};

struct collect *collect_new(struct dataplane *dp, uint16_t workers)
{
	struct collect *c = calloc(1, sizeof(*c));

	if (c) {
		c->dp = dp;
		c->workers = workers;
	}
	return c;
}

static void job_clear(struct job *j)
{
	uint32_t generation = j->generation;

	free(j->row);
	free(j->stats);
	memset(j, 0, sizeof(*j));
	j->generation = generation;
}

uint32_t collect_active(const struct collect *c)
{
	return c->active;
}

/* Generation is never 0, so no job has ref 0. */
static uint64_t job_ref(const struct collect *c, const struct job *j)
{
	return (uint64_t)j->generation << 32 | (uint64_t)(j - c->job);
}

static struct job *job_of(struct collect *c, uint64_t ref)
{
	uint32_t i = (uint32_t)ref;

	if (i >= COLLECT_MAX_JOBS || !c->job[i].active ||
	    c->job[i].generation != (uint32_t)(ref >> 32))
		return NULL;
	return &c->job[i];
}

static void job_post(struct collect *c, struct job *j, uint16_t worker)
{
	const struct dp_request r = {.type = j->type,
				     .worker = worker,
				     .ref = job_ref(c, j),
				     .cursor = j->cursor[worker],
				     .call = j->call};

	j->asked[worker] = dp_request_post(c->dp, &r) ? ASKED_POSTED : ASKED_TO_POST;
}

bool collect_start(struct collect *c, enum dp_request_type type, uint16_t worker, uint64_t call,
		   collect_done_fn done, void *arg)
{
	/* Ports and neighbours are the node's: each worker has the same answer. */
	bool one = type == DP_KILL || type == DP_PORTS || type == DP_NEIGHBOURS;
	uint16_t first = type == DP_KILL ? worker : 0, last = one ? first : c->workers - 1;
	struct job *j = c->job;

	while (j < c->job + COLLECT_MAX_JOBS && j->active)
		j++;
	if (j == c->job + COLLECT_MAX_JOBS || first >= c->workers)
		return false;
	if (type == DP_STATS) {
		j->stats = calloc(c->workers, sizeof(*j->stats));
		if (!j->stats)
			return false;
	}
	j->active = true;
	if (++j->generation == 0)
		j->generation = 1;
	j->type = type;
	j->call = call;
	j->done = done;
	j->arg = arg;
	j->waiting = last - first + 1;
	c->active++;
	for (uint16_t i = first; i <= last; i++)
		job_post(c, j, i);
	return true;
}

static bool make_room(struct job *j, uint32_t more)
{
	uint32_t room = j->room ? j->room : 64;
	struct collect_row *row;

	while (room < j->rows + more)
		room *= 2;
	if (room == j->room)
		return true;
	row = realloc(j->row, (size_t)room * sizeof(*row));
	if (!row) {
		j->no_memory = true;
		return false;
	}
	j->row = row;
	j->room = room;
	return true;
}

static void copy_entry(struct collect_row *row, const struct dp_reply *r, uint32_t i)
{
	memset(row, 0, sizeof(*row));
	row->worker = r->worker;
	switch (r->type) {
	case DP_CALLS:
		row->call = r->call[i];
		break;
	case DP_REGISTRATIONS:
		row->registration = r->registration[i];
		break;
	case DP_FLOWS:
		row->flow = r->flow[i];
		break;
	case DP_PORTS:
		row->port = r->port[i];
		break;
	case DP_NEIGHBOURS:
		row->neighbour = r->neighbour[i];
		break;
	default:
		break;
	}
}

static bool has_rows(enum dp_request_type type)
{
	return type == DP_CALLS || type == DP_REGISTRATIONS || type == DP_FLOWS ||
	       type == DP_PORTS || type == DP_NEIGHBOURS;
}

static void take_rows(struct job *j, const struct dp_reply *r)
{
	uint32_t most = r->type == DP_PORTS ? DP_MAX_PORTS : DP_BATCH;
	uint32_t n = r->count < most ? r->count : most;

	if (n > COLLECT_MAX_ROWS - j->rows) {
		n = COLLECT_MAX_ROWS - j->rows;
		j->truncated = true;
	}
	if (n == 0 || !make_room(j, n))
		return;
	for (uint32_t i = 0; i < n; i++)
		copy_entry(&j->row[j->rows++], r, i);
}

static void job_end(struct collect *c, struct job *j, const char *error)
{
	struct collect_result result = {.type = j->type,
					.error = error,
					.truncated = j->truncated,
					.row = j->row,
					.rows = j->rows,
					.workers = c->workers,
					.stats = j->stats};
	struct job ended = *j;

	/* The slot is free before the callback, which may start the next job in it. */
	j->row = NULL;
	j->stats = NULL;
	job_clear(j);
	c->active--;
	if (ended.no_memory)
		result.error = "out of memory";
	else if (!error && ended.refused)
		result.error = "refused";
	ended.done(ended.arg, &result);
	free(ended.row);
	free(ended.stats);
}

static void take_reply(struct collect *c, const struct dp_reply *r)
{
	struct job *j = job_of(c, r->ref);

	if (!j || r->type != j->type || r->worker >= c->workers ||
	    j->asked[r->worker] != ASKED_POSTED)
		return;
	if (!r->ok)
		j->refused = true;
	else if (r->type == DP_STATS)
		j->stats[r->worker] = r->stats;
	else if (has_rows(r->type))
		take_rows(j, r);
	j->deadline_ms = 0; /* it answers: the time runs anew */
	if (r->ok && r->more && !j->truncated && !j->no_memory && r->type != DP_PORTS) {
		j->cursor[r->worker] = r->cursor;
		job_post(c, j, r->worker);
		return;
	}
	j->asked[r->worker] = ASKED_ANSWERED;
	if (--j->waiting == 0)
		job_end(c, j, NULL);
}

static void job_tend(struct collect *c, struct job *j, uint64_t now_ms)
{
	for (uint16_t i = 0; i < c->workers; i++)
		if (j->asked[i] == ASKED_TO_POST)
			job_post(c, j, i);
	if (j->deadline_ms == 0)
		j->deadline_ms = now_ms + COLLECT_TIMEOUT_MS;
	else if (now_ms >= j->deadline_ms)
		job_end(c, j, "a worker did not answer in time");
}

void collect_poll(struct collect *c, uint64_t now_ms)
{
	for (uint32_t n = 0; n < REPLIES_A_POLL; n++) {
		struct dp_reply *r = dp_reply_take(c->dp);

		if (!r)
			break;
		take_reply(c, r);
		dp_reply_free(c->dp, r);
	}
	for (uint32_t i = 0; i < COLLECT_MAX_JOBS; i++)
		if (c->job[i].active)
			job_tend(c, &c->job[i], now_ms);
}

void collect_free(struct collect *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < COLLECT_MAX_JOBS; i++)
		if (c->job[i].active)
			job_end(c, &c->job[i], "the node is stopping");
	free(c);
}
