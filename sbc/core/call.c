#include "sbc/core/call.h"

#include "sbc/core/offer.h"

uint32_t *call_exchanges(struct call *call)
{
	return &call->exchanges;
}

struct call *call_new(struct engine *e)
{
	uint32_t i = pool_take(&e->calls);

	if (i == POOL_NONE)
		return NULL;
	struct call *call = pool_at(&e->calls, i);
	call->exchanges = POOL_NONE;
	call->offer_by = OFFER_BY_NONE;
	call->leg[CALL_CALLER].slot = call->leg[CALL_CALLEE].slot = SLOT_NONE;
	call->began_ms = e->now;
	e->calls_total++;
	return call;
}

static uint32_t dialog_hash(const struct engine *e, struct slice call_id, struct slice tag)
{
	return engine_hash(e, call_id) + 31 * engine_hash(e, tag);
}

void call_index_leg(struct engine *e, struct call *call, uint8_t leg)
{
	struct leg *l = &call->leg[leg];

	table_insert(&e->dialogs, 2 * call_index(e, call) + leg,
		     dialog_hash(e, leg_call_id(e, l), leg_tag(l)));
	l->indexed = true;
	if (leg == CALL_CALLEE)
		table_insert(&e->ids, call_index(e, call), engine_hash(e, leg_call_id(e, l)));
}

void call_unindex(struct engine *e, struct call *call)
{
	uint32_t index = call_index(e, call);

	for (uint8_t i = 0; i < 2; i++) {
		if (call->leg[i].indexed)
			table_remove(&e->dialogs, 2 * index + i);
		call->leg[i].indexed = false;
	}
	table_remove(&e->ids, index);
}

struct call *call_by_id(const struct engine *e, struct slice id)
{
	uint32_t i = table_first(&e->ids, engine_hash(e, id));

	for (; i != TABLE_NONE; i = table_next(&e->ids, i)) {
		struct call *call = pool_at(&e->calls, i);

		if (slice_eq(leg_call_id(e, &call->leg[CALL_CALLEE]), id))
			return call;
	}
	return NULL;
}

struct call *call_find(struct engine *e, const struct rx *rx, uint8_t *leg)
{
	uint32_t i = table_first(&e->dialogs, dialog_hash(e, rx->call_id, rx->to_tag));

	for (; i != TABLE_NONE; i = table_next(&e->dialogs, i)) {
		struct call *call = pool_at(&e->calls, i / 2);
		struct leg *l = &call->leg[i & 1];

		if (slice_eq(leg_call_id(e, l), rx->call_id) && slice_eq(leg_tag(l), rx->to_tag) &&
		    slice_eq(leg_remote_tag(e, l), rx->from_tag)) {
			*leg = (uint8_t)(i & 1);
			return call;
		}
	}
	return NULL;
}

bool call_spirals(const struct engine *e, const struct rx *rx)
{
	uint32_t i = table_first(&e->dialogs, dialog_hash(e, rx->call_id, rx->from_tag));

	for (; i != TABLE_NONE; i = table_next(&e->dialogs, i)) {
		const struct call *call = pool_at(&e->calls, i / 2);
		const struct leg *l = &call->leg[i & 1];

		if ((i & 1) == CALL_CALLEE && slice_eq(leg_call_id(e, l), rx->call_id) &&
		    slice_eq(leg_tag(l), rx->from_tag))
			return l->asked != leg_uri_print(e, rx->m->request_uri);
	}
	return false;
}

void call_link(struct engine *e, struct call *call, struct exchange *ex)
{
	ex->call = call_handle(e, call);
	ex->next = call->exchanges;
	call->exchanges = pool_index(exchange_handle(e, ex));
}

static bool leg_is_whole(const struct engine *e, const struct leg *leg)
{
	return e->slots.realm[leg->slot].index != SNAPSHOT_NONE &&
	       e->slots.listener_index[leg->listener] != SNAPSHOT_NONE;
}

bool call_is_whole(const struct engine *e, const struct call *call)
{
	return leg_is_whole(e, &call->leg[CALL_CALLER]) && leg_is_whole(e, &call->leg[CALL_CALLEE]);
}

static void user_copy(char *out, uint32_t cap, struct slice name_addr)
{
	struct sip_addr a;
	struct sip_uri u;
	uint32_t n = 0;

	if (sip_addr_parse(&a, name_addr) == SBC_OK && sip_uri_parse(&u, a.uri) == SBC_OK)
		n = u.user.n < cap ? u.user.n : cap - 1;
	if (n)
		memcpy(out, u.user.p, n);
	out[n] = '\0';
}

void call_user(const struct engine *e, const struct call *call, uint8_t leg, char *out,
	       uint32_t cap)
{
	user_copy(out, cap, leg_remote(e, &call->leg[leg]));
}

void call_record(struct engine *e, const struct call *call, enum engine_record_kind kind)
{
	struct engine_record *r = engine_out_record(e->out);

	if (r == NULL)
		return;
	r->kind = kind;
	r->call = call_handle(e, call);
	r->at_ms = e->now;
	r->began_ms = call->began_ms;
	r->answered_ms = call->answered_ms;
	r->from_realm = e->slots.realm[call->leg[CALL_CALLER].slot].index;
	r->to_realm = e->slots.realm[call->leg[CALL_CALLEE].slot].index;
	r->status = call->status;
	r->end = (enum engine_end)call->end;
	call_user(e, call, CALL_CALLER, r->from_user, sizeof(r->from_user));
	call_user(e, call, CALL_CALLEE, r->to_user, sizeof(r->to_user));
}

