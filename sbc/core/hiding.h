/*
 * hiding: a message of one side rewritten for the other, so that nothing in it
 * describes the side it came from.
 *
 * Every header is decided by one table (hiding_policy()): ours (the border
 * writes its own: Via, From, To, Call-ID, CSeq, Contact, Route, Max-Forwards,
 * Content-Length ...), carried (describes neither side), filtered (Supported,
 * Require, Allow: only what the border serves), hosts (URIs keep their user,
 * the host becomes the border's: P-Asserted-Identity, Diversion ...), dropped.
 * Headers without an entry are dropped unless the destination's realm carries
 * unknown headers. Reason phrases are RFC 3261's own. Output is an edit list
 * over the original, written once.
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
	HIDING_CARRY,
	HIDING_FILTER,
	HIDING_HOSTS,
	HIDING_DROP,
	HIDING_UNKNOWN
};

/* What is done with a header that goes from one realm to another. */
enum hiding_action hiding_policy(enum sip_hdr id, const struct snapshot_realm *from,
				 const struct snapshot_realm *to);

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
	struct slice rack; /* PRACK */
	struct slice body; /* instead of the original's; Content-Type is the original's */
	bool drop_body;    /* no body at all, and no Content-* */
};

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
	struct slice body;
	bool drop_body;
};

enum sbc_err hiding_write_response(struct wbuf *w, const struct sip_msg *m,
				   const struct hiding_response *r);

/*
 * A From/To/identity value for the other side: the display name and user are
 * kept, host, port and URI parameters become `host`, header parameters go.
 * Shared domains (snapshot.domain) stay. tel: URIs have no host and stay; any
 * other scheme becomes sip:anonymous@`host`. No tag is written.
 */
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

/* Option tags the border serves between two sides: what Require may ask (8.2.2.3). */
bool hiding_serves_option(struct slice tag);

/*
 * Writes the option tags of Require/Proxy-Require that are not served,
 * comma-separated; nothing when all are.
 */
void hiding_unsupported_write(struct wbuf *w, const struct sip_msg *m);

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
