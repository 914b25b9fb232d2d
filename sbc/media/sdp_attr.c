/*
 * The attributes that sdp_write() knows. Carried: what describes media. Dropped:
 * what describes hosts, paths or software of the other side, or speaks of ports
 * that the border replaces (BUNDLE). Ours: what the border states itself.
 */
#include "sbc/media/sdp.h"

#define ATTR(name, policy)                                                                         \
	{                                                                                          \
		name, sizeof(name) - 1, policy                                                     \
	}

static const struct {
	const char *name;
	uint32_t len;
	enum sdp_attr policy;
} attrs[] = {
	/* codecs: RFC 8866 6, RFC 4585, 6236, 5506, 3556, 8285 */
	ATTR("rtpmap", SDP_ATTR_CARRY),
	ATTR("fmtp", SDP_ATTR_CARRY),
	ATTR("ptime", SDP_ATTR_CARRY),
	ATTR("maxptime", SDP_ATTR_CARRY),
	ATTR("minptime", SDP_ATTR_CARRY),
	ATTR("rtcp-fb", SDP_ATTR_CARRY),
	ATTR("rtcp-mux", SDP_ATTR_CARRY),
	ATTR("rtcp-mux-only", SDP_ATTR_CARRY),
	ATTR("rtcp-rsize", SDP_ATTR_CARRY),
	ATTR("rtcp-xr", SDP_ATTR_CARRY),
	ATTR("silenceSupp", SDP_ATTR_CARRY),
	ATTR("ecan", SDP_ATTR_CARRY),
	ATTR("gpmd", SDP_ATTR_CARRY),
	ATTR("framerate", SDP_ATTR_CARRY),
	ATTR("framesize", SDP_ATTR_CARRY),
	ATTR("quality", SDP_ATTR_CARRY),
	ATTR("imageattr", SDP_ATTR_CARRY),
	ATTR("extmap", SDP_ATTR_CARRY),
	ATTR("extmap-allow-mixed", SDP_ATTR_CARRY),
	ATTR("rid", SDP_ATTR_CARRY),
	ATTR("simulcast", SDP_ATTR_CARRY),
	/* what a line is for: RFC 8866 6, 4574, 4796, 5888 */
	ATTR("mid", SDP_ATTR_CARRY),
	ATTR("label", SDP_ATTR_CARRY),
	ATTR("content", SDP_ATTR_CARRY),
	ATTR("lang", SDP_ATTR_CARRY),
	ATTR("sdplang", SDP_ATTR_CARRY),
	ATTR("charset", SDP_ATTR_CARRY),
	ATTR("type", SDP_ATTR_CARRY),
	ATTR("orient", SDP_ATTR_CARRY),
	/* keys between the two ends: RFC 4568, 8122, 4145, 8842, 6189 */
	ATTR("crypto", SDP_ATTR_CARRY),
	ATTR("fingerprint", SDP_ATTR_CARRY),
	ATTR("setup", SDP_ATTR_CARRY),
	ATTR("connection", SDP_ATTR_CARRY),
	ATTR("tls-id", SDP_ATTR_CARRY),
	ATTR("zrtp-hash", SDP_ATTR_CARRY),
	/* preconditions: RFC 3312 */
	ATTR("curr", SDP_ATTR_CARRY),
	ATTR("des", SDP_ATTR_CARRY),
	ATTR("conf", SDP_ATTR_CARRY),
	/* floor control and data channels: RFC 8856, 8841 */
	ATTR("floorctrl", SDP_ATTR_CARRY),
	ATTR("confid", SDP_ATTR_CARRY),
	ATTR("userid", SDP_ATTR_CARRY),
	ATTR("floorid", SDP_ATTR_CARRY),
	ATTR("sctp-port", SDP_ATTR_CARRY),
	ATTR("max-message-size", SDP_ATTR_CARRY),
	/* stated by the border */
	ATTR("sendrecv", SDP_ATTR_OURS),
	ATTR("sendonly", SDP_ATTR_OURS),
	ATTR("recvonly", SDP_ATTR_OURS),
	ATTR("inactive", SDP_ATTR_OURS),
	ATTR("rtcp", SDP_ATTR_OURS),
	/* hosts and paths: RFC 8839, 8838, 3605, 4570, 6947, 4975, 7273 */
	ATTR("candidate", SDP_ATTR_DROP),
	ATTR("remote-candidates", SDP_ATTR_DROP),
	ATTR("end-of-candidates", SDP_ATTR_DROP),
	ATTR("alt", SDP_ATTR_DROP),
	ATTR("altc", SDP_ATTR_DROP),
	ATTR("source-filter", SDP_ATTR_DROP),
	ATTR("rtcp-unicast", SDP_ATTR_DROP),
	ATTR("path", SDP_ATTR_DROP),
	ATTR("msrp-cema", SDP_ATTR_DROP),
	ATTR("ts-refclk", SDP_ATTR_DROP),
	ATTR("key-mgmt", SDP_ATTR_DROP),
	ATTR("identity", SDP_ATTR_DROP),
	/* senders by name: RFC 5576, 8830 */
	ATTR("ssrc", SDP_ATTR_DROP),
	ATTR("ssrc-group", SDP_ATTR_DROP),
	ATTR("msid", SDP_ATTR_DROP),
	ATTR("msid-semantic", SDP_ATTR_DROP),
	ATTR("cname", SDP_ATTR_DROP),
	/* lines sharing a port, and other descriptions within this one: RFC 8843, 5939 */
	ATTR("group", SDP_ATTR_DROP),
	ATTR("bundle-only", SDP_ATTR_DROP),
	ATTR("acap", SDP_ATTR_DROP),
	ATTR("tcap", SDP_ATTR_DROP),
	ATTR("pcfg", SDP_ATTR_DROP),
	ATTR("acfg", SDP_ATTR_DROP),
	/* software and prose: RFC 8866 6 */
	ATTR("tool", SDP_ATTR_DROP),
	ATTR("cat", SDP_ATTR_DROP),
	ATTR("keywds", SDP_ATTR_DROP),
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
		if (name.n == attrs[i].len && slice_ieq_bytes(name.p, attrs[i].name, name.n))
			return attrs[i].policy;
	if (has_prefix(name, SLICE_LIT("T38")))
		return SDP_ATTR_CARRY;
	return has_prefix(name, SLICE_LIT("ice-")) ? SDP_ATTR_DROP : SDP_ATTR_UNKNOWN;
}
