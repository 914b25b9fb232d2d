#include "sbc/core/engine_internal.h"

/*
 * Nothing is walked here: transactions and exchanges name listeners by what does not
 * change (slots_listener()), and ports that calls have are marked where they stay
 * (media/port_set.h). Calls that lost their realm or listener end with ticks to come.
 */
void engine_snapshot(struct engine *e, const struct snapshot *snap)
{
	e->snap = snap;
	slots_load(&e->slots, snap);
	e->sweep = 0;
	e->due = true;
}
