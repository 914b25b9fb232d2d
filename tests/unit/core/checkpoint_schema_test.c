/* The schema before is read, and this one is in docs/state.md. */
#include "tests/lib/record.h"
#include "tests/unit/core/checkpoint_fixture.h"

#ifndef FIXTURES
#error "FIXTURES names the folder of checkpoint-v2"
#endif

static char flat[CHECKPOINT_MAX];
static char again[CHECKPOINT_MAX];

static char *file_read(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = calloc(1, 65536);

	if (f == NULL || text == NULL)
		fail_msg("%s cannot be read", path);
	assert_true(fread(text, 1, 65535, f) > 0);
	fclose(f);
	return text;
}

/* "name value" lines, with \r and \n for line ends in values. */
static struct slice fixture_read(const char *name)
{
	char path[512], value[8192];
	struct wbuf w;
	char *text, *line, *next;

	snprintf(path, sizeof(path), "%s/checkpoint-v2/%s", FIXTURES, name);
	text = file_read(path);
	wbuf_init(&w, flat, sizeof(flat));
	for (line = text; *line; line = next) {
		char *sp = strchr(line, ' ');
		uint32_t n = 0;

		next = strchr(line, '\n');
		assert_non_null(next);
		*next++ = '\0';
		for (const char *p = sp + 1; *p; p++) {
			bool escape = *p == '\\';

			p += escape;
			value[n++] = !escape ? *p : *p == 'r' ? '\r' : '\n';
		}
		checkpoint_put(&w, slice_of(line, (uint32_t)(sp - line)), slice_of(value, n));
	}
	free(text);
	assert_true(wbuf_ok(&w));
	return wbuf_slice(&w);
}

static void established_call_of_schema_2_is_read(void **state)
{
	static struct call_checkpoint c;
	struct net_addr latched;

	(void)state;
	assert_int_equal(checkpoint_call_read(&c, fixture_read("call-established.txt")), SBC_OK);
	assert_int_equal(c.schema, 2);
	assert_int_equal(c.state, CHECKPOINT_ANSWERED);
	assert_int_equal(c.streams, 1);
	assert_int_equal(c.exchanges, 1);
	assert_true(slice_eq(c.leg[0].remote, SLICE_LIT("<sip:alice@203.0.113.1>")));
	assert_true(net_addr_parse(SLICE_LIT("198.51.100.7:46000"), &latched));
	assert_true(net_addr_eq(c.stream[0].side[0].latched_rtp, latched));
	assert_true(c.leg[1].asked != 0 && c.written == 1760001000000ull);
	assert_true(slice_eq(c.exchange[0].branch, SLICE_LIT("z9hg4bk07f71e78deb228c6")));
	assert_int_equal(c.exchange[0].cseq_in, 1);
}

static void early_call_of_schema_2_is_read(void **state)
{
	static struct call_checkpoint c;

	(void)state;
	assert_int_equal(checkpoint_call_read(&c, fixture_read("call-early.txt")), SBC_OK);
	assert_int_equal(c.state, CHECKPOINT_EARLY);
	assert_true(c.has_pending && c.pendings == 1);
	assert_true(c.exchange[0].initial && c.exchange[0].provisional);
	assert_true(c.exchange[0].head.n && c.exchange[0].request.n);
}

static void registration_of_schema_2_is_read(void **state)
{
	struct registration_checkpoint r;

	(void)state;
	assert_int_equal(checkpoint_registration_read(&r, fixture_read("registration.txt")),
			 SBC_OK);
	assert_true(slice_eq(r.user, SLICE_LIT("alice")));
	assert_true(slice_eq(r.peer, SLICE_LIT("pbx")));
	assert_true(r.expires == 9999999999999ull);
}

/* A record read with another field at its end. */
static enum sbc_err read_with(struct call_checkpoint *c, struct slice s, struct slice name,
			      struct slice value)
{
	struct wbuf w;

	wbuf_init(&w, again, sizeof(again));
	wbuf_put(&w, s);
	checkpoint_put(&w, name, value);
	return checkpoint_call_read(c, wbuf_slice(&w));
}

/* In schema 2 these fields meant nothing: what is there is nobody's. */
static void fields_of_lines_mean_nothing_in_schema_2(void **state)
{
	static struct call_checkpoint c;
	struct slice s = fixture_read("call-established.txt");

	(void)state;
	assert_int_equal(read_with(&c, s, SLICE_LIT("now"), SLICE_LIT("status=486")), SBC_OK);
	assert_int_equal(read_with(&c, s, SLICE_LIT("call"), SLICE_LIT("no line")), SBC_OK);
	assert_int_equal(c.status, 200);
}

/* The other way: what was a field of its own may be one. */
static void fields_of_schema_2_are_read_in_schema_3(void **state)
{
	static struct call_checkpoint c, same;
	struct slice s = small_call(&c);
	struct record r = {.rest = s};
	struct checkpoint_field member;
	struct wbuf w;

	(void)state;
	assert_int_equal(checkpoint_call_read(&c, s), SBC_OK);
	wbuf_init(&w, again, sizeof(again));
	while (record_next(&r, &member))
		checkpoint_put(&w, member.name, member.value);
	assert_int_equal(checkpoint_call_read(&same, wbuf_slice(&w)), SBC_OK);
	call_checkpoint_same(&c, &same);
}

static void named_in(const char *text, const char *name)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	if (strstr(text, quoted) == NULL)
		fail_msg("docs/state.md does not say what %s is", quoted);
}

static void members_named(const char *text, const char *group, const struct checkpoint_members *set)
{
	char name[64];

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];

		snprintf(name, sizeof(name), "%s%s", group, m->name);
		named_in(text, name);
		for (uint32_t k = 0; m->type == VALUE_PARTS && k < m->limit; k++)
			named_in(text, m->parts[k].name);
	}
}

static void every_field_is_documented(void **state)
{
	char *text = file_read(FIXTURES "/../../docs/state.md");

	(void)state;
	named_in(text, "v");
	named_in(text, CHECKPOINT_FIXED);
	named_in(text, CHECKPOINT_NOW);
	members_named(text, "", &checkpoint_call_members);
	members_named(text, "caller.", &checkpoint_leg_members);
	members_named(text, "stream.N.", &checkpoint_stream_members);
	members_named(text, "invite.N.", &checkpoint_exchange_members);
	members_named(text, "", &checkpoint_registration_members);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(established_call_of_schema_2_is_read),
		cmocka_unit_test(early_call_of_schema_2_is_read),
		cmocka_unit_test(registration_of_schema_2_is_read),
		cmocka_unit_test(fields_of_lines_mean_nothing_in_schema_2),
		cmocka_unit_test(fields_of_schema_2_are_read_in_schema_3),
		cmocka_unit_test(every_field_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
