/*
 * rewrite_bench: what it costs to write a 1.3 kB INVITE for the other side.
 *
 * "Receive to rewritten" is all that stands between the bytes of the one side and
 * those for the other: the index, identifiers minted, request URI, From and To
 * rewritten, the session description read and written with the border's address and
 * port, and the message itself, ready to send. Only what depends on a call's state
 * (transactions, dialogs, ports) is not in it: engine_bench has that. Its parts are
 * measured too, each for itself.
 *
 * References, over the same bytes in the same run: memcpy, the least that sending a
 * message costs, and the index that comes before a rewrite. Contestants take turns in
 * short rounds (rounds.h). The messages of a round
 * differ in Call-ID, branch and the user of From.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"
#include "sbc/base/ident.h"
#include "sbc/core/hiding.h"
#include "sbc/media/sdp.h"

#define BATCH   32 /* messages a round: short, so that few rounds are interrupted */
#define MAX_LEN 4096

#define COPIES 16

static char message[COPIES][MAX_LEN], copy[MAX_LEN], text[1024], body_text[1024];
static uint32_t message_len;
static struct sip_msg parsed[COPIES];
static struct snapshot snap;
static struct ident_gen gen;
static const struct siphash_key key = {0x1234, 0x5678};
static uint64_t sink; /* keeps results alive */

/* What the other side is shown: of the message `written` last. */
static struct {
	struct slice request_uri, from, to, body;
	char call_id[IDENT_LEN], contact_user[IDENT_LEN];
	char tag[IDENT_TAG_LEN], branch[7 + IDENT_TAG_LEN];
	char contact[80];
	uint32_t contact_len;
} out;

static void run_mint(const struct sip_msg *m)
{
	const struct slice call_id = sip_msg_value(m, SIP_HDR_CALL_ID);
	const uint8_t bucket = ident_bucket(&key, call_id);
	struct wbuf w;

	ident_mint(&gen, &key, bucket, out.call_id);
	ident_mint(&gen, &key, bucket, out.contact_user);
	ident_tag(&gen, out.tag);
	memcpy(out.branch, "z9hG4bK", 7);
	ident_tag(&gen, out.branch + 7);
	wbuf_init(&w, out.contact, sizeof(out.contact));
	wbuf_lit(&w, "<sip:");
	wbuf_put(&w, slice_of(out.contact_user, IDENT_LEN));
	wbuf_char(&w, '@');
	net_addr_write(&w, snap.listener[1].addr);
	wbuf_char(&w, '>');
	out.contact_len = w.n;
}

/* Request URI, From and To for the other side, into `text`. */
static void run_names(const struct sip_msg *m)
{
	const struct slice host = SLICE_LIT("10.0.0.10");
	struct wbuf t;
	uint32_t uri, from;

	wbuf_init(&t, text, sizeof(text));
	hiding_uri_write(&t, &snap, m->request_uri, host);
	uri = t.n;
	hiding_identity_write(&t, &snap, sip_msg_value(m, SIP_HDR_FROM), host);
	wbuf_lit(&t, ";tag=");
	wbuf_put(&t, slice_of(out.tag, IDENT_TAG_LEN));
	from = t.n;
	hiding_identity_write(&t, &snap, sip_msg_value(m, SIP_HDR_TO), host);
	out.request_uri = slice_of(text, uri);
	out.from = slice_of(text + uri, from - uri);
	out.to = slice_of(text + from, t.n - from);
}

static void run_sdp(const struct sip_msg *m)
{
	static struct sdp d;
	const struct sdp_out o = {
		.session_id = 3894521764,
		.session_version = 1,
		.ip = snap.listener[1].addr.ip,
		.media = {{.port = 30000, .rtcp_port = 30001}},
	};
	struct wbuf w;

	wbuf_init(&w, body_text, sizeof(body_text));
	sink += sdp_parse(&d, sip_msg_body(m)) == SBC_OK ? 1 : 100000;
	sink += sdp_write(&w, &d, &o) == SBC_OK ? w.n : 100000;
	out.body = wbuf_slice(&w);
}

static void run_write(const struct sip_msg *m)
{
	const struct hiding_request r = {
		.snap = &snap,
		.from_realm = 0,
		.to_realm = 1,
		.listener = 1,
		.request_uri = out.request_uri,
		.from = out.from,
		.to = out.to,
		.branch = slice_of(out.branch, sizeof(out.branch)),
		.call_id = slice_of(out.call_id, IDENT_LEN),
		.cseq = 1,
		.contact = slice_of(out.contact, out.contact_len),
		.max_forwards = 69,
		.body = out.body,
	};
	struct wbuf w;

	wbuf_init(&w, copy, sizeof(copy));
	sink += hiding_write_request(&w, m, &r) == SBC_OK ? w.n : 100000;
}

static void run_index(const char *p, struct sip_msg *m)
{
	struct sip_fault fault;

	sink += sip_msg_parse(m, p, message_len, &fault) == SBC_OK ? m->count : 100000;
}

static void all(int i)
{
	static struct sip_msg m;

	run_index(message[i], &m);
	run_mint(&m);
	run_names(&m);
	run_sdp(&m);
	run_write(&m);
}

