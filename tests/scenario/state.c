#include <stdlib.h>
#include <string.h>

#include "tests/lib/record.h"
#include "tests/scenario/scenario.h"

/* ---- what happens ---- */

static bool mode_of(const char *name, enum engine_store_mode *mode)
{
	static const char *const names[] = {[ENGINE_STORE_OFF] = "off",
					    [ENGINE_STORE_DOWN] = "down",
					    [ENGINE_STORE_BEHIND] = "behind",
					    [ENGINE_STORE_DURABLE] = "durable"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*mode = (enum engine_store_mode)i;
			return true;
		}
	}
	return false;
}

/* store MODE [resync] | takes [MS] | holds | refuses | ack | refuse | lose */
static void do_store(struct scenario *s, char *args)
{
	enum engine_store_mode mode;
	char *what, *more;

	if (!script_word(&args, &what))
		scenario_fail(s, "store what?");
	if (mode_of(what, &mode))
		driver_store_mode(s->driver, mode,
				  script_word(&args, &more) && strcmp(more, "resync") == 0);
	else if (strcmp(what, "takes") == 0)
		driver_store_behave(s->driver, DRIVER_STORE_TAKES,
				    script_word(&args, &more) ? strtoull(more, NULL, 10) : 0);
	else if (strcmp(what, "holds") == 0)
		driver_store_behave(s->driver, DRIVER_STORE_HOLDS, 0);
	else if (strcmp(what, "refuses") == 0)
		driver_store_behave(s->driver, DRIVER_STORE_REFUSES, 0);
	else if (strcmp(what, "ack") == 0)
		driver_store_ack(s->driver, true);
	else if (strcmp(what, "refuse") == 0)
		driver_store_ack(s->driver, false);
	else if (strcmp(what, "lose") == 0)
		driver_store_lose(s->driver);
	else
		scenario_fail(s, "store %s?", what);
}

static uint16_t group_of(struct scenario *s, const char *name)
{
	for (uint16_t i = 0; i < s->next_snap.groups; i++)
		if (strcmp(s->next_snap.group[i], name) == 0)
			return i;
	scenario_fail(s, "no group %s", name);
}

/* group NAME lost | taken: the latter with all that the store has of it */
static void do_group(struct scenario *s, char *args)
{
	const struct driver_record *r;
	uint32_t cursor = 0;
	char *name, *what;
	uint16_t group;

	if (!script_word(&args, &name) || !script_word(&args, &what))
		scenario_fail(s, "group NAME lost|taken");
	group = group_of(s, name);
	if (strcmp(what, "lost") == 0) {
		driver_group(s->driver, group, false);
		return;
	}
	while ((r = driver_store_next(s->driver, &cursor)))
		if (r->group == group)
			driver_restore(s->driver, r);
	driver_group(s->driver, group, true);
}

/* forget: what is stored is over, and was so elsewhere */
static void do_forget(struct scenario *s)
{
	const struct driver_record *r;
	uint32_t cursor = 0;

	while ((r = driver_store_next(s->driver, &cursor)))
		driver_forget(s->driver, r->kind, r->id);
}

/* counted REALM PORT PACKETS BYTES */
static void do_counted(struct scenario *s, char *args)
{
	char *realm, *port, *packets, *bytes;

	if (!script_word(&args, &realm) || !script_word(&args, &port) ||
	    !script_word(&args, &packets) || !script_word(&args, &bytes))
		scenario_fail(s, "counted REALM PORT PACKETS BYTES");
	if (!driver_counted(s->driver, setup_realm(s, realm), (uint16_t)strtoul(port, NULL, 10),
			    strtoull(packets, NULL, 10), strtoull(bytes, NULL, 10)))
		scenario_fail(s, "no flow at %s %s", realm, port);
}

/* forwarded: the first request that was sent to other nodes comes back from one */
static void do_forwarded(struct scenario *s)
{
	struct sent m;

	if (!s->forwards)
		scenario_fail(s, "nothing was forwarded");
	m = s->forwarded[0];
	memmove(&s->forwarded[0], &s->forwarded[1], --s->forwards * sizeof(m));
	driver_recv_forwarded(s->driver, m.listener, m.remote, slice_of(m.bytes, m.n));
	free(m.bytes);
}

bool state_command(struct scenario *s, const char *verb, char *args)
{
	if (strcmp(verb, "store") == 0)
		do_store(s, args);
	else if (strcmp(verb, "restart") == 0)
		driver_restart_from_store(s->driver, args[0] ? strtoull(args, NULL, 10) : 1000);
	else if (strcmp(verb, "group") == 0)
		do_group(s, args);
	else if (strcmp(verb, "forget") == 0)
		do_forget(s);
	else if (strcmp(verb, "counted") == 0)
		do_counted(s, args);
	else if (strcmp(verb, "forwarded") == 0)
		do_forwarded(s);
	else
		return false;
	return true;
}

