#include "sbc/core/checkpoint_internal.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One row of a table. */
#define NAME(n, t) .name = (n), .len = sizeof(n) - 1, .type = VALUE_##t
#define SIDE(m)    .offset = offsetof(struct checkpoint_side, m)
#define STREAM(m)  .offset = offsetof(struct checkpoint_stream, m)
#define LEG(m)     .offset = offsetof(struct checkpoint_leg, m)
#define INVITE(m)  .offset = offsetof(struct checkpoint_exchange, m)
#define CALL(m)    .offset = offsetof(struct call_checkpoint, m)
#define REG(m)     .offset = offsetof(struct registration_checkpoint, m)

#define WORD(w)                                                                                    \
	{                                                                                          \
		(w), sizeof(w) - 1                                                                 \
	}
#define WORDS_END                                                                                  \
	{                                                                                          \
		"", 0                                                                              \
	}

/* In the order of their enums: CHECKPOINT_*, enum sdp_direction, enum exchange_flag. */
static const struct checkpoint_word words_state[] = {WORD("early"), WORD("answered"),
						     WORD("ending"), WORDS_END};
static const struct checkpoint_word words_owed[] = {WORD("nobody"), WORD("caller"), WORD("callee"),
						    WORD("both"), WORDS_END};
static const struct checkpoint_word words_who[] = {WORD("caller"), WORD("callee"), WORD("nobody"),
						   WORDS_END};
static const struct checkpoint_word words_leg[] = {WORD("caller"), WORD("callee"), WORDS_END};
static const struct checkpoint_word words_direction[] = {
	WORD("sendrecv"), WORD("sendonly"), WORD("recvonly"), WORD("inactive"), WORDS_END};
static const struct checkpoint_word words_kind[] = {WORD("reinvite"), WORD("initial"), WORDS_END};
static const struct checkpoint_word words_flags[] = {
	WORD("offer"), WORD("settled"), WORD("final"),    WORD("acked"), WORD("cancelled"),
	WORD("held"),  WORD("checked"), WORD("answered"), WORDS_END};

