/*
 * Replays scenario files, or all *.scn of a directory, and reports in TAP.
 * --verbose prints every message.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scenario/scenario.h"

/* Long enough for every registration and timer to run out. */
#define AFTERLIFE_MS 8000000u

static void show(const struct scenario *s, const char *way, struct net_addr a, struct slice msg)
{
	char addr[NET_ADDR_STRLEN + 1] = "";
	struct wbuf w;

	if (!s->verbose)
		return;
	wbuf_init(&w, addr, NET_ADDR_STRLEN);
	net_addr_write(&w, a);
	printf("# %llu %s %s\n%.*s\n", (unsigned long long)driver_now(s->driver), way, addr,
	       (int)msg.n, msg.p);
}

static struct sent sent_copy(uint16_t listener, struct net_addr remote, uint64_t at,
			     struct slice bytes)
{
	struct sent m = {.listener = listener, .remote = remote, .at = at, .n = bytes.n};

	m.bytes = malloc(bytes.n + 1u);
	if (!m.bytes)
		abort();
	if (bytes.n)
		memcpy(m.bytes, bytes.p, bytes.n);
	m.bytes[bytes.n] = 0;
	return m;
}

static void on_send(void *ctx, const struct engine_path *path, struct slice bytes)
{
	struct scenario *s = ctx;

	show(s, "=>", path->remote, bytes);
	if (s->sents == MAX_SENT)
		driver_fail(s->driver, "more than %u messages that nobody expects", MAX_SENT);
	else
		s->sent[s->sents++] =
			sent_copy(path->listener, path->remote, driver_now(s->driver), bytes);
}

static void on_forward(void *ctx, const struct engine_forward *f)
{
	state_forwarded(ctx, f);
}

static void on_record(void *ctx, uint16_t shard, const struct engine_record *r)
{
	struct scenario *s = ctx;

	(void)shard;
	if (s->records < MAX_RECORDS)
		s->record[s->records++] = *r;
}

static void start(struct scenario *s)
{
	struct driver_conf conf = {.snapshot = &s->snap, .seed = 7, .learn = true, .ctx = s};

	if (s->driver)
		return;
	if (!s->configured)
		setup_named(s, "nat-access");
	s->snap = s->next_snap;
	conf.shards = s->shards;
	conf.calls = s->calls;
	conf.registrations = s->registrations;
	conf.on_send = on_send;
	conf.on_record = on_record;
	conf.on_forward = on_forward;
	s->driver = driver_new(&conf);
}

static void check_driver(struct scenario *s)
{
	if (s->driver && driver_failure(s->driver))
		scenario_fail(s, "%s", driver_failure(s->driver));
}

static uint16_t listener_of(struct scenario *s, uint16_t realm)
{
	for (uint16_t i = 0; i < s->next_snap.listeners; i++)
		if (s->next_snap.listener[i].realm == realm)
			return i;
	scenario_fail(s, "realm without listener");
}

static void receive(struct scenario *s, uint16_t listener, struct net_addr source,
		    struct slice bytes)
{
	show(s, "<=", source, bytes);
	driver_recv(s->driver, listener, source, bytes);
	check_driver(s);
}

/* recv REALM ADDRESS [raw|lf|nolen] */
static void do_recv(struct scenario *s, char *args)
{
	char *realm, *addr, *bytes;
	uint32_t n;

	if (!script_word(&args, &realm) || !script_word(&args, &addr))
		scenario_fail(s, "recv REALM ADDRESS [FLAG]");
	build_message(s, args, &bytes, &n);
	free(s->received.bytes);
	s->received = sent_copy(listener_of(s, setup_realm(s, realm)), setup_addr(s, addr), 0,
				slice_of(bytes, n));
	free(bytes);
	receive(s, s->received.listener, s->received.remote,
		slice_of(s->received.bytes, s->received.n));
}

static struct kept *kept_find(struct scenario *s, const char *name)
{
	for (unsigned i = 0; i < s->kepts; i++)
		if (strcmp(s->kept[i].name, name) == 0)
			return &s->kept[i];
	return NULL;
}

/* keep NAME: the expected message; remember NAME: the one received last. */
static void do_keep(struct scenario *s, char *name, const struct sent *m)
{
	struct kept *k = kept_find(s, name);

	if (!m->bytes)
		scenario_fail(s, "there is no message yet");
	if (!k) {
		if (s->kepts == MAX_KEPT)
			scenario_fail(s, "more than %u kept messages", MAX_KEPT);
		k = &s->kept[s->kepts++];
		k->name = strdup(name);
	} else {
		free(k->msg.bytes);
	}
	k->msg = sent_copy(m->listener, m->remote, m->at, slice_of(m->bytes, m->n));
}

