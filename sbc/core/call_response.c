#include "sbc/core/call.h"
#include "sbc/core/offer.h"

static bool is_reinvite(const struct exchange *ex)
{
	return ex->kind == EXCHANGE_REINVITE;
}

/* Its offer, if it made one that is still open, is not going to be answered. */
static void response_give_up_offer(struct engine *e, struct call *call, const struct exchange *ex)
{
	if ((ex->flags & EXCHANGE_F_OFFER) && call->offer_by == ex->from)
		offer_rollback(e, call);
}

static void response_provisional(struct engine *e, struct call *call, struct exchange *ex,
				 const struct sip_msg *m)
{
	struct offer_io io;

	if (!is_reinvite(ex) || m->status == 100)
		return;
	if (offer_from_response(e, call, ex, m, &io) != 0)
		io = (struct offer_io){.drop = true};
	call_relay_response(e, call, ex, m, &io, SLICE_NONE);
}

/* The sides no longer agree on the session: there is none to go on with. */
static void response_unusable(struct engine *e, struct call *call, struct exchange *ex,
			      uint16_t status)
{
	if (is_reinvite(ex))
		call_ack_send(e, call, ex, SLICE_NONE);
	exchange_reply(e, ex, status, SLICE_NONE, SLICE_NONE);
	call_end(e, call, END_ERROR, status, CALL_BYE_BOTH);
}

static void response_success(struct engine *e, struct call *call, struct exchange *ex,
			     const struct sip_msg *m)
{
	struct offer_io io;
	uint16_t status;

	if (is_reinvite(ex))
		ex->flags |= EXCHANGE_F_ANSWERED;
	if ((is_reinvite(ex) || ex->method == SIP_UPDATE) &&
	    !leg_set_target(e, &call->leg[!ex->from], m)) {
		response_unusable(e, call, ex, 500);
		return;
	}
	status = offer_from_response(e, call, ex, m, &io);
	if (status == 0 && !io.is_answer)
		response_give_up_offer(e, call, ex);
	if (status == 0 && !call_relay_response(e, call, ex, m, &io, SLICE_NONE))
		status = 500;
	if (status)
		response_unusable(e, call, ex, status);
	else if (!is_reinvite(ex))
		exchange_free(e, ex);
	else if (!offer_waits_for(call, ex->from))
		call_ack_send(e, call, ex, SLICE_NONE);
}

/*
 * 12.2.1.2: these two say that the other end has no such dialog, or no life. Not
 * to a PRACK, where they speak of the 1xx (RFC 3262 3), nor from a fork that has
 * since lost to another.
 */
static bool ends_dialog(const struct engine *e, const struct call *call, const struct exchange *ex,
			const struct rx *rx)
{
	return (rx->m->status == 481 || rx->m->status == 408) && ex->method != SIP_PRACK &&
	       slice_eq(rx->to_tag, leg_remote_tag(e, &call->leg[!ex->from]));
}

static void response_failure(struct engine *e, struct call *call, struct exchange *ex,
			     const struct rx *rx)
{
	static const struct offer_io none = {.drop = true};
	const struct sip_msg *m = rx->m;
	bool ends = ends_dialog(e, call, ex, rx);
	uint8_t from = ex->from;

	response_give_up_offer(e, call, ex);
	if (!call_relay_response(e, call, ex, m, &none, SLICE_NONE))
		exchange_reply(e, ex, 500, SLICE_NONE, SLICE_NONE);
	exchange_free(e, ex);
	if (ends)
		call_end(e, call, END_TIMEOUT, m->status,
			 m->status == 408 ? CALL_BYE_BOTH : 1u << from);
}

void call_response(struct engine *e, struct call *call, struct exchange *ex, const struct rx *rx)
{
	const struct sip_msg *m = rx->m;
	bool success = m->status >= 200 && m->status < 300;

	if (m->status >= 200)
		store_touch(e, call, STORE_SOON);
	if (ex->flags & EXCHANGE_F_ANSWERED) {
		if (success && ex->ack)
			engine_send(e, &ex->client_path, blob_slice(&e->blobs, ex->ack));
	} else if (call->state == CALL_ENDING) {
		if (success && is_reinvite(ex))
			exchange_release_2xx(e, ex, m);
	} else if (m->status < 200) {
		response_provisional(e, call, ex, m);
	} else if (success) {
		response_success(e, call, ex, m);
	} else {
		response_failure(e, call, ex, rx);
	}
}
