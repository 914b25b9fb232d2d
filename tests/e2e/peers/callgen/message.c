#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/e2e/peers/callgen/callgen.h"

bool str_is(struct str s, const char *text)
{
	return s.len == (int)strlen(text) && strncasecmp(s.at, text, (size_t)s.len) == 0;
}

void str_copy(char *to, size_t size, struct str s)
{
	size_t n = s.len < (int)size ? (size_t)s.len : size - 1;

	if (n > 0)
		memcpy(to, s.at, n);
	to[n] = '\0';
}

static struct str trim(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	while (end > at && isspace((unsigned char)end[-1]))
		end--;
	return (struct str){at, (int)(end - at)};
}

static const char *find(struct str s, const char *what)
{
	return s.len > 0 ? memmem(s.at, (size_t)s.len, what, strlen(what)) : NULL;
}

static struct str tag_of(struct str value)
{
	const char *at = find(value, ";tag="), *end = value.at + value.len;

	if (!at)
		return (struct str){value.at, 0};
	at += 5;
	const char *p = at;
	while (p < end && *p != ';' && !isspace((unsigned char)*p))
		p++;
	return (struct str){at, (int)(p - at)};
}

static struct str uri_of(struct str value)
{
	const char *open = memchr(value.at, '<', (size_t)value.len), *end = value.at + value.len;

	if (!open)
		return value;
	const char *close = memchr(open, '>', (size_t)(end - open));
	return (struct str){open + 1, (int)((close ? close : end) - open - 1)};
}

static void read_cseq(struct message *m, struct str value)
{
	const char *end = value.at + value.len, *p = value.at;

	m->cseq = (uint32_t)strtoul(value.at, NULL, 10);
	while (p < end && isdigit((unsigned char)*p))
		p++;
	m->method = trim(p, end);
}

static void read_header(struct message *m, struct str name, struct str value)
{
	if (str_is(name, "via") || str_is(name, "v")) {
		if (m->vias < 8)
			m->via[m->vias++] = value;
	} else if (str_is(name, "call-id") || str_is(name, "i")) {
		m->call_id = value;
	} else if (str_is(name, "cseq")) {
		read_cseq(m, value);
	} else if (str_is(name, "from") || str_is(name, "f")) {
		m->from = value;
		m->from_tag = tag_of(value);
	} else if (str_is(name, "to") || str_is(name, "t")) {
		m->to = value;
		m->to_tag = tag_of(value);
	} else if (str_is(name, "contact") || str_is(name, "m")) {
		m->contact = uri_of(value);
	}
}

static void read_sdp_line(struct message *m, struct str line)
{
	char text[64];

	str_copy(text, sizeof(text), line);
	if (strncmp(text, "c=IN IP4 ", 9) == 0 &&
	    inet_pton(AF_INET, text + 9, &m->media.sin_addr) == 1)
		m->media.sin_family = AF_INET;
	else if (strncmp(text, "m=audio ", 8) == 0)
		m->media.sin_port = htons((uint16_t)strtoul(text + 8, NULL, 10));
}

static bool read_start(struct message *m, struct str line)
{
	if (line.len > 12 && memcmp(line.at, "SIP/2.0 ", 8) == 0) {
		m->status = (int)strtol(line.at + 8, NULL, 10);
		return m->status >= 100 && m->status < 700;
	}
	const char *space = memchr(line.at, ' ', (size_t)line.len);
	if (!space)
		return false;
	const char *from = space + 1, *end = line.at + line.len;
	const char *to = memchr(from, ' ', (size_t)(end - from));
	if (!to)
		return false;
	m->uri = (struct str){from, (int)(to - from)};
	return true;
}

bool message_read(struct message *m, const char *bytes, int len)
{
	const char *at = bytes, *end = bytes + len;
	bool body = false;

	memset(m, 0, sizeof(*m));
	m->all = (struct str){bytes, len};
	for (int line = 0; at < end; line++) {
		const char *eol = memchr(at, '\n', (size_t)(end - at));
		struct str text = trim(at, eol ? eol : end);
		at = eol ? eol + 1 : end;
		if (line == 0 && !read_start(m, text))
			return false;
		if (line == 0)
			continue;
		if (body) {
			read_sdp_line(m, text);
		} else if (text.len == 0) {
			body = true;
		} else {
			const char *colon = memchr(text.at, ':', (size_t)text.len);
			if (!colon)
				return false;
			read_header(m, trim(text.at, colon), trim(colon + 1, text.at + text.len));
		}
	}
	m->has_media = m->media.sin_family == AF_INET && m->media.sin_port != 0;
	return m->call_id.len > 0 && m->method.len > 0 && m->vias > 0;
}
