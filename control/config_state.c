/* Where state is kept: a Redis that is named, one that sentinels name, or our own. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "control/config_internal.h"

/* sockaddr_un's room, with the zero */
#define SOCKET_PATH 108u

static bool is_port(struct slice s)
{
	uint32_t port;

	return slice_u32(s, UINT16_MAX, &port) && port > 0;
}

/* "[" IPv6 "]:" PORT; which digits are an address is for whoever connects to say. */
static bool is_endpoint6(const char *s)
{
	size_t n = strspn(s + 1, "0123456789abcdefABCDEF:.");

	return n > 1 && s[n + 1] == ']' && s[n + 2] == ':' && is_port(slice_str(s + n + 3));
}

bool config_is_endpoint(const char *s)
{
	const char *colon = strrchr(s, ':');
	char host[SNAPSHOT_HOST];

	if (*s == '[')
		return is_endpoint6(s);
	if (!colon || (size_t)(colon - s) >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - s), s);
	return *host && config_is_host(host) && is_port(slice_str(colon + 1));
}

static bool is_redis(const char *s)
{
	struct slice text = slice_str(s);

	if (slice_starts(text, SLICE_LIT("unix:")))
		return s[5] == '/' && strlen(s + 5) < SOCKET_PATH;
	return config_is_endpoint(s);
}

/* A word of Redis's ACL files and of the sentinels' configuration. */
static bool is_word(const char *s)
{
	for (; *s; s++)
		if (!isgraph((unsigned char)*s))
			return false;
	return true;
}

static void build_text(struct config_work *w, const char *key, const char *value, bool good,
		       char *out, size_t cap)
{
	if (!value)
		return;
	if (good)
		snprintf(out, cap, "%s", value);
	else
		config_wrong(w, "state", 0, key, value);
}

static void build_sentinels(struct config_work *w, const struct raw_state *raw)
{
	struct config_state *s = &w->out->state;
	const struct config_node *state = config_node_key(config_lines_root(w->lines), "state");
	const struct config_node *list = config_node_key(state, "sentinels");

	for (uint32_t i = 0; i < raw->sentinels_count; i++) {
		if (!config_is_endpoint(raw->sentinels[i]))
			config_report_add(w->report, config_node_at(list, i)->line,
					  "sentinels: %s: expected %s", raw->sentinels[i],
					  config_hint_of("state", "sentinels")->expect);
		snprintf(s->sentinel[s->sentinels++], sizeof(s->sentinel[0]), "%s",
			 raw->sentinels[i]);
	}
}

static void refuse(struct config_work *w, const char *key, const char *why)
{
	config_report_add(w->report, config_line(w, "state", 0, key), "%s: %s", key, why);
}

/* A redis-server of our own has neither users nor replicas. */
static void check_together(struct config_work *w, const struct raw_state *raw)
{
	bool own = !raw->redis && !raw->sentinels;

	if (raw->redis && raw->sentinels)
		refuse(w, "sentinels", "stand beside redis: expected one of them");
	if (raw->sentinels && !raw->master)
		refuse(w, "sentinels", "no master: expected its name at the sentinels with them");
	if (raw->master && !raw->sentinels)
		refuse(w, "master", "no sentinels: expected those that know it");
	if (raw->user && !raw->password_file)
		refuse(w, "user", "no password_file: expected the file with its password");
	if (own && raw->password_file)
		refuse(w, "password_file", "expected none with a redis-server of our own");
	if (own && raw->replicas && *raw->replicas)
		refuse(w, "replicas", "expected none with a redis-server of our own");
	if (w->out->state.none && (!own || w->raw->cluster))
		refuse(w, "durable", "none: expected answer or behind with a Redis or a cluster");
}

static void set_u32(uint32_t *out, const uint32_t *value)
{
	if (value)
		*out = *value;
}

static void build_numbers(struct config_work *w, const struct raw_state *raw)
{
	struct config_state *s = &w->out->state;

	set_u32(&s->database, raw->database);
	set_u32(&s->replicas, raw->replicas);
	set_u32(&s->timeout_ms, raw->timeout);
	set_u32(&s->start_wait_s, raw->start_wait);
	set_u32(&w->out->snapshot.store_deadline_ms, raw->deadline);
	set_u32(&w->out->snapshot.store_ttl_s, raw->ttl);
	s->behind = raw->durable && *raw->durable == CONFIG_DURABLE_BEHIND;
	s->none = raw->durable && *raw->durable == CONFIG_DURABLE_NONE;
}

void config_build_state(struct config_work *w)
{
	const struct raw_state *raw = w->raw->state;
	struct config_state *s = &w->out->state;

	snprintf(s->directory, sizeof(s->directory), "%s", CONFIG_STATE_DIR);
	s->timeout_ms = CONFIG_REDIS_TIMEOUT_MS;
	s->start_wait_s = CONFIG_START_WAIT_S;
	if (!raw)
		return;
	build_text(w, "directory", raw->directory, raw->directory && *raw->directory == '/',
		   s->directory, sizeof(s->directory));
	build_text(w, "redis", raw->redis, raw->redis && is_redis(raw->redis), s->redis,
		   sizeof(s->redis));
	build_text(w, "user", raw->user, raw->user && is_word(raw->user), s->user, sizeof(s->user));
	build_text(w, "password_file", raw->password_file,
		   raw->password_file && *raw->password_file == '/', s->password_file,
		   sizeof(s->password_file));
	build_text(w, "master", raw->master, raw->master && is_word(raw->master), s->master,
		   sizeof(s->master));
	build_sentinels(w, raw);
	build_numbers(w, raw);
	check_together(w, raw);
}
