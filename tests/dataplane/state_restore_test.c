/* What an earlier process left, barriers, and what comes behind the loss of a group. */
#include "tests/dataplane/keep.h"

static struct frame f;
static uint8_t rtp[512];

static void speak(struct bed *b, const struct talk *t, uint32_t port, uint16_t seq)
{
	struct frame_spec s = port == OUTSIDE ? bed_spec(OUTSIDE, PHONE, PHONE_MAC)
					      : bed_spec(INSIDE, PBX, PBX_MAC);

	s.sport = port == OUTSIDE ? TALK_PHONE_RTP : TALK_PBX_RTP;
	s.dport = port == OUTSIDE ? t->out_rtp : t->in_rtp;
	frame_udp(&f, &s, rtp, frame_rtp(rtp, 1 + port, seq, seq * 160u, 160));
	bed_put(b, port, &f);
	bed_turn(b);
}

static void speak_through(struct bed *b, const struct talk *t, uint32_t port, uint16_t seq)
{
	struct frame_view v;

	speak(b, t, port, seq);
	v = bed_expect(b, !port, &f);
	assert_int_equal(v.dst, port == OUTSIDE ? PBX : PHONE);
	assert_int_equal(v.dport, port == OUTSIDE ? TALK_PBX_RTP : TALK_PHONE_RTP);
	assert_int_equal(v.sport, port == OUTSIDE ? t->in_rtp : t->out_rtp);
}

/* A call with media both ways, as the store has it at the end. */
static void call_kept(struct bed *b, struct talk *t)
{
	keep_mode(b, ENGINE_STORE_BEHIND);
	talk_init(t, 1);
	talk_call(b, t);
	speak(b, t, OUTSIDE, 1);
	speak_through(b, t, OUTSIDE, 2);
	speak_through(b, t, INSIDE, 1);
	/* What has changed while a put was under way is put after that. */
	bed_elapse(b, 1000);
	assert_true(keep_store_all(b) > 0);
	bed_elapse(b, 1000);
	assert_true(keep_store_all(b) > 0);
	assert_true(kept.op.put);
	bed_expect_silence(b);
}

static void restore(struct bed *b)
{
	uint64_t before = dp_restored(b->dp);

	assert_true(dp_restore_post(b->dp, kept.op.kind, kept.op.id, kept.op.fields));
	assert_int_equal(dp_restored(b->dp), before);
	dp_wake_clear(b->dp);
	bed_turn(b);
	assert_int_equal(dp_restored(b->dp), before + 1);
	assert_true(keep_woken(b));
}

static void a_call_outlives_its_process(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	keep_open(&b, 2);
	call_kept(&b, &t);
	bed_close(&b);

	keep_open(&b, 2);
	keep_mode(&b, ENGINE_STORE_BEHIND);
	restore(&b);
	keep_engine_read(&b, kept.op.worker, &s);
	assert_int_equal(s.calls_established, 1);
	assert_int_equal(s.restored, 1);
	bed_expect_silence(&b);
	/* The first packets already, from whom had latched, and from nobody else. */
	speak_through(&b, &t, INSIDE, 2);
	speak_through(&b, &t, OUTSIDE, 3);
	talk_bye(&b, &t);
	bed_elapse(&b, 40000);
	assert_int_equal(b.dp->worker[kept.op.worker]->live_count, 0);
	bed_close(&b);
}

static void what_ended_elsewhere_is_forgotten(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	keep_open(&b, 1);
	call_kept(&b, &t);
	bed_close(&b);

	keep_open(&b, 1);
	restore(&b);
	assert_true(dp_forget_post(b.dp, kept.op.kind, kept.op.id));
	bed_elapse(&b, 10);
	assert_int_equal(dp_restored(b.dp), 2);
	keep_engine_read(&b, 0, &s);
	assert_int_equal(s.calls, 0);
	assert_int_equal(b.dp->worker[0]->live_count, 0);
	bed_close(&b);
}

