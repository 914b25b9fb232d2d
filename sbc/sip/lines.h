/*
 * lines: cuts a message head into lines with care, 64 bytes at a time.
 *
 * Private to sbc/sip. sip_msg_parse() and sip_peek_call_id() both walk a head
 * through scan_line(), so that they cannot disagree on where a line ends or which
 * lines are refused. Heads in which nothing is unusual are not walked by it but by
 * the offsets of base/scan.h; that both give the same index is tested.
 *
 * A block of 64 bytes becomes a word with one bit for each byte below 0x10: CR,
 * LF and NUL decide something, the others (HTAB) are passed over. Each byte of
 * the head is looked at once; a line costs as much as it has such bytes. The
 * *_plain functions are the meaning, the others the same by SSE2 where the
 * compiler has it; tests/unit/sip/lines_test.c compares them.
 */
#ifndef SBC_SIP_LINES_H
#define SBC_SIP_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SCAN_BLOCK 64u

/* One bit a byte of p[0..n) that is below 0x10; n is at most SCAN_BLOCK. */
static inline uint64_t scan_ctl_plain(const char *p, uint32_t n)
{
	uint64_t bits = 0;

	for (uint32_t i = 0; i < n; i++)
		bits |= (uint64_t)((uint8_t)p[i] < 0x10) << i;
	return bits;
}

/* First byte of p[0..n) that is SP or below, or n. */
static inline uint32_t scan_space_plain(const char *p, uint32_t n)
{
	uint32_t i = 0;

	while (i < n && (uint8_t)p[i] > ' ')
		i++;
	return i;
}

/* First ':' from p on, or `end`. */
static inline const char *scan_colon_plain(const char *p, const char *end)
{
	while (p < end && *p != ':')
		p++;
	return p;
}

#ifdef __SSE2__

static inline __m128i scan_load(const char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline uint32_t scan_below(__m128i v, char limit)
{
	return (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(limit)), v));
}

static inline uint64_t scan_ctl(const char *p, uint32_t n)
{
	if (n < SCAN_BLOCK)
		return scan_ctl_plain(p, n);
	return (uint64_t)scan_below(scan_load(p), 0x0f) |
	       (uint64_t)scan_below(scan_load(p + 16), 0x0f) << 16 |
	       (uint64_t)scan_below(scan_load(p + 32), 0x0f) << 32 |
	       (uint64_t)scan_below(scan_load(p + 48), 0x0f) << 48;
}

static inline uint32_t scan_space(const char *p, uint32_t n)
{
	uint32_t i = 0;

	for (; n - i >= 16; i += 16) {
		const uint32_t bits = scan_below(scan_load(p + i), ' ');

		if (bits)
			return i + (uint32_t)__builtin_ctz(bits);
	}
	return i + scan_space_plain(p + i, n - i);
}

/* Of a line whose first sixteen bytes have none. */
static inline const char *scan_colon_far(const char *p, const char *end)
{
	for (p += 16; end - p >= 16; p += 16) {
		const uint32_t bits = (uint32_t)_mm_movemask_epi8(
			_mm_cmpeq_epi8(scan_load(p), _mm_set1_epi8(':')));

		if (bits)
			return p + __builtin_ctz(bits);
	}
	return scan_colon_plain(p, end);
}

/* `room` bytes may be read at p: beyond `end`, as a rule. Most names are short. */
static inline const char *scan_colon(const char *p, const char *end, uint64_t room)
{
	if (room < 16)
		return scan_colon_plain(p, end);
	const uint32_t bits =
		(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(scan_load(p), _mm_set1_epi8(':')));

	if (!bits)
		return end - p > 16 ? scan_colon_far(p, end) : end;
	p += __builtin_ctz(bits);
	return p < end ? p : end;
}

#else

static inline uint64_t scan_ctl(const char *p, uint32_t n)
{
	return scan_ctl_plain(p, n < SCAN_BLOCK ? n : SCAN_BLOCK);
}

static inline uint32_t scan_space(const char *p, uint32_t n)
{
	return scan_space_plain(p, n);
}

static inline const char *scan_colon(const char *p, const char *end, uint64_t room)
{
	(void)room;
	return scan_colon_plain(p, end);
}

#endif

struct scan {
	const char *at; /* block whose bits are in `ctl` */
	const char *end;
	uint64_t ctl; /* of the block, those not met yet */
};

static inline void scan_fill(struct scan *s)
{
	const int64_t left = s->end - s->at;

	s->ctl = scan_ctl(s->at, left >= SCAN_BLOCK ? SCAN_BLOCK : (uint32_t)left);
}

static inline void scan_init(struct scan *s, const char *p, const char *end)
{
	s->at = p;
	s->end = end;
	scan_fill(s);
}

/* The next byte below 0x10, or NULL. */
static inline const char *scan_next(struct scan *s)
{
	while (!s->ctl) {
		if (s->end - s->at <= SCAN_BLOCK)
			return NULL;
		s->at += SCAN_BLOCK;
		scan_fill(s);
	}
	const char *h = s->at + __builtin_ctzll(s->ctl);

	s->ctl &= s->ctl - 1;
	return h;
}

struct scan_line {
	const char *end;  /* where CRLF or LF begins */
	const char *next; /* first byte of the next line */
	bool bad;         /* holds NUL, or CR that no LF follows */
};

/*
 * Cuts the next line, folded lines with it (RFC 3261 7.3.1): an empty one ends
 * where it begins. False when the input ends before the line does.
 */
static inline bool scan_line(struct scan *s, const char *p, struct scan_line *l)
{
	l->bad = false;
	for (;;) {
		const char *h = scan_next(s);

		if (h == NULL)
			return false;
		l->end = h;
		if (s->end - h > 1 && memcmp(h, "\r\n", 2) == 0) {
			/* LF's bit is the next one, here or first in the next block. */
			h++;
			if (s->ctl)
				s->ctl &= s->ctl - 1;
			else
				scan_next(s);
		} else if (*h != '\n') {
			l->bad |= *h == '\0' || *h == '\r';
			continue;
		}
		l->next = h + 1;
		/* The empty line is never folded: after it comes the body. */
		if (l->next == s->end || (uint8_t)*l->next > ' ' || l->end == p)
			return true;
		if (*l->next != ' ' && *l->next != '\t')
			return true;
	}
}

#endif
