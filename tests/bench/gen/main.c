#include <arpa/inet.h>
#include <getopt.h>
#include <poll.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/bench/gen/call.h"
#include "tests/bench/gen/fault.h"
#include "tests/bench/gen/job.h"
#include "tests/bench/gen/phone.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/rtp.h"

#define LOOK_CYCLES_A_SECOND 2000 /* looks at standard input */
#define IDLE_US              50

struct options {
	const char *out_ip, *in_ip, *border_out, *border_in, *media_out, *media_in;
	uint32_t calls, mbufs;
	uint32_t nap_us;
	bool self;
};

static int usage(void)
{
	fprintf(stderr,
		"usage: gen EAL-OPTIONS -- [OPTIONS]   (two ports, the outside first)\n"
		"  --calls N          room for so many calls (1000)\n"
		"  --out-ip A, --in-ip A            first address of callers, of answerers\n"
		"  --border-out A, --border-in A    the border's\n"
		"  --media-out A/N, --media-in A/N  further addresses of its media\n"
		"  --reference        no border: streams come back as they were sent\n"
		"  --direct           no border: the sides call each other\n"
		"  --self             no devices: two ports of this program's own\n"
		"  --agent-hidden     the border is set to hide User-Agent of callers\n"
		"  --grace SECONDS    for calls that have not ended in time (8)\n"
		"  --mbufs N          packet buffers\n"
		"  --nap US           sleep so long after a turn without work: others need our "
		"CPU\n"
		"  --fault KIND:N     a fault of that kind in every Nth frame received\n");
	return 2;
}

static bool set_option(struct gen *g, struct options *o, int c)
{
	switch (c) {
	case 'c':
		o->calls = (uint32_t)strtoul(optarg, NULL, 10);
		return o->calls >= 1 && o->calls <= 2000000;
	case 'm':
		o->mbufs = (uint32_t)strtoul(optarg, NULL, 10);
		return o->mbufs >= 1024;
	case 'n':
		o->nap_us = (uint32_t)strtoul(optarg, NULL, 10);
		return o->nap_us >= 1 && o->nap_us <= 1000;
	case 'r':
		g->reference = true;
		return true;
	case 'd':
		g->direct = true;
		return true;
	case 's':
		o->self = true;
		return true;
	case 'a':
		g->agent_hidden = true;
		return true;
	case 'g':
		g->grace = atof(optarg);
		return g->grace > 0;
	case 'f':
		return fault_set(optarg);
	default:
		return false;
	}
}

static bool parse(struct gen *g, struct options *o, int argc, char **argv)
{
	static const struct option known[] = {
		{"calls", 1, NULL, 'c'},     {"mbufs", 1, NULL, 'm'},
		{"reference", 0, NULL, 'r'}, {"direct", 0, NULL, 'd'},
		{"self", 0, NULL, 's'},      {"agent-hidden", 0, NULL, 'a'},
		{"grace", 1, NULL, 'g'},     {"fault", 1, NULL, 'f'},
		{"nap", 1, NULL, 'n'},       {"out-ip", 1, NULL, 1},
		{"in-ip", 1, NULL, 2},       {"border-out", 1, NULL, 3},
		{"border-in", 1, NULL, 4},   {"media-out", 1, NULL, 5},
		{"media-in", 1, NULL, 6},    {NULL, 0, NULL, 0}};
	const char **text[] = {NULL,          &o->out_ip,    &o->in_ip,   &o->border_out,
			       &o->border_in, &o->media_out, &o->media_in};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c >= 1 && c <= 6)
			*text[c] = optarg;
		else if (!set_option(g, o, c))
			return false;
	}
	return optind == argc;
}

/* "A" or "A/N". */
static bool address(const char *text, uint32_t *ip, uint32_t *count)
{
	char copy[32], *slash;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	*count = 1;
	if (slash) {
		*slash = '\0';
		*count = (uint32_t)strtoul(slash + 1, NULL, 10);
	}
	return inet_pton(AF_INET, copy, ip) == 1 && *count >= 1;
}

static bool side_set(struct gen *g, enum side side, const char *ours, const char *border,
		     const char *media)
{
	struct port *p = &g->port[side];
	uint32_t ip, one;

	if (!address(ours, &ip, &one))
		return false;
	p->hosts = (g->max_calls + GEN_PER_ADDRESS - 1) / GEN_PER_ADDRESS;
	for (uint32_t i = 0; i < p->hosts; i++)
		host_set(&p->host[i], rte_cpu_to_be_32(rte_be_to_cpu_32(ip) + i));
	if (!address(border, &ip, &one))
		return false;
	host_set(&p->border, ip);
	p->media.own = ip;
	return !media || address(media, &p->media.first, &p->media.count);
}

