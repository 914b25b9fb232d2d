/*
 * table: rows of text, printed in columns as wide as they need to be.
 *
 * Numbers stand to the right, text to the left. Cells may hold what strangers
 * sent: control bytes are shown as '?', so that no cell moves the cursor.
 */
#ifndef CONTROL_TABLE_H
#define CONTROL_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TABLE_COLUMNS 16u
#define TABLE_CELL    128u

struct table_column {
	const char *title;
	bool right;
};

struct table;

/* Columns end with a NULL title. NULL when out of memory. */
struct table *table_new(const struct table_column *columns);
void table_free(struct table *t);

/* Cells fill rows from left to right. */
__attribute__((format(printf, 2, 3))) void table_cell(struct table *t, const char *fmt, ...);

void table_print(const struct table *t, FILE *out);

/* "12.3 s", "4 m 05 s", "2 h 03 m", "3 d 04 h" */
const char *table_duration(char out[32], int64_t ms);
/* "999 B", "1.2 kB", "34 MB" */
const char *table_bytes(char out[32], int64_t n);

#endif
