/*
 * load: many calls in a bed, and RTP for them, for tests and figures of several workers.
 */
#ifndef TESTS_DATAPLANE_LOAD_H
#define TESTS_DATAPLANE_LOAD_H

#include "tests/dataplane/talk.h"

#define LOAD_CALLS 160u

struct load {
	uint16_t port[LOAD_CALLS]; /* of the border, outside */
	uint16_t seq[LOAD_CALLS];
};

/* A bed with room for them, a ring for each queue; `queues` on each device. */
void load_open(struct bed *b, uint16_t workers, uint16_t queues);
/* The calls, set up; their phones' sources are proven. */
void load_calls(struct bed *b, struct load *l);

/* The next packet of a call's phone. */
void load_packet(struct load *l, uint32_t call, struct frame *f);

/* The worker whose flow a call's is. */
uint16_t load_owner(const struct bed *b, const struct load *l, uint32_t call);

#endif
