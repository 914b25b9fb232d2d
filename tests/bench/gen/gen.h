/*
 * gen: a load generator on the other side of a border's two ports.
 *
 * It plays all callers (on the outside port) and all answerers (on the inside
 * port): sets calls up through the border with SIP, then sends RTP on every
 * stream and counts what comes back on the other port. Without --setup it sends
 * the same frames to anything that returns them (testpmd), which is the
 * reference. One thread, on purpose: the machine's other core is the border's.
 *
 * Addresses are in network order, ports in host order, times in TSC cycles.
 */
#ifndef TESTS_BENCH_GEN_H
#define TESTS_BENCH_GEN_H

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#define GEN_BURST       32u
#define GEN_RTP_FRAME   214u /* 14 Ethernet, 20 IPv4, 8 UDP, 12 RTP, 160 of G.711 */
#define GEN_RTP_BASE    10000u
#define GEN_PER_ADDRESS 25000u /* calls that one address has RTP ports for */
#define GEN_SIP_MAX     4096u

enum gen_side { GEN_OUT, GEN_IN };

/* One port of ours: the network that the border sees behind it. */
struct gen_port {
	uint16_t id;
	uint32_t ip;        /* first address; calls beyond GEN_PER_ADDRESS use the next ones */
	uint32_t border_ip; /* the border's */
	struct rte_ether_addr mac;
	struct rte_ether_addr border_mac;
	bool resolved;
};

enum gen_call_state { GEN_IDLE, GEN_INVITED, GEN_UP };

struct gen_call {
	uint64_t sent_at;
	uint16_t media[2]; /* the border's RTP port on each side */
	uint8_t state;
	uint8_t tries;
};

struct gen_stats {
	uint64_t tx[2], rx[2], rx_other, tx_full, bad;
};

struct gen {
	struct gen_port port[2];
	struct rte_mempool *pool;
	uint32_t calls;
	struct gen_call *call;
	struct rte_mbuf **stream[2]; /* one prepared frame a call, by the side that sends it */
	uint32_t *checksum[2];       /* UDP sum of a frame without sequence number and timestamp */
	uint16_t *seq[2];
	uint32_t next[2];
	bool reference; /* no border: frames are returned as they are */
	bool copies;    /* the device copies at once: prepared frames are sent themselves */
	uint32_t up, failed, retried;
	struct gen_stats stats;
};

/* frame.c */
uint32_t gen_address(const struct gen *g, enum gen_side side, uint32_t call);
uint16_t gen_rtp_port(uint32_t call);
struct rte_mbuf *gen_udp_frame(struct gen *g, enum gen_side side, uint32_t src_ip, uint16_t sport,
			       uint16_t dport, const void *payload, uint16_t len);
void gen_arp_request(struct gen *g, enum gen_side side);
bool gen_arp_input(struct gen *g, enum gen_side side, struct rte_mbuf *m);

/* sip.c: true when the message was one of ours and was handled */
void gen_sip_invite(struct gen *g, uint32_t call, uint64_t now);
void gen_sip_input(struct gen *g, enum gen_side side, const char *p, uint32_t len);

/* rtp.c */
int gen_rtp_prepare(struct gen *g);
uint16_t gen_rtp_send(struct gen *g, enum gen_side side, uint16_t n);

/* main.c: reads both ports once; returns frames read */
uint32_t gen_poll(struct gen *g);

#endif
