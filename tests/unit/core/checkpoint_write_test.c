/* What is written: as printf() has it, whole, in changes, and read again. */
#include "tests/lib/change.h"
#include "tests/lib/guard.h"
#include "tests/unit/core/checkpoint_fixture.h"

static char flat[CHECKPOINT_MAX];
static char again[CHECKPOINT_MAX];

static uint32_t ip_print(char *to, uint32_t ip)
{
	uint8_t octet[4];

	memcpy(octet, &ip, 4);
	return (uint32_t)snprintf(to, 16, "%u.%u.%u.%u", octet[0], octet[1], octet[2], octet[3]);
}

static uint32_t addr_print(char *to, struct net_addr a)
{
	uint32_t n = ip_print(to, a.ip);

	return n + (uint32_t)snprintf(to + n, 8, ":%u", a.port);
}

static uint32_t words_print(char *to, const struct checkpoint_member *m, uint64_t v)
{
	uint32_t n = 0;

	if (m->type != VALUE_FLAGS)
		return (uint32_t)sprintf(to, "%.*s", m->words[v].len, m->words[v].text);
	for (uint32_t i = 0; m->words[i].len; i++)
		if (v & 1u << i)
			n += (uint32_t)sprintf(to + n, "%s%.*s", n ? "," : "", m->words[i].len,
					       m->words[i].text);
	return n ? n : (uint32_t)sprintf(to, "none");
}

static uint32_t value_print(char *to, const struct checkpoint_member *m, const void *base);

static uint32_t parts_print(char *to, const struct checkpoint_member *m, const void *base)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m->limit; i++) {
		const struct checkpoint_member *part = &m->parts[i];

		if (checkpoint_value_is_left_out(part, checkpoint_value_load(part, base)))
			continue;
		n += (uint32_t)sprintf(to + n, "%s%s=", n ? " " : "", part->name);
		n += value_print(to + n, part, base);
	}
	return n;
}

static uint32_t value_print(char *to, const struct checkpoint_member *m, const void *base)
{
	uint64_t v = checkpoint_value_load(m, base);
	const void *at = (const uint8_t *)base + m->offset;

	switch (m->type) {
	case VALUE_HEX32:
		return (uint32_t)sprintf(to, "%08llx", (unsigned long long)v);
	case VALUE_HEX64:
		return (uint32_t)sprintf(to, "%016llx", (unsigned long long)v);
	case VALUE_ADDR:
		return addr_print(to, *(const struct net_addr *)at);
	case VALUE_IP:
		return ip_print(to, (uint32_t)v);
	case VALUE_BOOL:
		return (uint32_t)sprintf(to, "%s", v ? "yes" : "no");
	case VALUE_WORD:
	case VALUE_STATE:
	case VALUE_FLAGS:
		return words_print(to, m, v);
	case VALUE_PARTS:
		return parts_print(to, m, at);
	default:
		return (uint32_t)sprintf(to, "%llu", (unsigned long long)v);
	}
}

/* Every value of a group as printf() has it; the longest fits where it has to. */
static void printed_same(const struct checkpoint_members *set, const void *base)
{
	char text[2 * CHECKPOINT_ROOM], room[CHECKPOINT_ROOM];

	for (uint32_t i = 0; i < set->count; i++) {
		const struct checkpoint_member *m = &set->member[i];
		struct slice s = member_text(room, m, base);

		if (m->type != VALUE_BYTES &&
		    !slice_eq(s, slice_of(text, value_print(text, m, base))))
			fail_msg("%s: %.*s, not %s", m->name, (int)s.n, s.p, text);
		assert_true(m->type == VALUE_BYTES || s.n + 64 < CHECKPOINT_ROOM);
	}
}

/* Another state of a call: what is fixed stays, but for the legs where `fixed` says so. */
static void any_next(struct call_checkpoint *next, const struct call_checkpoint *c, bool fixed)
{
	any_call(next);
	next->id = c->id;
	next->began = c->began;
	for (uint32_t i = 0; i < 2 && !fixed; i++) {
		struct checkpoint_leg was = c->leg[i], *is = &next->leg[i];

		was.cseq_local = is->cseq_local;
		was.cseq_remote = is->cseq_remote;
		was.sdp_version = is->sdp_version;
		was.confirmed = is->confirmed;
		*is = was;
	}
}

static void values_are_as_printf_has_them(void **state)
{
	static struct call_checkpoint c;

	(void)state;
	any_seed = 11;
	for (int i = 0; i < 2000; i++) {
		struct registration_checkpoint r = any_registration();

		any_call(&c);
		printed_same(&checkpoint_call_members, &c);
		printed_same(&checkpoint_leg_members, &c.leg[0]);
		for (int k = 0; k < c.streams; k++)
			printed_same(&checkpoint_stream_members, &c.stream[k]);
		for (int k = 0; k < c.exchanges; k++)
			printed_same(&checkpoint_exchange_members, &c.exchange[k]);
		printed_same(&checkpoint_registration_members, &r);
	}
}

