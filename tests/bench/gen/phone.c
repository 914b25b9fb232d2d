/* The command register: phones, each with a contact of its own, refreshed in turn. */
#include "tests/bench/gen/phone.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/gen/port.h"
#include "tests/bench/gen/table.h"

#define PHONE_PORT        1024u
#define PHONES_PER_HOST   60000u
#define PHONES_MOST       4000000u
#define REGISTRAR_EXPIRES "3600"

struct phone {
	uint32_t cseq;
	bool waits;
	uint8_t tries;
	uint64_t sent, give_up;
};

struct phones {
	struct phone *phone;
	struct timers timers;
	uint32_t n, next, waiting;
	uint64_t attempted, done, timed_out, unfinished, faulty, at_registrar, skipped;
	uint64_t status[700];
	struct hist latency;
	struct counts before;
};

void phones_free(struct gen *g)
{
	if (!g->phones)
		return;
	timers_free(&g->phones->timers);
	free(g->phones->phone);
	free(g->phones);
	g->phones = NULL;
}

static int phones_make(struct gen *g, uint32_t n)
{
	struct phones *s;

	phones_free(g);
	s = calloc(1, sizeof(*s));
	g->phones = s;
	if (!s)
		return -1;
	s->n = n;
	s->phone = table_of(n, sizeof(*s->phone));
	if (!s->phone || timers_init(&s->timers, n))
		return -1;
	for (uint32_t i = 0; i <= DELAY_T2; i++)
		s->timers.delay[i] = gen_cycles(g, 0.5 * (1u << i));
	return 0;
}

static const struct host *phone_host(const struct gen *g, uint32_t phone)
{
	return &g->port[OUTSIDE].host[phone / PHONES_PER_HOST];
}

static uint16_t phone_port(uint32_t phone)
{
	return (uint16_t)(PHONE_PORT + phone % PHONES_PER_HOST);
}

static void put_sent_by(const struct gen *g, struct out *o, uint32_t phone)
{
	out_text(o, phone_host(g, phone)->name);
	out_lit(o, ":");
	out_number(o, phone_port(phone));
}

static void phone_send(struct gen *g, uint32_t phone)
{
	struct text border = host_peer(g, OUTSIDE, 0)->name;
	struct ident id = {phone, g->phones->phone[phone].cseq};
	struct out o;
	struct rte_mbuf *m = frame_new(g, &o);

	if (!m)
		return;
	out_lit(&o, "REGISTER sip:");
	out_text(&o, border);
	out_lit(&o, " SIP/2.0\r\nVia: SIP/2.0/UDP ");
	put_sent_by(g, &o, phone);
	out_lit(&o, ";branch=" IDENT_BRANCH "~");
	out_ident(&o, id);
	out_lit(&o, "r;rport\r\nMax-Forwards: 70\r\nFrom: <sip:p");
	out_hex8(&o, phone);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE ">;tag=~r");
	out_hex8(&o, phone);
	out_lit(&o, "\r\nTo: <sip:p");
	out_hex8(&o, phone);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE ">\r\nCall-ID: ~r");
	out_hex8(&o, phone);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE "\r\nCSeq: ");
	out_number(&o, id.serial);
	out_lit(&o, " REGISTER\r\nContact: <sip:p");
	out_hex8(&o, phone);
	out_lit(&o, "@");
	put_sent_by(g, &o, phone);
	out_lit(&o, ">\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n");
	frame_finish(g, OUTSIDE, m, &o,
		     (struct frame_way){phone_host(g, phone)->ip, host_peer(g, OUTSIDE, 0)->ip,
					phone_port(phone), GEN_SIP_PORT});
	g->count.sip_tx[OUTSIDE]++;
	port_send(g, OUTSIDE, m);
}

