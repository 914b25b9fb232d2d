#include "control/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct table {
	const struct table_column *column;
	uint32_t columns;
	uint32_t width[TABLE_COLUMNS];
	char (*cell)[TABLE_CELL];
	uint32_t cells, room;
	bool failed;
};

struct table *table_new(const struct table_column *columns)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->column = columns;
	for (; columns->title; columns++)
		t->width[t->columns++] = (uint32_t)strlen(columns->title);
	return t;
}

void table_free(struct table *t)
{
	if (t)
		free(t->cell);
	free(t);
}

static char *next_cell(struct table *t)
{
	if (t->cells == t->room) {
		uint32_t room = t->room ? t->room * 2 : 256;
		void *p = realloc(t->cell, (size_t)room * TABLE_CELL);

		if (!p) {
			t->failed = true;
			return NULL;
		}
		t->cell = p;
		t->room = room;
	}
	return t->cell[t->cells++];
}

/* Columns of a terminal: bytes, but for those that continue a UTF-8 character. */
static uint32_t width_of(const char *s)
{
	uint32_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	uint32_t column = t->columns ? t->cells % t->columns : 0;
	char *cell = next_cell(t);
	va_list ap;

	if (!cell)
		return;
	va_start(ap, fmt);
	vsnprintf(cell, TABLE_CELL, fmt, ap);
	va_end(ap);
	for (char *s = cell; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
	if (width_of(cell) > t->width[column])
		t->width[column] = width_of(cell);
}

static void print_cell(const struct table *t, uint32_t column, const char *s, FILE *out)
{
	int pad = (int)(t->width[column] - width_of(s));
	bool last = column + 1 == t->columns;

	if (t->column[column].right)
		fprintf(out, "%*s%s", pad, "", s);
	else
		fprintf(out, "%s%*s", s, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", out);
}

void table_print(const struct table *t, FILE *out)
{
	for (uint32_t i = 0; i < t->columns; i++)
		print_cell(t, i, t->column[i].title, out);
	for (uint32_t i = 0; t->columns && i < t->cells; i++)
		print_cell(t, i % t->columns, t->cell[i], out);
	if (t->failed)
		fputs("(the rest does not fit in memory)\n", out);
}

const char *table_duration(char out[32], int64_t ms)
{
	int64_t s = ms / 1000;

	if (s < 60)
		snprintf(out, 32, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(out, 32, "%" PRId64 " m %02" PRId64 " s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, 32, "%" PRId64 " h %02" PRId64 " m", s / 3600, s % 3600 / 60);
	else
		snprintf(out, 32, "%" PRId64 " d %02" PRId64 " h", s / 86400, s % 86400 / 3600);
	return out;
}

const char *table_bytes(char out[32], int64_t n)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double v = (double)n;
	unsigned u = 0;

	while (v >= 999.5 && u < 6) {
		v /= 1000;
		u++;
	}
	snprintf(out, 32, u && v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[u]);
	return out;
}
