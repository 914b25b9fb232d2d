#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim.h"

static void copy_text(char *to, size_t cap, struct slice from)
{
	snprintf(to, cap, "%.*s", (int)from.n, from.p);
}

static uint16_t sdp_port(struct slice msg)
{
	struct slice m = text_sdp(text_body(msg), 'm', 0);
	int32_t sp = text_find(m, SLICE_LIT(" "), false);

	return sp < 0 ? 0 : (uint16_t)text_number(slice_of(m.p + sp + 1, m.n - (uint32_t)sp - 1));
}

static void note_remote(struct leg *l, struct slice msg, const char *tag_header)
{
	struct slice contact = text_header(msg, "Contact", 0);
	uint16_t port = sdp_port(msg);

	copy_text(l->rtag, sizeof(l->rtag), text_param(text_header(msg, tag_header, 0), "tag"));
	if (contact.n)
		copy_text(l->target, sizeof(l->target), text_uri(contact));
	if (port)
		l->border_port = port;
}

/* ---- responses ---- */

static struct client *find_client(struct leg *l, struct slice msg)
{
	struct slice branch = text_param(text_header(msg, "Via", 0), "branch");
	struct slice method = text_method(msg);

	for (uint32_t i = 0; i < LEG_CLIENTS; i++)
		if (l->client[i].live && slice_eq(slice_str(l->client[i].branch), branch) &&
		    slice_eq(slice_str(l->client[i].method), method))
			return &l->client[i];
	return NULL;
}

static void provisional(struct sim *s, struct leg *l, struct client *c, struct slice msg)
{
	uint32_t rseq = text_number(text_header(msg, "RSeq", 0));

	if (c->final || !c->invite)
		return;
	c->provisional = true;
	c->next = 0;
	if (!c->cancelled)
		c->deadline = 0;
	if (c->cancel_wanted)
		agent_cancel(s, l, c);
	if (rseq && rseq > c->rseq &&
	    text_find(text_header(msg, "Require", 0), SLICE_LIT("100rel"), false) >= 0) {
		char rack[64];

		c->rseq = rseq;
		if (!l->up)
			note_remote(l, msg, "To");
		snprintf(rack, sizeof(rack), "RAck: %u %u INVITE\r\n", rseq, c->cseq);
		s->tally.prack++;
		agent_request(s, l, "PRACK", rack, "");
	}
}

static void accepted_again(struct sim *s, struct leg *l, struct client *c, struct slice msg)
{
	struct slice tag = text_param(text_header(msg, "To", 0), "tag");

	/* An INVITE refused without a transaction may be taken when it is repeated: RFC 6026 7.1.
	   And one that was given up may be answered yet. */
	if (c->refused || !l->rtag[0])
		return;
	if (!slice_eq(tag, slice_str(l->rtag)))
		sim_fail(s, l->call, "a second answer with another tag");
	else if (c->ack.p)
		agent_ack(s, l, c, msg);
}

static void accepted(struct sim *s, struct leg *l, struct client *c, struct slice msg)
{
	bool first = !l->up && !l->bye_sent;

	if (c->final) {
		accepted_again(s, l, c, msg);
		return;
	}
	agent_client_done(c);
	if (l->rtag[0] && !first &&
	    !slice_eq(text_param(text_header(msg, "To", 0), "tag"), slice_str(l->rtag)))
		sim_fail(s, l->call, "an answer in the dialog with another tag");
	note_remote(l, msg, "To");
	if (first && l->call->plan.never_ack && l->uac) {
		s->tally.vanished++;
		l->deaf = true;
		leg_gone(s, l);
		return;
	}
	agent_ack(s, l, c, msg);
	if (first && c->cancel_wanted)
		leg_todo(s, l, TODO_BYE, 0);
	if (first)
		leg_up(s, l);
}

/* The border knows every call that was not ended, but for those that it says it may lose. */
static void unknown_dialog(struct sim *s, struct leg *l, const struct client *c)
{
	bool bye = strcmp(c->method, "BYE") == 0;
	const struct leg *other = l->call->leg[l == l->call->leg[0]];

	if (!faults_are_on(s) || strcmp(c->method, "PRACK") == 0 ||
	    strcmp(c->method, "CANCEL") == 0 || l->call->lost || l->call->by_border || !l->up ||
	    l->forked)
		return;
	if (bye ? l->bye_first && other && !other->gone && !other->bye_sent : !l->call->ended)
		sim_fail(s, l->call, "a %s in a call that stands was answered with 481", c->method);
}

static void refused(struct sim *s, struct leg *l, struct client *c, struct slice msg)
{
	unsigned status = text_status(msg);
	bool again = c->final;

	agent_ack(s, l, c, msg);
	if (again)
		return;
	agent_client_done(c);
	c->refused = true;
	if (status == 481 && l->up)
		unknown_dialog(s, l, c);
	s->tally.glares += status == 491;
	if (!l->up) {
		s->tally.refused++;
		leg_gone(s, l);
	} else if (status == 481 || status == 408) {
		leg_todo(s, l, TODO_BYE, 0);
	}
}

