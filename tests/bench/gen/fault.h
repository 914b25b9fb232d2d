/*
 * fault: faults made on purpose on what is received, before anything looks at
 * it, so that it can be shown that they are seen. Never on in a measurement.
 */
#ifndef TESTS_BENCH_GEN_FAULT_H
#define TESTS_BENCH_GEN_FAULT_H

#include "tests/bench/gen/gen.h"

/*
 * "KIND:N": every Nth frame of that kind. lose, double, swap (with the next of
 * its burst), stray (another port), corrupt (a byte of the payload): of RTP;
 * drop: of SIP; leak: a message to one side gets an identifier of the other;
 * branch, tag, call-id, cseq: one character of it. False when it is none.
 */
bool fault_set(const char *plan);
bool fault_any(void);
uint32_t fault_inject(struct gen *g, enum side side, struct rte_mbuf **burst, uint32_t n);
/* How many have been made. */
uint64_t fault_made(void);

#endif
