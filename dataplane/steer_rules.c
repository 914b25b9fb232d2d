#include "dataplane/steer_rules.h"

#include <rte_flow.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/worker.h"
#include "sbc/media/port_pool.h"

uint16_t steer_blocks(uint16_t first, uint32_t count, struct steer_block block[STEER_BLOCKS_MAX])
{
	uint32_t at = first, end = first + count;
	uint16_t n = 0;

	while (at < end && n < STEER_BLOCKS_MAX) {
		uint32_t size = at == 0 ? 1u << 16 : at & -at;

		while (size > end - at)
			size /= 2;
		block[n++] = (struct steer_block){(uint16_t)at, (uint16_t) ~(size - 1)};
		at += size;
	}
	return n;
}

/* The queue of a device that a worker polls; false: it polls none there. */
static bool queue_of(const struct dataplane *dp, const struct device *d, uint16_t worker,
		     uint16_t *queue)
{
	for (uint16_t q = 0; q < d->rx_queues; q++)
		if (device_rx_owner(dp, d, q) == worker) {
			*queue = q;
			return true;
		}
	return false;
}

static uint16_t slice_rules(const struct dataplane *dp, const struct realm_media *m,
			    uint16_t worker, uint16_t queue, struct steer_rule *rule, uint32_t room)
{
	struct steer_block block[STEER_BLOCKS_MAX];
	uint16_t lo, pairs, n = 0, blocks;

	port_pool_slice(m->lo, (uint16_t)(m->lo + m->count - 1), worker, dp->workers, &lo, &pairs);
	blocks = steer_blocks(lo, 2u * pairs, block);
	for (uint16_t a = 0; a < m->addresses; a++)
		for (uint16_t i = 0; i < blocks && n < room; i++)
			rule[n++] = (struct steer_rule){.ip = m->ip[a],
							.port = block[i].first,
							.mask = block[i].mask,
							.vlan = dp->port[m->port].vlan,
							.queue = queue};
	return n;
}

uint16_t steer_rules_list(const struct dataplane *dp, const struct device *d,
			  struct steer_rule rule[STEER_RULES_MAX])
{
	uint16_t n = 0, queue;

	if (dp->workers == 1 || d->rx_queues == 1)
		return 0;
	for (uint16_t r = 0; r < dp->conf.snapshot->realms; r++) {
		const struct realm_media *m = &dp->realm[r];

		if (m->count == 0 || dp->port[m->port].device != d->index)
			continue;
		for (uint16_t k = 0; k < dp->workers; k++)
			if (queue_of(dp, d, k, &queue))
				n = (uint16_t)(n + slice_rules(dp, m, k, queue, rule + n,
							       STEER_RULES_MAX - n));
	}
	return n;
}

/* Ethernet, the VLAN if there is one, IPv4 to the address, UDP to the ports; into the queue. */
static bool flow_driver(uint16_t eth, const struct steer_rule *r, bool only_ask,
			char why[STEER_WHY])
{
	const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_item_vlan vlan = {.tci = rte_cpu_to_be_16(r->vlan)};
	const struct rte_flow_item_vlan vlan_mask = {.tci = RTE_BE16(0x0fff)};
	const struct rte_flow_item_ipv4 ip = {.hdr.dst_addr = r->ip};
	const struct rte_flow_item_ipv4 ip_mask = {.hdr.dst_addr = UINT32_MAX};
	const struct rte_flow_item_udp udp = {.hdr.dst_port = rte_cpu_to_be_16(r->port)};
	const struct rte_flow_item_udp udp_mask = {.hdr.dst_port = rte_cpu_to_be_16(r->mask)};
	const struct rte_flow_action_queue queue = {.index = r->queue};
	const struct rte_flow_item items[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = r->vlan ? RTE_FLOW_ITEM_TYPE_VLAN : RTE_FLOW_ITEM_TYPE_VOID,
		 .spec = r->vlan ? &vlan : NULL,
		 .mask = r->vlan ? &vlan_mask : NULL},
		{.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask},
		{.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask},
		{.type = RTE_FLOW_ITEM_TYPE_END}};
	const struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue},
		{.type = RTE_FLOW_ACTION_TYPE_END}};
	struct rte_flow_error error = {.message = NULL};
	int rc = rte_flow_validate(eth, &attr, items, actions, &error);

	if (rc == 0 && (only_ask || rte_flow_create(eth, &attr, items, actions, &error) != NULL))
		return true;
	snprintf(why, STEER_WHY, "%s", error.message ? error.message : "refused");
	return false;
}

static steer_rules_driver *driver = flow_driver;

void steer_rules_use(steer_rules_driver *other)
{
	driver = other ? other : flow_driver;
}

void steer_rules_install(const struct dataplane *dp, struct device *d)
{
	struct steer_rule *rule = calloc(STEER_RULES_MAX, sizeof(*rule));

	d->rules = (struct steer_rules){.why = ""};
	if (rule == NULL) {
		snprintf(d->rules.why, sizeof(d->rules.why), "no memory");
		return;
	}
	d->rules.wanted = steer_rules_list(dp, d, rule);
	if (d->rules.wanted != 0 && driver(d->eth, &rule[0], true, d->rules.why))
		for (uint16_t i = 0; i < d->rules.wanted; i++, d->rules.taken++)
			if (!driver(d->eth, &rule[i], false, d->rules.why))
				break;
	free(rule);
}
