#include <stdlib.h>
#include <string.h>

#include "tests/scenario/scenario.h"

struct net_addr setup_addr(struct scenario *s, const char *text)
{
	struct net_addr a;

	if (!net_addr_parse(slice_str(text), &a))
		scenario_fail(s, "not an address: %s", text);
	return a;
}

static uint32_t ip_of(struct scenario *s, const char *text)
{
	uint32_t ip;

	if (!net_ip_parse(slice_str(text), &ip))
		scenario_fail(s, "not an IP address: %s", text);
	return ip;
}

static uint16_t find_realm(const struct snapshot *snap, const char *name)
{
	for (uint16_t i = 0; i < snap->realms; i++)
		if (strcmp(snap->realm[i].name, name) == 0)
			return i;
	return SNAPSHOT_NONE;
}

uint16_t setup_realm(struct scenario *s, const char *name)
{
	uint16_t i = find_realm(&s->next_snap, name);

	if (i == SNAPSHOT_NONE)
		scenario_fail(s, "no realm %s", name);
	return i;
}

static void text_set(struct scenario *s, char *to, size_t cap, const char *value)
{
	if (strlen(value) >= cap)
		scenario_fail(s, "too long: %s", value);
	memset(to, 0, cap);
	memcpy(to, value, strlen(value));
}

static void add_realm(struct scenario *s, const char *name, bool trusted, bool nat,
		      const char *addr, uint16_t lo, uint16_t hi)
{
	struct snapshot *snap = &s->next_snap;
	struct snapshot_realm *r = &snap->realm[snap->realms];
	struct net_addr a = setup_addr(s, addr);

	if (snap->realms == SNAPSHOT_MAX_REALMS)
		scenario_fail(s, "too many realms");
	snapshot_realm_defaults(r, trusted ? SNAPSHOT_TRUSTED : SNAPSHOT_UNTRUSTED, nat);
	text_set(s, r->name, sizeof(r->name), name);
	r->media_ip = a.ip;
	r->media_lo = lo;
	r->media_hi = hi;
	snap->listener[snap->listeners++] = (struct snapshot_listener){snap->realms++, a};
}

static uint16_t find_peer(const struct snapshot *snap, const char *name)
{
	for (uint16_t i = 0; i < snap->peers; i++)
		if (strcmp(snap->peer[i].name, name) == 0)
			return i;
	return SNAPSHOT_NONE;
}

static void add_peer(struct scenario *s, const char *name, const char *realm, const char *addr)
{
	struct snapshot_peer *p = &s->next_snap.peer[s->next_snap.peers++];

	memset(p, 0, sizeof(*p));
	text_set(s, p->name, sizeof(p->name), name);
	p->realm = setup_realm(s, realm);
	p->addr = setup_addr(s, addr);
}

/* `to` is a peer's name or "registered". */
static void add_route(struct scenario *s, const char *from, const char *to, const char *prefix)
{
	struct snapshot_route *r = &s->next_snap.route[s->next_snap.routes++];

	memset(r, 0, sizeof(*r));
	r->from = setup_realm(s, from);
	r->target = SNAPSHOT_TO_PEER;
	if (strcmp(to, "registered") == 0)
		r->target = SNAPSHOT_TO_REGISTERED;
	else
		r->peer = find_peer(&s->next_snap, to);
	if (r->peer == SNAPSHOT_NONE)
		scenario_fail(s, "no peer %s", to);
	text_set(s, r->prefix, sizeof(r->prefix), prefix);
}

/*
 * Two groups, g1 as nat-access has it and g2 beside it, each with its access and core,
 * as a cluster's configuration makes them. The pbx is one host.
 */
static bool setup_grouped(struct scenario *s, const char *name)
{
	struct snapshot *snap = &s->next_snap;

	if (strcmp(name, "cluster") != 0)
		return false;
	add_realm(s, "access2", false, true, "203.0.113.2:5060", 20000, 29999);
	add_realm(s, "core2", true, false, "10.0.0.2:5060", 30000, 39999);
	add_peer(s, "pbx2", "core2", "10.0.0.10:5060");
	add_route(s, "access2", "pbx2", "");
	add_route(s, "core2", "registered", "");
	snap->groups = 2;
	text_set(s, snap->group[0], sizeof(snap->group[0]), "g1");
	text_set(s, snap->group[1], sizeof(snap->group[1]), "g2");
	for (uint16_t i = 0; i < snap->realms; i++) {
		snap->realm[i].group = i / 2;
		snap->realm[i].kin = (uint16_t)(i % 2 + 1);
	}
	return true;
}

void setup_named(struct scenario *s, const char *name)
{
	bool nat = strcmp(name, "trunk") != 0;

	snapshot_defaults(&s->next_snap);
	s->next_snap.version = 1;
	s->shards = 1;
	s->calls = 64;
	s->registrations = 64;
	add_realm(s, "access", false, nat, "203.0.113.1:5060", 20000, 29999);
	add_realm(s, "core", true, false, "10.0.0.1:5060", 30000, 39999);
	add_peer(s, "pbx", "core", "10.0.0.10:5060");
	if (nat) {
		add_route(s, "access", "pbx", "");
		add_route(s, "core", "registered", "");
		if (strcmp(name, "nat-access") != 0 && !setup_grouped(s, name))
			scenario_fail(s, "no configuration %s", name);
	} else {
		add_peer(s, "carrier", "access", "198.51.100.20:5060");
		add_route(s, "access", "pbx", "");
		add_route(s, "core", "carrier", "");
	}
	s->configured = true;
}

