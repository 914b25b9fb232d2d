/* Each header of the table by its value, as it leaves on the other side. */
#include "tests/unit/core/hiding_header_fixture.h"

static void numbers_cross_when_they_are_numbers(void **state)
{
	static const struct header_vector v[] = {
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

static void what_names_a_side_is_dropped(void **state)
{
	static const struct header_vector v[] = {
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
	static const struct header_vector v[] = {
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
	static const struct header_vector to_core[] = {
		{"Warning: 305 pbx.internal:5999 \"no G.729 at pbx\"", "Warning",
		 "305 10.0.0.1 \"Incompatible media format\""},
		{"Warning: 370 a \"x\", 399 pbx \"secret\", 304 b \"y, z\"", "Warning",
		 "370 10.0.0.1 \"Insufficient bandwidth\", 304 10.0.0.1 \"Media type not "
		 "available\""},
		{"Warning: 399 pbx \"secret\"", "Warning", NULL},
		{"Warning: garbage", "Warning", NULL},
	};
	static const struct header_vector to_access[] = {
		{"Warning: 305 pbx.internal \"no\"", "Warning",
		 "305 203.0.113.1 \"Incompatible media format\""},
	};

	(void)state;
	RUN(ACCESS, to_core);
	RUN(CORE, to_access);
}

static void digest_crosses_without_domain(void **state)
{
	static const struct header_vector v[] = {
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
	static const struct header_vector from_untrusted[] = {
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
	static const struct header_vector to_untrusted[] = {
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
	const struct header_vector inside[] = {
		{"P-Asserted-Identity: <sip:a@pbx>\r\nPrivacy: id", "P-Asserted-Identity",
		 "<sip:a@203.0.113.1>"},
		{"P-Preferred-Identity: <sip:a@pbx>", "P-Preferred-Identity",
		 "<sip:a@203.0.113.1>"},
	};

	(void)state;
	RUN(ACCESS, from_untrusted);
	RUN(CORE, to_untrusted);
	header_snapshot.realm[ACCESS].trust = SNAPSHOT_TRUSTED;
	RUN(CORE, inside);
	header_snapshot.realm[ACCESS].trust = SNAPSHOT_UNTRUSTED;
}

static void software_is_named_by_the_realms_setting(void **state)
{
	static const struct header_vector shown[] = {
		{"User-Agent: Phone/1.2 (Linux)", "User-Agent", "Phone/1.2 (Linux)"},
		{"Server: Phone/1.2", "Server", "Phone/1.2"},
		{"User-Agent: Phone\r\n 1.2", "User-Agent", "Phone 1.2"},
		{"User-Agent: bad\x01", "User-Agent", NULL},
		{"User-Agent: bad\xff", "User-Agent", NULL},
	};
	static const struct header_vector hidden[] = {{"User-Agent: Pbx/1.2", "User-Agent", NULL},
						      {"Server: Pbx/1.2", "Server", NULL}};
	static const struct header_vector ours[] = {{"User-Agent: Pbx/1.2", "User-Agent", "Border"},
						    {"Server: Pbx/1.2", "Server", "Border"}};

	(void)state;
	RUN(ACCESS, shown);
	RUN(CORE, hidden);
	strcpy(header_snapshot.product, "Border");
	RUN(CORE, ours);
	header_snapshot.product[0] = '\0';
}

static void unknown_headers_go_where_the_realm_carries_them(void **state)
{
	static const struct header_vector v[] = {
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
	header_snapshot.realm[CORE].carry_unknown_headers = true;
	RUN(ACCESS, v);
	/* The other direction has not been told to. */
	const struct header_vector back[] = {{"X-Desk: 4711", "X-Desk", NULL}};
	RUN(CORE, back);
	header_snapshot.realm[CORE].carry_unknown_headers = false;
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
	struct hiding_request r = fixture_request(&header_snapshot, ACCESS);
	struct sip_msg m;
	struct wbuf w;
	char got[256];

	(void)state;
	header_snapshot.realm[CORE].carry_unknown_headers = true;
	fixture_parse(&m, SLICE_LIT(text));
	wbuf_init(&w, header_out, sizeof(header_out));
	assert_int_equal(hiding_write_request(&w, &m, &r), SBC_OK);
	header_snapshot.realm[CORE].carry_unknown_headers = false;
	for (char c = 'A'; c <= 'F'; c++)
		assert_null(header_value(wbuf_slice(&w), (char[]){'X', '-', c, 0}, got));
	assert_string_equal(header_value(wbuf_slice(&w), "X-G", got), "kept");
}

static void the_policy_says_what_the_writer_does(void **state)
{
	const struct snapshot_realm *access = &header_snapshot.realm[ACCESS],
				    *core = &header_snapshot.realm[CORE];

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
		cmocka_unit_test(what_names_a_side_is_dropped),
		cmocka_unit_test(words_and_causes_lose_their_free_text),
		cmocka_unit_test(a_warning_speaks_in_the_borders_name),
		cmocka_unit_test(digest_crosses_without_domain),
		cmocka_unit_test(identities_cross_by_rfc_3325),
		cmocka_unit_test(software_is_named_by_the_realms_setting),
		cmocka_unit_test(unknown_headers_go_where_the_realm_carries_them),
		cmocka_unit_test(an_unknown_header_may_not_repeat_what_is_hidden),
		cmocka_unit_test(the_policy_says_what_the_writer_does),
	};

	fixture_snapshot(&header_snapshot);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
