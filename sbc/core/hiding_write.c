/*
 * Requests and responses for the other side, written in one pass over the original:
 * what is the border's own stands first, what is carried stays where it was, line by
 * line, and Content-Length ends the head.
 */
#include <assert.h>

#include "sbc/base/decimal.h"
#include "sbc/core/hiding_internal.h"
#include "sbc/core/reply.h"

/* What of a message may be composed rather than copied. */
#define COMPOSED_MAX 16384u

/* "Name: value CRLF" at the cursor; no line for an empty value. */
static inline char *line_out(char *at, struct slice name, struct slice value)
{
	if (!value.n)
		return at;
	memcpy(at, name.p, name.n);
	at = wbuf_copy_out(at + name.n, value);
	memcpy(at, "\r\n", 2);
	return at + 2;
}

static inline uint64_t line_len(struct slice name, struct slice value)
{
	return value.n ? (uint64_t)name.n + value.n + 2 : 0;
}

#define LINE_OUT(at, name, value) line_out((at), SLICE_LIT(name ": "), (value))
#define LINE_LEN(name, value)     line_len(SLICE_LIT(name ": "), (value))

static void line_put(struct wbuf *w, struct slice name, struct slice value)
{
	char *at = wbuf_room(w, line_len(name, value));

	if (at)
		wbuf_took(w, line_out(at, name, value));
}

#define LINE(w, name, value) line_put((w), SLICE_LIT(name ": "), (value))

static void number_put(struct wbuf *w, uint64_t n)
{
	wbuf_u64(w, n);
	wbuf_lit(w, "\r\n");
}

/* What every request begins with. */
struct start {
	struct net_addr sent_by;
	struct slice method, request_uri, branch, route, from, to, call_id, contact;
	uint32_t max_forwards, cseq;
};

static inline uint64_t start_len(const struct start *s, uint32_t sent_by)
{
	const uint32_t fixed =
		sizeof("  SIP/2.0\r\nVia: SIP/2.0/UDP ;branch=;rport\r\nMax-Forwards: \r\n"
		       "CSeq:  \r\n") -
		1;

	return (uint64_t)fixed + 2ull * s->method.n + s->request_uri.n + sent_by + s->branch.n +
	       decimal_len(s->max_forwards) + decimal_len(s->cseq) + LINE_LEN("Route", s->route) +
	       LINE_LEN("From", s->from) + LINE_LEN("To", s->to) + LINE_LEN("Call-ID", s->call_id) +
	       LINE_LEN("Contact", s->contact);
}

