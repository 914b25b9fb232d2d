/*
 * icmp: answers echo requests (RFC 792, RFC 1122 3.2.2.6), and nothing else.
 *
 * No error is ever sent: a border does not tell a scanner what is not there.
 */
#ifndef DATAPLANE_ICMP_H
#define DATAPLANE_ICMP_H

#include <rte_mbuf.h>
#include <stdbool.h>

#define ICMP_PER_SECOND 200u /* a worker */
#define ICMP_BURST      50u

struct worker;

/* Whether another echo request may be answered: one of the tokens is spent. */
bool icmp_rate_ok(struct worker *w);

/* Takes the packet. */
void icmp_receive(struct worker *w, struct rte_mbuf *m);

#endif
