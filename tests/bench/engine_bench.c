/*
 * engine_bench: what a whole two-leg call costs without I/O.
 *
 * INVITE, 100, 180, 200, ACK, BYE, 200: seven messages in, with SDP and media
 * flows, through engine_handle() at 1,000 calls a second of virtual time, so that
 * every transaction lives its 32 s and the tables are as full as in real life.
 * Only the engine's own calls are timed; of rounds of calls the median is taken,
 * so that a busy neighbour does not count. The reference is indexing the same seven
 * messages once, the least that reading them costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sbc/core/engine.h"
#include "sbc/sip/addr.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/via.h"

#define WARM_CALLS     34000u
#define ROUNDS         151u
#define ROUND_CALLS    200u
#define MEASURED_CALLS (ROUNDS * ROUND_CALLS)
#define CALL_MS        1u
#define MESSAGES       7u

static const char invite_form[] = "INVITE sip:bob@203.0.113.1 SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKi%08x\r\n"
				  "Max-Forwards: 70\r\n"
				  "From: \"Alice\" <sip:alice@203.0.113.1>;tag=a%08x\r\n"
				  "To: <sip:bob@203.0.113.1>\r\n"
				  "Call-ID: %08x@192.168.1.20\r\n"
				  "CSeq: 1 INVITE\r\n"
				  "Contact: <sip:alice@192.168.1.20:5062>\r\n"
				  "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n"
				  "Supported: timer, 100rel\r\n"
				  "User-Agent: bench\r\n"
				  "Content-Type: application/sdp\r\n"
				  "Content-Length: %zu\r\n\r\n%s";

static const char offer_sdp[] =
	"v=0\r\no=alice 2890844526 2890844527 IN IP4 192.168.1.20\r\ns=-\r\n"
	"c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
	"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
	"a=rtpmap:101 telephone-event/8000\r\n";

static const char dialog_form[] =
	"%s %s SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bK%c%08x\r\n"
	"Max-Forwards: 70\r\n"
	"From: \"Alice\" <sip:alice@203.0.113.1>;tag=a%08x\r\n"
	"To: %s\r\n"
	"Call-ID: %08x@192.168.1.20\r\n"
	"CSeq: %u %s\r\n"
	"Content-Length: 0\r\n\r\n";

static const char answer_sdp[] = "v=0\r\no=bob 7290844001 7290844001 IN IP4 10.0.0.20\r\ns=-\r\n"
				 "c=IN IP4 10.0.0.20\r\nt=0 0\r\nm=audio 17000 RTP/AVP 8 101\r\n"
				 "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

struct bench {
	struct snapshot snapshot;
	struct engine *engine;
	struct engine_out out;
	uint64_t now;
	double handle_ns, parse_ns;
	char request[4096];  /* towards the callee, to be answered */
	char response[4096]; /* towards the caller */
	struct sip_msg m;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	uint8_t bytes[4] = {a, b, c, d};
	uint32_t ip;

	memcpy(&ip, bytes, 4);
	return ip;
}

static void die(const char *what)
{
	fprintf(stderr, "engine_bench: %s\n", what);
	exit(1);
}

static void snapshot_make(struct snapshot *s)
{
	snapshot_defaults(s);
	s->realms = 2;
	s->listeners = 2;
	s->peers = 1;
	s->routes = 1;
	strcpy(s->realm[0].name, "access");
	snapshot_realm_defaults(&s->realm[0], SNAPSHOT_UNTRUSTED, true);
	s->realm[0].media_ip = ip4(203, 0, 113, 1);
	strcpy(s->realm[1].name, "core");
	snapshot_realm_defaults(&s->realm[1], SNAPSHOT_TRUSTED, false);
	s->realm[1].media_ip = ip4(10, 0, 0, 1);
	for (uint16_t i = 0; i < 2; i++) {
		s->realm[i].media_lo = 10000;
		s->realm[i].media_hi = 59999;
		s->listener[i].realm = i;
		s->listener[i].addr = (struct net_addr){s->realm[i].media_ip, 5060};
	}
	strcpy(s->peer[0].name, "pbx");
	s->peer[0].realm = 1;
	s->peer[0].addr = (struct net_addr){ip4(10, 0, 0, 10), 5060};
	s->route[0] = (struct snapshot_route){.from = 0, .target = SNAPSHOT_TO_PEER, .peer = 0};
}

