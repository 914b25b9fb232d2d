/* The cluster: which nodes there are, and which groups of addresses they share. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"

/* cluster.LIST[i] */
static const struct config_node *entry(const struct config_work *w, const char *list, uint32_t i)
{
	const struct config_node *cluster = config_node_key(config_lines_root(w->lines), "cluster");

	return config_node_at(config_node_key(cluster, list), i);
}

static uint32_t line_of(const struct config_node *n, const char *key)
{
	const struct config_node *value = config_node_key(n, key);

	return value ? value->line : n->line;
}

static void wrong(struct config_work *w, const struct config_node *n, const char *section,
		  const char *key, const char *value)
{
	config_report_add(w->report, line_of(n, key), "%s: %s: expected %s", key, value,
			  config_hint_of(section, key)->expect);
}

static void twice(struct config_work *w, const char *list, uint32_t i, uint32_t j, const char *key,
		  const char *value)
{
	config_report_add(w->report, line_of(entry(w, list, i), key),
			  "%s: %s stands twice: it is on line %u already", key, value,
			  line_of(entry(w, list, j), key));
}

static void build_node(struct config_work *w, uint16_t i)
{
	const struct raw_member *raw = &w->raw->cluster->nodes[i];
	struct config_member *m = &w->out->cluster.node[i];

	snprintf(m->name, sizeof(m->name), "%s", raw->name);
	snprintf(m->address, sizeof(m->address), "%s", raw->address);
	if (!config_is_name(raw->name))
		wrong(w, entry(w, "nodes", i), "nodes", "name", raw->name);
	if (!config_is_endpoint(raw->address))
		wrong(w, entry(w, "nodes", i), "nodes", "address", raw->address);
	for (uint32_t j = 0; j < i; j++) {
		if (strcmp(m->name, w->out->cluster.node[j].name) == 0)
			twice(w, "nodes", i, j, "name", m->name);
		if (strcmp(m->address, w->out->cluster.node[j].address) == 0)
			twice(w, "nodes", i, j, "address", m->address);
	}
}

static uint32_t find_node(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->cluster.nodes; i++)
		if (strcmp(w->out->cluster.node[i].name, name) == 0)
			return i;
	return CONFIG_NOT_FOUND;
}

static void build_nodes(struct config_work *w)
{
	const struct raw_cluster *raw = w->raw->cluster;
	uint32_t self;

	for (uint32_t i = 0; i < raw->nodes_count; i++) {
		build_node(w, (uint16_t)i);
		w->out->cluster.nodes++;
	}
	self = find_node(w, w->raw->node->name);
	if (self == CONFIG_NOT_FOUND)
		config_report_add(w->report, config_line(w, "cluster", 0, "nodes"),
				  "nodes: %s is not among them: expected this node's own name too",
				  w->raw->node->name);
	else
		w->out->cluster.self = (uint16_t)self;
}

static uint32_t named_realm(struct config_work *w, const struct config_node *n, const char *name)
{
	uint32_t realm = config_find_realm(w, name);

	if (realm == CONFIG_NOT_FOUND)
		config_report_add(w->report, line_of(n, "realm"),
				  "realm: %s: expected the name of a realm in realms", name);
	return realm;
}

/* That it is on the realm's network and nobody else's is config_groups.c's. */
static void build_address(struct config_work *w, uint32_t g, uint32_t i)
{
	const struct raw_address *raw = &w->raw->cluster->groups[g].addresses[i];
	const struct config_node *n =
		config_node_at(config_node_key(entry(w, "groups", g), "addresses"), i);
	uint32_t *out = w->out->cluster.group[g].address;
	uint32_t realm = named_realm(w, n, raw->realm), ip;

	if (!net_ip_parse(slice_str(raw->ip), &ip) || !net_ip_is_unicast(ip)) {
		wrong(w, n, "addresses", "ip", raw->ip);
		return;
	}
	if (realm == CONFIG_NOT_FOUND)
		return;
	if (out[realm])
		config_report_add(w->report, line_of(n, "realm"),
				  "realm: %s has an address in this group already: expected one",
				  raw->realm);
	out[realm] = ip;
	config_media_build(w, config_node_key(n, "media_addresses"), raw->media_addresses,
			   raw->media_addresses_count, realm,
			   &w->out->cluster.group[g].media[realm]);
}

static bool parse_ip6(const char *text, uint8_t ip[16])
{
	static const uint8_t none[15];

	if (inet_pton(AF_INET6, text, ip) != 1)
		return false;
	/* RFC 4291 2.4: not multicast; 2.5.2 and 2.5.3: neither unspecified nor loopback. */
	return ip[0] != 0xff && !(memcmp(ip, none, 15) == 0 && ip[15] <= 1);
}

static bool has_ip6(const struct dp_port_conf *p, const uint8_t ip[16])
{
	for (uint16_t i = 0; i < p->addresses6; i++)
		if (memcmp(p->address6[i].ip, ip, 16) == 0)
			return true;
	return false;
}

