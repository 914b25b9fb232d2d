/*
 * head: one header line, cut and named.
 *
 * Private to sbc/sip: the step that sip_msg_parse() and sip_peek_call_id() share,
 * so that both see the same headers in the same bytes.
 */
#ifndef SBC_SIP_HEAD_H
#define SBC_SIP_HEAD_H

#include "sbc/sip/chars.h"
#include "sbc/sip/names.h"
#include "sbc/sip/scan.h"

#define HEAD_MAX_NAME 255u

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

#endif
