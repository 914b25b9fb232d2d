#include "sbc/core/call.h"
#include "sbc/core/offer.h"

static bool is_invite(const struct exchange *ex)
{
	return ex->kind == EXCHANGE_INVITE || ex->kind == EXCHANGE_REINVITE;
}

/* Nothing of an INVITE may come any more: not from the callee, not the caller's ACK. */
static void invite_settle(struct engine *e, struct exchange *ex)
{
	bool acked = (ex->flags & EXCHANGE_F_ACKED) || ex->server == 0;

	if (ex->client == 0 && (ex->call == 0 || acked))
		exchange_free(e, ex);
}

/* No answer to a request of ours (timers B and F). */
static void client_timeout(struct engine *e, struct call *call, struct exchange *ex)
{
	if (call == NULL || call->state == CALL_ENDING) {
		if (ex->method == SIP_INVITE)
			exchange_reply(e, ex, 487, SLICE_NONE, SLICE_NONE);
		exchange_free(e, ex);
	} else if (ex->kind == EXCHANGE_INVITE) {
		call_end(e, call, END_TIMEOUT, 408, 0);
	} else if (ex->flags & EXCHANGE_F_CANCELLED) {
		if (call->offer_by == ex->from)
			offer_rollback(e, call);
		exchange_reply(e, ex, 487, SLICE_NONE, SLICE_NONE);
		exchange_free(e, ex);
	} else {
		bool prack = ex->method == SIP_PRACK;

		/* RFC 4320 4.2: only an INVITE is told of a timeout. */
		if (ex->kind == EXCHANGE_REINVITE)
			exchange_reply(e, ex, 408, SLICE_NONE, SLICE_NONE);
		else
			tx_abandon(e->tx, ex->server);
		exchange_free(e, ex);
		/* It may have gone to a fork that lost: its INVITE has timers of its own. */
		if (!prack)
			call_end(e, call, END_TIMEOUT, 408, CALL_BYE_BOTH);
	}
}

/* 13.3.1.4: a 2xx that is never acknowledged ends the session. */
static void server_unacked(struct engine *e, struct call *call, struct exchange *ex)
{
	if (call == NULL)
		invite_settle(e, ex);
	else if (call->state == CALL_ENDING)
		call_owed(e, call);
	else
		call_end(e, call, END_NO_ACK, 408, CALL_BYE_BOTH);
}

static bool call_lost_realm(struct engine *e, struct call *call)
{
	if (call == NULL || call_is_whole(e, call))
		return false;
	call_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);
	return true;
}

void call_tx_event(struct engine *e, const struct tx_event *ev)
{
	struct exchange *ex = exchange_get(e, ev->user);
	struct call *call;

	if (ex == NULL)
		return;
	if (ev->server)
		ex->server = 0;
	else
		ex->client = 0;
	if (ex->kind == EXCHANGE_OWED) {
		store_told(e, ex);
		return;
	}
	if (ex->kind == EXCHANGE_REFUSED) {
		exchange_free(e, ex);
		return;
	}
	call = pool_get(&e->calls, ex->call);
	if (call_lost_realm(e, call))
		return;
	if (ev->type == TX_EV_TIMEOUT && !ev->server)
		client_timeout(e, call, ex);
	else if (ev->type == TX_EV_NO_ACK)
		server_unacked(e, call, ex);
	else if (is_invite(ex))
		invite_settle(e, ex);
	else if (ex->client == 0)
		exchange_free(e, ex);
}

void call_timer(struct engine *e, struct call *call)
{
	if (call->state == CALL_ANSWERED)
		call_end(e, call, END_MAX_TIME, 0, CALL_BYE_BOTH);
	else
		call_end(e, call, END_TIMEOUT, 408, 0);
}

/* On hold no RTP is due from either side. */
static bool call_expects_media(const struct engine *e, const struct call *call)
{
	uint32_t n;
	const struct stream *s = offer_streams(e, call->streams, &n);

	for (uint32_t i = 0; i < n; i++) {
		uint8_t a = s[i].side[0].direction, b = s[i].side[1].direction;
		bool a_to_b = (a == SDP_SENDRECV || a == SDP_SENDONLY) &&
			      (b == SDP_SENDRECV || b == SDP_RECVONLY);
		bool b_to_a = (b == SDP_SENDRECV || b == SDP_SENDONLY) &&
			      (a == SDP_SENDRECV || a == SDP_RECVONLY);

		if (s[i].side[0].port && (a_to_b || b_to_a))
			return true;
	}
	return false;
}

/* What a restored flow would begin with. */
static void call_media_learn(struct engine *e, struct call *call, const struct engine_media *m)
{
	uint32_t n;
	struct stream *s = offer_streams(e, call->streams, &n);

	if (m->stream >= n || m->leg > 1)
		return;
	struct stream_side *side = &s[m->stream].side[m->leg];
	if (m->type == ENGINE_MEDIA_LATCHED) {
		if (m->rtcp)
			side->latched_rtcp = m->source;
		else
			side->latched_rtp = m->source;
	} else if (!m->rtcp) {
		side->packets = m->packets;
		side->bytes = m->bytes;
	}
	store_touch(e, call, STORE_SOON);
}

void call_media(struct engine *e, const struct engine_media *m)
{
	struct call *call = pool_get(&e->calls, m->call);

	if (call == NULL)
		return;
	if (m->type != ENGINE_MEDIA_SILENT)
		call_media_learn(e, call, m);
	else if (call->state == CALL_ANSWERED && call_expects_media(e, call))
		call_end(e, call, END_MEDIA, 0, CALL_BYE_BOTH);
}
