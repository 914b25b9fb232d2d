/*
 * hiding: a message of one side rewritten for the other, so that nothing in it
 * describes the side it came from.
 *
 * Every header is decided by one table (hiding_policy()): ours (the border
 * writes its own: Via, From, To, Call-ID, CSeq, Contact, Route, Max-Forwards,
 * Content-Length ...), carried (a number or word that describes neither side,
 * and only when it is well-formed), filtered (rebuilt from what is known:
 * Supported, Require, Allow, credentials ...), hosts (URIs keep their user, the
 * host becomes the border's: P-Asserted-Identity, Diversion ...), dropped.
 * Headers without an entry are dropped unless the destination's realm carries
 * unknown headers. Reason phrases are RFC 3261's own. Output is written in one
 * pass over the original; docs/hiding.md explains each header.
 *
 * Identity headers cross by RFC 3325: from an untrusted side they are dropped,
 * to an untrusted side they go only when Privacy does not ask for "id".
 *
 * Not hidden, because the far end computes with them (RFC 3261 22, RFC 8760):
 * digest credentials and challenges; `domain` of a challenge is dropped.
 */
#ifndef SBC_CORE_HIDING_H
#define SBC_CORE_HIDING_H

#include "sbc/base/err.h"
#include "sbc/base/wbuf.h"
#include "sbc/core/snapshot.h"
#include "sbc/sip/addr.h"
#include "sbc/sip/msg.h"

enum hiding_action {
	HIDING_OURS,
	HIDING_DROP,
	HIDING_CARRY,
	HIDING_FILTER,
	HIDING_HOSTS,
	HIDING_UNKNOWN
};

/*
 * What is done with a header that goes from one realm to another. HIDING_UNKNOWN:
 * the destination carries unknown headers, see hiding_carries_unknown().
 */
enum hiding_action hiding_policy(enum sip_hdr id, const struct snapshot_realm *from,
				 const struct snapshot_realm *to);

/*
 * Whether a header that the table does not know may go to a realm that carries
 * unknown ones, by its name alone: headers that exist to describe a network
 * (P-Charging-Vector, Target-Dialog, Security-Server ...) may not. The value is
 * judged too when a message is written: it must not repeat an identifier or host
 * of its own message.
 */
bool hiding_carries_unknown(struct slice name);

/* All slices are values as they shall stand on the wire; empty: the line is left out. */
struct hiding_request {
	const struct snapshot *snap;
	uint16_t from_realm, to_realm;
	uint16_t listener; /* of the destination: Via's sent-by */
	struct slice request_uri;
	struct slice branch;   /* with magic cookie */
	struct slice from, to; /* with tags */
	struct slice call_id;
	uint32_t cseq;
	struct slice contact;
	struct slice route; /* whole value, comma-separated */
	uint32_t max_forwards;
	struct slice rack;  /* PRACK */
	struct slice extra; /* whole header lines */
	/*
	 * Instead of the original's body; Content-Type is the original's, or
	 * application/sdp where that is missing. Empty: the original's body, if
	 * hiding_carries_body() (a session description is never carried).
	 */
	struct slice body;
	bool drop_body; /* no body at all, and no Content-* */
};

/*
 * SBC_OK, or SBC_EFULL when `w` had no room while the message was composed, or too
 * much of it was changed: the message is refused (REASON_SIP_OUT_FULL). Nothing may
 * be read from `w` then.
 */
enum sbc_err hiding_write_request(struct wbuf *w, const struct sip_msg *m,
				  const struct hiding_request *r);

struct hiding_response {
	const struct snapshot *snap;
	uint16_t from_realm, to_realm;
	struct slice head; /* reply head of the request being answered */
	uint16_t status;   /* may differ from the original's */
	struct slice to_tag;
	struct slice contact;
	struct slice rseq;  /* 1xx sent reliably: our own RSeq; empty: RSeq and Require 100rel go */
	struct slice extra; /* whole header lines */
	struct slice body;  /* as in hiding_request */
	bool drop_body;
};

enum sbc_err hiding_write_response(struct wbuf *w, const struct sip_msg *m,
				   const struct hiding_response *r);

/*
 * A From/To/identity value for the other side: the display name and user are
 * kept, host, port and URI parameters become `host`, header parameters go.
 * Shared domains (snapshot.domain) stay. sips: becomes sip:, as the border
 * speaks UDP on the other side. tel: URIs stay, but a local number whose
 * phone-context is a foreign domain becomes sip:number@`host`;user=phone. Any
 * other scheme becomes sip:anonymous@`host`. No tag is written.
 *
 * What stands before the '@' is for people and dial plans and is kept, except
 * where it plainly names a host: an escaped '@' and all behind it is cut, a user
 * that holds an IPv4 address, an address in brackets or its own URI's host name
 * becomes "anonymous", and a display name that does is left out. So is one that
 * is no well-formed display name, or longer than HIDING_TEXT_MAX.
 */
#define HIDING_TEXT_MAX 256u
void hiding_identity_write(struct wbuf *w, const struct snapshot *snap, struct slice value,
			   struct slice host);

/* The same for a bare URI (request URI). */
void hiding_uri_write(struct wbuf *w, const struct snapshot *snap, struct slice uri,
		      struct slice host);

/*
 * The host that stands for the border on a realm's side (its domain or its
 * listener's address, with the port when it is not 5060), and for a peer.
 */
void hiding_realm_host(struct wbuf *w, const struct snapshot *snap, uint16_t realm);
void hiding_peer_host(struct wbuf *w, const struct snapshot *snap, uint16_t peer);

/* Methods the border serves at all; others get 405 with Allow: reply_allow (or 501). */
bool hiding_serves_method(enum sip_method method);

/* Option tags the border serves between two sides: what Require may ask (8.2.2.3). */
bool hiding_serves_option(struct slice tag);

/*
 * Writes the option tags of Require/Proxy-Require that are not served,
 * comma-separated; nothing when all are.
 */
void hiding_unsupported_write(struct wbuf *w, const struct sip_msg *m);

/* Whether a Content-Type value is application/sdp: the body is rewritten by media/sdp. */
bool hiding_is_sdp(struct slice content_type);

/*
 * Whether a body of this Content-Type may cross: a session description, which
 * is written anew, or a type that holds nothing of a network and is carried byte
 * by byte. False for an empty value.
 */
bool hiding_carries_body(struct slice content_type);

/*
 * Whether this message's body may cross, if it has one: its type, and no
 * Content-Encoding but identity. A request whose body may not is answered 415
 * with Accept: hiding_accept (REASON_SIP_MEDIA_TYPE); a response loses it.
 */
bool hiding_carries_body_of(const struct sip_msg *m);

/* The types of hiding_carries_body(), for Accept. */
extern const char *const hiding_accept;

/* RFC 3261 20.38: digits and dots, nothing else. */
bool hiding_timestamp_ok(struct slice value);

/* Requests of the border's own in a dialog: BYE, ACK, and re-INVITE without a model. */
struct hiding_own_request {
	const struct snapshot *snap;
	uint16_t listener;
	enum sip_method method;
	struct slice request_uri, branch, from, to, call_id, contact, route;
	uint32_t cseq;
	struct slice extra; /* whole header lines */
	struct slice content_type, body;
};

void hiding_own_request_write(struct wbuf *w, const struct hiding_own_request *r);

#endif
