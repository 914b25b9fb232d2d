/*
 * change: what a put that changes a record makes of it (struct engine_store). Both are
 * flat checkpoints.
 */
#ifndef TESTS_LIB_CHANGE_H
#define TESTS_LIB_CHANGE_H

#include "sbc/core/checkpoint.h"

/*
 * The record with the change's fields set and its last `gone` ones, which have no
 * value, taken away. False when it is no such change, or did not fit `w`.
 */
bool change_apply(struct wbuf *w, struct slice record, struct slice change, uint32_t gone);

/* The same fields with the same values, in any order. */
bool change_same(struct slice a, struct slice b);

#endif
