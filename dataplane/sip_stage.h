/*
 * sip_stage: between packets and the engine.
 *
 * What the engine answers is carried out here at once, in order, and is done with
 * before the next event goes in: the bytes of its actions live no longer.
 */
#ifndef DATAPLANE_SIP_STAGE_H
#define DATAPLANE_SIP_STAGE_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "sbc/core/engine.h"

struct worker;

/* Takes a datagram for a listener, which is of our shard. */
void sip_stage_receive(struct worker *w, struct rte_mbuf *m);

void sip_stage_ask(struct worker *w, const struct engine_ask *ask);
void sip_stage_answer(struct worker *w, const struct engine_answer *answer);

/* Whether the engine had something to do about it. */
bool sip_stage_command(struct worker *w, enum engine_command what, uint64_t call);
void sip_stage_snapshot(struct worker *w, const struct snapshot *s);

/* What the relay has noted since the last time. */
void sip_stage_media(struct worker *w);

/* Any other event: its time is filled in. How many actions came of it. */
uint32_t sip_stage_event(struct worker *w, struct engine_event *ev);

/* Time has passed. */
void sip_stage_tick(struct worker *w);

#endif
