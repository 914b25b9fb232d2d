/*
 * usual: From, To, Contact and Via as nearly all messages have them.
 *
 * sip_addr_parse() and sip_via_parse() take what RFC 3261 allows: white space
 * wherever it may be, comments of a form, several values. These look for the one form
 * that nearly everybody sends and go over it once. What is another form they do not
 * judge: false, and the careful way decides. Where they answer, they answer the
 * same (tests/fuzz/sip_msg_fuzz.c, tests/unit/sip/usual_test.c).
 */
#ifndef SBC_SIP_USUAL_H
#define SBC_SIP_USUAL_H

#include "sbc/sip/addr.h"
#include "sbc/sip/via.h"

/* `<uri>` or `"name" <uri>`, and nothing or ;tag= after it. */
bool sip_addr_usual(struct sip_addr *a, struct slice *tag, struct slice value);

/* `SIP/2.0/UDP a.b.c.d:port` with ;rport, ;branch and ;received in any order. */
bool sip_via_usual(struct sip_via *v, struct slice value);

/* sip_via_parse() by the careful way alone. */
enum sbc_err sip_via_parse_with_care(struct sip_via *v, struct slice value);

/* sip_addr_parse() and sip_addr_tag() in one. */
enum sbc_err sip_addr_tagged(struct sip_addr *a, struct slice *tag, struct slice value);

/* sip_addr_of() and sip_addr_tag() in one. */
enum sbc_err sip_addr_tagged_of(const struct sip_msg *m, enum sip_hdr id, struct sip_addr *a,
				struct slice *tag);

#endif
