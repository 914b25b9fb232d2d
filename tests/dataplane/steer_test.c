/*
 * Which rules a device is asked for so that it gives each worker its own media, what
 * is done with one that refuses; and that nothing rests on any of it.
 */
#include "tests/dataplane/talk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/relay.h"

static struct frame f;

/* ---- blocks ---- */

static bool in_block(const struct steer_block *b, uint32_t port)
{
	return (port & b->mask) == b->first;
}

static void blocks_cover_a_range_and_nothing_else(void **state)
{
	static const struct {
		uint16_t first;
		uint32_t count;
	} range[] = {{0, 65536}, {0, 0}, {20000, 100},   {1, 65534}, {16384, 16384},
		     {2, 2},     {7, 1}, {10000, 24999}, {65535, 1}};

	(void)state;
	for (uint32_t i = 0; i < sizeof(range) / sizeof(range[0]); i++) {
		struct steer_block block[STEER_BLOCKS_MAX];
		uint16_t n = steer_blocks(range[i].first, range[i].count, block);

		for (uint32_t port = 0; port < 65536; port++) {
			bool wanted =
				port >= range[i].first && port < range[i].first + range[i].count;
			uint32_t times = 0;

			for (uint16_t k = 0; k < n; k++)
				times += in_block(&block[k], port);
			assert_int_equal(times, wanted);
		}
	}
}

/* ---- rules ---- */

static struct steer_rule rule[STEER_RULES_MAX];

static void many_queues(struct bed *b, uint16_t workers, uint16_t queues)
{
	bed_init(b, workers);
	b->queues = queues;
	b->snapshot.realm[OUTSIDE].media_hi = 20399;
	bed_open(b, 0);
}

/* The worker that polls the queue into which the rules would put a packet; -1: no rule. */
static int ruled(const struct bed *b, const struct device *d, uint16_t n, uint32_t ip,
		 uint32_t port)
{
	int found = -1;

	for (uint16_t i = 0; i < n; i++) {
		if (rule[i].ip != htonl(ip) || (port & rule[i].mask) != rule[i].port)
			continue;
		assert_int_equal(found, -1);
		found = device_rx_owner(b->dp, d, rule[i].queue);
	}
	return found;
}

static void rules_say_what_the_slices_say(void **state)
{
	static const uint16_t workers[] = {2, 3, 4};

	(void)state;
	for (uint32_t k = 0; k < 3; k++) {
		struct bed b;
		const struct device *d;
		const struct realm_media *m;
		uint16_t n;

		many_queues(&b, workers[k], workers[k]);
		d = &b.dp->device[b.dp->port[OUTSIDE].device];
		m = &b.dp->realm[OUTSIDE];
		n = steer_rules_list(b.dp, d, rule);
		assert_true(n >= workers[k]);
		for (uint32_t i = 0; i < m->count; i++) {
			uint8_t owner = b.dp->flow_owner[m->base + i];

			assert_int_equal(ruled(&b, d, n, OUT_IP, m->lo + i),
					 owner == UINT8_MAX ? -1 : owner);
		}
		assert_int_equal(ruled(&b, d, n, OUT_IP, SIP), -1);
		assert_int_equal(ruled(&b, d, n, OUT_IP, m->lo + m->count), -1);
		assert_int_equal(ruled(&b, d, n, IN_IP, 30000), -1);
		bed_close(&b);
	}
}

static void one_worker_or_one_queue_needs_none(void **state)
{
	struct bed b;

	(void)state;
	many_queues(&b, 1, 1);
	assert_int_equal(steer_rules_list(b.dp, &b.dp->device[0], rule), 0);
	bed_close(&b);
	many_queues(&b, 4, 1);
	assert_int_equal(steer_rules_list(b.dp, &b.dp->device[0], rule), 0);
	bed_close(&b);
}

/* A worker without a queue on the device: its media is handed over by whoever gets it. */
static void a_worker_without_a_queue_has_no_rule(void **state)
{
	struct bed b;
	const struct device *d;
	uint16_t n;

	(void)state;
	many_queues(&b, 4, 2);
	d = &b.dp->device[b.dp->port[OUTSIDE].device];
	n = steer_rules_list(b.dp, d, rule);
	for (uint32_t i = 0; i < 400; i++) {
		uint8_t owner = b.dp->flow_owner[b.dp->realm[OUTSIDE].base + i];
		bool polls = device_rx_owner(b.dp, d, 0) == owner ||
			     device_rx_owner(b.dp, d, 1) == owner;

		assert_int_equal(ruled(&b, d, n, OUT_IP, 20000 + i), polls ? owner : -1);
	}
	bed_close(&b);
}

/* ---- drivers ---- */

static uint32_t asked, given, takes;

static bool driver(uint16_t eth, const struct steer_rule *r, bool only_ask, char why[STEER_WHY])
{
	(void)eth;
	(void)r;
	asked += only_ask;
	if (only_ask ? takes > 0 : given < takes) {
		given += !only_ask;
		return true;
	}
	snprintf(why, STEER_WHY, "table full");
	return false;
}

static void what_a_driver_takes_is_told(void **state)
{
	static const uint32_t room[] = {1000, 3, 0};

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct bed b;
		struct device *d;

		many_queues(&b, 2, 2);
		d = &b.dp->device[0];
		asked = given = 0;
		takes = room[i];
		steer_rules_use(driver);
		steer_rules_install(b.dp, d);
		steer_rules_use(NULL);
		assert_int_equal(asked, 1);
		assert_true(d->rules.wanted > 3);
		assert_int_equal(d->rules.taken, RTE_MIN(room[i], d->rules.wanted));
		assert_string_equal(d->rules.why, i == 0 ? "" : "table full");
		bed_close(&b);
	}
}

/* net_ring has no rte_flow: it is asked at the start, refuses, and media goes by the rings. */
static void a_device_that_refuses_is_carried_by_the_hand_off(void **state)
{
	uint64_t handed = 0;
	struct bed b;
	struct talk t;

	(void)state;
	many_queues(&b, 4, 4);
	assert_int_equal(b.dp->device[0].rules.taken, 0);
	assert_true(b.dp->device[0].rules.wanted > 0);
	assert_true(b.dp->device[0].rules.why[0] != '\0');
	bed_learn_all(&b);
	for (uint32_t i = 0; i < 16; i++) {
		struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
		uint8_t rtp[200];

		talk_init(&t, i);
		talk_call(&b, &t);
		s.sport = TALK_PHONE_RTP;
		s.dport = t.out_rtp;
		/* The first proves the source, the second is relayed. */
		for (uint16_t seq = 1; seq < 3; seq++) {
			frame_udp(&f, &s, rtp, frame_rtp(rtp, 7, seq, seq * 160u, 160));
			bed_put(&b, OUTSIDE, &f);
			bed_turn(&b);
		}
		assert_int_equal(bed_expect(&b, INSIDE, &f).sport, t.in_rtp);
		assert_int_equal(frame_read(&f).dport, TALK_PBX_RTP);
	}
	for (uint16_t i = 0; i < 4; i++)
		handed += b.dp->worker[i]->count.handed_off;
	assert_true(handed > 0);
	bed_assert_count(&b, RING_FULL, 0);
	bed_drain(&b);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_cover_a_range_and_nothing_else),
		cmocka_unit_test(rules_say_what_the_slices_say),
		cmocka_unit_test(one_worker_or_one_queue_needs_none),
		cmocka_unit_test(a_worker_without_a_queue_has_no_rule),
		cmocka_unit_test(what_a_driver_takes_is_told),
		cmocka_unit_test(a_device_that_refuses_is_carried_by_the_hand_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
