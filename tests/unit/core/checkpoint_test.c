#include "sbc/core/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/checkpoint_internal.h"
#include "tests/lib/change.h"
#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#ifndef FIXTURES
#error "FIXTURES names the folder of checkpoint-v1"
#endif

static uint64_t seed;
static char flat[CHECKPOINT_MAX], again[CHECKPOINT_MAX];

/* ---- structs of any content ---- */

static uint64_t any(void)
{
	/* Extremes as often as anything else. */
	switch (unit_random(&seed) % 4) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	default:
		return unit_random(&seed);
	}
}

static struct slice any_bytes(uint32_t n)
{
	static char pool[1u << 22];
	static uint32_t at;

	if (at + n > sizeof(pool))
		at = 0;
	for (uint32_t i = 0; i < n; i++)
		pool[at + i] = (char)unit_random(&seed);
	at += n;
	return slice_of(pool + at - n, n);
}

static struct slice any_string(void)
{
	return any_bytes((uint32_t)(unit_random(&seed) % 64));
}

static struct net_addr any_addr(void)
{
	return (struct net_addr){(uint32_t)any(), (uint16_t)any()};
}

static struct net_addr any_host(void)
{
	return (struct net_addr){(uint32_t)any() | 1, (uint16_t)any() | 1};
}

static struct checkpoint_leg any_leg(void)
{
	return (struct checkpoint_leg){
		.realm = any_string(),
		.listener = any_host(),
		.source = any_host(),
		.call_id = any_bytes(1 + (uint32_t)(unit_random(&seed) % 200)),
		.local = any_string(),
		.remote = any_string(),
		.tag = any_bytes(IDENT_TAG_LEN),
		.remote_tag = any_string(),
		.target = any_string(),
		.routes = any_bytes((uint32_t)(unit_random(&seed) % 2000)),
		.cseq_local = (uint32_t)any(),
		.cseq_remote = (uint32_t)any(),
		.rseq = (uint32_t)any(),
		.rseq_far = (uint32_t)any(),
		.sdp_version = (uint32_t)any(),
		.sdp_print = any(),
		.asked = any(),
		.confirmed = any() & 1,
	};
}

static struct checkpoint_stream any_stream(void)
{
	struct checkpoint_stream s = {.clock_rate = (uint32_t)any()};

	s.opaque = any() & 1;
	s.published = any() & 1;
	for (int i = 0; i < 2; i++)
		s.side[i] = (struct checkpoint_side){
			.rtp = any_addr(),
			.rtcp = any_addr(),
			.latched_rtp = any_addr(),
			.latched_rtcp = any_addr(),
			.gate = (uint32_t)any(),
			.epoch = (uint32_t)any(),
			.port = (uint16_t)any(),
			.direction = any() & 3,
			.known = any() & 1,
			.packets = any(),
			.bytes = any(),
		};
	return s;
}

static struct checkpoint_exchange any_exchange(void)
{
	return (struct checkpoint_exchange){
		.initial = any() & 1,
		.from = any() & 1,
		.flags = (uint16_t)(any() & 0xff),
		.cseq_in = (uint32_t)any(),
		.cseq_out = (uint32_t)any(),
		.head = any_bytes((uint32_t)(unit_random(&seed) % 1000)),
		.response = any_bytes((uint32_t)(unit_random(&seed) % 3000)),
		.server_listener = any_addr(),
		.server_remote = any_addr(),
		.uri = any_string(),
		.via = any_string(),
		.branch = any_string(),
		.request = any_bytes((uint32_t)(unit_random(&seed) % 3000)),
		.client_listener = any_addr(),
		.client_remote = any_addr(),
		.provisional = any() & 1,
		.ack = any_string(),
		.far_tag = (uint32_t)any(),
	};
}

