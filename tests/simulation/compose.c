#include <stdlib.h>
#include <string.h>

#include "tests/simulation/sim.h"

static const char *own_host(const struct sim *s, const struct leg *l)
{
	return l->core ? "10.0.0.10:5060" : s->phone[l->phone].host;
}

void agent_transmit(struct sim *s, const struct leg *l, struct bytes b)
{
	call_note(s, l->call, l->core ? "pbx =>" : "phone =>", slice_of(b.p, b.n));
	sim_send(s, EVENT_TO_BORDER, l->core ? SIM_CORE : SIM_ACCESS, l->addr, b.p, b.n);
}

void agent_client_done(struct client *c)
{
	c->final = true;
	c->next = 0;
	c->deadline = 0;
}

void agent_sdp(struct leg *l, char *out, uint32_t cap, bool answer)
{
	char host[24];

	if (l->core)
		snprintf(host, sizeof(host), "10.0.1.%u", 1 + l->call->number % 200);
	else
		snprintf(host, sizeof(host), "192.168.%u.%u", l->phone / 200, 10 + l->phone % 200);
	snprintf(out, cap,
		 "v=0\r\no=box%c%07u %u %u IN IP4 %s\r\ns=media-room-%u\r\nc=IN IP4 %s\r\nt=0 0\r\n"
		 "m=audio %u RTP/AVP 8%s 101\r\na=rtpmap:8 PCMA/8000\r\n"
		 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=%s\r\n",
		 l->core ? 'c' : 'p', l->call->number, 70000000 + l->slot, l->sdp_version, host,
		 1000000 + l->slot, host, l->media_port, answer ? "" : " 0",
		 l->hold ? "sendonly" : "sendrecv");
}

static struct client *client_take(struct leg *l)
{
	struct client *best = NULL;

	for (uint32_t i = 0; i < LEG_CLIENTS; i++) {
		struct client *c = &l->client[i];

		if (!c->live)
			return c;
		/* An INVITE's is kept longest: its ACK may have to be repeated. */
		if (c->final && (!best || (best->invite && !c->invite) ||
				 (best->invite == c->invite && c->cseq < best->cseq)))
			best = c;
	}
	if (best) {
		bytes_free(&best->request);
		bytes_free(&best->ack);
	}
	return best;
}

static void client_start(struct sim *s, struct leg *l, struct client *c, const char *text)
{
	c->request = bytes_copy(text, (uint32_t)strlen(text));
	c->interval = T1;
	c->next = s->now + T1;
	c->deadline = s->now + TRANSACTION;
	agent_transmit(s, l, c->request);
	leg_wake(s, l, c->next);
	leg_wake(s, l, c->deadline);
}

