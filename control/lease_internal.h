/*
 * What the files of the lease protocol share (control/lease.h).
 *
 * lease.c: events and time; lease_reply.c: what Redis says; lease_valid.c: how
 * long a group may be served; lease_claim.c: who may take what, and when;
 * lease_hand.c: giving away.
 */
#ifndef CONTROL_LEASE_INTERNAL_H
#define CONTROL_LEASE_INTERNAL_H

#include "control/lease.h"

#define LEASE_SENT        64u /* heartbeats whose sending is remembered */
#define LEASE_CALM        10u /* lease times that an owner is well before copies are forgotten */
#define LEASE_DOUBLED     3u  /* tokens of strangers under our name, within LEASE_DOUBLED_MS */
#define LEASE_DOUBLED_OWN 6u  /* the same, for a process that has a group */
#define LEASE_DOUBLED_MS  60000u

/* A script that was sent and not answered; ref 0: none. */
struct lease_call {
	uint64_t ref, sent, epoch;
};

enum lease_counted { LEASE_UNREAD, LEASE_COUNTED, LEASE_OUT };

struct lease_node {
	enum lease_counted counted;
	uint64_t token;     /* read last */
	uint64_t out_first; /* LEASE_OUT: sending of the first... */
	uint64_t out_since; /* ...and the latest of the readings in a row that said so */
	uint64_t counts_us; /* since when it has been heard to count our token; 0: it has not */
	uint64_t incarnation, seq, heard_ms;
	uint64_t well_since; /* in, heard, ready and staying; 0: it is not */
	bool leaving, ready;
	uint16_t prepared, serves, wants_us, grants; /* groups; grants: that we grant it */
};

struct lease_group {
	/* the record, as read over this connection */
	bool seen;
	uint16_t owner, heir;
	uint64_t epoch, beat, since; /* since: when this was first received */
	uint16_t before;             /* the latest owner that was read; LEASE_NONE */

	uint64_t known;          /* highest epoch seen anywhere */
	uint64_t minted;         /* by us last, for claims that may have failed */
	uint64_t promised;       /* not claimed before: a grant was given... */
	uint64_t promised_epoch; /* ...to this */
	uint64_t owner_heard;    /* when its owner was heard to serve it */
	bool preparing, present; /* PREPARE or TAKEN was said; and lease_restored() */
	uint64_t calm;           /* preparing: since when there is no need; 0 */

	/* ours: TAKING, MINE, YIELDING; else OTHERS */
	enum lease_view_state state;
	uint64_t own;                       /* our epoch... */
	uint64_t own_since;                 /* ...since then */
	uint64_t first_seq;                 /* heartbeats from this on say so */
	uint64_t grant_at[LEASE_MAX_NODES]; /* sending of the latest heartbeat that was granted */
	uint64_t by_redis, by_grants, until, told;
	uint16_t wants, move_to;
	bool yielded;
	bool claim_open; /* one of our claims may still be carried out: nobody has answered */
	struct lease_call renew, claim, release;
};

struct lease {
	struct lease_conf conf;
	uint64_t wait, step; /* lease_wait(lease_ms), lease_ms / 6 */
	uint64_t now;
	bool connected, ready, drain, abandon, doubled;
	uint64_t settled; /* when the connection was made */
	bool joined;
	uint64_t token, joined_at;
	struct lease_call join, leave, read;
	bool read_again;
	uint64_t next_ref, last_report, read_due, beat_due, seq, sent[LEASE_SENT];
	uint32_t strangers;
	uint64_t strangers_since, stranger;
	struct lease_node node[LEASE_MAX_NODES];
	struct lease_group group[LEASE_MAX_GROUPS];
};

/* The next action, of `type` and `group`, all else 0 and LEASE_NONE. */
struct lease_action *lease_emit(struct lease_out *out, enum lease_action_type type, uint16_t group);
/* The same for a script, which `call` then stands for. */
struct lease_action *lease_call(struct lease *l, struct lease_out *out, struct lease_call *call,
				enum lease_action_type type, uint16_t group);

static inline bool lease_is_ours(const struct lease_group *g)
{
	return g->state == LEASE_TAKING || g->state == LEASE_MINE || g->state == LEASE_YIELDING;
}

/* Whether a node has been heard within a lease time. */
static inline bool lease_hears(const struct lease *l, uint16_t n)
{
	return l->node[n].incarnation && l->now < l->node[n].heard_ms + l->conf.lease_ms;
}

/* A node that could take a group now. */
bool lease_is_well(const struct lease *l, uint16_t n);

/* lease.c */
void lease_say(struct lease *l, struct lease_out *out); /* a heartbeat, now */
void lease_read_now(struct lease *l, struct lease_out *out);
void lease_new_token(struct lease *l);

/* lease_valid.c */
void lease_expire(struct lease *l, struct lease_out *out);
void lease_extend(struct lease *l, struct lease_out *out);
void lease_stop(struct lease *l, uint16_t group, enum lease_stop why, struct lease_out *out);
void lease_begin(struct lease *l, uint16_t group, uint64_t epoch, uint64_t sent,
		 struct lease_out *out);
void lease_double(struct lease *l, struct lease_out *out);

/* lease_claim.c */
void lease_claim_tick(struct lease *l, struct lease_out *out);
void lease_claim_send(struct lease *l, uint16_t group, struct lease_out *out);
uint16_t lease_next(const struct lease *l, uint16_t group); /* who would take it */

/* lease_hand.c */
void lease_hand_tick(struct lease *l, struct lease_out *out);

#endif
