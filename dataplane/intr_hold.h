/*
 * intr_hold: keeps DPDK's interrupt thread from running callbacks of devices.
 *
 * net_virtio_user (22.11) takes back its callback while it is being closed, and
 * does not look whether that could be done: while the callback runs it cannot,
 * and what the vhost side answers during the close makes it run. It then reads a
 * device that is gone. Alarms run in the same thread, so one that waits keeps
 * all callbacks out meanwhile.
 *
 * Not for a thread that DPDK's interrupt thread may wait for.
 */
#ifndef DATAPLANE_INTR_HOLD_H
#define DATAPLANE_INTR_HOLD_H

#include <semaphore.h>
#include <stdbool.h>

struct intr_hold {
	sem_t held, go, gone;
	bool holds;
};

/* Returns when no callback runs. Without an alarm to be had it does nothing. */
void intr_hold(struct intr_hold *h);
/* Lets callbacks run again; `h` may go then. */
void intr_release(struct intr_hold *h);

#endif
