#include "tests/bench/gen/message.h"

#include <strings.h>

static const struct {
	struct text name;
	enum method method;
} methods[] = {
	{{"INVITE ", 7}, METHOD_INVITE},   {{"ACK ", 4}, METHOD_ACK},
	{{"BYE ", 4}, METHOD_BYE},         {{"REGISTER ", 9}, METHOD_REGISTER},
	{{"OPTIONS ", 8}, METHOD_OPTIONS},
};

static enum method method_of(struct text word)
{
	for (uint32_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (word.n + 1 == methods[i].name.n &&
		    memcmp(word.p, methods[i].name.p, word.n) == 0)
			return methods[i].method;
	return METHOD_OTHER;
}

static bool read_status(struct message *m, struct text line)
{
	uint32_t status;

	if (text_number((struct text){line.p + 8, line.n - 8}, &status) != 3 || status < 100 ||
	    status > 699)
		return false;
	m->status = (uint16_t)status;
	return true;
}

static bool read_request(struct message *m, struct text line, enum method *method)
{
	const char *space = memchr(line.p, ' ', line.n), *end = line.p + line.n;

	if (!space || line.n < 12 || memcmp(end - 8, " SIP/2.0", 8) != 0 || space >= end - 8)
		return false;
	*method = method_of((struct text){line.p, (uint32_t)(space - line.p)});
	m->uri = (struct text){space + 1, (uint32_t)(end - 8 - space - 1)};
	m->status = 0;
	return m->uri.n != 0;
}

static bool is_name(const char *p, const char *name, uint32_t n)
{
	return strncasecmp(p, name, n) == 0;
}

/* The value's place for a header of that name, or NULL for one that is not of interest. */
static struct text *place_of(struct message *m, const char *p, uint32_t n, struct text *length)
{
	switch (n) {
	case 2:
		return is_name(p, "To", 2) ? &m->to : NULL;
	case 3:
		return is_name(p, "Via", 3) ? &m->via : NULL;
	case 4:
		return is_name(p, "From", 4)   ? &m->from
		       : is_name(p, "CSeq", 4) ? &m->cseq_value
					       : NULL;
	case 7:
		return is_name(p, "Call-ID", 7)   ? &m->call_id
		       : is_name(p, "Contact", 7) ? &m->contact
		       : is_name(p, "Expires", 7) ? &m->expires
						  : NULL;
	case 14:
		return is_name(p, "Content-Length", 14) ? length : NULL;
	default:
		return NULL;
	}
}

static bool read_header(struct message *m, struct text line, struct text *length)
{
	const char *colon = memchr(line.p, ':', line.n < 24 ? line.n : 24), *v;
	struct text *place;

	if (!colon)
		return line.n >= 24; /* a name longer than any of interest */
	place = place_of(m, line.p, (uint32_t)(colon - line.p), length);
	if (!place)
		return true;
	if (place->n != 0)
		return false;
	for (v = colon + 1; v < line.p + line.n && *v == ' '; v++)
		;
	*place = (struct text){v, (uint32_t)(line.p + line.n - v)};
	return place->n != 0;
}

static bool read_cseq(struct message *m)
{
	uint32_t n = text_number(m->cseq_value, &m->cseq);

	if (n == 0 || m->cseq_value.n < n + 2 || m->cseq_value.p[n] != ' ')
		return false;
	m->method = method_of((struct text){m->cseq_value.p + n + 1, m->cseq_value.n - n - 1});
	return true;
}

/* A line without its end; false when it does not end with CRLF. */
static bool line_of(const struct scan *s, const char *p, uint32_t n, uint32_t i, struct text *line)
{
	uint32_t end = i + 1 < s->lines ? s->line[i + 1] : n;

	*line = (struct text){p + s->line[i], end - s->line[i]};
	if (line->n < 2 || memcmp(p + end - 2, "\r\n", 2) != 0)
		return false;
	line->n -= 2;
	return true;
}

static bool read_head(struct message *m, const struct scan *s, struct text *length)
{
	struct text line;

	for (uint32_t i = 1; i < s->lines; i++) {
		if (!line_of(s, m->p, m->n, i, &line))
			return false;
		if (line.n == 0) {
			m->body.p = line.p + 2;
			m->body.n = (uint32_t)(m->p + m->n - m->body.p);
			return true;
		}
		if (!read_header(m, line, length))
			return false;
	}
	return false;
}

bool message_read(struct message *m, const char *p, uint32_t n, const struct scan_forbidden *f)
{
	enum method method = METHOD_OTHER;
	struct text line, length = {NULL, 0};
	uint32_t body;
	struct scan s;
	bool response;

	memset(m, 0, sizeof(*m));
	m->p = p;
	m->n = n;
	scan_message(&s, p, n, f);
	m->leak = s.leak;
	m->leak_at = s.leak_at;
	if (s.lines < 2 || !line_of(&s, p, n, 0, &line) || line.n < 12)
		return false;
	response = memcmp(line.p, "SIP/2.0 ", 8) == 0;
	if (response ? !read_status(m, line) : !read_request(m, line, &method))
		return false;
	if (!read_head(m, &s, &length) || !read_cseq(m) || (!response && m->method != method))
		return false;
	if (text_number(length, &body) == 0 || body != m->body.n)
		return false;
	return m->via.n && m->from.n && m->to.n && m->call_id.n;
}

struct text message_param(struct text value, struct text name)
{
	const char *at = value.p, *end = value.p + value.n, *stop;

	while (at < end && (at = memchr(at, ';', (size_t)(end - at))) != NULL) {
		at++;
		if ((uint32_t)(end - at) >= name.n && memcmp(at, name.p, name.n) == 0) {
			at += name.n;
			for (stop = at; stop < end && *stop != ';' && *stop != ',' && *stop != ' ';
			     stop++)
				;
			return (struct text){at, (uint32_t)(stop - at)};
		}
	}
	return (struct text){NULL, 0};
}

struct text message_tag(struct text value)
{
	const char *gt = memchr(value.p, '>', value.n);

	if (gt)
		value = (struct text){gt, (uint32_t)(value.p + value.n - gt)};
	return message_param(value, TEXT("tag="));
}

struct text message_uri(struct text value)
{
	const char *lt = memchr(value.p, '<', value.n), *gt;

	if (!lt)
		return (struct text){NULL, 0};
	lt++;
	gt = memchr(lt, '>', (size_t)(value.p + value.n - lt));
	return gt ? (struct text){lt, (uint32_t)(gt - lt)} : (struct text){NULL, 0};
}

struct text message_sent_by(struct text via)
{
	const char *end;

	if (!text_begins(via, TEXT("SIP/2.0/UDP ")))
		return (struct text){NULL, 0};
	end = memchr(via.p, ';', via.n);
	return (struct text){via.p + 12, end ? (uint32_t)(end - via.p) - 12 : via.n - 12};
}
