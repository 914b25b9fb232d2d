/* What is known of each id: a pool that grows, found by a keyed hash. */
#include <stdlib.h>
#include <string.h>

#include "control/node_key.h"
#include "control/store_internal.h"

#define FIRST_SIZE 1024u

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool store_id_parse(const char *text, uint8_t id[STORE_ID])
{
	for (uint32_t i = 0; i < STORE_ID; i++) {
		int hi = digit(text[2 * i]), lo = digit(text[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		id[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

void store_id_print(const uint8_t id[STORE_ID], char out[IDENT_LEN])
{
	for (uint32_t i = 0; i < STORE_ID; i++) {
		out[2 * i] = "0123456789abcdef"[id[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[id[i] & 15];
	}
}

static uint32_t slot_of(const struct store_table *t, uint16_t group, enum checkpoint_kind kind,
			const uint8_t id[STORE_ID])
{
	uint8_t bytes[STORE_ID + 2];

	memcpy(bytes, id, STORE_ID);
	bytes[STORE_ID] = (uint8_t)group;
	bytes[STORE_ID + 1] = (uint8_t)kind;
	return (uint32_t)siphash13(&t->key, bytes, sizeof(bytes)) & t->mask;
}

static void chain_all(struct store_table *t)
{
	memset(t->heads, 0xff, ((size_t)t->mask + 1) * sizeof(*t->heads));
	for (uint32_t i = 0; i < t->size; i++) {
		struct store_entry *e = &t->entry[i];
		uint32_t slot;

		if (!e->used)
			continue;
		slot = slot_of(t, e->group, e->kind, e->id);
		e->chain = t->heads[slot];
		t->heads[slot] = i;
	}
}

/* Twice the size, with as many heads as entries; all or nothing. */
static bool grow(struct store_table *t)
{
	uint32_t size = t->size ? t->size * 2 : FIRST_SIZE;
	struct store_entry *entry;
	uint32_t *heads;

	if (t->size >= t->max)
		return false;
	heads = malloc((size_t)size * sizeof(*heads));
	entry = heads ? realloc(t->entry, (size_t)size * sizeof(*entry)) : NULL;
	if (!entry) {
		free(heads);
		return false;
	}
	memset(entry + t->size, 0, (size_t)(size - t->size) * sizeof(*entry));
	for (uint32_t i = size; i-- > t->size;) {
		entry[i].chain = t->free;
		t->free = i;
	}
	free(t->heads);
	t->heads = heads;
	t->entry = entry;
	t->size = size;
	t->mask = size - 1;
	chain_all(t);
	return true;
}

bool store_table_init(struct store_table *t, uint32_t max)
{
	*t = (struct store_table){.free = STORE_NONE, .max = max};
	return node_key_random(&t->key) && grow(t);
}

void store_table_free(struct store_table *t)
{
	free(t->heads);
	free(t->entry);
	*t = (struct store_table){.free = STORE_NONE};
}

uint32_t store_table_find(const struct store_table *t, uint16_t group, enum checkpoint_kind kind,
			  const uint8_t id[STORE_ID])
{
	uint32_t i = t->heads[slot_of(t, group, kind, id)];

	while (i != STORE_NONE) {
		const struct store_entry *e = &t->entry[i];

		if (e->group == group && e->kind == kind && memcmp(e->id, id, STORE_ID) == 0)
			return i;
		i = e->chain;
	}
	return STORE_NONE;
}

uint32_t store_table_add(struct store_table *t, uint16_t group, enum checkpoint_kind kind,
			 const uint8_t id[STORE_ID])
{
	uint32_t i = store_table_find(t, group, kind, id), slot;
	struct store_entry *e;

	if (i != STORE_NONE)
		return i;
	if (t->count >= t->max || (t->free == STORE_NONE && !grow(t)))
		return STORE_NONE;
	i = t->free;
	e = &t->entry[i];
	t->free = e->chain;
	slot = slot_of(t, group, kind, id);
	*e = (struct store_entry){.group = (uint8_t)group,
				  .kind = (uint8_t)kind,
				  .used = true,
				  .prev = STORE_NONE,
				  .next = STORE_NONE,
				  .chain = t->heads[slot]};
	memcpy(e->id, id, STORE_ID);
	t->heads[slot] = i;
	t->count++;
	return i;
}

void store_table_remove(struct store_table *t, uint32_t i)
{
	struct store_entry *e = &t->entry[i];
	uint32_t *at = &t->heads[slot_of(t, e->group, e->kind, e->id)];

	while (*at != i)
		at = &t->entry[*at].chain;
	*at = e->chain;
	*e = (struct store_entry){.chain = t->free};
	t->free = i;
	t->count--;
}

void store_list_init(struct store_list *l)
{
	*l = (struct store_list){STORE_NONE, STORE_NONE, 0};
}

void store_list_push(struct store_table *t, struct store_list *l, uint32_t i, bool front)
{
	struct store_entry *e = &t->entry[i];

	e->prev = front ? STORE_NONE : l->tail;
	e->next = front ? l->head : STORE_NONE;
	if (e->prev != STORE_NONE)
		t->entry[e->prev].next = i;
	else
		l->head = i;
	if (e->next != STORE_NONE)
		t->entry[e->next].prev = i;
	else
		l->tail = i;
	l->count++;
}

void store_list_take(struct store_table *t, struct store_list *l, uint32_t i)
{
	struct store_entry *e = &t->entry[i];

	if (e->prev != STORE_NONE)
		t->entry[e->prev].next = e->next;
	else
		l->head = e->next;
	if (e->next != STORE_NONE)
		t->entry[e->next].prev = e->prev;
	else
		l->tail = e->prev;
	e->prev = e->next = STORE_NONE;
	l->count--;
}
