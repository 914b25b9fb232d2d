/* The commands setup, teardown and cps. */
#include "tests/bench/gen/call.h"
#include "tests/bench/gen/job.h"

#include <stdio.h>

#define WINDOW 256u /* calls on their way at once where no rate is given */

enum { SETUP, TEARDOWN, CPS };

static void tally_reset(struct gen *g)
{
	struct call_tally *t = &g->calls->tally;

	memset(t, 0, sizeof(*t));
	hist_reset(&t->setup);
	t->before = g->count;
}

/* A job whose numbers are in `v`: at least `least` of at most `most` arguments. */
static const char *begin(struct gen *g, int argc, char **argv, int least, double *v, int most)
{
	if (!g->calls)
		return "there are no calls with --reference";
	if (argc < least || argc > most)
		return "wrong number of arguments";
	for (int i = 0; i < argc; i++)
		if (!job_number(argv[i], &v[i]))
			return "not a number";
	tally_reset(g);
	g->calls->rtp_packets = 0;
	g->calls->hold = false;
	return NULL;
}

static void report_failures(const struct call_tally *t)
{
	char status[8];

	report_open("failed");
	for (uint32_t i = 100; i < 700; i++) {
		if (t->status[i] == 0)
			continue;
		snprintf(status, sizeof(status), "%u", i);
		report_count(status, t->status[i]);
	}
	report_close();
}

static void report_faults(const struct counts *now, const struct counts *before)
{
	report_open("faults");
	for (uint32_t i = 0; i < FAULTS; i++)
		if (now->fault[i] != before->fault[i])
			report_count(check_fault_name((enum fault)i),
				     now->fault[i] - before->fault[i]);
	report_close();
}

static void finish(struct gen *g, struct job *j)
{
	const struct call_tally *t = &g->calls->tally;
	const struct counts *c = &g->count, *b = &t->before;

	report_count("attempted", t->attempted);
	report_count("established", t->established);
	report_count("done", t->done);
	report_count("calls", g->calls->up);
	report_count("up", g->calls->up);
	report_failures(t);
	report_count("timed_out", t->timed_out);
	report_count("unfinished", t->unfinished);
	report_count("faulty", t->faulty);
	report_faults(c, b);
	report_count("rtp_tx", t->rtp_tx);
	report_count("rtp_rx", t->rtp_rx);
	report_count("leaks", c->fault[FAULT_LEAK] - b->fault[FAULT_LEAK]);
	report_count("retransmissions", c->retransmitted - b->retransmitted);
	report_count("repeated", c->repeated - b->repeated);
	report_count("stale", c->stale - b->stale);
	report_count("unexpected", c->unexpected - b->unexpected + c->malformed - b->malformed);
	report_count("no_mbuf", c->no_mbuf - b->no_mbuf);
	report_count("tx_dropped", c->tx_dropped - b->tx_dropped);
	report_count("late", j->pace.late);
	report_value("seconds", job_seconds(g, j));
	report_value("cps_done", j->measured > 0 ? (double)j->done_by_then / j->measured : 0);
	report_value("paused_us", gen_us(g, c->paused_cycles - b->paused_cycles));
	report_value("busy", job_busy(g, j));
	report_hist("setup_ns", &t->setup, g->hz);
}

/* Within the time for starting, what has been done then counts for the rate. */
static void mark_rate(struct gen *g, struct job *j)
{
	if (j->measured > 0 || g->now < j->until)
		return;
	j->measured = job_seconds(g, j);
	j->done_by_then = g->calls->tally.done;
}

static bool cps_step(struct gen *g, struct job *j)
{
	uint64_t last = j->until + gen_cycles(g, 1);
	uint32_t n = g->now < last ? pace_due(&j->pace, g->now, GEN_BURST / 2) : 0, started = 0;

	while (started < n && call_start(g, false))
		started++;
	pace_did(&j->pace, started);
	g->work += started;
	mark_rate(g, j);
	if ((pace_over(&j->pace) || g->now >= last) && g->now >= j->until &&
	    g->calls->active == j->up_before)
		return true;
	if (g->now < j->until + gen_cycles(g, g->grace))
		return false;
	calls_abandon(g);
	return true;
}

