#include "talk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/sip/addr.h"

static const char invite_form[] = "INVITE sip:bob@203.0.113.1 SIP/2.0\r\n"
				  "Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bKi%08x\r\n"
				  "Max-Forwards: 70\r\n"
				  "From: \"Alice\" <sip:alice@203.0.113.1>;tag=a%08x\r\n"
				  "To: <sip:bob@203.0.113.1>\r\n"
				  "Call-ID: %08x@192.168.1.20\r\n"
				  "CSeq: 1 INVITE\r\n"
				  "Contact: <sip:alice@192.168.1.20:5062>\r\n"
				  "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n"
				  "Supported: timer, 100rel\r\n"
				  "User-Agent: bench\r\n"
				  "Content-Type: application/sdp\r\n"
				  "Content-Length: %zu\r\n\r\n%s";

static const char offer_sdp[] =
	"v=0\r\no=alice 2890844526 2890844527 IN IP4 192.168.1.20\r\ns=-\r\n"
	"c=IN IP4 192.168.1.20\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n"
	"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
	"a=rtpmap:101 telephone-event/8000\r\n";

static const char dialog_form[] =
	"%s %s SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 192.168.1.20:5062;rport;branch=z9hG4bK%c%08x\r\n"
	"Max-Forwards: 70\r\n"
	"From: \"Alice\" <sip:alice@203.0.113.1>;tag=a%08x\r\n"
	"To: %s\r\n"
	"Call-ID: %08x@192.168.1.20\r\n"
	"CSeq: %u %s\r\n"
	"Content-Length: 0\r\n\r\n";

static const char answer_sdp[] = "v=0\r\no=bob 7290844001 7290844001 IN IP4 10.0.0.20\r\ns=-\r\n"
				 "c=IN IP4 10.0.0.20\r\nt=0 0\r\nm=audio 17000 RTP/AVP 8 101\r\n"
				 "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n";

static uint32_t ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	uint8_t bytes[4] = {a, b, c, d};
	uint32_t ip;

	memcpy(&ip, bytes, 4);
	return ip;
}

void talk_snapshot(struct snapshot *s)
{
	snapshot_defaults(s);
	s->realms = 2;
	s->listeners = 2;
	s->peers = 1;
	s->routes = 1;
	snapshot_realm_defaults(&s->realm[0], SNAPSHOT_UNTRUSTED, true);
	strcpy(s->realm[0].name, "access");
	s->realm[0].media_ip = ip4(203, 0, 113, 1);
	snapshot_realm_defaults(&s->realm[1], SNAPSHOT_TRUSTED, false);
	strcpy(s->realm[1].name, "core");
	s->realm[1].media_ip = ip4(10, 0, 0, 1);
	for (uint16_t i = 0; i < 2; i++) {
		s->realm[i].media_lo = 10000;
		s->realm[i].media_hi = 59999;
		s->listener[i].realm = i;
		s->listener[i].addr = (struct net_addr){s->realm[i].media_ip, 5060};
	}
	strcpy(s->peer[0].name, "pbx");
	s->peer[0].realm = 1;
	s->peer[0].addr = (struct net_addr){ip4(10, 0, 0, 10), 5060};
	s->route[0] = (struct snapshot_route){.from = 0, .target = SNAPSHOT_TO_PEER, .peer = 0};
}

struct net_addr talk_source(const struct snapshot *s, uint16_t listener)
{
	return listener ? s->peer[0].addr : (struct net_addr){ip4(198, 51, 100, 7), 41000};
}

uint32_t talk_invite(char *out, unsigned id)
{
	return (uint32_t)snprintf(out, TALK_MESSAGE, invite_form, id, id, id, strlen(offer_sdp),
				  offer_sdp);
}

uint32_t talk_in_dialog(char *out, const char *method, unsigned cseq, unsigned id,
			const char *target, const char *to)
{
	return (uint32_t)snprintf(out, TALK_MESSAGE, dialog_form, method, target, method[0], id, id,
				  to, id, cseq, method);
}

uint32_t talk_answer(char *out, struct slice request, const char *status, const char *to_tag,
		     bool sdp)
{
	const char *body = sdp ? answer_sdp : "";
	struct sip_fault fault;
	struct sip_msg m;

	if (sip_msg_parse(&m, request.p, request.n, &fault) != SBC_OK || !m.is_request)
		return 0;
	struct slice via = sip_msg_value(&m, SIP_HDR_VIA);
	struct slice from = sip_msg_value(&m, SIP_HDR_FROM);
	struct slice to = sip_msg_value(&m, SIP_HDR_TO);
	struct slice call_id = sip_msg_value(&m, SIP_HDR_CALL_ID);
	struct slice cseq = sip_msg_value(&m, SIP_HDR_CSEQ);
	return (uint32_t)snprintf(
		out, TALK_MESSAGE,
		"SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: %.*s\r\n"
		"CSeq: %.*s\r\nContact: <sip:bob@10.0.0.10:5060>\r\n%s"
		"Content-Length: %zu\r\n\r\n%s",
		status, (int)via.n, via.p, (int)from.n, from.p, (int)to.n, to.p, to_tag,
		(int)call_id.n, call_id.p, (int)cseq.n, cseq.p,
		sdp ? "Content-Type: application/sdp\r\n" : "", strlen(body), body);
}

bool talk_call_of(const struct sip_msg *m, unsigned *id)
{
	struct slice call_id = sip_msg_value(m, SIP_HDR_CALL_ID);
	char text[9] = "";

	if (call_id.n < 8)
		return false;
	memcpy(text, call_id.p, 8);
	*id = (unsigned)strtoul(text, NULL, 16);
	return true;
}

bool talk_dialog(const struct sip_msg *m, char *target, size_t target_cap, char *to, size_t to_cap)
{
	struct sip_addr contact;

	if (m->is_request || m->status < 200 || m->status > 299 ||
	    sip_addr_of(m, SIP_HDR_CONTACT, &contact) != SBC_OK)
		return false;
	struct slice value = sip_msg_value(m, SIP_HDR_TO);
	snprintf(to, to_cap, "%.*s", (int)value.n, value.p);
	snprintf(target, target_cap, "%.*s", (int)contact.uri.n, contact.uri.p);
	return true;
}