static void build_announce6(struct config_work *w, uint32_t g, uint32_t i)
{
	const struct raw_address *raw = &w->raw->cluster->groups[g].announce6[i];
	const struct config_node *n =
		config_node_at(config_node_key(entry(w, "groups", g), "announce6"), i);
	uint32_t realm = named_realm(w, n, raw->realm);
	struct dp_port_conf *p;
	uint8_t ip[16];

	if (!parse_ip6(raw->ip, ip)) {
		wrong(w, n, "announce6", "ip", raw->ip);
		return;
	}
	if (realm == CONFIG_NOT_FOUND || !w->realm_ok[realm])
		return;
	p = &w->out->dp.port[w->out->dp.realm_port[realm]];
	if (has_ip6(p, ip)) {
		config_report_add(w->report, line_of(n, "ip"),
				  "ip: %s stands twice for port %s: expected it in one group",
				  raw->ip, p->name);
	} else if (p->addresses6 == DP_MAX_ADDRESSES6) {
		config_report_add(w->report, line_of(n, "ip"),
				  "announce6: expected at most %u addresses for port %s",
				  DP_MAX_ADDRESSES6, p->name);
	} else {
		memcpy(p->address6[p->addresses6].ip, ip, 16);
		p->address6[p->addresses6++].group = (uint16_t)g;
	}
}

static void build_group(struct config_work *w, uint32_t g)
{
	const struct raw_group *raw = &w->raw->cluster->groups[g];
	const struct config_node *n = entry(w, "groups", g);
	struct config_group *out = &w->out->cluster.group[g];
	uint32_t home = find_node(w, raw->home);

	snprintf(out->name, sizeof(out->name), "%s", raw->name);
	if (!config_is_name(raw->name))
		wrong(w, n, "groups", "name", raw->name);
	for (uint32_t j = 0; j < g; j++)
		if (strcmp(out->name, w->out->cluster.group[j].name) == 0)
			twice(w, "groups", g, j, "name", out->name);
	if (home == CONFIG_NOT_FOUND)
		wrong(w, n, "groups", "home", raw->home);
	out->home = (uint16_t)home;
	for (uint32_t i = 0; i < raw->addresses_count; i++)
		build_address(w, g, i);
	for (uint32_t i = 0; i < raw->announce6_count; i++)
		build_announce6(w, g, i);
}

static bool names_realm(const struct raw_group *raw, const char *realm)
{
	for (uint32_t i = 0; i < raw->addresses_count; i++)
		if (strcmp(raw->addresses[i].realm, realm) == 0)
			return true;
	return false;
}

static void check_realms(struct config_work *w, uint32_t g)
{
	for (uint32_t r = 0; r < w->out->snapshot.realms; r++)
		if (!names_realm(&w->raw->cluster->groups[g], w->raw->realms[r].name))
			config_report_add(w->report, line_of(entry(w, "groups", g), "addresses"),
					  "addresses: realm %s has none in group %s: expected one "
					  "for each realm",
					  w->raw->realms[r].name, w->raw->cluster->groups[g].name);
}

static void set_u32(uint32_t *out, const uint32_t *value)
{
	if (value)
		*out = *value;
}

static void build_settings(struct config_work *w, const struct raw_cluster *raw)
{
	struct config_cluster *c = &w->out->cluster;

	snprintf(c->name, sizeof(c->name), "%s", raw->name);
	if (!config_is_name(raw->name))
		config_wrong(w, "cluster", 0, "name", raw->name);
	c->lease_ms = CONFIG_LEASE_MS;
	c->alone_ms = CONFIG_ALONE_MS;
	c->give_back_after_s = CONFIG_GIVE_BACK_S;
	set_u32(&c->lease_ms, raw->lease);
	set_u32(&c->alone_ms, raw->alone);
	set_u32(&c->give_back_after_s, raw->give_back_after);
	if (raw->give_back)
		c->give_back = (enum config_give_back) * raw->give_back;
	if (c->alone_ms < c->lease_ms)
		config_report_add(w->report,
				  config_line(w, "cluster", 0, raw->alone ? "alone" : "lease"),
				  "alone (%u ms) below lease (%u ms): expected lease or more",
				  c->alone_ms, c->lease_ms);
}

/* Leases need a Redis that all nodes see; heartbeats a key that all nodes have. */
static void check_needs(struct config_work *w)
{
	const struct raw_state *state = w->raw->state;
	uint32_t line = config_node_key(config_lines_root(w->lines), "cluster")->line;

	if (!state || (!state->redis && !state->sentinels))
		config_report_add(w->report, line,
				  "cluster: no redis or sentinels in state: expected a Redis that "
				  "all nodes reach");
	if (!w->raw->node->key_file)
		config_report_add(w->report, line,
				  "cluster: no key_file in node: expected one with the same key on "
				  "all nodes");
}

void config_build_members(struct config_work *w)
{
	const struct raw_cluster *raw = w->raw->cluster;

	if (!raw)
		return;
	build_settings(w, raw);
	check_needs(w);
	build_nodes(w);
	for (uint32_t g = 0; g < raw->groups_count; g++) {
		build_group(w, g);
		check_realms(w, g);
		w->out->cluster.groups++;
	}
}
