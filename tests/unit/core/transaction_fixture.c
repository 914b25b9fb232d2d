#include "tests/unit/core/transaction_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/transaction_internal.h"

static const struct siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};

static struct tx_layer *build(struct fx *f, struct arena *a, uint32_t capacity,
			      const struct blob_class *cls)
{
	struct tx_conf conf = {
		.capacity = capacity,
		.t1_ms = FX_T1,
		.t2_ms = FX_T2,
		.t4_ms = FX_T4,
		.key = key,
		.blobs = &f->blobs,
	};

	blob_init(&f->blobs, a, cls);
	return tx_layer_init(a, &conf, FX_START);
}

void fx_open_sized(struct fx *f, uint32_t capacity, uint32_t blob_size, uint32_t blob_count)
{
	struct blob_class cls[BLOB_CLASSES] = {{blob_size, blob_count}};
	struct arena a;

	memset(f, 0, sizeof(*f));
	arena_init(&a, NULL, 0);
	assert_null(build(f, &a, capacity, cls));
	size_t need = (a.used + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
	f->mem = aligned_alloc(ARENA_ALIGN, need);
	assert_non_null(f->mem);
	memset(f->mem, 0, need);
	arena_init(&a, f->mem, need);
	f->l = build(f, &a, capacity, cls);
	assert_non_null(f->l);
	f->out = malloc(sizeof(*f->out));
	f->log = malloc(FX_LOG * sizeof(*f->log));
	assert_non_null(f->out);
	assert_non_null(f->log);
	engine_out_clear(f->out);
	f->now = f->mark = FX_START;
}

void fx_open(struct fx *f)
{
	fx_open_sized(f, 64, 4096, 256);
}

void fx_close(struct fx *f)
{
	fx_silent(f);
	assert_int_equal(tx_used(f->l), 0);
	assert_int_equal(blob_used(&f->blobs), 0);
	assert_int_equal(f->l->table.count, 0);
	assert_int_equal(f->l->wheel.armed, 0);
	assert_true(tx_next_due(f->l) == UINT64_MAX);
	free(f->log);
	free(f->out);
	free(f->mem);
}

void fx_mark(struct fx *f)
{
	f->mark = f->now;
}

static struct fx_entry *entry_add(struct fx *f)
{
	assert_true(f->logged < FX_LOG);
	struct fx_entry *e = &f->log[f->logged++];
	e->at = f->now;
	return e;
}

static void flush(struct fx *f)
{
	assert_false(f->out->overflow);
	for (uint32_t i = 0; i < f->out->count; i++) {
		const struct engine_action *a = &f->out->action[i];
		struct fx_entry *e = entry_add(f);

		assert_int_equal(a->type, ENGINE_SEND);
		assert_true(a->send.bytes.n < FX_TEXT);
		e->is_event = false;
		e->path = a->send.path;
		e->len = a->send.bytes.n;
		memcpy(e->text, a->send.bytes.p, e->len);
		e->text[e->len] = '\0';
	}
	engine_out_clear(f->out);
}

static void expire(struct fx *f)
{
	struct tx_event ev[4];

	do {
		uint32_t n = tx_expire(f->l, f->now, ev, 4, 1000, f->out);
		flush(f);
		for (uint32_t i = 0; i < n; i++) {
			struct fx_entry *e = entry_add(f);
			e->is_event = true;
			e->event = ev[i];
		}
	} while (tx_is_behind(f->l));
}

void fx_elapse(struct fx *f, uint64_t ms)
{
	uint64_t until = f->now + ms;

	for (uint64_t due = tx_next_due(f->l); due <= until; due = tx_next_due(f->l)) {
		assert_true(due >= f->now);
		f->now = due;
		expire(f);
	}
	f->now = until;
	expire(f);
}

struct engine_path fx_path(void)
{
	return (struct engine_path){.listener = FX_LISTENER, .remote = {0x010200c0u, 5060}};
}

void fx_parse(struct fx_msg *x, const char *format, ...)
{
	struct sip_fault fault;
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(x->text, sizeof(x->text), format, ap);
	va_end(ap);
	assert_true(n > 0 && n < (int)sizeof(x->text));
	assert_int_equal(sip_msg_parse(&x->m, x->text, (uint32_t)n, &fault), SBC_OK);
	assert_int_equal(sip_via_top(&x->m, &x->via), SBC_OK);
}

void fx_request(struct fx_msg *x, const char *method, const char *branch)
{
	fx_parse(x,
		 "%s sip:bob@192.0.2.9 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=%s\r\n"
		 "Max-Forwards: 70\r\n"
		 "From: <sip:alice@192.0.2.1>;tag=from1\r\n"
		 "To: <sip:bob@192.0.2.9>%s\r\n"
		 "Call-ID: call-1\r\n"
		 "CSeq: 7 %s\r\n"
		 "Content-Length: 0\r\n\r\n",
		 method, branch, strcmp(method, "ACK") == 0 ? ";tag=to1" : "", method);
}

void fx_response(struct fx_msg *x, uint16_t status, const char *method, const char *branch,
		 const char *to_tag)
{
	fx_parse(x,
		 "SIP/2.0 %u Answer\r\n"
		 "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=%s\r\n"
		 "From: <sip:alice@10.0.0.1>;tag=ours\r\n"
		 "To: \"Bob\" <sip:bob@10.0.0.10>;tag=%s\r\n"
		 "Call-ID: own-call\r\n"
		 "CSeq: 101 %s\r\n"
		 "Content-Length: 0\r\n\r\n",
		 status, branch, to_tag, method);
}

struct slice fx_own(char *buf, const char *method, const char *branch)
{
	int n = snprintf(buf, FX_TEXT,
			 "%s sip:bob@10.0.0.10 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=%s\r\n"
			 "Max-Forwards: 69\r\n"
			 "Route: <sip:10.0.0.10;lr>\r\n"
			 "From: <sip:alice@10.0.0.1>;tag=ours\r\n"
			 "To: \"Bob\" <sip:bob@10.0.0.10>\r\n"
			 "Call-ID: own-call\r\n"
			 "CSeq: 101 %s\r\n"
			 "Contact: <sip:c@10.0.0.1>\r\n"
			 "Route: <sip:10.0.0.11;lr>, <sip:10.0.0.12;lr>\r\n"
			 "Require: timer\r\n"
			 "Content-Type: application/sdp\r\n"
			 "Content-Length: 5\r\n\r\nv=0\r\n",
			 method, branch, method);

	assert_true(n > 0 && n < (int)FX_TEXT);
	return slice_of(buf, (uint32_t)n);
}

struct slice fx_answer(char *buf, uint16_t status, const char *to_tag)
{
	int n = snprintf(buf, FX_TEXT,
			 "SIP/2.0 %u Answer\r\n"
			 "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=x\r\n"
			 "From: <sip:alice@192.0.2.1>;tag=from1\r\n"
			 "To: <sip:bob@192.0.2.9>;tag=%s\r\n"
			 "Call-ID: call-1\r\n"
			 "CSeq: 7 INVITE\r\n"
			 "Content-Length: 0\r\n\r\n",
			 status, to_tag);

	assert_true(n > 0 && n < (int)FX_TEXT);
	return slice_of(buf, (uint32_t)n);
}

enum tx_rx fx_receive(struct fx *f, struct fx_msg *x, uint64_t *tx)
{
	struct engine_path source = fx_path();
	uint64_t user = 0, ignored;
	enum tx_rx rx;

	if (tx == NULL)
		tx = &ignored;
	if (x->m.is_request)
		rx = tx_server_match(f->l, &x->m, &x->via, &source, f->now, f->out, tx);
	else
		rx = tx_client_match(f->l, &x->m, &x->via, f->now, f->out, tx, &user);
	flush(f);
	return rx;
}

uint64_t fx_server(struct fx *f, struct fx_msg *x)
{
	struct engine_path path = fx_path();
	uint64_t tx;

	assert_int_equal(fx_receive(f, x, &tx), TX_NEW);
	tx = tx_server_new(f->l, &x->m, &x->via, &path, SLICE_LIT("kept head"), 42, f->now);
	assert_true(tx != 0);
	return tx;
}

enum sbc_err fx_respond(struct fx *f, uint64_t tx, uint16_t status)
{
	char buf[FX_TEXT];
	enum sbc_err err =
		tx_server_respond(f->l, tx, status, fx_answer(buf, status, "to1"), f->now, f->out);

	/* What was sent must not lie in the caller's memory. */
	memset(buf, 'x', sizeof(buf));
	flush(f);
	return err;
}

uint64_t fx_client(struct fx *f, const char *method, const char *branch, uint64_t user)
{
	struct engine_path path = fx_path();
	char buf[FX_TEXT];
	struct slice bytes = fx_own(buf, method, branch);
	uint64_t tx = tx_client_new(f->l, sip_method_parse(slice_str(method)), slice_str(branch),
				    &path, bytes, user, f->now, f->out);

	memset(buf, 'x', sizeof(buf));
	flush(f);
	return tx;
}

void fx_cancel(struct fx *f, uint64_t tx)
{
	tx_client_cancel(f->l, tx, f->now, f->out);
	flush(f);
}

const struct fx_entry *fx_sent(struct fx *f, uint64_t at, const char *start)
{
	assert_true(f->read < f->logged);
	struct fx_entry *e = &f->log[f->read++];
	struct engine_path path = fx_path();

	assert_false(e->is_event);
	assert_memory_equal(e->text, start, strlen(start));
	assert_int_equal(e->at - f->mark, at);
	assert_int_equal(e->path.listener, path.listener);
	assert_true(net_addr_eq(e->path.remote, path.remote));
	return e;
}

void fx_said(struct fx *f, uint64_t at, enum tx_event_type type, uint64_t tx)
{
	assert_true(f->read < f->logged);
	struct fx_entry *e = &f->log[f->read++];

	assert_true(e->is_event);
	assert_int_equal(e->event.type, type);
	assert_int_equal(e->at - f->mark, at);
	assert_true(e->event.tx == tx);
}

void fx_silent(struct fx *f)
{
	if (f->read < f->logged && !f->log[f->read].is_event)
		fail_msg("unexpected at %u: %s", (unsigned)(f->log[f->read].at - f->mark),
			 f->log[f->read].text);
	assert_int_equal(f->read, f->logged);
	f->read = f->logged = 0;
}

void fx_sent_at(struct fx *f, const uint64_t *at, uint32_t n, const char *start)
{
	for (uint32_t i = 0; i < n; i++)
		fx_sent(f, at[i], start);
}
