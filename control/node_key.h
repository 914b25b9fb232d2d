/*
 * node_key: the secret that hashes, call identifiers and contact users are keyed
 * with. It comes from a file of the operator's, or is made at the first start and
 * kept in the state directory, so that identifiers outlive the process.
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

/*
 * The key that is kept in `directory`, in a file "key"; makes the directory (0700)
 * and a random key (0600) where there is none. Whoever comes at the same time gets the
 * same key, and a crash leaves none or a whole one. False with a sentence in `why`;
 * a key that is there but cannot be used is never replaced.
 */
bool node_key_keep(const char *directory, struct siphash_key *key, char *why, size_t why_len);

#endif
