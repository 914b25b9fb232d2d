/*
 * tx_sweep: a walk over all transactions, for when a group of addresses that they
 * use went to another node.
 */
#ifndef SBC_CORE_TX_SWEEP_H
#define SBC_CORE_TX_SWEEP_H

#include "sbc/core/transaction.h"

/* Whether a handle names a transaction that is still there. */
bool tx_is_live(const struct tx_layer *l, uint64_t tx);

/*
 * Forgets the transaction at an index, below the layer's capacity, as tx_abandon() does,
 * where there is one and its messages leave from a listener of these slots (bit i: slot i).
 * False: there is none such.
 */
bool tx_sweep_one(struct tx_layer *l, uint64_t slots, uint32_t index);

#endif
