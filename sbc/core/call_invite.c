#include "sbc/core/admission.h"
#include "sbc/core/call.h"
#include "sbc/core/offer.h"
#include "sbc/core/registration.h"
#include "sbc/core/route.h"

/* Transaction, exchange and 100 for an INVITE that is taken on. */
static bool invite_open(struct engine *e, struct rx *rx)
{
	char line[64];
	struct wbuf w;
	struct exchange *ex;

	if (rx->ex != NULL)
		return true;
	ex = exchange_new(e, EXCHANGE_INVITE, SIP_INVITE);
	if (ex == NULL || !exchange_serve(e, ex, rx)) {
		if (ex != NULL)
			exchange_free(e, ex);
		engine_refuse(e, rx, REASON_SIP_TX_FULL, 503, ENGINE_RETRY_AFTER);
		return false;
	}
	rx->ex = ex;
	wbuf_init(&w, line, sizeof(line));
	reply_timestamp_write(&w, rx->m);
	exchange_reply(e, ex, 100, SLICE_NONE, wbuf_ok(&w) ? wbuf_slice(&w) : SLICE_NONE);
	return true;
}

/* Keeps the INVITE until the shard that knows the user has answered. */
static void invite_hold(struct engine *e, struct rx *rx, enum engine_ask_kind kind, uint8_t bucket,
			struct slice user)
{
	struct engine_ask *ask;

	if (!invite_open(e, rx))
		return;
	if (rx->ex->message == 0)
		rx->ex->message = blob_copy(&e->blobs, slice_of(rx->m->buf, rx->m->len));
	ask = rx->ex->message ? engine_out_ask(e->out) : NULL;
	if (ask == NULL) {
		engine_refuse(e, rx, REASON_SIP_TX_FULL, 503, ENGINE_RETRY_AFTER);
		return;
	}
	rx->ex->source = rx->path;
	rx->ex->flags |= EXCHANGE_F_HELD;
	ask->bucket = bucket;
	ask->from_shard = e->limits.shard;
	ask->ref = exchange_handle(e, rx->ex);
	ask->kind = kind;
	ask->realm = rx->realm;
	ask->from_ip = rx->path.remote.ip;
	ask->user_len = (uint16_t)user.n;
	if (user.p != NULL)
		memcpy(ask->user, user.p, user.n);
	wheel_arm(&e->wheel, exchange_timer(e, rx->ex), e->now + ENGINE_ASK_MS);
}

static bool invite_admit(struct engine *e, struct rx *rx)
{
	enum reason why;

	if (rx->ex != NULL)
		return true;
	why = admission_begin(e, rx->slot);
	if (why == REASON_COUNT)
		return true;
	engine_refuse(e, rx, why, 503, ENGINE_RETRY_AFTER);
	return false;
}

static struct slice uri_user(struct slice uri)
{
	struct sip_uri u;

	return sip_uri_parse(&u, uri) == SBC_OK ? u.user : SLICE_NONE;
}

/*
 * Where only registered phones may call: the user in From must be registered from
 * this host. False: refused, or held until the shard of that user has answered;
 * `*answer` is used up.
 */
static bool invite_caller(struct engine *e, struct rx *rx, const struct engine_answer **answer)
{
	struct slice user;
	uint8_t bucket;
	bool known;

	if (!e->snap->realm[rx->realm].calls_need_registration ||
	    (rx->ex != NULL && (rx->ex->flags & EXCHANGE_F_CHECKED)))
		return true;
	user = uri_user(rx->from.uri);
	bucket = ident_bucket(&e->key, user);
	if (*answer != NULL) {
		known = (*answer)->found && (*answer)->realm == rx->realm &&
			(*answer)->path.remote.ip == rx->path.remote.ip;
	} else if (route_is_here(e, bucket) || user.n == 0 || user.n > ENGINE_USER) {
		known = registration_is_from(e, user, rx->slot, rx->path.remote.ip);
	} else {
		invite_hold(e, rx, ENGINE_ASK_AOR, bucket, user);
		return false;
	}
	*answer = NULL;
	if (!known)
		engine_refuse(e, rx, REASON_CALL_FORBIDDEN, 403, SLICE_NONE);
	else if (rx->ex != NULL)
		rx->ex->flags |= EXCHANGE_F_CHECKED;
	return known;
}

