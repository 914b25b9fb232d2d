/*
 * Two transaction layers with their users, across a network that loses, doubles
 * and reorders, driven from a seed. For every transaction:
 *   - it ends, once, and nothing is left of it;
 *   - its request reaches the peer's user at most once;
 *   - its result is the one the peer's user gave, or a timeout.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/transaction.h"

#define TICK_MS  4u
#define SLOTS    1024u /* of the schedule: 4 s ahead */
#define EACH     1000u /* transactions that each side begins */
#define TEXT     700u
#define BEGIN_MS 30000u
#define RINGS_MS 100000u /* then what still rings is cancelled: timer C is the user's */
#define END_MS   180000u

/*
 * The latest copy of a request leaves at 63*T1 and the server's transaction lives
 * for 64*T1 at least: with a longer way than T1 RFC 3261 itself may deliver twice.
 */
#define DELAY_MAX_MS 480u

struct weather {
	uint64_t seed;
	uint32_t loss, twice; /* per cent */
	uint32_t delay_ms;    /* at most */
};

enum what { ARRIVE, RING, DECIDE, CANCEL };

struct item {
	struct item *next;
	enum what what;
	uint32_t side, id, len;
	char text[TEXT];
};

/* One transaction as both users see it: the client's on `side`, the server's on the other. */
struct record {
	bool invite, begun;
	uint64_t client, server;
	uint16_t result; /* final that the client's user got */
	uint16_t given;  /* final that the server's user gave */
	uint32_t finals, deliveries, client_ends, server_ends, timeouts;
};

struct side {
	void *mem;
	struct blob_store blobs;
	struct tx_layer *l;
	struct engine_out *out;
	struct record *record; /* of the transactions that it begins */
};

struct world {
	struct weather weather;
	uint64_t now, rng;
	struct side side[2];
	struct item *slot[SLOTS];
	uint32_t items;
};

static uint32_t rnd(struct world *w, uint32_t n)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return (uint32_t)((w->rng >> 32) % n);
}

static struct item *schedule(struct world *w, uint32_t in_ms, enum what what, uint32_t side,
			     uint32_t id)
{
	uint32_t ticks = 1 + in_ms / TICK_MS;
	struct item *it = malloc(sizeof(*it));

	assert_non_null(it);
	assert_true(ticks < SLOTS);
	struct item **slot = &w->slot[(w->now / TICK_MS + ticks) % SLOTS];
	it->what = what;
	it->side = side;
	it->id = id;
	it->next = *slot;
	*slot = it;
	w->items++;
	return it;
}

static void post(struct world *w, uint32_t to, struct slice bytes)
{
	struct item *it = schedule(w, rnd(w, w->weather.delay_ms + 1), ARRIVE, to, 0);

	assert_true(bytes.n <= TEXT);
	it->len = bytes.n;
	memcpy(it->text, bytes.p, bytes.n);
}

/* What a layer sends reaches the other side once, twice or never, in any order. */
static void flush(struct world *w, uint32_t from)
{
	struct engine_out *o = w->side[from].out;

	assert_false(o->overflow);
	for (uint32_t i = 0; i < o->count; i++) {
		if (rnd(w, 100) < w->weather.loss)
			continue;
		post(w, !from, o->action[i].send.bytes);
		if (rnd(w, 100) < w->weather.twice)
			post(w, !from, o->action[i].send.bytes);
	}
	engine_out_clear(o);
}

static struct engine_path path(void)
{
	return (struct engine_path){.listener = 1, .remote = {0x0100000au, 5060}};
}

/* Side and number of a transaction are its user value and its Call-ID. */
static uint64_t user_of(uint32_t side, uint32_t id)
{
	return (uint64_t)side << 32 | id;
}

static const char *method_of(const struct record *r, uint32_t id)
{
	return r->invite ? "INVITE" : id % 3 ? "OPTIONS" : "BYE";
}

static uint32_t write_request(char *buf, const char *method, const char *mark, uint32_t side,
			      uint32_t id)
{
	int n = snprintf(buf, TEXT,
			 "%s sip:peer@10.0.0.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK%s%u.%u\r\n"
			 "From: <sip:me@10.0.0.2>;tag=f\r\nTo: <sip:peer@10.0.0.1>\r\n"
			 "Call-ID: %u.%u\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\n\r\n",
			 method, mark, side, id, side, id, method);

	assert_true(n > 0 && n < (int)TEXT);
	return (uint32_t)n;
}

