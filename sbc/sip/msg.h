/*
 * msg: one SIP message as an index of offsets over the bytes it came in.
 *
 * sip_msg_parse() walks the head once and notes where each header line lies; it
 * copies nothing and decodes no header value but Content-Length and CSeq, which
 * decide what the message is. The index refers to the caller's buffer, which must
 * stay unchanged for as long as the index is used.
 *
 * Grammar: RFC 3261 section 25: compact names (7.3.3), any case, any order, SP
 * and HTAB before the colon, line folding, LF without CR accepted as line end
 * (7.5 asks to be liberal). Header names are found by their length and three
 * letters and then compared whole. A NUL anywhere in the head is refused, and so
 * is a CR that no LF follows: the next element might take it for a line end.
 *
 * Bounds: 65,535 bytes a message, SIP_MAX_HEADERS header lines, 255 bytes a
 * header name. RFC 3261 has no bounds of its own.
 */
#ifndef SBC_SIP_MSG_H
#define SBC_SIP_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/err.h"
#include "sbc/base/slice.h"

#define SIP_MAX_MESSAGE 65535u
#define SIP_MAX_HEADERS 64u

enum sip_method {
	SIP_METHOD_OTHER = 0,
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_INFO,
	SIP_MESSAGE,
	SIP_SUBSCRIBE,
	SIP_NOTIFY,
	SIP_REFER,
	SIP_PUBLISH,
	SIP_METHOD_COUNT
};

/* Each header with a meaning for the border; all others are SIP_HDR_OTHER. */
enum sip_hdr {
	SIP_HDR_OTHER = 0,
	SIP_HDR_VIA,
	SIP_HDR_FROM,
	SIP_HDR_TO,
	SIP_HDR_CALL_ID,
	SIP_HDR_CSEQ,
	SIP_HDR_CONTACT,
	SIP_HDR_MAX_FORWARDS,
	SIP_HDR_ROUTE,
	SIP_HDR_RECORD_ROUTE,
	SIP_HDR_CONTENT_LENGTH,
	SIP_HDR_CONTENT_TYPE,
	SIP_HDR_CONTENT_ENCODING,
	SIP_HDR_CONTENT_DISPOSITION,
	SIP_HDR_CONTENT_LANGUAGE,
	SIP_HDR_MIME_VERSION,
	SIP_HDR_EXPIRES,
	SIP_HDR_MIN_EXPIRES,
	SIP_HDR_REQUIRE,
	SIP_HDR_PROXY_REQUIRE,
	SIP_HDR_SUPPORTED,
	SIP_HDR_UNSUPPORTED,
	SIP_HDR_ALLOW,
	SIP_HDR_ACCEPT,
	SIP_HDR_ACCEPT_ENCODING,
	SIP_HDR_ACCEPT_LANGUAGE,
	SIP_HDR_USER_AGENT,
	SIP_HDR_SERVER,
	SIP_HDR_ORGANIZATION,
	SIP_HDR_WARNING,
	SIP_HDR_REASON,
	SIP_HDR_RETRY_AFTER,
	SIP_HDR_DATE,
	SIP_HDR_TIMESTAMP,
	SIP_HDR_SUBJECT,
	SIP_HDR_PRIORITY,
	SIP_HDR_AUTHORIZATION,
	SIP_HDR_PROXY_AUTHORIZATION,
	SIP_HDR_WWW_AUTHENTICATE,
	SIP_HDR_PROXY_AUTHENTICATE,
	SIP_HDR_AUTHENTICATION_INFO,
	SIP_HDR_PRIVACY,
	SIP_HDR_P_ASSERTED_IDENTITY,
	SIP_HDR_P_PREFERRED_IDENTITY,
	SIP_HDR_REMOTE_PARTY_ID,
	SIP_HDR_DIVERSION,
	SIP_HDR_HISTORY_INFO,
	SIP_HDR_REFER_TO,
	SIP_HDR_REFERRED_BY,
	SIP_HDR_REPLACES,
	SIP_HDR_REPLY_TO,
	SIP_HDR_CALL_INFO,
	SIP_HDR_ALERT_INFO,
	SIP_HDR_ERROR_INFO,
	SIP_HDR_IN_REPLY_TO,
	SIP_HDR_PATH,
	SIP_HDR_SERVICE_ROUTE,
	SIP_HDR_RACK,
	SIP_HDR_RSEQ,
	SIP_HDR_SESSION_EXPIRES,
	SIP_HDR_MIN_SE,
	SIP_HDR_EVENT,
	SIP_HDR_ALLOW_EVENTS,
	SIP_HDR_SUBSCRIPTION_STATE,
	SIP_HDR_INFO_PACKAGE,
	SIP_HDR_RECV_INFO,
	SIP_HDR_SIP_ETAG,
	SIP_HDR_SIP_IF_MATCH,
	SIP_HDR_MAX_BREADTH,
	SIP_HDR_JOIN,
	SIP_HDR_GEOLOCATION,
	SIP_HDR_IDENTITY,
	SIP_HDR_USER_TO_USER,
	SIP_HDR_SESSION_ID,
	SIP_HDR_COUNT
};

/* Eight bytes a header line; offsets from the start of the message. */
struct sip_hdr_entry {
	uint16_t name_off;  /* start of the line */
	uint16_t value_off; /* first byte of the value, leading LWS skipped */
	uint16_t value_len; /* trailing LWS cut; folded lines are inside, as they came */
	uint8_t name_len;
	uint8_t id; /* enum sip_hdr */
};

#define SIP_NO_ENTRY 0xff

