/*
 * relay: media packets through their flows.
 *
 * The flow of a packet is found by indexing with the port it came to; whether it
 * goes on is the flow's source policy (media/flow.h). The mbuf is rewritten in
 * place and sent; nothing is allocated, locked or logged.
 *
 * Two phones of this border that call each other through a core that leaves the
 * SDP alone have two calls here, of which each sends to the other's port on our
 * own address. Nobody on the wire answers for that: such a packet is taken as if
 * it had come to the other flow, which expects it from exactly there. From the
 * wire a packet with our own source is not taken (classify.h), so nobody else can
 * pass for it. How often a packet turns round inside is bounded: flows in a ring
 * would have it for ever.
 *
 * Flows are one array for all workers, each flow with its worker as only reader
 * and writer. Silence of a call: no stream of it has relayed a packet in either
 * direction for the shorter media timeout of its two realms, streams that are
 * closed both ways (hold) not counted as silent.
 */
#ifndef DATAPLANE_RELAY_H
#define DATAPLANE_RELAY_H

#include <rte_mbuf.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "sbc/media/flow.h"

#define RELAY_TURNS 8u

struct worker;

/* Takes a packet whose target is a flow of this worker. */
void relay_packet(struct worker *w, struct rte_mbuf *m);

/* The worker whose slice has the flow's port; the asker's own when nobody's has. */
uint16_t relay_owner(const struct worker *w, uint32_t flow);

/*
 * Actions of the engine. relay_ahead() has the lines of all flows that the actions
 * name fetched at one time: with a million calls none of them is in a cache.
 */
void relay_ahead(const struct worker *w, const struct engine_out *out);
void relay_publish(struct worker *w, const struct flow_spec *spec);
void relay_retire(struct worker *w, uint16_t realm, uint8_t address, uint16_t port);

/*
 * A slow walk over the flows, all of them within a second: next hops that have
 * moved, calls that are silent, what has been relayed. Call every ms.
 */
void relay_scan(struct worker *w, uint64_t elapsed);
/* When it is to be called at the latest, to see every flow in time; UINT64_MAX: no flows. */
uint64_t relay_scan_due(const struct worker *w);

/* Looks next hops up again after groups have changed hands, some a turn: how many are left. */
uint32_t relay_renew(struct worker *w);

/* Fills up to DP_BATCH, as engine_calls_read() does. */
uint32_t relay_flows_read(const struct worker *w, uint32_t *cursor, struct dp_flow_info *info,
			  uint32_t max);

#endif
