/* Checkpoints out, acknowledgements in, and waking control. */
#include "tests/dataplane/keep.h"

static char text[TALK_MAX];

static void an_answer_leaves_when_its_call_is_stored(void **state)
{
	struct bed b;
	struct talk t;

	(void)state;
	keep_open(&b, 2);
	keep_mode(&b, ENGINE_STORE_DURABLE);
	talk_init(&t, 1);
	talk_invite(&b, &t);
	keep_store_all(&b);
	talk_answer(&b, &t);
	bed_expect_silence(&b);
	assert_true(keep_take(&b));
	assert_true(kept.op.put);
	assert_true(kept.op.urgent);
	assert_int_equal(kept.op.kind, CHECKPOINT_CALL);
	assert_int_equal(kept.op.group, 0);
	assert_true(kept.op.ttl_s > 0);
	assert_true(kept.op.fields.n > 100);
	/* The id is what the PBX knows as Call-ID, and names the worker. */
	assert_true(talk_header(t.invite, "Call-ID", text, sizeof(text)));
	assert_memory_equal(kept.op.id, text, IDENT_LEN);
	assert_int_equal(kept.op.worker,
			 ident_shard(ident_bucket(&b.conf.key, slice_str(text)), 2));
	bed_elapse(&b, 10);
	bed_expect_silence(&b);
	keep_stored(&b, true);
	talk_answered(&b, &t);
	talk_bye(&b, &t);
	bed_elapse(&b, 1000);
	while (keep_take(&b))
		if (kept.op.put)
			keep_stored(&b, true);
	/* The last word about it is that it is over. */
	assert_false(kept.op.put);
	assert_memory_equal(kept.op.id, text, IDENT_LEN);
	assert_int_equal(kept.op.fields.n, 0);
	bed_elapse(&b, 40000);
	bed_close(&b);
}

static void without_acknowledgement_the_answer_leaves_by_its_deadline(void **state)
{
	struct bed b;
	struct talk t;
	struct engine_stats s;

	(void)state;
	keep_open(&b, 1);
	keep_mode(&b, ENGINE_STORE_DURABLE);
	talk_init(&t, 1);
	talk_invite(&b, &t);
	keep_store_all(&b);
	talk_answer(&b, &t);
	bed_expect_silence(&b);
	bed_elapse(&b, b.snapshot.store_deadline_ms - 1);
	bed_expect_silence(&b);
	bed_elapse(&b, 20);
	talk_answered(&b, &t);
	keep_engine_read(&b, 0, &s);
	assert_int_equal(s.degraded_total, 1);
	bed_close(&b);
}

static void control_is_woken_once_until_it_looks(void **state)
{
	struct bed b;
	struct talk t;

	(void)state;
	keep_open(&b, 1);
	keep_mode(&b, ENGINE_STORE_BEHIND);
	assert_false(keep_woken(&b));
	talk_init(&t, 1);
	talk_call(&b, &t);
	bed_elapse(&b, 500);
	assert_true(keep_woken(&b));
	dp_wake_clear(b.dp);
	assert_false(keep_woken(&b));
	/* Idle turns wake nobody. */
	assert_true(keep_store_all(&b) > 0);
	bed_elapse(&b, 100);
	assert_false(keep_woken(&b));
	talk_bye(&b, &t);
	bed_elapse(&b, 500);
	assert_true(keep_woken(&b));
	dp_wake_clear(b.dp);
	keep_store_all(&b);
	bed_close(&b);
}

static void a_turn_is_seen(void **state)
{
	struct bed b;

	(void)state;
	keep_open(&b, 2);
	bed_turn(&b);
	assert_false(dp_has_turned(b.dp, b.now)); /* maybe begun before, in the same ms */
	bed_sleep(&b, 1);
	worker_turn(b.dp->worker[0], b.now);
	assert_false(dp_has_turned(b.dp, b.now - 1));
	worker_turn(b.dp->worker[1], b.now);
	assert_true(dp_has_turned(b.dp, b.now - 1));
	bed_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_leaves_when_its_call_is_stored),
		cmocka_unit_test(without_acknowledgement_the_answer_leaves_by_its_deadline),
		cmocka_unit_test(control_is_woken_once_until_it_looks),
		cmocka_unit_test(a_turn_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