static void do_again(struct scenario *s, char *name)
{
	const struct sent *m = &s->received;

	if (name[0]) {
		struct kept *k = kept_find(s, name);

		if (!k)
			scenario_fail(s, "nothing kept as %s", name);
		m = &k->msg;
	}
	if (!m->bytes)
		scenario_fail(s, "nothing has been received yet");
	receive(s, m->listener, m->remote, slice_of(m->bytes, m->n));
}

/* reply STATUS REASON... [to=NAME] [tag=TAG] [from=ADDRESS] */
static void do_reply(struct scenario *s, char *args)
{
	char line[256] = "", tag[128] = "", *word, *bytes;
	const struct sent *request = &s->expected;
	struct net_addr from = {0, 0};
	uint32_t n;

	while (script_word(&args, &word)) {
		if (strncmp(word, "to=", 3) == 0) {
			struct kept *k = kept_find(s, word + 3);

			if (!k)
				scenario_fail(s, "nothing kept as %s", word + 3);
			request = &k->msg;
		} else if (strncmp(word, "tag=", 4) == 0) {
			snprintf(tag, sizeof(tag), "%s", word + 4);
		} else if (strncmp(word, "from=", 5) == 0) {
			from = setup_addr(s, word + 5);
		} else {
			snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s",
				 line[0] ? " " : "", word);
		}
	}
	if (!request->bytes || !text_is_request(slice_of(request->bytes, request->n)))
		scenario_fail(s, "no request to reply to");
	build_reply(s, request, line, tag, "", &bytes, &n);
	free(s->received.bytes);
	s->received = sent_copy(request->listener, from.ip ? from : request->remote, 0,
				slice_of(bytes, n));
	free(bytes);
	receive(s, s->received.listener, s->received.remote,
		slice_of(s->received.bytes, s->received.n));
}

static void list_sent(struct scenario *s, char *text, size_t cap)
{
	for (unsigned i = 0; i < s->sents && strlen(text) + 64 < cap; i++) {
		struct slice line = text_start_line(slice_of(s->sent[i].bytes, s->sent[i].n));
		char addr[NET_ADDR_STRLEN + 1] = "";
		struct wbuf w;

		wbuf_init(&w, addr, NET_ADDR_STRLEN);
		net_addr_write(&w, s->sent[i].remote);
		snprintf(text + strlen(text), cap - strlen(text), "\n  to %s: %.*s", addr,
			 (int)line.n, line.p);
	}
}

static void take_sent(struct scenario *s, unsigned i)
{
	free(s->expected.bytes);
	s->expected = s->sent[i];
	memmove(&s->sent[i], &s->sent[i + 1], (s->sents - i - 1) * sizeof(s->sent[0]));
	s->sents--;
}

/* expect REALM ADDRESS START-LINE-PREFIX */
static void do_expect(struct scenario *s, char *args)
{
	char *realm, *addr, pattern[512], list[4096] = "";
	struct net_addr to;
	uint16_t r;

	if (!script_word(&args, &realm) || !script_word(&args, &addr))
		scenario_fail(s, "expect REALM ADDRESS START-LINE");
	r = setup_realm(s, realm);
	to = setup_addr(s, addr);
	snprintf(pattern, sizeof(pattern), "%s*", args);
	for (unsigned i = 0; i < s->sents; i++) {
		struct slice line = text_start_line(slice_of(s->sent[i].bytes, s->sent[i].n));

		if (s->snap.listener[s->sent[i].listener].realm != r ||
		    !net_addr_eq(s->sent[i].remote, to))
			continue;
		if (!text_glob(line, slice_str(pattern)))
			break;
		take_sent(s, i);
		return;
	}
	list_sent(s, list, sizeof(list));
	scenario_fail(s, "not sent to %s %s next: %s; sent and not expected:%s", realm, addr, args,
		      s->sents ? list : " nothing");
}

static void do_silence(struct scenario *s)
{
	char list[4096] = "";

	if (!s->sents)
		return;
	list_sent(s, list, sizeof(list));
	scenario_fail(s, "sent and not expected:%s", list);
}

static void discard(struct scenario *s)
{
	for (unsigned i = 0; i < s->sents; i++)
		free(s->sent[i].bytes);
	s->sents = 0;
}

static void end_clean(struct scenario *s)
{
	char why[512];

	if (!driver_is_clean(s->driver, why, sizeof(why)))
		scenario_fail(s, "%s", why);
}

