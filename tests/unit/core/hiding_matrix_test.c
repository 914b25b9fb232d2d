/*
 * The secret matrix: every header the index knows, and many it does not, filled
 * with what describes one side, in odd spellings and with several values, through
 * every method and status class, in both directions. No secret may be in any
 * byte that leaves, and what leaves is SIP that still says whom the call is for.
 */
#include "sbc/sip/via.h"
#include "tests/unit/core/hiding_fixture.h"

#define HOST   "pbx.internal.example"
#define ADDR   "10.9.8.7"
#define PORT   "5999"
#define CALLID "secret-call-id-77"
#define TAG    "secrettag99"
#define BRANCH "z9hG4bKsecretbranch"
#define AGENT  "SecretPhone/1.2"

static const char *const secrets[] = {
	HOST,  ADDR,          PORT,           CALLID,   TAG,      "secretbranch",
	AGENT, "SecretPhone", "pbx.internal", "secret", "5060%3b"};

static struct snapshot snap;
static uint32_t rewritten, refused;
static char in[70000], out[70000];

/* Values that say a secret in every way a header's grammar allows, and in ways it does not. */
static const char *const values[] = {
	HOST,
	ADDR ":" PORT,
	"<sip:alice@" HOST ":" PORT ">;tag=" TAG,
	"\"Alice\" <sip:alice@" ADDR ";maddr=" HOST ">;x=" TAG ", <sip:bob@" HOST ">",
	"<sip:alice%40" HOST "@" ADDR "?Call-ID=" CALLID ">",
	"<sip:" ADDR "@" HOST ">",
	"<sip:+4930;phone-context=" HOST "@" ADDR ">",
	"<tel:7042;phone-context=" HOST ">",
	"<http://" HOST ":" PORT "/" TAG ">;purpose=" TAG,
	CALLID "@" HOST ";to-tag=" TAG ";from-tag=" TAG,
	AGENT,
	"SIP/2.0/UDP " HOST ":" PORT ";branch=" BRANCH ";received=" ADDR,
	"305 " HOST ":" PORT " \"secret " HOST "\"",
	"SIP;cause=480;text=\"" HOST "\";at=" TAG,
	"300 (secret " HOST ");duration=5;by=" TAG,
	"1800;refresher=" TAG ";host=" HOST,
	"Digest realm=\"example.com\", domain=\"sip:" HOST "\", server=\"" ADDR "\"",
	"Bearer " TAG,
	"timer, " TAG ", " HOST,
	"INVITE, " TAG,
	"application/sdp;x=" TAG ", application/" TAG,
	"active;reason=" TAG ";expires=" TAG,
	"\"unclosed " HOST " <sip:a@" ADDR,
	"<urn:alert:source:" TAG "@" HOST ">",
	"abcdef;encoding=hex;purpose=" TAG,
	"ab30317f1a784dc48ff824d0d3715d86;remote=" TAG,
	"id;" TAG,
	"\x01" HOST "\x02",
	"",
};

/* How a line may be written so that a filter which looks at its bytes would miss it. */
static const char *const spellings[] = {
	"%s: %s\r\n",      "%s : %s\r\n", "%s\t \t:%s\r\n", "%s:\r\n %s\r\n",
	"%s: %s\r\n \r\n", "%s:   %s\n",  "%s: %s  \r\n",
};

static const char *const unknown[] = {
	"X-Real-IP",           "X-Bypass-me",           "P-Charging-Vector", "P-Called-Party-ID",
	"P-Associated-URI",    "P-Access-Network-Info", "Target-Dialog",     "Security-Server",
	"Flow-Timer",          "Resource-Priority",     "Answer-Mode",       "Accept-Contact",
	"Request-Disposition",
};

static const char *const compact[] = {"v", "f", "t", "i", "m", "k", "x", "r", "b", "y",
				      "o", "u", "s", "d", "j", "a", "n", "c", "e", "l"};

/* Once-only headers: their second line would be refused before it could leak. */
static bool is_single(enum sip_hdr id)
{
	return id == SIP_HDR_FROM || id == SIP_HDR_TO || id == SIP_HDR_CALL_ID ||
	       id == SIP_HDR_CSEQ || id == SIP_HDR_CONTENT_LENGTH || id == SIP_HDR_MAX_FORWARDS ||
	       id == SIP_HDR_CONTENT_TYPE || id == SIP_HDR_VIA;
}

