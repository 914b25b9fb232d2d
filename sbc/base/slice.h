/*
 * slice: a run of bytes somebody else owns, passed by value.
 *
 * A slice never owns memory and is never NUL-terminated. `p` may be NULL only
 * when `n` is 0. Lengths are bytes. Comparison of protocol tokens that RFC 3261
 * section 7.3.1 calls case-insensitive goes through slice_ieq(), which folds
 * ASCII only: the locale has no say on the wire.
 */
#ifndef SBC_BASE_SLICE_H
#define SBC_BASE_SLICE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct slice {
	const char *p;
	uint32_t n;
};

#define SLICE_NONE   ((struct slice){NULL, 0})
#define SLICE_LIT(s) ((struct slice){(s), (uint32_t)(sizeof(s) - 1)})

static inline struct slice slice_of(const char *p, uint32_t n)
{
	return (struct slice){p, n};
}

static inline struct slice slice_str(const char *s)
{
	return (struct slice){s, (uint32_t)strlen(s)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline char slice_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* Equal but for case, of one length: slice_ieq() when the lengths have been compared. */
bool slice_ieq_bytes(const char *a, const char *b, uint32_t n);

static inline bool slice_ieq(struct slice a, struct slice b)
{
	return a.n == b.n && slice_ieq_bytes(a.p, b.p, a.n);
}

bool slice_starts(struct slice s, struct slice prefix);

struct slice slice_trim_space(struct slice s);

/* Without SP, HTAB, CR and LF at both ends: RFC 3261 LWS once folding is cut. */
static inline struct slice slice_trim(struct slice s)
{
	/* As most are already. */
	if (s.n && (uint8_t)s.p[0] > ' ' && (uint8_t)s.p[s.n - 1] > ' ')
		return s;
	return slice_trim_space(s);
}

/* First position of `c`, or -1. */
int32_t slice_find(struct slice s, char c);

/* First position of `needle` as bytes, or -1; an empty needle is never found. */
int32_t slice_search(struct slice s, struct slice needle);

/* The whole slice as decimal digits, nothing else, no larger than `max`. */
bool slice_u32(struct slice s, uint32_t max, uint32_t *out);

#endif
