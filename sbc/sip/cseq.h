/*
 * cseq: CSeq and RAck (RFC 3261 20.16, RFC 3262 7.2).
 */
#ifndef SBC_SIP_CSEQ_H
#define SBC_SIP_CSEQ_H

#include "sbc/base/err.h"
#include "sbc/sip/msg.h"

struct sip_cseq {
	uint32_t seq; /* below 2^31, RFC 3261 8.1.1.5 */
	enum sip_method method;
	struct slice method_name;
};

/* SBC_EBAD, or SBC_ELIMIT when the number is too large. */
enum sbc_err sip_cseq_parse(struct sip_cseq *c, struct slice value);

/*
 * CSeq as nearly all have it: up to nine digits, a space, a known method, which is the
 * request's. False: sip_cseq_of() decides.
 */
bool sip_cseq_usual(const struct sip_msg *m, struct sip_cseq *c);

/* In a request SBC_EBAD, too, when the method is not the request's (8.1.1.5). */
enum sbc_err sip_cseq_of(const struct sip_msg *m, struct sip_cseq *c);

struct sip_rack {
	uint32_t rseq;
	struct sip_cseq cseq;
};

enum sbc_err sip_rack_parse(struct sip_rack *r, struct slice value);

#endif
