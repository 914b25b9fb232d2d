/* Realms, peers and routes: what each says in itself, and that what it names is there. */
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"
#include "sbc/media/port_pool.h"

#define NOT_FOUND UINT32_MAX

static uint32_t find_port(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->dp.ports; i++)
		if (strcmp(w->out->dp.port[i].name, name) == 0)
			return i;
	return NOT_FOUND;
}

static uint32_t find_realm(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->snapshot.realms; i++)
		if (strcmp(w->out->snapshot.realm[i].name, name) == 0)
			return i;
	return NOT_FOUND;
}

static uint32_t find_peer(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->snapshot.peers; i++)
		if (strcmp(w->out->snapshot.peer[i].name, name) == 0)
			return i;
	return NOT_FOUND;
}

static void twice(struct config_work *w, const char *section, uint32_t i, uint32_t j,
		  const char *what, const char *name)
{
	config_report_add(w->report, config_line(w, section, i, "name"),
			  "name: %s %s stands twice: it is on line %u already", what, name,
			  config_line(w, section, j, "name"));
}

static bool build_host(struct config_work *w, const char *section, uint32_t i, const char *text,
		       char out[SNAPSHOT_HOST])
{
	if (!text)
		return true;
	snprintf(out, SNAPSHOT_HOST, "%s", text);
	if (config_is_host(text))
		return true;
	config_wrong(w, section, i, "domain", text);
	return false;
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
	if (port == NOT_FOUND) {
		config_report_add(w->report, config_line(w, "realms", i, "port"),
				  "port: %s: expected the name of a port in ports", raw->port);
	} else {
		w->realm_ok[i] = w->port_ok[port];
		w->out->dp.realm_port[i] = (uint16_t)port;
		r->media_ip = w->out->dp.port[port].ip;
	}
	build_policy(raw, r);
	build_host(w, "realms", i, raw->domain, r->domain);
	build_listeners(w, i);
	build_media(w, i, r);
}

void config_build_realms(struct config_work *w)
{
	for (uint32_t i = 0; i < w->raw->realms_count; i++) {
		uint32_t before = find_realm(w, w->raw->realms[i].name);

		if (before != NOT_FOUND)
			twice(w, "realms", i, before, "realm", w->raw->realms[i].name);
		build_realm(w, i);
		w->out->snapshot.realms++;
	}
}

static void build_peer(struct config_work *w, uint32_t i)
{
	const struct raw_peer *raw = &w->raw->peers[i];
	struct snapshot_peer *p = &w->out->snapshot.peer[i];
	uint32_t realm = find_realm(w, raw->realm);

	w->peer_ok[i] = true;
	snprintf(p->name, sizeof(p->name), "%s", raw->name);
	if (strcmp(raw->name, "registered") == 0)
		config_report_add(w->report, config_line(w, "peers", i, "name"),
				  "name: registered is reserved for routes to registered phones: "
				  "expected another name");
	else if (!config_is_name(raw->name))
		config_wrong(w, "peers", i, "name", raw->name);
	if (realm == NOT_FOUND) {
		config_report_add(w->report, config_line(w, "peers", i, "realm"),
				  "realm: %s: expected the name of a realm in realms", raw->realm);
		w->peer_ok[i] = false;
	}
	p->realm = (uint16_t)realm;
	if (!net_addr_parse(slice_str(raw->address), &p->addr) || !net_ip_is_unicast(p->addr.ip)) {
		config_wrong(w, "peers", i, "address", raw->address);
		w->peer_ok[i] = false;
	}
	build_host(w, "peers", i, raw->domain, p->domain);
}

void config_build_peers(struct config_work *w)
{
	for (uint32_t i = 0; i < w->raw->peers_count; i++) {
		uint32_t before = find_peer(w, w->raw->peers[i].name);

		if (before != NOT_FOUND)
			twice(w, "peers", i, before, "peer", w->raw->peers[i].name);
		build_peer(w, i);
		w->out->snapshot.peers++;
	}
}

static bool is_prefix(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f)
			return false;
	return true;
}

static void build_route(struct config_work *w, uint32_t i)
{
	const struct raw_route *raw = &w->raw->routes[i];
	struct snapshot_route *r = &w->out->snapshot.route[i];
	uint32_t realm = find_realm(w, raw->from), peer = find_peer(w, raw->to);
	bool registered = strcmp(raw->to, "registered") == 0;

	w->route_ok[i] = realm != NOT_FOUND && (registered || peer != NOT_FOUND);
	if (realm == NOT_FOUND)
		config_report_add(w->report, config_line(w, "routes", i, "from"),
				  "from: %s: expected the name of a realm in realms", raw->from);
	if (!registered && peer == NOT_FOUND)
		config_report_add(w->report, config_line(w, "routes", i, "to"),
				  "to: %s: expected the name of a peer in peers, or registered",
				  raw->to);
	r->from = (uint16_t)realm;
	r->target = registered ? SNAPSHOT_TO_REGISTERED : SNAPSHOT_TO_PEER;
	r->peer = registered ? SNAPSHOT_NONE : (uint16_t)peer;
	if (!raw->prefix)
		return;
	snprintf(r->prefix, sizeof(r->prefix), "%s", raw->prefix);
	if (!is_prefix(raw->prefix))
		config_wrong(w, "routes", i, "prefix", raw->prefix);
}

void config_build_routes(struct config_work *w)
{
	for (uint32_t i = 0; i < w->raw->routes_count; i++)
		build_route(w, i);
	w->out->snapshot.routes = (uint16_t)w->raw->routes_count;
}
