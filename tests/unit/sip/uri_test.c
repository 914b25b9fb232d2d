/* URIs: parts, grammar, hosts, comparison. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/host.h"
#include "sbc/sip/uri.h"

static void parts_of_a_sip_uri(void **state)
{
	struct sip_uri u;

	(void)state;
	assert_int_equal(sip_uri_parse(&u, SLICE_LIT("SIPS:al%69ce;x:p%40ss@[2001:db8::1]:5071"
						     ";user=phone;lr?Subject=a%20b&p=q")),
			 SBC_OK);
	assert_int_equal(u.scheme, SIP_SCHEME_SIPS);
	assert_slice(u.scheme_name, "SIPS");
	assert_true(u.has_user);
	assert_slice(u.user, "al%69ce;x");
	assert_slice(u.password, "p%40ss");
	assert_slice(u.host, "[2001:db8::1]");
	assert_int_equal(u.port, 5071);
	assert_slice(u.params, ";user=phone;lr");
	assert_slice(u.headers, "Subject=a%20b&p=q");
	assert_int_equal(sip_uri_parse(&u, SLICE_LIT("sip:example.com")), SBC_OK);
	assert_false(u.has_user);
	assert_slice(u.host, "example.com");
	assert_int_equal(u.port, 0);
}

static void parts_of_other_uris(void **state)
{
	struct sip_uri u;

	(void)state;
	assert_int_equal(sip_uri_parse(&u, SLICE_LIT("tel:+49(30)1234-5;ext=7")), SBC_OK);
	assert_int_equal(u.scheme, SIP_SCHEME_TEL);
	assert_slice(u.user, "+49(30)1234-5");
	assert_slice(u.params, ";ext=7");
	assert_slice(u.host, "");
	assert_int_equal(sip_uri_parse(&u, SLICE_LIT("soap.beep://192.0.2.103:3002")), SBC_OK);
	assert_int_equal(u.scheme, SIP_SCHEME_OTHER);
	assert_slice(u.scheme_name, "soap.beep");
}

static const char *const good[] = {
	"sip:a",
	"sip:a.b.c.",
	"sip:user@host_with_underscore",
	"sip:#31#0301234@h",
	"sip:+1-201;isub=1@h;user=phone",
	"sip:a:@h",
	("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
	 "(doesn't-it)@example.com"),
	"sip:%00@host5.example.com",
	"sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31",
	"sip:user;par=u%40example.net@example.com",
	"sip:192.0.2.1:65535",
	"sip:[::]",
	"sip:[::ffff:192.0.2.1]",
	"sip:[1:2:3:4:5:6:7:8]",
	"sip:h?a=",
	"tel:911",
	"tel:*31#;phone-context=example.com",
	"tel:+1",
	"urn:service:sos",
	"http://www.example.com/?x=<y>",
	"isbn:2983792873",
};

static const char *const bad[] = {
	"",
	"sip",
	"sip:",
	":a",
	"1sip:a",
	"s p:a",
	"sip:@h",
	"sip::p@h",
	"sip:a@",
	"sip:a@@h",
	"sip:a@b@c",
	"sip:a b@h",
	"sip:a@h h",
	"sip:a@h ",
	" sip:a@h",
	"sip:a\"b@h",
	"sip:a<b@h",
	"sip:a%@h",
	"sip:a%4@h",
	"sip:a%4g@h",
	"sip:a:p;q@h",
	"sip:a@h:",
	"sip:a@h:0",
	"sip:a@h:65536",
	"sip:a@h:5060x",
	"sip:a@h:-1",
	"sip:a@h;",
	"sip:a@h;;b",
	"sip:a@h;=b",
	"sip:a@h;b=c d",
	"sip:a@h;b=\"c\"",
	"sip:a@h?",
	"sip:a@h?b",
	"sip:a@h?=b",
	"sip:a@h?b=c&",
	"sip:a@h?b=c&&d=e",
	"sip:a@.",
	"sip:a@.h",
	"sip:a@h..i",
	"sip:a@-h",
	"sip:a@h-",
	"sip:a@h-.i",
	"sip:a@256.1.1.1",
	"sip:a@1.2.3",
	"sip:a@1.2.3.4.5",
	"sip:a@1",
	"sip:a@[]",
	"sip:a@[::1",
	"sip:a@::1",
	"sip:a@[1:2:3:4:5:6:7]",
	"sip:a@[1:2:3:4:5:6:7:8:9]",
	"sip:a@[1::2::3]",
	"sip:a@[12345::]",
	"sip:a@[::192.0.2]",
	"sip:a@[:1]",
	"sip:a@[1:]",
	"sip:a@[:::]",
	"sip:a@[1:2:3:4:5:6:7::8]",
	"sip:a@[::g]",
	"sip:a@[::1]x",
	"sip:a@h\xc3\xa9",
	"sip:a\xc3\xa9@h",
	"tel:",
	"tel:+",
	"tel:-",
	"tel:abcx",
	"tel:+1a",
	"tel:1;",
	"tel:1 2",
	"tel:1?a=b",
	"urn:",
	"urn:a b",
	"urn:a\x7f\x01",
	"<sip:a@h>",
};

static void grammar(void **state)
{
	struct sip_uri u;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check_vector(sip_uri_parse(&u, slice_str(good[i])) == SBC_OK, good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		check_vector(sip_uri_parse(&u, slice_str(bad[i])) == SBC_EBAD, bad[i]);
}

static void one_prefix(struct slice s)
{
	struct sip_uri u;

	sip_uri_parse(&u, s);
}

static void nothing_is_read_beyond_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		each_prefix(good[i], strlen(good[i]), one_prefix);
	each_prefix("sip:a%41:b%42@[1:2::3.4.5.6]:50;c=%43?d=%44&e=%45", 49, one_prefix);
}

static void one_host(const char *bytes, uint32_t n)
{
	struct guard g;
	struct slice fast = slice_of(guard_end(&g, bytes, n), n), careful = fast, a, b;
	const enum sbc_err err = sip_host_cut(&fast, &a);

	check_vector(host_cut_with_care(&careful, &b) == err, bytes);
	if (err == SBC_OK)
		check_vector(a.p == b.p && a.n == b.n && fast.p == careful.p && fast.n == careful.n,
			     bytes);
	guard_free(&g);
}

/* Many bytes at once or one after another: all short texts of what decides, and long ones. */
static void hosts_are_as_byte_by_byte(void **state)
{
	static const char letters[] = "a1.-_:";
	char text[80];

	(void)state;
	for (uint32_t n = 0; n <= 5; n++) {
		uint32_t all = 1;

		for (uint32_t i = 0; i < n; i++)
			all *= sizeof(letters) - 1;
		for (uint32_t k = 0; k < all; k++) {
			uint32_t rest = k;

			for (uint32_t i = 0; i < n; i++, rest /= sizeof(letters) - 1)
				text[i] = letters[rest % (sizeof(letters) - 1)];
			text[n] = '\0';
			one_host(text, n);
		}
	}
	for (uint32_t n = 6; n < 70; n++)
		for (uint32_t at = 0; at < n; at++)
			for (const char *c = letters; *c; c++) {
				memset(text, *c == '1' ? '1' : 'b', n);
				text[n] = '\0';
				text[at] = *c;
				text[n / 2] = '.';
				one_host(text, n);
			}
}

