/* What only two entries together can get wrong. */
#include <string.h>

#include "control/config_internal.h"

/* In a cluster a realm has an address in each group instead of its port's. */
static bool same_address(const struct config_work *w, uint32_t a, uint32_t b)
{
	const struct snapshot *s = &w->out->snapshot;
	const struct config_cluster *c = &w->out->cluster;

	if (!w->realm_ok[a] || !w->realm_ok[b])
		return false;
	if (c->groups == 0)
		return s->realm[a].media_ip == s->realm[b].media_ip;
	for (uint32_t g = 0; g < c->groups; g++)
		if (c->group[g].address[a] && c->group[g].address[a] == c->group[g].address[b])
			return true;
	return false;
}

static void check_media_pair(struct config_work *w, uint32_t i, uint32_t j)
{
	const struct snapshot_realm *a = &w->out->snapshot.realm[j];
	const struct snapshot_realm *b = &w->out->snapshot.realm[i];

	if (!w->media_ok[i] || !w->media_ok[j] || !same_address(w, i, j))
		return;
	if (a->media_lo > b->media_hi || b->media_lo > a->media_hi)
		return;
	config_report_add(w->report, config_line(w, "realms", i, "media"),
			  "media: %u-%u overlaps %u-%u of realm %s on line %u, which has the same "
			  "address: expected a range of its own",
			  b->media_lo, b->media_hi, a->media_lo, a->media_hi, a->name,
			  config_line(w, "realms", j, "media"));
}

static void check_listener_in_media(struct config_work *w, uint32_t l, uint32_t realm)
{
	const struct snapshot_listener *li = &w->out->snapshot.listener[l];
	const struct snapshot_realm *r = &w->out->snapshot.realm[realm];

	if (!w->media_ok[realm] || !same_address(w, li->realm, realm))
		return;
	if (li->addr.port < r->media_lo || li->addr.port > r->media_hi)
		return;
	config_report_add(w->report, w->listener_line[l],
			  "sip: port %u lies in the media range %u-%u of realm %s: expected a port "
			  "outside it",
			  li->addr.port, r->media_lo, r->media_hi, r->name);
}

static void check_listener_pair(struct config_work *w, uint32_t i, uint32_t j)
{
	const struct snapshot_listener *a = &w->out->snapshot.listener[j];
	const struct snapshot_listener *b = &w->out->snapshot.listener[i];

	if (a->addr.port != b->addr.port || !same_address(w, a->realm, b->realm))
		return;
	config_report_add(
		w->report, w->listener_line[i],
		"sip: udp:%u is taken by realm %s on line %u, which has the same address: "
		"expected another port",
		b->addr.port, w->out->snapshot.realm[a->realm].name, w->listener_line[j]);
}

static void check_realms(struct config_work *w)
{
	const struct snapshot *s = &w->out->snapshot;

	for (uint32_t i = 0; i < s->realms; i++)
		for (uint32_t j = 0; j < i; j++)
			check_media_pair(w, i, j);
	for (uint32_t i = 0; i < s->listeners; i++) {
		for (uint32_t j = 0; j < i; j++)
			check_listener_pair(w, i, j);
		for (uint32_t r = 0; r < s->realms; r++)
			check_listener_in_media(w, i, r);
	}
}

static bool is_ours(const struct config_work *w, uint32_t ip)
{
	for (uint32_t i = 0; i < w->out->dp.ports; i++)
		if (w->port_ok[i] && w->out->dp.port[i].ip == ip)
			return true;
	return false;
}

static void check_peer_address(struct config_work *w, uint32_t i)
{
	const struct snapshot_peer *p = &w->out->snapshot.peer[i];
	const struct dp_port_conf *port = &w->out->dp.port[w->out->dp.realm_port[p->realm]];
	uint32_t mask = config_mask(port->prefix);
	uint32_t line = config_line(w, "peers", i, "address");
	const char *text = w->raw->peers[i].address;

	if (is_ours(w, p->addr.ip))
		config_report_add(w->report, line,
				  "address: %s is one of the border's own: expected the peer's",
				  text);
	else if (config_is_onlink(port, p->addr.ip))
		return;
	else if ((p->addr.ip & mask) == (port->ip & mask))
		config_report_add(w->report, line,
				  "address: %s is the network or broadcast address of port %s: "
				  "expected a host's",
				  text, port->name);
	else if (!port->gateway)
		config_report_add(w->report, line,
				  "address: %s is not reachable: expected a host of the network of "
				  "port %s, or a gateway there",
				  text, port->name);
}

static void check_peers(struct config_work *w)
{
	const struct snapshot *s = &w->out->snapshot;

	for (uint32_t i = 0; i < s->peers; i++) {
		if (!w->peer_ok[i])
			continue;
		if (w->realm_ok[s->peer[i].realm])
			check_peer_address(w, i);
		for (uint32_t j = 0; j < i; j++)
			if (w->peer_ok[j] && s->peer[i].realm == s->peer[j].realm &&
			    net_addr_eq(s->peer[i].addr, s->peer[j].addr))
				config_report_add(w->report, config_line(w, "peers", i, "address"),
						  "address: %s is peer %s on line %u already: "
						  "expected one peer for one address",
						  w->raw->peers[i].address, s->peer[j].name,
						  config_line(w, "peers", j, "address"));
	}
}

/* The first route that fits wins, so one behind a wider one of its realm is never used. */
static void check_routes(struct config_work *w)
{
	const struct snapshot *s = &w->out->snapshot;

	for (uint32_t i = 0; i < s->routes; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (!w->route_ok[i] || !w->route_ok[j] ||
			    s->route[i].from != s->route[j].from ||
			    !slice_starts(slice_str(s->route[i].prefix),
					  slice_str(s->route[j].prefix)))
				continue;
			config_report_add(w->report, config_line(w, "routes", i, "from"),
					  "from: %s: this route is never used, the one on line %u "
					  "takes all it could: expected the longer prefix first",
					  w->raw->routes[i].from,
					  config_line(w, "routes", j, "from"));
			break;
		}
	}
}

void config_cross_check(struct config_work *w)
{
	check_realms(w);
	check_peers(w);
	config_media_check(w);
	check_routes(w);
}
