#include "control/ctl_answer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl_rows.h"

struct buffer {
	struct ctl_text text;
	size_t cap;
	bool failed;
};

static int append(const char *s, size_t n, void *arg)
{
	struct buffer *b = arg;

	if (n == 0)
		return 0;
	if (b->failed)
		return -1;
	if (!b->text.p || n > b->cap - b->text.n) {
		size_t cap = b->cap ? b->cap * 2 : 4096;
		char *p;

		while (cap - b->text.n < n)
			cap *= 2;
		p = realloc(b->text.p, cap);
		if (!p) {
			b->failed = true;
			return -1;
		}
		b->text.p = p;
		b->cap = cap;
	}
	memcpy(b->text.p + b->text.n, s, n);
	b->text.n += n;
	return 0;
}

static void append_json(struct buffer *b, json_t *j)
{
	if (!j || json_dump_callback(j, append, b, JSON_COMPACT) < 0)
		b->failed = true;
	json_decref(j);
}

static struct ctl_text finish(struct buffer *b)
{
	append("\n", 1, b);
	if (!b->failed)
		return b->text;
	free(b->text.p);
	return (struct ctl_text){NULL, 0};
}

struct ctl_text ctl_answer_json(json_t *j)
{
	struct buffer b = {.cap = 0};

	append_json(&b, j);
	return finish(&b);
}

struct ctl_text ctl_answer_error(const char *why)
{
	struct buffer b = {.cap = 0};

	append_json(&b, json_pack("{s:b,s:s}", "ok", 0, "error", why));
	return finish(&b);
}

static struct ctl_text answer_ok(void)
{
	struct buffer b = {.cap = 0};

	append_json(&b, json_pack("{s:b}", "ok", 1));
	return finish(&b);
}

static struct ctl_text answer_rows(const struct ctl_context *ctx, const char *name,
				   struct collect_result *r)
{
	struct buffer b = {.cap = 0};
	char head[64];
	int n = snprintf(head, sizeof(head), "{\"ok\":true,\"%s\":[", name);

	ctl_rows_sort(r);
	append(head, (size_t)n, &b);
	for (uint32_t i = 0; i < r->rows && !b.failed; i++) {
		if (i)
			append(",", 1, &b);
		append_json(&b, ctl_row(ctx, r->type, &r->row[i]));
	}
	append("]", 1, &b);
	if (r->truncated)
		append(",\"truncated\":true", 17, &b);
	append("}", 1, &b);
	return finish(&b);
}

static struct ctl_text answer_drops(const struct ctl_request *q, const struct collect_result *r)
{
	struct buffer b = {.cap = 0};
	json_t *list = json_array();

	for (unsigned i = 0; i < REASON_COUNT; i++) {
		uint64_t n = 0;

		for (uint16_t w = 0; w < r->workers; w++)
			n += r->stats[w].reasons.n[i] + r->stats[w].engine.reasons.n[i];
		if (n || q->all)
			json_array_append_new(list, json_pack("{s:s,s:I,s:s}", "reason",
							      reason_name((enum reason)i), "count",
							      (json_int_t)n, "text",
							      reason_text((enum reason)i)));
	}
	append_json(&b, json_pack("{s:b,s:o}", "ok", 1, "drops", list));
	return finish(&b);
}

static struct ctl_text answer_status(const struct ctl_context *ctx, const struct collect_result *r)
{
	struct buffer b = {.cap = 0};

	append_json(&b, ctl_status(ctx, r));
	return finish(&b);
}

static struct ctl_text answer_state(const struct ctl_context *ctx, const struct collect_result *r)
{
	struct buffer b = {.cap = 0};

	append_json(&b, json_pack("{s:b,s:o}", "ok", 1, "store", ctl_store(ctx, r)));
	return finish(&b);
}

struct ctl_text ctl_answer(const struct ctl_context *ctx, const struct ctl_request *request,
			   struct collect_result *result)
{
	if (request->cmd == CTL_KILL && result->error && strcmp(result->error, "refused") == 0)
		return ctl_answer_error("there is no such call");
	if (result->error)
		return ctl_answer_error(result->error);
	switch (request->cmd) {
	case CTL_STATUS:
		return answer_status(ctx, result);
	case CTL_STATE:
		return answer_state(ctx, result);
	case CTL_DROPS:
		return answer_drops(request, result);
	case CTL_KILL:
	case CTL_DRAIN:
		return answer_ok();
	default:
		return answer_rows(ctx, ctl_cmd_name(request->cmd), result);
	}
}
