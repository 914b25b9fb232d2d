#include "sbc/media/sdp_attr.h"

/*
 * The attributes that sdp_write() knows. Carried: what describes media. Dropped:
 * what describes hosts, paths or software of the other side, or speaks of ports
 * that the border replaces (BUNDLE). Ours: what the border states itself.
 *
 * X(lower case, length, first, second and last but one letter, policy, kind)
 */
/* clang-format off */
#define ATTRS(X) \
	/* codecs: RFC 8866 6, RFC 4585, 6236, 5506, 3556, 8285 */ \
	X("rtpmap", 6, 'r', 't', 'a', CARRY, RTPMAP) \
	X("fmtp", 4, 'f', 'm', 't', CARRY, OTHER) \
	X("ptime", 5, 'p', 't', 'm', CARRY, OTHER) \
	X("maxptime", 8, 'm', 'a', 'm', CARRY, OTHER) \
	X("minptime", 8, 'm', 'i', 'm', CARRY, OTHER) \
	X("rtcp-fb", 7, 'r', 't', 'f', CARRY, OTHER) \
	X("rtcp-mux", 8, 'r', 't', 'u', CARRY, RTCP_MUX) \
	X("rtcp-mux-only", 13, 'r', 't', 'l', CARRY, OTHER) \
	X("rtcp-rsize", 10, 'r', 't', 'z', CARRY, OTHER) \
	X("rtcp-xr", 7, 'r', 't', 'x', CARRY, OTHER) \
	X("silencesupp", 11, 's', 'i', 'p', CARRY, OTHER) \
	X("ecan", 4, 'e', 'c', 'a', CARRY, OTHER) \
	X("gpmd", 4, 'g', 'p', 'm', CARRY, OTHER) \
	X("framerate", 9, 'f', 'r', 't', CARRY, OTHER) \
	X("framesize", 9, 'f', 'r', 'z', CARRY, OTHER) \
	X("quality", 7, 'q', 'u', 't', CARRY, OTHER) \
	X("imageattr", 9, 'i', 'm', 't', CARRY, OTHER) \
	X("extmap", 6, 'e', 'x', 'a', CARRY, OTHER) \
	X("extmap-allow-mixed", 18, 'e', 'x', 'e', CARRY, OTHER) \
	X("rid", 3, 'r', 'i', 'i', CARRY, OTHER) \
	X("simulcast", 9, 's', 'i', 's', CARRY, OTHER) \
	/* what a line is for: RFC 8866 6, 4574, 4796, 5888 */ \
	X("mid", 3, 'm', 'i', 'i', CARRY, OTHER) \
	X("label", 5, 'l', 'a', 'e', CARRY, OTHER) \
	X("content", 7, 'c', 'o', 'n', CARRY, OTHER) \
	X("lang", 4, 'l', 'a', 'n', CARRY, OTHER) \
	X("sdplang", 7, 's', 'd', 'n', CARRY, OTHER) \
	X("charset", 7, 'c', 'h', 'e', CARRY, OTHER) \
	X("type", 4, 't', 'y', 'p', CARRY, OTHER) \
	X("orient", 6, 'o', 'r', 'n', CARRY, OTHER) \
	/* keys between the two ends: RFC 4568, 8122, 4145, 8842, 6189 */ \
	X("crypto", 6, 'c', 'r', 't', CARRY, OTHER) \
	X("fingerprint", 11, 'f', 'i', 'n', CARRY, OTHER) \
	X("setup", 5, 's', 'e', 'u', CARRY, OTHER) \
	X("connection", 10, 'c', 'o', 'o', CARRY, OTHER) \
	X("tls-id", 6, 't', 'l', 'i', CARRY, OTHER) \
	X("zrtp-hash", 9, 'z', 'r', 's', CARRY, OTHER) \
	/* preconditions: RFC 3312 */ \
	X("curr", 4, 'c', 'u', 'r', CARRY, OTHER) \
	X("des", 3, 'd', 'e', 'e', CARRY, OTHER) \
	X("conf", 4, 'c', 'o', 'n', CARRY, OTHER) \
	/* floor control and data channels: RFC 8856, 8841 */ \
	X("floorctrl", 9, 'f', 'l', 'r', CARRY, OTHER) \
	X("confid", 6, 'c', 'o', 'i', CARRY, OTHER) \
	X("userid", 6, 'u', 's', 'i', CARRY, OTHER) \
	X("floorid", 7, 'f', 'l', 'i', CARRY, OTHER) \
	X("sctp-port", 9, 's', 'c', 'r', CARRY, OTHER) \
	X("max-message-size", 16, 'm', 'a', 'z', CARRY, OTHER) \
	/* stated by the border */ \
	X("sendrecv", 8, 's', 'e', 'c', OURS, SENDRECV) \
	X("sendonly", 8, 's', 'e', 'l', OURS, SENDONLY) \
	X("recvonly", 8, 'r', 'e', 'l', OURS, RECVONLY) \
	X("inactive", 8, 'i', 'n', 'v', OURS, INACTIVE) \
	X("rtcp", 4, 'r', 't', 'c', OURS, RTCP) \
	/* hosts and paths: RFC 8839, 8838, 3605, 4570, 6947, 4975, 7273 */ \
	X("candidate", 9, 'c', 'a', 't', DROP, OTHER) \
	X("remote-candidates", 17, 'r', 'e', 'e', DROP, OTHER) \
	X("end-of-candidates", 17, 'e', 'n', 'e', DROP, OTHER) \
	X("alt", 3, 'a', 'l', 'l', DROP, OTHER) \
	X("altc", 4, 'a', 'l', 't', DROP, OTHER) \
	X("source-filter", 13, 's', 'o', 'e', DROP, OTHER) \
	X("rtcp-unicast", 12, 'r', 't', 's', DROP, OTHER) \
	X("path", 4, 'p', 'a', 't', DROP, OTHER) \
	X("msrp-cema", 9, 'm', 's', 'm', DROP, OTHER) \
	X("ts-refclk", 9, 't', 's', 'l', DROP, OTHER) \
	X("key-mgmt", 8, 'k', 'e', 'm', DROP, OTHER) \
	X("identity", 8, 'i', 'd', 't', DROP, OTHER) \
	/* senders by name: RFC 5576, 8830 */ \
	X("ssrc", 4, 's', 's', 'r', DROP, OTHER) \
	X("ssrc-group", 10, 's', 's', 'u', DROP, OTHER) \
	X("msid", 4, 'm', 's', 'i', DROP, OTHER) \
	X("msid-semantic", 13, 'm', 's', 'i', DROP, OTHER) \
	X("cname", 5, 'c', 'n', 'm', DROP, OTHER) \
	/* lines sharing a port, and other descriptions within this one: RFC 8843, 5939 */ \
	X("group", 5, 'g', 'r', 'u', DROP, OTHER) \
	X("bundle-only", 11, 'b', 'u', 'l', DROP, OTHER) \
	X("acap", 4, 'a', 'c', 'a', DROP, OTHER) \
	X("tcap", 4, 't', 'c', 'a', DROP, OTHER) \
	X("pcfg", 4, 'p', 'c', 'f', DROP, OTHER) \
	X("acfg", 4, 'a', 'c', 'f', DROP, OTHER) \
	/* software and prose: RFC 8866 6 */ \
	X("tool", 4, 't', 'o', 'o', DROP, OTHER) \
	X("cat", 3, 'c', 'a', 'a', DROP, OTHER) \
	X("keywds", 6, 'k', 'e', 'd', DROP, OTHER)
