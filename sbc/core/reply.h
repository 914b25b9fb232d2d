/*
 * reply: responses, composed from what must be kept of their request.
 *
 * A reply head is the part of every response that RFC 3261 8.2.6.2 copies from
 * the request: the Via lines (the topmost with received and rport filled in by
 * RFC 3261 18.2.1 and RFC 3581), From, Call-ID, CSeq, Record-Route when wanted,
 * and as the last line, without its line end, To: a tag can be appended. It
 * describes only the side that sent the request. Folds are cut and names are in
 * their long form, so that a head is one line a header.
 */
#ifndef SBC_CORE_REPLY_H
#define SBC_CORE_REPLY_H

#include "sbc/base/err.h"
#include "sbc/base/wbuf.h"
#include "sbc/core/out.h"
#include "sbc/core/snapshot.h"
#include "sbc/sip/msg.h"
#include "sbc/sip/via.h"

/*
 * SBC_EBAD when the topmost Via, Call-ID or CSeq is missing or unreadable, or
 * From or To is missing or empty: then the request cannot be answered. SBC_EFULL
 * when `w` has no room. Works on a message that sip_msg_parse() refused; From and
 * To that break the grammar are given back as they came.
 */
enum sbc_err reply_head_write(struct wbuf *w, const struct sip_msg *m,
			      const struct engine_path *source, bool record_route);

/* The same of a message whose topmost Via has been read, and whose From, To and CSeq can be. */
enum sbc_err reply_head_write_read(struct wbuf *w, const struct sip_msg *m,
				   const struct sip_via *via, const struct engine_path *source,
				   bool record_route);

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

/* Status line and head, To's line end included: what a response begins with. */
void reply_start_write(struct wbuf *w, uint16_t status, struct slice reason, struct slice head,
		       struct slice to_tag);

/*
 * "Timestamp: ...\r\n" of the request when it has a well-formed one, for `extra`
 * of its 100, which must give it back (RFC 3261 8.2.6.1).
 */
void reply_timestamp_write(struct wbuf *w, const struct sip_msg *m);

/* "INVITE, ACK, ..." : what the border serves, for Allow. */
extern const char *const reply_allow;

#endif
