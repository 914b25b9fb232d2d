#include "sbc/base/blob.h"

#include <stdlib.h>

#define BLOB_END   UINT32_MAX
#define BLOB_TAKEN (UINT32_MAX - 1)

/* A ref is the class, counted from 1, above the block's index. */
#define CLASS_SHIFT 28u
#define INDEX_MASK  ((1u << CLASS_SHIFT) - 1)

static void class_init(struct blob_store *b, struct arena *a, uint32_t c)
{
	uint32_t count = b->cls[c].count;

	if (count > INDEX_MASK)
		abort();
	b->mem[c] = arena_take(a, count, b->cls[c].size);
	b->place[c] = arena_take(a, count, sizeof(**b->place));
	b->head[c] = BLOB_END;
	if (b->mem[c] == NULL || b->place[c] == NULL)
		return;
	for (uint32_t i = 0; i < count; i++)
		b->place[c][i].next = i + 1 < count ? i + 1 : BLOB_END;
	b->head[c] = count ? 0 : BLOB_END;
}

void blob_init(struct blob_store *b, struct arena *a, const struct blob_class cls[BLOB_CLASSES])
{
	*b = (struct blob_store){0};
	memcpy(b->cls, cls, sizeof(b->cls));
	for (uint32_t c = 0; c < BLOB_CLASSES; c++)
		class_init(b, a, c);
}

uint32_t blob_take(struct blob_store *b, uint32_t n)
{
	for (uint32_t c = 0; c < BLOB_CLASSES; c++) {
		uint32_t i = b->head[c];
		if (b->cls[c].size < n || i == BLOB_END)
			continue;
		b->head[c] = b->place[c][i].next;
		b->place[c][i].next = BLOB_TAKEN;
		b->place[c][i].len = n;
		b->used[c]++;
		return (c + 1) << CLASS_SHIFT | i;
	}
	return 0;
}

uint32_t blob_copy(struct blob_store *b, struct slice s)
{
	uint32_t ref = blob_take(b, s.n);

	if (ref && s.n)
		memcpy(blob_ptr(b, ref), s.p, s.n);
	return ref;
}

/* The class of a ref that names a block in use; any other ref is a defect of the caller. */
static uint32_t class_of(const struct blob_store *b, uint32_t ref)
{
	uint32_t c = (ref >> CLASS_SHIFT) - 1, i = ref & INDEX_MASK;

	if (c >= BLOB_CLASSES || i >= b->cls[c].count || b->place[c][i].next != BLOB_TAKEN)
		abort();
	return c;
}

void blob_set_len(struct blob_store *b, uint32_t ref, uint32_t n)
{
	uint32_t c = class_of(b, ref);

	if (n > b->cls[c].size)
		abort();
	b->place[c][ref & INDEX_MASK].len = n;
}

uint32_t blob_room(const struct blob_store *b, uint32_t ref)
{
	return b->cls[class_of(b, ref)].size;
}

char *blob_ptr(const struct blob_store *b, uint32_t ref)
{
	if (ref == 0)
		return NULL;
	uint32_t c = class_of(b, ref);
	return (char *)b->mem[c] + (size_t)(ref & INDEX_MASK) * b->cls[c].size;
}

struct slice blob_slice(const struct blob_store *b, uint32_t ref)
{
	if (ref == 0)
		return SLICE_NONE;
	uint32_t c = class_of(b, ref), i = ref & INDEX_MASK;
	return slice_of((const char *)b->mem[c] + (size_t)i * b->cls[c].size, b->place[c][i].len);
}

void blob_give(struct blob_store *b, uint32_t ref)
{
	if (ref == 0)
		return;
	uint32_t c = class_of(b, ref), i = ref & INDEX_MASK;
	b->place[c][i].next = b->head[c];
	b->head[c] = i;
	b->used[c]--;
}

void blob_ahead(const struct blob_store *b, uint32_t ref, uint32_t n)
{
	uint32_t c = (ref >> CLASS_SHIFT) - 1, i = ref & INDEX_MASK;

	if (c >= BLOB_CLASSES || i >= b->cls[c].count)
		return;
	prefetch(&b->place[c][i]);
	prefetch_lines(b->mem[c] + (size_t)i * b->cls[c].size,
		       n < b->cls[c].size ? n : b->cls[c].size);
}

uint32_t blob_used(const struct blob_store *b)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c < BLOB_CLASSES; c++)
		n += b->used[c];
	return n;
}
