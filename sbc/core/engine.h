/*
 * engine: the border as a function. An event goes in, a bounded list of actions
 * comes out (out.h).
 *
 * One engine is one shard, driven by one thread. It holds no clock, socket,
 * thread or mbuf, and allocates nothing after engine_init(): its memory is one
 * block, measured by engine_size(). Time is whatever the driver says, in ms, and
 * never goes back. The same events with the same seed give the same actions,
 * byte by byte.
 *
 * What a message may cost is bounded: no event produces more than
 * ENGINE_MAX_ACTIONS actions, and a tick stops while there is room, to be called
 * again at once (engine_handle() returns true: more is due now).
 */
#ifndef SBC_CORE_ENGINE_H
#define SBC_CORE_ENGINE_H

#include <stddef.h>

#include "sbc/base/blob.h"
#include "sbc/base/reason.h"
#include "sbc/base/siphash.h"
#include "sbc/core/out.h"
#include "sbc/core/snapshot.h"

struct engine;

/*
 * Where all calls, transactions or the like have to be gone through, one event looks at
 * so many at most, and the next goes on.
 */
#define ENGINE_SWEEP 4096u

struct engine_limits {
	uint32_t calls;
	uint32_t registrations;
	uint32_t transactions;
	uint32_t exchanges; /* requests that cross the border; 0: as many as transactions */
	struct blob_class blob[BLOB_CLASSES];
	uint16_t shard, shards; /* this engine is number `shard` of `shards` */
};

/*
 * Sizes for so many calls and registrations at once and so many new calls a
 * second, by the ratios documented in docs/. The rate counts because RFC 3261
 * and 6026 keep the transactions of a call that is over: three for 64*T1 and one
 * for T4, with the default timers 101 seconds' worth of transactions.
 */
void engine_limits_rate(struct engine_limits *l, uint32_t calls, uint32_t registrations,
			uint32_t cps);

/* The same with a rate of a tenth of the calls, which suits calls of a minute and more. */
void engine_limits_for(struct engine_limits *l, uint32_t calls, uint32_t registrations);

struct engine_conf {
	struct engine_limits limits;
	struct siphash_key key;  /* the node's: hashes, buckets, contact users */
	struct siphash_key seed; /* this engine's generator: random, or fixed in a test */
	const struct snapshot *snapshot;
	uint64_t wall_ms; /* added to engine time it gives ms since 1970, for checkpoints */
	bool no_records;  /* nobody takes records: none are made */
};

size_t engine_size(const struct engine_conf *conf);

/* `mem` is engine_size() bytes, aligned to 64. NULL when it is too small. */
struct engine *engine_init(void *mem, size_t len, const struct engine_conf *conf, uint64_t now);

enum engine_event_type {
	ENGINE_EV_MESSAGE,  /* a datagram on a SIP listener */
	ENGINE_EV_TICK,     /* only time has passed */
	ENGINE_EV_MEDIA,    /* a flow has latched, or a call's media is silent */
	ENGINE_EV_ASK,      /* a question of another shard (or of this one) */
	ENGINE_EV_ANSWER,   /* the answer to one of ours */
	ENGINE_EV_SNAPSHOT, /* a new configuration; calls keep their realms by name */
	ENGINE_EV_COMMAND,
	ENGINE_EV_STORE,   /* how the store is: see enum engine_store_mode */
	ENGINE_EV_STORED,  /* a put was acknowledged, or will never be */
	ENGINE_EV_BARRIER, /* put what is owed; ENGINE_STORE_BARRIER follows it */
	ENGINE_EV_RESTORE, /* a checkpoint of an earlier process, or of another node */
	ENGINE_EV_FORGET,  /* what was restored under an id is over, and was so elsewhere */
	ENGINE_EV_GROUP    /* a group of addresses is no longer ours, or is now */
};

/*
 * OFF: there is no store; nothing is put. Else every call with a dialog and every
 * registration is kept. DURABLE: the 2xx to an INVITE that begins a call is held
 * until its put is acknowledged, or snapshot.store_deadline_ms have passed: then
 * it leaves and the call counts as degraded until it is stored. BEHIND: nothing
 * waits. DOWN: nothing waits and nothing is put; what is owed is put when the
 * mode changes. Leaving OFF or DOWN puts what has changed since; `resync` with
 * any mode puts everything again, a bit at a time: the store has lost data.
 */
enum engine_store_mode {
	ENGINE_STORE_OFF,
	ENGINE_STORE_DOWN,
	ENGINE_STORE_BEHIND,
	ENGINE_STORE_DURABLE
};

/*
 * BARRIER: what has changed until now is put without gathering, and once all of it
 * was, the action with the same ref follows, behind these puts and all deletes: who
 * carries actions out in their order knows by it that nothing of then is still to
 * come. It tells nothing of what is put for a second time since it was refused. One
 * that is asked for while another is under way begins after that; of several that
 * wait, only the last is answered. While the store is DOWN it waits.
 */

/* Puts without their STORED that an engine has out at most, unless snapshot says otherwise. */
#define ENGINE_STORE_WINDOW 1024u

/* A put waits that long for more changes of the same call, unless somebody waits for it. */
#define ENGINE_STORE_GATHER_MS 250u

/* How long the end of a call that the store refused waits to be put again. */
#define ENGINE_STORE_ENDING_MS 100u

enum engine_media_type {
	ENGINE_MEDIA_LATCHED,
	ENGINE_MEDIA_SILENT,
	ENGINE_MEDIA_COUNTED /* what a flow has relayed so far; about every 30 s */
};

