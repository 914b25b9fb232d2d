#include "sbc/core/call.h"
#include "sbc/core/offer.h"

/*
 * A redirection's contacts (13.2.2.3): the users stay, the hosts become ours, so
 * that a caller who follows it comes back to the border.
 */
static struct slice redirect_contacts(struct engine *e, const struct sip_msg *m, uint16_t realm)
{
	struct wbuf *w = &e->text;
	uint32_t at = w->n, n = 0;
	struct slice rest, one;

	hiding_realm_host(w, e->snap, realm);
	struct slice host = engine_text_cut(e, at);
	at = w->n;
	for (uint8_t i = m->first[SIP_HDR_CONTACT]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		rest = sip_entry_value(m, i);
		while (n < 8 && sip_list_next(&rest, &one)) {
			if (n++)
				wbuf_lit(w, ", ");
			hiding_identity_write(w, e->snap, one, host);
		}
	}
	return engine_text_cut(e, at);
}

static struct slice response_compose(struct engine *e, struct call *call, struct exchange *ex,
				     const struct sip_msg *m, const struct offer_io *io,
				     struct slice rseq)
{
	const struct leg *from = &call->leg[!ex->from];
	struct leg *to = &call->leg[ex->from];
	struct wbuf *text = engine_text(e);
	struct hiding_response hr = {
		.snap = e->snap,
		.from_realm = e->slots.realm[from->slot].index,
		.to_realm = e->slots.realm[to->slot].index,
		.head = tx_server_head(e->tx, ex->server),
		.status = m->status,
		.to_tag = leg_tag(to),
		.rseq = rseq,
		.body = io->body,
		.drop_body = io->drop,
	};

	if (hr.head.n == 0)
		return SLICE_NONE;
	if (m->status >= 300 && m->status < 400) {
		hr.contact = redirect_contacts(e, m, hr.to_realm);
	} else if (m->status < 300 && (ex->method == SIP_INVITE || ex->method == SIP_UPDATE)) {
		leg_contact_write(e, text, to);
		hr.contact = wbuf_slice(text);
	}
	struct wbuf w = engine_compose(e);
	if (!wbuf_ok(text) || hiding_write_response(&w, m, &hr) != SBC_OK) {
		engine_count(e, REASON_SIP_OUT_FULL);
		return SLICE_NONE;
	}
	return engine_composed(e, &w);
}

bool call_relay_response(struct engine *e, struct call *call, struct exchange *ex,
			 const struct sip_msg *m, const struct offer_io *io, struct slice rseq)
{
	struct slice bytes = response_compose(e, call, ex, m, io, rseq);

	if (bytes.n == 0)
		return false;
	if (m->status >= 200)
		ex->flags |= EXCHANGE_F_FINAL;
	tx_server_respond(e->tx, ex->server, m->status, bytes, e->now, e->out);
	return true;
}

void call_ack_send(struct engine *e, struct call *call, struct exchange *ex, struct slice sdp)
{
	const struct leg *leg = &call->leg[!ex->from];
	struct leg_request r;

	leg_request_fill(e, leg, &r);
	struct slice bytes = leg_own_request(e, leg, SIP_ACK, ex->cseq_out, &r, SLICE_NONE, sdp);
	if (bytes.n == 0)
		return;
	engine_send(e, &r.path, bytes);
	blob_give(&e->blobs, ex->ack);
	ex->ack = blob_copy(&e->blobs, bytes);
	ex->client_path = r.path;
	ex->far_tag = engine_hash(e, leg_remote_tag(e, leg));
}

