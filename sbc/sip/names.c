#include "sbc/sip/names.h"

/* X(id, canonical, lower case, length, first, middle [length / 2] and last letter) */
/* clang-format off */
#define NAMES(X) \
	X(VIA, "Via", "via", 3, 'v', 'i', 'a') \
	X(FROM, "From", "from", 4, 'f', 'o', 'm') \
	X(TO, "To", "to", 2, 't', 'o', 'o') \
	X(CALL_ID, "Call-ID", "call-id", 7, 'c', 'l', 'd') \
	X(CSEQ, "CSeq", "cseq", 4, 'c', 'e', 'q') \
	X(CONTACT, "Contact", "contact", 7, 'c', 't', 't') \
	X(MAX_FORWARDS, "Max-Forwards", "max-forwards", 12, 'm', 'r', 's') \
	X(ROUTE, "Route", "route", 5, 'r', 'u', 'e') \
	X(RECORD_ROUTE, "Record-Route", "record-route", 12, 'r', '-', 'e') \
	X(CONTENT_LENGTH, "Content-Length", "content-length", 14, 'c', '-', 'h') \
	X(CONTENT_TYPE, "Content-Type", "content-type", 12, 'c', 't', 'e') \
	X(CONTENT_ENCODING, "Content-Encoding", "content-encoding", 16, 'c', 'e', 'g') \
	X(CONTENT_DISPOSITION, "Content-Disposition", "content-disposition", 19, 'c', 'i', 'n') \
	X(CONTENT_LANGUAGE, "Content-Language", "content-language", 16, 'c', 'l', 'e') \
	X(MIME_VERSION, "MIME-Version", "mime-version", 12, 'm', 'e', 'n') \
	X(EXPIRES, "Expires", "expires", 7, 'e', 'i', 's') \
	X(MIN_EXPIRES, "Min-Expires", "min-expires", 11, 'm', 'x', 's') \
	X(REQUIRE, "Require", "require", 7, 'r', 'u', 'e') \
	X(PROXY_REQUIRE, "Proxy-Require", "proxy-require", 13, 'p', 'r', 'e') \
	X(SUPPORTED, "Supported", "supported", 9, 's', 'o', 'd') \
	X(UNSUPPORTED, "Unsupported", "unsupported", 11, 'u', 'p', 'd') \
	X(ALLOW, "Allow", "allow", 5, 'a', 'l', 'w') \
	X(ACCEPT, "Accept", "accept", 6, 'a', 'e', 't') \
	X(ACCEPT_ENCODING, "Accept-Encoding", "accept-encoding", 15, 'a', 'e', 'g') \
	X(ACCEPT_LANGUAGE, "Accept-Language", "accept-language", 15, 'a', 'l', 'e') \
	X(USER_AGENT, "User-Agent", "user-agent", 10, 'u', 'a', 't') \
	X(SERVER, "Server", "server", 6, 's', 'v', 'r') \
	X(ORGANIZATION, "Organization", "organization", 12, 'o', 'z', 'n') \
	X(WARNING, "Warning", "warning", 7, 'w', 'n', 'g') \
	X(REASON, "Reason", "reason", 6, 'r', 's', 'n') \
	X(RETRY_AFTER, "Retry-After", "retry-after", 11, 'r', '-', 'r') \
	X(DATE, "Date", "date", 4, 'd', 't', 'e') \
	X(TIMESTAMP, "Timestamp", "timestamp", 9, 't', 's', 'p') \
	X(SUBJECT, "Subject", "subject", 7, 's', 'j', 't') \
	X(PRIORITY, "Priority", "priority", 8, 'p', 'r', 'y') \
	X(AUTHORIZATION, "Authorization", "authorization", 13, 'a', 'i', 'n') \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", "proxy-authorization", 19, 'p', 'h', 'n') \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", "www-authenticate", 16, 'w', 'e', 'e') \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", "proxy-authenticate", 18, 'p', 'h', 'e') \
	X(AUTHENTICATION_INFO, "Authentication-Info", "authentication-info", 19, 'a', 'a', 'o') \
	X(PRIVACY, "Privacy", "privacy", 7, 'p', 'v', 'y') \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", "p-asserted-identity", 19, 'p', 'd', 'y') \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", "p-preferred-identity", 20, 'p', 'd', 'y') \
	X(REMOTE_PARTY_ID, "Remote-Party-ID", "remote-party-id", 15, 'r', 'p', 'd') \
	X(DIVERSION, "Diversion", "diversion", 9, 'd', 'r', 'n') \
	X(HISTORY_INFO, "History-Info", "history-info", 12, 'h', 'y', 'o') \
	X(REFER_TO, "Refer-To", "refer-to", 8, 'r', 'r', 'o') \
	X(REFERRED_BY, "Referred-By", "referred-by", 11, 'r', 'r', 'y') \
	X(REPLACES, "Replaces", "replaces", 8, 'r', 'a', 's') \
	X(REPLY_TO, "Reply-To", "reply-to", 8, 'r', 'y', 'o') \
	X(CALL_INFO, "Call-Info", "call-info", 9, 'c', '-', 'o') \
	X(ALERT_INFO, "Alert-Info", "alert-info", 10, 'a', '-', 'o') \
	X(ERROR_INFO, "Error-Info", "error-info", 10, 'e', '-', 'o') \
	X(IN_REPLY_TO, "In-Reply-To", "in-reply-to", 11, 'i', 'p', 'o') \
	X(PATH, "Path", "path", 4, 'p', 't', 'h') \
	X(SERVICE_ROUTE, "Service-Route", "service-route", 13, 's', 'e', 'e') \
	X(RACK, "RAck", "rack", 4, 'r', 'c', 'k') \
	X(RSEQ, "RSeq", "rseq", 4, 'r', 'e', 'q') \
	X(SESSION_EXPIRES, "Session-Expires", "session-expires", 15, 's', '-', 's') \
	X(MIN_SE, "Min-SE", "min-se", 6, 'm', '-', 'e') \
	X(EVENT, "Event", "event", 5, 'e', 'e', 't') \
	X(ALLOW_EVENTS, "Allow-Events", "allow-events", 12, 'a', 'e', 's') \
	X(SUBSCRIPTION_STATE, "Subscription-State", "subscription-state", 18, 's', 'i', 'e') \
	X(INFO_PACKAGE, "Info-Package", "info-package", 12, 'i', 'a', 'e') \
	X(RECV_INFO, "Recv-Info", "recv-info", 9, 'r', '-', 'o') \
	X(SIP_ETAG, "SIP-ETag", "sip-etag", 8, 's', 'e', 'g') \
	X(SIP_IF_MATCH, "SIP-If-Match", "sip-if-match", 12, 's', '-', 'h') \
	X(MAX_BREADTH, "Max-Breadth", "max-breadth", 11, 'm', 'r', 'h') \
	X(JOIN, "Join", "join", 4, 'j', 'i', 'n') \
	X(GEOLOCATION, "Geolocation", "geolocation", 11, 'g', 'c', 'n') \
	X(IDENTITY, "Identity", "identity", 8, 'i', 't', 'y') \
	X(USER_TO_USER, "User-to-User", "user-to-user", 12, 'u', 'o', 'r') \
	X(SESSION_ID, "Session-ID", "session-id", 10, 's', 'o', 'd')
