/*
 * port_pool: the even/odd UDP port pairs of one address that one shard may use.
 *
 * RFC 3550 section 11 pairs RTP (even) with RTCP (the next odd port). The pair
 * that has been free longest is taken first and a pair given back waits at the
 * end of the line, so that late packets of an ended call do not meet a new one
 * while any other pair is free. Nothing is allocated after start. Ports are host
 * byte order.
 *
 * The range may change while pairs are taken. Whoever has one has it still: outside
 * the range it is not given to others, nor when the range comes back to it. A change
 * costs a look at a bit for each pair, whoever has them; every other call is O(1), but
 * for the search for a pair that was never taken, which passes each bit once.
 */
#ifndef SBC_MEDIA_PORT_POOL_H
#define SBC_MEDIA_PORT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/prefetch.h"

/* The ports there are, as pairs: of port / 2. The first is nobody's. */
#define PORT_POOL_ALL 32768u

struct port_pool {
	uint16_t lo; /* first RTP port of the range, even */
	uint16_t pairs;
	uint16_t free;           /* of these */
	uint16_t held;           /* taken, in the range or not */
	uint32_t fresh;          /* pairs of the range below this are taken or have been */
	uint16_t head, tail;     /* line of pairs given back: next to take, last given back */
	uint16_t *next, *prev;   /* by pair */
	uint64_t *taken, *lined; /* a bit a pair */
};

/*
 * The even-aligned slice of [lo, hi] that shard `shard` of `shards` owns: the
 * slices are disjoint, and the owner of a port is arithmetic (port_pool_owner()).
 * `*pairs` is 0, for every shard, when the range is too small for so many. The
 * port 0 and an odd first or even last port belong to nobody: PORT_POOL_NOBODY.
 */
#define PORT_POOL_NOBODY UINT16_MAX
void port_pool_slice(uint16_t lo, uint16_t hi, uint16_t shard, uint16_t shards, uint16_t *slice_lo,
		     uint16_t *pairs);
uint16_t port_pool_owner(uint16_t lo, uint16_t hi, uint16_t shards, uint16_t port);

/* With room for all pairs there are, and an empty range. */
void port_pool_init(struct port_pool *p, struct arena *a);

/* `lo` is even and not 0; an odd one is raised by one. */
void port_pool_range(struct port_pool *p, uint16_t lo, uint16_t pairs);

/* RTP port of a free pair, or 0 when none is free. */
uint16_t port_pool_take(struct port_pool *p);

/* Whether a port is an RTP port of the range, taken or not, or one that is taken. */
bool port_pool_has(const struct port_pool *p, uint16_t rtp_port);

/* Takes one certain pair (a restored call's); false when it is taken or not of the range. */
bool port_pool_claim(struct port_pool *p, uint16_t rtp_port);

/* A pair that is not taken aborts: somebody's flow would be given away. */
void port_pool_give(struct port_pool *p, uint16_t rtp_port);

/* What port_pool_give() will look at, see prefetch.h. */
void port_pool_give_ahead(const struct port_pool *p, uint16_t rtp_port);

#endif
