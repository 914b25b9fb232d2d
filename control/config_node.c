/* The node's settings. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"

/* Names become parts of log lines, file names and DPDK's file prefix. */
bool config_is_name(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-_.", *s))
			return false;
	return true;
}

/* RFC 3261 25.1, hostname or IPv4address: labels of letters, digits and inner hyphens. */
bool config_is_host(const char *s)
{
	char before = '.';

	for (; *s; before = *s++) {
		if (*s == '.' || *s == '-') {
			if (before == '.' || (*s == '.' && before == '-'))
				return false;
		} else if (!isalnum((unsigned char)*s)) {
			return false;
		}
	}
	return before != '.' && before != '-';
}

/* RFC 3261 25.1, a run of product tokens; comments and line ends are not for a setting. */
static bool is_product(const char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("-.!%*_+`'~/ ", *s))
			return false;
	return true;
}

static void set_u32(uint32_t *out, const uint32_t *value)
{
	if (value)
		*out = *value;
}

static void build_path(struct config_work *w, const char *key, const char *value, char *out,
		       size_t cap)
{
	if (!value)
		return;
	if (value[0] != '/')
		config_wrong(w, "node", 0, key, value);
	else
		snprintf(out, cap, "%s", value);
}

/* dp.cpus: all -1 unless the file says otherwise; then control's, and one for each worker. */
static void build_cpus(struct config_work *w)
{
	const struct raw_node *n = w->raw->node;
	struct dp_conf *dp = &w->out->dp;

	for (uint32_t i = 0; i <= DP_MAX_WORKERS; i++)
		dp->cpus[i] = -1;
	if (!n->cpus_count)
		return;
	if (n->cpus_count != dp->workers + 1u) {
		config_report_add(w->report, config_line(w, "node", 0, "cpus"),
				  "cpus: %u entries: expected %u: control's CPU, then one for each "
				  "worker",
				  n->cpus_count, dp->workers + 1u);
		return;
	}
	for (uint32_t i = 0; i < n->cpus_count; i++)
		dp->cpus[i] = (int)n->cpus[i];
}

/*
 * Calls meet their worker by a hash of the Call-ID: shares are uneven by chance,
 * so with several workers each has an eighth more than its part.
 */
static uint32_t share(uint32_t total, uint32_t workers)
{
	uint32_t part = (total + workers - 1) / workers;

	return workers == 1 ? part : part + (part + 7) / 8;
}

static void build_limits(struct config_work *w)
{
	const struct raw_limits *l = w->raw->node->limits;
	uint32_t calls = CONFIG_CALLS, registrations = CONFIG_REGISTRATIONS, cps;
	uint32_t workers = w->out->dp.workers;

	if (l) {
		set_u32(&calls, l->calls);
		set_u32(&registrations, l->registrations);
	}
	cps = calls / 10 + 1;
	if (l)
		set_u32(&cps, l->cps);
	engine_limits_rate(&w->out->dp.limits, share(calls, workers), share(registrations, workers),
			   share(cps, workers));
}

static void build_timers(struct config_work *w)
{
	const struct raw_node *n = w->raw->node;
	struct snapshot *s = &w->out->snapshot;

	set_u32(&s->t1_ms, n->t1);
	set_u32(&s->t2_ms, n->t2);
	set_u32(&s->t4_ms, n->t4);
	set_u32(&s->max_call_s, n->max_call);
	if (n->ring_timeout)
		s->ring_timeout_ms = *n->ring_timeout * 1000;
	if (s->t2_ms < s->t1_ms)
		config_report_add(w->report, config_line(w, "node", 0, n->t2 ? "t2" : "t1"),
				  "t2 (%u ms) below t1 (%u ms): expected t1 or more", s->t2_ms,
				  s->t1_ms);
}

static void build_dataplane(struct config_work *w)
{
	const struct raw_node *n = w->raw->node;
	struct dp_conf *dp = &w->out->dp;

	snprintf(w->out->program, sizeof(w->out->program), "postern-%s", n->name);
	dp->program = w->out->program;
	dp->workers = (uint16_t)(n->workers ? *n->workers : 1);
	dp->idle = n->idle ? *n->idle : DP_IDLE_BACKOFF;
	set_u32(&dp->memory_mb, n->memory_mb);
	set_u32(&dp->mbufs, n->mbufs);
	dp->rx_desc = (uint16_t)(n->rx_desc ? *n->rx_desc : 0);
	dp->tx_desc = (uint16_t)(n->tx_desc ? *n->tx_desc : 0);
	build_cpus(w);
	build_limits(w);
}

static void build_domains(struct config_work *w)
{
	struct snapshot *s = &w->out->snapshot;
	const struct config_node *list = config_node_key(config_lines_root(w->lines), "domains");

	for (uint32_t i = 0; i < w->raw->domains_count; i++) {
		const char *name = w->raw->domains[i];
		uint32_t line = config_node_at(list, i)->line;

		if (!config_is_host(name))
			config_report_add(w->report, line, "domains: %s: expected %s", name,
					  config_hint_of("", "domains")->expect);
		for (uint32_t j = 0; j < i; j++)
			if (slice_ieq(slice_str(name), slice_str(w->raw->domains[j])))
				config_report_add(w->report, line,
						  "domains: %s stands twice: it is on line %u "
						  "already",
						  name, config_node_at(list, j)->line);
		snprintf(s->domain[s->domains++], SNAPSHOT_HOST, "%s", name);
	}
}

void config_build_node(struct config_work *w)
{
	const struct raw_node *n = w->raw->node;
	struct config *c = w->out;

	snapshot_defaults(&c->snapshot);
	if (!config_is_name(n->name))
		config_wrong(w, "node", 0, "name", n->name);
	snprintf(c->snapshot.node, sizeof(c->snapshot.node), "%s", n->name);
	if (n->product && !is_product(n->product))
		config_wrong(w, "node", 0, "product", n->product);
	if (n->product)
		snprintf(c->snapshot.product, sizeof(c->snapshot.product), "%s", n->product);
	c->hugepages = n->hugepages ? *n->hugepages : CONFIG_HUGE_AUTO;
	c->log = n->log ? (enum log_level) * n->log : LOG_LEVEL_INFO;
	c->log_rate = CONFIG_LOG_RATE;
	set_u32(&c->log_rate, n->log_rate);
	c->drain_timeout_s = CONFIG_DRAIN_S;
	set_u32(&c->drain_timeout_s, n->drain_timeout);
	snprintf(c->control, sizeof(c->control), "%s", CONFIG_SOCKET);
	build_path(w, "control", n->control, c->control, sizeof(c->control));
	build_path(w, "pidfile", n->pidfile, c->pidfile, sizeof(c->pidfile));
	build_path(w, "key_file", n->key_file, c->key_file, sizeof(c->key_file));
	build_timers(w);
	build_dataplane(w);
	build_domains(w);
}
