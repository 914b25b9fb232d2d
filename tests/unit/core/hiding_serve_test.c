/* Methods and extensions: what is served is offered, and nothing else. */
#include "tests/unit/core/hiding_header_fixture.h"

static void only_what_is_served_is_offered(void **state)
{
	static const struct header_vector v[] = {
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
	fixture_parse(&m, header_request(ACCESS, line, ""));
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
	header_request(
		ACCESS,
		"Require: timer, gruu,path\r\nRequire: 100rel\r\nProxy-Require: sec-agree\r\n", "");
	fixture_parse(&m, slice_str(header_in));
	wbuf_init(&w, text, sizeof(text));
	hiding_unsupported_write(&w, &m);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("gruu, path, sec-agree")));
	header_request(ACCESS, "Require: timer\r\n", "");
	fixture_parse(&m, slice_str(header_in));
	wbuf_init(&w, text, sizeof(text));
	hiding_unsupported_write(&w, &m);
	assert_int_equal(w.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_served_is_offered),
		cmocka_unit_test(every_served_method_is_allowed_and_no_other),
		cmocka_unit_test(lists_keep_what_is_served),
		cmocka_unit_test(what_is_required_and_not_served_is_named),
	};

	fixture_snapshot(&header_snapshot);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
