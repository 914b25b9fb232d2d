/*
 * port_pool: the even/odd UDP port pairs of one realm that one shard may use.
 *
 * RFC 3550 section 11 pairs RTP (even) with RTCP (the next odd port). The pair
 * that has been free longest is taken first and a pair given back waits at the
 * end of the line, so that late packets of an ended call do not meet a new one
 * while any other pair is free. Every call is O(1), nothing is allocated after
 * start. Ports are host byte order.
 */
#ifndef SBC_MEDIA_PORT_POOL_H
#define SBC_MEDIA_PORT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/prefetch.h"

struct port_pair {
	uint16_t next, prev; /* in the line of free pairs */
};

struct port_pool {
	uint16_t lo; /* first RTP port, even */
	uint16_t pairs;
	uint16_t free;
	uint16_t head, tail;    /* line of free pairs: next to take, last given back */
	struct port_pair *pair; /* by pair number */
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

/* `lo` is even and not 0; an odd one is raised by one. */
void port_pool_init(struct port_pool *p, struct arena *a, uint16_t lo, uint16_t pairs);

/* RTP port of a free pair, or 0 when none is free. */
uint16_t port_pool_take(struct port_pool *p);

/* Whether a port is an RTP port of this pool, taken or not. */
bool port_pool_has(const struct port_pool *p, uint16_t rtp_port);

/* Takes one certain pair (a restored call's); false when it is taken or not ours. */
bool port_pool_claim(struct port_pool *p, uint16_t rtp_port);

/* A pair that is not taken, or not of this pool, aborts: somebody's flow would be given away. */
void port_pool_give(struct port_pool *p, uint16_t rtp_port);

/* What port_pool_give() will look at, see prefetch.h. */
void port_pool_give_ahead(const struct port_pool *p, uint16_t rtp_port);

#endif
