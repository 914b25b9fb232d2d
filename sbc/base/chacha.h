/*
 * chacha: random words out of a key and a counter, many at a time.
 *
 * ChaCha with 20 rounds after Bernstein, "ChaCha, a variant of Salsa20" (2008), with
 * its 128-bit key, a 64-bit counter of blocks and no nonce: one key serves one
 * sequence. Who has seen any part of the sequence learns nothing of the rest.
 */
#ifndef SBC_BASE_CHACHA_H
#define SBC_BASE_CHACHA_H

#include <stdint.h>

#include "sbc/base/siphash.h"

#define CHACHA_WORDS 16u /* of 64 bits, in two blocks */

/* The blocks `counter` and `counter + 1`, which take little longer than one. */
void chacha_blocks(const struct siphash_key *key, uint64_t counter, uint64_t out[CHACHA_WORDS]);

#endif
