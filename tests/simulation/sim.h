/*
 * sim: seeded simulation of the border between phones and a pbx.
 *
 * User agents that are written here and share no code with the border call one
 * another through it, over a network that loses, doubles and reorders datagrams.
 * Everything that is chance comes from one generator: a seed replays a run. The
 * driver (tests/lib/driver.h) holds every action against its invariants; here
 * are those that need to know what the user agents believe:
 *  - every dialog of a user agent ends, and the border ends empty;
 *  - a user agent that is in a call has a flow behind the port it was told;
 *  - a phone is never given a second answer with another tag (the border is one
 *    user agent, whatever forks behind it);
 *  - nothing is sent to an address where no user agent lives.
 *
 * Two sides: SIM_ACCESS has phones behind NATs, which register; SIM_CORE has one
 * pbx, which is the registrar too. Times are ms of virtual time.
 */
#ifndef TESTS_SIMULATION_SIM_H
#define TESTS_SIMULATION_SIM_H

#include <stdio.h>

#include "tests/lib/driver.h"
#include "tests/lib/text.h"

#define SIM_ACCESS 0u
#define SIM_CORE   1u

#define T1           500u
#define T2           4000u
#define TRANSACTION  (64u * T1)
#define LINGER       (TRANSACTION + 8000u)
#define MESSAGE_MAX  8192u
#define LEG_CLIENTS  8u
#define LEG_SERVERS  12u
#define LEG_TODOS    12u
#define LEG_HASH     65536u
#define CALL_HISTORY 48u
#define ORPHAN_MS    400000u /* longer than max_call_s and all timers */
#define PATIENCE_MS  100000u /* longer than ring_timeout_ms and what follows it */
#define STUCK_MS     1200000u
#define STORM        2000u /* messages of one call that no plan comes near */
#define MAX_PHONES   256u

/* STEADY acknowledges in time; STORMY does what a store may do. */
enum sim_store { SIM_STORE_OFF, SIM_STORE_STEADY, SIM_STORE_STORMY };

struct sim_conf {
	uint32_t calls, phones;
	uint64_t seed;
	uint16_t shards;
	uint32_t loss, twice, late; /* of 1000 datagrams */
	uint32_t per_second;        /* new calls */
	uint32_t pool;              /* calls the border has room for */
	enum sim_store store;
	uint32_t crash_ms; /* time between deaths, on average; 0: none */
	bool verbose;
};

struct bytes {
	char *p;
	uint32_t n;
};

enum todo_what {
	TODO_NONE = 0,
	TODO_RING,
	TODO_EARLY, /* 183 with SDP */
	TODO_ANSWER,
	TODO_CANCEL,
	TODO_REINVITE,
	TODO_UPDATE,
	TODO_OPTIONS,
	TODO_BYE,
	TODO_VANISH
};

struct todo {
	enum todo_what what;
	uint64_t at;
};

/* A client transaction, RFC 3261 17.1 as far as a test needs it. */
struct client {
	bool live, invite, provisional, final, refused, cancel_wanted, cancelled;
	char method[12];
	char branch[48];
	uint32_t cseq, interval, rseq;
	struct bytes request, ack;
	uint64_t next, deadline; /* 0: not armed */
};

/* A server transaction; an INVITE's answer is repeated until its ACK. */
struct server {
	bool live, invite, final, acked, reliable;
	char method[12];
	char branch[128];
	uint16_t status;
	uint32_t cseq, interval;
	struct bytes request, reply;
	uint64_t next, deadline;
};

/*
 * What the border does not promise, and why a call is not there after a death:
 * its callee had not rung, or that was not stored yet; its answer left without
 * having been stored, at the deadline or because the store refused; the store lost
 * it after having acknowledged it.
 */
enum sim_loss { SIM_LOST_NOT, SIM_LOST_RINGING, SIM_LOST_UNSTORED, SIM_LOST_DATA, SIM_LOST_KINDS };

