#include "sbc/core/call.h"

#include "sbc/core/offer.h"

/* Of a leg's strings as much as most have. */
#define LEG_AHEAD 128u

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

static uint32_t tagged_hash(const struct engine *e, uint32_t call_id, struct slice tag)
{
	return call_id + 31 * engine_hash(e, tag);
}

static uint32_t dialog_hash(const struct engine *e, struct slice call_id, struct slice tag)
{
	return tagged_hash(e, engine_hash(e, call_id), tag);
}

void call_index_leg(struct engine *e, struct call *call, uint8_t leg)
{
	struct leg *l = &call->leg[leg];
	uint32_t call_id = engine_hash(e, leg_call_id(e, l));

	table_insert(&e->dialogs, 2 * call_index(e, call) + leg,
		     tagged_hash(e, call_id, leg_tag(l)));
	l->indexed = true;
	if (leg == CALL_CALLEE)
		table_insert(&e->ids, call_index(e, call), call_id);
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

void call_find_ahead(const struct engine *e, struct rx *rx)
{
	rx->dialog = dialog_hash(e, rx->call_id, rx->to_tag);
	table_find_ahead(&e->dialogs, rx->dialog);
}

void call_ahead(const struct engine *e, const struct rx *rx)
{
	uint32_t i = table_candidate(&e->dialogs, rx->dialog);

	if (i == TABLE_NONE)
		return;
	table_place_ahead(&e->dialogs, i);
	prefetch_lines(pool_at(&e->calls, i / 2), sizeof(struct call));
}

/* What requests and responses on both legs are made of. */
static void call_blobs_ahead(const struct engine *e, const struct call *call)
{
	for (uint8_t i = 0; i < 2; i++) {
		const struct leg *l = &call->leg[i];

		blob_ahead(&e->blobs, l->ident, LEG_AHEAD);
		blob_ahead(&e->blobs, l->remote_tag, LEG_AHEAD);
		blob_ahead(&e->blobs, l->target, LEG_AHEAD);
		blob_ahead(&e->blobs, l->routes, LEG_AHEAD);
	}
	blob_ahead(&e->blobs, call->streams, sizeof(struct stream));
}

void call_end_ahead(struct engine *e, const struct call *call)
{
	uint32_t index = call_index(e, call);

	table_place_ahead(&e->ids, index);
	wheel_place_ahead(&e->wheel, index);
	pool_place_ahead(&e->calls, index);
	pool_place_ahead(&e->exchanges, pool_index(call->invite));
	offer_end_ahead(e, call);
}

/* After that has come. */
static void call_free_ahead(const struct engine *e, const struct call *call)
{
	uint32_t index = call_index(e, call);

	table_remove_ahead(&e->dialogs, 2 * index);
	table_remove_ahead(&e->dialogs, 2 * index + 1);
	table_remove_ahead(&e->ids, index);
	wheel_disarm_ahead(&e->wheel, index);
}

struct call *call_find(struct engine *e, const struct rx *rx, uint8_t *leg)
{
	uint32_t i = table_first(&e->dialogs, rx->dialog);

	for (; i != TABLE_NONE; i = table_next(&e->dialogs, i)) {
		struct call *call = pool_at(&e->calls, i / 2);
		struct leg *l = &call->leg[i & 1];

		call_blobs_ahead(e, call);
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
	struct net_addr addr;

	for (; i != TABLE_NONE; i = table_next(&e->dialogs, i)) {
		const struct call *call = pool_at(&e->calls, i / 2);
		const struct leg *l = &call->leg[i & 1];

		if ((i & 1) == CALL_CALLEE && slice_eq(leg_call_id(e, l), rx->call_id) &&
		    slice_eq(leg_tag(l), rx->from_tag))
			return l->asked != leg_uri_print(e, rx->m->request_uri, &addr);
	}
	/* Where there are several groups, it may be another's, on another node. */
	return e->snap->groups > 1;
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
	       engine_listener(e, leg->listener) != SNAPSHOT_NONE;
}

bool call_is_whole(const struct engine *e, const struct call *call)
{
	return leg_is_whole(e, &call->leg[CALL_CALLER]) && leg_is_whole(e, &call->leg[CALL_CALLEE]);
}

void call_user(const struct engine *e, struct call *call, uint8_t leg, char *out, uint32_t cap)
{
	struct slice user = leg_user(e, &call->leg[leg]);
	uint32_t n = user.n < cap ? user.n : cap - 1;

	if (n)
		memcpy(out, user.p, n);
	out[n] = '\0';
}

void call_record(struct engine *e, struct call *call, enum engine_record_kind kind)
{
	struct engine_record *r = engine_record(e);

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

/* `owed` remembers that the far end has not answered it yet; NULL: nobody does. */
static void call_bye(struct engine *e, struct call *call, uint8_t side, struct exchange *owed)
{
	struct leg *leg = &call->leg[side];
	struct leg_request r;
	uint64_t tx, user = owed ? exchange_handle(e, owed) : 0;

	if (!leg_is_whole(e, leg))
		return;
	leg_request_fill(e, leg, &r);
	struct slice bytes =
		leg_own_request(e, leg, SIP_BYE, ++leg->cseq_local, &r, SLICE_NONE, SLICE_NONE);
	if (bytes.n == 0)
		return;
	tx = tx_client_new(e->tx, SIP_BYE, r.branch, &r.path, bytes, user, e->now, e->out);
	if (tx == 0) {
		engine_count(e, REASON_SIP_TX_FULL);
	} else if (owed != NULL) {
		owed->cseq_in++;
		owed->from |= (uint8_t)(1u << side);
	}
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
	if (ex->flags & EXCHANGE_F_WAITS) {
		ex->flags &= (uint16_t)~EXCHANGE_F_WAITS;
		wheel_disarm(&e->wheel, exchange_timer(e, ex));
		blob_give(&e->blobs, ex->message);
		ex->message = 0;
	}
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

/* All that can be said has been said. */
static void call_over(struct engine *e, struct call *call, struct exchange *owed, uint16_t status)
{
	call_detach_all(e, call, status);
	store_call_over(e, call, owed);
	call_free(e, call);
}

/* The exchange that BYEs report to, when the caller's has waited for its ACK. */
static struct exchange *owed_take(struct engine *e, struct call *call)
{
	struct exchange *owed = exchange_get(e, call->owed);

	if (owed != NULL)
		owed->cseq_in--;
	return owed;
}

void call_owed(struct engine *e, struct call *call)
{
	struct exchange *owed = owed_take(e, call);

	call_bye(e, call, CALL_CALLER, owed);
	call_over(e, call, owed, 487);
}

void call_strip(struct engine *e, struct call *call)
{
	struct exchange *owed = exchange_get(e, call->owed);

	if (call->state == CALL_ANSWERED)
		e->established--;
	if (call->state != CALL_ENDING) {
		for (uint8_t i = 0; i < 2; i++)
			e->slots.realm[call->leg[i].slot].calls--;
	}
	call->state = CALL_ENDING;
	while (call->exchanges != POOL_NONE) {
		struct exchange *ex = pool_at(&e->exchanges, call->exchanges);

		tx_abandon(e->tx, ex->server);
		tx_abandon(e->tx, ex->client);
		ex->server = ex->client = 0;
		exchange_free(e, ex);
	}
	if (owed != NULL)
		exchange_free(e, owed);
	store_drop(e, call);
}

void call_forget(struct engine *e, struct call *call)
{
	offer_end(e, call);
	call_strip(e, call);
	call_free(e, call);
}

static void call_account(struct engine *e, struct call *call, enum engine_end end, uint16_t status)
{
	if (call->state == CALL_ANSWERED) {
		e->established--;
	} else {
		call->status = status;
		call->answered_ms = 0;
	}
	call->state = CALL_ENDING;
	call->end = (uint8_t)end;
	call_record(e, call, RECORD_CALL_END);
	for (uint8_t i = 0; i < 2; i++)
		e->slots.realm[call->leg[i].slot].calls--;
}

/* The caller's BYE waits for its ACK, and counts as under way until then. */
static void call_owes_later(struct engine *e, struct call *call, struct exchange *owed)
{
	if (owed == NULL)
		return;
	owed->cseq_in++;
	call->owed = exchange_handle(e, owed);
	store_touch(e, call, STORE_NOW);
}

/* Tells who must be told that the call is over, and gives all back. */
static void call_wind_up(struct engine *e, struct call *call, uint16_t status, unsigned bye)
{
	struct exchange *owed = store_owed(e, call);

	offer_end(e, call);
	if (leg_is_whole(e, &call->leg[CALL_CALLEE])) {
		call_ack_callee(e, call);
		if ((bye & CALL_BYE_CALLEE) && call->leg[CALL_CALLEE].confirmed)
			call_bye(e, call, CALL_CALLEE, owed);
	}
	if ((bye & CALL_BYE_CALLER) && call->leg[CALL_CALLER].confirmed) {
		if (call_unacked(e, call) != NULL) {
			wheel_disarm(&e->wheel, call_index(e, call));
			call_owes_later(e, call, owed);
			return;
		}
		call_bye(e, call, CALL_CALLER, owed);
	}
	call_over(e, call, owed, status);
}

/* The callee has answered, the caller has not heard of it: the answer waits for the store. */
static bool call_waits(const struct engine *e, const struct call *call)
{
	const struct exchange *ex = exchange_get(e, call->invite);

	return ex != NULL && (ex->flags & EXCHANGE_F_WAITS);
}

void call_end(struct engine *e, struct call *call, enum engine_end end, uint16_t status,
	      unsigned bye)
{
	if (call->state == CALL_ENDING) {
		call_over(e, call, owed_take(e, call), status);
		return;
	}
	if (call_waits(e, call) && end != END_BYE_CALLEE)
		bye |= CALL_BYE_CALLEE;
	call_free_ahead(e, call);
	call_account(e, call, end, status);
	call_wind_up(e, call, status, bye);
}

void call_end_again(struct engine *e, struct call *call, unsigned bye)
{
	call->state = CALL_ENDING;
	call_wind_up(e, call, 487, bye);
}
