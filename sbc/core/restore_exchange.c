#include "sbc/core/restore_internal.h"

/*
 * A call has one INVITE that began it, the caller's, and it is answered when the
 * call is. Re-INVITEs come after the answer only. A final has gone to one side
 * exactly when one has come from the other.
 */
static bool exchange_is_right(const struct call_checkpoint *c, const struct checkpoint_exchange *x)
{
	bool answered = (x->flags & EXCHANGE_F_ANSWERED) != 0;

	if (x->initial ? x->from != CALL_CALLER || answered != (c->state != CHECKPOINT_EARLY)
		       : c->state == CHECKPOINT_EARLY)
		return false;
	if (answered)
		return x->head.n == 0 || x->response.n;
	return x->head.n && x->response.n == 0 && x->branch.n && x->request.n;
}

static bool path_is_right(const struct engine *e, bool used, struct net_addr listener,
			  struct net_addr remote)
{
	return !used || (net_addr_is_set(listener) && remote.port && engine_may_send(e, remote.ip));
}

static bool is_request(struct slice bytes, enum sip_method method)
{
	struct sip_fault fault;
	struct sip_msg m;

	return bytes.n == 0 || (sip_msg_parse(&m, bytes.p, bytes.n, &fault) == SBC_OK &&
				m.is_request && m.method == method);
}

/* A 2xx: another would leave a transaction whose end nobody comes to. */
static bool is_accepted(struct slice bytes)
{
	struct sip_fault fault;
	struct sip_msg m;

	return bytes.n == 0 || (sip_msg_parse(&m, bytes.p, bytes.n, &fault) == SBC_OK &&
				!m.is_request && m.status >= 200 && m.status < 300);
}

bool restore_exchanges_are_right(const struct engine *e, const struct call_checkpoint *c)
{
	uint32_t initial = 0;

	for (uint32_t i = 0; i < c->exchanges; i++) {
		const struct checkpoint_exchange *x = &c->exchange[i];

		initial += x->initial;
		if (!exchange_is_right(c, x) ||
		    !path_is_right(e, x->head.n || x->response.n, x->server_listener,
				   x->server_remote) ||
		    !path_is_right(e, x->branch.n, x->client_listener, x->client_remote) ||
		    !is_request(x->request, SIP_INVITE) || !is_request(x->ack, SIP_ACK) ||
		    !is_accepted(x->response))
			return false;
	}
	return initial == 1 || (initial == 0 && c->state != CHECKPOINT_EARLY);
}

/* The 100 that a repeated INVITE is answered with, in text. */
static struct slice trying_write(struct engine *e, struct slice head)
{
	struct reply r = {.status = 100, .server = slice_str(e->snap->product)};
	struct wbuf *w = engine_text(e);

	reply_write(w, head, &r);
	return wbuf_ok(w) ? wbuf_slice(w) : SLICE_NONE;
}

static bool server_restore(struct engine *e, struct exchange *ex,
			   const struct checkpoint_exchange *x)
{
	struct tx_server_kept kept = {
		.path = {restore_listener_at(e, x->server_listener), x->server_remote},
		.head = x->head,
		.response = x->response.n ? x->response : trying_write(e, x->head),
		.uri = x->uri,
		.via_params = x->via,
		.in_dialog = !x->initial,
	};

	if (kept.path.listener == SNAPSHOT_NONE)
		return true;
	ex->server = tx_server_adopt(e->tx, &kept, exchange_handle(e, ex), e->now);
	if (ex->server == 0)
		return false;
	e->exchange_of[pool_index(ex->server)] = pool_index(exchange_handle(e, ex));
	if (x->response.n)
		ex->flags |= EXCHANGE_F_FINAL;
	return true;
}

