/*
 * Groups: what every other stage built for one set of addresses becomes an instance
 * for each group of the cluster, on that group's addresses. All nodes of a cluster
 * build the same instances in the same order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_internal.h"

static uint32_t group_line(const struct config_work *w, uint32_t g)
{
	const struct config_node *cluster = config_node_key(config_lines_root(w->lines), "cluster");
	const struct config_node *groups = config_node_key(cluster, "groups");
	const struct config_node *group = config_node_at(groups, g);

	return group ? group->line : groups ? groups->line : cluster ? cluster->line : 0;
}

static void build_alone(struct config *c)
{
	struct snapshot *s = &c->snapshot;

	s->groups = 1;
	memcpy(s->group[0], s->node, sizeof(s->group[0]));
	memcpy(c->cluster.name, s->node, sizeof(c->cluster.name));
}

/* "access@g1" */
static bool name_instance(char out[SNAPSHOT_NAME], const char *name, const char *group)
{
	char text[SNAPSHOT_NAME] = "";
	int n = snprintf(text, sizeof(text), "%s@%s", name, group);

	memcpy(out, text, sizeof(text));
	return n < (int)SNAPSHOT_NAME;
}

static void check_name(struct config_work *w, uint32_t g, const char *what, const char *name)
{
	char instance[SNAPSHOT_NAME];
	const char *group = w->out->cluster.group[g].name;

	if (name_instance(instance, name, group))
		return;
	config_report_add(
		w->report, group_line(w, g),
		"groups: %s %s is called %s@%s in this group: expected both names to have "
		"%u characters at most together",
		what, name, name, group, SNAPSHOT_NAME - 2);
}

static void check_names(struct config_work *w, uint32_t g)
{
	const struct snapshot *s = &w->out->snapshot;

	for (uint32_t i = 0; i < s->realms; i++)
		check_name(w, g, "realm", s->realm[i].name);
	for (uint32_t i = 0; i < s->peers; i++)
		check_name(w, g, "peer", s->peer[i].name);
}

static void text_of(char out[NET_ADDR_STRLEN], uint32_t ip)
{
	struct wbuf w;

	wbuf_init(&w, out, NET_ADDR_STRLEN - 1);
	net_ip_write(&w, ip);
	out[w.n] = '\0';
}

/* Who else has the address that group `g` gives a realm; NULL: nobody. */
static const char *taken_by(const struct config_work *w, uint32_t g, uint32_t ip)
{
	const struct config *c = w->out;

	for (uint32_t p = 0; p < c->dp.ports; p++)
		if (c->dp.port[p].ip == ip || c->dp.port[p].gateway == ip)
			return c->dp.port[p].name;
	for (uint32_t p = 0; p < c->snapshot.peers; p++)
		if (c->snapshot.peer[p].addr.ip == ip)
			return c->snapshot.peer[p].name;
	for (uint32_t other = 0; other < g; other++)
		for (uint32_t r = 0; r < c->snapshot.realms; r++)
			if (c->cluster.group[other].address[r] == ip)
				return c->cluster.group[other].name;
	return NULL;
}

static void check_address(struct config_work *w, uint32_t g, uint32_t r)
{
	const struct dp_port_conf *port = &w->out->dp.port[w->out->dp.realm_port[r]];
	uint32_t ip = w->out->cluster.group[g].address[r];
	const char *realm = w->out->snapshot.realm[r].name;
	const char *other = taken_by(w, g, ip);
	char text[NET_ADDR_STRLEN];

	text_of(text, ip);
	if (!config_is_onlink(port, ip))
		config_report_add(w->report, group_line(w, g),
				  "groups: %s for realm %s: expected a host of the network of port "
				  "%s",
				  text, realm, port->name);
	else if (other)
		config_report_add(
			w->report, group_line(w, g),
			"groups: %s for realm %s is %s's already: expected an address that "
			"only this group has",
			text, realm, other);
}

