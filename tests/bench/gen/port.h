/*
 * port: the two ports, frames out of and into them, ARP.
 *
 * Frames that a device does not take at once wait in a queue and go first the
 * next time; one that finds the queue full is freed and counted (tx_dropped).
 */
#ifndef TESTS_BENCH_GEN_PORT_H
#define TESTS_BENCH_GEN_PORT_H

#include "tests/bench/gen/gen.h"

int port_start(struct gen *g, enum side side);
bool port_linked(const struct gen *g, enum side side);

/* Takes the frame over. */
void port_send(struct gen *g, enum side side, struct rte_mbuf *m);
uint32_t port_flush(struct gen *g, enum side side); /* frames that the device took */

/* An empty frame, and where its UDP payload begins; NULL counts no_mbuf. */
struct rte_mbuf *frame_new(struct gen *g, struct out *o);

struct frame_way {
	uint32_t src, dst;
	uint16_t sport, dport;
};

/* Writes the headers before a payload that ends at `o`. */
void frame_finish(struct gen *g, enum side side, struct rte_mbuf *m, const struct out *o,
		  struct frame_way way);

/* The headers alone (GEN_HEADERS bytes), with a UDP checksum of 0. */
void frame_head(const struct gen *g, enum side side, uint8_t *to, struct frame_way way,
		uint16_t payload);

/* What an IPv4 UDP frame holds; false when it is none, or not well-formed. */
struct frame_seen {
	struct frame_way way;
	const uint8_t *payload;
	uint16_t n;
};

bool frame_read(const struct rte_mbuf *m, struct frame_seen *seen);

/* One's complement sum over UDP pseudo header, header and payload is right, or there is none. */
bool frame_checksum_ok(const struct rte_mbuf *m);

void arp_request(struct gen *g, enum side side);
/* True when it was ARP. Answers for our addresses, learns the border's. */
bool arp_input(struct gen *g, enum side side, const struct rte_mbuf *m);

#endif
