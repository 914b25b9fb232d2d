/*
 * Workers that sleep: they do all that they would have done awake, and at its time;
 * nothing that is put for them while they fall asleep is left lying.
 */
#include "tests/dataplane/talk.h"

#include <arpa/inet.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/group.h"
#include "dataplane/reassembly.h"

static struct frame f;

/* ---- in virtual time ---- */

/* All turn until none has anything to do. */
static void settle(struct bed *b)
{
	bool busy = true;

	for (uint32_t k = 0; busy && k < 10000; k++) {
		busy = false;
		for (uint16_t i = 0; i < b->dp->workers; i++)
			busy |= worker_turn(b->dp->worker[i], b->now);
	}
	assert_false(busy);
}

/* As `ms` go by with workers that turn only when they said that something is due. */
static uint32_t sleep_through(struct bed *b, uint64_t ms)
{
	uint64_t end = b->now + ms;
	uint32_t wakes = 0;

	for (;; wakes++) {
		uint64_t due = end;

		settle(b);
		for (uint16_t i = 0; i < b->dp->workers; i++)
			due = RTE_MIN(due, idle_due(b->dp->worker[i]));
		if (b->now >= end)
			return wakes;
		assert_true(due > b->now);
		bed_sleep(b, due - b->now);
	}
}

static void nothing_to_do_is_slept_through(void **state)
{
	struct bed b;

	(void)state;
	bed_init(&b, 2);
	bed_open(&b, 0);
	bed_learn_all(&b);
	/* The hosts were learned, none is asked for: what is left is telling the counters. */
	assert_true(sleep_through(&b, 10000) <= 10000 / IDLE_MAX_MS + 1);
	bed_expect_silence(&b);
	bed_close(&b);
}

/* INVITEs that the PBX gets in 20 s of silence, each at its time. */
static uint32_t invites(struct bed *b, bool asleep, uint64_t at[16])
{
	struct talk t;
	uint64_t begin;
	uint32_t n = 0;

	talk_init(&t, asleep);
	talk_invite(b, &t);
	begin = b->now;
	while (b->now < begin + 20000) {
		if (asleep)
			sleep_through(b, 10);
		else
			bed_elapse(b, 10);
		while (bed_take(b, INSIDE, &f) && n < 16)
			if (memcmp(frame_read(&f).payload, "INVITE ", 7) == 0)
				at[n++] = b->now - begin;
	}
	/* The call fails then, and its answers are sent again for a while. */
	for (uint32_t i = 0; i < 70; i++)
		bed_elapse(b, 1000);
	bed_drain(b);
	return n;
}

static void retransmissions_come_at_their_times(void **state)
{
	uint64_t awake[16], asleep[16];
	struct bed b;
	uint32_t n;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn_all(&b);
	n = invites(&b, false, awake);
	/* Timer A, RFC 3261 17.1.1.2: 0.5, 1.5, 3.5, 7.5, 15.5 s. */
	assert_int_equal(n, 5);
	bed_learn_all(&b);
	assert_int_equal(invites(&b, true, asleep), n);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(awake[i] / 10, asleep[i] / 10);
	bed_close(&b);
}

static void a_transaction_is_waited_for_in_few_wakes(void **state)
{
	struct talk t;
	struct bed b;
	uint32_t wakes;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn_all(&b);
	talk_init(&t, 1);
	talk_invite(&b, &t);
	wakes = sleep_through(&b, 400);
	assert_true(wakes <= 4);
	bed_expect_silence(&b);
	bed_drain(&b);
	bed_elapse(&b, 70000);
	bed_close(&b);
}

/* How often polling comes before a sleep, of `n` times of which all or none catch something. */
static uint32_t polled(struct idle *i, uint32_t n, bool caught)
{
	uint32_t times = 0;

	for (uint32_t k = 0; k < n; k++) {
		if (!idle_spin_begin(i))
			continue;
		idle_spin_end(i, caught);
		times++;
	}
	return times;
}

static void polling_in_vain_is_left_out_until_it_is_not(void **state)
{
	struct idle i = {.luck = IDLE_LUCK_MAX};

	(void)state;
	assert_int_equal(polled(&i, 100, true), 100);
	assert_true(polled(&i, 20, false) >= 8);
	/* Tried now and then, in vain. */
	assert_int_equal(polled(&i, 800, false), 100);
	/* Traffic is back: a few tries, and polling goes on. */
	assert_true(polled(&i, 100, true) >= 60);
	assert_int_equal(polled(&i, 100, true), 100);
	/* Something every other time is worth it. */
	for (uint32_t k = 0; k < 1000; k++)
		assert_int_equal(polled(&i, 1, k % 2), 1);
}

