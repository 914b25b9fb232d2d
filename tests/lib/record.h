/*
 * record: what a flat checkpoint says, one member after the other: fields, and the
 * lines of those that hold lines.
 */
#ifndef TESTS_LIB_RECORD_H
#define TESTS_LIB_RECORD_H

#include "sbc/core/checkpoint.h"

struct record {
	struct slice rest, lines;
};

/* The next member; false at the end, or at what is no checkpoint. */
bool record_next(struct record *r, struct checkpoint_field *member);

/* A member's value; SLICE_NONE when there is none of that name. */
struct slice record_value(struct slice flat, const char *name);

#endif
