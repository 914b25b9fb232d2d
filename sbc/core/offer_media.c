#include "sbc/core/offer.h"

static bool realm_has_rtp(const struct snapshot_realm *realm, struct net_addr rtp)
{
	return rtp.port % 2 == 0 && rtp.port >= realm->media_lo && rtp.port < realm->media_hi &&
	       snapshot_realm_has_ip(realm, rtp.ip);
}

bool offer_is_own(const struct engine *e, const struct leg *leg, struct net_addr rtp)
{
	const struct snapshot_realm *own = engine_realm(e, leg->slot);

	if (own->trust != SNAPSHOT_TRUSTED)
		return false;
	if (realm_has_rtp(own, rtp))
		return true;
	for (uint16_t i = 0; own->kin && i < e->snap->realms; i++) {
		const struct snapshot_realm *r = &e->snap->realm[i];

		if (r->kin == own->kin && r->trust == SNAPSHOT_TRUSTED && realm_has_rtp(r, rtp))
			return true;
	}
	return false;
}

void offer_side_set(const struct engine *e, const struct leg *leg, struct stream_side *side,
		    const struct sdp_media *m)
{
	struct stream_side next = *side;

	next.direction = (uint8_t)m->direction;
	next.gate = engine_realm(e, leg->slot)->latch == SNAPSHOT_LATCH_ANY ? 0 : leg->source.ip;
	if (m->conn.ip) {
		next.rtp = (struct net_addr){m->conn.ip, m->port};
		next.rtcp = (struct net_addr){m->conn.ip, m->rtcp_port};
		if (m->rtcp_ip && engine_may_send(e, m->rtcp_ip))
			next.rtcp.ip = m->rtcp_ip;
		/* We give no other port for it, and others of ours are not to be named. */
		if (!engine_may_send(e, next.rtcp.ip))
			next.rtcp = (struct net_addr){m->conn.ip, (uint16_t)(m->port + 1)};
	}
	/* Only a new address or a new gate unlocks what was latched: a hold does not. */
	if (!side->known || !net_addr_eq(next.rtp, side->rtp) ||
	    !net_addr_eq(next.rtcp, side->rtcp) || next.gate != side->gate)
		next.epoch++;
	next.known = true;
	*side = next;
}

static struct port_set *side_ports(struct engine *e, const struct call *call, uint8_t side)
{
	return &e->slots.realm[call->leg[side].slot].ports;
}

static void side_give(struct engine *e, const struct call *call, struct stream *s, uint8_t side)
{
	if (s->side[side].port)
		port_set_give(side_ports(e, call, side), stream_local(s, side));
	s->side[side].port = 0;
	s->side[side].ip = 0;
}

/* The address of ours that the other streams of a side have: a phone may heed one c= only. */
static uint32_t side_address(const struct engine *e, const struct call *call, uint8_t side)
{
	uint32_t n;
	const struct stream *s = offer_streams(e, call->pending, &n);

	for (uint32_t i = 0; i < n; i++)
		if (s[i].side[side].port)
			return s[i].side[side].ip;
	return 0;
}

static bool side_take(struct engine *e, const struct call *call, struct stream *s, uint8_t side)
{
	struct net_addr at;

	if (!port_set_take(side_ports(e, call, side), side_address(e, call, side), &at))
		return false;
	s->side[side].ip = at.ip;
	s->side[side].port = at.port;
	return true;
}

bool offer_take_ports(struct engine *e, const struct call *call, struct stream *s)
{
	if (!side_take(e, call, s, CALL_CALLER))
		return false;
	if (side_take(e, call, s, CALL_CALLEE))
		return true;
	side_give(e, call, s, CALL_CALLER);
	return false;
}

void offer_give_ports(struct engine *e, const struct call *call, struct stream *s)
{
	side_give(e, call, s, CALL_CALLER);
	side_give(e, call, s, CALL_CALLEE);
}

static bool sends(uint8_t direction)
{
	return direction == SDP_SENDRECV || direction == SDP_SENDONLY;
}

static bool receives(uint8_t direction)
{
	return direction == SDP_SENDRECV || direction == SDP_RECVONLY;
}

/*
 * Source policy of one flow. A trusted side's word is enough. Elsewhere the
 * realm says who may latch; with latching off the SDP address is the only
 * source, and it is sent to at once only when signalling has proven it. Our own
 * port needs no proof, and a latch there would wait for a far end that waits too.
 */
static void spec_source(const struct engine *e, const struct leg *leg,
			const struct stream_side *side, struct flow_spec *spec)
{
	const struct snapshot_realm *realm = engine_realm(e, leg->slot);

	if (!engine_realm_by_source(realm) || offer_is_own(e, leg, side->rtp)) {
		spec->proven = true;
		return;
	}
	spec->latch = realm->latch != SNAPSHOT_LATCH_NEVER;
	spec->gate_ip = side->gate;
	if (!spec->latch)
		spec->proven = spec->remote.ip == leg->source.ip;
}

