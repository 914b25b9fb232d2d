/*
 * Requests and responses for the other side, as edits over the original: what is
 * the border's own stands first, what is carried stays where it was, line by
 * line, and Content-Length ends the head.
 */
#include "sbc/core/hiding_internal.h"
#include "sbc/core/reply.h"
#include "sbc/sip/edit.h"

static void line_put(struct wbuf *w, struct slice name, struct slice value)
{
	if (!value.n)
		return;
	wbuf_put(w, name);
	wbuf_lit(w, ": ");
	wbuf_put(w, value);
	wbuf_lit(w, "\r\n");
}

static void number_put(struct wbuf *w, struct slice name, uint64_t n)
{
	wbuf_put(w, name);
	wbuf_lit(w, ": ");
	wbuf_u64(w, n);
	wbuf_lit(w, "\r\n");
}

#define LINE(w, name, value) line_put((w), SLICE_LIT(name), (value))

static void via_put(struct wbuf *w, const struct snapshot *snap, uint16_t listener,
		    struct slice branch)
{
	wbuf_lit(w, "Via: SIP/2.0/UDP ");
	net_addr_write(w, snap->listener[listener].addr);
	wbuf_lit(w, ";branch=");
	wbuf_put(w, branch);
	wbuf_lit(w, ";rport\r\n");
}

static void cseq_put(struct wbuf *w, uint32_t cseq, struct slice method)
{
	wbuf_lit(w, "CSeq: ");
	wbuf_u64(w, cseq);
	wbuf_char(w, ' ');
	wbuf_put(w, method);
	wbuf_lit(w, "\r\n");
}

/* ---- header lines ---- */

/*
 * The edit being built: one range of the original that ends where the walk
 * stands, and what replaces it. Neighbouring changes become one edit, because
 * what they compose lies side by side in the scratch.
 */
struct span {
	struct sip_edit *e;
	uint32_t off, end;
	struct slice with;
};

static void span_flush(struct span *s, uint32_t next)
{
	if (s->end > s->off || s->with.n)
		sip_edit_replace(s->e, s->off, s->end - s->off, s->with);
	s->off = s->end = next;
	s->with = SLICE_NONE;
}

