#include "sbc/core/offer.h"

#include <assert.h>

static_assert(sizeof(struct stream) == 136, "one block of 256 for a call with one stream");

struct stream *offer_streams(const struct engine *e, uint32_t blob, uint32_t *n)
{
	*n = blob ? blob_slice(&e->blobs, blob).n / (uint32_t)sizeof(struct stream) : 0;
	return blob ? (struct stream *)(void *)blob_ptr(&e->blobs, blob) : NULL;
}

bool offer_is_pending(const struct call *call)
{
	return call->offer_by != OFFER_BY_NONE;
}

static bool message_has_sdp(const struct sip_msg *m)
{
	return m->body_len && hiding_is_sdp(sip_msg_value(m, SIP_HDR_CONTENT_TYPE));
}

/* Reliable 1xx (RFC 3262 3): only these may carry an offer, and their answer is the answer. */
static bool response_is_reliable(const struct sip_msg *m)
{
	return m->status < 200 && sip_msg_has(m, SIP_HDR_RSEQ) &&
	       sip_msg_lists(m, SIP_HDR_REQUIRE, SLICE_LIT("100rel"));
}

static uint16_t offer_refuse(struct engine *e, enum reason why, uint16_t status)
{
	engine_count(e, why);
	return status;
}

/*
 * What of a media line may pass at all: carried over UDP, towards an IPv4 host
 * that is not ours. Media aimed at the border or at nobody's address would make
 * it talk to itself or to its own host. Our own media ports alone may be named,
 * by a trusted side that has our own description from another call.
 */
static bool line_may_pass(const struct engine *e, const struct call *call, uint8_t to,
			  const struct sdp_media *m)
{
	if (m->port == 0 || !m->conn.is_ip4 || m->proto == SDP_PROTO_STREAM)
		return false;
	if (m->proto == SDP_PROTO_UNKNOWN &&
	    !engine_realm(e, call->leg[to].slot)->carry_unknown_media)
		return false;
	if (m->conn.ip == 0)
		return m->direction == SDP_SENDONLY || m->direction == SDP_INACTIVE;
	return engine_may_send(e, m->conn.ip) ||
	       offer_is_own(e, &call->leg[!to], (struct net_addr){m->conn.ip, m->port});
}

/* The border's description for leg `to`, of what e->sdp holds, with the streams' ports. */
static bool sdp_compose(struct engine *e, struct call *call, uint8_t to, uint64_t version,
			struct slice *body)
{
	struct leg *leg = &call->leg[to];
	const struct snapshot_realm *realm = engine_realm(e, leg->slot);
	struct sdp_out out = {
		.session_id = siphash13(&e->key, leg->tag, IDENT_TAG_LEN) >> 2,
		.session_version = version,
		.ip = realm->media_ip,
		.carry_unknown = realm->carry_unknown_media,
	};
	uint32_t n;
	struct stream *s = offer_streams(e, call->pending, &n);
	struct wbuf w;

	for (uint32_t i = 0; i < e->sdp.media_count; i++) {
		if (i < n)
			out.media[i].port = s[i].side[to].port;
		if (out.media[i].port) {
			out.media[i].ip = s[i].side[to].ip;
			out.media_ip = out.media_ip ? out.media_ip : s[i].side[to].ip;
		}
		out.media[i].rtcp_port = (uint16_t)(out.media[i].port + 1);
		out.media[i].refuse = out.media[i].port == 0;
	}
	wbuf_init(&w, e->body, sizeof(e->body));
	if (sdp_write(&w, &e->sdp, &out) != SBC_OK)
		return false;
	*body = wbuf_slice(&w);
	return true;
}

/* RFC 3264 8: the version goes up by one exactly when the description changes. */
static uint16_t sdp_send(struct engine *e, struct call *call, uint8_t to, struct slice *body)
{
	struct leg *leg = &call->leg[to];
	uint64_t print;

	if (!sdp_compose(e, call, to, leg->sdp_version + 1ull, body))
		return offer_refuse(e, REASON_SIP_OUT_FULL, 513);
	print = sdp_fingerprint(*body);
	if (print != leg->sdp_print || leg->sdp_version == 0) {
		leg->sdp_print = print;
		leg->sdp_version++;
		return 0;
	}
	return sdp_compose(e, call, to, leg->sdp_version, body) ? 0 : 513;
}

