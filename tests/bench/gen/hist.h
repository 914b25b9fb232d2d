/*
 * hist: a histogram of values over the whole range of 64 bits with a bounded
 * relative error, after Tene's HDR histogram: each power of two is divided into
 * 64 steps, so that a value is at most 1/64 (1.6 %) below the upper end of its
 * bucket; below 128 every value has its own. Adding is a few instructions.
 */
#ifndef TESTS_BENCH_GEN_HIST_H
#define TESTS_BENCH_GEN_HIST_H

#include <stdint.h>

#define HIST_STEPS   64u
#define HIST_BUCKETS (128u + 57u * HIST_STEPS)

struct hist {
	uint64_t count, min, max;
	uint64_t bucket[HIST_BUCKETS];
};

static inline uint32_t hist_index(uint64_t v)
{
	uint32_t shift;

	if (v < 2 * HIST_STEPS)
		return (uint32_t)v;
	shift = 57u - (uint32_t)__builtin_clzll(v);
	return shift * HIST_STEPS + (uint32_t)(v >> shift);
}

static inline void hist_add(struct hist *h, uint64_t v)
{
	h->bucket[hist_index(v)]++;
	h->count++;
	if (v > h->max)
		h->max = v;
	if (v < h->min)
		h->min = v;
}

void hist_reset(struct hist *h);

/* The highest value that falls into a bucket. */
uint64_t hist_upper(uint32_t index);

/*
 * A value that `share` (0 to 1) of all values do not exceed: the upper end of the
 * bucket that holds it, but never more than the greatest value. 0 when empty.
 */
uint64_t hist_at(const struct hist *h, double share);

#endif
