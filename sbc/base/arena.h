/*
 * arena: cuts the one block that a module is given at start.
 *
 * Allocation happens while starting and never after; there is no free. With
 * `base` NULL the arena only measures: run the same start-up code once to learn
 * the size, get that block, run it again. Blocks are aligned to 64 bytes, so
 * that tables start on a cache line, and zeroed; `base` itself must be.
 */
#ifndef SBC_BASE_ARENA_H
#define SBC_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARENA_ALIGN 64u

struct arena {
	uint8_t *base;
	size_t used;
	size_t cap;
	bool zeroed; /* `base` is zeroes already and is not written, so not had, until it is used */
};

void arena_init(struct arena *a, void *base, size_t cap);

/* NULL when measuring or when the block is used up; `used` grows either way. */
void *arena_take(struct arena *a, size_t count, size_t size);

/* Whether all that was taken fitted. */
static inline int arena_ok(const struct arena *a)
{
	return a->base != NULL && a->used <= a->cap;
}

#endif
