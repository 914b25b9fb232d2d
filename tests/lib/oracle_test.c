/* The oracle itself: an oracle that cannot fail proves nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tests/lib/oracle.h"

#define PHONES 0
#define CORE   1

static bool clean(struct oracle *o, uint16_t realm, const char *text)
{
	char why[512];

	return oracle_check(o, realm, slice_str(text), why, sizeof(why));
}

static uint32_t ip_of(const char *text)
{
	uint32_t ip = 0;

	assert_true(net_ip_parse(slice_str(text), &ip));
	return ip;
}

static void an_address_in_any_disguise(void **state)
{
	static const char *const shown[] = {
		"Via: SIP/2.0/UDP 192.168.1.20:5062\r\n",
		"X: sip%3Aalice%40192%2E168%2e1%2E20\r\n",
		"X: %31%39%32.168.1.20\r\n",
		"X: MTkyLjE2OC4xLjIw\r\n",         /* base64, aligned */
		"X: c2lwOjE5Mi4xNjguMS4yMA==\r\n", /* of "sip:192.168.1.20" */
		"X: YUAxOTIuMTY4LjEuMjA=\r\n",     /* of "a@192.168.1.20" */
		"X: 3139322e3136382e312e3230\r\n", /* its text in hexadecimal */
		"X: c0a80114\r\n",                 /* double word */
		"X: C0A80114;y\r\n",
		"X: 3232235796\r\n",
	};
	struct oracle *o = oracle_new();

	(void)state;
	oracle_add_ip(o, PHONES, ip_of("192.168.1.20"), "phone");
	for (uint32_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		if (clean(o, CORE, shown[i]))
			fail_msg("not seen: %s", shown[i]);
		assert_true(clean(o, PHONES, shown[i]));
	}
	oracle_free(o);
}

static void only_whole_addresses_and_names(void **state)
{
	struct oracle *o = oracle_new();

	(void)state;
	oracle_add_ip(o, CORE, ip_of("10.0.0.1"), "border");
	oracle_add(o, CORE, SLICE_LIT("pbx.example"), "pbx");
	assert_true(clean(o, PHONES, "Via: SIP/2.0/UDP 10.0.0.12\r\n"));
	assert_true(clean(o, PHONES, "Via: SIP/2.0/UDP 110.0.0.1\r\n"));
	assert_true(clean(o, PHONES, "Contact: <sip:a@pbx.examples>\r\n"));
	assert_false(clean(o, PHONES, "Contact: <sip:a@PBX.Example>\r\n"));
	assert_false(clean(o, PHONES, "Contact: <sip:a@10.0.0.1>\r\n"));
	oracle_free(o);
}

static const char invite[] =
	"INVITE sip:bob@203.0.113.1 SIP/2.0\r\n"
	"v: SIP/2.0/UDP gate.home.example:5062;branch=z9hG4bKabcdefgh1\r\n"
	"f: Alice <sip:alice@198.18.0.3>;tag=tagoffrom\r\n"
	"To: <sip:bob@203.0.113.1>\r\n"
	"i: callidentifier@x\r\n"
	"CSeq: 1 INVITE\r\n"
	"Warning: 399 warner.home.example \"text\"\r\n"
	"Record-Route: <sip:first.home.example;lr>,\r\n <sip:second.home.example;lr>\r\n"
	"User-Agent: HomePhone/1.2.3.4\r\n"
	"Authorization: Digest realm=\"secretrealm\", uri=\"sip:198.18.0.9\"\r\n"
	"Content-Type: application/sdp\r\n"
	"\r\n"
	"v=0\r\no=machine-name 99887766 99887767 IN IP4 198.18.0.4\r\ns=living room\r\n"
	"c=IN IP4 198.18.0.5\r\nm=audio 4000 RTP/AVP 0\r\na=ice-ufrag:ufragsecret\r\n";

