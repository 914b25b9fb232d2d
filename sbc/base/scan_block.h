/*
 * scan_block: what all implementations do with the bits of 64 bytes.
 *
 * Private to sbc/base/scan*.c.
 */
#ifndef SBC_BASE_SCAN_BLOCK_H
#define SBC_BASE_SCAN_BLOCK_H

#include <stdbool.h>
#include <string.h>

#include "sbc/base/scan.h"

#define SCAN_INLINE static inline __attribute__((always_inline))

/* The greatest byte that is looked at as a control character. */
#define SCAN_HEAD_CTL 0x0f
#define SCAN_TEXT_CTL 0x1f

struct scan_walk {
	uint16_t *lf;
	uint32_t count;
	uint64_t odd;         /* any bit: not plain */
	uint64_t lf_carry;    /* the two last bits of the block before, at its end */
	uint64_t first_carry; /* the last one was the first of a pair */
};

/* An LF at offset 1 ends an empty line: as if one stood before the input. */
#define SCAN_WALK_START(lf) ((struct scan_walk){(lf), 0, 0, 2, 0})

struct scan_bits {
	uint64_t lf, ctl;
};

/*
 * Four are written whether they are there or not: a loop that ends after as many as
 * a block happens to have is mispredicted nearly every time. An empty instruction is
 * put between them, or compilers put the four together in a vector register first, which
 * takes longer than to write them.
 */
SCAN_INLINE void scan_block_note(struct scan_walk *w, uint64_t lf, uint32_t at)
{
	uint16_t *out = w->lf + w->count;
	uint64_t left = lf;

	for (uint32_t i = 0; i < 4; i++) {
		/* The top bit keeps an empty word from being asked for its lowest. */
		out[i] = (uint16_t)(at + (uint32_t)__builtin_ctzll(left | 1ull << 63));
		left &= left - 1;
		__asm__ volatile("" ::: "memory");
	}
	for (out += 4; left; left &= left - 1)
		*out++ = (uint16_t)(at + (uint32_t)__builtin_ctzll(left));
	w->count += (uint32_t)__builtin_popcountll(lf);
}

typedef void scan_note(struct scan_walk *w, uint64_t lf, uint32_t at);

/*
 * `lf`: LF, `ctl`: up to SCAN_HEAD_CTL, of the 64 bytes at `at`. Notes the LF that count
 * by `note`; true when the walk is over.
 */
SCAN_INLINE bool scan_head_take(struct scan_walk *w, struct scan_bits b, uint32_t at,
				scan_note *note)
{
	uint64_t lf = b.lf;
	const uint64_t first = b.ctl & ~lf;
	const uint64_t empty = lf & (lf << 2 | w->lf_carry);
	uint64_t odd = (first << 1 | w->first_carry) ^ lf;

	w->lf_carry = lf >> 62;
	w->first_carry = first >> 63;
	if (empty) {
		const uint64_t head = empty ^ (empty - 1);

		lf &= head;
		odd &= head;
	}
	w->odd |= odd;
	note(w, lf, at);
	return empty || w->count > SCAN_HEAD_LINES || w->odd;
}

/* What scan_head() answers; `ended`: by a block, not by the end of the input. */
SCAN_INLINE uint32_t scan_head_result(const struct scan_walk *w, bool ended)
{
	return ended && !w->odd && w->count <= SCAN_HEAD_LINES ? w->count : 0;
}

/* The same for a text, where all LF count and `ctl` is up to SCAN_TEXT_CTL. */
SCAN_INLINE bool scan_text_take(struct scan_walk *w, struct scan_bits b, uint32_t at,
				scan_note *note)
{
	const uint64_t first = b.ctl & ~b.lf;

	w->odd |= (first << 1 | w->first_carry) & ~b.lf;
	w->first_carry = first >> 63;
	note(w, b.lf, at);
	return w->odd || w->count > SCAN_TEXT_LINES;
}

SCAN_INLINE uint32_t scan_text_result(const struct scan_walk *w, bool ended)
{
	return ended || w->first_carry ? SCAN_NOT_PLAIN : w->count;
}

/* Of an input that is shorter than a block: it, with spaces behind it. */
SCAN_INLINE const char *scan_short_block(char *block, const char *p, uint32_t n)
{
	memset(block, ' ', SCAN_BLOCK);
	memcpy(block, p, n);
	return block;
}

/* The bits of the last `n` bytes of a block, with nothing behind them. */
SCAN_INLINE struct scan_bits scan_bits_last(struct scan_bits b, uint32_t n)
{
	return (struct scan_bits){b.lf >> (SCAN_BLOCK - n), b.ctl >> (SCAN_BLOCK - n)};
}

/*
 * The body of scan_head() or scan_text(), `kind`, for each width: `bits_of` is inlined
 * into it, and with it what it may use. For its last bytes the last 64 are looked at.
 */
#define SCAN_WALK(kind, limit, bits_of, note)                                                      \
	struct scan_walk w = SCAN_WALK_START(lf);                                                  \
	char block[SCAN_BLOCK];                                                                    \
	bool ended = false;                                                                        \
	uint32_t at = 0;                                                                           \
                                                                                                   \
	for (; n - at >= SCAN_BLOCK && !ended; at += SCAN_BLOCK)                                   \
		ended = scan_##kind##_take(&w, bits_of(p + at, limit), at, note);                  \
	if (!ended && at < n) {                                                                    \
		const struct scan_bits b =                                                         \
			at ? scan_bits_last(bits_of(p + n - SCAN_BLOCK, limit), n - at)            \
			   : bits_of(scan_short_block(block, p, n), limit);                        \
                                                                                                   \
		ended = scan_##kind##_take(&w, b, at, note);                                       \
	}                                                                                          \
	return scan_##kind##_result(&w, ended)

#define SCAN_WALK_HEAD(bits_of, note) SCAN_WALK(head, SCAN_HEAD_CTL, bits_of, note)
#define SCAN_WALK_TEXT(bits_of, note) SCAN_WALK(text, SCAN_TEXT_CTL, bits_of, note)

uint32_t scan_head_plain(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_text_plain(const char *p, uint32_t n, uint16_t *lf);

#ifdef __x86_64__
uint32_t scan_head_sse42(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_head_avx2(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_head_avx512(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_text_sse42(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_text_avx2(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_text_avx512(const char *p, uint32_t n, uint16_t *lf);
#endif
#ifdef __aarch64__
uint32_t scan_head_neon(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_text_neon(const char *p, uint32_t n, uint16_t *lf);
#endif

#endif
