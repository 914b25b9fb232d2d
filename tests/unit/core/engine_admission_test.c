/* Who may begin a call and how many; what happens when something is used up. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/core/engine_fixture.h"

static struct fixture f;

static int begin(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_snapshot(&f.snapshot);
	return 0;
}

static void refused(unsigned id, const char *status, enum reason why)
{
	struct parties p = {.id = id};
	uint64_t before = fixture_reason(&f, why);
	const char *response;

	phone_invite(&f, &p, "", phone_sdp);
	if (f.tail - f.head > 1)
		fixture_take(&f, ACCESS, "SIP/2.0 100");
	response = fixture_take(&f, ACCESS, status);
	if (strcmp(status, "SIP/2.0 503") == 0)
		assert_non_null(strstr(response, "Retry-After:"));
	fixture_silent(&f);
	assert_int_equal(fixture_reason(&f, why), before + 1);
}

static void no_new_calls_while_draining(void **state)
{
	struct parties p = {.id = 1};

	(void)state;
	fixture_begin(&f, 1, 8);
	call_up(&f, &p);
	driver_drain(f.driver);
	refused(2, "SIP/2.0 503", REASON_CALL_DRAINING);
	/* The call that stood goes on. */
	phone_request(&f, &p, "BYE", 2, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	answer(&f, CORE, fixture_take(&f, CORE, "BYE "), "200 OK", "", "", "");
	fixture_end(&f);
}

static void realm_takes_so_many_calls(void **state)
{
	struct parties p = {.id = 1};

	(void)state;
	f.snapshot.realm[ACCESS].max_calls = 1;
	fixture_begin(&f, 1, 8);
	call_up(&f, &p);
	refused(2, "SIP/2.0 503", REASON_CALL_LIMIT);
	driver_kill_all(f.driver);
	fixture_discard(&f);
	p.id = 3;
	call_up(&f, &p);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void realm_takes_so_many_calls_a_second(void **state)
{
	struct parties p = {.id = 1};

	(void)state;
	f.snapshot.realm[ACCESS].max_cps = 1;
	fixture_begin(&f, 1, 8);
	call_up(&f, &p);
	refused(2, "SIP/2.0 503", REASON_CALL_LIMIT);
	fixture_elapse(&f, 1000);
	fixture_discard(&f);
	p.id = 3;
	call_up(&f, &p);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void all_calls_taken(void **state)
{
	struct parties p = {.id = 1};

	(void)state;
	fixture_begin(&f, 1, 1);
	call_up(&f, &p);
	refused(2, "SIP/2.0 503", REASON_CALL_FULL);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void all_ports_taken(void **state)
{
	struct parties p = {.id = 1};

	(void)state;
	f.snapshot.realm[CORE].media_hi = f.snapshot.realm[CORE].media_lo + 1;
	fixture_begin(&f, 1, 8);
	call_up(&f, &p);
	refused(2, "SIP/2.0 503", REASON_CALL_PORTS);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

static void nothing_leads_there(void **state)
{
	(void)state;
	strcpy(f.snapshot.route[0].prefix, "49");
	fixture_begin(&f, 1, 8);
	refused(2, "SIP/2.0 404", REASON_CALL_NO_ROUTE);
	fixture_end(&f);
}

static void stranger_in_the_core_is_refused(void **state)
{
	struct net_addr stranger = {fixture_pbx().ip + 0x01000000, 5060};

	(void)state;
	fixture_begin(&f, 1, 8);
	fixture_recv(
		&f, CORE, stranger,
		"INVITE sip:alice@10.0.0.1 SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 10.0.0.11:5060;branch=z9hG4bKstranger\r\n"
		"From: <sip:x@10.0.0.11>;tag=s\r\nTo: <sip:alice@10.0.0.1>\r\n"
		"Call-ID: strangercall\r\nCSeq: 1 INVITE\r\nContact: <sip:x@10.0.0.11>\r\n\r\n");
	fixture_take(&f, CORE, "SIP/2.0 403");
	assert_int_equal(fixture_reason(&f, REASON_SIP_SOURCE), 1);
	fixture_end(&f);
}

static void repetition_of_a_refused_invite_stays_refused(void **state)
{
	struct parties p = {.id = 1}, late = {.id = 2};

	(void)state;
	fixture_begin(&f, 1, 1);
	call_up(&f, &p);
	refused(2, "SIP/2.0 503", REASON_CALL_FULL);
	driver_kill_all(f.driver);
	fixture_discard(&f);
	phone_invite(&f, &late, "", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 503");
	fixture_silent(&f);
	fixture_end(&f);
}

static void keepalives_and_noise_are_counted(void **state)
{
	(void)state;
	fixture_begin(&f, 1, 1);
	fixture_recv(&f, ACCESS, fixture_phone(), "\r\n\r\n");
	fixture_recv(&f, ACCESS, fixture_phone(), "GET / HTTP/1.1\r\n\r\n");
	fixture_recv(&f, ACCESS, fixture_phone(), "SIP/2.0 200 OK\r\nVia: x\r\n\r\n");
	fixture_silent(&f);
	assert_int_equal(fixture_reason(&f, REASON_SIP_KEEPALIVE), 1);
	assert_int_equal(fixture_reason(&f, REASON_SIP_NOT), 1);
	assert_int_equal(fixture_reason(&f, REASON_SIP_BAD_RESPONSE), 1);
	fixture_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_new_calls_while_draining, begin),
		cmocka_unit_test_setup(realm_takes_so_many_calls, begin),
		cmocka_unit_test_setup(realm_takes_so_many_calls_a_second, begin),
		cmocka_unit_test_setup(all_calls_taken, begin),
		cmocka_unit_test_setup(all_ports_taken, begin),
		cmocka_unit_test_setup(nothing_leads_there, begin),
		cmocka_unit_test_setup(stranger_in_the_core_is_refused, begin),
		cmocka_unit_test_setup(repetition_of_a_refused_invite_stays_refused, begin),
		cmocka_unit_test_setup(keepalives_and_noise_are_counted, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