bool call_track(struct engine *e, struct call *call, uint8_t leg, const struct rx *rx)
{
	struct leg *l = &call->leg[leg];
	const struct sip_msg *m = rx->m;
	struct slice tag = rx->to_tag;

	/* A 1xx without a tag makes no dialog (12.1). */
	if (tag.n == 0 && m->status < 200)
		return true;
	/* Another fork numbers its reliable responses for itself. */
	if (!slice_eq(tag, leg_remote_tag(e, l)))
		call->leg[!leg].rseq_far = 0;
	return leg_set_remote_tag(e, l, tag) && leg_set_target(e, l, m) &&
	       leg_set_routes(e, l, m, true);
}

/*
 * RFC 3262 hop by hop: what the callee calls `far` has a number of its own on the
 * caller's leg. A repetition keeps its number.
 */
static struct slice map_rseq(struct leg *caller, const struct sip_msg *m, char *out, uint32_t cap)
{
	struct wbuf w;
	uint32_t far;

	if (sip_msg_u32(m, SIP_HDR_RSEQ, &far) != SBC_OK || far == 0 ||
	    !sip_msg_lists(m, SIP_HDR_REQUIRE, SLICE_LIT("100rel")))
		return SLICE_NONE;
	if (caller->rseq_far != far) {
		caller->rseq++;
		caller->rseq_far = far;
	}
	wbuf_init(&w, out, cap);
	wbuf_u64(&w, caller->rseq);
	return wbuf_slice(&w);
}

static void invite_provisional(struct engine *e, struct call *call, struct exchange *ex,
			       const struct rx *rx)
{
	const struct sip_msg *m = rx->m;
	char rseq[16];
	struct offer_io io;

	/* 16.7, 2: each provisional above 100 gives the callee more time. */
	wheel_arm(&e->wheel, call_index(e, call), e->now + e->snap->ring_timeout_ms);
	bool news = !slice_eq(rx->to_tag, leg_remote_tag(e, &call->leg[CALL_CALLEE]));
	if (!call_track(e, call, CALL_CALLEE, rx))
		return;
	call->state = CALL_EARLY;
	/* Without it an INVITE sent again after a death would be a second call to the callee. */
	store_touch(e, call, news ? STORE_NOW : STORE_SOON);
	if (offer_from_response(e, call, ex, m, &io) != 0)
		io = (struct offer_io){.drop = true};
	call_relay_response(e, call, ex, m, &io,
			    map_rseq(&call->leg[CALL_CALLER], m, rseq, sizeof(rseq)));
}

static void call_established(struct engine *e, struct call *call)
{
	call->state = CALL_ANSWERED;
	call->status = 200;
	e->established++;
	e->calls_answered++;
	call_record(e, call, RECORD_CALL_ANSWERED);
	if (e->snap->max_call_s)
		wheel_arm(&e->wheel, call_index(e, call), e->now + 1000ull * e->snap->max_call_s);
	else
		wheel_disarm(&e->wheel, call_index(e, call));
}

/* The answer leaves: the call stands on both sides. */
static void invite_answer(struct engine *e, struct call *call, struct exchange *ex,
			  struct slice bytes)
{
	ex->flags |= EXCHANGE_F_FINAL;
	tx_server_respond(e->tx, ex->server, 200, bytes, e->now, e->out);
	call->leg[CALL_CALLER].confirmed = true;
	/* The callee's offer is answered by the caller's ACK, which ours waits for. */
	if (!offer_waits_for(call, CALL_CALLER))
		call_ack_send(e, call, ex, SLICE_NONE);
	call_established(e, call);
}

/*
 * Durable before answered: neither does the caller hear of the answer nor the
 * callee that it was heard, until the store has the call. False: it does not wait.
 */
static bool invite_wait(struct engine *e, struct call *call, struct exchange *ex,
			struct slice bytes)
{
	uint32_t kept;

	if (e->store.mode != ENGINE_STORE_DURABLE)
		return false;
	kept = blob_copy(&e->blobs, bytes);
	if (kept == 0)
		return false;
	if (!store_hold(e, call)) {
		blob_give(&e->blobs, kept);
		return false;
	}
	ex->message = kept;
	ex->flags |= EXCHANGE_F_WAITS;
	wheel_arm(&e->wheel, exchange_timer(e, ex), e->now + e->snap->store_deadline_ms);
	return true;
}

