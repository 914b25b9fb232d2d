/*
 * Runs the simulation: sim [--calls N] [--seed N] [--shards N] [--phones N]
 * [--loss PERMILLE] [--rate CALLS-A-SECOND] [--pool CALLS] [--store
 * off|steady|stormy] [--crash MS]; --help says what they are. Reports in TAP;
 * a failure prints the seed and the last messages of the call it is about.
 */
#include "tests/simulation/sim.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 20u

void sim_fail(struct sim *s, const struct call *c, const char *format, ...)
{
	va_list ap;
	int n;

	if (s->failure[0])
		return;
	va_start(ap, format);
	n = vsnprintf(s->failure, sizeof(s->failure), format, ap);
	va_end(ap);
	for (uint32_t i = 0; c && i < CALL_HISTORY && n < (int)sizeof(s->failure); i++) {
		const struct bytes *b = &c->past[(c->history + i) % CALL_HISTORY];

		if (i == 0)
			n += snprintf(s->failure + n, sizeof(s->failure) - (size_t)n,
				      "\ncall %u, its last messages as its user agents saw them:\n",
				      c->number);
		if (b->p && n < (int)sizeof(s->failure))
			n += snprintf(s->failure + n, sizeof(s->failure) - (size_t)n, "%.*s\n",
				      (int)b->n, b->p);
	}
}

static struct leg *leg_of(struct sim *s, uint16_t realm, struct slice msg)
{
	return leg_find(s, text_header(msg, "Call-ID", 0), SLICE_NONE, realm == SIM_CORE);
}

/*
 * A port told in an answer has a flow behind it as soon as the event is through;
 * what a 2xx offers does not yet.
 */
static void promise(struct sim *s, uint16_t realm, struct slice msg)
{
	struct leg *l = leg_of(s, realm, msg);
	struct slice m = text_sdp(text_body(msg), 'm', 0);
	int32_t sp = text_find(m, SLICE_LIT(" "), false);

	if (!l || l->call->ended || l->call->plan.late_offer || sp < 0 || s->promises == 16 ||
	    !slice_eq(text_method(msg), SLICE_LIT("INVITE")) || text_status(msg) / 100 != 2)
		return;
	s->promised[s->promises].realm = realm;
	s->promised[s->promises].call = l->call;
	s->promised[s->promises++].port =
		(uint16_t)text_number(slice_of(m.p + sp + 1, m.n - (uint32_t)sp - 1));
}

static bool lives_here(const struct sim *s, uint16_t realm, struct net_addr to)
{
	if (realm == SIM_CORE)
		return net_addr_eq(to, s->snap.peer[0].addr);
	for (uint32_t i = 0; i < s->conf.phones; i++)
		if (net_addr_eq(s->phone[i].addr, to))
			return true;
	return false;
}

static void on_send(void *ctx, const struct engine_path *path, struct slice bytes)
{
	struct sim *s = ctx;
	uint16_t realm = s->snap.listener[path->listener].realm;
	struct leg *l = leg_of(s, realm, bytes);

	if (!lives_here(s, realm, path->remote))
		sim_fail(s, l ? l->call : NULL, "sent to where nobody lives:\n%.*s", (int)bytes.n,
			 bytes.p);
	if (l)
		call_note(s, l->call, realm == SIM_CORE ? "border => pbx" : "border => phone",
			  bytes);
	if (l && slice_eq(text_method(bytes), SLICE_LIT("BYE")) && text_is_request(bytes))
		l->call->ended = l->call->by_border = true;
	if (l && l == l->call->leg[0] && !l->call->answered && text_status(bytes) / 100 == 2 &&
	    slice_eq(text_method(bytes), SLICE_LIT("INVITE")) && faults_are_on(s))
		faults_answer(s, l->call);
	promise(s, realm, bytes);
	if (l && l->call->history > STORM)
		sim_fail(s, l->call, "more than %u messages in one call", STORM);
	sim_send(s, EVENT_TO_AGENT, realm, path->remote, bytes.p, bytes.n);
}

static void check_flow(struct sim *s, struct call *c, uint16_t realm, uint16_t port)
{
	s->tally.flow_checks++;
	if (!driver_flow(s->driver, realm, port) && !driver_is_dead(s->driver))
		sim_fail(s, c, "realm %u was told port %u, which has no flow", realm, port);
}

static void after_event(struct sim *s)
{
	for (uint32_t i = 0; i < s->promises; i++)
		if (s->promised[i].port)
			check_flow(s, s->promised[i].call, s->promised[i].realm,
				   s->promised[i].port);
	s->promises = 0;
	if (driver_failure(s->driver) && !s->failure[0])
		sim_fail(s, NULL, "%s", driver_failure(s->driver));
}

