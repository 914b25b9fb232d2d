#include "control/config_schema.h"

#include <string.h>

#include "control/config.h"
#include "control/log.h"

#define OPT     CYAML_FLAG_OPTIONAL
#define OPT_PTR CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL
#define CHOICE  CYAML_FLAG_STRICT
#define PATH    255
#define NAME    (SNAPSHOT_NAME - 1)
#define HOST    (SNAPSHOT_HOST - 1)

static const cyaml_strval_t idle_names[] = {{"poll", DP_IDLE_POLL}, {"backoff", DP_IDLE_BACKOFF}};
static const cyaml_strval_t huge_names[] = {
	{"auto", CONFIG_HUGE_AUTO}, {"yes", CONFIG_HUGE_YES}, {"no", CONFIG_HUGE_NO}};
static const cyaml_strval_t log_names[] = {{"error", LOG_LEVEL_ERROR},
					   {"warn", LOG_LEVEL_WARN},
					   {"info", LOG_LEVEL_INFO},
					   {"debug", LOG_LEVEL_DEBUG}};
static const cyaml_strval_t trust_names[] = {{"untrusted", SNAPSHOT_UNTRUSTED},
					     {"trusted", SNAPSHOT_TRUSTED}};
static const cyaml_strval_t latch_names[] = {{"never", SNAPSHOT_LATCH_NEVER},
					     {"signalled", SNAPSHOT_LATCH_SIGNALLED},
					     {"any", SNAPSHOT_LATCH_ANY}};
static const cyaml_strval_t header_names[] = {{"drop", CONFIG_DROP}, {"carry", CONFIG_CARRY}};
static const cyaml_strval_t media_names[] = {{"refuse", CONFIG_REFUSE}, {"relay", CONFIG_RELAY}};
static const cyaml_strval_t durable_names[] = {{"answer", CONFIG_DURABLE_ANSWER},
					       {"behind", CONFIG_DURABLE_BEHIND},
					       {"none", CONFIG_DURABLE_NONE}};
static const cyaml_strval_t give_back_names[] = {{"auto", CONFIG_GIVE_BACK_AUTO},
						 {"manual", CONFIG_GIVE_BACK_MANUAL}};
static const cyaml_strval_t agent_names[] = {{"hide", CONFIG_HIDE}, {"carry", CONFIG_CARRY}};

static const cyaml_schema_field_t limits_fields[] = {
	CYAML_FIELD_UINT_PTR("calls", OPT, struct raw_limits, calls),
	CYAML_FIELD_UINT_PTR("registrations", OPT, struct raw_limits, registrations),
	CYAML_FIELD_UINT_PTR("cps", OPT, struct raw_limits, cps), CYAML_FIELD_END};

static const cyaml_schema_value_t cpu_entry = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};

static const cyaml_schema_field_t node_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_node, name, 1, NAME),
	CYAML_FIELD_UINT_PTR("workers", OPT, struct raw_node, workers),
	CYAML_FIELD_SEQUENCE("cpus", OPT_PTR, struct raw_node, cpus, &cpu_entry, 1,
			     DP_MAX_WORKERS + 1),
	CYAML_FIELD_ENUM_PTR("idle", OPT | CHOICE, struct raw_node, idle, idle_names,
			     CYAML_ARRAY_LEN(idle_names)),
	CYAML_FIELD_ENUM_PTR("hugepages", OPT | CHOICE, struct raw_node, hugepages, huge_names,
			     CYAML_ARRAY_LEN(huge_names)),
	CYAML_FIELD_UINT_PTR("memory_mb", OPT, struct raw_node, memory_mb),
	CYAML_FIELD_UINT_PTR("mbufs", OPT, struct raw_node, mbufs),
	CYAML_FIELD_UINT_PTR("rx_desc", OPT, struct raw_node, rx_desc),
	CYAML_FIELD_UINT_PTR("tx_desc", OPT, struct raw_node, tx_desc),
	CYAML_FIELD_STRING_PTR("product", OPT_PTR, struct raw_node, product, 1, NAME),
	CYAML_FIELD_ENUM_PTR("log", OPT | CHOICE, struct raw_node, log, log_names,
			     CYAML_ARRAY_LEN(log_names)),
	CYAML_FIELD_UINT_PTR("log_rate", OPT, struct raw_node, log_rate),
	CYAML_FIELD_STRING_PTR("control", OPT_PTR, struct raw_node, control, 1, 107),
	CYAML_FIELD_STRING_PTR("pidfile", OPT_PTR, struct raw_node, pidfile, 1, PATH),
	CYAML_FIELD_STRING_PTR("key_file", OPT_PTR, struct raw_node, key_file, 1, PATH),
	CYAML_FIELD_MAPPING_PTR("limits", OPT_PTR, struct raw_node, limits, limits_fields),
	CYAML_FIELD_UINT_PTR("t1", OPT, struct raw_node, t1),
	CYAML_FIELD_UINT_PTR("t2", OPT, struct raw_node, t2),
	CYAML_FIELD_UINT_PTR("t4", OPT, struct raw_node, t4),
	CYAML_FIELD_UINT_PTR("ring_timeout", OPT, struct raw_node, ring_timeout),
	CYAML_FIELD_UINT_PTR("max_call", OPT, struct raw_node, max_call),
	CYAML_FIELD_UINT_PTR("drain_timeout", OPT, struct raw_node, drain_timeout),
	CYAML_FIELD_END};

