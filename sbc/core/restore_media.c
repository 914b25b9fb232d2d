#include "sbc/core/restore_internal.h"

void restore_media_strip(struct engine *e, struct call *call, struct restore_flows *old)
{
	uint32_t n;
	struct stream *s;

	offer_rollback(e, call);
	s = offer_streams(e, call->streams, &n);
	old->count = n;
	for (uint8_t leg = 0; leg < 2; leg++)
		old->realm[leg] = e->slots.realm[call->leg[leg].slot].index;
	if (n)
		memcpy(old->stream, s, n * sizeof(*s));
	for (uint32_t i = 0; i < n; i++)
		offer_give_ports(e, call, &s[i]);
	blob_give(&e->blobs, call->streams);
	call->streams = 0;
}

/* Media goes where a message could have sent it: to a host, and to none of our addresses. */
static bool may_send(const struct engine *e, const struct leg *leg, struct net_addr a)
{
	return a.ip == 0 || engine_may_send(e, a.ip) ||
	       offer_is_own(e, leg, (struct net_addr){a.ip, a.port & (uint16_t)~1u});
}

static bool side_restore(const struct engine *e, const struct leg *leg, struct stream_side *s,
			 const struct checkpoint_side *c)
{
	s->rtp = c->rtp;
	s->rtcp = c->rtcp;
	s->latched_rtp = c->latched_rtp;
	s->latched_rtcp = c->latched_rtcp;
	s->packets = c->packets;
	s->bytes = c->bytes;
	s->gate = c->gate;
	s->epoch = c->epoch;
	s->port = c->port;
	if (c->port)
		s->ip = c->ip ? c->ip : engine_realm(e, leg->slot)->media_ip;
	s->direction = c->direction;
	s->known = c->known;
	return may_send(e, leg, c->rtp) && may_send(e, leg, c->rtcp) &&
	       may_send(e, leg, c->latched_rtp) && may_send(e, leg, c->latched_rtcp);
}

/* A blob of streams; ports are not claimed yet. */
static enum reason streams_make(struct engine *e, const struct call *call,
				const struct checkpoint_stream *c, uint32_t n, uint32_t *blob)
{
	bool right = true;

	*blob = blob_take(&e->blobs, (n ? n : 1) * (uint32_t)sizeof(struct stream));
	if (*blob == 0)
		return REASON_RESTORE_FULL;
	struct stream *s = (struct stream *)(void *)blob_ptr(&e->blobs, *blob);
	memset(s, 0, (n ? n : 1) * sizeof(*s));
	blob_set_len(&e->blobs, *blob, n * (uint32_t)sizeof(*s));
	for (uint32_t i = 0; i < n; i++) {
		s[i].clock_rate = c[i].clock_rate;
		s[i].flags = c[i].opaque ? STREAM_F_OPAQUE : 0;
		for (uint8_t leg = 0; leg < 2; leg++)
			right &= side_restore(e, &call->leg[leg], &s[i].side[leg], &c[i].side[leg]);
		right &= (s[i].side[0].port == 0) == (s[i].side[1].port == 0);
	}
	return right ? RESTORED : REASON_RESTORE_BAD;
}

/* Both ports of a stream, or neither. */
static bool stream_claim(struct engine *e, const struct call *call, struct stream *s)
{
	struct port_set *caller = &e->slots.realm[call->leg[CALL_CALLER].slot].ports;
	struct port_set *callee = &e->slots.realm[call->leg[CALL_CALLEE].slot].ports;

	if (s->side[CALL_CALLER].port == 0)
		return true;
	if (port_set_claim(caller, stream_local(s, CALL_CALLER))) {
		if (port_set_claim(callee, stream_local(s, CALL_CALLEE)))
			return true;
		port_set_give(caller, stream_local(s, CALL_CALLER));
	}
	s->side[CALL_CALLER].port = s->side[CALL_CALLEE].port = 0;
	return false;
}

/* Those of pending that stand in force too are claimed once. A failure leaves the ports at 0. */
static bool streams_claim(struct engine *e, struct call *call)
{
	uint32_t have, n;
	struct stream *s = offer_streams(e, call->streams, &have);
	struct stream *next = offer_streams(e, call->pending, &n);
	bool all = true;

	for (uint32_t i = 0; i < have; i++)
		all &= stream_claim(e, call, &s[i]);
	for (uint32_t i = 0; i < n; i++)
		if (!(i < have && stream_is_same(&next[i], &s[i])))
			all &= stream_claim(e, call, &next[i]);
	return all;
}

static enum reason pending_make(struct engine *e, struct call *call,
				const struct call_checkpoint *c)
{
	if (!c->has_pending || c->offer_by == OFFER_BY_NONE)
		return RESTORED;
	call->offer_by = c->offer_by;
	return streams_make(e, call, c->pending, c->pendings, &call->pending);
}

enum reason restore_media(struct engine *e, struct call *call, const struct call_checkpoint *c)
{
	enum reason why = RESTORED;

	call->offers = c->offers;
	if (c->streams)
		why = streams_make(e, call, c->stream, c->streams, &call->streams);
	if (why == RESTORED)
		why = pending_make(e, call, c);
	if (why == RESTORED && streams_claim(e, call))
		return RESTORED;
	if (why == RESTORED) {
		/* What could be claimed goes back with the call. */
		offer_end(e, call);
		return REASON_RESTORE_PORTS;
	}
	blob_give(&e->blobs, call->streams);
	blob_give(&e->blobs, call->pending);
	call->streams = call->pending = 0;
	call->offer_by = OFFER_BY_NONE;
	return why;
}

/* Whether a flow that is there goes on as this: the same port, and nothing learned since. */
static bool side_stays(const struct stream_side *a, const struct stream_side *b)
{
	return a->epoch == b->epoch && net_addr_eq(a->latched_rtp, b->latched_rtp) &&
	       net_addr_eq(a->latched_rtcp, b->latched_rtcp);
}

void restore_media_publish(struct engine *e, struct call *call, const struct restore_flows *old)
{
	uint32_t n;
	const struct stream *s = offer_streams(e, call->streams, &n);

	for (uint32_t i = 0; i < old->count; i++) {
		const struct stream *was = &old->stream[i];
		bool stays = i < n && stream_is_same(was, &s[i]) &&
			     side_stays(&was->side[0], &s[i].side[0]) &&
			     side_stays(&was->side[1], &s[i].side[1]);

		if (!(was->flags & STREAM_F_PUBLISHED) || stays)
			continue;
		for (uint8_t leg = 0; leg < 2; leg++)
			offer_retire_side(e, old->realm[leg], &was->side[leg]);
	}
	offer_publish(e, call);
}