/*
 * Both ends believe that they are in a call: then its flows are there. But an answer in an
 * ACK that was not stored yet comes again with the next ACK.
 */
static void check_some_call(struct sim *s)
{
	struct leg *l = s->legs ? s->leg[sim_below(s, s->legs)] : NULL;

	if (!l || !l->live || !l->up || l->call->ended || !l->border_port || l->forked ||
	    l->call->lost || s->faults.away || (l->call->plan.late_offer && s->tally.deaths))
		return;
	for (uint32_t i = 0; i < 2; i++)
		if (!l->call->leg[i] || !l->call->leg[i]->up)
			return;
	check_flow(s, l->call, l->core ? SIM_CORE : SIM_ACCESS, l->border_port);
	faults_check(s, l->call);
}

/* What a dataplane would tell: a phone's first packets, and media that has stopped. */
static void media_events(struct sim *s)
{
	struct leg *l = s->legs ? s->leg[sim_below(s, s->legs)] : NULL;
	uint16_t realm;

	if (!l || !l->live || !l->border_port)
		return;
	realm = l->core ? SIM_CORE : SIM_ACCESS;
	if (l->up && !l->core) {
		struct net_addr from = {l->addr.ip, (uint16_t)l->media_port};

		driver_latched(s->driver, realm, l->border_port, from);
	} else if (l->deaf) {
		driver_silent(s->driver, realm, l->border_port);
	}
}

static void to_border(struct sim *s, struct event *ev)
{
	struct leg *l = leg_of(s, ev->realm, slice_of(ev->bytes.p, ev->bytes.n));

	if (s->faults.away)
		return;
	driver_step(s->driver, s->now);
	if (l && l == l->call->leg[1] && !l->call->answer_at &&
	    text_status(slice_of(ev->bytes.p, ev->bytes.n)) / 100 == 2)
		l->call->answer_at = s->now;
	driver_recv(s->driver, ev->realm, ev->addr, slice_of(ev->bytes.p, ev->bytes.n));
}

static void next_call(struct sim *s)
{
	struct event ev = {.kind = EVENT_CALL};

	if (s->calls_begun == s->conf.calls)
		return;
	ev.at = s->now + 1 + sim_below(s, 2000 / s->conf.per_second);
	call_begin(s, s->calls_begun++);
	sim_push(s, &ev);
}

static void tick(struct sim *s)
{
	struct event ev = {.kind = EVENT_TICK, .at = s->now + TICK_MS};

	if (!s->faults.away)
		driver_step(s->driver, s->now);
	faults_tick(s);
	check_some_call(s);
	media_events(s);
	sim_push(s, &ev);
}

static void dispatch(struct sim *s, struct event *ev)
{
	switch (ev->kind) {
	case EVENT_TO_BORDER:
		to_border(s, ev);
		break;
	case EVENT_TO_AGENT:
		agent_receive(s, ev->realm, ev->addr, slice_of(ev->bytes.p, ev->bytes.n));
		break;
	case EVENT_LEG:
		if (s->leg[ev->slot]->live && s->leg[ev->slot]->generation == ev->generation)
			leg_run(s, s->leg[ev->slot]);
		break;
	case EVENT_PHONE:
		phone_run(s, ev->slot);
		break;
	case EVENT_CALL:
		next_call(s);
		break;
	case EVENT_TICK:
		tick(s);
		break;
	}
	bytes_free(&ev->bytes);
	after_event(s);
}

/* Until all is over: every call begun, every dialog ended, the border empty. */
static bool is_over(struct sim *s, uint64_t *quiet_since)
{
	struct engine_stats st;

	if (s->calls_begun < s->conf.calls || s->calls_live)
		return false;
	if (!s->ending) {
		s->ending = true;
		*quiet_since = s->now;
		for (uint32_t i = 0; i < s->conf.phones; i++)
			phone_run(s, i);
	}
	if (s->faults.away || driver_is_dead(s->driver))
		return false;
	driver_stats(s->driver, &st);
	if (st.calls == 0 && st.transactions == 0 && s->now > *quiet_since + LINGER)
		return true;
	if (s->now > *quiet_since + STUCK_MS)
		sim_fail(s, NULL, "the border still has %u calls, %u transactions", st.calls,
			 st.transactions);
	return false;
}

static void run(struct sim *s)
{
	uint64_t quiet = 0, check_at = s->now;
	struct event ev;

	while (!s->failure[0] && sim_pop(s, &ev)) {
		s->now = ev.at;
		dispatch(s, &ev);
		if (s->now < check_at)
			continue;
		check_at = s->now + 1000;
		if (is_over(s, &quiet))
			return;
	}
}

