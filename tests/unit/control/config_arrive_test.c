/*
 * All that is written arrives, and all that can be written is in the manual.
 * Argument: docs/configuration.md.
 */
#include "tests/unit/control/config_fixture.h"

static void a_whole_file_becomes_a_snapshot(void **state)
{
	struct config *c = config_parse_good(WHOLE);
	const struct snapshot *s = &c->snapshot;
	struct snapshot_realm expected;

	(void)state;
	assert_ptr_equal(c->dp.snapshot, s);
	assert_string_equal(s->node, "edge");
	assert_string_equal(c->dp.program, "postern-edge");
	assert_int_equal(c->dp.workers, 1);
	assert_int_equal(c->dp.idle, DP_IDLE_BACKOFF);
	assert_int_equal(c->dp.cpus[0], -1);
	assert_int_equal(c->dp.cpus[DP_MAX_WORKERS], -1);
	assert_int_equal(c->hugepages, CONFIG_HUGE_AUTO);
	assert_string_equal(c->control, "/run/postern/control.sock");
	assert_int_equal(c->dp.ports, 2);
	assert_int_equal(c->dp.port[0].ip, inet_addr("192.0.2.1"));
	assert_int_equal(c->dp.port[0].prefix, 24);
	assert_int_equal(c->dp.port[0].mtu, 1500);
	assert_int_equal(c->dp.realm_port[0], 0);
	assert_int_equal(c->dp.realm_port[1], 1);
	assert_int_equal(s->realms, 2);
	assert_int_equal(s->listeners, 2);
	assert_int_equal(s->listener[1].realm, 1);
	assert_int_equal(s->listener[1].addr.ip, inet_addr("10.0.0.1"));
	assert_int_equal(s->listener[1].addr.port, 5060);
	memset(&expected, 0, sizeof(expected));
	snapshot_realm_defaults(&expected, SNAPSHOT_UNTRUSTED, false);
	assert_int_equal(s->realm[0].latch, expected.latch);
	assert_int_equal(s->realm[0].hide_user_agent, expected.hide_user_agent);
	assert_int_equal(s->realm[0].media_timeout_s, expected.media_timeout_s);
	assert_int_equal(s->realm[0].media_ip, inet_addr("192.0.2.1"));
	assert_int_equal(s->realm[0].media_lo, 20000);
	assert_int_equal(s->realm[0].media_hi, 20999);
	assert_int_equal(s->peers, 1);
	assert_int_equal(s->peer[0].realm, 1);
	assert_int_equal(s->peer[0].addr.ip, inet_addr("10.0.0.10"));
	assert_int_equal(s->routes, 2);
	assert_int_equal(s->route[0].target, SNAPSHOT_TO_PEER);
	assert_int_equal(s->route[0].peer, 0);
	assert_int_equal(s->route[1].from, 1);
	assert_int_equal(s->route[1].target, SNAPSHOT_TO_REGISTERED);
	free(c);
}