static bool invite_route(struct engine *e, struct rx *rx, const struct engine_answer *answer,
			 struct route_target *target)
{
	struct slice user = engine_request_uri(rx) ? rx->uri.user : SLICE_NONE;
	enum engine_ask_kind kind;
	uint8_t bucket;

	switch (route_resolve(e, rx->realm, user, answer, target, &kind, &bucket)) {
	case ROUTE_FOUND:
		break;
	case ROUTE_ASK:
		invite_hold(e, rx, kind, bucket, user);
		return false;
	case ROUTE_NOT_REGISTERED:
		engine_refuse(e, rx, REASON_CALL_NOT_REGISTERED, 404, SLICE_NONE);
		return false;
	case ROUTE_NONE:
		engine_refuse(e, rx, REASON_CALL_NO_ROUTE, 404, SLICE_NONE);
		return false;
	}
	uint16_t slot = e->slots.realm_of[target->realm];
	if (slot == SLOT_NONE || !admission_reach(e, slot)) {
		engine_refuse(e, rx, REASON_CALL_LIMIT, 503, ENGINE_RETRY_AFTER);
		return false;
	}
	return true;
}

/* The caller's leg, where we are UAS (12.1.1). */
static bool caller_leg(struct engine *e, struct call *call, const struct rx *rx)
{
	struct leg *leg = &call->leg[CALL_CALLER];

	leg->source = rx->path.remote;
	leg->cseq_remote = rx->cseq.seq;
	leg->rseq = (uint32_t)ident_random(&e->gen) & 0xffff;
	ident_tag(&e->gen, leg->tag);
	if (!leg_set_ident(e, leg, rx->call_id, leg_name_addr(&rx->to), leg_name_addr(&rx->from)) ||
	    !leg_set_remote_tag(e, leg, rx->from_tag) || !leg_set_target(e, leg, rx->m) ||
	    !leg_set_routes(e, leg, rx->m, false))
		return false;
	call_index_leg(e, call, CALL_CALLER);
	return true;
}

/* What the callee's side sees of both users, and whom it is asked for. */
static struct slice callee_uri(struct engine *e, const struct rx *rx, const struct route_target *t,
			       struct slice host)
{
	uint32_t from = e->text.n;

	if (t->peer == SNAPSHOT_NONE)
		wbuf_put(&e->text, t->contact);
	else
		hiding_uri_write(&e->text, e->snap, rx->m->request_uri, host);
	return engine_text_cut(e, from);
}

static struct slice identity(struct engine *e, struct slice value, struct slice host)
{
	uint32_t from = e->text.n;

	hiding_identity_write(&e->text, e->snap, value, host);
	return engine_text_cut(e, from);
}

/*
 * To as the callee knows it. A registrar's side that puts the contact user we
 * minted for it into To means the phone: which knows its address of record.
 */
static struct slice callee_identity(struct engine *e, const struct rx *rx,
				    const struct route_target *t, struct slice host)
{
	uint32_t at = e->text.n;
	uint8_t bucket;

	if (t->peer != SNAPSHOT_NONE || !ident_is_ours(&e->key, uri_user(rx->to.uri), &bucket))
		return identity(e, rx->to.whole, host);
	wbuf_lit(&e->text, "<sip:");
	wbuf_put(&e->text, t->user);
	wbuf_char(&e->text, '@');
	wbuf_put(&e->text, host);
	wbuf_char(&e->text, '>');
	return engine_text_cut(e, at);
}

/* The callee's leg, where we are UAC (12.1.2). */
static bool callee_leg(struct engine *e, struct call *call, const struct rx *rx,
		       const struct route_target *t)
{
	struct leg *leg = &call->leg[CALL_CALLEE];
	struct wbuf *w = engine_text(e);
	char call_id[IDENT_LEN];
	uint32_t at;

	leg->source = t->remote;
	ident_tag(&e->gen, leg->tag);
	ident_mint(&e->gen, &e->key, ident_bucket(&e->key, rx->call_id), call_id);
	hiding_realm_host(w, e->snap, t->realm);
	struct slice ours = engine_text_cut(e, 0), theirs = ours;
	if (t->peer != SNAPSHOT_NONE) {
		at = w->n;
		hiding_peer_host(w, e->snap, t->peer);
		theirs = engine_text_cut(e, at);
	}
	struct slice from = identity(e, rx->from.whole, ours);
	struct slice to = callee_identity(e, rx, t, theirs);
	struct slice uri = callee_uri(e, rx, t, theirs);
	if (!wbuf_ok(w))
		return false;
	leg->asked = leg_uri_print(e, uri, &leg->target_addr);
	leg->target = blob_copy(&e->blobs, uri);
	if (leg->target == 0 ||
	    !leg_set_ident(e, leg, slice_of(call_id, sizeof(call_id)), from, to))
		return false;
	call_index_leg(e, call, CALL_CALLEE);
	return true;
}

