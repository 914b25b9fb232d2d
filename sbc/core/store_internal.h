/*
 * store_internal: what the files of the store share.
 *
 * store.c keeps the marks and their lines, store_put.c makes the puts,
 * store_owed.c remembers what is over and not yet told.
 */
#ifndef SBC_CORE_STORE_INTERNAL_H
#define SBC_CORE_STORE_INTERNAL_H

#include "sbc/core/call.h"
#include "sbc/core/registration.h"

/* A BYE is repeated for 64*T1; then nobody waits for it. */
#define STORE_ENDING_TTL_S 64u

/* ---- store.c ---- */
struct store_mark *store_mark_at(const struct engine *e, uint32_t item);
void store_line_push(struct engine *e, uint32_t item, enum store_line line);
void store_line_cut(struct engine *e, uint32_t item);
void store_line_move(struct engine *e, uint32_t item, enum store_line line);
/* Whether it is owed, anew: the end of whatever changes an item's line or flags. */
void store_account(struct engine *e, uint32_t item);
/* Begins and ends barriers. */
void store_barrier_begin(struct engine *e);
void store_barrier_end(struct engine *e);

/* ---- store_put.c ---- */

/* Begins an action; NULL when the out is full. `slot`: the realm's. */
struct engine_store *store_action(struct engine *e, enum engine_action_type type,
				  enum checkpoint_kind kind, struct slice id, uint16_t slot);
void store_delete(struct engine *e, enum checkpoint_kind kind, struct slice id, uint16_t slot);

/* Whether the store has what was put of it last, so that a change will do. */
bool store_has_base(const struct engine *e, uint32_t item);

/* Whether a leg is another than it was put as. */
bool store_legs_changed(const struct call *call);

/* ---- store_owed.c ---- */

/* The call is over and its BYEs are under way: it is to be put as ENDING. */
void store_end(struct engine *e, struct call *call, struct exchange *owed);

/* A registration is removed while a put of it is under way: its id is not put until then. */
void store_remember(struct engine *e, const struct registration *r);
bool store_remembers(const struct engine *e, const struct registration *r);

/* A put of something that is gone was answered. */
void store_owed_stored(struct engine *e, enum checkpoint_kind kind, uint64_t handle,
		       uint32_t version, bool ok);

/* Brings ENDINGs that have waited long enough into line; puts the first; when the next are due. */
void store_ready(struct engine *e);
void store_put_ready(struct engine *e);
uint64_t store_ready_due(const struct engine *e);

#endif
