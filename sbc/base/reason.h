/*
 * reason: why a packet was dropped or a message refused, in one table.
 *
 * Every drop and every refusal counts under exactly one reason; counters are
 * per worker and never reset. X(symbol, name, explanation): `name` is what
 * `posternctl drops`, telemetry and tests show; it never changes once shipped.
 * Each reason has a test that produces it (tests/ greps for its symbol).
 */
#ifndef SBC_BASE_REASON_H
#define SBC_BASE_REASON_H

#include <stdint.h>

#include "sbc/base/reasons.def.h"

enum reason {
#define X(symbol, name, text) REASON_##symbol,
	REASONS(X)
#undef X
		REASON_COUNT
};

const char *reason_name(enum reason r);
const char *reason_text(enum reason r);

/* One worker's counters; only that worker writes. */
struct reason_counters {
	uint64_t n[REASON_COUNT];
};

static inline void reason_count(struct reason_counters *c, enum reason r)
{
	c->n[r]++;
}

#endif
