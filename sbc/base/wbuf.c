#include "sbc/base/wbuf.h"

/*
 * memcpy() without a call for what is put most, pieces of up to 32 bytes: two copies
 * that may overlap, both within the piece.
 */
static inline void copy(char *to, const char *from, uint32_t n)
{
	if (n > 32) {
		memcpy(to, from, n);
	} else if (n >= 16) {
		memcpy(to, from, 16);
		memcpy(to + n - 16, from + n - 16, 16);
	} else if (n >= 8) {
		memcpy(to, from, 8);
		memcpy(to + n - 8, from + n - 8, 8);
	} else if (n >= 4) {
		memcpy(to, from, 4);
		memcpy(to + n - 4, from + n - 4, 4);
	} else {
		to[0] = from[0];
		to[n / 2] = from[n / 2];
		to[n - 1] = from[n - 1];
	}
}

void wbuf_append(struct wbuf *w, const char *p, uint32_t n)
{
	if (w->full || n > w->cap - w->n) {
		w->full = true;
		return;
	}
	if (n && p)
		copy(w->p + w->n, p, n);
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
	wbuf_put(w, slice_of(digits + at, (uint32_t)sizeof(digits) - at));
}

void wbuf_hex(struct wbuf *w, const uint8_t *bytes, uint32_t n)
{
	static const char digit[] = "0123456789abcdef";

	/* All or nothing, as for any other write. */
	if (w->full || n > (w->cap - w->n) / 2) {
		w->full = true;
		return;
	}
	/* A cursor of its own: a byte written through w->p could be part of *w. */
	char *at = w->p + w->n;

	for (uint32_t i = 0; i < n; i++) {
		*at++ = digit[bytes[i] >> 4];
		*at++ = digit[bytes[i] & 15];
	}
	w->n += 2 * n;
}
