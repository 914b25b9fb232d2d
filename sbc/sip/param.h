/*
 * param: the `;name[=value]` lists of URIs, Via, addresses and credentials.
 *
 * A list is the slice that begins at its first ';' (or is empty). Names compare
 * case-insensitively (RFC 3261 7.3.1). A value may be a token, a host (with
 * IPv6 brackets) or a quoted string, which is returned with its quotes.
 */
#ifndef SBC_SIP_PARAM_H
#define SBC_SIP_PARAM_H

#include <stdbool.h>

#include "sbc/base/slice.h"

struct sip_param {
	struct slice name;
	struct slice value; /* n 0 and p NULL when there is no '=' */
	struct slice whole; /* from the ';' to the end of the value */
};

/* Cuts the next parameter off `*rest`; false at the end or where the list breaks. */
bool sip_param_next(struct slice *rest, struct sip_param *out);

/* First parameter of that name. */
bool sip_param_find(struct slice list, struct slice name, struct sip_param *out);

/* Whether the whole list is well-formed. */
bool sip_param_list_ok(struct slice list);

#endif
