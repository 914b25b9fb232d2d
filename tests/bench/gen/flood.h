/*
 * flood: what strangers send, at a rate, from source addresses that they do not
 * have (RFC 2544's network 198.18.0.0/15, so that nobody else is meant).
 */
#ifndef TESTS_BENCH_GEN_FLOOD_H
#define TESTS_BENCH_GEN_FLOOD_H

#include "tests/bench/gen/job.h"

/* flood invite|register|options|garbage|rtp|fragment PPS SECONDS */
const char *flood_begin(struct gen *g, struct job *j, int argc, char **argv);

#endif
