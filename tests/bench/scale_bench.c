/*
 * scale_bench: what a relayed packet costs with one, two and four workers.
 *
 * Cores are not needed for it: the workers' loops are turned one after the other, and
 * the cycles of each are its own. Calls are set up by SIP, so that each flow lies with
 * the worker that has its port. Two cases: every worker receives 32 packets of flows of
 * all workers, as behind a NIC that spreads packets blindly; and the first receives all,
 * as on a device with one queue. A packet for another worker is handed over. The rate is
 * that of the busiest worker, as if each had a core; the reference is one worker's.
 */
#include <arpa/inet.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/dataplane/talk.h"

#define FLOWS  32u
#define ROUNDS 501u
#define RTP    160u

static struct bed b;
static char program[32];
static struct talk talk[FLOWS];
static uint64_t busiest[ROUNDS], all[ROUNDS];

static void arrive(uint16_t seq)
{
	static uint8_t rtp[RTP + 12];
	static struct frame f;

	for (uint32_t k = 0; k < FLOWS; k++) {
		struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
		uint32_t n = frame_rtp(rtp, 0x1000 + k, seq, seq * 160u, RTP);

		s.sport = TALK_PHONE_RTP;
		s.dport = talk[k].out_rtp;
		frame_udp(&f, &s, rtp, n);
		bed_put(&b, OUTSIDE, &f);
	}
}

static uint32_t leave(void)
{
	struct frame f;
	uint32_t n = 0;

	while (bed_take(&b, INSIDE, &f))
		n++;
	return n;
}

static uint64_t turn(uint16_t worker)
{
	uint64_t at = rte_rdtsc();

	worker_turn(b.dp->worker[worker], b.now);
	return rte_rdtsc() - at;
}

static void round_of(uint32_t r, bool spread)
{
	const uint16_t workers = b.dp->workers;
	uint64_t each[DP_MAX_WORKERS] = {0};
	static uint16_t seq = 100;

	for (uint16_t i = 0; i < workers; i++) {
		arrive(++seq);
		each[spread ? i : 0] += turn(spread ? i : 0);
	}
	for (uint16_t i = 0; i < workers; i++)
		each[i] += turn(i);
	if (leave() != FLOWS * workers)
		bed_fail("not every packet was relayed");
	all[r] = busiest[r] = 0;
	for (uint16_t i = 0; i < workers; i++) {
		all[r] += each[i];
		busiest[r] = each[i] > busiest[r] ? each[i] : busiest[r];
	}
}

static int by_value(const void *x, const void *y)
{
	const uint64_t a = *(const uint64_t *)x, c = *(const uint64_t *)y;

	return (a > c) - (a < c);
}

static double median(uint64_t *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return (double)v[ROUNDS / 2];
}

static void measure(uint16_t workers, bool spread, double *rate, double *cycles)
{
	for (uint32_t r = 0; r < ROUNDS; r++)
		round_of(r, spread);
	*cycles = median(all) / (FLOWS * workers);
	*rate = FLOWS * workers * (double)rte_get_tsc_hz() / median(busiest) / 1e6;
}

static void open_bed(uint16_t workers)
{
	/* A runtime directory of its own: several may run at one time. */
	snprintf(program, sizeof(program), "postern-bench-%d", (int)getpid());
	bed_init(&b, workers);
	b.conf.program = program;
	b.queues = workers;
	engine_limits_for(&b.conf.limits, 256, 64);
	bed_open(&b, 0);
	bed_learn_all(&b);
	for (uint32_t k = 0; k < FLOWS; k++) {
		talk_init(&talk[k], k);
		talk_call(&b, &talk[k]);
	}
	for (uint16_t seq = 1; seq < 4; seq++) {
		arrive(seq);
		bed_turn(&b);
	}
	bed_drain(&b);
}

static void close_bed(void)
{
	for (uint32_t k = 0; k < FLOWS; k++)
		talk_bye(&b, &talk[k]);
	bed_close(&b);
}

int main(void)
{
	static const char *const how[] = {"one receives all", "all receive"};
	double one_rate[2] = {0}, one_cycles[2] = {0};

	for (uint16_t workers = 1; workers <= 4; workers *= 2) {
		open_bed(workers);
		for (int spread = 0; spread < 2; spread++) {
			double rate, cycles;

			measure(workers, spread, &rate, &cycles);
			if (workers == 1) {
				one_rate[spread] = rate;
				one_cycles[spread] = cycles;
			}
			printf("{\"name\": \"scaling: %u workers, %s\", \"value\": %.2f, "
			       "\"unit\": \"Mpps\", \"reference\": \"1 worker\", "
			       "\"reference_value\": %.2f}\n",
			       workers, how[spread], rate, one_rate[spread]);
			printf("{\"name\": \"  cycles of all workers a packet\", \"value\": %.1f, "
			       "\"unit\": \"cycles\", \"reference\": \"1 worker\", "
			       "\"reference_value\": %.1f}\n",
			       cycles, one_cycles[spread]);
		}
		close_bed();
	}
	return 0;
}
