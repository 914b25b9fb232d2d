/*
 * The stages of config.c: each reports what it refuses and goes on, so that a
 * file's mistakes are seen together. Stages after the first rely on indices
 * (realm_of_listener, ...) only where the one before reported nothing.
 */
#ifndef CONTROL_CONFIG_INTERNAL_H
#define CONTROL_CONFIG_INTERNAL_H

#include "control/config.h"
#include "control/config_lines.h"
#include "sbc/base/slice.h"

/* Further media addresses of all realms and groups there can be. */
#define CONFIG_MAX_MEDIA_IPS (SNAPSHOT_MAX_REALMS * (SNAPSHOT_MAX_MEDIA - 1))

struct config_media_ip {
	uint32_t ip;    /* network order */
	uint16_t realm; /* of the file */
	uint32_t line;
};

struct config_work {
	const struct raw_config *raw;
	const struct config_lines *lines;
	struct config_report *report;
	struct config *out;
	bool port_ok[DP_MAX_PORTS];         /* its address was understood */
	bool realm_ok[SNAPSHOT_MAX_REALMS]; /* its port was found */
	bool media_ok[SNAPSHOT_MAX_REALMS]; /* its media range was understood */
	bool peer_ok[SNAPSHOT_MAX_PEERS];   /* its realm and address were understood */
	bool route_ok[SNAPSHOT_MAX_ROUTES]; /* both its ends were found */
	uint32_t listener_line[SNAPSHOT_MAX_LISTENERS];
	uint32_t media_ips;
	struct config_media_ip media_ip[CONFIG_MAX_MEDIA_IPS];
};

/* Line of raw->SECTION[i].key, of the entry when it has no such key. */
uint32_t config_line(const struct config_work *w, const char *section, uint32_t i, const char *key);

/* "KEY: VALUE: expected FORM", with the form that the schema's hint has. */
void config_wrong(const struct config_work *w, const char *section, uint32_t i, const char *key,
		  const char *value);

/* Whether `s` is a name; whether it is a host name or an address. */
bool config_is_name(const char *s);
bool config_is_host(const char *s);

/* Whether `s` is "HOST:PORT", or "[IPv6]:PORT". */
bool config_is_endpoint(const char *s);

#define CONFIG_NOT_FOUND UINT32_MAX
uint32_t config_find_realm(const struct config_work *w, const char *name);

/* SECTION[i] has the name that SECTION[j] has. */
void config_twice(struct config_work *w, const char *section, uint32_t i, uint32_t j,
		  const char *what, const char *name);

/* The "domain" of an entry, when it has one. */
void config_build_host(struct config_work *w, const char *section, uint32_t i, const char *text,
		       char out[SNAPSHOT_HOST]);

/* Appends what a list of media_addresses says. */
void config_media_build(struct config_work *w, const struct config_node *list, char **text,
			uint32_t count, uint32_t realm, struct config_addresses *out);
void config_media_set(struct snapshot_realm *r, const struct config_addresses *all);
void config_media_realm(struct config_work *w, uint32_t i); /* part of realms */
void config_media_check(struct config_work *w);             /* part of the cross check */

/* Stages. */
void config_build_node(struct config_work *w);
void config_build_ports(struct config_work *w);
void config_build_realms(struct config_work *w);
void config_build_peers(struct config_work *w);
void config_build_routes(struct config_work *w);
void config_build_state(struct config_work *w);
void config_build_members(struct config_work *w); /* the cluster's section; after realms */
void config_cross_check(struct config_work *w);
void config_build_groups(struct config_work *w); /* last: only when nothing was reported */
void config_device_form(struct config_work *w, uint32_t port); /* part of ports */
void config_device_check(struct config_work *w);

/* Network mask of a prefix length, network order. */
uint32_t config_mask(uint8_t prefix);

/* Whether `ip` is a host's address on that port's network. */
bool config_is_onlink(const struct dp_port_conf *port, uint32_t ip);

#endif