static void must_be_hidden(struct slice text, const char *what)
{
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		struct slice s = slice_str(secrets[i]);

		for (uint32_t at = 0; text.n >= s.n && at <= text.n - s.n; at++)
			if (slice_ieq(slice_of(text.p + at, s.n), s))
				fail_msg("\"%s\" leaks from %s in:\n%.*s", secrets[i], what,
					 (int)text.n, text.p);
	}
}

static void must_still_be_sip(struct slice text)
{
	struct sip_fault fault;
	struct sip_addr to;
	struct sip_msg m;

	if (sip_msg_parse(&m, text.p, text.n, &fault) != SBC_OK)
		fail_msg("%d %s in:\n%.*s", fault.status, fault.text, (int)text.n, text.p);
	for (uint32_t i = 0; i < m.count; i++)
		for (uint32_t k = m.hdr[i].name_off;
		     k < (uint32_t)(m.hdr[i].value_off + m.hdr[i].value_len); k++)
			assert_false(m.buf[k] == '\n' || (uint8_t)m.buf[k] < 0x09);
	assert_int_equal(sip_addr_of(&m, SIP_HDR_TO, &to), SBC_OK);
	assert_true(sip_msg_has(&m, SIP_HDR_CONTENT_LENGTH));
	assert_int_equal(sip_via_top(&m, &(struct sip_via){0}), SBC_OK);
}

static const char must[] = "Via: SIP/2.0/UDP " HOST ":" PORT ";branch=" BRANCH ";received=" ADDR
			   ",\r\n SIP/2.0/TCP " ADDR ";branch=" BRANCH "2\r\n"
			   "v : SIP/2.0/UDP " ADDR ":" PORT ";branch=" BRANCH "3\r\n"
			   "f: \"Alice\" <sip:alice@" HOST ":" PORT ">;tag=" TAG "\r\n"
			   "To: <sip:bob@" ADDR ":" PORT ">;tag=" TAG "\r\n"
			   "i: " CALLID "@" HOST "\r\n";

/* One message with `line` in it, rewritten as request (status 0) or response. */
static void rewrite(uint16_t from, enum sip_method method, uint16_t status, const char *line)
{
	const char *name = sip_method_name(method).p;
	const int name_len = (int)sip_method_name(method).n;
	struct sip_fault fault;
	struct sip_msg m;
	struct wbuf w;
	int n;

	if (status)
		n = snprintf(in, sizeof(in), "SIP/2.0 %u secret %s\r\n", status, HOST);
	else
		n = snprintf(in, sizeof(in), "%.*s sip:bob:secret@%s:%s;x=%s SIP/2.0\r\n", name_len,
			     name, HOST, PORT, TAG);
	n += snprintf(in + n, sizeof(in) - (size_t)n, "%sCSeq: 5 %.*s\r\n%s\r\n", must, name_len,
		      name, line);
	wbuf_init(&w, out, sizeof(out));
	if (sip_msg_parse(&m, in, (uint32_t)n, &fault) != SBC_OK) {
		/* Doubled headers and numbers that are none are refused at the door. */
		refused++;
		return;
	}
	rewritten++;
	if (status) {
		struct hiding_response r = fixture_response(&snap, from, status);

		assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	} else {
		struct hiding_request r = fixture_request(&snap, from);
		struct sip_addr a;
		char uri[256], who[256];
		struct wbuf wu, ww;

		wbuf_init(&wu, uri, sizeof(uri));
		hiding_uri_write(&wu, &snap, m.request_uri, SLICE_LIT("far.invalid"));
		r.request_uri = wbuf_slice(&wu);
		wbuf_init(&ww, who, sizeof(who));
		hiding_identity_write(&ww, &snap, sip_msg_value(&m, SIP_HDR_FROM),
				      SLICE_LIT("border.invalid"));
		wbuf_lit(&ww, ";tag=ourtag");
		r.from = wbuf_slice(&ww);
		assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
		fixture_parse(&m, wbuf_slice(&w));
		assert_true(slice_eq(m.request_uri, SLICE_LIT("sip:bob@far.invalid")));
		assert_int_equal(sip_addr_of(&m, SIP_HDR_FROM, &a), SBC_OK);
		assert_true(slice_eq(a.display, SLICE_LIT("\"Alice\"")));
		assert_true(slice_eq(a.uri, SLICE_LIT("sip:alice@border.invalid")));
	}
	must_still_be_sip(wbuf_slice(&w));
	must_be_hidden(wbuf_slice(&w), line);
}

