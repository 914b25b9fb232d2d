#include "sbc/base/scan_block.h"

#ifdef __x86_64__

#include <immintrin.h>

#define SSE42 __attribute__((target("sse4.2,popcnt")))

SCAN_INLINE SSE42 struct scan_bits bits_sse42(const char *p, uint8_t limit)
{
	const __m128i lf = _mm_set1_epi8('\n'), most = _mm_set1_epi8((char)limit);
	struct scan_bits b = {0, 0};

	for (uint32_t i = 0; i < 4; i++) {
		const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
		const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(v, most), v);

		b.lf |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, lf)) << (16 * i);
		b.ctl |= (uint64_t)(uint32_t)_mm_movemask_epi8(low) << (16 * i);
	}
	return b;
}

SSE42 uint32_t scan_head_sse42(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_HEAD(bits_sse42, scan_block_note);
}

SSE42 uint32_t scan_text_sse42(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_TEXT(bits_sse42, scan_block_note);
}

#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

SCAN_INLINE AVX2 struct scan_bits bits_avx2(const char *p, uint8_t limit)
{
	const __m256i lf = _mm256_set1_epi8('\n'), most = _mm256_set1_epi8((char)limit);
	struct scan_bits b = {0, 0};

	for (uint32_t i = 0; i < 2; i++) {
		const __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + 32 * i));
		const __m256i low = _mm256_cmpeq_epi8(_mm256_min_epu8(v, most), v);

		b.lf |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, lf))
			<< (32 * i);
		b.ctl |= (uint64_t)(uint32_t)_mm256_movemask_epi8(low) << (32 * i);
	}
	return b;
}

AVX2 uint32_t scan_head_avx2(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_HEAD(bits_avx2, scan_block_note);
}

AVX2 uint32_t scan_text_avx2(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_TEXT(bits_avx2, scan_block_note);
}

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,bmi,bmi2,popcnt")))

SCAN_INLINE AVX512 struct scan_bits bits_avx512(const char *p, uint8_t limit)
{
	const __m512i v = _mm512_loadu_si512((const void *)p);

	return (struct scan_bits){_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n')),
				  _mm512_cmple_epu8_mask(v, _mm512_set1_epi8((char)limit))};
}

/* The numbers of the set bits are pressed together: sixteen at once, more one by one. */
SCAN_INLINE AVX512 void note_avx512(struct scan_walk *w, uint64_t lf, uint32_t at)
{
	const __m512i numbers = _mm512_set_epi8(
		63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47, 46, 45, 44, 43,
		42, 41, 40, 39, 38, 37, 36, 35, 34, 33, 32, 31, 30, 29, 28, 27, 26, 25, 24, 23, 22,
		21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	const __m512i set = _mm512_maskz_compress_epi8(lf, numbers);
	const __m256i wide = _mm256_cvtepu8_epi16(_mm512_castsi512_si128(set));
	const uint32_t count = (uint32_t)_mm_popcnt_u64(lf);

	if (count > 16) {
		scan_block_note(w, lf, at);
		return;
	}
	_mm256_storeu_si256((__m256i *)(void *)(w->lf + w->count),
			    _mm256_add_epi16(wide, _mm256_set1_epi16((short)at)));
	w->count += count;
}

AVX512 uint32_t scan_head_avx512(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_HEAD(bits_avx512, note_avx512);
}

AVX512 uint32_t scan_text_avx512(const char *p, uint32_t n, uint16_t *lf)
{
	SCAN_WALK_TEXT(bits_avx512, note_avx512);
}

#endif
