/*
 * group: which of our addresses are ours now.
 *
 * Control says until when each group of addresses is ours (dp_group_until()); a
 * worker compares that with the clock at the start of each turn, and again before
 * it hands anything to a device when the clock has moved meanwhile: a process
 * that was stopped in between may have lost what it was about to send from. What
 * is lost takes along what is waiting to be sent from it (group-fenced). What has
 * been given to a device is beyond recall, and so is a stop between that last look
 * and the device's taking of the burst.
 *
 * An address of ours whose group is another node's now is a host like any other:
 * resolved by ARP, sent to over the wire, heard from. What comes to it here is
 * dropped (group-passive), and so is what would leave from it (group-source).
 */
#ifndef DATAPLANE_GROUP_H
#define DATAPLANE_GROUP_H

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/worker.h"

/* Announced at once and so many times again (a frame may be lost), that far apart. */
#define GROUP_ANNOUNCE_AGAIN 5u
#define GROUP_ANNOUNCE_MS    150u

/* A bit for each active group, and all bits that are no group's. */
uint32_t group_mask(const struct dataplane *dp, uint64_t now);

/* Sets w->active as of `now`, and carries out what a change means. */
void group_look(struct worker *w, uint64_t now);

/* Whether a frame that is complete, or a packet that came for us, is of an active address. */
bool group_frame_ok(const struct worker *w, uint16_t device, const struct rte_mbuf *m);
bool group_packet_ok(const struct worker *w, struct rte_mbuf *m);

/* A group is ours now, and is to be announced; or is not. Worker 0's. */
void group_announce(struct worker *w, uint16_t group, bool active);

/* Worker 0's: call every ms. */
void group_tick(struct worker *w);

/* When group_tick() has something to announce; UINT64_MAX: never. */
uint64_t group_due(const struct worker *w);

/* Before frames go out: looks again if the clock has moved since the last look. */
static inline void group_look_again(struct worker *w)
{
	uint64_t now;

	if (!w->dp->conf.groups_held)
		return;
	now = w->dp->clock();
	if (now > w->looked)
		group_look(w, now);
}

#endif
