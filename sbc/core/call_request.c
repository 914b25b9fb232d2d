#include "sbc/core/call.h"
#include "sbc/core/offer.h"

/* RFC 3261 14.2: 0 to 10 s, for an INVITE before the answer to the one before. */
#define RETRY_SOON SLICE_LIT("Retry-After: 3\r\n")

/*
 * 12.2.2: a sequence number below what was seen is out of order. Equal is so too:
 * repetitions were absorbed by their transaction.
 */
static bool request_in_order(struct engine *e, struct leg *leg, struct rx *rx)
{
	if (leg->cseq_remote && rx->cseq.seq <= leg->cseq_remote) {
		engine_refuse(e, rx, REASON_SIP_CSEQ, 500, SLICE_NONE);
		return false;
	}
	leg->cseq_remote = rx->cseq.seq;
	return true;
}

/* Takes a request on with a transaction; false: refused. */
static bool request_open(struct engine *e, struct rx *rx, enum exchange_kind kind, uint8_t from)
{
	struct exchange *ex = exchange_new(e, kind, (enum sip_method)rx->m->method);

	if (ex == NULL || !exchange_serve(e, ex, rx)) {
		if (ex != NULL)
			exchange_free(e, ex);
		engine_refuse(e, rx, REASON_SIP_TX_FULL, 503, ENGINE_RETRY_AFTER);
		return false;
	}
	ex->from = from;
	rx->ex = ex;
	return true;
}

/* 200 at once: the other side has no say. Its transaction answers repetitions. */
static void request_bye(struct engine *e, struct call *call, uint8_t from, struct rx *rx)
{
	struct reply ok = {.status = 200};

	call_end_ahead(e, call);
	if (request_open(e, rx, EXCHANGE_RELAY, from)) {
		exchange_reply(e, rx->ex, 200, leg_tag(&call->leg[from]), SLICE_NONE);
		exchange_free(e, rx->ex);
		rx->ex = NULL;
	} else {
		engine_answer(e, rx, &ok);
	}
	if (from == CALL_CALLER)
		call_end(e, call, END_BYE_CALLER, 487, CALL_BYE_CALLEE);
	else
		call_end(e, call, END_BYE_CALLEE, 480, CALL_BYE_CALLER);
}

/* An INVITE of this call that has no final yet, or NULL. */
static struct exchange *invite_in_progress(struct engine *e, struct call *call)
{
	struct exchange *ex;

	for (uint32_t i = call->exchanges; i != POOL_NONE; i = ex->next) {
		ex = pool_at(&e->exchanges, i);
		if (ex->method == SIP_INVITE && !(ex->flags & EXCHANGE_F_FINAL))
			return ex;
	}
	return NULL;
}

static bool request_glares(struct engine *e, struct call *call, uint8_t from, struct rx *rx)
{
	struct exchange *ex = invite_in_progress(e, call);

	if (rx->m->method != SIP_INVITE || ex == NULL)
		return false;
	if (ex->from == from)
		engine_refuse(e, rx, REASON_CALL_GLARE, 500, RETRY_SOON);
	else
		engine_refuse(e, rx, REASON_CALL_GLARE, 491, SLICE_NONE);
	return true;
}

/* RFC 3262 7.2: the RAck of the other leg for the response that this one acknowledges. */
static bool map_rack(struct engine *e, struct call *call, uint8_t from, const struct sip_msg *m,
		     struct wbuf *w)
{
	const struct leg *leg = &call->leg[from];
	struct exchange *ex = invite_in_progress(e, call);
	struct sip_rack rack;

	if (ex == NULL || ex->from != from || leg->rseq_far == 0 ||
	    sip_rack_parse(&rack, sip_msg_value(m, SIP_HDR_RACK)) != SBC_OK ||
	    rack.rseq != leg->rseq || rack.cseq.seq != ex->cseq_in)
		return false;
	wbuf_u64(w, leg->rseq_far);
	wbuf_char(w, ' ');
	wbuf_u64(w, ex->cseq_out);
	wbuf_lit(w, " INVITE");
	return true;
}

static struct slice request_write(struct engine *e, struct call *call, const struct rx *rx,
				  const struct offer_io *io, struct slice rack,
				  struct leg_request *r)
{
	struct leg *to = &call->leg[!rx->ex->from];
	bool refreshes = rx->m->method == SIP_INVITE || rx->m->method == SIP_UPDATE;
	uint32_t hops;

