/*
 * table: memory that is written to when it is made, so that no page of it is had from
 * the kernel while a load runs. NULL: there is none. free() takes it.
 */
#ifndef TESTS_BENCH_GEN_TABLE_H
#define TESTS_BENCH_GEN_TABLE_H

#include <stdlib.h>
#include <string.h>

#define TABLE_LINE 64u

static inline void *table_of(size_t n, size_t size)
{
	const size_t bytes = (n * size + TABLE_LINE - 1) / TABLE_LINE * TABLE_LINE;
	void *p = aligned_alloc(TABLE_LINE, bytes);

	return p ? memset(p, 0, bytes) : NULL;
}

#endif