static void what_a_message_tells_is_learned(void **state)
{
	static const char *const secrets[] = {
		"gate.home.example", "abcdefgh1",          "198.18.0.3",          "tagoffrom",
		"callidentifier@x",  "first.home.example", "second.home.example", "machine-name",
		"99887766",          "99887767",           "198.18.0.4",          "living room",
		"198.18.0.5",        "ufragsecret",        "198.51.100.9"};
	struct oracle *o = oracle_new();

	(void)state;
	oracle_learn(o, PHONES, (struct net_addr){ip_of("198.51.100.9"), 5060}, slice_str(invite),
		     false);
	for (uint32_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		if (clean(o, CORE, secrets[i]))
			fail_msg("not learned: %s", secrets[i]);
		assert_true(clean(o, PHONES, secrets[i]));
	}
	oracle_free(o);
}

static void what_may_cross_is_not_learned(void **state)
{
	struct oracle *o = oracle_new();

	(void)state;
	oracle_share(o, "198.18.0.3");
	oracle_learn(o, PHONES, (struct net_addr){ip_of("198.51.100.9"), 5060}, slice_str(invite),
		     false);
	assert_true(clean(o, CORE, "User-Agent: HomePhone/1.2.3.4"));
	assert_true(clean(o, CORE, "From: <sip:alice@198.18.0.3>"));
	assert_true(clean(o, CORE, "secretrealm 198.18.0.9"));
	oracle_learn(o, PHONES, (struct net_addr){ip_of("198.51.100.9"), 5060}, slice_str(invite),
		     true);
	assert_false(clean(o, CORE, "User-Agent: HomePhone/1.2.3.4"));
	oracle_free(o);
}

static void credentials_cross_and_challenge_domains_do_not(void **state)
{
	struct oracle *o = oracle_new();

	(void)state;
	oracle_add_ip(o, CORE, ip_of("10.0.0.10"), "pbx");
	assert_true(clean(o, PHONES,
			  "SIP/2.0 401 U\r\nWWW-Authenticate: Digest realm=\"10.0.0.10\"\r\n\r\n"));
	assert_false(clean(
		o, PHONES,
		"SIP/2.0 401 U\r\nWWW-Authenticate: Digest domain=\"sip:10.0.0.10\"\r\n\r\n"));
	assert_false(clean(o, PHONES, "SIP/2.0 401 U\r\nX: 10.0.0.10\r\n\r\n"));
	oracle_free(o);
}

static void what_both_sides_say_belongs_to_both(void **state)
{
	struct oracle *o = oracle_new();

	(void)state;
	oracle_add(o, PHONES, SLICE_LIT("shared.example"), "name");
	assert_false(clean(o, CORE, "shared.example"));
	oracle_add(o, CORE, SLICE_LIT("shared.example"), "name");
	assert_true(clean(o, CORE, "shared.example"));
	oracle_free(o);
}

static void what_the_border_mints_belongs_to_one_side(void **state)
{
	struct oracle *o = oracle_new();

	(void)state;
	oracle_learn_sent(
		o, CORE,
		SLICE_LIT("BYE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKbranchy1\r\n"
			  "From: <sip:a@b>;tag=ourtag77\r\nTo: <sip:c@d>;tag=theirtag\r\n"
			  "Call-ID: ourcallid\r\nCSeq: 1 BYE\r\n\r\n"));
	assert_false(clean(o, PHONES, "Call-ID: ourcallid\r\n"));
	assert_false(clean(o, PHONES, "From: <sip:a@b>;tag=ourtag77\r\n"));
	assert_false(clean(o, PHONES, "Via: x;branch=z9hG4bKbranchy1\r\n"));
	assert_true(clean(o, CORE, "Call-ID: ourcallid\r\n"));
	oracle_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_in_any_disguise),
		cmocka_unit_test(only_whole_addresses_and_names),
		cmocka_unit_test(what_a_message_tells_is_learned),
		cmocka_unit_test(what_may_cross_is_not_learned),
		cmocka_unit_test(credentials_cross_and_challenge_domains_do_not),
		cmocka_unit_test(what_both_sides_say_belongs_to_both),
		cmocka_unit_test(what_the_border_mints_belongs_to_one_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
