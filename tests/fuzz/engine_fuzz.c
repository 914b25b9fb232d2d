/*
 * engine_fuzz: explores the states of calls, not only syntax.
 *
 * The input is a script of records that end at a byte 0x1e. Their first byte says
 * what happens: 'p' the phone and 'c' the pbx send the text that follows; 'a' the
 * pbx and 'b' the phone answer the last request they got with the status line's
 * rest that follows, and SDP after a line end; 't' time passes, by the number of ms; 'k'
 * kills and 's' silences the last call; 'd' drains. 'm' and a digit say how the store
 * is (enum engine_store_mode, 4 on with everything to be put again), 'y' and 'n' that
 * the oldest put under way is stored, or is not; 'z' that the process dies and begins
 * with what is stored; 'g' that the addresses are another node's. In texts, "%T" and "%U" are the
 * To value and Contact URI of the last response to the phone, "%i", "%f", "%o", "%u"
 * the Call-ID, From, To and Contact URI of the last INVITE to the pbx, and "%r" the
 * Contact URI of the last REGISTER to the pbx.
 *
 * Whatever happened: actions fit, of one id one put is under way, and when time has
 * passed no call, transaction or port is left, and nothing to be put.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/engine.h"
#include "tests/lib/change.h"
#include "tests/lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT 70000u
#define PUTS 64u

struct put {
	struct engine_store s;
	uint32_t n;
	char fields[CHECKPOINT_MAX];
};

struct bench {
	struct snapshot snapshot;
	struct engine *engine;
	struct engine_out out;
	uint64_t now;
	uint64_t call; /* of the last flow */
	int64_t flows;
	char pbx_invite[TEXT], pbx_register[TEXT], pbx_last[TEXT];
	char phone_last[TEXT], phone_response[TEXT];
	char text[TEXT];
	struct put underway[PUTS], stored[PUTS];
	uint32_t puts, records;
};

static struct bench b;

static uint32_t ip4(uint8_t w, uint8_t x, uint8_t y, uint8_t z)
{
	uint8_t bytes[4] = {w, x, y, z};
	uint32_t ip;

	memcpy(&ip, bytes, 4);
	return ip;
}

static void snapshot_make(struct snapshot *s)
{
	snapshot_defaults(s);
	s->realms = s->listeners = s->routes = 2;
	s->peers = 1;
	snapshot_realm_defaults(&s->realm[0], SNAPSHOT_UNTRUSTED, true);
	snapshot_realm_defaults(&s->realm[1], SNAPSHOT_TRUSTED, false);
	strcpy(s->realm[0].name, "access");
	strcpy(s->realm[1].name, "core");
	s->realm[0].media_ip = ip4(203, 0, 113, 1);
	s->realm[1].media_ip = ip4(10, 0, 0, 1);
	for (uint16_t i = 0; i < 2; i++) {
		s->realm[i].media_lo = (uint16_t)(20000 + 1000 * i);
		s->realm[i].media_hi = (uint16_t)(20007 + 1000 * i);
		s->listener[i].realm = i;
		s->listener[i].addr = (struct net_addr){s->realm[i].media_ip, 5060};
	}
	strcpy(s->peer[0].name, "pbx");
	s->peer[0].realm = 1;
	s->peer[0].addr = (struct net_addr){ip4(10, 0, 0, 10), 5060};
	s->route[0] = (struct snapshot_route){.from = 0, .target = SNAPSHOT_TO_PEER};
	s->route[1] = (struct snapshot_route){.from = 1, .target = SNAPSHOT_TO_REGISTERED};
}

