/* Each header of the table, as it leaves on the other side. */
#include "tests/unit/core/hiding_fixture.h"

static struct snapshot snap;
static char in[70000], out[70000];

/* The value of a header in rewritten bytes, or NULL; checks that they are SIP again. */
static const char *value_after(struct slice text, const char *name, char *buf)
{
	struct sip_msg m;
	struct slice v = SLICE_NONE;

	fixture_parse(&m, text);
	for (uint32_t i = 0; i < m.count; i++)
		if (slice_ieq(sip_entry_name(&m, i), slice_str(name)))
			v = sip_entry_value(&m, i);
	if (!v.p)
		return NULL;
	memcpy(buf, v.p, v.n);
	buf[v.n] = '\0';
	return buf;
}

static struct slice request_with(uint16_t from, const char *lines, const char *body)
{
	struct hiding_request r = fixture_request(&snap, from);
	struct sip_msg m;
	struct wbuf w;

	snprintf(in, sizeof(in),
		 "MESSAGE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
		 "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\n"
		 "%sContent-Length: %zu\r\n\r\n%s",
		 lines, strlen(body), body);
	fixture_parse(&m, slice_str(in));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	return wbuf_slice(&w);
}

static struct slice response_with(uint16_t from, const char *lines)
{
	struct hiding_response r = fixture_response(&snap, from, 200);
	struct sip_msg m;
	struct wbuf w;

	snprintf(in, sizeof(in),
		 "SIP/2.0 200 Fine here\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
		 "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"
		 "%s\r\n",
		 lines);
	fixture_parse(&m, slice_str(in));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	return wbuf_slice(&w);
}

struct vector {
	const char *line; /* as received, one or more lines without the last line end */
	const char *name; /* header looked for afterwards */
	const char *want; /* its value, NULL: gone */
};

static void run(uint16_t from, const struct vector *v, size_t n)
{
	char lines[2048], got[4096];

	for (size_t i = 0; i < n; i++) {
		snprintf(lines, sizeof(lines), "%s\r\n", v[i].line);
		for (int response = 0; response < 2; response++) {
			struct slice text = response ? response_with(from, lines)
						     : request_with(from, lines, "");
			const char *value = value_after(text, v[i].name, got);

			if (!value != !v[i].want || (value && strcmp(value, v[i].want) != 0))
				fail_msg("%s -> %s, wanted %s", v[i].line,
					 value ? value : "nothing",
					 v[i].want ? v[i].want : "nothing");
		}
	}
}

#define RUN(from, v) run((from), (v), sizeof(v) / sizeof((v)[0]))

static void numbers_cross_when_they_are_numbers(void **state)
{
	static const struct vector v[] = {
		{"Expires: 3600", "Expires", "3600"},
		{"Expires: 3600;host=pbx", "Expires", NULL},
		{"Expires: Sun, 06 Nov 1994 08:49:37 GMT", "Expires", NULL},
		{"Expires: 12345678901", "Expires", NULL},
		{"Expires:", "Expires", NULL},
		{"Min-Expires: 60", "Min-Expires", "60"},
		{"Min-SE: 90", "Min-SE", "90"},
		{"Min-SE: 90;pbx.internal", "Min-SE", NULL},
		{"Max-Breadth: 60", "Max-Breadth", "60"},
		{"Session-Expires: 1800;refresher=uac", "Session-Expires", "1800;refresher=uac"},
		{"x: 1800 ; refresher=pbx ; at=pbx", "Session-Expires", "1800"},
		{"Session-Expires: pbx", "Session-Expires", NULL},
		{"Date: Sat, 13 Nov 2010 23:29:00 GMT", "Date", "Sat, 13 Nov 2010 23:29:00 GMT"},
		{"Date: Sat, 13 Nov 2010 23:29:00 PBX", "Date", NULL},
		{"Date: yesterday", "Date", NULL},
		{"Timestamp: 54.21 0.3", "Timestamp", "54.21 0.3"},
		{"Timestamp: 10.9.8.7", "Timestamp", NULL},
		{"Timestamp: 1 2 3", "Timestamp", NULL},
		{"Timestamp: .", "Timestamp", NULL},
		{"Timestamp: now", "Timestamp", NULL},
		{"Accept-Language: da, en-gb;q=0.8, *;q=0.1", "Accept-Language",
		 "da, en-gb;q=0.8, *;q=0.1"},
		{"Accept-Language: pbx.internal", "Accept-Language", NULL},
		{"Accept-Language: en;host=a", "Accept-Language", NULL},
		{"Accept-Language: verylonglanguage", "Accept-Language", NULL},
	};

	(void)state;
	RUN(ACCESS, v);
	RUN(CORE, v);
}