static void every_setting_arrives(void **state)
{
	struct config *c = config_parse_good(
		"node:\n"
		"  {name: n, workers: 2, cpus: [0, 1, 1], idle: poll, hugepages: \"no\",\n"
		"   memory_mb: 512, mbufs: 8192, rx_desc: 256, tx_desc: 512, product: Border/2,\n"
		"   log: debug, log_rate: 7, control: /tmp/c, pidfile: /tmp/p, key_file: /tmp/k,\n"
		"   limits: {calls: 800, registrations: 1600}, t1: 100, t2: 200, t4: 300,\n"
		"   ring_timeout: 20, max_call: 3600, drain_timeout: 5}\n"
		"domains: [example.com]\n"
		"ports:\n"
		"  - {name: p, device: net_null0, address: 10.0.0.1/24, gateway: 10.0.0.254,\n"
		"     vlan: 7, mtu: 1400, mac: 02:aB:00:00:00:01}\n"
		"realms:\n"
		"  - {name: r, port: p, trust: untrusted, nat: true, latch: any,\n"
		"     sip: [\"udp:5060\", \"udp:5062\"], media: 20001-20100, domain: "
		"r.example.com,\n"
		"     unknown_headers: carry, unknown_media: relay, user_agent: hide,\n"
		"     registered_callers_only: true, max_calls: 5, max_cps: 6, media_timeout: 7,\n"
		"     media_dscp: 46, sip_dscp: 26}\n"
		"peers:\n"
		"  - {name: far, realm: r, address: \"198.51.100.1:5080\", domain: t.example.com}\n"
		"routes:\n"
		"  - {from: r, to: far, prefix: \"+49\"}\n"
		"  - {from: r, to: registered}\n");
	const struct snapshot_realm *r = &c->snapshot.realm[0];
	const uint8_t mac[6] = {2, 0xab, 0, 0, 0, 1};

	(void)state;
	assert_int_equal(c->dp.workers, 2);
	assert_int_equal(c->dp.cpus[0], 0);
	assert_int_equal(c->dp.cpus[2], 1);
	assert_int_equal(c->dp.cpus[3], -1);
	assert_int_equal(c->dp.idle, DP_IDLE_POLL);
	assert_int_equal(c->hugepages, CONFIG_HUGE_NO);
	assert_int_equal(c->dp.memory_mb, 512);
	assert_int_equal(c->dp.mbufs, 8192);
	assert_int_equal(c->dp.rx_desc, 256);
	assert_int_equal(c->dp.tx_desc, 512);
	assert_int_equal(c->dp.limits.calls, 450); /* half, and an eighth to spare */
	assert_int_equal(c->dp.limits.registrations, 900);
	assert_string_equal(c->snapshot.product, "Border/2");
	assert_int_equal(c->log, LOG_LEVEL_DEBUG);
	assert_int_equal(c->log_rate, 7);
	assert_int_equal(c->drain_timeout_s, 5);
	assert_string_equal(c->control, "/tmp/c");
	assert_string_equal(c->pidfile, "/tmp/p");
	assert_string_equal(c->key_file, "/tmp/k");
	assert_int_equal(c->snapshot.t1_ms, 100);
	assert_int_equal(c->snapshot.t2_ms, 200);
	assert_int_equal(c->snapshot.t4_ms, 300);
	assert_int_equal(c->snapshot.ring_timeout_ms, 20000);
	assert_int_equal(c->snapshot.max_call_s, 3600);
	assert_string_equal(c->snapshot.domain[0], "example.com");
	assert_int_equal(c->dp.port[0].gateway, inet_addr("10.0.0.254"));
	assert_int_equal(c->dp.port[0].vlan, 7);
	assert_int_equal(c->dp.port[0].mtu, 1400);
	assert_memory_equal(c->dp.port[0].mac, mac, 6);
	assert_true(r->nat);
	assert_int_equal(r->latch, SNAPSHOT_LATCH_ANY);
	assert_string_equal(r->domain, "r.example.com");
	assert_true(r->carry_unknown_headers);
	assert_true(r->carry_unknown_media);
	assert_true(r->hide_user_agent);
	assert_true(r->calls_need_registration);
	assert_int_equal(r->max_calls, 5);
	assert_int_equal(r->max_cps, 6);
	assert_int_equal(r->media_timeout_s, 7);
	assert_int_equal(r->media_dscp, 46);
	assert_int_equal(r->sip_dscp, 26);
	assert_int_equal(c->snapshot.listeners, 2);
	assert_string_equal(c->snapshot.peer[0].domain, "t.example.com");
	assert_string_equal(c->snapshot.route[0].prefix, "+49");
	free(c);
}

static const char *manual;

static void keys_are_in(const char *text, const cyaml_schema_value_t *v)
{
	char row[64];

	if (v->type == CYAML_SEQUENCE)
		v = v->sequence.entry;
	if (v->type != CYAML_MAPPING)
		return;
	for (const cyaml_schema_field_t *f = v->mapping.fields; f->key; f++) {
		snprintf(row, sizeof(row), "\n| `%s` |", f->key);
		if (!strstr(text, row))
			fail_msg("%s says nothing of %s", manual, f->key);
		keys_are_in(text, &f->value);
	}
}

static void the_manual_has_every_key(void **state)
{
	static char text[128 * 1024];
	FILE *f = fopen(manual, "r");

	(void)state;
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	keys_are_in(text, &config_schema);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_becomes_a_snapshot),
		cmocka_unit_test(every_setting_arrives),
		cmocka_unit_test(the_manual_has_every_key),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: config_arrive_test MANUAL\n");
		return 2;
	}
	manual = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
