/*
 * warm: copies of other nodes' calls and registrations, in memory, so that taking
 * a group over reads nothing in bulk.
 *
 * A table by group, kind and id of flat checkpoints as Redis has them. Bounded by
 * records and bytes; what does not fit is counted, and read from Redis when it is
 * needed. Also finds who has a dialog, by engine_dialog_print().
 */
#ifndef CONTROL_WARM_H
#define CONTROL_WARM_H

#include "sbc/core/engine.h"

struct warm;

struct warm *warm_new(const struct siphash_key *key, uint32_t max_records, uint64_t max_bytes);
void warm_free(struct warm *w);

/* False when it did not fit. Replaces what there was. */
bool warm_put(struct warm *w, uint16_t group, enum checkpoint_kind kind, const char id[IDENT_LEN],
	      struct slice fields);
void warm_remove(struct warm *w, uint16_t group, enum checkpoint_kind kind,
		 const char id[IDENT_LEN]);
void warm_clear(struct warm *w, uint16_t group);

/* The group whose call has a leg with that print; false: none. */
bool warm_find_dialog(const struct warm *w, uint64_t print, uint16_t *group);

/* Walks a group: cursor 0 first; false at the end. Putting meanwhile is allowed. */
struct warm_record {
	enum checkpoint_kind kind;
	char id[IDENT_LEN];
	struct slice fields; /* until the next put or remove */
};
bool warm_next(const struct warm *w, uint16_t group, uint32_t *cursor, struct warm_record *r);

struct warm_count {
	uint32_t calls, registrations, left_out;
	uint64_t bytes;
};
void warm_count(const struct warm *w, uint16_t group, struct warm_count *c);

#endif
