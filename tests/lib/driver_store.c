#include "tests/lib/driver_store.h"

#include <stdlib.h>
#include <string.h>

#include "sbc/base/ident.h"
#include "tests/lib/change.h"
#include "tests/lib/driver_internal.h"

void driver_store_init(struct driver *d)
{
	d->store = (struct driver_store){.mode = ENGINE_STORE_OFF};
}

static void drop(struct slice *s)
{
	free((void *)(uintptr_t)s->p);
	*s = SLICE_NONE;
}

static void drop_ops(struct driver *d)
{
	for (uint32_t i = 0; i < d->store.ops; i++)
		drop(&d->store.op[i].fields);
	d->store.ops = 0;
}

static void saved_drop(struct driver_store *t)
{
	for (uint32_t i = 0; i < t->saves; i++)
		drop(&t->saved[i].fields);
	free(t->saved);
	t->saved = NULL;
	t->saves = 0;
}

void driver_store_free(struct driver *d)
{
	drop_ops(d);
	driver_store_lose(d);
	saved_drop(&d->store);
	free(d->store.op);
	free(d->store.record);
}

static struct slice copy(struct slice s)
{
	char *p = driver_need(malloc(s.n ? s.n : 1));

	if (s.n)
		memcpy(p, s.p, s.n);
	return slice_of(p, s.n);
}

static uint32_t record_of(struct driver *d, const struct engine_store *s, bool make)
{
	struct driver_store *t = &d->store;

	for (uint32_t i = 0; i < t->records; i++)
		if (t->record[i].kind == s->kind && memcmp(t->record[i].id, s->id, IDENT_LEN) == 0)
			return i;
	if (!make)
		return UINT32_MAX;
	if (t->records == t->room) {
		t->room = t->room ? 2 * t->room : 64;
		t->record = driver_need(realloc(t->record, t->room * sizeof(*t->record)));
	}
	t->record[t->records] = (struct driver_record){.kind = s->kind, .group = s->group};
	memcpy(t->record[t->records].id, s->id, IDENT_LEN);
	return t->records++;
}

static struct driver_op *op_add(struct driver *d)
{
	struct driver_store *t = &d->store;

	if (t->ops == t->op_room) {
		t->op_room = t->op_room ? 2 * t->op_room : 64;
		t->op = driver_need(realloc(t->op, t->op_room * sizeof(*t->op)));
	}
	return &t->op[t->ops++];
}

static bool is_underway(const struct driver *d, uint32_t record, uint16_t shard, uint32_t *puts)
{
	bool found = false;

	*puts = 0;
	for (uint32_t i = 0; i < d->store.ops; i++) {
		const struct driver_op *op = &d->store.op[i];

		*puts += op->is_put && op->shard == shard;
		found |= op->is_put && op->record == record;
	}
	return found;
}

/* How it is with the store now. */
static struct driver_fate fate_of(struct driver *d, bool is_put)
{
	struct driver_fate f = {.delay_ms = is_put ? d->store.delay : 0, .ok = true, .done = true};

	if (is_put && d->store.how == DRIVER_STORE_REFUSES)
		f.ok = f.done = false;
	if (is_put && d->store.how == DRIVER_STORE_HOLDS)
		f.delay_ms = UINT64_MAX;
	if (d->conf.on_store)
		d->conf.on_store(d->conf.ctx, is_put, &f);
	return f;
}

static void op_decide(struct driver *d, struct driver_op *op)
{
	struct driver_fate f = fate_of(d, op->is_put);

	op->ok = f.ok;
	op->done = f.done;
	op->at = f.delay_ms == UINT64_MAX ? UINT64_MAX : d->now + f.delay_ms;
}

