/*
 * host: host and port as they stand in URIs and Via (RFC 3261 25.1, hostport and
 * sent-by).
 *
 * Private to sbc/sip.
 */
#ifndef SBC_SIP_HOST_H
#define SBC_SIP_HOST_H

#include "sbc/base/err.h"
#include "sbc/base/slice.h"

/*
 * Cuts a host name, IPv4 address or bracketed IPv6 reference off the front.
 * SBC_EBAD when there is none or it is malformed; digits and dots alone are an
 * address or nothing.
 */
enum sbc_err sip_host_cut(struct slice *s, struct slice *host);

/* The same byte by byte, for hosts that are long or unusual: what it is compared with. */
enum sbc_err host_cut_with_care(struct slice *s, struct slice *host);

/* 1*DIGIT, 1 to 65535. */
enum sbc_err sip_port_cut(struct slice *s, uint16_t *port);

/* The text of an IPv6 address, without brackets (RFC 4291 2.2). */
bool sip_host_is_ip6(struct slice s);

#endif
