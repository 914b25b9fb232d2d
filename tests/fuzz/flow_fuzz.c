/*
 * Any bytes as a history of one call's four flows: publish, retire, and datagrams
 * from a phone, its neighbour, a stranger and a switch. Whatever happens, only
 * the locked source is relayed, a lock moves by a publish alone, and nothing is
 * addressed to whom nobody proved.
 *
 * A step is: operation, flow and source; a length; that many bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sbc/media/flow_fast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 4u /* RTP of a, RTCP of a, RTP of b, RTCP of b */

static const struct net_addr hosts[4] = {
	{0x0a6433c6, 40000}, {0x0a6433c6, 41111}, {0x426433c6, 40000}, {0x0a00000a, 30000}};

static void must(int promise)
{
	if (!promise)
		abort();
}

static struct flow *partner_of(struct flow *flows, uint32_t i)
{
	return &flows[i ^ 2];
}

static void join_all(struct flow *flows)
{
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow *partner = partner_of(flows, i);
		bool somewhere = flow_join(&flows[i], partner);
		if (flows[i].state == FLOW_FREE)
			continue;
		must(somewhere == (flows[i].out_dst_ip != 0));
		must(!somewhere ||
		     (partner->state != FLOW_FREE && (partner->flags & FLOW_F_PROVEN) &&
		      net_ip_is_unicast(flows[i].out_dst_ip)));
	}
}

static void publish(struct flow *flows, uint32_t i, const uint8_t *p, uint32_t n, uint64_t now)
{
	uint8_t bits = n > 0 ? p[0] : 0, more = n > 1 ? p[1] : 0;
	struct flow_spec spec = {
		.realm = i / 2,
		.port = (uint16_t)(20000 + i),
		.peer_realm = 1 - i / 2,
		.peer_port = (uint16_t)(20000 + (i ^ 2)),
		.rtcp = i % 2,
		.latch = bits & 1,
		.proven = bits >> 1 & 1,
		.closed = bits >> 2 & 1,
		.opaque = bits >> 3 & 1,
		.gate_ip = bits >> 4 & 1 ? hosts[bits >> 5 & 3].ip : 0,
		.remote = hosts[more & 3],
		.epoch = more >> 4,
		.call = 1 + (more >> 3 & 1),
		.clock_rate = n > 2 ? p[2] * 4000u : 0,
	};

	if (more & 4)
		spec.remote = (struct net_addr){n > 3 ? p[3] : 0, 5000};
	flow_publish(&flows[i], &spec, 0x01000000u + i, now);
}

/* The packet as the dataplane would send it: its checksums are right if they were. */
static void check_rewrite(const struct flow *f, const struct net_addr *src)
{
	uint8_t ip[28] = {0x45, 0, 0, 28, 0, 1, 0, 0, 9, 17};
	uint32_t sum = 0;

	memcpy(ip + 12, &src->ip, 4);
	memcpy(ip + 16, &f->local_ip, 4);
	ip[20] = (uint8_t)(src->port >> 8);
	ip[21] = (uint8_t)src->port;
	memcpy(ip + 22, &f->local_port, 2);
	ip[25] = 8;
	flow_rewrite(f, ip);
	for (uint32_t i = 0; i < 20; i += 2)
		sum += (uint32_t)ip[i] << 8 | ip[i + 1];
	must((sum & 0xffff) + (sum >> 16) == 0xffff);
	must(ip[26] == 0 && ip[27] == 0); /* none was sent */
}

static void check_relayed(const struct flow *f, struct net_addr src)
{
	uint8_t port[2];

	memcpy(port, &f->src_port, 2);
	must(f->state == FLOW_LOCKED && f->src_ip == src.ip);
	must((port[0] << 8 | port[1]) == src.port);
	must((f->flags & FLOW_F_PROVEN) != 0);
}

