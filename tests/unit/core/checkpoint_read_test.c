/* What is no checkpoint, or one of another kind or schema, is refused. */
#include "tests/lib/guard.h"
#include "tests/lib/record.h"
#include "tests/unit/core/checkpoint_fixture.h"

static char flat[CHECKPOINT_MAX];
static char again[CHECKPOINT_MAX];

/* Cut anywhere, at a field's end too: what is missing is missed. */
static void truncated_is_refused_at_every_length(void **state)
{
	static struct call_checkpoint in, out;
	struct slice s;

	(void)state;
	any_seed = 9;
	do {
		any_call(&in);
		in.exchanges = 0;
		in.exchange[0] = in.exchange[1] = in.exchange[2] = in.exchange[3] =
			(struct checkpoint_exchange){0};
		in.leg[0].remote_tag = in.leg[0].target = in.leg[0].routes = SLICE_NONE;
		in.leg[1].remote_tag = in.leg[1].target = in.leg[1].routes = SLICE_NONE;
		in.streams = 1;
		s = call_checkpoint_write(&in, flat, sizeof(flat));
	} while (in.pendings == 0);
	assert_int_equal(checkpoint_call_read(&out, s), SBC_OK);
	for (uint32_t n = 0; n < s.n; n++) {
		struct guard g;
		struct slice cut = slice_of(guard_end(&g, s.p, n), n);

		guard_seal(&g);
		assert_int_equal(checkpoint_call_read(&out, cut), SBC_EBAD);
		guard_free(&g);
	}
}

/* One member more, or in place of another of that name; all of them as fields of their own. */
static enum sbc_err read_with(struct slice s, const char *drop, const char *name, const char *value)
{
	static struct call_checkpoint out;
	struct record r = {.rest = s};
	struct checkpoint_field f;
	struct wbuf w;

	wbuf_init(&w, again, sizeof(again));
	while (record_next(&r, &f))
		if (!slice_eq(f.name, slice_str(drop)))
			checkpoint_put(&w, f.name, f.value);
	if (*name)
		checkpoint_put(&w, slice_str(name), slice_str(value));
	assert_true(wbuf_ok(&w));
	return checkpoint_call_read(&out, wbuf_slice(&w));
}

static void fields_and_parts_that_are_wrong(void **state)
{
	static const struct {
		const char *name, *value;
	} wrong[] = {
		{"version", ""},
		{"version", "4294967296"},
		{"version", "-1"},
		{"version", "1 "},
		{"state", "dead"},
		{"state", "answere"},
		{"owed", "everybody"},
		{"began", "18446744073709551616"},
		{"status", "700"},
		{"streams", "9"},
		{"streams", "2"},
		{"streams", "0"},
		{"pending", "1"},
		{"invites", "5"},
		{"invites", "2"},
		{"caller.listener", "1.2.3.4"},
		{"caller.listener", "1.2.3.4:65536"},
		{"caller.listener", "1.2.3:5"},
		{"caller.source", "0.0.0.0:5060"},
		{"caller.tag", "short"},
		{"caller.call_id", ""},
		{"caller.call_id", "a\nb"},
		{"caller.dialog", "cseq=1 cseq=2"},
		{"caller.dialog", "cseq"},
		{"caller.dialog", "=1"},
		{"caller.dialog", "cseq=1  rseq=2"},
		{"caller.dialog", "confirmed=maybe"},
		{"caller.dialog", "sdp_print=xyz"},
		{"caller.dialog", "sdp_print=11112222333344445"},
		{"stream.0.caller", "direction=up"},
		{"stream.0.caller", "port=65536"},
		{"invite.0.state", "kind=initial flags=offer,offer"},
		{"invite.0.state", "flags=offer,"},
		{"invite.0.state", "from=nobody"},
	};
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	assert_int_equal(read_with(s, "", "", ""), SBC_OK);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (read_with(s, wrong[i].name, wrong[i].name, wrong[i].value) != SBC_EBAD)
			fail_msg("%s \"%s\" was taken", wrong[i].name, wrong[i].value);
}

/* The same call, and one of its fields of lines with that behind it. */
static enum sbc_err read_behind(struct slice s, const char *field, const char *more)
{
	static struct call_checkpoint out;
	static char value[65536];
	struct checkpoint_field f;
	struct wbuf w, v;
	bool bad;

	wbuf_init(&w, again, sizeof(again));
	while (checkpoint_next(&s, &f, &bad)) {
		wbuf_init(&v, value, sizeof(value));
		wbuf_put(&v, f.value);
		if (slice_eq(f.name, slice_str(field)))
			wbuf_put(&v, slice_str(more));
		checkpoint_put(&w, f.name, wbuf_slice(&v));
	}
	assert_true(wbuf_ok(&w));
	return checkpoint_call_read(&out, wbuf_slice(&w));
}

