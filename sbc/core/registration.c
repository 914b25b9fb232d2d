#include "sbc/core/registration.h"

struct registration *registration_by_contact(const struct engine *e, struct slice user)
{
	uint32_t i = table_first(&e->contacts, engine_hash(e, user));

	for (; i != TABLE_NONE; i = table_next(&e->contacts, i)) {
		struct registration *r = pool_at(&e->registrations, i);

		if (slice_eq(slice_of(r->minted, IDENT_LEN), user))
			return r;
	}
	return NULL;
}

static uint16_t registrar_realm(const struct engine *e, const struct registration *r)
{
	uint16_t peer = e->slots.peer_index[r->peer];

	return peer == SNAPSHOT_NONE ? SLOT_NONE : e->slots.realm_of[e->snap->peer[peer].realm];
}

static bool better(const struct registration *r, const struct registration *than, uint32_t ip)
{
	if (than == NULL)
		return true;
	if (ip && (r->source.ip == ip) != (than->source.ip == ip))
		return r->source.ip == ip;
	return r->refreshed_ms > than->refreshed_ms;
}

struct registration *registration_by_user(const struct engine *e, struct slice user,
					  const struct registration_filter *filter)
{
	uint32_t i = table_first(&e->users, engine_hash(e, user));
	struct registration *best = NULL;

	for (; i != TABLE_NONE; i = table_next(&e->users, i)) {
		struct registration *r = pool_at(&e->registrations, i);

		if (slice_eq(blob_slice(&e->blobs, r->user), user) &&
		    (r->slot == filter->realm || registrar_realm(e, r) == filter->realm) &&
		    better(r, best, filter->ip))
			best = r;
	}
	return best;
}

bool registration_is_from(const struct engine *e, struct slice user, uint16_t slot, uint32_t ip)
{
	struct registration_filter filter = {.realm = slot, .ip = ip};
	struct registration *r = user.n ? registration_by_user(e, user, &filter) : NULL;

	return r != NULL && r->slot == slot && r->source.ip == ip;
}

struct registration *registration_new(struct engine *e, struct slice minted, struct slice user)
{
	uint32_t i = pool_take(&e->registrations);

	if (i == POOL_NONE)
		return NULL;
	struct registration *r = pool_at(&e->registrations, i);
	r->user = blob_copy(&e->blobs, user);
	if (r->user == 0) {
		pool_give(&e->registrations, i);
		return NULL;
	}
	memcpy(r->minted, minted.p, IDENT_LEN);
	table_insert(&e->contacts, i, engine_hash(e, minted));
	table_insert(&e->users, i, engine_hash(e, user));
	return r;
}

void registration_record(struct engine *e, const struct registration *r,
			 enum engine_record_kind kind)
{
	struct engine_record *rec = engine_record(e);
	struct slice user = blob_slice(&e->blobs, r->user);
	uint16_t realm = registrar_realm(e, r);

	if (rec == NULL)
		return;
	rec->kind = kind;
	rec->call = pool_handle(&e->registrations, registration_index(e, r));
	rec->at_ms = e->now;
	rec->from_realm = e->slots.realm[r->slot].index;
	rec->to_realm = realm == SLOT_NONE ? SNAPSHOT_NONE : e->slots.realm[realm].index;
	memcpy(rec->from_user, user.p,
	       user.n < sizeof(rec->from_user) ? user.n : sizeof(rec->from_user) - 1);
}

void registration_remove(struct engine *e, struct registration *r)
{
	registration_record(e, r, RECORD_UNREGISTERED);
	store_registration_over(e, r);
	registration_forget(e, r);
}

void registration_forget(struct engine *e, struct registration *r)
{
	uint32_t i = registration_index(e, r);

	store_drop_registration(e, r);
	table_remove(&e->contacts, i);
	table_remove(&e->users, i);
	wheel_disarm(&e->wheel, e->limits.calls + i);
	blob_give(&e->blobs, r->contact);
	blob_give(&e->blobs, r->user);
	pool_give(&e->registrations, i);
}

void registration_remove_user(struct engine *e, struct slice user, uint16_t slot)
{
	uint32_t next, i = table_first(&e->users, engine_hash(e, user));

	for (; i != TABLE_NONE; i = next) {
		struct registration *r = pool_at(&e->registrations, i);

		next = table_next(&e->users, i);
		if (r->slot == slot && slice_eq(blob_slice(&e->blobs, r->user), user))
			registration_remove(e, r);
	}
}

void registration_arm(struct engine *e, struct registration *r)
{
	wheel_arm(&e->wheel, e->limits.calls + registration_index(e, r), r->expires_ms);
}

void registration_fill(const struct engine *e, const struct registration *r,
		       struct engine_answer *answer)
{
	struct slice contact = blob_slice(&e->blobs, r->contact);
	uint16_t listener = engine_listener(e, r->listener);

	struct slice user = blob_slice(&e->blobs, r->user);

	if (listener == SNAPSHOT_NONE || contact.n > ENGINE_CONTACT || user.n > ENGINE_USER)
		return;
	answer->found = true;
	answer->path.listener = listener;
	answer->path.remote = r->source;
	answer->realm = e->snap->listener[listener].realm;
	answer->contact_len = (uint16_t)contact.n;
	memcpy(answer->contact, contact.p, contact.n);
	answer->user_len = (uint16_t)user.n;
	memcpy(answer->user, user.p, user.n);
}

void registration_ask(struct engine *e, const struct engine_ask *ask)
{
	struct slice user = slice_of(ask->user, ask->user_len);
	struct engine_answer *answer = engine_out_answer(e->out);
	struct registration_filter filter = {.realm = SLOT_NONE, .ip = ask->from_ip};
	struct registration *r;

	if (answer == NULL)
		return;
	answer->to_shard = ask->from_shard;
	answer->ref = ask->ref;
	if (ask->user_len > ENGINE_USER)
		return;
	if (ask->realm < e->snap->realms)
		filter.realm = e->slots.realm_of[ask->realm];
	r = ask->kind == ENGINE_ASK_CONTACT ? registration_by_contact(e, user)
					    : registration_by_user(e, user, &filter);
	if (r != NULL)
		registration_fill(e, r, answer);
}
