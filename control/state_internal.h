/* Inside state: state.c lives and listens, state_post.c brings things to the workers, state_alone.c restores. */
#ifndef CONTROL_STATE_INTERNAL_H
#define CONTROL_STATE_INTERNAL_H

#include "control/redis_server.h"
#include "control/state.h"

struct state_ack {
	uint64_t handle;
	uint32_t version;
	uint16_t worker;
	uint8_t kind;
	bool ok;
};

struct state_record {
	struct state_record *next;
	enum checkpoint_kind kind;
	char id[IDENT_LEN];
	uint32_t n;
	char fields[];
};

/* A node alone, from nothing to serving. */
enum alone_phase {
	ALONE_WAITING, /* for Redis */
	ALONE_LOADING,
	ALONE_RESTORING, /* all is read; the workers are at it */
	ALONE_DONE
};

struct state {
	uv_loop_t *loop;
	struct config *config;
	struct dataplane *dp; /* NULL until state_start() */
	struct redis_server *server;
	struct redis *redis;
	struct store *store;
	struct warm *warm;
	struct cluster *cluster;
	int lock; /* descriptor of the directory's lock, or -1 */
	bool alone;
	uint64_t ups, downs;

	uv_poll_t wake;
	uv_timer_t take; /* the next look at what workers have put */
	uv_timer_t turn; /* while something waits for room in a ring */
	bool has_handles;
	uint32_t handles; /* being closed */

	/* to the workers, in this order: mode, acknowledgements, records */
	enum engine_store_mode mode;
	bool mode_owed, resync_owed;
	bool up; /* as the store says */
	struct state_ack *ack;
	uint32_t ack_first, ack_count, ack_room;
	struct state_record *record, **record_end;
	uint32_t records;

	enum alone_phase phase;
	bool serving, activate_owed, fenced;
	uint64_t began_ms, restore_began_ms, restore_ms;
	uint64_t posted, restored_before, restored;

	uv_timer_t finish;
	void (*done)(void *arg);
	void *done_arg;
	uint64_t finish_at_ms;
	bool finishing, flushing;
};

/* ---- state_post.c ---- */

void state_post_mode(struct state *s);
void state_post_ack(struct state *s, const struct state_ack *ack);
void state_post_record(struct state *s, enum checkpoint_kind kind, const char id[IDENT_LEN],
		       struct slice fields);
/* Posts what there is room for; true when nothing is left. */
bool state_post_all(struct state *s);
void state_post_free(struct state *s);
/* Comes back soon, to go on. */
void state_turn_soon(struct state *s);

/* ---- state_alone.c ---- */

void state_alone_start(struct state *s);
void state_alone_up(struct state *s);
/* Looks whether restoring is over, or waiting is. True while it wants to be called again. */
bool state_alone_turn(struct state *s);

#endif
