/*
 * lease: who may serve a group, as a pure state machine: events and the time in,
 * actions out. No clock, socket or allocation: the daemon, the simulator and the
 * tests drive the same code. docs/leases.md argues why it is safe, tests/model has
 * it as a Promela model, control/lease_scripts.h the scripts that it asks for.
 *
 * Never two owners. Wall clocks, and Redis's, may be anywhere and jump; what is
 * relied on is only that monotonic clocks run at nearly one rate (LEASE_DRIFT),
 * that Redis carries out a script whole, and that there is one Redis at a time:
 * a failover or a restart may lose the writes of the last loss_ms, or all, but what was
 * lost does not come back. With `replicas` a reply counts only when WAIT has counted them.
 *
 * In Redis, a group's lease is {owner, epoch, beat, heir}, a node's membership {in or
 * out, token}. Nothing of it expires by itself: Redis measures time by its wall clock.
 * Epochs are minted by the claimant, above all it has seen; their low bits are
 * the node's, so that no two nodes ever mint the same.
 *  - Renewing: the owner raises `beat` by a script that checks owner and epoch. It
 *    may then serve until lease_ms after it SENT that.
 *  - An ownership that has ended by the clock never goes on: the node has to claim anew.
 *  - Claiming: a node that has SEEN owner, epoch and beat unchanged for lease_wait()
 *    by its own clock, over one connection, may try; the script checks that they are
 *    still unchanged and that the claimant is in with its token, and raises the
 *    epoch. A free group (owner empty: released) is claimed at once when the
 *    connection is as old as that. A record that is missing may have been lost: it
 *    is claimed like another's, when the condition below holds for every other node.
 *  - Without Redis: an owner may also serve until lease_ms after it SENT a heartbeat
 *    that ALL other members have answered with a grant for that group. Who granted
 *    does not claim that group for lease_wait() after it RECEIVED that heartbeat, and
 *    who has a claim under way that was not answered does not grant. So Redis's outage
 *    alone takes no address down.
 *  - Members that are out cannot claim, and an owner does without their grants. A claim
 *    puts the node it takes from out when that is not heard; a node that leaves puts
 *    itself out. A node comes in with a new token by a script, and may then claim a
 *    group from an owner only lease_wait() after that has been heard to count this
 *    token as a member, or alone_ms and a margin after it came in (or, when later, after
 *    the connection was made). It takes a new token after any of its groups was lost or
 *    has expired, and after a claim of which it does not know what became: an old
 *    claim that is carried out late finds another token.
 *  - An owner counts as members what it has read to be in. It does without the others
 *    when it has read for loss_ms that they are out and the group its own, for at most
 *    alone_ms from sending the last such reading; else it needs their grants too.
 *    It puts out a member that has no group and was silent for alone_ms; having been
 *    counted is good for half of that after the owner was heard last.
 *  - An owner that learns that its group has another owner with a higher epoch, from
 *    Redis or from a heartbeat, stops at once. One that finds a lower one in Redis
 *    (writes were lost), or hears that there was a higher one, claims again at once,
 *    without ceasing to serve.
 * Serving ends by the clock, in the workers (dp_group_until()), not by anything
 * that this code does in time.
 *
 * Handing over: the owner's heartbeats name the heir (`wants`); the heir prepares
 * (LEASE_PREPARE, lease_restored()) and says so (`prepared`); the owner yields
 * (LEASE_YIELD, lease_yielded(); until then it may serve, by LEASE_SERVE as before),
 * releases to the heir and says so at once; the heir
 * reads, claims, is told LEASE_TAKEN, and serves.
 */
#ifndef CONTROL_LEASE_H
#define CONTROL_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEASE_MAX_NODES  16u
#define LEASE_MAX_GROUPS 16u
#define LEASE_NONE       UINT16_MAX
#define LEASE_STRANGER   (UINT16_MAX - 1u) /* an owner that the configuration does not have */
#define LEASE_MARGIN_MS  10u
#define LEASE_LOSS_MS    5000u

/* Two monotonic clocks differ in rate by less than 1 / LEASE_DRIFT. */
#define LEASE_DRIFT 64u

/* How long a promise to who has `ms` is kept, and a silence lasts, by one's own clock. */
static inline uint64_t lease_wait(uint32_t ms)
{
	return ms + (ms + LEASE_DRIFT - 1) / LEASE_DRIFT + LEASE_MARGIN_MS;
}

struct lease_conf {
	uint16_t nodes, self, groups;
	uint16_t home[LEASE_MAX_GROUPS];
	uint32_t lease_ms, alone_ms;
	uint32_t loss_ms; /* 0: LEASE_LOSS_MS */
	bool give_back;   /* an owner that is not home gives back by itself */
	uint32_t give_back_after_ms;
	uint64_t incarnation; /* of this process: random, never 0 */
};

/* What a node says of itself to every other, the same to all, about every lease_ms / 6. */
struct lease_heartbeat {
	uint16_t from;
	uint64_t incarnation, seq;
	bool leaving, ready;              /* drains; has read all it may have to take */
	uint16_t prepared;                /* bit g: the state of group g is in its workers */
	uint64_t member[LEASE_MAX_NODES]; /* token of each node that it counts as a member; 0 */
	uint64_t epoch[LEASE_MAX_GROUPS]; /* of the groups it serves; 0: does not */
	uint64_t known[LEASE_MAX_GROUPS]; /* highest that it has seen anywhere */
	uint16_t wants[LEASE_MAX_GROUPS]; /* node that it would give the group to; LEASE_NONE */
	/* grants: what it has heard last of each node: incarnation and seq (0: nothing), and
	 * the groups (bit g) that it grants as they stood in that heartbeat */
	struct {
		uint64_t incarnation, seq;
		uint16_t groups;
	} grant[LEASE_MAX_NODES];
};

