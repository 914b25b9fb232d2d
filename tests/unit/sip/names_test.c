/* Character classes, header and method names, reason phrases. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/chars.h"

#define ALPHA "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"
#define MARK  "-_.!~*'()"

static void character_classes_are_those_of_rfc_3261_25_1(void **state)
{
	static const struct {
		const char *ascii;
		enum sip_char class;
		int high; /* bytes from 0x80 */
	} classes[] = {
		{ALPHA DIGIT "-.!%*_+`'~", SIP_CH_TOKEN, 0},
		{ALPHA DIGIT MARK "&=+$,;?/#", SIP_CH_USER, 0},
		{ALPHA DIGIT MARK "&=+$,", SIP_CH_PASS, 0},
		{ALPHA DIGIT MARK "[]/:&+$", SIP_CH_PARAM, 0},
		{ALPHA DIGIT MARK "[]/?:+$", SIP_CH_HEADER, 0},
		{ALPHA DIGIT "-._", SIP_CH_HOST, 0},
		{ALPHA DIGIT MARK "#$%&+/:=?@[\\]^`{|}", SIP_CH_VALUE, 1},
		{ALPHA DIGIT MARK "#$%&+/=?@[]^`{|} \t\r\n", SIP_CH_DISPLAY, 1},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(classes); k++)
		for (int c = 0; c < 256; c++) {
			const int in = c >= 0x80 ? classes[k].high
						 : c != 0 && strchr(classes[k].ascii, c) != NULL;
			if (sip_char_is((char)c, classes[k].class) != in)
				fail_msg("class 0x%x, byte 0x%02x", classes[k].class, c);
		}
}

static void quoted_strings_end_at_their_own_quote(void **state)
{
	(void)state;
	assert_int_equal(sip_quoted_len(SLICE_LIT("\"\"")), 2);
	assert_int_equal(sip_quoted_len(SLICE_LIT("\"a\\\"b\" c")), 6);
	assert_int_equal(sip_quoted_len(SLICE_LIT("\"a\\\\\"b")), 5);
	assert_int_equal(sip_quoted_len(SLICE_LIT("\"a")), 0);
	assert_int_equal(sip_quoted_len(SLICE_LIT("\"a\\")), 0);
	assert_int_equal(sip_quoted_len(SLICE_LIT("\"a\\\"")), 0);
	assert_int_equal(sip_quoted_len(SLICE_LIT("a")), 0);
	assert_int_equal(sip_quoted_len(SLICE_NONE), 0);
}

static void every_known_header_is_found_in_any_case(void **state)
{
	char name[64];

	(void)state;
	for (int id = 1; id < SIP_HDR_COUNT; id++) {
		const struct slice canonical = sip_hdr_name((enum sip_hdr)id);

		assert_true(canonical.n > 1 && canonical.n < sizeof(name));
		assert_int_equal(sip_hdr_parse(canonical), id);
		for (int upper = 0; upper < 2; upper++) {
			for (uint32_t i = 0; i < canonical.n; i++) {
				const char c = slice_lower(canonical.p[i]);

				name[i] = upper && c >= 'a' ? (char)(c - 0x20) : c;
			}
			assert_int_equal(sip_hdr_parse(slice_of(name, canonical.n)), id);
		}
	}
	assert_int_equal(sip_hdr_name(SIP_HDR_OTHER).n, 0);
}

/* A name that shares length and letters with a known one is still another name. */
static void one_byte_off_is_no_known_header(void **state)
{
	char name[64];

	(void)state;
	for (int id = 1; id < SIP_HDR_COUNT; id++) {
		const struct slice canonical = sip_hdr_name((enum sip_hdr)id);

		for (uint32_t i = 0; i < canonical.n; i++) {
			memcpy(name, canonical.p, canonical.n);
			for (int bit = 0; bit < 8; bit++) {
				name[i] = (char)(canonical.p[i] ^ (1 << bit));
				const struct slice s = slice_of(name, canonical.n);
				const enum sip_hdr found = sip_hdr_parse(s);

				if (found != SIP_HDR_OTHER)
					assert_true(slice_ieq(s, sip_hdr_name(found)));
			}
		}
		memcpy(name, canonical.p, canonical.n);
		name[canonical.n] = 's';
		assert_int_not_equal(sip_hdr_parse(slice_of(name, canonical.n + 1)), id);
		if (canonical.n > 2)
			assert_int_not_equal(sip_hdr_parse(slice_of(name, canonical.n - 1)), id);
	}
}