static void begin(void)
{
	static void *memory;
	static size_t memory_size;
	struct engine_conf conf = {.key = {1, 2}, .seed = {3, 4}, .snapshot = &b.snapshot};

	memset(&b.snapshot, 0, sizeof(b.snapshot));
	snapshot_make(&b.snapshot);
	engine_limits_for(&conf.limits, 3, 3);
	conf.limits.transactions = 24;
	for (uint32_t c = 0; c < BLOB_CLASSES; c++)
		conf.limits.blob[c].count = 12;
	if (memory == NULL) {
		memory_size = engine_size(&conf);
		if (posix_memalign(&memory, 64, memory_size) != 0)
			abort();
	}
	memset(memory, 0, memory_size);
	b.now = 1000;
	b.flows = 0;
	b.call = 0;
	b.puts = 0;
	b.pbx_invite[0] = b.pbx_register[0] = b.pbx_last[0] = '\0';
	b.phone_last[0] = b.phone_response[0] = '\0';
	b.engine = engine_init(memory, memory_size, &conf, b.now);
}

static void keep(char *to, struct slice s)
{
	uint32_t n = s.n < TEXT ? s.n : TEXT - 1;

	memcpy(to, s.p, n);
	to[n] = '\0';
}

static void sent(uint16_t listener, struct slice s)
{
	bool request = text_is_request(s);

	if (listener == 0) {
		keep(request ? b.phone_last : b.phone_response, s);
		return;
	}
	if (!request || memcmp(s.p, "ACK", 3) == 0)
		return;
	keep(b.pbx_last, s);
	if (memcmp(s.p, "INVITE", 6) == 0)
		keep(b.pbx_invite, s);
	else if (memcmp(s.p, "REGISTER", 8) == 0)
		keep(b.pbx_register, s);
}

static bool same_id(const struct engine_store *a, const struct engine_store *other)
{
	return a->kind == other->kind && memcmp(a->id, other->id, IDENT_LEN) == 0;
}

static void put(const struct engine_store *s)
{
	struct put *p = &b.underway[b.puts++];

	if (b.puts > PUTS || s->fields.n > CHECKPOINT_MAX)
		abort();
	for (uint32_t i = 0; i + 1 < b.puts; i++)
		if (same_id(&b.underway[i].s, s))
			abort();
	p->s = *s;
	p->n = s->fields.n;
	memcpy(p->fields, s->fields.p, p->n);
}

static void forget(const struct engine_store *s)
{
	for (uint32_t i = 0; i < b.records; i++)
		if (same_id(&b.stored[i].s, s))
			b.stored[i--] = b.stored[--b.records];
}

static void store_action(const struct engine_action *a)
{
	if (a->type == ENGINE_STORE_PUT)
		put(a->store);
	else if (a->type == ENGINE_STORE_DELETE)
		forget(a->store);
}

static void handle(struct engine_event *ev)
{
	bool more = true;

	ev->now = b.now;
	while (more) {
		engine_out_clear(&b.out);
		more = engine_handle(b.engine, ev, &b.out);
		if (b.out.overflow)
			abort();
		for (uint32_t i = 0; i < b.out.count; i++) {
			const struct engine_action *a = &b.out.action[i];

			if (a->type == ENGINE_SEND)
				sent(a->send.path.listener, a->send.bytes);
			else if (a->type == ENGINE_FLOW_PUBLISH)
				b.call = a->flow.call;
			else
				store_action(a);
		}
		ev->type = ENGINE_EV_TICK;
	}
}

static void elapse(uint32_t ms)
{
	for (uint64_t end = b.now + ms; b.now < end;) {
		struct engine_event ev = {.type = ENGINE_EV_TICK};

		b.now = end - b.now > 500 ? b.now + 500 : end;
		handle(&ev);
	}
}

/* From memory of its exact length, so that reading past the end is seen. */
static void deliver(uint16_t listener, const char *text, uint32_t n)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};
	char *exact = malloc(n ? n : 1);

	if (exact == NULL)
		abort();
	memcpy(exact, text, n);
	ev.message.bytes = slice_of(exact, n);
	ev.message.path.listener = listener;
	ev.message.path.remote =
		listener ? b.snapshot.peer[0].addr : (struct net_addr){ip4(198, 51, 100, 7), 41000};
	handle(&ev);
	free(exact);
}