enum lease_action_type {
	LEASE_SEND,  /* `heartbeat` to all other nodes */
	LEASE_RENEW, /* script: group, epoch */
	LEASE_READ,  /* script */
	LEASE_CLAIM, /* script: group, node, epoch, beat (as they must be), next_epoch, token, out */
	LEASE_RELEASE, /* script: group, epoch; and names `node` as who should have it */
	LEASE_JOIN,    /* script: self is in, with `token` */
	LEASE_LEAVE,   /* script: `node` is out, if it has `token` */
	LEASE_SERVE,   /* group may be served until `until_ms`, under `epoch` (which may change) */
	LEASE_PREPARE, /* group will probably be claimed soon: restore it, then lease_restored() */
	LEASE_FORGET,  /* a prepared group is another's: its state may go */
	LEASE_TAKEN,   /* group was claimed: finish restoring, then lease_restored() (again) */
	LEASE_STOP,    /* group, taken or served, is not ours any more; why: enum lease_stop */
	LEASE_YIELD    /* write what group owes, stop serving it, write the rest, lease_yielded() */
};

enum lease_stop { LEASE_STOP_LOST, LEASE_STOP_EXPIRED, LEASE_STOP_RELEASED };

/*
 * Actions are carried out in their order, at once: a script goes out on the connection
 * that lease_connected() was last called for, or is answered with ok false.
 */
struct lease_action {
	enum lease_action_type type;
	uint16_t group, node; /* LEASE_NONE: nobody */
	bool out;             /* CLAIM: also put `node` out, whatever its token */
	uint64_t epoch, beat, next_epoch, token, until_ms;
	uint64_t ref; /* given back with the reply */
	enum lease_stop why;
};

#define LEASE_MAX_ACTIONS (6u * LEASE_MAX_GROUPS + 8u)
struct lease_out {
	uint32_t count;
	struct lease_action action[LEASE_MAX_ACTIONS];
	struct lease_heartbeat heartbeat; /* of LEASE_SEND: at most one an event */
};

/* What Redis said to a script, each of which ends by reporting everything. */
struct lease_reply {
	uint64_t ref;
	bool ok;   /* false: not sent, not answered, an error, or too few replicas have it */
	bool done; /* the script did what was asked, else it only reports */
	struct {
		uint16_t owner, heir; /* LEASE_NONE: free, nobody named; LEASE_STRANGER */
		uint64_t epoch, beat; /* 0, 0: there is no record */
	} group[LEASE_MAX_GROUPS];
	struct {
		bool in;
		uint64_t token; /* 0: there is no record */
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

/* The counter within an epoch, for people. */
static inline uint64_t lease_epoch_count(uint64_t epoch)
{
	return epoch / LEASE_MAX_NODES;
}

struct lease;

/* Bytes of a struct lease, for the caller to allocate, aligned as for malloc(). */
size_t lease_size(void);
void lease_init(struct lease *l, const struct lease_conf *conf, uint64_t now);

/*
 * All of these clear `out` first, and stop what has expired before anything else.
 * `now`: monotonic ms, never going back, read immediately before the call.
 */
void lease_tick(struct lease *l, uint64_t now, struct lease_out *out); /* every 5 to 20 ms */
/* Authentic, from the address that the configuration gives its sender, and not a replay. */
void lease_heard(struct lease *l, uint64_t now, const struct lease_heartbeat *h,
		 struct lease_out *out);
/* A connection to Redis is up; or it is lost, and all its scripts are unanswered. */
void lease_connected(struct lease *l, uint64_t now, bool up, struct lease_out *out);
void lease_replied(struct lease *l, uint64_t now, const struct lease_reply *r,
		   struct lease_out *out);
/* The state of a prepared or taken group is in the workers: answers the latest PREPARE or TAKEN. */
void lease_restored(struct lease *l, uint64_t now, uint16_t group, struct lease_out *out);
/* A group that was to be yielded is not served and all it owed is written. */
void lease_yielded(struct lease *l, uint64_t now, uint16_t group, struct lease_out *out);
/* This node has copies of everything it may have to take. */
void lease_ready(struct lease *l, bool ready);
/* Give everything away, and take nothing; or, `drain` false, take part again. */
void lease_drain(struct lease *l, bool drain);
/* Drains, and does not wait for heirs: what nobody is ready to take is released to anyone. */
void lease_abandon(struct lease *l);
bool lease_is_drained(const struct lease *l); /* has nothing, and has left */
/* An operator's: give a group to a node, if that is in and ready. False: it is not, or not ours. */
bool lease_move(struct lease *l, uint64_t now, uint16_t group, uint16_t node);
/* Another process runs as this node: this one serves nothing and takes nothing, for good. */
bool lease_is_doubled(const struct lease *l);

void lease_view_read(const struct lease *l, uint64_t now, uint16_t group, struct lease_view *v);
void lease_node_view_read(const struct lease *l, uint64_t now, uint16_t node,
			  struct lease_node_view *v);

#endif
