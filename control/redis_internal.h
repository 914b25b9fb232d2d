/*
 * The parts of redis: redis.c holds commands under way and what is owed to callers,
 * redis_link.c a socket, redis_connect.c the way from a configuration to a master.
 *
 * hiredis formats and parses; its non-blocking contexts are driven from here rather
 * than its asynchronous ones, which give up by assert() on an answer that nobody
 * asked for and know no time.
 *
 * A callback may close the connection or lose it: after each, whoever called looks
 * whether `generation` is still the same.
 */
#ifndef CONTROL_REDIS_INTERNAL_H
#define CONTROL_REDIS_INTERNAL_H

#include "control/redis.h"

#define REDIS_TICKS        8u /* looks at the time in each timeout */
#define REDIS_SCRIPTS      16u
#define REDIS_PAUSE_MIN_MS 10u
#define REDIS_PAUSE_MAX_MS 1000u
#define REDIS_SENTINEL_MS  100u
#define REDIS_WHY          160u

enum redis_phase {
	REDIS_PAUSED,
	REDIS_RESOLVING,
	REDIS_CONNECTING,
	REDIS_GREETING, /* asks a sentinel, or is accepted by a master */
	REDIS_UP,
	REDIS_CLOSED
};

/* A script call as it was sent, to be sent again with its text. */
struct redis_call {
	const struct redis_script *script;
	char *room, *command; /* malloc'ed, and where in it the command begins */
	size_t len, head;     /* what follows `head` bytes is the same in EVAL */
	int argc;
};

struct redis_entry {
	redis_reply_fn fn;
	void *arg;
	uint64_t sent_ms;
	struct redis_call *call;
};

struct redis_link {
	uv_poll_t poll;
	redisContext *context; /* NULL: closed */
	struct redis *redis;
	bool connected;
};

struct redis {
	uv_loop_t *loop;
	struct config_state conf;
	char name[64];
	struct redis_events events;

	enum redis_phase phase;
	uint64_t generation; /* of the link and of what is said on it */
	struct redis_link *link;
	uv_timer_t pause, tick;
	uint32_t handles;  /* of the loop that still point here */
	uint32_t resolves; /* lookups that have not come back */

	struct redis_entry *entry; /* ring of REDIS_MAX_PENDING */
	uint32_t first, count;
	uint32_t silent; /* ticks without an answer while some are under way */
	uint32_t idle;   /* ticks with nothing under way */
	const struct redis_script *loaded[REDIS_SCRIPTS]; /* by this link */
	uint32_t scripts;

	/* What the server calls this connection, and what it called the one that was up before. */
	long long id, before;
	char before_run_id[48];
	struct redis_up greeted; /* for up(), once nothing is left of the connection before */

	bool at_sentinel;
	uint32_t sentinel, rotate, pause_ms;
	char host[256];
	uint16_t port;
	char why[REDIS_WHY];
	uint64_t commands, bytes_out;
	size_t kept; /* bytes of script calls under way */
};

/* redis.c: an answer, a loss with its reason (goes on to try again), a handle gone. */
void redis_replied(struct redis *r, const redisReply *reply);
void redis_lost(struct redis *r, const char *why);
void redis_released(struct redis *r);
void redis_fail_all(struct redis *r);
/* Without limits. False when there is no memory. */
bool redis_send(struct redis *r, redis_reply_fn fn, void *arg, int argc, const char *const *argv,
		const size_t *len);

/* redis_link.c */
bool redis_link_tcp(struct redis *r, const char *ip, uint16_t port);
bool redis_link_unix(struct redis *r, const char *path);
bool redis_link_write(struct redis *r, const char *bytes, size_t n);
size_t redis_link_backlog(const struct redis *r);
void redis_link_close(struct redis *r);

/* redis_connect.c */
void redis_attempt(struct redis *r);
void redis_connected(struct redis *r); /* from the link: the socket is */

#endif
