/*
 * node_key: the secret that hashes, call identifiers and contact users are keyed
 * with: random for each run, or from a file so that it outlives the process.
 *
 * The file holds 32 hexadecimal digits, and nobody but its owner may read it.
 */
#ifndef CONTROL_NODE_KEY_H
#define CONTROL_NODE_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include "sbc/base/siphash.h"

/* False when the kernel gives no randomness. */
bool node_key_random(struct siphash_key *key);

/* False with what is wrong and what was expected in `why`. */
bool node_key_read(const char *path, struct siphash_key *key, char *why, size_t why_len);

#endif