static struct slice token(char c)
{
	struct slice invite = slice_str(b.pbx_invite), response = slice_str(b.phone_response);

	switch (c) {
	case 'T':
		return text_header(response, "To", 0);
	case 'U':
		return text_uri(text_header(response, "Contact", 0));
	case 'i':
		return text_header(invite, "Call-ID", 0);
	case 'f':
		return text_header(invite, "From", 0);
	case 'o':
		return text_header(invite, "To", 0);
	case 'u':
		return text_uri(text_header(invite, "Contact", 0));
	case 'r':
		return text_uri(text_header(slice_str(b.pbx_register), "Contact", 0));
	default:
		return SLICE_NONE;
	}
}

static void say(uint16_t listener, struct slice script)
{
	struct wbuf w;

	wbuf_init(&w, b.text, sizeof(b.text));
	for (uint32_t i = 0; i < script.n; i++) {
		if (script.p[i] == '%' && i + 1 < script.n)
			wbuf_put(&w, token(script.p[++i]));
		else
			wbuf_char(&w, script.p[i]);
	}
	deliver(listener, b.text, w.n);
}

static void answer(uint16_t listener, const char *request, struct slice script)
{
	struct slice m = slice_str(request);
	int32_t eol = slice_find(script, '\n');
	struct slice status = eol < 0 ? script : slice_of(script.p, (uint32_t)eol);
	struct slice sdp =
		eol < 0 ? SLICE_NONE : slice_of(script.p + eol + 1, script.n - (uint32_t)eol - 1);
	static const char *const copied[] = {"Via", "From", "Call-ID", "CSeq"};
	struct wbuf w;

	if (*request == '\0')
		return;
	wbuf_init(&w, b.text, sizeof(b.text));
	wbuf_lit(&w, "SIP/2.0 ");
	wbuf_put(&w, status);
	wbuf_lit(&w, "\r\n");
	for (uint32_t i = 0; i < 4; i++) {
		wbuf_put(&w, slice_str(copied[i]));
		wbuf_lit(&w, ": ");
		wbuf_put(&w, text_header(m, copied[i], 0));
		wbuf_lit(&w, "\r\n");
	}
	wbuf_lit(&w, "To: ");
	wbuf_put(&w, text_header(m, "To", 0));
	if (text_param(text_header(m, "To", 0), "tag").n == 0)
		wbuf_lit(&w, ";tag=fuzz");
	wbuf_lit(&w, "\r\nContact: <");
	if (text_is(text_method(m), "REGISTER"))
		wbuf_put(&w, text_uri(text_header(m, "Contact", 0)));
	else
		wbuf_put(&w, listener ? SLICE_LIT("sip:bob@10.0.0.10")
				      : SLICE_LIT("sip:p@192.168.1.2"));
	wbuf_lit(&w, ">\r\nContent-Type: application/sdp\r\n\r\n");
	wbuf_put(&w, sdp);
	deliver(listener, b.text, w.n);
}

static void command(enum engine_command what)
{
	struct engine_event ev = {.type = ENGINE_EV_COMMAND};

	ev.command.what = what;
	ev.command.call = b.call;
	handle(&ev);
}

static void silence(void)
{
	struct engine_event ev = {.type = ENGINE_EV_MEDIA};

	ev.media.type = ENGINE_MEDIA_SILENT;
	ev.media.call = b.call;
	handle(&ev);
}

static void mode(uint32_t n)
{
	struct engine_event ev = {.type = ENGINE_EV_STORE};

	ev.store.mode = (enum engine_store_mode)(n & 3);
	ev.store.resync = (n & 4) != 0;
	handle(&ev);
}