static void any_call(struct call_checkpoint *c)
{
	memset(c, 0, sizeof(*c));
	c->schema = CHECKPOINT_SCHEMA;
	c->id = any_bytes(IDENT_LEN);
	c->version = (uint32_t)any();
	c->state = (enum checkpoint_state)(unit_random(&seed) % 3);
	c->owed = any() & 3;
	c->began = any();
	c->answered = any();
	c->written = any();
	c->status = (uint16_t)(unit_random(&seed) % 700);
	c->offers = (uint32_t)any();
	c->offer_by = (uint8_t)(unit_random(&seed) % 3);
	c->leg[0] = any_leg();
	c->leg[1] = any_leg();
	c->streams = (uint8_t)(unit_random(&seed) % (SDP_MAX_MEDIA + 1));
	c->pendings = (uint8_t)(unit_random(&seed) % (SDP_MAX_MEDIA + 1));
	c->has_pending = c->pendings || (any() & 1);
	c->exchanges = (uint8_t)(unit_random(&seed) % (CHECKPOINT_EXCHANGES + 1));
	for (int i = 0; i < c->streams; i++)
		c->stream[i] = any_stream();
	for (int i = 0; i < c->pendings; i++)
		c->pending[i] = any_stream();
	for (int i = 0; i < c->exchanges; i++)
		c->exchange[i] = any_exchange();
}

static struct registration_checkpoint any_registration(void)
{
	return (struct registration_checkpoint){
		.schema = CHECKPOINT_SCHEMA,
		.id = any_bytes(IDENT_LEN),
		.version = (uint32_t)any(),
		.call_id = any_bytes(IDENT_LEN),
		.cseq = (uint32_t)any(),
		.realm = any_string(),
		.peer = any_string(),
		.listener = any_host(),
		.source = any_host(),
		.contact = any_string(),
		.user = any_string(),
		.expires = any(),
		.refreshed = any(),
	};
}

/* ---- the same, member by member, as the schema has them ---- */

static struct slice value_of(char *room, const struct checkpoint_member *m, const void *base)
{
	uint64_t v = checkpoint_value_load(m, base);

	if (m->type == VALUE_BYTES)
		return *(const struct slice *)(const void *)((const uint8_t *)base + m->offset);
	return slice_of(room, (uint32_t)(checkpoint_value_compose(room, m, base, v) - room));
}

static void same(const struct checkpoint_members *set, const void *a, const void *b)
{
	char va[CHECKPOINT_ROOM], vb[CHECKPOINT_ROOM];

	for (uint32_t i = 0; i < set->count; i++) {
		struct slice sa = value_of(va, &set->member[i], a);
		struct slice sb = value_of(vb, &set->member[i], b);

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

static void call_same(const struct call_checkpoint *a, const struct call_checkpoint *b)
{
	same(&checkpoint_call_members, a, b);
	assert_true(slice_eq(a->id, b->id) && a->version == b->version && a->state == b->state);
	assert_true(a->owed == b->owed && a->began == b->began && a->answered == b->answered);
	assert_true(a->written == b->written && a->status == b->status && a->offers == b->offers);
	assert_true(a->offer_by == b->offer_by && a->has_pending == b->has_pending);
	assert_int_equal(a->streams, b->streams);
	assert_int_equal(a->pendings, b->pendings);
	assert_int_equal(a->exchanges, b->exchanges);
	for (int i = 0; i < 2; i++) {
		same(&checkpoint_leg_members, &a->leg[i], &b->leg[i]);
		assert_true(leg_eq(&a->leg[i], &b->leg[i]));
	}
	for (uint32_t i = 0; i < SDP_MAX_MEDIA; i++) {
		assert_true(stream_eq(&a->stream[i], &b->stream[i]));
		assert_true(stream_eq(&a->pending[i], &b->pending[i]));
	}
	for (uint32_t i = 0; i < CHECKPOINT_EXCHANGES; i++)
		assert_true(exchange_eq(&a->exchange[i], &b->exchange[i]));
}

static struct slice call_write(const struct call_checkpoint *c, char *room, uint32_t cap)
{
	struct wbuf w;

	wbuf_init(&w, room, cap);
	checkpoint_call_write(&w, c);
	return wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE;
}

/* ---- the plain way ---- */

static uint32_t ip_print(char *to, uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	return (uint32_t)snprintf(to, 16, "%u.%u.%u.%u", octet[0], octet[1], octet[2], octet[3]);
}

static uint32_t addr_print(char *to, struct net_addr a)
{
	uint32_t n = ip_print(to, a.ip);

	return n + (uint32_t)snprintf(to + n, 8, ":%u", a.port);
}

static uint32_t words_print(char *to, const struct checkpoint_member *m, uint64_t v)
{
	uint32_t n = 0;

	if (m->type != VALUE_FLAGS)
		return (uint32_t)sprintf(to, "%.*s", m->words[v].len, m->words[v].text);
	for (uint32_t i = 0; m->words[i].len; i++)
		if (v & 1u << i)
			n += (uint32_t)sprintf(to + n, "%s%.*s", n ? "," : "", m->words[i].len,
					       m->words[i].text);
	return n ? n : (uint32_t)sprintf(to, "none");
}

static uint32_t value_print(char *to, const struct checkpoint_member *m, const void *base);

static uint32_t parts_print(char *to, const struct checkpoint_member *m, const void *base)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->limit; i++) {
		const struct checkpoint_member *part = &m->parts[i];

		if (checkpoint_value_is_left_out(part, checkpoint_value_load(part, base)))
			continue;
		n += (uint32_t)sprintf(to + n, "%s%s=", n ? " " : "", part->name);
		n += value_print(to + n, part, base);
	}
	return n;
}

