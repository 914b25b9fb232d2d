/*
 * head: one header line, cut and named.
 *
 * Private to sbc/sip: the step that sip_msg_parse() and sip_peek_call_id() share,
 * so that both see the same headers in the same bytes.
 */
#ifndef SBC_SIP_HEAD_H
#define SBC_SIP_HEAD_H

#include "sbc/sip/chars.h"
#include "sbc/sip/lines.h"
#include "sbc/sip/names.h"

#define HEAD_MAX_NAME   255u
#define HEAD_USUAL_ROOM 18

struct head_line {
	const char *name;
	const char *value;
	const char *value_end;
	uint32_t name_len;
	enum sip_hdr id;
};

/* A name that is not known as it stands: cuts what may precede the colon, and checks it. */
static inline const char *head_name_other(struct head_line *h, uint64_t room)
{
	const uint32_t whole = h->name_len;

	while (h->name_len && (h->name[h->name_len - 1] == ' ' || h->name[h->name_len - 1] == '\t'))
		h->name_len--;
	if (h->name_len != whole)
		h->id = sip_name_find(h->name, h->name_len, room);
	if (h->id == SIP_HDR_OTHER && !sip_is_token(slice_of(h->name, h->name_len)))
		return "Malformed Header Name";
	return h->name_len > HEAD_MAX_NAME ? "Header Name Too Long" : NULL;
}

/*
 * Null when the line at `p` is a header line, else what is wrong with it (static
 * text). `message_end` bounds what may be read.
 */
static inline const char *head_line_cut(const char *p, const struct scan_line *l,
					const char *message_end, struct head_line *h)
{
	const uint64_t room = (uint64_t)(message_end - p);
	const char *end = l->end;
	const char *colon = scan_colon(p, end, room);
	const char *v = colon + 1;

	if (l->bad)
		return "Control Character in Header";
	if (colon == end)
		return "Header Without Colon";
	h->name = p;
	h->name_len = (uint32_t)(colon - p);
	h->id = sip_name_find(p, h->name_len, room);
	if (h->id == SIP_HDR_OTHER) {
		const char *wrong = head_name_other(h, room);

		if (wrong != NULL)
			return wrong;
	}
	/* One space in front and none behind is what nearly all lines have. */
	if (v < end && *v == ' ')
		v++;
	if (v < end && (uint8_t)*v <= ' ')
		while (v < end && sip_char_is_lws(*v))
			v++;
	if (end > v && (uint8_t)end[-1] <= ' ')
		while (end > v && sip_char_is_lws(end[-1]))
			end--;
	h->value = v;
	h->value_end = end;
	return NULL;
}

#ifdef __SSSE3__

/*
 * The line at p as nearly all are: a name of two to 15 bytes, colon, space, a value
 * without white space at either end. CRLF is at `end` and no other byte below
 * 0x10 before it. Returns the length of the name, which is in `id`; 0: it may be any
 * other line. HEAD_USUAL_ROOM bytes may be read at p; those that are looked at lie
 * before `end`, as none of them can be CR.
 *
 * Case is folded by setting bit 5 of every byte. That would make '-' of CR and ':' of
 * 0x1a; the one is not in the line, and the other not where the first colon is.
 */
static inline uint32_t head_line_usual(const char *p, const char *end, uint32_t *id)
{
	const __m128i v = scan_load(p);
	const uint32_t colons = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')));
	const uint32_t n = (uint32_t)__builtin_ctz(colons | 1u << 16);

	if (n - 2 > 13)
		return 0;
	const uint32_t slot = SIP_NAME_SLOT(n, (uint8_t)p[0], (uint8_t)p[n / 2], (uint8_t)p[n - 1]);
	const struct sip_name *name = &sip_name_table[sip_name_slot[slot]];
	/* The colon stands behind the name in the table: who has both is as long. */
	const uint32_t same = (uint32_t)_mm_movemask_epi8(
		_mm_cmpeq_epi8(_mm_or_si128(v, _mm_set1_epi8(0x20)), scan_load(name->lower)));

	if (p[n + 1] != ' ' || (uint8_t)p[n + 2] <= ' ' || (uint8_t)end[-1] <= ' ')
		return 0;
	*id = sip_name_slot[slot];
	if ((uint32_t)__builtin_ctz(~same) > n)
		return n;
	*id = SIP_HDR_OTHER;
	return span_strangers(sip_set_of(SIP_CH_TOKEN), v) << (32 - n) ? 0 : n;
}

#else

static inline uint32_t head_line_usual(const char *p, const char *end, uint32_t *id)
{
	(void)p;
	(void)end;
	(void)id;
	return 0;
}

#endif

/* sip_msg_parse() by the careful way alone: what the fast one is compared with. */
enum sbc_err head_parse_with_care(struct sip_msg *m, const char *buf, uint32_t len,
				  struct sip_fault *fault);

#endif
