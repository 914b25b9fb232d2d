#include "tests/dataplane/talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char phone_sdp[] = "v=0\r\no=a 1 1 IN IP4 203.0.113.50\r\ns=-\r\n"
				"c=IN IP4 203.0.113.50\r\nt=0 0\r\n"
				"m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";
static const char pbx_sdp[] = "v=0\r\no=b 1 1 IN IP4 10.0.0.10\r\ns=-\r\nc=IN IP4 10.0.0.10\r\n"
			      "t=0 0\r\nm=audio 17000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n";

void talk_init(struct talk *t, uint32_t number)
{
	memset(t, 0, sizeof(*t));
	snprintf(t->call_id, sizeof(t->call_id), "call%u@phone", number);
	snprintf(t->branch, sizeof(t->branch), "z9hG4bKphone%u", number);
}

void talk_send(struct bed *b, uint32_t port, const char *text)
{
	struct frame_spec s = port == OUTSIDE ? bed_spec(OUTSIDE, PHONE, PHONE_MAC)
					      : bed_spec(INSIDE, PBX, PBX_MAC);
	static struct frame f;

	frame_udp(&f, &s, text, (uint32_t)strlen(text));
	bed_put(b, port, &f);
	bed_turn(b);
}

void talk_expect(struct bed *b, uint32_t port, const char *begin, char *text, uint32_t room)
{
	static struct frame f;
	struct frame_view v = bed_expect(b, port, &f);

	assert_int_equal(v.sport, SIP);
	assert_int_equal(v.dport, SIP);
	assert_int_equal(v.dst, port == OUTSIDE ? PHONE : PBX);
	assert_true(v.n < room);
	memcpy(text, v.payload, v.n);
	text[v.n] = '\0';
	if (strncmp(text, begin, strlen(begin)) != 0)
		bed_fail("expected %s, got %.60s", begin, text);
}

bool talk_header(const char *text, const char *name, char *value, uint32_t room)
{
	char mark[64];
	const char *at;
	size_t n;

	snprintf(mark, sizeof(mark), "\r\n%s: ", name);
	at = strstr(text, mark);
	if (at == NULL)
		return false;
	at += strlen(mark);
	n = strcspn(at, "\r");
	assert_true(n < room);
	memcpy(value, at, n);
	value[n] = '\0';
	return true;
}

uint16_t talk_media_port(const char *text)
{
	const char *m = strstr(text, "m=audio ");

	assert_non_null(m);
	return (uint16_t)atoi(m + 8);
}

static void invite(struct bed *b, const struct talk *t)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "INVITE sip:bob@203.0.113.1 SIP/2.0\r\n"
		 "Via: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=%s\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\n"
		 "To: <sip:bob@203.0.113.1>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n"
		 "Contact: <sip:alice@203.0.113.50:5060>\r\nContent-Type: application/sdp\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 t->branch, t->call_id, strlen(phone_sdp), phone_sdp);
	talk_send(b, OUTSIDE, text);
}

/* What a response repeats of its request (RFC 3261 8.2.6.2), and a To tag. */
static void respond(struct bed *b, uint32_t port, const char *request, const char *status,
		    const char *rest)
{
	char via[512], from[512], to[512], id[256], cseq[128], text[4096];

	assert_true(talk_header(request, "Via", via, sizeof(via)));
	assert_true(talk_header(request, "From", from, sizeof(from)));
	assert_true(talk_header(request, "To", to, sizeof(to)));
	assert_true(talk_header(request, "Call-ID", id, sizeof(id)));
	assert_true(talk_header(request, "CSeq", cseq, sizeof(cseq)));
	snprintf(text, sizeof(text),
		 "SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\n%s",
		 status, via, from, to, strstr(to, "tag=") ? "" : ";tag=b1", id, cseq, rest);
	talk_send(b, port, text);
}

static void in_dialog(struct bed *b, const struct talk *t, const char *method, uint32_t cseq)
{
	char contact[512], to[512], text[4096], *uri;

	assert_true(talk_header(t->ok, "Contact", contact, sizeof(contact)));
	assert_true(talk_header(t->ok, "To", to, sizeof(to)));
	uri = strchr(contact, '<');
	assert_non_null(uri);
	uri[strcspn(uri, ">")] = '\0';
	snprintf(text, sizeof(text),
		 "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.50:5060;rport;branch=%s%s%u\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:alice@203.0.113.1>;tag=a1\r\nTo: %s\r\n"
		 "Call-ID: %s\r\nCSeq: %u %s\r\nContent-Length: 0\r\n\r\n",
		 method, uri + 1, t->branch, method, cseq, to, t->call_id, cseq, method);
	talk_send(b, OUTSIDE, text);
}

void talk_invite(struct bed *b, struct talk *t)
{
	char text[4096];

	invite(b, t);
	talk_expect(b, OUTSIDE, "SIP/2.0 100", text, sizeof(text));
	talk_expect(b, INSIDE, "INVITE ", t->invite, sizeof(t->invite));
	t->in_rtp = talk_media_port(t->invite);
}

void talk_answer(struct bed *b, struct talk *t)
{
	char rest[1024];

	snprintf(rest, sizeof(rest),
		 "Contact: <sip:bob@10.0.0.10:5060>\r\nContent-Type: application/sdp\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 strlen(pbx_sdp), pbx_sdp);
	respond(b, INSIDE, t->invite, "200 OK", rest);
}

void talk_answered(struct bed *b, struct talk *t)
{
	char text[4096];

	talk_expect(b, OUTSIDE, "SIP/2.0 200", t->ok, sizeof(t->ok));
	t->out_rtp = talk_media_port(t->ok);
	in_dialog(b, t, "ACK", 1);
	talk_expect(b, INSIDE, "ACK ", text, sizeof(text));
}

void talk_call(struct bed *b, struct talk *t)
{
	talk_invite(b, t);
	talk_answer(b, t);
	talk_answered(b, t);
}

void talk_bye(struct bed *b, struct talk *t)
{
	char text[4096], bye[4096];

	in_dialog(b, t, "BYE", 2);
	/* Answered by the border itself, or when the PBX has answered: either order. */
	talk_expect(b, INSIDE, "BYE ", bye, sizeof(bye));
	respond(b, INSIDE, bye, "200 OK", "Content-Length: 0\r\n\r\n");
	talk_expect(b, OUTSIDE, "SIP/2.0 200", text, sizeof(text));
}
