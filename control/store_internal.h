/*
 * Inside the store: what is known of each id (store_table.c), what waits and goes
 * out (store.c, store_batch.c), what is read (store_read.c, store_fetch.c,
 * store_index.c).
 */
#ifndef CONTROL_STORE_INTERNAL_H
#define CONTROL_STORE_INTERNAL_H

#include "control/store.h"
#include "sbc/base/siphash.h"

#define STORE_PRINT      40u /* hex digits of a lease's print */
#define STORE_NONE       UINT32_MAX
#define STORE_ID         16u /* bytes of an id; IDENT_LEN hex digits outside */
#define STORE_KINDS      2u
#define STORE_KEY        160u /* "postern:" cluster ":" group ":" ... */
#define STORE_BATCH_OPS  64u
#define STORE_BATCH_ARGS 4096u
#define STORE_BATCH_SIZE (256u * 1024u)
#define STORE_BATCHES    16u /* under way at once */
#define STORE_MAX_FIELDS 1024u
#define STORE_RETRY_MS   1000u /* after Redis refused a write */
#define STORE_LOG_MAX    "100000"
#define STORE_POLL_MS    25u  /* between readings of a log */
#define STORE_WINDOW     256u /* records asked for at once, a group */

enum store_act { STORE_IDLE, STORE_PUT, STORE_DELETE };

struct store_put {
	uint64_t handle, since_ms;
	uint32_t version, ttl_s, n, count; /* bytes and number of fields */
	uint16_t worker, gone;
	bool whole; /* else what has changed since the version before, and what is gone */
	char fields[];
};

/*
 * One id. An op that waits is in its group's list, unless an earlier one of the
 * same id is under way: then it gets there when that is answered, so that of one
 * id there is never more than one op on its way.
 */
struct store_entry {
	uint8_t id[STORE_ID];
	struct store_put *put;      /* waits == STORE_PUT */
	uint32_t chain, prev, next; /* of the hash table; of the list */
	uint8_t group, kind;
	uint8_t waits, underway; /* enum store_act */
	bool used;
	bool live; /* Redis has it, or may have */
	bool flush;
};

struct store_list {
	uint32_t head, tail, count;
};

struct store_table {
	struct store_entry *entry;
	uint32_t *heads;
	uint32_t size, mask, count, free, max;
	struct siphash_key key;
};

struct store_group {
	uint64_t epoch; /* 0: not ours */
	bool claimed;   /* Redis says so too, or a cluster sees to it */
	bool minted;    /* alone: `epoch` is of Redis' making */
	bool answered;  /* alone: a claim was answered on this connection, maybe refused */
	bool doubted;   /* alone: one was refused, and what was read then may have changed since */
	char lease_seen[STORE_PRINT +
			1]; /* alone: print of the lease as the latest claim found it */
	bool held;          /* it knows a higher one: ours, or another's, as store_own() will say */
	/* not all of its ids have been read, or there was no room: nothing may be reconciled */
	bool reading, unknown;
	/* how often its index was to be compared with what lives here, and up to which it was */
	uint32_t reconcile_asked, reconcile_done;
	bool reconciling;
	uint32_t owned; /* how often it has become ours: what is of before is not written again */
	char lease[STORE_KEY], index[STORE_KEY], log[STORE_KEY], prefix[STORE_KEY];
	struct store_list list[3]; /* by enum store_act */
};

struct store_batch {
	struct store *store;
	uint16_t group;
	enum store_act act;
	bool probe;
	uint64_t epoch, since_ms;
	uint32_t owned, count;
	struct {
		uint32_t entry;
		struct store_put *put;
		bool lost; /* nothing was there to be changed */
	} item[STORE_BATCH_OPS];
};

struct store_waiter {
	void (*done)(void *arg);
	void *arg;
	struct store_waiter *next;
};

struct store_follow;

struct store {
	uv_loop_t *loop;
	struct redis *redis;
	struct store_io io;
	char cluster[SNAPSHOT_NAME];
	char process[17]; /* alone: of this process and no other, at random; else empty */
	bool alone, followed;
	uint16_t groups;
	uint32_t gather_ms, deletes_max;
	struct store_group group[SNAPSHOT_MAX_GROUPS];
	struct store_table table;

	bool connected, mode_up, was_up, resync; /* resync: owed to io.mode */
	/* by enum store_act: Redis takes none, but for one batch a second that tries */
	bool refusing[3], probe[3];
	char run_id[48];
	struct store_batch *batch[STORE_BATCHES];
	uint32_t batches;
	uint32_t waiting[3], underway[3]; /* ops, by enum store_act */
	uint16_t next_group;

