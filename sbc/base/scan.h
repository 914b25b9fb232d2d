/*
 * scan: lines of a message head and runs of characters, many bytes at a time.
 *
 * scan_head() and scan_text() are chosen at run time from what the processor has:
 * AVX-512BW, AVX2, SSE4.2 or NEON, or eight bytes at a time in plain C. All of them
 * answer the same for every input (tests/unit/base/scan_test.c, tests/fuzz/scan_fuzz.c) and none
 * reads outside of p[0..n). The choice is made at the first call and kept in one
 * word that is written with equal values by whoever comes first: no lock, no
 * constructor, and nothing that a sanitizer's start would meet (an ifunc would be).
 *
 * The bitmaps of a block and the arithmetic on them are after Langdale and Lemire,
 * "Parsing Gigabytes of JSON per Second" (2019).
 */
#ifndef SBC_BASE_SCAN_H
#define SBC_BASE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#define SCAN_BLOCK      64u
#define SCAN_HEAD_LINES 66u /* more are not plain */
#define SCAN_HEAD_ROOM  (SCAN_HEAD_LINES + SCAN_BLOCK)

/*
 * The offsets of all LF in p[0..n) up to and with the one that ends the first empty
 * line: one at offset 1, or two bytes after another. Returns how many, the empty
 * line's included. 0 when the head is not plain, which is no verdict: somebody has
 * to look at each byte of it. A head is plain when it ends within p[0..n), has at most
 * SCAN_HEAD_LINES lines, and its bytes below 0x10 are pairs, each of any such byte but
 * LF and an LF. (Whether the first is CR, the caller sees at the offset before.)
 *
 * `lf` has SCAN_HEAD_ROOM entries; what is behind the count is undefined. `n` is at
 * most 65,535.
 */
uint32_t scan_head(const char *p, uint32_t n, uint16_t *lf);

#define SCAN_TEXT_LINES 256u /* more are not plain */
#define SCAN_TEXT_ROOM  (SCAN_TEXT_LINES + SCAN_BLOCK)
#define SCAN_NOT_PLAIN  UINT32_MAX

/*
 * The offsets of all LF in p[0..n), a text of lines. Returns how many, or SCAN_NOT_PLAIN,
 * which is no verdict either: there are more than SCAN_TEXT_LINES, or a byte below 0x20
 * other than LF that has no LF behind it. (Whether one that has is CR, the caller sees.)
 *
 * `lf` has SCAN_TEXT_ROOM entries; what is behind the count is undefined. `n` is at
 * most 65,535.
 */
uint32_t scan_text(const char *p, uint32_t n, uint16_t *lf);

struct scan_impl {
	const char *name;
	uint32_t (*head)(const char *p, uint32_t n, uint16_t *lf);
	uint32_t (*text)(const char *p, uint32_t n, uint16_t *lf);
};

/* The i-th that runs on this machine, the plain one first, the one chosen last; then NULL. */
const struct scan_impl *scan_impl_at(uint32_t i);

/*
 * A class of characters: bit h of row[l] is byte (h << 4 | l), for those below 0x80;
 * those above are members all together or not at all.
 */
struct scan_set {
	uint8_t row[16];
	bool high;
};

static inline bool scan_set_has(const struct scan_set *s, char c)
{
	const uint8_t b = (uint8_t)c;

	return b < 0x80 ? s->row[b & 15] >> (b >> 4) & 1 : s->high;
}

/*
 * How many bytes at the front of p[0..n) are of the class: all of them, or up to the
 * first that is not. Sixteen at a time where the compiler may use SSSE3 or NEON, which
 * runs of a few bytes, the usual ones here, would not gain from more than.
 */
uint32_t scan_span(const struct scan_set *s, const char *p, uint32_t n);
uint32_t scan_span_plain(const struct scan_set *s, const char *p, uint32_t n);

#endif
