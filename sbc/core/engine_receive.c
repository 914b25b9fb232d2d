#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/registration.h"

/* RFC 5626 3.5.1 and what NAT keep-alives of phones look like: line ends, or a few NULs. */
static bool is_keepalive(struct slice bytes)
{
	for (uint32_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] != '\r' && bytes.p[i] != '\n' && bytes.p[i] != '\0')
			return false;
	}
	return bytes.n <= 8;
}

static enum reason fault_reason(enum sbc_err err, uint16_t status)
{
	if (status == 505)
		return REASON_SIP_VERSION;
	return err == SBC_ELIMIT ? REASON_SIP_LIMIT : REASON_SIP_BAD_REQUEST;
}

/* A request that does not parse is answered when enough of it does (RFC 3261 16.3, 21.4.1). */
static void receive_fault(struct engine *e, const struct engine_path *path, enum sbc_err err,
			  const struct sip_fault *fault)
{
	struct reply r = {.status = fault->status, .reason = slice_str(fault->text)};
	struct wbuf *text = engine_text(e);
	struct sip_via via;

	if (fault->status == 0) {
		engine_count(e, REASON_SIP_NOT);
		return;
	}
	if (!e->msg.is_request) {
		engine_count(e, REASON_SIP_BAD_RESPONSE);
		return;
	}
	if (e->msg.method == SIP_ACK || sip_via_top(&e->msg, &via) != SBC_OK ||
	    reply_head_write(text, &e->msg, path, false) != SBC_OK || !wbuf_ok(text)) {
		engine_count(e, REASON_SIP_NO_REPLY_PATH);
		return;
	}
	engine_count(e, fault_reason(err, fault->status));
	char tag[IDENT_TAG_LEN];
	ident_tag(&e->gen, tag);
	r.to_tag = slice_of(tag, sizeof(tag));
	r.server = slice_str(e->snap->product);
	struct engine_path back = tx_reply_path(
		&via, path,
		e->snap->realm[e->snap->listener[engine_listener(e, path->listener)].realm].nat);
	struct wbuf w = engine_compose(e);
	reply_write(&w, wbuf_slice(text), &r);
	engine_send(e, &back, engine_composed(e, &w));
}

bool engine_rx_init(struct engine *e, struct rx *rx, const struct sip_msg *m,
		    const struct engine_path *path)
{
	uint16_t index;

	/* All else is filled below, or by whoever needs it: this is done for each message. */
	rx->m = m;
	rx->path = *path;
	rx->uri.whole = SLICE_NONE;
	rx->ex = NULL;
	rx->forwarded = false;
	index = engine_listener(e, path->listener);
	if (index == SNAPSHOT_NONE)
		return false;
	rx->realm = e->snap->listener[index].realm;
	rx->slot = e->slots.realm_of[rx->realm];
	rx->call_id = sip_msg_value(m, SIP_HDR_CALL_ID);
	if (rx->slot == SLOT_NONE ||
	    sip_addr_tagged_of(m, SIP_HDR_TO, &rx->to, &rx->to_tag) != SBC_OK)
		return false;
	if (m->is_request && rx->to_tag.n)
		call_find_ahead(e, rx);
	return sip_via_top(m, &rx->via) == SBC_OK && sip_cseq_of(m, &rx->cseq) == SBC_OK &&
	       sip_addr_tagged_of(m, SIP_HDR_FROM, &rx->from, &rx->from_tag) == SBC_OK;
}

/* Parsed, but a header that everything hangs on does not make sense. */
static void receive_nonsense(struct engine *e, const struct engine_path *path)
{
	struct sip_fault fault = {.status = 400, .text = "Bad Request"};

	receive_fault(e, path, SBC_EBAD, &fault);
}

static void receive_response(struct engine *e, struct rx *rx)
{
	uint64_t tx = 0, user = 0;
	struct exchange *ex;
	struct call *call;

	switch (tx_client_match(e->tx, rx->m, &rx->via, e->now, e->out, &tx, &user)) {
	case TX_PASS:
		break;
	case TX_ABSORBED:
		return;
	default:
		engine_count(e, REASON_SIP_STRAY_RESPONSE);
		return;
	}
	ex = exchange_get(e, user);
	if (ex == NULL)
		return;
	if (ex->kind == EXCHANGE_OWED) {
		if (rx->m->status >= 200) {
			tx_set_user(e->tx, tx, 0);
			store_told(e, ex);
		}
		return;
	}
	if (ex->kind == EXCHANGE_REGISTER) {
		registration_response(e, ex, rx);
		return;
	}
	call = pool_get(&e->calls, ex->call);
	if (call == NULL) {
		if (rx->m->status >= 200 && rx->m->status < 300)
			exchange_release_2xx(e, ex, rx->m);
		return;
	}
	if (!call_is_whole(e, call))
		call_end(e, call, END_ERROR, 503, CALL_BYE_BOTH);
	else if (ex->kind == EXCHANGE_INVITE)
		call_invite_response(e, call, ex, rx);
	else
		call_response(e, call, ex, rx);
}

static void receive_request(struct engine *e, struct rx *rx)
{
	uint64_t tx = 0;

	if (rx->to_tag.n)
		call_ahead(e, rx);
	if (tx_server_match(e->tx, rx->m, &rx->via, &rx->path, e->now, e->out, &tx) != TX_NEW)
		return;
	engine_request(e, rx);
}

void engine_receive(struct engine *e, struct slice bytes, const struct engine_path *from,
		    bool forwarded)
{
	struct engine_path named = *from, *path = &named;
	struct sip_fault fault = {0};
	enum sbc_err err;
	struct rx rx;

	e->messages_in++;
	if (from->listener >= e->snap->listeners)
		return;
	named.listener = slots_listener(&e->slots, (uint16_t)from->listener);
	if (is_keepalive(bytes)) {
		engine_count(e, REASON_SIP_KEEPALIVE);
		return;
	}
	err = sip_msg_parse(&e->msg, bytes.p, bytes.n, &fault);
	if (err != SBC_OK) {
		receive_fault(e, path, err, &fault);
		return;
	}
	if (!engine_rx_init(e, &rx, &e->msg, path)) {
		receive_nonsense(e, path);
		return;
	}
	rx.forwarded = forwarded;
	if (rx.m->is_request)
		receive_request(e, &rx);
	else
		receive_response(e, &rx);
}
