/*
 * snapshot: the configuration as the engine sees it, whole and unchanging.
 *
 * Control builds one, the dataplane hands the same one to every worker, and the
 * engine only reads it. Indices (realm, listener, peer, route) are positions in
 * these arrays and are what all other interfaces pass around. Everything is
 * validated before it gets here (control/config): the engine relies on indices
 * being in range, on listeners and media ranges not overlapping on one address,
 * and on names being NUL-terminated and unique within their kind.
 */
#ifndef SBC_CORE_SNAPSHOT_H
#define SBC_CORE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/net.h"

#define SNAPSHOT_MAX_REALMS    32u
#define SNAPSHOT_MAX_LISTENERS 64u
#define SNAPSHOT_MAX_PEERS     128u
#define SNAPSHOT_MAX_ROUTES    128u
#define SNAPSHOT_MAX_GROUPS    16u
#define SNAPSHOT_MAX_DOMAINS   16u
#define SNAPSHOT_MAX_MEDIA     64u /* media addresses of a realm */
#define SNAPSHOT_NAME          32u
#define SNAPSHOT_HOST          128u
#define SNAPSHOT_NONE          UINT16_MAX

enum snapshot_trust { SNAPSHOT_UNTRUSTED, SNAPSHOT_TRUSTED };

/* Whose first media packet may lock a flow (media/flow.h). */
enum snapshot_latch {
	SNAPSHOT_LATCH_NEVER,     /* the SDP address, exactly */
	SNAPSHOT_LATCH_SIGNALLED, /* from the signalling source's IP or the SDP's */
	SNAPSHOT_LATCH_ANY        /* from anywhere: carrier-grade NAT with split pools */
};

/*
 * A group is a set of addresses that are served together, by one node at a time:
 * one instance of every realm, with its listeners, peers and routes. A call is
 * wholly within one group. A node that is no member of a cluster has one group,
 * which it always serves. All groups stand in the snapshot of every node of a
 * cluster, whoever serves them: instances of one realm have the same `kin`.
 */
struct snapshot_realm {
	char name[SNAPSHOT_NAME];
	uint16_t group; /* index */
	uint16_t kin;   /* the same number for all instances of one realm; 0: there is one only */
	enum snapshot_trust trust;
	bool nat; /* far ends may sit behind NAT: answer and call them at their source */
	enum snapshot_latch latch;
	bool carry_unknown_headers; /* else headers not known to be harmless are dropped */
	bool carry_unknown_media; /* relay media lines of unknown proto as opaque UDP, else refuse */
	bool hide_user_agent;     /* drop User-Agent and Server instead of carrying them */
	bool calls_need_registration; /* requests that begin a dialog only from registered sources */
	char domain
		[SNAPSHOT_HOST]; /* host the border puts into URIs of this side; empty: its address */
	uint32_t media_ip;       /* the realm's address; network order */
	uint16_t media_lo, media_hi; /* of each of its media addresses; host order, inclusive */
	uint16_t media_extras;       /* further addresses that media goes by */
	uint32_t media_extra[SNAPSHOT_MAX_MEDIA - 1];
	uint32_t max_calls;       /* 0: no limit but the pool */
	uint32_t max_cps;         /* new calls a second, 0: no limit */
	uint32_t media_timeout_s; /* both directions silent that long ends the call; 0: never */
	uint8_t media_dscp;
	uint8_t sip_dscp;
};

struct snapshot_listener {
	uint16_t realm;
	struct net_addr addr; /* UDP */
};

struct snapshot_peer {
	char name[SNAPSHOT_NAME];
	uint16_t realm;
	struct net_addr addr;
	char domain[SNAPSHOT_HOST]; /* host of request URI and To towards it; empty: its address */
};

enum snapshot_target { SNAPSHOT_TO_PEER, SNAPSHOT_TO_REGISTERED };

/* First route whose `from` is the request's realm and whose prefix matches wins. */
struct snapshot_route {
	uint16_t from; /* realm */
	enum snapshot_target target;
	uint16_t peer;              /* SNAPSHOT_TO_PEER */
	char prefix[SNAPSHOT_NAME]; /* of the request URI's user; empty matches all */
};

