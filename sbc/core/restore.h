/*
 * restore: a flat checkpoint becomes a live call or registration.
 *
 * See engine.h for what a restored call does. A checkpoint is trusted no more than
 * a message: whoever could write to the store is kept from crashing or confusing the
 * engine, not from making calls. What could not be restored has a reason each
 * (restore-*), and counts in engine_stats.restore_failed.
 */
#ifndef SBC_CORE_RESTORE_H
#define SBC_CORE_RESTORE_H

#include "sbc/core/call.h"
#include "sbc/core/registration.h"

void restore_call(struct engine *e, struct slice flat);
void restore_registration(struct engine *e, struct slice flat);

/*
 * What was restored under this id is over, and was ended elsewhere: its flows,
 * ports and strings go, nobody is told. An id that is not here is no error.
 */
void restore_forget(struct engine *e, enum checkpoint_kind kind, struct slice id);

#endif
