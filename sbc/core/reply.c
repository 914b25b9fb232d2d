#include "sbc/core/reply.h"

#include "sbc/core/hiding.h"
#include "sbc/core/wire.h"
#include "sbc/sip/addr.h"
#include "sbc/sip/cseq.h"
#include "sbc/sip/param.h"
#include "sbc/sip/usual.h"
#include "sbc/sip/via.h"

/* hiding_serves_method() says the same by enum; a test holds the two together. */
const char *const reply_allow =
	"INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE";

/* All parameters but received and rport. */
static void via_params_write(struct wbuf *w, const struct sip_via *v)
{
	static const uint32_t name = sizeof(";branch=") - 1;
	struct slice rest = v->params;
	struct sip_param p;

	if (v->plain) {
		if (v->branch.n)
			wire_put(w, slice_of(v->branch.p - name, v->branch.n + name));
		return;
	}
	while (sip_param_next(&rest, &p))
		if (!wire_in("received rport", p.name))
			wire_put(w, p.whole);
}

/*
 * The client's own received and rport values are not believed: both are the
 * server's to set (RFC 3261 18.2.1, RFC 3581 4).
 */
static void via_top_write(struct wbuf *w, const struct sip_via *v, const struct engine_path *source)
{
	uint32_t ip;
	bool same = net_ip_parse(v->host, &ip) && ip == source->remote.ip;

	wire_put(w, v->params.n ? slice_of(v->whole.p, (uint32_t)(v->params.p - v->whole.p))
				: v->whole);
	via_params_write(w, v);
	if (!same || v->has_rport) {
		wbuf_lit(w, ";received=");
		net_ip_write(w, source->remote.ip);
	}
	if (v->has_rport) {
		wbuf_lit(w, ";rport=");
		wbuf_u64(w, source->remote.port);
	}
	if (v->rest.n) {
		wbuf_lit(w, ", ");
		wire_put(w, slice_trim(v->rest));
	}
	wbuf_lit(w, "\r\n");
}

static void line_write(struct wbuf *w, enum sip_hdr id, struct slice value)
{
	wbuf_put(w, sip_hdr_name(id));
	wbuf_lit(w, ": ");
	wire_put(w, value);
	wbuf_lit(w, "\r\n");
}

/* All lines of one name in their order, without the first `skip`. */
static void lines_write(struct wbuf *w, const struct sip_msg *m, enum sip_hdr id, uint32_t skip)
{
	for (uint8_t i = m->first[id]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		if (skip)
			skip--;
		else if (m->hdr[i].value_len)
			line_write(w, id, sip_entry_value(m, i));
	}
}

/* One word of visible characters: with anything changed in it, it would match no dialog. */
static bool call_id_ok(struct slice v)
{
	for (uint32_t i = 0; i < v.n; i++)
		if (wire_is(v.p[i], WIRE_CTL | WIRE_LWS))
			return false;
	return v.n > 0;
}

enum sbc_err reply_head_write_read(struct wbuf *w, const struct sip_msg *m,
				   const struct sip_via *via, const struct engine_path *source,
				   bool record_route)
{
	struct slice call_id = sip_msg_value(m, SIP_HDR_CALL_ID);

	if (!call_id_ok(call_id))
		return SBC_EBAD;
	wbuf_lit(w, "Via: ");
	via_top_write(w, via, source);
	lines_write(w, m, SIP_HDR_VIA, 1);
	if (record_route)
		lines_write(w, m, SIP_HDR_RECORD_ROUTE, 0);
	line_write(w, SIP_HDR_FROM, sip_msg_value(m, SIP_HDR_FROM));
	line_write(w, SIP_HDR_CALL_ID, call_id);
	line_write(w, SIP_HDR_CSEQ, sip_msg_value(m, SIP_HDR_CSEQ));
	wbuf_lit(w, "To: ");
	wire_put(w, sip_msg_value(m, SIP_HDR_TO));
	return wbuf_ok(w) ? SBC_OK : SBC_EFULL;
}

enum sbc_err reply_head_write(struct wbuf *w, const struct sip_msg *m,
			      const struct engine_path *source, bool record_route)
{
	struct sip_via via;
	struct sip_cseq cseq;

	if (!sip_msg_value(m, SIP_HDR_FROM).n || !sip_msg_value(m, SIP_HDR_TO).n ||
	    sip_via_top(m, &via) != SBC_OK || sip_cseq_of(m, &cseq) != SBC_OK)
		return SBC_EBAD;
	return reply_head_write_read(w, m, &via, source, record_route);
}

/* The value of To, which is a head's last line. */
static struct slice head_to(struct slice head)
{
	struct slice rest = head;
	int32_t lf;

	while ((lf = slice_find(rest, '\n')) >= 0) {
		rest.p += lf + 1;
		rest.n -= (uint32_t)lf + 1;
	}
	return rest.n < 4 ? SLICE_NONE : slice_of(rest.p + 4, rest.n - 4);
}

void reply_start_write(struct wbuf *w, uint16_t status, struct slice reason, struct slice head,
		       struct slice to_tag)
{
	struct sip_addr to;
	struct slice tag;

	wbuf_lit(w, "SIP/2.0 ");
	wbuf_u64(w, status);
	wbuf_char(w, ' ');
	wbuf_put(w, reason.n ? reason : sip_status_reason(status));
	wbuf_lit(w, "\r\n");
	wbuf_put(w, head);
	if (to_tag.n && sip_addr_tagged(&to, &tag, head_to(head)) == SBC_OK && !tag.n) {
		wbuf_lit(w, ";tag=");
		wbuf_put(w, to_tag);
	}
	wbuf_lit(w, "\r\n");
}

void reply_write(struct wbuf *w, struct slice head, const struct reply *r)
{
	reply_start_write(w, r->status, r->reason, head, r->to_tag);
	if (r->contact.n)
		line_write(w, SIP_HDR_CONTACT, r->contact);
	if (r->server.n)
		line_write(w, SIP_HDR_SERVER, r->server);
	wbuf_put(w, r->extra);
	if (r->body.n && r->content_type.n)
		line_write(w, SIP_HDR_CONTENT_TYPE, r->content_type);
	wbuf_lit(w, "Content-Length: ");
	wbuf_u64(w, r->body.n);
	wbuf_lit(w, "\r\n\r\n");
	wbuf_put(w, r->body);
}

void reply_timestamp_write(struct wbuf *w, const struct sip_msg *m)
{
	struct slice value = sip_msg_value(m, SIP_HDR_TIMESTAMP);

	if (hiding_timestamp_ok(value))
		line_write(w, SIP_HDR_TIMESTAMP, value);
}