static void only_what_is_served_is_offered(void **state)
{
	static const struct vector v[] = {
		{"Supported: replaces, timer, path, 100rel, outbound, gruu", "Supported",
		 "timer, 100rel"},
		{"k: TIMER", "Supported", "TIMER"},
		{"Supported: replaces, join, histinfo, norefersub, tdialog, from-change",
		 "Supported", NULL},
		{"Supported: \"timer\"", "Supported", NULL},
		{"Supported:", "Supported", NULL},
		{"Unsupported: pbx.internal, timer", "Unsupported", "timer"},
		{"Proxy-Require: privacy, sec-agree", "Proxy-Require", "privacy"},
		{"Allow: INVITE, ACK, REFER, NOTIFY, BYE, invite, X-PBX", "Allow",
		 "INVITE, ACK, BYE"},
		{"Allow: SUBSCRIBE", "Allow", NULL},
		{"Accept: application/sdp;level=1, application/isup, text/plain", "Accept",
		 "application/sdp, text/plain"},
		{"Accept: multipart/mixed", "Accept", NULL},
		{"Accept-Encoding: gzip", "Accept-Encoding", NULL},
		{"Allow-Events: presence, dialog", "Allow-Events", NULL},
		{"Event: refer;id=93809824", "Event", "refer;id=93809824"},
		{"o: presence;id=pbx", "Event", "presence"},
		{"Event: pbx.internal", "Event", NULL},
		{"Subscription-State: terminated;reason=noresource;retry-after=5;by=pbx",
		 "Subscription-State", "terminated;reason=noresource;retry-after=5"},
		{"Subscription-State: pbx", "Subscription-State", NULL},
		{"Info-Package: infoDtmf", "Info-Package", "infoDtmf"},
		{"Recv-Info: infoDtmf, pbx.internal", "Recv-Info", "infoDtmf"},
		{"SIP-ETag: abc", "SIP-ETag", NULL},
		{"SIP-If-Match: abc", "SIP-If-Match", NULL},
	};

	(void)state;
	RUN(ACCESS, v);
	RUN(CORE, v);
}

static void what_names_a_side_is_dropped(void **state)
{
	static const struct vector v[] = {
		{"Path: <sip:edge.internal;lr>", "Path", NULL},
		{"Service-Route: <sip:edge.internal;lr>", "Service-Route", NULL},
		{"Record-Route: <sip:edge.internal;lr>", "Record-Route", NULL},
		{"Replaces: abc@pbx;to-tag=1;from-tag=2", "Replaces", NULL},
		{"Join: abc@pbx;to-tag=1;from-tag=2", "Join", NULL},
		{"In-Reply-To: abc@pbx", "In-Reply-To", NULL},
		{"Organization: Internal", "Organization", NULL},
		{"Subject: call from pbx", "Subject", NULL},
		{"s: call from pbx", "Subject", NULL},
		{"Call-Info: <http://pbx/icon.png>;purpose=icon", "Call-Info", NULL},
		{"Error-Info: <sip:announcement@pbx>", "Error-Info", NULL},
		{"Geolocation: <https://lis.internal/a>", "Geolocation", NULL},
		{"Identity: eyJ;info=<https://cert.internal>;alg=ES256", "Identity", NULL},
		{"y: eyJ;info=<https://cert.internal>", "Identity", NULL},
		{"Content-Encoding: gzip", "Content-Encoding", NULL},
		{"X-Anything: 1", "X-Anything", NULL},
		{"X-Bypass-me : lol", "X-Bypass-me", NULL},
		{"X-Bypass\t:\r\n lol", "X-Bypass", NULL},
		{"P-Charging-Vector: icid-value=1", "P-Charging-Vector", NULL},
	};

	(void)state;
	RUN(ACCESS, v);
	RUN(CORE, v);
}