static const struct checkpoint_member side_parts[] = {
	{NAME("port", U16), SIDE(port)},
	{NAME("ip", IP), SIDE(ip)},
	{NAME("rtp", ADDR), SIDE(rtp)},
	{NAME("rtcp", ADDR), SIDE(rtcp)},
	{NAME("latched", ADDR), SIDE(latched_rtp)},
	{NAME("latched_rtcp", ADDR), SIDE(latched_rtcp)},
	{NAME("gate", IP), SIDE(gate)},
	{NAME("epoch", U32), SIDE(epoch)},
	{NAME("direction", WORD), SIDE(direction), .words = words_direction},
	{NAME("known", BOOL), SIDE(known)},
	{NAME("packets", U64), SIDE(packets)},
	{NAME("bytes", U64), SIDE(bytes)},
};
static const struct checkpoint_member media_parts[] = {
	{NAME("clock", U32), STREAM(clock_rate)},
	{NAME("opaque", BOOL), STREAM(opaque)},
	{NAME("published", BOOL), STREAM(published)},
};
static const struct checkpoint_member stream_member[] = {
	{NAME("media", PARTS), .need = true, .limit = COUNT(media_parts), .parts = media_parts},
	{NAME("caller", PARTS), STREAM(side[0]), .need = true, .limit = COUNT(side_parts),
	 .parts = side_parts},
	{NAME("callee", PARTS), STREAM(side[1]), .need = true, .limit = COUNT(side_parts),
	 .parts = side_parts},
};
static const struct checkpoint_member dialog_parts[] = {
	{NAME("cseq", U32), LEG(cseq_local)}, {NAME("cseq_far", U32), LEG(cseq_remote)},
	{NAME("rseq", U32), LEG(rseq)},       {NAME("rseq_far", U32), LEG(rseq_far)},
	{NAME("sdp", U32), LEG(sdp_version)}, {NAME("sdp_print", HEX64), LEG(sdp_print)},
	{NAME("asked", HEX64), LEG(asked)},   {NAME("confirmed", BOOL), LEG(confirmed)},
};
static const struct checkpoint_member leg_member[] = {
	{NAME("realm", BYTES), LEG(realm), .fixed = true, .need = true},
	{NAME("listener", ADDR), LEG(listener), .fixed = true, .need = true},
	{NAME("source", ADDR), LEG(source), .fixed = true, .need = true},
	{NAME("call_id", BYTES), LEG(call_id), .fixed = true, .need = true},
	{NAME("local", BYTES), LEG(local), .fixed = true, .need = true},
	{NAME("remote", BYTES), LEG(remote), .fixed = true, .need = true},
	{NAME("tag", BYTES), LEG(tag), .fixed = true, .need = true},
	{NAME("remote_tag", BYTES), LEG(remote_tag), .fixed = true},
	{NAME("target", BYTES), LEG(target), .fixed = true},
	{NAME("routes", BYTES), LEG(routes), .fixed = true},
	{NAME("dialog", PARTS), .need = true, .limit = COUNT(dialog_parts), .parts = dialog_parts},
};
static const struct checkpoint_member invite_parts[] = {
	{NAME("kind", WORD), INVITE(initial), .words = words_kind},
	{NAME("from", WORD), INVITE(from), .words = words_leg},
	{NAME("flags", FLAGS), INVITE(flags), .words = words_flags},
	{NAME("cseq_in", U32), INVITE(cseq_in)},
	{NAME("cseq_out", U32), INVITE(cseq_out)},
	{NAME("provisional", BOOL), INVITE(provisional)},
	{NAME("far_tag", HEX32), INVITE(far_tag)},
	{NAME("server", ADDR), INVITE(server_listener)},
	{NAME("server_remote", ADDR), INVITE(server_remote)},
	{NAME("client", ADDR), INVITE(client_listener)},
	{NAME("client_remote", ADDR), INVITE(client_remote)},
};
static const struct checkpoint_member exchange_member[] = {
	{NAME("state", PARTS), .need = true, .limit = COUNT(invite_parts), .parts = invite_parts},
	{NAME("uri", BYTES), INVITE(uri)},
	{NAME("branch", BYTES), INVITE(branch)},
	{NAME("head", BYTES), .own = true, INVITE(head)},
	{NAME("response", BYTES), .own = true, INVITE(response)},
	{NAME("via", BYTES), .own = true, INVITE(via)},
	{NAME("request", BYTES), .own = true, INVITE(request)},
	{NAME("ack", BYTES), .own = true, INVITE(ack)},
};
static const struct checkpoint_member call_member[] = {
	{NAME("id", BYTES), CALL(id), .fixed = true, .need = true},
	{NAME("version", U32), .own = true, CALL(version), .need = true},
	{NAME("state", STATE), CALL(state), .need = true, .words = words_state},
	{NAME("owed", WORD), CALL(owed), .words = words_owed},
	{NAME("began", U64), CALL(began), .fixed = true},
	{NAME("answered", U64), CALL(answered)},
	{NAME("written", U64), CALL(written)},
	{NAME("status", U16), CALL(status)},
	{NAME("offers", U32), CALL(offers)},
	{NAME("offer_by", WORD), CALL(offer_by), .words = words_who},
	{NAME("streams", COUNT), CALL(streams), .limit = SDP_MAX_MEDIA},
	{NAME("pending", COUNT), CALL(pendings), .limit = SDP_MAX_MEDIA},
	{NAME("has_pending", BOOL), CALL(has_pending)},
	{NAME("invites", COUNT), CALL(exchanges), .limit = CHECKPOINT_EXCHANGES},
};
static const struct checkpoint_member registration_member[] = {
	{NAME("id", BYTES), REG(id), .need = true},
	{NAME("version", U32), .own = true, REG(version), .need = true},
	{NAME("call_id", BYTES), REG(call_id), .need = true},
	{NAME("cseq", U32), REG(cseq)},
	{NAME("realm", BYTES), REG(realm), .need = true},
	{NAME("peer", BYTES), REG(peer), .need = true},
	{NAME("listener", ADDR), REG(listener), .need = true},
	{NAME("source", ADDR), REG(source), .need = true},
	{NAME("contact", BYTES), REG(contact), .need = true},
	{NAME("user", BYTES), REG(user), .need = true},
	{NAME("expires", U64), REG(expires), .need = true},
	{NAME("refreshed", U64), REG(refreshed)},
};
const struct checkpoint_members checkpoint_call_members = {call_member, COUNT(call_member)};
const struct checkpoint_members checkpoint_leg_members = {leg_member, COUNT(leg_member)};
const struct checkpoint_members checkpoint_stream_members = {stream_member, COUNT(stream_member)};
const struct checkpoint_members checkpoint_exchange_members = {exchange_member,
							       COUNT(exchange_member)};
const struct checkpoint_members checkpoint_registration_members = {registration_member,
								   COUNT(registration_member)};
