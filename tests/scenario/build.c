#include <stdlib.h>
#include <string.h>

#include "tests/scenario/scenario.h"

struct text {
	char *p;
	size_t n, cap;
};

static void put(struct text *t, const char *p, size_t n)
{
	if (t->n + n + 1 > t->cap) {
		t->cap = (t->n + n + 1) * 2;
		t->p = realloc(t->p, t->cap);
		if (!t->p)
			abort();
	}
	memcpy(t->p + t->n, p, n);
	t->n += n;
	t->p[t->n] = 0;
}

static void put_slice(struct text *t, struct slice s)
{
	put(t, s.p, s.n);
}

static void put_str(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

/* \r \n \t \0 \\ and \xNN. */
static void put_escaped(struct text *t, const char *p)
{
	for (; *p; p++) {
		char c = *p;

		if (c == '\\' && p[1]) {
			c = *++p;
			if (c == 'x') {
				char hex[3] = {p[1], p[1] ? p[2] : 0, 0};

				c = (char)strtoul(hex, NULL, 16);
				p += strlen(hex);
			} else {
				c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == 't' ? '\t' : c;
				c = c == '0' ? 0 : c;
			}
		}
		put(t, &c, 1);
	}
}

/* "|*N text": N lines, '#' in them their number. "|^N text": one line of N copies. */
static void put_repeated(struct scenario *s, struct text *t, const char *line, const char *eol)
{
	char *text;
	unsigned long n = strtoul(line + 1, &text, 10);

	if (*text != ' ')
		scenario_fail(s, "|%cN TEXT", line[0]);
	text++;
	for (unsigned long i = 0; i < n; i++) {
		if (line[0] == '^') {
			put_str(t, text);
			continue;
		}
		for (const char *c = text; *c; c++) {
			char number[24];

			snprintf(number, sizeof(number), "%lu", i);
			if (*c == '#')
				put_str(t, number);
			else
				put(t, c, 1);
		}
		put_str(t, eol);
	}
	if (line[0] == '^')
		put_str(t, eol);
}

static bool has_flag(const char *flags, const char *flag)
{
	const char *at = strstr(flags, flag);

	return at != NULL;
}

/* The '|' lines that follow the line being executed. */
static void put_lines(struct scenario *s, struct text *t, const char *flags)
{
	const char *eol = has_flag(flags, "raw") ? "" : has_flag(flags, "lf") ? "\n" : "\r\n";

	while (s->at + 1 < s->lines && s->line[s->at + 1].text[0] == '|') {
		const char *line = s->line[++s->at].text + 1;
		char *text = script_expand(s, line[0] == ' ' ? line + 1 : line);

		if (line[0] == '*' || line[0] == '^')
			put_repeated(s, t, text, eol);
		else if (has_flag(flags, "raw"))
			put_escaped(t, text);
		else if (text[0] || !strstr(line, "${")) {
			/* an empty variable on a line of its own is no line */
			put_str(t, text);
			put_str(t, eol);
		}
		free(text);
	}
}

/* Content-Length, unless the message has one or is not to. */
static void finish(struct text *t, const char *flags)
{
	struct slice msg = slice_of(t->p, (uint32_t)t->n), head, body;
	struct text out = {0};
	char length[48];

	if (has_flag(flags, "raw") || has_flag(flags, "nolen"))
		return;
	head = text_head(msg);
	body = text_body(msg);
	if (text_count(msg, "Content-Length"))
		return;
	if (text_trim(body).n == 0)
		body.n = 0;
	put_slice(&out, head);
	snprintf(length, sizeof(length), "Content-Length: %u%s", body.n,
		 has_flag(flags, "lf") ? "\n\n" : "\r\n\r\n");
	put_str(&out, length);
	if (body.n)
		put_slice(&out, body);
	free(t->p);
	*t = out;
}

void build_message(struct scenario *s, const char *flags, char **out, uint32_t *n)
{
	struct text t = {0};

	put(&t, "", 0);
	put_lines(s, &t, flags);
	finish(&t, flags);
	*out = t.p;
	*n = (uint32_t)t.n;
}

static void put_headers(struct text *t, struct slice msg, const char *name, const char *tag)
{
	struct slice value;

	for (uint32_t i = 0; i < text_count(msg, name); i++) {
		value = text_header(msg, name, i);
		put_str(t, name);
		put_str(t, ": ");
		put_slice(t, value);
		if (tag && tag[0] && text_param(value, "tag").n == 0) {
			put_str(t, ";tag=");
			put_str(t, tag);
		}
		put_str(t, "\r\n");
	}
}

void build_reply(struct scenario *s, const struct sent *request, const char *status_line,
		 const char *tag, const char *flags, char **out, uint32_t *n)
{
	struct slice msg = slice_of(request->bytes, request->n);
	struct text t = {0};

	put_str(&t, "SIP/2.0 ");
	put_str(&t, status_line);
	put_str(&t, "\r\n");
	put_headers(&t, msg, "Via", NULL);
	put_headers(&t, msg, "From", NULL);
	put_headers(&t, msg, "To", tag);
	put_headers(&t, msg, "Call-ID", NULL);
	put_headers(&t, msg, "CSeq", NULL);
	put_lines(s, &t, flags);
	finish(&t, flags);
	*out = t.p;
	*n = (uint32_t)t.n;
}