static void index_only(int i)
{
	static struct sip_msg m;

	run_index(message[i], &m);
}

static void mint_only(int i)
{
	run_mint(&parsed[i]);
}

static void names_only(int i)
{
	run_names(&parsed[i]);
}

static void sdp_only(int i)
{
	run_sdp(&parsed[i]);
}

static void write_only(int i)
{
	run_write(&parsed[i]);
}

static void copy_only(int i)
{
	memcpy(copy, message[i], message_len);
	__asm__ volatile("" ::: "memory");
	sink += (uint64_t)copy[0];
}

static struct contestant {
	void (*run)(int i);
	double ns[ROUNDS_MAX];
} contestants[] = {{all, {0}},      {index_only, {0}}, {mint_only, {0}}, {names_only, {0}},
		   {sdp_only, {0}}, {write_only, {0}}, {copy_only, {0}}};

enum { ALL, INDEX, MINT, NAMES, SDP, WRITE, MEMCPY, CONTESTANTS };

/* The same message from many callers: a byte of what tells them apart differs. */
static int load_copies(void)
{
	struct sip_fault fault;

	if (sip_msg_parse(&parsed[0], message[0], message_len, &fault) != SBC_OK)
		return -1;
	const struct sip_msg *m = &parsed[0];
	const uint32_t call_id = m->hdr[m->first[SIP_HDR_CALL_ID]].value_off;
	const int32_t from = slice_search(sip_msg_value(m, SIP_HDR_FROM), SLICE_LIT("alice"));
	const int32_t via = slice_search(sip_msg_value(m, SIP_HDR_VIA), SLICE_LIT("7f3b0d"));

	if (from < 0 || via < 0)
		return -1;
	for (int i = 1; i < COPIES; i++) {
		memcpy(message[i], message[0], message_len);
		message[i][call_id] = (char)('a' + i);
		message[i][m->hdr[m->first[SIP_HDR_FROM]].value_off + from] = (char)('a' + i);
		message[i][m->hdr[m->first[SIP_HDR_VIA]].value_off + via] = (char)('a' + i);
		if (sip_msg_parse(&parsed[i], message[i], message_len, &fault) != SBC_OK)
			return -1;
	}
	return 0;
}

static int load(void)
{
	FILE *f = fopen(FIXTURES "/invite_1300.sip", "rb");
	const struct siphash_key seed = {0x9abc, 0xdef0};

	message_len = f != NULL ? (uint32_t)fread(message[0], 1, MAX_LEN, f) : 0;
	if (f != NULL)
		fclose(f);
	if (!message_len || load_copies() != 0)
		return -1;
	ident_gen_init(&gen, &seed);
	snapshot_defaults(&snap);
	snap.realms = snap.listeners = 2;
	snapshot_realm_defaults(&snap.realm[0], SNAPSHOT_UNTRUSTED, true);
	snapshot_realm_defaults(&snap.realm[1], SNAPSHOT_TRUSTED, false);
	snap.listener[0] = (struct snapshot_listener){0, {0x017100cbu, 5060}};
	snap.listener[1] = (struct snapshot_listener){1, {0x0100000au, 5060}};
	return 0;
}

static void print(const char *name, double value, const char *reference, double reference_value)
{
	printf("{\"name\": \"%s\", \"value\": %.1f, \"unit\": \"ns\", \"reference\": \"%s\", "
	       "\"reference_value\": %.1f, \"better\": \"lower\"}\n",
	       name, value, reference, reference_value);
}

int main(void)
{
	double ns[CONTESTANTS];
	unsigned rounds = 0;

	if (load() != 0) {
		fprintf(stderr, "rewrite_bench: no usable fixture in " FIXTURES "\n");
		return 1;
	}
	for (const double end = rounds_now() + ROUNDS_NS; rounds < ROUNDS_MAX && rounds_now() < end;
	     rounds++)
		for (int c = 0; c < CONTESTANTS; c++) {
			const double start = rounds_now();

			for (int i = 0; i < BATCH; i++)
				contestants[c].run(i % COPIES);
			contestants[c].ns[rounds] = (rounds_now() - start) / BATCH;
		}
	for (int c = 0; c < CONTESTANTS; c++)
		ns[c] = rounds_figure(contestants[c].ns, rounds);
	printf("{\"name\": \"receive to rewritten INVITE, no I/O\", \"value\": %.1f, \"unit\": "
	       "\"ns\", "
	       "\"reference\": \"memcpy of the same bytes\", \"reference_value\": %.1f, "
	       "\"goal\": 1500, \"better\": \"lower\"}\n",
	       ns[ALL], ns[MEMCPY]);
	print("rewrite: index", ns[INDEX], "the whole", ns[ALL]);
	print("rewrite: identifiers minted", ns[MINT], "the whole", ns[ALL]);
	print("rewrite: request URI, From and To", ns[NAMES], "the whole", ns[ALL]);
	print("rewrite: session description", ns[SDP], "the whole", ns[ALL]);
	print("rewrite: the message", ns[WRITE], "the whole", ns[ALL]);
	return sink == 0;
}