/* A pending array of `n` streams that begins as what is in force. */
static struct stream *pending_new(struct engine *e, struct call *call, uint32_t n)
{
	uint32_t have;
	struct stream *old = offer_streams(e, call->streams, &have);

	call->pending = blob_take(&e->blobs, (n ? n : 1) * (uint32_t)sizeof(struct stream));
	if (call->pending == 0)
		return NULL;
	struct stream *s = (struct stream *)(void *)blob_ptr(&e->blobs, call->pending);
	blob_set_len(&e->blobs, call->pending, n * (uint32_t)sizeof(*s));
	memset(s, 0, n * sizeof(*s));
	if (have)
		memcpy(s, old, (have < n ? have : n) * sizeof(*s));
	return s;
}

/* Takes a stream out of pending; its ports go back unless it also stands in force. */
static void pending_refuse(struct engine *e, struct call *call, struct stream *s, uint32_t i)
{
	uint32_t have;
	struct stream *old = offer_streams(e, call->streams, &have);

	if (i >= have || !stream_is_same(&old[i], s))
		offer_give_ports(e, call, s);
	memset(s, 0, sizeof(*s));
}

enum line_result { LINE_PASSES, LINE_REJECTED, LINE_REFUSED, LINE_NO_PORTS };

static enum line_result offer_line(struct engine *e, struct call *call, uint8_t from,
				   struct stream *s, uint32_t i)
{
	const struct sdp_media *m = &e->sdp.media[i];

	if (!line_may_pass(e, call, (uint8_t)!from, m)) {
		pending_refuse(e, call, s, i);
		return m->port == 0 ? LINE_REJECTED : LINE_REFUSED;
	}
	if (s->side[0].port == 0 && !offer_take_ports(e, call, s))
		return LINE_NO_PORTS;
	s->clock_rate = m->clock_rate;
	s->flags &= ~(uint32_t)STREAM_F_OPAQUE;
	if (m->proto != SDP_PROTO_RTP)
		s->flags |= STREAM_F_OPAQUE;
	offer_side_set(e, &call->leg[from], &s->side[from], m);
	return LINE_PASSES;
}

static uint16_t offer_lines(struct engine *e, struct call *call, uint8_t from, struct stream *s)
{
	uint32_t seen[LINE_NO_PORTS + 1] = {0};

	for (uint32_t i = 0; i < e->sdp.media_count; i++)
		seen[offer_line(e, call, from, &s[i], i)]++;
	if (seen[LINE_PASSES] || !(seen[LINE_REFUSED] || seen[LINE_NO_PORTS]))
		return 0;
	offer_rollback(e, call);
	return seen[LINE_NO_PORTS] ? offer_refuse(e, REASON_CALL_PORTS, 503)
				   : offer_refuse(e, REASON_CALL_SDP_REFUSED, 488);
}

static uint16_t offer_take(struct engine *e, struct call *call, uint8_t from,
			   const struct sip_msg *m, struct offer_io *io)
{
	uint16_t status;

	if (sdp_parse(&e->sdp, sip_msg_body(m)) != SBC_OK)
		return offer_refuse(e, REASON_CALL_SDP_BAD, 400);
	struct stream *s = pending_new(e, call, e->sdp.media_count);
	if (s == NULL)
		return offer_refuse(e, REASON_CALL_PORTS, 503);
	call->offer_by = from;
	status = offer_lines(e, call, from, s);
	if (status == 0)
		status = sdp_send(e, call, (uint8_t)!from, &io->body);
	if (status)
		offer_rollback(e, call);
	io->is_offer = status == 0;
	return status;
}

/*
 * An answer with fewer lines than the offer leaves both sides with different
 * ideas of the session (RFC 3264 6): it is no answer. Further ones are cut.
 */
static uint16_t answer_take(struct engine *e, struct call *call, uint8_t from,
			    const struct sip_msg *m, struct offer_io *io)
{
	uint32_t n, live = 0;
	struct stream *s;

	if (sdp_parse(&e->sdp, sip_msg_body(m)) != SBC_OK)
		return offer_refuse(e, REASON_CALL_SDP_BAD, 488);
	offer_streams(e, call->pending ? call->pending : call->streams, &n);
	if (e->sdp.media_count < n)
		return offer_refuse(e, REASON_CALL_SDP_BAD, 488);
	if (call->pending == 0 && pending_new(e, call, n) == NULL)
		return offer_refuse(e, REASON_CALL_PORTS, 503);
	s = offer_streams(e, call->pending, &n);
	e->sdp.media_count = (uint8_t)n;
	for (uint32_t i = 0; i < n; i++) {
		if (s[i].side[0].port == 0)
			continue;
		if (!line_may_pass(e, call, (uint8_t)!from, &e->sdp.media[i])) {
			pending_refuse(e, call, &s[i], i);
			continue;
		}
		offer_side_set(e, &call->leg[from], &s[i].side[from], &e->sdp.media[i]);
		live++;
	}
	io->is_answer = true;
	return sdp_send(e, call, (uint8_t)!from, &io->body);
}