/* What is put must be what a release reads, and name itself. */
static void check_fields(struct driver *d, const struct engine_store *s, struct slice fields)
{
	static struct call_checkpoint call;
	struct registration_checkpoint reg;
	enum sbc_err err;
	struct slice id;
	uint32_t version;

	if (s->kind == CHECKPOINT_CALL) {
		err = checkpoint_call_read(&call, fields);
		id = call.id;
		version = call.version;
	} else {
		err = checkpoint_registration_read(&reg, fields);
		id = reg.id;
		version = reg.version;
	}
	if (err != SBC_OK)
		driver_fail(d, "a checkpoint that cannot be read: error %d", (int)err);
	else if (!slice_eq(id, slice_of(s->id, IDENT_LEN)) || version != s->version)
		driver_fail(d, "a checkpoint that is not what its action says");
}

/* A registration that has expired is not restored, and begins anew over what is left of it. */
static bool has_to_rise(const struct driver *d, const struct driver_record *r)
{
	uint64_t spare = r->kind == CHECKPOINT_REGISTRATION ? 90000 : 0;

	return r->present && !r->deleted && r->expires > d->now + spare;
}

/* What was refused may have been carried out: it may be put again as it was. */
static bool is_repeated(const struct engine_store *s, const struct driver_record *r,
			struct slice fields)
{
	return s->version == r->version && change_same(fields, r->fields);
}

/* Whether a change finds what it is of: the version before, or its own from another time. */
static bool can_change(const struct driver *d, const struct driver_record *r, uint32_t version)
{
	return r->present && r->expires > d->now &&
	       (r->version == version || r->version + 1 == version);
}

void driver_store_put(struct driver *d, uint16_t shard, const struct engine_store *s)
{
	uint32_t i = record_of(d, s, true), puts;
	struct driver_record *r = &d->store.record[i];
	struct slice fields = SLICE_NONE;
	struct driver_op *op;

	if (d->store.mode == ENGINE_STORE_OFF || d->store.mode == ENGINE_STORE_DOWN)
		driver_fail(d, "put into a store that is off or down");
	if (is_underway(d, i, shard, &puts))
		driver_fail(d, "two puts of %.*s under way", (int)IDENT_LEN, s->id);
	if (puts >= ENGINE_STORE_WINDOW)
		driver_fail(d, "more puts under way than the window allows");
	if (s->whole) {
		fields = s->fields;
	} else if (can_change(d, r, s->version)) {
		fields = driver_change(d, r->fields, s->fields, s->gone);
		driver_check_change(d, shard, s, fields);
	}
	if (has_to_rise(d, r) && s->version <= r->version && !is_repeated(s, r, fields))
		driver_fail(d, "%s %.*s: version %u put after %u", checkpoint_kind_name(s->kind),
			    (int)IDENT_LEN, s->id, s->version, r->version);
	if (s->fields.n > CHECKPOINT_MAX || s->ttl_s == 0)
		driver_fail(d, "put of %u bytes for %u s", s->fields.n, s->ttl_s);
	if (fields.n)
		check_fields(d, s, fields);
	if (r->deleted && s->kind == CHECKPOINT_CALL)
		driver_fail(d, "%.*s put after it was deleted", (int)IDENT_LEN, s->id);
	r->group = s->group;
	r->deleted = false;
	op = op_add(d);
	*op = (struct driver_op){
		.is_put = true,
		.shard = shard,
		.handle = s->handle,
		.record = i,
		.version = s->version,
		.ttl_s = s->ttl_s,
		.whole = s->whole,
		.gone = s->gone,
		.fields = copy(s->fields),
	};
	op_decide(d, op);
	/* Behind a delete of the same id that is under way. */
	for (uint32_t k = 0; k + 1 < d->store.ops; k++)
		if (d->store.op[k].record == i && d->store.op[k].at > op->at)
			op->at = d->store.op[k].at;
}

void driver_store_seed(struct driver *d, enum checkpoint_kind kind, const char id[IDENT_LEN],
		       uint32_t version, struct slice fields)
{
	struct engine_store s = {.kind = kind};
	struct driver_record *r;
	uint32_t i;

	memcpy(s.id, id, IDENT_LEN);
	i = record_of(d, &s, true);
	r = &d->store.record[i];
	drop(&r->fields);
	r->present = true;
	r->version = version;
	r->ttl_s = d->snap->store_ttl_s;
	r->expires = d->now + 1000ull * r->ttl_s;
	r->fields = copy(fields);
}

