#include "sbc/base/wbuf.h"

#include "sbc/base/decimal.h"

#ifdef __SSSE3__
#include <immintrin.h>
#endif

void wbuf_append(struct wbuf *w, const char *p, uint32_t n)
{
	if (w->full || n > w->cap - w->n) {
		w->full = true;
		return;
	}
	if (n && p)
		wbuf_copy(w->p + w->n, p, n);
	w->n += n;
}

char *wbuf_copy_out(char *to, struct slice s)
{
	if (s.n)
		wbuf_copy(to, s.p, s.n);
	return to + s.n;
}

/* In place where there is room for the longest, else aside first. */
void wbuf_u64(struct wbuf *w, uint64_t v)
{
	char digits[DECIMAL_MAX];

	if (!w->full && w->cap - w->n >= DECIMAL_MAX)
		wbuf_took(w, decimal_write(w->p + w->n, v));
	else
		wbuf_put(w, wbuf_aside(digits, decimal_write(digits, v)));
}

static const char digit[] = "0123456789abcdef";

/* A cursor of its own: a byte written through w->p could be part of *w. */
static inline void hex_plain(char *at, const uint8_t *bytes, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		*at++ = digit[bytes[i] >> 4];
		*at++ = digit[bytes[i] & 15];
	}
}

#ifdef __SSSE3__

/* Eight bytes at a time: their halves side by side are where the digits are looked up. */
static inline void hex(char *at, const uint8_t *bytes, uint32_t n)
{
	const __m128i digits = _mm_loadu_si128((const __m128i *)(const void *)digit);
	const __m128i half = _mm_set1_epi8(0x0f);

	for (; n >= 8; n -= 8, bytes += 8, at += 16) {
		const __m128i v = _mm_loadl_epi64((const __m128i *)(const void *)bytes);
		const __m128i halves = _mm_unpacklo_epi8(_mm_srli_epi16(v, 4), v);

		_mm_storeu_si128((__m128i *)(void *)at,
				 _mm_shuffle_epi8(digits, _mm_and_si128(halves, half)));
	}
	hex_plain(at, bytes, n);
}

#else

static inline void hex(char *at, const uint8_t *bytes, uint32_t n)
{
	hex_plain(at, bytes, n);
}

#endif

void wbuf_hex(struct wbuf *w, const uint8_t *bytes, uint32_t n)
{
	/* All or nothing, as for any other write. */
	if (w->full || n > (w->cap - w->n) / 2) {
		w->full = true;
		return;
	}
	hex(w->p + w->n, bytes, n);
	w->n += 2 * n;
}
