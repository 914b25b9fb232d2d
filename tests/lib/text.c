#include "tests/lib/text.h"

#include <string.h>

static char fold(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c;
}

static struct slice cut(struct slice s, uint32_t from, uint32_t to)
{
	return slice_of(s.p + from, to - from);
}

bool text_ieq(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (uint32_t i = 0; i < a.n; i++)
		if (fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

bool text_is(struct slice a, const char *b)
{
	return text_ieq(a, slice_str(b));
}

static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct slice text_trim(struct slice s)
{
	while (s.n && is_lws(s.p[0]))
		s = cut(s, 1, s.n);
	while (s.n && is_lws(s.p[s.n - 1]))
		s.n--;
	return s;
}

int32_t text_find(struct slice hay, struct slice needle, bool any_case)
{
	if (needle.n == 0 || needle.n > hay.n)
		return -1;
	for (uint32_t i = 0; i + needle.n <= hay.n; i++) {
		struct slice at = cut(hay, i, i + needle.n);

		if (any_case ? text_ieq(at, needle) : memcmp(at.p, needle.p, needle.n) == 0)
			return (int32_t)i;
	}
	return -1;
}

bool text_glob(struct slice s, struct slice pattern)
{
	uint32_t i = 0, k = 0, star = UINT32_MAX, mark = 0;

	while (i < s.n) {
		if (k < pattern.n && pattern.p[k] == '*') {
			star = k++;
			mark = i;
		} else if (k < pattern.n && (pattern.p[k] == '?' || pattern.p[k] == s.p[i])) {
			k++;
			i++;
		} else if (star != UINT32_MAX) {
			k = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (k < pattern.n && pattern.p[k] == '*')
		k++;
	return k == pattern.n;
}

bool text_next_line(struct slice *rest, struct slice *line)
{
	const char *nl;

	if (rest->n == 0)
		return false;
	nl = memchr(rest->p, '\n', rest->n);
	line->p = rest->p;
	line->n = nl ? (uint32_t)(nl - rest->p) : rest->n;
	*rest = cut(*rest, line->n + (nl ? 1 : 0), rest->n);
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

struct slice text_start_line(struct slice msg)
{
	struct slice line = SLICE_NONE;

	text_next_line(&msg, &line);
	return line;
}

bool text_is_request(struct slice msg)
{
	return msg.n < 8 || memcmp(msg.p, "SIP/2.0 ", 8) != 0;
}

unsigned text_status(struct slice msg)
{
	return text_is_request(msg) ? 0 : text_number(cut(msg, 8, msg.n));
}

static struct slice word(struct slice s, uint32_t nth)
{
	for (uint32_t i = 0; i <= nth; i++) {
		uint32_t end = 0;

		s = text_trim(s);
		while (end < s.n && !is_lws(s.p[end]))
			end++;
		if (i == nth)
			return slice_of(s.p, end);
		s = cut(s, end, s.n);
	}
	return SLICE_NONE;
}

struct slice text_method(struct slice msg)
{
	return text_is_request(msg) ? word(text_start_line(msg), 0)
				    : word(text_header(msg, "CSeq", 0), 1);
}

struct slice text_request_uri(struct slice msg)
{
	return text_is_request(msg) ? word(text_start_line(msg), 1) : SLICE_NONE;
}

/* Where the empty line begins; `*len` is that of the line end(s). */
static uint32_t head_end(struct slice msg, uint32_t *len)
{
	struct slice rest = msg, line;

	while (text_next_line(&rest, &line)) {
		if (line.n == 0) {
			*len = (uint32_t)(rest.p - line.p);
			return (uint32_t)(line.p - msg.p);
		}
	}
	*len = 0;
	return msg.n;
}

struct slice text_head(struct slice msg)
{
	uint32_t len;

	return cut(msg, 0, head_end(msg, &len));
}

struct slice text_body(struct slice msg)
{
	uint32_t len, end = head_end(msg, &len);

	return cut(msg, end + len, msg.n);
}

bool text_next_header(struct slice msg, uint32_t *pos, struct slice *name, struct slice *value)
{
	struct slice head = text_head(msg), rest, line;
	const char *colon;

	rest = cut(head, *pos, head.n);
	if (*pos == 0)
		text_next_line(&rest, &line);
	if (!text_next_line(&rest, &line))
		return false;
	while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\t')) {
		struct slice more;

		text_next_line(&rest, &more);
		line.n = (uint32_t)(more.p + more.n - line.p);
	}
	*pos = (uint32_t)(rest.p - head.p);
	colon = memchr(line.p, ':', line.n);
	*name = colon ? text_trim(slice_of(line.p, (uint32_t)(colon - line.p))) : line;
	*value = colon ? text_trim(slice_of(colon + 1, (uint32_t)(line.p + line.n - colon - 1)))
		       : SLICE_NONE;
	return true;
}

static const struct {
	char compact;
	const char *name;
} compacts[] = {
	{'v', "Via"},
	{'f', "From"},
	{'t', "To"},
	{'i', "Call-ID"},
	{'m', "Contact"},
	{'l', "Content-Length"},
	{'c', "Content-Type"},
	{'s', "Subject"},
	{'k', "Supported"},
	{'e', "Content-Encoding"},
	{'r', "Refer-To"},
	{'b', "Referred-By"},
	{'x', "Session-Expires"},
	{'o', "Event"},
	{'u', "Allow-Events"},
};

bool text_name_is(struct slice wire, const char *name)
{
	if (text_is(wire, name))
		return true;
	for (uint32_t i = 0; wire.n == 1 && i < sizeof(compacts) / sizeof(compacts[0]); i++)
		if (fold(wire.p[0]) == compacts[i].compact)
			return text_ieq(slice_str(compacts[i].name), slice_str(name));
	return false;
}

struct slice text_header(struct slice msg, const char *name, uint32_t nth)
{
	struct slice n, v;
	uint32_t pos = 0, seen = 0;

	while (text_next_header(msg, &pos, &n, &v))
		if (text_name_is(n, name) && seen++ == nth)
			return v;
	return SLICE_NONE;
}

uint32_t text_count(struct slice msg, const char *name)
{
	struct slice n, v;
	uint32_t pos = 0, seen = 0;

	while (text_next_header(msg, &pos, &n, &v))
		seen += text_name_is(n, name);
	return seen;
}

/* Length up to the first of `stops` outside quotes and, unless `flat`, brackets. */
static uint32_t span(struct slice s, const char *stops, bool flat)
{
	bool quoted = false;
	int depth = 0;

	for (uint32_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (!quoted && depth == 0 && s.p[i] && strchr(stops, s.p[i]))
			return i;
		else if (!quoted && !flat && s.p[i] == '<')
			depth++;
		else if (!quoted && depth && s.p[i] == '>')
			depth--;
	}
	return s.n;
}

bool text_next_element(struct slice *rest, struct slice *element)
{
	uint32_t n;

	if (rest->n == 0)
		return false;
	n = span(*rest, ",", false);
	*element = text_trim(slice_of(rest->p, n));
	*rest = cut(*rest, n < rest->n ? n + 1 : n, rest->n);
	return true;
}

struct slice text_uri(struct slice value)
{
	uint32_t at = span(value, "<", true), end;

	if (at == value.n)
		return text_trim(cut(value, 0, span(value, ";", true)));
	value = cut(value, at + 1, value.n);
	end = span(value, ">", true);
	return cut(value, 0, end);
}

/* After the scheme. */
static struct slice uri_rest(struct slice uri)
{
	int32_t colon = text_find(uri, SLICE_LIT(":"), false);

	return colon < 0 ? uri : cut(uri, (uint32_t)colon + 1, uri.n);
}

struct slice text_user(struct slice uri)
{
	struct slice rest = uri_rest(uri);
	int32_t at = text_find(rest, SLICE_LIT("@"), false);

	return at < 0 ? SLICE_NONE : cut(rest, 0, (uint32_t)at);
}

struct slice text_host(struct slice uri)
{
	struct slice rest = uri_rest(uri);
	int32_t at = text_find(rest, SLICE_LIT("@"), false);
	uint32_t n = 0;

	if (at >= 0)
		rest = cut(rest, (uint32_t)at + 1, rest.n);
	while (n < rest.n && !strchr(":;?> \t", rest.p[n]))
		n++;
	return cut(rest, 0, n);
}

struct slice text_param(struct slice value, const char *name)
{
	struct slice rest = value;
	uint32_t at = span(value, "<", true);

	if (at < value.n)
		rest = cut(value, at + span(cut(value, at, value.n), ">", true), value.n);
	for (;;) {
		uint32_t semi = span(rest, ";", true), end, eq;
		struct slice one;

		if (semi == rest.n)
			return SLICE_NONE;
		rest = cut(rest, semi + 1, rest.n);
		end = span(rest, ";,", true);
		one = cut(rest, 0, end);
		eq = span(one, "=", true);
		if (text_is(text_trim(cut(one, 0, eq)), name))
			return eq < one.n ? text_trim(cut(one, eq + 1, one.n)) : cut(one, eq, eq);
	}
}

uint32_t text_number(struct slice s)
{
	uint32_t v = 0;

	for (uint32_t i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	return v;
}

uint32_t text_cseq(struct slice msg)
{
	return text_number(text_header(msg, "CSeq", 0));
}

struct slice text_sdp(struct slice body, char type, uint32_t nth)
{
	struct slice line;
	uint32_t seen = 0;

	while (text_next_line(&body, &line))
		if (line.n >= 2 && line.p[0] == type && line.p[1] == '=' && seen++ == nth)
			return cut(line, 2, line.n);
	return SLICE_NONE;
}
