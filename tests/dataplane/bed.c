#include "tests/dataplane/bed.h"

#include <arpa/inet.h>
#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/eal.h"

#define TURNS 6

const uint8_t OUT_MAC[6] = {2, 0, 0, 0, 0, 1}, IN_MAC[6] = {2, 0, 0, 0, 0, 2};
const uint8_t PHONE_MAC[6] = {2, 0, 0, 0, 1, 0x50}, PBX_MAC[6] = {2, 0, 0, 0, 2, 0x10};
const uint8_t GW_MAC[6] = {2, 0, 0, 0, 1, 0xfe}, EVIL_MAC[6] = {2, 0x66, 0x66, 0x66, 0x66, 0x66};

static const char *device_name(uint32_t i)
{
	return i == OUTSIDE ? "outside" : "inside";
}

static void realm(struct bed *b, uint16_t i, const char *name, bool trusted, uint32_t ip,
		  uint16_t lo)
{
	struct snapshot_realm *r = &b->snapshot.realm[i];

	snapshot_realm_defaults(r, trusted ? SNAPSHOT_TRUSTED : SNAPSHOT_UNTRUSTED, !trusted);
	snprintf(r->name, sizeof(r->name), "%s", name);
	r->media_ip = htonl(ip);
	r->media_lo = lo;
	r->media_hi = (uint16_t)(lo + 199);
	b->snapshot.listener[i] = (struct snapshot_listener){i, {htonl(ip), SIP}};
	b->conf.realm_port[i] = i;
}

static void port(struct bed *b, uint16_t i, uint32_t ip, const uint8_t *mac)
{
	struct dp_port_conf *p = &b->conf.port[i];

	snprintf(p->name, sizeof(p->name), "%s", device_name(i));
	snprintf(p->device, sizeof(p->device), "net_ring_%s", device_name(i));
	p->ip = htonl(ip);
	p->prefix = 24;
	p->mtu = 1500;
	memcpy(p->mac, mac, 6);
}

static void routes(struct snapshot *s)
{
	s->peers = 1;
	snprintf(s->peer[0].name, SNAPSHOT_NAME, "pbx");
	s->peer[0].realm = INSIDE;
	s->peer[0].addr = (struct net_addr){htonl(PBX), SIP};
	s->routes = 2;
	s->route[0] = (struct snapshot_route){.from = OUTSIDE, .target = SNAPSHOT_TO_PEER};
	s->route[1] = (struct snapshot_route){.from = INSIDE, .target = SNAPSHOT_TO_REGISTERED};
}

/* DPDK's directory of sockets has this name: programs that run at once must not share it. */
static const char *program(void)
{
	static char name[32];

	snprintf(name, sizeof(name), "postern-test-%d", (int)getpid());
	return name;
}

void bed_init(struct bed *b, uint16_t workers)
{
	memset(b, 0, sizeof(*b));
	snapshot_defaults(&b->snapshot);
	b->snapshot.realms = 2;
	b->snapshot.listeners = 2;
	realm(b, OUTSIDE, "access", false, OUT_IP, 20000);
	realm(b, INSIDE, "core", true, IN_IP, 30000);
	routes(&b->snapshot);
	port(b, OUTSIDE, OUT_IP, OUT_MAC);
	port(b, INSIDE, IN_IP, IN_MAC);
	b->conf.port[OUTSIDE].gateway = htonl(OUT_GW);
	b->conf.program = program();
	b->conf.workers = workers;
	for (uint32_t i = 0; i <= DP_MAX_WORKERS; i++)
		b->conf.cpus[i] = -1;
	b->conf.memory_mb = 320;
	b->conf.idle = DP_IDLE_BACKOFF;
	b->conf.ports = 2;
	b->conf.snapshot = &b->snapshot;
	b->conf.mbufs = 4095;
	b->conf.key = (struct siphash_key){0x0706050403020100, 0x0f0e0d0c0b0a0908};
	engine_limits_for(&b->conf.limits, 64, 64);
	b->devices = 2;
	b->queues = 1;
}

/*
 * EAL comes up once, so with lcores for the most workers that a test has: a
 * stepped worker needs none.
 */
static void eal_up(const struct bed *b)
{
	struct dp_conf conf = b->conf;
	char why[256] = "";

	conf.workers = 4;
	if (!eal_start(&conf, why, sizeof(why)))
		bed_fail("%s", why);
}

static struct rte_ring *ring(const char *name, uint32_t i, uint32_t size)
{
	char full[RTE_RING_NAMESIZE];
	struct rte_ring *r;

	snprintf(full, sizeof(full), "wire_%s_%u", name, i);
	r = rte_ring_create(full, size, SOCKET_ID_ANY, 0);
	assert_non_null(r);
	return r;
}

/* All queues of a device share one ring a direction: only the tests' multi-queue case has more. */
static void device(struct bed *b, uint32_t i, uint32_t tx_room)
{
	struct rte_ring *rx[DEVICE_QUEUES] = {NULL}, *tx[DEVICE_QUEUES] = {NULL};

	b->rx[i] = ring("in", i, 4096);
	b->tx[i] = ring("out", i, tx_room ? tx_room : 4096);
	b->rx_of[i][0] = b->rx[i];
	for (uint16_t q = 0; q < b->queues; q++) {
		if (q > 0)
			b->rx_of[i][q] =
				b->apart ? ring("queue", i * DEVICE_QUEUES + q, 4096) : b->rx[i];
		rx[q] = b->rx_of[i][q];
		tx[q] = b->tx[i];
	}
	assert_true(rte_eth_from_rings(device_name(i), rx, b->queues, tx, b->queues, 0) >= 0);
}

