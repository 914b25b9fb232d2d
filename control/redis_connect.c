/* From a configuration to a master that has accepted us. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/log.h"
#include "control/redis_internal.h"
#include "control/secret.h"

/* A lookup cannot be taken back: so many may be out, should the name server hang. */
#define LOOKUPS 2u

struct lookup {
	uv_getaddrinfo_t req;
	struct redis *redis;
	uint64_t generation;
};

static void greet(struct redis *r);

/* One address of the answer, another one at the next try. */
static bool choose(const struct redis *r, const struct addrinfo *list, char *ip, size_t cap)
{
	uint32_t n = 0, k;

	for (const struct addrinfo *a = list; a; a = a->ai_next)
		n++;
	if (n == 0)
		return false;
	for (k = r->rotate % n; k--;)
		list = list->ai_next;
	return getnameinfo(list->ai_addr, list->ai_addrlen, ip, (socklen_t)cap, NULL, 0,
			   NI_NUMERICHOST) == 0;
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct lookup *l = req->data;
	struct redis *r = l->redis;
	char ip[64], why[REDIS_WHY];

	r->resolves--;
	if (r->generation == l->generation && r->phase == REDIS_RESOLVING) {
		r->phase = REDIS_CONNECTING;
		snprintf(why, sizeof(why), "%.100s: %s", r->host,
			 status < 0 ? uv_strerror(status) : "no address");
		if (status < 0 || !choose(r, list, ip, sizeof(ip)))
			redis_lost(r, why);
		else
			redis_link_tcp(r, ip, r->port);
	}
	uv_freeaddrinfo(list);
	free(l);
	redis_released(r);
}

static void look_up(struct redis *r)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct lookup *l = r->resolves < LOOKUPS ? calloc(1, sizeof(*l)) : NULL;

	if (!l) {
		redis_lost(r, "its name is still being looked up");
		return;
	}
	r->phase = REDIS_RESOLVING;
	l->redis = r;
	l->generation = r->generation;
	l->req.data = l;
	if (uv_getaddrinfo(r->loop, &l->req, on_looked_up, r->host, NULL, &hints) < 0) {
		free(l);
		redis_lost(r, "its name cannot be looked up");
		return;
	}
	r->resolves++;
	r->handles++;
}

static bool is_numeric(const char *host)
{
	struct sockaddr_in ip4;
	struct sockaddr_in6 ip6;

	return uv_ip4_addr(host, 0, &ip4) == 0 || uv_ip6_addr(host, 0, &ip6) == 0;
}

static void connect_host(struct redis *r)
{
	r->silent = 0;
	r->phase = REDIS_CONNECTING;
	if (is_numeric(r->host))
		redis_link_tcp(r, r->host, r->port);
	else
		look_up(r);
}

/* "HOST:PORT" or "[IPv6]:PORT", which config_is_endpoint() has found right. */
static void set_host(struct redis *r, const char *endpoint)
{
	const char *colon = strrchr(endpoint, ':');
	bool brackets = endpoint[0] == '[';
	int n = colon ? (int)(colon - endpoint) : 0;

	snprintf(r->host, sizeof(r->host), "%.*s", n - 2 * brackets, endpoint + brackets);
	r->port = colon ? (uint16_t)strtoul(colon + 1, NULL, 10) : 0;
}

void redis_attempt(struct redis *r)
{
	const char *address = r->conf.redis;

	r->silent = 0;
	r->generation++;
	r->rotate++;
	r->at_sentinel = r->conf.sentinels > 0;
	if (!r->at_sentinel && strncmp(address, "unix:", 5) == 0) {
		r->phase = REDIS_CONNECTING;
		redis_link_unix(r, address + 5);
		return;
	}
	set_host(r, r->at_sentinel ? r->conf.sentinel[r->sentinel] : address);
	connect_host(r);
}

/* ---- a sentinel ---- */

static void on_master_named(void *arg, const redisReply *reply)
{
	struct redis *r = arg;
	unsigned long port;

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		redis_lost(r, reply->str);
		return;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_STRING ||
	    reply->element[0]->len >= sizeof(r->host)) {
		redis_lost(r, "the sentinel knows no such master");
		return;
	}
	port = strtoul(reply->element[1]->str, NULL, 10);
	if (port == 0 || port > UINT16_MAX) {
		redis_lost(r, "the sentinel names no port of the master");
		return;
	}
	snprintf(r->host, sizeof(r->host), "%s", reply->element[0]->str);
	r->port = (uint16_t)port;
	r->at_sentinel = false;
	redis_link_close(r);
	connect_host(r);
}

/* ---- a master ---- */

/* An INFO line's value: "key:value\r\n". */
static bool info_field(const char *info, const char *key, char *out, size_t cap)
{
	size_t n = strlen(key);

	for (const char *line = info; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, n) != 0 || line[n] != ':')
			continue;
		snprintf(out, cap, "%.*s", (int)strcspn(line + n + 1, "\r\n"), line + n + 1);
		return true;
	}
	return false;
}

