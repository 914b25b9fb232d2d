/*
 * frame: builds and reads small Ethernet frames for the tests of the dataplane.
 *
 * Written apart from dataplane/: its own offsets and its own checksum, so that a
 * mistake there is not repeated here. Addresses are given as the dotted quad's
 * number (0x0a000001), ports in host order.
 */
#ifndef TESTS_DATAPLANE_FRAME_H
#define TESTS_DATAPLANE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define FRAME_MAX 9216u

struct frame {
	uint32_t n;
	uint8_t b[FRAME_MAX];
};

/* What a frame is made of; zeroes mean the usual. */
struct frame_spec {
	const uint8_t *to, *from; /* Ethernet */
	uint16_t vlan;            /* 0: untagged */
	uint32_t src, dst;
	uint16_t sport, dport;
	uint16_t id;
	uint16_t frag;   /* flags and offset as in the header */
	uint8_t ttl;     /* 0: 64; TTL_ZERO for a zero */
	uint8_t proto;   /* 0: UDP */
	uint8_t options; /* bytes of IP options, a multiple of 4 */
	bool no_checksum;
};

#define TTL_ZERO 0xff

/* Ethernet, IPv4 and UDP around `payload`, all checksums right. */
void frame_udp(struct frame *f, const struct frame_spec *s, const void *payload, uint32_t n);

/* Ethernet and IPv4 around `payload`. */
void frame_ip(struct frame *f, const struct frame_spec *s, const void *payload, uint32_t n);

void frame_icmp_echo(struct frame *f, const struct frame_spec *s, uint16_t seq, uint32_t n);

/* `op` 1 is a request, 2 a reply. */
void frame_arp(struct frame *f, const struct frame_spec *s, uint16_t op, const uint8_t *sha,
	       uint32_t sip, uint32_t tip);

/*
 * Ethernet, IPv6 and `n` bytes of ICMPv6, whose checksum is written. Addresses are
 * 16 bytes.
 */
void frame_icmp6(struct frame *f, const struct frame_spec *s, const uint8_t *src,
		 const uint8_t *dst, uint8_t hops, const void *icmp, uint32_t n);

/* A frame taken apart; `ok` only when every length and checksum is right. */
struct frame_view {
	bool ok;
	uint8_t to[6], from[6];
	uint16_t vlan, type;
	/* ARP */
	uint16_t op;
	uint8_t sha[6], tha[6];
	uint32_t sip, tip;
	/* IPv4 */
	uint32_t src, dst;
	uint16_t id, frag;
	uint8_t tos, ttl, proto;
	/* UDP; `payload` is IPv4's when it is another protocol or a fragment */
	uint16_t sport, dport;
	bool no_checksum;
	const uint8_t *payload;
	uint32_t n;
};
struct frame_view frame_read(const struct frame *f);

/* Sum over `n` bytes: 0xffff when they hold a right checksum. */
uint16_t frame_sum(const uint8_t *p, uint32_t n);

/* Sets the IPv4 header checksum of a frame that was changed. */
void frame_fix_ip(struct frame *f);

/* An RTP packet of `n` bytes of payload into `out`; returns its length. */
uint32_t frame_rtp(uint8_t *out, uint32_t ssrc, uint16_t seq, uint32_t timestamp, uint32_t n);

#endif
