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

#include "sbc/sip/chars.h"
#include "sbc/sip/msg.h"

#define SIP_NAME_ROOM 24u /* bytes a known header name may have; three 8-byte words */

/* Multipliers found by search over the names of names.c; the compiler checks them. */
#define SIP_NAME_SLOT(len, first, mid, last)                                                       \
	(((len)*63u + (first)*46u + (mid)*3u + (last)*16u) & 255u)

struct sip_name {
	char lower[SIP_NAME_ROOM]; /* zero-padded */
	uint8_t len;
	uint8_t id; /* enum sip_hdr */
};

extern const uint8_t sip_name_slot[256];   /* index into sip_name_table; 0: no name */
extern const uint8_t sip_name_compact[32]; /* by letter & 31: enum sip_hdr */
extern const struct sip_name sip_name_table[SIP_HDR_COUNT];

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

/* Bytes p[0..n) against a known name of the same length, no byte beyond read. */
static inline bool sip_name_eq(const char *p, uint32_t n, const struct sip_name *name)
{
	if (n >= 8) {
		for (uint32_t i = 0; i + 8 <= n; i += 8)
			if (!sip_name_word_eq(sip_name_word(p + i), sip_name_word(name->lower + i)))
				return false;
		return sip_name_word_eq(sip_name_word(p + n - 8),
					sip_name_word(name->lower + n - 8));
	}
	for (uint32_t i = 0; i < n; i++)
		if (slice_lower(p[i]) != name->lower[i])
			return false;
	return true;
}

static inline enum sip_hdr sip_name_find(const char *p, uint32_t n)
{
	if (n < 2)
		return n && sip_char_is_alpha(*p) ? sip_name_compact[*p & 31] : SIP_HDR_OTHER;
	const struct sip_name *name = &sip_name_table[sip_name_slot[SIP_NAME_SLOT(
		n, (uint8_t)p[0] | 0x20u, (uint8_t)p[n / 2] | 0x20u, (uint8_t)p[n - 1] | 0x20u)]];

	if (name->len != n || !sip_name_eq(p, n, name))
		return SIP_HDR_OTHER;
	return name->id;
}

#endif
