/*
 * rewrite_bench: what it costs to write a 1.3 kB INVITE for the other side.
 *
 * Measured without parsing: identities, URI and the message itself, the way the
 * engine does it for every INVITE. The references are measured in the same run
 * over the same bytes: memcpy, the least that sending a message costs, and the
 * index that comes before a rewrite. Contestants take turns in short rounds and
 * the medians of their rounds are printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sbc/core/hiding.h"

#define ROUNDS  301
#define BATCH   512 /* messages a round */
#define MAX_LEN 4096

static char message[MAX_LEN], copy[MAX_LEN], text[1024];
static uint32_t message_len;
static struct sip_msg parsed;
static struct snapshot snap;
static uint64_t sink; /* keeps results alive */

static const char body[] = "v=0\r\no=- 77 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\n"
			   "t=0 0\r\nm=audio 30000 RTP/AVP 9 0 8 101\r\n"
			   "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n"
			   "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
			   "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n";

/* Request URI, From and To for the other side, into `text`. */
static struct slice names[3];

static void run_names(void)
{
	const struct slice host = SLICE_LIT("10.0.0.10");
	struct wbuf t;
	uint32_t uri, from;

	wbuf_init(&t, text, sizeof(text));
	hiding_uri_write(&t, &snap, parsed.request_uri, host);
	uri = t.n;
	hiding_identity_write(&t, &snap, sip_msg_value(&parsed, SIP_HDR_FROM), host);
	wbuf_lit(&t, ";tag=0123456789abcdef");
	from = t.n;
	hiding_identity_write(&t, &snap, sip_msg_value(&parsed, SIP_HDR_TO), host);
	names[0] = slice_of(text, uri);
	names[1] = slice_of(text + uri, from - uri);
	names[2] = slice_of(text + from, t.n - from);
}

static void run_write(void)
{
	const struct hiding_request r = {
		.snap = &snap,
		.from_realm = 0,
		.to_realm = 1,
		.listener = 1,
		.request_uri = names[0],
		.from = names[1],
		.to = names[2],
		.branch = SLICE_LIT("z9hG4bK0123456789abcdef"),
		.call_id = SLICE_LIT("0123456789abcdef0123456789abcdef"),
		.cseq = 1,
		.contact = SLICE_LIT("<sip:0123456789abcdef0123456789abcdef@10.0.0.1>"),
		.max_forwards = 69,
		.body = SLICE_LIT(body),
	};
	struct wbuf w;

	wbuf_init(&w, copy, sizeof(copy));
	sink += hiding_write_request(&w, &parsed, &r) == SBC_OK ? w.n : 100000;
}

static void run_rewrite(void)
{
	run_names();
	run_write();
}

static void run_index(void)
{
	static struct sip_msg m;
	struct sip_fault fault;

	sink += sip_msg_parse(&m, message, message_len, &fault) == SBC_OK ? m.count : 100000;
}

/* All that a received INVITE goes through before its copy for the other side is written. */
static void run_receive(void)
{
	struct sip_fault fault;

	sink += sip_msg_parse(&parsed, message, message_len, &fault) == SBC_OK ? 1 : 100000;
	run_rewrite();
}

static void run_memcpy(void)
{
	memcpy(copy, message, message_len);
	__asm__ volatile("" ::: "memory");
	sink += (uint64_t)copy[0];
}

static struct contestant {
	void (*run)(void);
	double ns[ROUNDS];
} contestants[] = {{run_rewrite, {0}},
		   {run_write, {0}},
		   {run_index, {0}},
		   {run_receive, {0}},
		   {run_memcpy, {0}}};

enum { REWRITE, WRITE, INDEX, RECEIVE, MEMCPY, CONTESTANTS };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *v)
{
	qsort(v, ROUNDS, sizeof(*v), by_value);
	return v[ROUNDS / 2];
}

static int load(void)
{
	FILE *f = fopen(FIXTURES "/invite_1300.sip", "rb");
	struct sip_fault fault;

	message_len = f != NULL ? (uint32_t)fread(message, 1, MAX_LEN, f) : 0;
	if (f != NULL)
		fclose(f);
	if (!message_len || sip_msg_parse(&parsed, message, message_len, &fault) != SBC_OK)
		return -1;
	snapshot_defaults(&snap);
	snap.realms = snap.listeners = 2;
	snapshot_realm_defaults(&snap.realm[0], SNAPSHOT_UNTRUSTED, true);
	snapshot_realm_defaults(&snap.realm[1], SNAPSHOT_TRUSTED, false);
	snap.listener[0] = (struct snapshot_listener){0, {0x017100cbu, 5060}};
	snap.listener[1] = (struct snapshot_listener){1, {0x0100000au, 5060}};
	return 0;
}

static void print(const char *name, double value, const char *unit, const char *reference,
		  double reference_value)
{
	printf("{\"name\": \"%s\", \"value\": %.2f, \"unit\": \"%s\", \"reference\": \"%s\", "
	       "\"reference_value\": %.2f}\n",
	       name, value, unit, reference, reference_value);
}

int main(void)
{
	double ns[CONTESTANTS];

	if (load() != 0) {
		fprintf(stderr, "rewrite_bench: no usable fixture in " FIXTURES "\n");
		return 1;
	}
	for (int round = 0; round < ROUNDS; round++)
		for (int c = 0; c < CONTESTANTS; c++) {
			const double start = now_ns();

			for (int i = 0; i < BATCH; i++)
				contestants[c].run();
			contestants[c].ns[round] = (now_ns() - start) / BATCH;
		}
	for (int c = 0; c < CONTESTANTS; c++)
		ns[c] = median(contestants[c].ns);
	print("receive to rewritten INVITE", ns[RECEIVE], "ns", "index of the same bytes",
	      ns[INDEX]);
	print("rewrite of a 1.3 kB INVITE", ns[REWRITE], "ns", "index of the same bytes",
	      ns[INDEX]);
	print("of that, the message without its names", ns[WRITE], "ns", "index of the same bytes",
	      ns[INDEX]);
	print("rewrite of a 1.3 kB INVITE, per byte", ns[REWRITE] / message_len, "ns/byte",
	      "memcpy of the same bytes", ns[MEMCPY] / message_len);
	return sink == 0;
}
