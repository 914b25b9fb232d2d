/*
 * What an engine gives to its store: no more at once than the window, everything in
 * the end, and all that is lost or let go in steps that fit an out. What single calls
 * do is in tests/scenario/state.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/core/engine_fixture.h"

#define MANY 1200u /* more than the window */

static struct fixture f;
static struct parties p[MANY];

static void calls_up(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		p[i].id = i + 1;
		call_up(&f, &p[i]);
		fixture_discard(&f);
	}
}

static uint32_t records(void)
{
	uint32_t cursor = 0, n = 0;

	while (driver_store_next(f.driver, &cursor) != NULL)
		n++;
	return n;
}

/* Operators end all calls; whoever is owed a BYE answers nothing, and is given up. */
static void end_all(void)
{
	uint32_t at = 0;

	driver_kill_all(f.driver);
	while (at++ < 175) {
		fixture_discard(&f);
		fixture_elapse(&f, 400);
	}
	fixture_discard(&f);
}

static void puts_under_way_are_bounded_by_the_window(void **state)
{
	struct engine_stats st;

	(void)state;
	fixture_begin(&f, 1, MANY);
	calls_up(MANY);
	driver_store_behave(f.driver, DRIVER_STORE_HOLDS, 0);
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	fixture_elapse(&f, 1000);
	st = fixture_stats(&f);
	assert_int_equal(st.store_inflight, ENGINE_STORE_WINDOW);
	assert_int_equal(st.store_dirty, MANY - ENGINE_STORE_WINDOW);
	assert_int_equal(records(), 0);

	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 0);
	driver_store_ack(f.driver, true);
	fixture_elapse(&f, 1000);
	st = fixture_stats(&f);
	assert_int_equal(st.store_inflight, 0);
	assert_int_equal(st.store_dirty, 0);
	assert_int_equal(st.store_puts, MANY);
	assert_int_equal(records(), MANY);

	end_all();
	assert_int_equal(records(), 0);
	fixture_end(&f);
}

/* A store that was lost is given everything, and what is there is not put twice at once. */
static void a_resync_puts_everything_again(void **state)
{
	(void)state;
	fixture_begin(&f, 4, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_BEHIND, false);
	calls_up(100);
	fixture_elapse(&f, 1000);
	assert_int_equal(records(), 100);
	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 20);
	driver_store_lose(f.driver);
	for (int i = 0; i < 3; i++)
		driver_store_mode(f.driver, ENGINE_STORE_BEHIND, true);
	fixture_elapse(&f, 2000);
	assert_int_equal(records(), 100);
	assert_int_equal(fixture_stats(&f).store_inflight, 0);
	end_all();
	assert_int_equal(records(), 0);
	fixture_end(&f);
}

/* A hundred answers wait when the store goes away: all leave at once, none is lost. */
static void answers_that_wait_leave_together(void **state)
{
	uint32_t n = 100, answers = 0, acks = 0;

	(void)state;
	fixture_begin(&f, 1, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	driver_store_behave(f.driver, DRIVER_STORE_HOLDS, 0);
	for (uint32_t i = 0; i < n; i++) {
		p[i].id = i + 1;
		phone_invite(&f, &p[i], "", phone_sdp);
		pbx_gets_invite(&f, &p[i]);
		answer(&f, CORE, p[i].invite, "200 OK", "pbxtag",
		       "Contact: <sip:bob@10.0.0.10>\r\n", pbx_sdp);
		fixture_silent(&f);
	}
	assert_int_equal(fixture_stats(&f).store_held, n);
	driver_store_mode(f.driver, ENGINE_STORE_DOWN, false);
	assert_int_equal(fixture_stats(&f).store_held, 0);
	assert_int_equal(fixture_stats(&f).degraded, n);
	while (f.head != f.tail) {
		const struct sent *s = &f.queue[f.head++ % FIXTURE_QUEUE];

		answers += memcmp(s->bytes, "SIP/2.0 200", 11) == 0;
		acks += memcmp(s->bytes, "ACK", 3) == 0;
	}
	assert_int_equal(answers, n);
	assert_int_equal(acks, n);

	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 0);
	driver_store_ack(f.driver, true);
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	fixture_elapse(&f, 1000);
	fixture_discard(&f);
	assert_int_equal(fixture_stats(&f).degraded, 0);
	assert_int_equal(records(), n);
	end_all();
	assert_int_equal(records(), 0);
	fixture_end(&f);
}

static void a_lost_group_is_forgotten_without_a_word(void **state)
{
	struct engine_stats st;
	char why[256];

	(void)state;
	fixture_begin(&f, 4, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_BEHIND, false);
	calls_up(500);
	f.records[RECORD_CALL_END] = 0;
	fixture_elapse(&f, 500);
	fixture_discard(&f);
	driver_group(f.driver, 0, false);
	fixture_silent(&f);
	assert_true(driver_is_clean(f.driver, why, sizeof(why)));
	st = fixture_stats(&f);
	assert_int_equal(st.calls, 0);
	assert_int_equal(st.store_deletes, 0);
	assert_int_equal(st.store_dirty, 0);
	assert_int_equal(records(), 500);
	assert_int_equal(f.records[RECORD_CALL_END], 0);
	fixture_elapse(&f, 100000);
	fixture_silent(&f);
	fixture_end(&f);
}

