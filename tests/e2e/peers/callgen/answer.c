/* Requests of the border's: answered, and 2xx to INVITE repeated until the ACK (RFC 3261 13.3.1.4). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/peers/callgen/callgen.h"

static int compose(int leg, char *text, size_t size, const struct message *m, int status,
		   const char *reason, bool with_sdp)
{
	const struct leg *l = &calls.leg[leg];
	char sdp[400], ip[INET_ADDRSTRLEN];
	int sdp_len = with_sdp ? leg_sdp(leg, sdp, sizeof(sdp)) : 0;
	int n = snprintf(text, size, "SIP/2.0 %d %s\r\n", status, reason);

	sdp[sdp_len] = '\0';
	inet_ntop(AF_INET, &program.ip[l->side], ip, sizeof(ip));
	for (int i = 0; i < m->vias; i++)
		n += snprintf(text + n, size - (size_t)n, "Via: %.*s\r\n", m->via[i].len,
			      m->via[i].at);
	n += snprintf(text + n, size - (size_t)n,
		      "From: %.*s\r\nTo: %.*s%s%s\r\nCall-ID: %.*s\r\nCSeq: %u %.*s\r\n"
		      "Contact: <sip:cg%d@%s:5060>\r\n%sContent-Length: %d\r\n\r\n%s",
		      m->from.len, m->from.at, m->to.len, m->to.at,
		      m->to_tag.len ? "" : ";tag=", m->to_tag.len ? "" : l->tag, m->call_id.len,
		      m->call_id.at, m->cseq, m->method.len, m->method.at, l->call, ip,
		      sdp_len ? "Content-Type: application/sdp\r\n" : "", sdp_len, sdp);
	return n;
}

static void keep(char **text, int *len, const char *bytes, int n)
{
	free(*text);
	*text = malloc((size_t)n);
	if (!*text)
		exit(1);
	memcpy(*text, bytes, (size_t)n);
	*len = n;
}

static void answer_kept(int leg, const struct message *m, int status, const char *reason,
			bool with_sdp)
{
	struct server *s = &calls.leg[leg].server;
	char text[4096];
	int n = compose(leg, text, sizeof(text), m, status, reason, with_sdp);

	keep(&s->text, &s->len, text, n);
	s->final = status >= 200;
	s->began = now_ms();
	s->interval = T1_MS;
	timer_set(leg, TIMER_SERVER, s->final ? s->began + s->interval : NEVER);
	sip_send(calls.leg[leg].side, s->text, s->len, &s->from);
}

static void take_media(int leg, const struct message *m)
{
	const struct leg *l = &calls.leg[leg];

	if (m->has_media && calls.call[l->call].stream >= 0)
		stream_towards(calls.call[l->call].stream, l->side, &m->media);
}

static void remember(int leg, const struct message *m, const struct sockaddr_in *from)
{
	struct server *s = &calls.leg[leg].server;

	s->cseq = m->cseq;
	s->from = *from;
	s->final = false;
	keep(&s->request, &s->request_len, m->all.at, m->all.len);
}

void answer_invite_new(const struct message *m, const struct sockaddr_in *from)
{
	char user[64];
	int call = -1;

	str_copy(user, sizeof(user), m->uri);
	if (sscanf(user, "sip:call%d@", &call) != 1 || call < 0 || call >= calls.count) {
		calls.strays++;
		return;
	}
	int leg = leg_new(call, CALLEE, m->call_id);
	struct leg *l = &calls.leg[leg];
	l->border = *from;
	l->dialog = true;
	str_copy(l->remote_tag, sizeof(l->remote_tag), m->from_tag);
	str_copy(l->target, sizeof(l->target), m->contact);
	str_copy(l->local, sizeof(l->local), m->to);
	str_copy(l->remote, sizeof(l->remote), m->from);
	char *tag = strstr(l->remote, ";tag=");
	if (tag)
		*tag = '\0';
	take_media(leg, m);
	remember(leg, m, from);
	answer_kept(leg, m, 180, "Ringing", false);
	if (calls.call[call].class != EARLY)
		answer_kept(leg, m, 200, "OK", true);
}

void answer_ringing(int leg)
{
	struct server *s = &calls.leg[leg].server;
	struct message m;

	if (s->request && !s->final && message_read(&m, s->request, s->request_len))
		answer_kept(leg, &m, 200, "OK", true);
}

/* The far end hangs up. Whoever never said so has lost the call. */
static void told_bye(int leg)
{
	struct leg *l = &calls.leg[leg];
	struct call *c = &calls.call[l->call];
	int far = c->leg[!l->side];

	if (c->leg[l->side] != leg || l->got_bye)
		return;
	l->got_bye = true;
	if (far < 0 || !calls.leg[far].sent_bye) {
		c->stranger_bye = true;
		if (c->state == UP)
			call_lose(c);
	} else if (c->bye_answered) {
		c->state = ENDED;
	}
}

static void told_cancel(int leg, const struct message *m, const struct sockaddr_in *from)
{
	struct server *s = &calls.leg[leg].server;
	struct message invite;
	char text[4096];

	sip_send(calls.leg[leg].side, text, compose(leg, text, sizeof(text), m, 200, "OK", false),
		 from);
	calls.leg[leg].got_cancel = true;
	if (s->request && !s->final && message_read(&invite, s->request, s->request_len))
		answer_kept(leg, &invite, 487, "Request Terminated", false);
}

static void told_invite(int leg, const struct message *m, const struct sockaddr_in *from)
{
	struct leg *l = &calls.leg[leg];

	if (l->server.text && l->server.cseq == m->cseq) {
		sip_send(l->side, l->server.text, l->server.len, from); /* it comes again */
		return;
	}
	if (m->contact.len > 0)
		str_copy(l->target, sizeof(l->target), m->contact);
	take_media(leg, m);
	remember(leg, m, from);
	l->sdp_version++;
	answer_kept(leg, m, 200, "OK", true);
}

void answer_request(int leg, const struct message *m, const struct sockaddr_in *from)
{
	struct leg *l = &calls.leg[leg];
	char text[4096];

	if (str_is(m->method, "ACK")) {
		if (m->cseq == l->server.cseq)
			timer_set(leg, TIMER_SERVER, NEVER);
	} else if (str_is(m->method, "INVITE")) {
		told_invite(leg, m, from);
	} else if (str_is(m->method, "CANCEL")) {
		told_cancel(leg, m, from);
	} else if (l->last && l->last_cseq == m->cseq) {
		sip_send(l->side, l->last, l->last_len, from);
	} else {
		int n = compose(leg, text, sizeof(text), m, 200, "OK", m->has_media);
		if (m->has_media)
			take_media(leg, m);
		keep(&l->last, &l->last_len, text, n);
		l->last_cseq = m->cseq;
		sip_send(l->side, text, n, from);
		if (str_is(m->method, "BYE"))
			told_bye(leg);
	}
}

void answer_tick(int leg, uint64_t now)
{
	struct leg *l = &calls.leg[leg];
	struct server *s = &l->server;
	bool replaced = calls.call[l->call].leg[l->side] != leg;

	if (!s->final || replaced || now - s->began >= 64 * T1_MS) {
		timer_set(leg, TIMER_SERVER, NEVER);
		return;
	}
	s->interval = s->interval * 2 > T2_MS ? T2_MS : s->interval * 2;
	timer_set(leg, TIMER_SERVER, now + s->interval);
	calls.answers_repeated++;
	sip_send(l->side, s->text, s->len, &s->from);
}
