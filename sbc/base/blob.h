/*
 * blob: variable-size blocks from a few fixed size classes.
 *
 * Holds what outlives the receive buffer and has no fixed size: a dialog's
 * strings, a message kept for retransmission. A block comes from the smallest
 * class that fits and has one; larger classes are not broken up, so a class
 * that is used up falls through to the next larger. Refs are 32-bit, 0 is none.
 * Every block has one owner, who frees it.
 */
#ifndef SBC_BASE_BLOB_H
#define SBC_BASE_BLOB_H

#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/prefetch.h"
#include "sbc/base/slice.h"

#define BLOB_CLASSES 5u

struct blob_class {
	uint32_t size; /* bytes usable in a block of this class */
	uint32_t count;
};

struct blob_place {
	uint32_t next; /* free list; BLOB_TAKEN while in use */
	uint32_t len;
};

struct blob_store {
	struct blob_class cls[BLOB_CLASSES]; /* ascending by size; unused ones have count 0 */
	uint8_t *mem[BLOB_CLASSES];
	struct blob_place *place[BLOB_CLASSES]; /* by a block's index */
	uint32_t head[BLOB_CLASSES];
	uint32_t used[BLOB_CLASSES];
};

void blob_init(struct blob_store *b, struct arena *a, const struct blob_class cls[BLOB_CLASSES]);

/* A block of at least `n` bytes, its length set to `n`; 0 when none is left. */
uint32_t blob_take(struct blob_store *b, uint32_t n);

/* blob_take() and copy. */
uint32_t blob_copy(struct blob_store *b, struct slice s);

/* Shortens or lengthens within the block's class; `n` must fit blob_room(). */
void blob_set_len(struct blob_store *b, uint32_t ref, uint32_t n);
uint32_t blob_room(const struct blob_store *b, uint32_t ref);

/* NULL and SLICE_NONE for 0; a ref to a free block aborts, here as in every call. */
char *blob_ptr(const struct blob_store *b, uint32_t ref);
struct slice blob_slice(const struct blob_store *b, uint32_t ref);

/* Freeing 0 does nothing; freeing a free block aborts. */
void blob_give(struct blob_store *b, uint32_t ref);

/* Asks for a block, its first `n` bytes at most, and what is known of it: see prefetch.h. */
void blob_ahead(const struct blob_store *b, uint32_t ref, uint32_t n);

/* Blocks in use over all classes: 0 when everything has come back. */
uint32_t blob_used(const struct blob_store *b);

#endif
