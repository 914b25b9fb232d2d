/*
 * Any message that the index accepts, rewritten for the other side.
 *
 * The first byte chooses the direction and the realms' settings. What leaves must
 * be SIP again, on clean lines, and must not hold what the message hides: a
 * branch, Via host, Call-ID, tag or Contact host that has the mark of the corpus
 * in it (so that it is nobody's word by chance) and stands nowhere in the input
 * but in the start line and in lines that the border replaces.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sbc/core/hiding_words.h"
#include "sbc/core/reply.h"
#include "sbc/core/wire.h"
#include "sbc/sip/uri.h"
#include "sbc/sip/via.h"

#define MARK     SLICE_LIT("zq7")
#define OPT_CORE 1u /* from core to access, else the other way */
#define OPT_KEEP 2u /* the destination carries unknown headers */
#define OPT_SHOW 4u /* software names are shown */
#define OPT_OWN  8u /* a body of ours */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct snapshot snap;
static char out[200000];

static void require(int condition)
{
	if (!condition)
		abort();
}

static void realm_set(int i, enum snapshot_trust trust, uint8_t options)
{
	snapshot_realm_defaults(&snap.realm[i], trust, false);
	snap.realm[i].carry_unknown_headers = options & OPT_KEEP;
	snap.realm[i].hide_user_agent = !(options & OPT_SHOW);
	snap.realm[i].media_ip = 0x0100000au + ((uint32_t)i << 24);
	snap.listener[i] = (struct snapshot_listener){
		(uint16_t)i, {snap.realm[i].media_ip, (uint16_t)(5060 + i)}};
}

static uint32_t count_in(struct slice s, struct slice needle)
{
	uint32_t n = 0;
	int32_t at;

	while ((at = slice_search(s, needle)) >= 0) {
		n++;
		s = slice_of(s.p + at + 1, s.n - (uint32_t)at - 1);
	}
	return n;
}

static int is_replaced(uint8_t id)
{
	return id == SIP_HDR_VIA || id == SIP_HDR_FROM || id == SIP_HDR_TO ||
	       id == SIP_HDR_CALL_ID || id == SIP_HDR_CONTACT || id == SIP_HDR_ROUTE ||
	       id == SIP_HDR_RECORD_ROUTE || id == SIP_HDR_PATH || id == SIP_HDR_SERVICE_ROUTE;
}

/* Whether all its occurrences are in places that do not cross. */
static int is_hidden(const struct sip_msg *m, struct slice s)
{
	uint32_t hidden = count_in(slice_of(m->buf, m->headers_off), s);

	if (s.n < 6 || slice_search(s, MARK) < 0)
		return 0;
	for (uint32_t i = 0; i < m->count; i++)
		if (is_replaced(m->hdr[i].id))
			hidden += count_in(sip_entry_value(m, i), s);
	return hidden == count_in(slice_of(m->buf, m->len), s);
}

static void check_absent(const struct sip_msg *m, struct slice text, struct slice secret)
{
	if (is_hidden(m, secret))
		require(slice_search(text, secret) < 0);
}

static void check_address(const struct sip_msg *m, struct slice text, enum sip_hdr id)
{
	struct sip_addr a;
	struct sip_uri u;

	if (sip_addr_of(m, id, &a) != SBC_OK)
		return;
	check_absent(m, text, sip_addr_tag(&a));
	if (!a.is_star && sip_uri_parse(&u, a.uri) == SBC_OK)
		check_absent(m, text, u.host);
}

