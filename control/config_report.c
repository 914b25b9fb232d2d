#include "control/config_report.h"

#include <stdarg.h>
#include <string.h>

void config_report_init(struct config_report *r, const char *file)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->file, sizeof(r->file), "%s", file);
}

uint32_t config_report_kept(const struct config_report *r)
{
	return r->count < CONFIG_MAX_MISTAKES ? r->count : CONFIG_MAX_MISTAKES;
}

/* What a file holds may be anything: the terminal gets to see only printable text. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

void config_report_add(struct config_report *r, uint32_t line, const char *fmt, ...)
{
	struct config_mistake *m;
	va_list ap;

	if (r->count++ >= CONFIG_MAX_MISTAKES)
		return;
	m = &r->mistake[r->count - 1];
	m->line = line;
	va_start(ap, fmt);
	vsnprintf(m->text, sizeof(m->text), fmt, ap);
	va_end(ap);
	make_printable(m->text);
}

void config_report_sort(struct config_report *r)
{
	uint32_t n = config_report_kept(r);

	for (uint32_t i = 1; i < n; i++) {
		struct config_mistake m = r->mistake[i];
		uint32_t j = i;

		for (; j > 0 && r->mistake[j - 1].line > m.line; j--)
			r->mistake[j] = r->mistake[j - 1];
		r->mistake[j] = m;
	}
}

uint32_t config_report_print(const struct config_report *r, FILE *out)
{
	uint32_t n = config_report_kept(r);

	for (uint32_t i = 0; i < n; i++) {
		const struct config_mistake *m = &r->mistake[i];

		if (m->line)
			fprintf(out, "%s:%u: %s\n", r->file, m->line, m->text);
		else
			fprintf(out, "%s: %s\n", r->file, m->text);
	}
	if (r->count > n)
		fprintf(out, "%s: and %u more mistakes\n", r->file, r->count - n);
	return n;
}
