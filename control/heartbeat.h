/*
 * heartbeat: the datagrams between the nodes of a cluster, as bytes.
 *
 * Two kinds: what a node says of itself (struct lease_heartbeat), and a SIP request
 * that a node passes to the one that holds its dialog. The layout is fixed,
 * little-endian, and ends with HMAC-SHA-256 over all before it, under a key that
 * is derived from the node key and the cluster's name. Nothing of a datagram is
 * looked at before that holds.
 *
 * Replays: each node has numbered its datagrams under its process's incarnation.
 * A datagram of the incarnation that is known counts once, by a window of 64
 * numbers. Another incarnation is believed only when the datagram echoes a number
 * that this process has sent a moment ago: a recorded one cannot. Each datagram
 * therefore says which of the other's was seen last, believed or not.
 *
 * No clock, socket or allocation here. Addresses in network order, ports in host
 * order.
 */
#ifndef CONTROL_HEARTBEAT_H
#define CONTROL_HEARTBEAT_H

#include <stddef.h>

#include "control/lease.h"
#include "sbc/base/net.h"
#include "sbc/base/siphash.h"

#define HEARTBEAT_VERSION     1u
#define HEARTBEAT_MAC         32u
#define HEARTBEAT_MAX         65507u /* of a UDP datagram's payload */
#define HEARTBEAT_HEAD        60u
#define HEARTBEAT_REQUEST_MAX (HEARTBEAT_MAX - HEARTBEAT_HEAD - 12u - HEARTBEAT_MAC)

struct heartbeat_key {
	uint8_t mac[HEARTBEAT_MAC];
};

void heartbeat_key_init(struct heartbeat_key *key, const struct siphash_key *node,
			const char *cluster);

enum heartbeat_kind { HEARTBEAT_LEASE = 1, HEARTBEAT_REQUEST = 2 };

struct heartbeat_head {
	enum heartbeat_kind kind;
	uint16_t from, to;
	uint64_t incarnation, number;
	uint64_t echo_incarnation, echo_number; /* the other's that was seen last; 0: none */
	uint64_t config; /* print of the settings that all nodes must share */
};

struct heartbeat_request {
	uint16_t group, kin;    /* instance of a realm; kin as in the snapshot */
	struct net_addr remote; /* whom it came from */
	struct slice bytes;     /* decoded: within the datagram */
};

struct heartbeat {
	struct heartbeat_head head;
	union {
		struct lease_heartbeat lease; /* from and incarnation are the head's */
		struct heartbeat_request request;
	};
};

/* Bytes written; 0 when `h` does not fit into `cap` or into a datagram. */
size_t heartbeat_encode(const struct heartbeat_key *key, const struct heartbeat *h, uint8_t *out,
			size_t cap);

/* False: not authentic, or not of this layout. Decodes whole or not at all. */
bool heartbeat_decode(const struct heartbeat_key *key, const uint8_t *data, size_t n,
		      struct heartbeat *h);

/* What is known of another node's datagrams; zeroed at first. */
struct heartbeat_peer {
	uint64_t incarnation, number, window;   /* believed: bit n: number - n has come */
	uint64_t lease_number;                  /* of the newest HEARTBEAT_LEASE taken */
	uint64_t seen_incarnation, seen_number; /* authentic, to be echoed */
	uint64_t sent;                          /* numbers given to datagrams to it */
};

/* How far back an echo may lie, in datagrams sent. */
#define HEARTBEAT_ECHO 64u

/* Whether an authentic datagram of that node is new. `self`: our incarnation. */
bool heartbeat_accept(struct heartbeat_peer *peer, uint64_t self,
		      const struct heartbeat_head *head);

/* Number and echo of the next datagram to that node. */
void heartbeat_number(struct heartbeat_peer *peer, struct heartbeat_head *head);

#endif