static void request_text(struct sim *s, struct leg *l, const char *method, const char *branch,
			 uint32_t cseq, const char *headers, const char *body, char *out)
{
	bool invite = strcmp(method, "INVITE") == 0 || strcmp(method, "UPDATE") == 0;

	snprintf(out, MESSAGE_MAX,
		 "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=%s\r\nMax-Forwards: 70\r\n"
		 "From: <%s>;tag=%s\r\nTo: <%s>%s%s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n"
		 "%s%s%s%s%s%sContent-Length: %zu\r\n\r\n%s",
		 method, l->target, own_host(s, l), branch, l->luri, l->ltag, l->ruri,
		 l->rtag[0] ? ";tag=" : "", l->rtag, l->call_id, cseq, method,
		 invite ? "Contact: <sip:ua@" : "", invite ? own_host(s, l) : "",
		 invite ? ">\r\n" : "", headers,
		 l->core ? "User-Agent: pbx-software-9.1\r\n" : "User-Agent: phone-firmware-2\r\n",
		 body[0] ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

struct client *agent_request(struct sim *s, struct leg *l, const char *method, const char *headers,
			     const char *body)
{
	struct client *c = client_take(l);
	char text[MESSAGE_MAX];

	if (!c)
		return NULL;
	memset(c, 0, sizeof(*c));
	c->live = true;
	c->invite = strcmp(method, "INVITE") == 0;
	snprintf(c->method, sizeof(c->method), "%s", method);
	snprintf(c->branch, sizeof(c->branch), "z9hG4bK%c%016llx", l->core ? 'c' : 'p',
		 (unsigned long long)sim_random(s));
	c->cseq = ++l->cseq;
	request_text(s, l, method, c->branch, c->cseq, headers, body, text);
	client_start(s, l, c, text);
	return c;
}

/* CANCEL and the ACK of a refusal repeat the INVITE's branch, To and CSeq (9.1, 17.1.1.3). */
static void same_branch(struct client *c, const char *method, struct slice to, char *out)
{
	struct slice m = slice_of(c->request.p, c->request.n);
	struct slice via = text_header(m, "Via", 0), from = text_header(m, "From", 0);
	struct slice id = text_header(m, "Call-ID", 0), uri = text_request_uri(m);

	if (!to.n)
		to = text_header(m, "To", 0);
	snprintf(out, MESSAGE_MAX,
		 "%s %.*s SIP/2.0\r\nVia: %.*s\r\nMax-Forwards: 70\r\nFrom: %.*s\r\nTo: %.*s\r\n"
		 "Call-ID: %.*s\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
		 method, (int)uri.n, uri.p, (int)via.n, via.p, (int)from.n, from.p, (int)to.n, to.p,
		 (int)id.n, id.p, c->cseq, method);
}

void agent_cancel(struct sim *s, struct leg *l, struct client *c)
{
	struct client *k;
	char text[MESSAGE_MAX];

	if (c->final || c->cancelled)
		return;
	c->cancel_wanted = true;
	if (!c->provisional)
		return;
	k = client_take(l);
	if (!k)
		return;
	c->cancelled = true;
	s->tally.cancelled++;
	memset(k, 0, sizeof(*k));
	k->live = true;
	snprintf(k->method, sizeof(k->method), "CANCEL");
	memcpy(k->branch, c->branch, sizeof(k->branch));
	k->cseq = c->cseq;
	same_branch(c, "CANCEL", SLICE_NONE, text);
	client_start(s, l, k, text);
	c->deadline = s->now + TRANSACTION;
	leg_wake(s, l, c->deadline);
}

/* Composes the ACK once and repeats it for every further copy of the answer. */
void agent_ack(struct sim *s, struct leg *l, struct client *c, struct slice response)
{
	char text[MESSAGE_MAX], sdp[1024] = "", branch[48];

	if (!c->ack.p && text_status(response) >= 300) {
		same_branch(c, "ACK", text_header(response, "To", 0), text);
		c->ack = bytes_copy(text, (uint32_t)strlen(text));
	} else if (!c->ack.p) {
		if (text_body(slice_of(c->request.p, c->request.n)).n == 0 && text_body(response).n)
			agent_sdp(l, sdp, sizeof(sdp), true);
		snprintf(branch, sizeof(branch), "z9hG4bKack%016llx",
			 (unsigned long long)sim_random(s));
		request_text(s, l, "ACK", branch, c->cseq, "", sdp, text);
		c->ack = bytes_copy(text, (uint32_t)strlen(text));
	}
	agent_transmit(s, l, c->ack);
}

static uint32_t put_copied(char *out, uint32_t n, struct slice m, const char *name, const char *tag)
{
	for (uint32_t i = 0; i < text_count(m, name); i++) {
		struct slice v = text_header(m, name, i);

		n += (uint32_t)snprintf(out + n, MESSAGE_MAX - n, "%s: %.*s", name, (int)v.n, v.p);
		if (tag && text_param(v, "tag").n == 0)
			n += (uint32_t)snprintf(out + n, MESSAGE_MAX - n, ";tag=%s", tag);
		n += (uint32_t)snprintf(out + n, MESSAGE_MAX - n, "\r\n");
	}
	return n;
}

static uint32_t reply_head(char *out, struct slice request, uint16_t status, const char *tag)
{
	uint32_t n = (uint32_t)snprintf(out, MESSAGE_MAX, "SIP/2.0 %u Whatever\r\n", status);

	n = put_copied(out, n, request, "Via", NULL);
	n = put_copied(out, n, request, "From", NULL);
	n = put_copied(out, n, request, "To", tag);
	n = put_copied(out, n, request, "Call-ID", NULL);
	return put_copied(out, n, request, "CSeq", NULL);
}

static void reply_arm(struct sim *s, struct leg *l, struct server *t)
{
	t->interval = T1;
	t->next = s->now + T1;
	t->deadline = s->now + TRANSACTION;
	leg_wake(s, l, t->next);
}

void agent_reply(struct sim *s, struct leg *l, struct server *t, uint16_t status, bool sdp)
{
	struct slice request = slice_of(t->request.p, t->request.n);
	char text[MESSAGE_MAX], body[1024] = "", extra[128] = "";
	uint32_t n = reply_head(text, request, status, status == 100 ? NULL : l->ltag);
	bool reliable =
		t->invite && status > 100 && status < 200 && l->call->plan.reliable &&
		text_find(text_header(request, "Supported", 0), SLICE_LIT("100rel"), false) >= 0;

	if (sdp)
		agent_sdp(l, body, sizeof(body), text_body(request).n != 0);
	if (reliable)
		snprintf(extra, sizeof(extra), "Require: 100rel\r\nRSeq: %u\r\n", 100 + status);
	if (status >= 300 && status < 400)
		snprintf(extra, sizeof(extra), "Contact: <sip:other@10.9.9.9>\r\n");
	else if (t->invite || sdp)
		n += (uint32_t)snprintf(text + n, MESSAGE_MAX - n, "Contact: <sip:ua@%s>\r\n",
					own_host(s, l));
	n += (uint32_t)snprintf(text + n, MESSAGE_MAX - n, "%s%sContent-Length: %zu\r\n\r\n%s",
				extra, sdp ? "Content-Type: application/sdp\r\n" : "", strlen(body),
				body);
	bytes_free(&t->reply);
	t->reply = bytes_copy(text, n);
	t->status = status;
	t->final = status >= 200;
	t->reliable = reliable;
	t->next = 0;
	agent_transmit(s, l, t->reply);
	if ((t->invite && t->final) || reliable)
		reply_arm(s, l, t);
}

/* Outside any dialog, without a memory. */
void agent_reply_plain(struct sim *s, uint16_t realm, struct net_addr from, struct slice request,
		       uint16_t status, const char *headers)
{
	char text[MESSAGE_MAX];
	uint32_t n = reply_head(text, request, status, "statelessly");

	n += (uint32_t)snprintf(text + n, MESSAGE_MAX - n, "%sContent-Length: 0\r\n\r\n", headers);
	sim_send(s, EVENT_TO_BORDER, realm, from, text, n);
}