static bool client_restore(struct engine *e, struct exchange *ex,
			   const struct checkpoint_exchange *x)
{
	struct tx_client_kept kept = {
		.path = {restore_listener_at(e, x->client_listener), x->client_remote},
		.branch = x->branch,
		.request = x->request,
		.provisional = x->provisional,
		.accepted = (x->flags & EXCHANGE_F_ANSWERED) != 0,
	};

	if (kept.path.listener == SNAPSHOT_NONE)
		return true;
	ex->client_path = kept.path;
	ex->far_tag = x->far_tag;
	if (x->ack.n) {
		ex->ack = blob_copy(&e->blobs, x->ack);
		if (ex->ack == 0)
			return false;
	}
	ex->client = tx_client_adopt(e->tx, &kept, exchange_handle(e, ex), e->now, e->out);
	return ex->client != 0;
}

/* Which sides of an exchange there is something left to do for. */
static bool server_is_due(const struct engine *e, const struct call_checkpoint *c,
			  const struct checkpoint_exchange *x)
{
	if (x->response.n)
		return !(x->flags & EXCHANGE_F_ACKED) && !restore_is_late(e, c);
	return x->head.n != 0;
}

static bool client_is_due(const struct engine *e, const struct call_checkpoint *c,
			  const struct checkpoint_exchange *x)
{
	return x->branch.n && !((x->flags & EXCHANGE_F_ANSWERED) && restore_is_late(e, c));
}

static enum reason exchange_restore(struct engine *e, struct call *call,
				    const struct call_checkpoint *c,
				    const struct checkpoint_exchange *x)
{
	bool server = server_is_due(e, c, x), client = client_is_due(e, c, x);
	struct exchange *ex;

	if (!server && !client)
		return RESTORED;
	ex = exchange_new(e, x->initial ? EXCHANGE_INVITE : EXCHANGE_REINVITE, SIP_INVITE);
	if (ex == NULL)
		return REASON_RESTORE_FULL;
	ex->from = x->from;
	ex->cseq_in = x->cseq_in;
	ex->cseq_out = x->cseq_out;
	ex->flags = x->flags & (EXCHANGE_F_OFFER | EXCHANGE_F_SETTLED | EXCHANGE_F_ANSWERED);
	if ((x->flags & EXCHANGE_F_ANSWERED) && !server)
		ex->flags |= EXCHANGE_F_FINAL | EXCHANGE_F_ACKED;
	call_link(e, call, ex);
	if (x->initial)
		call->invite = exchange_handle(e, ex);
	if ((server && !server_restore(e, ex, x)) || (client && !client_restore(e, ex, x)))
		return REASON_RESTORE_FULL;
	/* Done by restore_exchanges_go_on(), which knows that all else is there. */
	ex->flags |= x->flags & EXCHANGE_F_CANCELLED;
	return RESTORED;
}

/* An INVITE that is not answered needs both its sides to go on. */
static bool exchange_is_whole(const struct exchange *ex)
{
	return (ex->flags & EXCHANGE_F_ANSWERED) || (ex->server && ex->client);
}

enum reason restore_exchanges(struct engine *e, struct call *call, const struct call_checkpoint *c)
{
	enum reason why = RESTORED;

	for (uint32_t i = 0; i < c->exchanges && why == RESTORED; i++) {
		/* Of a call that is over only the caller's ACK matters. */
		if (c->state == CHECKPOINT_ENDING &&
		    (!c->exchange[i].initial || c->exchange[i].response.n == 0))
			continue;
		why = exchange_restore(e, call, c, &c->exchange[i]);
		if (why == RESTORED && call->exchanges != POOL_NONE &&
		    !exchange_is_whole(pool_at(&e->exchanges, call->exchanges)))
			why = REASON_RESTORE_REALM;
	}
	return why;
}

void restore_exchanges_go_on(struct engine *e, struct call *call)
{
	for (uint32_t i = call->exchanges; i != POOL_NONE;) {
		struct exchange *ex = pool_at(&e->exchanges, i);

		if ((ex->flags & EXCHANGE_F_ANSWERED) && ex->ack == 0 && ex->client &&
		    !offer_waits_for(call, ex->from))
			call_ack_send(e, call, ex, SLICE_NONE);
		if ((ex->flags & EXCHANGE_F_CANCELLED) && ex->client)
			tx_client_cancel(e->tx, ex->client, e->now, e->out);
		i = ex->next;
	}
}
