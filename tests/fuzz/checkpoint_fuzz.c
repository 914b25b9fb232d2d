/*
 * Any bytes as a checkpoint. As they are, flat: what can be read is written, and read
 * again to the same. As text, "name value" lines with \r and \n for line ends in
 * values, they are made flat first and then also given to an engine, twice, the
 * second time as a later version: whatever it says to them, when its calls have been
 * killed and time has passed, nothing is left.
 *
 * The corpus holds identifiers minted with the key below.
 */
#include <stdlib.h>
#include <string.h>

#include "sbc/core/checkpoint.h"
#include "sbc/core/engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WALL_MS 1760000000000ull

static struct {
	struct snapshot snapshot;
	struct engine *engine;
	struct engine_out out;
	uint64_t now;
	int64_t flows;
} b;

static void must(int promise)
{
	if (!promise)
		abort();
}

/* ---- codec ---- */

static void check_call(struct slice flat)
{
	static struct call_checkpoint c, again;
	static char one[CHECKPOINT_MAX * 4], two[CHECKPOINT_MAX * 4];
	struct wbuf w, v;

	if (checkpoint_call_read(&c, flat) != SBC_OK)
		return;
	wbuf_init(&w, one, sizeof(one));
	checkpoint_call_write(&w, &c);
	must(wbuf_ok(&w));
	must(checkpoint_call_read(&again, wbuf_slice(&w)) == SBC_OK);
	wbuf_init(&v, two, sizeof(two));
	checkpoint_call_write(&v, &again);
	must(wbuf_ok(&v) && slice_eq(wbuf_slice(&w), wbuf_slice(&v)));
	must(again.streams == c.streams && again.exchanges == c.exchanges);
}

static void check_registration(struct slice flat)
{
	struct registration_checkpoint r, again;
	static char one[CHECKPOINT_MAX * 4];
	struct wbuf w;

	if (checkpoint_registration_read(&r, flat) != SBC_OK)
		return;
	wbuf_init(&w, one, sizeof(one));
	checkpoint_registration_write(&w, &r);
	must(wbuf_ok(&w));
	must(checkpoint_registration_read(&again, wbuf_slice(&w)) == SBC_OK);
	must(slice_eq(r.contact, again.contact) && r.expires == again.expires);
}

/* ---- engine ---- */

static void realm_make(uint16_t i, const char *name, enum snapshot_trust trust, const char *ip,
		       uint16_t lo)
{
	struct snapshot *s = &b.snapshot;

	snapshot_realm_defaults(&s->realm[i], trust, trust == SNAPSHOT_UNTRUSTED);
	strcpy(s->realm[i].name, name);
	must(net_ip_parse(slice_str(ip), &s->realm[i].media_ip));
	s->realm[i].media_lo = lo;
	s->realm[i].media_hi = (uint16_t)(lo + 9999);
	s->listener[i].realm = i;
	s->listener[i].addr = (struct net_addr){s->realm[i].media_ip, 5060};
}

static void bench_make(void)
{
	struct engine_conf conf = {.snapshot = &b.snapshot, .wall_ms = WALL_MS};
	struct snapshot *s = &b.snapshot;

	snapshot_defaults(s);
	s->realms = s->listeners = 2;
	s->peers = s->routes = 1;
	realm_make(0, "access", SNAPSHOT_UNTRUSTED, "203.0.113.1", 20000);
	realm_make(1, "core", SNAPSHOT_TRUSTED, "10.0.0.1", 30000);
	strcpy(s->peer[0].name, "pbx");
	s->peer[0].realm = 1;
	must(net_addr_parse(SLICE_LIT("10.0.0.10:5060"), &s->peer[0].addr));
	s->route[0] = (struct snapshot_route){.from = 0, .target = SNAPSHOT_TO_PEER};
	engine_limits_for(&conf.limits, 4, 4);
	conf.key = (struct siphash_key){0x0706050403020100ull ^ 42, 0x0f0e0d0c0b0a0908ull};
	b.now = 1000000;
	size_t size = (engine_size(&conf) + 63) & ~(size_t)63;
	b.engine = engine_init(aligned_alloc(64, size), size, &conf, b.now);
	must(b.engine != NULL);
}