static void words_and_causes_lose_their_free_text(void **state)
{
	static const struct vector v[] = {
		{"Priority: urgent", "Priority", "urgent"},
		{"Priority: pbx.internal", "Priority", NULL},
		{"Reason: Q.850;cause=16;text=\"pbx.internal\"", "Reason", "Q.850;cause=16"},
		{"Reason: SIP ;cause=200 ;text=\"Call completed elsewhere\"", "Reason",
		 "SIP;cause=200;text=\"Call completed elsewhere\""},
		{"Reason: X.int;cause=1, SIP;cause=487;location=U", "Reason", "SIP;cause=487"},
		{"Reason: pbx;cause=1", "Reason", NULL},
		{"Retry-After: 18000;duration=3600", "Retry-After", "18000;duration=3600"},
		{"Retry-After: 120 (pbx (internal) is down);duration=60;by=pbx", "Retry-After",
		 "120;duration=60"},
		{"Retry-After: 120 (never closed", "Retry-After", "120"},
		{"Retry-After: soon", "Retry-After", NULL},
		{"Privacy: id;critical", "Privacy", "id;critical"},
		{"Privacy: id;pbx", "Privacy", "id"},
		{"Alert-Info: <urn:alert:service:call-waiting>;x=pbx", "Alert-Info",
		 "<urn:alert:service:call-waiting>"},
		{"Alert-Info: <http://pbx/ring.wav>, <urn:alert:source:internal>", "Alert-Info",
		 "<urn:alert:source:internal>"},
		{"Alert-Info: <urn:alert:country:us@pbx.internal>", "Alert-Info", NULL},
		{"Alert-Info: <urn:alert:source:internal", "Alert-Info", NULL},
		{"User-to-User: 56a390f3;encoding=hex;purpose=isdn-uui;x=pbx", "User-to-User",
		 "56a390f3;encoding=hex;purpose=isdn-uui"},
		{"User-to-User: pbx.internal", "User-to-User", NULL},
		{"Session-ID: "
		 "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",
		 "Session-ID",
		 "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"},
		{"Session-ID: 12345@pbx.internal", "Session-ID", NULL},
	};

	(void)state;
	RUN(ACCESS, v);
	RUN(CORE, v);
}

static void a_warning_speaks_in_the_borders_name(void **state)
{
	static const struct vector to_core[] = {
		{"Warning: 305 pbx.internal:5999 \"no G.729 at pbx\"", "Warning",
		 "305 10.0.0.1 \"Incompatible media format\""},
		{"Warning: 370 a \"x\", 399 pbx \"secret\", 304 b \"y, z\"", "Warning",
		 "370 10.0.0.1 \"Insufficient bandwidth\", 304 10.0.0.1 \"Media type not "
		 "available\""},
		{"Warning: 399 pbx \"secret\"", "Warning", NULL},
		{"Warning: garbage", "Warning", NULL},
	};
	static const struct vector to_access[] = {
		{"Warning: 305 pbx.internal \"no\"", "Warning",
		 "305 203.0.113.1 \"Incompatible media format\""},
	};

	(void)state;
	RUN(ACCESS, to_core);
	RUN(CORE, to_access);
}

static void digest_crosses_without_domain(void **state)
{
	static const struct vector v[] = {
		{"WWW-Authenticate: Digest realm=\"example.com\", domain=\"sip:pbx.internal\", "
		 "nonce=\"84a4cc6f\", opaque=\"\", stale=FALSE, algorithm=MD5, qop=\"auth\"",
		 "WWW-Authenticate",
		 "Digest realm=\"example.com\", nonce=\"84a4cc6f\", opaque=\"\", stale=FALSE, "
		 "algorithm=MD5, qop=\"auth\""},
		{"Authorization: digest\r\n username=\"bob\",realm=\"r, s\",server=pbx,nc=00000001",
		 "Authorization", "Digest username=\"bob\", realm=\"r, s\", nc=00000001"},
		{"Proxy-Authorization: Bearer eyJ", "Proxy-Authorization", NULL},
		{"Proxy-Authenticate: Digest realm=\"open", "Proxy-Authenticate", NULL},
		{"Proxy-Authenticate: Digestive realm=\"a\"", "Proxy-Authenticate", NULL},
		{"Authorization: Digest", "Authorization", NULL},
		{"Authentication-Info: nextnonce=\"47364c23\", qop=auth, at=pbx",
		 "Authentication-Info", "nextnonce=\"47364c23\", qop=auth"},
	};

	(void)state;
	RUN(ACCESS, v);
	RUN(CORE, v);
}

