#include <arpa/inet.h>
#include <getopt.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/gen/gen.h"

struct options {
	uint32_t calls, window;
	double seconds, rate; /* rate in packets a second over both sides, 0: all that goes */
	double goal_loss;
	bool setup, search;
};

static int usage(void)
{
	fprintf(stderr, "usage: gen EAL-OPTIONS -- --calls N [--setup] [--seconds S] [--rate PPS] "
			"[--search]\n"
			"  EAL options must make two ports: the outside first\n");
	return 2;
}

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option known[] = {{"calls", 1, NULL, 'c'},   {"setup", 0, NULL, 's'},
					      {"seconds", 1, NULL, 't'}, {"rate", 1, NULL, 'r'},
					      {"search", 0, NULL, 'b'},  {"window", 1, NULL, 'w'},
					      {NULL, 0, NULL, 0}};
	int c;

	*o = (struct options){.calls = 500, .window = 64, .seconds = 3};
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->calls = (uint32_t)atoi(optarg);
			break;
		case 's':
			o->setup = true;
			break;
		case 't':
			o->seconds = atof(optarg);
			break;
		case 'r':
			o->rate = atof(optarg);
			break;
		case 'b':
			o->search = true;
			break;
		case 'w':
			o->window = (uint32_t)atoi(optarg);
			break;
		default:
			return -1;
		}
	}
	return o->calls > 0 && o->calls <= 1000000 && o->seconds > 0 ? 0 : -1;
}

static int port_up(struct gen *g, enum gen_side side)
{
	uint16_t id = g->port[side].id, rxd = 1024, txd = 1024;
	struct rte_eth_conf conf = {0};

	if (rte_eth_dev_configure(id, 1, 1, &conf) ||
	    rte_eth_dev_adjust_nb_rx_tx_desc(id, &rxd, &txd) ||
	    rte_eth_rx_queue_setup(id, 0, rxd, SOCKET_ID_ANY, NULL, g->pool) ||
	    rte_eth_tx_queue_setup(id, 0, txd, SOCKET_ID_ANY, NULL) || rte_eth_dev_start(id))
		return -1;
	rte_eth_promiscuous_enable(id);
	return rte_eth_macaddr_get(id, &g->port[side].mac);
}

static void input(struct gen *g, enum gen_side side, struct rte_mbuf *m)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(eth + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	uint16_t len;

	if (m->data_len == GEN_RTP_FRAME &&
	    eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) &&
	    (g->reference || udp->dst_port != rte_cpu_to_be_16(5060))) {
		g->stats.rx[side]++;
	} else if (!gen_arp_input(g, side, m) && m->data_len >= 42 &&
		   ip->next_proto_id == IPPROTO_UDP && udp->dst_port == rte_cpu_to_be_16(5060)) {
		len = (uint16_t)(rte_be_to_cpu_16(udp->dgram_len) - 8);
		if (len <= m->data_len - 42)
			gen_sip_input(g, side, (const char *)(udp + 1), len);
	} else {
		g->stats.rx_other++;
	}
}

uint32_t gen_poll(struct gen *g)
{
	struct rte_mbuf *burst[GEN_BURST];
	uint32_t total = 0;

	for (int side = 0; side < 2; side++) {
		uint16_t n = rte_eth_rx_burst(g->port[side].id, 0, burst, GEN_BURST);

		for (uint16_t i = 0; i < n; i++)
			input(g, (enum gen_side)side, burst[i]);
		rte_pktmbuf_free_bulk(burst, n);
		total += n;
	}
	return total;
}

static bool wait_links(struct gen *g, double seconds)
{
	uint64_t end = rte_get_tsc_cycles() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

	while (rte_get_tsc_cycles() < end) {
		struct rte_eth_link a, b;

		rte_eth_link_get_nowait(g->port[0].id, &a);
		rte_eth_link_get_nowait(g->port[1].id, &b);
		if (a.link_status && b.link_status)
			return true;
		rte_delay_us_sleep(10000);
	}
	return false;
}

static bool resolve(struct gen *g)
{
	uint64_t hz = rte_get_tsc_hz(), end = rte_get_tsc_cycles() + 10 * hz, next = 0;

	while (rte_get_tsc_cycles() < end && !(g->port[0].resolved && g->port[1].resolved)) {
		if (rte_get_tsc_cycles() > next) {
			gen_arp_request(g, GEN_OUT);
			gen_arp_request(g, GEN_IN);
			next = rte_get_tsc_cycles() + hz / 5;
		}
		gen_poll(g);
	}
	return g->port[0].resolved && g->port[1].resolved;
}

/* Calls in a window of so many at a time; an INVITE unanswered for a second is sent again. */
static bool set_up(struct gen *g, uint32_t window)
{
	uint64_t hz = rte_get_tsc_hz(), end = rte_get_tsc_cycles() + 60 * hz;
	uint32_t started = 0, oldest = 0;

	while (g->up < g->calls && g->failed == 0 && rte_get_tsc_cycles() < end) {
		uint64_t now = rte_get_tsc_cycles();

		while (started < g->calls && started - g->up < window)
			gen_sip_invite(g, started++, now);
		gen_poll(g);
		while (oldest < started && g->call[oldest].state == GEN_UP)
			oldest++;
		if (oldest < started && now - g->call[oldest].sent_at > hz) {
			g->retried++;
			gen_sip_invite(g, oldest, now);
		}
	}
	return g->up == g->calls;
}

static void drain(struct gen *g, double seconds)
{
	uint64_t end = rte_get_tsc_cycles() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

	while (rte_get_tsc_cycles() < end)
		gen_poll(g);
}