void driver_store_delete(struct driver *d, uint16_t shard, const struct engine_store *s)
{
	uint32_t i = record_of(d, s, false), puts;
	struct driver_op *op;

	if (i == UINT32_MAX) {
		driver_fail(d, "delete of %.*s, which was never put", (int)IDENT_LEN, s->id);
		return;
	}
	op = op_add(d);
	*op = (struct driver_op){.shard = shard, .record = i};
	op_decide(d, op);
	d->store.record[i].deleted = true;
	/* Behind a put of the same id that is under way. */
	d->store.ops--;
	if (is_underway(d, i, shard, &puts))
		op->at = UINT64_MAX;
	d->store.ops++;
}

static void record_clear(struct driver_record *r)
{
	r->present = false;
	drop(&r->fields);
}

static void carry_put(struct driver *d, struct driver_op *op, bool tell)
{
	struct driver_record *r = &d->store.record[op->record];
	struct engine_event ev = {.type = ENGINE_EV_STORED};

	if (!op->whole && op->done && !can_change(d, r, op->version))
		op->ok = op->done = false;
	ev.stored.kind = r->kind;
	ev.stored.handle = op->handle;
	ev.stored.version = op->version;
	ev.stored.ok = op->ok;
	if (!op->ok)
		r->refused_at = d->now;
	if (op->done) {
		if (!op->whole) {
			struct slice fields =
				copy(driver_change(d, r->fields, op->fields, op->gone));

			drop(&op->fields);
			op->fields = fields;
		}
		record_clear(r);
		r->present = true;
		r->version = op->version;
		r->ttl_s = op->ttl_s;
		r->expires = d->now + 1000ull * op->ttl_s;
		r->fields = op->fields;
	} else {
		drop(&op->fields);
	}
	if (tell)
		driver_handle(d, op->shard, &ev);
}

bool driver_store_answer_next(struct driver *d)
{
	struct driver_store *t = &d->store;
	struct driver_op op;
	uint32_t i = 0;

	if (d->dead)
		return false;
	while (i < t->ops && t->op[i].at > d->now)
		i++;
	if (i == t->ops)
		return false;
	op = t->op[i];
	memmove(&t->op[i], &t->op[i + 1], (t->ops - i - 1) * sizeof(op));
	t->ops--;
	for (uint32_t k = 0; op.is_put && k < t->ops; k++)
		if (!t->op[k].is_put && t->op[k].record == op.record)
			t->op[k].at = d->now;
	if (op.is_put)
		carry_put(d, &op, true);
	else
		record_clear(&t->record[op.record]);
	return true;
}

uint64_t driver_store_next_due(const struct driver *d)
{
	uint64_t due = UINT64_MAX;

	for (uint32_t i = 0; i < d->store.ops; i++)
		due = d->store.op[i].at < due ? d->store.op[i].at : due;
	return due;
}

void driver_store_mode(struct driver *d, enum engine_store_mode mode, bool resync)
{
	d->store.mode = mode;
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_event ev = {.type = ENGINE_EV_STORE};

		ev.store.mode = mode;
		ev.store.resync = resync;
		driver_handle(d, i, &ev);
	}
	driver_settle(d);
}

void driver_store_barrier(struct driver *d)
{
	d->store.barrier++;
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_event ev = {.type = ENGINE_EV_BARRIER};

		ev.barrier = d->store.barrier;
		driver_handle(d, i, &ev);
	}
	driver_settle(d);
}

void driver_store_passed(struct driver *d, uint16_t shard, uint64_t ref)
{
	if (ref <= d->store.passed[shard] || ref > d->store.barrier)
		driver_fail(d, "barrier %llu answered after %llu", (unsigned long long)ref,
			    (unsigned long long)d->store.passed[shard]);
	d->store.passed[shard] = ref;
}

