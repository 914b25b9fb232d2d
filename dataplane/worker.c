#include "dataplane/worker.h"

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <sys/prctl.h>

#include "dataplane/arp.h"
#include "dataplane/classify.h"
#include "dataplane/group.h"
#include "dataplane/icmp.h"
#include "dataplane/nd.h"
#include "dataplane/output.h"
#include "dataplane/receive.h"
#include "dataplane/relay.h"
#include "dataplane/request.h"
#include "dataplane/sip_stage.h"
#include "dataplane/steer.h"
#include "dataplane/tx.h"

/* Ticks in a row when the engine says that more is due at once: packets wait meanwhile. */
#define ENGINE_TICKS 4u

void worker_take(struct worker *w, enum packet_kind kind, struct rte_mbuf *m)
{
	switch (kind) {
	case PACKET_MEDIA:
		relay_packet(w, m);
		break;
	case PACKET_SIP:
		sip_stage_receive(w, m);
		break;
	case PACKET_FRAGMENT:
		worker_fragment(w, m);
		break;
	case PACKET_ARP:
		arp_receive(w, m);
		break;
	case PACKET_ICMP:
		icmp_receive(w, m);
		break;
	case PACKET_ICMP6:
		nd_receive(w, m);
		break;
	case PACKET_DROP:
		packet_free(m);
		break;
	}
}

void worker_dispatch(struct worker *w, enum packet_kind kind, struct rte_mbuf *m)
{
	uint16_t to = steer_owner(w, kind, m);

	if (to == w->id)
		worker_take(w, kind, m);
	else
		steer_packet(w, to, m);
}

void worker_fragment(struct worker *w, struct rte_mbuf *m)
{
	enum reason why = REASON_FRAG_BAD;
	enum packet_kind kind;

	m = reassembly_add(w, m);
	if (m == NULL)
		return;
	kind = classify_datagram(w, m, &why);
	if (kind == PACKET_DROP)
		worker_drop(w, m, why);
	else
		worker_dispatch(w, kind, m);
}

/* What is due by the clock, once a ms. */
static void tick(struct worker *w)
{
	uint64_t elapsed = w->now - w->last_tick;

	w->last_tick = w->now;
	if (w->id == 0) {
		neigh_tick(w, elapsed);
		group_tick(w);
	}
	output_pending(w);
	reassembly_expire(w);
	relay_scan(w, elapsed);
	w->engine_due = true;
	if (w->now - w->last_report >= TELEMETRY_PERIOD_MS) {
		w->last_report = w->now;
		telemetry_publish(w);
	}
}

bool worker_turn(struct worker *w, uint64_t now)
{
	uint64_t begin = rte_rdtsc();
	uint32_t busy, left;

	w->now = now;
	group_look(w, now);
	left = relay_renew(w);
	busy = receive(w);
	/* Media does not wait for what else is due in this turn. */
	tx_flush_all(w);
	busy += steer_drain_packets(w);
	busy += steer_drain_messages(w);
	busy += tx_drain(w);
	if (now != w->last_tick) {
		/* What came to a worker that slept for long has not to wait for what was put off. */
		tx_flush_all(w);
		tick(w);
	}
	sip_stage_media(w);
	for (uint32_t i = 0; w->engine_due && i < ENGINE_TICKS; i++)
		sip_stage_tick(w);
	left += w->engine_due;
	busy += state_serve(w, busy != 0);
	busy += request_serve(w);
	steer_flush(w);
	tx_flush_all(w);
	wait_ring_owed(w);
	state_wake(w);
	/* There is no sleep before what is left for the next turn. */
	busy += left;
	w->count.loops++;
	if (busy != 0) {
		w->count.busy_loops++;
		w->count.busy_cycles += rte_rdtsc() - begin;
	}
	__atomic_store_n(&w->beat, now, __ATOMIC_RELEASE);
	return busy != 0;
}

int worker_main(void *arg)
{
	struct worker *w = arg;

	/* The kernel's default slack would double the longest sleep. */
	prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	idle_init(w);
	w->now = dp_now();
	w->count.began = rte_rdtsc();
	group_look(w, w->now);
	if (w->id == 0)
		arp_announce_all(w);
	while (!__atomic_load_n(&w->dp->stop, __ATOMIC_RELAXED))
		idle_turn(w, worker_turn(w, dp_now()));
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	return 0;
}
