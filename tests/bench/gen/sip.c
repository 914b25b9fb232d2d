#include <ctype.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/gen/gen.h"

struct text {
	const char *p;
	uint32_t n;
};

static void dotted(char out[16], uint32_t ip)
{
	const uint8_t *b = (const uint8_t *)&ip;

	snprintf(out, 16, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
}

static void send_sip(struct gen *g, enum gen_side side, const char *text, int len)
{
	struct rte_mbuf *m;

	if (len <= 0 || len >= (int)GEN_SIP_MAX)
		return;
	m = gen_udp_frame(g, side, g->port[side].ip, 5060, 5060, text, (uint16_t)len);
	if (m && rte_eth_tx_burst(g->port[side].id, 0, &m, 1) == 0)
		rte_pktmbuf_free(m);
}

static int sdp_write(const struct gen *g, enum gen_side side, uint32_t call, char *out, size_t room)
{
	char ip[16];

	dotted(ip, gen_address(g, side, call));
	return snprintf(out, room,
			"v=0\r\no=gen 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
			"m=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n",
			ip, ip, gen_rtp_port(call));
}

void gen_sip_invite(struct gen *g, uint32_t call, uint64_t now)
{
	char text[GEN_SIP_MAX], sdp[512], ip[16], border[16];
	int body = sdp_write(g, GEN_OUT, call, sdp, sizeof(sdp));

	dotted(ip, g->port[GEN_OUT].ip);
	dotted(border, g->port[GEN_OUT].border_ip);
	send_sip(g, GEN_OUT, text,
		 snprintf(text, sizeof(text),
			  "INVITE sip:d%u@%s SIP/2.0\r\nVia: SIP/2.0/UDP "
			  "%s:5060;branch=z9hG4bKgen%u;rport\r\n"
			  "Max-Forwards: 70\r\nFrom: <sip:u%u@%s>;tag=gt%u\r\nTo: <sip:d%u@%s>\r\n"
			  "Call-ID: gen-call-%u\r\nCSeq: 1 INVITE\r\nContact: <sip:u%u@%s:5060>\r\n"
			  "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
			  call, border, ip, call, call, border, call, call, border, call, call, ip,
			  body, sdp));
	g->call[call].state = GEN_INVITED;
	g->call[call].sent_at = now;
	g->call[call].tries++;
}

/* Value of a header line, by its name at the start of a line; n 0 when there is none. */
static struct text header(const char *p, uint32_t len, const char *name)
{
	size_t k = strlen(name);

	for (uint32_t i = 0; i + k + 1 < len; i++) {
		if ((i == 0 || p[i - 1] == '\n') && strncasecmp(p + i, name, k) == 0 &&
		    p[i + k] == ':') {
			uint32_t at = i + (uint32_t)k + 1, end;

			while (at < len && p[at] == ' ')
				at++;
			for (end = at; end < len && p[end] != '\r'; end++)
				;
			return (struct text){p + at, end - at};
		}
	}
	return (struct text){p, 0};
}

/* The number right behind a mark, or UINT32_MAX. */
static uint32_t number_behind(const char *p, uint32_t len, const char *mark)
{
	const char *at = memmem(p, len, mark, strlen(mark));
	uint32_t v = 0;

	if (!at)
		return UINT32_MAX;
	for (at += strlen(mark); at < p + len && isdigit((unsigned char)*at); at++)
		v = v * 10 + (uint32_t)(*at - '0');
	return v;
}

static void answer_request(struct gen *g, const char *p, uint32_t len, uint32_t call, bool invite)
{
	struct text via = header(p, len, "Via"), from = header(p, len, "From"),
		    to = header(p, len, "To");
	struct text id = header(p, len, "Call-ID"), cseq = header(p, len, "CSeq");
	char text[GEN_SIP_MAX], sdp[512] = "", ip[16];
	int body = invite ? sdp_write(g, GEN_IN, call, sdp, sizeof(sdp)) : 0;

	dotted(ip, g->port[GEN_IN].ip);
	send_sip(
		g, GEN_IN, text,
		snprintf(text, sizeof(text),
			 "SIP/2.0 200 OK\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s%s\r\nCall-ID: "
			 "%.*s\r\n"
			 "CSeq: %.*s\r\nContact: <sip:d@%s:5060>\r\n%sContent-Length: %d\r\n\r\n%s",
			 (int)via.n, via.p, (int)from.n, from.p, (int)to.n, to.p,
			 invite ? ";tag=ans" : "", (int)id.n, id.p, (int)cseq.n, cseq.p, ip,
			 invite ? "Content-Type: application/sdp\r\n" : "", body, sdp));
}

static void acknowledge(struct gen *g, const char *p, uint32_t len, uint32_t call)
{
	struct text to = header(p, len, "To"), contact = header(p, len, "Contact");
	const char *uri = memchr(contact.p, '<', contact.n);
	uint32_t n = 0;
	char text[GEN_SIP_MAX], ip[16], border[16];

	if (!uri)
		return;
	for (uri++; uri + n < contact.p + contact.n && uri[n] != '>'; n++)
		;
	dotted(ip, g->port[GEN_OUT].ip);
	dotted(border, g->port[GEN_OUT].border_ip);
	send_sip(
		g, GEN_OUT, text,
		snprintf(
			text, sizeof(text),
			"ACK %.*s SIP/2.0\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bKack%u;rport\r\n"
			"Max-Forwards: 70\r\nFrom: <sip:u%u@%s>;tag=gt%u\r\nTo: %.*s\r\nCall-ID: "
			"gen-call-%u\r\n"
			"CSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
			(int)n, uri, ip, call, call, border, call, (int)to.n, to.p, call));
}

static void outside_input(struct gen *g, const char *p, uint32_t len)
{
	uint32_t call = number_behind(p, len, "gen-call-");
	uint32_t status = number_behind(p, len, "SIP/2.0 "), media;

	if (call >= g->calls || strncmp(p, "SIP/2.0 ", 8) != 0 || status < 200)
		return;
	if (status >= 300) {
		if (g->call[call].state != GEN_UP && g->failed++ == 0)
			fprintf(stderr, "gen: call %u refused: %.*s\n", call, 60, p);
		return;
	}
	media = number_behind(p, len, "m=audio ");
	if (media == 0 || media > 65535)
		return;
	acknowledge(g, p, len, call);
	if (g->call[call].state != GEN_UP) {
		g->call[call].media[GEN_OUT] = (uint16_t)media;
		g->call[call].state = GEN_UP;
		g->up++;
	}
}

static void inside_input(struct gen *g, const char *p, uint32_t len)
{
	uint32_t call = number_behind(p, len, "sip:d"), media;

	if (strncmp(p, "INVITE ", 7) == 0 && call < g->calls) {
		media = number_behind(p, len, "m=audio ");
		if (media == 0 || media > 65535)
			return;
		g->call[call].media[GEN_IN] = (uint16_t)media;
		answer_request(g, p, len, call, true);
	} else if (strncmp(p, "BYE ", 4) == 0) {
		answer_request(g, p, len, 0, false);
	}
}

void gen_sip_input(struct gen *g, enum gen_side side, const char *p, uint32_t len)
{
	if (side == GEN_OUT)
		outside_input(g, p, len);
	else
		inside_input(g, p, len);
}
