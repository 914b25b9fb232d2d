#include "tests/bench/gen/hist.h"

#include <string.h>

void hist_reset(struct hist *h)
{
	memset(h, 0, sizeof(*h));
	h->min = UINT64_MAX;
}

uint64_t hist_upper(uint32_t index)
{
	uint32_t shift, step;

	if (index < 2 * HIST_STEPS)
		return index;
	shift = index / HIST_STEPS - 1;
	step = index - shift * HIST_STEPS;
	return (((uint64_t)step + 1) << shift) - 1;
}

uint64_t hist_at(const struct hist *h, double share)
{
	double wanted = share * (double)h->count;
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (h->bucket[i] != 0 && (double)seen >= wanted)
			return hist_upper(i) < h->max ? hist_upper(i) : h->max;
	}
	return h->max;
}