static void phone_refresh(struct gen *g, uint32_t phone)
{
	struct phones *s = g->phones;
	struct phone *p = &s->phone[phone];

	p->cseq++;
	p->waits = true;
	p->tries = 0;
	p->sent = g->now;
	p->give_up = g->now + gen_cycles(g, 32);
	s->attempted++;
	s->waiting++;
	timers_arm(&s->timers, phone, DELAY_T1, g->now);
	phone_send(g, phone);
}

static void settled(struct phones *s, uint32_t phone)
{
	timers_stop(&s->timers, phone);
	s->phone[phone].waits = false;
	s->waiting--;
}

/* Its own contact must come back, or the phone would not know that it is registered. */
static uint32_t check_answer(struct gen *g, struct ident id, const struct message *m)
{
	char text[160];
	struct out o = {text};
	struct expected e = {.cseq = id.serial};
	uint32_t faults;

	put_sent_by(g, &o, id.index);
	e.sent_by = (struct text){text, (uint32_t)(o.p - text)};
	e.branch.p = o.p;
	out_lit(&o, IDENT_BRANCH "~");
	out_ident(&o, id);
	out_lit(&o, "r");
	e.branch.n = (uint32_t)(o.p - e.branch.p);
	e.from_tag.p = o.p;
	out_lit(&o, "~r");
	out_hex8(&o, id.index);
	e.from_tag.n = (uint32_t)(o.p - e.from_tag.p);
	e.call_id.p = o.p;
	out_lit(&o, "~r");
	out_hex8(&o, id.index);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE);
	e.call_id.n = (uint32_t)(o.p - e.call_id.p);
	faults = check_message(m, &e);
	if (m->status >= 200 && m->status < 300 && !g->direct) {
		char contact[64];
		struct out w = {contact};

		out_lit(&w, "sip:p");
		out_hex8(&w, id.index);
		out_lit(&w, "@");
		put_sent_by(g, &w, id.index);
		if (!text_eq(message_uri(m->contact),
			     (struct text){contact, (uint32_t)(w.p - contact)}))
			faults |= FAULT(CONTACT);
	}
	return faults;
}

static void count_faults(struct gen *g, uint32_t faults)
{
	for (faults &= ~FAULT(LEAK); faults != 0; faults &= faults - 1)
		g->count.fault[__builtin_ctz(faults)]++;
}

void phone_response(struct gen *g, struct ident id, const struct message *m)
{
	struct phones *s = g->phones;
	struct phone *p;
	uint32_t faults;

	if (!s || id.index >= s->n || id.serial > s->phone[id.index].cseq) {
		g->count.unexpected++;
		return;
	}
	p = &s->phone[id.index];
	if (id.serial != p->cseq || !p->waits) {
		g->count.repeated++;
		return;
	}
	faults = check_answer(g, id, m);
	count_faults(g, faults);
	if (m->status < 200)
		return;
	settled(s, id.index);
	if (m->status >= 300) {
		s->status[m->status]++;
	} else if (faults != 0) {
		s->faulty++;
	} else {
		s->done++;
		hist_add(&s->latency, g->now - p->sent);
	}
}

/* The registrar believes what it is told: for how long is its own word. */
void registrar_request(struct gen *g, const struct message *m)
{
	const struct host *border = host_peer(g, INSIDE, 0);
	struct expected e = {.sent_by = border->via, .to_tag_none = true};
	struct text target = message_uri(m->contact);
	struct rte_mbuf *reply;

	if (!g->direct)
		e.contact = border->name;
	else
		e.sent_by = message_sent_by(m->via);
	count_faults(g, check_message(m, &e));
	if (g->phones)
		g->phones->at_registrar++;
	reply = write_registered(g, m, target, TEXT(REGISTRAR_EXPIRES));
	if (reply)
		port_send(g, INSIDE, reply);
}

static void phones_timers(struct gen *g)
{
	struct phones *s = g->phones;
	uint32_t id;

	while ((id = timers_expired(&s->timers, g->now)) != TIMERS_NONE) {
		struct phone *p = &s->phone[id];

		g->work++;
		if (g->now >= p->give_up) {
			s->timed_out++;
			settled(s, id);
			continue;
		}
		p->tries++;
		g->count.retransmitted++;
		timers_arm(&s->timers, id, RTE_MIN((uint32_t)p->tries, (uint32_t)DELAY_T2), g->now);
		phone_send(g, id);
	}
}