	uv_timer_t gather, retry, poll;
	uv_prepare_t prepare;
	uv_check_t check;
	uint32_t handles, commands; /* that have not been closed, answered */
	bool closed;

	struct store_waiter *flushing, *flush_next; /* marked; for the round after */
	uint32_t flush_left;

	struct store_follow *follow[SNAPSHOT_MAX_GROUPS];
	struct store_gauges gauges;
};

/* ---- store_table.c ---- */

bool store_id_parse(const char *text, uint8_t id[STORE_ID]);
void store_id_print(const uint8_t id[STORE_ID], char out[IDENT_LEN]);

bool store_table_init(struct store_table *t, uint32_t max);
void store_table_free(struct store_table *t);
uint32_t store_table_find(const struct store_table *t, uint16_t group, enum checkpoint_kind kind,
			  const uint8_t id[STORE_ID]);
/* Finds or adds; STORE_NONE when there is no room. Entries may move. */
uint32_t store_table_add(struct store_table *t, uint16_t group, enum checkpoint_kind kind,
			 const uint8_t id[STORE_ID]);
void store_table_remove(struct store_table *t, uint32_t i);

void store_list_init(struct store_list *l);
void store_list_push(struct store_table *t, struct store_list *l, uint32_t i, bool front);
void store_list_take(struct store_table *t, struct store_list *l, uint32_t i);

/* ---- store.c ---- */

uint64_t store_now(void);
/* Every command's callback begins with this: false when the store is closed. */
bool store_answered(struct store *s);
void store_pump(struct store *s);
/* Tells io.mode() if the mode is another than it last said, or a resync is owed. */
void store_mode_update(struct store *s);
/* Redis refuses what `act` does: tried again in a second. */
void store_refused(struct store *s, enum store_act act);
void store_accepted(struct store *s, enum store_act act);

/* ---- store_queue.c ---- */

void store_queue_put(struct store *s, const struct dp_store_op *op, const uint8_t id[STORE_ID],
		     uint32_t fields);
void store_queue_delete(struct store *s, uint16_t group, enum checkpoint_kind kind,
			const uint8_t id[STORE_ID]);
/* What waits for a group is not written: it is another's. */
void store_queue_drop(struct store *s, uint16_t group);
/* Takes a waiting op under way, and what has come of it. */
struct store_put *store_queue_take(struct store *s, uint32_t i);
void store_queue_done(struct store *s, uint32_t i, struct store_put *put, bool ok);
void store_queue_again(struct store *s, uint32_t i, struct store_put *put);
/* Redis has it, or has not: as read there. */
void store_queue_seen(struct store *s, uint16_t group, enum checkpoint_kind kind,
		      const uint8_t id[STORE_ID], bool there);
/* A group that is not ours is read anew: what was known of it counts no more. */
void store_queue_forget(struct store *s, uint16_t group);
/* Whether Redis may have it by what is known here, or is about to. */
bool store_queue_knows(const struct store *s, uint16_t group, enum checkpoint_kind kind,
		       const uint8_t id[STORE_ID]);
/* Calls store_flush()'s callbacks that are due; last in a callback of Redis. */
void store_flush_check(struct store *s);

/* ---- store_batch.c ---- */

/* Sends up to a batch's worth of what waits; false when it could not be sent. */
bool store_batch_send(struct store *s, uint16_t group, enum store_act act);

/* ---- store_claim.c ---- */

/* Draws the name of this process. */
bool store_name_process(struct store *s);

/*
 * A node alone: has Redis give this process an epoch above all before, or say that it
 * still has the one it had. Harmless when repeated.
 */
void store_claim(struct store *s, uint16_t group);

/* What is read was written before the claim, or never will be: only then is it all there is. */
static inline bool store_is_claimed(const struct store *s, const struct store_group *g)
{
	return !s->alone || g->epoch == 0 || g->answered;
}

/* ---- store_read.c, store_fetch.c, store_index.c ---- */

void store_read_up(struct store *s);
void store_read_down(struct store *s);
void store_read_poll(struct store *s);
void store_read_free(struct store *s);
/* Whether anything is read or followed: the poll timer is needed. */
bool store_reads(const struct store *s);
void store_poll_start(struct store *s);

/* "call:ID" or "reg:ID". */
bool store_member_parse(const char *p, size_t n, enum checkpoint_kind *kind, uint8_t id[STORE_ID]);
/* Removes from Redis what the index of a group has and the table does not. */
void store_reconcile(struct store *s, uint16_t group);

/* Begins those that could not begin, or were cut short by a lost connection. */
void store_reconcile_owed(struct store *s);

#endif
