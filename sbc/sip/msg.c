#include "sbc/sip/msg.h"

#include "sbc/base/scan.h"
#include "sbc/sip/cseq.h"
#include "sbc/sip/head.h"
#include "sbc/sip/start_line.h"

/* RFC 3261 20: headers that a second line of would make ambiguous. */
static const bool only_once[SIP_HDR_COUNT] = {
	[SIP_HDR_FROM] = true,         [SIP_HDR_TO] = true,
	[SIP_HDR_CALL_ID] = true,      [SIP_HDR_CSEQ] = true,
	[SIP_HDR_MAX_FORWARDS] = true, [SIP_HDR_CONTENT_LENGTH] = true,
	[SIP_HDR_CONTENT_TYPE] = true,
};

/*
 * The first fault is the one that is told; the walk goes on after it, so that a
 * refused request has its Via and From in the index for the answer.
 */
struct walk {
	struct sip_msg *m;
	struct sip_fault *fault;
	enum sbc_err err;
	bool with_care;
};

static void blame(struct walk *w, enum sbc_err err, uint16_t status, const char *text)
{
	if (w->err != SBC_OK)
		return;
	w->err = err;
	*w->fault = (struct sip_fault){status, text};
}

/* False when it is one that may not be given twice. */
static inline bool index_entry(struct sip_msg *m, struct sip_hdr_entry e, uint8_t at)
{
	const uint8_t first = m->first[e.id];

	m->hdr[at] = e;
	if (first == SIP_NO_ENTRY) {
		m->first[e.id] = at;
		return true;
	}
	return !only_once[e.id];
}

static inline bool index_line(struct sip_msg *m, const struct head_line *h, uint8_t at)
{
	const uint32_t off = (uint32_t)(h->name - m->buf);

	return index_entry(m,
			   (struct sip_hdr_entry){
				   .name_off = (uint16_t)off,
				   .value_off = (uint16_t)(off + (uint32_t)(h->value - h->name)),
				   .value_len = (uint16_t)(h->value_end - h->value),
				   .name_len = (uint8_t)h->name_len,
				   .id = (uint8_t)h->id,
			   },
			   at);
}

static void index_reset(struct sip_msg *m)
{
	m->count = 0;
	memset(m->first, SIP_NO_ENTRY, sizeof(m->first));
}

/*
 * A line that is not as nearly all are, from p to the CRLF at `line_end`. Apart, so that
 * what is kept in registers over the lines is what most of them need.
 */
static __attribute__((noinline)) bool index_other(struct sip_msg *m, const char *p,
						  const char *line_end, const char *end, uint8_t at)
{
	const struct scan_line l = {line_end, line_end + 2, false};
	struct head_line h;

	return head_line_cut(p, &l, end, &h) == NULL && index_line(m, &h, at);
}

/*
 * The header lines by the offsets of their ends, when all of them are as they should
 * be: CRLF, no folds, nothing to blame. False: index_head() looks at the head anew.
 * A line that goes on in the next is not seen here: the next, which begins with white
 * space, has no name.
 */
static bool index_plain(struct sip_msg *m, const char *start, const char *end)
{
	uint16_t lf[SCAN_HEAD_ROOM];
	const uint32_t room = (uint32_t)(end - start), first = (uint32_t)(start - m->buf);
	const uint32_t lines = scan_head(start, room, lf);
	uint32_t at = 0, next, id, n;

	if (!lines || lines > SIP_MAX_HEADERS + 1)
		return false;
	for (uint32_t i = 0; i < lines - 1; i++, at = next) {
		const uint32_t stop = lf[i] - 1u;
		const char *p = start + at;
		bool ok;

		next = stop + 2;
		if (start[stop] != '\r')
			return false;
		if (room - at >= HEAD_USUAL_ROOM && (n = head_line_usual(p, start + stop, &id)))
			ok = index_entry(m,
					 (struct sip_hdr_entry){
						 .name_off = (uint16_t)(first + at),
						 .value_off = (uint16_t)(first + at + n + 2),
						 .value_len = (uint16_t)(stop - at - n - 2),
						 .name_len = (uint8_t)n,
						 .id = (uint8_t)id,
					 },
					 (uint8_t)i);
		else
			ok = index_other(m, p, start + stop, end, (uint8_t)i);
		if (!ok)
			return false;
	}
	if (start[at] != '\r')
		return false;
	m->count = (uint8_t)(lines - 1);
	m->headers_off = (uint16_t)first;
	m->headers_end = (uint16_t)(first + at);
	m->body_off = (uint16_t)(first + at + 2);
	return true;
}

/* Walks the header lines; true when the empty line was reached. */
static bool index_head(struct walk *w, const char *p, const char *end)
{
	struct sip_msg *m = w->m;
	struct scan scan;
	struct scan_line l;
	struct head_line h;

	index_reset(m);
	m->headers_off = (uint16_t)(p - m->buf);
	for (scan_init(&scan, p, end);; p = l.next) {
		if (!scan_line(&scan, p, &l)) {
			m->headers_end = (uint16_t)(p - m->buf);
			blame(w, SBC_EBAD, 400, "Head Does Not End");
			return false;
		}
		if (l.end == p)
			break;
		if (m->count == SIP_MAX_HEADERS) {
			m->headers_end = (uint16_t)(p - m->buf);
			blame(w, SBC_ELIMIT, 400, "Too Many Headers");
			return false;
		}
		const char *wrong = head_line_cut(p, &l, end, &h);
		if (wrong != NULL)
			blame(w, SBC_EBAD, 400, wrong);
		else if (!index_line(m, &h, m->count++))
			blame(w, SBC_EBAD, 400, "Header Given Twice");
	}
	m->headers_end = (uint16_t)(p - m->buf);
	m->body_off = (uint16_t)(l.next - m->buf);
	return true;
}

