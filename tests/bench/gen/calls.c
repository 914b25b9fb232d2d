#include <stdlib.h>

#include "tests/bench/gen/call.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/rtp.h"
#include "tests/bench/gen/table.h"

#define T1_MS         500.0
#define LIFE_T1       64.0 /* timers B, F and H */
#define MEDIA_SECONDS 1.0

int calls_init(struct gen *g)
{
	struct calls *s = calloc(1, sizeof(*s));

	g->calls = s;
	if (!s)
		return -1;
	s->call = table_of(g->max_calls, sizeof(*s->call));
	s->unused = table_of(g->max_calls, sizeof(*s->unused));
	if (!s->call || !s->unused || timers_init(&s->timers, 2 * g->max_calls))
		return -1;
	for (uint32_t i = 0; i < g->max_calls; i++) {
		s->call[i].index = i;
		s->unused[i] = i;
	}
	s->unused_n = g->max_calls;
	for (uint32_t i = 0; i <= DELAY_LONGEST; i++)
		s->timers.delay[i] = gen_cycles(g, T1_MS / 1000 * (1u << i));
	s->timers.delay[DELAY_MEDIA] = gen_cycles(g, MEDIA_SECONDS);
	hist_reset(&s->tally.setup);
	return 0;
}

void calls_free(struct gen *g)
{
	if (!g->calls)
		return;
	timers_free(&g->calls->timers);
	free(g->calls->call);
	free(g->calls->unused);
	free(g->calls);
	g->calls = NULL;
}

struct call *call_of(struct gen *g, struct ident id, bool *stale)
{
	struct call *c;

	*stale = false;
	if (!g->calls || id.index >= g->max_calls)
		return NULL;
	c = &g->calls->call[id.index];
	if (id.serial == c->serial && c->state[OUTSIDE] != END_IDLE)
		return c;
	*stale = id.serial <= c->serial && id.serial != 0;
	return NULL;
}

void call_fault(struct gen *g, struct call *c, uint32_t faults)
{
	c->faults |= faults;
	for (faults &= ~FAULT(LEAK); faults != 0; faults &= faults - 1)
		g->count.fault[__builtin_ctz(faults)]++;
}

bool call_start(struct gen *g, bool stays)
{
	struct calls *s = g->calls;
	struct call *c;
	struct out o;

	if (s->unused_n == 0)
		return false;
	c = &s->call[s->unused[s->unused_at]];
	s->unused_at = s->unused_at + 1 == g->max_calls ? 0 : s->unused_at + 1;
	s->unused_n--;
	s->active++;
	s->tally.attempted++;
	*c = (struct call){.index = c->index, .serial = c->serial + 1, .stays = stays};
	o.p = c->id;
	out_hex8(&o, c->index);
	out_hex8(&o, c->serial);
	c->hanger = (c->index + c->serial) % 2 ? INSIDE : OUTSIDE;
	c->began = g->now;
	caller_invite(g, c);
	return true;
}

static void release(struct gen *g, struct call *c)
{
	struct calls *s = g->calls;

	call_settled(g, c, OUTSIDE);
	call_settled(g, c, INSIDE);
	if (c->up)
		s->up--;
	c->up = false;
	c->state[OUTSIDE] = c->state[INSIDE] = END_IDLE;
	s->active--;
	g->count.calls_ended++;
	s->unused[(s->unused_at + s->unused_n) % g->max_calls] = c->index;
	s->unused_n++;
}

void call_fail(struct gen *g, struct call *c, uint16_t status)
{
	if (status == 0) {
		g->calls->tally.timed_out++;
	} else {
		g->calls->tally.failed++;
		g->calls->tally.status[status]++;
	}
	release(g, c);
}

void call_hang_up(struct gen *g, struct call *c, enum side side)
{
	if (side == OUTSIDE)
		caller_bye(g, c);
	else
		answerer_bye(g, c);
}

/* The media that belongs to a short call has come, or is not waited for any longer. */
static void talked(struct gen *g, struct call *c)
{
	if (g->calls->hold)
		timers_arm(&g->calls->timers, call_timer(c, c->hanger), DELAY_HOLD, g->now);
	else
		call_hang_up(g, c, c->hanger);
}

static void came_up(struct gen *g, struct call *c)
{
	struct calls *s = g->calls;

	c->up = true;
	s->up++;
	s->tally.established++;
	if (c->stays) {
		rtp_call_open(g, c);
		return;
	}
	if (s->rtp_packets == 0) {
		talked(g, c);
		return;
	}
	for (int side = 0; side < 2; side++)
		c->rtp_due[side] = c->rtp_left[side] = (uint16_t)s->rtp_packets;
	timers_arm(&s->timers, call_timer(c, c->hanger), DELAY_MEDIA, g->now);
	rtp_call_open(g, c);
	/* An untrusted side speaks first: nothing is sent to an address that is not proven. */
	rtp_call_prove(g, c, RTP_PROOFS);
	rtp_call_send(g, c, OUTSIDE, c->rtp_left[OUTSIDE]);
	s->tally.rtp_tx += c->rtp_left[OUTSIDE];
	c->rtp_left[OUTSIDE] = 0;
}