/* clang-format on */

/* Two names with one slot would be an initialiser overridden, which is an error. */
const uint8_t sip_name_slot[256] = {
#define X(id, name, lower, len, first, mid, last)                                                  \
	[SIP_NAME_SLOT(len, first, mid, last)] = SIP_HDR_##id,
	NAMES(X)
#undef X
};

const struct sip_name sip_name_table[SIP_HDR_COUNT] = {
#define X(id, name, lower, len, first, mid, last) [SIP_HDR_##id] = {lower ":", len, SIP_HDR_##id},
	NAMES(X)
#undef X
};

static const struct slice canonical[SIP_HDR_COUNT] = {
#define X(id, name, lower, len, first, mid, last) [SIP_HDR_##id] = {name, len},
	NAMES(X)
#undef X
};

/*
 * RFC 3261 7.3.3 and the extensions' own: i m e l c f s k t v; o u (RFC 6665),
 * r (3515), b (3892), x (4028), y (8224).
 */
const uint8_t sip_name_compact[32] = {
	['i' & 31] = SIP_HDR_CALL_ID,
	['m' & 31] = SIP_HDR_CONTACT,
	['e' & 31] = SIP_HDR_CONTENT_ENCODING,
	['l' & 31] = SIP_HDR_CONTENT_LENGTH,
	['c' & 31] = SIP_HDR_CONTENT_TYPE,
	['f' & 31] = SIP_HDR_FROM,
	['s' & 31] = SIP_HDR_SUBJECT,
	['k' & 31] = SIP_HDR_SUPPORTED,
	['t' & 31] = SIP_HDR_TO,
	['v' & 31] = SIP_HDR_VIA,
	['o' & 31] = SIP_HDR_EVENT,
	['u' & 31] = SIP_HDR_ALLOW_EVENTS,
	['r' & 31] = SIP_HDR_REFER_TO,
	['b' & 31] = SIP_HDR_REFERRED_BY,
	['x' & 31] = SIP_HDR_SESSION_EXPIRES,
	['y' & 31] = SIP_HDR_IDENTITY,
};

