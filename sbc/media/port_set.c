#include "sbc/media/port_set.h"

#include <string.h>

size_t port_set_size(uint16_t room)
{
	struct arena measure;
	struct port_pool pool;

	arena_init(&measure, NULL, 0);
	for (uint16_t i = 0; i < room; i++)
		port_pool_init(&pool, &measure);
	return measure.used;
}

void port_set_init(struct port_set *s, struct arena *a, uint16_t room)
{
	memset(s, 0, sizeof(*s));
	s->room = room;
	for (uint16_t i = 0; i < room; i++) {
		s->of[i] = PORT_SET_NONE;
		port_pool_init(&s->pool[i], a);
	}
}

static void mark(struct port_set *s, uint16_t address)
{
	if (s->pool[s->at[address]].free)
		s->open |= 1ull << address;
	else
		s->open &= ~(1ull << address);
}

/* ---- addresses and their pools ---- */

static void join(struct port_set *s, uint16_t address, uint16_t room)
{
	struct port_pool *p = &s->pool[room];

	s->at[address] = room;
	s->of[room] = address;
	s->pool_ip[room] = s->ip[address];
	port_pool_range(p, s->lo, s->slice);
	s->pairs += p->pairs;
	s->free += p->free;
	mark(s, address);
}

/* The pool with the taken pairs of an address, in use or not. */
static uint16_t room_of(const struct port_set *s, uint32_t ip)
{
	for (uint16_t i = 0; i < s->room; i++)
		if (s->pool_ip[i] == ip && (s->of[i] != PORT_SET_NONE || s->pool[i].held))
			return i;
	return PORT_SET_NONE;
}

static uint16_t spare_room(const struct port_set *s)
{
	for (uint16_t i = 0; i < s->room; i++)
		if (s->of[i] == PORT_SET_NONE && s->pool[i].held == 0)
			return i;
	return PORT_SET_NONE;
}

/* Pools for addresses that have none, as long as there are any. */
static void provide(struct port_set *s)
{
	for (uint16_t i = 0; i < s->addresses; i++) {
		uint16_t room = s->at[i] == PORT_SET_NONE ? spare_room(s) : PORT_SET_NONE;

		if (room != PORT_SET_NONE)
			join(s, i, room);
	}
}

void port_set_range(struct port_set *s, const uint32_t *ip, uint16_t addresses, uint16_t lo,
		    uint16_t pairs)
{
	uint16_t was[PORT_SET_MAX];

	s->addresses = addresses;
	s->lo = lo;
	s->slice = pairs;
	s->open = s->pairs = s->free = s->turn = 0;
	for (uint16_t i = 0; i < s->room; i++)
		s->of[i] = PORT_SET_NONE;
	for (uint16_t i = 0; i < addresses; i++) {
		s->ip[i] = ip[i];
		s->at[i] = PORT_SET_NONE;
		was[i] = room_of(s, ip[i]);
	}
	/* Theirs first, that no other has them. */
	for (uint16_t i = 0; i < addresses; i++)
		if (was[i] != PORT_SET_NONE)
			join(s, i, was[i]);
	provide(s);
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
	*at = (struct net_addr){s->ip[i], port_pool_take(&s->pool[s->at[i]])};
	s->free--;
	mark(s, i);
	return true;
}

bool port_set_claim(struct port_set *s, struct net_addr at)
{
	uint16_t i = port_set_address(s, at.ip);

	if (i == PORT_SET_NONE || s->at[i] == PORT_SET_NONE ||
	    !port_pool_claim(&s->pool[s->at[i]], at.port))
		return false;
	s->free--;
	mark(s, i);
	return true;
}

/* An address that is gone: who waits for its pool may have it with the last pair. */
static void give_of_before(struct port_set *s, uint16_t room, uint16_t port)
{
	port_pool_give(&s->pool[room], port);
	if (s->pool[room].held == 0)
		provide(s);
}

static void give_of_now(struct port_set *s, uint16_t room, uint16_t port)
{
	struct port_pool *p = &s->pool[room];
	uint16_t before = p->free;

	port_pool_give(p, port);
	s->free += (uint32_t)(p->free - before);
	mark(s, s->of[room]);
}

void port_set_give_ahead(const struct port_set *s, struct net_addr at)
{
	uint16_t room = room_of(s, at.ip);

	if (room != PORT_SET_NONE)
		port_pool_give_ahead(&s->pool[room], at.port);
}

bool port_set_give(struct port_set *s, struct net_addr at)
{
	uint16_t room = room_of(s, at.ip);

	if (room == PORT_SET_NONE || !port_pool_has(&s->pool[room], at.port))
		return false;
	if (s->of[room] == PORT_SET_NONE)
		give_of_before(s, room, at.port);
	else
		give_of_now(s, room, at.port);
	return true;
}