static bool number_set(const char *key, const char *name, uint32_t value, void *to, size_t size)
{
	if (strcmp(key, name) != 0)
		return false;
	if (size == 1)
		*(uint8_t *)to = (uint8_t)value;
	else if (size == 2)
		*(uint16_t *)to = (uint16_t)value;
	else
		*(uint32_t *)to = value;
	return true;
}

#define NUMBER(object, field) number_set(key, #field, n, &(object)->field, sizeof((object)->field))

static void set_realm(struct scenario *s, const char *name, const char *key, const char *value)
{
	struct snapshot_realm *r = &s->next_snap.realm[setup_realm(s, name)];
	uint32_t n = (uint32_t)strtoul(value, NULL, 10);

	if (strcmp(key, "domain") == 0)
		text_set(s, r->domain, sizeof(r->domain), value);
	else if (strcmp(key, "media_ip") == 0)
		r->media_ip = ip_of(s, value);
	else if (strcmp(key, "media_extra") == 0 && r->media_extras < SNAPSHOT_MAX_MEDIA - 1)
		r->media_extra[r->media_extras++] = ip_of(s, value);
	else if (strcmp(key, "latch") == 0)
		r->latch = value[0] == 'n'   ? SNAPSHOT_LATCH_NEVER
			   : value[0] == 's' ? SNAPSHOT_LATCH_SIGNALLED
					     : SNAPSHOT_LATCH_ANY;
	else if (!NUMBER(r, nat) && !NUMBER(r, carry_unknown_headers) &&
		 !NUMBER(r, carry_unknown_media) && !NUMBER(r, hide_user_agent) &&
		 !NUMBER(r, calls_need_registration) && !NUMBER(r, max_calls) &&
		 !NUMBER(r, max_cps) && !NUMBER(r, media_timeout_s) && !NUMBER(r, media_dscp) &&
		 !NUMBER(r, media_lo) && !NUMBER(r, media_hi))
		scenario_fail(s, "realms have no setting %s", key);
}

static void set_node(struct scenario *s, const char *key, const char *value)
{
	struct snapshot *snap = &s->next_snap;
	uint32_t n = (uint32_t)strtoul(value, NULL, 10);

	if (strcmp(key, "product") == 0)
		text_set(s, snap->product, sizeof(snap->product), value);
	else if (strcmp(key, "domain") == 0)
		text_set(s, snap->domain[snap->domains++], SNAPSHOT_HOST, value);
	else if (!NUMBER(snap, t1_ms) && !NUMBER(snap, t2_ms) && !NUMBER(snap, t4_ms) &&
		 !NUMBER(snap, ring_timeout_ms) && !NUMBER(snap, max_call_s) &&
		 !NUMBER(snap, max_forwards) && !NUMBER(snap, store_deadline_ms) &&
		 !NUMBER(snap, store_ttl_s) && !NUMBER(snap, forward) && !NUMBER(s, shards) &&
		 !NUMBER(s, calls) && !NUMBER(s, registrations))
		scenario_fail(s, "nodes have no setting %s", key);
}

static void set(struct scenario *s, char *args)
{
	char *kind, *name, *key, *value;

	if (!script_word(&args, &kind) || !script_word(&args, &name) || !script_word(&args, &key))
		scenario_fail(s, "set what?");
	if (strcmp(kind, "node") == 0) {
		set_node(s, name, key);
		return;
	}
	if (!script_word(&args, &value))
		scenario_fail(s, "set %s %s %s to what?", kind, name, key);
	if (strcmp(kind, "realm") == 0) {
		set_realm(s, name, key, value);
	} else if (strcmp(kind, "peer") == 0 && strcmp(key, "domain") == 0) {
		uint16_t i = find_peer(&s->next_snap, name);

		if (i == SNAPSHOT_NONE)
			scenario_fail(s, "no peer %s", name);
		text_set(s, s->next_snap.peer[i].domain, SNAPSHOT_HOST, value);
	} else {
		scenario_fail(s, "set %s?", kind);
	}
}

bool setup_command(struct scenario *s, const char *verb, char *args)
{
	char *a, *b, *c;

	if (strcmp(verb, "config") == 0) {
		setup_named(s, args);
	} else if (strcmp(verb, "set") == 0) {
		set(s, args);
	} else if (strcmp(verb, "no-routes") == 0) {
		s->next_snap.routes = 0;
	} else if (strcmp(verb, "route") == 0) {
		if (!script_word(&args, &a) || !script_word(&args, &b))
			scenario_fail(s, "route FROM TO [PREFIX]");
		add_route(s, a, b, script_word(&args, &c) ? c : "");
	} else if (strcmp(verb, "peer") == 0) {
		if (!script_word(&args, &a) || !script_word(&args, &b) || !script_word(&args, &c))
			scenario_fail(s, "peer NAME REALM ADDRESS");
		add_peer(s, a, b, c);
	} else {
		return false;
	}
	return true;
}
