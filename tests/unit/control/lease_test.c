/* The lease protocol, step by step: what it says at which moment. */
#include <string.h>

#include "control/lease.h"
#include "tests/lib/unit.h"

#define L    300u
#define STEP (L / 6)
#define ME   0u
#define PEER 1u
#define G    0u

static union {
	uint64_t aligned;
	char bytes[65536];
} memory;
static struct lease *const l = (struct lease *)memory.bytes;
static struct lease_out out;
static uint64_t now, seq, token;
static struct lease_reply redis; /* as it is now */

static int set_up(void **state)
{
	struct lease_conf conf = {.nodes = 2,
				  .self = ME,
				  .groups = 1,
				  .home = {ME},
				  .lease_ms = L,
				  .alone_ms = 10 * L,
				  .loss_ms = L,
				  .incarnation = 77};

	(void)state;
	assert_true(lease_size() <= sizeof(memory));
	now = 1000;
	seq = 0;
	memset(&redis, 0, sizeof(redis));
	redis.group[G].owner = redis.group[G].heir = LEASE_NONE;
	lease_init(l, &conf, now);
	lease_ready(l, true);
	return 0;
}

static const struct lease_action *said(enum lease_action_type type)
{
	for (uint32_t i = 0; i < out.count; i++)
		if (out.action[i].type == type)
			return &out.action[i];
	return NULL;
}

static void answer(uint64_t ref, bool ok, bool done)
{
	redis.ref = ref;
	redis.ok = ok;
	redis.done = done;
	lease_replied(l, now, &redis, &out);
}

/* Redis does what a script asks, and answers at once; false: nothing was asked. */
static bool obey(enum lease_action_type type)
{
	const struct lease_action *a = said(type);

	if (!a)
		return false;
	if (type == LEASE_JOIN) {
		redis.node[ME].in = true;
		redis.node[ME].token = token = a->token;
	} else if (type == LEASE_CLAIM) {
		redis.group[G].owner = ME;
		redis.group[G].epoch = a->next_epoch;
		redis.group[G].beat = 0;
		if (a->out)
			redis.node[a->node].in = false;
	} else if (type == LEASE_RENEW) {
		redis.group[G].beat++;
	} else if (type == LEASE_RELEASE) {
		redis.group[G].owner = LEASE_NONE;
		redis.group[G].heir = a->node;
	}
	answer(a->ref, true, true);
	return true;
}

static void tick(uint64_t ms)
{
	now += ms;
	lease_tick(l, now, &out);
}

static struct lease_heartbeat beat_of_peer(uint64_t epoch)
{
	struct lease_heartbeat h = {.from = PEER, .incarnation = 9, .seq = ++seq, .ready = true};

	for (uint16_t i = 0; i < LEASE_MAX_GROUPS; i++)
		h.wants[i] = LEASE_NONE;
	h.epoch[G] = epoch;
	h.member[ME] = token;
	return h;
}

static void join(void)
{
	lease_connected(l, now, true, &out);
	assert_true(obey(LEASE_READ));
	tick(0);
	assert_true(obey(LEASE_JOIN));
}

/* Ticks, with Redis answering all but claims, until something is said. */
static bool until_said(enum lease_action_type type, uint32_t within)
{
	for (uint32_t t = 0; t < within; t += 10) {
		tick(10);
		if (said(type))
			return true;
		if (!obey(LEASE_RENEW))
			obey(LEASE_READ);
		if (said(type))
			return true;
	}
	return false;
}

/* This node has the group, from a record of an owner that is silent. */
static void own(void)
{
	redis.group[G].owner = ME;
	redis.group[G].epoch = 32;
	join();
	assert_true(until_said(LEASE_CLAIM, 3 * L));
	assert_true(obey(LEASE_CLAIM));
	assert_non_null(said(LEASE_TAKEN));
	lease_restored(l, now, G, &out);
	assert_non_null(said(LEASE_SERVE));
}

static void joins_before_anything(void **state)
{
	(void)state;
	redis.group[G].owner = ME;
	redis.group[G].epoch = 32;
	lease_connected(l, now, true, &out);
	assert_non_null(said(LEASE_READ));
	for (uint32_t t = 0; t < 5 * L; t += 10) {
		tick(10);
		assert_null(said(LEASE_CLAIM));
	}
}

