#include "dataplane/icmp.h"

#include "dataplane/checksum.h"
#include "dataplane/output.h"
#include "dataplane/worker.h"

#define ICMP_LEN        8u
#define ICMP_ECHO       8u
#define ICMP_ECHO_REPLY 0u

/* A token a request, refilled by the clock. */
bool icmp_rate_ok(struct worker *w)
{
	struct icmp_rate *r = &w->icmp;
	uint64_t gained = (w->now - r->at) * ICMP_PER_SECOND;

	r->at = w->now;
	r->tokens = RTE_MIN(r->tokens + gained, ICMP_BURST * 1000u);
	if (r->tokens < 1000)
		return false;
	r->tokens -= 1000;
	return true;
}

static bool echo_ok(const uint8_t *ip, uint32_t n)
{
	const uint8_t *icmp = ip + PACKET_IP_LEN;

	return n >= PACKET_IP_LEN + ICMP_LEN && icmp[0] == ICMP_ECHO && icmp[1] == 0 &&
	       checksum_ip_ok(icmp, n - PACKET_IP_LEN);
}

static void echo_reply(uint8_t *ip, uint32_t n)
{
	uint8_t *icmp = ip + PACKET_IP_LEN;
	uint32_t src = ip_get(ip + IP4_SRC);
	uint16_t sum;

	ip_put(ip + IP4_SRC, ip_get(ip + IP4_DST));
	ip_put(ip + IP4_DST, src);
	be16_put(ip + IP4_FRAG, 0);
	ip[IP4_TTL] = 64;
	checksum_ip_write(ip, PACKET_IP_LEN);
	icmp[0] = ICMP_ECHO_REPLY;
	memset(icmp + 2, 0, 2);
	sum = (uint16_t)~checksum_fold(checksum_add(0, icmp, n - PACKET_IP_LEN));
	memcpy(icmp + 2, &sum, 2);
}

void icmp_receive(struct worker *w, struct rte_mbuf *m)
{
	uint16_t port = packet_port(m);
	uint32_t n;
	uint8_t *ip = worker_contiguous(w, m, &n);

	if (!echo_ok(ip, n)) {
		worker_drop(w, m, REASON_ICMP_OTHER);
		return;
	}
	if (!icmp_rate_ok(w)) {
		worker_drop(w, m, REASON_ICMP_RATE);
		return;
	}
	echo_reply(ip, n);
	if (m->nb_segs == 1 && n <= w->dp->port[port].mtu) {
		rte_pktmbuf_adj(m, m->l2_len);
		output_packet(w, port, m);
		return;
	}
	output_datagram(w, port, ip, n);
	packet_free(m);
}
