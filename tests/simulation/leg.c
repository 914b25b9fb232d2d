#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim.h"

static uint32_t hash_of(struct slice s)
{
	uint32_t h = 2166136261u;

	for (uint32_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 16777619u;
	return h % LEG_HASH;
}

static struct leg *slot_take(struct sim *s)
{
	uint32_t slot, generation;

	if (s->legs_free) {
		slot = s->free_slot[--s->legs_free];
	} else {
		if (s->legs == s->legs_cap) {
			s->legs_cap = s->legs_cap ? s->legs_cap * 2 : 1024;
			s->leg = realloc(s->leg, s->legs_cap * sizeof(struct leg *));
			s->free_slot = realloc(s->free_slot, s->legs_cap * sizeof(uint32_t));
			if (!s->leg || !s->free_slot)
				abort();
		}
		slot = s->legs++;
		s->leg[slot] = calloc(1, sizeof(struct leg));
		if (!s->leg[slot])
			abort();
	}
	generation = s->leg[slot]->generation + 1;
	memset(s->leg[slot], 0, sizeof(struct leg));
	s->leg[slot]->slot = slot;
	s->leg[slot]->generation = generation;
	return s->leg[slot];
}

struct leg *leg_new(struct sim *s, struct call *c, bool core, bool uac, const char *call_id)
{
	struct leg *l = slot_take(s);
	uint32_t h;

	l->live = true;
	l->call = c;
	l->core = core;
	l->uac = uac;
	l->began = s->now;
	l->phone = c->plan.phone;
	l->addr = core ? s->snap.peer[0].addr : s->phone[c->plan.phone].addr;
	l->media_port = 10000 + 2 * sim_below(s, 20000);
	l->sdp_version = sim_below(s, 1000000) + 1000000;
	l->cseq = 1 + sim_below(s, 1000);
	snprintf(l->call_id, sizeof(l->call_id), "%s", call_id);
	snprintf(l->ltag, sizeof(l->ltag), "%c%u%08x", core ? 'c' : 'p', c->number,
		 (uint32_t)sim_random(s));
	h = hash_of(slice_str(l->call_id));
	l->hash_next = s->hash[h];
	s->hash[h] = l;
	c->legs++;
	leg_wake(s, l, l->began + ORPHAN_MS);
	if (faults_are_on(s))
		leg_wake(s, l, l->began + PATIENCE_MS);
	return l;
}

struct leg *leg_find(struct sim *s, struct slice call_id, struct slice ltag, bool core)
{
	for (struct leg *l = s->hash[hash_of(call_id)]; l; l = l->hash_next)
		if (l->core == core && slice_eq(slice_str(l->call_id), call_id) &&
		    (ltag.n == 0 || slice_eq(slice_str(l->ltag), ltag)))
			return l;
	return NULL;
}

static void unhash(struct sim *s, struct leg *l)
{
	struct leg **at = &s->hash[hash_of(slice_str(l->call_id))];

	while (*at != l)
		at = &(*at)->hash_next;
	*at = l->hash_next;
}

void call_release(struct sim *s, struct call *c)
{
	for (uint32_t i = 0; i < CALL_HISTORY; i++)
		bytes_free(&c->past[i]);
	s->call[c->number] = NULL;
	s->calls_live--;
	free(c);
}

static void leg_clear(struct leg *l)
{
	for (uint32_t i = 0; i < LEG_CLIENTS; i++) {
		bytes_free(&l->client[i].request);
		bytes_free(&l->client[i].ack);
	}
	for (uint32_t i = 0; i < LEG_SERVERS; i++) {
		bytes_free(&l->server[i].request);
		bytes_free(&l->server[i].reply);
	}
}

static void leg_free(struct sim *s, struct leg *l)
{
	struct call *c = l->call;

	unhash(s, l);
	leg_clear(l);
	l->live = false;
	s->free_slot[s->legs_free++] = l->slot;
	for (uint32_t i = 0; i < 2; i++)
		if (c->leg[i] == l)
			c->leg[i] = NULL;
	if (--c->legs == 0)
		call_release(s, c);
}

/* At the end of a run that failed half-way. */
void leg_free_all(struct sim *s)
{
	for (uint32_t i = 0; i < s->legs; i++) {
		if (s->leg[i]->live)
			leg_clear(s->leg[i]);
		free(s->leg[i]);
	}
	free(s->leg);
	free(s->free_slot);
}

void leg_wake(struct sim *s, struct leg *l, uint64_t at)
{
	struct event ev = {.kind = EVENT_LEG, .at = at, .slot = l->slot};

	ev.generation = l->generation;
	sim_push(s, &ev);
}

void leg_todo(struct sim *s, struct leg *l, enum todo_what what, uint32_t in_ms)
{
	for (uint32_t i = 0; i < LEG_TODOS; i++) {
		if (l->todo[i].what)
			continue;
		l->todo[i] = (struct todo){what, s->now + in_ms};
		leg_wake(s, l, s->now + in_ms);
		return;
	}
}

/* The dialog is over for this user agent; transactions run out on their own. */
void leg_gone(struct sim *s, struct leg *l)
{
	if (l->gone)
		return;
	l->gone = true;
	l->up = false;
	l->call->ended = true;
	l->gone_at = s->now;
	memset(l->todo, 0, sizeof(l->todo));
	leg_wake(s, l, s->now + LINGER + 1);
}

/* In a call: this end has it acknowledged. */
void leg_up(struct sim *s, struct leg *l)
{
	const struct plan *p = &l->call->plan;
	uint8_t me = l->uac ? 0 : 1;

	if (l->up || l->gone)
		return;
	l->up = true;
	s->tally.answered++;
	for (uint32_t i = 0; i < p->changes; i++)
		if (p->change[i].leg == me)
			leg_todo(s, l, (enum todo_what)p->change[i].what, p->change[i].at_ms);
	if (p->vanish)
		leg_todo(s, l, TODO_VANISH, p->talk_ms);
	else if (p->hangup == me || p->hangup == 2)
		leg_todo(s, l, TODO_BYE, p->talk_ms);
}

static void client_run(struct sim *s, struct leg *l, struct client *c)
{
	if (!c->live || c->final)
		return;
	if (c->deadline && s->now >= c->deadline) {
		s->tally.timeouts++;
		agent_client_done(c);
		/* 408 in a dialog ends it (RFC 3261 12.2.1.2), so does one for the INVITE itself. */
		leg_gone(s, l);
		return;
	}
	if (!c->next || s->now < c->next)
		return;
	agent_transmit(s, l, c->request);
	c->interval = c->invite || c->interval * 2 < T2 ? c->interval * 2 : T2;
	c->next = s->now + c->interval;
	leg_wake(s, l, c->next);
}

static void server_run(struct sim *s, struct leg *l, struct server *t)
{
	if (!t->live || !t->next || s->now < t->next)
		return;
	if (s->now >= t->deadline) {
		t->next = 0;
		if (t->invite && t->status < 300) {
			s->tally.unacked++;
			if (!l->gone && !l->bye_sent)
				leg_todo(s, l, TODO_BYE, 0);
		}
		return;
	}
	agent_transmit(s, l, t->reply);
	t->interval = t->interval * 2 < T2 ? t->interval * 2 : T2;
	t->next = s->now + t->interval;
	leg_wake(s, l, t->next);
}

static struct client *pending_invite(struct leg *l)
{
	for (uint32_t i = 0; i < LEG_CLIENTS; i++)
		if (l->client[i].live && l->client[i].invite && !l->client[i].final)
			return &l->client[i];
	return NULL;
}

static struct server *open_invite(struct leg *l)
{
	for (uint32_t i = 0; i < LEG_SERVERS; i++)
		if (l->server[i].live && l->server[i].invite && !l->server[i].final)
			return &l->server[i];
	return NULL;
}

/* A second branch of a fork has answered too, with a dialog of its own. */
static void fork_answer(struct sim *s, struct leg *l, struct server *t)
{
	struct leg *f = leg_new(s, l->call, true, false, l->call_id);
	struct server *ft = &f->server[0];

	f->forked = true;
	snprintf(f->luri, sizeof(f->luri), "%s", l->luri);
	snprintf(f->ruri, sizeof(f->ruri), "%s", l->ruri);
	snprintf(f->rtag, sizeof(f->rtag), "%s", l->rtag);
	snprintf(f->target, sizeof(f->target), "%s", l->target);
	*ft = (struct server){.live = true, .invite = true, .cseq = t->cseq};
	memcpy(ft->method, t->method, sizeof(ft->method));
	memcpy(ft->branch, t->branch, sizeof(ft->branch));
	ft->request = bytes_copy(t->request.p, t->request.n);
	agent_reply(s, f, ft, 200, true);
}

static void do_answer(struct sim *s, struct leg *l)
{
	struct server *t = open_invite(l);
	const struct plan *p = &l->call->plan;

	if (!t || !p->final)
		return;
	if (p->fork == 2 && p->final == 200)
		fork_answer(s, l, t);
	agent_reply(s, l, t, p->final, p->final == 200);
	if (p->final != 200)
		leg_gone(s, l);
}

static void do_ring(struct sim *s, struct leg *l, bool early)
{
	struct server *t = open_invite(l);

	if (t)
		agent_reply(s, l, t, early ? 183 : 180, early);
}

static void do_bye(struct sim *s, struct leg *l)
{
	if (l->gone || l->bye_sent)
		return;
	l->bye_sent = true;
	l->bye_first = !l->call->ended;
	l->call->ended = true;
	agent_request(s, l, "BYE", "", "");
}

static void do_change(struct sim *s, struct leg *l, bool update)
{
	char sdp[1024];

	if (!l->up || l->bye_sent || pending_invite(l))
		return;
	l->sdp_version++;
	if (sim_chance(s, 500))
		l->hold = !l->hold;
	else
		l->media_port = 10000 + 2 * sim_below(s, 20000);
	agent_sdp(l, sdp, sizeof(sdp), false);
	s->tally.changes++;
	agent_request(s, l, update ? "UPDATE" : "INVITE", "", sdp);
}

static void todo_run(struct sim *s, struct leg *l, enum todo_what what)
{
	struct client *c;

	switch (what) {
	case TODO_RING:
	case TODO_EARLY:
		do_ring(s, l, what == TODO_EARLY);
		break;
	case TODO_ANSWER:
		do_answer(s, l);
		break;
	case TODO_CANCEL:
		c = pending_invite(l);
		if (c)
			agent_cancel(s, l, c);
		break;
	case TODO_REINVITE:
	case TODO_UPDATE:
		do_change(s, l, what == TODO_UPDATE);
		break;
	case TODO_OPTIONS:
		if (l->up && !l->bye_sent)
			agent_request(s, l, "OPTIONS", "", "");
		break;
	case TODO_BYE:
		do_bye(s, l);
		break;
	case TODO_VANISH:
		s->tally.vanished++;
		l->deaf = true;
		leg_gone(s, l);
		break;
	default:
		break;
	}
}

/*
 * All copies of the BYE or CANCEL for this end were lost. Where few datagrams are
 * lost that does not happen (0.19^11), and the border has forgotten this end.
 */
static void leg_orphan(struct sim *s, struct leg *l)
{
	bool fork = l->call->plan.fork == 2 && s->tally.deaths;

	/* The BYE to a branch that lost is not stored: one on its way is not sent again. */
	if (l->call->lost || fork) {
		s->tally.forks += !l->call->lost;
		s->tally.bereaved++;
		leg_gone(s, l);
		return;
	}
	s->tally.orphans++;
	if (s->conf.loss <= 100)
		sim_fail(s, l->call, "a dialog of the %s has not ended in %u s",
			 l->core ? "pbx" : "phone", ORPHAN_MS / 1000);
	leg_gone(s, l);
}

/* Nobody rings for ever, where a border may forget that it does. */
static void leg_gives_up(struct sim *s, struct leg *l)
{
	struct client *c = pending_invite(l);
	struct server *t = open_invite(l);

	if (l->up || (!c && !t))
		return;
	s->tally.impatient++;
	if (c) {
		agent_cancel(s, l, c);
		return;
	}
	agent_reply(s, l, t, 480, false);
	leg_gone(s, l);
}

void leg_run(struct sim *s, struct leg *l)
{
	for (uint32_t i = 0; i < LEG_CLIENTS; i++)
		client_run(s, l, &l->client[i]);
	for (uint32_t i = 0; i < LEG_SERVERS; i++)
		server_run(s, l, &l->server[i]);
	for (uint32_t i = 0; i < LEG_TODOS; i++) {
		struct todo t = l->todo[i];

		if (t.what && s->now >= t.at) {
			l->todo[i].what = TODO_NONE;
			todo_run(s, l, t.what);
		}
	}
	if (faults_are_on(s) && !l->gone && s->now == l->began + PATIENCE_MS)
		leg_gives_up(s, l);
	if (l->gone && s->now > l->gone_at + LINGER)
		leg_free(s, l);
	else if (!l->gone && s->now >= l->began + ORPHAN_MS)
		leg_orphan(s, l);
}

void call_note(struct sim *s, struct call *c, const char *way, struct slice msg)
{
	struct bytes *b = &c->past[c->history++ % CALL_HISTORY];
	char *text = malloc(msg.n + 64u);
	int n;

	if (!text)
		abort();
	n = sprintf(text, "---- %llu %s\n", (unsigned long long)s->now, way);
	memcpy(text + n, msg.p, msg.n);
	bytes_free(b);
	*b = (struct bytes){text, (uint32_t)n + msg.n};
}
