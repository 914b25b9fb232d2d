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

#define DRIVER_WALL_MS 1760000000000ull /* engine time 0, in ms since 1970 */

struct driver;

/* What becomes of a put or delete; as driver_store_behave() says unless on_store changes it. */
struct driver_fate {
	uint64_t delay_ms; /* UINT64_MAX: nothing is said until driver_store_release() */
	bool ok;           /* a put is acknowledged, else refused */
	bool done;         /* the store has it, whatever it says */
};

struct driver_conf {
	const struct snapshot *snapshot;
	uint16_t shards; /* 0: 1 */
	uint32_t calls, registrations;
	uint64_t seed;
	bool learn; /* take secrets from what comes in; else only the given ones */
	void (*on_send)(void *ctx, const struct engine_path *path, struct slice bytes);
	void (*on_forward)(void *ctx, const struct engine_forward *f);
	void (*on_record)(void *ctx, uint16_t shard, const struct engine_record *r);
	void (*on_store)(void *ctx, bool is_put, struct driver_fate *fate);
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

/* The same, sent on by another node. */
void driver_recv_forwarded(struct driver *d, uint16_t listener, struct net_addr source,
			   struct slice bytes);

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

bool driver_counted(struct driver *d, uint16_t realm, uint16_t port, uint64_t packets,
		    uint64_t bytes);

/* The flow at a port, or NULL. */
const struct flow_spec *driver_flow(const struct driver *d, uint16_t realm, uint16_t port);
uint32_t driver_flows(const struct driver *d);

/* Walks the flows in order of realm and port; `*cursor` 0 at first. NULL at the end. */
const struct flow_spec *driver_flow_next(const struct driver *d, uint32_t *cursor);

/*
 * The store that the driver stands in for: what was put and acknowledged, by id. It
 * outlives the engines. The driver holds against the engine that of one id one put
 * is under way at most, that versions rise, that what is put can be read, and that
 * only what was put is deleted.
 */
enum driver_store_how {
	DRIVER_STORE_TAKES,  /* acknowledges, after conf's delay */
	DRIVER_STORE_HOLDS,  /* says nothing until driver_store_ack() */
	DRIVER_STORE_REFUSES /* says no */
};

/* ENGINE_EV_STORE to all shards. */
void driver_store_mode(struct driver *d, enum engine_store_mode mode, bool resync);

/* A barrier of every engine; and how many have answered the latest. */
void driver_store_barrier(struct driver *d);
uint32_t driver_store_passed_by(const struct driver *d);
void driver_store_behave(struct driver *d, enum driver_store_how how, uint64_t delay_ms);

/* Acknowledges, or refuses, all that is under way. */
void driver_store_ack(struct driver *d, bool ok);

/* All that was stored is lost. */
void driver_store_lose(struct driver *d);

struct driver_record {
	bool present; /* else it was, once */
	bool deleted; /* by the engine */
	enum checkpoint_kind kind;
	uint16_t group;
	char id[IDENT_LEN];
	uint32_t version, ttl_s;
	uint64_t expires;
	uint64_t refused_at; /* when a put was said no to last; 0: never */
	struct slice fields;
};
/* What another driver's engines, or a test, put there. */
void driver_store_seed(struct driver *d, enum checkpoint_kind kind, const char id[IDENT_LEN],
		       uint32_t version, struct slice fields);

const struct driver_record *driver_store_next(const struct driver *d, uint32_t *cursor);

/*
 * The process dies, and `later` ms on another begins with what the store has. When
 * all that had changed was stored, the flows must be those that were there, each
 * locked to the source that it had latched.
 */
void driver_restart_from_store(struct driver *d, uint64_t later);

/* The record under an id, whether it is there or not; NULL: it never was. */
const struct driver_record *driver_store_find(const struct driver *d, enum checkpoint_kind kind,
					      struct slice id);

/* on_store decides anew about what nothing was said of. */
void driver_store_release(struct driver *d);

/*
 * Of what is under way the first `done` reach the store and the others never will. With
 * `tell` the engines are told that all puts were refused, and deletes are kept.
 */
void driver_store_cut(struct driver *d, uint32_t done, bool tell);
uint32_t driver_store_underway(const struct driver *d);

/* A copy of what is stored; and the store as it was then: it has lost what came later. */
void driver_store_save(struct driver *d);
void driver_store_revert(struct driver *d);

/*
 * The process dies when it has carried out that many more actions, in the middle of an
 * event or of restoring; 0: now. From then on nothing happens until driver_begin(),
 * by which another, with room for `calls`, begins with what is stored then. Its flows
 * and ports must be those of the calls that it has.
 */
void driver_die_after(struct driver *d, uint32_t actions);
void driver_spare(struct driver *d); /* it does not, if it has not yet */
bool driver_is_dead(const struct driver *d);
void driver_begin(struct driver *d, uint32_t calls);

/* The same for engines that go on: they have nothing yet, and get all that is stored. */
void driver_take_over(struct driver *d);

/* ENGINE_EV_GROUP, ENGINE_EV_FORGET, ENGINE_EV_RESTORE to all shards. */
void driver_group(struct driver *d, uint16_t group, bool active);
void driver_forget(struct driver *d, enum checkpoint_kind kind, const char id[IDENT_LEN]);
void driver_restore(struct driver *d, const struct driver_record *r);

/* Sums over all shards. */
void driver_stats(const struct driver *d, struct engine_stats *s);

/*
 * All is given back: no call, transaction, port or flow, and no block but those
 * that live registrations need. What is left is written to `why`.
 */
bool driver_is_clean(const struct driver *d, char *why, uint32_t why_len);

#endif
