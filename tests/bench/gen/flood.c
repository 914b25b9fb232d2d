#include "tests/bench/gen/flood.h"

#include <rte_ip.h>
#include <rte_random.h>

#include "tests/bench/gen/ident.h"
#include "tests/bench/gen/port.h"
#include "tests/bench/gen/report.h"

enum kind { INVITE, REGISTER, OPTIONS, GARBAGE, RTP, FRAGMENT, KINDS };

static const char *const names[KINDS] = {"invite",  "register", "options",
					 "garbage", "rtp",      "fragment"};

static const char sdp[] = "v=0\r\no=- 1 1 IN IP4 198.18.0.1\r\ns=-\r\nc=IN IP4 198.18.0.1\r\n"
			  "t=0 0\r\nm=audio 20000 RTP/AVP 0\r\n";

static void put_request(const struct gen *g, struct out *o, struct text method, bool invite)
{
	struct ident id = {(uint32_t)rte_rand(), (uint32_t)rte_rand()};
	struct text border = g->port[OUTSIDE].border.name;

	out_text(o, method);
	out_lit(o, " sip:");
	if (invite)
		out_lit(o, "100@");
	out_text(o, border);
	out_lit(o, " SIP/2.0\r\nVia: SIP/2.0/UDP 198.18.0.1;branch=" IDENT_BRANCH);
	out_ident(o, id);
	out_lit(o, "\r\nMax-Forwards: 70\r\nFrom: <sip:100@");
	out_text(o, border);
	out_lit(o, ">;tag=");
	out_hex8(o, id.serial);
	out_lit(o, "\r\nTo: <sip:100@");
	out_text(o, border);
	out_lit(o, ">\r\nCall-ID: ");
	out_ident(o, id);
	out_lit(o, "\r\nCSeq: 1 ");
	out_text(o, method);
	out_lit(o, "\r\nContact: <sip:100@198.18.0.1>\r\nUser-Agent: friendly-scanner\r\n");
	if (invite) {
		out_lit(o, "Content-Type: application/sdp\r\nContent-Length: ");
		out_number(o, sizeof(sdp) - 1);
		out_lit(o, "\r\n\r\n");
		out_put(o, sdp, sizeof(sdp) - 1);
	} else {
		out_lit(o, "Content-Length: 0\r\n\r\n");
	}
}

static void put_noise(struct out *o, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += 8) {
		uint64_t v = rte_rand();

		out_put(o, (const char *)&v, 8);
	}
}

static void put_payload(const struct gen *g, struct out *o, enum kind kind)
{
	char *begin = o->p;

	switch (kind) {
	case INVITE:
		put_request(g, o, TEXT("INVITE"), true);
		break;
	case REGISTER:
		put_request(g, o, TEXT("REGISTER"), false);
		break;
	case OPTIONS:
		put_request(g, o, TEXT("OPTIONS"), false);
		break;
	case RTP:
		put_noise(o, 176);
		begin[0] = (char)0x80;
		begin[1] = 0;
		o->p = begin + 172;
		break;
	default:
		put_noise(o, 64 + 8 * (uint32_t)rte_rand_max(100));
	}
}

/* The first part of a datagram whose rest never comes. */
static void make_fragment(struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	uint16_t payload = (uint16_t)((m->data_len - 34) & ~7);

	m->data_len = (uint16_t)(34 + payload);
	m->pkt_len = m->data_len;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(20 + payload));
	ip->packet_id = (uint16_t)rte_rand();
	ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG);
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

static bool flood_one(struct gen *g, enum kind kind)
{
	uint64_t random = rte_rand();
	struct frame_way way = {
		.src = rte_cpu_to_be_32(RTE_IPV4(198, 18, 0, 0) | (random & 0x1ffff)),
		.dst = g->port[OUTSIDE].border.ip,
		.sport = (uint16_t)(1024 + (random >> 17) % 60000),
		.dport = kind == RTP ? (uint16_t)(GEN_RTP_BASE + (random >> 33) % 50000)
				     : GEN_SIP_PORT,
	};
	struct out o;
	struct rte_mbuf *m = frame_new(g, &o);

	if (!m)
		return false;
	put_payload(g, &o, kind);
	frame_finish(g, OUTSIDE, m, &o, way);
	if (kind == FRAGMENT)
		make_fragment(m);
	port_send(g, OUTSIDE, m);
	return true;
}

static bool step(struct gen *g, struct job *j)
{
	uint32_t n = pace_due(&j->pace, g->now, GEN_BURST), sent = 0;

	/* A flood does not wait in the queue: what the device does not take is for the next turn. */
	if (g->port[OUTSIDE].queued > 0)
		n = 0;
	while (sent < n && flood_one(g, (enum kind)j->variant))
		sent++;
	pace_did(&j->pace, sent);
	g->work += sent;
	if (g->now < j->until && !pace_over(&j->pace))
		return false;
	j->measured = job_seconds(g, j);
	return true;
}

static void finish(struct gen *g, struct job *j)
{
	uint64_t sent = j->pace.done - j->pace.skipped;

	report_count("sent", sent);
	report_count("late", j->pace.late);
	report_count("skipped", j->pace.skipped);
	report_value("seconds", j->measured);
	report_value("pps", (double)sent / j->measured);
	report_value("busy", job_busy(g, j));
}

const char *flood_begin(struct gen *g, struct job *j, int argc, char **argv)
{
	double rate, seconds;

	if (argc != 3 || !job_number(argv[1], &rate) || !job_number(argv[2], &seconds) ||
	    seconds <= 0)
		return "wants KIND PPS SECONDS";
	for (j->variant = 0; j->variant < KINDS; j->variant++)
		if (strcmp(names[j->variant], argv[0]) == 0)
			break;
	if (j->variant == KINDS)
		return "kinds are invite, register, options, garbage, rtp, fragment";
	pace_start(&j->pace, rate, g->hz, g->now, 1000, 1000);
	if (rate > 0)
		j->pace.total = (uint64_t)(rate * seconds + 0.5);
	j->until = j->begin + gen_cycles(g, seconds);
	j->step = step;
	j->finish = finish;
	return NULL;
}
