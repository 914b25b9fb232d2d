/*
 * callgen: callers and answerers in one program, to measure what a border does to
 * calls when something behind it breaks.
 *
 * Both ends of every call are ours, each in a network namespace of its own, so
 * that what one end sent can be held against what the other got: a call is lost when
 * a request within it has no 2xx, when an end is told BYE and the other never said
 * it, or when one end says BYE and the other never hears. Some calls carry RTP both
 * ways; the kernel's receive times give the longest gap.
 *
 * It has a SIP of its own on purpose: what is measured must not measure itself.
 * It believes its border, so nothing here is meant for a hostile network.
 *
 * Commands come by lines on standard input, answers are lines of JSON: command.c.
 * Times: monotonic ms, but for packets' arrival, which is wall-clock ns as the
 * kernel stamps it.
 */
#ifndef E2E_CALLGEN_H
#define E2E_CALLGEN_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum side { CALLER, CALLEE, SIDES };
enum class { HELD, CHURN, EARLY, CLASSES }; /* of calls: see command.c */
enum kind { INVITE, REINVITE, UPDATE, BYE, CANCEL, KINDS };

#define MAX_BORDERS 16
#define T1_MS       500u
#define T2_MS       4000u
/* Answerers answer at once: who waits longer after 100 or 180 has lost its call in the making. */
#define PATIENCE_MS 12000u
#define NEVER       UINT64_MAX

/* ---- messages: message.c ---- */

struct str {
	const char *at;
	int len;
};

struct message {
	struct str all;
	int status;        /* 0: a request */
	struct str method; /* of a response: its CSeq's */
	struct str uri, call_id, from, to, from_tag, to_tag, contact;
	struct str via[8];
	int vias;
	uint32_t cseq;
	bool has_media;
	struct sockaddr_in media;
};

bool message_read(struct message *m, const char *bytes, int len);
bool str_is(struct str s, const char *text);
void str_copy(char *to, size_t size, struct str s);

/* ---- calls: call.c, request.c, answer.c ---- */

/* A request of ours until its final answer. */
struct client {
	char *text;
	int len;
	enum kind kind;
	uint32_t cseq;
	char branch[40];
	uint64_t began;
	uint32_t interval;
	bool proceeding;
};

/* An INVITE of the border's, from its arrival to its ACK. */
struct server {
	char *text; /* the last answer */
	int len;
	uint32_t cseq;
	uint64_t began;
	uint32_t interval;
	bool final;
	char *request; /* to answer it later */
	int request_len;
	struct sockaddr_in from;
};

struct leg {
	int call;
	enum side side;
	bool dialog, sent_bye, got_bye, got_cancel;
	char call_id[72], tag[24], remote_tag[72], target[128];
	char local[160], remote[160]; /* From and To as we write them, without tags */
	struct sockaddr_in border;
	uint32_t cseq, sdp_version;
	struct client client, cancel;
	struct server server;
	char *last; /* the last answer to another request, and which */
	int last_len;
	uint32_t last_cseq;
	char *ack;
	int ack_len;
	uint32_t ack_cseq;
	int next; /* in its hash chain */
};

enum call_state { TRYING, RINGING, UP, ENDING, ENDED, FAILED };

struct call {
	enum class class;
	enum call_state state;
	int leg[SIDES]; /* -1: none yet */
	int stream;     /* -1: no media of its own */
	int border;
	bool lost, stranger_bye, bye_answered;
	uint64_t up_since; /* churn */
};

struct tally {
	uint32_t sent, ok, refused, unanswered, retransmitted, worst_ms;
	uint32_t status[7][100]; /* refusals by code */
};

struct calls {
	struct call *call;
	int count, room;
	struct leg *leg;
	int legs, leg_room;
	uint64_t *due; /* of each leg's three timers */
	struct tally tally[CLASSES][KINDS];
	uint32_t strays; /* messages that belong to no call of ours */
	bool misdirect;  /* callers' requests within dialogs go to another address of the border */
	uint32_t answers_repeated;
};

extern struct calls calls;

enum timer { TIMER_CLIENT, TIMER_CANCEL, TIMER_SERVER, TIMERS };
void timer_set(int leg, enum timer t, uint64_t when);

int call_start(enum class class, bool with_media);
void call_request(int call, enum side from, enum kind kind);
void call_cancel(int call);
void call_answer(int call); /* one that rings */
void call_tick(uint64_t now);
void call_lose(struct call *c);
bool call_is_over(const struct call *c);

int leg_new(int call, enum side side, struct str call_id);
int leg_find(enum side side, struct str call_id);

/* What the sockets got. */
void calls_receive(enum side side, const char *bytes, int len, const struct sockaddr_in *from);

/* request.c: what we ask */
void request_send(int leg, enum kind kind);
void request_answered(int leg, const struct message *m);
void request_tick(int leg, enum timer t, uint64_t now);

/* answer.c: what we are asked */
void answer_request(int leg, const struct message *m, const struct sockaddr_in *from);
void answer_invite_new(const struct message *m, const struct sockaddr_in *from);
void answer_ringing(int leg);
void answer_tick(int leg, uint64_t now);

/* The session description of a leg; returns its length. */
int leg_sdp(int leg, char *text, size_t size);

/* ---- media: media.c ---- */

int stream_open(int call);
void stream_towards(int stream, enum side from, const struct sockaddr_in *border);
void stream_start(int stream);
void stream_end(int stream);
int stream_port(int stream);
void streams_send(uint64_t now);
void streams_mark(void);
void streams_knock(void);
void streams_receive(int stream, enum side side);
int streams_report(char *text, size_t size);

/* ---- the program: main.c, command.c ---- */

struct program {
	int net[SIDES], sip[SIDES], epoll;
	struct in_addr ip[SIDES];
	struct sockaddr_in border[MAX_BORDERS];
	int borders;
	bool quit;
};
extern struct program program;

uint64_t now_ms(void);
int64_t wall_ns(void);
int socket_bound(enum side side, uint16_t port, bool stamped);
void sip_send(enum side side, const char *text, int len, const struct sockaddr_in *to);
uint32_t random32(void);
void epoll_add(int fd, uint64_t data);

void command_read(void);
void command_tick(uint64_t now);

#endif