/* One end in so many calls must have been up at least. */
static uint32_t expected_share(const struct sim *s)
{
	if (s->conf.pool < 1000)
		return 20;
	if (s->conf.crash_ms)
		return s->conf.crash_ms < 3000 ? 100 : 5;
	return 2;
}

static void finish(struct sim *s)
{
	struct engine_stats st;
	char why[512];

	if (s->failure[0])
		return;
	driver_advance(s->driver, driver_now(s->driver) + 2000000);
	after_event(s);
	driver_stats(s->driver, &st);
	if (!driver_is_clean(s->driver, why, sizeof(why)))
		sim_fail(s, NULL, "%s", why);
	if (st.registrations)
		sim_fail(s, NULL, "%u registrations have not expired", st.registrations);
	faults_finish(s);
	/* Much of what the plans wanted must have come about, or nothing was tested. */
	if (s->conf.calls >= 200 && s->tally.answered < s->conf.calls / expected_share(s))
		sim_fail(s, NULL, "only %llu ends of %u calls were ever up",
			 (unsigned long long)s->tally.answered, s->conf.calls);
	if (s->conf.calls >= 200 && s->tally.orphans > s->conf.calls / 100)
		sim_fail(s, NULL, "%llu ends of %u calls never heard of their end",
			 (unsigned long long)s->tally.orphans, s->conf.calls);
	if (s->conf.calls >= 200 && s->conf.loss <= 100 && !faults_are_on(s) &&
	    s->tally.timeouts > s->conf.calls / 50)
		sim_fail(s, NULL, "%llu transactions timed out in %u calls",
			 (unsigned long long)s->tally.timeouts, s->conf.calls);
}

static void setup(struct sim *s)
{
	struct snapshot *n = &s->snap;

	snapshot_defaults(n);
	n->version = 1;
	n->realms = n->listeners = 2;
	n->peers = 1;
	n->routes = 2;
	for (uint16_t i = 0; i < 2; i++) {
		snapshot_realm_defaults(&n->realm[i],
					i == SIM_CORE ? SNAPSHOT_TRUSTED : SNAPSHOT_UNTRUSTED,
					i == SIM_ACCESS);
		n->realm[i].media_lo = 10000;
		n->realm[i].media_hi = 59999;
		n->listener[i].realm = i;
		n->listener[i].addr.port = 5060;
		n->route[i].from = i;
		n->realm[i].max_cps = 0;
	}
	snprintf(n->realm[0].name, SNAPSHOT_NAME, "access");
	snprintf(n->realm[1].name, SNAPSHOT_NAME, "core");
	snprintf(n->peer[0].name, SNAPSHOT_NAME, "pbx");
	net_ip_parse(slice_str("203.0.113.1"), &n->realm[0].media_ip);
	net_ip_parse(slice_str("10.0.0.1"), &n->realm[1].media_ip);
	n->listener[0].addr.ip = n->realm[0].media_ip;
	n->listener[1].addr.ip = n->realm[1].media_ip;
	n->peer[0].realm = SIM_CORE;
	net_addr_parse(slice_str("10.0.0.10:5060"), &n->peer[0].addr);
	n->route[0].target = SNAPSHOT_TO_PEER;
	n->route[1].target = SNAPSHOT_TO_REGISTERED;
	n->ring_timeout_ms = 45000;
	n->max_call_s = 150;
}

static void report(const struct sim *s, unsigned number)
{
	const struct sim_tally *t = &s->tally;
	char *text = strdup(s->failure), *line;

	printf("%sok %u - %u calls, seed %llu, %u shards\n", s->failure[0] ? "not " : "", number,
	       s->conf.calls, (unsigned long long)s->conf.seed, s->conf.shards);
	printf("# ends up %llu, refused %llu, cancels %llu, changes %llu (glare %llu), prack %llu, "
	       "vanished %llu, unacked %llu, timeouts %llu, registered %llu\n",
	       (unsigned long long)t->answered, (unsigned long long)t->refused,
	       (unsigned long long)t->cancelled, (unsigned long long)t->changes,
	       (unsigned long long)t->glares, (unsigned long long)t->prack,
	       (unsigned long long)t->vanished, (unsigned long long)t->unacked,
	       (unsigned long long)t->timeouts, (unsigned long long)t->registered);
	printf("# datagrams %llu, lost %llu, answers without a question %llu, flows looked up "
	       "%llu, %llu s of virtual time\n",
	       (unsigned long long)t->datagrams, (unsigned long long)t->lost,
	       (unsigned long long)t->stray, (unsigned long long)t->flow_checks,
	       (unsigned long long)((s->now - 1000000) / 1000));
	if (faults_are_on(s))
		faults_report(s);
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
	free(text);
	fflush(stdout);
}

