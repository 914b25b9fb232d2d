/*
 * oracle_internal: what the oracle's two halves share, keeping and learning.
 */
#ifndef TESTS_LIB_ORACLE_INTERNAL_H
#define TESTS_LIB_ORACLE_INTERNAL_H

#include "tests/lib/oracle.h"

/* Keeps a secret, with its encoded forms; shorter than ORACLE_MIN it is ignored. */
void oracle_put_text(struct oracle *o, uint16_t realm, struct slice s, bool bounded, bool fixed,
		     const char *what);
void oracle_put_ip(struct oracle *o, uint16_t realm, uint32_t ip, bool fixed, const char *what);

bool oracle_is_word(char c);

/* Headers of credentials and challenges. */
bool oracle_is_auth(struct slice name);

#endif