static uint32_t value_print(char *to, const struct checkpoint_member *m, const void *base)
{
	uint64_t v = checkpoint_value_load(m, base);
	const void *at = (const uint8_t *)base + m->offset;

	switch (m->type) {
	case VALUE_HEX32:
		return (uint32_t)sprintf(to, "%08llx", (unsigned long long)v);
	case VALUE_HEX64:
		return (uint32_t)sprintf(to, "%016llx", (unsigned long long)v);
	case VALUE_ADDR:
		return addr_print(to, *(const struct net_addr *)at);
	case VALUE_IP:
		return ip_print(to, (uint32_t)v);
	case VALUE_BOOL:
		return (uint32_t)sprintf(to, "%s", v ? "yes" : "no");
	case VALUE_WORD:
	case VALUE_STATE:
	case VALUE_FLAGS:
		return words_print(to, m, v);
	case VALUE_PARTS:
		return parts_print(to, m, at);
	default:
		return (uint32_t)sprintf(to, "%llu", (unsigned long long)v);
	}
}

/* Every value of a group as printf() has it; the longest fits where it has to. */
static void printed_same(const struct checkpoint_members *set, const void *base)
{
	char text[2 * CHECKPOINT_ROOM], room[CHECKPOINT_ROOM];

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];
		struct slice s = value_of(room, m, base);

		if (m->type != VALUE_BYTES &&
		    !slice_eq(s, slice_of(text, value_print(text, m, base))))
			fail_msg("%s: %.*s, not %s", m->name, (int)s.n, s.p, text);
		assert_true(m->type == VALUE_BYTES || s.n + 64 < CHECKPOINT_ROOM);
	}
}

/* ---- changes ---- */

/* Another state of a call: what is fixed stays, of the legs with a bit in `legs` nothing has to. */
static void any_next(struct call_checkpoint *next, const struct call_checkpoint *c, unsigned legs)
{
	any_call(next);
	next->id = c->id;
	next->began = c->began;
	for (uint32_t i = 0; i < 2; i++) {
		struct checkpoint_leg was = c->leg[i], *is = &next->leg[i];

		if (legs & 1u << i)
			continue;
		was.cseq_local = is->cseq_local;
		was.cseq_remote = is->cseq_remote;
		was.sdp_version = is->sdp_version;
		was.confirmed = is->confirmed;
		*is = was;
	}
}

/* ---- tests ---- */

static void values_are_as_printf_has_them(void **state)
{
	static struct call_checkpoint c;

	(void)state;
	seed = 11;
	for (int i = 0; i < 2000; i++) {
		struct registration_checkpoint r = any_registration();

		any_call(&c);
		printed_same(&checkpoint_call_members, &c);
		printed_same(&checkpoint_leg_members, &c.leg[0]);
		for (int k = 0; k < c.streams; k++)
			printed_same(&checkpoint_stream_members, &c.stream[k]);
		for (int k = 0; k < c.exchanges; k++)
			printed_same(&checkpoint_exchange_members, &c.exchange[k]);
		printed_same(&checkpoint_registration_members, &r);
	}
}