static void do_media(struct scenario *s, const char *verb, char *args)
{
	char *realm, *port, *source;
	bool ok;

	if (!script_word(&args, &realm) || !script_word(&args, &port))
		scenario_fail(s, "%s REALM PORT", verb);
	if (strcmp(verb, "silent") == 0)
		ok = driver_silent(s->driver, setup_realm(s, realm),
				   (uint16_t)strtoul(port, NULL, 10));
	else if (!script_word(&args, &source))
		scenario_fail(s, "latched REALM PORT SOURCE");
	else
		ok = driver_latched(s->driver, setup_realm(s, realm),
				    (uint16_t)strtoul(port, NULL, 10), setup_addr(s, source));
	if (!ok)
		scenario_fail(s, "no flow at %s %s", realm, port);
	check_driver(s);
}

static void run_lines(struct scenario *s, unsigned first, unsigned count);

/* What `use` sets holds for its macro only. */
struct outer {
	char *name, *value;
};

static void restore(struct scenario *s, struct outer *o)
{
	script_set(s, o->name, slice_str(o->value ? o->value : ""));
	if (!o->value)
		script_unset(s, o->name);
	free(o->name);
	free(o->value);
}

static const struct macro *macro_find(struct scenario *s, const char *name)
{
	for (unsigned i = s->macros; i-- > 0;)
		if (strcmp(s->macro[i].name, name) == 0)
			return &s->macro[i];
	scenario_fail(s, "no macro %s", name);
}

/* use MACRO NAME=VALUE... */
static void do_use(struct scenario *s, char *args)
{
	struct outer outer[16];
	const struct macro *m;
	unsigned back = s->at, n = 0;
	char *name, *word;

	if (!script_word(&args, &name) || s->depth == MAX_DEPTH)
		scenario_fail(s, "use MACRO NAME=VALUE...");
	m = macro_find(s, name);
	for (; script_word(&args, &word); n++) {
		char *eq = strchr(word, '=');
		const char *old;

		if (!eq || n == 16)
			scenario_fail(s, "use %s: %s has no value", name, word);
		*eq = 0;
		old = script_get(s, word);
		outer[n] = (struct outer){strdup(word), old ? strdup(old) : NULL};
		script_set(s, word, slice_str(eq + 1));
	}
	s->caller[s->depth++] = back;
	run_lines(s, m->first, m->count);
	s->at = back;
	s->depth--;
	while (n-- > 0)
		restore(s, &outer[n]);
}

/* let NAME = VALUE, default NAME = VALUE; text NAME with '|' lines */
static void do_let(struct scenario *s, const char *verb, char *args)
{
	char *name, *eq;

	if (!script_word(&args, &name))
		scenario_fail(s, "%s NAME", verb);
	if (strcmp(verb, "text") == 0) {
		char *bytes;
		uint32_t n;

		build_message(s, "nolen", &bytes, &n);
		script_set(s, name, slice_of(bytes, n >= 2 ? n - 2 : 0));
		free(bytes);
		return;
	}
	if (!script_word(&args, &eq) || strcmp(eq, "=") != 0)
		scenario_fail(s, "%s NAME = VALUE", verb);
	if (verb[0] == 'l' || !script_get(s, name))
		script_set(s, name, slice_str(args));
}

static bool event_command(struct scenario *s, const char *verb, char *args)
{
	if (strcmp(verb, "recv") == 0)
		do_recv(s, args);
	else if (strcmp(verb, "reply") == 0)
		do_reply(s, args);
	else if (strcmp(verb, "again") == 0)
		do_again(s, args);
	else if (strcmp(verb, "elapse") == 0)
		driver_advance(s->driver, driver_now(s->driver) + strtoull(args, NULL, 10));
	else if (strcmp(verb, "latched") == 0 || strcmp(verb, "silent") == 0)
		do_media(s, verb, args);
	else if (strcmp(verb, "kill") == 0)
		driver_kill_all(s->driver);
	else if (strcmp(verb, "drain") == 0)
		driver_drain(s->driver);
	else if (strcmp(verb, "secret") == 0) {
		char *realm;

		if (!script_word(&args, &realm))
			scenario_fail(s, "secret REALM TEXT");
		oracle_add(driver_oracle(s->driver), setup_realm(s, realm), slice_str(args),
			   "secret of the scenario");
	} else if (strcmp(verb, "reload") == 0) {
		s->next_snap.version++;
		s->snap = s->next_snap;
		driver_reconfigure(s->driver, &s->snap);
	} else if (!state_command(s, verb, args)) {
		return false;
	}
	check_driver(s);
	return true;
}

static bool other_command(struct scenario *s, const char *verb, char *args)
{
	if (strcmp(verb, "use") == 0)
		do_use(s, args);
	else if (strcmp(verb, "let") == 0 || strcmp(verb, "default") == 0 ||
		 strcmp(verb, "text") == 0)
		do_let(s, verb, args);
	else if (strcmp(verb, "expect") == 0)
		do_expect(s, args);
	else if (strcmp(verb, "keep") == 0)
		do_keep(s, args, &s->expected);
	else if (strcmp(verb, "remember") == 0)
		do_keep(s, args, &s->received);
	else if (strcmp(verb, "silence") == 0)
		do_silence(s);
	else if (strcmp(verb, "discard") == 0)
		discard(s);
	else if (strcmp(verb, "end-clean") == 0)
		end_clean(s);
	else
		return false;
	return true;
}