struct sip_msg {
	const char *buf; /* first byte of the start line: CRLFs before it are skipped (7.5) */
	uint32_t len;    /* of the whole message: head and body */
	bool is_request;
	uint8_t method;  /* enum sip_method: of the request, or of a response's CSeq */
	uint16_t status; /* responses: 100 to 699 */
	struct slice method_name;
	struct slice request_uri;
	struct slice reason;
	uint32_t cseq;            /* number of CSeq, when cseq_method is set */
	struct slice cseq_method; /* its method; SLICE_NONE when CSeq is missing or malformed */
	uint16_t headers_off;     /* first header line */
	uint16_t headers_end;     /* start of the empty line that ends the head */
	uint16_t body_off;
	uint16_t body_len;
	uint8_t count;
	uint8_t first[SIP_HDR_COUNT]; /* first entry with that id, or SIP_NO_ENTRY */
	struct sip_hdr_entry hdr[SIP_MAX_HEADERS];
};

/*
 * What is wrong with a message, and what to answer if it can be answered:
 * `status` is an RFC 3261 code (400, 505, 513) or 0 when the bytes are not SIP at
 * all (no start line of SIP's form). When a request is refused the walk goes on
 * where it can: the index holds every line that is well-formed in itself, up to
 * the limits, so that a reply can be tried (Via, From, To, Call-ID and CSeq
 * present or not).
 */
struct sip_fault {
	uint16_t status;
	const char *text; /* reason phrase to answer, static */
};

/*
 * Parses one datagram (RFC 3261 18.3: for UDP a missing Content-Length means up
 * to the end, bytes beyond Content-Length are cut, and a body shorter than
 * Content-Length is a 400). The six headers every message must carry (8.1.1:
 * To, From, CSeq, Call-ID, Max-Forwards on requests [its absence is tolerated,
 * 16.3], Via) are checked for presence, and that the ones that may occur only
 * once do: From, To, Call-ID, CSeq, Content-Length, Max-Forwards, Content-Type.
 * A Call-ID is not empty and has no white space in it; CSeq is well-formed and, in
 * a request, names its method (8.1.1.5).
 *
 * SBC_OK, SBC_EBAD (grammar) or SBC_ELIMIT (bounds); `fault` says what to answer.
 */
enum sbc_err sip_msg_parse(struct sip_msg *m, const char *buf, uint32_t len,
			   struct sip_fault *fault);

/* Only the Call-ID, the method and To, for steering: the first occurrence, without an index. */
struct sip_peek {
	struct slice call_id;
	struct slice to; /* value of To, for REGISTER; SLICE_NONE else */
	bool is_register;
};

/*
 * SBC_OK, or SBC_EBAD when no Call-ID was found: whoever steers sends those to
 * any worker. Folding, case and compact forms as in sip_msg_parse(): both must
 * find the same Call-ID in the same bytes, or a call would have two owners.
 */
enum sbc_err sip_peek_call_id(const char *buf, uint32_t len, struct sip_peek *out);

/*
 * Whether a datagram is nothing but a keep-alive: CR and LF (RFC 5626 4.4.1), or
 * NULs and emptiness, which some phones send for the same purpose.
 */
bool sip_is_keepalive(const char *buf, uint32_t len);

static inline struct slice sip_entry_value(const struct sip_msg *m, uint32_t i)
{
	return slice_of(m->buf + m->hdr[i].value_off, m->hdr[i].value_len);
}

static inline struct slice sip_entry_name(const struct sip_msg *m, uint32_t i)
{
	return slice_of(m->buf + m->hdr[i].name_off, m->hdr[i].name_len);
}

static inline bool sip_msg_has(const struct sip_msg *m, enum sip_hdr id)
{
	return m->first[id] != SIP_NO_ENTRY;
}

/* Value of the first line with that name, or SLICE_NONE. */
struct slice sip_msg_value(const struct sip_msg *m, enum sip_hdr id);

/* Next entry after `i` with the same id, or SIP_NO_ENTRY. */
uint8_t sip_msg_next(const struct sip_msg *m, uint8_t i);

static inline struct slice sip_msg_body(const struct sip_msg *m)
{
	return slice_of(m->buf + m->body_off, m->body_len);
}

enum sip_method sip_method_parse(struct slice name); /* case-sensitive, RFC 3261 7.1 */
struct slice sip_method_name(enum sip_method m);     /* SLICE_NONE for OTHER */
struct slice sip_hdr_name(enum sip_hdr id);          /* canonical long form */
enum sip_hdr sip_hdr_parse(struct slice name);       /* long or compact, any case */
struct slice sip_status_reason(uint16_t status);     /* RFC 3261 21's phrase, or "Unknown" */

/*
 * Walks a comma-separated header value: cuts the next element off `*rest`,
 * minding quoted strings, angle brackets and comments (RFC 3261 7.3.1), trimmed;
 * elements with nothing in them are passed over. False at the end; an unbalanced quote or bracket yields the rest as one.
 */
bool sip_list_next(struct slice *rest, struct slice *element);

/* Whether an option tag or method name stands in any line `id` of the message. */
bool sip_msg_lists(const struct sip_msg *m, enum sip_hdr id, struct slice token);

/*
 * Header values that are one number: Expires, Max-Forwards, Min-Expires, RSeq.
 * SBC_ENONE when there is no such header, SBC_EBAD when it is no number, and
 * SBC_ELIMIT when it is beyond 32 bits, or 255 for Max-Forwards (20.22).
 */
enum sbc_err sip_msg_u32(const struct sip_msg *m, enum sip_hdr id, uint32_t *out);

#endif
