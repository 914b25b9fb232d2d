/*
 * checksum: the Internet checksum (RFC 1071) over contiguous bytes.
 *
 * Sums are over words in machine order: byte order does not matter to a ones'
 * complement sum (RFC 1071 section 2 B). They are over 64-bit words with the carry
 * added at the other end (2 A, C), and left in 33 bits, so that a few more words can be
 * added to one without a thought.
 */
#ifndef DATAPLANE_CHECKSUM_H
#define DATAPLANE_CHECKSUM_H

#include <assert.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/packet.h"

static inline uint64_t checksum_word(uint64_t sum, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	sum += word;
	return sum + (sum < word);
}

static inline uint64_t checksum_add(uint64_t sum, const uint8_t *p, uint32_t n)
{
	uint8_t rest[8] = {0};

	for (; n >= 32; n -= 32, p += 32) {
		sum = checksum_word(sum, p);
		sum = checksum_word(sum, p + 8);
		sum = checksum_word(sum, p + 16);
		sum = checksum_word(sum, p + 24);
	}
	for (; n >= 8; n -= 8, p += 8)
		sum = checksum_word(sum, p);
	if (n) {
		memcpy(rest, p, n);
		sum = checksum_word(sum, rest);
	}
	return (sum & 0xffffffff) + (sum >> 32);
}

static inline uint16_t checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline bool checksum_ip_ok(const uint8_t *ip, uint32_t n)
{
	return checksum_fold(checksum_add(0, ip, n)) == 0xffff;
}

/* Writes the header checksum of an IPv4 header of `n` bytes. */
static inline void checksum_ip_write(uint8_t *ip, uint32_t n)
{
	uint16_t sum;

	memset(ip + IP4_SUM, 0, 2);
	sum = (uint16_t)~checksum_fold(checksum_add(0, ip, n));
	memcpy(ip + IP4_SUM, &sum, 2);
}

/* RFC 768's pseudo header; `ip` has no options, `n` is the UDP length. */
static inline uint64_t checksum_pseudo(const uint8_t *ip, uint32_t n)
{
	return checksum_add(0, ip + IP4_SRC, 8) + htons((uint16_t)n) + htons(IPPROTO_UDP);
}

/* Writes the UDP checksum of a whole datagram whose UDP part is `n` bytes. */
static inline void checksum_udp_write(uint8_t *ip, uint32_t n)
{
	uint16_t sum;

	memset(ip + UDP_SUM, 0, 2);
	sum = (uint16_t)~checksum_fold(checksum_add(checksum_pseudo(ip, n), ip + PACKET_IP_LEN, n));
	/* RFC 768: a computed zero is sent as all ones, zero means none. */
	if (sum == 0)
		sum = 0xffff;
	memcpy(ip + UDP_SUM, &sum, 2);
}

/* Whether a datagram of `n` bytes with its IPv4 header has a right UDP checksum, or none. */
static inline bool checksum_udp_ok(const uint8_t *ip, uint32_t n)
{
	uint32_t udp = n - PACKET_IP_LEN;

	if (ip[UDP_SUM] == 0 && ip[UDP_SUM + 1] == 0)
		return true;
	return checksum_fold(checksum_add(checksum_pseudo(ip, udp), ip + PACKET_IP_LEN, udp)) ==
	       0xffff;
}

/*
 * What a delta makes of a datagram: right before, right after; wrong before, wrong
 * after. Debug builds look at every one.
 */
#ifdef NDEBUG
#define CHECKSUM_VERIFIED(ip, n)      false
#define CHECKSUM_ASSERT(ip, n, right) ((void)(right))
#else
#define CHECKSUM_VERIFIED(ip, n) checksum_udp_ok(ip, n)
#define CHECKSUM_ASSERT(ip, n, right)                                                              \
	do {                                                                                       \
		assert(checksum_ip_ok(ip, PACKET_IP_LEN));                                         \
		assert(checksum_udp_ok(ip, n) == (right));                                         \
	} while (0)
#endif

#endif
