/* The Internet checksum by wide words is the one that RFC 1071 spells out by narrow ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dataplane/checksum.h"
#include "tests/lib/guard.h"

#define LONGEST 1600u

static uint16_t plain(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)sum);
}

static void fill(uint8_t *p, uint32_t n, uint32_t kind)
{
	for (uint32_t i = 0; i < n; i++)
		p[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)rand();
}

static void every_length_is_summed_alike(void **state)
{
	static uint8_t bytes[LONGEST];

	(void)state;
	srand(1);
	for (uint32_t kind = 0; kind < 4; kind++)
		for (uint32_t n = 0; n <= LONGEST; n++) {
			fill(bytes, n, kind);
			assert_int_equal(checksum_fold(checksum_add(0, bytes, n)), plain(bytes, n));
		}
}

static void parts_are_summed_as_the_whole(void **state)
{
	static uint8_t bytes[LONGEST];

	(void)state;
	srand(2);
	for (uint32_t i = 0; i < 2000; i++) {
		/* Only at an even byte does a new sum go on (RFC 1071 2 A). */
		const uint32_t n = (uint32_t)rand() % LONGEST,
			       cut = ((uint32_t)rand() % (n + 1)) & ~1u;

		fill(bytes, n, i % 4);
		uint64_t sum = checksum_add(0, bytes, cut);

		assert_true(sum >> 33 == 0);
		assert_int_equal(checksum_fold(checksum_add(sum, bytes + cut, n - cut)),
				 plain(bytes, n));
	}
}

static void nothing_is_read_beyond_the_end(void **state)
{
	static uint8_t bytes[128];

	(void)state;
	fill(bytes, sizeof(bytes), 2);
	for (uint32_t n = 0; n <= sizeof(bytes); n++) {
		struct guard g;
		const char *p = guard_end(&g, bytes, n);

		guard_seal(&g);
		assert_int_equal(checksum_fold(checksum_add(0, (const uint8_t *)p, n)),
				 plain(bytes, n));
		guard_free(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_is_summed_alike),
		cmocka_unit_test(parts_are_summed_as_the_whole),
		cmocka_unit_test(nothing_is_read_beyond_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