/* A history of changes ends in what all of it would have been, and so does change and rest. */
static void changes_make_what_is_written_whole(void **state)
{
	static struct call_checkpoint was, is;
	static char kept[CHECKPOINT_MAX], part[CHECKPOINT_MAX], whole[CHECKPOINT_MAX];
	static char room[CHECKPOINT_MAX];

	(void)state;
	seed = 12;
	for (int i = 0; i < 200; i++) {
		struct checkpoint_change change = {0};
		struct slice have, want;
		struct wbuf w, v;

		any_call(&was);
		wbuf_init(&w, kept, sizeof(kept));
		change.shape = checkpoint_call_write(&w, &was);
		have = wbuf_slice(&w);
		for (int k = 0; k < 10; k++) {
			change.legs = (unsigned)(unit_random(&seed) % 4);
			any_next(&is, &was, change.legs);
			want = call_write(&is, whole, sizeof(whole));
			wbuf_init(&w, part, sizeof(part));
			checkpoint_call_write_rest(&w, &is, change.legs);
			checkpoint_call_write_change(&w, &is, &change);
			assert_true(wbuf_ok(&w) && want.n > 0);
			assert_true(change_same(slice_of(part, change.set), want));
			wbuf_init(&v, room, sizeof(room));
			assert_true(change_apply(&v, have,
						 slice_of(part + change.rest, w.n - change.rest),
						 change.gone));
			assert_true(change_same(wbuf_slice(&v), want));
			memcpy(kept, room, v.n);
			have = slice_of(kept, v.n);
			was = is;
		}
	}
}

static void what_is_written_is_read(void **state)
{
	static struct call_checkpoint in, out;

	(void)state;
	seed = 7;
	for (int i = 0; i < 2000; i++) {
		struct guard g;
		struct slice s;

		any_call(&in);
		s = call_write(&in, flat, sizeof(flat));
		assert_true(s.n > 0);
		s.p = guard_end(&g, s.p, s.n);
		guard_seal(&g);
		assert_int_equal(checkpoint_call_read(&out, s), SBC_OK);
		call_same(&in, &out);
		guard_free(&g);
	}
}

static void registration_written_is_read(void **state)
{
	(void)state;
	seed = 8;
	for (int i = 0; i < 2000; i++) {
		struct registration_checkpoint in = any_registration(), out;
		struct wbuf w;

		wbuf_init(&w, flat, sizeof(flat));
		checkpoint_registration_write(&w, &in);
		assert_true(wbuf_ok(&w));
		assert_int_equal(checkpoint_registration_read(&out, wbuf_slice(&w)), SBC_OK);
		same(&checkpoint_registration_members, &in, &out);
		assert_true(slice_eq(in.contact, out.contact) && in.expires == out.expires);
		assert_true(net_addr_eq(in.source, out.source) && slice_eq(in.peer, out.peer));
	}
}

/* Cut anywhere, at a field's end too: what is missing is missed. */
static void truncated_is_refused_at_every_length(void **state)
{
	static struct call_checkpoint in, out;
	struct slice s;

	(void)state;
	seed = 9;
	do {
		any_call(&in);
		in.exchanges = 0;
		in.exchange[0] = in.exchange[1] = in.exchange[2] = in.exchange[3] =
			(struct checkpoint_exchange){0};
		in.leg[0].remote_tag = in.leg[0].target = in.leg[0].routes = SLICE_NONE;
		in.leg[1].remote_tag = in.leg[1].target = in.leg[1].routes = SLICE_NONE;
		in.streams = 1;
		s = call_write(&in, flat, sizeof(flat));
	} while (in.pendings == 0);
	assert_int_equal(checkpoint_call_read(&out, s), SBC_OK);
	for (uint32_t n = 0; n < s.n; n++) {
		struct guard g;
		struct slice cut = slice_of(guard_end(&g, s.p, n), n);

		guard_seal(&g);
		assert_int_equal(checkpoint_call_read(&out, cut), SBC_EBAD);
		guard_free(&g);
	}
}

