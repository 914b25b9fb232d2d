/*
 * driver_store: the store that a driver's engines put into. See driver.h.
 */
#ifndef TESTS_LIB_DRIVER_STORE_H
#define TESTS_LIB_DRIVER_STORE_H

#include "tests/lib/driver.h"

/* An action that is not carried out yet. */
struct driver_op {
	bool is_put, ok, done, whole;
	uint16_t shard, gone;
	uint64_t at, handle;
	uint32_t record; /* index */
	uint32_t version, ttl_s;
	struct slice fields; /* ours */
};

struct driver_store {
	enum engine_store_mode mode;
	enum driver_store_how how;
	uint64_t delay;
	struct driver_record *record;
	uint32_t records, room;
	struct driver_record *saved; /* copies */
	uint32_t saves;
	struct driver_op *op;
	uint32_t ops, op_room;
	uint64_t barrier, passed[DRIVER_MAX_SHARDS]; /* refs: asked last, answered last */
};

void driver_store_init(struct driver *d);
void driver_store_free(struct driver *d);
void driver_store_put(struct driver *d, uint16_t shard, const struct engine_store *s);

/* What a record becomes by a change, valid until the next; see struct engine_store. */
struct slice driver_change(struct driver *d, struct slice was, struct slice change, uint32_t gone);

/* What is made of it must be what all of the call would have been. */
void driver_check_change(struct driver *d, uint16_t shard, const struct engine_store *s,
			 struct slice result);

void driver_store_passed(struct driver *d, uint16_t shard, uint64_t ref);
void driver_store_delete(struct driver *d, uint16_t shard, const struct engine_store *s);

/* Carries out the next that is due; false: none is. */
bool driver_store_answer_next(struct driver *d);
uint64_t driver_store_next_due(const struct driver *d);

#endif
