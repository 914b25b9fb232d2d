#include <string.h>

#include "tests/simulation/sim.h"

#define GRANTED_S 300u

static void wake(struct sim *s, uint32_t i, uint64_t at)
{
	struct event ev = {.kind = EVENT_PHONE, .at = at, .slot = i};

	sim_push(s, &ev);
}

static void transmit(struct sim *s, uint32_t i)
{
	struct phone *p = &s->phone[i];

	sim_send(s, EVENT_TO_BORDER, SIM_ACCESS, p->addr, p->reg.request.p, p->reg.request.n);
}

static void send_register(struct sim *s, uint32_t i, uint32_t expires, const char *extra)
{
	struct phone *p = &s->phone[i];
	char text[2048];

	p->cseq++;
	bytes_free(&p->reg.request);
	memset(&p->reg, 0, sizeof(p->reg));
	snprintf(p->reg.branch, sizeof(p->reg.branch), "z9hG4bKr%016llx",
		 (unsigned long long)sim_random(s));
	snprintf(text, sizeof(text),
		 "REGISTER sip:203.0.113.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=%s\r\n"
		 "Max-Forwards: 70\r\nFrom: <sip:u%u@203.0.113.1>;tag=regtag%04u\r\n"
		 "To: <sip:u%u@203.0.113.1>\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\n"
		 "Contact: <sip:u%u@%s>\r\nExpires: %u\r\n%sContent-Length: 0\r\n\r\n",
		 p->host, p->reg.branch, i, i, i, p->call_id, p->cseq, i, p->host, expires, extra);
	p->reg.request = bytes_copy(text, (uint32_t)strlen(text));
	p->reg.live = true;
	p->reg.interval = T1;
	p->reg.next = s->now + T1;
	p->reg.deadline = s->now + TRANSACTION;
	transmit(s, i);
	wake(s, i, p->reg.next);
}

void phone_register(struct sim *s, uint32_t i, uint32_t expires)
{
	send_register(s, i, expires, "");
}

void phone_start(struct sim *s, uint32_t i)
{
	struct phone *p = &s->phone[i];

	snprintf(p->host, sizeof(p->host), "192.168.%u.%u:5062", i / 200, 10 + i % 200);
	snprintf(p->call_id, sizeof(p->call_id), "reg%08x-phone%u", (uint32_t)sim_random(s), i);
	/* Three phones share the address of their NAT. */
	net_ip_parse(slice_str("198.51.100.0"), &p->addr.ip);
	p->addr.ip += (1 + i / 3) << 24;
	p->addr.port = (uint16_t)(40000 + i);
	wake(s, i, s->now + sim_below(s, 2000));
}

/* Retransmits, or registers anew when the time has come. */
void phone_run(struct sim *s, uint32_t i)
{
	struct phone *p = &s->phone[i];

	if (p->reg.live && !p->reg.final) {
		if (s->now >= p->reg.deadline) {
			p->reg.final = true;
			s->tally.timeouts++;
			wake(s, i, s->now + 5000);
		} else if (s->now >= p->reg.next) {
			transmit(s, i);
			p->reg.interval = p->reg.interval * 2 < T2 ? p->reg.interval * 2 : T2;
			p->reg.next = s->now + p->reg.interval;
			wake(s, i, p->reg.next);
		}
		return;
	}
	if (p->reg.live && s->now < p->reg.next)
		return;
	if (!s->ending)
		phone_register(s, i, 600);
	else if (!p->leaving && i % 2) {
		p->leaving = true; /* the others just stay away until they expire */
		phone_register(s, i, 0);
	}
}

bool phone_response(struct sim *s, struct net_addr at, struct slice msg)
{
	struct slice branch = text_param(text_header(msg, "Via", 0), "branch");
	struct phone *p = NULL;
	unsigned status = text_status(msg);

	if (!slice_eq(text_method(msg), SLICE_LIT("REGISTER")))
		return false;
	for (uint32_t i = 0; i < s->conf.phones; i++)
		if (net_addr_eq(s->phone[i].addr, at))
			p = &s->phone[i];
	if (!p || p->reg.final || status < 200 || !slice_eq(slice_str(p->reg.branch), branch))
		return true;
	p->reg.final = true;
	if (status == 401) {
		send_register(s, (uint32_t)(p - s->phone), p->leaving ? 0 : 600,
			      "Authorization: Digest username=\"u\", realm=\"example\", "
			      "nonce=\"n\", uri=\"sip:203.0.113.1\", response=\"r\"\r\n");
		return true;
	}
	p->registered = status == 200 && !p->leaving;
	s->tally.registered += p->registered;
	/* A granted time that is not told, or is 0, would be the border's fault. */
	if (p->registered &&
	    text_number(text_param(text_header(msg, "Contact", 0), "expires")) == 0)
		sim_fail(s, NULL, "a registration was answered without its time:\n%.*s", (int)msg.n,
			 msg.p);
	p->reg.next = s->now + (status == 200 ? GRANTED_S * 500 : 5000);
	wake(s, (uint32_t)(p - s->phone), p->reg.next);
	return true;
}

void registrar_request(struct sim *s, struct net_addr from, struct slice msg)
{
	struct slice user = text_user(text_uri(text_header(msg, "To", 0)));
	struct slice contact = text_uri(text_header(msg, "Contact", 0));
	uint32_t i = user.n > 1 ? text_number(slice_of(user.p + 1, user.n - 1)) : MAX_PHONES;
	char headers[512];

	if (i >= s->conf.phones || contact.n == 0 || contact.n >= sizeof(s->phone[0].contact)) {
		agent_reply_plain(s, SIM_CORE, from, msg, 404, "");
		return;
	}
	if (text_count(msg, "Authorization") == 0 && text_cseq(msg) % 3 == 0) {
		agent_reply_plain(s, SIM_CORE, from, msg, 401,
				  "WWW-Authenticate: Digest realm=\"example\", nonce=\"n\"\r\n");
		return;
	}
	snprintf(s->phone[i].contact, sizeof(s->phone[i].contact), "%.*s", (int)contact.n,
		 contact.p);
	snprintf(headers, sizeof(headers), "Contact: <%.*s>;expires=%u\r\n", (int)contact.n,
		 contact.p, GRANTED_S);
	agent_reply_plain(s, SIM_CORE, from, msg, 200,
			  text_number(text_header(msg, "Expires", 0)) == 0 ? "" : headers);
}