static struct slice small_call(struct call_checkpoint *c)
{
	seed = 10;
	any_call(c);
	c->streams = 1;
	c->pendings = c->has_pending = 0;
	c->exchanges = 1;
	memset(c->pending, 0, sizeof(c->pending));
	return call_write(c, flat, sizeof(flat));
}

/* One field more, or in place of another of that name. */
static enum sbc_err read_with(struct slice s, const char *drop, const char *name, const char *value)
{
	static struct call_checkpoint out;
	struct checkpoint_field f;
	struct wbuf w;
	bool bad;

	wbuf_init(&w, again, sizeof(again));
	while (checkpoint_next(&s, &f, &bad))
		if (!slice_eq(f.name, slice_str(drop)))
			checkpoint_put(&w, f.name, f.value);
	if (*name)
		checkpoint_put(&w, slice_str(name), slice_str(value));
	assert_true(wbuf_ok(&w));
	return checkpoint_call_read(&out, wbuf_slice(&w));
}

static void fields_and_parts_that_are_wrong(void **state)
{
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{"version", ""},
		{"version", "4294967296"},
		{"version", "-1"},
		{"version", "1 "},
		{"state", "dead"},
		{"state", "answere"},
		{"owed", "everybody"},
		{"began", "18446744073709551616"},
		{"status", "700"},
		{"streams", "9"},
		{"streams", "2"},
		{"streams", "0"},
		{"pending", "1"},
		{"invites", "5"},
		{"invites", "2"},
		{"caller.listener", "1.2.3.4"},
		{"caller.listener", "1.2.3.4:65536"},
		{"caller.listener", "1.2.3:5"},
		{"caller.source", "0.0.0.0:5060"},
		{"caller.tag", "short"},
		{"caller.call_id", ""},
		{"caller.dialog", "cseq=1 cseq=2"},
		{"caller.dialog", "cseq"},
		{"caller.dialog", "=1"},
		{"caller.dialog", "cseq=1  rseq=2"},
		{"caller.dialog", "confirmed=maybe"},
		{"caller.dialog", "sdp_print=xyz"},
		{"caller.dialog", "sdp_print=11112222333344445"},
		{"stream.0.caller", "direction=up"},
		{"stream.0.caller", "port=65536"},
		{"invite.0.state", "kind=initial flags=offer,offer"},
		{"invite.0.state", "flags=offer,"},
		{"invite.0.state", "from=nobody"},
	};
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	assert_int_equal(read_with(s, "", "", ""), SBC_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_with(s, wrong[i].name, wrong[i].name, wrong[i].value) != SBC_EBAD)
			fail_msg("%s \"%s\" was taken", wrong[i].name, wrong[i].value);
}

static void each_name_stands_once(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c), rest = s;
	struct checkpoint_field f;
	char name[256];
	bool bad;

	(void)state;
	while (checkpoint_next(&rest, &f, &bad)) {
		struct wbuf w;
		static struct call_checkpoint out;

		wbuf_init(&w, again, sizeof(again));
		wbuf_put(&w, s);
		checkpoint_put(&w, f.name, f.value);
		snprintf(name, sizeof(name), "%.*s", (int)f.name.n, f.name.p);
		if (checkpoint_call_read(&out, wbuf_slice(&w)) != SBC_EBAD)
			fail_msg("%s was taken twice", name);
	}
}

static void unknown_names_are_passed_over(void **state)
{
	static const char *const unknown[] = {"x",        "caller.x", "nobody.realm", "stream.0.x",
					      "stream.x", "stream.",  "invite.0.",    "invite",
					      ".",        "stream"};
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(read_with(s, "", unknown[i], "anything at all"), SBC_OK);
	assert_int_equal(read_with(s, "", "stream.9.media", "clock=1"), SBC_EBAD);
	assert_int_equal(read_with(s, "caller.dialog", "caller.dialog", "cseq=1 later=2"), SBC_OK);
}