static void publish_flow(struct engine *e, const struct call *call, const struct stream *s,
			 uint32_t index, uint8_t leg, bool rtcp)
{
	const struct stream_side *side = &s->side[leg], *peer = &s->side[!leg];
	const struct leg *l = &call->leg[leg];
	struct flow_spec spec = {
		.realm = e->slots.realm[l->slot].index,
		.port = (uint16_t)(side->port + rtcp),
		.peer_realm = e->slots.realm[call->leg[!leg].slot].index,
		.peer_port = (uint16_t)(peer->port + rtcp),
		.remote = rtcp ? side->rtcp : side->rtp,
		.clock_rate = s->clock_rate,
		.dscp = engine_realm(e, l->slot)->media_dscp,
		.rtcp = rtcp,
		.opaque = (s->flags & STREAM_F_OPAQUE) != 0,
		.address = snapshot_media_number(engine_realm(e, l->slot), side->ip),
		.peer_address =
			snapshot_media_number(engine_realm(e, call->leg[!leg].slot), peer->ip),
		.epoch = side->epoch,
		.call = call_handle(e, call),
		.stream = (uint16_t)index,
		.leg = leg,
		.source = rtcp ? side->latched_rtcp : side->latched_rtp,
		.packets = rtcp ? 0 : side->packets,
		.bytes = rtcp ? 0 : side->bytes,
	};

	/* RFC 3264 5.1: hold stops RTP, never RTCP. */
	spec.closed = !rtcp && !(sends(side->direction) && receives(peer->direction));
	spec_source(e, l, side, &spec);
	engine_out_flow_publish(e->out, &spec);
}

/* Both sides have described the stream, and it is not as it was last published. */
static bool stream_is_news(const struct stream *s, const struct stream *old)
{
	if (s->side[0].port == 0 || !s->side[0].known || !s->side[1].known)
		return false;
	/* A difference in padding only publishes once more what stands already. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison) */
	return old == NULL || !(old->flags & STREAM_F_PUBLISHED) || memcmp(s, old, sizeof(*s)) != 0;
}

/* What the dataplane has said of a stream since the offer was made. */
static void stream_inherit(struct stream *s, const struct stream *old)
{
	for (uint8_t leg = 0; leg < 2; leg++) {
		struct stream_side *side = &s->side[leg];
		const struct stream_side *was = &old->side[leg];

		side->packets = was->packets;
		side->bytes = was->bytes;
		side->latched_rtp = side->latched_rtcp = (struct net_addr){0, 0};
		if (side->epoch == was->epoch) {
			side->latched_rtp = was->latched_rtp;
			side->latched_rtcp = was->latched_rtcp;
		}
	}
}

static void stream_publish(struct engine *e, const struct call *call, struct stream *s,
			   uint32_t index)
{
	for (uint8_t f = 0; f < 4; f++)
		publish_flow(e, call, s, index, f >> 1, f & 1);
	s->flags |= STREAM_F_PUBLISHED;
}

void offer_publish(struct engine *e, struct call *call)
{
	uint32_t n;
	struct stream *s = offer_streams(e, call->streams, &n);

	for (uint32_t i = 0; i < n; i++) {
		if (stream_is_news(&s[i], NULL))
			stream_publish(e, call, &s[i], i);
	}
}

void offer_retire_side(struct engine *e, uint16_t realm, const struct stream_side *side)
{
	if (realm == SNAPSHOT_NONE)
		return;
	uint8_t address = snapshot_media_number(&e->snap->realm[realm], side->ip);
	engine_out_flow_retire(e->out, realm, address, side->port);
	engine_out_flow_retire(e->out, realm, address, (uint16_t)(side->port + 1));
}

static void stream_retire(struct engine *e, struct call *call, struct stream *s)
{
	for (uint8_t leg = 0; leg < 2; leg++) {
		uint16_t realm = e->slots.realm[call->leg[leg].slot].index;

		if (s->flags & STREAM_F_PUBLISHED)
			offer_retire_side(e, realm, &s->side[leg]);
	}
	offer_give_ports(e, call, s);
}

void offer_commit(struct engine *e, struct call *call)
{
	uint32_t n, have;
	struct stream *s = offer_streams(e, call->pending, &n);
	struct stream *old = offer_streams(e, call->streams, &have);

	for (uint32_t i = 0; i < have; i++) {
		bool kept = i < n && stream_is_same(&s[i], &old[i]);

		if (kept)
			stream_inherit(&s[i], &old[i]);
		else if (old[i].side[0].port)
			stream_retire(e, call, &old[i]);
	}
	for (uint32_t i = 0; i < n; i++) {
		if (stream_is_news(&s[i], i < have ? &old[i] : NULL))
			stream_publish(e, call, &s[i], i);
	}
	blob_give(&e->blobs, call->streams);
	call->streams = call->pending;
	call->pending = 0;
	if (offer_is_pending(call))
		call->offers++;
	call->offer_by = OFFER_BY_NONE;
	store_touch(e, call, STORE_NOW);
}

void offer_end_ahead(struct engine *e, const struct call *call)
{
	uint32_t n;
	const struct stream *s = offer_streams(e, call->streams, &n);

	for (uint32_t i = 0; i < n; i++) {
		for (uint8_t side = 0; side < 2; side++)
			port_set_give_ahead(side_ports(e, call, side), stream_local(&s[i], side));
	}
}

void offer_end(struct engine *e, struct call *call)
{
	uint32_t n;
	struct stream *s;

	offer_rollback(e, call);
	s = offer_streams(e, call->streams, &n);
	for (uint32_t i = 0; i < n; i++)
		stream_retire(e, call, &s[i]);
	blob_give(&e->blobs, call->streams);
	call->streams = 0;
}
