/*
 * scan: cuts a message head into lines, sixteen bytes at a time.
 *
 * Private to sbc/sip. sip_msg_parse() and sip_peek_call_id() both walk a head
 * through scan_line(), so that they cannot disagree on where a line ends, where
 * its name ends, or which lines are refused.
 *
 * The block functions give, for sixteen bytes, one bit a byte: `ctl` for NUL, LF
 * and CR (and whatever else is below 0x10, such as HTAB, which the caller sorts
 * out), `colon` for ':'. scan_block_plain() is the meaning; scan_block() is the
 * same by SSE2 where the compiler has it. tests/unit/sip/scan_test.c compares.
 */
#ifndef SBC_SIP_SCAN_H
#define SBC_SIP_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SCAN_BLOCK 16

struct scan_mask {
	uint32_t ctl;
	uint32_t colon;
};

/* At most SCAN_BLOCK bytes, `n` of them readable. */
static inline struct scan_mask scan_block_plain(const char *p, uint32_t n)
{
	struct scan_mask m = {0, 0};

	for (uint32_t i = 0; i < n; i++) {
		m.ctl |= (uint32_t)((uint8_t)p[i] < 0x10) << i;
		m.colon |= (uint32_t)(p[i] == ':') << i;
	}
	return m;
}

/* SCAN_BLOCK readable bytes. */
static inline struct scan_mask scan_block(const char *p)
{
#ifdef __SSE2__
	const __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	const __m128i ctl = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x0f)), v);
	const __m128i colon = _mm_cmpeq_epi8(v, _mm_set1_epi8(':'));

	return (struct scan_mask){(uint32_t)_mm_movemask_epi8(ctl),
				  (uint32_t)_mm_movemask_epi8(colon)};
#else
	return scan_block_plain(p, SCAN_BLOCK);
#endif
}

struct scan_line {
	const char *colon; /* first one, NULL when there is none */
	const char *end;   /* where CRLF or LF begins */
	const char *next;  /* first byte of the next line */
	bool bad;          /* holds NUL, or CR that no LF follows */
};

/* What one control byte at `h` means for the line it stands in. */
enum scan_hit { SCAN_GO_ON, SCAN_END };

static inline enum scan_hit scan_control(const char *h, const char *end, struct scan_line *l)
{
	if (*h == '\r' && end - h > 1 && h[1] == '\n') {
		l->next = h + 2;
	} else if (*h == '\n') {
		l->next = h + 1;
	} else {
		l->bad |= *h == '\0' || *h == '\r';
		return SCAN_GO_ON;
	}
	l->end = h;
	return SCAN_END;
}

static inline bool scan_is_fold(const char *p, const char *end)
{
	return p < end && (*p == ' ' || *p == '\t');
}

/*
 * Cuts the line that begins at `p`, folded lines with it (RFC 3261 7.3.1). False
 * when the input ends before the line does.
 */
static inline bool scan_line(const char *p, const char *end, struct scan_line *l)
{
	l->colon = NULL;
	l->bad = false;
	for (;;) {
		const char *from = p;
		const uint32_t n = end - p >= SCAN_BLOCK ? SCAN_BLOCK : (uint32_t)(end - p);
		struct scan_mask m = n == SCAN_BLOCK ? scan_block(p) : scan_block_plain(p, n);

		p += n;
		if (l->colon == NULL && m.colon)
			l->colon = from + __builtin_ctz(m.colon);
		for (; m.ctl; m.ctl &= m.ctl - 1) {
			const char *h = from + __builtin_ctz(m.ctl);

			if (scan_control(h, end, l) == SCAN_GO_ON)
				continue;
			if (!scan_is_fold(l->next, end)) {
				if (l->colon != NULL && l->colon > h)
					l->colon = NULL;
				return true;
			}
			p = l->next;
			break;
		}
		if (n < SCAN_BLOCK && p == end)
			return false;
	}
}

/* Whether the head ends here; `*body` is then set behind the empty line. */
static inline bool scan_is_empty_line(const char *p, const char *end, const char **body)
{
	const uint32_t n = p < end && *p == '\r' ? 1 : 0;

	if (end - p <= n || p[n] != '\n')
		return false;
	*body = p + n + 1;
	return true;
}

#endif
