/*
 * output: from an IPv4 datagram to frames on a port.
 *
 * Finds the next hop, waits for it to be resolved (a bounded number of packets
 * for a bounded number of hops), cuts what is longer than the MTU into fragments
 * (RFC 791), and puts the Ethernet and 802.1Q headers in front.
 */
#ifndef DATAPLANE_OUTPUT_H
#define DATAPLANE_OUTPUT_H

#include <rte_mbuf.h>
#include <stdint.h>

#include "sbc/base/net.h"
#include "sbc/base/slice.h"

#define OUTPUT_PENDING_MS 5000u

struct worker;
struct port;

/* Writes 14 or 18 bytes of header; returns how many. */
uint32_t output_l2(const struct port *p, uint8_t *l2, const uint8_t to[6], uint16_t type);

/* Puts a header before the payload in `m` and sends it. */
void output_frame(struct worker *w, uint16_t port, struct rte_mbuf *m, const uint8_t to[6],
		  uint16_t type);

/* `m` begins with an IPv4 header, from an address of ours, and fits the MTU. */
void output_packet(struct worker *w, uint16_t port, struct rte_mbuf *m);

/* A whole datagram with right checksums; it is copied. */
void output_datagram(struct worker *w, uint16_t port, uint8_t *ip, uint32_t n);

/* `bytes` by UDP. */
void output_udp(struct worker *w, uint16_t port, struct net_addr src, struct net_addr dst,
		uint8_t tos, struct slice bytes);

/* Sends or drops what has waited for its next hop; call every ms. */
void output_pending(struct worker *w);

/* Frees what is waiting, uncounted: at the end. */
void output_free(struct worker *w);

#endif