static void claims_what_is_silent_after_the_wait_and_not_before(void **state)
{
	uint64_t from = now;

	(void)state;
	redis.group[G].owner = ME; /* as the process before us */
	redis.group[G].epoch = 32;
	join();
	assert_true(until_said(LEASE_CLAIM, 3 * L));
	assert_true(now >= from + lease_wait(L));
	assert_true(now < from + lease_wait(L) + STEP);
	assert_int_equal(said(LEASE_CLAIM)->epoch, 32);
	assert_int_equal(said(LEASE_CLAIM)->node, ME);
	assert_true(said(LEASE_CLAIM)->next_epoch > 32);
	assert_int_equal(said(LEASE_CLAIM)->next_epoch % LEASE_MAX_NODES, ME);
}

static void a_beat_that_moves_is_waited_for(void **state)
{
	(void)state;
	redis.group[G].owner = PEER;
	redis.group[G].epoch = 33;
	join();
	for (uint32_t t = 0; t < 20 * L; t += 10) {
		tick(10);
		assert_null(said(LEASE_CLAIM));
		redis.group[G].beat += t % L == 0;
		obey(LEASE_READ);
		assert_null(said(LEASE_CLAIM));
	}
}

static void an_owner_that_does_not_count_us_is_left_alone(void **state)
{
	uint64_t from = now;

	(void)state;
	redis.group[G].owner = PEER;
	redis.group[G].epoch = 33;
	join();
	assert_true(until_said(LEASE_CLAIM, 20 * L));
	assert_true(now >= from + lease_wait(10 * L));
	assert_true(said(LEASE_CLAIM)->out);
}

static void a_grant_is_a_promise(void **state)
{
	struct lease_heartbeat h;
	uint64_t granted = 0;

	(void)state;
	redis.group[G].owner = PEER;
	redis.group[G].epoch = 33;
	join();
	for (uint32_t t = 0; t < 4 * L; t += STEP) {
		h = beat_of_peer(33);
		lease_heard(l, now, &h, &out);
		granted = now;
		tick(STEP);
		assert_null(said(LEASE_CLAIM));
		assert_non_null(said(LEASE_SEND));
		assert_int_equal(out.heartbeat.grant[PEER].seq, h.seq);
		assert_int_equal(out.heartbeat.grant[PEER].groups, 1u << G);
		obey(LEASE_READ);
	}
	assert_true(until_said(LEASE_CLAIM, 3 * L));
	assert_true(now >= granted + lease_wait(L));
}

static void a_claim_without_an_answer_grants_nothing(void **state)
{
	struct lease_heartbeat h;
	uint64_t old;

	(void)state;
	redis.group[G].owner = ME;
	redis.group[G].epoch = 32;
	join();
	assert_true(until_said(LEASE_CLAIM, 3 * L));
	old = token;
	lease_connected(l, now, false, &out);
	h = beat_of_peer(65);
	lease_heard(l, now, &h, &out);
	tick(STEP);
	assert_int_equal(out.heartbeat.grant[PEER].groups, 0);
	lease_connected(l, now, true, &out);
	tick(0);
	assert_true(obey(LEASE_JOIN));
	assert_int_not_equal(token, old);
	h = beat_of_peer(65);
	lease_heard(l, now, &h, &out);
	tick(STEP);
	assert_int_equal(out.heartbeat.grant[PEER].groups, 1u << G);
}

static void a_renewal_counts_from_its_sending(void **state)
{
	uint64_t sent, ref;

	(void)state;
	own();
	assert_true(until_said(LEASE_RENEW, L));
	sent = now;
	ref = said(LEASE_RENEW)->ref;
	now += 70;
	redis.group[G].beat++;
	answer(ref, true, true);
	assert_int_equal(said(LEASE_SERVE)->until_ms, sent + L);
}

static void expires_first_after_a_long_stop(void **state)
{
	struct lease_heartbeat h;
	uint64_t old;

	(void)state;
	own();
	old = token;
	now += 20 * L;
	h = beat_of_peer(0);
	lease_heard(l, now, &h, &out);
	assert_int_equal(out.action[0].type, LEASE_STOP);
	assert_int_equal(out.action[0].why, LEASE_STOP_EXPIRED);
	tick(STEP);
	assert_null(said(LEASE_RENEW));
	assert_true(obey(LEASE_JOIN));
	assert_int_not_equal(token, old);
}

static void an_answer_that_is_too_old_is_no_lease(void **state)
{
	uint64_t ref;

	(void)state;
	redis.group[G].owner = ME;
	redis.group[G].epoch = 32;
	join();
	assert_true(until_said(LEASE_CLAIM, 3 * L));
	ref = said(LEASE_CLAIM)->ref;
	redis.group[G].epoch = said(LEASE_CLAIM)->next_epoch;
	now += L;
	answer(ref, true, true);
	assert_null(said(LEASE_TAKEN));
}

