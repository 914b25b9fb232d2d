#include "sbc/core/store_internal.h"

void store_barrier(struct engine *e, uint64_t ref)
{
	e->store.barrier_next = ref;
}

/*
 * What a resync still has to look at is owed too, and not counted yet. Of the other
 * turn nothing is owed: the barrier before has ended when that was so.
 */
void store_barrier_begin(struct engine *e)
{
	struct store *s = &e->store;

	if (s->barrier || s->barrier_next == 0 || s->resync != POOL_NONE)
		return;
	s->barrier = s->barrier_next;
	s->barrier_next = 0;
	s->turn ^= 1;
}

void store_barrier_end(struct engine *e)
{
	struct store *s = &e->store;

	if (s->barrier == 0 || s->owed[s->turn ^ 1] != 0)
		return;
	if (!engine_out_barrier(e->out, s->barrier)) {
		e->due = true;
		return;
	}
	s->barrier = 0;
	e->due |= s->barrier_next != 0;
}
