/*
 * Copies of other nodes' records: found by name and by dialog, walked by group,
 * within bounds, with nothing left over.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "control/warm.h"
#include "tests/lib/unit.h"

#define MANY 3000u

static const struct siphash_key key = {1, 2};
static struct warm *warm;

static int set_up(void **state)
{
	(void)state;
	warm = warm_new(&key, MANY + 100, 64u << 20);
	return warm ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	warm_free(warm);
	return 0;
}

static const char *id_of(uint32_t n)
{
	static char id[IDENT_LEN + 1];

	snprintf(id, sizeof(id), "%032" PRIx32, n);
	return id;
}

/* A call whose legs have the Call-IDs "a<n>" and id_of(n), and tags of their own. */
static struct slice call_of(uint32_t n)
{
	static char bytes[CHECKPOINT_MAX], id[IDENT_LEN + 1], far[16], tag[2][IDENT_TAG_LEN + 1];
	struct call_checkpoint c = {.state = CHECKPOINT_ANSWERED, .version = 1, .began = 1000};
	struct call_checkpoint read;
	struct wbuf w;

	memcpy(id, id_of(n), sizeof(id));
	snprintf(far, sizeof(far), "a%" PRIu32, n);
	c.id = slice_of(id, IDENT_LEN);
	c.answered = 2000;
	c.status = 200;
	for (uint32_t leg = 0; leg < 2; leg++) {
		snprintf(tag[leg], sizeof(tag[leg]), "%015" PRIx32 "%" PRIu32, n, leg);
		c.leg[leg].realm = leg ? SLICE_LIT("core") : SLICE_LIT("access");
		c.leg[leg].listener = (struct net_addr){0x0100000a, 5060};
		c.leg[leg].source = (struct net_addr){0x0200000a, 5060};
		c.leg[leg].call_id = leg ? c.id : slice_str(far);
		c.leg[leg].local = SLICE_LIT("<sip:us@example.com>");
		c.leg[leg].remote = SLICE_LIT("<sip:them@example.com>");
		c.leg[leg].tag = slice_of(tag[leg], IDENT_TAG_LEN);
		c.leg[leg].remote_tag = SLICE_LIT("r");
		c.leg[leg].target = SLICE_LIT("sip:them@10.0.0.2");
		c.leg[leg].confirmed = true;
	}
	wbuf_init(&w, bytes, sizeof(bytes));
	checkpoint_call_write(&w, &c);
	assert_true(wbuf_ok(&w));
	assert_int_equal(checkpoint_call_read(&read, wbuf_slice(&w)), SBC_OK);
	return wbuf_slice(&w);
}

static uint64_t print_of(uint32_t n, uint32_t leg)
{
	char far[16], tag[IDENT_TAG_LEN + 1];

	snprintf(far, sizeof(far), "a%" PRIu32, n);
	snprintf(tag, sizeof(tag), "%015" PRIx32 "%" PRIu32, n, leg);
	return engine_dialog_print(&key, leg ? slice_of(id_of(n), IDENT_LEN) : slice_str(far),
				   slice_of(tag, IDENT_TAG_LEN));
}

static bool put(uint16_t group, uint32_t n, struct slice fields)
{
	return warm_put(warm, group, CHECKPOINT_CALL, id_of(n), fields);
}

static uint32_t walk(uint16_t group)
{
	struct warm_record r;
	uint32_t cursor = 0, n = 0;

	while (warm_next(warm, group, &cursor, &r))
		n++;
	return n;
}

static void what_is_put_is_found_by_walking(void **state)
{
	struct warm_record r;
	uint32_t cursor = 0;

	(void)state;
	assert_true(put(2, 7, SLICE_LIT("first")));
	assert_true(put(2, 7, SLICE_LIT("another")));
	assert_true(warm_next(warm, 2, &cursor, &r));
	assert_int_equal(r.kind, CHECKPOINT_CALL);
	assert_memory_equal(r.id, id_of(7), IDENT_LEN);
	assert_true(slice_eq(r.fields, SLICE_LIT("another")));
	assert_false(warm_next(warm, 2, &cursor, &r));
	assert_int_equal(walk(1), 0);
}

