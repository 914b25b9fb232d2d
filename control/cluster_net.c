/* Datagrams: heartbeats, and requests within dialogs that another node holds. */
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/cluster_internal.h"
#include "control/log.h"

/* A request of an unknown dialog is answered when it is repeated within this time, */
#define UNKNOWN_MS 32000u
/* but not at once: another node may have the dialog since a moment ago. */
#define UNKNOWN_AFTER_MS 200u

/* ---- what all nodes must share ---- */

#define PRINT_TEXT 98304u

static void put_address(struct wbuf *w, uint32_t ip)
{
	wbuf_char(w, ' ');
	net_ip_write(w, ip);
}

static void put_number(struct wbuf *w, uint64_t v)
{
	wbuf_char(w, ' ');
	wbuf_u64(w, v);
}

static void put_name(struct wbuf *w, const char *kind, const char *name)
{
	wbuf_char(w, '\n');
	wbuf_put(w, slice_str(kind));
	wbuf_char(w, ' ');
	wbuf_put(w, slice_str(name));
}

static void put_nodes(struct wbuf *w, const struct config_cluster *k)
{
	for (uint16_t i = 0; i < k->nodes; i++) {
		put_name(w, "node", k->node[i].name);
		wbuf_char(w, ' ');
		wbuf_put(w, slice_str(k->node[i].address));
	}
	for (uint16_t i = 0; i < k->groups; i++) {
		put_name(w, "group", k->group[i].name);
		put_number(w, k->group[i].home);
	}
}

static void put_realms(struct wbuf *w, const struct snapshot *s)
{
	for (uint16_t i = 0; i < s->realms; i++) {
		put_name(w, "realm", s->realm[i].name);
		put_number(w, s->realm[i].trust);
		put_address(w, s->realm[i].media_ip);
		put_number(w, s->realm[i].media_lo);
		put_number(w, s->realm[i].media_hi);
		for (uint16_t k = 0; k < s->realm[i].media_extras; k++)
			put_address(w, s->realm[i].media_extra[k]);
	}
	for (uint16_t i = 0; i < s->listeners; i++) {
		put_name(w, "listener", s->realm[s->listener[i].realm].name);
		put_number(w, s->listener[i].addr.port);
	}
}

uint64_t cluster_config_print(const struct config *config)
{
	static const char label[] = "postern cluster settings";
	const struct siphash_key fixed = {0x706f737465726e31, 0};
	static char text[PRINT_TEXT];
	struct wbuf w;

	wbuf_init(&w, text, sizeof(text));
	put_name(&w, "cluster", config->cluster.name);
	/* By another key nothing that is taken over could be told to be ours. */
	put_number(&w, siphash24(&config->dp.key, label, sizeof(label)));
	put_number(&w, config->dp.workers);
	put_number(&w, config->cluster.lease_ms);
	put_number(&w, config->cluster.alone_ms);
	put_nodes(&w, &config->cluster);
	put_realms(&w, &config->snapshot);
	return siphash24(&fixed, text, w.n);
}

/* ---- sending ---- */

static struct heartbeat_head head_to(struct cluster *c, uint16_t node, enum heartbeat_kind kind)
{
	struct heartbeat_head h = {.kind = kind,
				   .from = c->config->cluster.self,
				   .to = node,
				   .incarnation = c->incarnation,
				   .config = c->print};

	heartbeat_number(&c->node[node].peer, &h);
	return h;
}

/* What the kernel does not take at once is lost, as any datagram may be. */
static bool send_to(struct cluster *c, uint16_t node, const struct heartbeat *h)
{
	size_t n = heartbeat_encode(&c->key, h, c->datagram, sizeof(c->datagram));
	uv_buf_t buf = uv_buf_init((char *)c->datagram, (unsigned)n);

	return n > 0 && uv_udp_try_send(&c->udp, &buf, 1,
					(const struct sockaddr *)&c->node[node].address) >= 0;
}

void cluster_net_send(struct cluster *c, const struct lease_heartbeat *l)
{
	struct heartbeat h = {.lease = *l};

	for (uint16_t i = 0; i < c->config->cluster.nodes; i++) {
		if (i == c->config->cluster.self)
			continue;
		h.head = head_to(c, i, HEARTBEAT_LEASE);
		send_to(c, i, &h);
	}
}

/* ---- requests ---- */

/* Where a request to this instance of a realm would have come to. */
static uint16_t listener_of(const struct snapshot *s, uint16_t group, uint16_t kin)
{
	for (uint16_t i = 0; i < s->realms; i++)
		if (s->realm[i].group == group && s->realm[i].kin == kin)
			return snapshot_listener_of(s, i);
	return SNAPSHOT_NONE;
}

static void take_request(struct cluster *c, const struct heartbeat_request *r)
{
	struct engine_path path = {listener_of(&c->config->snapshot, r->group, r->kin), r->remote};

	if (path.listener == SNAPSHOT_NONE || !c->dp || c->group[r->group].epoch == 0 ||
	    !dp_forwarded_post(c->dp, &path, r->bytes))
		c->forward_unknown++;
}

/* Whether that dialog was asked for a moment ago too; remembers it. */
static bool was_unknown(struct cluster *c, uint64_t print, uint64_t now)
{
	struct cluster_unknown *u;

	for (uint32_t i = 0; i < CLUSTER_UNKNOWN; i++) {
		u = &c->unknown[i];
		if (u->print == print && u->since_ms && now - u->since_ms < UNKNOWN_MS)
			return now - u->since_ms >= UNKNOWN_AFTER_MS;
	}
	u = &c->unknown[c->next_unknown++ % CLUSTER_UNKNOWN];
	*u = (struct cluster_unknown){print, now};
	return false;
}

