/* Inside reading: store_read.c asks in order, store_fetch.c gets the records. */
#ifndef CONTROL_STORE_READ_INTERNAL_H
#define CONTROL_STORE_READ_INTERNAL_H

#include <string.h>

#include "control/store_internal.h"

#define POSITION 48u

enum store_phase { READ_OFF, READ_WAIT, READ_BEGIN, READ_INDEX, READ_LOG };

struct store_id {
	uint8_t kind, id[STORE_ID];
};

struct store_fetch {
	struct store_follow *follow;
	uint64_t run;
	struct store_id of;
	bool used;
};

struct store_follow {
	struct store *store;
	uint16_t group;
	struct store_reader reader;
	enum store_phase phase;
	bool follow, paused;
	bool asking; /* the index or the log is being asked */
	bool scanned, at_end;
	bool read;   /* a piece of the log has come, whose records have not all */
	bool wanted; /* caught_up() is to speak of what is in the log from now on */
	bool failed;
	uint64_t run;    /* replies to what an earlier run asked are not for this one */
	uint64_t due_ms; /* READ_WAIT */
	uint64_t records;
	char cursor[24], position[POSITION], next[POSITION];
	struct store_id *list; /* to be fetched, from `first` */
	uint32_t first, count, room, fetching;
	struct store_fetch fetch[STORE_WINDOW];
};

static inline bool is_text(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING || r->type == REDIS_REPLY_STATUS;
}

/* Goes on with whatever is due. */
void store_read_step(struct store_follow *f);

/* ---- store_fetch.c ---- */

bool store_read_command(struct store_follow *f, redis_reply_fn fn, void *arg, int argc,
			const char *const *argv);
/* A record to be fetched, by its entry in an index; what is none is counted. */
void store_fetch_add(struct store_follow *f, const redisReply *member);
/* Asks for as many as there is room for. */
void store_fetch_more(struct store_follow *f);

#endif
