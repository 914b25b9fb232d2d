/*
 * via: one Via value (RFC 3261 20.42, RFC 3581).
 */
#ifndef SBC_SIP_VIA_H
#define SBC_SIP_VIA_H

#include "sbc/base/err.h"
#include "sbc/base/net.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/param.h"

struct sip_via {
	struct slice whole;     /* this value, without the comma that may follow */
	struct slice transport; /* "UDP" */
	struct slice host;
	uint16_t port;       /* host order; 0 when absent */
	struct slice params; /* from the first ';' */
	struct slice branch; /* SLICE_NONE when absent */
	struct slice received;
	bool has_rport;    /* ;rport present */
	uint16_t rport;    /* its value, 0 when empty */
	bool plain;        /* nothing but these three in params, without white space */
	struct slice rest; /* further values on the same line, after the comma */
};

/*
 * The first value of a Via header value. SBC_EBAD when it breaks the grammar or
 * gives branch, received or rport twice, or empty where it must not be.
 */
enum sbc_err sip_via_parse(struct sip_via *v, struct slice value);

/* The topmost Via of a message; SBC_ENONE when there is none. */
enum sbc_err sip_via_top(const struct sip_msg *m, struct sip_via *v);

/* Via values over all lines, at most `max` + 1 counted. */
uint32_t sip_via_count(const struct sip_msg *m, uint32_t max);

/* RFC 3261 8.1.1.7: whether the branch begins with the magic cookie. */
bool sip_via_is_3261(const struct sip_via *v);

#endif
