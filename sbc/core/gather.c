#include "sbc/core/gather.h"

#include <string.h>

#include "sbc/core/checkpoint.h"
#include "sbc/core/offer.h"

/* What of an exchange's flags has a meaning in another process. */
#define FLAGS_KEPT                                                                                 \
	(EXCHANGE_F_OFFER | EXCHANGE_F_SETTLED | EXCHANGE_F_FINAL | EXCHANGE_F_ACKED |             \
	 EXCHANGE_F_CANCELLED | EXCHANGE_F_ANSWERED)

/* Modular, as engine times of a restored call may lie before the engine's own beginning. */
static uint64_t wall(const struct engine *e, uint64_t ms)
{
	return ms ? ms + e->wall_ms : 0;
}

static struct slice realm_name(const struct engine *e, uint16_t slot)
{
	return slice_str(e->slots.realm[slot].name);
}

/* ---- legs and streams ---- */

/* What identifies it: what checkpoint_call_write_change() leaves out. */
static void leg_identify(const struct engine *e, const struct leg *leg, struct checkpoint_leg *c)
{
	c->realm = realm_name(e, leg->slot);
	c->listener = slots_listener_addr(&e->slots, leg->listener);
	c->source = leg->source;
	c->call_id = leg_call_id(e, leg);
	c->local = leg_local(e, leg);
	c->remote = leg_remote(e, leg);
	c->tag = leg_tag(leg);
	c->remote_tag = leg_remote_tag(e, leg);
	c->target = blob_slice(&e->blobs, leg->target);
	c->routes = blob_slice(&e->blobs, leg->routes);
}

static void leg_gather(const struct leg *leg, struct checkpoint_leg *c)
{
	*c = (struct checkpoint_leg){
		.cseq_local = leg->cseq_local,
		.cseq_remote = leg->cseq_remote,
		.rseq = leg->rseq,
		.rseq_far = leg->rseq_far,
		.sdp_version = leg->sdp_version,
		.sdp_print = leg->sdp_print,
		.asked = leg->asked,
		.confirmed = leg->confirmed,
	};
}

static void side_gather(const struct port_set *ports, const struct stream_side *s,
			struct checkpoint_side *c)
{
	*c = (struct checkpoint_side){
		.rtp = s->rtp,
		.rtcp = s->rtcp,
		.latched_rtp = s->latched_rtp,
		.latched_rtcp = s->latched_rtcp,
		.gate = s->gate,
		.epoch = s->epoch,
		.port = s->port,
		.ip = s->ip == ports->ip[0] ? 0 : s->ip,
		.direction = s->direction,
		.known = s->known,
		.packets = s->packets,
		.bytes = s->bytes,
	};
}

static uint8_t streams_gather(const struct engine *e, const struct call *call, uint32_t blob,
			      struct checkpoint_stream *c)
{
	uint32_t n;
	const struct stream *s = offer_streams(e, blob, &n);

	for (uint32_t i = 0; i < n; i++) {
		c[i].clock_rate = s[i].clock_rate;
		c[i].opaque = (s[i].flags & STREAM_F_OPAQUE) != 0;
		c[i].published = (s[i].flags & STREAM_F_PUBLISHED) != 0;
		for (uint8_t leg = 0; leg < 2; leg++)
			side_gather(&e->slots.realm[call->leg[leg].slot].ports, &s[i].side[leg],
				    &c[i].side[leg]);
	}
	return (uint8_t)n;
}

/* ---- INVITEs under way ---- */

static bool is_invite(const struct exchange *ex)
{
	return ex->kind == EXCHANGE_INVITE || ex->kind == EXCHANGE_REINVITE;
}

/* Of one that is in the configuration. */
static struct net_addr listener_addr(const struct engine *e, uint32_t listener)
{
	uint16_t index = engine_listener(e, listener);

	return index == SNAPSHOT_NONE ? (struct net_addr){0, 0} : e->snap->listener[index].addr;
}

static bool server_gather(const struct engine *e, const struct exchange *ex,
			  struct checkpoint_exchange *c)
{
	struct tx_server_kept kept;

