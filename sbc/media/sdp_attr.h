/*
 * sdp_attr: the names of attributes, found without a loop over the list.
 *
 * Private to sbc/media/sdp*.c. A name's length and three of its letters make a slot
 * number; two known names in one slot would not compile. The name that stands in the
 * slot is compared whole: one made to fall into rtpmap's slot is still not rtpmap.
 */
#ifndef SBC_MEDIA_SDP_ATTR_H
#define SBC_MEDIA_SDP_ATTR_H

#include <assert.h>

#include "sbc/media/sdp.h"

/* What sdp_parse() reads of an attribute; the directions in the order of their enum. */
enum sdp_kind {
	SDP_KIND_OTHER,
	SDP_KIND_RTPMAP,
	SDP_KIND_RTCP,
	SDP_KIND_RTCP_MUX,
	SDP_KIND_SENDRECV,
	SDP_KIND_SENDONLY,
	SDP_KIND_RECVONLY,
	SDP_KIND_INACTIVE,
};

struct sdp_attr_name {
	char lower[29]; /* zero-padded */
	uint8_t len;    /* 0: no name has this slot */
	uint8_t policy; /* enum sdp_attr */
	uint8_t kind;   /* enum sdp_kind */
};

static_assert(sizeof(struct sdp_attr_name) == 32, "indexed by a shift, none in two cache lines");

/*
 * Of the length, the first two letters as they stand in memory and the last but one. The
 * factor was found by search over the names; 0x202020 folds the letters.
 */
#define SDP_ATTR_SLOT(len, two, before_last)                                                       \
	(((((uint32_t)(len) << 24 | (uint32_t)(before_last) << 16 | (uint32_t)(two)) |             \
	   0x202020u) *                                                                            \
	  0xc650e025u) >>                                                                          \
	 24)
#define SDP_ATTR_TWO(first, second) ((uint32_t)(uint8_t)(second) << 8 | (uint8_t)(first))

extern const struct sdp_attr_name sdp_attr_name[256] __attribute__((aligned(64)));

/* The name in front of an a= line's first colon, or all of it. */
struct sdp_attr_read {
	uint32_t n;     /* bytes of the name */
	uint8_t policy; /* SDP_ATTR_DROP for what is no name: empty, or with a space in it */
	uint8_t kind;
};

/* Whatever stands there, byte by byte. */
struct sdp_attr_read sdp_attr_read_any(struct slice line);

static inline uint64_t sdp_attr_word(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

/* Bit 7 of the first byte of `w` that is a colon is its lowest bit; 0: none is. */
static inline uint64_t sdp_attr_colons(uint64_t w)
{
	const uint64_t x = w ^ 0x3a3a3a3a3a3a3a3au;

	return (x - 0x0101010101010101u) & ~x & 0x8080808080808080u;
}

/*
 * Which bits differ, case apart. `lower` has lower-case letters, '-' and digits: bit 6
 * tells a letter, and only there bit 5 is set in `w`. Exact: no other byte than its two
 * cases becomes a letter that way.
 */
static inline uint64_t sdp_attr_differ(uint64_t w, uint64_t lower)
{
	return (w | (lower & 0x4040404040404040u) >> 1) ^ lower;
}

/*
 * sdp_attr_read_any() of a line whose bytes stand at p too, where 16 may be read, whatever
 * is behind the line's. A name that is longer than these goes the careful way.
 */
static inline struct sdp_attr_read sdp_attr_read_words(const char *p, struct slice line)
{
	const uint64_t low = sdp_attr_word(p);

	/* These two are half of all attributes; no line end could stand in what is compared. */
	if (low << 8 == sdp_attr_word("\0rtpmap:"))
		return (struct sdp_attr_read){6, SDP_ATTR_CARRY, SDP_KIND_RTPMAP};
	if (low << 24 == sdp_attr_word("\0\0\0fmtp:"))
		return (struct sdp_attr_read){4, SDP_ATTR_CARRY, SDP_KIND_OTHER};

	const uint64_t in_low = sdp_attr_colons(low);
	uint32_t n = (uint32_t)__builtin_ctzll(in_low | 1ull << 63) >> 3;
	uint64_t high = 0;

	if (!in_low) {
		high = sdp_attr_word(p + 8);
		const uint64_t in_high = sdp_attr_colons(high);

		n = in_high ? 8 + ((uint32_t)__builtin_ctzll(in_high) >> 3) : 17;
	}
	if (n > line.n)
		n = line.n;
	if (n - 2 > 14)
		return sdp_attr_read_any(line);
	const struct sdp_attr_name *name =
		&sdp_attr_name[SDP_ATTR_SLOT(n, low & 0xffff, (uint8_t)p[n - 2])];
	uint64_t differ = sdp_attr_differ(low, sdp_attr_word(name->lower));

	/* What is behind the name is shifted out. */
	if (n <= 8)
		differ <<= 64 - 8 * n;
	else
		differ |= sdp_attr_differ(high, sdp_attr_word(name->lower + 8)) << (128 - 8 * n);
	if (name->len != n || differ != 0)
		return sdp_attr_read_any(line);
	return (struct sdp_attr_read){n, name->policy, name->kind};
}

/* `room`: how many bytes may be read at line.p, at least line.n. */
static inline struct sdp_attr_read sdp_attr_read(struct slice line, uint32_t room)
{
	char last[16] = {0};

	if (room >= sizeof(last))
		return sdp_attr_read_words(line.p, line);
	memcpy(last, line.p, room);
	return sdp_attr_read_words(last, line);
}

#endif