/* The workers' clock, of the one bed that is open. */
static uint64_t bed_now;

static uint64_t bed_clock(void)
{
	return bed_now;
}

void bed_sleep(struct bed *b, uint64_t ms)
{
	b->now += ms;
	bed_now = b->now;
}

void bed_open(struct bed *b, uint32_t tx_room)
{
	char why[256] = "";

	eal_up(b);
	b->pool = rte_pktmbuf_pool_create("wire", 8191, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					  SOCKET_ID_ANY);
	assert_non_null(b->pool);
	for (uint32_t i = 0; i < b->devices; i++)
		device(b, i, tx_room);
	b->dp = dp_create(&b->conf, why, sizeof(why));
	if (b->dp == NULL)
		bed_fail("%s", why);
	b->now = b->dp->worker[0]->now + 1;
	bed_now = b->now;
	b->dp->clock = bed_clock;
}

void bed_close(struct bed *b)
{
	char name[64];

	bed_drain(b);
	for (uint16_t i = 0; i < b->dp->workers; i++) {
		assert_int_equal(rte_mempool_in_use_count(b->dp->pool[i]), 0);
		assert_int_equal(b->dp->worker[i]->out->overflow, false);
	}
	assert_int_equal(rte_mempool_in_use_count(b->dp->messages), 0);
	assert_int_equal(rte_mempool_in_use_count(b->pool), 0);
	dp_stop(b->dp);
	for (uint32_t i = 0; i < b->devices; i++) {
		snprintf(name, sizeof(name), "net_ring_%s", device_name(i));
		rte_vdev_uninit(name);
		for (uint16_t q = 1; b->apart && q < b->queues; q++)
			rte_ring_free(b->rx_of[i][q]);
		rte_ring_free(b->rx[i]);
		rte_ring_free(b->tx[i]);
	}
	rte_mempool_free(b->pool);
}

void bed_put(struct bed *b, uint32_t p, const struct frame *f)
{
	bed_put_to(b, p, 0, f);
}

void bed_put_to(struct bed *b, uint32_t p, uint16_t queue, const struct frame *f)
{
	struct rte_mbuf *m = packet_alloc(b->pool);

	assert_non_null(m);
	assert_true(f->n <= rte_pktmbuf_tailroom(m));
	memcpy(rte_pktmbuf_append(m, (uint16_t)f->n), f->b, f->n);
	packet_gives(m);
	assert_int_equal(rte_ring_enqueue(b->rx_of[p][queue], m), 0);
}

void bed_turn(struct bed *b)
{
	for (int k = 0; k < TURNS; k++)
		for (uint16_t i = 0; i < b->dp->workers; i++)
			worker_turn(b->dp->worker[i], b->now);
}

void bed_elapse(struct bed *b, uint64_t ms)
{
	for (uint64_t end = b->now + ms; b->now < end;) {
		bed_sleep(b, 1);
		for (uint16_t i = 0; i < b->dp->workers; i++)
			worker_turn(b->dp->worker[i], b->now);
	}
	bed_turn(b);
}

bool bed_take(struct bed *b, uint32_t p, struct frame *f)
{
	void *item;
	struct rte_mbuf *m;

	if (rte_ring_dequeue(b->tx[p], &item) != 0)
		return false;
	m = item;
	packet_got(m);
	assert_int_equal(m->nb_segs, 1);
	assert_int_equal(m->pkt_len, m->data_len);
	assert_true(m->data_len <= FRAME_MAX);
	f->n = m->data_len;
	memcpy(f->b, rte_pktmbuf_mtod(m, void *), f->n);
	packet_free(m);
	return true;
}

struct frame_view bed_expect(struct bed *b, uint32_t p, struct frame *f)
{
	struct frame_view v;

	if (!bed_take(b, p, f))
		bed_fail("nothing was sent on %s", device_name(p));
	v = frame_read(f);
	assert_true(v.ok);
	return v;
}

void bed_expect_silence(struct bed *b)
{
	struct frame f;

	for (uint32_t i = 0; i < b->devices; i++)
		if (bed_take(b, i, &f))
			bed_fail("%u bytes were sent on %s", f.n, device_name(i));
}

void bed_drain(struct bed *b)
{
	struct frame f;

	for (uint32_t i = 0; i < b->devices; i++)
		while (bed_take(b, i, &f))
			;
}

struct frame_spec bed_spec(uint32_t p, uint32_t src, const uint8_t *mac)
{
	return (struct frame_spec){.to = p == OUTSIDE ? OUT_MAC : IN_MAC,
				   .from = mac,
				   .src = src,
				   .dst = p == OUTSIDE ? OUT_IP : IN_IP,
				   .sport = SIP,
				   .dport = SIP};
}

void bed_learn(struct bed *b, uint32_t p, uint32_t ip, const uint8_t *mac)
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct frame_spec s = bed_spec(p, ip, mac);
	struct frame f;

	s.to = all;
	frame_arp(&f, &s, 1, mac, ip, s.dst);
	bed_put(b, p, &f);
	bed_turn(b);
	assert_int_equal(bed_expect(b, p, &f).op, 2);
}

void bed_learn_all(struct bed *b)
{
	bed_learn(b, OUTSIDE, PHONE, PHONE_MAC);
	bed_learn(b, OUTSIDE, OUT_GW, GW_MAC);
	bed_learn(b, INSIDE, PBX, PBX_MAC);
}

uint64_t bed_count(const struct bed *b, enum reason r)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < b->dp->workers; i++) {
		struct engine_stats s;

		engine_stats_read(b->dp->worker[i]->engine, &s);
		sum += b->dp->worker[i]->reasons.n[r] + s.reasons.n[r];
	}
	return sum;
}
