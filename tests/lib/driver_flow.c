#include <stdlib.h>
#include <string.h>

#include "sbc/media/port_pool.h"
#include "tests/lib/driver_internal.h"

void driver_flows_room(struct driver *d, bool anew)
{
	for (uint16_t i = 0; i < d->snap->realms; i++) {
		uint16_t n = snapshot_media_count(&d->snap->realm[i]);
		uint32_t had = driver_places(d, i);

		if (d->shadow[i] == NULL || n > d->addresses[i]) {
			struct shadow *s = driver_need(
				calloc((size_t)n * DRIVER_PORTS, sizeof(struct shadow)));

			if (d->shadow[i] != NULL && had != 0)
				memcpy(s, d->shadow[i], had * sizeof(*s));
			free(d->shadow[i]);
			d->shadow[i] = s;
			d->addresses[i] = n;
		}
		if (anew)
			memset(d->shadow[i], 0, driver_places(d, i) * sizeof(struct shadow));
	}
}

static struct shadow *shadow_at(struct driver *d, uint16_t realm, uint8_t address, uint16_t port)
{
	if (realm >= d->snap->realms || address >= d->addresses[realm])
		return NULL;
	return &d->shadow[realm][address * DRIVER_PORTS + port];
}

struct shadow *driver_shadow(const struct driver *d, uint16_t realm, uint16_t port)
{
	if (realm >= d->snap->realms)
		return NULL;
	for (uint32_t i = port; i < driver_places(d, realm); i += DRIVER_PORTS)
		if (d->shadow[realm][i].live)
			return &d->shadow[realm][i];
	return NULL;
}

/* Our own media port of the same kind, on a trusted side's word: another call of ours. */
static bool is_other_call(const struct snapshot_realm *r, const struct snapshot_realm *at,
			  const struct flow_spec *f)
{
	if (at != r && !(r->kin && r->kin == at->kin))
		return false;
	r = at;
	return r->trust == SNAPSHOT_TRUSTED && !f->latch && f->remote.port >= r->media_lo &&
	       f->remote.port <= r->media_hi && (f->remote.port & 1) == (f->rtcp ? 1 : 0);
}

static void check_flow_spec(struct driver *d, uint16_t shard, const struct flow_spec *f)
{
	const struct snapshot_realm *r = &d->snap->realm[f->realm];

	if (f->port < r->media_lo || f->port > r->media_hi)
		driver_fail(d, "flow on %s:%u is outside the realm's range", r->name, f->port);
	else if (port_pool_owner(r->media_lo, r->media_hi, d->shards, f->port) != shard)
		driver_fail(d, "flow on %s:%u is not of shard %u", r->name, f->port, shard);
	if ((f->port & 1) != (f->rtcp ? 1 : 0))
		driver_fail(d, "flow on %s:%u has rtcp=%d", r->name, f->port, f->rtcp);
	if (f->leg > 1)
		driver_fail(d, "flow on %s:%u has leg %u", r->name, f->port, f->leg);
	if (f->proven && f->remote.ip && !net_ip_is_unicast(f->remote.ip))
		driver_fail(d, "flow on %s:%u would send to no host", r->name, f->port);
	for (uint16_t i = 0; i < d->snap->realms; i++)
		if (f->remote.ip && snapshot_realm_has_ip(&d->snap->realm[i], f->remote.ip) &&
		    !is_other_call(r, &d->snap->realm[i], f))
			driver_fail(d, "flow on %s:%u would send to the border itself", r->name,
				    f->port);
}

void driver_publish(struct driver *d, uint16_t shard, const struct flow_spec *f)
{
	struct shadow *s = shadow_at(d, f->realm, f->address, f->port);

	if (!s || f->port == 0 || f->peer_realm >= d->snap->realms) {
		driver_fail(d, "publish of a flow in realm %u port %u", f->realm, f->port);
		return;
	}
	check_flow_spec(d, shard, f);
	if (s->live && (s->spec.call != f->call || s->shard != shard))
		driver_fail(d, "flow on %s:%u belongs to two calls", d->snap->realm[f->realm].name,
			    f->port);
	d->flows += !s->live;
	if (!s->live || s->spec.epoch < f->epoch)
		s->latched = s->live ? (struct net_addr){0, 0} : f->source;
	s->live = true;
	s->shard = shard;
	s->spec = *f;
}

void driver_retire(struct driver *d, uint16_t shard, const struct flow_spec *f)
{
	struct shadow *s = shadow_at(d, f->realm, f->address, f->port);

	if (!s || !s->live || s->shard != shard) {
		driver_fail(d, "retire of a flow that is not there: realm %u port %u", f->realm,
			    f->port);
		return;
	}
	s->live = false;
	d->flows--;
}

/* Partners name one another and belong to one call. Checked when an event is through. */
void driver_check_pair(struct driver *d, const struct flow_spec *f)
{
	const struct shadow *self = shadow_at(d, f->realm, f->address, f->port), *s;

	if (!self || !self->live || self->spec.peer_port == 0)
		return;
	f = &self->spec;
	s = shadow_at(d, f->peer_realm, f->peer_address, f->peer_port);
	if (!s || !s->live || s->spec.peer_realm != f->realm || s->spec.peer_port != f->port ||
	    s->spec.peer_address != f->address)
		driver_fail(d, "flow %s:%u names a partner that does not name it",
			    d->snap->realm[f->realm].name, f->port);
	else if (s->spec.call != f->call || s->spec.stream != f->stream || s->spec.leg == f->leg ||
		 s->spec.rtcp != f->rtcp)
		driver_fail(d, "flow %s:%u and its partner are not of one stream",
			    d->snap->realm[f->realm].name, f->port);
}

const struct flow_spec *driver_flow(const struct driver *d, uint16_t realm, uint16_t port)
{
	const struct shadow *s = driver_shadow(d, realm, port);

	return s != NULL ? &s->spec : NULL;
}

uint32_t driver_flows(const struct driver *d)
{
	return d->flows;
}

/* The cursor goes through the places of one realm after another. */
const struct flow_spec *driver_flow_next(const struct driver *d, uint32_t *cursor)
{
	uint32_t from = 0;

	for (uint16_t r = 0; r < d->snap->realms; from += driver_places(d, r++)) {
		for (; *cursor >= from && *cursor - from < driver_places(d, r); ++*cursor) {
			const struct shadow *s = &d->shadow[r][*cursor - from];

			if (s->live) {
				++*cursor;
				return &s->spec;
			}
		}
	}
	return NULL;
}
