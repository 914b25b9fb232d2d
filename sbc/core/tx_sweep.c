#include "sbc/core/tx_sweep.h"

#include "sbc/core/snapshot.h"
#include "sbc/core/transaction_internal.h"

static_assert(SNAPSHOT_MAX_LISTENERS <= 64, "a bit each");

bool tx_is_live(const struct tx_layer *l, uint64_t tx)
{
	return tx_of(l, tx) != NULL;
}

bool tx_sweep_one(struct tx_layer *l, uint64_t listeners, uint32_t index)
{
	struct tx *t = tx_at(l, index);

	if (!pool_is_taken(&l->pool, index) || t->path.listener >= SNAPSHOT_MAX_LISTENERS ||
	    !(listeners >> t->path.listener & 1))
		return false;
	tx_destroy(l, t);
	return true;
}

void tx_sweep_renumber(struct tx_layer *l, const uint16_t *to)
{
	for (uint32_t i = 0; i < l->pool.capacity; i++) {
		if (!pool_is_taken(&l->pool, i))
			continue;
		struct tx *t = tx_at(l, i);
		if (t->path.listener >= SNAPSHOT_MAX_LISTENERS)
			continue;
		t->path.listener = to[t->path.listener];
	}
}