static void check_room(struct config_work *w, const char *what, uint32_t n, uint32_t most)
{
	uint32_t groups = w->out->cluster.groups;

	if (n * groups > most)
		config_report_add(w->report, group_line(w, UINT32_MAX),
				  "groups: %u %s in each of %u groups: expected at most %u in all",
				  n, what, groups, most);
}

static void check_all(struct config_work *w)
{
	const struct config *c = w->out;

	check_room(w, "realms", c->snapshot.realms, SNAPSHOT_MAX_REALMS);
	check_room(w, "listeners", c->snapshot.listeners, SNAPSHOT_MAX_LISTENERS);
	check_room(w, "peers", c->snapshot.peers, SNAPSHOT_MAX_PEERS);
	check_room(w, "routes", c->snapshot.routes, SNAPSHOT_MAX_ROUTES);
	for (uint32_t g = 0; g < c->cluster.groups; g++) {
		check_names(w, g);
		for (uint32_t r = 0; r < c->snapshot.realms; r++)
			check_address(w, g, r);
	}
}

static void add_realms(struct config *c, const struct snapshot *file, const uint16_t *port,
		       uint16_t g)
{
	struct snapshot *s = &c->snapshot;

	for (uint16_t i = 0; i < file->realms; i++) {
		struct snapshot_realm *r = &s->realm[s->realms];

		*r = file->realm[i];
		name_instance(r->name, file->realm[i].name, c->cluster.group[g].name);
		r->group = g;
		r->kin = (uint16_t)(i + 1);
		r->media_ip = c->cluster.group[g].address[i];
		config_media_set(r, &c->cluster.group[g].media[i]);
		c->dp.realm_port[s->realms++] = port[i];
	}
}

static void add_rest(struct config *c, const struct snapshot *file, uint16_t g)
{
	struct snapshot *s = &c->snapshot;
	uint16_t realm0 = (uint16_t)(g * file->realms), peer0 = (uint16_t)(g * file->peers);

	for (uint16_t i = 0; i < file->listeners; i++) {
		const struct snapshot_listener *l = &file->listener[i];
		uint16_t realm = (uint16_t)(realm0 + l->realm);

		s->listener[s->listeners++] =
			(struct snapshot_listener){realm, {s->realm[realm].media_ip, l->addr.port}};
	}
	for (uint16_t i = 0; i < file->peers; i++) {
		struct snapshot_peer *p = &s->peer[s->peers++];

		*p = file->peer[i];
		name_instance(p->name, file->peer[i].name, c->cluster.group[g].name);
		p->realm = (uint16_t)(p->realm + realm0);
	}
	for (uint16_t i = 0; i < file->routes; i++) {
		struct snapshot_route *r = &s->route[s->routes++];

		*r = file->route[i];
		r->from = (uint16_t)(r->from + realm0);
		if (r->target == SNAPSHOT_TO_PEER)
			r->peer = (uint16_t)(r->peer + peer0);
	}
}

static void build_instances(struct config *c, const struct snapshot *file)
{
	struct snapshot *s = &c->snapshot;
	uint16_t port[SNAPSHOT_MAX_REALMS];

	memcpy(port, c->dp.realm_port, sizeof(port));
	s->realms = s->listeners = s->peers = s->routes = 0;
	s->groups = c->cluster.groups;
	s->forward = c->cluster.nodes > 1;
	c->dp.groups_held = true;
	for (uint16_t g = 0; g < s->groups; g++) {
		memcpy(s->group[g], c->cluster.group[g].name, sizeof(s->group[g]));
		add_realms(c, file, port, g);
		add_rest(c, file, g);
	}
}

void config_build_groups(struct config_work *w)
{
	struct config *c = w->out;
	struct snapshot *file;

	if (c->cluster.nodes == 0) {
		build_alone(c);
		return;
	}
	check_all(w);
	if (w->report->count)
		return;
	file = malloc(sizeof(*file));
	if (!file) {
		config_report_add(w->report, 0, "out of memory");
		return;
	}
	*file = c->snapshot;
	build_instances(c, file);
	free(file);
}
