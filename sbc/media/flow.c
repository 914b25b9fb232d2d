#include "sbc/media/flow.h"

#include <string.h>

/* Port numbers are kept as they stand on the wire. */
static uint16_t wire16(uint16_t v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	uint16_t out;

	memcpy(&out, b, 2);
	return out;
}

static struct net_addr source_of(const struct flow *f)
{
	return (struct net_addr){.ip = f->src_ip, .port = wire16(f->src_port)};
}

/* An address that media may be expected from and sent to. */
static bool is_usable(struct net_addr a)
{
	return a.port != 0 && net_ip_is_unicast(a.ip);
}

static void set_flag(struct flow *f, uint8_t flag, bool on)
{
	f->flags = (uint8_t)(on ? f->flags | flag : f->flags & ~flag);
}

static void lock(struct flow *f, struct net_addr src)
{
	f->src_ip = src.ip;
	f->src_port = wire16(src.port);
	f->state = FLOW_LOCKED;
	set_flag(f, FLOW_F_CHECKSUM | FLOW_F_FAST, false);
}

/* Source policy from its beginning, as f->spec has it. */
static void unlock(struct flow *f)
{
	f->src_ip = 0;
	f->src_port = 0;
	f->state = FLOW_LATCHING;
	f->latched = false;
	f->candidate_count = 0;
	set_flag(f, FLOW_F_CHECKSUM | FLOW_F_FAST, false);
	set_flag(f, FLOW_F_PROVEN, f->spec.proven && is_usable(f->spec.remote));
	if (!f->spec.latch && is_usable(f->spec.remote))
		lock(f, f->spec.remote);
}

static bool same_end(const struct flow_spec *a, const struct flow_spec *b)
{
	return a->call == b->call && a->stream == b->stream && a->leg == b->leg &&
	       a->rtcp == b->rtcp && a->opaque == b->opaque && a->realm == b->realm &&
	       a->port == b->port;
}

/* What a lock rests on stays as it was when the lock was made. */
static void keep_lock(struct flow_spec *to, const struct flow_spec *from)
{
	to->remote = from->remote;
	to->gate_ip = from->gate_ip;
	to->latch = from->latch;
	to->proven = from->proven;
	to->epoch = from->epoch;
}

/* As an earlier process left it: locked to whom that had latched. */
static void resume(struct flow *f)
{
	f->packets = f->spec.packets;
	f->bytes = f->spec.bytes;
	if (!is_usable(f->spec.source))
		return;
	lock(f, f->spec.source);
	f->latched = true;
	set_flag(f, FLOW_F_PROVEN, true);
}

void flow_publish(struct flow *f, const struct flow_spec *spec, uint32_t local_ip, uint64_t now)
{
	struct flow_spec next = *spec;
	bool fresh = f->state == FLOW_FREE || !same_end(&f->spec, spec) || f->local_ip != local_ip;
	bool keep = !fresh && f->state == FLOW_LOCKED && spec->epoch <= f->spec.epoch;

	if (fresh) {
		memset(f, 0, sizeof(*f));
		f->since_ms = now;
		f->last_ms = now;
	}
	if (fresh || f->spec.peer_realm != spec->peer_realm || f->spec.peer_port != spec->peer_port)
		f->peer = FLOW_NONE;
	if (keep)
		keep_lock(&next, &f->spec);
	f->spec = next;
	f->local_ip = local_ip;
	f->local_port = wire16(spec->port);
	f->realm = spec->realm;
	f->clock_rate = spec->clock_rate ? spec->clock_rate : 8000;
	set_flag(f, FLOW_F_RTCP, spec->rtcp);
	set_flag(f, FLOW_F_OPAQUE, spec->opaque);
	set_flag(f, FLOW_F_CLOSED, spec->closed);
	set_flag(f, FLOW_F_FAST, false);
	if (!keep)
		unlock(f);
	if (fresh)
		resume(f);
}

void flow_retire(struct flow *f)
{
	memset(f, 0, sizeof(*f));
	f->peer = FLOW_NONE;
}

static enum flow_verdict drop(enum reason *why, enum reason r)
{
	*why = r;
	return FLOW_DROP;
}

