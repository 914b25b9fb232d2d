#include "sbc/media/port_pool.h"

#include <stdlib.h>

/* Neither is a pair number: there are at most 32767 pairs. */
#define PAIR_END   UINT16_MAX
#define PAIR_TAKEN (UINT16_MAX - 1)

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

static void append(struct port_pool *p, uint16_t pair)
{
	p->pair[pair].next = PAIR_END;
	p->pair[pair].prev = p->tail;
	if (p->tail != PAIR_END)
		p->pair[p->tail].next = pair;
	else
		p->head = pair;
	p->tail = pair;
	p->free++;
}

static void unlink_pair(struct port_pool *p, uint16_t pair)
{
	uint16_t next = p->pair[pair].next, prev = p->pair[pair].prev;

	if (next != PAIR_END)
		p->pair[next].prev = prev;
	else
		p->tail = prev;
	if (prev != PAIR_END)
		p->pair[prev].next = next;
	else
		p->head = next;
	p->pair[pair].next = PAIR_TAKEN;
	p->free--;
}

void port_pool_init(struct port_pool *p, struct arena *a, uint16_t lo, uint16_t pairs)
{
	uint32_t first, room = range_pairs(lo, UINT16_MAX, &first);

	*p = (struct port_pool){.lo = (uint16_t)first, .head = PAIR_END, .tail = PAIR_END};
	p->pair = arena_take(a, pairs, sizeof(*p->pair));
	if (p->pair == NULL)
		return;
	p->pairs = (uint16_t)(pairs < room ? pairs : room);
	for (uint16_t i = 0; i < p->pairs; i++)
		append(p, i);
}

static uint16_t port_of(const struct port_pool *p, uint16_t pair)
{
	return (uint16_t)(p->lo + 2 * pair);
}

/* PAIR_END when the port is not an RTP port of this pool. */
static uint16_t pair_of(const struct port_pool *p, uint16_t port)
{
	if (port < p->lo || (port & 1) || (port - p->lo) / 2 >= p->pairs)
		return PAIR_END;
	return (uint16_t)((port - p->lo) / 2);
}

bool port_pool_has(const struct port_pool *p, uint16_t rtp_port)
{
	return pair_of(p, rtp_port) != PAIR_END;
}

uint16_t port_pool_take(struct port_pool *p)
{
	uint16_t pair = p->head;

	if (pair == PAIR_END)
		return 0;
	unlink_pair(p, pair);
	return port_of(p, pair);
}

bool port_pool_claim(struct port_pool *p, uint16_t rtp_port)
{
	uint16_t pair = pair_of(p, rtp_port);

	if (pair == PAIR_END || p->pair[pair].next == PAIR_TAKEN)
		return false;
	unlink_pair(p, pair);
	return true;
}

void port_pool_give_ahead(const struct port_pool *p, uint16_t rtp_port)
{
	uint16_t pair = pair_of(p, rtp_port);

	if (pair != PAIR_END)
		prefetch(&p->pair[pair]);
}

void port_pool_give(struct port_pool *p, uint16_t rtp_port)
{
	uint16_t pair = pair_of(p, rtp_port);

	if (pair == PAIR_END || p->pair[pair].next != PAIR_TAKEN)
		abort();
	append(p, pair);
}
