/* A new configuration under running calls. */
#include <stdio.h>
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

static void swap_listeners(void)
{
	struct snapshot_listener first = next.listener[0];

	next.listener[0] = next.listener[1];
	next.listener[1] = first;
}

/* However many there may be: what has to be gone through is gone through a bit at a time. */
static void a_change_looks_at_few_at_a_time(void **state)
{
	struct parties second = {.id = 2};

	struct engine_stats stats;

	(void)state;
	driver_free(f.driver);
	fixture_begin(&f, 1, 3 * ENGINE_SWEEP);
	call_up(&f, &p);
	call_up(&f, &second);
	swap_listeners();
	next.realm[ACCESS].media_hi = 20999;
	next.realm[CORE].media_lo = 31000;
	driver_reconfigure(f.driver, &next);
	fixture_silent(&f);
	engine_stats_read(driver_engine(f.driver, 0), &stats);
	assert_in_range(stats.looked_most, 1, ENGINE_SWEEP);
	driver_kill_all(f.driver);
	fixture_end(&f);
}

/* Back and forth, between what a transaction gets and what it sends. */
static void orders_may_follow_one_another(void **state)
{
	struct snapshot back;
	char invite[FIXTURE_BYTES];

	(void)state;
	fixture_snapshot(&back);
	swap_listeners();
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	snprintf(invite, sizeof(invite), "%s", p.invite);
	driver_reconfigure(f.driver, &next);
	/* The phones are at listener 1 now, and the pbx at 0. */
	answer(&f, 0, invite, "180 Ringing", "bobtag", "", "");
	fixture_take(&f, 1, "SIP/2.0 180");
	driver_reconfigure(f.driver, &back);
	answer(&f, CORE, invite, "200 OK", "bobtag", "", pbx_sdp);
	phone_learns(&p, fixture_take(&f, ACCESS, "SIP/2.0 200"));
	fixture_take(&f, CORE, "ACK ");
	driver_reconfigure(f.driver, &next);
	fixture_elapse(&f, 600);
	fixture_take(&f, 1, "SIP/2.0 200");
	driver_reconfigure(f.driver, &back);
	answer(&f, CORE, invite, "200 OK", "bobtag", "", pbx_sdp);
	fixture_take(&f, CORE, "ACK ");
	phone_request(&f, &p, "ACK", 1, "", "");
	fixture_elapse(&f, 5000);
	fixture_silent(&f);
	hang_up();
	fixture_end(&f);
}

/* As many as there can be: the phones' first, the pbx's second. */
static void fill_listeners(struct snapshot *to)
{
	for (uint16_t i = to->listeners; i < SNAPSHOT_MAX_LISTENERS; i++) {
		to->listener[i] = to->listener[ACCESS];
		to->listener[i].addr.port = (uint16_t)(7000 + i);
	}
	to->listeners = SNAPSHOT_MAX_LISTENERS;
}

/* From an address that is gone nothing leaves, nor from the many that come after it. */
static void a_listener_s_successors_speak_for_themselves(void **state)
{
	const char *bye;

	(void)state;
	fill_listeners(&next);
	driver_reconfigure(f.driver, &next);
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "200 OK", "bobtag", "", pbx_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	fixture_take(&f, CORE, "ACK ");
	for (unsigned i = 0; i < 2 * SNAPSHOT_MAX_LISTENERS; i++) {
		next.listener[ACCESS].addr.port = (uint16_t)(6000 + i);
		driver_reconfigure(f.driver, &next);
		if (i == 0) {
			bye = fixture_take(&f, CORE, "BYE ");
			answer(&f, CORE, bye, "200 OK", "", "", "");
		}
		fixture_silent(&f);
		fixture_elapse(&f, 200);
		fixture_silent(&f);
	}
	fixture_end(&f);
}