/* Every stream proves its source with a few packets before anything is counted. */
static void prove(struct gen *g)
{
	for (int round = 0; round < 6; round++) {
		for (int side = 0; side < 2; side++) {
			uint32_t left = g->calls;

			while (left > 0) {
				left -= gen_rtp_send(g, (enum gen_side)side,
						     (uint16_t)RTE_MIN(left, GEN_BURST));
				gen_poll(g);
			}
		}
		drain(g, 0.05);
	}
}

struct measured {
	double tx_pps, rx_pps, loss, busy;
};

static struct measured run(struct gen *g, double seconds, double rate)
{
	uint64_t hz = rte_get_tsc_hz(), begin, now, until;
	uint64_t sent = 0, useful = 0, turns = 0;
	struct measured m;

	g->stats = (struct gen_stats){0};
	begin = now = rte_get_tsc_cycles();
	until = begin + (uint64_t)(seconds * (double)hz);
	while (now < until) {
		bool may = rate == 0 || (double)sent < rate * (double)(now - begin) / (double)hz;
		uint32_t did = 0;

		if (may) {
			did += gen_rtp_send(g, GEN_OUT, GEN_BURST);
			did += gen_rtp_send(g, GEN_IN, GEN_BURST);
			sent += did;
		}
		did += gen_poll(g);
		turns++;
		useful += did != 0;
		now = rte_get_tsc_cycles();
	}
	m.tx_pps = (double)(g->stats.tx[0] + g->stats.tx[1]) * (double)hz / (double)(now - begin);
	m.rx_pps = (double)(g->stats.rx[0] + g->stats.rx[1]) * (double)hz / (double)(now - begin);
	m.busy = (double)useful / (double)turns;
	drain(g, 0.2);
	sent = g->stats.tx[0] + g->stats.tx[1];
	m.loss = sent ? 1.0 - (double)(g->stats.rx[0] + g->stats.rx[1]) / (double)sent : 1.0;
	return m;
}

/* RFC 2544 section 26.1: the highest rate without loss, by halving. */
static struct measured search(struct gen *g, double seconds, double top)
{
	struct measured best = {0}, m;
	double low = 0, high = top;

	for (int step = 0; step < 8; step++) {
		double rate = step == 0 ? high : (low + high) / 2;

		m = run(g, seconds, rate);
		fprintf(stderr, "gen: %.3f Mpps offered, %.3f sent, %.3f received, loss %.7f\n",
			rate / 1e6, m.tx_pps / 1e6, m.rx_pps / 1e6, m.loss);
		if (m.loss <= 0.0) {
			best = m;
			low = rate;
			if (step == 0)
				break;
		} else {
			high = rate;
		}
	}
	return best;
}

static int measure(struct gen *g, const struct options *o)
{
	struct measured m, ndr = {0};

	run(g, 1.0, o->rate);
	m = run(g, o->seconds, o->rate);
	if (o->search)
		ndr = search(g, o->seconds / 2, m.rx_pps * 1.05);
	printf("{\"calls\": %u, \"flows\": %u, \"frame\": %u, \"tx_mpps\": %.4f, \"rx_mpps\": "
	       "%.4f, \"loss\": %.7f,"
	       " \"ndr_mpps\": %.4f, \"retried\": %u, \"rx_other\": %lu, \"generator_busy\": "
	       "%.3f}\n",
	       g->calls, g->calls * 2, GEN_RTP_FRAME, m.tx_pps / 1e6, m.rx_pps / 1e6, m.loss,
	       ndr.rx_pps / 1e6, g->retried, g->stats.rx_other, m.busy);
	return 0;
}

static int work(struct gen *g, const struct options *o)
{
	struct rte_eth_dev_info info;

	g->calls = o->calls;
	g->reference = !o->setup;
	g->call = calloc(o->calls, sizeof(*g->call));
	g->pool = rte_pktmbuf_pool_create("gen", 2 * o->calls + 16384, 256, 0, 2304, SOCKET_ID_ANY);
	if (!g->call || !g->pool || rte_eth_dev_count_avail() != 2 || port_up(g, GEN_OUT) ||
	    port_up(g, GEN_IN)) {
		fprintf(stderr, "gen: cannot set up two ports\n");
		return 1;
	}
	rte_eth_dev_info_get(g->port[0].id, &info);
	g->copies = strcmp(info.driver_name, "net_vhost") == 0;
	fprintf(stderr, "gen: ready\n");
	if (!wait_links(g, 30)) {
		fprintf(stderr, "gen: the other side did not connect\n");
		return 1;
	}
	/* The border takes calls when its store has been read; who started both knows when. */
	if (o->setup && getchar() == EOF) {
		fprintf(stderr, "gen: told to go by nobody\n");
		return 1;
	}
	if (o->setup && (!resolve(g) || !set_up(g, o->window))) {
		fprintf(stderr, "gen: %u of %u calls set up, %u refused\n", g->up, g->calls,
			g->failed);
		return 1;
	}
	if (gen_rtp_prepare(g))
		return 1;
	prove(g);
	return measure(g, o);
}

int main(int argc, char **argv)
{
	static struct gen g = {.port = {{.id = 0}, {.id = 1}}};
	struct options o;
	int n = rte_eal_init(argc, argv), code;

	if (n < 0)
		return usage();
	if (parse(argc - n, argv + n, &o))
		return usage();
	inet_pton(AF_INET, "203.0.113.100", &g.port[GEN_OUT].ip);
	inet_pton(AF_INET, "203.0.113.1", &g.port[GEN_OUT].border_ip);
	inet_pton(AF_INET, "10.0.0.10", &g.port[GEN_IN].ip);
	inet_pton(AF_INET, "10.0.0.1", &g.port[GEN_IN].border_ip);
	code = work(&g, &o);
	rte_eal_cleanup();
	return code;
}
