#include "sbc/base/table.h"

#include <stdlib.h>

/* `next` of an index that is in no chain: neither an index nor TABLE_NONE. */
#define TABLE_OUT (UINT32_MAX - 1)

static uint32_t head_count(uint32_t capacity)
{
	uint32_t n = 1;

	while (n < capacity && n < (1u << 31))
		n <<= 1;
	return n;
}

void table_init(struct table *t, struct arena *a, uint32_t capacity)
{
	uint32_t heads = head_count(capacity);

	*t = (struct table){.mask = heads - 1};
	t->heads = arena_take(a, heads, sizeof(*t->heads));
	t->place = arena_take(a, capacity, sizeof(*t->place));
	if (t->heads == NULL || t->place == NULL)
		return;

	t->capacity = capacity;
	for (uint32_t i = 0; i < heads; i++)
		t->heads[i] = TABLE_NONE;
	for (uint32_t i = 0; i < capacity; i++)
		t->place[i].next = TABLE_OUT;
}

void table_insert(struct table *t, uint32_t index, uint32_t hash)
{
	if (index >= t->capacity || t->place[index].next != TABLE_OUT)
		abort();
	t->place[index].hash = hash;
	t->place[index].next = t->heads[hash & t->mask];
	t->heads[hash & t->mask] = index;
	t->count++;
}

void table_remove(struct table *t, uint32_t index)
{
	if (index >= t->capacity || t->place[index].next == TABLE_OUT)
		return;
	uint32_t *link = &t->heads[t->place[index].hash & t->mask];
	while (*link != index)
		link = &t->place[*link].next;
	*link = t->place[index].next;
	t->place[index].next = TABLE_OUT;
	t->count--;
}

static uint32_t matching(const struct table *t, uint32_t index, uint32_t hash)
{
	while (index != TABLE_NONE && t->place[index].hash != hash)
		index = t->place[index].next;
	return index;
}

uint32_t table_first(const struct table *t, uint32_t hash)
{
	/* A table that was only measured has no heads. */
	return t->count ? matching(t, t->heads[hash & t->mask], hash) : TABLE_NONE;
}

uint32_t table_next(const struct table *t, uint32_t index)
{
	return matching(t, t->place[index].next, t->place[index].hash);
}
