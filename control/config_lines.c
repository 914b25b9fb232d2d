#include "control/config_lines.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct config_lines {
	struct config_node *root;
	uint32_t nodes;
};

struct reader {
	struct config_lines *lines;
	struct config_report *report;
	const char *text;
	size_t len;
	struct config_node *open[CONFIG_MAX_DEPTH]; /* collections not yet ended */
	uint32_t depth;
	char *key; /* read, its value not yet */
	uint32_t key_line;
	bool done;
};

const struct config_node *config_lines_root(const struct config_lines *l)
{
	return l->root;
}

const struct config_node *config_node_key(const struct config_node *map, const char *key)
{
	const struct config_node *n;

	if (!map || map->kind != CONFIG_MAP)
		return NULL;
	for (n = map->first; n; n = n->next)
		if (strcmp(n->key, key) == 0)
			return n;
	return NULL;
}

const struct config_node *config_node_at(const struct config_node *parent, uint32_t i)
{
	const struct config_node *n = parent ? parent->first : NULL;

	while (n && i--)
		n = n->next;
	return n;
}

/* Depth is bounded by the reader, so the recursion is too. */
static void node_free(struct config_node *n)
{
	while (n) {
		struct config_node *next = n->next;

		node_free(n->first);
		free(n->key);
		free(n->value);
		free(n);
		n = next;
	}
}

void config_lines_free(struct config_lines *l)
{
	if (!l)
		return;
	node_free(l->root);
	free(l);
}

static uint32_t event_line(const yaml_event_t *ev)
{
	return (uint32_t)ev->start_mark.line + 1;
}

static bool refuse(struct reader *r, uint32_t line, const char *what)
{
	config_report_add(r->report, line, "%s", what);
	return false;
}

static struct config_node *node_add(struct reader *r, enum config_kind kind, uint32_t line)
{
	struct config_node *parent = r->depth ? r->open[r->depth - 1] : NULL;
	struct config_node *n;

	if (++r->lines->nodes > CONFIG_MAX_NODES) {
		refuse(r, line, "the file has more entries than any configuration needs");
		return NULL;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		refuse(r, 0, "out of memory");
		return NULL;
	}
	n->kind = kind;
	n->line = line;
	n->key = r->key;
	r->key = NULL;
	if (!parent)
		r->lines->root = n;
	else if (parent->last)
		parent->last->next = n;
	else
		parent->first = n;
	if (parent) {
		parent->last = n;
		parent->children++;
	}
	return n;
}

static bool awaits_key(const struct reader *r)
{
	const struct config_node *top = r->depth ? r->open[r->depth - 1] : NULL;

	return top && top->kind == CONFIG_MAP && !r->key;
}

static char *scalar_text(struct reader *r, const yaml_event_t *ev)
{
	const char *text = (const char *)ev->data.scalar.value;
	char *copy;

	if (strlen(text) != ev->data.scalar.length) {
		refuse(r, event_line(ev), "a zero byte in a value: expected text");
		return NULL;
	}
	copy = strdup(text);
	if (!copy)
		refuse(r, 0, "out of memory");
	return copy;
}

static bool take_key(struct reader *r, const yaml_event_t *ev)
{
	const struct config_node *map = r->open[r->depth - 1];
	const struct config_node *before;
	char *key = scalar_text(r, ev);

	if (!key)
		return false;
	before = config_node_key(map, key);
	if (before) {
		config_report_add(r->report, event_line(ev),
				  "key \"%s\" stands twice: it is on line %u already", key,
				  before->line);
		free(key);
		return false;
	}
	r->key = key;
	r->key_line = event_line(ev);
	return true;
}

static bool take_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct config_node *n;
	char *text;

	if (awaits_key(r))
		return take_key(r, ev);
	text = scalar_text(r, ev);
	if (!text)
		return false;
	/* The mark of an empty value stands behind its line. */
	n = node_add(r, CONFIG_SCALAR, *text || !r->key ? event_line(ev) : r->key_line);
	if (!n) {
		free(text);
		return false;
	}
	n->value = text;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return true;
}

static bool open_collection(struct reader *r, const yaml_event_t *ev, enum config_kind kind)
{
	struct config_node *n;

	if (awaits_key(r))
		return refuse(r, event_line(ev), "expected a key, found a list or a mapping");
	if (r->depth == CONFIG_MAX_DEPTH)
		return refuse(r, event_line(ev), "nested deeper than any configuration is");
	n = node_add(r, kind, r->key ? r->key_line : event_line(ev));
	if (!n)
		return false;
	r->open[r->depth++] = n;
	return true;
}

static bool take_event(struct reader *r, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(r, ev);
	case YAML_SEQUENCE_START_EVENT:
		return open_collection(r, ev, CONFIG_LIST);
	case YAML_MAPPING_START_EVENT:
		return open_collection(r, ev, CONFIG_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		r->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		return refuse(r, event_line(ev), "an alias (*name): expected the value itself");
	case YAML_DOCUMENT_START_EVENT:
		if (r->lines->root)
			return refuse(r, event_line(ev), "a second document: expected only one");
		return true;
	case YAML_STREAM_END_EVENT:
		r->done = true;
		return true;
	default:
		return true;
	}
}

/* libyaml marks the place of bytes that are no text by offset, of other errors by line. */
static uint32_t problem_line(const yaml_parser_t *p, const char *text, size_t len)
{
	uint32_t line = 1;

	if (p->error != YAML_READER_ERROR)
		return (uint32_t)p->problem_mark.line + 1;
	for (size_t i = 0; i < p->problem_offset && i < len; i++)
		line += text[i] == '\n';
	return line;
}

static bool parser_failed(struct reader *r, const yaml_parser_t *p)
{
	uint32_t line = problem_line(p, r->text, r->len);

	config_report_add(r->report, line, "not YAML: %s%s%s",
			  p->problem ? p->problem : "unreadable", p->context ? ", " : "",
			  p->context ? p->context : "");
	return false;
}

static bool read_events(struct reader *r, yaml_parser_t *p)
{
	bool ok = true;

	while (ok && !r->done) {
		yaml_event_t ev;

		if (!yaml_parser_parse(p, &ev))
			return parser_failed(r, p);
		ok = take_event(r, &ev);
		yaml_event_delete(&ev);
	}
	if (ok && !r->lines->root)
		return refuse(r, 0, "the file is empty: expected node, ports and realms");
	return ok;
}

struct config_lines *config_lines_read(const char *text, size_t len, struct config_report *report)
{
	struct reader r = {.report = report, .text = text, .len = len};
	yaml_parser_t p;
	bool ok;

	if (len > CONFIG_MAX_BYTES) {
		config_report_add(report, 0, "larger than %u bytes", CONFIG_MAX_BYTES);
		return NULL;
	}
	r.lines = calloc(1, sizeof(*r.lines));
	if (!r.lines || !yaml_parser_initialize(&p)) {
		config_report_add(report, 0, "out of memory");
		free(r.lines);
		return NULL;
	}
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	ok = read_events(&r, &p);
	yaml_parser_delete(&p);
	free(r.key);
	if (ok)
		return r.lines;
	config_lines_free(r.lines);
	return NULL;
}
