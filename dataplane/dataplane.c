#include "dataplane/dataplane.h"

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/eal.h"
#include "dataplane/worker.h"
#include "sbc/media/port_pool.h"

#define MBUF_CACHE    256u
#define MESSAGES      (WORKER_MESSAGES * 4u)
#define HANG_MS       1000u
#define REPLIES_OF(w) ((w)*WORKER_REPLIES)

uint64_t dp_now(void)
{
	return rte_get_tsc_cycles() / (rte_get_tsc_hz() / 1000);
}

/* What dp_now() lacks to ms since 1970: only known once EAL has measured its clock. */
static uint64_t wall_offset(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 - dp_now();
}

static bool fail(char *why, uint32_t why_len, const char *what)
{
	snprintf(why, why_len, "%s", what);
	return false;
}

static bool conf_ok(const struct dp_conf *c, char *why, uint32_t why_len)
{
	if (c->workers == 0 || c->workers > DP_MAX_WORKERS)
		return fail(why, why_len, "workers: 1 to 16");
	if (c->ports == 0 || c->ports > DP_MAX_PORTS)
		return fail(why, why_len, "ports: 1 to 8");
	if (c->snapshot == NULL || c->program == NULL)
		return fail(why, why_len, "no snapshot, or no program name");
	return true;
}

static bool pools_create(struct dataplane *dp)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	for (uint16_t i = 0; i < dp->workers; i++) {
		snprintf(name, sizeof(name), "packets_%u", i);
		dp->pool[i] = rte_pktmbuf_pool_create(name, eal_mbufs(&dp->conf), MBUF_CACHE, 0,
						      eal_mbuf_room(&dp->conf), SOCKET_ID_ANY);
		if (dp->pool[i] == NULL)
			return false;
	}
	dp->messages = rte_mempool_create("messages", MESSAGES, sizeof(struct shard_message), 0, 0,
					  NULL, NULL, NULL, NULL, SOCKET_ID_ANY, 0);
	return dp->messages != NULL;
}

/* Whose slice each media port is in: looked up for every packet with several workers. */
static void owners_fill(struct dataplane *dp)
{
	for (uint16_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		const struct realm_media *r = &dp->realm[i];
		uint16_t hi = (uint16_t)(r->lo + r->count - 1);

		for (uint32_t k = 0; k < r->count; k++) {
			uint16_t owner =
				port_pool_owner(r->lo, hi, dp->workers, (uint16_t)(r->lo + k));

			dp->flow_owner[r->base + k] =
				owner < dp->workers ? (uint8_t)owner : UINT8_MAX;
		}
		for (uint16_t a = 1; a < r->addresses; a++)
			memcpy(dp->flow_owner + r->base + a * r->count, dp->flow_owner + r->base,
			       r->count);
	}
}

static bool tables_create(struct dataplane *dp)
{
	dp->flow = memory_map((size_t)dp->flow_count * sizeof(*dp->flow) + 1);
	dp->flow_slot = memory_map((size_t)dp->flow_count * sizeof(*dp->flow_slot) + 1);
	dp->flow_owner = memory_map((size_t)dp->flow_count + 1);
	dp->neigh = memory_map(sizeof(*dp->neigh));
	dp->reply = memory_map(sizeof(*dp->reply) * REPLIES_OF(dp->workers));
	if (dp->neigh != NULL)
		dp->neigh->hash = dp->conf.key;
	if (dp->flow_owner != NULL)
		owners_fill(dp);
	return dp->flow != NULL && dp->flow_slot != NULL && dp->flow_owner != NULL &&
	       dp->neigh != NULL && dp->reply != NULL;
}

static bool workers_create(struct dataplane *dp)
{
	for (uint16_t i = 0; i < dp->workers; i++)
		if (!worker_create(dp, i))
			return false;
	for (uint16_t i = 0; i < dp->workers; i++)
		worker_connect(dp->worker[i]);
	for (uint16_t i = 0; i < dp->workers; i++)
		if (!wait_create(dp->worker[i]))
			return false;
	return true;
}

static bool build(struct dataplane *dp, char *why, uint32_t why_len)
{
	if (!ports_build(dp, why, why_len))
		return false;
	if (!pools_create(dp))
		return fail(why, why_len, "no memory for packet buffers (memory, hugepages)");
	if (!devices_start(dp, why, why_len))
		return false;
	if (!tables_create(dp) || !workers_create(dp))
		return fail(why, why_len, "no memory for flows, rings or the engine");
	dp->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (dp->wake_fd < 0)
		return fail(why, why_len, "no descriptor to wake control by");
	if (!telemetry_start(dp))
		return fail(why, why_len, "telemetry commands cannot be registered");
	return true;
}

struct dataplane *dp_create(const struct dp_conf *conf, char *why, uint32_t why_len)
{
	struct dataplane *dp;

