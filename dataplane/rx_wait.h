/*
 * rx_wait: what can be waited on for packets of a device's receive queue.
 *
 *   interrupt  the driver has receive interrupts a queue (virtio-user, NICs by VFIO):
 *              an eventfd, written while they are enabled
 *   socket     the driver reads from a socket or a tun descriptor of this process
 *              (AF_PACKET, AF_XDP, tap): readable while a packet is there
 *   none       net_ring, net_pcap, net_null: it can only be looked again
 *
 * The AF_PACKET and AF_XDP drivers do not tell their sockets. They are found among
 * the descriptors of this process, by what kind of socket they are, as those that
 * were not there before the driver made them: AF_PACKET's when the device is probed
 * (one a queue, in the order of the queues: the kernel gives the lowest number that
 * is free), AF_XDP's when the queue is set up. When the number found is not the
 * number looked for, there is none to wait on.
 */
#ifndef DATAPLANE_RX_WAIT_H
#define DATAPLANE_RX_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define RX_WAIT_FDS 4096u

enum rx_wait_kind { RX_WAIT_NONE, RX_WAIT_INTERRUPT, RX_WAIT_SOCKET };

struct rx_wait {
	enum rx_wait_kind kind;
	int fd;
};

/* Sockets of a family that this process has: a bit a descriptor. */
struct rx_wait_look {
	int family;
	uint64_t has[RX_WAIT_FDS / 64];
};

void rx_wait_look(struct rx_wait_look *look, int family);

/*
 * Those that have come since, ascending, when there are exactly `n` and, of
 * AF_PACKET, all are bound to an interface; else false and `fd` is as it was.
 */
bool rx_wait_found(const struct rx_wait_look *look, int *fd, uint16_t n);

/* Of a queue of a started device that was configured with receive interrupts. */
struct rx_wait rx_wait_interrupt(uint16_t eth, uint16_t queue);

#endif
