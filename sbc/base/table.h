/*
 * table: finds pool objects by a keyed hash of whatever their key is.
 *
 * The table stores for each object index its 32-bit hash and a chain link, and
 * nothing of the key: the caller walks the candidates and compares the real
 * key, because a hash alone would let a forged key pass for another. Hashes
 * come from siphash with the node's secret key, so that chains cannot be made
 * long on purpose. Room for `capacity` indices; nothing is allocated after
 * start. One object is in a table at most once.
 */
#ifndef SBC_BASE_TABLE_H
#define SBC_BASE_TABLE_H

#include <stdint.h>

#include "sbc/base/arena.h"
#include "sbc/base/prefetch.h"

#define TABLE_NONE UINT32_MAX

struct table_place {
	uint32_t next, hash;
};

struct table {
	uint32_t *heads;
	struct table_place *place; /* by index */
	uint32_t mask;
	uint32_t count;
	uint32_t capacity;
};

void table_init(struct table *t, struct arena *a, uint32_t capacity);

/* An index that is in the table already, or beyond its capacity, aborts: chains would tangle. */
void table_insert(struct table *t, uint32_t index, uint32_t hash);

/* Removing an index that is not in the table does nothing. */
void table_remove(struct table *t, uint32_t index);

/* First and following indices whose stored hash equals `hash`; TABLE_NONE ends. */
uint32_t table_first(const struct table *t, uint32_t hash);
uint32_t table_next(const struct table *t, uint32_t index);

/* ---- ahead of use, see prefetch.h: an index that is not in the table is harmless ---- */

/* Where table_first() begins. */
static inline void table_find_ahead(const struct table *t, uint32_t hash)
{
	prefetch(&t->heads[hash & t->mask]);
}

/* What table_first() will look at first, if anything; its hash may be another. */
static inline uint32_t table_candidate(const struct table *t, uint32_t hash)
{
	return t->count ? t->heads[hash & t->mask] : TABLE_NONE;
}

/* What the table knows of an index. */
static inline void table_place_ahead(const struct table *t, uint32_t index)
{
	prefetch(&t->place[index]);
}

/* After that has come: where table_remove() begins. */
static inline void table_remove_ahead(const struct table *t, uint32_t index)
{
	prefetch(&t->heads[t->place[index].hash & t->mask]);
}

#endif
