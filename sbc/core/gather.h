/*
 * gather: a live call or registration as a flat checkpoint (checkpoint.h).
 *
 * What is gathered is what another process needs to go on from here; the call is
 * not changed by it. Uses engine.body: not in the midst of an offer or answer.
 */
#ifndef SBC_CORE_GATHER_H
#define SBC_CORE_GATHER_H

#include "sbc/base/wbuf.h"
#include "sbc/core/call.h"
#include "sbc/core/checkpoint.h"
#include "sbc/core/registration.h"

/*
 * A call has a checkpoint from its first dialog on. `owed`: of a call that is
 * over, whom a BYE is owed (bit 0 the caller's side, bit 1 the callee's). False
 * when it did not fit `w`: what was written is then of no use. `shape` may be NULL.
 */
bool gather_call(struct engine *e, const struct call *call, uint32_t version, uint8_t owed,
		 struct wbuf *w, struct checkpoint_shape *shape);

/* The same as what has changed of what was put, behind the rest where `rest` says so. */
bool gather_change(struct engine *e, const struct call *call, uint32_t version, uint8_t owed,
		   struct wbuf *w, struct checkpoint_change *change, bool rest);

bool gather_registration(struct engine *e, const struct registration *r, uint32_t version,
			 struct wbuf *w);

#endif