struct call;

/* One dialog, or what is to become one, at one user agent. */
struct leg {
	uint32_t slot, generation;
	bool live, core, uac, up, gone, deaf, bye_sent, bye_first, no_ack, late_offer, forked;
	struct call *call;
	struct net_addr addr; /* where the border sees it */
	uint32_t phone;
	char call_id[80], ltag[32], rtag[80], luri[128], ruri[200], target[200];
	uint32_t cseq, seen_cseq, media_port, sdp_version;
	uint16_t border_port; /* RTP port the border gave it, 0: none yet */
	bool hold;
	uint64_t began, gone_at;
	struct client client[LEG_CLIENTS];
	struct server server[LEG_SERVERS];
	struct todo todo[LEG_TODOS];
	struct leg *hash_next;
};

/* What is going to happen in one call, all decided by chance before it begins. */
struct plan {
	bool from_phone, late_offer, never_ack, reliable, early_media, vanish;
	uint32_t phone;
	uint32_t ring_ms, answer_ms, cancel_ms, talk_ms; /* cancel_ms 0: no CANCEL */
	uint16_t final;                                  /* 0: rings for ever */
	uint8_t fork;   /* 1: rings elsewhere first, 2: two answers */
	uint8_t hangup; /* 0: caller, 1: callee, 2: both at once */
	uint8_t changes;
	struct {
		uint8_t leg, what;
		uint32_t at_ms;
	} change[3];
};

struct call {
	uint32_t number;
	struct plan plan;
	uint32_t legs;      /* that live */
	struct leg *leg[2]; /* [0] caller's, [1] callee's (the one that was answered) */
	bool ended;         /* somebody has sent BYE, or gone */
	bool by_border;     /* the border has sent one */
	bool answered;      /* a 2xx has left for the caller */
	bool promised;      /* and the store had the call then */
	bool bereft;        /* the store has lost data since */
	enum sim_loss lost;
	char callee_id[80]; /* its Call-ID, by which the store knows the call */
	uint64_t answered_at;
	uint64_t answer_at; /* when the callee's 2xx came to the border */
	uint32_t history;
	struct bytes past[CALL_HISTORY];
};

struct phone {
	struct net_addr addr; /* public side of its NAT */
	char host[32];        /* its own address */
	char call_id[64];
	uint32_t cseq;
	bool registered;
	bool leaving;
	char contact[200]; /* as the registrar knows it */
	struct client reg;
};

enum event_kind { EVENT_TO_BORDER, EVENT_TO_AGENT, EVENT_LEG, EVENT_PHONE, EVENT_CALL, EVENT_TICK };

struct event {
	uint64_t at, order;
	enum event_kind kind;
	uint16_t realm;
	struct net_addr addr;
	uint32_t slot, generation;
	struct bytes bytes;
};

/* How the store is at the moment. */
enum weather { WEATHER_FAIR, WEATHER_SLOW, WEATHER_REFUSES, WEATHER_SILENT, WEATHERS };

struct faults {
	enum weather weather;
	bool away;    /* nobody has the border's addresses */
	bool handed;  /* another node has had them: engines live, and have nothing */
	bool is_down; /* and the engines were told so */
	bool reverted;
	uint64_t back_at, next_death, next_weather, next_save, resync_at, fair_since;
};

struct sim_tally {
	uint64_t answered, refused, cancelled, timeouts, no_answers, changes, glares, unacked,
		vanished, prack, registered, datagrams, lost, sips, stray, flow_checks, orphans;
	/* the store's faults: deaths (in mid-event, of a group), records lost by the store, calls
	   that went on, calls whose end was not stored, and those that did not go on */
	uint64_t deaths, torn, handed, reverts, storms, went_on, ended_unstored, unstored,
		gone[SIM_LOST_KINDS], bereaved, impatient, forks;
};

