/*
 * chars: the character classes of RFC 3261 section 25.1, one table lookup each.
 *
 * Private to sbc/sip. Where a class is wider than the RFC's, the deviation is
 * said beside it; it is never wider by a byte that separates anything.
 */
#ifndef SBC_SIP_CHARS_H
#define SBC_SIP_CHARS_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/slice.h"
#include "sbc/base/span.h"

enum sip_char {
	SIP_CH_TOKEN = 1u << 0,   /* token */
	SIP_CH_USER = 1u << 1,    /* unreserved and user-unreserved, and '#', which phones dial */
	SIP_CH_PASS = 1u << 2,    /* unreserved and what 25.1 adds for password */
	SIP_CH_PARAM = 1u << 3,   /* paramchar without escaped */
	SIP_CH_HEADER = 1u << 4,  /* hnv-unreserved and unreserved */
	SIP_CH_HOST = 1u << 5,    /* letters, digits, '-', '.', and '_', which hosts do have */
	SIP_CH_VALUE = 1u << 6,   /* bare parameter value: visible, or not ASCII, no separator */
	SIP_CH_DISPLAY = 1u << 7, /* bare display name: token, SP, HTAB, and what is unambiguous */
};

extern const uint8_t sip_chars[256];

/* The same classes for scan_span(), by the number of their bit; and two that are unions. */
enum sip_set {
	SIP_SET_NAME = 8, /* of a parameter: SIP_CH_TOKEN or SIP_CH_PARAM */
	SIP_SET_URI,      /* visible or not ASCII, but for '<', '>' and '"' */
	SIP_SET_COUNT
};

extern const struct scan_set sip_set[SIP_SET_COUNT];

static inline const struct scan_set *sip_set_of(enum sip_char class)
{
	return &sip_set[__builtin_ctz(class)];
}

static inline bool sip_char_is(char c, enum sip_char class)
{
	return (sip_chars[(uint8_t)c] & class) != 0;
}

static inline bool sip_char_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool sip_char_is_hex(char c)
{
	return sip_char_is_digit(c) || (slice_lower(c) >= 'a' && slice_lower(c) <= 'f');
}

static inline bool sip_char_is_alpha(char c)
{
	return slice_lower(c) >= 'a' && slice_lower(c) <= 'z';
}

/* LWS once the scanner has made sure that CR and LF only occur in a fold. */
static inline bool sip_char_is_lws(char c)
{
	return (uint8_t)c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

static inline bool sip_char_all(struct slice s, enum sip_char class)
{
	return span_of(sip_set_of(class), s.p, s.n) == s.n;
}

static inline bool sip_is_token(struct slice s)
{
	return s.n != 0 && sip_char_all(s, SIP_CH_TOKEN);
}

/* Every byte of the class or a whole %hh. */
bool sip_char_all_or_escaped(struct slice s, enum sip_char class);

/* ---- cursors: what remains of a value, cut from the front ---- */

static inline void sip_cut(struct slice *s, uint32_t n)
{
	s->p += n;
	s->n -= n;
}

static inline void sip_cut_lws(struct slice *s)
{
	while (s->n && sip_char_is_lws(*s->p))
		sip_cut(s, 1);
}

/* Cuts `c` with the white space around it (RFC 3261's SEMI, COLON, SLASH ...). */
static inline bool sip_cut_sep(struct slice *s, char c)
{
	struct slice t = *s;

	sip_cut_lws(&t);
	if (!t.n || *t.p != c)
		return false;
	sip_cut(&t, 1);
	sip_cut_lws(&t);
	*s = t;
	return true;
}

/* The longest prefix of one class, possibly empty. */
static inline struct slice sip_cut_class(struct slice *s, enum sip_char class)
{
	const uint32_t n = span_of(sip_set_of(class), s->p, s->n);
	struct slice out = slice_of(s->p, n);

	sip_cut(s, n);
	return out;
}

/*
 * The length of the quoted string at the front, quotes included, or 0 when it
 * does not end (RFC 3261 25.1: a backslash takes the next byte as it is).
 */
uint32_t sip_quoted_len(struct slice s);

#endif