uint16_t offer_from_request(struct engine *e, struct call *call, struct exchange *ex,
			    const struct sip_msg *m, struct offer_io *io)
{
	uint16_t status;

	*io = (struct offer_io){0};
	if (!message_has_sdp(m))
		return 0;
	if (m->method != SIP_INVITE && m->method != SIP_UPDATE && m->method != SIP_PRACK) {
		io->drop = true;
		return 0;
	}
	if (offer_is_pending(call)) {
		if (m->method != SIP_PRACK || call->offer_by == ex->from)
			return offer_refuse(e, REASON_CALL_GLARE, 491);
		status = answer_take(e, call, ex->from, m, io);
		if (status == 0)
			offer_commit(e, call);
		return status;
	}
	status = offer_take(e, call, ex->from, m, io);
	if (status == 0)
		ex->flags |= EXCHANGE_F_OFFER;
	return status;
}

/* The answer to an offer of this exchange, in whichever of its responses. */
static uint16_t response_answer(struct engine *e, struct call *call, struct exchange *ex,
				const struct sip_msg *m, struct offer_io *io)
{
	uint16_t status;
	bool initial = ex->kind == EXCHANGE_INVITE;

	/* A copy of what was settled; or a later offer has replaced it. */
	if ((ex->flags & EXCHANGE_F_SETTLED) && (call->offers > 1 || offer_is_pending(call))) {
		io->drop = true;
		return 0;
	}
	if (!initial && call->offer_by != ex->from) {
		io->drop = true;
		return 0;
	}
	status = answer_take(e, call, (uint8_t)!ex->from, m, io);
	if (status)
		return status;
	/* A re-INVITE may still fail: the old session stands until its 2xx (14.1). */
	if (initial || m->status >= 200)
		offer_commit(e, call);
	if (initial && response_is_reliable(m))
		ex->flags |= EXCHANGE_F_SETTLED;
	return 0;
}

/*
 * A response to an INVITE without an offer makes one, in a reliable 1xx or the
 * 2xx. Once the former's has been answered, the latter's is a copy.
 */
static bool response_may_offer(const struct call *call, const struct exchange *ex,
			       const struct sip_msg *m)
{
	if (m->status < 200 && !response_is_reliable(m))
		return false;
	if (offer_is_pending(call))
		return call->offer_by != ex->from;
	return !(ex->flags & EXCHANGE_F_SETTLED);
}

uint16_t offer_from_response(struct engine *e, struct call *call, struct exchange *ex,
			     const struct sip_msg *m, struct offer_io *io)
{
	*io = (struct offer_io){0};
	if (!message_has_sdp(m))
		return 0;
	if (ex->flags & EXCHANGE_F_OFFER)
		return response_answer(e, call, ex, m, io);
	if (ex->method == SIP_INVITE && response_may_offer(call, ex, m)) {
		/* Its own offer again, which PRACK should have answered and did not. */
		offer_rollback(e, call);
		if (m->status < 200)
			ex->flags |= EXCHANGE_F_SETTLED;
		return offer_take(e, call, (uint8_t)!ex->from, m, io);
	}
	io->drop = true;
	return 0;
}

uint16_t offer_from_ack(struct engine *e, struct call *call, uint8_t from, const struct sip_msg *m,
			struct offer_io *io)
{
	uint16_t status;

	*io = (struct offer_io){0};
	if (!message_has_sdp(m))
		return 0;
	status = answer_take(e, call, from, m, io);
	if (status == 0)
		offer_commit(e, call);
	return status;
}

void offer_rollback(struct engine *e, struct call *call)
{
	uint32_t n;
	struct stream *s = offer_streams(e, call->pending, &n);

	for (uint32_t i = 0; i < n; i++)
		pending_refuse(e, call, &s[i], i);
	blob_give(&e->blobs, call->pending);
	call->pending = 0;
	call->offer_by = OFFER_BY_NONE;
}
