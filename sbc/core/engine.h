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

struct engine_limits {
	uint32_t calls;
	uint32_t registrations;
	uint32_t transactions;
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
	ENGINE_EV_COMMAND
};

enum engine_media_type { ENGINE_MEDIA_LATCHED, ENGINE_MEDIA_SILENT };

struct engine_media {
	enum engine_media_type type;
	uint64_t call;
	uint16_t stream;
	uint8_t leg;
	bool rtcp;
	struct net_addr source; /* LATCHED */
};

enum engine_command { ENGINE_KILL, ENGINE_DRAIN };

struct engine_event {
	enum engine_event_type type;
	uint64_t now;
	union {
		struct {
			struct slice bytes;
			struct engine_path path; /* listener it came to, and its source */
		} message;
		struct engine_media media;
		const struct engine_ask *ask;
		const struct engine_answer *answer;
		const struct snapshot *snapshot;
		struct {
			enum engine_command what;
			uint64_t call; /* KILL */
		} command;
	};
};

/* True when more is due at once: send a TICK after carrying out the actions. */
bool engine_handle(struct engine *e, const struct engine_event *ev, struct engine_out *out);

/* Lower bound of the next time something is due; UINT64_MAX when nothing is. */
uint64_t engine_next_due(const struct engine *e);

/* The bucket of a message, for steering: by the Call-ID; a REGISTER's by its To user. */
uint8_t engine_bucket(const struct siphash_key *key, const char *buf, uint32_t len);

/* ---- looking in: for operators and tests, between events ---- */

struct engine_stats {
	uint32_t calls, calls_established, registrations, transactions;
	uint32_t blobs, ports_used, ports_free;
	uint64_t calls_total, calls_answered, registered_total, retransmissions;
	uint64_t messages_in, messages_out;
	struct reason_counters reasons;
	bool draining;
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

/* Memory of one established two-leg call with one stream, in bytes, by this build's sizes. */
uint32_t engine_bytes_per_call(void);

#endif
