#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/scenario.h"

static char *copy(const char *p, size_t n)
{
	char *s = malloc(n + 1);

	if (!s)
		abort();
	memcpy(s, p, n);
	s[n] = 0;
	return s;
}

void scenario_fail(struct scenario *s, const char *format, ...)
{
	const struct line *l = s->at < s->lines ? &s->line[s->at] : NULL;
	va_list ap;
	int n = 0;

	if (l)
		n = snprintf(s->why, sizeof(s->why), "%s:%u: ", l->file, l->number);
	for (unsigned i = s->depth; i-- > 0;)
		n += snprintf(s->why + n, sizeof(s->why) - (size_t)n, "(from line %u) ",
			      s->line[s->caller[i]].number);
	va_start(ap, format);
	vsnprintf(s->why + n, sizeof(s->why) - (size_t)n, format, ap);
	va_end(ap);
	longjmp(s->failed, 1);
}

static void add_line(struct scenario *s, const char *file, unsigned number, const char *text)
{
	size_t n;

	while (*text == ' ' || *text == '\t')
		text++;
	n = strcspn(text, "\r\n");
	if (text[0] != '|')
		while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
			n--;
	if (n == 0 || text[0] == '#')
		return;
	if (s->lines == MAX_LINES)
		scenario_fail(s, "more than %u lines", MAX_LINES);
	s->line[s->lines++] = (struct line){file, number, copy(text, n)};
}

static void add_macro(struct scenario *s, unsigned first)
{
	if (s->macros == MAX_MACROS)
		scenario_fail(s, "more than %u macros", MAX_MACROS);
	s->macro[s->macros++] = (struct macro){s->line[first].text + strlen("macro "), first + 1,
					       s->lines - first - 2};
}

static void include(struct scenario *s, const char *path, const char *name)
{
	char full[512];
	const char *slash = strrchr(path, '/');

	snprintf(full, sizeof(full), "%.*s/%s", slash ? (int)(slash - path) : 1, slash ? path : ".",
		 name);
	if (s->includes == MAX_DEPTH)
		scenario_fail(s, "more than %u includes", MAX_DEPTH);
	s->include[s->includes] = copy(full, strlen(full));
	script_load(s, s->include[s->includes++]);
}

void script_load(struct scenario *s, const char *path)
{
	FILE *f = fopen(path, "r");
	unsigned number = 0, open = MAX_LINES;
	char *text = NULL;
	size_t cap = 0;

	if (!f)
		scenario_fail(s, "cannot read %s", path);
	while (getline(&text, &cap, f) >= 0) {
		unsigned before = s->lines;

		add_line(s, path, ++number, text);
		if (s->lines == before)
			continue;
		if (strncmp(s->line[before].text, "include ", 8) == 0) {
			char *popped = s->line[--s->lines].text;

			include(s, path, popped + 8);
			free(popped);
		} else if (strncmp(s->line[before].text, "macro ", 6) == 0) {
			open = before;
		} else if (strcmp(s->line[before].text, "end") == 0 && open < MAX_LINES) {
			add_macro(s, open);
			open = MAX_LINES;
		}
	}
	free(text);
	fclose(f);
	if (open < MAX_LINES)
		scenario_fail(s, "%s: macro without end", path);
}

void script_set(struct scenario *s, const char *name, struct slice value)
{
	unsigned i = 0;

	while (i < s->vars && strcmp(s->var[i].name, name) != 0)
		i++;
	if (i == MAX_VARS)
		scenario_fail(s, "more than %u variables", MAX_VARS);
	if (i == s->vars)
		s->var[s->vars++].name = copy(name, strlen(name));
	else
		free(s->var[i].value);
	s->var[i].value = copy(value.p ? value.p : "", value.n);
}

void script_unset(struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < s->vars; i++) {
		if (strcmp(s->var[i].name, name) != 0)
			continue;
		free(s->var[i].name);
		free(s->var[i].value);
		s->var[i] = s->var[--s->vars];
		return;
	}
}

const char *script_get(struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < s->vars; i++)
		if (strcmp(s->var[i].name, name) == 0)
			return s->var[i].value;
	return NULL;
}

char *script_expand(struct scenario *s, const char *text)
{
	size_t cap = strlen(text) + 1, n = 0;
	char *out = malloc(cap + 1);

	if (!out)
		abort();
	while (*text) {
		const char *close = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL;
		const char *value;
		char name[64];

		if (!close) {
			out[n++] = *text++;
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(close - text - 2), text + 2);
		value = script_get(s, name);
		if (!value)
			scenario_fail(s, "${%s} is not set", name);
		cap += strlen(value);
		out = realloc(out, cap + 1);
		if (!out)
			abort();
		memcpy(out + n, value, strlen(value));
		n += strlen(value);
		text = close + 1;
	}
	out[n] = 0;
	return out;
}

bool script_word(char **rest, char **word)
{
	char *p = *rest, *to;
	bool quoted = false;

	while (*p == ' ' || *p == '\t')
		p++;
	*word = to = p;
	while (*p && (quoted || (*p != ' ' && *p != '\t'))) {
		if (*p == '"')
			quoted = !quoted;
		else
			*to++ = *p;
		p++;
	}
	*rest = *p ? p + 1 : p;
	if (to == *word && p == *word)
		return false;
	*to = 0;
	return true;
}