uint32_t driver_store_passed_by(const struct driver *d)
{
	uint32_t n = 0;

	for (uint16_t i = 0; i < d->shards; i++)
		n += d->store.passed[i] == d->store.barrier;
	return n;
}

void driver_store_behave(struct driver *d, enum driver_store_how how, uint64_t delay_ms)
{
	d->store.how = how;
	d->store.delay = delay_ms;
}

void driver_store_ack(struct driver *d, bool ok)
{
	for (uint32_t i = 0; i < d->store.ops; i++) {
		if (!d->store.op[i].is_put)
			continue;
		d->store.op[i].at = d->now;
		d->store.op[i].ok = d->store.op[i].done = ok;
	}
	driver_settle(d);
}

void driver_store_lose(struct driver *d)
{
	for (uint32_t i = 0; i < d->store.records; i++)
		record_clear(&d->store.record[i]);
}

void driver_store_release(struct driver *d)
{
	for (uint32_t i = 0; i < d->store.ops; i++) {
		struct driver_op *op = &d->store.op[i];
		bool behind = false;

		for (uint32_t k = 0; !op->is_put && k < i; k++)
			behind |= d->store.op[k].is_put && d->store.op[k].record == op->record;
		if (op->at == UINT64_MAX && !behind)
			op_decide(d, op);
	}
	driver_settle(d);
}

uint32_t driver_store_underway(const struct driver *d)
{
	return d->store.ops;
}

void driver_store_cut(struct driver *d, uint32_t done, bool tell)
{
	for (uint32_t i = 0; i < d->store.ops; i++) {
		struct driver_op *op = &d->store.op[i];

		op->at = d->now;
		op->ok = false;
		op->done = i < done;
	}
	for (uint32_t i = 0; i < d->store.ops;) {
		struct driver_op op = d->store.op[i];

		if (tell && !op.is_put) {
			d->store.op[i++].at = UINT64_MAX;
			continue;
		}
		memmove(&d->store.op[i], &d->store.op[i + 1], (--d->store.ops - i) * sizeof(op));
		if (op.is_put)
			carry_put(d, &op, tell);
		else if (op.done)
			record_clear(&d->store.record[op.record]);
	}
}

void driver_store_save(struct driver *d)
{
	struct driver_store *t = &d->store;

	saved_drop(t);
	t->saved = driver_need(calloc(t->records + 1u, sizeof(*t->saved)));
	t->saves = t->records;
	for (uint32_t i = 0; i < t->records; i++) {
		t->saved[i] = t->record[i];
		t->saved[i].fields = t->record[i].present ? copy(t->record[i].fields) : SLICE_NONE;
	}
}

void driver_store_revert(struct driver *d)
{
	struct driver_store *t = &d->store;

	driver_store_lose(d);
	for (uint32_t i = 0; i < t->saves; i++) {
		bool deleted = t->record[i].deleted && !t->saved[i].present;

		t->record[i] = t->saved[i];
		t->record[i].deleted = deleted;
		t->record[i].fields = t->saved[i].present ? copy(t->saved[i].fields) : SLICE_NONE;
	}
	for (uint32_t i = t->saves; i < t->records; i++)
		t->record[i].deleted = false;
}

const struct driver_record *driver_store_find(const struct driver *d, enum checkpoint_kind kind,
					      struct slice id)
{
	for (uint32_t i = 0; i < d->store.records; i++) {
		const struct driver_record *r = &d->store.record[i];

		if (r->kind == kind && slice_eq(slice_of(r->id, IDENT_LEN), id))
			return r;
	}
	return NULL;
}

const struct driver_record *driver_store_next(const struct driver *d, uint32_t *cursor)
{
	while (*cursor < d->store.records) {
		const struct driver_record *r = &d->store.record[(*cursor)++];

		if (r->present && r->expires > d->now)
			return r;
	}
	return NULL;
}

