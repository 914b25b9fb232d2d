/*
 * steer: to which worker something belongs, and on its way there.
 *
 * SIP: the bucket of its Call-ID; media: the slice of the port range; fragments:
 * a keyed hash of what names their datagram; ARP: worker 0. Rings have one
 * producer and one consumer, a pair for each (from, to). What a full ring does
 * not take is dropped and counted.
 */
#ifndef DATAPLANE_STEER_H
#define DATAPLANE_STEER_H

#include <rte_mbuf.h>
#include <stdint.h>

#include "dataplane/packet.h"

struct worker;
struct shard_message;

/* The owner of a classified packet. */
uint16_t steer_owner(struct worker *w, enum packet_kind kind, struct rte_mbuf *m);

/* Hands a packet over at the end of the burst. */
void steer_packet(struct worker *w, uint16_t to, struct rte_mbuf *m);
void steer_flush(struct worker *w);

/* An empty message, and its way to a worker (maybe ourselves); NULL when there is none. */
struct shard_message *steer_message(struct worker *w);
void steer_post(struct worker *w, uint16_t to, struct shard_message *msg);

/* Resolves a next hop, by message when we are not the table's writer. */
bool steer_neigh_want(struct worker *w, uint16_t port, uint32_t ip);

/* Takes what others sent us; how much. */
uint32_t steer_drain_packets(struct worker *w);
uint32_t steer_drain_messages(struct worker *w);

#endif
