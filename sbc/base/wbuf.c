#include "sbc/base/wbuf.h"

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

/* Two digits for each division, and 32-bit ones as soon as they do. */
void wbuf_u64(struct wbuf *w, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	uint32_t at = sizeof(digits), low;

	for (; v > UINT32_MAX; v /= 100)
		memcpy(digits + (at -= 2), pairs + 2 * (v % 100), 2);
	for (low = (uint32_t)v; low >= 100; low /= 100)
		memcpy(digits + (at -= 2), pairs + 2 * (low % 100), 2);
	if (low >= 10)
		memcpy(digits + (at -= 2), pairs + 2 * low, 2);
	else
		digits[--at] = (char)('0' + low);
	/* No more than twenty: the mask changes nothing but what compilers warn of. */
	wbuf_put(w, slice_of(digits + at, ((uint32_t)sizeof(digits) - at) & 31));
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