/* The fast way takes what the plain one relays, alike, or leaves all as it was. */
static void check_fast(struct flow *fast, const struct flow *before, const struct flow *plain,
		       enum flow_verdict v, struct net_addr src, const uint8_t *p, uint32_t n,
		       uint64_t now)
{
	static const uint8_t header[28] = {0x45, 0, 0, 0, 0, 1, 0, 0, 9, 17};
	uint32_t len = sizeof(header) + n;
	uint8_t *ip = malloc(len), *was = malloc(len);

	if (ip == NULL || was == NULL)
		abort();
	memcpy(was, header, sizeof(header));
	memcpy(was + 12, &src.ip, 4);
	was[20] = (uint8_t)(src.port >> 8);
	was[21] = (uint8_t)src.port;
	was[26] = n > 0 ? p[0] : 0;
	memcpy(was + sizeof(header), p, n);
	memcpy(ip, was, len);
	if (flow_relay_fast(fast, ip, len, now)) {
		must(v == FLOW_RELAY && memcmp(fast, plain, sizeof(*plain)) == 0);
		flow_rewrite(plain, was);
	} else {
		must(memcmp(fast, before, sizeof(*before)) == 0);
	}
	must(memcmp(ip, was, len) == 0);
	free(ip);
	free(was);
}

static void datagram(struct flow *flows, uint32_t i, struct net_addr src, const uint8_t *p,
		     uint32_t n, uint64_t now)
{
	struct flow *f = &flows[i], before, fast;
	enum reason why = REASON_COUNT;
	enum flow_verdict v;

	memcpy(&before, f, sizeof(before));
	memcpy(&fast, f, sizeof(fast));
	v = flow_admit(f, i % 2 ? &flows[i - 1] : NULL, src, p, n, now, &why);
	check_fast(&fast, &before, f, v, src, p, n, now);
	must((v == FLOW_DROP || v == FLOW_LATCHED_HELD) == (why != REASON_COUNT));
	if (before.state == FLOW_LOCKED)
		must(f->state == FLOW_LOCKED && f->src_ip == before.src_ip &&
		     f->src_port == before.src_port);
	if (v == FLOW_DROP) {
		must(f->packets == before.packets && f->state == before.state);
		return;
	}
	check_relayed(f, src);
	must(v != FLOW_LATCHED_HELD || f->spec.closed);
	must(f->packets == before.packets + (v != FLOW_LATCHED_HELD));
	if (before.state != FLOW_LOCKED) {
		must(v != FLOW_RELAY && f->spec.latch);
		must((v == FLOW_LATCHED_HELD) == f->spec.closed);
		must(f->spec.gate_ip == 0 || src.ip == f->spec.gate_ip ||
		     src.ip == f->spec.remote.ip);
	}
	if (v != FLOW_RELAY)
		join_all(flows);
	if (f->out_dst_ip != 0)
		check_rewrite(f, &src);
}

static void step(struct flow *flows, uint8_t op, const uint8_t *p, uint32_t n, uint64_t now)
{
	uint32_t i = op >> 4 & 3;

	if ((op & 15) == 0) {
		publish(flows, i, p, n, now);
		join_all(flows);
	} else if ((op & 15) == 1) {
		flow_retire(&flows[i]);
		join_all(flows);
	} else {
		datagram(flows, i, hosts[op >> 6], p, n, now);
	}
}

static void read_raw(const uint8_t *p, uint32_t n)
{
	struct rtp_header h;
	uint32_t ssrc;

	(void)media_kind_of(p, n);
	if (rtp_header_read(&h, p, n) == SBC_OK)
		must(h.header_len >= RTP_HEADER_LEN && h.header_len <= n);
	if (rtcp_ssrc(p, n, &ssrc) == SBC_OK)
		must(n >= 8 && media_kind_of(p, n) == MEDIA_RTCP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct flow flows[FLOWS];
	uint64_t now = 1000;

	memset(flows, 0, sizeof(flows));
	while (size >= 2) {
		uint8_t op = data[0];
		uint32_t n = data[1];
		data += 2;
		size -= 2;
		if (n > size)
			n = (uint32_t)size;
		/* A copy of just that size: the sanitizer sees a byte too far. */
		uint8_t *copy = malloc(n ? n : 1);
		if (copy == NULL)
			return 0;
		memcpy(copy, data, n);
		read_raw(copy, n);
		step(flows, op, copy, n, now += 20);
		free(copy);
		data += n;
		size -= n;
	}
	return 0;
}