static const cyaml_schema_field_t port_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_port, name, 1, NAME),
	CYAML_FIELD_STRING_PTR("device", CYAML_FLAG_POINTER, struct raw_port, device, 1, PATH),
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct raw_port, address, 1, 64),
	CYAML_FIELD_STRING_PTR("gateway", OPT_PTR, struct raw_port, gateway, 1, 64),
	CYAML_FIELD_UINT_PTR("vlan", OPT, struct raw_port, vlan),
	CYAML_FIELD_UINT_PTR("mtu", OPT, struct raw_port, mtu),
	CYAML_FIELD_STRING_PTR("mac", OPT_PTR, struct raw_port, mac, 1, 64),
	CYAML_FIELD_END};

static const cyaml_schema_value_t sip_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 64)};

static const cyaml_schema_value_t range_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 64)};

static const cyaml_schema_field_t realm_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_realm, name, 1, NAME),
	CYAML_FIELD_STRING_PTR("port", CYAML_FLAG_POINTER, struct raw_realm, port, 1, NAME),
	CYAML_FIELD_ENUM_PTR("trust", CHOICE, struct raw_realm, trust, trust_names,
			     CYAML_ARRAY_LEN(trust_names)),
	CYAML_FIELD_BOOL_PTR("nat", OPT, struct raw_realm, nat),
	CYAML_FIELD_ENUM_PTR("latch", OPT | CHOICE, struct raw_realm, latch, latch_names,
			     CYAML_ARRAY_LEN(latch_names)),
	CYAML_FIELD_SEQUENCE("sip", CYAML_FLAG_POINTER, struct raw_realm, sip, &sip_entry, 1,
			     SNAPSHOT_MAX_LISTENERS),
	CYAML_FIELD_STRING_PTR("media", CYAML_FLAG_POINTER, struct raw_realm, media, 1, 64),
	CYAML_FIELD_SEQUENCE("media_addresses", OPT_PTR, struct raw_realm, media_addresses,
			     &range_entry, 1, SNAPSHOT_MAX_MEDIA - 1),
	CYAML_FIELD_STRING_PTR("domain", OPT_PTR, struct raw_realm, domain, 1, HOST),
	CYAML_FIELD_ENUM_PTR("unknown_headers", OPT | CHOICE, struct raw_realm, unknown_headers,
			     header_names, CYAML_ARRAY_LEN(header_names)),
	CYAML_FIELD_ENUM_PTR("unknown_media", OPT | CHOICE, struct raw_realm, unknown_media,
			     media_names, CYAML_ARRAY_LEN(media_names)),
	CYAML_FIELD_ENUM_PTR("user_agent", OPT | CHOICE, struct raw_realm, user_agent, agent_names,
			     CYAML_ARRAY_LEN(agent_names)),
	CYAML_FIELD_BOOL_PTR("registered_callers_only", OPT, struct raw_realm,
			     registered_callers_only),
	CYAML_FIELD_UINT_PTR("max_calls", OPT, struct raw_realm, max_calls),
	CYAML_FIELD_UINT_PTR("max_cps", OPT, struct raw_realm, max_cps),
	CYAML_FIELD_UINT_PTR("media_timeout", OPT, struct raw_realm, media_timeout),
	CYAML_FIELD_UINT_PTR("media_dscp", OPT, struct raw_realm, media_dscp),
	CYAML_FIELD_UINT_PTR("sip_dscp", OPT, struct raw_realm, sip_dscp),
	CYAML_FIELD_END};

static const cyaml_schema_field_t peer_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_peer, name, 1, NAME),
	CYAML_FIELD_STRING_PTR("realm", CYAML_FLAG_POINTER, struct raw_peer, realm, 1, NAME),
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct raw_peer, address, 1, 64),
	CYAML_FIELD_STRING_PTR("domain", OPT_PTR, struct raw_peer, domain, 1, HOST),
	CYAML_FIELD_END};