static void only_turns_with_work_count_as_busy(void **state)
{
	struct frame_spec s;
	struct bed b;
	uint64_t before, busy;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn_all(&b);
	settle(&b);
	before = b.dp->worker[0]->count.busy_cycles;
	for (uint32_t i = 0; i < 1000; i++)
		worker_turn(b.dp->worker[0], b.now);
	assert_int_equal(b.dp->worker[0]->count.busy_cycles, before);
	s = bed_spec(OUTSIDE, FAR, PHONE_MAC);
	frame_icmp_echo(&f, &s, 1, 10);
	bed_put(&b, OUTSIDE, &f);
	assert_true(worker_turn(b.dp->worker[0], b.now));
	busy = b.dp->worker[0]->count.busy_cycles;
	assert_true(busy > before);
	settle(&b);
	while (bed_take(&b, OUTSIDE, &f))
		;
	bed_close(&b);
}

static void a_silent_call_ends_while_its_worker_sleeps(void **state)
{
	struct talk t;
	struct bed b;
	char text[4096];
	uint64_t begin;

	(void)state;
	bed_init(&b, 2);
	b.snapshot.realm[OUTSIDE].media_timeout_s = 5;
	b.snapshot.realm[INSIDE].media_timeout_s = 5;
	bed_open(&b, 0);
	bed_learn_all(&b);
	talk_init(&t, 1);
	talk_call(&b, &t);
	begin = b.now;
	/* Four flows are looked at within a second, in a few wakes. */
	assert_true(sleep_through(&b, 4900) <= 4900 / 100);
	bed_expect_silence(&b);
	while (!bed_take(&b, INSIDE, &f) && b.now < begin + 60000)
		sleep_through(&b, 100);
	assert_true(b.now < begin + 7000);
	assert_memory_equal(frame_read(&f).payload, "BYE ", 4);
	talk_expect(&b, OUTSIDE, "BYE ", text, sizeof(text));
	bed_elapse(&b, 70000);
	bed_close(&b);
}

static void a_next_hop_is_asked_for_again(void **state)
{
	struct frame_spec s;
	struct bed b;
	uint32_t asked = 0;

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn(&b, OUTSIDE, PHONE, PHONE_MAC);
	s = bed_spec(OUTSIDE, FAR, PHONE_MAC);
	frame_icmp_echo(&f, &s, 1, 10);
	bed_put(&b, OUTSIDE, &f);
	sleep_through(&b, 4000);
	while (bed_take(&b, OUTSIDE, &f))
		asked += frame_read(&f).op == 1;
	assert_int_equal(asked, NEIGH_TRIES);
	bed_assert_count(&b, NEIGH_FAILED, 1);
	bed_close(&b);
}

static void a_datagram_that_stays_in_parts_is_given_up(void **state)
{
	struct frame_spec s;
	struct bed b;
	uint8_t part[64] = {0};

	(void)state;
	bed_init(&b, 1);
	bed_open(&b, 0);
	bed_learn_all(&b);
	s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	s.id = 7;
	s.frag = 0x2000;
	frame_ip(&f, &s, part, sizeof(part));
	bed_put(&b, OUTSIDE, &f);
	settle(&b);
	assert_int_equal(reassembly_due(b.dp->worker[0]), b.now + REASSEMBLY_MS);
	assert_true(sleep_through(&b, REASSEMBLY_MS) <= REASSEMBLY_MS / IDLE_MAX_MS + 1);
	bed_assert_count(&b, FRAG_TIMEOUT, 1);
	bed_close(&b);
}

static void announcements_go_on(void **state)
{
	struct bed b;
	uint32_t n = 0;

	(void)state;
	bed_init(&b, 1);
	b.conf.groups_held = true;
	bed_open(&b, 0);
	dp_group_until(b.dp, 0, UINT64_MAX);
	assert_true(dp_group_post(b.dp, 0, true));
	sleep_through(&b, 2000);
	while (bed_take(&b, OUTSIDE, &f))
		n++;
	assert_int_equal(n, 1 + GROUP_ANNOUNCE_AGAIN);
	bed_close(&b);
}

/* ---- by themselves, with nothing but a bell to wake them ---- */

/*
 * Workers 0 and 1 have the rings' queues, which can only be looked at again; 2 and 3
 * have none. These sleep until they are rung for: a lost wake-up lasts a minute, and
 * nothing here is waited for longer than ten seconds.
 */
static void bells_up(struct bed *b)
{
	char why[256] = "";

	bed_init(b, 4);
	bed_open(b, 0);
	bed_learn_all(b);
	b->dp->clock = dp_now;
	b->dp->idle_max_ms = 60000;
	if (!dp_launch(b->dp, why, sizeof(why)))
		bed_fail("%s", why);
}

static struct dp_reply *ask(struct bed *b, uint16_t worker)
{
	struct dp_request q = {.type = DP_STATS, .worker = worker};
	struct dp_reply *r = NULL;

	assert_true(dp_request_post(b->dp, &q));
	for (uint32_t i = 0; r == NULL && i < 200000; i++, usleep(50))
		r = dp_reply_take(b->dp);
	assert_non_null(r);
	return r;
}

