/*
 * reassembly: IPv4 fragments back into datagrams (RFC 791, RFC 815), within bounds.
 *
 * DPDK's ip_frag library is not used: its bound of fragments is fixed when DPDK
 * is built (8: under 12 kB at MTU 1500), it accepts overlaps, and it does not
 * tell what it gives up. Here a datagram with a true overlap is poisoned: it and
 * all its later fragments are dropped (as RFC 5722 does for IPv6); an exact copy
 * of a fragment is dropped alone, as networks do double packets. Bounds hold for
 * one worker; all fragments of a datagram meet at one worker (steer.h).
 */
#ifndef DATAPLANE_REASSEMBLY_H
#define DATAPLANE_REASSEMBLY_H

#include <rte_mbuf.h>
#include <stdint.h>

#define REASSEMBLY_DATAGRAMS  64u
#define REASSEMBLY_PER_SOURCE 8u
#define REASSEMBLY_FRAGMENTS  48u /* 64 KiB at MTU 1500 are 45 */
#define REASSEMBLY_HELD       1024u
#define REASSEMBLY_MS         2000u

struct reassembly;
struct worker;

struct reassembly *reassembly_create(void);
void reassembly_free(struct reassembly *r);

/*
 * Takes a fragment. Returns the whole datagram as a chain that begins with its
 * IPv4 header (packet.h) when this was the last one missing, else NULL.
 */
struct rte_mbuf *reassembly_add(struct worker *w, struct rte_mbuf *m);

/* Drops what has waited too long; call every ms. */
void reassembly_expire(struct worker *w);
/* When that has something to do; UINT64_MAX: never. */
uint64_t reassembly_due(const struct worker *w);

#endif