static void identities_cross_by_rfc_3325(void **state)
{
	static const struct vector from_untrusted[] = {
		{"P-Asserted-Identity: <sip:forged@x>", "P-Asserted-Identity", NULL},
		{"Remote-Party-ID: <sip:forged@x>", "Remote-Party-ID", NULL},
		{"Diversion: <sip:forged@x>", "Diversion", NULL},
		{"History-Info: <sip:forged@x>;index=1", "History-Info", NULL},
		{"P-Preferred-Identity: \"A\" <sip:a@192.168.1.2>", "P-Preferred-Identity",
		 "\"A\" <sip:a@10.0.0.1>"},
		{"Reply-To: Bob <sip:bob@pc.internal;transport=udp>;x=y", "Reply-To",
		 "\"Bob\" <sip:bob@10.0.0.1>"},
		{"b: <sip:bob@pc.internal>;cid=\"1@pc.internal\"", "Referred-By",
		 "<sip:bob@10.0.0.1>"},
		{"r: <sip:carol@pc.internal;method=INVITE>", "Refer-To", "<sip:carol@10.0.0.1>"},
		{"Refer-To: <sip:carol@pc.internal?Replaces=abc%40pbx>", "Refer-To", NULL},
	};
	static const struct vector to_untrusted[] = {
		{"P-Asserted-Identity: \"A\" <sip:a@pbx.internal:5999>, <tel:+4930;x=y>",
		 "P-Asserted-Identity", "\"A\" <sip:a@203.0.113.1>, <tel:+4930>"},
		{"P-Asserted-Identity: <sip:a@pbx.internal>\r\nPrivacy: user;ID",
		 "P-Asserted-Identity", NULL},
		{"Remote-Party-ID: <sip:a@pbx>\r\nPrivacy: id", "Remote-Party-ID", NULL},
		{"Remote-Party-ID: <sip:a@pbx>;party=calling;screen=yes;x=y", "Remote-Party-ID",
		 "<sip:a@203.0.113.1>;party=calling;screen=yes"},
		{"Remote-Party-ID: <sip:a@pbx>;privacy=full", "Remote-Party-ID", NULL},
		{"P-Preferred-Identity: <sip:a@pbx>", "P-Preferred-Identity", NULL},
		{"Diversion: <sip:a@pbx>;reason=no-answer;counter=1;x=pbx, "
		 "<sip:b@pbx>;privacy=full",
		 "Diversion", "<sip:a@203.0.113.1>;reason=no-answer;counter=1"},
		{"Diversion: <sip:a@pbx>;reason=\"user-busy\"", "Diversion",
		 "<sip:a@203.0.113.1>;reason=\"user-busy\""},
		{"History-Info: <sip:a@pbx?Reason=SIP%3Bcause%3D302>;index=1, "
		 "<sip:b@pbx?Privacy=history>;index=1.1, <sip:c@pbx>;index=1.2;mp=1.1;x=y",
		 "History-Info",
		 "<sip:a@203.0.113.1>;index=1, <sip:c@203.0.113.1>;index=1.2;mp=1.1"},
		{"History-Info: <sip:a@pbx>;index=1\r\nPrivacy: history", "History-Info", NULL},
		{"History-Info: <sip:a@pbx>;index=10.9.8.7", "History-Info", "<sip:a@203.0.113.1>"},
		{"Diversion: <sip:a@pbx>\r\nPrivacy: header", "Diversion", NULL},
	};
	const struct vector inside[] = {
		{"P-Asserted-Identity: <sip:a@pbx>\r\nPrivacy: id", "P-Asserted-Identity",
		 "<sip:a@203.0.113.1>"},
		{"P-Preferred-Identity: <sip:a@pbx>", "P-Preferred-Identity",
		 "<sip:a@203.0.113.1>"},
	};

	(void)state;
	RUN(ACCESS, from_untrusted);
	RUN(CORE, to_untrusted);
	snap.realm[ACCESS].trust = SNAPSHOT_TRUSTED;
	RUN(CORE, inside);
	snap.realm[ACCESS].trust = SNAPSHOT_UNTRUSTED;
}

static void software_is_named_by_the_realms_setting(void **state)
{
	static const struct vector shown[] = {
		{"User-Agent: Phone/1.2 (Linux)", "User-Agent", "Phone/1.2 (Linux)"},
		{"Server: Phone/1.2", "Server", "Phone/1.2"},
		{"User-Agent: Phone\r\n 1.2", "User-Agent", "Phone 1.2"},
		{"User-Agent: bad\x01", "User-Agent", NULL},
		{"User-Agent: bad\xff", "User-Agent", NULL},
	};
	static const struct vector hidden[] = {{"User-Agent: Pbx/1.2", "User-Agent", NULL},
					       {"Server: Pbx/1.2", "Server", NULL}};
	static const struct vector ours[] = {{"User-Agent: Pbx/1.2", "User-Agent", "Border"},
					     {"Server: Pbx/1.2", "Server", "Border"}};

	(void)state;
	RUN(ACCESS, shown);
	RUN(CORE, hidden);
	strcpy(snap.product, "Border");
	RUN(CORE, ours);
	snap.product[0] = '\0';
}

