/*
 * The attributes that sdp_write() knows. Carried: what describes media. Dropped:
 * what describes hosts, paths or software of the other side, or speaks of ports
 * that the border replaces (BUNDLE). Ours: what the border states itself.
 */
#include "sbc/media/sdp.h"

static const struct {
	const char *name;
	enum sdp_attr policy;
} attrs[] = {
	/* codecs: RFC 8866 6, RFC 4585, 6236, 5506, 3556, 8285 */
	{"rtpmap", SDP_ATTR_CARRY},
	{"fmtp", SDP_ATTR_CARRY},
	{"ptime", SDP_ATTR_CARRY},
	{"maxptime", SDP_ATTR_CARRY},
	{"minptime", SDP_ATTR_CARRY},
	{"rtcp-fb", SDP_ATTR_CARRY},
	{"rtcp-mux", SDP_ATTR_CARRY},
	{"rtcp-mux-only", SDP_ATTR_CARRY},
	{"rtcp-rsize", SDP_ATTR_CARRY},
	{"rtcp-xr", SDP_ATTR_CARRY},
	{"silenceSupp", SDP_ATTR_CARRY},
	{"ecan", SDP_ATTR_CARRY},
	{"gpmd", SDP_ATTR_CARRY},
	{"framerate", SDP_ATTR_CARRY},
	{"framesize", SDP_ATTR_CARRY},
	{"quality", SDP_ATTR_CARRY},
	{"imageattr", SDP_ATTR_CARRY},
	{"extmap", SDP_ATTR_CARRY},
	{"extmap-allow-mixed", SDP_ATTR_CARRY},
	{"rid", SDP_ATTR_CARRY},
	{"simulcast", SDP_ATTR_CARRY},
	/* what a line is for: RFC 8866 6, 4574, 4796, 5888 */
	{"mid", SDP_ATTR_CARRY},
	{"label", SDP_ATTR_CARRY},
	{"content", SDP_ATTR_CARRY},
	{"lang", SDP_ATTR_CARRY},
	{"sdplang", SDP_ATTR_CARRY},
	{"charset", SDP_ATTR_CARRY},
	{"type", SDP_ATTR_CARRY},
	{"orient", SDP_ATTR_CARRY},
	/* keys between the two ends: RFC 4568, 8122, 4145, 8842, 6189 */
	{"crypto", SDP_ATTR_CARRY},
	{"fingerprint", SDP_ATTR_CARRY},
	{"setup", SDP_ATTR_CARRY},
	{"connection", SDP_ATTR_CARRY},
	{"tls-id", SDP_ATTR_CARRY},
	{"zrtp-hash", SDP_ATTR_CARRY},
	/* preconditions: RFC 3312 */
	{"curr", SDP_ATTR_CARRY},
	{"des", SDP_ATTR_CARRY},
	{"conf", SDP_ATTR_CARRY},
	/* floor control and data channels: RFC 8856, 8841 */
	{"floorctrl", SDP_ATTR_CARRY},
	{"confid", SDP_ATTR_CARRY},
	{"userid", SDP_ATTR_CARRY},
	{"floorid", SDP_ATTR_CARRY},
	{"sctp-port", SDP_ATTR_CARRY},
	{"max-message-size", SDP_ATTR_CARRY},
	/* stated by the border */
	{"sendrecv", SDP_ATTR_OURS},
	{"sendonly", SDP_ATTR_OURS},
	{"recvonly", SDP_ATTR_OURS},
	{"inactive", SDP_ATTR_OURS},
	{"rtcp", SDP_ATTR_OURS},
	/* hosts and paths: RFC 8839, 8838, 3605, 4570, 6947, 4975, 7273 */
	{"candidate", SDP_ATTR_DROP},
	{"remote-candidates", SDP_ATTR_DROP},
	{"end-of-candidates", SDP_ATTR_DROP},
	{"alt", SDP_ATTR_DROP},
	{"altc", SDP_ATTR_DROP},
	{"source-filter", SDP_ATTR_DROP},
	{"rtcp-unicast", SDP_ATTR_DROP},
	{"path", SDP_ATTR_DROP},
	{"msrp-cema", SDP_ATTR_DROP},
	{"ts-refclk", SDP_ATTR_DROP},
	{"key-mgmt", SDP_ATTR_DROP},
	{"identity", SDP_ATTR_DROP},
	/* senders by name: RFC 5576, 8830 */
	{"ssrc", SDP_ATTR_DROP},
	{"ssrc-group", SDP_ATTR_DROP},
	{"msid", SDP_ATTR_DROP},
	{"msid-semantic", SDP_ATTR_DROP},
	{"cname", SDP_ATTR_DROP},
	/* lines sharing a port, and other descriptions within this one: RFC 8843, 5939 */
	{"group", SDP_ATTR_DROP},
	{"bundle-only", SDP_ATTR_DROP},
	{"acap", SDP_ATTR_DROP},
	{"tcap", SDP_ATTR_DROP},
	{"pcfg", SDP_ATTR_DROP},
	{"acfg", SDP_ATTR_DROP},
	/* software and prose: RFC 8866 6 */
	{"tool", SDP_ATTR_DROP},
	{"cat", SDP_ATTR_DROP},
	{"keywds", SDP_ATTR_DROP},
};

static bool has_prefix(struct slice name, struct slice prefix)
{
	return name.n >= prefix.n && slice_ieq(slice_of(name.p, prefix.n), prefix);
}

/*
 * Names are compared without case: RFC 8866 has them as they are written, but
 * phones do not, and "Candidate" must not get through as unknown.
 */
enum sdp_attr sdp_attr_policy(struct slice name)
{
	name = slice_trim(name);
	for (uint32_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++)
		if (slice_ieq(name, slice_str(attrs[i].name)))
			return attrs[i].policy;
	if (has_prefix(name, SLICE_LIT("T38")))
		return SDP_ATTR_CARRY;
	return has_prefix(name, SLICE_LIT("ice-")) ? SDP_ATTR_DROP : SDP_ATTR_UNKNOWN;
}
