#include "sbc/base/pool.h"

#include <stdlib.h>
#include <string.h>

void pool_init(struct pool *p, struct arena *a, uint32_t capacity, uint32_t object_size)
{
	*p = (struct pool){.object_size = object_size, .free_head = POOL_NONE};
	p->objects = arena_take(a, capacity, object_size);
	p->place = arena_take(a, capacity, sizeof(*p->place));
	if (p->objects == NULL || p->place == NULL)
		return;

	p->capacity = capacity;
	for (uint32_t i = 0; i < capacity; i++)
		p->place[i].next = i + 1 < capacity ? i + 1 : POOL_NONE;
	p->free_head = capacity ? 0 : POOL_NONE;
}

uint32_t pool_take(struct pool *p)
{
	uint32_t i = p->free_head;

	if (i == POOL_NONE)
		return POOL_NONE;
	p->free_head = p->place[i].next;
	p->place[i].gen++;
	p->used++;
	memset(pool_at(p, i), 0, p->object_size);
	return i;
}

void pool_give(struct pool *p, uint32_t index)
{
	if (!pool_is_taken(p, index))
		abort();
	p->place[index].gen++;
	p->place[index].next = p->free_head;
	p->free_head = index;
	p->used--;
}