static void respond(struct world *w, uint32_t server, uint64_t tx, uint16_t status)
{
	struct slice head = tx_server_head(w->side[server].l, tx);
	char buf[TEXT];

	int n = snprintf(buf, sizeof(buf), "SIP/2.0 %u Answer\r\n%.*s;tag=t\r\n\r\n", status,
			 (int)head.n, head.p);
	assert_true(n > 0 && n < (int)sizeof(buf));
	tx_server_respond(w->side[server].l, tx, status, slice_of(buf, (uint32_t)n), w->now,
			  w->side[server].out);
}

/* The finals of a user: half of the INVITEs are accepted. */
static uint16_t some_final(struct world *w)
{
	static const uint16_t v[] = {200, 200, 200, 486, 404, 603};

	return v[rnd(w, 6)];
}

static void give(struct world *w, uint32_t client, uint32_t id, uint16_t status)
{
	struct record *r = &w->side[client].record[id];

	if (r->given || r->server == 0)
		return;
	r->given = status;
	respond(w, !client, r->server, status);
}

/* ---- server users ---- */

static struct slice head_of(char *buf, const struct sip_msg *m)
{
	static const enum sip_hdr id[] = {SIP_HDR_VIA, SIP_HDR_FROM, SIP_HDR_CALL_ID, SIP_HDR_CSEQ,
					  SIP_HDR_TO};
	struct wbuf w;

	wbuf_init(&w, buf, TEXT);
	for (uint32_t i = 0; i < 5; i++) {
		if (i)
			wbuf_lit(&w, "\r\n");
		wbuf_put(&w, sip_hdr_name(id[i]));
		wbuf_lit(&w, ": ");
		wbuf_put(&w, sip_msg_value(m, id[i]));
	}
	assert_true(wbuf_ok(&w));
	return wbuf_slice(&w);
}

static void cancel_arrives(struct world *w, uint32_t to, const struct sip_msg *m,
			   const struct sip_via *via, uint64_t tx, uint32_t id)
{
	uint64_t invite = tx_server_find_invite(w->side[to].l, m, via);
	struct record *r = &w->side[!to].record[id];

	assert_true(invite == 0 || invite == r->server);
	respond(w, to, tx, invite ? 200 : 481);
	if (invite)
		give(w, !to, id, 487);
}

/* A hop's own ACK comes this far only when it is too late for its transaction. */
static void ack_arrives(struct world *w, uint32_t to, const struct sip_via *via,
			const struct record *r)
{
	if (!slice_starts(via->branch, SLICE_LIT("z9hG4bKack"))) {
		assert_int_equal(r->server_ends, 1);
		return;
	}
	assert_int_equal(r->given, 200);
	tx_server_acked(w->side[to].l, r->server, w->now);
}

static void new_request(struct world *w, uint32_t to, const struct sip_msg *m,
			const struct sip_via *via, uint32_t id)
{
	struct record *r = &w->side[!to].record[id];
	struct engine_path p = path();
	char head[TEXT];

	if (m->method == SIP_ACK) {
		ack_arrives(w, to, via, r);
		return;
	}
	uint64_t tx = tx_server_new(w->side[to].l, m, via, &p, head_of(head, m), user_of(!to, id),
				    w->now);
	assert_true(tx != 0);
	if (m->method == SIP_CANCEL) {
		tx_set_user(w->side[to].l, tx, UINT64_MAX);
		cancel_arrives(w, to, m, via, tx, id);
		return;
	}
	assert_int_equal(++r->deliveries, 1);
	r->server = tx;
	if (r->invite) {
		respond(w, to, tx, 100);
		schedule(w, rnd(w, 500), RING, !to, id);
		schedule(w, rnd(w, 4000), DECIDE, !to, id);
	} else {
		schedule(w, rnd(w, 3000), DECIDE, !to, id);
	}
}

/* ---- client users ---- */

static void response(struct world *w, uint32_t to, const struct sip_msg *m, uint64_t user)
{
	struct record *r = &w->side[to].record[(uint32_t)user];
	char buf[TEXT];
	struct engine_path p = path();

	if (m->status < 200)
		return;
	r->finals++;
	/* Only a 2xx to an INVITE is heard again. */
	if (r->finals > 1)
		assert_true(r->invite && m->status == 200 && r->result == 200);
	r->result = m->status;
	if (!r->invite || m->status != 200)
		return;
	uint32_t n = write_request(buf, "ACK", "ack", to, (uint32_t)user);
	engine_out_send(w->side[to].out, &p, slice_of(buf, n));
}

