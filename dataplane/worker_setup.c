/* The making and unmaking of a worker: what it is handed before its first turn. */
#include <errno.h>
#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "dataplane/eal.h"
#include "dataplane/group.h"
#include "dataplane/output.h"
#include "dataplane/worker.h"

#define HUGE_PAGE (2u << 20)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* Before Linux 5.14, which cannot be asked for it. */
static void touch(char *p, size_t n)
{
	for (size_t i = 0; i < n; i += 4096)
		*(volatile char *)(p + i) = 0;
}

void *memory_map(size_t n)
{
	size_t len = (n + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* Only a hint: a kernel without transparent huge pages gives small ones. */
	madvise(p, len, MADV_HUGEPAGE);
	if (madvise(p, len, MADV_POPULATE_WRITE) == 0)
		return p;
	if (errno == EINVAL) {
		touch(p, len);
		return p;
	}
	munmap(p, len);
	return NULL;
}

void memory_unmap(void *p, size_t n)
{
	if (p != NULL)
		munmap(p, (n + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1));
}

static struct rte_ring *ring(const char *what, uint16_t a, uint16_t b, uint32_t size,
			     uint32_t esize)
{
	char name[RTE_RING_NAMESIZE];

	snprintf(name, sizeof(name), "%s_%u_%u", what, a, b);
	if (esize == 0)
		return rte_ring_create(name, size, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	return rte_ring_create_elem(name, esize, size, SOCKET_ID_ANY,
				    RING_F_SP_ENQ | RING_F_SC_DEQ);
}

static bool rings_create(struct worker *w)
{
	bool ok = true;

	for (uint16_t to = 0; to < w->dp->workers; to++) {
		w->handoff[to].ring = ring("packets", w->id, to, WORKER_HANDOFF, 0);
		w->message_out[to] = ring("messages", w->id, to, WORKER_MESSAGES, 0);
		ok = ok && w->handoff[to].ring != NULL && w->message_out[to] != NULL;
	}
	w->requests = ring("requests", w->id, 0, WORKER_REQUESTS, sizeof(struct dp_request));
	w->records = ring("records", w->id, 0, WORKER_RECORDS, sizeof(struct engine_record));
	/* A ring holds one less than its size. */
	w->replies = ring("replies", w->id, 0, 2 * WORKER_REPLIES, 0);
	w->replies_free = ring("lent", w->id, 0, 2 * WORKER_REPLIES, 0);
	return ok && w->requests != NULL && w->records != NULL && w->replies != NULL &&
	       w->replies_free != NULL;
}

static void engine_conf_fill(const struct worker *w, struct engine_conf *c)
{
	const struct dp_conf *conf = &w->dp->conf;

	memset(c, 0, sizeof(*c));
	c->limits = conf->limits;
	c->limits.shard = w->id;
	c->limits.shards = w->dp->workers;
	c->key = conf->key;
	c->snapshot = conf->snapshot;
	c->wall_ms = conf->wall_ms;
	c->no_records = conf->no_records;
}

static bool engine_create(struct worker *w)
{
	struct engine_conf c;

	engine_conf_fill(w, &c);
	if (getrandom(&c.seed, sizeof(c.seed), 0) != (ssize_t)sizeof(c.seed))
		return false;
	w->engine_len = engine_size(&c);
	w->engine_mem = memory_map(w->engine_len);
	w->out = memory_map(sizeof(*w->out));
	if (w->engine_mem == NULL || w->out == NULL)
		return false;
	w->engine = engine_init(w->engine_mem, w->engine_len, &c, w->now);
	return w->engine != NULL;
}

bool worker_create(struct dataplane *dp, uint16_t id)
{
	struct worker *w = memory_map(sizeof(*w));

	if (w == NULL)
		return false;
	dp->worker[id] = w;
	w->dp = dp;
	w->id = id;
	w->now = dp_now();
	w->last_tick = w->now;
	w->active = group_mask(dp, w->now);
	w->icmp.at = 0;
	w->beat = w->now;
	w->snapshot = dp->conf.snapshot;
	w->flow = dp->flow;
	w->pool = dp->pool[id];
	w->datagram = memory_map(PACKET_DATAGRAM + 1);
	w->live = memory_map((size_t)dp->flow_count * sizeof(*w->live) + 1);
	w->reassembly = reassembly_create();
	if (getrandom(&w->ip_id, sizeof(w->ip_id), 0) != (ssize_t)sizeof(w->ip_id))
		return false;
	if (w->datagram == NULL || w->live == NULL || w->reassembly == NULL || !rings_create(w) ||
	    !state_create(w))
		return false;
	for (uint32_t i = 0; i < WORKER_REPLIES; i++)
		rte_ring_sp_enqueue(w->replies_free, &dp->reply[id * WORKER_REPLIES + i]);
	return engine_create(w);
}

static void packets_free(struct rte_ring *r)
{
	void *m;

	if (r == NULL)
		return;
	while (rte_ring_sc_dequeue(r, &m) == 0)
		packet_free(m);
	rte_ring_free(r);
}

static void messages_free(struct worker *w, struct rte_ring *r)
{
	void *m;

	if (r == NULL)
		return;
	while (rte_ring_sc_dequeue(r, &m) == 0)
		rte_mempool_put(w->dp->messages, m);
	rte_ring_free(r);
}

void worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	output_free(w);
	for (uint16_t i = 0; i < w->dp->workers; i++) {
		rte_pktmbuf_free_bulk(w->handoff[i].pkt, w->handoff[i].n);
		packets_free(w->handoff[i].ring);
		messages_free(w, w->message_out[i]);
	}
	for (uint16_t i = 0; i < w->dp->devices; i++)
		rte_pktmbuf_free_bulk(w->tx[i].pkt, w->tx[i].n);
	rte_ring_free(w->requests);
	rte_ring_free(w->replies);
	rte_ring_free(w->replies_free);
	rte_ring_free(w->records);
	state_free(w);
	wait_free(w);
	reassembly_free(w->reassembly);
	memory_unmap(w->datagram, PACKET_DATAGRAM + 1);
	memory_unmap(w->live, (size_t)w->dp->flow_count * sizeof(*w->live) + 1);
	memory_unmap(w->engine_mem, w->engine_len);
	memory_unmap(w->out, sizeof(*w->out));
	memory_unmap(w, sizeof(*w));
}

/* After all workers and devices are there: who polls, sends, hands to whom. */
void worker_connect(struct worker *w)
{
	struct dataplane *dp = w->dp;

	for (uint16_t i = 0; i < dp->ports; i++)
		w->way[i] = (struct worker_way){dp->port[i].device, dp->port[i].mtu};
	for (uint16_t i = 0; i < dp->devices; i++) {
		const struct device *d = &dp->device[i];
		struct worker_tx *t = &w->tx[i];
		uint16_t owner;

		for (uint16_t q = 0; q < d->rx_queues; q++)
			if (device_rx_owner(dp, d, q) == w->id)
				w->rx[w->rx_count++] = (struct worker_rx){.dev = d, .queue = q};
		t->eth = d->eth;
		if (!device_tx_queue(dp, d, w->id, &t->queue, &t->owner))
			t->ring = d->tx_ring[w->id];
		for (uint16_t k = 0; k < dp->workers; k++)
			if (d->tx_ring[k] != NULL &&
			    !device_tx_queue(dp, d, k, &t->queue, &owner) && owner == w->id)
				w->tx_in[w->tx_in_count++] =
					(struct worker_tx_in){.ring = d->tx_ring[k], .device = i};
		device_tx_queue(dp, d, w->id, &t->queue, &owner);
	}
	for (uint16_t from = 0; from < dp->workers; from++) {
		w->handoff_in[from] = dp->worker[from]->handoff[w->id].ring;
		w->message_in[from] = dp->worker[from]->message_out[w->id];
	}
}