static const cyaml_schema_field_t route_fields[] = {
	CYAML_FIELD_STRING_PTR("from", CYAML_FLAG_POINTER, struct raw_route, from, 1, NAME),
	CYAML_FIELD_STRING_PTR("to", CYAML_FLAG_POINTER, struct raw_route, to, 1, NAME),
	CYAML_FIELD_STRING_PTR("prefix", OPT_PTR, struct raw_route, prefix, 1, NAME),
	CYAML_FIELD_END};

static const cyaml_schema_value_t sentinel_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, HOST - 1)};

static const cyaml_schema_field_t state_fields[] = {
	CYAML_FIELD_STRING_PTR("directory", OPT_PTR, struct raw_state, directory, 1, PATH),
	CYAML_FIELD_STRING_PTR("redis", OPT_PTR, struct raw_state, redis, 1, HOST - 1),
	CYAML_FIELD_UINT_PTR("database", OPT, struct raw_state, database),
	CYAML_FIELD_STRING_PTR("user", OPT_PTR, struct raw_state, user, 1, 63),
	CYAML_FIELD_STRING_PTR("password_file", OPT_PTR, struct raw_state, password_file, 1, PATH),
	CYAML_FIELD_SEQUENCE("sentinels", OPT_PTR, struct raw_state, sentinels, &sentinel_entry, 1,
			     CONFIG_MAX_SENTINELS),
	CYAML_FIELD_STRING_PTR("master", OPT_PTR, struct raw_state, master, 1, 63),
	CYAML_FIELD_UINT_PTR("replicas", OPT, struct raw_state, replicas),
	CYAML_FIELD_ENUM_PTR("durable", OPT | CHOICE, struct raw_state, durable, durable_names,
			     CYAML_ARRAY_LEN(durable_names)),
	CYAML_FIELD_UINT_PTR("deadline", OPT, struct raw_state, deadline),
	CYAML_FIELD_UINT_PTR("ttl", OPT, struct raw_state, ttl),
	CYAML_FIELD_UINT_PTR("timeout", OPT, struct raw_state, timeout),
	CYAML_FIELD_UINT_PTR("start_wait", OPT, struct raw_state, start_wait),
	CYAML_FIELD_END};

static const cyaml_schema_field_t member_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_member, name, 1, NAME),
	CYAML_FIELD_STRING_PTR("address", CYAML_FLAG_POINTER, struct raw_member, address, 1,
			       HOST - 1),
	CYAML_FIELD_END};

static const cyaml_schema_field_t address_fields[] = {
	CYAML_FIELD_STRING_PTR("realm", CYAML_FLAG_POINTER, struct raw_address, realm, 1, NAME),
	CYAML_FIELD_STRING_PTR("ip", CYAML_FLAG_POINTER, struct raw_address, ip, 1, 64),
	CYAML_FIELD_SEQUENCE("media_addresses", OPT_PTR, struct raw_address, media_addresses,
			     &range_entry, 1, SNAPSHOT_MAX_MEDIA - 1),
	CYAML_FIELD_END};

static const cyaml_schema_field_t announce6_fields[] = {
	CYAML_FIELD_STRING_PTR("realm", CYAML_FLAG_POINTER, struct raw_address, realm, 1, NAME),
	CYAML_FIELD_STRING_PTR("ip", CYAML_FLAG_POINTER, struct raw_address, ip, 1, 64),
	CYAML_FIELD_END};

static const cyaml_schema_value_t member_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_member, member_fields)};
static const cyaml_schema_value_t address_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_address, address_fields)};

static const cyaml_schema_value_t announce6_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_address, announce6_fields)};

static const cyaml_schema_field_t group_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_group, name, 1, NAME),
	CYAML_FIELD_STRING_PTR("home", CYAML_FLAG_POINTER, struct raw_group, home, 1, NAME),
	CYAML_FIELD_SEQUENCE("addresses", CYAML_FLAG_POINTER, struct raw_group, addresses,
			     &address_entry, 1, SNAPSHOT_MAX_REALMS),
	CYAML_FIELD_SEQUENCE("announce6", OPT_PTR, struct raw_group, announce6, &announce6_entry, 1,
			     SNAPSHOT_MAX_REALMS),
	CYAML_FIELD_END};

static const cyaml_schema_value_t group_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_group, group_fields)};