/* clang-format on */

/* Two names with one slot would be an initialiser overridden, which is an error. */
const struct sdp_attr_name sdp_attr_name[256] = {
#define X(name, len, first, second, before_last, policy, kind)                                     \
	[SDP_ATTR_SLOT(len, SDP_ATTR_TWO(first, second), before_last)] = {                         \
		name, len, SDP_ATTR_##policy, SDP_KIND_##kind},
	ATTRS(X)
#undef X
};

static bool has_prefix(struct slice name, struct slice prefix)
{
	return name.n >= prefix.n && slice_ieq(slice_of(name.p, prefix.n), prefix);
}

/*
 * Names are compared without case: RFC 8866 has them as they are written, but
 * phones do not, and "Candidate" must not get through as unknown.
 */
static const struct sdp_attr_name *find(struct slice name)
{
	static const struct sdp_attr_name unknown = {.policy = SDP_ATTR_UNKNOWN},
					  fax = {.policy = SDP_ATTR_CARRY},
					  ice = {.policy = SDP_ATTR_DROP};

	if (name.n >= 2 && name.n < sizeof(unknown.lower)) {
		const struct sdp_attr_name *known = &sdp_attr_name[SDP_ATTR_SLOT(
			name.n, SDP_ATTR_TWO(name.p[0], name.p[1]), (uint8_t)name.p[name.n - 2])];

		if (known->len == name.n && slice_ieq_bytes(name.p, known->lower, name.n))
			return known;
	}
	if (has_prefix(name, SLICE_LIT("T38")))
		return &fax;
	return has_prefix(name, SLICE_LIT("ice-")) ? &ice : &unknown;
}

enum sdp_attr sdp_attr_policy(struct slice name)
{
	return find(slice_trim(name))->policy;
}

/* A name with a space in it is none: "candidate 1 ..." is not carried as unknown. */
struct sdp_attr_read sdp_attr_read_any(struct slice line)
{
	const int32_t colon = slice_find(line, ':');
	const struct slice name = colon < 0 ? line : slice_of(line.p, (uint32_t)colon);

	if (name.n == 0 || slice_find(name, ' ') >= 0 || slice_find(name, '\t') >= 0)
		return (struct sdp_attr_read){name.n, SDP_ATTR_DROP, SDP_KIND_OTHER};
	const struct sdp_attr_name *found = find(name);

	return (struct sdp_attr_read){name.n, found->policy, found->kind};
}
