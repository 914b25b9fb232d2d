#include "sbc/sip/head.h"
#include "sbc/sip/start_line.h"

/* Notes the header if it is one that steering asks for; true when all are there. */
static bool note(struct sip_peek *out, const struct head_line *h, bool *seen_to)
{
	const struct slice value = slice_of(h->value, (uint32_t)(h->value_end - h->value));

	if (h->id == SIP_HDR_CALL_ID && out->call_id.p == NULL)
		out->call_id = value;
	if (h->id == SIP_HDR_TO && out->is_register && !*seen_to) {
		out->to = value;
		*seen_to = true;
	}
	return out->call_id.p != NULL && (*seen_to || !out->is_register);
}

enum sbc_err sip_peek_call_id(const char *buf, uint32_t len, struct sip_peek *out)
{
	struct start_line s;
	struct scan_line l;
	struct head_line h;
	struct sip_fault fault;
	struct scan scan;
	const char *end = buf + len;
	const char *p = start_line_skip_crlf(buf, end);
	uint32_t count = 0;
	bool seen_to = false;

	*out = (struct sip_peek){.call_id = SLICE_NONE};
	if (!start_line_usual(p, end, &s) && start_line_read(p, end, &s, &fault) != SBC_OK &&
	    !fault.status)
		return SBC_EBAD;
	if (end - p > (int64_t)SIP_MAX_MESSAGE)
		end = p + SIP_MAX_MESSAGE;
	out->is_register = sip_method_parse(s.method) == SIP_REGISTER;
	if (s.next > end)
		s.next = end;
	for (scan_init(&scan, s.next, end), p = s.next; scan_line(&scan, p, &l); p = l.next) {
		if (l.end == p || count == SIP_MAX_HEADERS)
			break;
		if (head_line_cut(p, &l, end, &h) != NULL)
			continue;
		count++;
		if (note(out, &h, &seen_to))
			break;
	}
	return out->call_id.n ? SBC_OK : SBC_EBAD;
}

bool sip_is_keepalive(const char *buf, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (buf[i] != '\r' && buf[i] != '\n' && buf[i] != '\0')
			return false;
	return true;
}
