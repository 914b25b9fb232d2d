/*
 * restore_fixture: the parties of engine_fixture, and a border that dies and comes
 * back: everything it holds is gathered, its engines begin anew, and are given back
 * what was gathered.
 */
#ifndef TESTS_UNIT_CORE_RESTORE_FIXTURE_H
#define TESTS_UNIT_CORE_RESTORE_FIXTURE_H

#include "sbc/core/checkpoint.h"
#include "tests/unit/core/engine_fixture.h"

#define REBORN_MAX 64u

struct reborn {
	uint32_t count;
	struct {
		enum checkpoint_kind kind;
		uint16_t shard;
		uint32_t n;
		char bytes[CHECKPOINT_MAX];
	} kept[REBORN_MAX];
};

/* All calls and registrations of all shards, the calls as owing those sides a BYE. */
void reborn_gather(struct reborn *r, struct fixture *f, uint8_t owed);

/* Gives one, or all, to the engine it is for. */
void reborn_give(const struct reborn *r, struct fixture *f, uint32_t i);
void reborn_give_all(const struct reborn *r, struct fixture *f);

/* Gathered, killed, started, restored; nothing was lost on the way. */
void reborn_cycle(struct fixture *f);

/* One kept thing as a struct, changed by a test and put in its place again. */
void reborn_call_read(const struct reborn *r, uint32_t i, struct call_checkpoint *c);
void reborn_call_write(struct reborn *r, uint32_t i, const struct call_checkpoint *c);

#endif
