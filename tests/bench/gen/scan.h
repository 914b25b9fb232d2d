/*
 * scan: one pass over a message, 16 bytes at a time, that finds where its lines
 * begin and whether it holds anything that it must not: one byte that only the
 * other side uses in its identifiers, and two strings (the other side's network,
 * and its host names). Every byte is looked at; nothing is sampled.
 */
#ifndef TESTS_BENCH_GEN_SCAN_H
#define TESTS_BENCH_GEN_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/gen/text.h"

#define SCAN_LINES 64u

/* What a side must not see. A mark of 0 and empty strings (n 0) are not looked for. */
struct scan_forbidden {
	char mark;
	struct text string[2]; /* two bytes or more each */
};

struct scan {
	uint16_t line[SCAN_LINES]; /* where lines begin; further ones are not noted */
	uint32_t lines;
	bool leak;
	uint32_t leak_at;
};

/* `n` below 65536. Reads nothing beyond p + n. */
void scan_message(struct scan *s, const char *p, uint32_t n, const struct scan_forbidden *f);

#endif