/* ---- another process ---- */

void driver_restore(struct driver *d, const struct driver_record *r)
{
	struct engine_event ev = {.type = ENGINE_EV_RESTORE};
	uint8_t bucket = ident_bucket(&d->key, slice_of(r->id, IDENT_LEN));
	struct slice fields = copy(r->fields);

	ev.restore.kind = r->kind;
	ev.restore.fields = fields;
	driver_handle(d, ident_shard(bucket, d->shards), &ev);
	driver_settle(d);
	drop(&fields);
}

void driver_forget(struct driver *d, enum checkpoint_kind kind, const char id[IDENT_LEN])
{
	struct engine_event ev = {.type = ENGINE_EV_FORGET};

	ev.forget.kind = kind;
	memcpy(ev.forget.id, id, IDENT_LEN);
	driver_handle(d, ident_shard(ident_bucket(&d->key, slice_of(id, IDENT_LEN)), d->shards),
		      &ev);
	driver_settle(d);
}

void driver_group(struct driver *d, uint16_t group, bool active)
{
	for (uint16_t i = 0; i < d->shards; i++) {
		struct engine_event ev = {.type = ENGINE_EV_GROUP};

		ev.group.group = group;
		ev.group.active = active;
		driver_handle(d, i, &ev);
	}
	driver_settle(d);
}

/* All that goes into a flow but who owns it and what it counts. */
static bool same_flow(const struct shadow *was, const struct shadow *is)
{
	const struct flow_spec *a = &was->spec, *b = &is->spec;

	return is->live && a->peer_realm == b->peer_realm && a->peer_port == b->peer_port &&
	       a->address == b->address && a->peer_address == b->peer_address &&
	       net_addr_eq(a->remote, b->remote) && a->gate_ip == b->gate_ip &&
	       a->clock_rate == b->clock_rate && a->dscp == b->dscp && a->latch == b->latch &&
	       a->proven == b->proven && a->closed == b->closed && a->rtcp == b->rtcp &&
	       a->opaque == b->opaque && a->stream == b->stream && a->leg == b->leg &&
	       net_addr_eq(was->latched, b->source);
}

static void check_flows(struct driver *d, struct shadow *was[SNAPSHOT_MAX_REALMS])
{
	for (uint16_t r = 0; r < d->snap->realms; r++)
		for (uint32_t p = 0; was[r] != NULL && p < driver_places(d, r); p++) {
			const struct shadow *is = &d->shadow[r][p];

			if (is->live && !was[r][p].live)
				driver_fail(d, "after the restart there is a flow at %s:%u",
					    d->snap->realm[r].name, p);
			else if (was[r][p].live && !same_flow(&was[r][p], is))
				driver_fail(d, "after the restart the flow at %s:%u is %s",
					    d->snap->realm[r].name, p,
					    is->live ? "another" : "gone");
		}
}

void driver_restart_from_store(struct driver *d, uint64_t later)
{
	enum engine_store_mode mode = d->store.mode;
	struct shadow *was[SNAPSHOT_MAX_REALMS] = {NULL};
	struct engine_stats s;
	bool whole;

	driver_stats(d, &s);
	whole = mode > ENGINE_STORE_DOWN && s.store_dirty == 0 && s.store_inflight == 0;
	for (uint16_t i = 0; i < d->snap->realms; i++) {
		was[i] = d->shadow[i];
		d->shadow[i] = NULL;
	}
	drop_ops(d);
	d->now += later;
	driver_restart(d);
	for (uint32_t i = 0; i < d->store.records; i++)
		if (d->store.record[i].present && d->store.record[i].expires > d->now)
			driver_restore(d, &d->store.record[i]);
	if (whole)
		check_flows(d, was);
	for (uint16_t i = 0; i < d->snap->realms; i++)
		free(was[i]);
	driver_store_mode(d, mode, false);
}