static void lines_that_are_wrong(void **state)
{
	static const char *const field[] = {CHECKPOINT_FIXED, CHECKPOINT_NOW};
	static const char *const wrong[] = {"\n",
					    "\n\n",
					    "\nx",
					    "\n=",
					    "\n=x",
					    "\nx=y\n",
					    "\nid=0123456789abcdef0123456789abcdef",
					    "\nstate=early",
					    "\nversion=1"};
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	for (int i = 0; i < 2; i++) {
		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++)
			if (read_behind(s, field[i], wrong[k]) != SBC_EBAD)
				fail_msg("%s: \"%s\" was taken", field[i], wrong[k]);
		assert_int_equal(read_behind(s, field[i], ""), SBC_OK);
		assert_int_equal(read_behind(s, field[i],
					     "\nx=y\nx=\nnow=state\ncall==\n"
					     "caller.x==\nv=9"),
				 SBC_OK);
	}
}

static void each_name_stands_once(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);
	struct record r = {.rest = s};
	struct checkpoint_field f;
	char name[256];

	(void)state;
	while (record_next(&r, &f)) {
		struct wbuf w;
		static struct call_checkpoint out;

		wbuf_init(&w, again, sizeof(again));
		wbuf_put(&w, s);
		checkpoint_put(&w, f.name, f.value);
		snprintf(name, sizeof(name), "%.*s", (int)f.name.n, f.name.p);
		if (checkpoint_call_read(&out, wbuf_slice(&w)) != SBC_EBAD)
			fail_msg("%s was taken twice", name);
	}
}

static void unknown_names_are_passed_over(void **state)
{
	static const char *const unknown[] = {"x",        "caller.x", "nobody.realm", "stream.0.x",
					      "stream.x", "stream.",  "invite.0.",    "invite",
					      ".",        "stream"};
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		assert_int_equal(read_with(s, "", unknown[i], "anything at all"), SBC_OK);
	assert_int_equal(read_with(s, "", "stream.9.media", "clock=1"), SBC_EBAD);
	assert_int_equal(read_with(s, "caller.dialog", "caller.dialog", "cseq=1 later=2"), SBC_OK);
}

static void what_must_be_there_is_missed(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);
	static const char *const must[] = {"v",
					   "id",
					   "version",
					   "state",
					   "caller.realm",
					   "callee.listener",
					   "callee.call_id",
					   "caller.tag",
					   "caller.dialog",
					   "stream.0.media",
					   "stream.0.callee",
					   "invite.0.state"};

	(void)state;
	for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++)
		if (read_with(s, must[i], "", "") != SBC_EBAD)
			fail_msg("%s was not missed", must[i]);
}

static void other_schemas_are_told_apart(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	assert_int_equal(read_with(s, "v", "v", "3"), SBC_OK);
	assert_int_equal(read_with(s, "v", "v", "2"), SBC_OK);
	assert_int_equal(read_with(s, "v", "v", "1"), SBC_ELIMIT);
	assert_int_equal(read_with(s, "v", "v", "4"), SBC_ELIMIT);
	assert_int_equal(read_with(s, "v", "v", "4294967295"), SBC_ELIMIT);
	assert_int_equal(read_with(s, "v", "v", "two"), SBC_EBAD);
}

static void kinds_do_not_pass_for_one_another(void **state)
{
	static struct call_checkpoint c;
	struct registration_checkpoint in, out;
	struct wbuf w;

	(void)state;
	assert_int_equal(checkpoint_registration_read(&out, small_call(&c)), SBC_EBAD);
	in = any_registration();
	wbuf_init(&w, flat, sizeof(flat));
	checkpoint_registration_write(&w, &in);
	assert_int_equal(checkpoint_call_read(&c, wbuf_slice(&w)), SBC_EBAD);
	assert_string_equal(checkpoint_kind_name(CHECKPOINT_CALL), "call");
	assert_string_equal(checkpoint_kind_name(CHECKPOINT_REGISTRATION), "reg");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_is_refused_at_every_length),
		cmocka_unit_test(fields_and_parts_that_are_wrong),
		cmocka_unit_test(lines_that_are_wrong),
		cmocka_unit_test(each_name_stands_once),
		cmocka_unit_test(unknown_names_are_passed_over),
		cmocka_unit_test(what_must_be_there_is_missed),
		cmocka_unit_test(other_schemas_are_told_apart),
		cmocka_unit_test(kinds_do_not_pass_for_one_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
