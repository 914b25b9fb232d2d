/*
 * fake_dp: a dataplane without packets, behind dataplane/dataplane.h, for tests of
 * control. Workers hold what the test puts there; they answer when replies are
 * taken, DP_BATCH entries at a time.
 */
#ifndef TESTS_FAKE_DP_H
#define TESTS_FAKE_DP_H

#include "dataplane/dataplane.h"

struct fake_worker {
	struct engine_call_info *call;
	uint32_t calls;
	uint32_t registrations, flows;
	struct dp_worker_stats stats;
	bool silent;   /* takes requests and never answers */
	bool refuses;  /* answers "no" */
	uint32_t full; /* posts that find no room, before one does */
	uint32_t asked, killed;
	bool draining;
};

#define FAKE_OPS    64u
#define FAKE_POSTS  4096u
#define FAKE_FIELDS 1024u

/* A put or delete that a worker makes: fake_dp_store(). */
struct fake_op {
	struct dp_store_op op;
	char fields[FAKE_FIELDS];
};

/* What control has posted to the workers, as it stood. */
struct fake_post {
	enum engine_event_type type;
	uint16_t worker, group;
	enum checkpoint_kind kind;
	enum engine_store_mode mode;
	uint64_t handle;
	uint32_t version;
	bool ok; /* STORED; STORE: resync; GROUP: active */
	char id[IDENT_LEN + 1];
	struct engine_path path; /* MESSAGE */
	uint32_t fields_n;       /* RESTORE, MESSAGE: and the first FAKE_FIELDS of them */
	char fields[FAKE_FIELDS];
};

struct fake_dp {
	uint16_t workers, ports;
	struct fake_worker worker[DP_MAX_WORKERS];
	uint64_t now;
	bool dead, refuse_start, stopped;
	uint32_t replies_out; /* not given back */
	struct engine_record record[16];
	uint32_t records;
	int wake_fd;
	struct fake_op op[FAKE_OPS];
	uint32_t ops_put, ops_taken;
	struct fake_post post[FAKE_POSTS]; /* number n at n % FAKE_POSTS */
	uint32_t posts;
	uint32_t post_full; /* posts that find no room, before one does */
	enum engine_store_mode mode;
	uint32_t resyncs;
	uint64_t restores, forgets;
	uint64_t restores_owed; /* of these, not carried out yet */
	uint64_t group_until[SNAPSHOT_MAX_GROUPS];
	bool group_active[SNAPSHOT_MAX_GROUPS]; /* as last posted */
	bool stuck;                             /* workers don't turn */
	struct dp_forward forward[16];
	uint32_t forwards;
};

/* The one there is. */
extern struct fake_dp fake_dp;

void fake_dp_reset(uint16_t workers);
/* Gives a worker that many answered calls, one a second old each. */
void fake_dp_calls(uint16_t worker, uint32_t calls);
/* A worker wants something kept: the next for dp_store_take(), and control is woken. */
void fake_dp_store(const struct dp_store_op *op);
/* Makes dp_wake_fd() readable. */
void fake_dp_wake(void);

#endif
