/*
 * The engine with too little of everything: whatever is missing, a message is
 * answered or dropped under a name, and all is given back. And what an
 * established call costs in memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "tests/unit/core/engine_fixture.h"

struct small {
	struct snapshot snapshot;
	struct engine *engine;
	void *memory;
	struct engine_out out;
	uint64_t now;
	char request[FIXTURE_BYTES];  /* the last one sent to the pbx, ACK aside */
	char response[FIXTURE_BYTES]; /* the last one sent to the phone */
};

static struct small s;

static void small_begin(const struct engine_limits *limits)
{
	struct engine_conf conf = {
		.limits = *limits, .key = {1, 2}, .seed = {3, 4}, .snapshot = &s.snapshot};
	size_t size;

	memset(&s, 0, sizeof(s));
	fixture_snapshot(&s.snapshot);
	size = engine_size(&conf);
	s.now = 1000;
	assert_int_equal(posix_memalign(&s.memory, 64, size), 0);
	assert_null(engine_init(s.memory, size - 1, &conf, s.now));
	s.engine = engine_init(s.memory, size, &conf, s.now);
	assert_non_null(s.engine);
}

static void keep(char *to, struct slice bytes)
{
	assert_true(bytes.n < FIXTURE_BYTES);
	memcpy(to, bytes.p, bytes.n);
	to[bytes.n] = '\0';
}

static void small_handle(const struct engine_event *ev)
{
	struct engine_event tick = {.type = ENGINE_EV_TICK, .now = s.now};
	bool more = true;

	while (more) {
		engine_out_clear(&s.out);
		more = engine_handle(s.engine, ev, &s.out);
		assert_false(s.out.overflow);
		for (uint32_t i = 0; i < s.out.count; i++) {
			const struct engine_action *a = &s.out.action[i];

			if (a->type == ENGINE_SEND && a->send.path.listener == ACCESS)
				keep(s.response, a->send.bytes);
			else if (a->type == ENGINE_SEND && memcmp(a->send.bytes.p, "ACK", 3) != 0)
				keep(s.request, a->send.bytes);
		}
		ev = &tick;
	}
}

static void small_recv(uint16_t listener, const char *text)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE, .now = s.now};

	ev.message.bytes = slice_str(text);
	ev.message.path.listener = listener;
	ev.message.path.remote = listener == ACCESS ? fixture_phone() : fixture_pbx();
	small_handle(&ev);
}

static void small_elapse(uint64_t ms)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK};

	for (uint64_t end = s.now + ms; s.now < end;) {
		s.now += 250;
		ev.now = s.now;
		small_handle(&ev);
	}
}

static void pbx_says(const char *status, const char *sdp)
{
	struct slice m = slice_str(s.request);
	struct slice via = text_header(m, "Via", 0), from = text_header(m, "From", 0);
	struct slice to = text_header(m, "To", 0), id = text_header(m, "Call-ID", 0);
	struct slice cseq = text_header(m, "CSeq", 0);
	static char text[FIXTURE_BYTES];

	if (s.request[0] == '\0')
		return;
	snprintf(text, sizeof(text),
		 "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: %.*s\r\n"
		 "CSeq: %.*s\r\nContact: <sip:bob@10.0.0.10:5060>\r\n"
		 "Record-Route: <sip:10.0.0.10;lr>\r\n%s\r\n%s",
		 status, (int)via.n, via.p, (int)from.n, from.p, (int)to.n, to.p,
		 text_param(to, "tag").n ? "" : ";tag=bobtag", (int)id.n, id.p, (int)cseq.n, cseq.p,
		 *sdp ? "Content-Type: application/sdp\r\n" : "", sdp);
	small_recv(CORE, text);
}

static void phone_says(unsigned id, const char *method, unsigned cseq, const char *sdp)
{
	struct slice to = text_header(slice_str(s.response), "To", 0);
	static char text[FIXTURE_BYTES], tagged[512];

	snprintf(tagged, sizeof(tagged), "%.*s", (int)to.n, to.p);
	snprintf(text, sizeof(text),
		 "%s sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bK%s%u%u\r\n"
		 "From: <sip:alice@203.0.113.1>;tag=alicetag\r\nTo: %s\r\n"
		 "Call-ID: smallcall-%u@192.168.1.20\r\nCSeq: %u %s\r\n"
		 "Contact: <sip:alice@192.168.1.20:5062>\r\n%s\r\n%s",
		 method, method, id, cseq,
		 cseq == 1 && strcmp(method, "INVITE") == 0 ? "<sip:bob@203.0.113.1>" : tagged, id,
		 cseq, method, *sdp ? "Content-Type: application/sdp\r\n" : "", sdp);
	small_recv(ACCESS, text);
}

static void call_through(unsigned id)
{
	s.request[0] = s.response[0] = '\0';
	phone_says(id, "INVITE", 1, phone_sdp);
	pbx_says("180 Ringing", "");
	pbx_says("200 OK", pbx_sdp);
	phone_says(id, "ACK", 1, "");
}

static void call_changed_and_ended(unsigned id)
{
	phone_says(id, "INVITE", 2, phone_sdp);
	pbx_says("200 OK", pbx_sdp);
	phone_says(id, "ACK", 2, "");
	phone_says(id, "INFO", 3, "");
	pbx_says("200 OK", "");
	phone_says(id, "BYE", 4, "");
	pbx_says("200 OK", "");
}

