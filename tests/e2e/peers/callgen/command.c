/*
 * Commands, one a line:
 *   call N RATE STREAMS      N calls that stay up, the first STREAMS of them with media
 *   early N RATE             N calls that only ring
 *   answer | cancel          those that ring
 *   churn RATE [HOLD_MS]     calls that come and go, until `churn 0`; how long they are up counts
 *                            for those that are, too
 *   sweep KIND SIDE RATE     a request in every call that is up: KIND reinvite, update, bye;
 *                            SIDE caller, callee, or mixed: half of the calls each
 *   misdirect 0|1            callers' requests within dialogs go to another address
 *   mark                     gaps and worst times count from here
 *   knock                    media once more from the ends of calls that are over
 *   report                   prints one line of JSON
 *   quit
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/peers/callgen/callgen.h"

static const char *const class_name[CLASSES] = {"held", "churn", "early"};
static const char *const kind_name[KINDS] = {"invite", "reinvite", "update", "bye", "cancel"};

/* Something done `rate` times a second, `left` times. */
struct pace {
	uint64_t began, done;
	uint32_t rate;
	int left;
};

static struct pace calling, ringing, churning, sweeping;
static int streams_left;
static uint32_t churn_hold_ms;
static int sweep_at;
static enum kind sweep_kind;
static int sweep_side; /* SIDES: mixed */

static void pace_set(struct pace *p, int count, uint32_t rate)
{
	*p = (struct pace){now_ms(), 0, rate, count};
}

static bool pace_due(struct pace *p, uint64_t now)
{
	if (p->left <= 0 || p->done >= (now - p->began) * p->rate / 1000 + 1)
		return false;
	p->done++;
	p->left--;
	return true;
}

static bool in_sweep(const struct call *c)
{
	return c->class != CHURN && c->state == UP;
}

static void sweep_next(void)
{
	while (sweep_at < calls.count && !in_sweep(&calls.call[sweep_at]))
		sweep_at++;
	if (sweep_at == calls.count) {
		sweeping.left = 0;
		return;
	}
	call_request(sweep_at, sweep_side == SIDES ? sweep_at % SIDES : sweep_side, sweep_kind);
	sweep_at++;
}

static void end_churn(uint64_t now)
{
	static int first;
	bool oldest = true;

	for (int i = first; i < calls.count; i++) {
		struct call *c = &calls.call[i];
		if (c->class == CHURN && c->state == UP && !c->up_since)
			c->up_since = now;
		if (c->class == CHURN && c->state == UP && c->up_since + churn_hold_ms <= now)
			call_request(i, CALLER, BYE);
		if (oldest && (call_is_over(c) || c->class != CHURN))
			first = i + 1;
		else
			oldest = false;
	}
}

void command_tick(uint64_t now)
{
	while (pace_due(&calling, now))
		call_start(HELD, streams_left-- > 0);
	while (pace_due(&ringing, now))
		call_start(EARLY, false);
	while (pace_due(&churning, now))
		call_start(CHURN, false);
	while (pace_due(&sweeping, now))
		sweep_next();
	end_churn(now);
}

static int report_tallies(char *text, size_t size)
{
	int n = snprintf(text, size, "\"requests\":{");

	for (int c = 0; c < CLASSES; c++) {
		n += snprintf(text + n, size - (size_t)n, "%s\"%s\":{", c ? "," : "",
			      class_name[c]);
		for (int k = 0; k < KINDS; k++) {
			const struct tally *t = &calls.tally[c][k];
			n += snprintf(
				text + n, size - (size_t)n,
				"%s\"%s\":{\"sent\":%u,\"ok\":%u,\"refused\":%u,\"unanswered\":%u,"
				"\"retransmitted\":%u,\"worst_ms\":%u,\"status\":{",
				k ? "," : "", kind_name[k], t->sent, t->ok, t->refused,
				t->unanswered, t->retransmitted, t->worst_ms);
			const char *comma = "";
			for (int s = 300; s < 700; s++) {
				if (!t->status[s / 100][s % 100])
					continue;
				n += snprintf(text + n, size - (size_t)n, "%s\"%d\":%u", comma, s,
					      t->status[s / 100][s % 100]);
				comma = ",";
			}
			n += snprintf(text + n, size - (size_t)n, "}}");
		}
		n += snprintf(text + n, size - (size_t)n, "}");
	}
	return n + snprintf(text + n, size - (size_t)n, "}");
}

