#include "dataplane/byte_ring.h"

#include <string.h>

#define ALIGN  16u
#define FILLER UINT32_MAX /* type of what lies between the last message and the end */

/* Ahead of each message; `len` is all of it with this, a multiple of ALIGN. */
struct block {
	uint32_t len, type, head_len, rest_len;
};

static uint64_t aligned(uint64_t n)
{
	return (n + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
}

void byte_ring_init(struct byte_ring *r, void *mem, uint32_t size)
{
	memset(r, 0, sizeof(*r));
	r->mem = mem;
	r->size = size;
}

static uint64_t cost_of(uint32_t head_len, uint32_t rest_len)
{
	return sizeof(struct block) + aligned(head_len) + aligned(rest_len);
}

uint32_t byte_ring_cost(uint32_t head_len, uint32_t rest_len)
{
	uint64_t n = cost_of(head_len, rest_len);

	return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* A message that would go over the end begins at the start: the bytes to there are lost too. */
static uint64_t needed(const struct byte_ring *r, uint64_t len)
{
	uint64_t to_end = r->size - (r->put & (r->size - 1));

	return len > to_end ? to_end + len : len;
}

static bool has_room(struct byte_ring *r, uint64_t need)
{
	if (need <= r->size - (r->put - r->seen_taken))
		return true;
	r->seen_taken = __atomic_load_n(&r->taken, __ATOMIC_ACQUIRE);
	return need <= r->size - (r->put - r->seen_taken);
}

bool byte_ring_fits(struct byte_ring *r, uint32_t head_len, uint32_t rest_len, uint32_t spare)
{
	uint64_t len = cost_of(head_len, rest_len);

	return len <= r->size / 2 && has_room(r, needed(r, len) + spare);
}

static struct block *block_at(const struct byte_ring *r, uint64_t at)
{
	return (struct block *)(void *)(r->mem + (at & (r->size - 1)));
}

bool byte_ring_put(struct byte_ring *r, uint32_t type, const void *head, uint32_t head_len,
		   struct slice rest, uint32_t spare)
{
	uint64_t len = cost_of(head_len, rest.n);
	uint64_t put = r->put;
	uint64_t gap;
	struct block *b;

	if (!byte_ring_fits(r, head_len, rest.n, spare))
		return false;
	gap = needed(r, len) - len;
	if (gap != 0)
		*block_at(r, put) = (struct block){.len = (uint32_t)gap, .type = FILLER};
	b = block_at(r, put + gap);
	*b = (struct block){(uint32_t)len, type, head_len, rest.n};
	if (head_len != 0)
		memcpy(b + 1, head, head_len);
	if (rest.n != 0)
		memcpy((uint8_t *)(b + 1) + aligned(head_len), rest.p, rest.n);
	__atomic_store_n(&r->put, put + gap + len, __ATOMIC_RELEASE);
	return true;
}

static bool is_empty(struct byte_ring *r)
{
	if (r->taken == r->seen_put)
		r->seen_put = __atomic_load_n(&r->put, __ATOMIC_ACQUIRE);
	return r->taken == r->seen_put;
}

bool byte_ring_peek(struct byte_ring *r, struct byte_ring_message *m)
{
	struct block *b;

	if (is_empty(r))
		return false;
	b = block_at(r, r->taken);
	/* A filler is never put without the message behind it. */
	if (b->type == FILLER) {
		__atomic_store_n(&r->taken, r->taken + b->len, __ATOMIC_RELEASE);
		b = block_at(r, r->taken);
	}
	m->type = b->type;
	m->head = b + 1;
	m->rest = slice_of((const char *)(b + 1) + aligned(b->head_len), b->rest_len);
	return true;
}

void byte_ring_drop(struct byte_ring *r)
{
	__atomic_store_n(&r->taken, r->taken + block_at(r, r->taken)->len, __ATOMIC_RELEASE);
}

uint32_t byte_ring_used(const struct byte_ring *r)
{
	uint64_t taken = __atomic_load_n(&r->taken, __ATOMIC_RELAXED);
	uint64_t put = __atomic_load_n(&r->put, __ATOMIC_RELAXED);

	return put > taken ? (uint32_t)(put - taken) : 0;
}
