/*
 * million_bench: what a call costs when there are a million beside it.
 *
 * Calls are established, refreshed by re-INVITEs at random, and ended in random
 * order, through engine_handle() and, as the dataplane does it, through the table
 * of flows (dataplane/flows.c): both legs, RTP and RTCP, several media addresses.
 * Only no packet moves. Two borders stand side by side, one with 10,000 calls at a
 * time and one with a million, in virtual time at rates in the proportion of their
 * sizes, so that each keeps as many finished transactions as it would in life. They
 * take turns: a slice of the large one's work, then a whole round of the small
 * one's, so that a busy neighbour meets both. The reference is the small one.
 *
 * The exit code says whether all calls were answered and ended and everything was
 * given back; it does not depend on speed.
 */
#include <arpa/inet.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/flows.h"
#include "dataplane/worker.h"
#include "sbc/core/call.h"
#include "talk.h"

#define SMALL      10000u
#define SLICES     10u
#define SETUP_S    200u /* of virtual time in which all calls of a border come */
#define QUIET_MS   40000u
#define REFRESHES  10000u /* a slice */
#define PORT_PAIRS 32256u /* of 1024 to 65535 */

enum cost { SETUP, REFRESH, END, COSTS };

/* What the caller knows of its call, to go on with it. */
struct phone {
	char user[IDENT_LEN]; /* of our Contact */
	char tag[IDENT_TAG_LEN];
	uint32_t cseq;
};

struct border {
	uint32_t calls;
	struct snapshot snapshot;
	struct engine_conf conf;
	struct engine *engine;
	struct engine_out *out;
	struct dataplane *dp;
	struct worker *w;
	struct phone *phone;
	uint32_t *order;
	uint64_t clock_us; /* virtual */
	uint64_t flows_published, flows_retired, answered;
	double ns[COSTS];
	uint64_t done[COSTS];
	char request[TALK_MESSAGE], response[TALK_MESSAGE];
};

static uint64_t random_state = 88172645463325252ull;
static double spent;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) * n >> 32);
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "million_bench: %s\n", what);
	exit(1);
}