static void unknown_headers_go_where_the_realm_carries_them(void **state)
{
	static const struct vector v[] = {
		{"X-Desk: 4711", "X-Desk", "4711"},
		{"X-Desk : 4711", "X-Desk", "4711"},
		{"X-Desk:\t4711\r\n  4712", "X-Desk", "4711 4712"},
		{"X-Desk: \x01", "X-Desk", NULL},
		{"P-Charging-Vector: icid-value=1", "P-Charging-Vector", NULL},
		{"p-anything: 1", "p-anything", NULL},
		{"Target-Dialog: c;local-tag=1", "Target-Dialog", NULL},
		{"Security-Server: x", "Security-Server", NULL},
		{"Via : SIP/2.0/UDP h;branch=z9hG4bK2", "Record-Route", NULL},
	};

	(void)state;
	snap.realm[CORE].carry_unknown_headers = true;
	RUN(ACCESS, v);
	/* The other direction has not been told to. */
	const struct vector back[] = {{"X-Desk: 4711", "X-Desk", NULL}};
	RUN(CORE, back);
	snap.realm[CORE].carry_unknown_headers = false;
}

static void an_unknown_header_may_not_repeat_what_is_hidden(void **state)
{
	static const char text[] =
		"OPTIONS sip:b@203.0.113.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP phone.lan.internal:5999;branch=z9hG4bKsecretbranch\r\n"
		"From: <sip:a@pbx.internal>;tag=fromsecret\r\nTo: <sip:b@203.0.113.1>\r\n"
		"Call-ID: callsecret@pbx.internal\r\nCSeq: 1 OPTIONS\r\n"
		"Contact: <sip:a@contact.internal>\r\n"
		"X-A: id=callsecret\r\nX-B: FROMSECRET\r\nX-C: at PBX.internal\r\n"
		"X-D: z9hG4bKsecretbranch\r\nX-E: phone.lan.internal\r\nX-F: contact.internal\r\n"
		"X-G: kept\r\n\r\n";
	struct hiding_request r = fixture_request(&snap, ACCESS);
	struct sip_msg m;
	struct wbuf w;
	char got[256];

	(void)state;
	snap.realm[CORE].carry_unknown_headers = true;
	fixture_parse(&m, SLICE_LIT(text));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	snap.realm[CORE].carry_unknown_headers = false;
	for (char c = 'A'; c <= 'F'; c++)
		assert_null(value_after(wbuf_slice(&w), (char[]){'X', '-', c, 0}, got));
	assert_string_equal(value_after(wbuf_slice(&w), "X-G", got), "kept");
}

static void bodies_cross_by_their_type(void **state)
{
	static const struct {
		const char *lines, *type; /* type: NULL, the body is dropped */
	} v[] = {
		{"Content-Type: text/plain;charset=utf-8;x=pbx\r\n", "text/plain;charset=utf-8"},
		{"c: application/dtmf-relay\r\n", "application/dtmf-relay"},
		{"Content-Type: application/dtmf ; charset=pbx\r\n", "application/dtmf"},
		{"Content-Type: application/media_control+xml\r\n",
		 "application/media_control+xml"},
		{"Content-Type: application/sdp\r\n", NULL},
		{"Content-Type: multipart/mixed;boundary=x\r\n", NULL},
		{"Content-Type: message/sipfrag\r\n", NULL},
		{"Content-Type: application/pidf+xml\r\n", NULL},
		{"Content-Type: text/plain\r\nContent-Encoding: gzip\r\n", NULL},
		{"Content-Type: text/plain\r\nContent-Encoding: identity\r\n", "text/plain"},
		{"", NULL},
	};
	struct sip_msg m;
	char got[256];

	(void)state;
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		char lines[512];
		struct slice text;
		const char *type;

		snprintf(lines, sizeof(lines),
			 "%sMIME-Version: 1.0\r\nContent-Language: en\r\n"
			 "Content-Disposition: render;handling=optional;x=y\r\n",
			 v[i].lines);
		text = request_with(ACCESS, lines, "Signal=5\r\n");
		fixture_parse(&m, text);
		type = value_after(text, "Content-Type", got);
		assert_int_equal(type != NULL, v[i].type != NULL);
		if (type)
			assert_string_equal(type, v[i].type);
		assert_int_equal(m.body_len, v[i].type ? 10 : 0);
		type = value_after(text, "Content-Disposition", got);
		assert_int_equal(type != NULL, v[i].type != NULL);
		if (type)
			assert_string_equal(type, "render;handling=optional");
		assert_int_equal(value_after(text, "MIME-Version", got) != NULL, v[i].type != NULL);
		assert_int_equal(value_after(text, "Content-Language", got) != NULL,
				 v[i].type != NULL);
		assert_null(value_after(text, "Content-Encoding", got));
	}
	assert_true(hiding_carries_body(SLICE_LIT("Application/SDP ; x=y")));
	assert_true(hiding_is_sdp(SLICE_LIT("Application/SDP;x=y")));
	assert_false(hiding_is_sdp(SLICE_LIT("application/sdpx")));
	assert_false(hiding_carries_body(SLICE_NONE));
}