static bool invite_forward(struct engine *e, struct call *call, struct exchange *ex,
			   const struct rx *rx, const struct offer_io *io)
{
	struct leg *leg = &call->leg[CALL_CALLEE];
	struct leg_request r;
	uint32_t hops;

	leg_request_fill(e, leg, &r);
	struct hiding_request hr = {
		.snap = e->snap,
		.from_realm = rx->realm,
		.to_realm = r.realm,
		.listener = engine_listener(e, r.path.listener),
		.request_uri = r.uri,
		.branch = r.branch,
		.from = r.from,
		.to = r.to,
		.call_id = r.call_id,
		.cseq = ++leg->cseq_local,
		.contact = leg_contact(e, leg),
		.max_forwards = e->snap->max_forwards,
		.body = io->body,
		.drop_body = io->drop,
	};
	if (sip_msg_u32(rx->m, SIP_HDR_MAX_FORWARDS, &hops) == SBC_OK && hops)
		hr.max_forwards = hops - 1;
	struct wbuf w = engine_compose(e);
	if (hiding_write_request(&w, rx->m, &hr) != SBC_OK) {
		engine_count(e, REASON_SIP_OUT_FULL);
		call_end(e, call, END_ERROR, 513, 0);
		return false;
	}
	struct slice bytes = engine_composed(e, &w);
	ex->cseq_out = hr.cseq;
	r.path.remote = leg->source;
	if (bytes.n && exchange_send(e, ex, r.branch, &r.path, bytes))
		return true;
	engine_count(e, REASON_SIP_TX_FULL);
	call_end(e, call, END_ERROR, 503, 0);
	return false;
}

static struct call *invite_call(struct engine *e, const struct rx *rx,
				const struct route_target *target)
{
	struct call *call = call_new(e);

	if (call == NULL)
		return NULL;
	call->leg[CALL_CALLER].slot = rx->slot;
	call->leg[CALL_CALLER].listener = rx->path.listener;
	call->leg[CALL_CALLEE].slot = e->slots.realm_of[target->realm];
	call->leg[CALL_CALLEE].listener = slots_listener(&e->slots, target->listener);
	for (uint8_t i = 0; i < 2; i++)
		e->slots.realm[call->leg[i].slot].calls++;
	call->invite = exchange_handle(e, rx->ex);
	call_link(e, call, rx->ex);
	return call;
}

static void invite_begin(struct engine *e, struct rx *rx, const struct route_target *target)
{
	struct exchange *ex = rx->ex;
	struct call *call = invite_call(e, rx, target);
	struct offer_io io;
	uint16_t status;

	if (call == NULL) {
		engine_refuse(e, rx, REASON_CALL_FULL, 503, ENGINE_RETRY_AFTER);
		return;
	}
	if (!caller_leg(e, call, rx) || !callee_leg(e, call, rx, target)) {
		engine_count(e, REASON_CALL_FULL);
		call_end(e, call, END_ERROR, 503, 0);
		return;
	}
	call_record(e, call, RECORD_CALL_BEGIN);
	status = offer_from_request(e, call, ex, rx->m, &io);
	if (status) {
		call_end(e, call, END_REFUSED, status, 0);
		return;
	}
	if (!invite_forward(e, call, ex, rx, &io))
		return;
	blob_give(&e->blobs, ex->message);
	ex->message = 0;
	wheel_arm(&e->wheel, call_index(e, call), e->now + e->snap->ring_timeout_ms);
}

void call_invite(struct engine *e, struct rx *rx, const struct engine_answer *answer)
{
	struct route_target target;

	if (!invite_admit(e, rx) || !invite_caller(e, rx, &answer) ||
	    !invite_route(e, rx, answer, &target) || !invite_open(e, rx))
		return;
	invite_begin(e, rx, &target);
}
