/*
 * state: what a worker's engine wants kept, on its way to control, and what comes
 * back: checkpoints, acknowledgements, requests of other nodes.
 *
 * Three rings a worker: ops out, forwards out, events in. A put that finds the ring
 * of ops full is answered as not ok, but not before there is room again: the
 * engine then makes it anew from what the call is by then. So a stalled control
 * costs the engine its window of puts, and no turn is spent on trying. Deletes have
 * room of their own in the ring, enough for everything that an engine can hold;
 * beyond that one is lost and counted, and what it would have deleted expires.
 *
 * A barrier waits until no put is refused any more, and has the engine begin it anew
 * then: so everything that was owed is in the ring before it.
 *
 * Events come in the order in which they were posted, and none while the engine is
 * still forgetting a group. What they may cost a turn is
 * bounded, less when packets wait.
 */
#ifndef DATAPLANE_STATE_H
#define DATAPLANE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/byte_ring.h"
#include "sbc/core/engine.h"

#define STATE_OPS_MIN  (4u << 20) /* bytes */
#define STATE_IN       (4u << 20)
#define STATE_FORWARDS (1u << 20)

/* Room that restores leave to acknowledgements and the rest. */
#define STATE_IN_SPARE (1u << 20)

/* Work of a turn, in units of an acknowledgement; a restore counts as so many. */
#define STATE_WORK      512u
#define STATE_WORK_BUSY 64u
#define STATE_COST      8u

struct worker;

struct state_refused {
	enum checkpoint_kind kind;
	uint32_t version;
	uint64_t handle;
};

struct state {
	struct byte_ring ops, forwards, in;
	uint32_t ops_spare; /* of `ops`, for deletes */
	uint32_t refusals;
	uint64_t barrier; /* that found no room, or refusals; 0 */
	struct state_refused refused[ENGINE_STORE_WINDOW];
	bool forgetting;   /* as the engine has said */
	bool posted;       /* something for control, since it was last woken */
	uint64_t restored; /* atomic */
	uint64_t deletes_lost;
};

bool state_create(struct worker *w);
void state_free(struct worker *w);

/* Actions of the engine. */
void state_put(struct worker *w, const struct engine_store *s);
void state_delete(struct worker *w, const struct engine_store *s);
void state_barrier(struct worker *w, uint64_t ref);
void state_forward(struct worker *w, const struct engine_forward *f);

/* Takes what control has posted, within a turn's budget; how many. */
uint32_t state_serve(struct worker *w, bool busy);

/* Wakes control if there is something new for it: at the end of a turn. */
void state_wake(struct worker *w);

#endif