static void same_uri(struct slice s)
{
	struct sip_uri a, b;
	const enum sbc_err err = sip_uri_parse(&a, s);

	assert_int_equal(uri_parse_with_care(&b, s), err);
	if (err != SBC_OK)
		return;
	assert_true(a.scheme == b.scheme && a.port == b.port && a.has_user == b.has_user);
	assert_true(a.user.p == b.user.p && a.user.n == b.user.n);
	assert_true(a.host.p == b.host.p && a.host.n == b.host.n);
	assert_true(a.params.p == b.params.p && a.params.n == b.params.n);
	assert_true(a.password.p == b.password.p && a.headers.p == b.headers.p);
}

/* One pass or with care: every form above, cut short anywhere and with any byte changed. */
static void usual_uris_are_as_with_care(void **state)
{
	static const char *const more[] = {
		"sip:sbc.example.net;lr",
		"SiP:alice@192.168.1.57:5060;transport=udp;ob",
		"sip:+4930123456789@a.long.name.of.a.host.example.net;user=phone",
		"sip:h:5060;a=;b",
	};
	char text[160];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		each_prefix(good[i], strlen(good[i]), same_uri);
	for (size_t i = 0; i < COUNT(bad); i++)
		same_uri(slice_str(bad[i]));
	for (size_t i = 0; i < COUNT(more); i++) {
		const uint32_t n = (uint32_t)strlen(more[i]);

		each_prefix(more[i], n, same_uri);
		for (uint32_t at = 0; at < n; at++)
			for (uint32_t c = 0; c < 256; c++) {
				memcpy(text, more[i], n);
				text[at] = (char)c;
				same_uri(slice_of(text, n));
			}
	}
}

