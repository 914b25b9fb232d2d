/* Registrations through the engine, and calls to the phones behind them, over any shards. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/core/engine_fixture.h"

static struct fixture f;
static char uri[256];

static int begin(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	return 0;
}

#define CONTACT "<sip:alice@192.168.1.20:5062>"

static void contact_is_replaced_and_stays_the_same(void **state)
{
	char again[256];

	(void)state;
	fixture_begin(&f, 1, 4);
	phone_registers(&f, "alice", 1, CONTACT, 3600, uri, sizeof(uri));
	phone_registers(&f, "alice", 2, CONTACT, 3600, again, sizeof(again));
	assert_string_equal(uri, again);
	assert_null(strstr(uri, "alice"));
	assert_null(strstr(uri, "192.168"));
	assert_int_equal(fixture_stats(&f).registrations, 1);
	assert_int_equal(f.records[RECORD_REGISTERED], 1);
	fixture_end(&f);
}

static void binding_ends_when_the_registrar_said(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 4);
	phone_registers(&f, "alice", 1, CONTACT, 60, uri, sizeof(uri));
	fixture_elapse(&f, 59000);
	assert_int_equal(fixture_stats(&f).registrations, 1);
	fixture_elapse(&f, 2000);
	assert_int_equal(fixture_stats(&f).registrations, 0);
	assert_int_equal(f.records[RECORD_UNREGISTERED], 1);
	fixture_end(&f);
}

static void binding_ends_when_the_phone_says(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 4);
	phone_registers(&f, "alice", 1, CONTACT, 3600, uri, sizeof(uri));
	phone_registers(&f, "alice", 2, CONTACT ";expires=0", 0, uri, sizeof(uri));
	assert_int_equal(fixture_stats(&f).registrations, 0);
	fixture_end(&f);
}

static void star_removes_all(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 4);
	phone_registers(&f, "alice", 1, CONTACT, 3600, uri, sizeof(uri));
	phone_registers(&f, "alice", 2, "<sip:alice@192.168.1.21:5062>", 3600, uri, sizeof(uri));
	assert_int_equal(fixture_stats(&f).registrations, 2);
	fixture_recv(&f, ACCESS, fixture_phone(),
		     "REGISTER sip:203.0.113.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKstar\r\n"
		     "From: <sip:alice@203.0.113.1>;tag=s\r\nTo: <sip:alice@203.0.113.1>\r\n"
		     "Call-ID: starreg@192.168.1.20\r\nCSeq: 9 REGISTER\r\n"
		     "Contact: *\r\nExpires: 0\r\n\r\n");
	const char *reg = fixture_take(&f, CORE, "REGISTER ");
	assert_non_null(strstr(reg, "Contact: *"));
	answer(&f, CORE, reg, "200 OK", "registrartag", "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	assert_int_equal(fixture_stats(&f).registrations, 0);
	fixture_end(&f);
}

static void challenge_is_passed_on_and_binds_nothing(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 4);
	fixture_recv(&f, ACCESS, fixture_phone(),
		     "REGISTER sip:203.0.113.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKauth\r\n"
		     "From: <sip:alice@203.0.113.1>;tag=s\r\nTo: <sip:alice@203.0.113.1>\r\n"
		     "Call-ID: authreg@192.168.1.20\r\nCSeq: 9 REGISTER\r\n"
		     "Contact: <sip:alice@192.168.1.20:5062>\r\nExpires: 60\r\n\r\n");
	answer(&f, CORE, fixture_take(&f, CORE, "REGISTER "), "401 Unauthorized", "registrartag",
	       "WWW-Authenticate: Digest realm=\"example\", nonce=\"abcdef0123\"\r\n", "");
	assert_non_null(strstr(fixture_take(&f, ACCESS, "SIP/2.0 401"), "nonce=\"abcdef0123\""));
	assert_int_equal(fixture_stats(&f).registrations, 0);
	fixture_end(&f);
}

static void unusable_contact_is_refused(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 4);
	fixture_recv(&f, ACCESS, fixture_phone(),
		     "REGISTER sip:203.0.113.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKbad\r\n"
		     "From: <sip:alice@203.0.113.1>;tag=s\r\nTo: <sip:alice@203.0.113.1>\r\n"
		     "Call-ID: badreg@192.168.1.20\r\nCSeq: 9 REGISTER\r\n"
		     "Contact: <mailto:alice@192.168.1.20>\r\nExpires: 60\r\n\r\n");
	fixture_take(&f, ACCESS, "SIP/2.0 400");
	fixture_silent(&f);
	assert_int_equal(fixture_reason(&f, REASON_REG_BAD_CONTACT), 1);
	fixture_end(&f);
}

static void core_may_not_register(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 4);
	fixture_recv(&f, CORE, fixture_pbx(),
		     "REGISTER sip:10.0.0.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 10.0.0.10:5060;branch=z9hG4bKcorereg\r\n"
		     "From: <sip:x@10.0.0.1>;tag=s\r\nTo: <sip:x@10.0.0.1>\r\n"
		     "Call-ID: corereg@10.0.0.10\r\nCSeq: 9 REGISTER\r\n"
		     "Contact: <sip:x@10.0.0.10>\r\n\r\n");
	fixture_take(&f, CORE, "SIP/2.0 403");
	assert_int_equal(fixture_reason(&f, REASON_REG_REFUSED), 1);
	fixture_end(&f);
}

static void table_of_registrations_full(void **state)
{
	char user[16], ours[256];

	(void)state;
	fixture_begin(&f, 1, 4);
	for (unsigned i = 0; i < 16; i++) {
		snprintf(user, sizeof(user), "user%u", i);
		phone_registers(&f, user, i, CONTACT, 60, ours, sizeof(ours));
	}
	fixture_recv(&f, ACCESS, fixture_phone(),
		     "REGISTER sip:203.0.113.1 SIP/2.0\r\n"
		     "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKfull\r\n"
		     "From: <sip:late@203.0.113.1>;tag=s\r\nTo: <sip:late@203.0.113.1>\r\n"
		     "Call-ID: fullreg@192.168.1.20\r\nCSeq: 9 REGISTER\r\n"
		     "Contact: <sip:late@192.168.1.20>\r\n\r\n");
	fixture_take(&f, ACCESS, "SIP/2.0 503");
	assert_int_equal(fixture_reason(&f, REASON_REG_FULL), 1);
	fixture_end(&f);
}

/* INVITE of the pbx, with Call-IDs that fall to different shards. */
static void core_invites(unsigned id, const char *request_uri)
{
	snprintf(f.text, sizeof(f.text),
		 "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.10:5060;branch=z9hG4bKcore%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:bob@10.0.0.10>;tag=corebob%u\r\nTo: <%s>\r\n"
		 "Call-ID: corecall-%u@10.0.0.10\r\nCSeq: 1 INVITE\r\n"
		 "Contact: <sip:bob@10.0.0.10:5060>\r\nContent-Type: application/sdp\r\n\r\n%s",
		 request_uri, id, id, request_uri, id, pbx_sdp);
	fixture_recv(&f, CORE, fixture_pbx(), f.text);
}

