/*
 * driver: carries the engine's actions out in virtual time, and watches it.
 *
 * Stands where a set of workers would: one engine a shard, messages steered by
 * bucket, questions and answers passed between shards, media flows kept in a
 * shadow table. Every action is held against what must always be true:
 *  - nothing of one realm in a byte that leaves on another (tests/lib/oracle);
 *  - what is sent is whole SIP, its SDP names only the border's own media
 *    address and ports of the realm's range;
 *  - a flow is published on a port that no other call owns, within its realm's
 *    range and the shard's slice of it, RTP on even and RTCP on odd ports; it is
 *    retired only when it is there; partners name one another;
 *  - an event's actions fit (engine_out.overflow never set).
 * The first breach is kept as text (driver_failure()); the driver goes on, so
 * that the caller decides when to stop.
 *
 * Times are ms of virtual time. One thread; driver_new() aborts without memory.
 */
#ifndef TESTS_LIB_DRIVER_H
#define TESTS_LIB_DRIVER_H

#include "sbc/core/engine.h"
#include "tests/lib/oracle.h"

#define DRIVER_MAX_SHARDS 16u
#define DRIVER_WALL_MS    1760000000000ull /* engine time 0, in ms since 1970 */

struct driver;

struct driver_conf {
	const struct snapshot *snapshot;
	uint16_t shards; /* 0: 1 */
	uint32_t calls, registrations;
	uint64_t seed;
	bool learn; /* take secrets from what comes in; else only the given ones */
	void (*on_send)(void *ctx, const struct engine_path *path, struct slice bytes);
	void (*on_record)(void *ctx, uint16_t shard, const struct engine_record *r);
	void *ctx;
};

struct driver *driver_new(const struct driver_conf *conf);
void driver_free(struct driver *d);

uint64_t driver_now(const struct driver *d);
struct oracle *driver_oracle(struct driver *d);
const struct snapshot *driver_snapshot(const struct driver *d);

/* NULL while all is well. */
const char *driver_failure(const struct driver *d);
void driver_fail(struct driver *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A datagram from `source` at a listener, now; `bytes` is copied to memory of its exact length. */
void driver_recv(struct driver *d, uint16_t listener, struct net_addr source, struct slice bytes);

/* Time goes on to `to`; all that falls due on the way happens at its moment. */
void driver_advance(struct driver *d, uint64_t to);

/* One tick at `to`, as a worker that comes round only now. For long runs: no search for what is due. */
void driver_step(struct driver *d, uint64_t to);

/* Earliest moment at which an engine may have something to do; UINT64_MAX: never. */
uint64_t driver_next_due(const struct driver *d);

/* Any event, as it stands but for its time. */
void driver_event(struct driver *d, uint16_t shard, struct engine_event *ev);

/*
 * All engines begin anew, with the same key and limits: what a process killed at
 * this moment and started again would have. No flow is left and nobody was told.
 */
void driver_restart(struct driver *d);

/* To look into, between events. */
struct engine *driver_engine(struct driver *d, uint16_t shard);

void driver_kill(struct driver *d, uint16_t shard, uint64_t call);
void driver_kill_all(struct driver *d);
void driver_drain(struct driver *d);
void driver_reconfigure(struct driver *d, const struct snapshot *s);

/* Media events as a dataplane would raise them. False when there is no such flow. */
bool driver_latched(struct driver *d, uint16_t realm, uint16_t port, struct net_addr source);
bool driver_silent(struct driver *d, uint16_t realm, uint16_t port);

/* The flow at a port, or NULL. */
const struct flow_spec *driver_flow(const struct driver *d, uint16_t realm, uint16_t port);
uint32_t driver_flows(const struct driver *d);

/* Walks the flows in order of realm and port; `*cursor` 0 at first. NULL at the end. */
const struct flow_spec *driver_flow_next(const struct driver *d, uint32_t *cursor);

/* Sums over all shards. */
void driver_stats(const struct driver *d, struct engine_stats *s);

/*
 * All is given back: no call, transaction, port or flow, and no block but those
 * that live registrations need. What is left is written to `why`.
 */
bool driver_is_clean(const struct driver *d, char *why, uint32_t why_len);

#endif