/* Two ports, what one sends the other receives. */
static int make_self(struct gen *g)
{
	struct rte_ring *ring[2];

	for (int i = 0; i < 2; i++) {
		ring[i] = rte_ring_create(i ? "inwards" : "outwards", 4096, SOCKET_ID_ANY,
					  RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (!ring[i])
			return -1;
	}
	for (int i = 0; i < 2; i++) {
		int id = rte_eth_from_rings(i ? "self1" : "self0", &ring[i], 1, &ring[!i], 1,
					    SOCKET_ID_ANY);

		if (id < 0)
			return -1;
		g->port[i].id = (uint16_t)id;
	}
	return 0;
}

static int ports_up(struct gen *g, const struct options *o)
{
	uint32_t mbufs = o->mbufs ? o->mbufs : 32767;

	g->pool = rte_pktmbuf_pool_create("gen", mbufs, 512, 0, RTE_PKTMBUF_HEADROOM + 2048,
					  SOCKET_ID_ANY);
	if (!g->pool)
		return -1;
	if (o->self ? make_self(g) : rte_eth_dev_count_avail() != 2)
		return -1;
	if (port_start(g, OUTSIDE) || port_start(g, INSIDE))
		return -1;
	/* Without a border nobody answers ARP: frames go to the station at the other end. */
	for (int side = 0; side < 2 && (g->direct || g->reference); side++) {
		g->port[side].border_mac = g->port[!side].mac;
		g->port[side].resolved = true;
	}
	return 0;
}

/* Reads what is there; false when there will be no more, or "quit" was said. */
static bool read_commands(struct gen *g)
{
	static char line[256];
	static uint32_t n;
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char c;

	while (!jobs_foreground(g) && poll(&in, 1, 0) > 0) {
		if (read(STDIN_FILENO, &c, 1) <= 0)
			return jobs_any(g);
		if (c != '\n') {
			if (n < sizeof(line) - 1)
				line[n++] = c;
			continue;
		}
		line[n] = '\0';
		n = 0;
		if (!command_input(g, line))
			return false;
	}
	return true;
}

/* As idle as a turn that found nothing, and no pause. */
static void nap(struct gen *g, uint32_t us)
{
	uint64_t begin = rte_get_tsc_cycles();

	rte_delay_us_sleep(us);
	g->turned = rte_get_tsc_cycles();
	g->count.idle_cycles += g->turned - begin;
}

static void serve(struct gen *g, uint32_t nap_us)
{
	uint64_t look = 0, every = g->hz / LOOK_CYCLES_A_SECOND;

	for (;;) {
		bool busy = gen_turn(g);

		if (!busy && nap_us != 0)
			nap(g, nap_us);
		if (g->now < look)
			continue;
		look = g->now + every;
		if (!read_commands(g))
			return;
		if (!busy && !jobs_any(g))
			rte_delay_us_sleep(IDLE_US);
	}
}

static int work(struct gen *g, const struct options *o)
{
	g->hz = rte_get_tsc_hz();
	g->max_calls = o->calls;
	if (!side_set(g, OUTSIDE, o->out_ip, o->border_out, o->media_out) ||
	    !side_set(g, INSIDE, o->in_ip, o->border_in, o->media_in)) {
		fprintf(stderr, "gen: not an address\n");
		return 1;
	}
	host_forbid(g);
	if (ports_up(g, o) || rtp_init(g) || (!g->reference && calls_init(g))) {
		fprintf(stderr, "gen: no memory, or not two ports\n");
		return 1;
	}
	if (g->reference)
		rtp_reference_open(g);
	fprintf(stderr, "gen: ready\n");
	prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
	serve(g, o->nap_us);
	return 0;
}

static void down(struct gen *g)
{
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id)
	{
		rte_eth_dev_stop(id);
		rte_eth_dev_close(id);
	}
	calls_free(g);
	phones_free(g);
	rtp_free(g);
}

int main(int argc, char **argv)
{
	static struct gen g = {.port = {{.id = 0}, {.id = 1}}, .grace = 8};
	static struct job jobs[JOBS];
	struct options o = {.out_ip = "203.0.113.100",
			    .in_ip = "10.0.0.10",
			    .border_out = "203.0.113.1",
			    .border_in = "10.0.0.1",
			    .calls = 1000};
	int n = rte_eal_init(argc, argv), code;

	if (n < 0 || !parse(&g, &o, argc - n, argv + n))
		return usage();
	g.jobs = jobs;
	code = work(&g, &o);
	down(&g);
	rte_eal_cleanup();
	return code;
}
