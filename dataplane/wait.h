/*
 * wait: on what a worker sleeps, and who wakes it.
 *
 * A worker that has nothing to do blocks in one epoll on the descriptors of its
 * receive queues (rx_wait.h), on its bell, and for the time until something of its
 * own is due. The bell is an eventfd: whoever puts something into a ring of that
 * worker rings it afterwards.
 *
 * No wake-up is lost. Who sleeps: stores `asleep`, fence, looks at every ring and
 * queue (a whole turn of its loop), and blocks only when it found nothing. Who puts:
 * puts, fence, loads `asleep`, and rings if it is set. Of the two loads behind the two
 * fences at least one sees what was stored ahead of the other fence: either the
 * sleeper finds what was put, or the putter finds it asleep. The putter takes the
 * flag back, so that one writes to the eventfd and not all; a bell that is rung
 * late costs a turn that finds nothing. tests/model/wake.pml is this as a model.
 *
 * Descriptors of queues are looked at by level: what lies in a queue when the worker
 * blocks wakes it at once.
 */
#ifndef DATAPLANE_WAIT_H
#define DATAPLANE_WAIT_H

#include <rte_atomic.h>
#include <rte_branch_prediction.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/rx_wait.h"

#define WAIT_SOURCES 128u

struct worker;

struct wait_source {
	uint16_t eth, queue;
	enum rx_wait_kind kind;
	int fd;
};

enum wait_end { WAIT_END_TIME, WAIT_END_BELL, WAIT_END_QUEUE };

struct wait {
	_Alignas(64) uint32_t asleep; /* atomic: 1 from arming until woken */
	_Alignas(64) int epoll;
	int bell;
	uint16_t sources;
	bool blind; /* a queue of ours has nothing to wait on: no long sleeps */
	struct wait_source source[WAIT_SOURCES];
};

/* After the devices have been started and queues given to workers. */
bool wait_create(struct worker *w);
void wait_free(struct worker *w);

/* From here on whoever puts something for us rings. Look at all there is, then block. */
void wait_arm(struct worker *w);
/* Sleeps so many us at most; what ended it. */
enum wait_end wait_block(struct worker *w, uint64_t us);
/* Awake, whatever the reason: queues interrupt no more. */
void wait_disarm(struct worker *w);

/* Rings without asking; any thread. */
void wait_bell(struct wait *t);

/* Rings for all in whose rings this worker has put something this turn: one fence for all. */
void wait_ring_owed(struct worker *w);

/* Something has been put into a ring of this worker; any thread. */
static inline void wait_ring(struct wait *t)
{
	rte_atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (unlikely(__atomic_load_n(&t->asleep, __ATOMIC_RELAXED)))
		wait_bell(t);
}

#endif
