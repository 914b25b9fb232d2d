/*
 * checkpoint_fixture: checkpoints of any content, of seeded numbers, and comparing them.
 */
#ifndef TESTS_UNIT_CORE_CHECKPOINT_FIXTURE_H
#define TESTS_UNIT_CORE_CHECKPOINT_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/core/checkpoint_internal.h"
#include "tests/lib/unit.h"

/* What follows from one seed is the same at each run. */
extern uint64_t any_seed;

/* Extremes as often as anything else; strings point into a pool that is used again after a while. */
uint64_t any_number(void);
struct slice any_bytes(uint32_t n); /* but the line's end */
struct slice any_lines(uint32_t n); /* that too */
struct slice any_string(void);
struct net_addr any_addr(void);
struct checkpoint_leg any_leg(void);
struct checkpoint_stream any_stream(void);
struct checkpoint_exchange any_exchange(void);
void any_call(struct call_checkpoint *c);
struct registration_checkpoint any_registration(void);

/* A member as it is written, in `room` of CHECKPOINT_ROOM or where it is. */
struct slice member_text(char *room, const struct checkpoint_member *m, const void *base);

/* Fails the test where two differ: by the members of a group, or in anything. */
void members_same(const struct checkpoint_members *set, const void *a, const void *b);
void call_checkpoint_same(const struct call_checkpoint *a, const struct call_checkpoint *b);

/* Nothing when `cap` is too little. */
struct slice call_checkpoint_write(const struct call_checkpoint *c, char *room, uint32_t cap);

/* A call with little in it, written into memory that the next one uses again. */
struct slice small_call(struct call_checkpoint *c);

#endif
