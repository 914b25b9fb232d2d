#include "control/ctl_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *num(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *id(uint64_t n)
{
	char s[20];

	snprintf(s, sizeof(s), "%016" PRIx64, n);
	return json_string(s);
}

/* What a stranger sent, as text: jansson takes valid UTF-8 only, and people want to see it. */
static json_t *text(const char *s, size_t cap)
{
	char copy[256];
	size_t n = strnlen(s, cap < sizeof(copy) ? cap : sizeof(copy) - 1);
	json_t *j = json_stringn(s, n);

	if (j)
		return j;
	for (size_t i = 0; i < n; i++)
		copy[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
	return json_stringn(copy, n);
}

static json_t *address(struct net_addr a)
{
	char s[NET_ADDR_STRLEN];
	struct wbuf w;

	wbuf_init(&w, s, sizeof(s));
	net_addr_write(&w, a);
	return json_stringn(s, w.n);
}

static json_t *ip(uint32_t a)
{
	char s[NET_ADDR_STRLEN];
	struct wbuf w;

	wbuf_init(&w, s, sizeof(s));
	net_ip_write(&w, a);
	return json_stringn(s, w.n);
}

static json_t *mac(const uint8_t m[6])
{
	return json_sprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

static json_t *realm_name(const struct ctl_context *ctx, uint16_t i)
{
	const struct snapshot *s = &ctx->config->snapshot;

	return i < s->realms ? json_string(s->realm[i].name) : json_null();
}

static json_t *peer_name(const struct ctl_context *ctx, uint16_t i)
{
	const struct snapshot *s = &ctx->config->snapshot;

	return i < s->peers ? json_string(s->peer[i].name) : json_null();
}

static json_t *port_name(const struct ctl_context *ctx, uint16_t i)
{
	return i < ctx->config->dp.ports ? json_string(ctx->config->dp.port[i].name) : json_null();
}

/* Workers' clocks are the caller's, but a reading may be a moment younger than `now`. */
static json_t *since(const struct ctl_context *ctx, uint64_t then)
{
	return num(ctx->now_ms > then ? ctx->now_ms - then : 0);
}

static json_t *call_side(const struct ctl_context *ctx, const struct engine_call_info *c, int side)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "realm", realm_name(ctx, c->realm[side]), "user",
			 text(c->user[side], sizeof(c->user[side])), "address",
			 address(c->remote[side]), "call_id",
			 text(c->call_id[side], sizeof(c->call_id[side])), "media_port",
			 num(c->media_port[side]));
}

static json_t *call_row(const struct ctl_context *ctx, const struct collect_row *row)
{
	const struct engine_call_info *c = &row->call;

	return json_pack(
		"{s:o,s:o,s:s,s:o,s:o,s:o,s:o,s:o}", "id", id(ctl_call_id(row->worker, c->call)),
		"worker", num(row->worker), "state", engine_call_state_name(c->state), "age_ms",
		since(ctx, c->began_ms), "answered_ms_ago",
		c->answered_ms ? since(ctx, c->answered_ms) : json_null(), "from",
		call_side(ctx, c, 0), "to", call_side(ctx, c, 1), "streams", num(c->streams));
}

static json_t *registration_row(const struct ctl_context *ctx, const struct collect_row *row)
{
	const struct engine_registration_info *r = &row->registration;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "user", text(r->user, sizeof(r->user)),
			 "contact", text(r->contact, sizeof(r->contact)), "realm",
			 realm_name(ctx, r->realm), "peer", peer_name(ctx, r->peer), "source",
			 address(r->source), "worker", num(row->worker), "expires_in_ms",
			 num(r->expires_ms > ctx->now_ms ? r->expires_ms - ctx->now_ms : 0));
}

static json_t *flow_row(const struct ctl_context *ctx, const struct collect_row *row)
{
	const struct dp_flow_info *f = &row->flow;
	json_t *j =
		json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:b,s:b,s:b,s:b,s:o}", "call",
			  id(ctl_call_id(row->worker, f->call)), "worker", num(row->worker),
			  "realm", realm_name(ctx, f->realm), "address", ip(f->local_ip), "port",
			  num(f->port), "peer_realm", realm_name(ctx, f->peer_realm), "peer_port",
			  num(f->peer_port), "leg", num(f->leg), "stream", num(f->stream), "rtcp",
			  f->rtcp, "latched", f->latched, "locked", f->locked, "closed", f->closed,
			  "remote", f->remote.port ? address(f->remote) : json_null());
	json_t *counts = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "packets", num(f->packets),
				   "bytes", num(f->bytes), "refused", num(f->refused), "lost",
				   num(f->lost), "duplicates", num(f->duplicates), "jitter_us",
				   num(f->jitter_us), "ssrc", json_sprintf("%08" PRIx32, f->ssrc),
				   "idle_ms", f->last_ms ? since(ctx, f->last_ms) : json_null());

	json_object_update(j, counts);
	json_decref(counts);
	return j;
}

static json_t *port_row(const struct collect_row *row)
{
	const struct dp_port_info *p = &row->port;

	return json_pack("{s:o,s:o,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "name",
			 text(p->name, sizeof(p->name)), "mac", mac(p->mac), "link_up", p->link_up,
			 "queues", num(p->queues), "rules", num(p->rules), "rules_wanted",
			 num(p->rules_wanted), "rx_packets", num(p->rx_packets), "tx_packets",
			 num(p->tx_packets), "rx_bytes", num(p->rx_bytes), "tx_bytes",
			 num(p->tx_bytes), "rx_missed", num(p->rx_missed), "rx_errors",
			 num(p->rx_errors), "tx_errors", num(p->tx_errors));
}

