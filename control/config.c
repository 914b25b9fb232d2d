#include "control/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_internal.h"
#include "control/config_shape.h"

uint32_t config_line(const struct config_work *w, const char *section, uint32_t i, const char *key)
{
	const struct config_node *n = config_node_key(config_lines_root(w->lines), section);
	const struct config_node *value;

	if (n && n->kind == CONFIG_LIST)
		n = config_node_at(n, i);
	value = config_node_key(n, key);
	return value ? value->line : n ? n->line : 0;
}

void config_wrong(const struct config_work *w, const char *section, uint32_t i, const char *key,
		  const char *value)
{
	config_report_add(w->report, config_line(w, section, i, key), "%s: %s: expected %s", key,
			  value, config_hint_of(section, key)->expect);
}

/*
 * The shape check has refused whatever libcyaml would, with better words; should
 * the two ever differ, libcyaml's own are shown. Its last lines are a backtrace.
 */
static void take_cyaml_log(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	struct config_report *report = ctx;
	char text[CONFIG_MISTAKE_LEN];
	const char *line;
	unsigned number = 0;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = '\0';
	line = strstr(text, "(line: ");
	if (line)
		sscanf(line, "(line: %u", &number);
	config_report_add(report, number, "%s", text);
}

static struct raw_config *load_raw(const char *text, size_t len, struct config_report *report)
{
	const cyaml_config_t cyaml = {.log_fn = take_cyaml_log,
				      .log_ctx = report,
				      .mem_fn = cyaml_mem,
				      .log_level = CYAML_LOG_ERROR,
				      .flags = CYAML_CFG_NO_ALIAS};
	struct raw_config *raw = NULL;
	cyaml_err_t err = cyaml_load_data((const uint8_t *)text, len, &cyaml, &config_schema,
					  (cyaml_data_t **)&raw, NULL);

	if (err == CYAML_OK)
		return raw;
	if (report->count == 0)
		config_report_add(report, 0, "%s", cyaml_strerror(err));
	return NULL;
}

static void free_raw(struct raw_config *raw)
{
	const cyaml_config_t cyaml = {.mem_fn = cyaml_mem};

	cyaml_free(&cyaml, &config_schema, raw, 0);
}

static void run_stages(struct config_work *w, enum config_check check)
{
	config_build_node(w);
	config_build_ports(w);
	config_build_realms(w);
	config_build_peers(w);
	config_build_routes(w);
	config_build_state(w);
	config_build_members(w);
	config_cross_check(w);
	if (check == CONFIG_CHECK_DEVICES)
		config_device_check(w);
}

static struct config *build(const struct raw_config *raw, const struct config_lines *lines,
			    enum config_check check, struct config_report *report)
{
	struct config_work w = {.raw = raw, .lines = lines, .report = report};

	w.out = calloc(1, sizeof(*w.out));
	if (!w.out) {
		config_report_add(report, 0, "out of memory");
		return NULL;
	}
	w.out->dp.snapshot = &w.out->snapshot;
	run_stages(&w, check);
	if (report->count == 0)
		config_build_groups(&w);
	if (report->count == 0)
		return w.out;
	free(w.out);
	return NULL;
}

struct config *config_parse(const char *name, const char *text, size_t len, enum config_check check,
			    struct config_report *report)
{
	struct config_lines *lines;
	struct raw_config *raw = NULL;
	struct config *out = NULL;

	config_report_init(report, name);
	lines = config_lines_read(text, len, report);
	if (!lines)
		return NULL;
	if (config_shape_check(lines, report))
		raw = load_raw(text, len, report);
	if (raw)
		out = build(raw, lines, check, report);
	free_raw(raw);
	config_lines_free(lines);
	config_report_sort(report);
	return out;
}

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;

	if (!f)
		return NULL;
	text = malloc(CONFIG_MAX_BYTES + 1);
	if (text) {
		*len = fread(text, 1, CONFIG_MAX_BYTES + 1, f);
		if (ferror(f)) {
			int err = errno;

			free(text);
			text = NULL;
			errno = err;
		}
	}
	fclose(f);
	return text;
}

struct config *config_load(const char *path, enum config_check check, struct config_report *report)
{
	struct config *out;
	size_t len = 0;
	char *text = read_file(path, &len);

	if (!text) {
		config_report_init(report, path);
		config_report_add(report, 0, "cannot be read: %s", strerror(errno));
		return NULL;
	}
	out = config_parse(path, text, len, check, report);
	free(text);
	return out;
}
