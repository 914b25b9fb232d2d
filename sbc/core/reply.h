/*
 * reply: responses, composed from what must be kept of their request.
 *
 * A reply head is the part of every response that RFC 3261 8.2.6.2 copies from
 * the request: the Via lines (the topmost with received and rport filled in by
 * RFC 3261 18.2.1 and RFC 3581), From, Call-ID, CSeq, Record-Route when wanted,
 * and as the last line, without its line end, To: a tag can be appended. It
 * describes only the side that sent the request.
 */
#ifndef SBC_CORE_REPLY_H
#define SBC_CORE_REPLY_H

#include "sbc/base/err.h"
#include "sbc/base/wbuf.h"
#include "sbc/core/out.h"
#include "sbc/core/snapshot.h"
#include "sbc/sip/msg.h"

/*
 * SBC_EBAD when Via, From, To, Call-ID or CSeq is missing or unreadable: then the
 * request cannot be answered. Works on a message that sip_msg_parse() refused.
 */
enum sbc_err reply_head_write(struct wbuf *w, const struct sip_msg *m,
			      const struct engine_path *source, bool record_route);

struct reply {
	uint16_t status;
	struct slice reason;  /* empty: RFC 3261's phrase */
	struct slice to_tag;  /* added when the request's To had none; empty: none (100) */
	struct slice contact; /* value of Contact, empty: none */
	struct slice extra;   /* whole header lines with line ends */
	struct slice content_type;
	struct slice body;
	struct slice server; /* value of Server, empty: none */
};

void reply_write(struct wbuf *w, struct slice head, const struct reply *r);

/* "INVITE, ACK, ..." : what the border serves, for Allow. */
extern const char *const reply_allow;

#endif