static void rubbish_restores_nothing(void **state)
{
	struct bed b;
	struct engine_stats s;
	static const char id[IDENT_LEN + 1] = "0123456789abcdef0123456789abcdef";

	(void)state;
	keep_open(&b, 2);
	assert_true(dp_restore_post(b.dp, CHECKPOINT_CALL, id, SLICE_LIT("\x01\x02")));
	assert_true(dp_restore_post(b.dp, CHECKPOINT_REGISTRATION, id, SLICE_NONE));
	assert_true(dp_forget_post(b.dp, CHECKPOINT_CALL, id));
	bed_turn(&b);
	assert_int_equal(dp_restored(b.dp), 3);
	for (uint16_t i = 0; i < 2; i++) {
		keep_engine_read(&b, i, &s);
		assert_int_equal(s.calls + s.registrations, 0);
	}
	bed_close(&b);
}

static uint64_t barrier_taken(struct bed *b, uint32_t *puts)
{
	*puts = 0;
	while (keep_take(b)) {
		if (kept.op.barrier)
			return kept.op.barrier;
		*puts += kept.op.put;
	}
	return 0;
}

static void a_barrier_comes_behind_what_was_gathered(void **state)
{
	struct bed b;
	struct talk t;
	uint32_t puts;

	(void)state;
	keep_open(&b, 1);
	keep_mode(&b, ENGINE_STORE_BEHIND);
	talk_init(&t, 1);
	talk_call(&b, &t);
	keep_store_all(&b);
	speak(&b, &t, OUTSIDE, 1); /* a source that latches is gathered */
	bed_drain(&b);
	assert_int_equal(barrier_taken(&b, &puts), 0);
	assert_true(dp_barrier_post(b.dp, 7));
	dp_wake_clear(b.dp);
	bed_elapse(&b, 2);
	assert_true(keep_woken(&b));
	assert_int_equal(barrier_taken(&b, &puts), 7);
	assert_true(puts > 0);
	talk_bye(&b, &t);
	bed_elapse(&b, 1000);
	keep_store_all(&b);
	bed_elapse(&b, 40000);
	bed_close(&b);
}

/* Puts that found no room are made again: the barrier waits for them. */
static void a_barrier_waits_until_nothing_is_refused(void **state)
{
	struct bed b;
	struct talk t;
	uint32_t puts;

	(void)state;
	keep_open(&b, 1);
	keep_mode(&b, ENGINE_STORE_BEHIND);
	keep_fill(b.dp->worker[0]);
	keep_fill_up(b.dp->worker[0]);
	talk_init(&t, 1);
	talk_call(&b, &t);
	assert_true(dp_barrier_post(b.dp, 7));
	bed_elapse(&b, 20);
	assert_true(b.dp->worker[0]->state.refusals > 0);
	assert_int_equal(barrier_taken(&b, &puts), 0);
	bed_elapse(&b, 20);
	assert_int_equal(barrier_taken(&b, &puts), 7);
	assert_int_equal(puts, 1);
	bed_close(&b);
}

/* The engine forgets in many steps; a restore posted at once is not forgotten. */
static void what_is_restored_behind_a_loss_stays(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	keep_open(&b, 1);
	call_kept(&b, &t);
	bed_close(&b);

	bed_init(&b, 1);
	engine_limits_for(&b.conf.limits, 4000, 4000);
	bed_open(&b, 0);
	bed_learn_all(&b);
	restore(&b);
	assert_true(dp_group_post(b.dp, 0, false));
	assert_true(dp_restore_post(b.dp, kept.op.kind, kept.op.id, kept.op.fields));
	worker_turn(b.dp->worker[0], b.now);
	assert_true(b.dp->worker[0]->state.forgetting);
	assert_int_equal(dp_restored(b.dp), 1);
	bed_elapse(&b, 10);
	assert_false(b.dp->worker[0]->state.forgetting);
	assert_int_equal(dp_restored(b.dp), 2);
	keep_engine_read(&b, 0, &s);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.restored, 2);
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_outlives_its_process),
		cmocka_unit_test(what_ended_elsewhere_is_forgotten),
		cmocka_unit_test(rubbish_restores_nothing),
		cmocka_unit_test(a_barrier_comes_behind_what_was_gathered),
		cmocka_unit_test(a_barrier_waits_until_nothing_is_refused),
		cmocka_unit_test(what_is_restored_behind_a_loss_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
