/* The calls, their legs, and the timers of both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/peers/callgen/callgen.h"

struct calls calls;

#define CHAINS 65536
static int chain[CHAINS];
static bool chains_ready;

static unsigned chain_of(enum side side, struct str id)
{
	uint32_t h = 2166136261u + (uint32_t)side;

	for (int i = 0; i < id.len; i++)
		h = (h ^ (uint8_t)id.at[i]) * 16777619u;
	return h % CHAINS;
}

int leg_find(enum side side, struct str call_id)
{
	if (!chains_ready)
		return -1;
	for (int i = chain[chain_of(side, call_id)]; i >= 0; i = calls.leg[i].next) {
		if (calls.leg[i].side == side && str_is(call_id, calls.leg[i].call_id))
			return i;
	}
	return -1;
}

static void *grown(void *p, size_t bytes)
{
	void *q = realloc(p, bytes);

	if (!q) {
		fprintf(stderr, "callgen: out of memory\n");
		exit(1);
	}
	return q;
}

int leg_new(int call, enum side side, struct str call_id)
{
	if (!chains_ready)
		memset(chain, 0xff, sizeof(chain));
	chains_ready = true;
	if (calls.legs == calls.leg_room) {
		calls.leg_room = calls.leg_room ? calls.leg_room * 2 : 1024;
		calls.leg = grown(calls.leg, sizeof(*calls.leg) * (size_t)calls.leg_room);
		calls.due = grown(calls.due, sizeof(*calls.due) * TIMERS * (size_t)calls.leg_room);
	}
	int i = calls.legs++;
	struct leg *l = &calls.leg[i];
	unsigned c = chain_of(side, call_id);
	memset(l, 0, sizeof(*l));
	l->call = call;
	l->side = side;
	l->sdp_version = 1;
	l->cseq = 100;
	str_copy(l->call_id, sizeof(l->call_id), call_id);
	snprintf(l->tag, sizeof(l->tag), "cg%08x%08x", random32(), (unsigned)i);
	l->next = chain[c];
	chain[c] = i;
	for (int t = 0; t < TIMERS; t++)
		timer_set(i, t, NEVER);
	calls.call[call].leg[side] = i;
	return i;
}

void timer_set(int leg, enum timer t, uint64_t when)
{
	calls.due[leg * TIMERS + t] = when;
}

bool call_is_over(const struct call *c)
{
	return c->state == ENDED || c->state == FAILED;
}

void call_lose(struct call *c)
{
	c->lost = true;
	if (c->stream >= 0 && !call_is_over(c))
		stream_end(c->stream);
	c->state = ENDED;
}

int call_start(enum class class, bool with_media)
{
	char id[64];

	if (calls.count == calls.room) {
		calls.room = calls.room ? calls.room * 2 : 1024;
		calls.call = grown(calls.call, sizeof(*calls.call) * (size_t)calls.room);
	}
	int n = calls.count++;
	struct call *c = &calls.call[n];
	memset(c, 0, sizeof(*c));
	c->class = class;
	c->leg[CALLER] = c->leg[CALLEE] = -1;
	c->border = n % program.borders;
	c->stream = with_media ? stream_open(n) : -1;
	snprintf(id, sizeof(id), "%d-%08x%08x", n, random32(), random32());
	int leg = leg_new(n, CALLER, (struct str){id, (int)strlen(id)});
	struct leg *l = &calls.leg[leg];
	char ip[INET_ADDRSTRLEN], border[INET_ADDRSTRLEN];
	l->border = program.border[c->border];
	inet_ntop(AF_INET, &program.ip[CALLER], ip, sizeof(ip));
	inet_ntop(AF_INET, &l->border.sin_addr, border, sizeof(border));
	snprintf(l->local, sizeof(l->local), "<sip:caller%d@%s>", n, ip);
	snprintf(l->remote, sizeof(l->remote), "<sip:call%d@%s>", n, border);
	snprintf(l->target, sizeof(l->target), "sip:call%d@%s:5060", n, border);
	request_send(leg, INVITE);
	return n;
}

void call_request(int call, enum side from, enum kind kind)
{
	struct call *c = &calls.call[call];

	if (c->state != UP || c->leg[from] < 0 || calls.leg[c->leg[from]].client.text)
		return;
	if (kind == BYE) {
		c->state = ENDING;
		calls.leg[c->leg[from]].sent_bye = true;
		if (c->stream >= 0)
			stream_end(c->stream);
	}
	request_send(c->leg[from], kind);
}

void call_cancel(int call)
{
	struct call *c = &calls.call[call];

	if (c->state == RINGING && calls.leg[c->leg[CALLER]].client.proceeding)
		request_send(c->leg[CALLER], CANCEL);
}

void call_answer(int call)
{
	struct call *c = &calls.call[call];

	if (c->state == RINGING && c->leg[CALLEE] >= 0)
		answer_ringing(c->leg[CALLEE]);
}

void call_tick(uint64_t now)
{
	for (int i = 0; i < calls.legs * TIMERS; i++) {
		if (calls.due[i] > now)
			continue;
		int leg = i / TIMERS;
		enum timer t = (enum timer)(i % TIMERS);
		if (t == TIMER_SERVER)
			answer_tick(leg, now);
		else
			request_tick(leg, t, now);
	}
}

void calls_receive(enum side side, const char *bytes, int len, const struct sockaddr_in *from)
{
	struct message m;

	if (!message_read(&m, bytes, len)) {
		calls.strays++;
		return;
	}
	int leg = leg_find(side, m.call_id);
	if (m.status && leg >= 0)
		request_answered(leg, &m);
	else if (!m.status && leg >= 0)
		answer_request(leg, &m, from);
	else if (!m.status && side == CALLEE && str_is(m.method, "INVITE") && m.to_tag.len == 0)
		answer_invite_new(&m, from);
	else
		calls.strays++;
}
