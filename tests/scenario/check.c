#include <stdlib.h>
#include <string.h>

#include "tests/scenario/scenario.h"

static struct slice message(struct scenario *s)
{
	if (!s->expected.bytes)
		scenario_fail(s, "no message has been expected yet");
	return slice_of(s->expected.bytes, s->expected.n);
}

static uint32_t optional_number(char **args)
{
	char *w;

	return **args && script_word(args, &w) ? (uint32_t)strtoul(w, NULL, 10) : 0;
}

static struct slice sdp_port(struct slice body, uint32_t nth)
{
	struct slice m = text_sdp(body, 'm', nth);
	int32_t sp = text_find(m, SLICE_LIT(" "), false);
	uint32_t n = 0;

	if (sp < 0)
		return SLICE_NONE;
	m = slice_of(m.p + sp + 1, m.n - (uint32_t)sp - 1);
	while (n < m.n && m.p[n] != ' ')
		n++;
	return slice_of(m.p, n);
}

/*
 * What a selector names in the expected message: header NAME [N], uri NAME,
 * user NAME, host NAME, param NAME PARAMETER, request-uri, start-line, body,
 * sdp TYPE [N], sdp-port [N], all.
 */
static struct slice select_part(struct scenario *s, char *selector)
{
	struct slice msg = message(s), value;
	char *kind, *name;

	if (!script_word(&selector, &kind))
		scenario_fail(s, "which part of the message?");
	if (strcmp(kind, "request-uri") == 0)
		return text_request_uri(msg);
	if (strcmp(kind, "start-line") == 0)
		return text_start_line(msg);
	if (strcmp(kind, "body") == 0)
		return text_body(msg);
	if (strcmp(kind, "all") == 0)
		return msg;
	if (strcmp(kind, "sdp-port") == 0)
		return sdp_port(text_body(msg), optional_number(&selector));
	if (!script_word(&selector, &name))
		scenario_fail(s, "%s of what?", kind);
	if (strcmp(kind, "sdp") == 0)
		return text_sdp(text_body(msg), name[0], optional_number(&selector));
	if (strcmp(kind, "param") == 0) {
		char *param;

		if (!script_word(&selector, &param))
			scenario_fail(s, "param HEADER NAME");
		return text_param(text_header(msg, name, 0), param);
	}
	value = text_header(msg, name, optional_number(&selector));
	if (strcmp(kind, "header") == 0)
		return value;
	if (strcmp(kind, "uri") == 0)
		return text_uri(value);
	if (strcmp(kind, "user") == 0)
		return text_user(text_uri(value));
	if (strcmp(kind, "host") == 0)
		return text_host(text_uri(value));
	scenario_fail(s, "no such part: %s", kind);
}

static char *trim(char *p)
{
	size_t n;

	while (*p == ' ' || *p == '\t')
		p++;
	n = strlen(p);
	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		p[--n] = 0;
	return p;
}

static _Noreturn void mismatch(struct scenario *s, const char *text, struct slice found)
{
	scenario_fail(s, "wanted %s, found \"%.*s\" in:\n%.*s", text, (int)found.n, found.p,
		      (int)s->expected.n, s->expected.bytes);
}

/* "SELECTOR OP VALUE"; false when there is no operator. */
static bool compare(struct scenario *s, const char *verb, const char *args)
{
	static const char *const ops[] = {" !~ ", " != ", " ~ ", " = "};
	char text[2048], *op = NULL;
	unsigned which = 0;
	struct slice found, want;
	bool ok;

	snprintf(text, sizeof(text), "%s %s ", verb, args);
	for (; which < 4 && !op; which++)
		op = strstr(text, ops[which]);
	if (!op)
		return false;
	*op = 0;
	want = slice_str(trim(op + strlen(ops[--which])));
	found = select_part(s, text);
	switch (which) {
	case 0:
		ok = text_find(found, want, false) < 0;
		break;
	case 1:
		ok = !text_glob(found, want);
		break;
	case 2:
		ok = text_find(found, want, false) >= 0;
		break;
	default:
		ok = text_glob(found, want);
		break;
	}
	if (!ok) {
		char wanted[2048];

		snprintf(wanted, sizeof(wanted), "%s %s", verb, args);
		mismatch(s, wanted, found);
	}
	return true;
}

static void save(struct scenario *s, char *args)
{
	char *name, *eq;
	struct slice found;

	if (!script_word(&args, &name) || !script_word(&args, &eq) || strcmp(eq, "=") != 0)
		scenario_fail(s, "save NAME = PART");
	found = select_part(s, args);
	if (found.n == 0)
		mismatch(s, "something to save", found);
	script_set(s, name, found);
}