static int report_class(char *text, size_t size, enum class class)
{
	int state[FAILED + 1] = {0}, lost = 0, stranger = 0, half = 0, cancelled = 0, asked = 0;

	for (int i = 0; i < calls.count; i++) {
		const struct call *c = &calls.call[i];
		if (c->class != class)
			continue;
		asked++;
		state[c->state]++;
		lost += c->lost;
		stranger += c->stranger_bye;
		half += c->state == ENDING && c->bye_answered;
		cancelled += c->leg[CALLEE] >= 0 && calls.leg[c->leg[CALLEE]].got_cancel;
	}
	return snprintf(
		text, size,
		"\"%s\":{\"asked\":%d,\"trying\":%d,\"ringing\":%d,\"up\":%d,\"ending\":%d,"
		"\"ended\":%d,\"failed\":%d,\"lost\":%d,\"stranger_bye\":%d,\"half_ended\":%d,"
		"\"cancelled\":%d}",
		class_name[class], asked, state[TRYING], state[RINGING], state[UP], state[ENDING],
		state[ENDED], state[FAILED], lost, stranger, half, cancelled);
}

static void report(void)
{
	static char text[1 << 16];
	size_t size = sizeof(text);
	int n = snprintf(text, size, "{\"calls\":{");

	for (int c = 0; c < CLASSES; c++) {
		n += snprintf(text + n, size - (size_t)n, "%s", c ? "," : "");
		n += report_class(text + n, size - (size_t)n, c);
	}
	n += snprintf(text + n, size - (size_t)n, "},");
	n += report_tallies(text + n, size - (size_t)n);
	n += snprintf(text + n, size - (size_t)n, ",");
	n += streams_report(text + n, size - (size_t)n);
	snprintf(text + n, size - (size_t)n, ",\"busy\":%d,\"strays\":%u,\"answers_repeated\":%u}",
		 calling.left + ringing.left + sweeping.left, calls.strays, calls.answers_repeated);
	puts(text);
	fflush(stdout);
}

static void mark(void)
{
	streams_mark();
	for (int c = 0; c < CLASSES; c++) {
		for (int k = 0; k < KINDS; k++)
			calls.tally[c][k].worst_ms = 0;
	}
}

static void sweep(const char *kind, const char *side, unsigned rate)
{
	sweep_side = strcmp(side, "caller") == 0   ? CALLER
		     : strcmp(side, "callee") == 0 ? CALLEE
						   : SIDES;
	sweep_kind = strcmp(kind, "bye") == 0      ? BYE
		     : strcmp(kind, "update") == 0 ? UPDATE
						   : REINVITE;
	sweep_at = 0;
	pace_set(&sweeping, calls.count + 1, rate);
}

static void ring_out(bool answer)
{
	for (int i = 0; i < calls.count; i++) {
		if (calls.call[i].class != EARLY)
			continue;
		if (answer)
			call_answer(i);
		else
			call_cancel(i);
	}
}

static void command(const char *line)
{
	char word[16], kind[16], side[16];
	unsigned a = 0, b = 0, c = 0;

	if (sscanf(line, "%15s", word) != 1)
		return;
	if (strcmp(word, "call") == 0 && sscanf(line, "%*s %u %u %u", &a, &b, &c) == 3) {
		streams_left = (int)c;
		pace_set(&calling, (int)a, b);
	} else if (strcmp(word, "early") == 0 && sscanf(line, "%*s %u %u", &a, &b) == 2) {
		pace_set(&ringing, (int)a, b);
	} else if (strcmp(word, "churn") == 0 &&
		   sscanf(line, "%*s %u %u", &a, &churn_hold_ms) > 0) {
		pace_set(&churning, a ? 1 << 30 : 0, a);
	} else if (strcmp(word, "sweep") == 0 &&
		   sscanf(line, "%*s %15s %15s %u", kind, side, &a) == 3) {
		sweep(kind, side, a);
	} else if (strcmp(word, "misdirect") == 0 && sscanf(line, "%*s %u", &a) == 1) {
		calls.misdirect = a;
	} else if (strcmp(word, "answer") == 0 || strcmp(word, "cancel") == 0) {
		ring_out(word[0] == 'a');
	} else if (strcmp(word, "mark") == 0) {
		mark();
	} else if (strcmp(word, "knock") == 0) {
		streams_knock();
	} else if (strcmp(word, "report") == 0) {
		report();
	} else if (strcmp(word, "quit") == 0) {
		program.quit = true;
	} else {
		puts("{\"error\":\"unknown command\"}");
		fflush(stdout);
	}
}

void command_read(void)
{
	static char line[256];
	static int len;
	char c;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n == 0)
			program.quit = true;
		if (n <= 0)
			return;
		if (c == '\n') {
			line[len] = '\0';
			len = 0;
			command(line);
		} else if (len < (int)sizeof(line) - 1) {
			line[len++] = c;
		}
	}
}
