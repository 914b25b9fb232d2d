/*
 * The table that decides every header, one group after another, and why.
 * docs/hiding.md says the same for the reader of a trace.
 */
#include "sbc/core/hiding_internal.h"

#define OURS                                                                                       \
	{                                                                                          \
		HIDING_KIND_OURS, NULL, NULL                                                       \
	}
#define DROP                                                                                       \
	{                                                                                          \
		HIDING_KIND_DROP, NULL, NULL                                                       \
	}
#define CARRY(c)                                                                                   \
	{                                                                                          \
		HIDING_KIND_CARRY, hiding_check_##c, NULL                                          \
	}
#define FILTER(f)                                                                                  \
	{                                                                                          \
		HIDING_KIND_FILTER, NULL, hiding_filter_##f                                        \
	}
#define HOSTS(kind)                                                                                \
	{                                                                                          \
		HIDING_KIND_##kind, NULL, hiding_filter_addresses                                  \
	}

const struct hiding_rule hiding_rules[SIP_HDR_COUNT] = {
	[SIP_HDR_OTHER] = {HIDING_KIND_EXTENSION, NULL, NULL},

	/* Dialog and path: each side has its own (RFC 3261 12, 16.6, 18.1; RFC 3262 7). */
	[SIP_HDR_VIA] = OURS,
	[SIP_HDR_FROM] = OURS,
	[SIP_HDR_TO] = OURS,
	[SIP_HDR_CALL_ID] = OURS,
	[SIP_HDR_CSEQ] = OURS,
	[SIP_HDR_CONTACT] = OURS,
	[SIP_HDR_MAX_FORWARDS] = OURS,
	[SIP_HDR_ROUTE] = OURS,
	[SIP_HDR_RECORD_ROUTE] = OURS,
	[SIP_HDR_CONTENT_LENGTH] = OURS,
	[SIP_HDR_RACK] = OURS,
	[SIP_HDR_RSEQ] = OURS,

	/*
	 * The path of registrations and what names other dialogs by the Call-IDs and
	 * tags of one side: RFC 3327, RFC 3608, RFC 3891, RFC 3911, RFC 3261 20.21.
	 */
	[SIP_HDR_PATH] = DROP,
	[SIP_HDR_SERVICE_ROUTE] = DROP,
	[SIP_HDR_REPLACES] = DROP,
	[SIP_HDR_JOIN] = DROP,
	[SIP_HDR_IN_REPLY_TO] = DROP,

	/* Body: described anew, when one leaves. An encoded one is not let in. */
	[SIP_HDR_CONTENT_TYPE] = FILTER(content_type),
	[SIP_HDR_CONTENT_DISPOSITION] = FILTER(with_params),
	[SIP_HDR_CONTENT_LANGUAGE] = CARRY(language),
	[SIP_HDR_MIME_VERSION] = CARRY(version),
	[SIP_HDR_CONTENT_ENCODING] = DROP,

	/* Numbers (RFC 3261 20, RFC 4028, RFC 5393). */
	[SIP_HDR_EXPIRES] = CARRY(number),
	[SIP_HDR_MIN_EXPIRES] = CARRY(number),
	[SIP_HDR_MIN_SE] = CARRY(number),
	[SIP_HDR_MAX_BREADTH] = CARRY(number),
	[SIP_HDR_SESSION_EXPIRES] = FILTER(with_params),
	[SIP_HDR_DATE] = CARRY(date),
	[SIP_HDR_TIMESTAMP] = {HIDING_KIND_CARRY, hiding_timestamp_ok, NULL},

	/*
	 * What an end can do: only what the border serves between two ends may be
	 * offered to either, or the far end would use what cannot cross. Nothing is
	 * lost by the absence of Accept-Encoding: it means identity (RFC 3261 20.2).
	 * Allow-Events offers subscriptions, which are not served.
	 */
	[SIP_HDR_REQUIRE] = FILTER(options),
	[SIP_HDR_PROXY_REQUIRE] = FILTER(options),
	[SIP_HDR_SUPPORTED] = FILTER(options),
	[SIP_HDR_UNSUPPORTED] = FILTER(options),
	[SIP_HDR_ALLOW] = FILTER(methods),
	[SIP_HDR_ACCEPT] = FILTER(accept),
	[SIP_HDR_ACCEPT_ENCODING] = DROP,
	[SIP_HDR_ACCEPT_LANGUAGE] = CARRY(language),
	[SIP_HDR_ALLOW_EVENTS] = DROP,
	[SIP_HDR_EVENT] = FILTER(with_params),
	[SIP_HDR_SUBSCRIPTION_STATE] = FILTER(with_params),
	[SIP_HDR_INFO_PACKAGE] = FILTER(words),
	[SIP_HDR_RECV_INFO] = FILTER(words),

	/* Entity tags belong to a server that PUBLISH would reach: not served (RFC 3903). */
	[SIP_HDR_SIP_ETAG] = DROP,
	[SIP_HDR_SIP_IF_MATCH] = DROP,

	/* Software, by the setting of the side it runs on (RFC 3261 26.3.1 on Server). */
	[SIP_HDR_USER_AGENT] = {HIDING_KIND_AGENT, hiding_check_agent, NULL},
	[SIP_HDR_SERVER] = {HIDING_KIND_AGENT, hiding_check_agent, NULL},

	/*
	 * Free text, and URIs of one side that the other could not reach or should
	 * not (RFC 3261 20.5, 20.9, 20.18, 20.25, 20.36, 24.4). Of Alert-Info the URNs
	 * of RFC 7462 are words and stay.
	 */
	[SIP_HDR_ORGANIZATION] = DROP,
	[SIP_HDR_SUBJECT] = DROP,
	[SIP_HDR_CALL_INFO] = DROP,
	[SIP_HDR_ERROR_INFO] = DROP,
	[SIP_HDR_ALERT_INFO] = FILTER(alert),

	/* Words and causes; free text in them goes (RFC 3261 20, RFC 3326, RFC 7433, RFC 7989). */
	[SIP_HDR_PRIORITY] = FILTER(words),
	[SIP_HDR_WARNING] = FILTER(warning),
	[SIP_HDR_REASON] = FILTER(reason),
	[SIP_HDR_RETRY_AFTER] = FILTER(retry),
	[SIP_HDR_PRIVACY] = FILTER(privacy),
	[SIP_HDR_USER_TO_USER] = FILTER(uui),
	[SIP_HDR_SESSION_ID] = FILTER(session_id),

	/* End-to-end by design (RFC 3261 22.1): the far end computes with them. */
	[SIP_HDR_AUTHORIZATION] = FILTER(digest),
	[SIP_HDR_PROXY_AUTHORIZATION] = FILTER(digest),
	[SIP_HDR_WWW_AUTHENTICATE] = FILTER(digest),
	[SIP_HDR_PROXY_AUTHENTICATE] = FILTER(digest),
	[SIP_HDR_AUTHENTICATION_INFO] = FILTER(digest),

	/*
	 * Who somebody is. What a network asserts is taken from a trusted side only
	 * (RFC 3325 5, RFC 5806, RFC 7044), what a phone prefers goes to a trusted
	 * side only (RFC 3325 9.2), what it says about others is its own word.
	 */
	[SIP_HDR_P_ASSERTED_IDENTITY] = HOSTS(ASSERTED),
	[SIP_HDR_REMOTE_PARTY_ID] = HOSTS(ASSERTED),
	[SIP_HDR_DIVERSION] = HOSTS(ASSERTED),
	[SIP_HDR_HISTORY_INFO] = HOSTS(ASSERTED),
	[SIP_HDR_P_PREFERRED_IDENTITY] = HOSTS(PREFERRED),
	[SIP_HDR_REFER_TO] = HOSTS(HOSTS),
	[SIP_HDR_REFERRED_BY] = HOSTS(HOSTS),
	[SIP_HDR_REPLY_TO] = HOSTS(HOSTS),

	/*
	 * Where somebody is, and a signature over what has been rewritten, with the
	 * URL of the signer's certificate (RFC 6442, RFC 8224).
	 */
	[SIP_HDR_GEOLOCATION] = DROP,
	[SIP_HDR_IDENTITY] = DROP,
};

