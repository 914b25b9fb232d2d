/*
 * wire: what every value must satisfy before it is written onto another wire.
 *
 * The index (sip/msg.h) is liberal in what it accepts: folding, bare LF, any
 * octet but NUL. What leaves is not: one line a header, CRLF, no control
 * character, quoted strings and UTF-8 well-formed (RFC 3261 25.1). A parser
 * behind the border that sees lines where ours saw a value would read headers
 * that nobody has looked at.
 */
#ifndef SBC_CORE_WIRE_H
#define SBC_CORE_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/slice.h"
#include "sbc/base/span.h"
#include "sbc/base/wbuf.h"

enum wire_class {
	WIRE_TOKEN = 1u << 0, /* RFC 3261 token */
	WIRE_USER = 1u << 1,  /* unreserved and user-unreserved, no escape */
	WIRE_DIGIT = 1u << 2,
	WIRE_ALPHA = 1u << 3,
	WIRE_HEX = 1u << 4,
	WIRE_LWS = 1u << 5, /* SP, HTAB, and CR and LF of a fold */
	WIRE_CTL = 1u << 6, /* all control characters but HTAB */
	/* Letters, digits and marks of users and names that can neither escape, nor separate, nor
	   stand in the writing of an address or host with a dot. */
	WIRE_PLAIN = 1u << 7
};

extern const uint8_t wire_class_of[256];

/* The same classes for scan_span(), by the number of their bit; and two more. */
enum wire_set_id {
	WIRE_SET_NAME = 8, /* WIRE_PLAIN and SP */
	WIRE_SET_LINE,     /* all but WIRE_CTL */
	WIRE_SET_TEXT,     /* ASCII, all but WIRE_CTL that is not WIRE_LWS */
	WIRE_SET_COUNT
};

extern const struct scan_set wire_set[WIRE_SET_COUNT];

static inline bool wire_is(char c, unsigned classes)
{
	return (wire_class_of[(uint8_t)c] & classes) != 0;
}

/* Non-empty and nothing but this class. */
static inline bool wire_all(struct slice s, enum wire_class class)
{
	return s.n > 0 && span_of(&wire_set[__builtin_ctz(class)], s.p, s.n) == s.n;
}

/* Non-empty, no control character but HTAB: may stand on a line as it is. */
static inline bool wire_is_line(struct slice s)
{
	return s.n > 0 && span_of(&wire_set[WIRE_SET_LINE], s.p, s.n) == s.n;
}

/*
 * Well-formed UTF-8 (RFC 3629): no overlong form, no surrogate, no control
 * character but HTAB and the CR and LF of folds, which wire_put() cuts.
 */
bool wire_is_utf8(struct slice s);

/* A whole quoted-string with both quotes; folds inside are tolerated, wire_put() cuts them. */
bool wire_is_quoted(struct slice s);

/* Nothing but WIRE_PLAIN and SP, perhaps nothing at all. */
static inline bool wire_is_plain(struct slice s)
{
	return span_of(&wire_set[WIRE_SET_NAME], s.p, s.n) == s.n;
}

/* Decimal digits only, at most `max` of them. */
static inline bool wire_is_digits(struct slice s, uint32_t max)
{
	return s.n <= max && wire_all(s, WIRE_DIGIT);
}

/* Whether `s` is one of the words of a space-separated list, ASCII case-insensitively. */
bool wire_in(const char *words, struct slice s);

/* Position of `needle` in `s`, ASCII case-insensitively, or -1. Bound both before: naive search. */
int32_t wire_isearch(struct slice s, struct slice needle);

/* Copies; each run of LWS that holds a line break, and each control character, becomes one SP. */
void wire_put(struct wbuf *w, struct slice s);

/*
 * Cuts the next token off a list with commas, semicolons and LWS between; what
 * is not a token up to the next comma or semicolon is skipped over. For lists
 * out of which only known words are taken.
 */
bool wire_next_token(struct slice *rest, struct slice *token);

/* A word of one to eight bytes as a number, which no other word has: the first byte lowest. */
#define WIRE_WORD(a, b, c, d, e, f, g, h)                                                          \
	((uint64_t)(a) | (uint64_t)(b) << 8 | (uint64_t)(c) << 16 | (uint64_t)(d) << 24 |          \
	 (uint64_t)(e) << 32 | (uint64_t)(f) << 40 | (uint64_t)(g) << 48 | (uint64_t)(h) << 56)

/* Equal for two tokens of letters and digits that differ in case: no other token's byte is. */
#define WIRE_ANY_CASE(word) ((word) | 0x2020202020202020u)

/* 0 for a longer one. */
static inline uint64_t wire_word(struct slice s)
{
	uint64_t word = 0;

	for (uint32_t i = 0; s.n <= 8 && i < s.n; i++)
		word |= (uint64_t)(uint8_t)s.p[i] << 8 * i;
	return word;
}

#endif
