#include "tests/unit/core/hiding_fixture.h"

static struct snapshot snap;

static void the_first_listener_of_a_realm_is_where_requests_leave(void **state)
{
	(void)state;
	snap.listeners = 3;
	snap.listener[2] =
		(struct snapshot_listener){CORE, (struct net_addr){ip_of("10.0.0.2"), 5060}};
	assert_int_equal(snapshot_listener_of(&snap, ACCESS), 0);
	assert_int_equal(snapshot_listener_of(&snap, CORE), 1);
	assert_int_equal(snapshot_listener_of(&snap, 2), SNAPSHOT_NONE);
}

static void a_peer_is_known_by_realm_address_and_perhaps_port(void **state)
{
	const struct net_addr pbx = {ip_of("10.0.0.10"), 5060};
	const struct net_addr moved = {ip_of("10.0.0.10"), 5070};

	(void)state;
	assert_int_equal(snapshot_peer_at(&snap, CORE, pbx, false), 0);
	assert_int_equal(snapshot_peer_at(&snap, ACCESS, pbx, false), SNAPSHOT_NONE);
	assert_int_equal(snapshot_peer_at(&snap, CORE, moved, false), SNAPSHOT_NONE);
	assert_int_equal(snapshot_peer_at(&snap, CORE, moved, true), 0);
	assert_int_equal(
		snapshot_peer_at(&snap, CORE, (struct net_addr){ip_of("10.0.0.11"), 5060}, true),
		SNAPSHOT_NONE);
}

static void our_own_hosts_are_listeners_media_addresses_and_domains(void **state)
{
	(void)state;
	snap.realm[CORE].media_ip = ip_of("10.0.0.77");
	strcpy(snap.realm[ACCESS].domain, "sbc.example.net");
	assert_true(snapshot_host_is_ours(&snap, SLICE_LIT("203.0.113.1")));
	assert_true(snapshot_host_is_ours(&snap, SLICE_LIT("10.0.0.77")));
	assert_true(snapshot_host_is_ours(&snap, SLICE_LIT("SBC.example.NET")));
	assert_true(snapshot_host_is_ours(&snap, SLICE_LIT("sbc.example.net.")));
	assert_false(snapshot_host_is_ours(&snap, SLICE_LIT("example.net")));
	assert_false(snapshot_host_is_ours(&snap, SLICE_LIT("10.0.0.78")));
	/* A realm without a domain does not make the empty host ours. */
	assert_false(snapshot_host_is_ours(&snap, SLICE_LIT(".")));
	assert_false(snapshot_host_is_ours(&snap, SLICE_NONE));
}

static void shared_domains_are_whole_names_in_any_case(void **state)
{
	(void)state;
	assert_true(snapshot_host_is_shared(&snap, SLICE_LIT("example.com")));
	assert_true(snapshot_host_is_shared(&snap, SLICE_LIT("EXAMPLE.com.")));
	assert_false(snapshot_host_is_shared(&snap, SLICE_LIT("sub.example.com")));
	assert_false(snapshot_host_is_shared(&snap, SLICE_LIT("example.co")));
	assert_false(snapshot_host_is_shared(&snap, SLICE_NONE));
}

static void defaults_are_safe_and_by_the_rfc(void **state)
{
	struct snapshot s;
	struct snapshot_realm r;

	(void)state;
	snapshot_defaults(&s);
	assert_int_equal(s.t1_ms, 500);
	assert_int_equal(s.t2_ms, 4000);
	assert_int_equal(s.t4_ms, 5000);
	assert_true(s.ring_timeout_ms > 180000); /* RFC 3261 16.6, step 11 */
	assert_int_equal(s.max_forwards, 70);
	assert_int_equal(s.product[0], '\0');
	snapshot_realm_defaults(&r, SNAPSHOT_UNTRUSTED, true);
	assert_int_equal(r.latch, SNAPSHOT_LATCH_SIGNALLED);
	assert_false(r.carry_unknown_headers);
	assert_false(r.carry_unknown_media);
	assert_false(r.hide_user_agent);
	snapshot_realm_defaults(&r, SNAPSHOT_TRUSTED, false);
	assert_int_equal(r.latch, SNAPSHOT_LATCH_NEVER);
	assert_true(r.hide_user_agent);
}

static int fresh(void **state)
{
	(void)state;
	fixture_snapshot(&snap);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_listener_of_a_realm_is_where_requests_leave,
				       fresh),
		cmocka_unit_test_setup(a_peer_is_known_by_realm_address_and_perhaps_port, fresh),
		cmocka_unit_test_setup(our_own_hosts_are_listeners_media_addresses_and_domains,
				       fresh),
		cmocka_unit_test_setup(shared_domains_are_whole_names_in_any_case, fresh),
		cmocka_unit_test(defaults_are_safe_and_by_the_rfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