static void what_must_be_there_is_missed(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);
	static const char *const must[] = {"v",
					   "id",
					   "version",
					   "state",
					   "caller.realm",
					   "callee.listener",
					   "callee.call_id",
					   "caller.tag",
					   "caller.dialog",
					   "stream.0.media",
					   "stream.0.callee",
					   "invite.0.state"};

	(void)state;
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		if (read_with(s, must[i], "", "") != SBC_EBAD)
			fail_msg("%s was not missed", must[i]);
}

static void other_schemas_are_told_apart(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	assert_int_equal(read_with(s, "v", "v", "2"), SBC_OK);
	assert_int_equal(read_with(s, "v", "v", "1"), SBC_OK);
	assert_int_equal(read_with(s, "v", "v", "0"), SBC_ELIMIT);
	assert_int_equal(read_with(s, "v", "v", "3"), SBC_ELIMIT);
	assert_int_equal(read_with(s, "v", "v", "4294967295"), SBC_ELIMIT);
	assert_int_equal(read_with(s, "v", "v", "two"), SBC_EBAD);
}

static void what_does_not_fit_is_said(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	for (uint32_t cap = 0; cap < s.n; cap++) {
		struct guard g;

		assert_int_equal(call_write(&c, guard_end(&g, NULL, cap), cap).n, 0);
		guard_free(&g);
	}
	assert_int_equal(call_write(&c, again, s.n).n, s.n);
	static char routes[65536], large[200000];
	c.leg[0].routes = slice_of(routes, sizeof(routes));
	assert_int_equal(call_write(&c, large, sizeof(large)).n, 0);
}

static void kinds_do_not_pass_for_one_another(void **state)
{
	static struct call_checkpoint c;
	struct registration_checkpoint in, out;
	struct wbuf w;

	(void)state;
	assert_int_equal(checkpoint_registration_read(&out, small_call(&c)), SBC_EBAD);
	in = any_registration();
	wbuf_init(&w, flat, sizeof(flat));
	checkpoint_registration_write(&w, &in);
	assert_int_equal(checkpoint_call_read(&c, wbuf_slice(&w)), SBC_EBAD);
	assert_string_equal(checkpoint_kind_name(CHECKPOINT_CALL), "call");
	assert_string_equal(checkpoint_kind_name(CHECKPOINT_REGISTRATION), "reg");
}

/* ---- the schema before ---- */

static char *file_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = calloc(1, 65536);

	if (f == NULL || text == NULL)
		fail_msg("%s cannot be read", path);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* "name value" lines, with \r and \n for line ends in values. */
static struct slice fixture_read(const char *name)
{
	char path[512], value[8192];
	struct wbuf w;
	char *text, *line, *next;

	snprintf(path, sizeof(path), "%s/checkpoint-v1/%s", FIXTURES, name);
	text = file_read(path);
	wbuf_init(&w, flat, sizeof(flat));
	for (line = text; *line; line = next) {
		char *sp = strchr(line, ' ');
		uint32_t n = 0;

		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		for (const char *p = sp + 1; *p; p++) {
			bool escape = *p == '\\';

			p += escape;
			value[n++] = !escape ? *p : *p == 'r' ? '\r' : '\n';
		}
		checkpoint_put(&w, slice_of(line, (uint32_t)(sp - line)), slice_of(value, n));
	}
	free(text);
	assert_true(wbuf_ok(&w));
	return wbuf_slice(&w);
}

static void established_call_of_schema_1_is_read(void **state)
{
	static struct call_checkpoint c;
	struct net_addr latched;

	(void)state;
	assert_int_equal(checkpoint_call_read(&c, fixture_read("call-established.txt")), SBC_OK);
	assert_int_equal(c.schema, 1);
	assert_int_equal(c.state, CHECKPOINT_ANSWERED);
	assert_int_equal(c.streams, 1);
	assert_int_equal(c.exchanges, 1);
	assert_true(slice_eq(c.leg[0].remote, SLICE_LIT("<sip:alice@203.0.113.1>")));
	assert_true(net_addr_parse(SLICE_LIT("198.51.100.7:46000"), &latched));
	assert_true(net_addr_eq(c.stream[0].side[0].latched_rtp, latched));
	/* What came later reads as nothing. */
	assert_int_equal(c.stream[0].side[0].packets, 0);
	assert_int_equal(c.stream[0].side[0].latched_rtcp.port, 0);
	assert_int_equal(c.leg[1].asked, 0);
	assert_int_equal(c.written, 0);
}