static void response(struct sim *s, uint16_t realm, struct slice msg)
{
	struct slice tag = text_param(text_header(msg, "From", 0), "tag");
	struct leg *l = leg_find(s, text_header(msg, "Call-ID", 0), tag, realm == SIM_CORE);
	struct client *c = l ? find_client(l, msg) : NULL;
	unsigned status = text_status(msg);

	if (!c) {
		s->tally.stray++;
		return;
	}
	call_note(s, l->call, l->core ? "=> pbx" : "=> phone", msg);
	if (l->deaf)
		return;
	if (status < 200) {
		provisional(s, l, c, msg);
	} else if (c->invite && status < 300) {
		accepted(s, l, c, msg);
	} else if (c->invite) {
		refused(s, l, c, msg);
	} else if (!c->final) {
		agent_client_done(c);
		if (status == 481)
			unknown_dialog(s, l, c);
		if (strcmp(c->method, "BYE") == 0)
			leg_gone(s, l);
		else if (status == 481 && l->up)
			leg_todo(s, l, TODO_BYE, 0);
	}
}

/* ---- requests ---- */

static struct server *find_server(struct leg *l, struct slice branch, struct slice method)
{
	for (uint32_t i = 0; i < LEG_SERVERS; i++)
		if (l->server[i].live && slice_eq(slice_str(l->server[i].branch), branch) &&
		    (method.n == 0 || slice_eq(slice_str(l->server[i].method), method)))
			return &l->server[i];
	return NULL;
}

static struct server *server_new(struct leg *l, struct slice msg)
{
	struct server *t = NULL;

	for (uint32_t i = 0; i < LEG_SERVERS; i++) {
		struct server *o = &l->server[i];

		if (!o->live) {
			t = o;
			break;
		}
		if (o->final && !o->next && (!t || o->cseq < t->cseq))
			t = o;
	}
	if (!t)
		return NULL;
	bytes_free(&t->request);
	bytes_free(&t->reply);
	memset(t, 0, sizeof(*t));
	t->live = true;
	copy_text(t->method, sizeof(t->method), text_method(msg));
	copy_text(t->branch, sizeof(t->branch), text_param(text_header(msg, "Via", 0), "branch"));
	t->cseq = text_cseq(msg);
	t->invite = strcmp(t->method, "INVITE") == 0;
	t->request = bytes_copy(msg.p, msg.n);
	return t;
}

/* Callee of a call: the number stands in a user part that crosses the border. */
static struct call *call_of(struct sim *s, struct slice msg, bool core)
{
	struct slice user = core ? text_user(text_request_uri(msg))
				 : text_user(text_uri(text_header(msg, "From", 0)));
	uint32_t n;

	if (user.n < 2 || user.p[0] != (core ? 't' : 'f'))
		return NULL;
	n = text_number(slice_of(user.p + 1, user.n - 1));
	return n < s->calls_begun ? s->call[n] : NULL;
}

static void incoming_call(struct sim *s, uint16_t realm, struct net_addr at, struct slice msg)
{
	bool core = realm == SIM_CORE;
	struct call *c = call_of(s, msg, core);
	char call_id[80];
	struct leg *l;
	struct server *t;

	if (!c || c->leg[1] || c->ended) {
		agent_reply_plain(s, realm, at, msg, 404, "");
		return;
	}
	copy_text(call_id, sizeof(call_id), text_header(msg, "Call-ID", 0));
	l = c->leg[1] = leg_new(s, c, core, false, call_id);
	l->addr = at;
	memcpy(c->callee_id, call_id, sizeof(call_id));
	copy_text(l->luri, sizeof(l->luri), text_uri(text_header(msg, "To", 0)));
	copy_text(l->ruri, sizeof(l->ruri), text_uri(text_header(msg, "From", 0)));
	note_remote(l, msg, "From");
	l->seen_cseq = text_cseq(msg);
	call_note(s, c, core ? "=> pbx" : "=> phone", msg);
	t = server_new(l, msg);
	if (sim_chance(s, 500))
		agent_reply(s, l, t, 100, false);
	leg_todo(s, l, c->plan.early_media ? TODO_EARLY : TODO_RING, c->plan.ring_ms);
	if (c->plan.final)
		leg_todo(s, l, TODO_ANSWER, c->plan.ring_ms + c->plan.answer_ms);
}

static bool invite_is_open(struct leg *l)
{
	for (uint32_t i = 0; i < LEG_CLIENTS; i++)
		if (l->client[i].live && l->client[i].invite && !l->client[i].final)
			return true;
	for (uint32_t i = 0; i < LEG_SERVERS; i++)
		if (l->server[i].live && l->server[i].invite &&
		    (!l->server[i].final || (l->server[i].status < 300 && !l->server[i].acked)))
			return true;
	return false;
}

