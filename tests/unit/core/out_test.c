/* The action list: what fits is kept whole, what does not is left out and told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sbc/core/out.h"

static const struct engine_path path = {.listener = 2, .remote = {0x010200c0u, 5062}};

static struct engine_out *out_open(void)
{
	struct engine_out *o = malloc(sizeof(*o));

	assert_non_null(o);
	memset(o, 0xa5, sizeof(*o));
	engine_out_clear(o);
	return o;
}

static void sent_bytes_outlive_where_they_came_from(void **state)
{
	struct engine_out *o = out_open();
	char text[] = "INVITE";

	(void)state;
	engine_out_send(o, &path, slice_str(text));
	memset(text, 'x', sizeof(text));
	assert_int_equal(o->count, 1);
	assert_int_equal(o->action[0].type, ENGINE_SEND);
	assert_int_equal(o->action[0].send.path.listener, 2);
	assert_true(net_addr_eq(o->action[0].send.path.remote, path.remote));
	assert_true(slice_eq(o->action[0].send.bytes, SLICE_LIT("INVITE")));
	assert_false(o->overflow);
	free(o);
}

static void composed_bytes_are_sent_from_where_they_lie(void **state)
{
	struct engine_out *o = out_open();

	(void)state;
	struct wbuf w = engine_out_compose(o);
	wbuf_lit(&w, "BYE");
	struct slice s = engine_out_composed(o, &w);
	uint32_t room = engine_out_scratch_room(o);
	engine_out_send(o, &path, s);
	engine_out_send(o, &path, s);
	assert_ptr_equal(o->action[0].send.bytes.p, s.p);
	assert_ptr_equal(o->action[1].send.bytes.p, s.p);
	assert_int_equal(engine_out_scratch_room(o), room);
	free(o);
}

/* Written into the scratch's room, but never said to be kept. */
static void bytes_composed_but_not_kept_are_kept_by_sending(void **state)
{
	struct engine_out *o = out_open();

	(void)state;
	struct wbuf w = engine_out_compose(o);
	wbuf_lit(&w, "OPTIONS");
	engine_out_send(o, &path, wbuf_slice(&w));
	engine_out_send(o, &path, SLICE_LIT("other"));
	assert_true(slice_eq(o->action[0].send.bytes, SLICE_LIT("OPTIONS")));
	assert_true(slice_eq(o->action[1].send.bytes, SLICE_LIT("other")));
	free(o);
}

static void composing_without_keeping_takes_nothing(void **state)
{
	struct engine_out *o = out_open();

	(void)state;
	struct wbuf w = engine_out_compose(o);
	wbuf_lit(&w, "discarded");
	assert_int_equal(engine_out_scratch_room(o), ENGINE_SCRATCH);
	free(o);
}

static void too_many_actions_overflow(void **state)
{
	struct engine_out *o = out_open();
	struct flow_spec spec = {.realm = 1, .port = 30000};

	(void)state;
	for (uint32_t i = 0; i < ENGINE_MAX_ACTIONS; i++) {
		assert_int_equal(engine_out_room(o), ENGINE_MAX_ACTIONS - i);
		engine_out_flow_publish(o, &spec);
	}
	assert_int_equal(engine_out_room(o), 0);
	assert_false(o->overflow);
	uint32_t room = engine_out_scratch_room(o);
	engine_out_send(o, &path, SLICE_LIT("x"));
	assert_true(o->overflow);
	o->overflow = false;
	assert_null(engine_out_ask(o));
	assert_true(o->overflow);
	o->overflow = false;
	engine_out_flow_retire(o, 1, 0, 2);
	assert_true(o->overflow);
	assert_int_equal(o->count, ENGINE_MAX_ACTIONS);
	assert_int_equal(engine_out_scratch_room(o), room);
	engine_out_clear(o);
	assert_false(o->overflow);
	assert_int_equal(o->count, 0);
	free(o);
}