static void compact_forms(void **state)
{
	static const struct {
		char letter;
		enum sip_hdr id;
	} forms[] = {
		{'i', SIP_HDR_CALL_ID},
		{'m', SIP_HDR_CONTACT},
		{'e', SIP_HDR_CONTENT_ENCODING},
		{'l', SIP_HDR_CONTENT_LENGTH},
		{'c', SIP_HDR_CONTENT_TYPE},
		{'f', SIP_HDR_FROM},
		{'s', SIP_HDR_SUBJECT},
		{'k', SIP_HDR_SUPPORTED},
		{'t', SIP_HDR_TO},
		{'v', SIP_HDR_VIA},
		{'o', SIP_HDR_EVENT},
		{'u', SIP_HDR_ALLOW_EVENTS},
		{'r', SIP_HDR_REFER_TO},
		{'b', SIP_HDR_REFERRED_BY},
		{'x', SIP_HDR_SESSION_EXPIRES},
		{'y', SIP_HDR_IDENTITY},
	};
	int known = 0;

	(void)state;
	for (size_t k = 0; k < COUNT(forms); k++) {
		const char upper = (char)(forms[k].letter - 0x20);

		assert_int_equal(sip_hdr_parse(slice_of(&forms[k].letter, 1)), forms[k].id);
		assert_int_equal(sip_hdr_parse(slice_of(&upper, 1)), forms[k].id);
	}
	for (int c = 0; c < 256; c++) {
		const char byte = (char)c;

		known += sip_hdr_parse(slice_of(&byte, 1)) != SIP_HDR_OTHER;
	}
	assert_int_equal(known, 2 * COUNT(forms));
	assert_int_equal(sip_hdr_parse(SLICE_NONE), SIP_HDR_OTHER);
}

static void methods_are_case_sensitive(void **state)
{
	(void)state;
	for (int m = 1; m < SIP_METHOD_COUNT; m++) {
		char lower[16];
		const struct slice name = sip_method_name((enum sip_method)m);

		assert_int_equal(sip_method_parse(name), m);
		for (uint32_t i = 0; i < name.n; i++)
			lower[i] = slice_lower(name.p[i]);
		assert_int_equal(sip_method_parse(slice_of(lower, name.n)), SIP_METHOD_OTHER);
		assert_int_equal(sip_method_parse(slice_of(name.p, name.n - 1)), SIP_METHOD_OTHER);
	}
	assert_int_equal(sip_method_parse(SLICE_LIT("INVITED")), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_parse(SLICE_NONE), SIP_METHOD_OTHER);
	assert_int_equal(sip_method_name(SIP_METHOD_OTHER).n, 0);
}

static void reason_phrases(void **state)
{
	(void)state;
	assert_slice(sip_status_reason(100), "Trying");
	assert_slice(sip_status_reason(200), "OK");
	assert_slice(sip_status_reason(481), "Call/Transaction Does Not Exist");
	assert_slice(sip_status_reason(513), "Message Too Large");
	assert_slice(sip_status_reason(608), "Rejected");
	assert_slice(sip_status_reason(199), "Early Dialog Terminated");
	assert_slice(sip_status_reason(299), "Unknown");
	assert_slice(sip_status_reason(0), "Unknown");
	assert_slice(sip_status_reason(65535), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(character_classes_are_those_of_rfc_3261_25_1),
		cmocka_unit_test(quoted_strings_end_at_their_own_quote),
		cmocka_unit_test(every_known_header_is_found_in_any_case),
		cmocka_unit_test(one_byte_off_is_no_known_header),
		cmocka_unit_test(compact_forms),
		cmocka_unit_test(methods_are_case_sensitive),
		cmocka_unit_test(reason_phrases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