static void span_change(struct span *s, uint32_t off, uint32_t end, struct slice with)
{
	if (s->end != off)
		span_flush(s, off);
	s->end = end;
	if (!s->with.n)
		s->with = with;
	else
		s->with.n += with.n;
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

static enum verdict line_judge(struct hiding_ctx *c, uint32_t i)
{
	const enum sip_hdr id = (enum sip_hdr)c->msg->hdr[i].id;
	const struct slice value = sip_entry_value(c->msg, i);
	bool keep = false;

	if (!value.n || (describes_body(id) && !c->has_body))
		return VERDICT_DROP;
	switch (hiding_policy(id, c->from, c->to)) {
	case HIDING_OURS:
	case HIDING_DROP:
		return VERDICT_DROP;
	case HIDING_FILTER:
	case HIDING_HOSTS:
		return VERDICT_WRITE;
	case HIDING_CARRY:
		keep = hiding_rule_of(id)->check(value);
		break;
	case HIDING_UNKNOWN:
		keep = hiding_carries_unknown(sip_entry_name(c->msg, i)) && is_printable(value) &&
		       !hiding_value_tells(c, value);
		break;
	}
	if (!keep)
		return VERDICT_DROP;
	return line_is_clean(c->msg, i) ? VERDICT_KEEP : VERDICT_WRITE;
}

/* A filter that writes nothing leaves no line; an unclean line is written anew. */
static void line_write(struct hiding_ctx *c, uint32_t i)
{
	const enum sip_hdr id = (enum sip_hdr)c->msg->hdr[i].id;
	const hiding_filter filter = hiding_rule_of(id)->filter;
	struct wbuf *w = c->w;
	const uint32_t before = w->n;
	uint32_t from;

	wbuf_put(w, id == SIP_HDR_OTHER ? sip_entry_name(c->msg, i) : sip_hdr_name(id));
	wbuf_lit(w, ": ");
	from = w->n;
	if (filter)
		filter(c, id, sip_entry_value(c->msg, i));
	else
		wire_put(w, sip_entry_value(c->msg, i));
	if (w->n == from && wbuf_ok(w))
		w->n = before;
	else
		wbuf_lit(w, "\r\n");
}

static void lines_edit(struct hiding_ctx *c, struct span *s)
{
	const struct sip_msg *m = c->msg;

	for (uint32_t i = 0; i < m->count; i++) {
		const uint32_t off = m->hdr[i].name_off, end = line_end(m, i);

		switch (line_judge(c, i)) {
		case VERDICT_KEEP:
			break;
		case VERDICT_DROP:
			span_change(s, off, end, SLICE_NONE);
			break;
		case VERDICT_WRITE:
			c->w = sip_edit_scratch(s->e);
			line_write(c, i);
			span_change(s, off, end, sip_edit_composed(s->e));
			break;
		}
	}
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

/*
 * The end of the head, and the body. A body that stays is not copied twice: the
 * edit ends at it.
 */
static void tail_edit(struct hiding_ctx *c, struct span *s, struct slice body)
{
	const struct sip_msg *m = c->msg;
	const bool stays = body.n && body.p == m->buf + m->body_off;
	struct wbuf *w = sip_edit_scratch(s->e);

	if (body.n && !c->type_written)
		wbuf_lit(w, "Content-Type: application/sdp\r\n");
	wbuf_lit(w, "Content-Length: ");
	wbuf_u64(w, body.n);
	wbuf_lit(w, "\r\n\r\n");
	span_change(s, m->headers_end, m->body_off, sip_edit_composed(s->e));
	span_flush(s, m->body_off);
	if (stays)
		sip_edit_replace(s->e, m->body_off + m->body_len,
				 m->len - m->body_off - m->body_len, SLICE_NONE);
	else
		sip_edit_replace(s->e, m->body_off, m->len - m->body_off, body);
}

/* ---- messages ---- */

static void ctx_init(struct hiding_ctx *c, const struct snapshot *snap, const struct sip_msg *m,
		     uint16_t from, uint16_t to)
{
	struct wbuf host;

	c->snap = snap;
	c->msg = m;
	c->from = &snap->realm[from];
	c->to = &snap->realm[to];
	c->has_body = c->type_written = c->own_100rel = false;
	c->privacy_read = c->privacy_id = c->privacy_history = false;
	c->needles_read = false;
	c->needles = 0;
	wbuf_init(&host, c->host_bytes, sizeof(c->host_bytes));
	hiding_realm_host(&host, snap, to);
	c->host = wbuf_slice(&host);
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
	wbuf_put(w, m->method_name);
	wbuf_char(w, ' ');
	wbuf_put(w, r->request_uri);
	wbuf_lit(w, " SIP/2.0\r\n");
	via_put(w, r->snap, r->listener, r->branch);
	number_put(w, SLICE_LIT("Max-Forwards"), r->max_forwards);
	LINE(w, "Route", r->route);
	LINE(w, "From", r->from);
	LINE(w, "To", r->to);
	LINE(w, "Call-ID", r->call_id);
	cseq_put(w, r->cseq, m->method_name);
	LINE(w, "Contact", r->contact);
	LINE(w, "RAck", r->rack);
	wbuf_put(w, r->extra);
}

enum sbc_err hiding_write_request(struct wbuf *w, const struct sip_msg *m,
				  const struct hiding_request *r)
{
	struct hiding_ctx c;
	struct sip_edit e;
	struct span s = {&e, 0, m->headers_off, SLICE_NONE};
	struct slice body;

	sip_edit_init(&e, m);
	ctx_init(&c, r->snap, m, r->from_realm, r->to_realm);
	body = body_choose(&c, r->body, r->drop_body);
	c.w = sip_edit_scratch(&e);
	request_start_put(c.w, m, r);
	agent_put(&c, c.w);
	s.with = sip_edit_composed(&e);
	lines_edit(&c, &s);
	tail_edit(&c, &s, body);
	return sip_edit_write(&e, w);
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
	struct sip_edit e;
	struct span s = {&e, 0, m->headers_off, SLICE_NONE};
	struct slice body;

	sip_edit_init(&e, m);
	ctx_init(&c, r->snap, m, r->from_realm, r->to_realm);
	c.own_100rel = true;
	body = body_choose(&c, r->body, r->drop_body);
	c.w = sip_edit_scratch(&e);
	response_start_put(c.w, r);
	agent_put(&c, c.w);
	s.with = sip_edit_composed(&e);
	lines_edit(&c, &s);
	tail_edit(&c, &s, body);
	return sip_edit_write(&e, w);
}

void hiding_own_request_write(struct wbuf *w, const struct hiding_own_request *r)
{
	struct slice method = sip_method_name(r->method);

	wbuf_put(w, method);
	wbuf_char(w, ' ');
	wbuf_put(w, r->request_uri);
	wbuf_lit(w, " SIP/2.0\r\n");
	via_put(w, r->snap, r->listener, r->branch);
	number_put(w, SLICE_LIT("Max-Forwards"), r->snap->max_forwards);
	LINE(w, "Route", r->route);
	LINE(w, "From", r->from);
	LINE(w, "To", r->to);
	LINE(w, "Call-ID", r->call_id);
	cseq_put(w, r->cseq, method);
	LINE(w, "Contact", r->contact);
	LINE(w, "User-Agent", slice_str(r->snap->product));
	wbuf_put(w, r->extra);
	if (r->body.n)
		LINE(w, "Content-Type", r->content_type);
	number_put(w, SLICE_LIT("Content-Length"), r->body.n);
	wbuf_lit(w, "\r\n");
	wbuf_put(w, r->body);
}
