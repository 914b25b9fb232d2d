/*
 * fake_dp: a dataplane without packets, behind dataplane/dataplane.h, for tests of
 * control. Workers hold what the test puts there; they answer when replies are
 * taken, DP_BATCH entries at a time.
 */
#ifndef TESTS_FAKE_DP_H
#define TESTS_FAKE_DP_H

#include "dataplane/dataplane.h"

struct fake_worker {
	struct engine_call_info *call;
	uint32_t calls;
	uint32_t registrations, flows;
	struct dp_worker_stats stats;
	bool silent;   /* takes requests and never answers */
	bool refuses;  /* answers "no" */
	uint32_t full; /* posts that find no room, before one does */
	uint32_t asked, killed;
	bool draining;
};

struct fake_dp {
	uint16_t workers, ports;
	struct fake_worker worker[DP_MAX_WORKERS];
	uint64_t now;
	bool dead, refuse_start, stopped;
	uint32_t replies_out; /* not given back */
	struct engine_record record[16];
	uint32_t records;
};

/* The one there is. */
extern struct fake_dp fake_dp;

void fake_dp_reset(uint16_t workers);
/* Gives a worker that many answered calls, one a second old each. */
void fake_dp_calls(uint16_t worker, uint32_t calls);

#endif