	if (ex->server == 0 || (ex->flags & EXCHANGE_F_ACKED) ||
	    !tx_server_keep(e->tx, ex->server, &kept))
		return false;
	c->server_listener = listener_addr(e, kept.path.listener);
	c->server_remote = kept.path.remote;
	c->head = kept.head;
	if (ex->flags & EXCHANGE_F_WAITS)
		c->response = blob_slice(&e->blobs, ex->message);
	else if (kept.head.n == 0)
		c->response = kept.response;
	if (kept.legacy) {
		c->uri = kept.uri;
		c->via = kept.via_params;
	}
	return true;
}

/* As much of the INVITE as CANCEL and ACK repeat: a request by itself, without a body. */
static struct slice request_write(struct wbuf *w, const struct tx_client_kept *kept)
{
	uint32_t from = w->n;

	wbuf_lit(w, "INVITE");
	wbuf_put(w, kept->follow);
	wbuf_lit(w, "INVITE\r\nTo: ");
	wbuf_put(w, kept->to);
	wbuf_lit(w, "\r\n\r\n");
	return wbuf_ok(w) ? slice_of(w->p + from, w->n - from) : SLICE_NONE;
}

static bool client_gather(const struct engine *e, const struct exchange *ex,
			  struct checkpoint_exchange *c, struct wbuf *text)
{
	struct tx_client_kept kept;

	if (ex->client == 0 || !tx_client_keep(e->tx, ex->client, &kept))
		return false;
	c->request = kept.follow.n ? request_write(text, &kept) : kept.request;
	if (c->request.n == 0 && !kept.accepted)
		return false;
	c->branch = kept.branch;
	c->provisional = kept.provisional;
	c->client_listener = listener_addr(e, ex->client_path.listener);
	c->client_remote = ex->client_path.remote;
	c->ack = blob_slice(&e->blobs, ex->ack);
	c->far_tag = ex->far_tag;
	return true;
}

static void exchange_gather(const struct engine *e, const struct exchange *ex,
			    struct call_checkpoint *c, struct wbuf *text, bool served)
{
	struct checkpoint_exchange x = {
		.initial = ex->kind == EXCHANGE_INVITE,
		.from = ex->from,
		.flags = ex->flags & FLAGS_KEPT,
		.cseq_in = ex->cseq_in,
		.cseq_out = ex->cseq_out,
	};

	/* Of a call that is over only the caller's ACK matters. */
	if (c->state == CHECKPOINT_ENDING && ex->kind != EXCHANGE_INVITE)
		return;
	if (!is_invite(ex) || c->exchanges == CHECKPOINT_EXCHANGES ||
	    server_gather(e, ex, &x) != served)
		return;
	if (!client_gather(e, ex, &x, text) && !served)
		return;
	if (ex->flags & EXCHANGE_F_WAITS)
		x.flags |= EXCHANGE_F_FINAL;
	c->exchange[c->exchanges++] = x;
}

/* Those that somebody waits for come first, in case that there is no room for all. */
static void exchanges_gather(struct engine *e, const struct call *call, struct call_checkpoint *c)
{
	struct wbuf text;

	wbuf_init(&text, e->body, sizeof(e->body));
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = call->exchanges; i != POOL_NONE;) {
			const struct exchange *ex = pool_at(&e->exchanges, i);

			exchange_gather(e, ex, c, &text, pass == 0);
			i = ex->next;
		}
	}
}

/* ---- the call ---- */

/*
 * Other requests that wait for their final answer count as not received: they are
 * served when they are repeated. So is an offer that one of them made.
 */
static void requests_undo(const struct engine *e, const struct call *call,
			  struct call_checkpoint *c)
{
	for (uint32_t i = call->exchanges; i != POOL_NONE;) {
		const struct exchange *ex = pool_at(&e->exchanges, i);
		struct checkpoint_leg *leg = &c->leg[ex->from];

		if (ex->kind == EXCHANGE_RELAY && ex->server) {
			if (ex->cseq_in && leg->cseq_remote >= ex->cseq_in)
				leg->cseq_remote = ex->cseq_in - 1;
			if ((ex->flags & EXCHANGE_F_OFFER) && call->offer_by == ex->from) {
				c->has_pending = false;
				c->pendings = 0;
				c->offer_by = OFFER_BY_NONE;
			}
		}
		i = ex->next;
	}
}