void state_forwarded(struct scenario *s, const struct engine_forward *f)
{
	struct sent *m = &s->forwarded[s->forwards];

	if (s->forwards == MAX_KEPT) {
		driver_fail(s->driver, "more than %u requests forwarded", MAX_KEPT);
		return;
	}
	*m = (struct sent){.listener = f->path.listener, .remote = f->path.remote};
	m->n = f->bytes.n;
	m->bytes = malloc(f->bytes.n + 1u);
	if (!m->bytes)
		abort();
	memcpy(m->bytes, f->bytes.p, f->bytes.n);
	m->bytes[m->n] = 0;
	s->forwards++;
}

void state_free(struct scenario *s)
{
	for (unsigned i = 0; i < s->forwards; i++)
		free(s->forwarded[i].bytes);
	s->forwards = 0;
}

/* ---- what is wanted ---- */

static bool record_has(const struct driver_record *r, char *args)
{
	char *word;

	while (script_word(&args, &word)) {
		char *eq = strchr(word, '=');

		if (!eq)
			return false;
		*eq = 0;
		if (!text_glob(record_value(r->fields, word), slice_str(eq + 1)))
			return false;
	}
	return true;
}

static void list_record(const struct driver_record *r, char *text, size_t cap)
{
	struct record rest = {.rest = r->fields};
	struct checkpoint_field f;

	snprintf(text + strlen(text), cap - strlen(text), "\n %s:", checkpoint_kind_name(r->kind));
	while (record_next(&rest, &f) && strlen(text) + 8 < cap)
		snprintf(text + strlen(text), cap - strlen(text), " %.*s=\"%.*s\"", (int)f.name.n,
			 f.name.p, (int)f.value.n, f.value.p);
}

/* stored call|reg FIELD=GLOB...: of a record that is there */
static void stored(struct scenario *s, char *args)
{
	const struct driver_record *r;
	char *kind, seen[6000] = "";
	uint32_t cursor = 0;

	if (!script_word(&args, &kind))
		scenario_fail(s, "stored call|reg FIELD=GLOB...");
	while ((r = driver_store_next(s->driver, &cursor))) {
		char *text = script_expand(s, args);
		bool ok = strcmp(checkpoint_kind_name(r->kind), kind) == 0 && record_has(r, text);

		free(text);
		if (ok)
			return;
		list_record(r, seen, sizeof(seen));
	}
	scenario_fail(s, "not stored: %s %s; there are:%s", kind, args, seen);
}

static uint32_t records_of(struct scenario *s, enum checkpoint_kind kind)
{
	const struct driver_record *r;
	uint32_t cursor = 0, n = 0;

	while ((r = driver_store_next(s->driver, &cursor)))
		n += r->kind == kind;
	return n;
}

static bool number(struct scenario *s, const char *verb, uint64_t *is)
{
	struct engine_stats st;

	driver_stats(s->driver, &st);
	if (strcmp(verb, "stored-calls") == 0)
		*is = records_of(s, CHECKPOINT_CALL);
	else if (strcmp(verb, "stored-registrations") == 0)
		*is = records_of(s, CHECKPOINT_REGISTRATION);
	else if (strcmp(verb, "held") == 0)
		*is = st.store_held;
	else if (strcmp(verb, "underway") == 0)
		*is = st.store_inflight;
	else if (strcmp(verb, "dirty") == 0)
		*is = st.store_dirty;
	else if (strcmp(verb, "degraded") == 0)
		*is = st.degraded;
	else if (strcmp(verb, "degraded-total") == 0)
		*is = st.degraded_total;
	else if (strcmp(verb, "puts") == 0)
		*is = st.store_puts;
	else if (strcmp(verb, "deletes") == 0)
		*is = st.store_deletes;
	else if (strcmp(verb, "restored") == 0)
		*is = st.restored;
	else if (strcmp(verb, "restored-registrations") == 0)
		*is = st.restored_registrations;
	else if (strcmp(verb, "forwards") == 0)
		*is = s->forwards;
	else
		return false;
	return true;
}

bool state_check(struct scenario *s, const char *verb, char *args)
{
	uint64_t is;

	if (strcmp(verb, "stored") == 0) {
		stored(s, args);
		return true;
	}
	if (!number(s, verb, &is))
		return false;
	if (is != strtoull(args, NULL, 10))
		scenario_fail(s, "%llu %s, wanted %s", (unsigned long long)is, verb, args);
	return true;
}

void state_end(struct scenario *s)
{
	struct engine_stats st;

	driver_stats(s->driver, &st);
	if (st.store_dirty || st.store_inflight || st.store_held || st.degraded)
		scenario_fail(s, "at the end %u to be put, %u under way, %u held, %u degraded",
			      st.store_dirty, st.store_inflight, st.store_held, st.degraded);
	if (s->forwards)
		scenario_fail(s, "forwarded, and not looked at: %.*s", (int)s->forwarded[0].n,
			      s->forwarded[0].bytes);
}
