#include "tests/unit/core/checkpoint_fixture.h"

uint64_t any_seed;

static char flat[CHECKPOINT_MAX];

uint64_t any_number(void)
{
	/* Extremes as often as anything else. */
	switch (unit_random(&any_seed) % 4) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	default:
		return unit_random(&any_seed);
	}
}

static char *any_room(uint32_t n)
{
	static char pool[1u << 22];
	static uint32_t at;

	if (at + n > sizeof(pool))
		at = 0;
	at += n;
	return pool + at - n;
}

struct slice any_lines(uint32_t n)
{
	char *p = any_room(n);

	for (uint32_t i = 0; i < n; i++)
		p[i] = (char)unit_random(&any_seed);
	return slice_of(p, n);
}

struct slice any_bytes(uint32_t n)
{
	char *p = any_room(n);

	for (uint32_t i = 0; i < n; i++)
		do
			p[i] = (char)unit_random(&any_seed);
		while (p[i] == '\n');
	return slice_of(p, n);
}

struct slice any_string(void)
{
	return any_bytes((uint32_t)(unit_random(&any_seed) % 64));
}

struct net_addr any_addr(void)
{
	return (struct net_addr){(uint32_t)any_number(), (uint16_t)any_number()};
}

static struct net_addr any_host(void)
{
	return (struct net_addr){(uint32_t)any_number() | 1, (uint16_t)any_number() | 1};
}

struct checkpoint_leg any_leg(void)
{
	return (struct checkpoint_leg){
		.realm = any_string(),
		.listener = any_host(),
		.source = any_host(),
		.call_id = any_bytes(1 + (uint32_t)(unit_random(&any_seed) % 200)),
		.local = any_string(),
		.remote = any_string(),
		.tag = any_bytes(IDENT_TAG_LEN),
		.remote_tag = any_string(),
		.target = any_string(),
		.routes = any_bytes((uint32_t)(unit_random(&any_seed) % 2000)),
		.cseq_local = (uint32_t)any_number(),
		.cseq_remote = (uint32_t)any_number(),
		.rseq = (uint32_t)any_number(),
		.rseq_far = (uint32_t)any_number(),
		.sdp_version = (uint32_t)any_number(),
		.sdp_print = any_number(),
		.asked = any_number(),
		.confirmed = any_number() & 1,
	};
}

struct checkpoint_stream any_stream(void)
{
	struct checkpoint_stream s = {.clock_rate = (uint32_t)any_number()};

	s.opaque = any_number() & 1;
	s.published = any_number() & 1;
	for (int i = 0; i < 2; i++)
		s.side[i] = (struct checkpoint_side){
			.rtp = any_addr(),
			.rtcp = any_addr(),
			.latched_rtp = any_addr(),
			.latched_rtcp = any_addr(),
			.gate = (uint32_t)any_number(),
			.epoch = (uint32_t)any_number(),
			.port = (uint16_t)any_number(),
			.direction = any_number() & 3,
			.known = any_number() & 1,
			.packets = any_number(),
			.bytes = any_number(),
		};
	return s;
}

struct checkpoint_exchange any_exchange(void)
{
	return (struct checkpoint_exchange){
		.initial = any_number() & 1,
		.from = any_number() & 1,
		.flags = (uint16_t)(any_number() & 0xff),
		.cseq_in = (uint32_t)any_number(),
		.cseq_out = (uint32_t)any_number(),
		.head = any_lines((uint32_t)(unit_random(&any_seed) % 1000)),
		.response = any_lines((uint32_t)(unit_random(&any_seed) % 3000)),
		.server_listener = any_addr(),
		.server_remote = any_addr(),
		.uri = any_string(),
		.via = any_lines((uint32_t)(unit_random(&any_seed) % 64)),
		.branch = any_string(),
		.request = any_lines((uint32_t)(unit_random(&any_seed) % 3000)),
		.client_listener = any_addr(),
		.client_remote = any_addr(),
		.provisional = any_number() & 1,
		.ack = any_lines((uint32_t)(unit_random(&any_seed) % 64)),
		.far_tag = (uint32_t)any_number(),
	};
}

