/*
 * names: header and method names of SIP, found without a loop over the list.
 *
 * Private to sbc/sip; the public side is sip_hdr_parse() and its kin in msg.h.
 * A header name's length and three of its letters make a slot number; the slot
 * table is perfect for the names we know (two names in one slot would not
 * compile), and the name found there is compared whole: a name made to fall into
 * Via's slot is still not Via.
 */
#ifndef SBC_SIP_NAMES_H
#define SBC_SIP_NAMES_H

#include <assert.h>

#include "sbc/sip/chars.h"
#include "sbc/sip/lines.h"
#include "sbc/sip/msg.h"

#define SIP_NAME_ROOM 30u /* bytes a known header name may have */

/*
 * Multiplicative hash; its factor was found by search over the names of names.c,
 * and the compiler checks that it separates them. 0x202020 folds the letters.
 */
#define SIP_NAME_SLOT(len, first, mid, last)                                                       \
	(((((uint32_t)(len) << 24 | (uint32_t)(last) << 16 | (uint32_t)(mid) << 8 |                \
	    (uint32_t)(first)) |                                                                   \
	   0x202020u) *                                                                            \
	  0x27419a5fu) >>                                                                          \
	 24)

struct sip_name {
	char lower[SIP_NAME_ROOM]; /* with the colon behind it, zero-padded */
	uint8_t len;
	uint8_t id; /* enum sip_hdr */
};

static_assert(sizeof(struct sip_name) == 32, "two names a cache line, indexed by a shift");

extern const uint8_t sip_name_slot[256];   /* index into sip_name_table; 0: no name */
extern const uint8_t sip_name_compact[32]; /* by letter & 31: enum sip_hdr */
extern const struct sip_name sip_name_table[SIP_HDR_COUNT] __attribute__((aligned(32)));

static inline uint64_t sip_name_word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	return w;
}

/*
 * Whether eight bytes are equal but for case. `lower` holds only lower-case
 * letters and '-': bit 6 tells a letter, and only there bit 5 is set in `w`.
 * Exact: no other byte than its two cases becomes a letter that way.
 */
static inline bool sip_name_word_eq(uint64_t w, uint64_t lower)
{
	return (w | (lower & 0x4040404040404040u) >> 1) == lower;
}

/* Bytes p[0..n) against a known name of the same length, at least two. */
static inline bool sip_name_eq_plain(const char *p, uint32_t n, const struct sip_name *name)
{
	uint32_t i = 0;

	for (; n - i >= 8; i += 8)
		if (!sip_name_word_eq(sip_name_word(p + i), sip_name_word(name->lower + i)))
			return false;
	for (; i < n; i++)
		if (slice_lower(p[i]) != name->lower[i])
			return false;
	return true;
}

#ifdef __SSE2__

/* One bit for each of sixteen bytes that is the name's but for case. */
static inline uint32_t sip_name_same(__m128i bytes, const char *name)
{
	const __m128i lower = scan_load(name);
	const __m128i letter = _mm_and_si128(lower, _mm_set1_epi8(0x40));
	const __m128i v = _mm_or_si128(bytes, _mm_srli_epi16(letter, 1));

	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, lower));
}

/* The same sixteen bytes at a time, of a longer one the last: `room` bytes may be read at p. */
static inline bool sip_name_eq(const char *p, uint32_t n, uint64_t room,
			       const struct sip_name *name)
{
	if (room < 16)
		return sip_name_eq_plain(p, n, name);
	if (n <= 16)
		return (~sip_name_same(scan_load(p), name->lower) & ((1u << n) - 1)) == 0;
	return (sip_name_same(scan_load(p), name->lower) &
		sip_name_same(scan_load(p + n - 16), name->lower + n - 16)) == 0xffff;
}

#else

static inline bool sip_name_eq(const char *p, uint32_t n, uint64_t room,
			       const struct sip_name *name)
{
	(void)room;
	return sip_name_eq_plain(p, n, name);
}

#endif

/* `room` is how many bytes may be read at p; at least n. */
static inline enum sip_hdr sip_name_find(const char *p, uint32_t n, uint64_t room)
{
	if (n < 2)
		return n && sip_char_is_alpha(*p) ? sip_name_compact[*p & 31] : SIP_HDR_OTHER;
	const uint32_t slot =
		SIP_NAME_SLOT(n & 0xff, (uint8_t)p[0], (uint8_t)p[n / 2], (uint8_t)p[n - 1]);
	const struct sip_name *name = &sip_name_table[sip_name_slot[slot]];

	if (name->len != n || !sip_name_eq(p, n, room, name))
		return SIP_HDR_OTHER;
	return name->id;
}

#endif
