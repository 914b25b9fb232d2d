#include "sbc/core/tx_sweep.h"

#include "sbc/core/slots.h"
#include "sbc/core/transaction_internal.h"

static_assert(SNAPSHOT_MAX_LISTENERS <= 64, "a bit each");

bool tx_is_live(const struct tx_layer *l, uint64_t tx)
{
	return tx_of(l, tx) != NULL;
}

bool tx_sweep_one(struct tx_layer *l, uint64_t slots, uint32_t index)
{
	struct tx *t = tx_at(l, index);
	uint16_t slot = slots_listener_slot(t->path.listener);

	if (!pool_is_taken(&l->pool, index) || slot >= SNAPSHOT_MAX_LISTENERS ||
	    !(slots >> slot & 1))
		return false;
	tx_destroy(l, t);
	return true;
}
