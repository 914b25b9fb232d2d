/*
 * config: a configuration file, validated whole and turned into what runs: the
 * engine's snapshot, the dataplane's settings and the daemon's own.
 *
 * Nothing of a file with a mistake is used. Mistakes come by file and line, all
 * of one stage at once: first those of form (config_shape.h), then those of
 * meaning, then devices that are not there. Every setting is described in
 * docs/configuration.md.
 *
 * A struct config is one block: free() it. Its dp.snapshot points into it; key,
 * hugepages and snapshot version are left for the daemon.
 */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/config_report.h"
#include "control/config_schema.h"
#include "control/log.h"
#include "dataplane/dataplane.h"

#define CONFIG_SOCKET   "/run/postern/control.sock"
#define CONFIG_PATH     256u
#define CONFIG_LOG_RATE 1000u /* records a second */
#define CONFIG_DRAIN_S  30u

/* At once, over the whole node. */
#define CONFIG_CALLS         10000u
#define CONFIG_REGISTRATIONS 10000u

#define CONFIG_STATE_DIR     "/var/lib/postern"
#define CONFIG_LEASE_MS      300u
#define CONFIG_ALONE_MS      60000u
#define CONFIG_GIVE_BACK_S   30u
#define CONFIG_MAX_MEMBERS   16u
#define CONFIG_MAX_SENTINELS 8u

/* A line of password_file, with its zero. */
#define CONFIG_PASSWORD      512u
#define CONFIG_PASSWORD_FORM "a password of up to 511 characters on one line"

#define CONFIG_REDIS_TIMEOUT_MS 500u
#define CONFIG_START_WAIT_S     10u

/* Where state is kept. Without `redis` or sentinels: a redis-server of our own. */
struct config_state {
	char directory[CONFIG_PATH]; /* of the redis-server of our own, and of the node's key */
	char redis[CONFIG_PATH];     /* "HOST:PORT" or "unix:PATH"; empty: our own, or sentinels */
	uint32_t database;
	char user[64], password_file[CONFIG_PATH]; /* ACL user; empty: none */
	uint16_t sentinels;
	char sentinel[CONFIG_MAX_SENTINELS][128]; /* "HOST:PORT" */
	char master[64];                          /* its name at the sentinels */
	uint32_t replicas;     /* that must have a lease before it counts (WAIT) */
	bool behind;           /* write-behind: answers don't wait */
	bool none;             /* there is no Redis: nothing outlives the process */
	uint32_t timeout_ms;   /* a command unanswered that long: Redis is down; 500 */
	uint32_t start_wait_s; /* for Redis, before serving without it; 10 */
};

/* Media addresses beside the one that a realm is known by; network order. */
struct config_addresses {
	uint16_t count;
	uint32_t ip[SNAPSHOT_MAX_MEDIA - 1];
};

/* A set of addresses that is served together, on one node at a time. */
struct config_group {
	char name[SNAPSHOT_NAME];
	uint16_t home;                         /* node */
	uint32_t address[SNAPSHOT_MAX_REALMS]; /* of each realm of the file, network order */
	struct config_addresses media[SNAPSHOT_MAX_REALMS];
};

enum config_give_back { CONFIG_GIVE_BACK_AUTO, CONFIG_GIVE_BACK_MANUAL };

/* The nodes that share the groups. nodes 0: this node is alone and serves for good. */
struct config_cluster {
	char name[SNAPSHOT_NAME]; /* part of every key; without a cluster the node's name */
	uint16_t nodes, self;
	struct config_member {
		char name[SNAPSHOT_NAME];
		char address[128]; /* "HOST:PORT", UDP, of heartbeats: kernel's stack */
	} node[CONFIG_MAX_MEMBERS];
	uint16_t groups;
	struct config_group group[SNAPSHOT_MAX_GROUPS];
	uint32_t lease_ms; /* an owner not heard of for so long has lost its addresses; 300 */
	uint32_t alone_ms; /* see control/lease.h; 60000 */
	enum config_give_back give_back;
	uint32_t give_back_after_s; /* a home must have been well for so long; 30 */
};

struct config {
	struct snapshot snapshot;
	struct config_state state;
	struct config_cluster cluster;
	struct dp_conf dp;
	char program[SNAPSHOT_NAME + 16]; /* dp.program: "postern-" and the node's name */
	enum config_hugepages hugepages;
	enum log_level log;
	uint32_t log_rate;
	uint32_t drain_timeout_s;
	char control[108];                                /* sockaddr_un's room */
	char pidfile[CONFIG_PATH], key_file[CONFIG_PATH]; /* empty: none */
};

enum config_check {
	CONFIG_CHECK_TEXT,   /* what the file says in itself */
	CONFIG_CHECK_DEVICES /* and whether its devices, CPUs and key file are on this machine */
};

/* NULL on any mistake, all of which are in `report`. `name` is what mistakes call the file. */
struct config *config_parse(const char *name, const char *text, size_t len, enum config_check check,
			    struct config_report *report);
struct config *config_load(const char *path, enum config_check check, struct config_report *report);

#endif
