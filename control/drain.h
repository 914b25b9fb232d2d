/*
 * drain: leaving without cutting callers off.
 *
 * No new calls; wait for those there are; after the time allowed end the rest
 * with BYE, give those a moment to be answered, and be done. With time 0 calls
 * are ended at once. drain_turn() is called from the loop and never waits.
 */
#ifndef CONTROL_DRAIN_H
#define CONTROL_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "control/collect.h"

#define DRAIN_KILL_MS 5000u /* for the answers to the BYEs */

enum drain_state { DRAIN_NO, DRAIN_WAIT, DRAIN_LIST, DRAIN_KILL, DRAIN_LAST, DRAIN_DONE };

struct drain_call {
	uint16_t worker;
	uint64_t call;
};

struct drain {
	struct dataplane *dp;
	struct collect *collect;
	uint16_t workers;
	uint32_t timeout_s;
	enum drain_state state;
	uint64_t deadline_ms, count_at_ms;
	bool counting;           /* a question is on its way */
	bool told;               /* every worker has heard that it drains */
	struct drain_call *call; /* still to be killed */
	uint32_t calls;
};

void drain_init(struct drain *d, struct dataplane *dp, struct collect *collect, uint16_t workers,
		uint32_t timeout_s);
void drain_begin(struct drain *d, uint64_t now_ms);
bool drain_begun(const struct drain *d);

/* Whether turns should come quickly. */
bool drain_is_busy(const struct drain *d);

/* True once there is nothing left to wait for. */
bool drain_turn(struct drain *d, uint64_t now_ms);

/* Only after the collect it asks through is gone. */
void drain_free(struct drain *d);

#endif
