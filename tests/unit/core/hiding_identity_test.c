/* Addresses and URIs for the other side. */
#include "tests/unit/core/hiding_fixture.h"

static struct snapshot snap;

struct vector {
	const char *in, *want;
};

static void run(void (*write)(struct wbuf *, const struct snapshot *, struct slice, struct slice),
		const struct vector *v, size_t n)
{
	char out[1024];

	for (size_t i = 0; i < n; i++) {
		struct wbuf w;

		wbuf_init(&w, out, sizeof(out));
		write(&w, &snap, slice_str(v[i].in), SLICE_LIT("border.net:5080"));
		assert_true(wbuf_ok(&w));
		if (!slice_eq(wbuf_slice(&w), slice_str(v[i].want)))
			fail_msg("%s -> %.*s, wanted %s", v[i].in, (int)w.n, out, v[i].want);
	}
}

#define RUN(write, v) run((write), (v), sizeof(v) / sizeof((v)[0]))

static void a_uri_keeps_its_user_and_nothing_of_its_host(void **state)
{
	static const struct vector v[] = {
		{"sip:alice@pbx.internal", "sip:alice@border.net:5080"},
		{"sip:pbx.internal", "sip:border.net:5080"},
		{"sips:alice@pbx.internal", "sip:alice@border.net:5080"},
		{"SIP:alice:secret@10.9.8.7:5999;transport=tcp;maddr=10.1.1.1;ob;lr;gr=a?Call-ID=x",
		 "sip:alice@border.net:5080"},
		{"sip:+4930@[2001:db8::1];user=phone;x=y", "sip:+4930@border.net:5080;user=phone"},
		{"sip:vm@pbx.internal;target=sip:a%40pbx.internal;cause=486",
		 "sip:vm@border.net:5080;cause=486"},
		{"sip:alice@Example.COM", "sip:alice@Example.COM"},
		{"sip:alice@example.com:5999;transport=tcp", "sip:alice@example.com"},
		{"sip:alice@notexample.com", "sip:alice@border.net:5080"},
		{"http://pbx.internal/", "sip:anonymous@border.net:5080"},
		{"sip:", "sip:anonymous@border.net:5080"},
		{"", "sip:anonymous@border.net:5080"},
		{"garbage", "sip:anonymous@border.net:5080"},
	};

	(void)state;
	RUN(hiding_uri_write, v);
}

static void a_user_that_names_a_host_is_cut_or_replaced(void **state)
{
	static const struct vector v[] = {
		{"sip:alice%40pbx.internal@proxy", "sip:alice@border.net:5080"},
		{"sip:%40pbx.internal@proxy", "sip:anonymous@border.net:5080"},
		{"sip:10.9.8.7@proxy", "sip:anonymous@border.net:5080"},
		{"sip:gw-10.9.8.7@proxy", "sip:anonymous@border.net:5080"},
		{"sip:10.0.0.5%3a5060@proxy", "sip:anonymous@border.net:5080"},
		{"sip:10%2e9%2E8.7@proxy", "sip:anonymous@border.net:5080"},
		{"sip:%5b2001:db8::1%5d@proxy", "sip:anonymous@border.net:5080"},
		{"sip:trunk-PBX.internal@pbx.internal", "sip:anonymous@border.net:5080"},
		{"sip:trunk@trunk", "sip:trunk@border.net:5080"},
		{"sip:first.last@proxy", "sip:first.last@border.net:5080"},
		{"sip:+1.2.3.4@proxy", "sip:+1.2.3.4@border.net:5080"},
		{"sip:1.408.555.1234@proxy", "sip:1.408.555.1234@border.net:5080"},
		{"sip:*31%23123@proxy", "sip:*31%23123@border.net:5080"},
		{"sip:*31#123@proxy", "sip:*31%23123@border.net:5080"},
		{"sip:7042;phone-context=pbx.internal@proxy;user=phone",
		 "sip:7042@border.net:5080;user=phone"},
		{"sip:7042;phone-context=+49-30@proxy",
		 "sip:7042;phone-context=+49-30@border.net:5080"},
		{"sip:7042;phone-context=example.com@proxy",
		 "sip:7042;phone-context=example.com@border.net:5080"},
		{"sip:+4930;npdi;rn=+4989;x=pbx@proxy", "sip:+4930;npdi;rn=+4989@border.net:5080"},
	};

	(void)state;
	RUN(hiding_uri_write, v);
}

static void a_tel_uri_keeps_what_rfc_3966_needs(void **state)
{
	static const struct vector v[] = {
		{"tel:+49-30-123", "tel:+49-30-123"},
		{"tel:+4930;isub=12;x=pbx", "tel:+4930;isub=12"},
		{"tel:7042;phone-context=+4930", "tel:7042;phone-context=+4930"},
		{"tel:7042;phone-context=example.com", "tel:7042;phone-context=example.com"},
		{"tel:7042;phone-context=pbx.internal", "sip:7042@border.net:5080;user=phone"},
	};

	(void)state;
	RUN(hiding_uri_write, v);
}

