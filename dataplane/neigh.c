#include "dataplane/neigh.h"

#include <string.h>

#include "dataplane/arp.h"
#include "dataplane/worker.h"

#define NEIGH_TICK_ENTRIES 32u
/* How often the table is aged while an entry is on its way; no state on it lasts longer. */
#define NEIGH_RESTLESS_EVERY_MS 32u
#define NEIGH_RESTLESS_MS       (NEIGH_FAILED_MS + 500u)

static uint64_t key_of(uint16_t port, uint32_t ip)
{
	return (uint64_t)(port + 1u) << 32 | ip;
}

static uint64_t value_of(const uint8_t mac[6], enum neigh_state state)
{
	uint64_t v = 0;

	if (mac != NULL)
		memcpy(&v, mac, 6);
	return v << 16 | (uint64_t)state;
}

static enum neigh_state state_of(uint64_t value)
{
	return (enum neigh_state)(value & 0xff);
}

static void mac_of(uint64_t value, uint8_t mac[6])
{
	value >>= 16;
	memcpy(mac, &value, 6);
}

static bool usable(enum neigh_state s)
{
	return s == NEIGH_REACHABLE || s == NEIGH_PROBING;
}

/*
 * The loads are acquire so that none moves before the one ahead of it; with the
 * sequence even and equal at both ends, key and value belong together.
 */
static bool entry_read(const struct neigh_entry *e, uint64_t *key, uint64_t *value)
{
	uint32_t before = __atomic_load_n(&e->seq, __ATOMIC_ACQUIRE);

	*key = __atomic_load_n(&e->key, __ATOMIC_ACQUIRE);
	*value = __atomic_load_n(&e->value, __ATOMIC_ACQUIRE);
	return !(before & 1) && before == __atomic_load_n(&e->seq, __ATOMIC_RELAXED);
}

/* Release stores, so that the odd sequence is seen before what it guards. */
static void entry_write(struct neigh_entry *e, uint64_t key, uint64_t value)
{
	__atomic_store_n(&e->seq, e->seq + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&e->key, key, __ATOMIC_RELEASE);
	__atomic_store_n(&e->value, value, __ATOMIC_RELEASE);
	__atomic_store_n(&e->seq, e->seq + 1, __ATOMIC_RELEASE);
}

static uint32_t window_of(const struct neigh_table *t, uint64_t key)
{
	return (uint32_t)siphash13(&t->hash, &key, sizeof(key)) % NEIGH_ENTRIES;
}

enum neigh_state neigh_lookup(struct neigh_table *t, uint16_t port, uint32_t ip, uint64_t now,
			      uint8_t mac[6])
{
	uint64_t want = key_of(port, ip);
	uint32_t at = window_of(t, want);

	for (uint32_t i = 0; i < NEIGH_WINDOW; i++) {
		struct neigh_entry *e = &t->entry[(at + i) % NEIGH_ENTRIES];
		uint64_t key, value;

		while (!entry_read(e, &key, &value))
			;
		if (key != want)
			continue;
		/* Written only now and then, or the line would bounce between workers. */
		if ((uint32_t)now - __atomic_load_n(&e->used_ms, __ATOMIC_RELAXED) > 1000)
			__atomic_store_n(&e->used_ms, (uint32_t)now, __ATOMIC_RELAXED);
		mac_of(value, mac);
		return state_of(value);
	}
	return NEIGH_NONE;
}

bool neigh_view(const struct neigh_table *t, uint32_t index, struct neigh_view *view)
{
	uint64_t key, value;

	while (!entry_read(&t->entry[index], &key, &value))
		;
	if (key == 0)
		return false;
	view->port = (uint16_t)((key >> 32) - 1);
	view->ip = (uint32_t)key;
	view->state = state_of(value);
	mac_of(value, view->mac);
	return true;
}

uint32_t neigh_age(const struct neigh_table *t, uint32_t index, uint64_t now)
{
	uint64_t since = __atomic_load_n(&t->entry[index].since, __ATOMIC_RELAXED);

	return now > since ? (uint32_t)(now - since) : 0;
}

static struct neigh_entry *find(struct neigh_table *t, uint64_t key)
{
	uint32_t at = window_of(t, key);

	for (uint32_t i = 0; i < NEIGH_WINDOW; i++)
		if (t->entry[(at + i) % NEIGH_ENTRIES].key == key)
			return &t->entry[(at + i) % NEIGH_ENTRIES];
	return NULL;
}

/* A free entry of the key's window. */
static struct neigh_entry *place(struct neigh_table *t, uint64_t key)
{
	uint32_t at = window_of(t, key);

	for (uint32_t i = 0; i < NEIGH_WINDOW; i++)
		if (t->entry[(at + i) % NEIGH_ENTRIES].key == 0)
			return &t->entry[(at + i) % NEIGH_ENTRIES];
	return NULL;
}

static void entry_set(struct worker *w, struct neigh_entry *e, uint64_t key, const uint8_t mac[6],
		      enum neigh_state state)
{
	entry_write(e, key, value_of(mac, state));
	__atomic_store_n(&e->since, w->now, __ATOMIC_RELAXED);
	e->tries = 0;
	e->next = w->now + NEIGH_RETRY_MS;
	if (state != NEIGH_REACHABLE)
		w->dp->neigh->restless = w->now + NEIGH_RESTLESS_MS;
}