static void a_body_of_ours_takes_the_originals_place(void **state)
{
	struct hiding_request r = fixture_request(&snap, ACCESS);
	struct sip_msg m, n;
	struct wbuf w;
	char got[256];

	(void)state;
	request_with(ACCESS, "Content-Type: application/sdp\r\n", "v=0\r\no=secret\r\n");
	fixture_parse(&m, slice_str(in));
	r.body = SLICE_LIT("v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\n");
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	fixture_parse(&n, wbuf_slice(&w));
	assert_true(slice_eq(sip_msg_body(&n), r.body));
	assert_string_equal(value_after(wbuf_slice(&w), "Content-Type", got), "application/sdp");

	/* Without a usable Content-Type of the original there is one all the same. */
	request_with(ACCESS, "Content-Type: multipart/mixed;boundary=b\r\n", "--b--");
	fixture_parse(&m, slice_str(in));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	assert_string_equal(value_after(wbuf_slice(&w), "Content-Type", got), "application/sdp");

	r.drop_body = true;
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	fixture_parse(&n, wbuf_slice(&w));
	assert_int_equal(n.body_len, 0);
	assert_null(value_after(wbuf_slice(&w), "Content-Type", got));
}

static void reliable_provisionals_are_numbered_by_us(void **state)
{
	struct hiding_response r = fixture_response(&snap, CORE, 183);
	struct sip_msg m;
	struct wbuf w;
	char got[256];

	(void)state;
	response_with(CORE, "Require: 100rel, timer\r\nRSeq: 988789\r\n");
	fixture_parse(&m, slice_str(in));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	assert_string_equal(value_after(wbuf_slice(&w), "Require", got), "timer");
	assert_null(value_after(wbuf_slice(&w), "RSeq", got));

	r.rseq = SLICE_LIT("17");
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_response(&w, &m, &r), SBC_OK);
	assert_string_equal(value_after(wbuf_slice(&w), "RSeq", got), "17");
	fixture_parse(&m, wbuf_slice(&w));
	assert_true(sip_msg_lists(&m, SIP_HDR_REQUIRE, SLICE_LIT("100rel")));
	assert_true(sip_msg_lists(&m, SIP_HDR_REQUIRE, SLICE_LIT("timer")));
}

static void a_request_keeps_its_shape(void **state)
{
	static const char want[] = "MESSAGE sip:dialled@far.invalid SIP/2.0\r\n"
				   "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKours;rport\r\n"
				   "Max-Forwards: 69\r\n"
				   "Route: <sip:10.0.0.9;lr>\r\n"
				   "From: <sip:caller@border.invalid>;tag=ourfrom\r\n"
				   "To: <sip:dialled@far.invalid>\r\n"
				   "Call-ID: ourcallid\r\n"
				   "CSeq: 7 MESSAGE\r\n"
				   "Contact: <sip:minted@border.invalid>\r\n"
				   "RAck: 1 2 INVITE\r\n"
				   "Extra: x\r\n"
				   "Expires: 5\r\n"
				   "Content-Type: text/plain\r\n"
				   "Content-Length: 2\r\n\r\nhi";
	struct hiding_request r = fixture_request(&snap, ACCESS);
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	request_with(ACCESS, "Expires: 5\r\nX-A: 1\r\nContent-Type : text/plain\r\n", "hi");
	fixture_parse(&m, slice_str(in));
	r.route = SLICE_LIT("<sip:10.0.0.9;lr>");
	r.rack = SLICE_LIT("1 2 INVITE");
	r.extra = SLICE_LIT("Extra: x\r\n");
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	assert_int_equal(w.n, sizeof(want) - 1);
	assert_memory_equal(out, want, w.n);
	/* One byte less of room is refused. */
	uint32_t n = w.n;
	wbuf_init(&w, out, n - 1);
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_EFULL);
}

