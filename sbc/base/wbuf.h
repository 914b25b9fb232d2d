/*
 * wbuf: append-only writer over a caller's bytes.
 *
 * Writes that do not fit set `full` and write nothing, then and ever after:
 * callers compose without checking each step and test wbuf_ok() once. The
 * buffer is the caller's; lengths are bytes.
 */
#ifndef SBC_BASE_WBUF_H
#define SBC_BASE_WBUF_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sbc/base/slice.h"

struct wbuf {
	char *p;
	uint32_t n;
	uint32_t cap;
	bool full;
};

static inline void wbuf_init(struct wbuf *w, void *p, uint32_t cap)
{
	*w = (struct wbuf){.p = p, .cap = cap};
}

static inline bool wbuf_ok(const struct wbuf *w)
{
	return !w->full;
}

static inline struct slice wbuf_slice(const struct wbuf *w)
{
	return slice_of(w->p, w->n);
}

/*
 * memcpy() without a call for what is put most, pieces of 1 to 64 bytes: copies that
 * may overlap, all within the piece.
 */
static inline void wbuf_copy(char *to, const char *from, uint32_t n)
{
	if (n > 64) {
		memcpy(to, from, n);
	} else if (n > 32) {
		memcpy(to, from, 32);
		memcpy(to + n - 32, from + n - 32, 32);
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

/*
 * A piece that was composed aside, of less than 32 bytes: the mask changes nothing but
 * what compilers, which see the room that it was composed in, warn of.
 */
static inline struct slice wbuf_aside(const char *from, const char *end)
{
	return slice_of(from, (uint32_t)(end - from) & 31);
}

/* wbuf_put() of pieces whose length the compiler does not know. */
void wbuf_append(struct wbuf *w, const char *p, uint32_t n);

static inline void wbuf_put(struct wbuf *w, struct slice s)
{
	if (!__builtin_constant_p(s.n)) {
		wbuf_append(w, s.p, s.n);
		return;
	}
	if (w->full || s.n > w->cap - w->n) {
		w->full = true;
		return;
	}
	if (s.n && s.p)
		memcpy(w->p + w->n, s.p, s.n);
	w->n += s.n;
}

/*
 * For several pieces whose lengths are known: room for `n` bytes is asked for once and
 * they are written from a cursor on, which may live in a register; wbuf_took() says
 * where it came to. NULL: there is no room, now and ever after.
 */
static inline char *wbuf_room(struct wbuf *w, uint64_t n)
{
	if (w->full || n > w->cap - w->n) {
		w->full = true;
		return NULL;
	}
	return w->p + w->n;
}

static inline void wbuf_took(struct wbuf *w, const char *end)
{
	w->n = (uint32_t)(end - w->p);
}

/* A piece at the cursor, and where it ends. */
char *wbuf_copy_out(char *to, struct slice s);

static inline char *wbuf_copy_const(char *to, const char *p, uint32_t n)
{
	memcpy(to, p, n);
	return to + n;
}

#define wbuf_lit_out(to, s) wbuf_copy_const((to), (s), (uint32_t)(sizeof(s) - 1))

#define wbuf_lit(w, s) wbuf_put((w), SLICE_LIT(s))

static inline void wbuf_char(struct wbuf *w, char c)
{
	if (w->full || w->n == w->cap) {
		w->full = true;
		return;
	}
	w->p[w->n++] = c;
}

/* Decimal. */
void wbuf_u64(struct wbuf *w, uint64_t v);

/* Lower-case hexadecimal of `n` bytes. */
void wbuf_hex(struct wbuf *w, const uint8_t *bytes, uint32_t n);

#endif
