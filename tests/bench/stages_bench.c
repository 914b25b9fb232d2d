/*
 * stages_bench: cycles of each stage of a worker's loop, a packet.
 *
 *   stages_bench               figures as JSON
 *   stages_bench OPERATION N   turn, idle or call N times, for a counter of instructions:
 *                              callgrind with --toggle-collect=worker_turn
 *
 * A border in one process on net_ring devices: no device, no copy to another address
 * space, so what remains is the worker's own. Bursts of 32 RTP packets of 214 bytes of
 * as many flows; each stage is timed over a burst, and of many rounds the median is
 * printed. Stages are timed apart, so that their sum is a little more than a turn.
 */
#include <arpa/inet.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/checksum.h"
#include "dataplane/classify.h"
#include "dataplane/relay.h"
#include "dataplane/tx.h"
#include "tests/dataplane/talk.h"

#define BURST  WORKER_BURST
#define ROUNDS 2001u
#define RTP    160u

enum stage { RECEIVE, CLASSIFY, RELAY, SEND, WHOLE, IDLE, CHECKSUM, STAGES };

static const char *const stage_name[STAGES] = {
	"receive (a ring)", "classify",  "admit, rewrite, next hop", "send (a ring)",
	"a whole turn",     "idle turn", "UDP checksum of 180 bytes"};

static struct bed b;
static char program[32];
static struct worker *w;
static uint64_t cycles[STAGES][ROUNDS];
static uint16_t sequence;

static struct flow_spec spec(uint32_t side, uint32_t k)
{
	struct flow_spec s = {.realm = (uint16_t)side, .peer_realm = (uint16_t)!side};

	s.port = (uint16_t)((side == OUTSIDE ? 20000 : 30000) + 2 * k);
	s.peer_port = (uint16_t)((side == OUTSIDE ? 30000 : 20000) + 2 * k);
	s.call = 0x100000001u + k;
	s.leg = (uint8_t)side;
	s.clock_rate = 8000;
	s.epoch = 1;
	s.remote = side == OUTSIDE ? (struct net_addr){htonl(PHONE), (uint16_t)(40000 + 2 * k)}
				   : (struct net_addr){htonl(PBX), (uint16_t)(17000 + 2 * k)};
	s.proven = true;
	return s;
}

static void publish(void)
{
	for (uint32_t k = 0; k < BURST; k++)
		for (uint32_t side = 0; side < 2; side++) {
			struct flow_spec s = spec(side, k);

			relay_publish(w, &s);
		}
}

static void retire(void)
{
	for (uint32_t k = 0; k < BURST; k++) {
		relay_retire(w, OUTSIDE, 0, (uint16_t)(20000 + 2 * k));
		relay_retire(w, INSIDE, 0, (uint16_t)(30000 + 2 * k));
	}
}

/* A packet of each flow, from the phones. */
static void arrive(void)
{
	static uint8_t rtp[RTP + 12];
	static struct frame f;

	sequence++;
	for (uint32_t k = 0; k < BURST; k++) {
		struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
		uint32_t n = frame_rtp(rtp, 0x1000 + k, sequence, sequence * 160u, RTP);

		s.sport = (uint16_t)(40000 + 2 * k);
		s.dport = (uint16_t)(20000 + 2 * k);
		frame_udp(&f, &s, rtp, n);
		bed_put(&b, OUTSIDE, &f);
	}
}

/* All 32 went on: a stage that drops is not what is measured. */
static void leave(void)
{
	struct frame f;
	uint32_t n = 0;

	while (bed_take(&b, INSIDE, &f))
		n++;
	if (n != BURST)
		bed_fail("%u of %u packets were relayed", n, BURST);
}