static void begin(struct world *w, uint32_t side, uint32_t id)
{
	struct record *r = &w->side[side].record[id];
	struct engine_path p = path();
	char buf[TEXT];
	char branch[64];

	r->begun = true;
	r->invite = rnd(w, 2);
	const char *method = method_of(r, id);
	uint32_t n = write_request(buf, method, "", side, id);
	snprintf(branch, sizeof(branch), "z9hG4bK%u.%u", side, id);
	r->client = tx_client_new(w->side[side].l, sip_method_parse(slice_str(method)),
				  slice_str(branch), &p, slice_of(buf, n), user_of(side, id),
				  w->now, w->side[side].out);
	assert_true(r->client != 0);
	if (r->invite && rnd(w, 4) == 0)
		schedule(w, rnd(w, 4000), CANCEL, side, id);
}

/* ---- the world ---- */

static uint32_t id_of(const struct sip_msg *m, uint32_t client)
{
	struct slice id = sip_msg_value(m, SIP_HDR_CALL_ID);
	uint32_t n;

	assert_int_equal(id.p[0], (int)('0' + client));
	assert_true(slice_u32(slice_of(id.p + 2, id.n - 2), EACH - 1, &n));
	return n;
}

static void arrive(struct world *w, struct item *it)
{
	struct side *s = &w->side[it->side];
	struct engine_path source = path();
	struct sip_fault fault;
	struct sip_via via;
	struct sip_msg m;
	uint64_t tx, user;

	assert_int_equal(sip_msg_parse(&m, it->text, it->len, &fault), SBC_OK);
	assert_int_equal(sip_via_top(&m, &via), SBC_OK);
	if (!m.is_request) {
		if (tx_client_match(s->l, &m, &via, w->now, s->out, &tx, &user) == TX_PASS)
			response(w, it->side, &m, user);
		return;
	}
	if (tx_server_match(s->l, &m, &via, &source, w->now, s->out, &tx) == TX_NEW)
		new_request(w, it->side, &m, &via, id_of(&m, !it->side));
}

/* RING and DECIDE name the client's side of their transaction. */
static void happen(struct world *w, struct item *it)
{
	struct record *r = &w->side[it->side].record[it->id];

	switch (it->what) {
	case ARRIVE:
		arrive(w, it);
		break;
	case RING:
		if (!r->given)
			respond(w, !it->side, r->server, 180);
		break;
	case DECIDE:
		give(w, it->side, it->id, some_final(w));
		break;
	case CANCEL:
		tx_client_cancel(w->side[it->side].l, r->client, w->now, w->side[it->side].out);
		break;
	}
	flush(w, 0);
	flush(w, 1);
}

static void hear(struct world *w, uint32_t side, const struct tx_event *ev)
{
	if (ev->user == UINT64_MAX)
		return; /* a CANCEL's server transaction */
	uint32_t id = (uint32_t)ev->user;
	struct record *r = &w->side[ev->user >> 32].record[id];

	assert_int_equal(ev->user >> 32, ev->server ? !side : side);
	assert_true(ev->tx == (ev->server ? r->server : r->client));
	if (ev->server) {
		assert_int_not_equal(ev->type, TX_EV_TIMEOUT);
		r->server_ends++;
		return;
	}
	r->client_ends++;
	r->timeouts += ev->type == TX_EV_TIMEOUT;
}

static void expire(struct world *w, uint32_t side)
{
	struct tx_event ev[8];

	do {
		uint32_t n = tx_expire(w->side[side].l, w->now, ev, 8, 256, w->side[side].out);
		for (uint32_t i = 0; i < n; i++)
			hear(w, side, &ev[i]);
		flush(w, side);
	} while (tx_is_behind(w->side[side].l));
}

static void tick(struct world *w)
{
	struct item **slot = &w->slot[w->now / TICK_MS % SLOTS];

	while (*slot != NULL) {
		struct item *it = *slot;
		*slot = it->next;
		w->items--;
		happen(w, it);
		free(it);
	}
	expire(w, 0);
	expire(w, 1);
	w->now += TICK_MS;
}

static void cancel_all(struct world *w)
{
	for (uint32_t i = 0; i < 2 * EACH; i++) {
		struct side *s = &w->side[i % 2];
		tx_client_cancel(s->l, s->record[i / 2].client, w->now, s->out);
		flush(w, i % 2);
	}
}

static struct tx_layer *build(struct side *s, struct arena *a)
{
	static const struct blob_class cls[BLOB_CLASSES] = {{256, 4096}, {768, 8192}};
	struct tx_conf conf = {
		.capacity = 4096,
		.t1_ms = 500,
		.t2_ms = 4000,
		.t4_ms = 5000,
		.key = {1, 2},
		.blobs = &s->blobs,
	};