static void run_line(struct scenario *s)
{
	char *text = script_expand(s, s->line[s->at].text), *rest = text, *verb;
	static const char *const setup[] = {"config", "set", "no-routes", "route", "peer"};
	bool is_setup = false;

	script_word(&rest, &verb);
	for (unsigned i = 0; i < sizeof(setup) / sizeof(setup[0]); i++)
		is_setup |= strcmp(verb, setup[i]) == 0;
	if (is_setup) {
		if (!s->configured && strcmp(verb, "config") != 0)
			setup_named(s, "nat-access");
		setup_command(s, verb, rest);
	} else if (strcmp(verb, "let") == 0 || strcmp(verb, "default") == 0 ||
		   strcmp(verb, "text") == 0) {
		do_let(s, verb, rest);
	} else {
		start(s);
		if (!event_command(s, verb, rest) && !check_command(s, verb, rest) &&
		    !state_check(s, verb, rest) && !other_command(s, verb, rest))
			scenario_fail(s, "no command %s", verb);
	}
	free(text);
}

static void run_lines(struct scenario *s, unsigned first, unsigned count)
{
	unsigned end = first + count;

	for (s->at = first; s->at < end; s->at++) {
		if (strncmp(s->line[s->at].text, "macro ", 6) == 0) {
			while (strcmp(s->line[s->at].text, "end") != 0)
				s->at++;
			continue;
		}
		run_line(s);
	}
}

/* Whatever a scenario leaves running must end, and give everything back. */
static void afterlife(struct scenario *s)
{
	s->at = s->lines;
	if (!s->driver)
		scenario_fail(s, "%s: nothing happens in it", s->path);
	do_silence(s);
	driver_store_behave(s->driver, DRIVER_STORE_TAKES, 0);
	driver_store_ack(s->driver, true);
	discard(s);
	driver_kill_all(s->driver);
	for (unsigned i = 0; i < 8; i++) {
		driver_advance(s->driver, driver_now(s->driver) + AFTERLIFE_MS / 8);
		discard(s);
	}
	check_driver(s);
	end_clean(s);
	state_end(s);
}

static void scenario_free(struct scenario *s)
{
	driver_free(s->driver);
	discard(s);
	state_free(s);
	free(s->expected.bytes);
	free(s->received.bytes);
	for (unsigned i = 0; i < s->kepts; i++) {
		free(s->kept[i].msg.bytes);
		free(s->kept[i].name);
	}
	for (unsigned i = 0; i < s->vars; i++) {
		free(s->var[i].name);
		free(s->var[i].value);
	}
	for (unsigned i = 0; i < s->lines; i++)
		free(s->line[i].text);
	for (unsigned i = 0; i < s->includes; i++)
		free(s->include[i]);
	free(s);
}

static bool run_file(const char *path, unsigned number, bool verbose)
{
	struct scenario *s = calloc(1, sizeof(*s));
	volatile bool ok = false;

	if (!s)
		abort();
	s->path = path;
	s->verbose = verbose;
	if (setjmp(s->failed) == 0) {
		script_load(s, path);
		run_lines(s, 0, s->lines);
		afterlife(s);
		ok = true;
	}
	printf("%sok %u - %s\n", ok ? "" : "not ", number, path);
	for (char *line = ok ? NULL : strtok(s->why, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
	fflush(stdout);
	scenario_free(s);
	return ok;
}

static int is_scenario(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 4 && strcmp(e->d_name + n - 4, ".scn") == 0;
}

static unsigned run_path(const char *path, unsigned *number, bool verbose)
{
	struct dirent **entry;
	unsigned failed = 0;
	int n;

	if (strlen(path) > 4 && strcmp(path + strlen(path) - 4, ".scn") == 0)
		return run_file(path, ++*number, verbose) ? 0 : 1;
	n = scandir(path, &entry, is_scenario, alphasort);
	for (int i = 0; i < n; i++) {
		char full[1024];

		snprintf(full, sizeof(full), "%s/%s", path, entry[i]->d_name);
		failed += run_file(full, ++*number, verbose) ? 0 : 1;
		free(entry[i]);
	}
	if (n > 0)
		free(entry);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned number = 0, failed = 0;
	bool verbose = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else
			failed += run_path(argv[i], &number, verbose);
	}
	printf("1..%u\n", number);
	return number == 0 || failed;
}
