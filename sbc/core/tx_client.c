/*
 * Client transactions: RFC 3261 17.1, INVITE with RFC 6026 7.2, CANCEL by 9.1.
 *
 *   INVITE      Calling (A, B) -1xx-> Proceeding; from both
 *               -2xx-> Accepted (M), -3xx..6xx-> Completed (D)
 *   non-INVITE  Trying (E, F) -1xx-> Proceeding (E, F) -final-> Completed (K)
 */
#include "sbc/core/transaction_internal.h"
#include "sbc/sip/cseq.h"

static void invite_calling(struct tx_layer *l, struct tx *t, uint64_t now)
{
	t->kind = TX_CLIENT_INVITE;
	t->state = TX_CALLING;
	t->end_at = now + tx_64t1(l);
}

static void other_trying(struct tx_layer *l, struct tx *t, uint64_t now)
{
	t->kind = TX_CLIENT_OTHER;
	t->state = TX_TRYING;
	t->end_at = now + tx_64t1(l);
}

/* The method as it stands in the request line: there may be no number for it. */
static struct slice method_of(struct slice request)
{
	int32_t sp = slice_find(request, ' ');

	return slice_of(request.p, sp < 0 ? request.n : (uint32_t)sp);
}

static struct tx *client_begin(struct tx_layer *l, enum sip_method method, struct slice branch,
			       const struct engine_path *path, struct slice bytes, uint64_t now,
			       struct engine_out *out)
{
	struct tx_key k;

	tx_key_client(l, &k, method_of(bytes), branch);
	struct tx *t = tx_create(l, &k);
	if (t == NULL)
		return NULL;
	if (!tx_keep(l, &t->msg, bytes)) {
		tx_destroy(l, t);
		return NULL;
	}
	t->method = (uint8_t)method;
	t->path = *path;
	t->interval_ms = l->t1_ms;
	t->repeat_at = now + l->t1_ms;
	if (method == SIP_INVITE)
		invite_calling(l, t, now);
	else
		other_trying(l, t, now);
	tx_arm(l, t);
	engine_out_send(out, path, bytes);
	return t;
}

uint64_t tx_client_new(struct tx_layer *l, enum sip_method method, struct slice branch,
		       const struct engine_path *path, struct slice bytes, uint64_t user,
		       uint64_t now, struct engine_out *out)
{
	struct tx *t = client_begin(l, method, branch, path, bytes, now, out);

	if (t == NULL)
		return 0;
	t->user = user;
	return tx_handle(l, t);
}

/* ---- CANCEL ---- */

static void cancel_send(struct tx_layer *l, struct tx *t, uint64_t now, struct engine_out *out)
{
	struct slice bytes = tx_follow_cancel(l, t, out);

	t->flags |= TX_F_CANCEL_OWED;
	if (bytes.n == 0)
		return;
	struct tx *cancel =
		client_begin(l, SIP_CANCEL, tx_key_branch(l, t), &t->path, bytes, now, out);
	if (cancel == NULL) {
		engine_out_send(out, &t->path, bytes);
		return;
	}
	cancel->flags |= TX_F_SILENT;
	t->flags &= (uint8_t)~TX_F_CANCEL_OWED;
}

/* In Proceeding, where the INVITE itself has no deadline: from here on it has one (9.1). */
static void cancel_begin(struct tx_layer *l, struct tx *t, uint64_t now, struct engine_out *out)
{
	cancel_send(l, t, now, out);
	t->end_at = now + tx_64t1(l);
	if (t->flags & TX_F_CANCEL_OWED) {
		t->interval_ms = l->t1_ms;
		t->repeat_at = now + l->t1_ms;
	}
	tx_arm(l, t);
}

void tx_client_cancel(struct tx_layer *l, uint64_t tx, uint64_t now, struct engine_out *out)
{
	struct tx *t = tx_of(l, tx);

	if (t == NULL || t->kind != TX_CLIENT_INVITE || (t->flags & TX_F_CANCEL))
		return;
	if (t->state != TX_CALLING && t->state != TX_PROCEEDING)
		return;
	t->flags |= TX_F_CANCEL;
	if (t->state == TX_PROCEEDING)
		cancel_begin(l, t, now, out);
}

/* ---- responses ---- */

