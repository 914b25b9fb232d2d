#include "sbc/core/route.h"

#include "sbc/core/registration.h"

const struct snapshot_route *route_find(const struct snapshot *snap, uint16_t realm,
					struct slice user)
{
	for (uint16_t i = 0; i < snap->routes; i++) {
		const struct snapshot_route *r = &snap->route[i];

		if (r->from == realm && slice_starts(user, slice_str(r->prefix)))
			return r;
	}
	return NULL;
}

bool route_is_here(const struct engine *e, uint8_t bucket)
{
	return ident_shard(bucket, e->limits.shards) == e->limits.shard;
}

static enum route_result route_to_peer(const struct engine *e, uint16_t peer,
				       struct route_target *t)
{
	const struct snapshot_peer *p = &e->snap->peer[peer];

	t->peer = peer;
	t->realm = p->realm;
	t->listener = snapshot_listener_of(e->snap, p->realm);
	t->remote = p->addr;
	return t->listener == SNAPSHOT_NONE ? ROUTE_NONE : ROUTE_FOUND;
}

/* A call is wholly within one group of addresses. */
static bool same_group(const struct engine *e, uint16_t realm, uint16_t listener)
{
	return e->snap->realm[e->snap->listener[listener].realm].group ==
	       e->snap->realm[realm].group;
}

static enum route_result route_to_phone(const struct engine *e, uint16_t realm,
					const struct engine_answer *answer, struct route_target *t)
{
	if (!answer->found || answer->path.listener >= e->snap->listeners ||
	    !same_group(e, realm, (uint16_t)answer->path.listener))
		return ROUTE_NOT_REGISTERED;
	t->peer = SNAPSHOT_NONE;
	t->listener = (uint16_t)answer->path.listener;
	t->realm = e->snap->listener[t->listener].realm;
	t->remote = answer->path.remote;
	t->contact = slice_of(answer->contact, answer->contact_len);
	t->user = slice_of(answer->user, answer->user_len);
	return ROUTE_FOUND;
}

static enum route_result route_here(struct engine *e, uint16_t realm, struct slice user,
				    enum engine_ask_kind kind, struct route_target *t)
{
	struct registration_filter filter = {.realm = e->slots.realm_of[realm]};
	struct registration *r = kind == ENGINE_ASK_CONTACT
					 ? registration_by_contact(e, user)
					 : registration_by_user(e, user, &filter);

	uint16_t listener = r ? engine_listener(e, r->listener) : SNAPSHOT_NONE;

	if (listener == SNAPSHOT_NONE || !same_group(e, realm, listener))
		return ROUTE_NOT_REGISTERED;
	t->peer = SNAPSHOT_NONE;
	t->listener = listener;
	t->realm = e->snap->listener[t->listener].realm;
	t->remote = r->source;
	t->contact = blob_slice(&e->blobs, r->contact);
	t->user = blob_slice(&e->blobs, r->user);
	return ROUTE_FOUND;
}

enum route_result route_resolve(struct engine *e, uint16_t realm, struct slice user,
				const struct engine_answer *answer, struct route_target *target,
				enum engine_ask_kind *kind, uint8_t *bucket)
{
	const struct snapshot_route *r = route_find(e->snap, realm, user);

	if (r == NULL)
		return ROUTE_NONE;
	if (r->target == SNAPSHOT_TO_PEER)
		return route_to_peer(e, r->peer, target);
	if (answer != NULL)
		return route_to_phone(e, realm, answer, target);
	*kind = ENGINE_ASK_CONTACT;
	if (!ident_is_ours(&e->key, user, bucket)) {
		*kind = ENGINE_ASK_AOR;
		*bucket = ident_bucket(&e->key, user);
	}
	if (!route_is_here(e, *bucket))
		return user.n && user.n <= ENGINE_USER ? ROUTE_ASK : ROUTE_NOT_REGISTERED;
	return route_here(e, realm, user, *kind, target);
}