/* A new one takes the place of one that is gone, never of one that is only listed later. */
static void a_new_listener_takes_no_other_s_place(void **state)
{
	const uint16_t last = SNAPSHOT_MAX_LISTENERS - 1;
	struct snapshot order[2];

	(void)state;
	fixture_discard(&f);
	driver_free(f.driver);
	fill_listeners(&next);
	order[0] = order[1] = next;
	order[0].listener[0] = next.listener[last];
	order[0].listener[last] = next.listener[0];
	f.snapshot = order[0];
	fixture_begin(&f, 1, 8);
	driver_reconfigure(f.driver, &order[1]);
	call_up(&f, &p);
	next = order[0];
	next.listener[0].addr.port = 6000;
	driver_reconfigure(f.driver, &next);
	fixture_silent(&f);
	order[1].listener[last].addr.port = 6000;
	driver_reconfigure(f.driver, &order[1]);
	fixture_silent(&f);
	hang_up();
	fixture_end(&f);
}

/* One that comes back has its transactions: they were nobody's meanwhile. */
static void a_listener_that_comes_back_has_its_transactions(void **state)
{
	struct snapshot back;

	(void)state;
	fixture_snapshot(&back);
	phone_invite(&f, &p, "", phone_sdp);
	pbx_gets_invite(&f, &p);
	answer(&f, CORE, p.invite, "486 Busy Here", "bobtag", "", "");
	fixture_take(&f, CORE, "ACK ");
	fixture_take(&f, ACCESS, "SIP/2.0 486");
	next.listener[ACCESS].addr.port = 6000;
	driver_reconfigure(f.driver, &next);
	fixture_elapse(&f, 600);
	fixture_silent(&f);
	driver_reconfigure(f.driver, &back);
	fixture_elapse(&f, 1100);
	fixture_take(&f, ACCESS, "SIP/2.0 486");
	fixture_discard(&f);
	fixture_end(&f);
}

static uint16_t access_port(uint64_t nth)
{
	struct engine_call_info info[8];
	uint32_t cursor = 0, n;

	n = engine_calls_read(driver_engine(f.driver, 0), &cursor, info, 8);

	assert_true(nth < n);
	return info[nth].media_port[0];
}

static void access_range(uint16_t lo, uint16_t hi)
{
	next.realm[ACCESS].media_lo = lo;
	next.realm[ACCESS].media_hi = hi;
	driver_reconfigure(f.driver, &next);
}

/* A range that moves away and back finds the ports that calls still have. */
static void ports_in_use_are_in_use_when_their_range_comes_back(void **state)
{
	struct parties second = {.id = 2}, third = {.id = 3}, fourth = {.id = 4};

	(void)state;
	access_range(20000, 20003);
	call_up(&f, &p);
	assert_int_equal(access_port(0), 20000);
	access_range(21000, 21003);
	call_up(&f, &second);
	assert_int_equal(access_port(1), 21000);
	access_range(20000, 20003);
	call_up(&f, &third);
	assert_int_equal(access_port(2), 20002);
	phone_invite(&f, &fourth, "", phone_sdp);
	fixture_take(&f, ACCESS, "SIP/2.0 100");
	fixture_take(&f, ACCESS, "SIP/2.0 503");
	/* The first gives its back, to whoever is next; the second's is nobody's. */
	hang_up();
	fixture_discard(&f);
	fourth.id = 5;
	call_up(&f, &fourth);
	assert_int_equal(fixture_stats(&f).ports_free, 2 * 4997);
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
		cmocka_unit_test_setup(a_change_looks_at_few_at_a_time, begin),
		cmocka_unit_test_setup(orders_may_follow_one_another, begin),
		cmocka_unit_test_setup(a_listener_s_successors_speak_for_themselves, begin),
		cmocka_unit_test_setup(a_new_listener_takes_no_other_s_place, begin),
		cmocka_unit_test_setup(a_listener_that_comes_back_has_its_transactions, begin),
		cmocka_unit_test_setup(ports_in_use_are_in_use_when_their_range_comes_back, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