/* 2xx that was never acknowledged, then the BYE that was never answered. */
static void small_end(void)
{
	struct engine_stats st;

	small_elapse(s.snapshot.ring_timeout_ms + 120000);
	engine_stats_read(s.engine, &st);
	assert_int_equal(st.calls, 0);
	assert_int_equal(st.calls_established, 0);
	assert_int_equal(st.transactions, 0);
	assert_int_equal(st.ports_used, 0);
	assert_int_equal(st.blobs, 0);
	assert_int_equal(s.engine->exchanges.used, 0);
	assert_int_equal(s.engine->wheel.armed, 0);
	free(s.memory);
}

static void blocks_run_out_at_every_step(void **state)
{
	uint32_t answered = 0;

	(void)state;
	for (uint32_t blocks = 1; blocks <= 40; blocks++) {
		struct engine_limits l = {.calls = 4, .registrations = 1, .transactions = 64};

		l.shards = 1;
		l.blob[0] = (struct blob_class){2048, blocks};
		small_begin(&l);
		call_through(1);
		call_changed_and_ended(1);
		answered += s.engine->calls_answered;
		small_end();
	}
	assert_in_range(answered, 1, 39);
}

static void transactions_run_out_at_every_step(void **state)
{
	uint32_t answered = 0;

	(void)state;
	for (uint32_t transactions = 1; transactions <= 12; transactions++) {
		struct engine_limits l;

		engine_limits_for(&l, 4, 1);
		l.transactions = transactions;
		small_begin(&l);
		call_through(1);
		call_changed_and_ended(1);
		answered += s.engine->calls_answered;
		small_end();
	}
	assert_in_range(answered, 1, 11);
}

/* A call that has begun goes on; what it asks for later is refused by name. */
static void exchanges_run_out_at_every_step(void **state)
{
	uint32_t refused = 0;

	(void)state;
	for (uint32_t exchanges = 1; exchanges <= 6; exchanges++) {
		struct engine_limits l;

		engine_limits_for(&l, 4, 1);
		l.exchanges = exchanges;
		small_begin(&l);
		call_through(1);
		call_changed_and_ended(1);
		assert_int_equal(s.engine->calls_answered, 1);
		refused += s.engine->reasons.n[REASON_SIP_TX_FULL] != 0;
		small_end();
	}
	assert_in_range(refused, 1, 5);
}

static void too_many_transactions_are_refused_by_name(void **state)
{
	struct engine_limits l;

	(void)state;
	engine_limits_for(&l, 4, 1);
	l.transactions = 1;
	small_begin(&l);
	call_through(1);
	call_through(2);
	assert_true(s.engine->reasons.n[REASON_SIP_TX_FULL] >= 1);
	small_end();
}

/* The figure that is published is no less than what a call really holds. */
static void established_call_fits_in_4_kib(void **state)
{
	struct engine_limits l;
	uint64_t held = 0;

	(void)state;
	engine_limits_for(&l, 64, 1);
	small_begin(&l);
	for (unsigned id = 0; id < 50; id++)
		call_through(id);
	small_elapse(120000);
	assert_int_equal(s.engine->established, 50);
	assert_int_equal(tx_used(s.engine->tx), 0);
	for (uint32_t c = 0; c < BLOB_CLASSES; c++)
		held += (uint64_t)s.engine->blobs.used[c] * s.engine->blobs.cls[c].size;
	held = held / 50 + sizeof(struct call) + 4 * sizeof(struct flow);
	assert_true(held <= engine_bytes_per_call());
	assert_true(engine_bytes_per_call() <= 4096);
	for (uint32_t i = 0; i < s.engine->calls.capacity; i++) {
		struct engine_event ev = {.type = ENGINE_EV_COMMAND, .now = s.now};

		ev.command.what = ENGINE_KILL;
		ev.command.call = pool_handle(&s.engine->calls, i);
		small_handle(&ev);
	}
	small_end();
}

/* Packets wait for a tick: however many timers are due, each takes some, and none is lost. */
static void a_tick_is_short_however_much_is_due(void **state)
{
	struct engine_event tick = {.type = ENGINE_EV_TICK};
	struct engine_limits l;
	uint32_t left, ticks = 0;
	bool more = true;

	(void)state;
	engine_limits_for(&l, 300, 1);
	small_begin(&l);
	for (unsigned id = 0; id < 300; id++)
		call_through(id);
	left = tx_used(s.engine->tx);
	assert_true(left >= 600);
	tick.now = s.now += 120000;
	for (; more; ticks++) {
		engine_out_clear(&s.out);
		more = engine_handle(s.engine, &tick, &s.out);
		assert_true(left - tx_used(s.engine->tx) <= 64);
		left = tx_used(s.engine->tx);
	}
	assert_int_equal(left, 0);
	assert_true(ticks >= 10);
	for (uint32_t i = 0; i < s.engine->calls.capacity; i++) {
		struct engine_event ev = {.type = ENGINE_EV_COMMAND, .now = s.now};

		ev.command.what = ENGINE_KILL;
		ev.command.call = pool_handle(&s.engine->calls, i);
		small_handle(&ev);
	}
	small_end();
}

static void same_events_give_the_same_bytes(void **state)
{
	struct engine_limits l;
	static char first[FIXTURE_BYTES];

	(void)state;
	engine_limits_for(&l, 4, 1);
	for (int run = 0; run < 2; run++) {
		small_begin(&l);
		call_through(1);
		if (run)
			assert_string_equal(first, s.request);
		strcpy(first, s.request);
		call_changed_and_ended(1);
		small_end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_run_out_at_every_step),
		cmocka_unit_test(transactions_run_out_at_every_step),
		cmocka_unit_test(exchanges_run_out_at_every_step),
		cmocka_unit_test(too_many_transactions_are_refused_by_name),
		cmocka_unit_test(established_call_fits_in_4_kib),
		cmocka_unit_test(a_tick_is_short_however_much_is_due),
		cmocka_unit_test(same_events_give_the_same_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
