/*
 * telemetry: DPDK telemetry commands, for dpdk-telemetry.py:
 *   /postern/ports    each port with its device's counters
 *   /postern/workers  each worker's loop, packets, calls, buffers
 *   /postern/drops    every reason that has been counted, all workers together
 *   /postern/flows    flows of each worker, relayed and refused packets
 *
 * The commands run in DPDK's telemetry thread. Workers publish copies of their
 * counters as atomics a few times a second; the thread reads those.
 */
#ifndef DATAPLANE_TELEMETRY_H
#define DATAPLANE_TELEMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/reason.h"

#define TELEMETRY_PERIOD_MS 250u

enum telemetry_value {
	TELEMETRY_LOOPS,
	TELEMETRY_BUSY_LOOPS,
	TELEMETRY_RX_PACKETS,
	TELEMETRY_TX_PACKETS,
	TELEMETRY_RELAYED,
	TELEMETRY_HANDED_OFF,
	TELEMETRY_RECORDS_LOST,
	TELEMETRY_SLEEPS,
	TELEMETRY_WOKEN_BY_PACKET,
	TELEMETRY_WOKEN_BY_BELL,
	TELEMETRY_FLOWS,
	TELEMETRY_CALLS,
	TELEMETRY_REGISTRATIONS,
	TELEMETRY_MBUFS_FREE,
	TELEMETRY_BUSY_US,
	TELEMETRY_VALUES
};

/* Atomics: written by the worker, read by the telemetry thread. */
struct telemetry_published {
	uint64_t value[TELEMETRY_VALUES];
	uint64_t reason[REASON_COUNT];
};

struct dataplane;
struct worker;

/* One dataplane at a time. */
bool telemetry_start(struct dataplane *dp);
void telemetry_stop(void);

void telemetry_publish(struct worker *w);

#endif