static const cyaml_schema_field_t cluster_fields[] = {
	CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct raw_cluster, name, 1, NAME),
	CYAML_FIELD_UINT_PTR("lease", OPT, struct raw_cluster, lease),
	CYAML_FIELD_UINT_PTR("alone", OPT, struct raw_cluster, alone),
	CYAML_FIELD_ENUM_PTR("give_back", OPT | CHOICE, struct raw_cluster, give_back,
			     give_back_names, CYAML_ARRAY_LEN(give_back_names)),
	CYAML_FIELD_UINT_PTR("give_back_after", OPT, struct raw_cluster, give_back_after),
	CYAML_FIELD_SEQUENCE("nodes", CYAML_FLAG_POINTER, struct raw_cluster, nodes, &member_entry,
			     1, CONFIG_MAX_MEMBERS),
	CYAML_FIELD_SEQUENCE("groups", CYAML_FLAG_POINTER, struct raw_cluster, groups, &group_entry,
			     1, SNAPSHOT_MAX_GROUPS),
	CYAML_FIELD_END};

static const cyaml_schema_value_t domain_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, HOST)};
static const cyaml_schema_value_t port_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_port, port_fields)};
static const cyaml_schema_value_t realm_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_realm, realm_fields)};
static const cyaml_schema_value_t peer_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_peer, peer_fields)};
static const cyaml_schema_value_t route_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct raw_route, route_fields)};

static const cyaml_schema_field_t top_fields[] = {
	CYAML_FIELD_MAPPING_PTR("node", CYAML_FLAG_POINTER, struct raw_config, node, node_fields),
	CYAML_FIELD_SEQUENCE("domains", OPT_PTR, struct raw_config, domains, &domain_entry, 1,
			     SNAPSHOT_MAX_DOMAINS),
	CYAML_FIELD_SEQUENCE("ports", CYAML_FLAG_POINTER, struct raw_config, ports, &port_entry, 1,
			     DP_MAX_PORTS),
	CYAML_FIELD_SEQUENCE("realms", CYAML_FLAG_POINTER, struct raw_config, realms, &realm_entry,
			     1, SNAPSHOT_MAX_REALMS),
	CYAML_FIELD_SEQUENCE("peers", OPT_PTR, struct raw_config, peers, &peer_entry, 1,
			     SNAPSHOT_MAX_PEERS),
	CYAML_FIELD_SEQUENCE("routes", OPT_PTR, struct raw_config, routes, &route_entry, 1,
			     SNAPSHOT_MAX_ROUTES),
	CYAML_FIELD_MAPPING_PTR("state", OPT_PTR, struct raw_config, state, state_fields),
	CYAML_FIELD_MAPPING_PTR("cluster", OPT_PTR, struct raw_config, cluster, cluster_fields),
	CYAML_FIELD_END};

const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct raw_config, top_fields)};

#define NAME_FORM  "a name of up to 31 letters, digits, '-', '_' or '.'"
#define HOST_FORM  "a host name such as example.com, or an address"
#define REALM_FORM "the name of a realm"
#define NODE_FORM  "the name of a node in nodes"
#define RANGE_FORM "addresses such as \"203.0.113.64-203.0.113.127\""
#define UDP_FORM   "a host and a UDP port, such as \"10.0.9.1:7400\""