struct engine_media {
	enum engine_media_type type;
	uint64_t call;
	uint16_t stream;
	uint8_t leg;
	bool rtcp;
	struct net_addr source;  /* LATCHED */
	uint64_t packets, bytes; /* COUNTED */
};

enum engine_command { ENGINE_KILL, ENGINE_DRAIN };

struct engine_event {
	enum engine_event_type type;
	uint64_t now;
	union {
		struct {
			struct slice bytes;
			struct engine_path path; /* listener it came to, and its source */
			bool forwarded; /* by another node, or no other has its dialog: is answered */
		} message;
		struct engine_media media;
		const struct engine_ask *ask;
		const struct engine_answer *answer;
		const struct snapshot *snapshot;
		struct {
			enum engine_command what;
			uint64_t call; /* KILL */
		} command;
		struct {
			enum engine_store_mode mode;
			bool resync;
		} store;
		uint64_t barrier; /* a ref, above those before */
		struct {
			enum checkpoint_kind kind;
			uint64_t handle;
			uint32_t version;
			bool ok; /* false: refused or lost; it is put again */
		} stored;
		struct {
			enum checkpoint_kind kind;
			struct slice fields; /* flat */
		} restore;
		struct {
			enum checkpoint_kind kind;
			char id[IDENT_LEN];
		} forget;
		struct {
			uint16_t group;
			bool active;
		} group;
	};
};

/* True when more is due at once: send a TICK after carrying out the actions. */
bool engine_handle(struct engine *e, const struct engine_event *ev, struct engine_out *out);

/* Lower bound of the next time something is due; UINT64_MAX when nothing is. */
uint64_t engine_next_due(const struct engine *e);
/* The same, or `until` when that is sooner, for less work: for a driver about to sleep. */
uint64_t engine_next_due_by(const struct engine *e, uint64_t until);

/* The bucket of a message, for steering: by the Call-ID; a REGISTER's by its To user. */
uint8_t engine_bucket(const struct siphash_key *key, const char *buf, uint32_t len);

/*
 * Restoring. A checkpoint makes the call or registration it describes, or replaces
 * the one restored before under its id when its version is higher; an equal or
 * lower one changes nothing. Ports are claimed and flows published, with the
 * sources that had latched; transactions go on where they stood. An ENDING call
 * is ended. A call that cannot be had here (its realm is gone, its ports are not
 * this shard's) but whose legs can, is ended with a BYE to both sides; each
 * such case has its reason and counter. Restored things are put again only when
 * they change: the store has them.
 *
 * Records may be restored while their group is not active: the driver then drops
 * what is sent from its addresses. ENGINE_EV_GROUP with `active` false forgets
 * everything of the group without a word on any wire and without deletes: it is
 * another's now. It is done a bit at a time, like all sweeps: until engine_handle()
 * says that nothing more is due, which it does for no event before that, nothing of
 * the group may be restored.
 */

/* What dialogs are told apart by between nodes. */
uint64_t engine_dialog_print(const struct siphash_key *key, struct slice call_id, struct slice tag);

/* ---- looking in: for operators and tests, between events ---- */

struct engine_stats {
	uint32_t calls, calls_established, registrations, transactions;
	uint32_t blobs, ports_used, ports_free;
	uint64_t calls_total, calls_answered, registered_total, retransmissions;
	uint64_t messages_in, messages_out;
	struct reason_counters reasons;
	bool draining;
	/* the store: puts waiting to be made, out and unanswered; 2xx held now */
	uint32_t store_dirty, store_inflight, store_held;
	uint32_t
		looked_most; /* entries that sweeps looked at in one event, at most: ENGINE_SWEEP */
	uint32_t degraded;   /* answered calls that should have been stored first and are not yet */
	uint64_t degraded_total; /* so far */
	uint64_t store_puts, store_deletes, restored, restored_registrations, restore_failed;
};
void engine_stats_read(const struct engine *e, struct engine_stats *s);

enum engine_call_state { CALL_TRYING, CALL_EARLY, CALL_ANSWERED, CALL_ENDING };
const char *engine_call_state_name(enum engine_call_state s);

struct engine_call_info {
	uint64_t call;
	enum engine_call_state state;
	uint16_t realm[2]; /* caller's, callee's */
	struct net_addr remote[2];
	char user[2][64];
	char call_id[2][96];
	uint16_t media_port[2]; /* RTP port of the first stream on each side */
	uint8_t streams;
	uint64_t began_ms, answered_ms;
};

struct engine_registration_info {
	uint64_t registration;
	char user[64];
	char contact[128];
	uint16_t realm, peer;
	struct net_addr source;
	uint64_t expires_ms; /* engine time */
};

/*
 * Fills up to `max`, starting where `*cursor` (0 at first) stands, and moves it;
 * fewer than `max` is the end. What changes between two calls may be missed or
 * seen twice, never half.
 */
uint32_t engine_calls_read(const struct engine *e, uint32_t *cursor, struct engine_call_info *info,
			   uint32_t max);
uint32_t engine_registrations_read(const struct engine *e, uint32_t *cursor,
				   struct engine_registration_info *info, uint32_t max);

/* The RTP port of one stream of a call, on the caller's side. */
struct engine_stream_place {
	uint16_t realm;  /* of the snapshot */
	uint8_t address; /* number of the local address among its realm's */
	uint16_t port;
};
#define ENGINE_STREAMS 8u

/* All streams of a call whose flows are published, up to ENGINE_STREAMS; 0: there is no such call. */
uint32_t engine_call_streams(const struct engine *e, uint64_t call,
			     struct engine_stream_place at[ENGINE_STREAMS]);

/* Memory of one established two-leg call with one stream, in bytes, by this build's sizes. */
uint32_t engine_bytes_per_call(void);

#endif