static void sim_free(struct sim *s)
{
	struct event ev;

	while (sim_pop(s, &ev))
		bytes_free(&ev.bytes);
	leg_free_all(s);
	for (uint32_t i = 0; i < s->calls_begun; i++)
		if (s->call[i])
			call_release(s, s->call[i]);
	for (uint32_t i = 0; i < s->conf.phones; i++)
		bytes_free(&s->phone[i].reg.request);
	driver_free(s->driver);
	free(s->heap);
	free(s->call);
	free(s);
}

static bool simulate(const struct sim_conf *conf, unsigned number)
{
	struct sim *s = calloc(1, sizeof(*s));
	struct driver_conf dc = {.shards = conf->shards,
				 .calls = conf->pool,
				 .registrations = MAX_PHONES * 2,
				 .seed = conf->seed,
				 .learn = true,
				 .on_send = on_send,
				 .on_store = conf->store ? faults_fate : NULL,
				 .ctx = s};
	bool ok;

	if (!s)
		abort();
	s->conf = *conf;
	s->random = conf->seed * 0x2545f4914f6cdd1dull + 1;
	s->call = calloc(conf->calls + 1u, sizeof(*s->call));
	setup(s);
	dc.snapshot = &s->snap;
	s->driver = driver_new(&dc);
	s->now = driver_now(s->driver);
	faults_start(s);
	for (uint32_t i = 0; i < conf->phones; i++)
		phone_start(s, i);
	sim_push(s, &(struct event){.kind = EVENT_TICK, .at = s->now + TICK_MS});
	sim_push(s, &(struct event){.kind = EVENT_CALL, .at = s->now + 4000});
	run(s);
	finish(s);
	report(s, number);
	ok = !s->failure[0];
	sim_free(s);
	return ok;
}

static bool option_store(const char *value, struct sim_conf *c)
{
	static const char *const names[] = {"off", "steady", "stormy"};

	for (unsigned i = 0; i < 3; i++) {
		if (strcmp(value, names[i]) == 0) {
			c->store = (enum sim_store)i;
			return true;
		}
	}
	return false;
}

static bool option(const char *arg, const char *value, struct sim_conf *c)
{
	uint64_t n = value ? strtoull(value, NULL, 10) : 0;

	if (strcmp(arg, "--calls") == 0)
		c->calls = (uint32_t)n;
	else if (strcmp(arg, "--seed") == 0)
		c->seed = n;
	else if (strcmp(arg, "--shards") == 0)
		c->shards = (uint16_t)n;
	else if (strcmp(arg, "--phones") == 0)
		c->phones = (uint32_t)(n < MAX_PHONES ? n : MAX_PHONES);
	else if (strcmp(arg, "--loss") == 0)
		c->loss = (uint32_t)n;
	else if (strcmp(arg, "--rate") == 0)
		c->per_second = (uint32_t)n;
	else if (strcmp(arg, "--pool") == 0)
		c->pool = (uint32_t)n;
	else if (strcmp(arg, "--crash") == 0)
		c->crash_ms = (uint32_t)n;
	else if (strcmp(arg, "--store") == 0)
		return value && option_store(value, c);
	else
		return false;
	return true;
}

static const char help[] =
	"sim [OPTION VALUE]...\n"
	"  --seed N          all chance comes of it: the same seed, the same run\n"
	"  --calls N         calls to be made (1500)\n"
	"  --rate N          new calls a second (60)\n"
	"  --phones N        phones that register (60)\n"
	"  --shards N        engines (1)\n"
	"  --pool N          calls the border has room for (8192)\n"
	"  --loss N          of 1000 datagrams, how many are lost (100)\n"
	"  --store off       nothing is stored (the default)\n"
	"  --store steady    a store that acknowledges within 20 ms\n"
	"  --store stormy    one that is slow, refuses, falls silent, goes down and loses data\n"
	"  --crash MS        with a store: time between deaths of the border, on average; some\n"
	"                    between two actions of one event, some while restoring, some with\n"
	"                    the addresses going to another node and coming back; 0: none\n";

int main(int argc, char **argv)
{
	struct sim_conf c = {.calls = 1500,
			     .phones = 60,
			     .seed = 1,
			     .shards = 1,
			     .loss = 100,
			     .twice = 50,
			     .late = 50,
			     .per_second = 60,
			     .pool = 8192};

	for (int i = 1; i < argc; i += 2) {
		if (!option(argv[i], argv[i + 1], &c)) {
			fputs(help, stderr);
			return 2;
		}
	}
	printf("1..1\n");
	return simulate(&c, 1) ? 0 : 1;
}