static void invite_proceeding(struct tx_layer *l, struct tx *t, uint64_t now,
			      struct engine_out *out)
{
	if (t->state != TX_CALLING)
		return;
	t->state = TX_PROCEEDING;
	t->repeat_at = TX_NEVER;
	t->end_at = TX_NEVER;
	tx_follow_keep(l, t, out);
	if (t->flags & TX_F_CANCEL)
		cancel_begin(l, t, now, out);
	else
		tx_arm(l, t);
}

static void invite_accepted(struct tx_layer *l, struct tx *t, uint64_t now)
{
	/* A 2xx after a non-2xx final goes up, but its transaction stays what it is. */
	if (t->state != TX_CALLING && t->state != TX_PROCEEDING)
		return;
	t->state = TX_ACCEPTED;
	t->repeat_at = TX_NEVER;
	t->end_at = now + tx_64t1(l);
	tx_drop(l, &t->msg);
	tx_drop(l, &t->aux);
	tx_arm(l, t);
}

static void invite_completed(struct tx_layer *l, struct tx *t, uint64_t now)
{
	uint64_t d = tx_64t1(l);

	t->state = TX_COMPLETED;
	t->repeat_at = TX_NEVER;
	t->end_at = now + (d > TX_TIMER_D_MIN_MS ? d : TX_TIMER_D_MIN_MS);
	tx_arm(l, t);
}

static bool invite_response(struct tx_layer *l, struct tx *t, const struct sip_msg *m, uint64_t now,
			    struct engine_out *out)
{
	bool unfinished = t->state == TX_CALLING || t->state == TX_PROCEEDING;

	if (m->status < 200) {
		if (unfinished)
			invite_proceeding(l, t, now, out);
		return unfinished;
	}
	if (m->status < 300) {
		invite_accepted(l, t, now);
		return true;
	}
	if (t->state == TX_ACCEPTED)
		return false;
	if (unfinished)
		invite_completed(l, t, now);
	tx_follow_ack(l, t, sip_msg_value(m, SIP_HDR_TO), out);
	return unfinished;
}

static bool other_response(struct tx_layer *l, struct tx *t, uint16_t status, uint64_t now)
{
	if (t->state == TX_COMPLETED)
		return false;
	if (status < 200) {
		/* E goes on from where it stands, at T2 once it has fired (17.1.2.2). */
		t->state = TX_PROCEEDING;
		return true;
	}
	t->state = TX_COMPLETED;
	t->repeat_at = TX_NEVER;
	t->end_at = now + l->t4_ms;
	tx_drop(l, &t->msg);
	tx_arm(l, t);
	return true;
}

enum tx_rx tx_client_match(struct tx_layer *l, const struct sip_msg *m, const struct sip_via *via,
			   uint64_t now, struct engine_out *out, uint64_t *tx, uint64_t *user)
{
	struct sip_cseq cseq;
	struct tx_key k;

	*tx = 0;
	if (m->is_request || sip_cseq_of(m, &cseq) != SBC_OK)
		return TX_STRAY;
	tx_key_client(l, &k, cseq.method_name, via->branch);
	struct tx *t = tx_find(l, &k, false);
	if (t == NULL)
		return TX_STRAY;

	bool pass = t->kind == TX_CLIENT_INVITE ? invite_response(l, t, m, now, out)
						: other_response(l, t, m->status, now);
	*tx = tx_handle(l, t);
	if (!pass || (t->flags & TX_F_SILENT))
		return TX_ABSORBED;
	*user = t->user;
	return TX_PASS;
}

/* A doubles without a bound, E to T2 and in Proceeding is T2; an owed CANCEL goes as by E. */
void tx_client_repeat(struct tx_layer *l, struct tx *t, uint64_t now, struct engine_out *out)
{
	uint32_t doubled = t->interval_ms * 2;

	if (t->kind == TX_CLIENT_INVITE && t->state == TX_CALLING) {
		tx_resend(l, t, out);
		t->interval_ms = doubled;
		return;
	}
	t->interval_ms = doubled < l->t2_ms ? doubled : l->t2_ms;
	if (t->kind == TX_CLIENT_OTHER) {
		tx_resend(l, t, out);
		if (t->state == TX_PROCEEDING)
			t->interval_ms = l->t2_ms;
		return;
	}
	cancel_send(l, t, now, out);
	l->retransmissions++;
	if (!(t->flags & TX_F_CANCEL_OWED))
		t->repeat_at = TX_NEVER;
}
