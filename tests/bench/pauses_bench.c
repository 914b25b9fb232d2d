/*
 * pauses_bench [MS]: how often a thread that does nothing but read the clock is kept
 * from its CPU, for so many ms (2,000).
 *
 * One thread on each of the first two CPUs, where the other benchmarks poll. What the
 * kernel runs in between and what a virtual machine's host takes away are both seen,
 * and the latter is seen nowhere else: a guest is not told of most of it. A ring that
 * holds less than such a pause overflows at any rate, whoever serves it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CPUS     2
#define LONG_NS  100000u
#define NS_OF_MS 1000000u

struct witness {
	pthread_t thread;
	int cpu;
	uint64_t ns;
	uint64_t longest, many, lost; /* ns, pauses of LONG_NS and more, ns of those */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *watch(void *arg)
{
	struct witness *w = arg;
	cpu_set_t set;
	uint64_t began, last, now;

	CPU_ZERO(&set);
	CPU_SET(w->cpu, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	for (began = last = now_ns(); last - began < w->ns; last = now) {
		uint64_t pause = (now = now_ns()) - last;

		if (pause > w->longest)
			w->longest = pause;
		if (pause >= LONG_NS) {
			w->many++;
			w->lost += pause;
		}
	}
	return NULL;
}

/* The first CPUs that we may run on. */
static int cpus(struct witness *w)
{
	cpu_set_t may;
	int n = 0;

	sched_getaffinity(0, sizeof(may), &may);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < CPUS; cpu++)
		if (CPU_ISSET(cpu, &may))
			w[n++].cpu = cpu;
	return n;
}

int main(int argc, char **argv)
{
	uint64_t ms = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000, longest = 0;
	struct witness w[CPUS] = {0};
	double seconds = (double)ms / 1e3, many = 0, lost = 0;
	int n = cpus(w);

	for (int i = 0; i < n; i++) {
		w[i].ns = ms * NS_OF_MS;
		if (pthread_create(&w[i].thread, NULL, watch, &w[i]))
			return 1;
	}
	for (int i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		many += (double)w[i].many / n;
		lost += (double)w[i].lost / n;
		longest = w[i].longest > longest ? w[i].longest : longest;
	}
	printf("{\"name\":\"this machine: a CPU is taken away for over 100 us, times a second\","
	       "\"value\":%.1f,\"unit\":\"1/s\"}\n",
	       many / seconds);
	printf("{\"name\":\"  of its time, all these together\",\"value\":%.3f,\"unit\":\"%%\"}\n",
	       lost / seconds / 1e7);
	printf("{\"name\":\"  the longest\",\"value\":%.0f,\"unit\":\"us\"}\n",
	       (double)longest / 1e3);
	return 0;
}
