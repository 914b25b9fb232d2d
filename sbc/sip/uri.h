/*
 * uri: sip: and sips: URIs (RFC 3261 19.1), tel: URIs (RFC 3966), and the rest
 * as opaque bytes with a scheme.
 *
 * Slices point into the input. Escapes (%hh) stay as they are; sip_uri_eq()
 * compares by RFC 3261 19.1.4.
 */
#ifndef SBC_SIP_URI_H
#define SBC_SIP_URI_H

#include "sbc/base/err.h"
#include "sbc/base/net.h"
#include "sbc/base/slice.h"

enum sip_scheme { SIP_SCHEME_SIP, SIP_SCHEME_SIPS, SIP_SCHEME_TEL, SIP_SCHEME_OTHER };

struct sip_uri {
	enum sip_scheme scheme;
	struct slice whole;
	struct slice scheme_name;
	struct slice user;     /* without password; tel: the number */
	struct slice password; /* after ':' in userinfo */
	struct slice host;     /* without port; IPv6 with brackets */
	uint16_t port;         /* host order; 0 when absent */
	struct slice params;   /* from the first ';', see param.h */
	struct slice headers;  /* after '?' */
	bool has_user;
};

/*
 * Parses a whole slice as one URI. SBC_EBAD when a sip/sips/tel URI breaks its
 * grammar or a host is not a host name, an IPv4 or a bracketed IPv6 address.
 * Other schemes need only a valid scheme and no bytes <= SP.
 */
enum sbc_err sip_uri_parse(struct sip_uri *u, struct slice s);

/* The same for any URI: sip_uri_parse() for those that are not of the usual form. */
enum sbc_err uri_parse_with_care(struct sip_uri *u, struct slice s);

/*
 * The host as an IPv4 literal with the port, or 5060 (sips: 5061) without one;
 * SBC_ENONE when it is a name or IPv6.
 */
enum sbc_err sip_uri_addr(const struct sip_uri *u, struct net_addr *out);

/*
 * RFC 3261 19.1.4, RFC 3966 4; other schemes byte by byte. Symmetric and reflexive,
 * not transitive (19.1.4). Beyond 32 parameters or headers only equal bytes are equal.
 */
bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b);

#endif
