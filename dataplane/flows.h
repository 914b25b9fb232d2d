/*
 * flows: which flows there are, and what the dataplane adds to them: their
 * partner's index, their way out, and walks over all of a worker's.
 */
#ifndef DATAPLANE_FLOWS_H
#define DATAPLANE_FLOWS_H

#include "dataplane/relay.h"

/* Joins a flow to its partner, and the partner to it, after either has changed. */
void flows_join(struct worker *w, struct flow *f);

/* Looks the next hop up again: out_l2 is set, or empty when it is not known. */
void flows_resolve(struct worker *w, struct flow *f);

#endif
