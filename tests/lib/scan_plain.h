/*
 * scan_plain: what scan_head() and scan_text() promise, byte by byte; for tests to
 * compare with.
 */
#ifndef TESTS_LIB_SCAN_PLAIN_H
#define TESTS_LIB_SCAN_PLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/base/scan.h"

static inline uint32_t scan_head_by_byte(const char *p, uint32_t n, uint16_t *lf)
{
	uint32_t count = 0, before = 0; /* one behind the LF before */

	for (uint32_t i = 0; i < n; i++) {
		if ((uint8_t)p[i] >= 0x10)
			continue;
		/* The first of a pair, and LF behind it. */
		if (p[i] == '\n' || i + 1 == n || p[i + 1] != '\n' || count == SCAN_HEAD_LINES)
			return 0;
		lf[count++] = (uint16_t)++i;
		if (i == before + 1)
			return count;
		before = i + 1;
	}
	return 0;
}

static inline uint32_t scan_text_by_byte(const char *p, uint32_t n, uint16_t *lf)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++) {
		const bool before_lf = i + 1 < n && p[i + 1] == '\n';

		if ((uint8_t)p[i] < 0x20 && p[i] != '\n' && !before_lf)
			return SCAN_NOT_PLAIN;
		if (p[i] == '\n' && count == SCAN_TEXT_LINES)
			return SCAN_NOT_PLAIN;
		if (p[i] == '\n')
			lf[count++] = (uint16_t)i;
	}
	return count;
}

/* Whether an implementation answers so for these bytes. */
static inline bool scan_text_agrees(const struct scan_impl *impl, const char *p, uint32_t n)
{
	uint16_t want[SCAN_TEXT_ROOM], got[SCAN_TEXT_ROOM];
	const uint32_t count = scan_text_by_byte(p, n, want);

	return impl->text(p, n, got) == count &&
	       (count == SCAN_NOT_PLAIN || memcmp(got, want, count * sizeof(*got)) == 0);
}

static inline bool scan_head_agrees(const struct scan_impl *impl, const char *p, uint32_t n)
{
	uint16_t want[SCAN_HEAD_ROOM], got[SCAN_HEAD_ROOM];
	const uint32_t count = scan_head_by_byte(p, n, want);

	return impl->head(p, n, got) == count && memcmp(got, want, count * sizeof(*got)) == 0;
}

#endif
