/*
 * device: an Ethernet device of DPDK's, brought up for the workers.
 *
 * Queue q of a device with index d is polled, and sent on, by worker (q + d) mod
 * workers. A worker that has no transmit queue of its own on a device hands its
 * packets by ring to one that has: nothing is ever sent from two threads on one
 * queue, and no lock is taken.
 */
#ifndef DATAPLANE_DEVICE_H
#define DATAPLANE_DEVICE_H

#include <rte_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "dataplane/rx_wait.h"
#include "dataplane/steer_rules.h"

#define DEVICE_NAME   64u
#define DEVICE_QUEUES 16u
#define DEVICE_VLANS  4096u

struct device {
	char name[DEVICE_NAME];
	uint16_t eth; /* DPDK's port id */
	uint16_t index;
	uint16_t rx_queues;
	uint16_t tx_queues;
	uint16_t mtu;
	bool probed;
	bool started;
	/*
	 * The kernel of this machine sends on it without having written checksums
	 * (CHECKSUM_PARTIAL): a pseudo-header sum in place of the checksum is whole.
	 */
	bool partial_checksums;
	/*
	 * AF_PACKET's fan-out puts fragments together before we see them, so its frames
	 * are larger than the MTU: packets come in buffers of a pool of their own. NULL:
	 * the worker's.
	 */
	struct rte_mempool *rx_pool;
	uint8_t mac[6];
	uint8_t port_of_vlan[DEVICE_VLANS]; /* our port + 1; 0: none */
	struct rte_ring *tx_ring[DP_MAX_WORKERS];
	struct rx_wait rx_wait[DEVICE_QUEUES];
	struct steer_rules rules;
};

struct dataplane;

/* Finds or probes, configures and starts all devices of the ports; fills port.device, .mac. */
bool devices_start(struct dataplane *dp, char *why, uint32_t why_len);
void devices_stop(struct dataplane *dp);

/* Memory that a device with a pool of its own takes beyond the workers' buffers, in MB. */
uint32_t device_memory_mb(const char *devargs);

/* The worker that polls a queue. */
uint16_t device_rx_owner(const struct dataplane *dp, const struct device *d, uint16_t queue);

/* The queue a worker sends on, or false with the worker that sends for it. */
bool device_tx_queue(const struct dataplane *dp, const struct device *d, uint16_t worker,
		     uint16_t *queue, uint16_t *owner);

#endif
