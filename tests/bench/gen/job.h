/*
 * job: a command that is being carried out. Several run side by side; each has
 * its answer when it is over.
 */
#ifndef TESTS_BENCH_GEN_JOB_H
#define TESTS_BENCH_GEN_JOB_H

#include "tests/bench/gen/gen.h"
#include "tests/bench/gen/pace.h"

#define JOBS 8u

enum job_kind { JOB_NONE, JOB_LINK, JOB_CALLS, JOB_RTP, JOB_REGISTER, JOB_FLOOD };

struct job {
	enum job_kind kind; /* one of each at a time, but floods */
	char command[64];
	bool background;
	const char *error;
	uint64_t begin, until;
	struct pace pace;
	uint64_t busy, idle; /* cycles of turns since it began */
	uint32_t variant, window, cursor, up_before;
	double measured; /* seconds that count for a rate, and what was done in them */
	uint64_t done_by_then;
	/* Once a turn; true when it is over. */
	bool (*step)(struct gen *g, struct job *j);
	/* Writes its fields into the answer. */
	void (*finish)(struct gen *g, struct job *j);
};

static inline double job_busy(const struct gen *g, const struct job *j)
{
	double busy = (double)(g->count.busy_cycles - j->busy);
	double idle = (double)(g->count.idle_cycles - j->idle);

	return busy + idle > 0 ? busy / (busy + idle) : 0;
}

static inline double job_seconds(const struct gen *g, const struct job *j)
{
	return (double)(g->now - j->begin) / (double)g->hz;
}

/* Arguments of commands: numbers that are not negative. */
bool job_number(const char *text, double *v);

/*
 * Reads a command and begins it. What is over at once is answered at once. False
 * when it was "quit". `g->jobs` are stepped by gen_turn().
 */
bool command_input(struct gen *g, char *line);
void jobs_step(struct gen *g);
bool jobs_any(const struct gen *g);
/* One runs that is not in the background: no further command is read. */
bool jobs_foreground(const struct gen *g);

/* One of calls is the only one. */
bool jobs_only_calls(const struct gen *g);

/* stats.c */
void stats_report(struct gen *g);

#endif