static void a_response_says_its_reason_by_the_rfc(void **state)
{
	static const char want[] = "SIP/2.0 200 OK\r\n" FIXTURE_HEAD ";tag=ourto\r\n"
				   "Contact: <sip:minted@border.invalid>\r\n"
				   "Expires: 5\r\nContent-Length: 0\r\n\r\n";
	struct slice text = response_with(CORE, "Expires: 5\r\n");

	(void)state;
	assert_int_equal(text.n, sizeof(want) - 1);
	assert_memory_equal(text.p, want, text.n);
}

static void requests_of_our_own_are_whole(void **state)
{
	struct hiding_own_request r = {
		.snap = &snap,
		.listener = ACCESS,
		.method = SIP_BYE,
		.request_uri = SLICE_LIT("sip:a@198.51.100.7"),
		.branch = SLICE_LIT("z9hG4bKb"),
		.from = SLICE_LIT("<sip:b@203.0.113.1>;tag=f"),
		.to = SLICE_LIT("<sip:a@198.51.100.7>;tag=t"),
		.call_id = SLICE_LIT("cid"),
		.cseq = 12,
		.extra = SLICE_LIT("Reason: Q.850;cause=16\r\n"),
	};
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	wbuf_init(&w, out, sizeof(out));
	hiding_own_request_write(&w, &r);
	fixture_parse(&m, wbuf_slice(&w));
	assert_int_equal(m.method, SIP_BYE);
	assert_true(slice_eq(sip_msg_value(&m, SIP_HDR_REASON), SLICE_LIT("Q.850;cause=16")));
	assert_false(sip_msg_has(&m, SIP_HDR_CONTACT));
	assert_false(sip_msg_has(&m, SIP_HDR_USER_AGENT));
	r.method = SIP_INVITE;
	r.content_type = SLICE_LIT("application/sdp");
	r.body = SLICE_LIT("v=0\r\n");
	wbuf_init(&w, out, sizeof(out));
	hiding_own_request_write(&w, &r);
	fixture_parse(&m, wbuf_slice(&w));
	assert_true(slice_eq(sip_msg_body(&m), r.body));
}

static void composing_beyond_the_scratch_is_refused(void **state)
{
	struct hiding_request r = fixture_request(&snap, CORE);
	struct sip_msg m;
	struct wbuf w;
	uint32_t n;

	(void)state;
	/* Short identities grow by the border's host: beyond the scratch, nothing is sent. */
	n = (uint32_t)snprintf(in, sizeof(in),
			       "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
			       "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
			       "CSeq: 1 OPTIONS\r\nP-Asserted-Identity: <sip:a@h>");
	for (int i = 0; i < 4000; i++)
		n += (uint32_t)snprintf(in + n, sizeof(in) - n, ", <sip:a@h>");
	n += (uint32_t)snprintf(in + n, sizeof(in) - n, "\r\n\r\n");
	fixture_parse(&m, slice_of(in, n));
	wbuf_init(&w, out, sizeof(out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_EFULL);
}

static void every_served_method_is_allowed_and_no_other(void **state)
{
	(void)state;
	for (int m = 0; m < SIP_METHOD_COUNT; m++) {
		struct slice rest = slice_str(reply_allow), name;
		bool listed = false;

		while (sip_list_next(&rest, &name))
			listed |= slice_eq(name, sip_method_name((enum sip_method)m));
		assert_int_equal(listed, hiding_serves_method((enum sip_method)m));
	}
}

static bool crosses_alone(const char *name, struct slice word)
{
	char line[80];
	struct sip_msg m;

	snprintf(line, sizeof(line), "%s: %.*s\r\n", name, (int)word.n, word.p);
	fixture_parse(&m, request_with(ACCESS, line, ""));
	for (uint32_t i = 0; i < m.count; i++)
		if (slice_eq(sip_entry_name(&m, i), slice_str(name)))
			return slice_eq(sip_entry_value(&m, i), word);
	return false;
}

/* Lists are filtered by words taken as numbers: as if each were looked up by its name. */
static void lists_keep_what_is_served(void **state)
{
	static const char *const tags[] = {"timer",   "TIMER",    "100rel", "100REL",  "Privacy",
					   "privacy", "privacyx", "time",   "timers",  "100re",
					   "path",    "gruu",     "t",      "outbound"};

	(void)state;
	for (int m = 1; m < SIP_METHOD_COUNT; m++) {
		const struct slice name = sip_method_name((enum sip_method)m);
		char other[16];

		assert_int_equal(crosses_alone("Allow", name),
				 hiding_serves_method((enum sip_method)m));
		memcpy(other, name.p, name.n);
		other[name.n] = 'X';
		assert_false(crosses_alone("Allow", slice_of(other, name.n + 1)));
		assert_false(crosses_alone("Allow", slice_of(other, name.n - 1)));
		other[0] = slice_lower(other[0]);
		assert_false(crosses_alone("Allow", slice_of(other, name.n)));
	}
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		assert_int_equal(crosses_alone("Supported", slice_str(tags[i])),
				 hiding_serves_option(slice_str(tags[i])));
}

static void what_is_required_and_not_served_is_named(void **state)
{
	char text[128];
	struct sip_msg m;
	struct wbuf w;

	(void)state;
	request_with(ACCESS,
		     "Require: timer, gruu,path\r\nRequire: 100rel\r\nProxy-Require: sec-agree\r\n",
		     "");
	fixture_parse(&m, slice_str(in));
	wbuf_init(&w, text, sizeof(text));
	hiding_unsupported_write(&w, &m);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("gruu, path, sec-agree")));
	request_with(ACCESS, "Require: timer\r\n", "");
	fixture_parse(&m, slice_str(in));
	wbuf_init(&w, text, sizeof(text));
	hiding_unsupported_write(&w, &m);
	assert_int_equal(w.n, 0);
}

