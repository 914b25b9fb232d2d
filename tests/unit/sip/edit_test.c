/* Edit lists: what is written, and what is refused. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/edit.h"

static const char text[] = REQUEST_LINE MANDATORY "X: one\r\n two\r\nSubject:  s \r\n\r\nbody";
static struct sip_msg m;
static struct sip_edit e;
static char bytes[SIP_MAX_MESSAGE];
static struct wbuf out;

static int set_up(void **state)
{
	struct sip_fault fault;

	(void)state;
	if (sip_msg_parse(&m, text, sizeof(text) - 1, &fault) != SBC_OK)
		return -1;
	sip_edit_init(&e, &m);
	wbuf_init(&out, bytes, sizeof(bytes));
	return 0;
}

static void no_edits_give_the_same_bytes(void **state)
{
	(void)state;
	assert_int_equal(sip_edit_write(&e, &out), SBC_OK);
	assert_slice(wbuf_slice(&out), text);
}

static void lines_and_values_are_replaced_dropped_and_inserted(void **state)
{
	(void)state;
	sip_edit_replace(&e, 0, 6, SLICE_LIT("OPTIONS"));
	sip_edit_replace(&e, m.headers_off, 0, SLICE_LIT("Via: new\r\n"));
	sip_edit_line(&e, 0, SLICE_NONE);
	sip_edit_value(&e, 1, SLICE_LIT("me"));
	sip_edit_line(&e, 2, SLICE_LIT("To: you\r\n"));
	sip_edit_line(&e, 5, SLICE_NONE);
	sip_edit_value(&e, 6, SLICE_LIT("t"));
	sip_edit_replace(&e, m.headers_end, 0, SLICE_LIT("Y: z\r\n"));
	sip_edit_replace(&e, m.body_off, m.body_len, SLICE_LIT("new body"));
	assert_int_equal(sip_edit_write(&e, &out), SBC_OK);
	assert_slice(wbuf_slice(&out),
		     "OPTIONS sip:bob@example.com SIP/2.0\r\nVia: new\r\nFrom: me\r\n"
		     "To: you\r\nCall-ID: a@b\r\nCSeq: 1 INVITE\r\nSubject:  t \r\n"
		     "Y: z\r\n\r\nnew body");
}

static void the_last_line_goes_without_the_empty_one(void **state)
{
	(void)state;
	sip_edit_line(&e, 6, SLICE_NONE);
	assert_int_equal(sip_edit_write(&e, &out), SBC_OK);
	assert_slice(wbuf_slice(&out), REQUEST_LINE MANDATORY "X: one\r\n two\r\n\r\nbody");
}

static void composed_pieces_live_until_the_write(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		struct wbuf *w = sip_edit_scratch(&e);

		wbuf_lit(w, "piece ");
		wbuf_u64(w, i);
		struct slice s = sip_edit_composed(&e);

		assert_int_equal(s.n, 7);
		sip_edit_value(&e, i, s);
	}
	assert_int_equal(sip_edit_write(&e, &out), SBC_OK);
	assert_int_equal(
		slice_search(wbuf_slice(&out),
			     SLICE_LIT("Via: piece 0\r\nFrom: piece 1\r\nTo: piece 2\r\n")),
		(int)m.headers_off);
}

static void edits_out_of_order_write_nothing(void **state)
{
	(void)state;
	sip_edit_value(&e, 3, SLICE_LIT("x"));
	sip_edit_value(&e, 1, SLICE_LIT("y"));
	assert_int_equal(sip_edit_write(&e, &out), SBC_EBAD);
	assert_int_equal(out.n, 0);
}

static void edits_that_overlap_or_lie_outside_write_nothing(void **state)
{
	(void)state;
	sip_edit_line(&e, 1, SLICE_NONE);
	sip_edit_value(&e, 1, SLICE_LIT("y"));
	assert_int_equal(sip_edit_write(&e, &out), SBC_EBAD);
	for (int k = 0; k < 4; k++) {
		sip_edit_init(&e, &m);
		switch (k) {
		case 0:
			sip_edit_replace(&e, m.len, 1, SLICE_NONE);
			break;
		case 1:
			sip_edit_replace(&e, m.len + 1, 0, SLICE_NONE);
			break;
		case 2:
			sip_edit_replace(&e, 1, UINT32_MAX, SLICE_NONE);
			break;
		default:
			sip_edit_line(&e, m.count, SLICE_NONE);
			sip_edit_value(&e, m.count, SLICE_NONE);
			break;
		}
		assert_int_equal(sip_edit_write(&e, &out), SBC_EBAD);
		assert_int_equal(out.n, 0);
	}
}

static void so_many_edits_and_no_more(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < SIP_EDIT_MAX; i++)
		sip_edit_replace(&e, 0, 0, SLICE_LIT("x"));
	assert_int_equal(sip_edit_write(&e, &out), SBC_OK);
	sip_edit_replace(&e, 0, 0, SLICE_LIT("x"));
	wbuf_init(&out, bytes, sizeof(bytes));
	assert_int_equal(sip_edit_write(&e, &out), SBC_ELIMIT);
	assert_int_equal(out.n, 0);
}

static void without_room_it_says_so(void **state)
{
	struct guard g;

	(void)state;
	for (uint32_t room = 0; room < sizeof(text) - 1; room++) {
		wbuf_init(&out, guard_end(&g, NULL, room), room);
		assert_int_equal(sip_edit_write(&e, &out), SBC_EFULL);
		guard_free(&g);
	}
	struct wbuf *w = sip_edit_scratch(&e);

	for (uint32_t i = 0; i <= SIP_EDIT_SCRATCH; i++)
		wbuf_char(w, 'x');
	sip_edit_value(&e, 0, sip_edit_composed(&e));
	wbuf_init(&out, bytes, sizeof(bytes));
	assert_int_equal(sip_edit_write(&e, &out), SBC_EFULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(no_edits_give_the_same_bytes, set_up),
		cmocka_unit_test_setup(lines_and_values_are_replaced_dropped_and_inserted, set_up),
		cmocka_unit_test_setup(the_last_line_goes_without_the_empty_one, set_up),
		cmocka_unit_test_setup(composed_pieces_live_until_the_write, set_up),
		cmocka_unit_test_setup(edits_out_of_order_write_nothing, set_up),
		cmocka_unit_test_setup(edits_that_overlap_or_lie_outside_write_nothing, set_up),
		cmocka_unit_test_setup(so_many_edits_and_no_more, set_up),
		cmocka_unit_test_setup(without_room_it_says_so, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
