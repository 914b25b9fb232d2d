#include <ctype.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/gen/call.h"
#include "tests/bench/gen/flood.h"
#include "tests/bench/gen/phone.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/rtp.h"

#define WORDS 8

bool job_number(const char *text, double *v)
{
	char *end;

	*v = strtod(text, &end);
	return end != text && *end == '\0' && *v >= 0 && *v <= 1e12;
}

static void link_finish(struct gen *g, struct job *j)
{
	report_value("seconds", job_seconds(g, j));
	report_flag("linked", port_linked(g, OUTSIDE) && port_linked(g, INSIDE));
	report_flag("resolved", g->port[OUTSIDE].resolved && g->port[INSIDE].resolved);
}

static bool link_step(struct gen *g, struct job *j)
{
	bool linked = port_linked(g, OUTSIDE) && port_linked(g, INSIDE);
	bool found = g->reference || (g->port[OUTSIDE].resolved && g->port[INSIDE].resolved);

	if (linked && found)
		return true;
	if (linked && !g->reference && g->now >= j->pace.begin) {
		arp_request(g, OUTSIDE);
		arp_request(g, INSIDE);
		j->pace.begin = g->now + g->hz / 5;
	}
	if (g->now < j->until)
		return false;
	j->error = linked ? "the border does not answer ARP" : "no link";
	return true;
}

static const char *link_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	double seconds;

	if (argc != 1 || !job_number(argv[0], &seconds))
		return "wants SECONDS";
	j->until = g->now + gen_cycles(g, seconds);
	j->step = link_step;
	j->finish = link_finish;
	return NULL;
}

static const struct {
	const char *name;
	enum job_kind kind;
	const char *(*begin)(struct gen *g, struct job *j, int argc, char **argv);
} commands[] = {
	{"link", JOB_LINK, link_begin},
	{"setup", JOB_CALLS, setup_begin},
	{"teardown", JOB_CALLS, teardown_begin},
	{"cps", JOB_CALLS, cps_begin},
	{"rtp", JOB_RTP, rtp_begin},
	{"register", JOB_REGISTER, register_begin},
	{"flood", JOB_FLOOD, flood_begin},
};

static uint32_t split(char *line, char **word)
{
	uint32_t n = 0;

	for (char *w = strtok(line, " \t\r\n"); w && n < WORDS; w = strtok(NULL, " \t\r\n"))
		word[n++] = w;
	return n;
}

static struct job *job_free(struct gen *g)
{
	for (uint32_t i = 0; i < JOBS; i++)
		if (g->jobs[i].kind == JOB_NONE)
			return &g->jobs[i];
	return NULL;
}

static bool running(const struct gen *g, enum job_kind kind)
{
	for (uint32_t i = 0; i < JOBS; i++)
		if (g->jobs[i].kind == kind && kind != JOB_FLOOD)
			return true;
	return false;
}

static void answer_error(const char *command, const char *error)
{
	report_begin(command, error);
	report_end();
}

static const char *begin(struct gen *g, struct job *j, const char *text, uint32_t argc, char **argv)
{
	const char *error;

	for (uint32_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, argv[0]) != 0)
			continue;
		if (running(g, commands[i].kind))
			return "one of that kind is running";
		*j = (struct job){.begin = g->now,
				  .busy = g->count.busy_cycles,
				  .idle = g->count.idle_cycles,
				  .background = strcmp(argv[argc - 1], "&") == 0};
		snprintf(j->command, sizeof(j->command), "%s", text);
		error = commands[i].begin(g, j, (int)argc - 1 - j->background, argv + 1);
		if (!error)
			j->kind = commands[i].kind;
		return error;
	}
	return "unknown command";
}

static void tidy(char *line)
{
	char *end = line + strlen(line);

	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
}

bool command_input(struct gen *g, char *line)
{
	char text[64], *word[WORDS];
	const char *error;
	struct job *j;
	uint32_t n;

	tidy(line);
	snprintf(text, sizeof(text), "%s", line);
	n = split(line, word);
	if (n == 0)
		return true;
	if (strcmp(word[0], "quit") == 0)
		return false;
	if (strcmp(word[0], "stats") == 0) {
		report_begin(text, NULL);
		stats_report(g);
		report_end();
		return true;
	}
	j = job_free(g);
	if (!j) {
		answer_error(text, "too many commands at once");
		return true;
	}
	g->now = rte_get_tsc_cycles();
	error = begin(g, j, text, n, word);
	if (error) {
		j->kind = JOB_NONE;
		answer_error(text, error);
	}
	return true;
}

void jobs_step(struct gen *g)
{
	for (uint32_t i = 0; i < JOBS; i++) {
		struct job *j = &g->jobs[i];

		if (j->kind == JOB_NONE || !j->step(g, j))
			continue;
		g->now = rte_get_tsc_cycles();
		report_begin(j->command, j->error);
		j->finish(g, j);
		report_end();
		j->kind = JOB_NONE;
	}
}

bool jobs_any(const struct gen *g)
{
	for (uint32_t i = 0; i < JOBS; i++)
		if (g->jobs[i].kind != JOB_NONE)
			return true;
	return false;
}

bool jobs_foreground(const struct gen *g)
{
	for (uint32_t i = 0; i < JOBS; i++)
		if (g->jobs[i].kind != JOB_NONE && !g->jobs[i].background)
			return true;
	return false;
}

bool jobs_only_calls(const struct gen *g)
{
	uint32_t calls = 0, others = 0;

	for (uint32_t i = 0; i < JOBS; i++) {
		calls += g->jobs[i].kind == JOB_CALLS;
		others += g->jobs[i].kind != JOB_CALLS && g->jobs[i].kind != JOB_NONE;
	}
	return calls != 0 && others == 0;
}
