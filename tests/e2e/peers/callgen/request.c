/* Requests of ours: composed, repeated, answered, or given up (RFC 3261 17.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/peers/callgen/callgen.h"

static const char *const method_of[KINDS] = {"INVITE", "INVITE", "UPDATE", "BYE", "CANCEL"};

static struct tally *tally_of(const struct leg *l, enum kind kind)
{
	return &calls.tally[calls.call[l->call].class][kind];
}

static const char *ip_of(enum side side)
{
	static char text[SIDES][INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &program.ip[side], text[side], sizeof(text[side]));
}

int leg_sdp(int leg, char *text, size_t size)
{
	const struct leg *l = &calls.leg[leg];
	const char *ip = ip_of(l->side);

	return snprintf(text, size,
			"v=0\r\no=- %d %u IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
			"m=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n",
			l->call + 1, l->sdp_version, ip, ip,
			stream_port(calls.call[l->call].stream));
}

/* ACK and CANCEL have the CSeq, and those of an INVITE without 2xx its branch as well. */
static int compose(int leg, char *text, size_t size, const char *method, const char *branch,
		   uint32_t cseq, bool with_sdp)
{
	const struct leg *l = &calls.leg[leg];
	const char *ip = ip_of(l->side);
	char sdp[400];
	int n = with_sdp ? leg_sdp(leg, sdp, sizeof(sdp)) : 0;

	sdp[n] = '\0';
	return snprintf(
		text, size,
		"%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;rport;branch=%s\r\n"
		"Max-Forwards: 70\r\nFrom: %s;tag=%s\r\nTo: %s%s%s\r\nCall-ID: %s\r\n"
		"CSeq: %u %s\r\nContact: <sip:cg%d@%s:5060>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, l->target, ip, branch, l->local, l->tag, l->remote,
		l->remote_tag[0] ? ";tag=" : "", l->remote_tag, l->call_id, cseq, method, l->call,
		ip, n ? "Content-Type: application/sdp\r\n" : "", n, sdp);
}

/* Where a request goes: with `misdirect`, to an address whose node has other calls. */
static const struct sockaddr_in *towards(const struct leg *l)
{
	if (!calls.misdirect || l->side != CALLER || program.borders < 2)
		return &l->border;
	return &program.border[(calls.call[l->call].border + 1) % program.borders];
}

static void keep(char **text, int *len, const char *bytes, int n)
{
	free(*text);
	*text = malloc((size_t)n + 1);
	if (!*text)
		exit(1);
	memcpy(*text, bytes, (size_t)n);
	(*text)[n] = '\0';
	*len = n;
}

void request_send(int leg, enum kind kind)
{
	struct leg *l = &calls.leg[leg];
	struct client *c = kind == CANCEL ? &l->cancel : &l->client;
	char text[2048];

	c->kind = kind;
	if (kind == CANCEL) {
		/* as if no answer had come yet: without the far end's tag (RFC 3261 9.1) */
		char tag[sizeof(l->remote_tag)];
		memcpy(tag, l->remote_tag, sizeof(tag));
		l->remote_tag[0] = '\0';
		memcpy(c->branch, l->client.branch, sizeof(c->branch));
		c->cseq = l->client.cseq;
		int n = compose(leg, text, sizeof(text), "CANCEL", c->branch, c->cseq, false);
		memcpy(l->remote_tag, tag, sizeof(tag));
		keep(&c->text, &c->len, text, n);
	} else {
		snprintf(c->branch, sizeof(c->branch), "z9hG4bKcg%08x%08x", random32(), random32());
		c->cseq = ++l->cseq;
		l->sdp_version += kind == REINVITE;
		int n = compose(leg, text, sizeof(text), method_of[kind], c->branch, c->cseq,
				kind == INVITE || kind == REINVITE);
		keep(&c->text, &c->len, text, n);
	}
	c->began = now_ms();
	c->interval = T1_MS;
	c->proceeding = false;
	tally_of(l, kind)->sent++;
	timer_set(leg, kind == CANCEL ? TIMER_CANCEL : TIMER_CLIENT, c->began + c->interval);
	sip_send(l->side, c->text, c->len,
		 kind == INVITE || kind == CANCEL ? &l->border : towards(l));
}

static void finish(int leg, struct client *c)
{
	timer_set(leg, c == &calls.leg[leg].cancel ? TIMER_CANCEL : TIMER_CLIENT, NEVER);
	free(c->text);
	c->text = NULL;
}

static void over(int leg, enum kind kind)
{
	struct call *c = &calls.call[calls.leg[leg].call];

	if (kind == INVITE) {
		c->state = FAILED;
		if (c->stream >= 0)
			stream_end(c->stream);
	} else if (kind != CANCEL) {
		call_lose(c);
	}
}

/* How long it may take: 64*T1 without an answer; one that rings, as long as its caller waits. */
static uint64_t patience(const struct leg *l, const struct client *c)
{
	if (!c->proceeding || (c->kind != INVITE && c->kind != REINVITE))
		return 64 * T1_MS;
	return calls.call[l->call].class == EARLY ? NEVER : PATIENCE_MS;
}

