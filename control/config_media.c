/*
 * Further media addresses: what a realm, or in a cluster each group for a realm, has
 * beside the address that it is known by. Each is one realm's alone.
 */
#include <arpa/inet.h>

#include "control/config_internal.h"

#define FURTHER_MAX (SNAPSHOT_MAX_MEDIA - 1)

/* "A" or "A-B", host order. */
static bool parse_addresses(const char *text, uint32_t *from, uint32_t *to)
{
	struct slice s = slice_str(text);
	int32_t dash = slice_find(s, '-');
	uint32_t a, b;

	if (!net_ip_parse(slice_of(s.p, dash < 0 ? s.n : (uint32_t)dash), &a))
		return false;
	b = a;
	if (dash >= 0 && !net_ip_parse(slice_of(s.p + dash + 1, s.n - (uint32_t)dash - 1), &b))
		return false;
	*from = ntohl(a);
	*to = ntohl(b);
	return *from <= *to;
}

static void add(struct config_work *w, const struct config_media_ip *entry,
		struct config_addresses *out)
{
	out->ip[out->count++] = entry->ip;
	if (w->media_ips < CONFIG_MAX_MEDIA_IPS)
		w->media_ip[w->media_ips++] = *entry;
}

void config_media_build(struct config_work *w, const struct config_node *list, char **text,
			uint32_t count, uint32_t realm, struct config_addresses *out)
{
	for (uint32_t i = 0; i < count; i++) {
		uint32_t line = config_node_at(list, i)->line, from, to;

		if (!parse_addresses(text[i], &from, &to)) {
			config_report_add(w->report, line,
					  "media_addresses: %s: expected an address, or the first "
					  "and the last of several, such as "
					  "203.0.113.64-203.0.113.127",
					  text[i]);
			continue;
		}
		if (to - from >= FURTHER_MAX - out->count) {
			config_report_add(w->report, line,
					  "media_addresses: %s: expected at most %u addresses for "
					  "a realm",
					  text[i], FURTHER_MAX);
			return;
		}
		for (uint32_t k = 0; k <= to - from; k++)
			add(w,
			    &(struct config_media_ip){
				    .ip = htonl(from + k), .realm = (uint16_t)realm, .line = line},
			    out);
	}
}

void config_media_realm(struct config_work *w, uint32_t i)
{
	const struct raw_realm *raw = &w->raw->realms[i];
	const struct config_node *realms = config_node_key(config_lines_root(w->lines), "realms");
	const struct config_node *list =
		config_node_key(config_node_at(realms, i), "media_addresses");
	struct snapshot_realm *r = &w->out->snapshot.realm[i];
	struct config_addresses all = {.count = 0};

	if (raw->media_addresses_count && w->raw->cluster) {
		config_report_add(w->report, list->line,
				  "media_addresses: in a cluster each group has its own: expected "
				  "them with the realm's address in groups");
		return;
	}
	config_media_build(w, list, raw->media_addresses, raw->media_addresses_count, i, &all);
	config_media_set(r, &all);
}

void config_media_set(struct snapshot_realm *r, const struct config_addresses *all)
{
	r->media_extras = all->count;
	for (uint16_t i = 0; i < all->count; i++)
		r->media_extra[i] = all->ip[i];
}

/* Who has that address beside the realm that `entry` is of; NULL: nobody. */
static const char *taken_by(const struct config_work *w, uint32_t entry)
{
	const struct config *c = w->out;
	uint32_t ip = w->media_ip[entry].ip;

	for (uint32_t p = 0; p < c->dp.ports; p++)
		if (c->dp.port[p].ip == ip || c->dp.port[p].gateway == ip)
			return c->dp.port[p].name;
	for (uint32_t p = 0; p < c->snapshot.peers; p++)
		if (c->snapshot.peer[p].addr.ip == ip)
			return c->snapshot.peer[p].name;
	for (uint32_t g = 0; g < c->cluster.groups; g++)
		for (uint32_t r = 0; r < c->snapshot.realms; r++)
			if (c->cluster.group[g].address[r] == ip)
				return c->cluster.group[g].name;
	for (uint32_t other = 0; other < entry; other++)
		if (w->media_ip[other].ip == ip)
			return c->snapshot.realm[w->media_ip[other].realm].name;
	return NULL;
}

static bool check_one(struct config_work *w, uint32_t i)
{
	const struct config_media_ip *entry = &w->media_ip[i];
	const struct dp_port_conf *port = &w->out->dp.port[w->out->dp.realm_port[entry->realm]];
	const char *other = taken_by(w, i);
	char text[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &entry->ip, text, sizeof(text));
	if (w->realm_ok[entry->realm] && !config_is_onlink(port, entry->ip))
		config_report_add(w->report, entry->line,
				  "media_addresses: %s: expected a host of the network of port %s",
				  text, port->name);
	else if (other)
		config_report_add(w->report, entry->line,
				  "media_addresses: %s is %s's already: expected an address that "
				  "only this realm has",
				  text, other);
	else
		return true;
	return false;
}

/* One mistake a line: a range that lies wrong does so with all its addresses. */
void config_media_check(struct config_work *w)
{
	uint32_t wrong = 0;

	for (uint32_t i = 0; i < w->media_ips; i++)
		if (w->media_ip[i].line != wrong && !check_one(w, i))
			wrong = w->media_ip[i].line;
}
