/*
 * store: calls and registrations in Redis.
 *
 * Keys, C the cluster's name (or the node's), G the group's, ID 32 hex digits
 * that we minted:
 *   postern:C:G:call:ID, postern:C:G:reg:ID   hash, a checkpoint's fields (docs/state.md)
 *   postern:C:G:index                         set of "call:ID" and "reg:ID"
 *   postern:C:G:log                           stream of what changed, bounded: k=kind, i=ID
 *   postern:C:G:lease                         hash: owner, epoch, ... (control/lease_scripts.h);
 *                                             of a node alone owner, epoch, process
 * No key and no argument of a command is formed from anything a stranger chose:
 * C and G come from the configuration, ID is checked to be 32 hex digits.
 *
 * Writing: store_put() takes an op over and answers each put once through
 * io.stored. Ops are gathered for a moment (none when one is urgent), the latest
 * for an id replaces earlier ones that wait, and a batch goes out as one script
 * call, which checks the group's epoch first: a node that has lost the group
 * writes nothing any more (io.fenced says so). Deletes are carried out even when
 * Redis is out of memory.
 *
 * Redis away: puts under way and waiting are held (an engine has a bounded window
 * of them), deletes are held by id, at most `deletes_max` of them (beyond that
 * the record's own expiry does it, and a counter says so). When it comes back and
 * is another server, or has lost data, io.mode(resync) has the engines put all
 * again, and what the index has and nobody put since is deleted.
 */
#ifndef CONTROL_STORE_H
#define CONTROL_STORE_H

#include "control/redis.h"
#include "dataplane/dataplane.h"

struct store;

struct store_io {
	/* A put is in Redis (ok), or was refused or given up: the engine puts it again. */
	void (*stored)(void *arg, uint16_t worker, enum checkpoint_kind kind, uint64_t handle,
		       uint32_t version, bool ok);
	/* Redis can be written to, or not; resync: put everything again. */
	void (*mode)(void *arg, bool up, bool resync);
	/*
	 * Redis has a higher epoch of the group: another process of a node alone has it. In a cluster
	 * nothing of it is written until store_own() says whose epoch that is.
	 */
	void (*fenced)(void *arg, uint16_t group);
	void *arg;
};

struct store_conf {
	const char *cluster;
	bool alone; /* no lease protocol: the store claims what is owned, in the cluster's name */
	bool followed; /* what changes is logged, for those who read it (store_load()) */
	uint16_t groups;
	char (*group)[SNAPSHOT_NAME];
	uint32_t gather_ms;   /* 1 */
	uint32_t deletes_max; /* calls and registrations that the node may have */
};

/* Without a Redis it is never up, and holds nothing as nothing is put. */
struct store *store_open(uv_loop_t *loop, struct redis *redis, const struct store_conf *conf,
			 const struct store_io *io);
/* Writes nothing more; call store_flush() before. */
void store_close(struct store *s);

/* The owner of `redis` passes its events on. */
void store_redis_up(struct store *s, const struct redis_up *up);
void store_redis_down(struct store *s);

/*
 * Under which epoch a group is written; 0: it is not ours (its ops are dropped,
 * its puts answered as not ok). A node alone says STORE_OWN_ALONE: the store then has
 * Redis mint an epoch for this process, above all before it, each time it finds that the
 * one it has is gone. Nothing is written until it has one, nor read until Redis has
 * answered: what the process before had sent is in what is read, or is never written.
 */
#define STORE_OWN_ALONE 1u
void store_own(struct store *s, uint16_t group, uint64_t epoch);

void store_put(struct store *s, const struct dp_store_op *op);

/*
 * Calls `done` when all that was put before is in Redis or given up; at once when
 * nothing is owed. Not called any more after store_close().
 */
void store_flush(struct store *s, void (*done)(void *arg), void *arg);

/*
 * Reading a group, for a start or a takeover. First everything in the index (in
 * pipelines, a bounded number under way), then, as long as it is followed, what
 * changes, from the log: `fields` is a flat checkpoint, empty when it is gone. No
 * change is missed between the two. When the log was cut short before it was read,
 * everything is read again. `loaded` is called after each reading of everything, and
 * `caught_up` each time the log's end is reached. `fields` is valid during the call.
 */
struct store_reader {
	void (*record)(void *arg, uint16_t group, enum checkpoint_kind kind,
		       const char id[IDENT_LEN], struct slice fields);
	void (*begin)(void *arg, uint16_t group); /* everything is about to be read */
	void (*loaded)(void *arg, uint16_t group, bool ok, uint64_t records);
	void (*caught_up)(void *arg, uint16_t group);
	void *arg;
};
void store_load(struct store *s, uint16_t group, const struct store_reader *reader, bool follow);
void store_follow_stop(struct store *s, uint16_t group);
/* No more records, but for the window's, until it is told to go on: the reader is full. */
void store_read_pause(struct store *s, uint16_t group, bool pause);
/* Reads the log to its end at once; caught_up() says when that is done. */
void store_catch_up(struct store *s, uint16_t group);

struct store_gauges {
	bool up;
	uint64_t puts, deletes, batches, refused, fenced, resyncs, deletes_lost;
	uint64_t malformed;       /* entries and records in Redis that are none of ours */
	uint64_t commands, bytes; /* to Redis */
	uint32_t waiting, underway, deletes_waiting;
	uint32_t unreconciled; /* groups whose index is still to be compared with what lives */
	uint64_t lag_ms;       /* of the oldest put that is not acknowledged */
	uint64_t last_ms;      /* of the latest acknowledged batch, from its sending */
};
void store_gauges_read(const struct store *s, struct store_gauges *g);

#endif