static void ask(struct worker *w, struct neigh_entry *e)
{
	uint8_t mac[6];

	mac_of(e->value, mac);
	e->tries++;
	e->next = w->now + NEIGH_RETRY_MS;
	arp_request(w, (uint16_t)((e->key >> 32) - 1), (uint32_t)e->key,
		    state_of(e->value) == NEIGH_PROBING ? mac : NULL);
}

bool neigh_want(struct worker *w, uint16_t port, uint32_t ip)
{
	uint64_t key = key_of(port, ip);
	struct neigh_entry *e;

	if (find(w->dp->neigh, key) != NULL)
		return true;
	e = place(w->dp->neigh, key);
	if (e == NULL)
		return false;
	__atomic_store_n(&e->used_ms, (uint32_t)w->now, __ATOMIC_RELAXED);
	entry_set(w, e, key, NULL, NEIGH_INCOMPLETE);
	ask(w, e);
	return true;
}

bool neigh_answered(struct worker *w, uint16_t port, uint32_t ip, const uint8_t mac[6])
{
	struct neigh_entry *e = find(w->dp->neigh, key_of(port, ip));
	uint8_t old[6];

	if (e == NULL)
		return false;
	mac_of(e->value, old);
	/* A probe was put to one station: another's answer is a claim. */
	if (state_of(e->value) == NEIGH_PROBING ? memcmp(old, mac, 6) != 0
						: state_of(e->value) != NEIGH_INCOMPLETE)
		return false;
	entry_set(w, e, e->key, mac, NEIGH_REACHABLE);
	return true;
}

void neigh_heard(struct worker *w, uint16_t port, uint32_t ip, const uint8_t mac[6])
{
	uint64_t key = key_of(port, ip);
	struct neigh_entry *e = find(w->dp->neigh, key);

	if (e != NULL && usable(state_of(e->value))) {
		neigh_claimed(w, port, ip, mac);
		return;
	}
	if (e == NULL)
		e = place(w->dp->neigh, key);
	if (e == NULL)
		return;
	__atomic_store_n(&e->used_ms, (uint32_t)w->now, __ATOMIC_RELAXED);
	entry_set(w, e, key, mac, NEIGH_REACHABLE);
}

void neigh_claimed(struct worker *w, uint16_t port, uint32_t ip, const uint8_t mac[6])
{
	struct neigh_entry *e = find(w->dp->neigh, key_of(port, ip));
	uint8_t old[6];

	if (e == NULL || state_of(e->value) != NEIGH_REACHABLE)
		return;
	mac_of(e->value, old);
	/* Confirmed within the last second: a flood of claims makes no flood of probes. */
	if (memcmp(old, mac, 6) == 0 || w->now - e->since < NEIGH_RETRY_MS)
		return;
	entry_set(w, e, e->key, old, NEIGH_PROBING);
	ask(w, e);
	if (port_address(&w->dp->port[port], ip) != NULL) {
		e->tries = NEIGH_TRIES;
		e->next = w->now + NEIGH_MOVED_MS;
	}
}

void neigh_forget(struct worker *w, uint16_t port, uint32_t ip)
{
	struct neigh_entry *e = find(w->dp->neigh, key_of(port, ip));

	if (e != NULL)
		entry_write(e, 0, 0);
}

static void entry_unanswered(struct worker *w, struct neigh_entry *e)
{
	if (e->tries < NEIGH_TRIES) {
		ask(w, e);
	} else if (state_of(e->value) == NEIGH_PROBING) {
		entry_set(w, e, e->key, NULL, NEIGH_INCOMPLETE);
		ask(w, e);
	} else {
		entry_set(w, e, e->key, NULL, NEIGH_FAILED);
	}
}

static void entry_age(struct worker *w, struct neigh_entry *e)
{
	uint32_t unused = (uint32_t)w->now - __atomic_load_n(&e->used_ms, __ATOMIC_RELAXED);
	uint8_t mac[6];

	switch (state_of(e->value)) {
	case NEIGH_REACHABLE:
		if (unused > NEIGH_UNUSED_MS && (int32_t)unused > 0) {
			entry_write(e, 0, 0);
		} else if (w->now - e->since > NEIGH_FRESH_MS && unused < NEIGH_FRESH_MS) {
			mac_of(e->value, mac);
			entry_set(w, e, e->key, mac, NEIGH_PROBING);
			ask(w, e);
		}
		break;
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBING:
		if (w->now >= e->next)
			entry_unanswered(w, e);
		break;
	case NEIGH_FAILED:
		if (w->now - e->since > NEIGH_FAILED_MS)
			entry_write(e, 0, 0);
		break;
	case NEIGH_NONE:
		break;
	}
}

void neigh_tick(struct worker *w, uint64_t elapsed)
{
	struct neigh_table *t = w->dp->neigh;
	uint32_t n =
		NEIGH_TICK_ENTRIES * (uint32_t)RTE_MIN(elapsed, NEIGH_ENTRIES / NEIGH_TICK_ENTRIES);

	for (uint32_t i = 0; i < n; i++) {
		struct neigh_entry *e = &t->entry[t->tick++ % NEIGH_ENTRIES];

		if (e->key != 0)
			entry_age(w, e);
	}
}

uint64_t neigh_due(const struct worker *w)
{
	return w->now < w->dp->neigh->restless ? w->now + NEIGH_RESTLESS_EVERY_MS : UINT64_MAX;
}
