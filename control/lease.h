/*
 * lease: who may serve a group, as a pure state machine: events and the time in,
 * actions out. No clock, socket or allocation: the daemon, the simulator and the
 * tests drive the same code. tests/model has the protocol as a Promela model.
 *
 * Never two owners. The clocks of nodes, and Redis's, may be anywhere and jump;
 * what is relied on is only that monotonic clocks run at nearly one rate (LEASE_DRIFT),
 * that Redis carries out a script whole, and, with `replicas`, that a promoted
 * replica is one of those that WAIT counted.
 *
 * In Redis, a group's lease is {owner, epoch, beat}, a node's membership {state:
 * in or out, incarnation}. Nothing of it expires by itself: Redis measures time by
 * its wall clock.
 *  - Renewing: the owner raises `beat` by a script that checks owner and epoch. It
 *    may then serve until lease_ms after it SENT that.
 *  - Claiming: a node that has SEEN owner, epoch and beat unchanged for lease_ms and
 *    a margin, by its own clock, may try; the script checks that they are still
 *    unchanged and that the claimant is a member with its incarnation, and raises the
 *    epoch. A free group (owner empty: released) is claimed at once.
 *  - Without Redis: an owner may also serve until lease_ms after it sent a heartbeat
 *    that ALL other members have answered with a grant for that group and epoch. Who
 *    granted does not claim that group for lease_ms and a margin after it RECEIVED
 *    that heartbeat. So Redis's outage alone takes no address down.
 *  - Members that are out grant nothing and cannot claim. A claim puts the node it
 *    takes from out; a node that leaves puts itself out. A node comes in by a
 *    script, and may then claim a group that has an owner only when that owner has
 *    been heard to count it as a member, or alone_ms and a margin after it came in.
 *    An owner counts as members what it read last; it relies on somebody being out
 *    for at most alone_ms after that reading.
 *  - An owner that learns of a higher epoch of its group, from Redis or from a
 *    heartbeat, stops at once.
 * Serving ends by the clock, in the workers (dp_group_until()), not by anything
 * that this code does in time.
 */
#ifndef CONTROL_LEASE_H
#define CONTROL_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#define LEASE_MAX_NODES  16u
#define LEASE_MAX_GROUPS 16u
#define LEASE_NONE       UINT16_MAX

struct lease_conf {
	uint16_t nodes, self, groups;
	uint16_t home[LEASE_MAX_GROUPS];
	uint32_t lease_ms, alone_ms;
	bool give_back; /* an owner that is not home gives back by itself */
	uint32_t give_back_after_ms;
	uint64_t incarnation; /* of this process: random, never 0 */
};

/* What a node says of itself to every other, about every lease_ms / 6. */
struct lease_heartbeat {
	uint16_t from;
	uint64_t incarnation, seq;
	bool leaving, ready;              /* drains; has read all it may have to take */
	uint16_t members;                 /* bit n: counts node n as a member */
	uint64_t epoch[LEASE_MAX_GROUPS]; /* of the groups it serves; 0: does not */
	uint16_t wants[LEASE_MAX_GROUPS]; /* node that it would give the group to; LEASE_NONE */
	/* grants: what it has heard last of each node: incarnation and seq (0: nothing), and
	 * the groups (bit g) that it grants as they stood in that heartbeat */
	struct {
		uint64_t incarnation, seq;
		uint16_t groups;
	} grant[LEASE_MAX_NODES];
};

enum lease_action_type {
	LEASE_SEND,    /* `heartbeat` to `node` */
	LEASE_RENEW,   /* script: group, epoch, beat */
	LEASE_READ,    /* script: all groups and members */
	LEASE_CLAIM,   /* script: group; checks owner, epoch, beat; takes `node` out if it had it */
	LEASE_RELEASE, /* script: group, epoch; and names `node` as who should have it */
	LEASE_JOIN,    /* script: self is in, with its incarnation */
	LEASE_LEAVE,   /* script: self is out */
	LEASE_SERVE,   /* group may be served until `until_ms`, under `epoch` */
	LEASE_PREPARE, /* group will probably be claimed soon: restore it now */
	LEASE_TAKEN, /* the claim of group has succeeded: finish restoring, then lease_restored() */
	LEASE_STOP,  /* group is not served any more; why: enum lease_stop */
	LEASE_YIELD  /* stop serving group, write what is owed, then lease_yielded() */
};

enum lease_stop { LEASE_STOP_LOST, LEASE_STOP_EXPIRED, LEASE_STOP_RELEASED };

struct lease_action {
	enum lease_action_type type;
	uint16_t group, node;
	uint64_t epoch, beat, until_ms, ref; /* ref: given back with the reply */
	enum lease_stop why;
	struct lease_heartbeat heartbeat;
};

#define LEASE_MAX_ACTIONS (4u * LEASE_MAX_GROUPS + LEASE_MAX_NODES + 4u)
struct lease_out {
	uint32_t count;
	struct lease_action action[LEASE_MAX_ACTIONS];
};

/* What Redis said to a script. `ok` false: it was not answered, or with an error. */
struct lease_reply {
	enum lease_action_type type; /* RENEW, READ, CLAIM, RELEASE, JOIN, LEAVE */
	uint64_t ref;
	bool ok, done; /* done: the script did what was asked, else only reports */
	struct {
		uint16_t owner, heir; /* LEASE_NONE: free; nobody named */
		uint64_t epoch, beat;
	} group[LEASE_MAX_GROUPS];
	struct {
		bool in;
		uint64_t incarnation;
	} node[LEASE_MAX_NODES];
};

enum lease_view_state { LEASE_OTHERS, LEASE_FREE, LEASE_TAKING, LEASE_MINE, LEASE_YIELDING };
struct lease_view { /* for people */
	enum lease_view_state state;
	uint16_t owner, next; /* next: who would take it; LEASE_NONE */
	uint64_t epoch, until_ms;
	bool by_redis, by_grants; /* MINE: what it rests on now */
};
struct lease_node_view {
	bool in, heard, ready, leaving;
	uint64_t heard_ms;
};

struct lease {
	struct lease_conf conf;
	uint64_t opaque[512]; /* lease_internal.h */
};

void lease_init(struct lease *l, const struct lease_conf *conf, uint64_t now);

/* All of these clear `out` first. `now`: monotonic ms, never going back. */
void lease_tick(struct lease *l, uint64_t now, struct lease_out *out); /* every 5 to 20 ms */
void lease_heard(struct lease *l, uint64_t now, const struct lease_heartbeat *h,
		 struct lease_out *out);
void lease_replied(struct lease *l, uint64_t now, const struct lease_reply *r,
		   struct lease_out *out);
/* The state of a prepared or taken group is in the workers: it may be served. */
void lease_restored(struct lease *l, uint64_t now, uint16_t group, struct lease_out *out);
/* A group that was to be yielded is not served and all it owed is written. */
void lease_yielded(struct lease *l, uint64_t now, uint16_t group, struct lease_out *out);
/* This node has copies of everything it may have to take. */
void lease_ready(struct lease *l, bool ready);
/* Give everything away, and take nothing; or, `drain` false, take part again. */
void lease_drain(struct lease *l, bool drain);
bool lease_is_drained(const struct lease *l);
/* An operator's: give a group to a node, if that is ready. */
bool lease_move(struct lease *l, uint16_t group, uint16_t node);

void lease_view_read(const struct lease *l, uint64_t now, uint16_t group, struct lease_view *v);
void lease_node_view_read(const struct lease *l, uint64_t now, uint16_t node,
			  struct lease_node_view *v);

#endif
