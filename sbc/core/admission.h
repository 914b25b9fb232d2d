/*
 * admission: who may begin a call, and how many at a time.
 *
 * A realm's limits are the node's; each shard admits its even share, rounded up,
 * so that no counter is shared between workers.
 */
#ifndef SBC_CORE_ADMISSION_H
#define SBC_CORE_ADMISSION_H

#include "sbc/core/engine_internal.h"

/*
 * Whether a host may begin anything from this realm: in a trusted realm that has
 * peers only those, from any of their ports; a trusted realm without peers and
 * untrusted ones are open.
 */
bool admission_knows_source(const struct engine *e, const struct rx *rx);

/* REASON_COUNT: may begin; else why not. Counts the attempt against the rate. */
enum reason admission_begin(struct engine *e, uint16_t slot);

/* Whether one more call may go to a realm. */
bool admission_reach(const struct engine *e, uint16_t slot);

#endif
