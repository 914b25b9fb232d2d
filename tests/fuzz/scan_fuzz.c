/*
 * Any bytes, at each of 64 alignments and lengths: all scanners that run here say the
 * same. The input ends where nothing more can be read (replay_main.c).
 */
#include <stdint.h>
#include <stdlib.h>

#include "sbc/base/span.h"
#include "tests/lib/scan_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void spans(const char *p, uint32_t n)
{
	struct scan_set s = {.high = n && p[0] & 1};

	for (uint32_t i = 0; i < 16; i++)
		s.row[i] = (uint8_t)(n > i ? ~(uint8_t)p[i] | 0xf0 : 0xf0);
	for (uint32_t i = 0; i < n && i < 200; i++)
		if (scan_span(&s, p + i, n - i) != scan_span_plain(&s, p + i, n - i) ||
		    span_of(&s, p + i, n - i) != scan_span_plain(&s, p + i, n - i))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const uint32_t n = size > 65535 ? 65535 : (uint32_t)size;

	for (uint32_t from = 0; from <= SCAN_BLOCK && from <= n; from++)
		for (uint32_t i = 0; scan_impl_at(i) != NULL; i++)
			if (!scan_head_agrees(scan_impl_at(i), p + from, n - from) ||
			    !scan_text_agrees(scan_impl_at(i), p + from, n - from))
				abort();
	spans(p, n);
	return 0;
}