static enum flow_verdict refuse(struct flow *f, enum reason *why, enum reason r)
{
	f->refused++;
	return drop(why, r);
}

/* ---- what a datagram is ---- */

/* What source policy and statistics need to know of a datagram. */
struct datagram {
	enum media_kind kind;
	uint32_t ssrc;
	uint16_t seq; /* of RTP, or the low part of a DTLS record's number */
	uint32_t timestamp;
};

/* DTLS record header, RFC 6347 4.1: type, version, epoch, 48-bit number, length. */
static bool read_dtls(struct datagram *d, const uint8_t *p, uint32_t n)
{
	if (n < 13 || p[1] != 0xfe)
		return false;
	d->seq = (uint16_t)(p[9] << 8 | p[10]);
	return true;
}

static bool read_rtp(struct datagram *d, const uint8_t *p, uint32_t n)
{
	struct rtp_header h;

	if (rtp_header_read(&h, p, n) != SBC_OK)
		return false;
	d->ssrc = h.ssrc;
	d->seq = h.seq;
	d->timestamp = h.timestamp;
	return true;
}

/* False with the reason when the flow does not carry such a datagram. */
static bool read_datagram(const struct flow *f, struct datagram *d, const uint8_t *p, uint32_t n,
			  enum reason *why)
{
	bool good = false;

	*d = (struct datagram){.kind = MEDIA_OTHER};
	*why = n == 0 ? REASON_FLOW_EMPTY : REASON_FLOW_BAD;
	if (n == 0 || (f->flags & FLOW_F_OPAQUE))
		return n != 0;
	d->kind = media_kind_of(p, n);
	switch (d->kind) {
	case MEDIA_RTP:
		good = !(f->flags & FLOW_F_RTCP) && read_rtp(d, p, n);
		break;
	case MEDIA_RTCP:
		good = rtcp_ssrc(p, n, &d->ssrc) == SBC_OK;
		break;
	case MEDIA_DTLS:
		good = read_dtls(d, p, n);
		break;
	case MEDIA_STUN:
		*why = REASON_FLOW_STUN;
		break;
	case MEDIA_OTHER:
		break;
	}
	return good;
}

static bool is_closed_for(const struct flow *f, const struct datagram *d)
{
	if (!(f->flags & FLOW_F_CLOSED))
		return false;
	return d->kind != MEDIA_RTCP || (f->flags & FLOW_F_RTCP);
}

/* ---- latching ---- */

static bool passes_gate(const struct flow *f, struct net_addr src)
{
	const struct flow_spec *s = &f->spec;

	if (!s->latch || !is_usable(src))
		return false;
	return s->gate_ip == 0 || src.ip == s->gate_ip ||
	       (s->remote.ip == src.ip && s->remote.port != 0);
}

static void set_candidate(struct flow *f, struct net_addr src, const struct datagram *d)
{
	f->candidate = src;
	f->candidate_ssrc = d->ssrc;
	f->candidate_seq = d->seq;
	f->candidate_kind = (uint8_t)d->kind;
	f->candidate_count = 1;
}

/*
 * Whether this packet completes the row. A jump as wide as RFC 3550 A.1 calls a
 * restart begins a new row, as does whatever goes back; an exact repetition does
 * neither.
 */
static bool candidate_advances(struct flow *f, struct net_addr src, const struct datagram *d)
{
	uint16_t ahead = (uint16_t)(d->seq - f->candidate_seq);
	bool same = f->candidate_count != 0 && net_addr_eq(f->candidate, src) &&
		    f->candidate_kind == d->kind && f->candidate_ssrc == d->ssrc;

	if (same && (f->flags & FLOW_F_OPAQUE))
		return ++f->candidate_count >= FLOW_LATCH_PACKETS;
	if (same && ahead == 0)
		return false;
	if (!same || ahead >= RTP_MAX_DROPOUT) {
		set_candidate(f, src, d);
		return false;
	}
	f->candidate_seq = d->seq;
	return ++f->candidate_count >= FLOW_LATCH_PACKETS;
}

