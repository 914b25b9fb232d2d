#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim.h"

static uint16_t pick_final(struct sim *s)
{
	static const uint16_t refusals[] = {302, 404, 408, 480, 486, 500, 503, 603};

	if (sim_chance(s, 750))
		return 200;
	if (sim_chance(s, 150))
		return 0;
	return refusals[sim_below(s, sizeof(refusals) / sizeof(refusals[0]))];
}

static void pick_changes(struct sim *s, struct plan *p)
{
	static const enum todo_what what[] = {TODO_REINVITE, TODO_REINVITE, TODO_REINVITE,
					      TODO_UPDATE, TODO_OPTIONS};

	p->changes = (uint8_t)(sim_chance(s, 500) ? 0 : 1 + sim_below(s, 3));
	for (uint32_t i = 0; i < p->changes; i++) {
		p->change[i].leg = (uint8_t)sim_below(s, 2);
		p->change[i].what = (uint8_t)what[sim_below(s, 5)];
		/* Some at the same moment on both sides: glare. */
		p->change[i].at_ms = sim_chance(s, 300) ? 1000 : sim_below(s, p->talk_ms + 1);
	}
}

void plan_make(struct sim *s, struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->phone = sim_below(s, s->conf.phones);
	p->from_phone = sim_chance(s, 600) || !s->phone[p->phone].registered ||
			!s->phone[p->phone].contact[0];
	p->ring_ms = sim_below(s, 1500);
	p->answer_ms = sim_chance(s, 100) ? 0 : sim_below(s, 6000);
	p->final = pick_final(s);
	p->late_offer = sim_chance(s, 80);
	p->early_media = sim_chance(s, 200);
	p->reliable = sim_chance(s, 150);
	p->fork = (uint8_t)(p->from_phone && sim_chance(s, 60) ? 1 + sim_below(s, 2) : 0);
	p->talk_ms = sim_chance(s, 100) ? 0 : 500 + sim_below(s, 15000);
	p->hangup = (uint8_t)sim_below(s, 3);
	p->vanish = sim_chance(s, 15);
	p->never_ack = sim_chance(s, 10);
	if (sim_chance(s, 150) || p->final == 0)
		p->cancel_ms = sim_chance(s, 200) ? 1 : 1 + sim_below(s, 8000);
	if (p->final == 0 && sim_chance(s, 300))
		p->cancel_ms = 0; /* the border's timer C has to do it */
	pick_changes(s, p);
}

static struct call *call_new(struct sim *s, uint32_t number)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->number = number;
	plan_make(s, &c->plan);
	s->call[number] = c;
	s->calls_live++;
	return c;
}

static void name_ends(struct sim *s, struct leg *l, const struct call *c)
{
	if (l->core) {
		snprintf(l->luri, sizeof(l->luri), "sip:f%u@10.0.0.10", c->number);
		snprintf(l->ruri, sizeof(l->ruri), "%.190s", s->phone[c->plan.phone].contact);
	} else {
		snprintf(l->luri, sizeof(l->luri), "sip:u%u@203.0.113.1", c->plan.phone);
		snprintf(l->ruri, sizeof(l->ruri), "sip:t%u@203.0.113.1", c->number);
	}
	snprintf(l->target, sizeof(l->target), "%.190s", l->ruri);
}

void call_begin(struct sim *s, uint32_t number)
{
	struct call *c = call_new(s, number);
	const struct plan *p = &c->plan;
	char call_id[80], sdp[1024] = "";
	struct leg *l;

	snprintf(call_id, sizeof(call_id), "%s%u-%016llx", p->from_phone ? "phone" : "pbxcall",
		 number, (unsigned long long)sim_random(s));
	l = c->leg[0] = leg_new(s, c, !p->from_phone, true, call_id);
	name_ends(s, l, c);
	if (!p->late_offer)
		agent_sdp(l, sdp, sizeof(sdp), false);
	agent_request(s, l, "INVITE", sim_chance(s, 500) ? "Supported: 100rel\r\n" : "", sdp);
	if (p->cancel_ms)
		leg_todo(s, l, TODO_CANCEL, p->cancel_ms);
}