/* A history of changes ends in what all of it would have been, and so does change and rest. */
static void changes_make_what_is_written_whole(void **state)
{
	static struct call_checkpoint was, is;
	static char kept[CHECKPOINT_MAX], part[CHECKPOINT_MAX], whole[CHECKPOINT_MAX];
	static char room[CHECKPOINT_MAX];

	(void)state;
	any_seed = 12;
	for (int i = 0; i < 200; i++) {
		struct checkpoint_change change = {0};
		struct slice have, want;
		struct wbuf w, v;

		any_call(&was);
		wbuf_init(&w, kept, sizeof(kept));
		change.shape = checkpoint_call_write(&w, &was);
		have = wbuf_slice(&w);
		for (int k = 0; k < 10; k++) {
			change.fixed = unit_random(&any_seed) % 2;
			any_next(&is, &was, change.fixed);
			want = call_checkpoint_write(&is, whole, sizeof(whole));
			wbuf_init(&w, part, sizeof(part));
			checkpoint_call_write_rest(&w, &is, &change);
			checkpoint_call_write_change(&w, &is, &change);
			assert_true(wbuf_ok(&w) && want.n > 0);
			assert_true(change_same(slice_of(part, change.set), want));
			wbuf_init(&v, room, sizeof(room));
			assert_true(change_apply(&v, have,
						 slice_of(part + change.rest, w.n - change.rest),
						 change.gone));
			assert_true(change_same(wbuf_slice(&v), want));
			memcpy(kept, room, v.n);
			have = slice_of(kept, v.n);
			was = is;
		}
	}
}

static void what_is_written_is_read(void **state)
{
	static struct call_checkpoint in, out;

	(void)state;
	any_seed = 7;
	for (int i = 0; i < 2000; i++) {
		struct guard g;
		struct slice s;

		any_call(&in);
		s = call_checkpoint_write(&in, flat, sizeof(flat));
		assert_true(s.n > 0);
		s.p = guard_end(&g, s.p, s.n);
		guard_seal(&g);
		assert_int_equal(checkpoint_call_read(&out, s), SBC_OK);
		call_checkpoint_same(&in, &out);
		guard_free(&g);
	}
}

static void registration_written_is_read(void **state)
{
	(void)state;
	any_seed = 8;
	for (int i = 0; i < 2000; i++) {
		struct registration_checkpoint in = any_registration(), out;
		struct wbuf w;

		wbuf_init(&w, flat, sizeof(flat));
		checkpoint_registration_write(&w, &in);
		assert_true(wbuf_ok(&w));
		assert_int_equal(checkpoint_registration_read(&out, wbuf_slice(&w)), SBC_OK);
		members_same(&checkpoint_registration_members, &in, &out);
		assert_true(slice_eq(in.contact, out.contact) && in.expires == out.expires);
		assert_true(net_addr_eq(in.source, out.source) && slice_eq(in.peer, out.peer));
	}
}

static void what_does_not_fit_is_said(void **state)
{
	static struct call_checkpoint c;
	struct slice s = small_call(&c);

	(void)state;
	for (uint32_t cap = 0; cap < s.n; cap++) {
		struct guard g;

		assert_int_equal(call_checkpoint_write(&c, guard_end(&g, NULL, cap), cap).n, 0);
		guard_free(&g);
	}
	assert_int_equal(call_checkpoint_write(&c, again, s.n).n, s.n);
	static char routes[65536], large[200000];
	c.leg[0].routes = slice_of(routes, sizeof(routes));
	assert_int_equal(call_checkpoint_write(&c, large, sizeof(large)).n, 0);
}

/* Each line holds one member: text that would make another of it is not written. */
static void lines_are_not_to_be_forged(void **state)
{
	static struct call_checkpoint c;

	(void)state;
	small_call(&c);
	for (uint32_t i = 0; i < checkpoint_leg_members.count; i++) {
		const struct checkpoint_member *m = &checkpoint_leg_members.member[i];
		struct slice *text = (struct slice *)(void *)((uint8_t *)&c.leg[0] + m->offset);
		struct slice was = *text;

		if (m->type != VALUE_BYTES)
			continue;
		assert_int_not_equal(call_checkpoint_write(&c, flat, sizeof(flat)).n, 0);
		*text = SLICE_LIT("0123456789abcd\n=");
		assert_int_equal(call_checkpoint_write(&c, flat, sizeof(flat)).n, 0);
		*text = was;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_as_printf_has_them),
		cmocka_unit_test(changes_make_what_is_written_whole),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(registration_written_is_read),
		cmocka_unit_test(what_does_not_fit_is_said),
		cmocka_unit_test(lines_are_not_to_be_forged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
