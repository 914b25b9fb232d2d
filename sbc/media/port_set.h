/*
 * port_set: the port pairs of one realm over all its media addresses.
 *
 * Every address has the same range of ports, and one shard the same slice of it
 * on each: a pool an address (port_pool.h). Addresses take turns, so that a pair
 * given back waits nearly as long as it would in one line for all. A bit says
 * which addresses have a pair left: a draw looks at one pool, however many are
 * used up. Nothing is allocated after start, every call is bounded by the number
 * of addresses; a change of these or of the range is too, whoever has pairs.
 *
 * An address that goes while its pairs are taken keeps its pool until the last of
 * them is given back: when it comes back before, none of them is given to others. An
 * address for which there is no pool waits until there is.
 */
#ifndef SBC_MEDIA_PORT_SET_H
#define SBC_MEDIA_PORT_SET_H

#include "sbc/base/net.h"
#include "sbc/media/port_pool.h"

#define PORT_SET_MAX  64u
#define PORT_SET_NONE UINT16_MAX

/* Pools: for all addresses that a realm can have, and for as many that are gone. */
#define PORT_SET_ROOM (2u * PORT_SET_MAX)

struct port_set {
	uint64_t open; /* bit a: address a has a free pair */
	uint16_t addresses;
	uint16_t turn; /* address to be asked next */
	uint16_t lo, slice;
	uint32_t pairs, free;            /* of addresses with a pool */
	uint32_t ip[PORT_SET_MAX];       /* network order */
	uint16_t at[PORT_SET_MAX];       /* its pool, or PORT_SET_NONE */
	uint16_t room;                   /* pools */
	uint16_t of[PORT_SET_ROOM];      /* whose pool it is, or PORT_SET_NONE */
	uint32_t pool_ip[PORT_SET_ROOM]; /* and of whom its taken pairs are */
	struct port_pool pool[PORT_SET_ROOM];
};

/* What port_set_init() cuts for so many pools. */
size_t port_set_size(uint16_t room);

/* `room` at most PORT_SET_ROOM; there are no addresses yet. */
void port_set_init(struct port_set *s, struct arena *a, uint16_t room);

/*
 * `addresses` at most PORT_SET_MAX; each has the slice of `pairs` pairs from `lo` on. What
 * is taken stays so.
 */
void port_set_range(struct port_set *s, const uint32_t *ip, uint16_t addresses, uint16_t lo,
		    uint16_t pairs);

/* The number of an address in the set, or PORT_SET_NONE. */
uint16_t port_set_address(const struct port_set *s, uint32_t ip);

/*
 * A free pair, its RTP port and address in `at`: of the address `wanted` where that
 * has one left (0: of any). False when there is none.
 */
bool port_set_take(struct port_set *s, uint32_t wanted, struct net_addr *at);

/* Takes one certain pair; false when it is taken or not in the set. */
bool port_set_claim(struct port_set *s, struct net_addr at);

/*
 * Gives a pair back, of an address or range of before too; false when it is not in the set.
 * One that is, and is not taken, aborts.
 */
bool port_set_give(struct port_set *s, struct net_addr at);

/* Asks for what port_set_give() will look at: see prefetch.h. */
void port_set_give_ahead(const struct port_set *s, struct net_addr at);

#endif
