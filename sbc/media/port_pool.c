#include "sbc/media/port_pool.h"

#include <stdlib.h>
#include <string.h>

#define PAIR_END UINT16_MAX /* no pair */
#define WORDS    (PORT_POOL_ALL / 64)

/* The whole range as pairs: first even port, and how many pairs follow. */
static uint32_t range_pairs(uint16_t lo, uint16_t hi, uint32_t *first)
{
	*first = lo < 2 ? 2 : (lo + 1u) & ~1u;
	return hi > *first ? (hi - *first + 1u) / 2 : 0;
}

void port_pool_slice(uint16_t lo, uint16_t hi, uint16_t shard, uint16_t shards, uint16_t *slice_lo,
		     uint16_t *pairs)
{
	uint32_t first, total = range_pairs(lo, hi, &first);

	*slice_lo = 0;
	*pairs = 0;
	if (shards == 0 || shard >= shards || total < shards)
		return;
	uint32_t from = total * shard / shards, to = total * (shard + 1u) / shards;
	*slice_lo = (uint16_t)(first + 2 * from);
	*pairs = (uint16_t)(to - from);
}

uint16_t port_pool_owner(uint16_t lo, uint16_t hi, uint16_t shards, uint16_t port)
{
	uint32_t first, total = range_pairs(lo, hi, &first);

	if (shards == 0 || total < shards || port < first || port >= first + 2 * total)
		return PORT_POOL_NOBODY;
	/* The largest shard whose first pair, total * shard / shards, is not beyond this one. */
	uint32_t pair = (port - first) / 2;
	return (uint16_t)(((pair + 1) * shards - 1) / total);
}

/* ---- bits ---- */

static bool bit_is(const uint64_t *bits, uint32_t pair)
{
	return bits[pair / 64] >> pair % 64 & 1;
}

static void bit_set(uint64_t *bits, uint32_t pair)
{
	bits[pair / 64] |= 1ull << pair % 64;
}

static void bit_clear(uint64_t *bits, uint32_t pair)
{
	bits[pair / 64] &= ~(1ull << pair % 64);
}

/* Of word `w`, the bits of pairs from `from` on and below `to`. */
static uint64_t word_mask(uint32_t w, uint32_t from, uint32_t to)
{
	uint64_t mask = ~0ull;

	if (from > w * 64)
		mask &= ~0ull << (from - w * 64);
	if (to < (w + 1) * 64)
		mask &= ~(~0ull << (to - w * 64));
	return mask;
}

/* ---- the line ---- */

static void append(struct port_pool *p, uint16_t pair)
{
	p->next[pair] = PAIR_END;
	p->prev[pair] = p->tail;
	if (p->tail != PAIR_END)
		p->next[p->tail] = pair;
	else
		p->head = pair;
	p->tail = pair;
	bit_set(p->lined, pair);
}

static void unlink_pair(struct port_pool *p, uint16_t pair)
{
	uint16_t next = p->next[pair], prev = p->prev[pair];

	if (next != PAIR_END)
		p->prev[next] = prev;
	else
		p->tail = prev;
	if (prev != PAIR_END)
		p->next[prev] = next;
	else
		p->head = next;
	bit_clear(p->lined, pair);
}

/* ---- the range ---- */

static uint32_t first_of(const struct port_pool *p)
{
	return p->lo / 2;
}

static uint32_t end_of(const struct port_pool *p)
{
	return first_of(p) + p->pairs;
}

void port_pool_init(struct port_pool *p, struct arena *a)
{
	*p = (struct port_pool){.lo = 2, .head = PAIR_END, .tail = PAIR_END};
	p->next = arena_take(a, PORT_POOL_ALL, sizeof(*p->next));
	p->prev = arena_take(a, PORT_POOL_ALL, sizeof(*p->prev));
	p->taken = arena_take(a, WORDS, sizeof(*p->taken));
	p->lined = arena_take(a, WORDS, sizeof(*p->lined));
}

static uint16_t count_taken(const struct port_pool *p)
{
	uint32_t n = 0;

	for (uint32_t w = first_of(p) / 64; w * 64 < end_of(p); w++)
		n += (uint32_t)__builtin_popcountll(p->taken[w] &
						    word_mask(w, first_of(p), end_of(p)));
	return (uint16_t)n;
}

void port_pool_range(struct port_pool *p, uint16_t lo, uint16_t pairs)
{
	uint32_t first, room = range_pairs(lo, UINT16_MAX, &first);

	p->lo = (uint16_t)first;
	p->pairs = (uint16_t)(pairs < room ? pairs : room);
	p->head = p->tail = PAIR_END;
	p->fresh = first_of(p);
	memset(p->lined, 0, WORDS * sizeof(*p->lined));
	p->free = (uint16_t)(p->pairs - count_taken(p));
}

/* PAIR_END when no port of a pair of the range is meant. */
static uint16_t pair_of(const struct port_pool *p, uint16_t port)
{
	if (port < p->lo || (port & 1) || port / 2u >= end_of(p))
		return PAIR_END;
	return port / 2;
}

static bool is_taken(const struct port_pool *p, uint16_t port)
{
	return !(port & 1) && bit_is(p->taken, port / 2);
}

bool port_pool_has(const struct port_pool *p, uint16_t rtp_port)
{
	return pair_of(p, rtp_port) != PAIR_END || is_taken(p, rtp_port);
}

/* ---- taking and giving ---- */

/* The first that is neither taken nor in line: it was never given back. */
static uint16_t take_fresh(struct port_pool *p)
{
	uint32_t end = end_of(p);

	for (uint32_t w = p->fresh / 64; p->fresh < end; w++) {
		uint64_t open = ~(p->taken[w] | p->lined[w]) & word_mask(w, p->fresh, end);

		if (open) {
			uint32_t pair = w * 64 + (uint32_t)__builtin_ctzll(open);

			p->fresh = pair + 1;
			return (uint16_t)pair;
		}
		p->fresh = (w + 1) * 64;
	}
	return PAIR_END;
}

static void hold(struct port_pool *p, uint16_t pair)
{
	bit_set(p->taken, pair);
	p->held++;
	p->free--;
}

uint16_t port_pool_take(struct port_pool *p)
{
	uint16_t pair = take_fresh(p);

	if (pair == PAIR_END) {
		pair = p->head;
		if (pair == PAIR_END)
			return 0;
		unlink_pair(p, pair);
	}
	hold(p, pair);
	return (uint16_t)(pair * 2);
}

bool port_pool_claim(struct port_pool *p, uint16_t rtp_port)
{
	uint16_t pair = pair_of(p, rtp_port);

	if (pair == PAIR_END || bit_is(p->taken, pair))
		return false;
	if (bit_is(p->lined, pair))
		unlink_pair(p, pair);
	hold(p, pair);
	return true;
}

void port_pool_give_ahead(const struct port_pool *p, uint16_t rtp_port)
{
	uint16_t pair = rtp_port / 2;

	prefetch(&p->next[pair]);
	prefetch(&p->prev[pair]);
	prefetch(&p->taken[pair / 64]);
	prefetch(&p->lined[pair / 64]);
}

void port_pool_give(struct port_pool *p, uint16_t rtp_port)
{
	if (!is_taken(p, rtp_port))
		abort();
	bit_clear(p->taken, rtp_port / 2);
	p->held--;
	if (pair_of(p, rtp_port) == PAIR_END)
		return;
	append(p, rtp_port / 2);
	p->free++;
}
