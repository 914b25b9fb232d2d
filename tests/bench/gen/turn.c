#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "tests/bench/gen/fault.h"
#include "tests/bench/gen/job.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/rtp.h"

static void input(struct gen *g, enum side side, const struct rte_mbuf *m)
{
	struct frame_seen seen;

	if (arp_input(g, side, m))
		return;
	if (g->calls && frame_read(m, &seen) && seen.way.dport >= 1024 && seen.n > 0) {
		sip_input(g, side, &seen);
		return;
	}
	g->count.other++;
}

static uint32_t receive_queue(struct gen *g, enum side side, uint16_t queue)
{
	struct rte_mbuf *burst[GEN_BURST];
	uint64_t polled = rte_get_tsc_cycles(), begin, bytes = 0;
	uint32_t n = rte_eth_rx_burst(g->port[side].id, queue, burst, GEN_BURST), media = 0;

	if (n == 0)
		return 0;
	begin = rte_get_tsc_cycles();
	g->now = begin;
	g->count.rx[side] += n;
	if (unlikely(fault_any()))
		n = fault_inject(g, side, burst, n);
	for (uint32_t i = 0; i < n; i++) {
		if (i + 4 < n)
			rte_prefetch0(rte_pktmbuf_mtod(burst[i + 4], void *));
		bytes += burst[i]->data_len;
		if (likely(rtp_input(g, side, burst[i], begin)))
			media++;
		else
			input(g, side, burst[i]);
	}
	g->count.rx_bytes[side] += bytes;
	rte_pktmbuf_free_bulk(burst, n);
	if (media == n) {
		g->count.rtp_rx += n;
		g->count.rtp_rx_cycles += rte_get_tsc_cycles() - polled;
	}
	return n;
}

static uint32_t receive(struct gen *g, enum side side)
{
	uint32_t n = 0;

	for (uint16_t q = 0; q < g->port[side].queues; q++)
		n += receive_queue(g, side, q);
	return n;
}

/*
 * Something else had our CPU: the kernel, or the host its machine. What the rings did
 * meanwhile says nothing about the device on their other side.
 */
static void note_pause(struct gen *g, uint64_t begin)
{
	const uint64_t turn = begin - g->turned;

	if (g->turned != 0 && turn > gen_cycles(g, GEN_PAUSE))
		g->count.paused_cycles += turn;
	g->turned = begin;
}

bool gen_turn(struct gen *g)
{
	uint64_t begin = rte_get_tsc_cycles(), end;

	note_pause(g, begin);
	g->now = begin;
	g->work = receive(g, OUTSIDE) + receive(g, INSIDE);
	if (g->calls)
		g->work += calls_timers(g);
	jobs_step(g);
	g->work += port_flush(g, OUTSIDE) + port_flush(g, INSIDE);
	end = rte_get_tsc_cycles();
	if (g->work) {
		g->count.busy_cycles += end - begin;
		if (jobs_only_calls(g))
			g->count.call_cycles += end - begin;
	}
	if (!g->work)
		g->count.idle_cycles += end - begin;
	g->count.turns++;
	return g->work != 0;
}
