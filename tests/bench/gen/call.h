/*
 * call: the calls, both ends of each in one place.
 *
 * An end is a state machine of its own that knows only what it has sent and been
 * sent: caller.c and answerer.c. They meet here: a call is up when both are, and
 * done when one has had its BYE answered and the other has been told BYE.
 *
 * Retransmissions by RFC 3261: INVITE (timers A and B), BYE (E and F), the 2xx to
 * INVITE until its ACK (13.3.1.4). The last frame that may have to be sent again
 * is kept as it was.
 */
#ifndef TESTS_BENCH_GEN_CALL_H
#define TESTS_BENCH_GEN_CALL_H

#include "tests/bench/gen/gen.h"
#include "tests/bench/gen/ident.h"
#include "tests/bench/gen/pace.h"
#include "tests/bench/gen/report.h"

enum end_state {
	END_IDLE,
	END_TRYING,     /* caller: INVITE sent; answerer: 200 sent */
	END_PROCEEDING, /* caller: a provisional response has come */
	END_UP,         /* caller: ACK sent; answerer: ACK has come */
	END_ENDING,     /* BYE sent */
	END_OVER
};

/* Delays of timers: T1 times powers of two, and two that commands set. */
enum { DELAY_T1, DELAY_T2 = 3, DELAY_LONGEST = 5, DELAY_HOLD, DELAY_MEDIA };

#define CALL_TAG    40u
#define CALL_TARGET 80u
#define CALL_ID     72u

/* Of what the border gave itself on one side: bounded, or the message is at fault. */
struct far {
	uint8_t tag_n, target_n, call_id_n;
	char tag[CALL_TAG], target[CALL_TARGET], call_id[CALL_ID];
};

struct call {
	char id[IDENT_LEN]; /* index and serial as they stand in messages */
	uint32_t index, serial;
	uint8_t state[2], tries[2];
	uint8_t hanger; /* the end that hangs up */
	bool stays;     /* until it is torn down */
	bool up, late_media;
	uint16_t rtp_left[2], rtp_due[2]; /* to be sent by each side; to come to each side */
	uint32_t faults;
	uint32_t cseq; /* of the INVITE that the answerer saw */
	uint64_t began, give_up[2];
	struct media media[2]; /* where each side sends to */
	struct rte_mbuf *kept[2];
	struct far far[2];
};

/* What a command has done so far. */
struct call_tally {
	uint64_t attempted, established, done, faulty, timed_out, unfinished;
	uint64_t failed, status[700];
	struct hist setup;
	struct counts before;
};

struct calls {
	struct call *call;
	struct timers timers; /* 2 * index + side */
	uint32_t *unused;     /* a ring: what has been free longest is used first */
	uint32_t unused_at, unused_n;
	uint32_t active, up;
	uint32_t rtp_packets; /* a side and call, of calls that are not to stay */
	bool hold;
	struct call_tally tally;
};

int calls_init(struct gen *g);
void calls_free(struct gen *g);

/* A new call, or false when all are in use. */
bool call_start(struct gen *g, bool stays);
void call_hang_up(struct gen *g, struct call *c, enum side side);
/* To be called by an end whose state has changed. */
void call_progress(struct gen *g, struct call *c);
/* Refused with a status, or without one: given up. */
void call_fail(struct gen *g, struct call *c, uint16_t status);
/* Ends all that are neither up nor over, uncounted except as unfinished. */
void calls_abandon(struct gen *g);
uint32_t calls_timers(struct gen *g);
/* One RTP packet of a call has come to a side. */
void call_media_came(struct gen *g, struct call *c, enum side side);

/* Of those that are in use; NULL for others. `stale`: it was, but is over. */
struct call *call_of(struct gen *g, struct ident id, bool *stale);
void call_fault(struct gen *g, struct call *c, uint32_t faults);

/* Sends; with `keep`, the frame is also kept for retransmission, armed with timer T1. */
void call_transmit(struct gen *g, struct call *c, enum side side, struct rte_mbuf *m, bool keep);
void call_again(struct gen *g, struct call *c, enum side side);
void call_settled(struct gen *g, struct call *c, enum side side); /* nothing more to repeat */

static inline uint32_t call_timer(const struct call *c, enum side side)
{
	return 2 * c->index + side;
}

bool far_tag_set(struct far *f, struct text tag);
bool far_target_set(struct far *f, struct text contact);
bool far_call_id_set(struct far *f, struct text call_id);

/* caller.c, answerer.c: an end's own view */
void caller_invite(struct gen *g, struct call *c);
void caller_bye(struct gen *g, struct call *c);
void caller_response(struct gen *g, struct call *c, const struct message *m, char transaction);
void caller_request(struct gen *g, struct call *c, const struct message *m);
void answerer_bye(struct gen *g, struct call *c);
void answerer_request(struct gen *g, struct call *c, const struct message *m);
void answerer_response(struct gen *g, struct call *c, const struct message *m);

/* write.c: messages as they go onto the wire; NULL without a frame */
struct rte_mbuf *write_invite(struct gen *g, const struct call *c);
struct rte_mbuf *write_ack(struct gen *g, uint32_t call, const struct message *answer);
struct rte_mbuf *write_bye(struct gen *g, const struct call *c, enum side side);
struct rte_mbuf *write_answer(struct gen *g, const struct call *c, const struct message *request,
			      struct text status, bool sdp);
/* Without a call of ours. */
struct rte_mbuf *write_reply(struct gen *g, enum side side, uint32_t call,
			     const struct message *request, struct text status);
struct rte_mbuf *write_registered(struct gen *g, const struct message *request, struct text contact,
				  struct text expires);

/* sip_input.c */
struct frame_seen;
void sip_input(struct gen *g, enum side side, const struct frame_seen *seen);

/* call_job.c: commands setup, teardown, cps */
struct job;
const char *setup_begin(struct gen *g, struct job *j, int argc, char **argv);
const char *teardown_begin(struct gen *g, struct job *j, int argc, char **argv);
const char *cps_begin(struct gen *g, struct job *j, int argc, char **argv);

#endif