/*
 * No copy of it is here. When all copies are, and it has been repeated, nobody has it:
 * it goes back to the workers to be answered.
 */
static void forward_nowhere(struct cluster *c, const struct dp_forward *f)
{
	c->forward_unknown++;
	if (was_unknown(c, f->print, dp_now()) && cluster_all_loaded(c))
		dp_forwarded_post(c->dp, &f->path, f->bytes);
}

void cluster_forward(struct cluster *c, const struct dp_forward *f)
{
	const struct snapshot *s = &c->config->snapshot;
	struct heartbeat h = {.head.kind = HEARTBEAT_REQUEST};
	struct lease_view v;
	uint16_t group;

	if (!c->dp || f->path.listener >= s->listeners)
		return;
	if (!warm_find_dialog(c->warm, f->print, &group) || group >= s->groups) {
		forward_nowhere(c, f);
		return;
	}
	lease_view_read(c->lease, dp_now(), group, &v);
	if (v.owner >= c->config->cluster.nodes || v.owner == c->config->cluster.self) {
		c->forward_unknown++;
		return;
	}
	h.head = head_to(c, v.owner, HEARTBEAT_REQUEST);
	h.request = (struct heartbeat_request){
		group, s->realm[s->listener[f->path.listener].realm].kin, f->path.remote, f->bytes};
	if (send_to(c, v.owner, &h))
		c->forwarded++;
	else
		c->forward_unknown++;
}

/* ---- receiving ---- */

static bool same_host(const struct sockaddr *a, const struct sockaddr_storage *b)
{
	if (a->sa_family != b->ss_family)
		return false;
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *x = (const void *)a, *y = (const void *)b;

		return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
	}
	if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *x = (const void *)a, *y = (const void *)b;

		return x->sin6_port == y->sin6_port &&
		       memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr)) == 0;
	}
	return false;
}

static uint16_t sender(const struct cluster *c, const struct sockaddr *from)
{
	for (uint16_t i = 0; i < c->config->cluster.nodes; i++)
		if (i != c->config->cluster.self && same_host(from, &c->node[i].address))
			return i;
	return LEASE_NONE;
}

/* A node with other settings is shown, and not listened to: it would be misunderstood. */
static bool settings_agree(struct cluster *c, uint16_t node, const struct heartbeat_head *h)
{
	bool differs = h->config != c->print;

	if (differs != c->node[node].differs) {
		c->node[node].differs = differs;
		log_at(differs ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO,
		       differs ? LOG_MSG("another node's settings differ from ours")
			       : LOG_MSG("another node's settings are ours now"),
		       LOG_STR("node", c->config->cluster.node[node].name));
	}
	return !differs;
}

static bool take(struct cluster *c, uint16_t node, size_t n)
{
	struct heartbeat_peer *peer = &c->node[node].peer;
	struct heartbeat h;
	bool known;

	if (!heartbeat_decode(&c->key, c->in, n, &h) || h.head.from != node ||
	    h.head.to != c->config->cluster.self)
		return false;
	known = h.head.incarnation == peer->incarnation;
	/* A process that is not believed yet is about to be. */
	if (!heartbeat_accept(peer, c->incarnation, &h.head))
		return !known;
	if (!settings_agree(c, node, &h.head))
		return false;
	if (h.head.kind == HEARTBEAT_REQUEST) {
		take_request(c, &h.request);
		return true;
	}
	lease_heard(c->lease, dp_now(), &h.lease, &c->out);
	cluster_act(c);
	return true;
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
	struct cluster *c = h->data;

	(void)suggested;
	*buf = uv_buf_init((char *)c->in, sizeof(c->in));
}

static void on_datagram(uv_udp_t *udp, ssize_t n, const uv_buf_t *buf, const struct sockaddr *from,
			unsigned flags)
{
	struct cluster *c = udp->data;
	uint16_t node;

	(void)buf;
	if (n <= 0 || !from || !c->dp)
		return;
	node = flags & UV_UDP_PARTIAL ? LEASE_NONE : sender(c, from);
	if (node == LEASE_NONE || !take(c, node, (size_t)n))
		c->heartbeats_bad++;
}

/* ---- the socket ---- */

/* "HOST:PORT", "[IPv6]:PORT" */
static bool resolve(const char *text, struct sockaddr_storage *out, char *why, size_t why_len)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
	const char *colon = strrchr(text, ':');
	char host[128];
	int err;

	snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - text) : 0, text);
	if (*host == '[') {
		memmove(host, host + 1, strlen(host));
		host[strcspn(host, "]")] = '\0';
	}
	err = colon ? getaddrinfo(host, colon + 1, &hints, &found) : EAI_NONAME;
	if (err) {
		snprintf(why, why_len, "cluster: %s: %s", text, gai_strerror(err));
		return false;
	}
	memcpy(out, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

bool cluster_net_open(struct cluster *c, char *why, size_t why_len)
{
	const struct config_cluster *k = &c->config->cluster;
	int err;

	for (uint16_t i = 0; i < k->nodes; i++)
		if (!resolve(k->node[i].address, &c->node[i].address, why, why_len))
			return false;
	err = uv_udp_bind(&c->udp, (const struct sockaddr *)&c->node[k->self].address, 0);
	if (err < 0)
		snprintf(why, why_len, "cluster: %s: %s", k->node[k->self].address,
			 uv_strerror(err));
	return err >= 0;
}

void cluster_net_start(struct cluster *c)
{
	uv_udp_recv_start(&c->udp, on_alloc, on_datagram);
}