static const struct config_hint hints[] = {
	{"", "node", 0, 0, "the node's settings"},
	{"", "ports", 0, 0, "a list of ports"},
	{"", "realms", 0, 0, "a list of realms"},
	{"", "peers", 0, 0, "a list of at least one peer"},
	{"", "routes", 0, 0, "a list of at least one route"},
	{"", "domains", 0, 0, HOST_FORM},
	{"node", "name", 0, 0, NAME_FORM},
	{"node", "workers", 1, DP_MAX_WORKERS, NULL},
	{"node", "cpus", 0, 1023, NULL},
	{"node", "memory_mb", 64, 1048576, NULL},
	{"node", "mbufs", 1024, 4194304, NULL},
	{"node", "rx_desc", 32, 32768, NULL},
	{"node", "tx_desc", 32, 32768, NULL},
	{"node", "product", 0, 0, "a product name such as Postern/1.0, up to 31 characters"},
	{"node", "log_rate", 0, 1000000, NULL},
	{"node", "control", 0, 0, "an absolute path of up to 107 characters"},
	{"node", "pidfile", 0, 0, "an absolute path"},
	{"node", "key_file", 0, 0, "an absolute path"},
	{"limits", "calls", 1, 4000000, NULL},
	{"limits", "registrations", 1, 16000000, NULL},
	{"limits", "cps", 1, 100000, NULL},
	{"node", "t1", 50, 10000, NULL},
	{"node", "t2", 50, 60000, NULL},
	{"node", "t4", 50, 60000, NULL},
	{"node", "ring_timeout", 1, 3600, NULL},
	{"node", "max_call", 0, 2592000, NULL},
	{"node", "drain_timeout", 0, 86400, NULL},
	{"ports", "name", 0, 0, NAME_FORM},
	{"ports", "device", 0, 0,
	 "a DPDK device such as \"net_af_packet0,iface=eth1\" or a PCI address such as "
	 "0000:03:00.0"},
	{"ports", "address", 0, 0, "an address with its prefix length, such as 203.0.113.1/24"},
	{"ports", "gateway", 0, 0, "an address on the port's own network"},
	{"ports", "vlan", 1, 4094, NULL},
	{"ports", "mtu", 576, 9000, NULL},
	{"ports", "mac", 0, 0, "a unicast MAC address such as 02:00:00:00:00:01"},
	{"realms", "name", 0, 0, NAME_FORM},
	{"realms", "port", 0, 0, "the name of a port"},
	{"realms", "sip", 0, 0, "SIP listeners such as \"udp:5060\""},
	{"realms", "media", 0, 0, "two UDP ports from 1024 to 65535, such as 20000-29999"},
	{"realms", "media_addresses", 0, 0, RANGE_FORM},
	{"realms", "domain", 0, 0, HOST_FORM},
	{"realms", "max_calls", 0, 4000000, NULL},
	{"realms", "max_cps", 0, 1000000, NULL},
	{"realms", "media_timeout", 0, 86400, NULL},
	{"realms", "media_dscp", 0, 63, NULL},
	{"realms", "sip_dscp", 0, 63, NULL},
	{"peers", "name", 0, 0, NAME_FORM},
	{"peers", "realm", 0, 0, REALM_FORM},
	{"peers", "address", 0, 0, "an address and a UDP port, such as \"10.0.0.10:5060\""},
	{"peers", "domain", 0, 0, HOST_FORM},
	{"routes", "from", 0, 0, REALM_FORM},
	{"routes", "to", 0, 0, "the name of a peer, or registered"},
	{"routes", "prefix", 0, 0,
	 "the beginning of a called user, up to 31 characters without spaces"},
	{"state", "directory", 0, 0, "an absolute path"},
	{"state", "redis", 0, 0,
	 "a host and a TCP port such as \"10.0.9.5:6379\", or \"unix:\" and an absolute path of up "
	 "to 107 characters"},
	{"state", "database", 0, 1023, NULL},
	{"state", "user", 0, 0, "the name of a Redis ACL user, up to 63 characters without spaces"},
	{"state", "password_file", 0, 0, "an absolute path"},
	{"state", "sentinels", 0, 0, "hosts and TCP ports such as \"10.0.9.5:26379\""},
	{"state", "master", 0, 0, "the name that the sentinels have for the master"},
	{"state", "replicas", 0, 15, NULL},
	{"state", "deadline", 1, 5000, NULL},
	{"state", "ttl", 60, 2592000, NULL},
	{"state", "timeout", 50, 60000, NULL},
	{"state", "start_wait", 0, 3600, NULL},
	{"cluster", "name", 0, 0, NAME_FORM},
	{"cluster", "lease", 150, 30000, NULL},
	{"cluster", "alone", 1000, 3600000, NULL},
	{"cluster", "give_back_after", 0, 86400, NULL},
	{"cluster", "nodes", 0, 0, "a list of nodes"},
	{"cluster", "groups", 0, 0, "a list of groups"},
	{"nodes", "name", 0, 0, NAME_FORM},
	{"nodes", "address", 0, 0, UDP_FORM},
	{"groups", "name", 0, 0, NAME_FORM},
	{"groups", "home", 0, 0, NODE_FORM},
	{"groups", "addresses", 0, 0, "a list with an address for each realm"},
	{"groups", "announce6", 0, 0, "a list of IPv6 addresses with their realms"},
	{"addresses", "realm", 0, 0, REALM_FORM},
	{"addresses", "ip", 0, 0, "an address on the network of the realm's port"},
	{"addresses", "media_addresses", 0, 0, RANGE_FORM},
	{"announce6", "realm", 0, 0, REALM_FORM},
	{"announce6", "ip", 0, 0, "an IPv6 unicast address such as \"2001:db8::11\""},
};

const struct config_hint *config_hint_of(const char *section, const char *key)
{
	static const struct config_hint any = {"", "", 0, UINT32_MAX, "a value"};

	for (size_t i = 0; i < CYAML_ARRAY_LEN(hints); i++)
		if (strcmp(hints[i].section, section) == 0 && strcmp(hints[i].key, key) == 0)
			return &hints[i];
	return &any;
}