static void want_sdp(struct scenario *s, char *pattern, bool wanted)
{
	struct slice body = text_body(message(s)), line;
	bool found = false;

	while (text_next_line(&body, &line))
		found |= text_glob(line, slice_str(pattern));
	if (found != wanted)
		scenario_fail(s, "SDP %s %s:\n%.*s", wanted ? "lacks" : "has", pattern,
			      (int)s->expected.n, s->expected.bytes);
}

static bool message_command(struct scenario *s, const char *verb, char *args)
{
	static const char *const parts[] = {"header", "uri",         "user",       "host",
					    "param",  "request-uri", "start-line", "body",
					    "sdp",    "sdp-port",    "all"};

	if (strcmp(verb, "save") == 0) {
		save(s, args);
	} else if (strcmp(verb, "no-header") == 0) {
		if (text_count(message(s), args))
			mismatch(s, "no such header", text_header(message(s), args, 0));
	} else if (strcmp(verb, "count") == 0) {
		char *name;

		if (!script_word(&args, &name) ||
		    text_count(message(s), name) != strtoul(args, NULL, 10))
			mismatch(s, "that many lines", text_header(message(s), name, 0));
	} else if (strcmp(verb, "no-body") == 0) {
		if (text_body(message(s)).n)
			mismatch(s, "no body", text_body(message(s)));
	} else if (strcmp(verb, "sdp-has") == 0) {
		want_sdp(s, args, true);
	} else if (strcmp(verb, "sdp-lacks") == 0) {
		want_sdp(s, args, false);
	} else {
		for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
			if (strcmp(verb, parts[i]) == 0)
				return compare(s, verb, args);
		return false;
	}
	return true;
}

/* ---- the engine's state ---- */

static bool number_command(struct scenario *s, const char *verb, char *args)
{
	struct engine_stats st;
	uint32_t want = (uint32_t)strtoul(args, NULL, 10), is;

	driver_stats(s->driver, &st);
	if (strcmp(verb, "calls") == 0)
		is = st.calls;
	else if (strcmp(verb, "established") == 0)
		is = st.calls_established;
	else if (strcmp(verb, "registrations") == 0)
		is = st.registrations;
	else if (strcmp(verb, "transactions") == 0)
		is = st.transactions;
	else if (strcmp(verb, "flows") == 0)
		is = driver_flows(s->driver);
	else if (strcmp(verb, "ports-used") == 0)
		is = st.ports_used;
	else
		return false;
	if (is != want)
		scenario_fail(s, "%u %s, wanted %u", is, verb, want);
	return true;
}

static void counter(struct scenario *s, char *args)
{
	struct engine_stats st;
	char *name;

	driver_stats(s->driver, &st);
	if (!script_word(&args, &name))
		scenario_fail(s, "counter NAME N");
	for (uint32_t i = 0; i < REASON_COUNT; i++) {
		if (strcmp(reason_name((enum reason)i), name) != 0)
			continue;
		if (st.reasons.n[i] != strtoull(args, NULL, 10))
			scenario_fail(s, "counter %s is %llu, wanted %s", name,
				      (unsigned long long)st.reasons.n[i], args);
		return;
	}
	scenario_fail(s, "no counter %s", name);
}

static bool flag_is(const char *word, const char *name, bool value)
{
	return strcmp(word, name) == 0 && value;
}

static bool flow_has(struct scenario *s, const struct flow_spec *f, const char *word)
{
	const char *eq = strchr(word, '=');

	if (!eq) {
		if (strncmp(word, "not-", 4) == 0)
			return !flow_has(s, f, word + 4);
		return flag_is(word, "rtcp", f->rtcp) || flag_is(word, "latch", f->latch) ||
		       flag_is(word, "proven", f->proven) || flag_is(word, "closed", f->closed) ||
		       flag_is(word, "opaque", f->opaque);
	}
	if (strncmp(word, "remote=", 7) == 0)
		return strcmp(eq + 1, "none") == 0 ? f->remote.port == 0
						   : net_addr_eq(setup_addr(s, eq + 1), f->remote);
	if (strncmp(word, "at=", 3) == 0) {
		const struct snapshot *snap = driver_snapshot(s->driver);
		uint32_t ip;

		return net_ip_parse(slice_str(eq + 1), &ip) &&
		       snapshot_media_ip(&snap->realm[f->realm], f->address) == ip;
	}
	if (strncmp(word, "gate=", 5) == 0) {
		uint32_t ip = 0;

		if (strcmp(eq + 1, "open") != 0 && !net_ip_parse(slice_str(eq + 1), &ip))
			scenario_fail(s, "not an IP address: %s", eq + 1);
		return f->gate_ip == ip;
	}
	if (strncmp(word, "leg=", 4) == 0)
		return f->leg == strtoul(eq + 1, NULL, 10);
	if (strncmp(word, "stream=", 7) == 0)
		return f->stream == strtoul(eq + 1, NULL, 10);
	if (strncmp(word, "source=", 7) == 0)
		return net_addr_eq(setup_addr(s, eq + 1), f->source);
	if (strncmp(word, "packets=", 8) == 0)
		return f->packets == strtoull(eq + 1, NULL, 10);
	if (strncmp(word, "clock=", 6) == 0)
		return f->clock_rate == strtoul(eq + 1, NULL, 10);
	scenario_fail(s, "flows have no %s", word);
}

