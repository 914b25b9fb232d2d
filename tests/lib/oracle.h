/*
 * oracle: finds what one side must never learn of another.
 *
 * A secret is a string that describes one realm: an address, a host name, a
 * Call-ID, a tag, a branch, a field of its SDP. oracle_check() searches a message
 * that leaves towards a realm for every secret that does not also belong to that
 * realm: as it is and in any case, percent-escaped, in hexadecimal and base64 of
 * its text at each of the three alignments, and IPv4 addresses as hexadecimal
 * and decimal double words.
 *
 * Secrets are given by hand (oracle_add) or learned from every message that
 * comes in (oracle_learn), read by tests/lib/text and not by the code under
 * test. Learned ones are bounded: the ones not seen for longest make room.
 * Strings shorter than ORACLE_MIN are too likely to occur by chance and are not
 * learned.
 *
 * Not searched: digest credentials and challenges, which RFC 3261 22 makes
 * end-to-end. Their `domain` parameter is.
 */
#ifndef TESTS_LIB_ORACLE_H
#define TESTS_LIB_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/net.h"
#include "sbc/base/slice.h"

#define ORACLE_MIN 7u

struct oracle;

struct oracle *oracle_new(void);
void oracle_free(struct oracle *o);

/* Both sides may know this string: never a secret. */
void oracle_share(struct oracle *o, const char *text);

/* A secret for good. `what` is a static string that names it in a report. */
void oracle_add(struct oracle *o, uint16_t realm, struct slice secret, const char *what);
void oracle_add_ip(struct oracle *o, uint16_t realm, uint32_t ip, const char *what);

/* Collects the secrets of a message that came from `source` in `realm`. */
void oracle_learn(struct oracle *o, uint16_t realm, struct net_addr source, struct slice msg,
		  bool hides_user_agent);

/*
 * Collects what the border minted for `realm` in a message that it has sent there:
 * Call-ID, tags, branch and, of a REGISTER, the contact's user. They belong to that
 * side alone, too.
 */
void oracle_learn_sent(struct oracle *o, uint16_t realm, struct slice msg);

/* False when `msg` shows `realm` a secret of another; then `why` says which and where. */
bool oracle_check(struct oracle *o, uint16_t realm, struct slice msg, char *why, uint32_t why_len);

#endif