static void check_output(const struct sip_msg *m, struct slice text)
{
	static struct sip_msg again;
	struct sip_fault fault;
	struct sip_via via;
	enum sbc_err err = sip_msg_parse(&again, text.p, text.n, &fault);

	/* What we add may be more lines than our own index takes, never more than these. */
	require(err == SBC_OK || (err == SBC_ELIMIT &&
				  (m->count > SIP_MAX_HEADERS - 12 || text.n > SIP_MAX_MESSAGE)));
	for (uint32_t i = 0; err == SBC_OK && i < again.count; i++) {
		struct slice v = sip_entry_value(&again, i);

		for (uint32_t k = 0; k < v.n; k++)
			require((uint8_t)v.p[k] >= 0x20 || v.p[k] == '\t');
	}
	check_absent(m, text, sip_msg_value(m, SIP_HDR_CALL_ID));
	if (sip_via_top(m, &via) == SBC_OK) {
		check_absent(m, text, via.host);
		check_absent(m, text, via.branch);
	}
	check_address(m, text, SIP_HDR_FROM);
	check_address(m, text, SIP_HDR_TO);
	check_address(m, text, SIP_HDR_CONTACT);
}

/* A message takes the bytes that it has, and not one less will do. */
static void check_room(const struct sip_msg *m, const struct hiding_request *r, struct slice text)
{
	static char exact[sizeof(out)];
	struct wbuf w;

	wbuf_init(&w, exact, text.n);
	require(hiding_write_request(&w, m, r) == SBC_OK && slice_eq(wbuf_slice(&w), text));
	wbuf_init(&w, exact, text.n - 1);
	require(hiding_write_request(&w, m, r) == SBC_EFULL);
}

static void rewrite_request(const struct sip_msg *m, uint16_t from, struct slice body)
{
	const struct hiding_request r = {
		.snap = &snap,
		.from_realm = from,
		.to_realm = !from,
		.listener = !from,
		.request_uri = SLICE_LIT("sip:b@far"),
		.branch = SLICE_LIT("z9hG4bKours"),
		.from = SLICE_LIT("<sip:a@us>;tag=1"),
		.to = SLICE_LIT("<sip:b@far>"),
		.call_id = SLICE_LIT("ours"),
		.cseq = 1,
		.contact = SLICE_LIT("<sip:m@us>"),
		.max_forwards = 69,
		.body = body,
	};
	struct wbuf w;

	wbuf_init(&w, out, sizeof(out));
	if (hiding_write_request(&w, m, &r) != SBC_OK)
		return;
	check_output(m, wbuf_slice(&w));
	check_room(m, &r, wbuf_slice(&w));
}

static void rewrite_response(const struct sip_msg *m, uint16_t from, struct slice body)
{
	const struct hiding_response r = {
		.snap = &snap,
		.from_realm = from,
		.to_realm = !from,
		.head = SLICE_LIT(
			"Via: SIP/2.0/UDP far;branch=z9hG4bK1\r\nFrom: <sip:a@far>;tag=1\r\n"
			"Call-ID: theirs\r\nCSeq: 1 INVITE\r\nTo: <sip:b@us>"),
		.status = m->status,
		.to_tag = SLICE_LIT("2"),
		.contact = SLICE_LIT("<sip:m@us>"),
		.body = body,
	};
	struct wbuf w;

	wbuf_init(&w, out, sizeof(out));
	if (hiding_write_response(&w, m, &r) == SBC_OK)
		check_output(m, wbuf_slice(&w));
}

static void check_identity(struct slice value)
{
	struct sip_addr a;
	struct sip_uri u;
	struct wbuf w;

	wbuf_init(&w, out, sizeof(out));
	hiding_identity_write(&w, &snap, value, SLICE_LIT("us.example"));
	require(wbuf_ok(&w));
	require(sip_addr_parse(&a, wbuf_slice(&w)) == SBC_OK && !a.params.n && !a.rest.n);
	require(sip_uri_parse(&u, a.uri) == SBC_OK);
	require(u.scheme == SIP_SCHEME_TEL || slice_eq(u.host, SLICE_LIT("us.example")));
}