static void keep(char *to, struct slice s)
{
	if (s.n >= TALK_MESSAGE)
		die("message too long");
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

/* ---- a border ---- */

static void *memory(size_t n)
{
	void *p = memory_map(n);

	if (p == NULL)
		die("no memory");
	return p;
}

/* As many addresses as the calls need ports of, with an eighth to spare. */
static void addresses(struct border *b)
{
	uint32_t need = (b->calls + b->calls / 8) / PORT_PAIRS + 1;

	for (uint16_t i = 0; i < 2; i++) {
		struct snapshot_realm *r = &b->snapshot.realm[i];

		r->media_lo = 1024;
		r->media_hi = 65535;
		r->media_timeout_s = 0;
		for (uint32_t k = 1; k < need; k++)
			r->media_extra[r->media_extras++] = r->media_ip + htonl(64 + k);
		b->snapshot.listener[i].addr.port = 900;
	}
	b->snapshot.max_call_s = 0;
}

/* The table of flows without devices, EAL or other workers. */
static void dataplane_make(struct border *b)
{
	struct dataplane *dp = memory(sizeof(*dp));
	struct worker *w = memory(sizeof(*w));
	ssize_t n = rte_ring_get_memsize_elem(sizeof(struct engine_record), WORKER_RECORDS);
	char why[256];

	b->dp = dp;
	b->w = w;
	dp->workers = 1;
	dp->ports = dp->conf.ports = 2;
	dp->conf.snapshot = &b->snapshot;
	for (uint16_t i = 0; i < 2; i++) {
		dp->conf.port[i].ip = b->snapshot.realm[i].media_ip;
		dp->conf.port[i].prefix = 24;
		dp->conf.port[i].gateway = dp->conf.port[i].ip ^ htonl(0xfe);
		dp->conf.realm_port[i] = i;
	}
	if (!ports_build(dp, why, sizeof(why)))
		die(why);
	dp->flow = memory((size_t)dp->flow_count * sizeof(*dp->flow));
	dp->flow_slot = memory((size_t)dp->flow_count * sizeof(*dp->flow_slot));
	dp->neigh = memory(sizeof(*dp->neigh));
	w->dp = dp;
	w->active = UINT32_MAX;
	w->snapshot = &b->snapshot;
	w->live = memory((size_t)dp->flow_count * sizeof(*w->live));
	w->records = memory((size_t)n);
	if (rte_ring_init(w->records, "records", WORKER_RECORDS, RING_F_SP_ENQ | RING_F_SC_DEQ) !=
	    0)
		die("no ring");
}

static struct border *border_make(uint32_t calls)
{
	struct border *b = memory(sizeof(*b));
	size_t size;

	b->calls = calls;
	b->clock_us = 1000000;
	talk_snapshot(&b->snapshot);
	addresses(b);
	b->conf = (struct engine_conf){
		.key = {0x1234, 0x5678}, .seed = {0x9abc, 0xdef0}, .snapshot = &b->snapshot};
	/* Twice the rate: refreshing and ending are requests as well. */
	engine_limits_rate(&b->conf.limits, calls, 100, 2 * (calls / SETUP_S) + 16);
	size = engine_size(&b->conf);
	b->engine = engine_init(memory(size), size, &b->conf, b->clock_us / 1000);
	if (b->engine == NULL)
		die("engine_init failed");
	b->out = memory(sizeof(*b->out));
	b->phone = memory(calls * sizeof(*b->phone));
	b->order = memory(calls * sizeof(*b->order));
	for (uint32_t i = 0; i < calls; i++)
		b->order[i] = i;
	dataplane_make(b);
	return b;
}

/* ---- events ---- */

static void carry(struct border *b)
{
	relay_ahead(b->w, b->out);
	for (uint32_t i = 0; i < b->out->count; i++) {
		const struct engine_action *a = &b->out->action[i];

		if (a->type == ENGINE_FLOW_PUBLISH)
			relay_publish(b->w, &a->flow);
		else if (a->type == ENGINE_FLOW_RETIRE)
			relay_retire(b->w, a->flow.realm, a->flow.address, a->flow.port);
	}
}

static void collect(struct border *b)
{
	for (uint32_t i = 0; i < b->out->count; i++) {
		const struct engine_action *a = &b->out->action[i];

		b->flows_published += a->type == ENGINE_FLOW_PUBLISH;
		b->flows_retired += a->type == ENGINE_FLOW_RETIRE;
		if (a->type != ENGINE_SEND)
			continue;
		if (a->send.path.listener == 0)
			keep(b->response, a->send.bytes);
		else if (memcmp(a->send.bytes.p, "ACK", 3) != 0)
			keep(b->request, a->send.bytes);
	}
	rte_ring_reset(b->w->records);
	if (b->out->overflow)
		die("actions did not fit");
}

/* The engine's and the flows' part is timed, what the phones do is not. */
static bool handle(struct border *b, struct engine_event *ev)
{
	double at;
	bool more;

	ev->now = b->w->now = b->clock_us / 1000;
	engine_out_clear(b->out);
	at = now_ns();
	more = engine_handle(b->engine, ev, b->out);
	carry(b);
	spent += now_ns() - at;
	collect(b);
	return more;
}

static void tick(struct border *b)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK};

	while (handle(b, &ev))
		;
}

static void elapse(struct border *b, uint64_t us)
{
	b->clock_us += us;
	tick(b);
}

static void receive(struct border *b, uint16_t listener, const char *text, uint32_t n)
{
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE};

	ev.message.bytes = slice_of(text, n);
	ev.message.path.listener = listener;
	ev.message.path.remote = talk_source(&b->snapshot, listener);
	handle(b, &ev);
}

static void answer(struct border *b, const char *status, uint32_t id, bool sdp)
{
	char text[TALK_MESSAGE], tag[32] = "";

	if (id != UINT32_MAX)
		snprintf(tag, sizeof(tag), ";tag=b%08x", id);
	uint32_t n = talk_answer(text, slice_str(b->request), status, tag, sdp);
	if (n == 0)
		die("nothing to answer");
	receive(b, 1, text, n);
}

/* ---- calls ---- */

/* A session refresh: the offer as it was (RFC 4028 7.4). */
static uint32_t refresh_write(char *out, uint32_t cseq, uint32_t id, const char *target,
			      const char *to)
{
	static const char offer[] =
		"v=0\r\no=alice 2890844526 2890844527 IN IP4 192.168.1.20\r\ns=-\r\n"
		"c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
		"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n";

	return (uint32_t)snprintf(
		out, TALK_MESSAGE,
		"INVITE %s SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKr%x%08x\r\n"
		"Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@203.0.113.1>;tag=a%08x\r\n"
		"To: %s\r\nCall-ID: %08x@192.168.1.20\r\nCSeq: %u INVITE\r\n"
		"Contact: <sip:alice@192.168.1.20:5062>\r\n"
		"Content-Type: application/sdp\r\nContent-Length: %zu\r\n\r\n%s",
		target, cseq, id, id, to, id, cseq, sizeof(offer) - 1, offer);
}