static void answer_leave(struct engine *e, struct call *call, bool stored)
{
	struct exchange *ex = exchange_get(e, call->invite);

	store_let_go(e, call, stored);
	if (ex == NULL || !(ex->flags & EXCHANGE_F_WAITS))
		return;
	ex->flags &= (uint16_t)~EXCHANGE_F_WAITS;
	wheel_disarm(&e->wheel, exchange_timer(e, ex));
	invite_answer(e, call, ex, blob_slice(&e->blobs, ex->message));
	blob_give(&e->blobs, ex->message);
	ex->message = 0;
	store_touch(e, call, STORE_SOON);
}

void call_let_go(struct engine *e, struct call *call)
{
	answer_leave(e, call, true);
}

void call_let_go_unstored(struct engine *e, struct call *call)
{
	answer_leave(e, call, false);
}

/* The callee has answered, but the call cannot be: it is acknowledged and let go. */
static void invite_unusable(struct engine *e, struct call *call, struct exchange *ex,
			    uint16_t status)
{
	call_ack_send(e, call, ex, SLICE_NONE);
	call_end(e, call, END_ERROR, status, CALL_BYE_CALLEE);
}

static void invite_success(struct engine *e, struct call *call, struct exchange *ex,
			   const struct rx *rx)
{
	const struct sip_msg *m = rx->m;
	struct offer_io io;
	uint16_t status;

	ex->flags |= EXCHANGE_F_ANSWERED;
	call->leg[CALL_CALLEE].confirmed = true;
	if (!call_track(e, call, CALL_CALLEE, rx)) {
		invite_unusable(e, call, ex, 500);
		return;
	}
	status = offer_from_response(e, call, ex, m, &io);
	if (status) {
		invite_unusable(e, call, ex, status);
		return;
	}
	/* The offer was never answered: there is no session to come into force. */
	if (offer_waits_for(call, CALL_CALLEE))
		offer_rollback(e, call);
	struct slice bytes = response_compose(e, call, ex, m, &io, SLICE_NONE);
	if (bytes.n == 0) {
		invite_unusable(e, call, ex, 500);
		return;
	}
	call->answered_ms = e->now;
	if (invite_wait(e, call, ex, bytes))
		return;
	invite_answer(e, call, ex, bytes);
	store_let_go(e, call, false);
	store_touch(e, call, STORE_NOW);
}

/* A 2xx again, or another fork's (13.2.2.4). */
static void invite_repeated(struct engine *e, struct call *call, struct exchange *ex,
			    const struct sip_msg *m, struct slice tag)
{
	if (m->status < 200 || m->status >= 300)
		return;
	/* Ours waits: for the caller's ACK, or for the store. */
	if (ex->ack == 0 && slice_eq(tag, leg_remote_tag(e, &call->leg[CALL_CALLEE])))
		return;
	exchange_release_2xx(e, ex, m);
}

void call_invite_response(struct engine *e, struct call *call, struct exchange *ex,
			  const struct rx *rx)
{
	const struct sip_msg *m = rx->m;
	static const struct offer_io none = {.drop = true};

	if (ex->flags & EXCHANGE_F_ANSWERED) {
		invite_repeated(e, call, ex, m, rx->to_tag);
	} else if (m->status == 100) {
		return;
	} else if (m->status < 200) {
		invite_provisional(e, call, ex, rx);
	} else if (m->status < 300) {
		invite_success(e, call, ex, rx);
	} else {
		if (!call_relay_response(e, call, ex, m, &none, SLICE_NONE))
			exchange_reply(e, ex, 500, leg_tag(&call->leg[CALL_CALLER]), SLICE_NONE);
		call_end(e, call, END_REFUSED, m->status, 0);
	}
}
