/*
 * arp: RFC 826 packets of ours and for us. Worker 0 only; see neigh.h.
 */
#ifndef DATAPLANE_ARP_H
#define DATAPLANE_ARP_H

#include <rte_mbuf.h>
#include <stdint.h>

struct worker;

/* Takes the packet: answers, learns, drops. */
void arp_receive(struct worker *w, struct rte_mbuf *m);

/* Asks who has `ip`: all stations, or with `mac` that one. */
void arp_request(struct worker *w, uint16_t port, uint32_t ip, const uint8_t *mac);

/* Announces an address of ours (RFC 5227 2.3), or all that are active. */
void arp_announce(struct worker *w, uint16_t port, uint32_t ip);
void arp_announce_all(struct worker *w);

#endif
