/* Peers and routes: what each says in itself, and that what it names is there. */
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"

static uint32_t find_peer(const struct config_work *w, const char *name)
{
	for (uint32_t i = 0; i < w->out->snapshot.peers; i++)
		if (strcmp(w->out->snapshot.peer[i].name, name) == 0)
			return i;
	return CONFIG_NOT_FOUND;
}

static void build_peer(struct config_work *w, uint32_t i)
{
	const struct raw_peer *raw = &w->raw->peers[i];
	struct snapshot_peer *p = &w->out->snapshot.peer[i];
	uint32_t realm = config_find_realm(w, raw->realm);

	w->peer_ok[i] = true;
	snprintf(p->name, sizeof(p->name), "%s", raw->name);
	if (strcmp(raw->name, "registered") == 0)
		config_report_add(w->report, config_line(w, "peers", i, "name"),
				  "name: registered is reserved for routes to registered phones: "
				  "expected another name");
	else if (!config_is_name(raw->name))
		config_wrong(w, "peers", i, "name", raw->name);
	if (realm == CONFIG_NOT_FOUND) {
		config_report_add(w->report, config_line(w, "peers", i, "realm"),
				  "realm: %s: expected the name of a realm in realms", raw->realm);
		w->peer_ok[i] = false;
	}
	p->realm = (uint16_t)realm;
	if (!net_addr_parse(slice_str(raw->address), &p->addr) || !net_ip_is_unicast(p->addr.ip)) {
		config_wrong(w, "peers", i, "address", raw->address);
		w->peer_ok[i] = false;
	}
	config_build_host(w, "peers", i, raw->domain, p->domain);
}

void config_build_peers(struct config_work *w)
{
	for (uint32_t i = 0; i < w->raw->peers_count; i++) {
		uint32_t before = find_peer(w, w->raw->peers[i].name);

		if (before != CONFIG_NOT_FOUND)
			config_twice(w, "peers", i, before, "peer", w->raw->peers[i].name);
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
	uint32_t realm = config_find_realm(w, raw->from), peer = find_peer(w, raw->to);
	bool registered = strcmp(raw->to, "registered") == 0;

	w->route_ok[i] = realm != CONFIG_NOT_FOUND && (registered || peer != CONFIG_NOT_FOUND);
	if (realm == CONFIG_NOT_FOUND)
		config_report_add(w->report, config_line(w, "routes", i, "from"),
				  "from: %s: expected the name of a realm in realms", raw->from);
	if (!registered && peer == CONFIG_NOT_FOUND)
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