static void phone_rings(unsigned id, const char *request_uri)
{
	const char *invite;

	core_invites(id, request_uri);
	fixture_take(&f, CORE, "SIP/2.0 100");
	invite = fixture_take(&f, ACCESS, "INVITE sip:alice@192.168.1.20:5062 ");
	answer(&f, ACCESS, invite, "486 Busy Here", "alicetag", "", "");
	fixture_take(&f, ACCESS, "ACK ");
	fixture_take(&f, CORE, "SIP/2.0 486");
}

static void phone_is_called_whichever_shard_holds_it(void **state)
{
	(void)state;
	for (uint16_t shards = 1; shards <= 4; shards++) {
		begin(NULL);
		fixture_begin(&f, shards, 16);
		phone_registers(&f, "alice", 1, CONTACT, 3600, uri, sizeof(uri));
		for (unsigned i = 0; i < 12; i++) {
			phone_rings(i, uri);
			phone_rings(100 + i, "sip:alice@10.0.0.1");
		}
		fixture_end(&f);
	}
}

static void nobody_registered_is_not_found(void **state)
{
	(void)state;
	for (uint16_t shards = 1; shards <= 4; shards++) {
		begin(NULL);
		fixture_begin(&f, shards, 16);
		for (unsigned i = 0; i < 8; i++) {
			core_invites(i, "sip:nobody@10.0.0.1");
			while (f.tail - f.head > 1)
				fixture_take(&f, CORE, "SIP/2.0 100");
			fixture_take(&f, CORE, "SIP/2.0 404");
		}
		assert_int_equal(fixture_reason(&f, REASON_CALL_NOT_REGISTERED), 8);
		fixture_end(&f);
	}
}

static void calls_may_need_a_registration(void **state)
{
	struct parties p = {.id = 0};

	(void)state;
	for (uint16_t shards = 1; shards <= 4; shards++) {
		begin(NULL);
		fixture_snapshot(&f.snapshot);
		f.snapshot.realm[ACCESS].calls_need_registration = true;
		fixture_begin(&f, shards, 16);
		for (unsigned i = 0; i < 6; i++) {
			p.id = i;
			phone_invite(&f, &p, "", phone_sdp);
			while (f.tail - f.head > 1)
				fixture_take(&f, ACCESS, "SIP/2.0 100");
			fixture_take(&f, ACCESS, "SIP/2.0 403");
		}
		assert_int_equal(fixture_reason(&f, REASON_CALL_FORBIDDEN), 6);
		phone_registers(&f, "alice", 1, CONTACT, 3600, uri, sizeof(uri));
		for (unsigned i = 0; i < 6; i++) {
			p.id = 20 + i;
			call_up(&f, &p);
		}
		driver_kill_all(f.driver);
		fixture_end(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(contact_is_replaced_and_stays_the_same, begin),
		cmocka_unit_test_setup(binding_ends_when_the_registrar_said, begin),
		cmocka_unit_test_setup(binding_ends_when_the_phone_says, begin),
		cmocka_unit_test_setup(star_removes_all, begin),
		cmocka_unit_test_setup(challenge_is_passed_on_and_binds_nothing, begin),
		cmocka_unit_test_setup(unusable_contact_is_refused, begin),
		cmocka_unit_test_setup(core_may_not_register, begin),
		cmocka_unit_test_setup(table_of_registrations_full, begin),
		cmocka_unit_test_setup(phone_is_called_whichever_shard_holds_it, begin),
		cmocka_unit_test_setup(nobody_registered_is_not_found, begin),
		cmocka_unit_test_setup(calls_may_need_a_registration, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
