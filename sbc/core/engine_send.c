#include "sbc/core/engine_internal.h"

#include "sbc/core/exchange.h"

struct wbuf engine_compose(struct engine *e)
{
	struct wbuf w = engine_out_compose(e->out);

	if (w.cap > ENGINE_MAX_DATAGRAM)
		w.cap = ENGINE_MAX_DATAGRAM;
	return w;
}

struct slice engine_composed(struct engine *e, const struct wbuf *w)
{
	if (!wbuf_ok(w)) {
		engine_count(e, REASON_SIP_OUT_FULL);
		return SLICE_NONE;
	}
	return engine_out_composed(e->out, w);
}

void engine_send(struct engine *e, const struct engine_path *path, struct slice bytes)
{
	if (bytes.n)
		engine_out_send(e->out, path, bytes);
}

struct slice engine_branch(struct engine *e)
{
	uint32_t from = e->text.n;
	char tag[IDENT_TAG_LEN];

	ident_tag(&e->gen, tag);
	wbuf_lit(&e->text, "z9hG4bK");
	wbuf_put(&e->text, slice_of(tag, sizeof(tag)));
	return engine_text_cut(e, from);
}

struct engine_path engine_reply_path(const struct engine *e, const struct rx *rx)
{
	return tx_reply_path(&rx->via, &rx->path, e->snap->realm[rx->realm].nat);
}

/*
 * The tag of a refusal without state: the same for each retransmission (RFC 3261
 * 8.2.7), different for each request, and nobody's to guess.
 */
static void refusal_tag(const struct engine *e, const struct rx *rx, char *tag)
{
	static const char digits[] = "0123456789abcdef";
	struct siphash_key key = e->key;

	key.k0 ^= siphash24(&e->key, rx->call_id.p, rx->call_id.n);
	key.k1 ^= rx->cseq.seq;
	uint64_t h = siphash24(&key, rx->from_tag.p, rx->from_tag.n);
	for (uint32_t i = 0; i < IDENT_TAG_LEN; i++, h >>= 4)
		tag[i] = digits[h & 15];
}

bool engine_acks_refusal(const struct engine *e, const struct rx *rx)
{
	char tag[IDENT_TAG_LEN];

	refusal_tag(e, rx, tag);
	return slice_eq(rx->to_tag, slice_of(tag, sizeof(tag)));
}

void engine_answer(struct engine *e, const struct rx *rx, const struct reply *r)
{
	struct wbuf *text = engine_text(e);
	struct engine_path path = engine_reply_path(e, rx);
	struct reply reply = *r;
	char tag[IDENT_TAG_LEN];

	if (reply_head_write_read(text, rx->m, &rx->via, &rx->path, false) != SBC_OK) {
		engine_count(e, REASON_SIP_NO_REPLY_PATH);
		return;
	}
	if (reply.to_tag.n == 0 && reply.status > 100) {
		refusal_tag(e, rx, tag);
		reply.to_tag = slice_of(tag, sizeof(tag));
	}
	reply.server = slice_str(e->snap->product);
	struct wbuf w = engine_compose(e);
	reply_write(&w, wbuf_slice(text), &reply);
	engine_send(e, &path, engine_composed(e, &w));
}

/* Reasons that pass: a repetition of the request might be served. */
static bool refusal_passes(enum reason why)
{
	switch (why) {
	case REASON_CALL_FULL:
	case REASON_CALL_LIMIT:
	case REASON_CALL_DRAINING:
	case REASON_CALL_NOT_REGISTERED:
	case REASON_CALL_FORBIDDEN:
	case REASON_CALL_GLARE:
		return true;
	default:
		return false;
	}
}

/* Gives an INVITE the transaction that its refusal is remembered by, if it should have one. */
static void refusal_keep(struct engine *e, struct rx *rx, enum reason why)
{
	struct exchange *ex;

	if (rx->m->method != SIP_INVITE || !refusal_passes(why) ||
	    e->refused >= e->limits.transactions / 8)
		return;
	ex = exchange_new(e, EXCHANGE_REFUSED, SIP_INVITE);
	if (ex != NULL && exchange_serve(e, ex, rx))
		rx->ex = ex;
	else if (ex != NULL)
		exchange_free(e, ex);
}

void engine_refuse(struct engine *e, struct rx *rx, enum reason why, uint16_t status,
		   struct slice extra)
{
	struct reply r = {.status = status, .extra = extra};

	engine_count(e, why);
	if (rx->ex == NULL)
		refusal_keep(e, rx, why);
	if (rx->ex != NULL) {
		exchange_reply(e, rx->ex, status, SLICE_NONE, extra);
		if (rx->ex->kind != EXCHANGE_REFUSED)
			exchange_free(e, rx->ex);
		rx->ex = NULL;
		return;
	}
	if (rx->m->method != SIP_ACK)
		engine_answer(e, rx, &r);
}

bool engine_may_send(const struct engine *e, uint32_t ip)
{
	return net_ip_is_unicast(ip) && !snapshot_ip_is_ours(e->snap, ip);
}