/* Makes a change into what becomes of its record; false when that is not of the version before. */
static bool change(struct put *p)
{
	static char room[CHECKPOINT_MAX];
	struct wbuf w;

	for (uint32_t i = 0; i < b.records; i++) {
		const struct put *was = &b.stored[i];

		if (!same_id(&was->s, &p->s) || was->s.version + 1 != p->s.version)
			continue;
		wbuf_init(&w, room, sizeof(room));
		if (!change_apply(&w, slice_of(was->fields, was->n), slice_of(p->fields, p->n),
				  p->s.gone))
			abort();
		memcpy(p->fields, room, w.n);
		p->n = w.n;
		return true;
	}
	return false;
}

static void acknowledge(bool ok)
{
	struct engine_event ev = {.type = ENGINE_EV_STORED};
	static struct put p;

	if (b.puts == 0)
		return;
	p = b.underway[0];
	memmove(&b.underway[0], &b.underway[1], --b.puts * sizeof(p));
	ev.stored.kind = p.s.kind;
	ev.stored.handle = p.s.handle;
	ev.stored.version = p.s.version;
	ev.stored.ok = ok;
	if (!p.s.whole)
		ok = ok && change(&p);
	ev.stored.ok = ok;
	/* What was refused may or may not have been carried out: here nothing is left of it. */
	forget(&p.s);
	if (ok && b.records < PUTS)
		b.stored[b.records++] = p;
	handle(&ev);
}

static void die(void)
{
	begin();
	for (uint32_t i = 0; i < b.records; i++) {
		struct engine_event ev = {.type = ENGINE_EV_RESTORE};

		ev.restore.kind = b.stored[i].s.kind;
		ev.restore.fields = slice_of(b.stored[i].fields, b.stored[i].n);
		handle(&ev);
	}
}

static void group_lost(void)
{
	struct engine_event ev = {.type = ENGINE_EV_GROUP};

	handle(&ev);
}

static void record(char op, struct slice rest)
{
	switch (op) {
	case 'p':
		say(0, rest);
		break;
	case 'c':
		say(1, rest);
		break;
	case 'a':
		answer(1, b.pbx_last, rest);
		break;
	case 'b':
		answer(0, b.phone_last, rest);
		break;
	case 't':
		elapse(text_number(rest) % 40000);
		break;
	case 'k':
		command(ENGINE_KILL);
		break;
	case 's':
		silence();
		break;
	case 'd':
		command(ENGINE_DRAIN);
		break;
	case 'm':
		mode(text_number(rest));
		break;
	case 'y':
	case 'n':
		acknowledge(op == 'y');
		break;
	case 'z':
		die();
		break;
	case 'g':
		group_lost();
		break;
	default:
		break;
	}
}

/* Calls that stand would stand for ever. */
static void kill_all(void)
{
	struct engine_call_info info;
	uint32_t cursor = 0;

	while (engine_calls_read(b.engine, &cursor, &info, 1)) {
		b.call = info.call;
		command(ENGINE_KILL);
	}
}

/* What is under way is stored, and what it kept back is put and stored. */
static void store_all(void)
{
	while (b.puts) {
		while (b.puts)
			acknowledge(true);
		elapse(1000);
	}
}

static void end(void)
{
	struct engine_stats st;

	elapse(b.snapshot.ring_timeout_ms);
	kill_all();
	store_all();
	elapse(b.snapshot.ring_timeout_ms + 150000);
	store_all();
	engine_stats_read(b.engine, &st);
	if (st.calls || st.calls_established || st.transactions || st.ports_used)
		abort();
	if (st.blobs && st.registrations == 0)
		abort();
	if (st.store_held || st.degraded || st.store_inflight)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t records = 0;

	b.records = 0;
	begin();
	for (size_t at = 0; at < size && records < 40; records++) {
		const uint8_t *stop = memchr(data + at, 0x1e, size - at);
		size_t n = stop ? (size_t)(stop - data) - at : size - at;

		if (n)
			record((char)data[at],
			       slice_of((const char *)data + at + 1, (uint32_t)(n - 1)));
		at += n + 1;
	}
	end();
	return 0;
}