static void keep(char *to, struct slice s)
{
	if (s.n >= 4096)
		die("message too long");
	memcpy(to, s.p, s.n);
	to[s.n] = '\0';
}

/* Carries the actions out: what each side was sent last is kept. */
static void bench_collect(struct bench *b)
{
	for (uint32_t i = 0; i < b->out.count; i++) {
		const struct engine_action *a = &b->out.action[i];

		if (a->type != ENGINE_SEND)
			continue;
		if (a->send.path.listener == 0)
			keep(b->response, a->send.bytes);
		else if (memcmp(a->send.bytes.p, "ACK", 3) != 0)
			keep(b->request, a->send.bytes);
	}
	if (b->out.overflow)
		die("actions did not fit");
}

static void bench_tick(struct bench *b)
{
	struct engine_event ev = {.type = ENGINE_EV_TICK, .now = b->now};
	bool more = true;

	while (more) {
		engine_out_clear(&b->out);
		double at = now_ns();
		more = engine_handle(b->engine, &ev, &b->out);
		b->handle_ns += now_ns() - at;
	}
}

static void bench_recv(struct bench *b, uint16_t listener, const char *text, uint32_t n)
{
	struct sip_fault fault;
	struct engine_event ev = {.type = ENGINE_EV_MESSAGE, .now = b->now};

	ev.message.bytes = slice_of(text, n);
	ev.message.path.listener = listener;
	ev.message.path.remote = listener ? b->snapshot.peer[0].addr
					  : (struct net_addr){ip4(198, 51, 100, 7), 41000};
	double at = now_ns();
	if (sip_msg_parse(&b->m, text, n, &fault) != SBC_OK)
		die("a message of its own does not parse");
	b->parse_ns += now_ns() - at;
	engine_out_clear(&b->out);
	at = now_ns();
	engine_handle(b->engine, &ev, &b->out);
	b->handle_ns += now_ns() - at;
	bench_collect(b);
}

/* The callee answers the request that it got last. */
static void bench_answer(struct bench *b, const char *status, const char *to_tag, const char *sdp)
{
	char text[4096];
	struct sip_fault fault;

	if (sip_msg_parse(&b->m, b->request, (uint32_t)strlen(b->request), &fault) != SBC_OK ||
	    !b->m.is_request)
		die("nothing to answer");
	struct slice via = sip_msg_value(&b->m, SIP_HDR_VIA);
	struct slice from = sip_msg_value(&b->m, SIP_HDR_FROM);
	struct slice to = sip_msg_value(&b->m, SIP_HDR_TO);
	struct slice call_id = sip_msg_value(&b->m, SIP_HDR_CALL_ID);
	struct slice cseq = sip_msg_value(&b->m, SIP_HDR_CSEQ);
	int n = snprintf(text, sizeof(text),
			 "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: %.*s\r\n"
			 "CSeq: %.*s\r\nContact: <sip:bob@10.0.0.10:5060>\r\n%s"
			 "Content-Length: %zu\r\n\r\n%s",
			 status, (int)via.n, via.p, (int)from.n, from.p, (int)to.n, to.p, to_tag,
			 (int)call_id.n, call_id.p, (int)cseq.n, cseq.p,
			 *sdp ? "Content-Type: application/sdp\r\n" : "", strlen(sdp), sdp);
	bench_recv(b, 1, text, (uint32_t)n);
}

/* The caller's ACK or BYE, to the Contact and tag that the 200 gave. */
static void bench_in_dialog(struct bench *b, const char *method, unsigned cseq, unsigned id,
			    const char *target, const char *to)
{
	char text[2048];
	int n = snprintf(text, sizeof(text), dialog_form, method, target, method[0], id, id, to, id,
			 cseq, method);

	bench_recv(b, 0, text, (uint32_t)n);
}

