#include "sbc/core/exchange.h"

#include "sbc/core/dialog.h"

/* While this dialog was early, requests were sent in it (PRACK, UPDATE), nobody knows how many. */
#define RELEASE_CSEQ_GAP (1u << 25)

uint64_t exchange_handle(const struct engine *e, const struct exchange *ex)
{
	size_t offset = (size_t)((const uint8_t *)ex - e->exchanges.objects);

	return pool_handle(&e->exchanges, (uint32_t)(offset / sizeof(*ex)));
}

struct exchange *exchange_get(const struct engine *e, uint64_t handle)
{
	return pool_get(&e->exchanges, handle);
}

uint32_t exchange_timer(const struct engine *e, const struct exchange *ex)
{
	return e->limits.calls + e->limits.registrations + pool_index(exchange_handle(e, ex));
}

struct exchange *exchange_new(struct engine *e, enum exchange_kind kind, enum sip_method method)
{
	uint32_t i = pool_take(&e->exchanges);

	if (i == POOL_NONE)
		return NULL;
	struct exchange *ex = pool_at(&e->exchanges, i);
	ex->kind = (uint8_t)kind;
	e->refused += kind == EXCHANGE_REFUSED;
	ex->method = (uint8_t)method;
	ex->next = POOL_NONE;
	return ex;
}

static void exchange_unlink(struct engine *e, struct exchange *ex)
{
	struct call *call = pool_get(&e->calls, ex->call);
	uint32_t self = pool_index(exchange_handle(e, ex));
	uint32_t *at;

	if (call == NULL)
		return;
	for (at = call_exchanges(call); *at != POOL_NONE;) {
		struct exchange *x = pool_at(&e->exchanges, *at);

		if (*at == self) {
			*at = x->next;
			break;
		}
		at = &x->next;
	}
	ex->call = 0;
}

void exchange_free(struct engine *e, struct exchange *ex)
{
	/* An INVITE without a final lasts for ever: its transaction has no timer of its own. */
	if (ex->server && ex->method == SIP_INVITE && !(ex->flags & EXCHANGE_F_FINAL))
		tx_abandon(e->tx, ex->server);
	if (ex->kind == EXCHANGE_OWED)
		store_drop_owed(e, ex);
	exchange_unlink(e, ex);
	e->refused -= ex->kind == EXCHANGE_REFUSED;
	wheel_disarm(&e->wheel, exchange_timer(e, ex));
	blob_give(&e->blobs, ex->ack);
	blob_give(&e->blobs, ex->message);
	pool_give(&e->exchanges, pool_index(exchange_handle(e, ex)));
}

bool exchange_serve(struct engine *e, struct exchange *ex, const struct rx *rx)
{
	struct wbuf *text = engine_text(e);
	struct engine_path path = engine_reply_path(e, rx);

	if (reply_head_write_read(text, rx->m, &rx->via, &rx->path, rx->m->method == SIP_INVITE) !=
	    SBC_OK)
		return false;
	ex->server = tx_server_new(e->tx, rx->m, &rx->via, &path, wbuf_slice(text),
				   exchange_handle(e, ex), e->now);
	ex->cseq_in = rx->cseq.seq;
	if (ex->server == 0)
		return false;
	e->exchange_of[pool_index(ex->server)] = pool_index(exchange_handle(e, ex));
	return true;
}

struct exchange *exchange_of_server(const struct engine *e, uint64_t tx)
{
	uint32_t i = e->exchange_of[pool_index(tx)];

	if (!pool_is_taken(&e->exchanges, i))
		return NULL;
	struct exchange *ex = pool_at(&e->exchanges, i);
	return ex->server == tx ? ex : NULL;
}

void exchange_reply(struct engine *e, struct exchange *ex, uint16_t status, struct slice to_tag,
		    struct slice extra)
{
	struct reply r = {.status = status, .to_tag = to_tag, .extra = extra};
	struct slice head = tx_server_head(e->tx, ex->server);
	char tag[IDENT_TAG_LEN];

	if (head.n == 0 || (ex->flags & EXCHANGE_F_FINAL))
		return;
	if (status > 100 && to_tag.n == 0) {
		ident_tag(&e->gen, tag);
		r.to_tag = slice_of(tag, sizeof(tag));
	}
	r.server = slice_str(e->snap->product);
	struct wbuf w = engine_compose(e);
	reply_write(&w, head, &r);
	struct slice bytes = engine_composed(e, &w);
	if (status >= 200)
		ex->flags |= EXCHANGE_F_FINAL;
	if (bytes.n)
		tx_server_respond(e->tx, ex->server, status, bytes, e->now, e->out);
	else if (status >= 200)
		tx_abandon(e->tx, ex->server);
}

bool exchange_send(struct engine *e, struct exchange *ex, struct slice branch,
		   const struct engine_path *path, struct slice bytes)
{
	ex->client_path = *path;
	ex->client = tx_client_new(e->tx, (enum sip_method)ex->method, branch, path, bytes,
				   exchange_handle(e, ex), e->now, e->out);
	return ex->client != 0;
}

static struct slice release_request(struct engine *e, struct exchange *ex, const struct sip_msg *m,
				    enum sip_method method, struct slice uri, uint32_t seq)
{
	struct hiding_own_request own = {
		.snap = e->snap,
		.listener = engine_listener(e, ex->client_path.listener),
		.method = method,
		.request_uri = uri,
		.from = sip_msg_value(m, SIP_HDR_FROM),
		.to = sip_msg_value(m, SIP_HDR_TO),
		.call_id = sip_msg_value(m, SIP_HDR_CALL_ID),
		.cseq = seq,
	};

	engine_text(e);
	own.branch = engine_branch(e);
	own.route = leg_route_write(e, m, true);
	struct wbuf w = engine_compose(e);
	hiding_own_request_write(&w, &own);
	struct slice bytes = engine_composed(e, &w);
	if (bytes.n && method == SIP_ACK)
		engine_send(e, &ex->client_path, bytes);
	else if (bytes.n)
		tx_client_new(e->tx, method, own.branch, &ex->client_path, bytes, 0, e->now,
			      e->out);
	return bytes;
}

void exchange_release_2xx(struct engine *e, struct exchange *ex, const struct sip_msg *m)
{
	struct sip_addr contact, to;
	struct sip_cseq cseq;
	struct slice tag;

	if (engine_listener(e, ex->client_path.listener) == SNAPSHOT_NONE ||
	    sip_cseq_of(m, &cseq) != SBC_OK ||
	    sip_addr_tagged_of(m, SIP_HDR_TO, &to, &tag) != SBC_OK)
		return;
	if (ex->ack && ex->far_tag == engine_hash(e, tag)) {
		engine_send(e, &ex->client_path, blob_slice(&e->blobs, ex->ack));
		return;
	}
	if (sip_addr_of(m, SIP_HDR_CONTACT, &contact) != SBC_OK || contact.is_star)
		contact.uri = to.uri;
	struct slice ack = release_request(e, ex, m, SIP_ACK, contact.uri, cseq.seq);
	release_request(e, ex, m, SIP_BYE, contact.uri, cseq.seq + RELEASE_CSEQ_GAP);
	/* Repetitions get this ACK again, and no second BYE. A call's own ACK has the place first. */
	if (ex->ack == 0 && ack.n && !(ex->flags & EXCHANGE_F_ANSWERED)) {
		ex->ack = blob_copy(&e->blobs, ack);
		ex->far_tag = engine_hash(e, tag);
	}
}