enum hiding_action hiding_policy(enum sip_hdr id, const struct snapshot_realm *from,
				 const struct snapshot_realm *to)
{
	uint8_t action[HIDING_KINDS];

	hiding_actions(action, from, to);
	return (enum hiding_action)action[hiding_rule_of(id)->kind];
}

bool hiding_serves_method(enum sip_method method)
{
	switch (method) {
	case SIP_INVITE:
	case SIP_ACK:
	case SIP_CANCEL:
	case SIP_BYE:
	case SIP_OPTIONS:
	case SIP_REGISTER:
	case SIP_PRACK:
	case SIP_UPDATE:
	case SIP_INFO:
	case SIP_MESSAGE:
		return true;
	default:
		return false;
	}
}

bool hiding_serves_option(struct slice tag)
{
	/* RFC 4028, RFC 3262, RFC 3323: all three work between two ends of a B2BUA. */
	return slice_ieq(tag, SLICE_LIT("timer")) || slice_ieq(tag, SLICE_LIT("100rel")) ||
	       slice_ieq(tag, SLICE_LIT("privacy"));
}

static void unsupported_write(struct wbuf *w, const struct sip_msg *m, enum sip_hdr id,
			      uint32_t from)
{
	for (uint8_t i = m->first[id]; i != SIP_NO_ENTRY; i = sip_msg_next(m, i)) {
		struct slice rest = sip_entry_value(m, i), tag;

		while (wire_next_token(&rest, &tag)) {
			if (hiding_serves_option(tag))
				continue;
			if (w->n != from)
				wbuf_lit(w, ", ");
			wbuf_put(w, tag);
		}
	}
}

void hiding_unsupported_write(struct wbuf *w, const struct sip_msg *m)
{
	uint32_t from = w->n;

	unsupported_write(w, m, SIP_HDR_REQUIRE, from);
	unsupported_write(w, m, SIP_HDR_PROXY_REQUIRE, from);
}