static void bench_call(struct bench *b, unsigned id)
{
	char text[2048], tag[32], to[256], target[256];
	struct sip_fault fault;
	struct sip_addr contact;

	snprintf(tag, sizeof(tag), ";tag=b%08x", id);
	int n = snprintf(text, sizeof(text), invite_form, id, id, id, strlen(offer_sdp), offer_sdp);
	bench_recv(b, 0, text, (uint32_t)n);
	bench_answer(b, "100 Trying", "", "");
	bench_answer(b, "180 Ringing", tag, "");
	bench_answer(b, "200 OK", tag, answer_sdp);
	if (sip_msg_parse(&b->m, b->response, (uint32_t)strlen(b->response), &fault) != SBC_OK ||
	    b->m.status != 200 || sip_addr_of(&b->m, SIP_HDR_CONTACT, &contact) != SBC_OK)
		die("the call was not answered");
	struct slice value = sip_msg_value(&b->m, SIP_HDR_TO);
	snprintf(to, sizeof(to), "%.*s", (int)value.n, value.p);
	snprintf(target, sizeof(target), "%.*s", (int)contact.uri.n, contact.uri.p);
	bench_in_dialog(b, "ACK", 1, id, target, to);
	bench_in_dialog(b, "BYE", 2, id, target, to);
	bench_answer(b, "200 OK", "", "");
	b->now += CALL_MS;
	bench_tick(b);
}

static void bench_print(const char *name, double value, const char *unit, const char *reference,
			double reference_value)
{
	printf("{\"name\": \"%s\", \"value\": %.1f, \"unit\": \"%s\", \"reference\": \"%s\", "
	       "\"reference_value\": %.1f}\n",
	       name, value, unit, reference, reference_value);
}

static void bench_check(struct bench *b)
{
	struct engine_stats st;

	engine_stats_read(b->engine, &st);
	if (st.calls != 0 || st.calls_answered != WARM_CALLS + MEASURED_CALLS)
		die("calls are missing");
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void bench_rounds(struct bench *b, double *call_ns, double *parse_ns)
{
	static double handle[ROUNDS], parse[ROUNDS];

	for (unsigned r = 0; r < ROUNDS; r++) {
		b->handle_ns = b->parse_ns = 0;
		for (unsigned i = 0; i < ROUND_CALLS; i++)
			bench_call(b, WARM_CALLS + r * ROUND_CALLS + i);
		handle[r] = b->handle_ns / ROUND_CALLS;
		parse[r] = b->parse_ns / ROUND_CALLS;
	}
	qsort(handle, ROUNDS, sizeof(handle[0]), by_value);
	qsort(parse, ROUNDS, sizeof(parse[0]), by_value);
	*call_ns = handle[ROUNDS / 2];
	*parse_ns = parse[ROUNDS / 2];
}

int main(void)
{
	static struct bench b;
	struct engine_conf conf = {
		.key = {0x1234, 0x5678},
		.seed = {0x9abc, 0xdef0},
		.snapshot = &b.snapshot,
	};
	void *memory;

	snapshot_make(&b.snapshot);
	engine_limits_for(&conf.limits, 20000, 100);
	size_t size = engine_size(&conf);
	if (posix_memalign(&memory, 64, size) != 0)
		die("no memory");
	b.now = 1000;
	b.engine = engine_init(memory, size, &conf, b.now);
	if (b.engine == NULL)
		die("engine_init failed");
	for (unsigned i = 0; i < WARM_CALLS; i++)
		bench_call(&b, i);
	double call_ns, parse_ns;
	bench_rounds(&b, &call_ns, &parse_ns);
	bench_check(&b);
	bench_print("engine: a whole call, both legs", call_ns, "ns", "indexing its 7 messages",
		    parse_ns);
	bench_print("engine: calls a second, no I/O", 1e9 / call_ns, "calls/s", "indexing only",
		    1e9 / parse_ns);
	bench_print("engine: one message of it", call_ns / MESSAGES, "ns", "indexing it",
		    parse_ns / MESSAGES);
	bench_print("engine: bytes of an established call", engine_bytes_per_call(), "bytes",
		    "4 KiB", 4096);
	free(memory);
	return 0;
}