void any_call(struct call_checkpoint *c)
{
	memset(c, 0, sizeof(*c));
	c->schema = CHECKPOINT_SCHEMA;
	c->id = any_bytes(IDENT_LEN);
	c->version = (uint32_t)any_number();
	c->state = (enum checkpoint_state)(unit_random(&any_seed) % 3);
	c->owed = any_number() & 3;
	c->began = any_number();
	c->answered = any_number();
	c->written = any_number();
	c->status = (uint16_t)(unit_random(&any_seed) % 700);
	c->offers = (uint32_t)any_number();
	c->offer_by = (uint8_t)(unit_random(&any_seed) % 3);
	c->leg[0] = any_leg();
	c->leg[1] = any_leg();
	c->streams = (uint8_t)(unit_random(&any_seed) % (SDP_MAX_MEDIA + 1));
	c->pendings = (uint8_t)(unit_random(&any_seed) % (SDP_MAX_MEDIA + 1));
	c->has_pending = c->pendings || (any_number() & 1);
	c->exchanges = (uint8_t)(unit_random(&any_seed) % (CHECKPOINT_EXCHANGES + 1));
	for (int i = 0; i < c->streams; i++)
		c->stream[i] = any_stream();
	for (int i = 0; i < c->pendings; i++)
		c->pending[i] = any_stream();
	for (int i = 0; i < c->exchanges; i++)
		c->exchange[i] = any_exchange();
}

struct registration_checkpoint any_registration(void)
{
	return (struct registration_checkpoint){
		.schema = CHECKPOINT_SCHEMA,
		.id = any_bytes(IDENT_LEN),
		.version = (uint32_t)any_number(),
		.call_id = any_bytes(IDENT_LEN),
		.cseq = (uint32_t)any_number(),
		.realm = any_string(),
		.peer = any_string(),
		.listener = any_host(),
		.source = any_host(),
		.contact = any_string(),
		.user = any_string(),
		.expires = any_number(),
		.refreshed = any_number(),
	};
}

struct slice member_text(char *room, const struct checkpoint_member *m, const void *base)
{
	uint64_t v = checkpoint_value_load(m, base);

	if (m->type == VALUE_BYTES)
		return *(const struct slice *)(const void *)((const uint8_t *)base + m->offset);
	return slice_of(room, (uint32_t)(checkpoint_value_compose(room, m, base, v) - room));
}

void members_same(const struct checkpoint_members *set, const void *a, const void *b)
{
	char va[CHECKPOINT_ROOM], vb[CHECKPOINT_ROOM];

	for (uint32_t i = 0; i < set->count; i++) {
		struct slice sa = member_text(va, &set->member[i], a);
		struct slice sb = member_text(vb, &set->member[i], b);

		if (!slice_eq(sa, sb))
			fail_msg("%s: %.*s, not %.*s", set->member[i].name, (int)sb.n, sb.p,
				 (int)sa.n, sa.p);
	}
}

static bool leg_eq(const struct checkpoint_leg *a, const struct checkpoint_leg *b)
{
	return slice_eq(a->realm, b->realm) && net_addr_eq(a->listener, b->listener) &&
	       net_addr_eq(a->source, b->source) && slice_eq(a->call_id, b->call_id) &&
	       slice_eq(a->local, b->local) && slice_eq(a->remote, b->remote) &&
	       slice_eq(a->tag, b->tag) && slice_eq(a->remote_tag, b->remote_tag) &&
	       slice_eq(a->target, b->target) && slice_eq(a->routes, b->routes) &&
	       a->cseq_local == b->cseq_local && a->cseq_remote == b->cseq_remote &&
	       a->rseq == b->rseq && a->rseq_far == b->rseq_far &&
	       a->sdp_version == b->sdp_version && a->sdp_print == b->sdp_print &&
	       a->asked == b->asked && a->confirmed == b->confirmed;
}

