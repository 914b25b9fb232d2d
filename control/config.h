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

struct config {
	struct snapshot snapshot;
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
