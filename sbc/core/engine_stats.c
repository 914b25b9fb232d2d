#include <assert.h>

#include "sbc/core/call.h"
#include "sbc/core/engine_internal.h"
#include "sbc/core/offer.h"
#include "sbc/core/registration.h"

void engine_stats_read(const struct engine *e, struct engine_stats *s)
{
	*s = (struct engine_stats){
		.calls = e->calls.used,
		.calls_established = e->established,
		.registrations = e->registrations.used,
		.transactions = tx_used(e->tx),
		.blobs = blob_used(&e->blobs),
		.calls_total = e->calls_total,
		.calls_answered = e->calls_answered,
		.registered_total = e->registered_total,
		.retransmissions = tx_retransmissions(e->tx),
		.messages_in = e->messages_in,
		.messages_out = e->messages_out,
		.reasons = e->reasons,
		.draining = e->draining,
		.store_dirty = e->store.dirty,
		.store_inflight = e->store.underway,
		.store_held = e->store.held,
		.looked_most = e->looked_most,
		.degraded = e->store.degraded,
		.degraded_total = e->store.degraded_total,
		.store_puts = e->store.puts,
		.store_deletes = e->store.deletes,
		.restored = e->store.restored,
		.restored_registrations = e->store.restored_registrations,
		.restore_failed = e->store.restore_failed,
	};
	for (uint32_t i = 0; i < SNAPSHOT_MAX_REALMS; i++) {
		const struct realm_slot *r = &e->slots.realm[i];

		if (r->index == SNAPSHOT_NONE)
			continue;
		s->ports_free += 2u * r->ports.free;
		s->ports_used += 2u * (r->ports.pairs - r->ports.free);
	}
}

const char *engine_call_state_name(enum engine_call_state s)
{
	static const char *const name[] = {
		[CALL_TRYING] = "trying",
		[CALL_EARLY] = "early",
		[CALL_ANSWERED] = "answered",
		[CALL_ENDING] = "ending",
	};

	return (unsigned)s < sizeof(name) / sizeof(name[0]) ? name[s] : "unknown";
}

static void put_string(char *out, uint32_t cap, struct slice s)
{
	uint32_t n = s.n < cap ? s.n : cap - 1;

	if (n)
		memcpy(out, s.p, n);
	out[n] = '\0';
}

static void call_info(const struct engine *e, struct call *call, struct engine_call_info *info)
{
	uint32_t n;
	const struct stream *s =
		offer_streams(e, call->streams ? call->streams : call->pending, &n);

	*info = (struct engine_call_info){
		.call = call_handle(e, call),
		.state = (enum engine_call_state)call->state,
		.streams = (uint8_t)n,
		.began_ms = call->began_ms,
		.answered_ms = call->answered_ms,
	};
	for (uint8_t i = 0; i < 2; i++) {
		const struct leg *leg = &call->leg[i];

		info->realm[i] = e->slots.realm[leg->slot].index;
		info->remote[i] = leg->source;
		info->media_port[i] = n ? s[0].side[i].port : 0;
		call_user(e, call, i, info->user[i], sizeof(info->user[i]));
		put_string(info->call_id[i], sizeof(info->call_id[i]), leg_call_id(e, leg));
	}
}

uint32_t engine_calls_read(const struct engine *e, uint32_t *cursor, struct engine_call_info *info,
			   uint32_t max)
{
	uint32_t n = 0;

	for (; *cursor < e->calls.capacity && n < max; (*cursor)++) {
		if (pool_is_taken(&e->calls, *cursor))
			call_info(e, pool_at(&e->calls, *cursor), &info[n++]);
	}
	return n;
}

static_assert(SDP_MAX_MEDIA <= ENGINE_STREAMS, "room for all streams of a call");

uint32_t engine_call_streams(const struct engine *e, uint64_t call,
			     struct engine_stream_place at[ENGINE_STREAMS])
{
	const struct call *c = pool_get(&e->calls, call);
	uint32_t n = 0, streams = 0;
	const struct stream *s = c != NULL ? offer_streams(e, c->streams, &streams) : NULL;
	uint16_t realm = c != NULL ? e->slots.realm[c->leg[CALL_CALLER].slot].index : SNAPSHOT_NONE;

	for (uint32_t i = 0; realm != SNAPSHOT_NONE && i < streams; i++) {
		const struct stream_side *side = &s[i].side[CALL_CALLER];

		if (side->port == 0 || !(s[i].flags & STREAM_F_PUBLISHED))
			continue;
		at[n++] = (struct engine_stream_place){
			realm, snapshot_media_number(&e->snap->realm[realm], side->ip), side->port};
	}
	return n;
}

static void registration_info(const struct engine *e, const struct registration *r,
			      struct engine_registration_info *info)
{
	*info = (struct engine_registration_info){
		.registration = pool_handle(&e->registrations, registration_index(e, r)),
		.realm = e->slots.realm[r->slot].index,
		.peer = e->slots.peer_index[r->peer],
		.source = r->source,
		.expires_ms = r->expires_ms,
	};
	put_string(info->user, sizeof(info->user), blob_slice(&e->blobs, r->user));
	put_string(info->contact, sizeof(info->contact), blob_slice(&e->blobs, r->contact));
}

uint32_t engine_registrations_read(const struct engine *e, uint32_t *cursor,
				   struct engine_registration_info *info, uint32_t max)
{
	uint32_t n = 0;

	for (; *cursor < e->registrations.capacity && n < max; (*cursor)++) {
		if (pool_is_taken(&e->registrations, *cursor))
			registration_info(e, pool_at(&e->registrations, *cursor), &info[n++]);
	}
	return n;
}

/*
 * An established call holds its object, two identities (256), two tags (64
 * each), the stream (256), two remote targets (64 to 256), one timer, two places in the
 * table of dialogs and one in that of ids, and four flows of the dataplane.
 */
uint32_t engine_bytes_per_call(void)
{
	uint32_t blobs = 2 * 256 + 2 * 64 + 3 * 256;
	uint32_t timer = sizeof(uint32_t) * 2 + sizeof(uint64_t);
	uint32_t places = 3 * 4 * (uint32_t)sizeof(uint32_t);

	return (uint32_t)(sizeof(struct call) + blobs + timer + places + 4 * sizeof(struct flow));
}
