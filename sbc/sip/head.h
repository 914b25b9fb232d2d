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

/* Null when the line is a header line, else what is wrong with it; static text. */
static inline const char *head_line_cut(const char *p, const struct scan_line *l,
					struct head_line *h)
{
	if (l->bad)
		return "Control Character in Header";
	if (l->colon == NULL)
		return "Header Without Colon";
	const char *name_end = l->colon;
	const char *v = l->colon + 1;
	const char *end = l->end;

	while (name_end > p && (name_end[-1] == ' ' || name_end[-1] == '\t'))
		name_end--;
	h->name = p;
	h->name_len = (uint32_t)(name_end - p);
	h->id = sip_name_find(p, h->name_len);
	/* A known name is a token; only the others must be looked through. */
	if (h->id == SIP_HDR_OTHER && !sip_is_token(slice_of(p, h->name_len)))
		return "Malformed Header Name";
	if (h->name_len > HEAD_MAX_NAME)
		return "Header Name Too Long";
	while (v < end && sip_char_is_lws(*v))
		v++;
	while (end > v && sip_char_is_lws(end[-1]))
		end--;
	h->value = v;
	h->value_end = end;
	return NULL;
}

#endif