/* The 2xx is composed and waits for the store: whoever reads this sends it. */
static bool call_waits(const struct engine *e, const struct call *call)
{
	const struct exchange *ex = exchange_get(e, call->invite);

	return ex != NULL && (ex->flags & EXCHANGE_F_WAITS);
}

static void call_gather_state(const struct engine *e, const struct call *call, uint8_t owed,
			      struct call_checkpoint *c)
{
	c->state = call->state == CALL_ANSWERED ? CHECKPOINT_ANSWERED : CHECKPOINT_EARLY;
	if (call_waits(e, call)) {
		c->state = CHECKPOINT_ANSWERED;
		c->leg[CALL_CALLER].confirmed = true;
		c->status = 200;
		if (c->answered == 0)
			c->answered = c->written;
	}
	if (owed || call->state == CALL_ENDING)
		c->state = CHECKPOINT_ENDING;
}

/*
 * Streams and exchanges are filled up to their number, and hold anything beyond; `fixed`
 * says whether what is fixed is wanted.
 */
static void call_gather(struct engine *e, const struct call *call, uint32_t version, uint8_t owed,
			bool fixed, struct call_checkpoint *c)
{
	memset(c, 0, offsetof(struct call_checkpoint, stream));
	c->version = version;
	c->owed = owed & CALL_BYE_BOTH;
	c->began = wall(e, call->began_ms);
	c->answered = wall(e, call->answered_ms);
	c->written = wall(e, e->now);
	c->status = call->status;
	c->offers = call->offers;
	c->offer_by = call->offer_by;
	for (uint8_t i = 0; i < 2; i++) {
		leg_gather(&call->leg[i], &c->leg[i]);
		if (fixed)
			leg_identify(e, &call->leg[i], &c->leg[i]);
	}
	c->id = c->leg[CALL_CALLEE].call_id;
	c->streams = streams_gather(e, call, call->streams, c->stream);
	c->pendings = streams_gather(e, call, call->pending, c->pending);
	c->has_pending = call->pending != 0;
	call_gather_state(e, call, owed, c);
	requests_undo(e, call, c);
	exchanges_gather(e, call, c);
}

bool gather_call(struct engine *e, const struct call *call, uint32_t version, uint8_t owed,
		 struct wbuf *w, struct checkpoint_shape *shape)
{
	struct checkpoint_shape written;
	struct call_checkpoint c;

	call_gather(e, call, version, owed, true, &c);
	written = checkpoint_call_write(w, &c);
	if (shape != NULL)
		*shape = written;
	return wbuf_ok(w);
}

bool gather_change(struct engine *e, const struct call *call, uint32_t version, uint8_t owed,
		   struct wbuf *w, struct checkpoint_change *change, bool rest)
{
	struct call_checkpoint c;

	call_gather(e, call, version, owed, rest || change->fixed, &c);
	if (rest)
		checkpoint_call_write_rest(w, &c, change);
	checkpoint_call_write_change(w, &c, change);
	return wbuf_ok(w);
}

bool gather_registration(struct engine *e, const struct registration *r, uint32_t version,
			 struct wbuf *w)
{
	struct registration_checkpoint c = {
		.id = slice_of(r->minted, IDENT_LEN),
		.version = version,
		.call_id = slice_of(r->call_id, IDENT_LEN),
		.cseq = r->cseq,
		.realm = realm_name(e, r->slot),
		.peer = slice_str(e->slots.peer_name[r->peer]),
		.listener = slots_listener_addr(&e->slots, r->listener),
		.source = r->source,
		.contact = blob_slice(&e->blobs, r->contact),
		.user = blob_slice(&e->blobs, r->user),
		.expires = wall(e, r->expires_ms),
		.refreshed = wall(e, r->refreshed_ms),
	};

	checkpoint_registration_write(w, &c);
	return wbuf_ok(w);
}
