#include "control/config_shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_schema.h"

struct place {
	struct config_report *report;
	const char *section; /* "" at the top */
	const char *key;     /* of the value looked at */
};

static void check_value(const struct place *at, const struct config_node *n,
			const cyaml_schema_value_t *v);

static const char *found(const struct config_node *n)
{
	if (n->kind == CONFIG_LIST)
		return "a list";
	if (n->kind == CONFIG_MAP)
		return "a mapping";
	return *n->value ? n->value : "nothing";
}

/* Writes what a value of this schema looks like. */
static void expected(char *out, size_t cap, const struct place *at, const cyaml_schema_value_t *v)
{
	const struct config_hint *h = config_hint_of(at->section, at->key);
	size_t n = 0;

	switch (v->type) {
	case CYAML_UINT:
		snprintf(out, cap, "a whole number from %u to %u", h->lo, h->hi);
		return;
	case CYAML_BOOL:
		snprintf(out, cap, "true or false");
		return;
	case CYAML_ENUM:
		for (uint32_t i = 0; i < v->enumeration.count && n < cap; i++)
			n += (size_t)snprintf(out + n, cap - n, "%s%s", i ? " or " : "",
					      v->enumeration.strings[i].str);
		return;
	case CYAML_MAPPING:
		snprintf(out, cap, "a mapping with the keys ");
		n = strlen(out);
		for (const cyaml_schema_field_t *f = v->mapping.fields; f->key && n < cap; f++)
			n += (size_t)snprintf(out + n, cap - n, "%s%s",
					      f == v->mapping.fields ? "" : ", ", f->key);
		return;
	case CYAML_SEQUENCE:
		snprintf(out, cap, "%s%s",
			 h->expect ? "" : "a list: ", h->expect ? h->expect : "whole numbers");
		return;
	default:
		snprintf(out, cap, "%s", h->expect ? h->expect : "text");
	}
}

static void wrong(const struct place *at, const struct config_node *n,
		  const cyaml_schema_value_t *v)
{
	char want[256];

	expected(want, sizeof(want), at, v);
	config_report_add(at->report, n->line, "%s: %s: expected %s",
			  *at->key ? at->key : "the file", found(n), want);
}

static bool is_decimal(const char *s, uint64_t *v)
{
	char *end;

	if (*s < '0' || *s > '9' || (s[0] == '0' && s[1]) || strlen(s) > 10)
		return false;
	*v = strtoull(s, &end, 10);
	return !*end;
}

static void check_uint(const struct place *at, const struct config_node *n,
		       const cyaml_schema_value_t *v)
{
	const struct config_hint *h = config_hint_of(at->section, at->key);
	uint64_t num;

	if (n->kind != CONFIG_SCALAR || n->quoted || !is_decimal(n->value, &num) || num < h->lo ||
	    num > h->hi)
		wrong(at, n, v);
}

static void check_bool(const struct place *at, const struct config_node *n,
		       const cyaml_schema_value_t *v)
{
	if (n->kind != CONFIG_SCALAR || n->quoted ||
	    (strcmp(n->value, "true") != 0 && strcmp(n->value, "false") != 0))
		wrong(at, n, v);
}

static void check_enum(const struct place *at, const struct config_node *n,
		       const cyaml_schema_value_t *v)
{
	for (uint32_t i = 0; n->kind == CONFIG_SCALAR && i < v->enumeration.count; i++)
		if (strcmp(n->value, v->enumeration.strings[i].str) == 0)
			return;
	wrong(at, n, v);
}

static void check_string(const struct place *at, const struct config_node *n,
			 const cyaml_schema_value_t *v)
{
	size_t len = n->kind == CONFIG_SCALAR ? strlen(n->value) : 0;

	if (n->kind != CONFIG_SCALAR || len < v->string.min || len > v->string.max)
		wrong(at, n, v);
}

static void check_list(const struct place *at, const struct config_node *n,
		       const cyaml_schema_value_t *v)
{
	struct place inner = *at;

	if (n->kind != CONFIG_LIST || n->children < v->sequence.min) {
		wrong(at, n, v);
		return;
	}
	if (n->children > v->sequence.max)
		config_report_add(at->report, config_node_at(n, v->sequence.max)->line,
				  "%s: %u entries: expected at most %u", at->key, n->children,
				  v->sequence.max);
	if (v->sequence.entry->type == CYAML_MAPPING)
		inner.section = at->key;
	for (const struct config_node *e = n->first; e; e = e->next)
		check_value(&inner, e, v->sequence.entry);
}

/* Levenshtein distance, cut off: keys are short, and a longer one is near to none. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[32];
	size_t n = strlen(b);

	if (strlen(a) > 30 || n > 30)
		return 31;
	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

static const char *nearest(const char *key, const cyaml_schema_field_t *fields)
{
	const char *best = NULL;
	unsigned limit = strlen(key) < 5 ? 1 : 2;

	for (; fields->key; fields++) {
		unsigned d = distance(key, fields->key);

		if (d <= limit) {
			limit = d ? d - 1 : 0;
			best = fields->key;
		}
	}
	return best;
}

static void unknown_key(const struct place *at, const struct config_node *n,
			const cyaml_schema_value_t *v)
{
	const char *near = nearest(n->key, v->mapping.fields);
	char want[256];

	if (near) {
		config_report_add(at->report, n->line, "unknown key \"%s\": did you mean \"%s\"?",
				  n->key, near);
		return;
	}
	expected(want, sizeof(want), at, v);
	config_report_add(at->report, n->line, "unknown key \"%s\": expected %s", n->key, want);
}

static void missing_key(const struct place *at, const struct config_node *map,
			const cyaml_schema_field_t *f)
{
	const struct place key = {at->report, at->section, f->key};
	char want[256];

	expected(want, sizeof(want), &key, &f->value);
	config_report_add(at->report, map->line, "missing key \"%s\"%s%s: expected %s", f->key,
			  *at->section ? " in " : "", at->section, want);
}

static void check_mapping(const struct place *at, const struct config_node *n,
			  const cyaml_schema_value_t *v)
{
	const cyaml_schema_field_t *f;

	if (n->kind != CONFIG_MAP) {
		wrong(at, n, v);
		return;
	}
	for (const struct config_node *c = n->first; c; c = c->next) {
		for (f = v->mapping.fields; f->key && strcmp(f->key, c->key) != 0;)
			f++;
		if (!f->key)
			unknown_key(at, c, v);
		else
			check_value(&(struct place){at->report, at->section, f->key}, c, &f->value);
	}
	for (f = v->mapping.fields; f->key; f++)
		if (!(f->value.flags & CYAML_FLAG_OPTIONAL) && !config_node_key(n, f->key))
			missing_key(at, n, f);
}

/* Deep as the schema, which is not recursive. */
static void check_value(const struct place *at, const struct config_node *n,
			const cyaml_schema_value_t *v)
{
	struct place inner = *at;

	switch (v->type) {
	case CYAML_UINT:
		check_uint(at, n, v);
		return;
	case CYAML_BOOL:
		check_bool(at, n, v);
		return;
	case CYAML_ENUM:
		check_enum(at, n, v);
		return;
	case CYAML_SEQUENCE:
		check_list(at, n, v);
		return;
	case CYAML_MAPPING:
		inner.section = at->key;
		check_mapping(&inner, n, v);
		return;
	default:
		check_string(at, n, v);
	}
}

bool config_shape_check(const struct config_lines *lines, struct config_report *report)
{
	const struct place top = {report, "", ""};
	uint32_t before = report->count;

	check_value(&top, config_lines_root(lines), &config_schema);
	return report->count == before;
}