static void the_policy_says_what_the_writer_does(void **state)
{
	const struct snapshot_realm *access = &snap.realm[ACCESS], *core = &snap.realm[CORE];

	(void)state;
	assert_int_equal(hiding_policy(SIP_HDR_VIA, access, core), HIDING_OURS);
	assert_int_equal(hiding_policy(SIP_HDR_EXPIRES, access, core), HIDING_CARRY);
	assert_int_equal(hiding_policy(SIP_HDR_ALLOW, access, core), HIDING_FILTER);
	assert_int_equal(hiding_policy(SIP_HDR_OTHER, access, core), HIDING_DROP);
	assert_int_equal(hiding_policy(SIP_HDR_USER_AGENT, access, core), HIDING_CARRY);
	assert_int_equal(hiding_policy(SIP_HDR_USER_AGENT, core, access), HIDING_OURS);
	assert_int_equal(hiding_policy(SIP_HDR_P_ASSERTED_IDENTITY, access, core), HIDING_DROP);
	assert_int_equal(hiding_policy(SIP_HDR_P_ASSERTED_IDENTITY, core, access), HIDING_HOSTS);
	assert_int_equal(hiding_policy(SIP_HDR_P_PREFERRED_IDENTITY, core, access), HIDING_DROP);
	assert_int_equal(hiding_policy(SIP_HDR_P_PREFERRED_IDENTITY, access, core), HIDING_HOSTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_cross_when_they_are_numbers),
		cmocka_unit_test(only_what_is_served_is_offered),
		cmocka_unit_test(what_names_a_side_is_dropped),
		cmocka_unit_test(words_and_causes_lose_their_free_text),
		cmocka_unit_test(a_warning_speaks_in_the_borders_name),
		cmocka_unit_test(digest_crosses_without_domain),
		cmocka_unit_test(identities_cross_by_rfc_3325),
		cmocka_unit_test(software_is_named_by_the_realms_setting),
		cmocka_unit_test(unknown_headers_go_where_the_realm_carries_them),
		cmocka_unit_test(an_unknown_header_may_not_repeat_what_is_hidden),
		cmocka_unit_test(bodies_cross_by_their_type),
		cmocka_unit_test(a_body_of_ours_takes_the_originals_place),
		cmocka_unit_test(reliable_provisionals_are_numbered_by_us),
		cmocka_unit_test(a_request_keeps_its_shape),
		cmocka_unit_test(a_response_says_its_reason_by_the_rfc),
		cmocka_unit_test(requests_of_our_own_are_whole),
		cmocka_unit_test(composing_beyond_the_scratch_is_refused),
		cmocka_unit_test(every_served_method_is_allowed_and_no_other),
		cmocka_unit_test(lists_keep_what_is_served),
		cmocka_unit_test(what_is_required_and_not_served_is_named),
		cmocka_unit_test(the_policy_says_what_the_writer_does),
	};

	fixture_snapshot(&snap);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
