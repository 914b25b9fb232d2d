#include "tests/bench/gen/call.h"

struct sent {
	char branch[8 + IDENT_LEN + 1], tag[2 + IDENT_LEN];
};

static void sent_by(const struct call *c, struct sent *s)
{
	struct out o = {s->branch};

	out_lit(&o, IDENT_BRANCH "!");
	out_put(&o, c->id, IDENT_LEN);
	*o.p = 'b';
	o.p = s->tag;
	out_lit(&o, "!t");
	out_put(&o, c->id, IDENT_LEN);
}

#define WHOLE(array) ((struct text){array, sizeof(array)})

void answerer_bye(struct gen *g, struct call *c)
{
	c->state[INSIDE] = END_ENDING;
	call_transmit(g, c, INSIDE, write_bye(g, c, INSIDE), true);
}

static uint32_t check_invite(struct gen *g, struct call *c, const struct message *m)
{
	const struct port *p = &g->port[INSIDE];
	const struct host *border = host_peer(g, INSIDE, c->index);
	uint32_t faults, first = p->media_first, count = p->media_count;
	struct expected e = {.sent_by = border->via,
			     .to_tag_none = true,
			     .contact = border->name,
			     .from_host = border->name};

	if (g->direct) {
		first = g->port[OUTSIDE].host[0].ip;
		count = g->port[OUTSIDE].hosts;
		e.from_host.n = 0;
	}
	faults = check_message(m, &e);
	faults |= check_sdp(m->body, first, count, &c->media[INSIDE]);
	if (!far_tag_set(&c->far[INSIDE], message_tag(m->from)))
		faults |= FAULT(TAG);
	if (!far_call_id_set(&c->far[INSIDE], m->call_id))
		faults |= FAULT(CALL_ID);
	if (!far_target_set(&c->far[INSIDE], m->contact))
		faults |= FAULT(CONTACT);
	return faults;
}

static void invited(struct gen *g, struct call *c, const struct message *m)
{
	if (c->state[INSIDE] != END_IDLE) {
		g->count.repeated++;
		call_again(g, c, INSIDE);
		return;
	}
	call_fault(g, c, check_invite(g, c, m));
	c->cseq = m->cseq;
	c->state[INSIDE] = END_TRYING;
	call_transmit(g, c, INSIDE, write_answer(g, c, m, TEXT("180 Ringing"), false), false);
	call_transmit(g, c, INSIDE, write_answer(g, c, m, TEXT("200 OK"), true), true);
}

static uint32_t check_within(struct gen *g, const struct call *c, const struct message *m)
{
	const struct far *f = &c->far[INSIDE];
	struct expected e = {.sent_by = host_peer(g, INSIDE, c->index)->via,
			     .call_id = {f->call_id, f->call_id_n},
			     .from_tag = {f->tag, f->tag_n}};
	struct sent s;

	sent_by(c, &s);
	e.to_tag = WHOLE(s.tag);
	/* 13.2.2.4: the ACK has the number of its INVITE; 12.2.1.1: a later request a higher one. */
	if (m->method == METHOD_ACK)
		e.cseq = c->cseq;
	return check_message(m, &e) |
	       (m->method != METHOD_ACK && m->cseq <= c->cseq ? FAULT(CSEQ) : 0);
}

void answerer_request(struct gen *g, struct call *c, const struct message *m)
{
	if (m->method == METHOD_INVITE) {
		invited(g, c, m);
		return;
	}
	call_fault(g, c, check_within(g, c, m));
	if (m->method == METHOD_ACK) {
		if (c->state[INSIDE] != END_TRYING) {
			g->count.repeated++;
			return;
		}
		call_settled(g, c, INSIDE);
		c->state[INSIDE] = END_UP;
		call_progress(g, c);
	} else if (m->method == METHOD_BYE) {
		call_transmit(g, c, INSIDE, write_reply(g, INSIDE, c->index, m, TEXT("200 OK")),
			      false);
		if (c->state[INSIDE] == END_OVER) {
			g->count.repeated++;
			return;
		}
		call_settled(g, c, INSIDE);
		c->state[INSIDE] = END_OVER;
		call_progress(g, c);
	} else {
		g->count.unexpected++;
	}
}

void answerer_response(struct gen *g, struct call *c, const struct message *m)
{
	const struct far *f = &c->far[INSIDE];
	struct expected e = {.sent_by = host_of_call(g, INSIDE, c->index)->via,
			     .call_id = {f->call_id, f->call_id_n},
			     .to_tag = {f->tag, f->tag_n},
			     .cseq = 1};
	struct sent s;

	sent_by(c, &s);
	e.branch = WHOLE(s.branch);
	e.from_tag = WHOLE(s.tag);
	call_fault(g, c, check_message(m, &e));
	if (m->method != METHOD_BYE) {
		g->count.unexpected++;
	} else if (c->state[INSIDE] != END_ENDING) {
		g->count.repeated++;
	} else if (m->status >= 300) {
		call_fail(g, c, m->status);
	} else if (m->status >= 200) {
		call_settled(g, c, INSIDE);
		c->state[INSIDE] = END_OVER;
		call_progress(g, c);
	}
}