static void addresses(void **state)
{
	static const struct {
		const char *uri, *text; /* NULL: not an IPv4 literal */
	} vectors[] = {
		{"sip:a@192.0.2.4", "192.0.2.4:5060"},
		{"sips:192.0.2.4", "192.0.2.4:5061"},
		{"sip:192.0.2.4:7", "192.0.2.4:7"},
		{"sip:a@example.com", NULL},
		{"sip:[::1]", NULL},
		{"tel:+1", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct sip_uri u;
		struct net_addr got, want = {0, 0};

		assert_int_equal(sip_uri_parse(&u, slice_str(vectors[i].uri)), SBC_OK);
		const enum sbc_err err = sip_uri_addr(&u, &got);

		if (vectors[i].text == NULL) {
			check_vector(err == SBC_ENONE, vectors[i].uri);
			continue;
		}
		assert_true(net_addr_parse(slice_str(vectors[i].text), &want));
		check_vector(err == SBC_OK && net_addr_eq(got, want), vectors[i].uri);
	}
}

/* RFC 3261 19.1.4 and its examples; RFC 3966 4. */
static void comparison(void **state)
{
	static const struct {
		const char *a, *b;
		bool eq;
	} vectors[] = {
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp",
		 true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
		 "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		 "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP",
		 false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off", false},
		{"sip:a@h", "sips:a@h", false},
		{"sip:a@h", "sip:h", false},
		{"sip:a:p@h", "sip:a@h", false},
		{"sip:a%2Fb@h", "sip:a/b@h", false},
		{"sip:a%2Fb@h", "sip:a%2fb@h", true},
		{"sip:a@h;maddr=x", "sip:a@h", false},
		{"sip:a@h;a=1;a=2", "sip:a@h;a=1;a=2", true},
		{"sip:h?a=1&a=1", "sip:h?a=1&b=1", false},
		{"tel:+1-201-555-0123", "tel:+1.201(555)0123", true},
		{"tel:+1;ext=2", "tel:+1", false},
		{"tel:+12", "tel:+1", false},
		{"tel:1a", "tel:1A", true},
		{"urn:a", "urn:a", true},
		{"urn:a", "urn:A", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct sip_uri a, b;

		assert_int_equal(sip_uri_parse(&a, slice_str(vectors[i].a)), SBC_OK);
		assert_int_equal(sip_uri_parse(&b, slice_str(vectors[i].b)), SBC_OK);
		check_vector(sip_uri_eq(&a, &b) == vectors[i].eq, vectors[i].a);
		check_vector(sip_uri_eq(&b, &a) == vectors[i].eq, vectors[i].b);
	}
}

/* Comparing must not cost the square of what an attacker sends. */
static void many_parameters_compare_byte_by_byte(void **state)
{
	static char a[60000], b[60000];
	struct sip_uri x, y;
	size_t n = 5;

	(void)state;
	memcpy(a, "sip:h", n);
	while (n + 2 < sizeof(a)) {
		a[n++] = ';';
		a[n++] = 'p';
	}
	memcpy(b, a, n);
	b[4] = 'H';
	assert_int_equal(sip_uri_parse(&x, slice_of(a, (uint32_t)n)), SBC_OK);
	assert_int_equal(sip_uri_parse(&y, slice_of(b, (uint32_t)n)), SBC_OK);
	assert_true(sip_uri_eq(&x, &y));
	b[n - 1] = 'P';
	assert_false(sip_uri_eq(&x, &y));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_a_sip_uri),
		cmocka_unit_test(parts_of_other_uris),
		cmocka_unit_test(grammar),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
		cmocka_unit_test(hosts_are_as_byte_by_byte),
		cmocka_unit_test(usual_uris_are_as_with_care),
		cmocka_unit_test(addresses),
		cmocka_unit_test(comparison),
		cmocka_unit_test(many_parameters_compare_byte_by_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