/* ---- barriers ---- */

/* More is owed than the window lets out: the barrier is behind the last of it. */
static void a_barrier_follows_all_that_was_owed(void **state)
{
	struct engine_stats st;

	(void)state;
	fixture_begin(&f, 1, MANY);
	calls_up(MANY);
	driver_store_behave(f.driver, DRIVER_STORE_HOLDS, 0);
	driver_store_mode(f.driver, ENGINE_STORE_BEHIND, false);
	fixture_elapse(&f, 1);
	assert_int_equal(fixture_stats(&f).store_dirty, MANY);
	driver_store_barrier(f.driver);
	fixture_elapse(&f, 1);
	st = fixture_stats(&f);
	assert_int_equal(st.store_inflight, ENGINE_STORE_WINDOW);
	assert_int_equal(driver_store_passed_by(f.driver), 0);
	driver_store_ack(f.driver, true);
	fixture_elapse(&f, 1);
	st = fixture_stats(&f);
	assert_int_equal(st.store_inflight, MANY - ENGINE_STORE_WINDOW);
	assert_int_equal(st.store_dirty, 0);
	assert_int_equal(driver_store_passed_by(f.driver), 1);
	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 0);
	driver_store_ack(f.driver, true);
	assert_int_equal(records(), MANY);
	end_all();
	fixture_end(&f);
}

static void pbx_asks(struct parties *party, unsigned cseq)
{
	pbx_request(&f, party, "INFO", cseq, "", "");
	fixture_discard(&f);
}

static void a_call_changed_since_its_put_left_holds_a_barrier_up(void **state)
{
	(void)state;
	fixture_begin(&f, 1, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_BEHIND, false);
	calls_up(2);
	fixture_elapse(&f, 1000);
	fixture_discard(&f);
	driver_store_behave(f.driver, DRIVER_STORE_HOLDS, 0);
	pbx_asks(&p[0], 2);
	fixture_elapse(&f, ENGINE_STORE_GATHER_MS);
	assert_int_equal(fixture_stats(&f).store_inflight, 1);
	pbx_asks(&p[0], 3);
	driver_store_barrier(f.driver);
	fixture_elapse(&f, 5);
	assert_int_equal(driver_store_passed_by(f.driver), 0);
	/* What changes from now on does not. */
	driver_store_ack(f.driver, true);
	pbx_asks(&p[0], 4);
	pbx_asks(&p[1], 2);
	fixture_elapse(&f, 2);
	assert_int_equal(driver_store_passed_by(f.driver), 1);
	assert_true(fixture_stats(&f).store_inflight > 0);
	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 0);
	driver_store_ack(f.driver, true);
	/* And gathering is as it was. */
	fixture_elapse(&f, 1000);
	assert_int_equal(fixture_stats(&f).store_dirty, 0);
	pbx_asks(&p[1], 3);
	fixture_elapse(&f, ENGINE_STORE_GATHER_MS - 50);
	assert_int_equal(fixture_stats(&f).store_dirty, 1);
	end_all();
	fixture_end(&f);
}

static void what_is_over_is_put_before_a_barrier(void **state)
{
	(void)state;
	fixture_begin(&f, 1, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_BEHIND, false);
	calls_up(1);
	fixture_elapse(&f, 1000);
	fixture_discard(&f);
	driver_store_behave(f.driver, DRIVER_STORE_HOLDS, 0);
	pbx_asks(&p[0], 2);
	fixture_elapse(&f, ENGINE_STORE_GATHER_MS);
	driver_kill_all(f.driver);
	driver_store_barrier(f.driver);
	assert_int_equal(driver_store_passed_by(f.driver), 0);
	driver_store_ack(f.driver, true);
	assert_int_equal(driver_store_passed_by(f.driver), 1);
	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 0);
	driver_store_ack(f.driver, true);
	end_all();
	assert_int_equal(records(), 0);
	fixture_end(&f);
}

static void a_barrier_waits_for_a_store_that_is_down(void **state)
{
	(void)state;
	fixture_begin(&f, 4, MANY);
	driver_store_barrier(f.driver);
	assert_int_equal(driver_store_passed_by(f.driver), 4);
	driver_store_mode(f.driver, ENGINE_STORE_DOWN, false);
	calls_up(40);
	fixture_elapse(&f, 1000);
	fixture_discard(&f);
	/* Of those that wait, the last is answered. */
	for (int i = 0; i < 3; i++)
		driver_store_barrier(f.driver);
	assert_true(driver_store_passed_by(f.driver) < 4);
	driver_store_mode(f.driver, ENGINE_STORE_BEHIND, false);
	fixture_elapse(&f, 2);
	assert_int_equal(driver_store_passed_by(f.driver), 4);
	assert_int_equal(records(), 40);
	end_all();
	fixture_end(&f);
}

