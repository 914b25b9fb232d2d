#include "sbc/sip/list.h"

#include "sbc/sip/chars.h"
#include "sbc/sip/msg.h"

bool sip_list_tail(struct slice s, struct slice *rest)
{
	*rest = SLICE_NONE;
	sip_cut_lws(&s);
	if (!s.n)
		return true;
	if (!sip_cut_sep(&s, ',') || !s.n || *s.p == ',')
		return false;
	*rest = s;
	return true;
}

/* Length of a comment with its parentheses, nested ones too, or 0 (RFC 3261 25.1). */
static uint32_t comment_len(struct slice s)
{
	uint32_t depth = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			return i + 1;
	}
	return 0;
}

/* How far the bytes at the front go together; 0 when a pair is not closed. */
static uint32_t unit_len(struct slice s)
{
	int32_t close;

	switch (*s.p) {
	case '"':
		return sip_quoted_len(s);
	case '(':
		return comment_len(s);
	case '<':
		close = slice_find(s, '>');
		return close < 0 ? 0 : (uint32_t)close + 1;
	default:
		return 1;
	}
}

bool sip_list_next(struct slice *rest, struct slice *element)
{
	struct slice s = *rest;

	while (s.n && (*s.p == ',' || sip_char_is_lws(*s.p)))
		sip_cut(&s, 1);
	*rest = s;
	if (!s.n)
		return false;
	while (s.n && *s.p != ',') {
		uint32_t n = unit_len(s);

		sip_cut(&s, n ? n : s.n);
	}
	*element = slice_trim(slice_of(rest->p, (uint32_t)(s.p - rest->p)));
	*rest = s;
	return true;
}

bool sip_msg_lists(const struct sip_msg *m, enum sip_hdr id, struct slice token)
{
	for (uint8_t i = m->first[id]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		struct slice rest = sip_entry_value(m, i), one;

		while (sip_list_next(&rest, &one))
			/* Methods tell case apart, option tags do not (7.1, 7.3.1). */
			if (id == SIP_HDR_ALLOW ? slice_eq(one, token) : slice_ieq(one, token))
				return true;
	}
	return false;
}

enum sbc_err sip_msg_u32(const struct sip_msg *m, enum sip_hdr id, uint32_t *out)
{
	const uint32_t max = id == SIP_HDR_MAX_FORWARDS ? 255 : UINT32_MAX;

	if (!sip_msg_has(m, id))
		return SBC_ENONE;
	struct slice s = sip_msg_value(m, id);

	for (uint32_t i = 0; i < s.n; i++)
		if (!sip_char_is_digit(s.p[i]))
			return SBC_EBAD;
	if (!s.n)
		return SBC_EBAD;
	return slice_u32(s, max, out) ? SBC_OK : SBC_ELIMIT;
}
