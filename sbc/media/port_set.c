#include "sbc/media/port_set.h"

/* Pairs of the largest range there is: 2 to 65535. */
#define MAX_PAIRS 32767u

size_t port_set_size(uint16_t addresses)
{
	struct arena measure;
	struct port_pool pool;

	arena_init(&measure, NULL, 0);
	for (uint16_t i = 0; i < addresses; i++)
		port_pool_init(&pool, &measure, 2, MAX_PAIRS);
	return measure.used;
}

static void mark(struct port_set *s, uint16_t address)
{
	if (s->pool[address].free)
		s->open |= 1ull << address;
	else
		s->open &= ~(1ull << address);
}

void port_set_init(struct port_set *s, struct arena *a, const uint32_t *ip, uint16_t addresses,
		   uint16_t lo, uint16_t pairs)
{
	*s = (struct port_set){.addresses = addresses};
	for (uint16_t i = 0; i < addresses; i++) {
		s->ip[i] = ip[i];
		port_pool_init(&s->pool[i], a, lo, pairs);
		s->pairs += s->pool[i].pairs;
		s->free += s->pool[i].free;
		mark(s, i);
	}
}

uint16_t port_set_address(const struct port_set *s, uint32_t ip)
{
	for (uint16_t i = 0; i < s->addresses; i++)
		if (s->ip[i] == ip)
			return i;
	return PORT_SET_NONE;
}

/* The next address with a free pair, from the one whose turn it is. */
static uint16_t next_open(struct port_set *s)
{
	uint64_t from = s->open & ~0ull << s->turn;
	uint16_t at = (uint16_t)__builtin_ctzll(from ? from : s->open);

	s->turn = (uint16_t)((at + 1u) % s->addresses);
	return at;
}

bool port_set_take(struct port_set *s, uint32_t wanted, struct net_addr *at)
{
	uint16_t i = wanted ? port_set_address(s, wanted) : PORT_SET_NONE;

	if (s->open == 0)
		return false;
	if (i == PORT_SET_NONE || !(s->open >> i & 1))
		i = next_open(s);
	*at = (struct net_addr){s->ip[i], port_pool_take(&s->pool[i])};
	s->free--;
	mark(s, i);
	return true;
}

bool port_set_claim(struct port_set *s, struct net_addr at)
{
	uint16_t i = port_set_address(s, at.ip);

	if (i == PORT_SET_NONE || !port_pool_claim(&s->pool[i], at.port))
		return false;
	s->free--;
	mark(s, i);
	return true;
}

void port_set_give_ahead(const struct port_set *s, struct net_addr at)
{
	uint16_t i = port_set_address(s, at.ip);

	if (i != PORT_SET_NONE)
		port_pool_give_ahead(&s->pool[i], at.port);
}

bool port_set_give(struct port_set *s, struct net_addr at)
{
	uint16_t i = port_set_address(s, at.ip);

	if (i == PORT_SET_NONE || !port_pool_has(&s->pool[i], at.port))
		return false;
	port_pool_give(&s->pool[i], at.port);
	s->free++;
	mark(s, i);
	return true;
}