static void stages(uint32_t round)
{
	struct rte_mbuf *pkt[BURST];
	enum reason why;
	uint64_t at[5];
	uint64_t sum = 0;

	arrive();
	at[0] = rte_rdtsc();
	if (rte_eth_rx_burst(w->rx[0].dev->eth, w->rx[0].queue, pkt, BURST) != BURST)
		bed_fail("not all packets arrived");
	at[1] = rte_rdtsc();
	packets_got(pkt, BURST);
	at[2] = rte_rdtsc();
	for (uint32_t i = 0; i < BURST; i++)
		if (classify_frame(w, w->rx[0].dev, pkt[i], &why) != PACKET_MEDIA)
			bed_fail("not media");
	cycles[CLASSIFY][round] = rte_rdtsc() - at[2];
	cycles[RECEIVE][round] = at[1] - at[0];
	at[3] = rte_rdtsc();
	for (uint32_t i = 0; i < BURST; i++)
		sum += checksum_fold(checksum_add(0, packet_ip(pkt[i]) + PACKET_IP_LEN, RTP + 20));
	cycles[CHECKSUM][round] = rte_rdtsc() - at[3];
	__asm__ volatile("" : : "r"(sum));
	at[3] = rte_rdtsc();
	for (uint32_t i = 0; i < BURST; i++)
		relay_packet(w, pkt[i]);
	at[4] = rte_rdtsc();
	tx_flush_all(w);
	cycles[SEND][round] = rte_rdtsc() - at[4];
	cycles[RELAY][round] = at[4] - at[3];
	leave();
}

static void turns(uint32_t round)
{
	uint64_t at;

	arrive();
	at = rte_rdtsc();
	worker_turn(w, b.now);
	cycles[WHOLE][round] = rte_rdtsc() - at;
	leave();
	at = rte_rdtsc();
	worker_turn(w, b.now);
	cycles[IDLE][round] = rte_rdtsc() - at;
}

static int by_value(const void *x, const void *y)
{
	const uint64_t a = *(const uint64_t *)x, c = *(const uint64_t *)y;

	return (a > c) - (a < c);
}

static double median(enum stage s)
{
	const uint64_t *middle = &cycles[s][ROUNDS / 2];

	qsort(cycles[s], ROUNDS, sizeof(cycles[s][0]), by_value);
	return (double)*middle;
}

static void print(void)
{
	const double whole = median(WHOLE) / BURST;

	for (uint32_t s = 0; s < STAGES; s++) {
		const double each = s == IDLE ? 1 : BURST;

		printf("{\"name\": \"stage: %s\", \"value\": %.1f, \"unit\": \"cycles%s\", "
		       "\"reference\": \"a whole turn, a packet\", \"reference_value\": %.1f}\n",
		       stage_name[s], median((enum stage)s) / each, s == IDLE ? "" : "/packet",
		       whole);
	}
}

static void open_bed(void)
{
	/* A runtime directory of its own: several may run at one time. */
	snprintf(program, sizeof(program), "postern-bench-%d", (int)getpid());
	bed_init(&b, 1);
	b.conf.program = program;
	engine_limits_for(&b.conf.limits, 4096, 64);
	bed_open(&b, 0);
	w = b.dp->worker[0];
	bed_learn_all(&b);
	publish();
	arrive();
	bed_turn(&b);
	bed_drain(&b);
}

static void count(const char *what, uint32_t n)
{
	static struct talk t;

	for (uint32_t i = 0; i < n; i++) {
		if (strcmp(what, "call") == 0) {
			talk_init(&t, i);
			talk_call(&b, &t);
			talk_bye(&b, &t);
			bed_sleep(&b, 1);
			continue;
		}
		if (strcmp(what, "turn") == 0)
			arrive();
		worker_turn(w, b.now);
		if (strcmp(what, "turn") == 0)
			leave();
	}
}

int main(int argc, char **argv)
{
	open_bed();
	if (argc == 3) {
		count(argv[1], (uint32_t)atoi(argv[2]));
	} else {
		for (uint32_t i = 0; i < ROUNDS; i++) {
			stages(i);
			turns(i);
		}
		print();
	}
	retire();
	bed_close(&b);
	return 0;
}
