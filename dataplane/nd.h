/*
 * nd: the little of IPv6 that a border without IPv6 needs: its addresses' groups
 * are announced, neighbour solicitations for them (RFC 4861 7.2) are answered, and
 * so are echo requests (RFC 4443 4.2), within the rate of icmp.h. An answer goes to
 * the station that asked: no neighbour is learned, nothing is ever resolved.
 */
#ifndef DATAPLANE_ND_H
#define DATAPLANE_ND_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/reason.h"

struct worker;
struct port;

/* Whether an IPv6 frame to this station is for us to look at; port and l2_len are noted in it. */
bool nd_is_ours(const struct port *p, struct rte_mbuf *m);

/* Takes such a packet. */
void nd_receive(struct worker *w, struct rte_mbuf *m);

/* An unsolicited advertisement of one of our addresses to all nodes (RFC 4861 7.2.6). */
void nd_announce(struct worker *w, uint16_t port, const uint8_t ip[16]);

#endif
