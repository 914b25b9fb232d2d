/*
 * track: what has become of a stream's packets, by their sequence numbers.
 *
 * The last 64 numbers are remembered one by one, as in RFC 6479's window, so that
 * a packet that comes late is told from one that comes twice. What is further
 * behind counts as reordered: whether it is a copy is not known any more.
 * Numbers wrap at 16 bits.
 */
#ifndef TESTS_BENCH_GEN_TRACK_H
#define TESTS_BENCH_GEN_TRACK_H

#include <stdbool.h>
#include <stdint.h>

enum track_result { TRACK_NEXT, TRACK_REORDERED, TRACK_DUPLICATE };

struct track {
	uint64_t window; /* bit i: number high - i has come; 0: nothing yet */
	uint16_t high;
};

static inline enum track_result track_add(struct track *t, uint16_t seq)
{
	int16_t ahead = (int16_t)(seq - t->high);
	uint32_t behind;

	if (t->window == 0 || ahead > 0) {
		t->window = t->window == 0 || ahead > 63 ? 1 : t->window << ahead | 1;
		t->high = seq;
		return TRACK_NEXT;
	}
	behind = (uint32_t)-ahead;
	if (behind > 63)
		return TRACK_REORDERED;
	if (t->window >> behind & 1)
		return TRACK_DUPLICATE;
	t->window |= UINT64_C(1) << behind;
	return TRACK_REORDERED;
}

#endif