static bool flow_matches(struct scenario *s, const struct flow_spec *f, const char *args)
{
	char *text = script_expand(s, args), *rest = text, *word;
	bool ok = true;

	while (ok && script_word(&rest, &word))
		ok = flow_has(s, f, word);
	free(text);
	return ok;
}

/* flow REALM PORT|* WORD... */
static void flow(struct scenario *s, char *args, bool wanted)
{
	char *realm_name, *port_text, text[1024] = "";
	const struct flow_spec *f;
	uint32_t cursor = 0, port;
	uint16_t realm;
	bool found = false;

	if (!script_word(&args, &realm_name) || !script_word(&args, &port_text))
		scenario_fail(s, "flow REALM PORT|* WORD...");
	realm = setup_realm(s, realm_name);
	port = (uint32_t)strtoul(port_text, NULL, 10);
	while ((f = driver_flow_next(s->driver, &cursor))) {
		if (f->realm != realm || (port_text[0] != '*' && f->port != port))
			continue;
		found |= flow_matches(s, f, args);
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "\n  %u leg=%u stream=%u remote=%08x:%u gate=%08x%s%s%s%s%s", f->port,
			 f->leg, f->stream, __builtin_bswap32(f->remote.ip), f->remote.port,
			 __builtin_bswap32(f->gate_ip), f->rtcp ? " rtcp" : "",
			 f->latch ? " latch" : "", f->proven ? " proven" : "",
			 f->closed ? " closed" : "", f->opaque ? " opaque" : "");
	}
	if (found != wanted)
		scenario_fail(s, "%s flow %s %s in realm %s:%s", wanted ? "no" : "there is a",
			      port_text, args, realm_name, text);
}

static const char *const record_kind[] = {
	[RECORD_CALL_BEGIN] = "call-begin",     [RECORD_CALL_ANSWERED] = "call-answered",
	[RECORD_CALL_END] = "call-end",         [RECORD_REGISTERED] = "registered",
	[RECORD_UNREGISTERED] = "unregistered",
};

static bool record_has(struct scenario *s, const struct engine_record *r, const char *word)
{
	const char *eq = strchr(word, '=');

	if (eq && strncmp(word, "end=", 4) == 0)
		return strcmp(engine_end_name(r->end), eq + 1) == 0;
	if (eq && strncmp(word, "status=", 7) == 0)
		return r->status == strtoul(eq + 1, NULL, 10);
	if (eq && strncmp(word, "from=", 5) == 0)
		return strcmp(r->from_user, eq + 1) == 0;
	if (eq && strncmp(word, "to=", 3) == 0)
		return strcmp(r->to_user, eq + 1) == 0;
	scenario_fail(s, "records have no %s", word);
}

/* record KIND WORD...: takes the first that matches out. */
static void record(struct scenario *s, char *args)
{
	char *kind, seen[1024] = "";

	if (!script_word(&args, &kind))
		scenario_fail(s, "record KIND WORD...");
	for (unsigned i = 0; i < s->records; i++) {
		struct engine_record *r = &s->record[i];
		char *text = script_expand(s, args), *rest = text, *word;
		bool ok = strcmp(record_kind[r->kind], kind) == 0;

		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen),
			 "\n  %s end=%s status=%u from=%s to=%s", record_kind[r->kind],
			 engine_end_name(r->end), r->status, r->from_user, r->to_user);
		while (ok && script_word(&rest, &word))
			ok = record_has(s, r, word);
		free(text);
		if (ok) {
			memmove(r, r + 1, (s->records - i - 1) * sizeof(*r));
			s->records--;
			return;
		}
	}
	scenario_fail(s, "no record %s %s; there are:%s", kind, args, seen);
}

bool check_command(struct scenario *s, const char *verb, char *args)
{
	if (message_command(s, verb, args))
		return true;
	if (!s->driver)
		return false;
	if (number_command(s, verb, args))
		return true;
	if (strcmp(verb, "counter") == 0)
		counter(s, args);
	else if (strcmp(verb, "flow") == 0)
		flow(s, args, true);
	else if (strcmp(verb, "no-flow") == 0)
		flow(s, args, false);
	else if (strcmp(verb, "record") == 0)
		record(s, args);
	else
		return false;
	return true;
}
