/*
 * sdp: RFC 4566/8866 session descriptions, read as line indices and written anew.
 *
 * sdp_parse() accepts what phones really send (LF line ends, missing final line
 * end, blank lines, missing o=, s= or t=, several spaces) and bounds everything.
 * It refuses control characters, which another reader might take for a line end.
 * A connection that is not an IPv4 address (IP6, a host name) is no error of the
 * description: its media line has conn.is_ip4 false and cannot be relayed.
 * sdp_write() constructs the
 * description for the other side: it never edits the original, so that what is
 * not known to be safe does not get through. Of the original it carries the
 * media lines' formats and those attributes that describe media, not hosts
 * (sdp_attr_policy()); o=, s=, c=, ports, rtcp are the border's own; i=, u=, e=,
 * p=, z=, k=, r= and ICE candidates are not carried. Of o= nothing is read.
 */
#ifndef SBC_MEDIA_SDP_H
#define SBC_MEDIA_SDP_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/err.h"
#include "sbc/base/net.h"
#include "sbc/base/slice.h"
#include "sbc/base/wbuf.h"

#define SDP_MAX_MEDIA 8u
#define SDP_MAX_LINES 256u
#define SDP_MAX_LINE  2048u /* bytes of a value; longer ones have overrun phones' buffers */

enum sdp_direction { SDP_SENDRECV = 0, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

/* What may be done with a media line, from its proto field. */
enum sdp_proto {
	SDP_PROTO_RTP,    /* RTP/AVP, RTP/AVPF, RTP/SAVP, RTP/SAVPF, UDP/TLS/RTP/SAVP(F) */
	SDP_PROTO_UDP,    /* udptl, UDP/..., anything else known to run over UDP: relayed opaque */
	SDP_PROTO_STREAM, /* TCP/...: cannot be relayed */
	SDP_PROTO_UNKNOWN
};

/* What sdp_write() does with an attribute name. */
enum sdp_attr { SDP_ATTR_CARRY, SDP_ATTR_DROP, SDP_ATTR_OURS, SDP_ATTR_UNKNOWN };

struct sdp_line {
	uint32_t at; /* of the value, behind '=', in sdp.body */
	uint16_t n;  /* of the value */
	char type;
	uint8_t attr; /* enum sdp_attr: of an a= line its name's, of others SDP_ATTR_DROP */
};

/* c= of RFC 4566 5.7. */
struct sdp_conn {
	bool present;
	bool is_ip4;
	uint32_t ip; /* network order; 0.0.0.0 is the old way to hold (RFC 3264 8.4) */
};

struct sdp_media {
	struct slice type; /* "audio" */
	uint16_t port;     /* 0: rejected (RFC 3264 6) */
	uint16_t port_count;
	struct slice proto_name;
	enum sdp_proto proto;
	struct slice formats; /* of RTP: numbers 0 to 127; what else is there makes it SBC_EBAD */
	bool plain; /* no format doubled, one SP from proto on: may be written as it stands */
	struct sdp_conn conn; /* own, or the session's */
	/*
	 * Own, or the session's, or sendrecv. The old hold (conn.ip 0.0.0.0) is told
	 * here too, as sendonly or inactive: the other side is never shown 0.0.0.0.
	 */
	enum sdp_direction direction;
	uint16_t rtcp_port;              /* a=rtcp (RFC 3605), or port + 1 */
	uint32_t rtcp_ip;                /* a=rtcp's address, or conn's */
	bool rtcp_mux;                   /* a=rtcp-mux (RFC 5761) */
	uint32_t clock_rate;             /* of the first format, 8000 when unknown */
	uint16_t first_line, line_count; /* lines after m=, in sdp.line */
};

struct sdp {
	struct slice body;
	bool crlf; /* no line but the last ends in anything else */
	struct sdp_conn conn;
	enum sdp_direction direction;
	uint16_t session_lines; /* lines before the first m= */
	uint16_t lines;
	uint8_t media_count;
	struct sdp_media media[SDP_MAX_MEDIA];
	struct sdp_line line[SDP_MAX_LINES];
};

/* SBC_OK, SBC_EBAD (not SDP) or SBC_ELIMIT. Slices point into `body`. */
enum sbc_err sdp_parse(struct sdp *d, struct slice body);

static inline struct slice sdp_line_value(const struct sdp *d, const struct sdp_line *line)
{
	return slice_of(d->body.p + line->at, line->n);
}

/* What the border puts in for one media line. */
struct sdp_out_media {
	bool refuse;        /* port 0 */
	uint16_t port;      /* host order */
	uint16_t rtcp_port; /* written as a=rtcp when it is not port + 1 */
	uint32_t ip;        /* where it is received; 0: at the session's c= */
};

struct sdp_out {
	uint64_t session_id;
	uint64_t session_version;
	uint32_t ip;        /* network order: the border's address on the other side, for o= */
	uint32_t media_ip;  /* for c=; 0: the same */
	bool carry_unknown; /* attributes that are not known to describe media only */
	struct sdp_out_media media[SDP_MAX_MEDIA];
};

/*
 * SBC_OK, or SBC_EFULL when `w` has no room. A media line that is refused here, or
 * was in the original (port 0), is written with port 0 and without attributes.
 * Doubled formats are written once; b= lines and t= only when well-formed.
 */
enum sbc_err sdp_write(struct wbuf *w, const struct sdp *d, const struct sdp_out *out);

/*
 * Whether two descriptions that we would write differ but for the version: a
 * hash over what sdp_write() writes without o= (RFC 3264 8: the version is
 * raised exactly when the description changes).
 */
uint64_t sdp_fingerprint(struct slice written);

/* Of a name, whatever its case. */
enum sdp_attr sdp_attr_policy(struct slice name);

#endif