const char *cps_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	double v[4] = {0};
	const char *error = begin(g, argc, argv, 2, v, 4);

	if (error)
		return error;
	if (v[0] <= 0 || v[1] <= 0 || v[3] > 1000)
		return "wants a rate, seconds, and at most 1000 packets";
	j->variant = CPS;
	j->until = j->begin + gen_cycles(g, v[1]);
	j->up_before = g->calls->active;
	g->calls->timers.delay[DELAY_HOLD] = gen_cycles(g, v[2] / 1000);
	g->calls->hold = v[2] > 0;
	g->calls->rtp_packets = (uint32_t)v[3];
	pace_start(&j->pace, v[0], g->hz, g->now, 10000, 0);
	j->pace.total = (uint64_t)(v[0] * v[1] + 0.5);
	j->step = cps_step;
	j->finish = finish;
	return NULL;
}

static uint64_t under_way(const struct call_tally *t)
{
	return t->attempted - t->established - t->failed - t->timed_out;
}

static bool setup_step(struct gen *g, struct job *j)
{
	const struct call_tally *t = &g->calls->tally;
	uint32_t n = pace_due(&j->pace, g->now, GEN_BURST / 2), started = 0;

	while (started < n && under_way(t) < j->window && call_start(g, true))
		started++;
	pace_did(&j->pace, started);
	g->work += started;
	/* Timer B gives each of them up at last. */
	if (under_way(t) != 0 || !(pace_over(&j->pace) || g->calls->unused_n == 0))
		return false;
	if (t->established < j->pace.total)
		j->error = "not all calls came up";
	return true;
}

static void setup_finish(struct gen *g, struct job *j)
{
	j->measured = job_seconds(g, j);
	j->done_by_then = j->variant == SETUP ? g->calls->tally.established : g->calls->tally.done;
	finish(g, j);
}

const char *setup_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	double v[2] = {0};
	const char *error = begin(g, argc, argv, 1, v, 2);

	if (error)
		return error;
	if (v[0] < 1 || v[0] > g->calls->unused_n)
		return "no room for so many calls: --calls";
	j->variant = SETUP;
	j->window = v[1] > 0 ? UINT32_MAX : WINDOW;
	pace_start(&j->pace, v[1], g->hz, g->now, 10000, 0);
	j->pace.total = (uint64_t)v[0];
	j->step = setup_step;
	j->finish = setup_finish;
	return NULL;
}

static bool teardown_step(struct gen *g, struct job *j)
{
	uint32_t n = pace_due(&j->pace, g->now, GEN_BURST / 2), begun = 0;
	struct calls *s = g->calls;

	while (begun < n && j->cursor < g->max_calls &&
	       s->tally.attempted - s->tally.done - s->tally.faulty - s->tally.failed -
			       s->tally.timed_out <
		       j->window) {
		struct call *c = &s->call[j->cursor++];

		if (!c->up || !c->stays || c->state[OUTSIDE] != END_UP ||
		    c->state[INSIDE] != END_UP)
			continue;
		s->tally.attempted++;
		call_hang_up(g, c, c->index % 2 ? INSIDE : OUTSIDE);
		begun++;
	}
	pace_did(&j->pace, begun);
	g->work += begun;
	return j->cursor == g->max_calls && s->up == 0 && s->active == 0;
}

const char *teardown_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	double v[1] = {0};
	const char *error = begin(g, argc, argv, 0, v, 1);

	if (error)
		return error;
	j->variant = TEARDOWN;
	j->window = v[0] > 0 ? UINT32_MAX : WINDOW;
	pace_start(&j->pace, v[0], g->hz, g->now, 10000, 0);
	j->step = teardown_step;
	j->finish = setup_finish;
	return NULL;
}
