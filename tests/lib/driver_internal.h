/*
 * driver_internal: what the files of the driver share.
 *
 * driver_crash.c has the deaths and what is begun with afterwards. driver.c carries actions out, driver_flow.c has the media flows, driver_store.c is
 * the store that is put into, driver_check.c knows what every message must look like.
 */
#ifndef TESTS_LIB_DRIVER_INTERNAL_H
#define TESTS_LIB_DRIVER_INTERNAL_H

#include "tests/lib/driver.h"
#include "tests/lib/driver_store.h"

#define DRIVER_PORTS 65536u
#define MAX_PENDING  4096u
#define FAILURE_LEN  4096u

struct shadow {
	bool live;
	uint16_t shard;
	struct flow_spec spec;
	struct net_addr latched; /* as driver_latched() said of it; port 0: not */
};

struct pending {
	bool is_answer;
	struct engine_ask ask;
	struct engine_answer answer;
};

struct driver {
	struct driver_conf conf;
	const struct snapshot *snap;
	uint16_t shards;
	uint64_t now;
	struct siphash_key key;
	struct engine *engine[DRIVER_MAX_SHARDS];
	void *memory[DRIVER_MAX_SHARDS];
	struct engine_out *out;
	struct oracle *oracle;
	struct shadow *shadow[SNAPSHOT_MAX_REALMS]; /* by address and port */
	uint16_t addresses[SNAPSHOT_MAX_REALMS];    /* that there is room for */
	uint32_t flows;
	uint64_t restarts;
	struct pending pending[MAX_PENDING];
	uint32_t pending_first, pending_count;
	struct driver_store store;
	bool dead, doomed;
	uint32_t actions_left; /* doomed: to be carried out before it dies */
	char failure[FAILURE_LEN];
};

/* One event of one shard, with all that it makes due at once. */
void driver_handle(struct driver *d, uint16_t shard, struct engine_event *ev);

/* Questions, answers and acknowledgements that are under way. */
void driver_settle(struct driver *d);

void *driver_need(void *p);

/* ---- driver_flow.c ---- */

/* Room for the flows of all realms of the configuration; `anew`: none is live. */
void driver_flows_room(struct driver *d, bool anew);

/* Places of the realm's shadows. */
static inline uint32_t driver_places(const struct driver *d, uint16_t realm)
{
	return d->addresses[realm] * DRIVER_PORTS;
}

/* The live flow of a port, whichever address of the realm it is on; NULL: none. */
struct shadow *driver_shadow(const struct driver *d, uint16_t realm, uint16_t port);

void driver_publish(struct driver *d, uint16_t shard, const struct flow_spec *f);
void driver_retire(struct driver *d, uint16_t shard, const struct flow_spec *f);

/* Partners name one another and belong to one call. For when an event is through. */
void driver_check_pair(struct driver *d, const struct flow_spec *f);

#endif
