/*
 * classify: what a received frame is, from Ethernet to UDP.
 *
 * Every frame that is not taken has one reason. Accepted are: for one of our
 * VLANs and stations; ARP; IPv4 to an address of ours from a host that can exist,
 * with right header checksum; whole or fragment; ICMP, or UDP with a right
 * checksum (none is right too: RFC 768) to a media range or a SIP listener. The
 * checksum of what came to a media range in one piece is left to the relay: what
 * flows as it should is changed by a delta and needs no look at its payload. IP
 * options are cut out: none of them means anything to a border (RFC 7126).
 */
#ifndef DATAPLANE_CLASSIFY_H
#define DATAPLANE_CLASSIFY_H

#include <rte_mbuf.h>

#include "dataplane/packet.h"
#include "sbc/base/reason.h"

struct worker;
struct device;

/* Notes in the mbuf what packet.h says. PACKET_DROP sets `*why`; the mbuf stays the caller's. */
enum packet_kind classify_frame(struct worker *w, const struct device *dev, struct rte_mbuf *m,
				enum reason *why);

/* The same from layer 4 on, for a datagram just put together. */
enum packet_kind classify_datagram(struct worker *w, struct rte_mbuf *m, enum reason *why);

/* The UDP checksum of a packet for a flow, if nobody has verified it so far. */
bool classify_checksum_ok(struct rte_mbuf *m);

#endif