/* RFC 3261 18.3: how much of what follows the head is body. */
static void bound_body(struct walk *w)
{
	struct sip_msg *m = w->m;
	uint32_t there = m->len - m->body_off, length;

	m->body_len = (uint16_t)there;
	if (!sip_msg_has(m, SIP_HDR_CONTENT_LENGTH))
		return;
	if (!slice_u32(sip_msg_value(m, SIP_HDR_CONTENT_LENGTH), UINT32_MAX, &length)) {
		blame(w, SBC_EBAD, 400, "Malformed Content-Length");
	} else if (length > there) {
		blame(w, SBC_EBAD, 400, "Body Shorter Than Content-Length");
	} else {
		m->body_len = (uint16_t)length;
		m->len = m->body_off + length;
	}
}

/* Decides what a response is an answer to. */
static void take_cseq(struct walk *w)
{
	struct sip_msg *m = w->m;
	struct sip_cseq cseq;

	if (!sip_msg_has(m, SIP_HDR_CSEQ)) {
		blame(w, SBC_EBAD, 400, "Missing CSeq");
		return;
	}
	if (!(!w->with_care && sip_cseq_usual(m, &cseq)) && sip_cseq_of(m, &cseq) != SBC_OK) {
		blame(w, SBC_EBAD, 400, "Malformed CSeq");
		return;
	}
	m->cseq = cseq.seq;
	m->cseq_method = cseq.method_name;
	if (!m->is_request)
		m->method = (uint8_t)cseq.method;
}

/* What must be there. */
static void check_mandatory(struct walk *w)
{
	struct sip_msg *m = w->m;
	struct slice call_id = sip_msg_value(m, SIP_HDR_CALL_ID);

	if (!sip_msg_has(m, SIP_HDR_VIA))
		blame(w, SBC_EBAD, 400, "Missing Via");
	if (!sip_msg_has(m, SIP_HDR_FROM))
		blame(w, SBC_EBAD, 400, "Missing From");
	if (!sip_msg_has(m, SIP_HDR_TO))
		blame(w, SBC_EBAD, 400, "Missing To");
	if (!call_id.n)
		blame(w, SBC_EBAD, 400, "Missing Call-ID");
	else if (scan_space(call_id.p, call_id.n) != call_id.n)
		blame(w, SBC_EBAD, 400, "Malformed Call-ID");
	take_cseq(w);
}

static void msg_reset(struct sip_msg *m, const char *buf, uint32_t len)
{
	m->buf = buf;
	m->len = len;
	m->is_request = false;
	m->method = SIP_METHOD_OTHER;
	m->status = 0;
	m->method_name = m->request_uri = m->reason = m->cseq_method = SLICE_NONE;
	m->cseq = 0;
	m->headers_off = m->headers_end = m->body_off = m->body_len = 0;
	index_reset(m);
}

static void take_start_line(struct sip_msg *m, const struct start_line *s)
{
	m->is_request = s->is_request;
	m->status = s->status;
	m->method_name = s->method;
	m->method = (uint8_t)sip_method_parse(s->method);
	m->request_uri = s->uri;
	m->reason = s->reason;
}

static inline enum sbc_err parse(struct sip_msg *m, const char *buf, uint32_t len,
				 struct sip_fault *fault, bool with_care)
{
	struct walk w = {m, fault, SBC_OK, with_care};
	struct sip_fault wrong;
	struct start_line s;
	const char *end = buf + len;
	const char *p = start_line_skip_crlf(buf, end);

	*fault = (struct sip_fault){0, ""};
	msg_reset(m, p, (uint32_t)(end - p));
	if ((with_care || !start_line_usual(p, end, &s)) &&
	    start_line_read(p, end, &s, &wrong) != SBC_OK)
		blame(&w, SBC_EBAD, wrong.status, wrong.text);
	if (w.err != SBC_OK && !wrong.status)
		return w.err;
	if (m->len > SIP_MAX_MESSAGE) {
		blame(&w, SBC_ELIMIT, 513, "Message Too Large");
		m->len = SIP_MAX_MESSAGE;
		end = p + SIP_MAX_MESSAGE;
		if (s.next > end)
			s.next = end;
	}
	take_start_line(m, &s);
	if ((!with_care && index_plain(m, s.next, end)) || index_head(&w, s.next, end))
		bound_body(&w);
	check_mandatory(&w);
	return w.err;
}

enum sbc_err sip_msg_parse(struct sip_msg *m, const char *buf, uint32_t len,
			   struct sip_fault *fault)
{
	return parse(m, buf, len, fault, false);
}

enum sbc_err head_parse_with_care(struct sip_msg *m, const char *buf, uint32_t len,
				  struct sip_fault *fault)
{
	return parse(m, buf, len, fault, true);
}

struct slice sip_msg_value(const struct sip_msg *m, enum sip_hdr id)
{
	return m->first[id] == SIP_NO_ENTRY ? SLICE_NONE : sip_entry_value(m, m->first[id]);
}

uint8_t sip_msg_next(const struct sip_msg *m, uint8_t i)
{
	const uint8_t id = m->hdr[i].id;

	for (i++; i < m->count; i++)
		if (m->hdr[i].id == id)
			return i;
	return SIP_NO_ENTRY;
}
