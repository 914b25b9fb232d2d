/*
 * report: one line of JSON, field by field, on standard output.
 */
#ifndef TESTS_BENCH_GEN_REPORT_H
#define TESTS_BENCH_GEN_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/gen/hist.h"

void report_begin(const char *command, const char *error); /* error NULL: ok */
void report_count(const char *name, uint64_t v);
void report_value(const char *name, double v);
void report_flag(const char *name, bool v);
void report_open(const char *name); /* an object within */
void report_close(void);
/*
 * Values in cycles as nanoseconds: `name` {min, p50, p90, p99, p999, max, count},
 * and "histogram" [[upper, count], ...] of buckets that are not empty.
 */
void report_hist(const char *name, const struct hist *h, uint64_t hz);
void report_end(void);

#endif
