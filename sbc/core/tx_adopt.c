/*
 * INVITE transactions that go on in another process: what is told of them, and how
 * they are taken up. Deadlines begin anew: who waited for the process that is gone
 * has no reason to wait less for this one.
 */
#include "sbc/core/transaction_internal.h"
#include "sbc/sip/cseq.h"

bool tx_server_keep(const struct tx_layer *l, uint64_t tx, struct tx_server_kept *kept)
{
	const struct tx *t = tx_of(l, tx);

	*kept = (struct tx_server_kept){0};
	if (t == NULL || t->kind != TX_SERVER_INVITE)
		return false;
	if (t->state != TX_PROCEEDING && (t->state != TX_ACCEPTED || (t->flags & TX_F_ACKED)))
		return false;
	kept->path = t->path;
	kept->head = blob_slice(l->blobs, t->aux);
	kept->response = blob_slice(l->blobs, t->msg);
	tx_key_legacy(l, t, kept);
	return true;
}

bool tx_client_keep(const struct tx_layer *l, uint64_t tx, struct tx_client_kept *kept)
{
	const struct tx *t = tx_of(l, tx);

	*kept = (struct tx_client_kept){0};
	if (t == NULL || t->kind != TX_CLIENT_INVITE || t->state == TX_COMPLETED)
		return false;
	kept->path = t->path;
	kept->branch = tx_key_branch(l, t);
	kept->provisional = t->state == TX_PROCEEDING;
	kept->accepted = t->state == TX_ACCEPTED;
	kept->request = blob_slice(l->blobs, t->msg);
	if (t->aux) {
		struct slice aux = blob_slice(l->blobs, t->aux);

		kept->follow = slice_of(aux.p, t->aux_fixed);
		kept->to = slice_of(aux.p + t->aux_fixed, aux.n - t->aux_fixed);
	}
	return true;
}

/* The response by which a server transaction is known. */
static bool response_read(struct sip_msg *m, struct slice bytes)
{
	struct sip_fault fault;
	struct sip_cseq cseq;

	return sip_msg_parse(m, bytes.p, bytes.n, &fault) == SBC_OK && !m->is_request &&
	       m->status < 300 && sip_cseq_of(m, &cseq) == SBC_OK && cseq.method == SIP_INVITE;
}

static bool server_fill(struct tx_layer *l, struct tx *t, const struct tx_server_kept *kept,
			bool accepted, uint64_t now)
{
	t->kind = TX_SERVER_INVITE;
	t->method = SIP_INVITE;
	t->path = kept->path;
	t->state = accepted ? TX_ACCEPTED : TX_PROCEEDING;
	t->interval_ms = l->t1_ms;
	if (accepted) {
		t->repeat_at = now;
		t->end_at = now + tx_64t1(l);
	} else if (!tx_keep(l, &t->aux, kept->head)) {
		return false;
	}
	return tx_keep(l, &t->msg, kept->response);
}

uint64_t tx_server_adopt(struct tx_layer *l, const struct tx_server_kept *kept, uint64_t user,
			 uint64_t now)
{
	struct sip_msg m;
	struct tx_key k;

	if (!response_read(&m, kept->response))
		return 0;
	tx_key_adopted(l, &k, &m, kept);
	if (k.too_long || tx_find(l, &k, false) != NULL || !tx_key_has_room(l, &k))
		return 0;
	struct tx *t = tx_create(l, &k);
	if (t == NULL)
		return 0;
	if (!server_fill(l, t, kept, m.status >= 200, now)) {
		tx_destroy(l, t);
		return 0;
	}
	t->user = user;
	tx_arm(l, t);
	return tx_handle(l, t);
}

static bool client_fill(struct tx_layer *l, struct tx *t, const struct tx_client_kept *kept,
			uint64_t now, struct engine_out *out)
{
	t->kind = TX_CLIENT_INVITE;
	t->method = SIP_INVITE;
	t->path = kept->path;
	t->interval_ms = l->t1_ms;
	t->end_at = now + tx_64t1(l);
	if (kept->accepted) {
		t->state = TX_ACCEPTED;
		return true;
	}
	if (!tx_keep(l, &t->msg, kept->request))
		return false;
	t->state = kept->provisional ? TX_PROCEEDING : TX_CALLING;
	if (!kept->provisional) {
		t->repeat_at = now + l->t1_ms;
		return true;
	}
	t->end_at = TX_NEVER;
	tx_follow_keep(l, t, out);
	return true;
}

uint64_t tx_client_adopt(struct tx_layer *l, const struct tx_client_kept *kept, uint64_t user,
			 uint64_t now, struct engine_out *out)
{
	struct tx_key k;

	tx_key_client(l, &k, sip_method_name(SIP_INVITE), kept->branch);
	if (k.too_long || tx_find(l, &k, false) != NULL)
		return 0;
	struct tx *t = tx_create(l, &k);
	if (t == NULL)
		return 0;
	if (!client_fill(l, t, kept, now, out)) {
		tx_destroy(l, t);
		return 0;
	}
	t->user = user;
	tx_arm(l, t);
	return tx_handle(l, t);
}
