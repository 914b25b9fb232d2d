#include "dataplane/telemetry.h"

#include <ctype.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <rte_telemetry.h>
#include <stdio.h>

#include "dataplane/worker.h"

static const char *const value_name[TELEMETRY_VALUES] = {
	"loops",      "busy_loops",   "rx_packets",    "tx_packets",      "relayed",
	"handed_off", "records_lost", "sleeps",        "woken_by_packet", "woken_by_bell",
	"flows",      "calls",        "registrations", "mbufs_free",      "busy_us",
};

/*
 * DPDK's commands carry no argument of ours. A command that has counted itself in
 * before it looks keeps telemetry_stop() waiting; one that comes later sees NULL.
 */
static struct dataplane *shown;
static uint32_t looking;

static void put(uint64_t *to, uint64_t v)
{
	__atomic_store_n(to, v, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

void telemetry_publish(struct worker *w)
{
	struct telemetry_published *p = &w->published;
	struct engine_stats s;

	engine_stats_read(w->engine, &s);
	put(&p->value[TELEMETRY_LOOPS], w->count.loops);
	put(&p->value[TELEMETRY_BUSY_LOOPS], w->count.busy_loops);
	put(&p->value[TELEMETRY_RX_PACKETS], w->count.rx_packets);
	put(&p->value[TELEMETRY_TX_PACKETS], w->count.tx_packets);
	put(&p->value[TELEMETRY_RELAYED], w->count.relayed);
	put(&p->value[TELEMETRY_HANDED_OFF], w->count.handed_off);
	put(&p->value[TELEMETRY_RECORDS_LOST], w->count.records_lost);
	put(&p->value[TELEMETRY_SLEEPS], w->count.sleeps);
	put(&p->value[TELEMETRY_WOKEN_BY_PACKET], w->count.woken_by_packet);
	put(&p->value[TELEMETRY_WOKEN_BY_BELL], w->count.woken_by_bell);
	put(&p->value[TELEMETRY_BUSY_US], w->count.busy_cycles / (rte_get_tsc_hz() / 1000000));
	put(&p->value[TELEMETRY_FLOWS], w->live_count);
	put(&p->value[TELEMETRY_CALLS], s.calls);
	put(&p->value[TELEMETRY_REGISTRATIONS], s.registrations);
	put(&p->value[TELEMETRY_MBUFS_FREE], rte_mempool_avail_count(w->pool));
	for (uint32_t i = 0; i < REASON_COUNT; i++)
		put(&p->reason[i], w->reasons.n[i] + s.reasons.n[i]);
}

/* DPDK takes letters, digits, '_' and '/' in names, and drops an entry with others. */
static const char *plain(const char *name, char out[SNAPSHOT_NAME])
{
	uint32_t i;

	for (i = 0; i + 1 < SNAPSHOT_NAME && name[i] != '\0'; i++)
		out[i] = isalnum((unsigned char)name[i]) ? name[i] : '_';
	out[i] = '\0';
	return out;
}

static struct dataplane *look(void)
{
	__atomic_add_fetch(&looking, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&shown, __ATOMIC_SEQ_CST);
}

static int looked(void)
{
	__atomic_sub_fetch(&looking, 1, __ATOMIC_SEQ_CST);
	return 0;
}

static struct rte_tel_data *worker_dict(const struct worker *w, enum telemetry_value first,
					enum telemetry_value last)
{
	struct rte_tel_data *d = rte_tel_data_alloc();

	if (d == NULL)
		return NULL;
	rte_tel_data_start_dict(d);
	for (uint32_t v = first; v <= last; v++)
		rte_tel_data_add_dict_u64(d, value_name[v], get(&w->published.value[v]));
	return d;
}

static int show_workers(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct dataplane *dp = look();
	char name[16];

	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(d);
	for (uint16_t i = 0; dp != NULL && i < dp->workers; i++) {
		struct rte_tel_data *one =
			worker_dict(dp->worker[i], TELEMETRY_LOOPS, TELEMETRY_MBUFS_FREE);

		snprintf(name, sizeof(name), "%u", i);
		if (one != NULL)
			rte_tel_data_add_dict_container(d, name, one, 0);
	}
	return looked();
}

static uint64_t reason_sum(const struct dataplane *dp, uint32_t reason)
{
	uint64_t sum = 0;

	for (uint16_t i = 0; i < dp->workers; i++)
		sum += get(&dp->worker[i]->published.reason[reason]);
	return sum;
}

static int show_drops(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct dataplane *dp = look();
	char name[SNAPSHOT_NAME];

	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(d);
	for (uint32_t r = 0; dp != NULL && r < REASON_COUNT; r++) {
		uint64_t n = reason_sum(dp, r);

		if (n != 0)
			rte_tel_data_add_dict_u64(d, plain(reason_name((enum reason)r), name), n);
	}
	return looked();
}

static uint64_t media_refused(const struct worker *w)
{
	uint64_t sum = 0;

#define X(symbol, name, text) sum += get(&w->published.reason[REASON_##symbol]);
	REASONS_MEDIA(X)
#undef X
	return sum;
}

static int show_flows(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct dataplane *dp = look();
	char name[16];

	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(d);
	for (uint16_t i = 0; dp != NULL && i < dp->workers; i++) {
		const struct worker *w = dp->worker[i];
		struct rte_tel_data *one = rte_tel_data_alloc();

		if (one == NULL)
			continue;
		rte_tel_data_start_dict(one);
		rte_tel_data_add_dict_u64(one, "flows", get(&w->published.value[TELEMETRY_FLOWS]));
		rte_tel_data_add_dict_u64(one, "relayed",
					  get(&w->published.value[TELEMETRY_RELAYED]));
		rte_tel_data_add_dict_u64(one, "refused", media_refused(w));
		snprintf(name, sizeof(name), "%u", i);
		rte_tel_data_add_dict_container(d, name, one, 0);
	}
	return looked();
}

static struct rte_tel_data *port_dict(const struct dataplane *dp, const struct port *p)
{
	const struct device *dev = &dp->device[p->device];
	struct rte_tel_data *d = rte_tel_data_alloc();
	struct rte_eth_stats st = {0};

	if (d == NULL)
		return NULL;
	rte_eth_stats_get(dev->eth, &st);
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_string(d, "device", dev->name);
	rte_tel_data_add_dict_u64(d, "vlan", p->vlan);
	rte_tel_data_add_dict_u64(d, "rx_queues", dev->rx_queues);
	rte_tel_data_add_dict_u64(d, "tx_queues", dev->tx_queues);
	rte_tel_data_add_dict_u64(d, "steer_rules", dev->rules.taken);
	rte_tel_data_add_dict_u64(d, "steer_rules_wanted", dev->rules.wanted);
	rte_tel_data_add_dict_string(d, "steer_refused", dev->rules.why);
	rte_tel_data_add_dict_u64(d, "rx_packets", st.ipackets);
	rte_tel_data_add_dict_u64(d, "tx_packets", st.opackets);
	rte_tel_data_add_dict_u64(d, "rx_bytes", st.ibytes);
	rte_tel_data_add_dict_u64(d, "tx_bytes", st.obytes);
	rte_tel_data_add_dict_u64(d, "rx_missed", st.imissed + st.rx_nombuf);
	rte_tel_data_add_dict_u64(d, "rx_errors", st.ierrors);
	rte_tel_data_add_dict_u64(d, "tx_errors", st.oerrors);
	return d;
}

static int show_ports(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct dataplane *dp = look();
	char name[SNAPSHOT_NAME];

	(void)cmd;
	(void)params;
	rte_tel_data_start_dict(d);
	for (uint16_t i = 0; dp != NULL && i < dp->ports; i++) {
		struct rte_tel_data *one = port_dict(dp, &dp->port[i]);

		if (one != NULL)
			rte_tel_data_add_dict_container(d, plain(dp->port[i].name, name), one, 0);
	}
	return looked();
}

static const struct {
	const char *command;
	telemetry_cb show;
	const char *help;
} commands[] = {
	{"/postern/ports", show_ports, "Ports with their device's counters. No parameters."},
	{"/postern/workers", show_workers, "Workers' loops, packets and calls. No parameters."},
	{"/postern/drops", show_drops, "Drops and refusals by reason. No parameters."},
	{"/postern/flows", show_flows, "Media flows by worker. No parameters."},
};

bool telemetry_start(struct dataplane *dp)
{
	static bool registered;

	__atomic_store_n(&shown, dp, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; !registered && i < RTE_DIM(commands); i++)
		if (rte_telemetry_register_cmd(commands[i].command, commands[i].show,
					       commands[i].help) != 0)
			return false;
	registered = true;
	return true;
}

void telemetry_stop(void)
{
	__atomic_store_n(&shown, NULL, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&looking, __ATOMIC_SEQ_CST) != 0)
		rte_pause();
}
