#include "control/warm.h"

#include <stdlib.h>
#include <string.h>

#define NONE       UINT32_MAX
#define LEGS       2u
#define FIRST_SIZE 1024u

/* A record; on the chain of its name, and of each dialog's print: node slot * LEGS + leg. */
struct slot {
	char *bytes; /* NULL: free */
	uint64_t print[LEGS];
	uint32_t n, chain, print_chain[LEGS];
	char id[IDENT_LEN];
	uint16_t group;
	uint8_t kind;
	bool has_prints;
};

struct warm {
	struct siphash_key key;
	struct slot *slot;
	uint32_t *heads, *print_heads;
	uint32_t size, mask, count, free, max_records;
	uint64_t bytes, max_bytes;
	struct warm_count counts[SNAPSHOT_MAX_GROUPS];
	struct call_checkpoint call; /* large: to decode into */
};

static uint32_t hash_of(const struct warm *w, uint16_t group, enum checkpoint_kind kind,
			const char id[IDENT_LEN])
{
	char name[IDENT_LEN + 2];

	memcpy(name, id, IDENT_LEN);
	name[IDENT_LEN] = (char)group;
	name[IDENT_LEN + 1] = (char)kind;
	return (uint32_t)siphash13(&w->key, name, sizeof(name)) & w->mask;
}

static uint32_t print_hash(const struct warm *w, uint64_t print)
{
	return (uint32_t)siphash13(&w->key, &print, sizeof(print)) & w->mask;
}

static void link_slot(struct warm *w, uint32_t i)
{
	struct slot *s = &w->slot[i];
	uint32_t h = hash_of(w, s->group, (enum checkpoint_kind)s->kind, s->id);

	s->chain = w->heads[h];
	w->heads[h] = i;
}

static void link_prints(struct warm *w, uint32_t i)
{
	struct slot *s = &w->slot[i];

	for (uint32_t leg = 0; s->has_prints && leg < LEGS; leg++) {
		uint32_t h = print_hash(w, s->print[leg]);

		s->print_chain[leg] = w->print_heads[h];
		w->print_heads[h] = i * LEGS + leg;
	}
}

static void unlink_slot(struct warm *w, uint32_t i)
{
	const struct slot *s = &w->slot[i];
	uint32_t *at = &w->heads[hash_of(w, s->group, (enum checkpoint_kind)s->kind, s->id)];

	while (*at != i)
		at = &w->slot[*at].chain;
	*at = s->chain;
}

static void unlink_prints(struct warm *w, uint32_t i)
{
	struct slot *s = &w->slot[i];

	for (uint32_t leg = 0; s->has_prints && leg < LEGS; leg++) {
		uint32_t *at = &w->print_heads[print_hash(w, s->print[leg])];

		while (*at != i * LEGS + leg)
			at = &w->slot[*at / LEGS].print_chain[*at % LEGS];
		*at = s->print_chain[leg];
	}
	s->has_prints = false;
}

/* Twice the size; all or nothing. */
static bool grow(struct warm *w)
{
	uint32_t size = w->size ? w->size * 2 : FIRST_SIZE;
	uint32_t *heads = malloc((size_t)size * 2 * sizeof(*heads));
	struct slot *slot = heads ? realloc(w->slot, (size_t)size * sizeof(*slot)) : NULL;

	if (!slot) {
		free(heads);
		return false;
	}
	memset(slot + w->size, 0, (size_t)(size - w->size) * sizeof(*slot));
	memset(heads, 0xff, (size_t)size * 2 * sizeof(*heads));
	for (uint32_t i = size; i-- > w->size;) {
		slot[i].chain = w->free;
		w->free = i;
	}
	free(w->heads);
	w->heads = heads;
	w->print_heads = heads + size;
	w->slot = slot;
	w->mask = size - 1;
	for (uint32_t i = 0; i < w->size; i++) {
		if (!slot[i].bytes)
			continue;
		link_slot(w, i);
		link_prints(w, i);
	}
	w->size = size;
	return true;
}

struct warm *warm_new(const struct siphash_key *key, uint32_t max_records, uint64_t max_bytes)
{
	struct warm *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->key = *key;
	w->free = NONE;
	w->max_records = max_records < NONE / 4 ? max_records : NONE / 4;
	w->max_bytes = max_bytes;
	if (grow(w))
		return w;
	free(w);
	return NULL;
}

void warm_free(struct warm *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->size; i++)
		free(w->slot[i].bytes);
	free(w->slot);
	free(w->heads);
	free(w);
}

