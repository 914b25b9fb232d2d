/*
 * bed: a border in one process, its wires in the test's hands.
 *
 * Two ports (or one device with VLANs) on net_ring devices: what a test puts in a
 * port's ring arrives there, what the border sends is taken out of the other.
 * The workers' loops are turned by bed_turn() at the bed's own time, so that a
 * test sees one certain outcome. EAL comes up with the first bed of a process.
 */
#ifndef TESTS_DATAPLANE_BED_H
#define TESTS_DATAPLANE_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/worker.h"
#include "tests/dataplane/frame.h"

/* cmocka's fail does not return, but does not say so to the compiler. */
#define bed_fail(...)                                                                              \
	do {                                                                                       \
		fail_msg(__VA_ARGS__);                                                             \
		abort();                                                                           \
	} while (0)

#define BED_PORTS 2u

/* Ports by number. */
#define OUTSIDE 0u
#define INSIDE  1u

#define OUT_IP 0xcb007101u /* 203.0.113.1 */
#define OUT_GW 0xcb0071feu
#define PHONE  0xcb007132u /* 203.0.113.50, on-link */
#define FAR    0xc6336407u /* 198.51.100.7, behind the gateway */
#define IN_IP  0x0a000001u /* 10.0.0.1 */
#define PBX    0x0a00000au
#define SIP    5060u

extern const uint8_t OUT_MAC[6], IN_MAC[6], PHONE_MAC[6], PBX_MAC[6], GW_MAC[6], EVIL_MAC[6];

struct bed {
	struct dataplane *dp;
	struct dp_conf conf;
	struct snapshot snapshot;
	uint16_t queues;
	bool apart; /* each queue receives from a ring of its own: bed_put_to() */
	struct rte_ring *rx[BED_PORTS], *tx[BED_PORTS];
	struct rte_ring *rx_of[BED_PORTS][DEVICE_QUEUES];
	struct rte_mempool *pool;
	uint64_t now;
	uint32_t devices;
};

/* Fills the configuration; a test changes it before bed_open(). */
void bed_init(struct bed *b, uint16_t workers);

/* Makes devices and dataplane. `tx_room` is the size of the output rings (0: 4096). */
void bed_open(struct bed *b, uint32_t tx_room);

/* Checks that every buffer has come back, and takes all down. */
void bed_close(struct bed *b);

/* A frame arrives. */
void bed_put(struct bed *b, uint32_t port, const struct frame *f);

/* A packet in a certain queue. */
void bed_put_to(struct bed *b, uint32_t port, uint16_t queue, const struct frame *f);

/* All workers turn, a few times, at the bed's time; or after `ms` of it in steps. */
void bed_turn(struct bed *b);
void bed_elapse(struct bed *b, uint64_t ms);

/* Time passes without a turn: the process was stopped. */
void bed_sleep(struct bed *b, uint64_t ms);

/* The next frame sent; false when there is none. */
bool bed_take(struct bed *b, uint32_t port, struct frame *f);

/* The next one, which must be there and right. */
struct frame_view bed_expect(struct bed *b, uint32_t port, struct frame *f);
void bed_expect_silence(struct bed *b);
/* Throws away what was sent. */
void bed_drain(struct bed *b);

/* The host makes itself known by asking who has our address; the answer is taken. */
void bed_learn(struct bed *b, uint32_t port, uint32_t ip, const uint8_t *mac);

/* Both: the phone (and the gateway) outside, the PBX inside. */
void bed_learn_all(struct bed *b);

/* Addressed from a host to our port. */
struct frame_spec bed_spec(uint32_t port, uint32_t src, const uint8_t *mac);

/* Of all workers' packet paths, and with the engines'. */
uint64_t bed_count(const struct bed *b, enum reason r);
#define bed_assert_count(b, r, n) assert_int_equal(bed_count(b, REASON_##r), n)

#endif
