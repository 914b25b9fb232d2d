/*
 * The ACK to a non-2xx final and the CANCEL: requests that follow an INVITE hop by
 * hop and repeat its Request-URI, topmost Via, Route, From, Call-ID and CSeq
 * number (RFC 3261 17.1.1.3, 9.1).
 *
 * What both repeat is kept as they will send it, from the Request-URI to the CSeq
 * number; the To of the INVITE stands after that, for the CANCEL:
 *
 *   " URI SIP/2.0 CRLF Via .. CRLF Route .. CRLF .. CSeq: N " | To value
 */
#include "sbc/core/transaction_internal.h"
#include "sbc/sip/cseq.h"

/* 8.1.1.6. */
#define MAX_FORWARDS "Max-Forwards: 70\r\n"

static void line(struct wbuf *w, enum sip_hdr id, struct slice value)
{
	wbuf_put(w, sip_hdr_name(id));
	wbuf_lit(w, ": ");
	wbuf_put(w, value);
	wbuf_lit(w, "\r\n");
}

static void routes(struct wbuf *w, const struct sip_msg *m)
{
	for (uint8_t i = m->first[SIP_HDR_ROUTE]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i))
		line(w, SIP_HDR_ROUTE, sip_entry_value(m, i));
}

static bool fixed_write(struct wbuf *w, const struct sip_msg *m)
{
	struct sip_cseq cseq;
	struct sip_via via;

	if (!m->is_request || sip_via_top(m, &via) != SBC_OK || sip_cseq_of(m, &cseq) != SBC_OK)
		return false;
	wbuf_char(w, ' ');
	wbuf_put(w, m->request_uri);
	wbuf_lit(w, " SIP/2.0\r\n");
	line(w, SIP_HDR_VIA, via.whole);
	routes(w, m);
	wbuf_lit(w, MAX_FORWARDS);
	line(w, SIP_HDR_FROM, sip_msg_value(m, SIP_HDR_FROM));
	line(w, SIP_HDR_CALL_ID, sip_msg_value(m, SIP_HDR_CALL_ID));
	wbuf_lit(w, "CSeq: ");
	wbuf_u64(w, cseq.seq);
	wbuf_char(w, ' ');
	return wbuf_ok(w);
}

void tx_follow_keep(struct tx_layer *l, struct tx *t, struct engine_out *out)
{
	struct slice bytes = blob_slice(l->blobs, t->msg);
	struct wbuf w = engine_out_compose(out);
	struct sip_fault fault;
	struct sip_msg m;

	if (bytes.n == 0 || sip_msg_parse(&m, bytes.p, bytes.n, &fault) != SBC_OK ||
	    !fixed_write(&w, &m))
		return;
	uint32_t fixed = w.n;
	wbuf_put(&w, sip_msg_value(&m, SIP_HDR_TO));
	if (!wbuf_ok(&w) || fixed > UINT16_MAX)
		return;
	/* The INVITE's own block is free by now: what is a part of it fits there if nowhere else. */
	tx_drop(l, &t->msg);
	t->aux_fixed = (uint16_t)fixed;
	tx_keep(l, &t->aux, wbuf_slice(&w));
}

static struct slice follow_kept(struct tx_layer *l, struct tx *t, struct engine_out *out)
{
	if (t->aux == 0)
		tx_follow_keep(l, t, out);
	return blob_slice(l->blobs, t->aux);
}

static struct slice follow_write(struct slice kept, uint32_t fixed, struct slice method,
				 struct slice to, struct engine_out *out)
{
	struct wbuf w = engine_out_compose(out);

	wbuf_put(&w, method);
	wbuf_put(&w, slice_of(kept.p, fixed));
	wbuf_put(&w, method);
	wbuf_lit(&w, "\r\n");
	line(&w, SIP_HDR_TO, to);
	wbuf_lit(&w, "Content-Length: 0\r\n\r\n");
	return engine_out_composed(out, &w);
}

void tx_follow_ack(struct tx_layer *l, struct tx *t, struct slice to, struct engine_out *out)
{
	struct slice kept = follow_kept(l, t, out);

	if (kept.n == 0)
		return;
	struct slice ack = follow_write(kept, t->aux_fixed, sip_method_name(SIP_ACK), to, out);
	if (ack.n)
		engine_out_send(out, &t->path, ack);
}

struct slice tx_follow_cancel(struct tx_layer *l, struct tx *t, struct engine_out *out)
{
	struct slice kept = follow_kept(l, t, out);

	if (kept.n == 0)
		return SLICE_NONE;
	struct slice to = slice_of(kept.p + t->aux_fixed, kept.n - t->aux_fixed);
	return follow_write(kept, t->aux_fixed, sip_method_name(SIP_CANCEL), to, out);
}
