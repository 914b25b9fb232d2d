/* The command rtp. */
#include "tests/bench/gen/rtp.h"

#define PROVE_TRIES   20u
#define PROVE_PAUSE   0.01
#define QUIET_SECONDS 0.1
#define DRAIN_SECONDS 1.0
#define OVER_SECONDS  0.01
/* What a ring of 1,024 takes at once, at the rates that are of interest. */
#define SLACK_US   50
#define BACKLOG_US 100

static void live_streams(struct gen *g)
{
	struct rtp *r = g->rtp;

	r->lives = 0;
	r->queue[OUTSIDE] = r->queue[INSIDE] = 0;
	for (uint32_t q = 0; q < GEN_QUEUES; q++)
		r->next[OUTSIDE][q] = r->next[INSIDE][q] = q;
	for (uint32_t i = 0; i < g->max_calls; i++)
		if (g->reference || (g->calls->call[i].up && g->calls->call[i].stays))
			r->live[r->lives++] = i;
}

static void counts_reset(struct gen *g)
{
	struct rtp *r = g->rtp;

	r->run = r->run == UINT16_MAX ? RTP_PROOF + 1 : r->run + 1;
	r->count = (struct rtp_counts){0};
	hist_reset(&r->latency);
	r->before = g->count;
}

static void phase_begin(struct gen *g, struct job *j, enum rtp_phase phase)
{
	struct rtp *r = g->rtp;
	double seconds = phase == RTP_WARM ? r->warmup : r->seconds;

	r->phase = phase;
	counts_reset(g);
	pace_start(&j->pace, r->rate, g->hz, g->now, SLACK_US, BACKLOG_US);
	if (r->rate > 0)
		j->pace.total = (uint64_t)(r->rate * seconds + 0.5);
	r->measured_from = g->now;
	j->until = g->now + gen_cycles(g, seconds);
	j->busy = g->count.busy_cycles;
	j->idle = g->count.idle_cycles;
}

/* Outside streams that have not come through yet send a packet, then all wait a little. */
static bool prove(struct gen *g, struct job *j)
{
	struct rtp *r = g->rtp;
	uint32_t n = 0;

	if (g->now < j->until || g->port[OUTSIDE].queued > 0)
		return false;
	while (j->cursor < r->lives && n < GEN_BURST / 2) {
		uint32_t call = r->live[j->cursor++];

		if (r->end[OUTSIDE][call].proven)
			continue;
		rtp_call_prove(g, &g->calls->call[call], 1);
		r->unproven++;
		n++;
	}
	g->work += n;
	if (j->cursor < r->lives)
		return false;
	if (r->unproven == 0 || ++r->tries > PROVE_TRIES)
		return true;
	r->unproven = 0;
	j->cursor = 0;
	j->until = g->now + gen_cycles(g, PROVE_PAUSE);
	return false;
}

static void send_due(struct gen *g, struct job *j)
{
	struct rtp *r = g->rtp;
	uint32_t n, first, sent;

	n = pace_due(&j->pace, g->now, 2 * GEN_BURST);
	if (n == 0)
		return;
	/* An odd one goes from the other side each time. */
	first = (n + (r->turn++ & 1)) / 2;
	sent = rtp_send(g, OUTSIDE, first);
	sent += rtp_send(g, INSIDE, n - first);
	pace_did(&j->pace, sent);
}

static bool drained(struct gen *g, struct job *j)
{
	struct rtp *r = g->rtp;

	if (r->count.rx != r->rx_seen) {
		r->rx_seen = r->count.rx;
		r->quiet_since = g->now;
	}
	return r->count.rx + r->count.misdelivered + r->count.corrupted >= r->count.tx ||
	       g->now - r->quiet_since > gen_cycles(g, QUIET_SECONDS) ||
	       g->now - j->until > gen_cycles(g, DRAIN_SECONDS);
}

/* At a rate, the last ones are due when the time is over. */
static uint64_t over_time(const struct gen *g, const struct rtp *r)
{
	return r->rate > 0 ? gen_cycles(g, OVER_SECONDS) : 0;
}

static bool step(struct gen *g, struct job *j)
{
	struct rtp *r = g->rtp;

	switch (r->phase) {
	case RTP_PROVE:
		if (prove(g, j))
			phase_begin(g, j, r->warmup > 0 ? RTP_WARM : RTP_RUN);
		return false;
	case RTP_WARM:
	case RTP_RUN:
		if (g->now < j->until + over_time(g, r) && !pace_over(&j->pace)) {
			send_due(g, j);
			return false;
		}
		if (r->phase == RTP_WARM) {
			phase_begin(g, j, RTP_RUN);
			return false;
		}
		r->phase = RTP_DRAIN;
		j->measured = (double)(g->now - r->measured_from) / (double)g->hz;
		r->busy = job_busy(g, j);
		r->rx_at_end = r->count.rx;
		r->rx_seen = r->count.rx;
		r->quiet_since = j->until = g->now;
		return false;
	case RTP_DRAIN:
		break;
	}
	return drained(g, j);
}

static void finish(struct gen *g, struct job *j)
{
	const struct rtp *r = g->rtp;
	const struct rtp_counts *c = &r->count;
	uint64_t lost = c->tx > c->rx ? c->tx - c->rx : 0;

	report_count("streams", 2ull * r->lives);
	report_count("unproven", r->unproven);
	report_count("frame", RTP_FRAME);
	report_count("tx", c->tx);
	report_count("rx", c->rx);
	report_count("lost", lost);
	report_count("lost_inwards", c->tx_side[OUTSIDE] - c->rx_side[OUTSIDE]);
	report_count("lost_outwards", c->tx_side[INSIDE] - c->rx_side[INSIDE]);
	report_count("reordered", c->reordered);
	report_count("duplicated", c->duplicated);
	report_count("misdelivered", c->misdelivered);
	report_count("corrupted", c->corrupted);
	report_count("stale", c->stale);
	report_value("seconds", j->measured);
	report_value("tx_mpps", (double)c->tx / j->measured / 1e6);
	report_value("rx_mpps", (double)r->rx_at_end / j->measured / 1e6);
	report_count("late", j->pace.late);
	report_count("skipped", j->pace.skipped);
	report_count("tx_full", g->count.tx_full - r->before.tx_full);
	report_count("no_mbuf", g->count.no_mbuf - r->before.no_mbuf);
	report_value("paused_us", gen_us(g, g->count.paused_cycles - r->before.paused_cycles));
	report_value("busy", r->busy);
	report_hist("latency_ns", &r->latency, g->hz);
}

const char *rtp_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	struct rtp *r = g->rtp;
	double v[3] = {0};

	if (argc < 2 || argc > 3)
		return "wants PPS SECONDS [WARMUP]";
	for (int i = 0; i < argc; i++)
		if (!job_number(argv[i], &v[i]))
			return "not a number";
	if (v[1] <= 0)
		return "wants a time to send";
	live_streams(g);
	if (r->lives == 0)
		return "no calls are up";
	r->rate = v[0];
	r->seconds = v[1];
	r->warmup = v[2];
	r->unproven = 0;
	r->tries = 0;
	j->until = g->now;
	j->step = step;
	j->finish = finish;
	r->phase = RTP_PROVE;
	counts_reset(g);
	if (g->reference)
		phase_begin(g, j, r->warmup > 0 ? RTP_WARM : RTP_RUN);
	return NULL;
}
