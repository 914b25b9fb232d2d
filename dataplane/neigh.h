/*
 * neigh: the Ethernet addresses of on-link hosts (RFC 826), for all workers.
 *
 * One table, one writer: worker 0 handles every ARP packet and all timers;
 * the others only look up, without locks (each entry is a sequence lock over
 * atomics), and ask the writer by message to resolve what they miss.
 *
 * Whom we believe: an answer to a request of ours that is outstanding, and the
 * sender of a request for one of our addresses when we know nothing better. An
 * entry that is known is never overwritten by a claim: a contradicting one,
 * gratuitous or not, only makes us ask the old address at once; when that stays
 * silent the next hop is resolved anew by broadcast. So a host that moved is
 * followed within seconds, and a stranger on the link cannot divert a live one.
 *
 * An address of ours that another node serves moves more often than hosts do: who
 * is known to have it is asked only once, and for NEIGH_MOVED_MS.
 *
 * An entry is asked again after NEIGH_FRESH_MS, by unicast first and in use
 * meanwhile; unused for NEIGH_UNUSED_MS it is forgotten.
 */
#ifndef DATAPLANE_NEIGH_H
#define DATAPLANE_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

#include "sbc/base/siphash.h"

#define NEIGH_ENTRIES   4096u
#define NEIGH_WINDOW    16u /* entries that a key may be in */
#define NEIGH_TRIES     3u
#define NEIGH_RETRY_MS  1000u /* RFC 1122 2.3.2.1: at most one request a second */
#define NEIGH_FRESH_MS  60000u
#define NEIGH_UNUSED_MS 300000u
#define NEIGH_FAILED_MS 2000u
/* One of our own addresses that another node has: asked once, so long, after a claim. */
#define NEIGH_MOVED_MS 100u

enum neigh_state {
	NEIGH_NONE,
	NEIGH_INCOMPLETE,
	NEIGH_REACHABLE,
	NEIGH_PROBING, /* usable, and being asked by unicast */
	NEIGH_FAILED
};

struct neigh_entry {
	/* Atomics. */
	uint32_t seq;     /* odd while the writer is at it */
	uint32_t used_ms; /* last look-up, low bits of the clock */
	uint64_t key;     /* port + 1, ip; 0: free */
	uint64_t value;   /* mac << 16 | state */
	uint64_t since;   /* ms of the last change */
	/* The writer's. */
	uint64_t next;
	uint32_t tries;
};

struct neigh_table {
	struct siphash_key hash;
	uint32_t tick;
	uint64_t restless; /* the writer's: until then some entry is being asked, or given up */
	struct neigh_entry entry[NEIGH_ENTRIES];
};

/* Any thread. `mac` is set for REACHABLE and PROBING. */
enum neigh_state neigh_lookup(struct neigh_table *t, uint16_t port, uint32_t ip, uint64_t now,
			      uint8_t mac[6]);

/* An entry as found while walking; false for a free one. Any thread. */
struct neigh_view {
	uint16_t port;
	uint32_t ip;
	enum neigh_state state;
	uint8_t mac[6];
};
bool neigh_view(const struct neigh_table *t, uint32_t index, struct neigh_view *view);

/* Since when an entry is in its state, in ms. Any thread. */
uint32_t neigh_age(const struct neigh_table *t, uint32_t index, uint64_t now);

/* ---- the writer's ---- */

struct worker;

/* Resolves, sending a request when none is outstanding; false: no room. */
bool neigh_want(struct worker *w, uint16_t port, uint32_t ip);

/* A reply to us. False when we had not asked, or have asked for another. */
bool neigh_answered(struct worker *w, uint16_t port, uint32_t ip, const uint8_t mac[6]);

/* The sender of a request for an address of ours. */
void neigh_heard(struct worker *w, uint16_t port, uint32_t ip, const uint8_t mac[6]);

/* Someone claims to be `ip`, unasked. */
void neigh_claimed(struct worker *w, uint16_t port, uint32_t ip, const uint8_t mac[6]);

/* As if it had never been known. */
void neigh_forget(struct worker *w, uint16_t port, uint32_t ip);

/* Ages a part of the table, as much as is due after so many ms: all of it in 128 ms. */
void neigh_tick(struct worker *w, uint64_t elapsed);

/* When it is to be called at the latest; UINT64_MAX: nobody is asked, it can wait. */
uint64_t neigh_due(const struct worker *w);

#endif