static void lives_by_grants_without_redis(void **state)
{
	struct lease_heartbeat h;
	uint64_t sent = 0, of = 0;

	(void)state;
	redis.node[PEER].in = true;
	redis.node[PEER].token = 5;
	own();
	lease_connected(l, now, false, &out);
	for (uint32_t t = 0; t < 10 * L; t += STEP) {
		h = beat_of_peer(0);
		h.grant[ME].incarnation = 77;
		h.grant[ME].seq = of;
		h.grant[ME].groups = of ? 1u << G : 0;
		lease_heard(l, now, &h, &out);
		assert_null(said(LEASE_STOP));
		if (sent && said(LEASE_SERVE))
			assert_int_equal(said(LEASE_SERVE)->until_ms, sent + L);
		tick(STEP);
		assert_null(said(LEASE_STOP));
		of = out.heartbeat.seq;
		sent = now;
	}
	for (uint32_t t = 0; t < L && !said(LEASE_STOP); t += 10)
		tick(10);
	assert_int_equal(said(LEASE_STOP)->why, LEASE_STOP_EXPIRED);
	assert_int_equal(now, sent - STEP + L);
}

static void a_higher_epoch_stops_at_once(void **state)
{
	struct lease_heartbeat h;

	(void)state;
	own();
	h = beat_of_peer(4096 + PEER);
	lease_heard(l, now, &h, &out);
	assert_int_equal(said(LEASE_STOP)->why, LEASE_STOP_LOST);
}

static void lost_writes_are_claimed_again_while_it_serves(void **state)
{
	uint64_t epoch = 0;

	(void)state;
	own();
	epoch = redis.group[G].epoch;
	redis.group[G].owner = LEASE_NONE;
	redis.group[G].epoch = redis.group[G].beat = 0;
	assert_true(until_said(LEASE_RENEW, L));
	answer(said(LEASE_RENEW)->ref, true, false);
	assert_null(said(LEASE_STOP));
	assert_non_null(said(LEASE_CLAIM));
	assert_true(said(LEASE_CLAIM)->next_epoch > epoch);
	assert_true(obey(LEASE_CLAIM));
	assert_null(said(LEASE_TAKEN));
	assert_int_equal(said(LEASE_SERVE)->epoch, redis.group[G].epoch);
}

static void hands_over_to_who_has_prepared(void **state)
{
	struct lease_heartbeat h;

	(void)state;
	redis.node[PEER].in = true;
	redis.node[PEER].token = 5;
	own();
	h = beat_of_peer(0);
	lease_heard(l, now, &h, &out);
	tick(10);
	lease_drain(l, true);
	tick(STEP);
	tick(STEP);
	assert_null(said(LEASE_YIELD));
	assert_int_equal(out.heartbeat.wants[G], PEER);
	assert_true(out.heartbeat.leaving);
	h = beat_of_peer(0);
	h.prepared = 1u << G;
	lease_heard(l, now, &h, &out);
	tick(10);
	assert_non_null(said(LEASE_YIELD));
	lease_yielded(l, now, G, &out);
	assert_int_equal(said(LEASE_RELEASE)->node, PEER);
	assert_true(obey(LEASE_RELEASE));
	assert_int_equal(said(LEASE_STOP)->why, LEASE_STOP_RELEASED);
	assert_non_null(said(LEASE_SEND));
	assert_int_equal(out.heartbeat.epoch[G], 0);
}

static void another_process_of_this_name_stops_this_one(void **state)
{
	struct lease_heartbeat h = {.from = ME, .incarnation = 1234, .seq = 1};

	(void)state;
	own();
	lease_heard(l, now, &h, &out);
	assert_non_null(said(LEASE_STOP));
	assert_true(lease_is_doubled(l));
	for (uint32_t t = 0; t < 10 * L; t += 10) {
		tick(10);
		assert_null(said(LEASE_JOIN));
		assert_null(said(LEASE_CLAIM));
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, set_up)
	const struct CMUnitTest tests[] = {
		T(joins_before_anything),
		T(claims_what_is_silent_after_the_wait_and_not_before),
		T(a_beat_that_moves_is_waited_for),
		T(an_owner_that_does_not_count_us_is_left_alone),
		T(a_grant_is_a_promise),
		T(a_claim_without_an_answer_grants_nothing),
		T(a_renewal_counts_from_its_sending),
		T(expires_first_after_a_long_stop),
		T(an_answer_that_is_too_old_is_no_lease),
		T(lives_by_grants_without_redis),
		T(a_higher_epoch_stops_at_once),
		T(lost_writes_are_claimed_again_while_it_serves),
		T(hands_over_to_who_has_prepared),
		T(another_process_of_this_name_stops_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