static void a_call_is_found_by_either_dialog(void **state)
{
	uint16_t group = 0;

	(void)state;
	assert_true(put(3, 7, call_of(7)));
	assert_true(put(5, 8, call_of(8)));
	assert_true(warm_find_dialog(warm, print_of(7, 0), &group));
	assert_int_equal(group, 3);
	assert_true(warm_find_dialog(warm, print_of(8, 1), &group));
	assert_int_equal(group, 5);
	assert_false(warm_find_dialog(warm, print_of(9, 0), &group));
	warm_remove(warm, 3, CHECKPOINT_CALL, id_of(7));
	assert_false(warm_find_dialog(warm, print_of(7, 0), &group));
	assert_false(warm_find_dialog(warm, print_of(7, 1), &group));
	/* What no longer says of which dialogs it is has none. */
	assert_true(put(5, 8, SLICE_LIT("nothing that can be read")));
	assert_false(warm_find_dialog(warm, print_of(8, 0), &group));
}

static void groups_and_kinds_are_kept_apart(void **state)
{
	struct warm_count c;

	(void)state;
	assert_true(put(0, 7, SLICE_LIT("x")));
	assert_true(put(1, 7, SLICE_LIT("yy")));
	assert_true(warm_put(warm, 1, CHECKPOINT_REGISTRATION, id_of(7), SLICE_LIT("zzz")));
	warm_count(warm, 1, &c);
	assert_int_equal(c.calls, 1);
	assert_int_equal(c.registrations, 1);
	assert_int_equal(c.bytes, 5);
	warm_remove(warm, 1, CHECKPOINT_CALL, id_of(7));
	assert_int_equal(walk(0), 1);
	assert_int_equal(walk(1), 1);
	warm_clear(warm, 1);
	assert_int_equal(walk(1), 0);
	assert_int_equal(walk(0), 1);
}

static void many_come_and_go(void **state)
{
	struct warm_count c;
	uint16_t group;

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t n = 0; n < MANY; n++)
			assert_true(put((uint16_t)(n % 3), n, call_of(n)));
		for (uint32_t n = 0; n < MANY; n += 7) {
			assert_true(warm_find_dialog(warm, print_of(n, n % 2), &group));
			assert_int_equal(group, n % 3);
		}
		assert_int_equal(walk(0) + walk(1) + walk(2), MANY);
		for (uint32_t n = 0; n < MANY; n += 2)
			warm_remove(warm, (uint16_t)(n % 3), CHECKPOINT_CALL, id_of(n));
		assert_int_equal(walk(0) + walk(1) + walk(2), MANY / 2);
		for (uint16_t g = 0; g < 3; g++)
			warm_clear(warm, g);
	}
	for (uint16_t g = 0; g < 3; g++) {
		warm_count(warm, g, &c);
		assert_int_equal(c.calls + c.registrations + c.left_out, 0);
		assert_int_equal(c.bytes, 0);
	}
	for (uint32_t n = 0; n < MANY; n++)
		assert_false(warm_find_dialog(warm, print_of(n, 0), &group));
}

static void putting_while_walking_is_allowed(void **state)
{
	struct warm_record r;
	uint32_t cursor = 0, n = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		assert_true(put(0, i, SLICE_LIT("x")));
	while (warm_next(warm, 0, &cursor, &r)) {
		if (n++ < 2000)
			assert_true(put(1, 10000 + n, SLICE_LIT("a table that grows")));
	}
	assert_int_equal(n, 1000);
}

static void what_does_not_fit_is_counted(void **state)
{
	struct warm *small = warm_new(&key, 3, 10);
	struct warm_count c;

	(void)state;
	assert_true(warm_put(small, 0, CHECKPOINT_CALL, id_of(1), SLICE_LIT("1234")));
	assert_true(warm_put(small, 0, CHECKPOINT_CALL, id_of(2), SLICE_LIT("5678")));
	assert_false(warm_put(small, 0, CHECKPOINT_CALL, id_of(3), SLICE_LIT("9abc")));
	/* An old copy of what does not fit any more is none. */
	assert_false(warm_put(small, 0, CHECKPOINT_CALL, id_of(2), SLICE_LIT("56789abc")));
	warm_count(small, 0, &c);
	assert_int_equal(c.calls, 1);
	assert_int_equal(c.left_out, 2);
	assert_int_equal(c.bytes, 4);
	assert_true(warm_put(small, 0, CHECKPOINT_CALL, id_of(4), SLICE_LIT("1")));
	assert_true(warm_put(small, 0, CHECKPOINT_CALL, id_of(5), SLICE_LIT("1")));
	assert_false(warm_put(small, 0, CHECKPOINT_CALL, id_of(6), SLICE_LIT("1")));
	warm_free(small);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_put_is_found_by_walking),  TEST(a_call_is_found_by_either_dialog),
		TEST(groups_and_kinds_are_kept_apart),  TEST(many_come_and_go),
		TEST(putting_while_walking_is_allowed), TEST(what_does_not_fit_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
