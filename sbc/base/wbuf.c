#include "sbc/base/wbuf.h"

void wbuf_u64(struct wbuf *w, uint64_t v)
{
	char digits[20];
	uint32_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
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
	for (uint32_t i = 0; i < n; i++) {
		w->p[w->n++] = digit[bytes[i] >> 4];
		w->p[w->n++] = digit[bytes[i] & 15];
	}
}