struct snapshot {
	uint64_t version;
	char node[SNAPSHOT_NAME];
	char product
		[SNAPSHOT_NAME]; /* User-Agent/Server of the border's own; empty: none is sent */
	uint16_t realms, listeners, peers, routes, domains;
	uint16_t groups; /* at least 1 */
	char group[SNAPSHOT_MAX_GROUPS][SNAPSHOT_NAME];
	struct snapshot_realm realm[SNAPSHOT_MAX_REALMS];
	struct snapshot_listener listener[SNAPSHOT_MAX_LISTENERS];
	struct snapshot_peer peer[SNAPSHOT_MAX_PEERS];
	struct snapshot_route route[SNAPSHOT_MAX_ROUTES];
	/* Host names that both sides know and that are carried as they are (example.com). */
	char domain[SNAPSHOT_MAX_DOMAINS][SNAPSHOT_HOST];
	uint32_t t1_ms, t2_ms, t4_ms; /* RFC 3261 17.1.1.1: 500, 4000, 5000 */
	uint32_t
		ring_timeout_ms; /* unanswered INVITE is cancelled: RFC 3261 16.6 timer C, > 180 s */
	uint32_t max_call_s;     /* a call is ended after that; 0: never */
	uint16_t max_forwards;   /* put in where a request has none: 70 */
	uint32_t store_deadline_ms; /* an answer waits so long for the store: 50 */
	uint32_t
		store_ttl_s; /* a checkpoint that is not put again is forgotten: 86400; see docs/state.md */
	bool forward; /* there are other nodes: ask for dialogs that are not here instead of 481 */
};

/*
 * Media addresses of a realm are numbered: 0 is the realm's own, then come the
 * further ones. All have the same range of ports.
 */
static inline uint16_t snapshot_media_count(const struct snapshot_realm *r)
{
	return (uint16_t)(1u + r->media_extras);
}

static inline uint32_t snapshot_media_ip(const struct snapshot_realm *r, uint16_t number)
{
	return number == 0 ? r->media_ip : r->media_extra[number - 1];
}

#define SNAPSHOT_MEDIA_NONE UINT8_MAX

/* The number of an address, or SNAPSHOT_MEDIA_NONE. */
static inline uint8_t snapshot_media_number(const struct snapshot_realm *r, uint32_t ip)
{
	for (uint16_t i = 0; i < snapshot_media_count(r); i++)
		if (snapshot_media_ip(r, i) == ip)
			return (uint8_t)i;
	return SNAPSHOT_MEDIA_NONE;
}

/* Whether media may come to that address; compared all at once, there being few. */
static inline bool snapshot_realm_has_ip(const struct snapshot_realm *r, uint32_t ip)
{
	uint32_t has = r->media_ip == ip; /* as wide as what is compared: several at a time */

	for (uint16_t i = 0; i < r->media_extras; i++)
		has |= r->media_extra[i] == ip;
	return has != 0;
}

/* The first listener of a realm: where requests towards that side leave from. */
uint16_t snapshot_listener_of(const struct snapshot *s, uint16_t realm);

/* The peer of that realm with that address (any port when `any_port`), or SNAPSHOT_NONE. */
uint16_t snapshot_peer_at(const struct snapshot *s, uint16_t realm, struct net_addr addr,
			  bool any_port);

/* Whether an address is one of the border's own: a listener's, or one for media. */
bool snapshot_ip_is_ours(const struct snapshot *s, uint32_t ip);

/* Whether a host is one of the border's own: such an address, or a realm's domain. */
bool snapshot_host_is_ours(const struct snapshot *s, struct slice host);

/* Whether both sides know this host name (snapshot.domain). */
bool snapshot_host_is_shared(const struct snapshot *s, struct slice host);

/* Every default that an absent setting has, in one place. */
void snapshot_defaults(struct snapshot *s);
void snapshot_realm_defaults(struct snapshot_realm *r, enum snapshot_trust trust, bool nat);

#endif