static void handle(struct engine_event *ev)
{
	struct engine_event tick = {.type = ENGINE_EV_TICK};
	bool more = true;

	while (more) {
		engine_out_clear(&b.out);
		ev->now = b.now;
		more = engine_handle(b.engine, ev, &b.out);
		must(!b.out.overflow);
		for (uint32_t i = 0; i < b.out.count; i++) {
			b.flows += b.out.action[i].type == ENGINE_FLOW_PUBLISH;
			must(b.out.action[i].type != ENGINE_SEND ||
			     net_addr_is_set(b.out.action[i].send.path.remote));
		}
		ev = &tick;
	}
}

static void restore(enum checkpoint_kind kind, struct slice flat)
{
	struct engine_event ev = {.type = ENGINE_EV_RESTORE};

	ev.restore.kind = kind;
	ev.restore.fields = flat;
	handle(&ev);
}

/* The same call in a later version. */
static void restore_later(struct slice flat)
{
	static struct call_checkpoint c;
	static char bytes[CHECKPOINT_MAX * 4];
	struct wbuf w;

	if (checkpoint_call_read(&c, flat) != SBC_OK || c.version == UINT32_MAX)
		return;
	c.version++;
	wbuf_init(&w, bytes, sizeof(bytes));
	checkpoint_call_write(&w, &c);
	must(wbuf_ok(&w));
	restore(CHECKPOINT_CALL, wbuf_slice(&w));
}

static void forget_registration(struct slice flat)
{
	struct engine_event ev = {.type = ENGINE_EV_FORGET};
	struct registration_checkpoint r;

	if (checkpoint_registration_read(&r, flat) != SBC_OK)
		return;
	ev.forget.kind = CHECKPOINT_REGISTRATION;
	memcpy(ev.forget.id, r.id.p, IDENT_LEN);
	handle(&ev);
}

static void pass(uint64_t ms)
{
	for (uint64_t end = b.now + ms; b.now < end; b.now += 4000) {
		struct engine_event tick = {.type = ENGINE_EV_TICK};

		handle(&tick);
	}
}

static void kill_all(void)
{
	struct engine_call_info info[8];
	uint32_t cursor = 0, n = engine_calls_read(b.engine, &cursor, info, 8);

	for (uint32_t i = 0; i < n; i++) {
		struct engine_event ev = {.type = ENGINE_EV_COMMAND};

		ev.command.what = ENGINE_KILL;
		ev.command.call = info[i].call;
		handle(&ev);
	}
}

static void check_engine(struct slice flat)
{
	struct engine_stats s;

	if (b.engine == NULL)
		bench_make();
	restore(CHECKPOINT_CALL, flat);
	restore(CHECKPOINT_REGISTRATION, flat);
	pass(8000);
	restore_later(flat);
	kill_all();
	forget_registration(flat);
	pass(120000);
	engine_stats_read(b.engine, &s);
	must(s.calls == 0 && s.calls_established == 0 && s.registrations == 0);
	must(s.transactions == 0 && s.ports_used == 0 && s.blobs == 0);
}

/* ---- text ---- */

static struct slice flat_of(const char *p, size_t n, char *room, uint32_t cap)
{
	static char value[70000];
	const char *end = p + n;
	struct wbuf w;

	wbuf_init(&w, room, cap);
	while (p < end) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		const char *stop = lf ? lf : end, *sp = memchr(p, ' ', (size_t)(stop - p));
		uint32_t len = 0;

		for (const char *q = sp ? sp + 1 : stop; q < stop; q++) {
			bool escape = *q == '\\' && q + 1 < stop;

			q += escape;
			value[len++] = !escape ? *q : *q == 'r' ? '\r' : '\n';
		}
		checkpoint_put(&w, slice_of(p, (uint32_t)((sp ? sp : stop) - p)),
			       slice_of(value, len));
		p = stop + 1;
	}
	return wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char room[CHECKPOINT_MAX];
	struct slice flat;

	if (size > CHECKPOINT_MAX)
		return 0;
	flat = slice_of((const char *)data, (uint32_t)size);
	check_call(flat);
	check_registration(flat);
	flat = flat_of((const char *)data, size, room, sizeof(room));
	if (flat.n == 0)
		return 0;
	check_call(flat);
	check_registration(flat);
	check_engine(flat);
	return 0;
}
