/*
 * text: pieces of messages by value, and a writer that appends them.
 *
 * Who writes gives room for the longest message: lengths of what comes from the
 * other side are bounded where it is read (message.h).
 */
#ifndef TESTS_BENCH_GEN_TEXT_H
#define TESTS_BENCH_GEN_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct text {
	const char *p;
	uint32_t n;
};

#define TEXT(literal) ((struct text){literal, sizeof(literal) - 1})

static inline bool text_eq(struct text a, struct text b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static inline bool text_begins(struct text a, struct text with)
{
	return a.n >= with.n && memcmp(a.p, with.p, with.n) == 0;
}

struct out {
	char *p;
};

static inline void out_put(struct out *o, const char *p, uint32_t n)
{
	memcpy(o->p, p, n);
	o->p += n;
}

static inline void out_text(struct out *o, struct text t)
{
	out_put(o, t.p, t.n);
}

/* Of constant length: becomes a few stores. */
#define out_lit(o, literal)                                                                        \
	do {                                                                                       \
		memcpy((o)->p, literal, sizeof(literal) - 1);                                      \
		(o)->p += sizeof(literal) - 1;                                                     \
	} while (0)

static inline void out_hex8(struct out *o, uint32_t v)
{
	static const char digit[] = "0123456789abcdef";

	for (int shift = 28; shift >= 0; shift -= 4)
		*o->p++ = digit[v >> shift & 15];
}

static inline void out_number(struct out *o, uint32_t v)
{
	char digits[10];
	uint32_t n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	while (n > 0)
		*o->p++ = digits[--n];
}

/* Exactly eight hexadecimal digits, as out_hex8() writes them. */
static inline bool text_hex8(const char *p, uint32_t *v)
{
	uint32_t sum = 0;

	for (int i = 0; i < 8; i++) {
		uint8_t c = (uint8_t)p[i], digit;

		if (c >= '0' && c <= '9')
			digit = (uint8_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (uint8_t)(c - 'a' + 10);
		else
			return false;
		sum = sum << 4 | digit;
	}
	*v = sum;
	return true;
}

/* Digits at the front of `t`, at most nine; returns how many. */
static inline uint32_t text_number(struct text t, uint32_t *v)
{
	uint32_t n = 0, sum = 0;

	while (n < t.n && n < 9 && t.p[n] >= '0' && t.p[n] <= '9')
		sum = sum * 10 + (uint32_t)(t.p[n++] - '0');
	*v = sum;
	return n;
}

#endif
