/*
 * byte_ring: messages of any length from one thread to another, without locks.
 *
 * One thread puts, one takes. A message has a type, a head (a struct, aligned to
 * 16 bytes) and a rest of bytes, both copied in; it lies in one piece, so that the
 * taker reads it in place until it drops it. What does not fit is not put.
 *
 * Positions only grow; each is written by one side with release and read by the
 * other with acquire. The memory is the caller's.
 */
#ifndef DATAPLANE_BYTE_RING_H
#define DATAPLANE_BYTE_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/slice.h"

struct byte_ring {
	uint8_t *mem;
	uint32_t size; /* a power of two */
	/* The putter's. */
	_Alignas(64) uint64_t put; /* atomic */
	uint64_t seen_taken;
	/* The taker's. */
	_Alignas(64) uint64_t taken; /* atomic */
	uint64_t seen_put;
};

struct byte_ring_message {
	uint32_t type;
	void *head;
	struct slice rest;
};

/* `mem` is `size` bytes, a power of two of at least 64, aligned to 16. */
void byte_ring_init(struct byte_ring *r, void *mem, uint32_t size);

/* Bytes that a message takes; the longest is half the ring. */
uint32_t byte_ring_cost(uint32_t head_len, uint32_t rest_len);

/* ---- the putter's ---- */

/* False, and nothing put, when it does not fit beside `spare` bytes that are to stay free. */
bool byte_ring_put(struct byte_ring *r, uint32_t type, const void *head, uint32_t head_len,
		   struct slice rest, uint32_t spare);

/* Whether such a message would fit: what has room keeps it until it is put. */
bool byte_ring_fits(struct byte_ring *r, uint32_t head_len, uint32_t rest_len, uint32_t spare);

/* ---- the taker's ---- */

/* The oldest message, which stays until byte_ring_drop(); false: there is none. */
bool byte_ring_peek(struct byte_ring *r, struct byte_ring_message *m);
void byte_ring_drop(struct byte_ring *r);

/* ---- either's ---- */

/* Bytes in use, about. */
uint32_t byte_ring_used(const struct byte_ring *r);

#endif
