/*
 * keep: a border whose calls are kept by the test, in control's place.
 */
#ifndef TESTS_DATAPLANE_KEEP_H
#define TESTS_DATAPLANE_KEEP_H

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/flows.h"
#include "sbc/base/ident.h"
#include "tests/dataplane/talk.h"

/* An op with its bytes, beyond the ring's. */
struct kept {
	struct dp_store_op op;
	char fields[CHECKPOINT_MAX];
};

/* What was taken last. */
extern struct kept kept;

/* A bed whose neighbours are known, and what its workers are told of the store. */
void keep_open(struct bed *b, uint16_t workers);
void keep_mode(struct bed *b, enum engine_store_mode m);

/* The next op that control has to do, into `kept`; false when there is none. */
bool keep_take(struct bed *b);

/* Acknowledges it. */
void keep_stored(struct bed *b, bool ok);

/* All there is, each acknowledged; how many. What was put last stays in `kept`, whole. */
uint32_t keep_store_all(struct bed *b);

/* Whether control has been woken. */
bool keep_woken(struct bed *b);

/* As large as a put can be; such ones until one is refused: how many were not. */
struct engine_store keep_big_put(uint64_t handle);
uint64_t keep_fill(struct worker *w);

/* Then small ones, into what the large ones leave. */
void keep_fill_up(struct worker *w);

void keep_engine_read(struct bed *b, uint16_t worker, struct engine_stats *s);

#endif