/* The store has lost an early call without a word: its answer leaves once all of it is there. */
static void a_change_of_what_is_lost_is_put_whole_before_the_answer(void **state)
{
	struct engine_stats st;

	(void)state;
	fixture_begin(&f, 1, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	p[0].id = 1;
	phone_invite(&f, &p[0], "", phone_sdp);
	pbx_gets_invite(&f, &p[0]);
	answer(&f, CORE, p[0].invite, "180 Ringing", "pbxtag", "Contact: <sip:bob@10.0.0.10>\r\n",
	       "");
	fixture_take(&f, ACCESS, "SIP/2.0 180");
	assert_int_equal(records(), 1);
	driver_store_lose(f.driver);
	driver_store_behave(f.driver, DRIVER_STORE_TAKES, 10);
	answer(&f, CORE, p[0].invite, "200 OK", "pbxtag", "Contact: <sip:bob@10.0.0.10>\r\n",
	       pbx_sdp);
	fixture_elapse(&f, 15);
	fixture_silent(&f);
	assert_int_equal(records(), 0);
	fixture_elapse(&f, 10);
	assert_int_equal(records(), 1);
	fixture_take(&f, ACCESS, "SIP/2.0 200");
	st = fixture_stats(&f);
	assert_int_equal(st.store_puts, 3);
	assert_int_equal(st.degraded, 0);
	end_all();
	assert_int_equal(records(), 0);
	fixture_end(&f);
}

/* So is the end of a call. */
static void an_end_of_what_is_lost_is_put_whole(void **state)
{
	uint32_t cursor = 0;

	(void)state;
	fixture_begin(&f, 1, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	calls_up(1);
	fixture_elapse(&f, 1000);
	driver_store_lose(f.driver);
	driver_kill_all(f.driver);
	fixture_elapse(&f, ENGINE_STORE_ENDING_MS - 1);
	assert_int_equal(records(), 0);
	fixture_elapse(&f, 1);
	assert_non_null(driver_store_next(f.driver, &cursor));
	end_all();
	assert_int_equal(records(), 0);
	fixture_end(&f);
}

/* A phone's NAT gives it another port: a change carries what its leg is known by. */
static void a_source_that_moves_is_put(void **state)
{
	static struct call_checkpoint c;
	struct net_addr moved = fixture_phone();
	const struct driver_record *r;
	uint32_t cursor = 0;
	char text[FIXTURE_BYTES];

	(void)state;
	fixture_begin(&f, 1, MANY);
	driver_store_mode(f.driver, ENGINE_STORE_DURABLE, false);
	calls_up(1);
	fixture_elapse(&f, 1000);
	moved.port++;
	phone_request(&f, &p[0], "INFO", 2, "", "");
	snprintf(text, sizeof(text), "%s", f.text);
	memcpy(strstr(text, "CSeq: 2"), "CSeq: 3", 7);
	memcpy(strstr(text, "phoneINFO12"), "phoneINFO13", 11);
	fixture_recv(&f, ACCESS, moved, text);
	fixture_elapse(&f, 1000);
	r = driver_store_next(f.driver, &cursor);
	assert_int_equal(checkpoint_call_read(&c, r->fields), SBC_OK);
	assert_true(net_addr_eq(c.leg[0].source, moved));
	end_all();
	fixture_end(&f);
}

/* The same bytes for the same key, another for any other of the three. */
static void a_dialog_has_one_print_on_all_nodes(void **state)
{
	struct siphash_key key = {1, 2}, other = {1, 3};
	struct slice id = SLICE_LIT("0123456789abcdef"), tag = SLICE_LIT("tag");
	uint64_t print = engine_dialog_print(&key, id, tag);

	(void)state;
	assert_true(print == engine_dialog_print(&key, id, tag));
	assert_true(print != engine_dialog_print(&other, id, tag));
	assert_true(print != engine_dialog_print(&key, tag, id));
	assert_true(print != engine_dialog_print(&key, id, SLICE_LIT("taf")));
	assert_true(print !=
		    engine_dialog_print(&key, SLICE_LIT("0123456789abcdeft"), SLICE_LIT("ag")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_under_way_are_bounded_by_the_window),
		cmocka_unit_test(a_resync_puts_everything_again),
		cmocka_unit_test(answers_that_wait_leave_together),
		cmocka_unit_test(a_lost_group_is_forgotten_without_a_word),
		cmocka_unit_test(a_barrier_follows_all_that_was_owed),
		cmocka_unit_test(a_call_changed_since_its_put_left_holds_a_barrier_up),
		cmocka_unit_test(what_is_over_is_put_before_a_barrier),
		cmocka_unit_test(a_barrier_waits_for_a_store_that_is_down),
		cmocka_unit_test(a_change_of_what_is_lost_is_put_whole_before_the_answer),
		cmocka_unit_test(an_end_of_what_is_lost_is_put_whole),
		cmocka_unit_test(a_source_that_moves_is_put),
		cmocka_unit_test(a_dialog_has_one_print_on_all_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
