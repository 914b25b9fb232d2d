#include "sbc/core/call.h"
#include "sbc/core/offer.h"

static bool is_invite(const struct exchange *ex)
{
	return ex->kind == EXCHANGE_INVITE || ex->kind == EXCHANGE_REINVITE;
}

/* The INVITE of that leg and CSeq that was answered with a 2xx. */
static struct exchange *ack_exchange(struct engine *e, struct call *call, uint8_t from,
				     uint32_t seq)
{
	struct exchange *ex;

	for (uint32_t i = call->exchanges; i != POOL_NONE; i = ex->next) {
		ex = pool_at(&e->exchanges, i);
		if (is_invite(ex) && ex->from == from && ex->cseq_in == seq &&
		    (ex->flags & EXCHANGE_F_FINAL))
			return ex;
	}
	return NULL;
}

/* The ACK brings the answer to the offer of its 2xx, or should have. */
static void ack_answer(struct engine *e, struct call *call, struct exchange *ex,
		       const struct sip_msg *m)
{
	struct offer_io io;
	uint16_t status = offer_from_ack(e, call, ex->from, m, &io);

	call_ack_send(e, call, ex, status ? SLICE_NONE : io.body);
	if (offer_is_pending(call)) {
		if (status == 0)
			engine_count(e, REASON_CALL_SDP_BAD);
		call_end(e, call, END_ERROR, 488, CALL_BYE_BOTH);
	}
}

void call_ack(struct engine *e, struct rx *rx)
{
	uint8_t from = 0;
	struct call *call = rx->to_tag.n ? call_find(e, rx, &from) : NULL;
	struct exchange *ex;

	if (call == NULL && engine_acks_refusal(e, rx))
		return;
	if (call == NULL && rx->to_tag.n && engine_forward(e, rx))
		return;
	ex = call ? ack_exchange(e, call, from, rx->cseq.seq) : NULL;
	if (ex == NULL) {
		engine_count(e, REASON_SIP_STRAY_ACK);
		return;
	}
	if (!call_is_whole(e, call)) {
		call_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);
		return;
	}
	if (!leg_knows_source(e, &call->leg[from], rx)) {
		engine_count(e, REASON_SIP_SOURCE);
		return;
	}
	if (ex->flags & EXCHANGE_F_ACKED)
		return;
	ex->flags |= EXCHANGE_F_ACKED;
	store_touch(e, call, STORE_SOON);
	tx_server_acked(e->tx, ex->server, e->now);
	if (call->state == CALL_ENDING) {
		call_owed(e, call);
		return;
	}
	if (ex->client == 0)
		exchange_free(e, ex);
	else if (ex->ack == 0 && (ex->flags & EXCHANGE_F_ANSWERED))
		ack_answer(e, call, ex, rx->m);
}

/* A CANCEL comes from where its INVITE came from (9.1: same hop, same Via). */
static bool cancel_knows_source(struct engine *e, struct exchange *ex, const struct call *call,
				const struct rx *rx)
{
	uint32_t ip = call ? call->leg[ex->from].source.ip : ex->source.remote.ip;

	return ip == rx->path.remote.ip || e->snap->realm[rx->realm].nat;
}

void call_cancel(struct engine *e, struct rx *rx)
{
	uint64_t tx = tx_server_find_invite(e->tx, rx->m, &rx->via);
	struct reply ok = {.status = 200};
	struct exchange *ex = tx ? exchange_of_server(e, tx) : NULL;
	struct call *call = ex ? pool_get(&e->calls, ex->call) : NULL;

	if (tx == 0) {
		engine_refuse(e, rx, REASON_SIP_STRAY_CANCEL, 481, SLICE_NONE);
		return;
	}
	if (ex != NULL && !cancel_knows_source(e, ex, call, rx)) {
		engine_refuse(e, rx, REASON_SIP_SOURCE, 403, SLICE_NONE);
		return;
	}
	if (call != NULL)
		ok.to_tag = leg_tag(&call->leg[ex->from]);
	engine_answer(e, rx, &ok);
	if (ex == NULL || (ex->flags & EXCHANGE_F_FINAL))
		return;
	if (call == NULL) {
		exchange_reply(e, ex, 487, SLICE_NONE, SLICE_NONE);
		exchange_free(e, ex);
	} else if (ex->kind == EXCHANGE_INVITE) {
		call_end(e, call, END_CANCELLED, 487, 0);
	} else {
		/* The other side decides: its 487 is passed on, or its 2xx if that was sooner. */
		ex->flags |= EXCHANGE_F_CANCELLED;
		tx_client_cancel(e->tx, ex->client, e->now, e->out);
	}
}
