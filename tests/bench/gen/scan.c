#include "tests/bench/gen/scan.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

static void note_line(struct scan *s, uint32_t at, uint32_t n)
{
	if (s->lines < SCAN_LINES && at < n)
		s->line[s->lines++] = (uint16_t)at;
}

static void note_leak(struct scan *s, uint32_t at)
{
	if (!s->leak)
		s->leak_at = at;
	s->leak = true;
}

static bool is_at(const char *p, uint32_t n, uint32_t at, struct text t)
{
	return at + t.n <= n && memcmp(p + at, t.p, t.n) == 0;
}

static void scan_byte(struct scan *s, const char *p, uint32_t n, uint32_t at,
		      const struct scan_forbidden *f)
{
	if (p[at] == '\n')
		note_line(s, at + 1, n);
	if (f->mark != 0 && p[at] == f->mark)
		note_leak(s, at);
	for (uint32_t i = 0; i < 2; i++)
		if (f->string[i].n != 0 && is_at(p, n, at, f->string[i]))
			note_leak(s, at);
}

#ifdef __SSE2__

/* Where the first two bytes of `t` stand one after the other, among 16 positions. */
static inline uint32_t pairs_at(const char *p, const char *two)
{
	__m128i a = _mm_loadu_si128((const __m128i *)p);
	__m128i b = _mm_loadu_si128((const __m128i *)(p + 1));

	a = _mm_cmpeq_epi8(a, _mm_set1_epi8(two[0]));
	b = _mm_cmpeq_epi8(b, _mm_set1_epi8(two[1]));
	return (uint32_t)_mm_movemask_epi8(_mm_and_si128(a, b));
}

static void check_pairs(struct scan *s, const char *p, uint32_t n, uint32_t at, uint32_t hits,
			struct text t)
{
	for (; hits != 0; hits &= hits - 1) {
		uint32_t here = at + (uint32_t)__builtin_ctz(hits);

		if (is_at(p, n, here, t))
			note_leak(s, here);
	}
}

/* Whole blocks, as long as the byte behind a block may be read. */
static uint32_t scan_blocks(struct scan *s, const char *p, uint32_t n,
			    const struct scan_forbidden *f)
{
	const __m128i newline = _mm_set1_epi8('\n'), mark = _mm_set1_epi8(f->mark);
	uint32_t at = 0;

	for (; at + 17 <= n; at += 16) {
		__m128i block = _mm_loadu_si128((const __m128i *)(p + at));
		uint32_t hits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, newline));

		for (; hits != 0; hits &= hits - 1)
			note_line(s, at + (uint32_t)__builtin_ctz(hits) + 1, n);
		hits = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block, mark));
		if (hits != 0 && f->mark != 0)
			note_leak(s, at + (uint32_t)__builtin_ctz(hits));
		for (uint32_t i = 0; i < 2; i++)
			if (f->string[i].n != 0 && (hits = pairs_at(p + at, f->string[i].p)) != 0)
				check_pairs(s, p, n, at, hits, f->string[i]);
	}
	return at;
}

#else

static uint32_t scan_blocks(struct scan *s, const char *p, uint32_t n,
			    const struct scan_forbidden *f)
{
	(void)s, (void)p, (void)n, (void)f;
	return 0;
}

#endif

void scan_message(struct scan *s, const char *p, uint32_t n, const struct scan_forbidden *f)
{
	s->lines = 0;
	s->leak = false;
	note_line(s, 0, n);
	for (uint32_t at = scan_blocks(s, p, n, f); at < n; at++)
		scan_byte(s, p, n, at, f);
}
