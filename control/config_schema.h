/*
 * config_schema: the file's form, once: libcyaml's schema, the structs it fills,
 * and for every key what is expected there and within which bounds.
 *
 * Optional numbers, switches and choices are pointers: NULL is "not given", and
 * the default is whatever the layer that uses the value says. config_shape.c
 * walks this same schema to find every mistake of form with its line; libcyaml
 * fills the structs once there is none.
 */
#ifndef CONTROL_CONFIG_SCHEMA_H
#define CONTROL_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

enum config_hugepages { CONFIG_HUGE_AUTO, CONFIG_HUGE_YES, CONFIG_HUGE_NO };
enum config_durable { CONFIG_DURABLE_ANSWER, CONFIG_DURABLE_BEHIND, CONFIG_DURABLE_NONE };
enum config_unknown { CONFIG_DROP, CONFIG_CARRY, CONFIG_REFUSE, CONFIG_RELAY, CONFIG_HIDE };

struct raw_limits {
	uint32_t *calls, *registrations, *cps;
};

struct raw_node {
	char *name, *product, *control, *pidfile, *key_file;
	uint32_t *workers, *memory_mb, *mbufs, *rx_desc, *tx_desc;
	uint32_t *t1, *t2, *t4, *ring_timeout, *max_call, *drain_timeout, *log_rate;
	uint32_t *cpus;
	uint32_t cpus_count;
	enum dp_idle *idle;
	enum config_hugepages *hugepages;
	int *log; /* enum log_level */
	struct raw_limits *limits;
};

struct raw_port {
	char *name, *device, *address, *gateway, *mac;
	uint32_t *vlan, *mtu;
};

struct raw_realm {
	char *name, *port, *media, *domain;
	enum snapshot_trust *trust;
	enum snapshot_latch *latch;
	bool *nat, *registered_callers_only;
	char **sip, **media_addresses;
	uint32_t sip_count, media_addresses_count;
	enum config_unknown *unknown_headers, *unknown_media, *user_agent;
	uint32_t *max_calls, *max_cps, *media_timeout, *media_dscp, *sip_dscp;
};

struct raw_peer {
	char *name, *realm, *address, *domain;
};

struct raw_route {
	char *from, *to, *prefix;
};

struct raw_state {
	char *directory, *redis, *user, *password_file, *master;
	char **sentinels;
	uint32_t sentinels_count;
	uint32_t *database, *replicas, *deadline, *ttl, *timeout, *start_wait;
	enum config_durable *durable;
};

struct raw_member {
	char *name, *address;
};

struct raw_address {
	char *realm, *ip;
	char **media_addresses;
	uint32_t media_addresses_count;
};

struct raw_group {
	char *name, *home;
	struct raw_address *addresses, *announce6;
	uint32_t addresses_count, announce6_count;
};

struct raw_cluster {
	char *name;
	uint32_t *lease, *alone, *give_back_after;
	int *give_back; /* enum config_give_back */
	struct raw_member *nodes;
	struct raw_group *groups;
	uint32_t nodes_count, groups_count;
};

struct raw_config {
	struct raw_node *node;
	struct raw_state *state;
	struct raw_cluster *cluster;
	char **domains;
	struct raw_port *ports;
	struct raw_realm *realms;
	struct raw_peer *peers;
	struct raw_route *routes;
	uint32_t domains_count, ports_count, realms_count, peers_count, routes_count;
};

extern const cyaml_schema_value_t config_schema;

/* What a key wants: bounds of a number, or the form of a string in words. */
struct config_hint {
	const char *section; /* node, limits, ports, realms, peers, routes, state, cluster, ... */
	const char *key;
	uint32_t lo, hi;
	const char *expect;
};

/* Never NULL. */
const struct config_hint *config_hint_of(const char *section, const char *key);

#endif