static void a_display_name_stays_unless_it_names_a_host(void **state)
{
	static const struct vector v[] = {
		{"\"Alice Example\" <sip:a@pbx.internal>;tag=1",
		 "\"Alice Example\" <sip:a@border.net:5080>"},
		{"Alice Example <sip:a@pbx.internal>", "\"Alice Example\" <sip:a@border.net:5080>"},
		{"\"J\xc3\xb6rg \\\"J\\\"\" <sip:a@x>",
		 "\"J\xc3\xb6rg \\\"J\\\"\" <sip:a@border.net:5080>"},
		{"J\xc3\xb6rg <sip:a@x>", "\"J\xc3\xb6rg\" <sip:a@border.net:5080>"},
		{"\"Alice\r\n Example\" <sip:a@x>", "\"Alice Example\" <sip:a@border.net:5080>"},
		{"\"\" <sip:a@x>", "<sip:a@border.net:5080>"},
		{"\"bad \xff\" <sip:a@x>", "<sip:a@border.net:5080>"},
		{"\"bad \x01\" <sip:a@x>", "<sip:a@border.net:5080>"},
		{"\"10.9.8.7\" <sip:a@x>", "<sip:a@border.net:5080>"},
		{"\"via PBX.internal\" <sip:a@pbx.internal>", "<sip:a@border.net:5080>"},
		{"\"a@other.internal\" <sip:a@x>", "<sip:a@border.net:5080>"},
		{"\"Bob @ Work\" <sip:a@x>", "\"Bob @ Work\" <sip:a@border.net:5080>"},
		{"sip:a@pbx.internal;tag=1", "<sip:a@border.net:5080>"},
		{"\"open <sip:a@x>", "<sip:anonymous@border.net:5080>"},
		{"*", "<sip:anonymous@border.net:5080>"},
		{"", "<sip:anonymous@border.net:5080>"},
	};

	(void)state;
	RUN(hiding_identity_write, v);
}

static void a_display_name_is_bounded(void **state)
{
	char in[600], out[1024];
	struct wbuf w;

	(void)state;
	memset(in, 'a', sizeof(in));
	in[0] = '"';
	memcpy(in + 300, "\" <sip:a@x>", 12);
	wbuf_init(&w, out, sizeof(out));
	hiding_identity_write(&w, &snap, slice_str(in), SLICE_LIT("h"));
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("<sip:a@h>")));
	memcpy(in + 257, "\" <sip:a@x>", 12);
	wbuf_init(&w, out, sizeof(out));
	hiding_identity_write(&w, &snap, slice_str(in), SLICE_LIT("h"));
	assert_int_equal(w.n, 258 + 1 + 9);
	/* A user longer than that is nobody's. */
	memcpy(in, "sip:", 4);
	memset(in + 4, 'u', 257);
	memcpy(in + 261, "@x", 3);
	wbuf_init(&w, out, sizeof(out));
	hiding_uri_write(&w, &snap, slice_str(in), SLICE_LIT("h"));
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("sip:anonymous@h")));
}

static void the_border_is_named_by_domain_or_address(void **state)
{
	struct snapshot s = snap;
	char out[256];
	struct wbuf w;

	(void)state;
	wbuf_init(&w, out, sizeof(out));
	hiding_realm_host(&w, &s, CORE);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("10.0.0.1")));
	s.listener[1].addr.port = 5080;
	wbuf_init(&w, out, sizeof(out));
	hiding_realm_host(&w, &s, CORE);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("10.0.0.1:5080")));
	strcpy(s.realm[CORE].domain, "core.net");
	wbuf_init(&w, out, sizeof(out));
	hiding_realm_host(&w, &s, CORE);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("core.net")));
	wbuf_init(&w, out, sizeof(out));
	hiding_peer_host(&w, &s, 0);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("10.0.0.10")));
	strcpy(s.peer[0].domain, "pbx.net");
	wbuf_init(&w, out, sizeof(out));
	hiding_peer_host(&w, &s, 0);
	assert_true(slice_eq(wbuf_slice(&w), SLICE_LIT("pbx.net")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_uri_keeps_its_user_and_nothing_of_its_host),
		cmocka_unit_test(a_user_that_names_a_host_is_cut_or_replaced),
		cmocka_unit_test(a_tel_uri_keeps_what_rfc_3966_needs),
		cmocka_unit_test(a_display_name_stays_unless_it_names_a_host),
		cmocka_unit_test(a_display_name_is_bounded),
		cmocka_unit_test(the_border_is_named_by_domain_or_address),
	};

	fixture_snapshot(&snap);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