static bool step(struct gen *g, struct job *j)
{
	struct phones *s = g->phones;
	uint32_t n = g->now < j->until + gen_cycles(g, 1)
			     ? pace_due(&j->pace, g->now, GEN_BURST / 2)
			     : 0;

	for (uint32_t i = 0; i < n; i++) {
		if (s->phone[s->next].waits)
			s->skipped++;
		else
			phone_refresh(g, s->next);
		s->next = s->next + 1 == s->n ? 0 : s->next + 1;
	}
	pace_did(&j->pace, n);
	g->work += n;
	phones_timers(g);
	if (g->now >= j->until && j->measured <= 0) {
		j->measured = job_seconds(g, j);
		j->done_by_then = s->done;
	}
	if (g->now >= j->until && s->waiting == 0)
		return true;
	if (g->now < j->until + gen_cycles(g, g->grace))
		return false;
	for (uint32_t i = 0; i < s->n; i++)
		if (s->phone[i].waits) {
			s->unfinished++;
			settled(s, i);
		}
	return true;
}

static void finish(struct gen *g, struct job *j)
{
	const struct phones *s = g->phones;
	const struct counts *c = &g->count, *b = &s->before;
	char status[8];

	report_count("attempted", s->attempted);
	report_count("done", s->done);
	report_open("failed");
	for (uint32_t i = 300; i < 700; i++) {
		if (s->status[i] == 0)
			continue;
		snprintf(status, sizeof(status), "%u", i);
		report_count(status, s->status[i]);
	}
	report_close();
	report_count("timed_out", s->timed_out);
	report_count("unfinished", s->unfinished);
	report_count("faulty", s->faulty);
	report_count("at_registrar", s->at_registrar);
	report_count("skipped", s->skipped);
	report_count("leaks", c->fault[FAULT_LEAK] - b->fault[FAULT_LEAK]);
	report_count("retransmissions", c->retransmitted - b->retransmitted);
	report_count("unexpected", c->unexpected - b->unexpected + c->malformed - b->malformed);
	report_value("seconds", job_seconds(g, j));
	report_value("rate_done", j->measured > 0 ? (double)j->done_by_then / j->measured : 0);
	report_value("busy", job_busy(g, j));
	report_hist("latency_ns", &s->latency, g->hz);
}

static void tally_reset(struct gen *g)
{
	struct phones *s = g->phones;

	s->attempted = s->done = s->timed_out = s->unfinished = s->faulty = 0;
	s->at_registrar = s->skipped = 0;
	memset(s->status, 0, sizeof(s->status));
	hist_reset(&s->latency);
	s->before = g->count;
}

const char *register_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	double v[3] = {0};

	if (!g->calls || argc != 3)
		return "wants RATE SECONDS PHONES, and a border";
	for (int i = 0; i < argc; i++)
		if (!job_number(argv[i], &v[i]))
			return "not a number";
	if (v[0] <= 0 || v[1] <= 0 || v[2] < 1 || v[2] > PHONES_MOST ||
	    v[2] > (double)PHONES_PER_HOST * g->port[OUTSIDE].hosts)
		return "no room for so many phones: --out-hosts";
	if ((!g->phones || g->phones->n != (uint32_t)v[2]) && phones_make(g, (uint32_t)v[2])) {
		phones_free(g);
		return "no memory";
	}
	tally_reset(g);
	pace_start(&j->pace, v[0], g->hz, g->now, 10000, 0);
	j->pace.total = (uint64_t)(v[0] * v[1] + 0.5);
	j->until = j->begin + gen_cycles(g, v[1]);
	j->step = step;
	j->finish = finish;
	return NULL;
}
