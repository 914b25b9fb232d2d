/*
 * Allow, Supported and their kin by the way that most lists go and by that which takes
 * any: both write the same, and neither reads behind the value.
 */
#include "sbc/core/hiding_words.h"

#include "tests/lib/guard.h"
#include "tests/lib/unit.h"

#define ROUNDS 60000

static const char *const words[] = {
	"INVITE",    "ACK",
	"CANCEL",    "BYE",
	"UPDATE",    "INFO",
	"NOTIFY",    "OPTIONS",
	"REFER",     "PRACK",
	"REGISTER",  "SUBSCRIBE",
	"MESSAGE",   "PUBLISH",
	"timer",     "100rel",
	"100REL",    "privacy",
	"replaces",  "outbound",
	"path",      "norefersub",
	"a",         "INVITEE",
	"invite",    "histinfo",
	"",          "BYE;x=1",
	"\"ACK\"",   "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
	"B\xc3\xa9", "UP DATE",
	"timer ",    "timer\x01",
};

static const char *const separators[] = {", ", ", ", ", ", ", ", ", ",  ", ",  ", ", ", ",
					 ", ", ", ", ", ", ",",  " , ", ",  ", ";",  "\r\n , "};

#define OF(list, seed) ((list)[unit_random(seed) % (sizeof(list) / sizeof(*(list)))])

static uint32_t list_make(char *text, uint32_t cap, uint64_t *seed)
{
	const uint32_t count = (uint32_t)(unit_random(seed) % 24);
	/* Most lists of one kind of separator throughout, as they are on the wire. */
	const bool usual = unit_random(seed) % 4 != 0;
	struct wbuf w;

	wbuf_init(&w, text, cap);
	for (uint32_t i = 0; i < count; i++) {
		if (i)
			wbuf_put(&w, slice_str(usual ? ", " : OF(separators, seed)));
		wbuf_put(&w, slice_str(usual ? words[unit_random(seed) % 22] : OF(words, seed)));
	}
	assert_true(wbuf_ok(&w));
	return w.n;
}

static void compare(enum sip_hdr id, bool own_100rel, struct slice list, uint32_t cap)
{
	char fast[2048], plain[2048];
	struct wbuf f, p;
	struct hiding_ctx c = {.own_100rel = own_100rel};

	wbuf_init(&f, fast, cap);
	c.w = &f;
	if (id == SIP_HDR_ALLOW)
		hiding_filter_methods(&c, id, list);
	else
		hiding_filter_options(&c, id, list);
	wbuf_init(&p, plain, cap);
	c.w = &p;
	hiding_words_plain(&c, id, list);
	assert_int_equal(wbuf_ok(&f), wbuf_ok(&p));
	assert_true(slice_eq(wbuf_slice(&f), wbuf_slice(&p)));
}

static void lists_of_any_kind_are_the_same_both_ways(void **state)
{
	uint64_t seed = 7;
	char text[2048];

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		const uint32_t n = list_make(text, sizeof(text), &seed);
		const uint32_t cap = unit_random(&seed) % 8 ? 2048 : unit_random(&seed) % 100;
		const struct slice list = slice_of(text, n);

		compare(SIP_HDR_ALLOW, false, list, cap);
		compare(SIP_HDR_SUPPORTED, false, list, cap);
		compare(SIP_HDR_REQUIRE, true, list, cap);
	}
}

static void a_list_is_not_read_beyond_either_end(void **state)
{
	uint64_t seed = 8;
	char text[2048];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		const uint32_t n = list_make(text, sizeof(text), &seed);
		struct guard end, front;

		compare(SIP_HDR_ALLOW, false, slice_of(guard_end(&end, text, n), n), 2048);
		compare(SIP_HDR_ALLOW, false, slice_of(guard_front(&front, text, n), n), 2048);
		guard_free(&end);
		guard_free(&front);
	}
}

static void check(enum sip_hdr id, const char *list, const char *want)
{
	char text[512];
	struct wbuf w;
	struct hiding_ctx c = {.w = &w, .own_100rel = true};

	wbuf_init(&w, text, sizeof(text));
	if (id == SIP_HDR_ALLOW)
		hiding_filter_methods(&c, id, slice_str(list));
	else
		hiding_filter_options(&c, id, slice_str(list));
	assert_true(slice_eq(wbuf_slice(&w), slice_str(want)));
}

/* What both ways say could be wrong in both: lists of phones, said in full. */
static void what_stays_of_the_lists_of_phones(void **state)
{
	(void)state;
	check(SIP_HDR_ALLOW,
	      "INVITE, ACK, CANCEL, BYE, UPDATE, INFO, NOTIFY, OPTIONS, REFER, PRACK",
	      "INVITE, ACK, CANCEL, BYE, UPDATE, INFO, OPTIONS, PRACK");
	check(SIP_HDR_ALLOW,
	      "SUBSCRIBE, NOTIFY, INVITE, ACK, CANCEL, BYE, REFER, INFO, OPTIONS, MESSAGE, "
	      "PUBLISH, "
	      "REGISTER, UPDATE, PRACK",
	      "INVITE, ACK, CANCEL, BYE, INFO, OPTIONS, MESSAGE, REGISTER, UPDATE, PRACK");
	check(SIP_HDR_ALLOW, "INVITE, ACK, CANCEL,BYE", "INVITE, ACK, CANCEL, BYE");
	check(SIP_HDR_ALLOW, "NOTIFY, REFER, SUBSCRIBE", "");
	check(SIP_HDR_SUPPORTED, "replaces, 100rel, Timer, norefersub, privacy",
	      "100rel, Timer, privacy");
	check(SIP_HDR_REQUIRE, "replaces, 100rel, timer, norefersub", "timer");
	check(SIP_HDR_REQUIRE, "100REL", "");
	/* Bytes that differ from a word's end, or from its letters, in the bit of their case. */
	check(SIP_HDR_SUPPORTED, "timer , norefersub, privacy", "timer, privacy");
	check(SIP_HDR_SUPPORTED, "timer\x01, norefersub, \x11\x10\x10rel", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_of_the_lists_of_phones),
		cmocka_unit_test(lists_of_any_kind_are_the_same_both_ways),
		cmocka_unit_test(a_list_is_not_read_beyond_either_end),
	};
	return cmocka_run_group_tests_name("core/hiding_words", tests, NULL, NULL);
}
