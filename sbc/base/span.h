/*
 * span: scan_span() without a call, for runs that are short as a rule.
 *
 * The first sixteen bytes are looked at where the caller stands, what goes on behind
 * them by scan_span(). Both answer the same (tests/unit/base/scan_test.c), and
 * neither reads outside of p[0..n).
 */
#ifndef SBC_BASE_SPAN_H
#define SBC_BASE_SPAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sbc/base/scan.h"

#ifdef __SSSE3__

#include <immintrin.h>

/* Four to fifteen bytes out of two reads that overlap; those behind them are zero. */
static inline __m128i span_load_few(const char *p, uint32_t n)
{
	uint64_t low, high;

	if (n >= 8) {
		memcpy(&low, p, 8);
		memcpy(&high, p + n - 8, 8);
		return _mm_set_epi64x((long long)(high >> 8 * (15 - n) >> 8), (long long)low);
	}
	uint32_t first, last;

	memcpy(&first, p, 4);
	memcpy(&last, p + n - 4, 4);
	/* Where the two overlap they say the same. */
	low = first | (uint64_t)last << 8 * (n - 4);
	return _mm_cvtsi64_si128((long long)low);
}

/* The first sixteen bytes of p[0..n), or as many as there are and zeros behind them. */
static inline __m128i span_load(const char *p, uint32_t n)
{
	if (n >= 16)
		return _mm_loadu_si128((const __m128i *)(const void *)p);
	if (n >= 4)
		return span_load_few(p, n);
	uint32_t few = 0;

	for (uint32_t i = 0; i < n; i++)
		few |= (uint32_t)(uint8_t)p[i] << 8 * i;
	return _mm_cvtsi32_si128((int)few);
}

/* One bit a byte that is not of the class. */
static inline uint32_t span_strangers(const struct scan_set *s, __m128i v)
{
	const __m128i bit =
		_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0);
	const __m128i half = _mm_set1_epi8(0x0f);
	const __m128i rows = _mm_loadu_si128((const __m128i *)(const void *)s->row);
	const __m128i of_low = _mm_shuffle_epi8(rows, _mm_and_si128(v, half));
	const __m128i of_high = _mm_shuffle_epi8(bit, _mm_and_si128(_mm_srli_epi16(v, 4), half));
	const __m128i none = _mm_cmpeq_epi8(_mm_and_si128(of_low, of_high), _mm_setzero_si128());
	const uint32_t high = s->high ? (uint32_t)_mm_movemask_epi8(v) : 0;

	return (uint32_t)_mm_movemask_epi8(none) & ~high;
}

static inline uint32_t span_of(const struct scan_set *s, const char *p, uint32_t n)
{
	const uint32_t bits = span_strangers(s, span_load(p, n)) | 1u << 16;
	const uint32_t at = (uint32_t)__builtin_ctz(bits);

	if (at == 16 && n > 16)
		return 16 + scan_span(s, p + 16, n - 16);
	return at < n ? at : n;
}

#else

static inline uint32_t span_of(const struct scan_set *s, const char *p, uint32_t n)
{
	return scan_span(s, p, n);
}

#endif

#endif