static void say(struct border *b, const char *method, uint32_t cseq, uint32_t id, bool sdp)
{
	const struct phone *p = &b->phone[id];
	char text[TALK_MESSAGE], target[128], to[128];

	snprintf(target, sizeof(target), "sip:%.*s@203.0.113.1:900", (int)IDENT_LEN, p->user);
	snprintf(to, sizeof(to), "<sip:bob@203.0.113.1>;tag=%.*s", (int)IDENT_TAG_LEN, p->tag);
	if (sdp)
		receive(b, 0, text, refresh_write(text, cseq, id, target, to));
	else
		receive(b, 0, text, talk_in_dialog(text, method, cseq, id, target, to));
}

static void learn(struct border *b, uint32_t id)
{
	static const char contact[] = "Contact: <sip:", tag[] = ";tag=";
	const char *c = strstr(b->response, contact), *to = strstr(b->response, "\r\nTo: ");
	const char *t = to != NULL ? strstr(to, tag) : NULL;

	if (c == NULL || t == NULL || strncmp(b->response, "SIP/2.0 200", 11) != 0)
		die("a call was not answered");
	memcpy(b->phone[id].user, c + sizeof(contact) - 1, IDENT_LEN);
	memcpy(b->phone[id].tag, t + sizeof(tag) - 1, IDENT_TAG_LEN);
	b->phone[id].cseq = 1;
	b->answered++;
}

static void call_setup(struct border *b, uint32_t id)
{
	char text[TALK_MESSAGE];

	receive(b, 0, text, talk_invite(text, id));
	answer(b, "180 Ringing", id, false);
	answer(b, "200 OK", id, true);
	learn(b, id);
	say(b, "ACK", 1, id, false);
	elapse(b, SETUP_S * 1000000ull / b->calls);
}

static void call_refresh(struct border *b, uint32_t id)
{
	uint32_t cseq = ++b->phone[id].cseq;

	say(b, "INVITE", cseq, id, true);
	answer(b, "200 OK", UINT32_MAX, true);
	if (strncmp(b->response, "SIP/2.0 200", 11) != 0)
		die("a call was not refreshed");
	say(b, "ACK", cseq, id, false);
	elapse(b, SETUP_S * 1000000ull / b->calls);
}

static void call_end_one(struct border *b, uint32_t id)
{
	say(b, "BYE", ++b->phone[id].cseq, id, false);
	answer(b, "200 OK", UINT32_MAX, false);
	if (strncmp(b->response, "SIP/2.0 200", 11) != 0)
		die("a call was not ended");
	elapse(b, SETUP_S * 1000000ull / b->calls);
}

static void shuffle(struct border *b)
{
	for (uint32_t i = b->calls - 1; i > 0; i--) {
		uint32_t j = random_below(i + 1), was = b->order[i];

		b->order[i] = b->order[j];
		b->order[j] = was;
	}
}

static void work(struct border *b, enum cost what, uint32_t from, uint32_t to)
{
	spent = 0;
	for (uint32_t i = from; i < to; i++) {
		if (what == SETUP)
			call_setup(b, b->order[i]);
		else if (what == REFRESH)
			call_refresh(b, random_below(b->calls));
		else
			call_end_one(b, b->order[i]);
	}
	b->ns[what] += spent;
	b->done[what] += to - from;
}

/* All that is kept of what is over goes, in steps as small as in life. */
static void settle(struct border *b)
{
	for (uint32_t i = 0; i < QUIET_MS / 4; i++)
		elapse(b, 4000);
}

/* ---- what must be true ---- */

static void check(const struct border *b, uint32_t calls)
{
	struct engine_stats s;

	engine_stats_read(b->engine, &s);
	if (s.calls != calls || s.calls_established != calls || b->w->live_count != 4 * calls ||
	    s.ports_used != 4 * calls)
		die("calls, flows or ports are not as many as they should be");
	if (calls == 0 && (s.transactions != 0 || s.blobs != 0 || b->answered != s.calls_answered ||
			   b->flows_retired == 0))
		die("something of ended calls is left");
}