static void wait_asleep(const struct bed *b, uint16_t worker)
{
	for (uint32_t i = 0; i < 10000; i++, usleep(1000))
		if (__atomic_load_n(&b->dp->worker[worker]->wait.asleep, __ATOMIC_RELAXED))
			return;
	bed_fail("worker %u does not sleep", worker);
}

/* Requests that come at every moment of falling asleep: none may be left lying. */
static void control_wakes_a_worker(void **state)
{
	const uint32_t rounds = 3000;
	struct dp_reply *r;
	uint64_t rung;
	struct bed b;

	(void)state;
	bells_up(&b);
	for (uint32_t i = 0; i < rounds; i++) {
		for (uint32_t k = 0; k < i % 400 * 50; k++)
			rte_pause();
		dp_reply_free(b.dp, ask(&b, (uint16_t)(2 + i % 2)));
	}
	wait_asleep(&b, 2);
	usleep(20000);
	r = ask(&b, 2);
	rung = r->stats.woken_by_bell;
	assert_true(r->stats.sleeps > 0);
	dp_reply_free(b.dp, r);
	wait_asleep(&b, 2);
	usleep(20000);
	r = ask(&b, 2);
	assert_true(r->stats.woken_by_bell > rung);
	assert_int_equal(r->stats.woken_by_packet, 0);
	dp_reply_free(b.dp, r);
	dp_join(b.dp);
	bed_close(&b);
}

static void options(struct bed *b, uint32_t i)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "OPTIONS sip:203.0.113.1 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=z9hG4bK%u\r\n"
			 "Max-Forwards: 70\r\nFrom: <sip:a@h>;tag=a1\r\n"
			 "To: <sip:203.0.113.1>\r\nCall-ID: %u@phone\r\n"
			 "CSeq: 7 OPTIONS\r\nContent-Length: 0\r\n\r\n",
			 i, i);

	frame_udp(&f, &s, text, (uint32_t)n);
	bed_put(b, OUTSIDE, &f);
}

static bool answered(struct bed *b)
{
	for (uint32_t i = 0; i < 100000; i++, usleep(100)) {
		struct frame_view v;

		if (!bed_take(b, OUTSIDE, &f))
			continue;
		v = frame_read(&f);
		if (v.payload != NULL && v.n > 11 && memcmp(v.payload, "SIP/2.0 200", 11) == 0)
			return true;
	}
	return false;
}

/*
 * One packet at a time, come by worker 0's queue, for whichever worker has its
 * Call-ID; the answer goes by the ring of a worker that has a queue to send on.
 */
static void workers_wake_each_other(void **state)
{
	uint64_t sleeps = 0, rung = 0;
	struct bed b;

	(void)state;
	bells_up(&b);
	for (uint32_t i = 0; i < 300; i++) {
		options(&b, i);
		if (!answered(&b))
			bed_fail("OPTIONS %u has no answer", i);
		usleep(i % 40 * 10);
	}
	for (uint16_t i = 0; i < 4; i++) {
		struct dp_reply *r = ask(&b, i);

		sleeps += r->stats.sleeps;
		rung += r->stats.woken_by_bell;
		dp_reply_free(b.dp, r);
	}
	assert_true(sleeps > 0 && rung > 0);
	dp_join(b.dp);
	bed_close(&b);
}

/* dp_has_turned() is a question that the asleep must turn for. */
static void a_turn_is_had_when_asked_for(void **state)
{
	struct bed b;

	(void)state;
	bells_up(&b);
	for (uint32_t i = 0; i < 50; i++) {
		uint64_t now = dp_now();
		uint32_t tries = 0;

		for (; !dp_has_turned(b.dp, now); tries++, usleep(500))
			assert_true(tries < 20000);
	}
	dp_join(b.dp);
	bed_close(&b);
}

/* Ends at once, whoever sleeps. */
static void the_end_wakes_all(void **state)
{
	struct bed b;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		bells_up(&b);
		wait_asleep(&b, 3);
		usleep(5000 * i);
		dp_join(b.dp);
		bed_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do_is_slept_through),
		cmocka_unit_test(retransmissions_come_at_their_times),
		cmocka_unit_test(a_transaction_is_waited_for_in_few_wakes),
		cmocka_unit_test(only_turns_with_work_count_as_busy),
		cmocka_unit_test(polling_in_vain_is_left_out_until_it_is_not),
		cmocka_unit_test(a_silent_call_ends_while_its_worker_sleeps),
		cmocka_unit_test(a_next_hop_is_asked_for_again),
		cmocka_unit_test(a_datagram_that_stays_in_parts_is_given_up),
		cmocka_unit_test(announcements_go_on),
		cmocka_unit_test(control_wakes_a_worker),
		cmocka_unit_test(workers_wake_each_other),
		cmocka_unit_test(a_turn_is_had_when_asked_for),
		cmocka_unit_test(the_end_wakes_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