struct sim {
	struct sim_conf conf;
	struct snapshot snap;
	struct driver *driver;
	uint64_t random, now, order;
	struct event *heap;
	uint32_t events, events_cap;
	struct leg **leg;
	uint32_t legs, legs_cap, legs_free, *free_slot;
	struct leg *hash[LEG_HASH];
	struct call **call;
	uint32_t calls_begun, calls_live;
	struct phone phone[MAX_PHONES];
	struct sim_tally tally;
	struct {
		uint16_t realm, port;
		struct call *call;
	} promised[16]; /* ports told in answers during this event */
	uint32_t promises;
	bool ending;
	struct faults faults;
	char failure[40000];
};

/* net.c: chance, time and datagrams */
uint64_t sim_random(struct sim *s);
uint32_t sim_below(struct sim *s, uint32_t n);
bool sim_chance(struct sim *s, uint32_t of_1000);
void sim_push(struct sim *s, const struct event *ev);
bool sim_pop(struct sim *s, struct event *ev);
void sim_send(struct sim *s, enum event_kind kind, uint16_t realm, struct net_addr addr,
	      const char *p, uint32_t n);
struct bytes bytes_copy(const char *p, uint32_t n);
void bytes_free(struct bytes *b);

/* leg.c: dialogs and their timers */
struct leg *leg_new(struct sim *s, struct call *c, bool core, bool uac, const char *call_id);
struct leg *leg_find(struct sim *s, struct slice call_id, struct slice ltag, bool core);
void leg_todo(struct sim *s, struct leg *l, enum todo_what what, uint32_t in_ms);
void leg_wake(struct sim *s, struct leg *l, uint64_t at);
void leg_gone(struct sim *s, struct leg *l);
void leg_run(struct sim *s, struct leg *l);
void leg_up(struct sim *s, struct leg *l);
void leg_free_all(struct sim *s);
void call_note(struct sim *s, struct call *c, const char *way, struct slice msg);
void call_release(struct sim *s, struct call *c);

/* compose.c: what a user agent says */
struct client *agent_request(struct sim *s, struct leg *l, const char *method, const char *headers,
			     const char *body);
void agent_ack(struct sim *s, struct leg *l, struct client *c, struct slice response);
void agent_cancel(struct sim *s, struct leg *l, struct client *c);
void agent_reply(struct sim *s, struct leg *l, struct server *t, uint16_t status, bool sdp);
void agent_reply_plain(struct sim *s, uint16_t realm, struct net_addr from, struct slice request,
		       uint16_t status, const char *headers);
void agent_sdp(struct leg *l, char *out, uint32_t cap, bool answer);
void agent_transmit(struct sim *s, const struct leg *l, struct bytes b);
void agent_client_done(struct client *c);

/* agent.c: what a user agent does with what it gets */
void agent_receive(struct sim *s, uint16_t realm, struct net_addr at, struct slice msg);

/* registrar.c: phones that register and the pbx that takes them */
void phone_start(struct sim *s, uint32_t i);
void phone_register(struct sim *s, uint32_t i, uint32_t expires);
void phone_run(struct sim *s, uint32_t i);
bool phone_response(struct sim *s, struct net_addr at, struct slice msg);
void registrar_request(struct sim *s, struct net_addr from, struct slice msg);

/* faults.c: a store that fails and a border that dies */
void faults_start(struct sim *s);
void faults_tick(struct sim *s);
void faults_answer(struct sim *s, struct call *c); /* a 2xx leaves for the caller */
void faults_fate(void *ctx, bool is_put, struct driver_fate *fate);
void faults_check(struct sim *s, struct call *c); /* it is up */
void faults_finish(struct sim *s);
void faults_report(const struct sim *s);
bool faults_are_on(const struct sim *s);

/* plan.c */
void plan_make(struct sim *s, struct plan *p);
void call_begin(struct sim *s, uint32_t number);

void sim_fail(struct sim *s, const struct call *c, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
