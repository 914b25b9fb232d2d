#include "tests/bench/gen/call.h"

/* What has been sent by this end, as it must come back. */
struct sent {
	char branch[8 + IDENT_LEN + 1], call_id[1 + IDENT_LEN + sizeof("@" IDENT_HOST_OUTSIDE) - 1];
	char tag[2 + IDENT_LEN];
};

static void sent_by(const struct call *c, struct sent *s, char letter)
{
	struct out o = {s->branch};

	out_lit(&o, IDENT_BRANCH "~");
	out_put(&o, c->id, IDENT_LEN);
	*o.p = letter;
	o.p = s->call_id;
	out_lit(&o, "~");
	out_put(&o, c->id, IDENT_LEN);
	out_lit(&o, "@" IDENT_HOST_OUTSIDE);
	o.p = s->tag;
	out_lit(&o, "~f");
	out_put(&o, c->id, IDENT_LEN);
}

#define WHOLE(array) ((struct text){array, sizeof(array)})

static struct text far_tag(const struct call *c)
{
	return (struct text){c->far[OUTSIDE].tag, c->far[OUTSIDE].tag_n};
}

void caller_invite(struct gen *g, struct call *c)
{
	c->state[OUTSIDE] = END_TRYING;
	call_transmit(g, c, OUTSIDE, write_invite(g, c), true);
}

void caller_bye(struct gen *g, struct call *c)
{
	c->state[OUTSIDE] = END_ENDING;
	call_transmit(g, c, OUTSIDE, write_bye(g, c, OUTSIDE), true);
}

static uint32_t check_response(struct gen *g, const struct call *c, const struct message *m,
			       char transaction)
{
	bool final = m->status >= 200 && m->status < 300 && transaction == 'i';
	struct expected e = {0};
	struct sent s;

	sent_by(c, &s, transaction);
	e.sent_by = host_of_call(g, OUTSIDE, c->index)->via;
	e.branch = WHOLE(s.branch);
	e.call_id = WHOLE(s.call_id);
	e.from_tag = WHOLE(s.tag);
	e.to_tag = far_tag(c);
	e.cseq = transaction == 'i' ? 1 : 2;
	if (m->status == 100 || (m->status >= 300 && transaction == 'i'))
		e.to_tag.n = 0;
	if (final)
		e.contact = host_peer(g, OUTSIDE, c->index)->name;
	return check_message(m, &e);
}

static void answered(struct gen *g, struct call *c, const struct message *m)
{
	const struct port *p = &g->port[OUTSIDE];
	uint32_t faults = 0, first = p->media_first, count = p->media_count;

	if (g->direct) {
		first = g->port[INSIDE].host[0].ip;
		count = g->port[INSIDE].hosts;
	}
	faults |= check_sdp(m->body, first, count, &c->media[OUTSIDE]);
	if (!far_tag_set(&c->far[OUTSIDE], message_tag(m->to)))
		faults |= FAULT(TAG);
	if (!far_target_set(&c->far[OUTSIDE], m->contact))
		faults |= FAULT(CONTACT);
	call_fault(g, c, faults);
	hist_add(&g->calls->tally.setup, g->now - c->began);
	call_settled(g, c, OUTSIDE);
	c->state[OUTSIDE] = END_UP;
	call_transmit(g, c, OUTSIDE, write_ack(g, c->index, m), false);
	call_progress(g, c);
}

static void invite_response(struct gen *g, struct call *c, const struct message *m)
{
	bool waits = c->state[OUTSIDE] == END_TRYING || c->state[OUTSIDE] == END_PROCEEDING;

	if (m->status < 200) {
		struct text tag = message_tag(m->to);

		if (c->state[OUTSIDE] == END_TRYING) {
			call_settled(g, c, OUTSIDE);
			c->state[OUTSIDE] = END_PROCEEDING;
			timers_arm(&g->calls->timers, call_timer(c, OUTSIDE), DELAY_T2, g->now);
		}
		if (waits && tag.n != 0 && !far_tag_set(&c->far[OUTSIDE], tag))
			call_fault(g, c, FAULT(TAG));
	} else if (m->status < 300 && waits) {
		answered(g, c, m);
	} else {
		call_transmit(g, c, OUTSIDE, write_ack(g, c->index, m), false);
		if (waits)
			call_fail(g, c, m->status);
		else
			g->count.repeated++;
	}
}

void caller_response(struct gen *g, struct call *c, const struct message *m, char transaction)
{
	call_fault(g, c, check_response(g, c, m, transaction));
	if (transaction == 'i' && m->method == METHOD_INVITE) {
		invite_response(g, c, m);
	} else if (transaction == 'b' && m->method == METHOD_BYE) {
		if (c->state[OUTSIDE] != END_ENDING) {
			g->count.repeated++;
		} else if (m->status >= 300) {
			call_fail(g, c, m->status);
		} else if (m->status >= 200) {
			call_settled(g, c, OUTSIDE);
			c->state[OUTSIDE] = END_OVER;
			call_progress(g, c);
		}
	} else {
		g->count.unexpected++;
	}
}

/* BYE is all that a caller is asked in these calls. */
void caller_request(struct gen *g, struct call *c, const struct message *m)
{
	struct expected e = {0};
	struct sent s;

	sent_by(c, &s, 'i');
	e.sent_by = host_peer(g, OUTSIDE, c->index)->via;
	e.call_id = WHOLE(s.call_id);
	e.from_tag = far_tag(c);
	e.to_tag = WHOLE(s.tag);
	call_fault(g, c, check_message(m, &e));
	if (m->method != METHOD_BYE) {
		g->count.unexpected++;
		call_transmit(g, c, OUTSIDE,
			      write_reply(g, OUTSIDE, c->index, m, TEXT("405 Method Not Allowed")),
			      false);
		return;
	}
	call_transmit(g, c, OUTSIDE, write_reply(g, OUTSIDE, c->index, m, TEXT("200 OK")), false);
	if (c->state[OUTSIDE] == END_OVER) {
		g->count.repeated++;
		return;
	}
	call_settled(g, c, OUTSIDE);
	c->state[OUTSIDE] = END_OVER;
	call_progress(g, c);
}