static uint32_t find(const struct warm *w, uint16_t group, enum checkpoint_kind kind,
		     const char id[IDENT_LEN])
{
	uint32_t i = w->heads[hash_of(w, group, kind, id)];

	while (i != NONE) {
		const struct slot *s = &w->slot[i];

		if (s->group == group && s->kind == kind && memcmp(s->id, id, IDENT_LEN) == 0)
			return i;
		i = s->chain;
	}
	return NONE;
}

static uint32_t *counter(struct warm *w, const struct slot *s)
{
	struct warm_count *c = &w->counts[s->group];

	return s->kind == CHECKPOINT_CALL ? &c->calls : &c->registrations;
}

static void remove_slot(struct warm *w, uint32_t i)
{
	struct slot *s = &w->slot[i];

	unlink_prints(w, i);
	unlink_slot(w, i);
	--*counter(w, s);
	w->counts[s->group].bytes -= s->n;
	w->bytes -= s->n;
	w->count--;
	free(s->bytes);
	*s = (struct slot){.chain = w->free};
	w->free = i;
}

static uint32_t add_slot(struct warm *w, uint16_t group, enum checkpoint_kind kind,
			 const char id[IDENT_LEN])
{
	struct slot *s;
	uint32_t i;

	if (w->count >= w->max_records || (w->free == NONE && !grow(w)))
		return NONE;
	i = w->free;
	s = &w->slot[i];
	w->free = s->chain;
	*s = (struct slot){.group = group, .kind = (uint8_t)kind};
	memcpy(s->id, id, IDENT_LEN);
	link_slot(w, i);
	++*counter(w, s);
	w->count++;
	return i;
}

/* A request within a dialog names the Call-ID of its leg, and our tag as To tag. */
static void read_prints(struct warm *w, struct slot *s)
{
	const struct slice flat = slice_of(s->bytes, s->n);

	if (s->kind != CHECKPOINT_CALL || checkpoint_call_read(&w->call, flat) != SBC_OK)
		return;
	for (uint32_t leg = 0; leg < LEGS; leg++)
		s->print[leg] = engine_dialog_print(&w->key, w->call.leg[leg].call_id,
						    w->call.leg[leg].tag);
	s->has_prints = true;
}

bool warm_put(struct warm *w, uint16_t group, enum checkpoint_kind kind, const char id[IDENT_LEN],
	      struct slice fields)
{
	uint32_t i = find(w, group, kind, id), before = i == NONE ? 0 : w->slot[i].n;
	char *bytes = NULL;
	struct slot *s;

	if (w->bytes - before + fields.n <= w->max_bytes)
		bytes = malloc(fields.n ? fields.n : 1);
	if (bytes && i == NONE)
		i = add_slot(w, group, kind, id);
	if (!bytes || i == NONE) {
		/* What is old is worse than none: it would be restored. */
		if (i != NONE)
			remove_slot(w, i);
		free(bytes);
		w->counts[group].left_out++;
		return false;
	}
	s = &w->slot[i];
	unlink_prints(w, i);
	free(s->bytes);
	if (fields.n)
		memcpy(bytes, fields.p, fields.n);
	s->bytes = bytes;
	s->n = fields.n;
	w->bytes += fields.n - (uint64_t)before;
	w->counts[group].bytes += fields.n - (uint64_t)before;
	read_prints(w, s);
	link_prints(w, i);
	return true;
}

void warm_remove(struct warm *w, uint16_t group, enum checkpoint_kind kind,
		 const char id[IDENT_LEN])
{
	uint32_t i = find(w, group, kind, id);

	if (i != NONE)
		remove_slot(w, i);
}

void warm_clear(struct warm *w, uint16_t group)
{
	for (uint32_t i = 0; i < w->size; i++)
		if (w->slot[i].bytes && w->slot[i].group == group)
			remove_slot(w, i);
	w->counts[group].left_out = 0;
}

bool warm_find_dialog(const struct warm *w, uint64_t print, uint16_t *group)
{
	uint32_t node = w->print_heads[print_hash(w, print)];

	while (node != NONE) {
		const struct slot *s = &w->slot[node / LEGS];

		if (s->print[node % LEGS] == print) {
			*group = s->group;
			return true;
		}
		node = s->print_chain[node % LEGS];
	}
	return false;
}

bool warm_next(const struct warm *w, uint16_t group, uint32_t *cursor, struct warm_record *r)
{
	for (; *cursor < w->size; ++*cursor) {
		const struct slot *s = &w->slot[*cursor];

		if (!s->bytes || s->group != group)
			continue;
		r->kind = (enum checkpoint_kind)s->kind;
		memcpy(r->id, s->id, IDENT_LEN);
		r->fields = slice_of(s->bytes, s->n);
		++*cursor;
		return true;
	}
	return false;
}

void warm_count(const struct warm *w, uint16_t group, struct warm_count *c)
{
	*c = w->counts[group];
}
