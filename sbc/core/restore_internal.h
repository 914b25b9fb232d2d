/*
 * restore_internal: what the parts of restoring share.
 *
 * restore.c says what becomes of a checkpoint, restore_leg.c makes its dialogs,
 * restore_exchange.c takes up its INVITEs, restore_media.c its streams, and
 * restore_registration.c is for registrations.
 */
#ifndef SBC_CORE_RESTORE_INTERNAL_H
#define SBC_CORE_RESTORE_INTERNAL_H

#include "sbc/core/offer.h"
#include "sbc/core/restore.h"

/* REASON_COUNT where a function below that answers a reason has done what it is for. */
#define RESTORED REASON_COUNT

/*
 * Requests may have been sent after the checkpoint was written: the next one's CSeq is
 * that much higher (RFC 3261 12.2.1.1 lets it be any that is), and one more for each
 * RESTORE_CSEQ_MS since: what dies again before it was stored has sent fewer, and what is
 * restored after it must not repeat their numbers.
 */
#define RESTORE_CSEQ_GAP 100u
#define RESTORE_CSEQ_MS  10u
#define RESTORE_CSEQ_MAX (1u << 24) /* two days */

/* ---- restore.c ---- */

static inline uint64_t restore_wall(const struct engine *e)
{
	return e->now + e->wall_ms;
}

/* Wall-clock time as engine time, modular: it may lie before the engine's own beginning. */
static inline uint64_t restore_time(const struct engine *e, uint64_t wall)
{
	uint64_t ms = wall - e->wall_ms;

	return wall == 0 ? 0 : ms ? ms : 1;
}

static inline uint32_t restore_cseq_gap(const struct engine *e, uint64_t written)
{
	uint64_t now = restore_wall(e);
	uint64_t n = written < now ? (now - written) / RESTORE_CSEQ_MS : 0;

	return RESTORE_CSEQ_GAP + (uint32_t)(n < RESTORE_CSEQ_MAX ? n : RESTORE_CSEQ_MAX);
}

/* Nobody who waited when this was written does so any more: 64*T1 have passed. */
static inline bool restore_is_late(const struct engine *e, const struct call_checkpoint *c)
{
	uint64_t now = restore_wall(e);

	return c->written && c->written < now && now - c->written > 64ull * e->snap->t1_ms;
}

/* Whether an identifier was minted with our key, and is this shard's. */
bool restore_is_here(const struct engine *e, struct slice id);

/* ---- restore_leg.c ---- */

/* The slot by name; false, and a slot that maps to nothing, when it is gone. */
bool restore_realm(const struct engine *e, struct slice name, uint16_t *slot);

/* The listener at that address, or SNAPSHOT_NONE. */
uint32_t restore_listener_at(const struct engine *e, struct net_addr addr);
/* The same when it is that realm's; false when it is not. */
bool restore_listener(const struct engine *e, uint16_t realm_slot, struct net_addr addr,
		      uint32_t *listener);

/* Whether a leg is one that the engine could have made. */
bool restore_leg_is_right(const struct engine *e, const struct checkpoint_leg *c);

/* `gap`: restore_cseq_gap(). False when there is no room; what there is then is leg_free()'s. */
bool restore_leg(struct engine *e, struct leg *leg, const struct checkpoint_leg *c, uint32_t gap);

/* ---- restore_exchange.c ---- */

/* Whether the exchanges fit one another and the call's state. */
bool restore_exchanges_are_right(const struct engine *e, const struct call_checkpoint *c);

enum reason restore_exchanges(struct engine *e, struct call *call, const struct call_checkpoint *c);

/* Sends what exchanges owe: ACKs to 2xx that were never acknowledged, CANCELs. */
void restore_exchanges_go_on(struct engine *e, struct call *call);

/* ---- restore_media.c ---- */

/* What a call that is replaced had published. */
struct restore_flows {
	uint16_t realm[2]; /* indices */
	uint32_t count;
	struct stream stream[SDP_MAX_MEDIA];
};

/* Gives all ports back and forgets the streams; their flows stay and are told in `old`. */
void restore_media_strip(struct engine *e, struct call *call, struct restore_flows *old);

/* Claims the ports and makes the streams; on failure there are none. */
enum reason restore_media(struct engine *e, struct call *call, const struct call_checkpoint *c);

/* Publishes what is in force, and retires what of `old` is not. */
void restore_media_publish(struct engine *e, struct call *call, const struct restore_flows *old);

#endif
