/*
 * pool: a fixed number of equal objects, named by handles that go stale.
 *
 * A handle is (generation << 32 | index); generation is never 0, so 0 is no
 * handle. Freeing an object ages its generation: pool_get() on an old handle
 * answers NULL instead of somebody else's object. The free list is LIFO, as the
 * object freed last is the one still in cache. Objects are zeroed on take.
 */
#ifndef SBC_BASE_POOL_H
#define SBC_BASE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/prefetch.h"

#define POOL_NONE UINT32_MAX

struct pool_place {
	uint32_t gen;  /* odd while taken */
	uint32_t next; /* free list */
};

struct pool {
	uint8_t *objects;
	struct pool_place *place; /* by index */
	uint32_t object_size;
	uint32_t capacity;
	uint32_t used;
	uint32_t free_head;
};

/* Cuts `capacity` objects of `object_size` bytes from the arena. */
void pool_init(struct pool *p, struct arena *a, uint32_t capacity, uint32_t object_size);

/* The index of a zeroed object, or POOL_NONE when all are taken. */
uint32_t pool_take(struct pool *p);

/* Gives an object back. A free object given back again is an error that aborts. */
void pool_give(struct pool *p, uint32_t index);

/* Whether the object at an index is taken: for walks over the whole pool. */
static inline bool pool_is_taken(const struct pool *p, uint32_t index)
{
	return index < p->capacity && (p->place[index].gen & 1);
}

/* No check: for an index that is known to be live. */
static inline void *pool_at(const struct pool *p, uint32_t index)
{
	return p->objects + (uint64_t)index * p->object_size;
}

static inline uint64_t pool_handle(const struct pool *p, uint32_t index)
{
	return (uint64_t)p->place[index].gen << 32 | index;
}

static inline uint32_t pool_index(uint64_t handle)
{
	return (uint32_t)handle;
}

/* Whether pool_get() or pool_give() of this index will find it taken, see prefetch.h. */
static inline void pool_place_ahead(const struct pool *p, uint32_t index)
{
	prefetch(&p->place[index]);
}

/* The object a handle names, or NULL when it is gone. */
static inline void *pool_get(const struct pool *p, uint64_t handle)
{
	uint32_t i = (uint32_t)handle;

	if (i >= p->capacity || p->place[i].gen != (uint32_t)(handle >> 32) ||
	    !(p->place[i].gen & 1))
		return NULL;
	return pool_at(p, i);
}

#endif
