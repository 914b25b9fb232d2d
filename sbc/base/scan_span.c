/*
 * A byte is of a class when the row of its low half has the bit of its high half: two
 * table look-ups in a vector register and an AND. Runs shorter than a vector are put
 * together from two reads that overlap, both within the run.
 */
#include <string.h>

#include "sbc/base/scan.h"

#ifdef __SSSE3__
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

uint32_t scan_span_plain(const struct scan_set *s, const char *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && scan_set_has(s, p[i]))
		i++;
	return i;
}

#if defined(__SSSE3__)

typedef __m128i vector;

struct tables {
	__m128i row, bit;
	uint32_t high;
};

static inline struct tables tables_of(const struct scan_set *s)
{
	return (struct tables){
		_mm_loadu_si128((const __m128i *)(const void *)s->row),
		_mm_setr_epi8(1, 2, 4, 8, 16, 32, 64, (char)128, 0, 0, 0, 0, 0, 0, 0, 0),
		s->high ? 0xffff : 0,
	};
}

static inline vector vector_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline vector vector_of(uint64_t low, uint64_t high)
{
	return _mm_set_epi64x((long long)high, (long long)low);
}

/* One bit a byte that is not of the class. */
static inline uint32_t strangers(const struct tables *t, vector v)
{
	const __m128i half = _mm_set1_epi8(0x0f);
	const __m128i row = _mm_shuffle_epi8(t->row, _mm_and_si128(v, half));
	const __m128i bit = _mm_shuffle_epi8(t->bit, _mm_and_si128(_mm_srli_epi16(v, 4), half));
	const __m128i none = _mm_cmpeq_epi8(_mm_and_si128(row, bit), _mm_setzero_si128());

	return (uint32_t)_mm_movemask_epi8(none) & ~((uint32_t)_mm_movemask_epi8(v) & t->high);
}

#elif defined(__aarch64__)

typedef uint8x16_t vector;

struct tables {
	uint8x16_t row, bit;
	uint32_t high;
};

static inline struct tables tables_of(const struct scan_set *s)
{
	static const uint8_t bits[16] = {1, 2, 4, 8, 16, 32, 64, 128};

	return (struct tables){vld1q_u8(s->row), vld1q_u8(bits), s->high ? 0xffff : 0};
}

static inline vector vector_load(const char *p)
{
	return vld1q_u8((const uint8_t *)p);
}

static inline vector vector_of(uint64_t low, uint64_t high)
{
	return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
}

/* One bit for each byte of 0xff. */
static inline uint32_t gather(uint8x16_t v)
{
	static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128,
					    1, 2, 4, 8, 16, 32, 64, 128};
	const uint8x16_t bits = vandq_u8(v, vld1q_u8(weights));

	return vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

static inline uint32_t strangers(const struct tables *t, vector v)
{
	const uint8x16_t row = vqtbl1q_u8(t->row, vandq_u8(v, vdupq_n_u8(0x0f)));
	const uint8x16_t bit = vqtbl1q_u8(t->bit, vshrq_n_u8(v, 4));
	const uint32_t high = gather(vcgeq_u8(v, vdupq_n_u8(0x80)));

	return gather(vceqzq_u8(vandq_u8(row, bit))) & ~(high & t->high);
}

#endif

#if defined(__SSSE3__) || defined(__aarch64__)

static inline uint32_t lowest(uint32_t bits)
{
	return (uint32_t)__builtin_ctz(bits);
}

/* Four to fifteen bytes: the last four or eight of them are read beside the first. */
static inline uint32_t short_span(const struct tables *t, const char *p, uint32_t n)
{
	uint64_t low = 0, high = 0;
	const uint32_t half = n >= 8 ? 8 : 4;
	uint32_t bits;

	if (n >= 8) {
		memcpy(&low, p, 8);
		memcpy(&high, p + n - 8, 8);
	} else {
		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
	}
	bits = strangers(t, vector_of(low, high));
	bits = (bits & ((1u << half) - 1)) | (bits >> 8 & ((1u << half) - 1)) << (n - half);
	return lowest(bits | 1u << n);
}

uint32_t scan_span(const struct scan_set *s, const char *p, uint32_t n)
{
	const struct tables t = tables_of(s);
	uint32_t i = 0, bits;

	if (n < 4)
		return scan_span_plain(s, p, n);
	if (n < 16)
		return short_span(&t, p, n);
	for (; n - i >= 16; i += 16) {
		bits = strangers(&t, vector_load(p + i));
		if (bits)
			return i + lowest(bits);
	}
	/* The last sixteen, of which some have been looked at. */
	bits = strangers(&t, vector_load(p + n - 16)) >> (16 - (n - i));
	return i + lowest(bits | 1u << (n - i));
}

#else

uint32_t scan_span(const struct scan_set *s, const char *p, uint32_t n)
{
	return scan_span_plain(s, p, n);
}

#endif
