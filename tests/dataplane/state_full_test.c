/* Rings without room, out and in. */
#include "tests/dataplane/keep.h"

static struct frame f;

static void a_put_without_room_is_refused_when_there_is_room_again(void **state)
{
	struct bed b;
	struct worker *w;
	uint64_t n;

	(void)state;
	keep_open(&b, 1);
	w = b.dp->worker[0];
	n = keep_fill(w);
	assert_true(n >= 16);
	/* As long as control takes nothing, nothing is tried again. */
	bed_elapse(&b, 100);
	assert_int_equal(w->state.refusals, 1);
	for (uint64_t i = 0; i < n; i++) {
		assert_true(keep_take(&b));
		assert_int_equal(kept.op.handle, i);
		assert_int_equal(kept.op.fields.n, CHECKPOINT_MAX);
	}
	assert_false(keep_take(&b));
	bed_turn(&b);
	assert_int_equal(w->state.refusals, 0);
	bed_close(&b);
}

static void deletes_have_room_when_puts_have_none(void **state)
{
	struct bed b;
	struct worker *w;
	struct engine_store d = keep_big_put(7);
	uint32_t deletes;
	uint64_t n;

	(void)state;
	keep_open(&b, 1);
	w = b.dp->worker[0];
	n = keep_fill(w);
	deletes = b.conf.limits.calls + b.conf.limits.registrations;
	for (uint32_t i = 0; i < deletes; i++)
		state_delete(w, &d);
	assert_int_equal(w->state.deletes_lost, 0);
	for (uint64_t i = 0; i < n; i++)
		assert_true(keep_take(&b) && kept.op.put);
	for (uint32_t i = 0; i < deletes; i++)
		assert_true(keep_take(&b) && !kept.op.put);
	assert_false(keep_take(&b));
	/* More of them than anything can be kept of: lost, and counted. */
	while (w->state.deletes_lost == 0)
		state_delete(w, &d);
	while (keep_take(&b))
		;
	bed_turn(&b);
	bed_close(&b);
}

static void a_real_call_is_stored_after_control_was_stalled(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	keep_open(&b, 1);
	keep_mode(&b, ENGINE_STORE_BEHIND);
	keep_fill(b.dp->worker[0]);
	keep_fill_up(b.dp->worker[0]);
	talk_init(&t, 1);
	talk_call(&b, &t);
	bed_elapse(&b, 1000);
	keep_engine_read(&b, 0, &s);
	assert_int_equal(s.store_inflight, 1);
	while (keep_take(&b))
		;
	bed_elapse(&b, 1000);
	assert_true(keep_take(&b));
	assert_true(kept.op.put);
	assert_true(kept.op.fields.n < CHECKPOINT_MAX);
	keep_stored(&b, true);
	keep_engine_read(&b, 0, &s);
	assert_int_equal(s.store_inflight, 0);
	assert_int_equal(s.store_dirty, 0);
	bed_close(&b);
}

static const char stray[IDENT_LEN + 1] = "00000000000000000000000000000000";

static void restores_leave_room_for_acknowledgements(void **state)
{
	static char bytes[CHECKPOINT_MAX];
	struct bed b;
	uint32_t n = 0;

	(void)state;
	keep_open(&b, 1);
	while (dp_restore_post(b.dp, CHECKPOINT_CALL, stray, slice_of(bytes, sizeof(bytes))))
		n++;
	assert_true(n > 32);
	for (uint32_t i = 0; i < ENGINE_STORE_WINDOW; i++)
		assert_true(dp_stored_post(b.dp, 0, CHECKPOINT_CALL, i, 1, true));
	assert_true(dp_group_post(b.dp, 0, true));
	bed_elapse(&b, 1000);
	assert_int_equal(dp_restored(b.dp), n);
	assert_true(dp_restore_post(b.dp, CHECKPOINT_CALL, stray, slice_of(bytes, 1)));
	bed_elapse(&b, 1);
	bed_drain(&b);
	bed_close(&b);
}

static void a_ring_to_one_worker_that_is_full_keeps_words_to_all_back(void **state)
{
	struct bed b;
	struct worker *w;
	uint32_t used;

	(void)state;
	keep_open(&b, 2);
	w = b.dp->worker[1];
	while (byte_ring_put(&w->state.in, 0, &(struct engine_event){.type = ENGINE_EV_TICK},
			     sizeof(struct engine_event), SLICE_NONE, 0))
		;
	used = byte_ring_used(&b.dp->worker[0]->state.in);
	assert_false(dp_store_mode_post(b.dp, ENGINE_STORE_DOWN, false));
	assert_false(dp_group_post(b.dp, 0, true));
	assert_int_equal(byte_ring_used(&b.dp->worker[0]->state.in), used);
	assert_false(dp_stored_post(b.dp, 1, CHECKPOINT_CALL, 1, 1, true));
	assert_true(dp_stored_post(b.dp, 0, CHECKPOINT_CALL, 1, 1, true));
	assert_false(dp_stored_post(b.dp, 2, CHECKPOINT_CALL, 1, 1, true)); /* no such worker */
	for (uint32_t i = 0; byte_ring_used(&w->state.in) != 0 && i < 1000; i++)
		bed_turn(&b);
	assert_true(dp_store_mode_post(b.dp, ENGINE_STORE_DOWN, false));
	bed_turn(&b);
	bed_close(&b);
}

/* Packets go on between restores: a turn takes no more than its budget of them. */
static void restores_do_not_starve_packets(void **state)
{
	struct frame_spec s = bed_spec(OUTSIDE, PHONE, PHONE_MAC);
	struct bed b;
	struct worker *w;

	(void)state;
	keep_open(&b, 1);
	w = b.dp->worker[0];
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(dp_restore_post(b.dp, CHECKPOINT_CALL, stray, SLICE_LIT("x")));
	worker_turn(w, b.now);
	assert_int_equal(dp_restored(b.dp), STATE_WORK / STATE_COST);
	frame_icmp_echo(&f, &s, 1, 8);
	bed_put(&b, OUTSIDE, &f);
	worker_turn(w, b.now);
	bed_expect(&b, OUTSIDE, &f);
	assert_int_equal(dp_restored(b.dp), (STATE_WORK + STATE_WORK_BUSY) / STATE_COST);
	bed_elapse(&b, 100);
	assert_int_equal(dp_restored(b.dp), 1000);
	bed_close(&b);
}

static void the_ring_is_in_the_stats(void **state)
{
	struct dp_request q = {.type = DP_STATS};
	struct dp_reply *r;
	struct bed b;

	(void)state;
	keep_open(&b, 1);
	keep_fill(b.dp->worker[0]);
	assert_true(dp_request_post(b.dp, &q));
	bed_turn(&b);
	r = dp_reply_take(b.dp);
	assert_non_null(r);
	assert_true(r->stats.store_ring_size >= STATE_OPS_MIN);
	assert_true(r->stats.store_ring_used > r->stats.store_ring_size / 4);
	assert_true(r->stats.store_ring_used <= r->stats.store_ring_size);
	dp_reply_free(b.dp, r);
	while (keep_take(&b))
		;
	bed_turn(&b);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_put_without_room_is_refused_when_there_is_room_again),
		cmocka_unit_test(deletes_have_room_when_puts_have_none),
		cmocka_unit_test(a_real_call_is_stored_after_control_was_stalled),
		cmocka_unit_test(restores_leave_room_for_acknowledgements),
		cmocka_unit_test(a_ring_to_one_worker_that_is_full_keeps_words_to_all_back),
		cmocka_unit_test(restores_do_not_starve_packets),
		cmocka_unit_test(the_ring_is_in_the_stats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
