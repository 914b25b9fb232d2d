/*
 * route: where a request that begins something goes.
 */
#ifndef SBC_CORE_ROUTE_H
#define SBC_CORE_ROUTE_H

#include "sbc/core/engine_internal.h"

struct route_target {
	uint16_t realm, listener; /* of the snapshot */
	uint16_t peer;            /* or SNAPSHOT_NONE: a registered phone */
	struct net_addr remote;
	struct slice contact; /* registered: the phone's own Contact URI */
	struct slice user;    /* registered: of its address of record */
};

enum route_result { ROUTE_FOUND, ROUTE_NONE, ROUTE_NOT_REGISTERED, ROUTE_ASK };

/* First route from a realm whose prefix the user has, or NULL. */
const struct snapshot_route *route_find(const struct snapshot *snap, uint16_t realm,
					struct slice user);

/*
 * `answer` is another shard's, or NULL. With ROUTE_ASK `*kind` and `*bucket` say
 * what to ask whom for the request URI's user.
 */
enum route_result route_resolve(struct engine *e, uint16_t realm, struct slice user,
				const struct engine_answer *answer, struct route_target *target,
				enum engine_ask_kind *kind, uint8_t *bucket);

/* Whether the shard of a bucket is this one. */
bool route_is_here(const struct engine *e, uint8_t bucket);

#endif