static void too_many_bytes_overflow_and_are_left_out_whole(void **state)
{
	struct engine_out *o = out_open();
	char *big = calloc(1, ENGINE_SCRATCH);

	(void)state;
	assert_non_null(big);
	engine_out_send(o, &path, slice_of(big, ENGINE_SCRATCH - 8));
	assert_false(o->overflow);
	engine_out_send(o, &path, slice_of(big, 9));
	assert_true(o->overflow);
	assert_int_equal(o->count, 1);
	o->overflow = false;
	assert_null(engine_out_record(o));
	assert_null(engine_out_answer(o));
	assert_true(o->overflow);
	o->overflow = false;
	struct wbuf w = engine_out_compose(o);
	wbuf_lit(&w, "nine byte");
	assert_int_equal(engine_out_composed(o, &w).n, 0);
	assert_true(o->overflow);
	o->overflow = false;
	engine_out_send(o, &path, slice_of(big, 8));
	assert_false(o->overflow);
	assert_int_equal(engine_out_scratch_room(o), 0);
	free(big);
	free(o);
}

static void objects_are_zeroed_aligned_and_queued(void **state)
{
	struct engine_out *o = out_open();

	(void)state;
	engine_out_send(o, &path, SLICE_LIT("odd"));
	struct engine_ask *ask = engine_out_ask(o);
	engine_out_send(o, &path, SLICE_LIT("odd"));
	struct engine_answer *answer = engine_out_answer(o);
	engine_out_send(o, &path, SLICE_LIT("odd"));
	struct engine_record *record = engine_out_record(o);
	assert_int_equal((uintptr_t)ask % _Alignof(struct engine_ask), 0);
	assert_int_equal((uintptr_t)answer % _Alignof(struct engine_answer), 0);
	assert_int_equal((uintptr_t)record % _Alignof(struct engine_record), 0);
	assert_int_equal(ask->ref | ask->user_len | ask->user[ENGINE_USER - 1], 0);
	assert_int_equal(answer->ref | answer->contact[ENGINE_CONTACT - 1], 0);
	assert_int_equal(record->call | record->to_user[63], 0);
	assert_int_equal(o->action[1].type, ENGINE_ASK);
	assert_ptr_equal(o->action[1].ask, ask);
	assert_int_equal(o->action[3].type, ENGINE_ANSWER);
	assert_ptr_equal(o->action[3].answer, answer);
	assert_int_equal(o->action[5].type, ENGINE_RECORD);
	assert_ptr_equal(o->action[5].record, record);
	free(o);
}

static void flows_are_published_whole_and_retired_by_port(void **state)
{
	struct engine_out *o = out_open();
	struct flow_spec spec = {.realm = 1, .port = 30000, .call = 99, .latch = true};

	(void)state;
	engine_out_flow_publish(o, &spec);
	engine_out_flow_retire(o, 3, 0, 40000);
	assert_int_equal(o->action[0].type, ENGINE_FLOW_PUBLISH);
	assert_int_equal(o->action[0].flow.call, 99);
	assert_int_equal(o->action[1].type, ENGINE_FLOW_RETIRE);
	assert_int_equal(o->action[1].flow.realm, 3);
	assert_int_equal(o->action[1].flow.port, 40000);
	free(o);
}

static void each_end_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (enum engine_end a = 0; a < END_COUNT; a++)
		for (enum engine_end b = 0; b < a; b++)
			assert_string_not_equal(engine_end_name(a), engine_end_name(b));
	assert_string_equal(engine_end_name(END_NO_ACK), "no-ack");
	assert_string_equal(engine_end_name(END_COUNT), "unknown");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sent_bytes_outlive_where_they_came_from),
		cmocka_unit_test(composed_bytes_are_sent_from_where_they_lie),
		cmocka_unit_test(bytes_composed_but_not_kept_are_kept_by_sending),
		cmocka_unit_test(composing_without_keeping_takes_nothing),
		cmocka_unit_test(too_many_actions_overflow),
		cmocka_unit_test(too_many_bytes_overflow_and_are_left_out_whole),
		cmocka_unit_test(objects_are_zeroed_aligned_and_queued),
		cmocka_unit_test(flows_are_published_whole_and_retired_by_port),
		cmocka_unit_test(each_end_has_a_name_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
