/*
 * start_line: the first line of a message (RFC 3261 7.1, 7.2), and what the
 * bytes are at all.
 *
 * Private to sbc/sip. Slices point into the input.
 */
#ifndef SBC_SIP_START_LINE_H
#define SBC_SIP_START_LINE_H

#include "sbc/sip/msg.h"

struct start_line {
	bool is_request;
	uint16_t status;
	struct slice method, uri, reason;
	const char *next; /* first header line */
};

/*
 * Reads the line at `p`. SBC_OK: well-formed. SBC_EBAD with fault->status set: it
 * has SIP's form but not its grammar or version, `out->next` and what could be
 * read are set. SBC_EBAD with fault->status 0: this is not SIP.
 */
enum sbc_err start_line_read(const char *p, const char *end, struct start_line *out,
			     struct sip_fault *fault);

/*
 * The same for the form that nearly all start lines have. False: it may be any other, and
 * start_line_read() decides.
 */
bool start_line_usual(const char *p, const char *end, struct start_line *out);

/* Behind the line ends that may stand before a start line (RFC 3261 7.5). */
const char *start_line_skip_crlf(const char *p, const char *end);

#endif