void request_tick(int leg, enum timer t, uint64_t now)
{
	struct leg *l = &calls.leg[leg];
	struct client *c = t == TIMER_CANCEL ? &l->cancel : &l->client;
	bool invite = c->kind == INVITE || c->kind == REINVITE;

	if (!c->text) {
		timer_set(leg, t, NEVER);
	} else if (now - c->began >= patience(l, c)) {
		enum kind kind = c->kind;
		tally_of(l, kind)->unanswered++;
		finish(leg, c);
		over(leg, kind);
	} else if (invite && c->proceeding) {
		timer_set(leg, t, now + T1_MS);
	} else {
		c->interval = c->interval * 2 > T2_MS && !invite ? T2_MS : c->interval * 2;
		timer_set(leg, t, now + c->interval);
		tally_of(l, c->kind)->retransmitted++;
		sip_send(l->side, c->text, c->len, c->kind == INVITE ? &l->border : towards(l));
	}
}

static void acknowledge(int leg, const struct message *m)
{
	struct leg *l = &calls.leg[leg];
	char text[2048], branch[40];

	snprintf(branch, sizeof(branch), "z9hG4bKca%08x%08x", random32(), random32());
	int n = compose(leg, text, sizeof(text), "ACK", branch, m->cseq, false);
	keep(&l->ack, &l->ack_len, text, n);
	l->ack_cseq = m->cseq;
	sip_send(l->side, l->ack, l->ack_len, towards(l));
}

static void refused(int leg, const struct message *m)
{
	struct leg *l = &calls.leg[leg];
	struct client *c = &l->client;
	char text[2048], tag[sizeof(l->remote_tag)];
	bool invite = c->kind == INVITE || c->kind == REINVITE;
	enum kind kind = c->kind;
	struct tally *t = tally_of(l, kind);

	if (invite) {
		memcpy(tag, l->remote_tag, sizeof(tag));
		str_copy(l->remote_tag, sizeof(l->remote_tag), m->to_tag);
		int n = compose(leg, text, sizeof(text), "ACK", c->branch, c->cseq, false);
		memcpy(l->remote_tag, tag, sizeof(tag));
		sip_send(l->side, text, n, kind == INVITE ? &l->border : towards(l));
	}
	if (kind == INVITE && m->status == 487 && tally_of(l, CANCEL)->sent > 0) {
		t->sent--; /* as it was meant: neither answered nor refused */
		calls.call[l->call].state = ENDED;
		finish(leg, c);
		return;
	}
	t->refused++;
	t->status[m->status / 100][m->status % 100]++;
	finish(leg, c);
	over(leg, kind);
}

static void accepted(int leg, const struct message *m)
{
	struct leg *l = &calls.leg[leg];
	struct call *call = &calls.call[l->call];
	enum kind kind = l->client.kind;

	if (kind == INVITE || kind == REINVITE) {
		if (m->contact.len > 0)
			str_copy(l->target, sizeof(l->target), m->contact);
		if (kind == INVITE) {
			str_copy(l->remote_tag, sizeof(l->remote_tag), m->to_tag);
			l->dialog = true;
		}
		if (m->has_media && call->stream >= 0)
			stream_towards(call->stream, l->side, &m->media);
		acknowledge(leg, m);
	}
	finish(leg, &l->client);
	if (kind == INVITE) {
		call->state = UP;
		if (call->stream >= 0)
			stream_start(call->stream);
	} else if (kind == BYE) {
		call->bye_answered = true;
		int far = call->leg[!l->side];
		if (far >= 0 && calls.leg[far].got_bye)
			call->state = ENDED;
	}
}

void request_answered(int leg, const struct message *m)
{
	struct leg *l = &calls.leg[leg];
	struct client *c = str_is(m->method, "CANCEL") ? &l->cancel : &l->client;

	if (m->status >= 200 && m->status < 300 && str_is(m->method, "INVITE") && l->ack &&
	    m->cseq == l->ack_cseq) {
		sip_send(l->side, l->ack, l->ack_len, towards(l)); /* our ACK was lost */
		return;
	}
	if (!c->text || c->cseq != m->cseq || !str_is(m->method, method_of[c->kind]))
		return;
	if (m->status < 200) {
		c->proceeding = true;
		if (c->kind == INVITE && m->status > 100 && calls.call[l->call].state == TRYING) {
			calls.call[l->call].state = RINGING;
			str_copy(l->remote_tag, sizeof(l->remote_tag), m->to_tag);
		}
		return;
	}
	struct tally *t = tally_of(l, c->kind);
	uint32_t ms = (uint32_t)(now_ms() - c->began);
	if (ms > t->worst_ms && !(c->kind == INVITE && calls.call[l->call].class == EARLY))
		t->worst_ms = ms;
	if (c == &l->cancel) {
		t->ok += m->status < 300;
		t->refused += m->status >= 300;
		finish(leg, c);
	} else if (m->status < 300) {
		t->ok++;
		accepted(leg, m);
	} else {
		refused(leg, m);
	}
}
