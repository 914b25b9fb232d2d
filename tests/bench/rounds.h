/*
 * rounds: what short rounds of a benchmark took, of many in turn.
 *
 * Rounds go on for ROUNDS_NS, and the tenth percentile of them is printed. A core whose
 * other half runs somebody else is up to twice as slow, for tenths of a second at a
 * time, and who has just woken often finds itself on such a one: the median of a short
 * while is one of two values, by chance. What comes from outside only adds, and one
 * round in ten is no luck.
 */
#ifndef TESTS_BENCH_ROUNDS_H
#define TESTS_BENCH_ROUNDS_H

#include <stdlib.h>
#include <time.h>

#define ROUNDS_NS  2e9
#define ROUNDS_MAX 20000u

static inline double rounds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int rounds_compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of `n` rounds, which are sorted. */
static inline double rounds_figure(double *ns, unsigned n)
{
	qsort(ns, n, sizeof(*ns), rounds_compare);
	return ns[n / 10];
}

#endif