enum sip_hdr sip_hdr_parse(struct slice name)
{
	return sip_name_find(name.p, name.n, name.n);
}

struct slice sip_hdr_name(enum sip_hdr id)
{
	return canonical[id];
}

/* A constant initialiser, which SLICE_LIT (a compound literal) is not for every compiler. */
#define M(s)                                                                                       \
	{                                                                                          \
		s, sizeof(s) - 1                                                                   \
	}

static const struct slice methods[SIP_METHOD_COUNT] = {
	[SIP_INVITE] = M("INVITE"),
	[SIP_ACK] = M("ACK"),
	[SIP_BYE] = M("BYE"),
	[SIP_CANCEL] = M("CANCEL"),
	[SIP_OPTIONS] = M("OPTIONS"),
	[SIP_REGISTER] = M("REGISTER"),
	[SIP_PRACK] = M("PRACK"),
	[SIP_UPDATE] = M("UPDATE"),
	[SIP_INFO] = M("INFO"),
	[SIP_MESSAGE] = M("MESSAGE"),
	[SIP_SUBSCRIBE] = M("SUBSCRIBE"),
	[SIP_NOTIFY] = M("NOTIFY"),
	[SIP_REFER] = M("REFER"),
	[SIP_PUBLISH] = M("PUBLISH"),
};

/* Methods by their first letter: no letter begins more than two. */
static const uint8_t by_letter[32][2] = {
	['I' & 31] = {SIP_INVITE, SIP_INFO},     ['A' & 31] = {SIP_ACK, SIP_ACK},
	['B' & 31] = {SIP_BYE, SIP_BYE},         ['C' & 31] = {SIP_CANCEL, SIP_CANCEL},
	['O' & 31] = {SIP_OPTIONS, SIP_OPTIONS}, ['R' & 31] = {SIP_REGISTER, SIP_REFER},
	['P' & 31] = {SIP_PRACK, SIP_PUBLISH},   ['U' & 31] = {SIP_UPDATE, SIP_UPDATE},
	['M' & 31] = {SIP_MESSAGE, SIP_MESSAGE}, ['S' & 31] = {SIP_SUBSCRIBE, SIP_SUBSCRIBE},
	['N' & 31] = {SIP_NOTIFY, SIP_NOTIFY},
};

enum sip_method sip_method_parse(struct slice name)
{
	if (!name.n)
		return SIP_METHOD_OTHER;
	const uint8_t *two = by_letter[*name.p & 31];

	if (slice_eq(name, methods[two[0]]))
		return two[0];
	return slice_eq(name, methods[two[1]]) ? two[1] : SIP_METHOD_OTHER;
}

struct slice sip_method_name(enum sip_method m)
{
	return methods[m];
}