	if (!conf_ok(conf, why, why_len) || !eal_start(conf, why, why_len))
		return NULL;
	dp = calloc(1, sizeof(*dp));
	if (dp == NULL) {
		fail(why, why_len, "no memory");
		return NULL;
	}
	dp->conf = *conf;
	if (dp->conf.wall_ms == 0)
		dp->conf.wall_ms = wall_offset();
	dp->workers = conf->workers;
	dp->ports = conf->ports;
	dp->groups = conf->snapshot->groups;
	dp->clock = dp_now;
	dp->idle_max_ms = IDLE_MAX_MS;
	dp->wake_fd = -1;
	if (build(dp, why, why_len))
		return dp;
	dp_stop(dp);
	return NULL;
}

bool dp_launch(struct dataplane *dp, char *why, uint32_t why_len)
{
	for (uint16_t i = 0; i < dp->workers; i++) {
		__atomic_store_n(&dp->worker[i]->beat, dp_now(), __ATOMIC_RELAXED);
		if (rte_eal_remote_launch(worker_main, dp->worker[i], i + 1u) != 0)
			return fail(why, why_len, "a worker cannot be launched");
		dp->launched = true;
	}
	return true;
}

struct dataplane *dp_start(const struct dp_conf *conf, char *why, uint32_t why_len)
{
	struct dataplane *dp = dp_create(conf, why, why_len);

	if (dp != NULL)
		dp->ends_eal = true;
	if (dp == NULL || dp_launch(dp, why, why_len))
		return dp;
	dp_stop(dp);
	return NULL;
}

void dp_join(struct dataplane *dp)
{
	__atomic_store_n(&dp->stop, true, __ATOMIC_RELAXED);
	if (!dp->launched)
		return;
	for (uint16_t i = 0; i < dp->workers; i++)
		wait_ring(&dp->worker[i]->wait);
	rte_eal_mp_wait_lcore();
	/* All that a worker wrote is seen from here on. */
	for (uint16_t i = 0; i < dp->workers; i++)
		(void)__atomic_load_n(&dp->worker[i]->done, __ATOMIC_ACQUIRE);
	dp->launched = false;
}

void dp_stop(struct dataplane *dp)
{
	bool ends_eal = dp != NULL && dp->ends_eal;

	if (dp == NULL)
		return;
	dp_join(dp);
	telemetry_stop();
	for (uint16_t i = 0; i < dp->workers; i++)
		worker_free(dp->worker[i]);
	devices_stop(dp);
	for (uint16_t i = 0; i < dp->workers; i++)
		rte_mempool_free(dp->pool[i]);
	rte_mempool_free(dp->messages);
	memory_unmap(dp->flow, (size_t)dp->flow_count * sizeof(*dp->flow) + 1);
	memory_unmap(dp->flow_slot, (size_t)dp->flow_count * sizeof(*dp->flow_slot) + 1);
	memory_unmap(dp->flow_owner, (size_t)dp->flow_count + 1);
	memory_unmap(dp->neigh, sizeof(*dp->neigh));
	memory_unmap(dp->reply, sizeof(*dp->reply) * REPLIES_OF(dp->workers));
	ports_free(dp);
	if (dp->wake_fd >= 0)
		close(dp->wake_fd);
	free(dp);
	if (ends_eal)
		eal_stop();
}

bool dp_is_alive(const struct dataplane *dp)
{
	uint64_t now = dp_now();

	for (uint16_t i = 0; i < dp->workers; i++) {
		uint64_t beat = __atomic_load_n(&dp->worker[i]->beat, __ATOMIC_RELAXED);

		if (now > beat && now - beat > HANG_MS)
			return false;
	}
	return true;
}

bool dp_request_post(struct dataplane *dp, const struct dp_request *request)
{
	struct dp_request copy = *request;
	struct worker *w;

	if (request->worker >= dp->workers)
		return false;
	w = dp->worker[request->worker];
	if (rte_ring_sp_enqueue_elem(w->requests, &copy, sizeof(copy)) != 0)
		return false;
	wait_ring(&w->wait);
	return true;
}

struct dp_reply *dp_reply_take(struct dataplane *dp)
{
	void *r;

	for (uint16_t i = 0; i < dp->workers; i++) {
		uint16_t at = dp->reply_turn++ % dp->workers;

		if (rte_ring_sc_dequeue(dp->worker[at]->replies, &r) == 0)
			return r;
	}
	return NULL;
}

void dp_reply_free(struct dataplane *dp, struct dp_reply *reply)
{
	uint16_t owner = (uint16_t)((reply - dp->reply) / WORKER_REPLIES);

	/* Room for every reply that exists. */
	rte_ring_sp_enqueue(dp->worker[owner]->replies_free, reply);
	wait_ring(&dp->worker[owner]->wait);
}

bool dp_record_take(struct dataplane *dp, struct engine_record *record, uint16_t *worker)
{
	for (uint16_t i = 0; i < dp->workers; i++) {
		uint16_t at = dp->record_turn++ % dp->workers;

		if (rte_ring_sc_dequeue_elem(dp->worker[at]->records, record, sizeof(*record)) ==
		    0) {
			*worker = at;
			return true;
		}
	}
	return false;
}
