/*
 * store: what of the engine is to be kept outside the process, and when.
 *
 * Every call with a dialog and every registration carries a mark. What changes it
 * touches the mark; the engine puts what is marked at the end of an event, or when
 * the changes of a moment have been gathered (STORE_SOON), as far as there is
 * room in the out and in the window of puts under way. Nothing is kept of what a
 * call was, but which fields there were: a put says what it is when the put is made,
 * all of it or, once the store has the put before, what may differ from that (see
 * checkpoint_call_write_change(); legs say by `changed` that theirs does). The work owed is
 * so bounded by the number of calls and registrations, and of one id there is never
 * more than one put under way. After one that was refused, all of it is put. A mark
 * stands in one line at a time:
 *
 *   (none) -touch-> NOW or SOON -put-> (under way) -stored-> KEPT, or NOW/SOON again
 *
 * KEPT is in the order of storing, so that its head is what must be put again
 * before the store forgets it. A call whose 2xx waits (EXCHANGE_F_WAITS) stands
 * in HELD before its put and in WAIT while that is under way.
 *
 * A call that is over is deleted when nobody is owed a BYE any more. Until the
 * BYEs are answered an exchange of kind EXCHANGE_OWED holds its id, and is put as
 * ENDING. It keeps what it puts until the store has it: what was refused is put
 * again after ENGINE_STORE_ENDING_MS. Its lines:
 *
 *   READY -put-> PUT -stored-> (none), or -refused-> LATE -time-> READY
 *   BLOCKED -(the put that was under way when the call ended)-> READY
 *
 * What is owed (in a line to be put, or changed since its put left) counts towards
 * the turn in which it came to be owed. A barrier begins the other turn, and is over
 * when nothing of the one before is owed any more; what changes meanwhile does not
 * hold it up. Until then gathering takes a ms.
 */
#ifndef SBC_CORE_STORE_H
#define SBC_CORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/core/engine.h"

struct call;
struct registration;
struct exchange;

enum store_urgency {
	STORE_SOON, /* may wait ENGINE_STORE_GATHER_MS for more */
	STORE_NOW
};

enum store_flag {
	STORE_F_PUT = 1u << 0,        /* the store has something under its id, or soon will */
	STORE_F_UNDERWAY = 1u << 1,   /* a put is not answered yet */
	STORE_F_AGAIN_SOON = 1u << 2, /* touched since */
	STORE_F_AGAIN_NOW = 1u << 3,
	STORE_F_ANSWER = 1u << 4,   /* what is under way tells of the call's answer */
	STORE_F_DEGRADED = 1u << 5, /* the answer left before it was stored */
	STORE_F_CHANGED = 1u << 6,  /* touched while the store was off */
	STORE_F_BASE = 1u << 7,     /* the store has what was put last: changes of it will do */
	STORE_F_PART = 1u << 8      /* what is under way is such changes */
};

struct store_mark {
	uint64_t at;                   /* SOON: when it is due; KEPT: since when */
	uint32_t version;              /* of the latest put, or of what was restored; 0: neither */
	uint32_t next, prev;           /* in its line */
	uint16_t flags;                /* enum store_flag */
	uint8_t line;                  /* enum store_line */
	uint8_t owed;                  /* 1 + the turn since which it is; 0: it is not */
	struct checkpoint_shape shape; /* of a call: what the latest put wrote */
};

enum store_line {
	STORE_LINE_NONE,
	STORE_LINE_HELD,
	STORE_LINE_WAIT,
	STORE_LINE_NOW,
	STORE_LINE_SOON,
	STORE_LINE_KEPT,
	STORE_LINES
};

#define STORE_WAITING 256u

struct store_list {
	uint32_t head, tail; /* items: calls, then registrations; POOL_NONE */
};

struct store {
	enum engine_store_mode mode;
	struct store_list line[STORE_LINES];
	struct store_list ready, late; /* exchanges whose ENDING is to be put */
	/* those whose id has a put under way, by handle; there are no more than the window has */
	struct store_list waiting[STORE_WAITING];
	struct store_list remembered; /* the same of registrations */
	uint32_t resync;              /* next item to look at; POOL_NONE: none */
	bool resync_all;              /* else only what was never put, or has changed */
	uint32_t dirty, underway, held, degraded;
	uint32_t owed[2]; /* by turn */
	uint8_t turn;
	uint64_t barrier, barrier_next; /* refs: under way, to be begun; 0 */
	uint64_t degraded_total, puts, deletes;
	uint64_t restored, restored_registrations, restore_failed;
};

void store_init(struct engine *e);

/* It is not as it was put. Calls without a dialog on the callee's side are not kept. */
void store_touch(struct engine *e, struct call *call, enum store_urgency urgency);
void store_touch_registration(struct engine *e, struct registration *r);

/* Made of a checkpoint, or brought up to one: what the store has, in that version. */
void store_restored(struct engine *e, struct call *call, uint32_t version);
void store_restored_registration(struct engine *e, struct registration *r, uint32_t version);

/*
 * The answer to the INVITE that began this call is ready. True: it waits until
 * call_let_go() or call_let_go_unstored(), one of which the store will call.
 */
bool store_hold(struct engine *e, struct call *call);

/* Whether it does. */
bool store_holds(const struct call *call);

/* It leaves; `stored`: the store has it. */
void store_let_go(struct engine *e, struct call *call, bool stored);

/*
 * A call ends. store_owed() makes the exchange that its BYEs report to (`cseq_in`
 * counts them, `from` has a bit for each side), when the store knows the call;
 * NULL: there is nothing to remember. Once the BYEs are sent, and before the call
 * is freed, store_call_over() puts it as ENDING, or deletes it when nothing is owed.
 * store_told() is for each BYE that needs no more remembering.
 */
struct exchange *store_owed(struct engine *e, struct call *call);
void store_call_over(struct engine *e, struct call *call, struct exchange *owed);
void store_told(struct engine *e, struct exchange *owed);

/* A registration is removed. */
void store_registration_over(struct engine *e, struct registration *r);

/* It is another node's now, or over there: nothing is put and nothing deleted. */
void store_drop(struct engine *e, struct call *call);
void store_drop_registration(struct engine *e, struct registration *r);
void store_drop_owed(struct engine *e, struct exchange *owed);

/* ENGINE_EV_STORE, ENGINE_EV_BARRIER, ENGINE_EV_STORED. */
void store_mode(struct engine *e, enum engine_store_mode mode, bool resync);
void store_barrier(struct engine *e, uint64_t ref);
void store_stored(struct engine *e, enum checkpoint_kind kind, uint64_t handle, uint32_t version,
		  bool ok);

/* Puts what is due, as far as there is room. Called last in every event. */
void store_put_due(struct engine *e);

/* As wheel_next_due(). */
uint64_t store_next_due(const struct engine *e);

#endif