void call_media_came(struct gen *g, struct call *c, enum side side)
{
	if (c->rtp_due[side] == 0 || c->state[OUTSIDE] != END_UP || c->state[INSIDE] != END_UP)
		return;
	c->rtp_due[side]--;
	g->calls->tally.rtp_rx++;
	if (side == INSIDE && c->rtp_left[INSIDE] != 0) {
		rtp_call_send(g, c, INSIDE, c->rtp_left[INSIDE]);
		g->calls->tally.rtp_tx += c->rtp_left[INSIDE];
		c->rtp_left[INSIDE] = 0;
	}
	if (c->rtp_due[OUTSIDE] == 0 && c->rtp_due[INSIDE] == 0) {
		timers_stop(&g->calls->timers, call_timer(c, c->hanger));
		talked(g, c);
	}
}

void call_progress(struct gen *g, struct call *c)
{
	if (!c->up && c->state[OUTSIDE] == END_UP && c->state[INSIDE] == END_UP) {
		came_up(g, c);
	} else if (c->state[OUTSIDE] == END_OVER && c->state[INSIDE] == END_OVER) {
		if (c->faults == 0) {
			g->calls->tally.done++;
			g->count.calls_done++;
		} else {
			g->calls->tally.faulty++;
		}
		release(g, c);
	}
}

void calls_abandon(struct gen *g)
{
	for (uint32_t i = 0; i < g->max_calls; i++) {
		struct call *c = &g->calls->call[i];

		if (c->state[OUTSIDE] == END_IDLE ||
		    (c->stays && c->state[OUTSIDE] == END_UP && c->state[INSIDE] == END_UP))
			continue;
		g->calls->tally.unfinished++;
		release(g, c);
	}
}

/* 17.1.1.2, 17.1.2.2, 13.3.1.4: what is repeated, and how long between. */
static void expired(struct gen *g, struct call *c, enum side side)
{
	uint8_t state = c->state[side];
	bool invite = side == OUTSIDE && state == END_TRYING;
	uint32_t longest = invite ? DELAY_LONGEST : DELAY_T2, delay;

	if (state == END_UP) {
		if (c->rtp_due[OUTSIDE] + c->rtp_due[INSIDE] != 0) {
			call_fault(g, c, FAULT(MEDIA));
			c->rtp_due[OUTSIDE] = c->rtp_due[INSIDE] = 0;
		}
		call_hang_up(g, c, side);
		return;
	}
	if (g->now >= c->give_up[side]) {
		call_fail(g, c, 0);
		return;
	}
	if (state == END_TRYING || state == END_ENDING)
		call_again(g, c, side);
	c->tries[side]++;
	delay = RTE_MIN((uint32_t)c->tries[side], longest);
	timers_arm(&g->calls->timers, call_timer(c, side), delay, g->now);
}

uint32_t calls_timers(struct gen *g)
{
	uint32_t n = 0, id;

	while (n < 2 * GEN_BURST &&
	       (id = timers_expired(&g->calls->timers, g->now)) != TIMERS_NONE) {
		expired(g, &g->calls->call[id / 2], (enum side)(id % 2));
		n++;
	}
	return n;
}

static struct rte_mbuf *copy_of(struct gen *g, struct rte_mbuf *m)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(m, g->pool, 0, UINT32_MAX);

	if (!copy)
		g->count.no_mbuf++;
	return copy;
}

/* Devices that do not copy may still be reading, and the far end may write: it gets a copy. */
static struct rte_mbuf *share(struct gen *g, enum side side, struct rte_mbuf *m)
{
	if (!g->port[side].copies)
		return copy_of(g, m);
	rte_mbuf_refcnt_update(m, 1);
	return m;
}

void call_transmit(struct gen *g, struct call *c, enum side side, struct rte_mbuf *m, bool keep)
{
	if (keep) {
		call_settled(g, c, side);
		c->tries[side] = 0;
		c->give_up[side] =
			g->now + (uint64_t)(LIFE_T1 * (double)g->calls->timers.delay[DELAY_T1]);
		timers_arm(&g->calls->timers, call_timer(c, side), DELAY_T1, g->now);
		if (m)
			c->kept[side] = share(g, side, m);
	}
	if (m)
		port_send(g, side, m);
}

void call_again(struct gen *g, struct call *c, enum side side)
{
	struct rte_mbuf *m = c->kept[side] ? share(g, side, c->kept[side]) : NULL;

	if (!m)
		return;
	g->count.retransmitted++;
	g->count.sip_tx[side]++;
	port_send(g, side, m);
}

void call_settled(struct gen *g, struct call *c, enum side side)
{
	timers_stop(&g->calls->timers, call_timer(c, side));
	if (c->kept[side])
		rte_pktmbuf_free(c->kept[side]);
	c->kept[side] = NULL;
}

bool far_tag_set(struct far *f, struct text tag)
{
	if (tag.n == 0 || tag.n > CALL_TAG)
		return false;
	if (f->tag_n != 0)
		return text_eq(tag, (struct text){f->tag, f->tag_n});
	memcpy(f->tag, tag.p, tag.n);
	f->tag_n = (uint8_t)tag.n;
	return true;
}

bool far_target_set(struct far *f, struct text contact)
{
	struct text uri = message_uri(contact);

	if (uri.n == 0 || uri.n > CALL_TARGET)
		return false;
	memcpy(f->target, uri.p, uri.n);
	f->target_n = (uint8_t)uri.n;
	return true;
}

bool far_call_id_set(struct far *f, struct text call_id)
{
	if (call_id.n == 0 || call_id.n > CALL_ID)
		return false;
	memcpy(f->call_id, call_id.p, call_id.n);
	f->call_id_n = (uint8_t)call_id.n;
	return true;
}