static void early_call_of_schema_1_is_read(void **state)
{
	static struct call_checkpoint c;

	(void)state;
	assert_int_equal(checkpoint_call_read(&c, fixture_read("call-early.txt")), SBC_OK);
	assert_int_equal(c.state, CHECKPOINT_EARLY);
	assert_true(c.has_pending && c.pendings == 1);
	assert_true(c.exchange[0].initial && c.exchange[0].provisional);
	assert_true(c.exchange[0].head.n && c.exchange[0].request.n);
}

static void registration_of_schema_1_is_read(void **state)
{
	struct registration_checkpoint r;

	(void)state;
	assert_int_equal(checkpoint_registration_read(&r, fixture_read("registration.txt")),
			 SBC_OK);
	assert_true(slice_eq(r.user, SLICE_LIT("alice")));
	assert_true(slice_eq(r.peer, SLICE_LIT("pbx")));
	assert_true(r.expires == 1760001600000ull);
}

/* In schema 1 these names meant nothing: a value there is nobody's. */
static void later_names_mean_nothing_in_schema_1(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);
	struct checkpoint_field f;
	struct wbuf w;
	bool bad;

	(void)state;
	wbuf_init(&w, again, sizeof(again));
	while (checkpoint_next(&s, &f, &bad))
		checkpoint_put(&w, f.name,
			       slice_eq(f.name, SLICE_LIT("v")) ? SLICE_LIT("1") : f.value);
	checkpoint_put(&w, SLICE_LIT("written"), SLICE_LIT("not a number"));
	assert_int_equal(checkpoint_call_read(&c, wbuf_slice(&w)), SBC_OK);
	assert_int_equal(c.written, 0);
	assert_int_equal(c.leg[1].asked, 0);
}

/* ---- documentation ---- */

static void named_in(const char *text, const char *name)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	if (strstr(text, quoted) == NULL)
		fail_msg("docs/state.md does not say what %s is", quoted);
}

static void members_named(const char *text, const char *group, const struct checkpoint_members *set)
{
	char name[64];

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];

		snprintf(name, sizeof(name), "%s%s", group, m->name);
		named_in(text, name);
		for (uint32_t k = 0; m->type == VALUE_PARTS && k < m->limit; k++)
			named_in(text, m->parts[k].name);
	}
}

static void every_field_is_documented(void **state)
{
	char *text = file_read(FIXTURES "/../../docs/state.md");

	(void)state;
	named_in(text, "v");
	members_named(text, "", &checkpoint_call_members);
	members_named(text, "caller.", &checkpoint_leg_members);
	members_named(text, "stream.N.", &checkpoint_stream_members);
	members_named(text, "invite.N.", &checkpoint_exchange_members);
	members_named(text, "", &checkpoint_registration_members);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_as_printf_has_them),
		cmocka_unit_test(changes_make_what_is_written_whole),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(registration_written_is_read),
		cmocka_unit_test(truncated_is_refused_at_every_length),
		cmocka_unit_test(fields_and_parts_that_are_wrong),
		cmocka_unit_test(each_name_stands_once),
		cmocka_unit_test(unknown_names_are_passed_over),
		cmocka_unit_test(what_must_be_there_is_missed),
		cmocka_unit_test(other_schemas_are_told_apart),
		cmocka_unit_test(what_does_not_fit_is_said),
		cmocka_unit_test(kinds_do_not_pass_for_one_another),
		cmocka_unit_test(established_call_of_schema_1_is_read),
		cmocka_unit_test(early_call_of_schema_1_is_read),
		cmocka_unit_test(registration_of_schema_1_is_read),
		cmocka_unit_test(later_names_mean_nothing_in_schema_1),
		cmocka_unit_test(every_field_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