static bool side_eq(const struct checkpoint_side *a, const struct checkpoint_side *b)
{
	return net_addr_eq(a->rtp, b->rtp) && net_addr_eq(a->rtcp, b->rtcp) &&
	       net_addr_eq(a->latched_rtp, b->latched_rtp) &&
	       net_addr_eq(a->latched_rtcp, b->latched_rtcp) && a->gate == b->gate &&
	       a->epoch == b->epoch && a->port == b->port && a->direction == b->direction &&
	       a->known == b->known && a->packets == b->packets && a->bytes == b->bytes;
}

static bool stream_eq(const struct checkpoint_stream *a, const struct checkpoint_stream *b)
{
	return a->clock_rate == b->clock_rate && a->opaque == b->opaque &&
	       a->published == b->published && side_eq(&a->side[0], &b->side[0]) &&
	       side_eq(&a->side[1], &b->side[1]);
}

static bool exchange_eq(const struct checkpoint_exchange *a, const struct checkpoint_exchange *b)
{
	return a->initial == b->initial && a->from == b->from && a->flags == b->flags &&
	       a->cseq_in == b->cseq_in && a->cseq_out == b->cseq_out &&
	       slice_eq(a->head, b->head) && slice_eq(a->response, b->response) &&
	       net_addr_eq(a->server_listener, b->server_listener) &&
	       net_addr_eq(a->server_remote, b->server_remote) && slice_eq(a->uri, b->uri) &&
	       slice_eq(a->via, b->via) && slice_eq(a->branch, b->branch) &&
	       slice_eq(a->request, b->request) &&
	       net_addr_eq(a->client_listener, b->client_listener) &&
	       net_addr_eq(a->client_remote, b->client_remote) &&
	       a->provisional == b->provisional && slice_eq(a->ack, b->ack) &&
	       a->far_tag == b->far_tag;
}

void call_checkpoint_same(const struct call_checkpoint *a, const struct call_checkpoint *b)
{
	members_same(&checkpoint_call_members, a, b);
	assert_true(slice_eq(a->id, b->id) && a->version == b->version && a->state == b->state);
	assert_true(a->owed == b->owed && a->began == b->began && a->answered == b->answered);
	assert_true(a->written == b->written && a->status == b->status && a->offers == b->offers);
	assert_true(a->offer_by == b->offer_by && a->has_pending == b->has_pending);
	assert_int_equal(a->streams, b->streams);
	assert_int_equal(a->pendings, b->pendings);
	assert_int_equal(a->exchanges, b->exchanges);
	for (int i = 0; i < 2; i++) {
		members_same(&checkpoint_leg_members, &a->leg[i], &b->leg[i]);
		assert_true(leg_eq(&a->leg[i], &b->leg[i]));
	}
	for (uint32_t i = 0; i < SDP_MAX_MEDIA; i++) {
		assert_true(stream_eq(&a->stream[i], &b->stream[i]));
		assert_true(stream_eq(&a->pending[i], &b->pending[i]));
	}
	for (uint32_t i = 0; i < CHECKPOINT_EXCHANGES; i++)
		assert_true(exchange_eq(&a->exchange[i], &b->exchange[i]));
}

struct slice call_checkpoint_write(const struct call_checkpoint *c, char *room, uint32_t cap)
{
	struct wbuf w;

	wbuf_init(&w, room, cap);
	checkpoint_call_write(&w, c);
	return wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE;
}

struct slice small_call(struct call_checkpoint *c)
{
	any_seed = 10;
	any_call(c);
	c->streams = 1;
	c->pendings = c->has_pending = 0;
	c->exchanges = 1;
	memset(c->pending, 0, sizeof(c->pending));
	return call_checkpoint_write(c, flat, sizeof(flat));
}