static void come_up(struct redis *r)
{
	r->phase = REDIS_UP;
	r->pause_ms = REDIS_PAUSE_MIN_MS;
	r->why[0] = '\0';
	r->before = r->id;
	snprintf(r->before_run_id, sizeof(r->before_run_id), "%s", r->greeted.run_id);
	log_at(LOG_LEVEL_INFO, LOG_MSG("Redis is there"), LOG_STR("connection", r->name),
	       LOG_STR("server", r->greeted.run_id));
	if (r->events.up)
		r->events.up(r->events.arg, &r->greeted);
}

static void on_killed(void *arg, const redisReply *reply)
{
	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		log_at(LOG_LEVEL_WARN,
		       LOG_MSG("Redis may still carry out what an earlier connection sent"),
		       LOG_STR("why", reply->str));
	come_up(arg);
}

/*
 * A server that stood still has what was sent on the connection before in its
 * buffers, and may read it after what is sent on this one: an old record would
 * replace a newer one. The connection is ended at its end first. Identifiers are
 * those of one server's life.
 */
static void end_before(struct redis *r)
{
	char id[24];
	const char *kill[] = {"CLIENT", "KILL", "ID", id};

	snprintf(id, sizeof(id), "%lld", r->before);
	if (r->before == 0 || strcmp(r->before_run_id, r->greeted.run_id) != 0)
		come_up(r);
	else if (!redis_send(r, on_killed, r, 4, kill, NULL))
		redis_lost(r, "out of memory");
}

static void greeted(struct redis *r, const char *info)
{
	char replicas[16];

	r->greeted = (struct redis_up){.replicas = 0};
	info_field(info, "run_id", r->greeted.run_id, sizeof(r->greeted.run_id));
	if (info_field(info, "connected_slaves", replicas, sizeof(replicas)))
		r->greeted.replicas = (uint32_t)strtoul(replicas, NULL, 10);
	end_before(r);
}

static void on_id(void *arg, const redisReply *reply)
{
	struct redis *r = arg;

	if (reply)
		r->id = reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
}

static void on_info(void *arg, const redisReply *reply)
{
	struct redis *r = arg;
	char role[16], loading[8];

	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		redis_lost(r, reply->str);
	else if (reply->type != REDIS_REPLY_STRING ||
		 !info_field(reply->str, "role", role, sizeof(role)))
		redis_lost(r, "its INFO is not understood");
	else if (strcmp(role, "master") != 0)
		redis_lost(r, "it is a replica: expected a master");
	else if (info_field(reply->str, "loading", loading, sizeof(loading)) &&
		 strcmp(loading, "0") != 0)
		redis_lost(r, "it is loading its data");
	else
		greeted(r, reply->str);
}

/* AUTH and SELECT must be answered with OK; their errors hold no secret. */
static void on_accepted(void *arg, const redisReply *reply)
{
	if (reply && reply->type != REDIS_REPLY_STATUS)
		redis_lost(arg, reply->type == REDIS_REPLY_ERROR ? reply->str
								 : "it answers out of turn");
}

static bool send_auth(struct redis *r)
{
	char password[CONFIG_PASSWORD], why[CONFIG_PATH + 128];
	const char *argv[3] = {"AUTH"};
	int argc = 1;
	bool ok;

	if (!r->conf.password_file[0])
		return true;
	if (!secret_read(r->conf.password_file, CONFIG_PASSWORD_FORM, password, sizeof(password),
			 why, sizeof(why))) {
		redis_lost(r, why);
		return false;
	}
	if (r->conf.user[0])
		argv[argc++] = r->conf.user;
	argv[argc++] = password;
	ok = redis_send(r, on_accepted, r, argc, argv, NULL);
	explicit_bzero(password, sizeof(password));
	return ok;
}

static void greet(struct redis *r)
{
	char database[16];
	const char *select[] = {"SELECT", database};
	const char *setname[] = {"CLIENT", "SETNAME", r->name};
	const char *id[] = {"CLIENT", "ID"};
	const char *info[] = {"INFO"};

	if (!send_auth(r))
		return;
	snprintf(database, sizeof(database), "%u", r->conf.database);
	if (r->conf.database)
		redis_send(r, on_accepted, r, 2, select, NULL);
	redis_send(r, NULL, NULL, 3, setname, NULL);
	redis_send(r, on_id, r, 2, id, NULL);
	redis_send(r, on_info, r, 1, info, NULL);
}

void redis_connected(struct redis *r)
{
	const char *ask[] = {"SENTINEL", "get-master-addr-by-name", r->conf.master};

	r->phase = REDIS_GREETING;
	if (r->at_sentinel)
		redis_send(r, on_master_named, r, 3, ask, NULL);
	else
		greet(r);
}
