/* A new configuration under running calls. */
#include <string.h>

#include "tests/unit/core/engine_fixture.h"

static struct fixture f;
static struct parties p;
static struct snapshot next;

static int begin(void **state)
{
	(void)state;
	memset(&f, 0, sizeof(f));
	fixture_snapshot(&f.snapshot);
	fixture_snapshot(&next);
	p = (struct parties){.id = 1};
	fixture_begin(&f, 1, 8);
	return 0;
}

static void hang_up(void)
{
	phone_request(&f, &p, "BYE", 2, "", "");
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	answer(&f, CORE, fixture_take(&f, CORE, "BYE "), "200 OK", "", "", "");
	fixture_silent(&f);
}

static void new_limits_leave_running_calls_alone(void **state)
{
	(void)state;
	call_up(&f, &p);
	next.realm[ACCESS].max_calls = 1;
	driver_reconfigure(f.driver, &next);
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls_established, 1);
	hang_up();
	fixture_end(&f);
}

static void changed_media_range_keeps_the_ports_in_use(void **state)
{
	struct parties second = {.id = 2};

	(void)state;
	call_up(&f, &p);
	next.realm[ACCESS].media_hi = 20999;
	next.realm[CORE].media_lo = 31000;
	driver_reconfigure(f.driver, &next);
	/* The first call's port of the core lies outside now, that of access inside. */
	assert_int_equal(fixture_stats(&f).ports_used, 2);
	hang_up();
	assert_int_equal(fixture_stats(&f).ports_used, 0);
	call_up(&f, &second);
	assert_int_equal(fixture_stats(&f).ports_used, 4);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

/* The same addresses in another order: what is under way goes on from where it did. */
static void listeners_in_another_order_keep_their_transactions(void **state)
{
	struct snapshot_listener first = next.listener[0];

	(void)state;
	next.listener[0] = next.listener[1];
	next.listener[1] = first;
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "200 OK", "bobtag", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	driver_reconfigure(f.driver, &next);
	fixture_silent(&f);
	/* Not acknowledged: it is repeated. The phones are at listener 1 now. */
	fixture_elapse(&f, 600);
	fixture_take(&f, CORE, "SIP/2.0 200");
	fixture_silent(&f);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

/* The peer's realm goes: its calls cannot be served any more. */
static void removed_realm_ends_its_calls(void **state)
{
	(void)state;
	call_up(&f, &p);
	next.realms = next.listeners = 1;
	next.peers = next.routes = 0;
	driver_reconfigure(f.driver, &next);
	fixture_take(&f, ACCESS, "BYE ");
	fixture_silent(&f);
	assert_int_equal(fixture_stats(&f).calls, 0);
	assert_int_equal(f.end, END_ERROR);
	driver_free(f.driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(new_limits_leave_running_calls_alone, begin),
		cmocka_unit_test_setup(changed_media_range_keeps_the_ports_in_use, begin),
		cmocka_unit_test_setup(listeners_in_another_order_keep_their_transactions, begin),
		cmocka_unit_test_setup(removed_realm_ends_its_calls, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
