/*
 * tx_sweep: walks over all transactions, for when the addresses they use are not
 * what they were: a group of them went to another node, or a new configuration
 * lists them in another order.
 */
#ifndef SBC_CORE_TX_SWEEP_H
#define SBC_CORE_TX_SWEEP_H

#include "sbc/core/transaction.h"

/* Whether a handle names a transaction that is still there. */
bool tx_is_live(const struct tx_layer *l, uint64_t tx);

/*
 * Forgets the transaction at an index, below the layer's capacity, as tx_abandon() does,
 * where there is one and its messages leave from one of these listeners (bit i: index i).
 * False: there is none such.
 */
bool tx_sweep_one(struct tx_layer *l, uint64_t listeners, uint32_t index);

/* Listener i is number to[i] now, of SNAPSHOT_MAX_LISTENERS; gone ones are SNAPSHOT_NONE, from
 * where nothing is sent: their transactions come to their ends in silence. */
void tx_sweep_renumber(struct tx_layer *l, const uint16_t *to);

#endif
