/*
 * Server transactions: RFC 3261 17.2, INVITE with RFC 6026 7.1.
 *
 *   INVITE      Proceeding -2xx-> Accepted (L)
 *               Proceeding -3xx..6xx-> Completed (G, H) -ACK-> Confirmed (I)
 *   non-INVITE  Trying -1xx-> Proceeding -final-> Completed (J)
 */
#include "sbc/core/transaction_internal.h"

#define DEFAULT_PORT 5060u

struct engine_path tx_reply_path(const struct sip_via *via, const struct engine_path *source,
				 bool nat)
{
	struct engine_path path = *source;

	if (!nat && !via->has_rport)
		path.remote.port = via->port ? via->port : DEFAULT_PORT;
	return path;
}

/* True when the ACK ends here; else it is the dialog's. */
static bool ack_received(struct tx_layer *l, struct tx *t, uint64_t now)
{
	if (t->state == TX_ACCEPTED)
		return false;
	if (t->state != TX_COMPLETED)
		return true;
	t->state = TX_CONFIRMED;
	t->repeat_at = TX_NEVER;
	t->end_at = now + l->t4_ms;
	/* RFC 2543 ACKs are told by the response's tag, for as long as they may come. */
	if (t->key_len == t->key_hashed)
		tx_drop(l, &t->msg);
	tx_arm(l, t);
	return true;
}

/* Which retransmissions are answered: 17.2.1, 17.2.2; Accepted only absorbs. */
static bool answers_again(const struct tx *t)
{
	return t->state == TX_PROCEEDING || t->state == TX_COMPLETED;
}

enum tx_rx tx_server_match(struct tx_layer *l, const struct sip_msg *m, const struct sip_via *via,
			   const struct engine_path *source, uint64_t now, struct engine_out *out,
			   uint64_t *tx)
{
	bool ack = m->method == SIP_ACK;
	struct tx_key k;

	/* Answers go where the first copy's went (18.2.2): a copy proves no new address. */
	(void)source;
	*tx = 0;
	tx_key_server(l, &k, m, via, ack ? sip_method_name(SIP_INVITE) : m->method_name);
	struct tx *t = tx_find(l, &k, ack);
	if (t == NULL)
		return TX_NEW;

	*tx = tx_handle(l, t);
	if (ack)
		return ack_received(l, t, now) ? TX_ABSORBED : TX_NEW;
	if (answers_again(t))
		tx_resend(l, t, out);
	return TX_ABSORBED;
}

uint64_t tx_server_find_invite(struct tx_layer *l, const struct sip_msg *cancel,
			       const struct sip_via *via)
{
	struct tx_key k;

	tx_key_server(l, &k, cancel, via, sip_method_name(SIP_INVITE));
	struct tx *t = tx_find(l, &k, false);
	return t != NULL ? tx_handle(l, t) : 0;
}

static bool head_keep(struct tx_layer *l, struct tx *t, struct slice head)
{
	return head.n == 0 || tx_keep(l, &t->aux, head);
}

uint64_t tx_server_new(struct tx_layer *l, const struct sip_msg *m, const struct sip_via *via,
		       const struct engine_path *path, struct slice reply_head, uint64_t user,
		       uint64_t now)
{
	bool invite = m->method == SIP_INVITE;
	struct tx_key k;

	if (m->method == SIP_ACK)
		return 0;
	tx_key_server(l, &k, m, via, m->method_name);
	if (!tx_key_has_room(l, &k))
		return 0;
	struct tx *t = tx_create(l, &k);
	if (t == NULL)
		return 0;
	if (!head_keep(l, t, reply_head)) {
		tx_destroy(l, t);
		return 0;
	}
	t->kind = invite ? TX_SERVER_INVITE : TX_SERVER_OTHER;
	t->state = invite ? TX_PROCEEDING : TX_TRYING;
	t->method = m->method;
	t->path = *path;
	t->user = user;
	if (!invite)
		t->end_at = now + tx_64t1(l);
	tx_arm(l, t);
	return tx_handle(l, t);
}

struct slice tx_server_head(const struct tx_layer *l, uint64_t tx)
{
	const struct tx *t = tx_of(l, tx);

	if (t == NULL || (t->kind != TX_SERVER_INVITE && t->kind != TX_SERVER_OTHER))
		return SLICE_NONE;
	return blob_slice(l->blobs, t->aux);
}

static bool takes_response(const struct tx *t)
{
	if (t->kind == TX_SERVER_INVITE)
		return t->state == TX_PROCEEDING;
	return t->kind == TX_SERVER_OTHER && (t->state == TX_TRYING || t->state == TX_PROCEEDING);
}

/* The INVITE's final: G and H, or L and the 2xx's own repetition (13.3.1.4). */
static void invite_final(struct tx_layer *l, struct tx *t, uint16_t status, uint64_t now)
{
	t->state = status < 300 ? TX_ACCEPTED : TX_COMPLETED;
	t->interval_ms = l->t1_ms;
	t->repeat_at = t->msg ? now + l->t1_ms : TX_NEVER;
	t->end_at = now + tx_64t1(l);
}

static void other_final(struct tx_layer *l, struct tx *t, uint64_t now)
{
	t->state = TX_COMPLETED;
	t->end_at = now + tx_64t1(l);
}

enum sbc_err tx_server_respond(struct tx_layer *l, uint64_t tx, uint16_t status, struct slice bytes,
			       uint64_t now, struct engine_out *out)
{
	struct tx *t = tx_of(l, tx);

	if (t == NULL || !takes_response(t))
		return SBC_ESTATE;
	if (status < 100 || status > 699)
		return SBC_EBAD;
	engine_out_send(out, &t->path, bytes);
	if (status >= 200)
		tx_drop(l, &t->aux);
	bool kept = tx_keep(l, &t->msg, bytes);
	if (status < 200)
		t->state = TX_PROCEEDING;
	else if (t->kind == TX_SERVER_INVITE)
		invite_final(l, t, status, now);
	else
		other_final(l, t, now);
	tx_arm(l, t);
	return kept ? SBC_OK : SBC_EFULL;
}

void tx_server_acked(struct tx_layer *l, uint64_t tx, uint64_t now)
{
	struct tx *t = tx_of(l, tx);

	(void)now;
	if (t == NULL || t->kind != TX_SERVER_INVITE || t->state != TX_ACCEPTED)
		return;
	t->flags |= TX_F_ACKED;
	t->repeat_at = TX_NEVER;
	tx_drop(l, &t->msg);
	tx_arm(l, t);
}

/* Timer G, and the same for a 2xx: doubling to T2. */
void tx_server_repeat(struct tx_layer *l, struct tx *t, struct engine_out *out)
{
	tx_resend(l, t, out);
	t->interval_ms = t->interval_ms * 2 < l->t2_ms ? t->interval_ms * 2 : l->t2_ms;
}
