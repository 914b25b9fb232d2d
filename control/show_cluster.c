#include "control/show_cluster.h"

#include <inttypes.h>

#include "control/table.h"

static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s && *s ? s : "-";
}

static bool is(const json_t *j, const char *key)
{
	return json_is_true(json_object_get(j, key));
}

static int64_t num(const json_t *j, const char *key)
{
	return json_integer_value(json_object_get(j, key));
}

static const char *condition(const json_t *n)
{
	if (is(n, "differs"))
		return "OTHER SETTINGS";
	if (is(n, "leaving"))
		return "leaving";
	return is(n, "ready") ? "ready" : "not ready";
}

static void row_node(struct table *t, const json_t *n)
{
	const json_t *heard = json_object_get(n, "heard_ms_ago");

	table_cell(t, "%s%s", str(n, "name"), is(n, "self") ? " (this)" : "");
	table_cell(t, "%s", str(n, "address"));
	table_cell(t, "%s", is(n, "in") ? "in" : "out");
	if (json_is_integer(heard))
		table_cell(t, "%" PRId64 " ms", num(n, "heard_ms_ago"));
	else
		table_cell(t, "-");
	table_cell(t, "%s", condition(n));
}

static const char *rests_on(const json_t *g)
{
	if (is(g, "by_redis"))
		return is(g, "by_grants") ? "Redis, grants" : "Redis";
	return is(g, "by_grants") ? "grants" : "-";
}

static void row_group(struct table *t, const json_t *g)
{
	const json_t *warm = json_object_get(g, "warm");

	table_cell(t, "%s", str(g, "name"));
	table_cell(t, "%s", str(g, "state"));
	table_cell(t, "%s", str(g, "owner"));
	table_cell(t, "%s", str(g, "home"));
	table_cell(t, "%s", str(g, "next"));
	table_cell(t, "%" PRId64, num(g, "epoch"));
	table_cell(t, "%s", rests_on(g));
	if (json_is_integer(json_object_get(g, "until_ms")))
		table_cell(t, "%" PRId64 " ms", num(g, "until_ms"));
	else
		table_cell(t, "-");
	if (is(warm, "complete"))
		table_cell(t, "%" PRId64 " / %" PRId64, num(warm, "calls"),
			   num(warm, "registrations"));
	else
		table_cell(t, "-");
}

static void show_rows(const json_t *rows, const struct table_column *columns,
		      void (*row)(struct table *t, const json_t *j), FILE *out)
{
	struct table *t = table_new(columns);
	const json_t *j;
	size_t i;

	if (!t)
		return;
	json_array_foreach(rows, i, j)
	{
		row(t, j);
	}
	table_print(t, out);
	table_free(t);
}

void show_cluster(const json_t *answer, FILE *out)
{
	static const struct table_column nodes[] = {{"NODE", false},      {"HEARTBEATS", false},
						    {"MEMBER", false},    {"HEARD AGO", true},
						    {"CONDITION", false}, {NULL, false}};
	static const struct table_column groups[] = {
		{"GROUP", false},    {"HERE", false}, {"OWNER", false},
		{"HOME", false},     {"NEXT", false}, {"EPOCH", true},
		{"RESTS ON", false}, {"FOR", true},   {"WARM CALLS / REGISTRATIONS", true},
		{NULL, false}};

	fprintf(out, "cluster %s%s\n\n", str(answer, "name"),
		is(answer, "draining") ? ", this node is draining" : "");
	show_rows(json_object_get(answer, "nodes"), nodes, row_node, out);
	fputc('\n', out);
	show_rows(json_object_get(answer, "groups"), groups, row_group, out);
	fprintf(out,
		"\ntaken %" PRId64 ", given %" PRId64 ", lost %" PRId64
		"; requests passed on %" PRId64 ", for nobody %" PRId64
		"; datagrams refused %" PRId64 "\n",
		num(answer, "takeovers"), num(answer, "given"), num(answer, "lost"),
		num(answer, "forwarded"), num(answer, "forward_unknown"),
		num(answer, "heartbeats_bad"));
}
