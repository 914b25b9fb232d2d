#include "tests/bench/gen/call.h"
#include "tests/bench/gen/fault.h"
#include "tests/bench/gen/job.h"
#include "tests/bench/gen/rtp.h"

static double share(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void side_report(const struct gen *g, enum side side)
{
	const struct counts *c = &g->count;

	report_open(side == OUTSIDE ? "outside" : "inside");
	report_count("tx", c->tx[side]);
	report_count("rx", c->rx[side]);
	report_count("rx_bytes", c->rx_bytes[side]);
	report_count("sip_tx", c->sip_tx[side]);
	report_count("sip_rx", c->sip_rx[side]);
	report_close();
}

/*
 * What this program itself costs: cycles of a packet sent and received, of a call
 * with all that belongs to it, and the rates at which they would fill the core.
 */
static void headroom_report(const struct gen *g)
{
	const struct counts *c = &g->count;
	double tx = share(c->rtp_tx_cycles, c->rtp_tx), rx = share(c->rtp_rx_cycles, c->rtp_rx);
	double call = share(c->call_cycles, c->calls_ended);

	report_open("headroom");
	report_value("cycles_packet_sent", tx);
	report_value("cycles_packet_received", rx);
	report_value("full_mpps", tx + rx > 0 ? (double)g->hz / (tx + rx) / 1e6 : 0);
	report_value("cycles_call", call);
	report_value("full_cps", call > 0 ? (double)g->hz / call : 0);
	report_value("busy", share(c->busy_cycles, c->busy_cycles + c->idle_cycles));
	report_close();
}

static void faults_report(const struct counts *c)
{
	report_open("faults");
	for (uint32_t i = 0; i < FAULTS; i++)
		report_count(check_fault_name((enum fault)i), c->fault[i]);
	report_close();
	report_count("faults_made", fault_made());
}

void stats_report(struct gen *g)
{
	const struct counts *c = &g->count;

	side_report(g, OUTSIDE);
	side_report(g, INSIDE);
	faults_report(c);
	report_count("calls_active", g->calls ? g->calls->active : 0);
	report_count("calls_up", g->calls ? g->calls->up : 0);
	report_count("calls_done", c->calls_done);
	report_count("retransmitted", c->retransmitted);
	report_count("repeated", c->repeated);
	report_count("stale", c->stale);
	report_count("unexpected", c->unexpected);
	report_count("malformed", c->malformed);
	report_count("other", c->other);
	report_count("tx_dropped", c->tx_dropped);
	report_count("no_mbuf", c->no_mbuf);
	report_count("mbufs_in_use", rte_mempool_in_use_count(g->pool));
	report_count("rtp_mbufs_in_use", rte_mempool_in_use_count(g->rtp->pool));
	report_count("hz", g->hz);
	headroom_report(g);
}
