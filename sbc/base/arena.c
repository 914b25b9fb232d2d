#include "sbc/base/arena.h"

#include <string.h>

void arena_init(struct arena *a, void *base, size_t cap)
{
	*a = (struct arena){.base = base, .cap = base != NULL ? cap : 0};
}

/* Bytes that a block takes up; SIZE_MAX when that is more than can be counted. */
static size_t block_size(size_t count, size_t size)
{
	if (size != 0 && count > (SIZE_MAX - ARENA_ALIGN) / size)
		return SIZE_MAX;
	return (count * size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

void *arena_take(struct arena *a, size_t count, size_t size)
{
	size_t need = block_size(count, size), at = a->used;

	/* An overflow sticks, as SIZE_MAX: arena_ok() can never be true again. */
	a->used = need > SIZE_MAX - at ? SIZE_MAX : at + need;
	if (a->base == NULL || a->used > a->cap)
		return NULL;
	return a->zeroed ? a->base + at : memset(a->base + at, 0, need);
}