/* RTCP of whom the RTP partner has locked to: the same host, the same sender. */
static enum flow_verdict latch_rtcp(struct flow *f, const struct flow *rtp, struct net_addr src,
				    const struct datagram *d, enum reason *why)
{
	/* A neighbour in the dataplane's array may be another call's. */
	bool ours = rtp != NULL && rtp->spec.call == f->spec.call && rtp->spec.leg == f->spec.leg &&
		    rtp->spec.stream == f->spec.stream;

	if (!ours || rtp->state != FLOW_LOCKED || !rtp->rtp.started)
		return refuse(f, why, REASON_FLOW_SSRC);
	if (rtp->src_ip != src.ip)
		return refuse(f, why, REASON_FLOW_GATE);
	if (d->kind != MEDIA_RTCP || d->ssrc != rtp->rtp.ssrc)
		return refuse(f, why, REASON_FLOW_SSRC);
	return FLOW_RELAY_LATCHED;
}

static enum flow_verdict latch_media(struct flow *f, struct net_addr src, const struct datagram *d,
				     enum reason *why)
{
	bool counts = d->kind == MEDIA_RTP || (f->flags & FLOW_F_OPAQUE) ||
		      (d->kind == MEDIA_DTLS && f->spec.gate_ip != 0);

	if (!counts || !candidate_advances(f, src, d))
		return refuse(f, why, REASON_FLOW_SSRC);
	return FLOW_RELAY_LATCHED;
}

static enum flow_verdict try_latch(struct flow *f, const struct flow *rtp_peer, struct net_addr src,
				   const struct datagram *d, enum reason *why)
{
	enum flow_verdict v = f->flags & FLOW_F_RTCP ? latch_rtcp(f, rtp_peer, src, d, why)
						     : latch_media(f, src, d, why);

	if (v == FLOW_RELAY_LATCHED) {
		lock(f, src);
		f->latched = true;
		set_flag(f, FLOW_F_PROVEN, true);
	}
	return v;
}

/* ---- the policy ---- */

static void account(struct flow *f, const struct datagram *d, uint32_t len, uint64_t now)
{
	f->packets++;
	f->bytes += len;
	if (d->kind == MEDIA_RTP)
		rtp_stats_packet(&f->rtp, d->ssrc, d->seq, d->timestamp,
				 (uint32_t)(now * f->clock_rate / 1000));
}

/* Whether any packet of this source is looked at further. */
static bool passes_source(const struct flow *f, struct net_addr src, enum reason *why)
{
	if (f->state == FLOW_LOCKED) {
		*why = REASON_FLOW_SOURCE;
		return net_addr_eq(source_of(f), src);
	}
	*why = f->spec.latch ? REASON_FLOW_GATE : REASON_FLOW_SOURCE;
	return passes_gate(f, src);
}

enum flow_verdict flow_admit(struct flow *f, const struct flow *rtp_peer, struct net_addr src,
			     const uint8_t *payload, uint32_t len, uint64_t now, enum reason *why)
{
	enum flow_verdict v = FLOW_RELAY;
	enum reason cause;
	struct datagram d;

	if (f->state == FLOW_FREE)
		return drop(why, REASON_FLOW_NONE);
	if (!passes_source(f, src, &cause))
		return refuse(f, why, cause);
	if (!read_datagram(f, &d, payload, len, &cause))
		return drop(why, cause);

	if (f->state != FLOW_LOCKED) {
		v = try_latch(f, rtp_peer, src, &d, why);
		if (v == FLOW_DROP)
			return v;
	} else if (!(f->flags & FLOW_F_PROVEN)) {
		set_flag(f, FLOW_F_PROVEN, true);
		v = FLOW_RELAY_LATCHED;
	}
	if (is_closed_for(f, &d)) {
		*why = REASON_FLOW_HELD;
		return v == FLOW_RELAY ? FLOW_DROP : FLOW_LATCHED_HELD;
	}
	f->last_ms = now;
	if (v == FLOW_RELAY && f->out_dst_ip == 0)
		return drop(why, REASON_FLOW_UNPROVEN);
	account(f, &d, len, now);
	return v;
}