	blob_init(&s->blobs, a, cls);
	return tx_layer_init(a, &conf, 0);
}

static void side_open(struct side *s)
{
	struct arena a;

	memset(s, 0, sizeof(*s));
	arena_init(&a, NULL, 0);
	build(s, &a);
	size_t need = (a.used + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	s->mem = aligned_alloc(ARENA_ALIGN, need);
	s->out = malloc(sizeof(*s->out));
	s->record = calloc(EACH, sizeof(*s->record));
	assert_non_null(s->mem);
	assert_non_null(s->out);
	assert_non_null(s->record);
	memset(s->mem, 0, need);
	arena_init(&a, s->mem, need);
	s->l = build(s, &a);
	assert_non_null(s->l);
	engine_out_clear(s->out);
}

struct tally {
	uint32_t answered, timeouts, cancelled;
};

static void record_check(const struct record *r, struct tally *t)
{
	assert_true(r->begun);
	assert_int_equal(r->client_ends, 1);
	assert_int_equal(r->server_ends, r->deliveries);
	if (r->result)
		assert_int_equal(r->result, r->given);
	/* Cancelled after an answer or answered after the timeout: one of the two. */
	assert_int_equal(r->timeouts, r->result == 0);
	t->answered += r->result != 0;
	t->timeouts += r->timeouts;
	t->cancelled += r->result == 487;
}

static void side_close(struct side *s, struct tally *t)
{
	for (uint32_t i = 0; i < EACH; i++)
		record_check(&s->record[i], t);
	assert_int_equal(tx_used(s->l), 0);
	assert_int_equal(blob_used(&s->blobs), 0);
	free(s->mem);
	free(s->out);
	free(s->record);
}

static struct tally run(struct weather weather)
{
	struct world *w = calloc(1, sizeof(*w));
	struct tally t = {0};
	uint32_t begun = 0;

	assert_non_null(w);
	assert_true(weather.delay_ms <= DELAY_MAX_MS);
	print_message("seed %u: loss %u%%, twice %u%%, delay to %u ms\n", (unsigned)weather.seed,
		      weather.loss, weather.twice, weather.delay_ms);
	w->weather = weather;
	w->rng = weather.seed * 0x9e3779b97f4a7c15u;
	side_open(&w->side[0]);
	side_open(&w->side[1]);
	while (w->now < END_MS) {
		for (; begun < EACH && (uint64_t)begun * BEGIN_MS / EACH <= w->now; begun++) {
			begin(w, 0, begun);
			begin(w, 1, begun);
			flush(w, 0);
			flush(w, 1);
		}
		if (w->now == RINGS_MS)
			cancel_all(w);
		tick(w);
	}
	assert_int_equal(w->items, 0);
	side_close(&w->side[0], &t);
	side_close(&w->side[1], &t);
	free(w);
	return t;
}

static void quiet_network_answers_everything(void **state)
{
	(void)state;
	struct tally t = run((struct weather){1, 0, 0, 20});
	assert_int_equal(t.answered, 2 * EACH);
	assert_int_equal(t.timeouts, 0);
	assert_true(t.cancelled > 0);
}

static void loss_is_repaired(void **state)
{
	(void)state;
	for (uint64_t seed = 2; seed < 5; seed++) {
		struct tally t = run((struct weather){seed, 10, 0, 50});
		assert_true(t.answered > 2 * EACH * 98 / 100);
	}
}

static void doubling_and_reordering_deliver_once(void **state)
{
	(void)state;
	struct tally t = run((struct weather){5, 0, 50, DELAY_MAX_MS});
	assert_int_equal(t.answered, 2 * EACH);
	t = run((struct weather){6, 20, 30, DELAY_MAX_MS});
	assert_true(t.answered > 2 * EACH * 9 / 10);
}

static void bad_network_ends_everything(void **state)
{
	(void)state;
	run((struct weather){7, 60, 10, DELAY_MAX_MS});
	run((struct weather){8, 90, 10, 100});
}

static void dead_network_times_everything_out(void **state)
{
	(void)state;
	struct tally t = run((struct weather){9, 100, 0, 0});
	assert_int_equal(t.timeouts, 2 * EACH);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_network_answers_everything),
		cmocka_unit_test(loss_is_repaired),
		cmocka_unit_test(doubling_and_reordering_deliver_once),
		cmocka_unit_test(bad_network_ends_everything),
		cmocka_unit_test(dead_network_times_everything_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