static json_t *neighbour_row(const struct ctl_context *ctx, const struct collect_row *row)
{
	const struct dp_neighbour_info *n = &row->neighbour;

	return json_pack("{s:o,s:o,s:o,s:b,s:o}", "port", port_name(ctx, n->port), "address",
			 ip(n->ip), "mac", n->resolved ? mac(n->mac) : json_null(), "resolved",
			 n->resolved, "age_ms", num(n->age_ms));
}

json_t *ctl_row(const struct ctl_context *ctx, enum dp_request_type type,
		const struct collect_row *row)
{
	switch (type) {
	case DP_CALLS:
		return call_row(ctx, row);
	case DP_REGISTRATIONS:
		return registration_row(ctx, row);
	case DP_FLOWS:
		return flow_row(ctx, row);
	case DP_PORTS:
		return port_row(row);
	case DP_NEIGHBOURS:
		return neighbour_row(ctx, row);
	default:
		return json_null();
	}
}

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_age(const void *x, const void *y)
{
	const struct collect_row *a = x, *b = y;
	int o = order(a->call.began_ms, b->call.began_ms);

	return o ? o : order(a->call.call, b->call.call);
}

static int by_user(const void *x, const void *y)
{
	const struct collect_row *a = x, *b = y;
	int o = strncmp(a->registration.user, b->registration.user, sizeof(a->registration.user));

	return o ? o : order(a->registration.registration, b->registration.registration);
}

static uint64_t flow_place(const struct dp_flow_info *f)
{
	return (uint64_t)f->stream << 16 | (uint64_t)f->leg << 8 | f->rtcp;
}

static int by_call(const void *x, const void *y)
{
	const struct collect_row *a = x, *b = y;
	int o = order(ctl_call_id(a->worker, a->flow.call), ctl_call_id(b->worker, b->flow.call));

	return o ? o : order(flow_place(&a->flow), flow_place(&b->flow));
}

static int by_neighbour(const void *x, const void *y)
{
	const struct collect_row *a = x, *b = y;
	int o = order(a->neighbour.port, b->neighbour.port);

	return o ? o : memcmp(&a->neighbour.ip, &b->neighbour.ip, sizeof(a->neighbour.ip));
}

void ctl_rows_sort(struct collect_result *r)
{
	int (*by)(const void *, const void *) = r->type == DP_CALLS           ? by_age
						: r->type == DP_REGISTRATIONS ? by_user
						: r->type == DP_FLOWS         ? by_call
						: r->type == DP_NEIGHBOURS    ? by_neighbour
									      : NULL;

	if (by && r->rows)
		qsort(r->row, r->rows, sizeof(*r->row), by);
}

static json_t *worker_status(uint16_t i, const struct dp_worker_stats *s)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "worker",
			 num(i), "rx_packets", num(s->rx_packets), "tx_packets", num(s->tx_packets),
			 "relayed", num(s->relayed), "handed_off", num(s->handed_off), "loops",
			 num(s->loops), "busy_loops", num(s->busy_loops), "busy_us",
			 num(s->busy_us), "up_us", num(s->up_us), "mbufs_used", num(s->mbufs_used),
			 "mbufs_free", num(s->mbufs_free), "records_lost", num(s->records_lost),
			 "sleeps", num(s->sleeps), "woken_by_packet", num(s->woken_by_packet),
			 "woken_by_bell", num(s->woken_by_bell));
}

struct sum_of {
	const char *name;
	size_t offset; /* in struct dp_worker_stats */
	bool wide;     /* 64 bits, else 32 */
};

#define ENGINE32(f)                                                                                \
	{                                                                                          \
#f, offsetof(struct dp_worker_stats, engine.f), false                              \
	}
#define ENGINE64(f)                                                                                \
	{                                                                                          \
#f, offsetof(struct dp_worker_stats, engine.f), true                               \
	}

static const struct sum_of sums[] = {
	ENGINE32(calls),
	ENGINE32(calls_established),
	ENGINE32(registrations),
	ENGINE32(transactions),
	{"flows", offsetof(struct dp_worker_stats, flows), false},
	ENGINE32(ports_used),
	ENGINE32(ports_free),
	ENGINE32(blobs),
	ENGINE64(calls_total),
	ENGINE64(calls_answered),
	ENGINE64(registered_total),
	ENGINE64(retransmissions),
	ENGINE64(messages_in),
	ENGINE64(messages_out),
	ENGINE32(degraded),
	ENGINE64(degraded_total),
};

static uint64_t sum(const struct collect_result *r, const struct sum_of *what)
{
	uint64_t total = 0;

	for (uint16_t i = 0; i < r->workers; i++) {
		const char *at = (const char *)&r->stats[i] + what->offset;
		uint64_t wide;
		uint32_t narrow;

		if (what->wide) {
			memcpy(&wide, at, sizeof(wide));
			total += wide;
		} else {
			memcpy(&narrow, at, sizeof(narrow));
			total += narrow;
		}
	}
	return total;
}

json_t *ctl_status(const struct ctl_context *ctx, const struct collect_result *r)
{
	json_t *workers = json_array();
	bool draining = false;
	json_t *j;

	for (uint16_t i = 0; i < r->workers; i++) {
		draining |= r->stats[i].engine.draining;
		json_array_append_new(workers, worker_status(i, &r->stats[i]));
	}
	j = json_pack("{s:b,s:s,s:s,s:o,s:b}", "ok", 1, "node", ctx->config->snapshot.node,
		      "version", POSTERN_VERSION, "uptime_ms", since(ctx, ctx->began_ms),
		      "draining", draining);
	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		json_object_set_new(j, sums[i].name, num(sum(r, &sums[i])));
	json_object_set_new(j, "store", ctl_store(ctx, r));
	json_object_set_new(j, "workers", workers);
	return j;
}