static inline void start_put(struct wbuf *w, const struct start *s)
{
	char text[NET_ADDR_STRLEN];
	const struct slice sent_by = wbuf_aside(text, net_addr_compose(text, s->sent_by));
	const uint64_t n = start_len(s, sent_by.n);
	char *at = wbuf_room(w, n);
	const char *const begin = at;

	if (!at)
		return;
	at = wbuf_copy_out(at, s->method);
	*at++ = ' ';
	at = wbuf_copy_out(at, s->request_uri);
	at = wbuf_lit_out(at, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	at = wbuf_copy_out(at, sent_by);
	at = wbuf_lit_out(at, ";branch=");
	at = wbuf_copy_out(at, s->branch);
	at = wbuf_lit_out(at, ";rport\r\nMax-Forwards: ");
	at = decimal_write(at, s->max_forwards);
	at = wbuf_lit_out(at, "\r\n");
	at = LINE_OUT(at, "Route", s->route);
	at = LINE_OUT(at, "From", s->from);
	at = LINE_OUT(at, "To", s->to);
	at = LINE_OUT(at, "Call-ID", s->call_id);
	at = wbuf_lit_out(at, "CSeq: ");
	at = decimal_write(at, s->cseq);
	*at++ = ' ';
	at = wbuf_copy_out(at, s->method);
	at = wbuf_lit_out(at, "\r\n");
	at = LINE_OUT(at, "Contact", s->contact);
	assert((uint64_t)(at - begin) == n);
	(void)begin;
	wbuf_took(w, at);
}

/* ---- header lines ---- */

/*
 * The message under way. Lines that stay are copied when the first that does not is
 * met: `from` to `to` of the original wait for it. What is composed is bounded by
 * COMPOSED_MAX; `w.cap` grows by what is copied, up to `room`.
 */
struct output {
	struct wbuf w;
	uint32_t room;
	uint32_t from, to;
};

static void output_begin(struct output *o, const struct wbuf *w)
{
	*o = (struct output){.w = *w, .room = w->cap};
	if (w->cap - w->n > COMPOSED_MAX)
		o->w.cap = w->n + COMPOSED_MAX;
}

static void output_copy(struct output *o, struct slice s)
{
	const uint32_t more = o->room - o->w.cap;

	o->w.cap += s.n < more ? s.n : more;
	wbuf_put(&o->w, s);
}

static enum sbc_err output_end(const struct output *o, struct wbuf *w)
{
	w->n = o->w.n;
	w->full = o->w.full;
	return wbuf_ok(w) ? SBC_OK : SBC_EFULL;
}

static inline void output_flush(struct output *o, const struct sip_msg *m)
{
	if (o->to > o->from)
		output_copy(o, slice_of(m->buf + o->from, o->to - o->from));
	o->from = o->to = 0;
}

static inline void output_keep(struct output *o, const struct sip_msg *m, uint32_t from,
			       uint32_t to)
{
	if (o->to != from) {
		output_flush(o, m);
		o->from = from;
	}
	o->to = to;
}

static uint32_t line_end(const struct sip_msg *m, uint32_t i)
{
	return i + 1u < m->count ? m->hdr[i + 1].name_off : m->headers_end;
}

/* "Name: value CRLF" without folds, odd spacing or control characters: may stay as it is. */
static bool line_is_clean(const struct sip_msg *m, uint32_t i)
{
	const struct sip_hdr_entry *h = &m->hdr[i];
	const uint32_t colon = h->name_off + h->name_len, value_end = h->value_off + h->value_len;
	const uint32_t end = line_end(m, i);

	if (m->buf[colon] != ':' || h->value_off - colon > 2 || end - value_end != 2 ||
	    m->buf[value_end] != '\r')
		return false;
	if (h->value_off - colon == 2 && m->buf[colon + 1] != ' ')
		return false;
	return wire_is_line(sip_entry_value(m, i));
}

/* No control characters but those of folds. */
static bool is_printable(struct slice v)
{
	for (uint32_t i = 0; i < v.n; i++)
		if (wire_is(v.p[i], WIRE_CTL) && !wire_is(v.p[i], WIRE_LWS))
			return false;
	return true;
}

enum verdict { VERDICT_DROP, VERDICT_KEEP, VERDICT_WRITE };

static bool describes_body(enum sip_hdr id)
{
	return id == SIP_HDR_CONTENT_TYPE || id == SIP_HDR_CONTENT_DISPOSITION ||
	       id == SIP_HDR_CONTENT_LANGUAGE || id == SIP_HDR_MIME_VERSION;
}

/* Of a line that neither is the border's own nor is dropped whatever it says. */
static enum verdict line_judge(struct hiding_ctx *c, const struct hiding_rule *r, uint32_t i)
{
	const uint8_t action = c->action[r->kind];
	const struct slice value = sip_entry_value(c->msg, i);
	bool keep = false;

	if (!value.n || (!c->has_body && describes_body((enum sip_hdr)c->msg->hdr[i].id)))
		return VERDICT_DROP;
	if (action == HIDING_FILTER || action == HIDING_HOSTS)
		return VERDICT_WRITE;
	if (action == HIDING_CARRY)
		keep = r->check(value);
	else
		keep = hiding_carries_unknown(sip_entry_name(c->msg, i)) && is_printable(value) &&
		       !hiding_value_tells(c, value);
	if (!keep)
		return VERDICT_DROP;
	return line_is_clean(c->msg, i) ? VERDICT_KEEP : VERDICT_WRITE;
}

static inline void name_put(struct wbuf *w, struct slice name)
{
	char *at = wbuf_room(w, (uint64_t)name.n + 2);

	if (at)
		wbuf_took(w, wbuf_lit_out(wbuf_copy_out(at, name), ": "));
}

/* A filter that writes nothing leaves no line; an unclean line is written anew. */
static void line_write(struct hiding_ctx *c, const struct hiding_rule *r, uint32_t i)
{
	const enum sip_hdr id = (enum sip_hdr)c->msg->hdr[i].id;
	struct wbuf *w = c->w;
	const uint32_t before = w->n;
	uint32_t from;

	name_put(w, id == SIP_HDR_OTHER ? sip_entry_name(c->msg, i) : sip_hdr_name(id));
	from = w->n;
	if (r->filter)
		r->filter(c, id, sip_entry_value(c->msg, i));
	else
		wire_put(w, sip_entry_value(c->msg, i));
	if (w->n == from && wbuf_ok(w))
		w->n = before;
	else
		wbuf_lit(w, "\r\n");
}

static void lines_write(struct hiding_ctx *c, struct output *o)
{
	const struct sip_msg *m = c->msg;

	for (uint32_t i = 0; i < m->count; i++) {
		const struct hiding_rule *r = hiding_rule_of((enum sip_hdr)m->hdr[i].id);

		/* Most lines of a message: there is nothing else to ask. */
		if (c->action[r->kind] <= HIDING_DROP)
			continue;
		switch (line_judge(c, r, i)) {
		case VERDICT_KEEP:
			output_keep(o, m, m->hdr[i].name_off, line_end(m, i));
			break;
		case VERDICT_DROP:
			break;
		case VERDICT_WRITE:
			output_flush(o, m);
			line_write(c, r, i);
			break;
		}
	}
	output_flush(o, m);
}

/* ---- body ---- */

/* The body that leaves; `has_body` says whether there is one. */
static struct slice body_choose(struct hiding_ctx *c, struct slice own, bool drop)
{
	struct slice type = sip_msg_value(c->msg, SIP_HDR_CONTENT_TYPE), body = SLICE_NONE;

	if (drop)
		return SLICE_NONE;
	if (own.n)
		body = own;
	else if (c->msg->body_len && hiding_carries_body_of(c->msg) && !hiding_is_sdp(type))
		body = sip_msg_body(c->msg);
	c->has_body = body.n > 0;
	return body;
}

/* The end of the head, and the body. */
static void tail_write(struct hiding_ctx *c, struct output *o, struct slice body)
{
	struct wbuf *w = &o->w;

	if (body.n && !c->type_written)
		wbuf_lit(w, "Content-Type: application/sdp\r\n");
	wbuf_lit(w, "Content-Length: ");
	wbuf_u64(w, body.n);
	wbuf_lit(w, "\r\n\r\n");
	output_copy(o, body);
}

/* ---- messages ---- */

static void ctx_init(struct hiding_ctx *c, const struct snapshot *snap, const struct sip_msg *m,
		     uint16_t from, uint16_t to)
{
	c->snap = snap;
	c->msg = m;
	c->from = &snap->realm[from];
	c->to = &snap->realm[to];
	c->to_realm = to;
	c->host = SLICE_NONE;
	c->has_body = c->type_written = c->own_100rel = false;
	c->privacy_read = c->privacy_id = c->privacy_history = false;
	c->needles_read = false;
	c->needles = 0;
	hiding_actions(c->action, c->from, c->to);
}

struct slice hiding_host_read(struct hiding_ctx *c)
{
	struct wbuf host;

	wbuf_init(&host, c->host_bytes, sizeof(c->host_bytes));
	hiding_realm_host(&host, c->snap, c->to_realm);
	return wbuf_slice(&host);
}

/* In the place of the software's own name, the border's, when it has one. */
static void agent_put(const struct hiding_ctx *c, struct wbuf *w)
{
	const struct sip_msg *m = c->msg;

	if (!c->from->hide_user_agent || !c->snap->product[0])
		return;
	if (sip_msg_has(m, SIP_HDR_USER_AGENT))
		LINE(w, "User-Agent", slice_str(c->snap->product));
	if (sip_msg_has(m, SIP_HDR_SERVER))
		LINE(w, "Server", slice_str(c->snap->product));
}

static void request_start_put(struct wbuf *w, const struct sip_msg *m,
			      const struct hiding_request *r)
{
	const struct start s = {
		.sent_by = r->snap->listener[r->listener].addr,
		.method = m->method_name,
		.request_uri = r->request_uri,
		.branch = r->branch,
		.route = r->route,
		.from = r->from,
		.to = r->to,
		.call_id = r->call_id,
		.contact = r->contact,
		.max_forwards = r->max_forwards,
		.cseq = r->cseq,
	};

	start_put(w, &s);
	LINE(w, "RAck", r->rack);
	wbuf_put(w, r->extra);
}

enum sbc_err hiding_write_request(struct wbuf *w, const struct sip_msg *m,
				  const struct hiding_request *r)
{
	struct hiding_ctx c;
	struct output o;
	struct slice body;

	ctx_init(&c, r->snap, m, r->from_realm, r->to_realm);
	body = body_choose(&c, r->body, r->drop_body);
	output_begin(&o, w);
	c.w = &o.w;
	request_start_put(c.w, m, r);
	agent_put(&c, c.w);
	lines_write(&c, &o);
	tail_write(&c, &o, body);
	return output_end(&o, w);
}

static void response_start_put(struct wbuf *w, const struct hiding_response *r)
{
	reply_start_write(w, r->status, SLICE_NONE, r->head, r->to_tag);
	LINE(w, "Contact", r->contact);
	if (r->rseq.n) {
		LINE(w, "RSeq", r->rseq);
		wbuf_lit(w, "Require: 100rel\r\n");
	}
	wbuf_put(w, r->extra);
}

enum sbc_err hiding_write_response(struct wbuf *w, const struct sip_msg *m,
				   const struct hiding_response *r)
{
	struct hiding_ctx c;
	struct output o;
	struct slice body;

	ctx_init(&c, r->snap, m, r->from_realm, r->to_realm);
	c.own_100rel = true;
	body = body_choose(&c, r->body, r->drop_body);
	output_begin(&o, w);
	c.w = &o.w;
	response_start_put(c.w, r);
	agent_put(&c, c.w);
	lines_write(&c, &o);
	tail_write(&c, &o, body);
	return output_end(&o, w);
}

void hiding_own_request_write(struct wbuf *w, const struct hiding_own_request *r)
{
	const struct start s = {
		.sent_by = r->snap->listener[r->listener].addr,
		.method = sip_method_name(r->method),
		.request_uri = r->request_uri,
		.branch = r->branch,
		.route = r->route,
		.from = r->from,
		.to = r->to,
		.call_id = r->call_id,
		.contact = r->contact,
		.max_forwards = r->snap->max_forwards,
		.cseq = r->cseq,
	};

	start_put(w, &s);
	LINE(w, "User-Agent", slice_str(r->snap->product));
	wbuf_put(w, r->extra);
	if (r->body.n)
		LINE(w, "Content-Type", r->content_type);
	wbuf_lit(w, "Content-Length: ");
	number_put(w, r->body.n);
	wbuf_lit(w, "\r\n");
	wbuf_put(w, r->body);
}