static void leg_bye(struct engine *e, struct leg *leg)
{
	struct leg_request r;

	if (!leg_is_whole(e, leg))
		return;
	leg_request_fill(e, leg, &r);
	struct slice bytes =
		leg_own_request(e, leg, SIP_BYE, ++leg->cseq_local, &r, SLICE_NONE, SLICE_NONE);
	if (bytes.n &&
	    tx_client_new(e->tx, SIP_BYE, r.branch, &r.path, bytes, 0, e->now, e->out) == 0)
		engine_count(e, REASON_SIP_TX_FULL);
}

/*
 * Takes an exchange off an ending call. The server side gets its final; an INVITE
 * whose 2xx may still come or be repeated goes on alone.
 */
static void exchange_detach(struct engine *e, struct call *call, struct exchange *ex,
			    uint16_t status)
{
	bool invite = ex->kind == EXCHANGE_INVITE || ex->kind == EXCHANGE_REINVITE;

	uint16_t final = ex->kind == EXCHANGE_INVITE ? status : 487;

	if (ex->server && leg_is_whole(e, &call->leg[ex->from]))
		exchange_reply(e, ex, final, leg_tag(&call->leg[ex->from]),
			       final == 503 ? ENGINE_RETRY_AFTER : SLICE_NONE);
	/* Nobody waits for this ACK any more. */
	if (invite && ex->server && (ex->flags & EXCHANGE_F_FINAL))
		tx_server_acked(e->tx, ex->server, e->now);
	call->exchanges = ex->next;
	ex->call = 0;
	ex->next = POOL_NONE;
	if (!invite || ex->client == 0) {
		exchange_free(e, ex);
		return;
	}
	if (!(ex->flags & EXCHANGE_F_ANSWERED)) {
		ex->flags |= EXCHANGE_F_CANCELLED;
		tx_client_cancel(e->tx, ex->client, e->now, e->out);
	}
}

static void call_detach_all(struct engine *e, struct call *call, uint16_t status)
{
	while (call->exchanges != POOL_NONE)
		exchange_detach(e, call, pool_at(&e->exchanges, call->exchanges), status);
}

static void call_free(struct engine *e, struct call *call)
{
	uint32_t index = call_index(e, call);

	call_detach_all(e, call, 487);
	call_unindex(e, call);
	for (uint8_t i = 0; i < 2; i++)
		leg_free(e, &call->leg[i]);
	wheel_disarm(&e->wheel, index);
	pool_give(&e->calls, index);
}

/*
 * A caller that has not acknowledged our 2xx must not get a BYE yet (RFC 3261 15):
 * it is owed until the ACK comes or is given up.
 */
static struct exchange *call_unacked(const struct engine *e, const struct call *call)
{
	struct exchange *ex = exchange_get(e, call->invite);

	if (ex == NULL || !call->leg[CALL_CALLER].confirmed || (ex->flags & EXCHANGE_F_ACKED) ||
	    ex->server == 0)
		return NULL;
	return ex;
}

/* The callee's 2xx waits for the answer in the caller's ACK, which will not come any more. */
static void call_ack_callee(struct engine *e, struct call *call)
{
	for (uint32_t i = call->exchanges; i != POOL_NONE;) {
		struct exchange *ex = pool_at(&e->exchanges, i);

		if ((ex->flags & EXCHANGE_F_ANSWERED) && ex->ack == 0 && ex->client &&
		    (ex->kind == EXCHANGE_INVITE || ex->kind == EXCHANGE_REINVITE))
			call_ack_send(e, call, ex, SLICE_NONE);
		i = ex->next;
	}
}

void call_owed(struct engine *e, struct call *call)
{
	leg_bye(e, &call->leg[CALL_CALLER]);
	call_free(e, call);
}

static void call_account(struct engine *e, struct call *call, enum engine_end end, uint16_t status)
{
	if (call->state == CALL_ANSWERED)
		e->established--;
	else
		call->status = status;
	call->state = CALL_ENDING;
	call->end = (uint8_t)end;
	call_record(e, call, RECORD_CALL_END);
	for (uint8_t i = 0; i < 2; i++)
		e->slots.realm[call->leg[i].slot].calls--;
}

/* Tells who must be told that the call is over, and gives all back. */
static void call_wind_up(struct engine *e, struct call *call, uint16_t status, unsigned bye)
{
	offer_end(e, call);
	if (leg_is_whole(e, &call->leg[CALL_CALLEE])) {
		call_ack_callee(e, call);
		if ((bye & CALL_BYE_CALLEE) && call->leg[CALL_CALLEE].confirmed)
			leg_bye(e, &call->leg[CALL_CALLEE]);
	}
	if ((bye & CALL_BYE_CALLER) && call->leg[CALL_CALLER].confirmed) {
		if (call_unacked(e, call) != NULL) {
			wheel_disarm(&e->wheel, call_index(e, call));
			return;
		}
		leg_bye(e, &call->leg[CALL_CALLER]);
	}
	call_detach_all(e, call, status);
	call_free(e, call);
}

void call_end(struct engine *e, struct call *call, enum engine_end end, uint16_t status,
	      unsigned bye)
{
	if (call->state == CALL_ENDING) {
		call_free(e, call);
		return;
	}
	call_account(e, call, end, status);
	call_wind_up(e, call, status, bye);
}

void call_end_again(struct engine *e, struct call *call, unsigned bye)
{
	call->state = CALL_ENDING;
	call_wind_up(e, call, 487, bye);
}