	leg_request_fill(e, to, r);
	struct hiding_request hr = {
		.snap = e->snap,
		.from_realm = rx->realm,
		.to_realm = r->realm,
		.listener = engine_listener(e, r->path.listener),
		.request_uri = r->uri,
		.branch = r->branch,
		.from = r->from,
		.to = r->to,
		.call_id = r->call_id,
		.cseq = ++to->cseq_local,
		.contact = refreshes ? leg_contact(e, to) : SLICE_NONE,
		.route = r->route,
		.max_forwards = e->snap->max_forwards,
		.rack = rack,
		.body = io->body,
		.drop_body = io->drop,
	};
	if (sip_msg_u32(rx->m, SIP_HDR_MAX_FORWARDS, &hops) == SBC_OK && hops)
		hr.max_forwards = hops - 1;
	rx->ex->cseq_out = hr.cseq;
	struct wbuf w = engine_compose(e);
	if (hiding_write_request(&w, rx->m, &hr) != SBC_OK)
		return SLICE_NONE;
	return engine_composed(e, &w);
}

/* Sends an opened request on; its offer is taken back when that fails. */
static void request_relay(struct engine *e, struct call *call, struct rx *rx, struct slice rack)
{
	struct exchange *ex = rx->ex;
	struct leg_request r;
	struct offer_io io;
	uint16_t status = offer_from_request(e, call, ex, rx->m, &io);

	if (status) {
		exchange_reply(e, ex, status, SLICE_NONE, SLICE_NONE);
		exchange_free(e, ex);
		return;
	}
	struct slice bytes = request_write(e, call, rx, &io, rack, &r);
	if (bytes.n && exchange_send(e, ex, r.branch, &r.path, bytes))
		return;
	if (io.is_offer)
		offer_rollback(e, call);
	engine_refuse(e, rx, bytes.n ? REASON_SIP_TX_FULL : REASON_SIP_OUT_FULL,
		      bytes.n ? 503 : 513, SLICE_NONE);
}

static void request_pass(struct engine *e, struct call *call, uint8_t from, struct rx *rx)
{
	bool invite = rx->m->method == SIP_INVITE;
	struct leg *leg = &call->leg[from];
	char text[40];
	struct wbuf rack;

	wbuf_init(&rack, text, sizeof(text));
	/* No early dialog to relay it in, or an acknowledgement of nothing we sent. */
	if (call->leg[!from].remote_tag == 0 ||
	    (rx->m->method == SIP_PRACK && !map_rack(e, call, from, rx->m, &rack))) {
		engine_refuse(e, rx, REASON_SIP_NO_DIALOG, 481, SLICE_NONE);
		return;
	}
	if (request_glares(e, call, from, rx) ||
	    !request_open(e, rx, invite ? EXCHANGE_REINVITE : EXCHANGE_RELAY, from))
		return;
	call_link(e, call, rx->ex);
	if (invite)
		exchange_reply(e, rx->ex, 100, SLICE_NONE, SLICE_NONE);
	if ((invite || rx->m->method == SIP_UPDATE) && !leg_set_target(e, leg, rx->m)) {
		engine_refuse(e, rx, REASON_CALL_FULL, 500, SLICE_NONE);
		return;
	}
	request_relay(e, call, rx, wbuf_slice(&rack));
}

void call_request(struct engine *e, struct call *call, uint8_t from, struct rx *rx)
{
	struct leg *leg = &call->leg[from];

	if (!request_in_order(e, leg, rx))
		return;
	store_touch(e, call, STORE_SOON);
	/* The phone's NAT may have moved it; see leg_knows_source(). */
	if (engine_realm_by_source(engine_realm(e, leg->slot))) {
		leg->changed |= !net_addr_eq(leg->source, rx->path.remote);
		leg->source = rx->path.remote;
	}
	if (rx->m->method == SIP_BYE)
		request_bye(e, call, from, rx);
	else if (call->state == CALL_ENDING)
		engine_refuse(e, rx, REASON_SIP_NO_DIALOG, 481, SLICE_NONE);
	else
		request_pass(e, call, from, rx);
}
