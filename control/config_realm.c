/* Realms: what each says in itself, and that its port is there. */
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"
#include "sbc/media/port_pool.h"

static uint32_t find_port(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->dp.ports; i++)
		if (strcmp(w->out->dp.port[i].name, name) == 0)
			return i;
	return CONFIG_NOT_FOUND;
}

uint32_t config_find_realm(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->snapshot.realms; i++)
		if (strcmp(w->out->snapshot.realm[i].name, name) == 0)
			return i;
	return CONFIG_NOT_FOUND;
}

void config_twice(struct config_work *w, const char *section, uint32_t i, uint32_t j,
		  const char *what, const char *name)
{
	config_report_add(w->report, config_line(w, section, i, "name"),
			  "name: %s %s stands twice: it is on line %u already", what, name,
			  config_line(w, section, j, "name"));
}

void config_build_host(struct config_work *w, const char *section, uint32_t i, const char *text,
		       char out[SNAPSHOT_HOST])
{
	if (!text)
		return;
	snprintf(out, SNAPSHOT_HOST, "%s", text);
	if (!config_is_host(text))
		config_wrong(w, section, i, "domain", text);
}

/* "udp:PORT" */
static bool parse_listener(const char *text, uint16_t *port)
{
	struct slice s = slice_str(text);
	uint32_t n;

	if (!slice_starts(s, SLICE_LIT("udp:")) ||
	    !slice_u32(slice_of(s.p + 4, s.n - 4), UINT16_MAX, &n) || n == 0)
		return false;
	*port = (uint16_t)n;
	return true;
}

static void build_listeners(struct config_work *w, uint32_t i)
{
	const struct raw_realm *raw = &w->raw->realms[i];
	struct snapshot *s = &w->out->snapshot;
	const struct config_node *realms = config_node_key(config_lines_root(w->lines), "realms");
	const struct config_node *list = config_node_key(config_node_at(realms, i), "sip");

	for (uint32_t j = 0; j < raw->sip_count; j++) {
		uint32_t line = config_node_at(list, j)->line;
		struct snapshot_listener *l;
		uint16_t port;

		if (!parse_listener(raw->sip[j], &port)) {
			config_report_add(w->report, line,
					  "sip: %s: expected udp: and a port from 1 to 65535, "
					  "such as \"udp:5060\"",
					  raw->sip[j]);
			continue;
		}
		if (s->listeners == SNAPSHOT_MAX_LISTENERS) {
			config_report_add(w->report, line,
					  "sip: expected at most %u listeners in all realms",
					  SNAPSHOT_MAX_LISTENERS);
			return;
		}
		w->listener_line[s->listeners] = line;
		l = &s->listener[s->listeners++];
		l->realm = (uint16_t)i;
		l->addr = (struct net_addr){s->realm[i].media_ip, port};
	}
}

static bool parse_range(const char *text, uint16_t *lo, uint16_t *hi)
{
	struct slice s = slice_str(text);
	int32_t dash = slice_find(s, '-');
	uint32_t a, b;

	if (dash < 0 || !slice_u32(slice_of(s.p, (uint32_t)dash), UINT16_MAX, &a) ||
	    !slice_u32(slice_of(s.p + dash + 1, s.n - (uint32_t)dash - 1), UINT16_MAX, &b))
		return false;
	if (a < 1024 || b <= a)
		return false;
	*lo = (uint16_t)a;
	*hi = (uint16_t)b;
	return true;
}

static void build_media(struct config_work *w, uint32_t i, struct snapshot_realm *r)
{
	const char *text = w->raw->realms[i].media;
	uint16_t workers = w->out->dp.workers;

	if (!parse_range(text, &r->media_lo, &r->media_hi)) {
		config_wrong(w, "realms", i, "media", text);
		return;
	}
	w->media_ok[i] = true;
	for (uint16_t shard = 0; shard < workers; shard++) {
		uint16_t lo, pairs;

		port_pool_slice(r->media_lo, r->media_hi, shard, workers, &lo, &pairs);
		if (pairs > 0)
			continue;
		config_report_add(w->report, config_line(w, "realms", i, "media"),
				  "media: %s is too small: expected at least one pair of an even "
				  "and an odd port for each of %u workers",
				  text, workers);
		return;
	}
}

static void set_u32(uint32_t *out, const uint32_t *value)
{
	if (value)
		*out = *value;
}

static void build_policy(const struct raw_realm *raw, struct snapshot_realm *r)
{
	if (raw->latch)
		r->latch = *raw->latch;
	if (raw->unknown_headers)
		r->carry_unknown_headers = *raw->unknown_headers == CONFIG_CARRY;
	if (raw->unknown_media)
		r->carry_unknown_media = *raw->unknown_media == CONFIG_RELAY;
	if (raw->user_agent)
		r->hide_user_agent = *raw->user_agent == CONFIG_HIDE;
	if (raw->registered_callers_only)
		r->calls_need_registration = *raw->registered_callers_only;
	set_u32(&r->max_calls, raw->max_calls);
	set_u32(&r->max_cps, raw->max_cps);
	set_u32(&r->media_timeout_s, raw->media_timeout);
	if (raw->media_dscp)
		r->media_dscp = (uint8_t)*raw->media_dscp;
	if (raw->sip_dscp)
		r->sip_dscp = (uint8_t)*raw->sip_dscp;
}

static void build_realm(struct config_work *w, uint32_t i)
{
	const struct raw_realm *raw = &w->raw->realms[i];
	struct snapshot_realm *r = &w->out->snapshot.realm[i];
	uint32_t port = find_port(w, raw->port);

	snapshot_realm_defaults(r, *raw->trust, raw->nat && *raw->nat);
	snprintf(r->name, sizeof(r->name), "%s", raw->name);
	if (!config_is_name(raw->name))
		config_wrong(w, "realms", i, "name", raw->name);
	if (port == CONFIG_NOT_FOUND) {
		config_report_add(w->report, config_line(w, "realms", i, "port"),
				  "port: %s: expected the name of a port in ports", raw->port);
	} else {
		w->realm_ok[i] = w->port_ok[port];
		w->out->dp.realm_port[i] = (uint16_t)port;
		r->media_ip = w->out->dp.port[port].ip;
	}
	build_policy(raw, r);
	config_build_host(w, "realms", i, raw->domain, r->domain);
	build_listeners(w, i);
	build_media(w, i, r);
	config_media_realm(w, i);
}

void config_build_realms(struct config_work *w)
{
	for (uint32_t i = 0; i < w->raw->realms_count; i++) {
		uint32_t before = config_find_realm(w, w->raw->realms[i].name);

		if (before != CONFIG_NOT_FOUND)
			config_twice(w, "realms", i, before, "realm", w->raw->realms[i].name);
		build_realm(w, i);
		w->out->snapshot.realms++;
	}
}
