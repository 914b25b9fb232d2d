/* The vector scanners against their plain meaning, and how lines are cut. */
#include "tests/unit/sip/common.h"

#include "sbc/sip/lines.h"
#include "sbc/sip/names.h"

static uint64_t seed = 1;

static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* Bytes that decide something, more often than chance would have them. */
static char any_byte(void)
{
	static const char interesting[] = "\0\r\n\t :\x0f\x10\x1f\x20\x21\x7f\x80\xff"
					  "aZ-";

	return rnd(3) ? (char)rnd(256) : interesting[rnd(sizeof(interesting) - 1)];
}

static void vector_scans_mean_what_the_plain_ones_mean(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[160];
		const uint32_t n = rnd(sizeof(bytes) + 1);
		struct guard g = {0};

		for (uint32_t i = 0; i < n; i++)
			bytes[i] = any_byte();
		const bool flush = round % 16 == 0;
		const char *p = flush ? guard_end(&g, bytes, n) : bytes;
		const uint32_t block = n < SCAN_BLOCK ? n : SCAN_BLOCK;

		assert_true(scan_ctl(p, block) == scan_ctl_plain(p, block));
		assert_int_equal(scan_space(p, n), scan_space_plain(p, n));
		for (uint32_t k = 0; k < 4; k++) {
			const char *end = p + rnd(n + 1);

			assert_ptr_equal(scan_colon(p, end, n), scan_colon_plain(p, end));
		}
		if (flush)
			guard_free(&g);
	}
}

static void vector_name_compare_means_what_the_plain_one_means(void **state)
{
	(void)state;
	for (int id = 1; id < SIP_HDR_COUNT; id++)
		for (int round = 0; round < 200; round++) {
			const struct sip_name *name = &sip_name_table[id];
			char bytes[48];

			for (uint32_t i = 0; i < sizeof(bytes); i++)
				bytes[i] = any_byte();
			memcpy(bytes, name->lower, name->len);
			if (rnd(2))
				bytes[rnd(name->len)] ^= 0x20;
			if (rnd(2))
				bytes[rnd(name->len)] = any_byte();
			bool want = true;

			for (uint32_t i = 0; i < name->len; i++)
				want &= slice_lower(bytes[i]) == name->lower[i];
			assert_int_equal(sip_name_eq_plain(bytes, name->len, name), want);
			assert_int_equal(sip_name_eq(bytes, name->len, sizeof(bytes), name), want);
			assert_int_equal(sip_name_eq(bytes, name->len, name->len, name), want);
		}
}

/* The line ends of RFC 3261 read byte by byte, to compare with. */
static bool plain_line(const char *p, const char *end, struct scan_line *l)
{
	const char *start = p;

	l->bad = false;
	for (; p < end; p++) {
		if (*p == '\n') {
			const bool cr = p > start && p[-1] == '\r';

			l->end = cr ? p - 1 : p;
			l->next = p + 1;
			if (l->end == start || l->next == end || (p[1] != ' ' && p[1] != '\t'))
				return true;
		} else if (*p == '\0' || (*p == '\r' && (p + 1 == end || p[1] != '\n'))) {
			l->bad = true;
		}
	}
	return false;
}

static void lines_are_cut_as_byte_by_byte(void **state)
{
	static const char bytes_of_heads[] = "\r\n\r\n\r\n\0\t  abc:;\r\r\n";

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char bytes[300] = {0};
		const uint32_t n = rnd(sizeof(bytes));
		const uint32_t dense = 1 + rnd(40);
		struct scan scan;
		struct scan_line a = {0}, b = {0};
		const char *p = bytes, *end = bytes + n;

		for (uint32_t i = 0; i < n; i++)
			bytes[i] = rnd(dense) ? (char)('a' + rnd(26))
					      : bytes_of_heads[rnd(sizeof(bytes_of_heads) - 1)];
		for (scan_init(&scan, p, end);; p = a.next) {
			const bool more = scan_line(&scan, p, &a);

			assert_int_equal(more, plain_line(p, end, &b));
			if (!more)
				break;
			assert_ptr_equal(a.end, b.end);
			assert_ptr_equal(a.next, b.next);
			assert_int_equal(a.bad, b.bad);
		}
	}
}

/* The rows that scan_span() reads say of each byte what the table of classes says. */
static void sets_are_the_classes(void **state)
{
	(void)state;
	for (int b = 0; b < 256; b++) {
		const char c = (char)b;
		const bool uri = b > ' ' && b != 0x7f && !(b < 0x80 && strchr("<>\"", b));

		for (uint32_t bit = 0; bit < 8; bit++)
			assert_int_equal(scan_set_has(&sip_set[bit], c), sip_chars[b] >> bit & 1);
		assert_int_equal(scan_set_has(&sip_set[SIP_SET_NAME], c),
				 sip_char_is(c, SIP_CH_TOKEN) || sip_char_is(c, SIP_CH_PARAM));
		assert_int_equal(scan_set_has(&sip_set[SIP_SET_URI], c), uri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vector_scans_mean_what_the_plain_ones_mean),
		cmocka_unit_test(vector_name_compare_means_what_the_plain_one_means),
		cmocka_unit_test(lines_are_cut_as_byte_by_byte),
		cmocka_unit_test(sets_are_the_classes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
