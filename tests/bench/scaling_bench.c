/*
 * What several workers cost: cycles of all workers' loops for each relayed packet, with
 * 1, 2 and 4 of them, turned one after the other on one CPU. What is counted is work,
 * the hand-off's included; not what caches of other CPUs would add.
 *
 * "handed over": packets come by any queue, as a device spreads them that knows nothing
 * of our slices. "steered": by the queue of their worker, as rules in a device do it.
 */
#include <rte_cycles.h>
#include <rte_ring.h>
#include <stdio.h>

#include "tests/dataplane/load.h"

#define ROUNDS 1000u

static struct frame f;
static struct load l;

struct result {
	double cycles; /* a packet */
	double handed; /* share */
	double most;   /* of the busiest worker's packets to the mean */
};

/* Until nobody has anything to do. */
static uint64_t turn_all(struct bed *b)
{
	uint64_t begun = rte_rdtsc();
	bool busy = true;

	while (busy) {
		busy = false;
		for (uint16_t i = 0; i < b->dp->workers; i++)
			busy |= worker_turn(b->dp->worker[i], b->now);
	}
	return rte_rdtsc() - begun;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void count(const struct bed *b, uint64_t *relayed, uint64_t *handed, uint64_t *most)
{
	*relayed = *handed = *most = 0;
	for (uint16_t i = 0; i < b->dp->workers; i++) {
		const struct worker_counters *c = &b->dp->worker[i]->count;

		*relayed += c->relayed;
		*handed += c->handed_off;
		*most = RTE_MAX(*most, c->relayed);
	}
}

/* The queue that a packet of a call comes by. */
static uint16_t queue_of(const struct bed *b, uint32_t call, bool steered)
{
	const struct device *d = &b->dp->device[b->dp->port[OUTSIDE].device];
	uint16_t owner = load_owner(b, &l, call);

	if (!steered)
		return (uint16_t)(call % b->queues);
	for (uint16_t q = 0; q < b->queues; q++)
		if (device_rx_owner(b->dp, d, q) == owner)
			return q;
	return 0;
}

static struct result measure(uint16_t workers, bool steered)
{
	static uint64_t cycles[ROUNDS];
	uint64_t before[3], after[3];
	struct bed b;
	struct result r;

	load_open(&b, workers, workers);
	load_calls(&b, &l);
	count(&b, &before[0], &before[1], &before[2]);
	for (uint32_t k = 0; k < ROUNDS; k++) {
		for (uint32_t i = 0; i < LOAD_CALLS; i++) {
			load_packet(&l, i, &f);
			bed_put_to(&b, OUTSIDE, queue_of(&b, i, steered), &f);
		}
		bed_sleep(&b, 1);
		cycles[k] = turn_all(&b);
		bed_drain(&b);
	}
	count(&b, &after[0], &after[1], &after[2]);
	/* The median round: what else the machine did is in others. */
	qsort(cycles, ROUNDS, sizeof(cycles[0]), by_value);
	r.cycles = (double)cycles[ROUNDS / 2] / LOAD_CALLS;
	r.handed = (double)(after[1] - before[1]) / (double)(after[0] - before[0]);
	r.most = (double)after[2] * workers / (double)after[0];
	if (after[0] - before[0] != (uint64_t)ROUNDS * LOAD_CALLS)
		bed_fail("%lu of %u packets were relayed", (unsigned long)(after[0] - before[0]),
			 ROUNDS * LOAD_CALLS);
	bed_close(&b);
	return r;
}

static void print(const char *what, uint16_t workers, double value, const char *unit,
		  const char *reference, double of)
{
	printf("{\"name\":\"%s, %u workers\",\"value\":%.3f,\"unit\":\"%s\",\"reference\":\"%s\","
	       "\"reference_value\":%.3f,\"better\":\"lower\",\"workers\":%u}\n",
	       what, workers, value, unit, reference, of, workers);
}

int main(void)
{
	struct result one = measure(1, false);

	for (uint16_t workers = 2; workers <= 4; workers *= 2) {
		struct result over = measure(workers, false), own = measure(workers, true);

		print("cycles of a relayed packet, handed over", workers, over.cycles, "cycles",
		      "1 worker", one.cycles);
		print("cycles of a relayed packet, steered", workers, own.cycles, "cycles",
		      "1 worker", one.cycles);
		print("  share handed over, unsteered", workers, over.handed, "", "evenly spread",
		      1.0 - 1.0 / workers);
		print("  packets of the busiest worker to the mean", workers, over.most, "",
		      "an even share", 1.0);
	}
	return 0;
}