/* A list's fast way writes what the plain one does. */
static void check_list(enum sip_hdr id, struct slice v)
{
	static char fast[SIP_MAX_MESSAGE], plain[SIP_MAX_MESSAGE];
	struct wbuf f, p;
	struct hiding_ctx c = {.w = &f, .own_100rel = true};

	wbuf_init(&f, fast, sizeof(fast));
	if (id == SIP_HDR_ALLOW)
		hiding_filter_methods(&c, id, v);
	else
		hiding_filter_options(&c, id, v);
	wbuf_init(&p, plain, sizeof(plain));
	c.w = &p;
	hiding_words_plain(&c, id, v);
	require(wbuf_ok(&f) == wbuf_ok(&p) && slice_eq(wbuf_slice(&f), wbuf_slice(&p)));
}

/* And an address's or URI's; also where there may be no room for it. */
static void check_address_ways(struct slice v, uint32_t cap)
{
	static char fast[SIP_MAX_MESSAGE * 4], plain[SIP_MAX_MESSAGE * 4];
	const struct slice host = SLICE_LIT("us.example");
	struct sip_addr a;
	struct wbuf f, p;

	wbuf_init(&f, fast, cap < sizeof(fast) ? cap : sizeof(fast));
	wbuf_init(&p, plain, f.cap);
	hiding_identity_write(&f, &snap, v, host);
	hiding_identity_write_plain(&p, &snap, v, host);
	if (sip_addr_parse(&a, v) == SBC_OK) {
		hiding_uri_write(&f, &snap, a.uri, host);
		hiding_uri_write_plain(&p, &snap, a.uri, host);
	}
	require(wbuf_ok(&f) == wbuf_ok(&p));
	require(!wbuf_ok(&f) || slice_eq(wbuf_slice(&f), wbuf_slice(&p)));
}

static void check_reply(const struct sip_msg *m)
{
	static char text[140000];
	static struct sip_msg again;
	const struct engine_path source = {0, {0x0700000au, 40000}};
	const struct reply r = {.status = 481, .to_tag = SLICE_LIT("t")};
	struct sip_fault fault;
	struct wbuf head, w;
	enum sbc_err err;

	wbuf_init(&head, text, sizeof(text));
	if (reply_head_write(&head, m, &source, true) != SBC_OK)
		return;
	wbuf_init(&w, out, sizeof(out));
	reply_write(&w, wbuf_slice(&head), &r);
	require(wbuf_ok(&w));
	err = sip_msg_parse(&again, out, w.n, &fault);
	require(err == SBC_OK || err == SBC_ELIMIT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_msg m;
	struct slice body = SLICE_NONE;
	struct sip_fault fault;
	uint8_t options;

	if (size < 1 || size > SIP_MAX_MESSAGE)
		return 0;
	options = data[0];
	snapshot_defaults(&snap);
	snap.realms = snap.listeners = 2;
	realm_set(0, SNAPSHOT_UNTRUSTED, options);
	realm_set(1, SNAPSHOT_TRUSTED, options);
	if (options & OPT_OWN)
		body = SLICE_LIT("v=0\r\n");
	if (sip_msg_parse(&m, (const char *)data + 1, (uint32_t)size - 1, &fault) != SBC_OK)
		return 0;
	if (m.is_request) {
		check_reply(&m);
		rewrite_request(&m, options & OPT_CORE, body);
	} else {
		rewrite_response(&m, options & OPT_CORE, body);
	}
	for (uint32_t i = 0; i < m.count; i++) {
		struct slice v = sip_entry_value(&m, i);

		check_list(SIP_HDR_ALLOW, v);
		check_list(SIP_HDR_SUPPORTED, v);
		check_list(SIP_HDR_REQUIRE, v);
		check_address_ways(v, UINT32_MAX);
		check_address_ways(v, 16u + v.n + options);
	}
	check_identity(sip_msg_value(&m, SIP_HDR_FROM));
	check_identity(sip_msg_value(&m, SIP_HDR_TO));
	return 0;
}
