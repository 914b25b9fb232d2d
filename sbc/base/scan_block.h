/*
 * scan_block: what all implementations of scan_head() do with the bits of 64 bytes.
 *
 * Private to sbc/base/scan*.c.
 */
#ifndef SBC_BASE_SCAN_BLOCK_H
#define SBC_BASE_SCAN_BLOCK_H

#include <stdbool.h>

#include "sbc/base/scan.h"

#define SCAN_INLINE static inline __attribute__((always_inline))

struct scan_walk {
	uint16_t *lf;
	uint32_t count;
	uint64_t odd;         /* any bit: not plain */
	uint64_t lf_carry;    /* the two last bits of the block before, at its end */
	uint64_t first_carry; /* the last one was the first of a pair */
};

/* An LF at offset 1 ends an empty line: as if one stood before the input. */
#define SCAN_WALK_START(lf) ((struct scan_walk){(lf), 0, 0, 2, 0})

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

/*
 * `lf`: LF, `ctl`: below 0x10, of the 64 bytes at `at`. Notes the LF that count by
 * `note`; true when the walk is over.
 */
SCAN_INLINE bool scan_block_take_by(struct scan_walk *w, uint64_t lf, uint64_t ctl, uint32_t at,
				    void (*note)(struct scan_walk *, uint64_t, uint32_t))
{
	const uint64_t first = ctl & ~lf;
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

SCAN_INLINE bool scan_block_take(struct scan_walk *w, uint64_t lf, uint64_t ctl, uint32_t at)
{
	return scan_block_take_by(w, lf, ctl, at, scan_block_note);
}

/* What scan_head() answers; `ended`: by a block, not by the end of the input. */
SCAN_INLINE uint32_t scan_walk_result(const struct scan_walk *w, bool ended)
{
	return ended && !w->odd && w->count <= SCAN_HEAD_LINES ? w->count : 0;
}

uint32_t scan_head_plain(const char *p, uint32_t n, uint16_t *lf);

#ifdef __x86_64__
uint32_t scan_head_sse42(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_head_avx2(const char *p, uint32_t n, uint16_t *lf);
uint32_t scan_head_avx512(const char *p, uint32_t n, uint16_t *lf);
#endif
#ifdef __aarch64__
uint32_t scan_head_neon(const char *p, uint32_t n, uint16_t *lf);
#endif

#endif