static void dialog_invite(struct sim *s, struct leg *l, struct slice msg)
{
	bool busy = invite_is_open(l), has_offer = text_body(msg).n != 0;
	struct server *t = server_new(l, msg);
	uint16_t port = sdp_port(msg);

	if (!t)
		return;
	if (busy || l->bye_sent) {
		agent_reply(s, l, t, 491, false);
	} else if (sim_chance(s, 80)) {
		agent_reply(s, l, t, 488, false);
	} else {
		if (port && has_offer)
			l->border_port = port;
		agent_reply(s, l, t, 200, true);
	}
}

static void cancel(struct sim *s, struct leg *l, struct slice msg)
{
	struct slice branch = text_param(text_header(msg, "Via", 0), "branch");
	struct server *invite = find_server(l, branch, SLICE_LIT("INVITE"));
	struct server *t = server_new(l, msg);

	if (!t)
		return;
	agent_reply(s, l, t, invite ? 200 : 481, false);
	if (invite && !invite->final) {
		agent_reply(s, l, invite, 487, false);
		if (!l->up)
			leg_gone(s, l);
	}
}

static void bye(struct sim *s, struct leg *l, struct slice msg)
{
	struct server *t = server_new(l, msg);

	for (uint32_t i = 0; i < LEG_SERVERS; i++)
		if (l->server[i].live && l->server[i].invite && !l->server[i].final)
			agent_reply(s, l, &l->server[i], 487, false);
	if (t)
		agent_reply(s, l, t, 200, false);
	leg_gone(s, l);
}

static void acked(struct sim *s, struct leg *l, struct slice msg)
{
	for (uint32_t i = 0; i < LEG_SERVERS; i++) {
		struct server *t = &l->server[i];

		if (!t->live || !t->invite || !t->final || t->cseq != text_cseq(msg))
			continue;
		t->acked = true;
		t->next = 0;
		if (t->status >= 300)
			continue;
		if (sdp_port(msg))
			l->border_port = sdp_port(msg);
		if (l->call->leg[1] == l || l->up)
			leg_up(s, l);
	}
}

static void in_dialog(struct sim *s, struct leg *l, struct slice msg)
{
	struct slice method = text_method(msg);
	uint32_t cseq = text_cseq(msg);
	struct server *t;

	if (slice_eq(method, SLICE_LIT("CANCEL"))) {
		cancel(s, l, msg);
		return;
	}
	if (slice_eq(method, SLICE_LIT("PRACK")))
		for (uint32_t i = 0; i < LEG_SERVERS; i++)
			if (l->server[i].reliable)
				l->server[i].next = 0;
	if (cseq <= l->seen_cseq || (l->gone && !slice_eq(method, SLICE_LIT("BYE")))) {
		t = server_new(l, msg);
		if (t)
			agent_reply(s, l, t, l->gone ? 481 : 500, false);
		return;
	}
	l->seen_cseq = cseq;
	if (slice_eq(method, SLICE_LIT("INVITE"))) {
		dialog_invite(s, l, msg);
	} else if (slice_eq(method, SLICE_LIT("BYE"))) {
		bye(s, l, msg);
	} else {
		t = server_new(l, msg);
		if (t)
			agent_reply(s, l, t, 200, text_body(msg).n != 0);
	}
}

static void request(struct sim *s, uint16_t realm, struct net_addr at, struct slice msg)
{
	bool core = realm == SIM_CORE;
	struct slice id = text_header(msg, "Call-ID", 0);
	struct slice branch = text_param(text_header(msg, "Via", 0), "branch");
	struct slice tag = text_param(text_header(msg, "To", 0), "tag"), method = text_method(msg);
	struct leg *l = leg_find(s, id, tag, core);
	struct server *t = l ? find_server(l, branch, method) : NULL;

	if (core && slice_eq(method, SLICE_LIT("REGISTER"))) {
		registrar_request(s, at, msg);
		return;
	}
	if (l)
		call_note(s, l->call, core ? "=> pbx" : "=> phone", msg);
	if (l && l->deaf)
		return;
	if (slice_eq(method, SLICE_LIT("ACK"))) {
		if (l)
			acked(s, l, msg);
	} else if (t) {
		if (t->reply.p)
			agent_transmit(s, l, t->reply);
	} else if (l) {
		in_dialog(s, l, msg);
	} else if (tag.n == 0 && slice_eq(method, SLICE_LIT("INVITE"))) {
		incoming_call(s, realm, at, msg);
	} else {
		agent_reply_plain(s, realm, at, msg, 481, "");
	}
}

void agent_receive(struct sim *s, uint16_t realm, struct net_addr at, struct slice msg)
{
	s->tally.sips++;
	if (text_is_request(msg))
		request(s, realm, at, msg);
	else if (realm != SIM_ACCESS || !phone_response(s, at, msg))
		response(s, realm, msg);
}
