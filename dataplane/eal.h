/*
 * eal: brings DPDK's environment up from our configuration.
 *
 * Signals and the caller's CPU affinity stay the caller's: EAL's threads are
 * started with all signals blocked, and the affinity it gives to the calling
 * thread is taken back. Once a process.
 */
#ifndef DATAPLANE_EAL_H
#define DATAPLANE_EAL_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

/* True at once when it is up already. */
bool eal_start(const struct dp_conf *conf, char *why, uint32_t why_len);
void eal_stop(void);

/* Whether a device string names a PCI address ("0000:01:00.0"). */
bool eal_is_pci(const char *device);

/* Whether it names a virtio-user device, under either name that DPDK's driver has. */
bool eal_is_virtio_user(const char *device);

/* Mbufs of a worker's pool, and bytes of data in each. */
uint32_t eal_mbufs(const struct dp_conf *conf);
uint16_t eal_mbuf_room(const struct dp_conf *conf);

#endif