static void round_of(struct border *b)
{
	shuffle(b);
	work(b, SETUP, 0, b->calls);
	check(b, b->calls);
	work(b, REFRESH, 0, REFRESHES);
	shuffle(b);
	work(b, END, 0, b->calls);
	settle(b);
	check(b, 0);
}

/* ---- memory ---- */

/* What tables, timers and free lists have for each call beside its object. */
static uint32_t call_places(void)
{
	uint32_t place = 2 * sizeof(uint32_t), head = sizeof(uint32_t);
	uint32_t tables = 3 * place + 2 * 3 * head; /* heads are up to twice the capacity */
	uint32_t timer = 2 * sizeof(uint32_t) + sizeof(uint64_t);

	return tables + timer + 2 * sizeof(uint32_t);
}

/* Bytes in use by one established call when nothing else is: counted, not configured. */
static double call_bytes(const struct border *b)
{
	const struct engine *e = b->engine;
	const struct blob_store *blobs = &e->blobs;
	uint64_t n = 0;

	for (uint32_t c = 0; c < BLOB_CLASSES; c++)
		n += (uint64_t)blobs->used[c] * (blobs->cls[c].size + sizeof(**blobs->place));
	n += (uint64_t)e->calls.used * (sizeof(struct call) + call_places());
	n += (uint64_t)b->w->live_count *
	     (sizeof(struct flow) + sizeof(struct flow_slot) + sizeof(*b->w->live) + 1);
	n += (uint64_t)b->w->live_count / 2 * 2 * sizeof(uint16_t); /* a pair's links */
	return (double)n / e->calls.used;
}

/* ---- what is printed ---- */

static void print(const char *name, double large, double small)
{
	printf("{\"name\": \"one million calls, cost of %s\", \"value\": %.0f, \"unit\": \"ns\", "
	       "\"reference\": \"the same with %u calls\", \"reference_value\": %.0f, "
	       "\"goal\": 1.3, \"goal_of\": \"ratio\", \"better\": \"lower\"}\n",
	       name, large, SMALL, small);
}

static void print_count(const char *name, double value, const char *unit, double goal,
			const char *better)
{
	printf("{\"name\": \"one million calls, %s\", \"value\": %.0f, \"unit\": \"%s\", "
	       "\"goal\": %.0f, \"better\": \"%s\"}\n",
	       name, value, unit, goal, better);
}

static void print_all(const struct border *small, const struct border *large, double bytes)
{
	static const char *const name[COSTS] = {"setting one up", "refreshing one", "ending one"};
	double s = 0, l = 0;

	for (int i = 0; i < COSTS; i++) {
		double sc = small->ns[i] / (double)small->done[i];
		double lc = large->ns[i] / (double)large->done[i];

		print(name[i], lc, sc);
		s += sc;
		l += lc;
	}
	print("a call", l, s);
	print_count("established at one time", large->calls, "calls", 1000000, "higher");
	print_count("bytes of one", bytes, "bytes", 4096, "lower");
}

static uint32_t calls_of(int argc, char **argv)
{
	uint32_t n = 1000000;

	if (argc > 1)
		n = strcmp(argv[1], "--smoke") == 0 ? 2 * SMALL
						    : (uint32_t)strtoul(argv[1], NULL, 10);
	return n < SMALL ? SMALL : n / SLICES * SLICES;
}

/* million_bench [CALLS | --smoke] */
int main(int argc, char **argv)
{
	struct border *small = border_make(SMALL), *large = border_make(calls_of(argc, argv));
	uint32_t slice = large->calls / SLICES;
	double bytes;

	round_of(small);
	memset(small->ns, 0, sizeof(small->ns));
	memset(small->done, 0, sizeof(small->done));
	shuffle(large);
	for (uint32_t i = 0; i < SLICES; i++) {
		work(large, SETUP, i * slice, (i + 1) * slice);
		if (i & 1)
			round_of(small);
	}
	settle(large);
	check(large, large->calls);
	bytes = call_bytes(large);
	for (uint32_t i = 0; i < SLICES; i++)
		work(large, REFRESH, 0, REFRESHES);
	shuffle(large);
	for (uint32_t i = 0; i < SLICES; i++) {
		work(large, END, i * slice, (i + 1) * slice);
		if (i & 1)
			round_of(small);
	}
	settle(large);
	check(large, 0);
	print_all(small, large, bytes);
	return 0;
}
