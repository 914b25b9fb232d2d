/*
 * addr: name-addr and addr-spec with parameters (RFC 3261 20.10): From, To,
 * Contact, Route, Record-Route, P-Asserted-Identity, Refer-To and their kin.
 *
 * Without angle brackets all parameters belong to the header, not the URI
 * (RFC 3261 20): `sip:a@b;tag=1` has the URI `sip:a@b`.
 */
#ifndef SBC_SIP_ADDR_H
#define SBC_SIP_ADDR_H

#include "sbc/base/err.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/param.h"
#include "sbc/sip/uri.h"

struct sip_addr {
	struct slice whole;   /* this value, without the comma that may follow */
	struct slice display; /* display name as it came, with quotes; may be empty */
	struct slice uri;     /* between the brackets, or the bare addr-spec */
	struct slice params;  /* header parameters, from the first ';' */
	bool is_star;         /* Contact: * */
	bool in_brackets;
	struct slice rest; /* further values on the same line, after the comma */
};

/*
 * The first value; does not parse the URI itself. SBC_EBAD when it breaks the
 * grammar, gives ;tag twice, or has a bare URI with '?' (20.10). A display name
 * without quotes may hold more than tokens, as phones send it, but nothing that
 * separates values or could be taken for a URI.
 */
enum sbc_err sip_addr_parse(struct sip_addr *a, struct slice value);

/* The value of ;tag, or SLICE_NONE. */
struct slice sip_addr_tag(const struct sip_addr *a);

/*
 * Parses From, To, Contact ... of a message: first value of the first line.
 * SBC_ENONE when there is none; SBC_EBAD, too, when From, To, Reply-To, Refer-To or
 * Referred-By holds more than one address.
 */
enum sbc_err sip_addr_of(const struct sip_msg *m, enum sip_hdr id, struct sip_addr *a);

#endif