static void everywhere(const char *line)
{
	static const uint16_t status[] = {183, 200, 401};

	for (uint16_t from = ACCESS; from <= CORE; from++) {
		rewrite(from, SIP_INVITE, 0, line);
		for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++)
			rewrite(from, SIP_INVITE, status[i], line);
	}
}

static void through(const char *name)
{
	char line[1024];

	for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++)
		for (size_t s = 0; s < sizeof(spellings) / sizeof(spellings[0]); s++) {
			snprintf(line, sizeof(line), spellings[s], name, values[v]);
			everywhere(line);
		}
}

static void no_known_header_shows_a_secret(void **state)
{
	(void)state;
	for (int id = SIP_HDR_VIA; id < SIP_HDR_COUNT; id++) {
		char name[64];
		struct slice canonical = sip_hdr_name((enum sip_hdr)id);

		if (is_single((enum sip_hdr)id))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)canonical.n, canonical.p);
		through(name);
		for (char *c = name; *c; c += 2)
			*c = (char)(*c ^
				    (slice_lower(*c) >= 'a' && slice_lower(*c) <= 'z' ? 0x20 : 0));
		through(name);
	}
}

static void no_unknown_or_compact_header_shows_a_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		through(unknown[i]);
	for (size_t i = 0; i < sizeof(compact) / sizeof(compact[0]); i++)
		through(compact[i]);
}

static void no_method_or_status_shows_a_secret(void **state)
{
	static const char lines[] =
		"Route: <sip:" HOST ":" PORT ";lr>\r\nRecord-Route: <sip:" ADDR ";lr>\r\n"
		"m: <sip:alice@" ADDR ":" PORT ">;+sip.instance=\"" TAG "\"\r\n"
		"User-Agent: " AGENT "\r\nServer: " AGENT "\r\nWarning: 399 " HOST " \"secret\"\r\n"
		"P-Asserted-Identity: \"Alice\" <sip:alice@" HOST ">\r\n"
		"Diversion: <sip:alice@" HOST ">;reason=" TAG "\r\n"
		"History-Info: <sip:alice@" HOST "?Reason=" TAG ">;index=1\r\n"
		"Replaces: " CALLID ";from-tag=" TAG ";to-tag=" TAG "\r\n"
		"Refer-To: <sip:x@" HOST "?Replaces=" CALLID ">\r\n"
		"Organization: secret\r\nSubject: secret\r\nX-Secret: " HOST "\r\n"
		"Content-Type: application/sdp;x=" TAG "\r\n"
		"Content-Disposition: session;at=" TAG "\r\nContent-Length: 40\r\n"
		"\r\nv=0\r\no=- 1 1 IN IP4 10.9.8.7\r\ns=secret\r\n123";

	(void)state;
	for (uint16_t from = ACCESS; from <= CORE; from++)
		for (int method = SIP_INVITE; method < SIP_METHOD_COUNT; method++) {
			rewrite(from, (enum sip_method)method, 0, lines);
			for (uint16_t status = 100; status < 700;
			     status += method == SIP_INVITE ? 1 : 37)
				rewrite(from, (enum sip_method)method, status, lines);
		}
}

static void nor_where_unknown_headers_are_carried(void **state)
{
	static const char *const names[] = {"X-Desk", "X-Real-IP", "P-Charging-Vector"};
	static const char *const tells[] = {HOST, "at " HOST ":1", CALLID, "(" TAG ")"};

	(void)state;
	snap.realm[ACCESS].carry_unknown_headers = snap.realm[CORE].carry_unknown_headers = true;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		for (size_t v = 0; v < sizeof(tells) / sizeof(tells[0]); v++)
			for (size_t s = 0; s < sizeof(spellings) / sizeof(spellings[0]); s++) {
				char line[256];

				snprintf(line, sizeof(line), spellings[s], names[n], tells[v]);
				everywhere(line);
			}
	snap.realm[ACCESS].carry_unknown_headers = snap.realm[CORE].carry_unknown_headers = false;
}

/* A matrix whose messages the parser refuses would show nothing. */
static void most_of_it_was_rewritten(void **state)
{
	(void)state;
	assert_true(rewritten > 20 * refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_known_header_shows_a_secret),
		cmocka_unit_test(no_unknown_or_compact_header_shows_a_secret),
		cmocka_unit_test(no_method_or_status_shows_a_secret),
		cmocka_unit_test(nor_where_unknown_headers_are_carried),
		cmocka_unit_test(most_of_it_was_rewritten),
	};

	fixture_snapshot(&snap);
	snap.realm[ACCESS].hide_user_agent = true;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
