#include "tests/dataplane/frame.h"

#include <string.h>

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

uint16_t frame_sum(const uint8_t *p, uint32_t n)
{
	return (uint16_t)sum16(0, p, n);
}

static uint32_t l2(struct frame *f, const struct frame_spec *s, uint16_t type)
{
	memcpy(f->b, s->to, 6);
	memcpy(f->b + 6, s->from, 6);
	if (s->vlan == 0) {
		put16(f->b + 12, type);
		return 14;
	}
	put16(f->b + 12, 0x8100);
	put16(f->b + 14, s->vlan);
	put16(f->b + 16, type);
	return 18;
}

void frame_ip(struct frame *f, const struct frame_spec *s, const void *payload, uint32_t n)
{
	uint32_t at = l2(f, s, 0x0800);
	uint8_t *ip = f->b + at;
	uint32_t header = 20u + s->options;

	memset(ip, 0, 20);
	ip[0] = (uint8_t)(0x40 | header / 4);
	put16(ip + 2, header + n);
	put16(ip + 4, s->id);
	put16(ip + 6, s->frag);
	ip[8] = s->ttl == TTL_ZERO ? 0 : s->ttl ? s->ttl : 64;
	ip[9] = s->proto ? s->proto : 17;
	put32(ip + 12, s->src);
	put32(ip + 16, s->dst);
	memset(ip + 20, 1, s->options); /* no operation */
	put16(ip + 10, (uint16_t)~sum16(0, ip, header));
	memcpy(ip + header, payload, n);
	f->n = at + header + n;
}

void frame_udp(struct frame *f, const struct frame_spec *s, const void *payload, uint32_t n)
{
	static uint8_t udp[65535];
	uint8_t pseudo[12] = {0};
	uint32_t sum;

	put16(udp, s->sport);
	put16(udp + 2, s->dport);
	put16(udp + 4, 8 + n);
	put16(udp + 6, 0);
	memcpy(udp + 8, payload, n);
	put32(pseudo, s->src);
	put32(pseudo + 4, s->dst);
	pseudo[9] = 17;
	put16(pseudo + 10, 8 + n);
	sum = (uint16_t)~sum16(sum16(0, pseudo, 12), udp, 8 + n);
	if (!s->no_checksum)
		put16(udp + 6, sum ? sum : 0xffff);
	frame_ip(f, s, udp, 8 + n);
}

void frame_icmp_echo(struct frame *f, const struct frame_spec *s, uint16_t seq, uint32_t n)
{
	static uint8_t icmp[FRAME_MAX];
	struct frame_spec with = *s;

	memset(icmp, 0, 8);
	icmp[0] = 8;
	put16(icmp + 4, 0x1234);
	put16(icmp + 6, seq);
	for (uint32_t i = 0; i < n; i++)
		icmp[8 + i] = (uint8_t)i;
	put16(icmp + 2, (uint16_t)~sum16(0, icmp, 8 + n));
	with.proto = 1;
	frame_ip(f, &with, icmp, 8 + n);
}

void frame_arp(struct frame *f, const struct frame_spec *s, uint16_t op, const uint8_t *sha,
	       uint32_t sip, uint32_t tip)
{
	uint32_t at = l2(f, s, 0x0806);
	uint8_t *a = f->b + at;

	memset(a, 0, 28);
	put16(a, 1);
	put16(a + 2, 0x0800);
	a[4] = 6;
	a[5] = 4;
	put16(a + 6, op);
	memcpy(a + 8, sha, 6);
	put32(a + 14, sip);
	put32(a + 24, tip);
	f->n = at + 28;
}

void frame_icmp6(struct frame *f, const struct frame_spec *s, const uint8_t *src,
		 const uint8_t *dst, uint8_t hops, const void *icmp, uint32_t n)
{
	uint32_t at = l2(f, s, 0x86dd);
	uint8_t *ip = f->b + at;
	uint8_t tail[8] = {0};

	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, n);
	ip[6] = 58;
	ip[7] = hops;
	memcpy(ip + 8, src, 16);
	memcpy(ip + 24, dst, 16);
	memcpy(ip + 40, icmp, n);
	put32(tail, n);
	tail[7] = 58;
	if (n >= 4) {
		put16(ip + 42, 0);
		put16(ip + 42, (uint16_t)~sum16(sum16(sum16(0, ip + 8, 32), tail, 8), ip + 40, n));
	}
	f->n = at + 40 + n;
}

static void read_arp(struct frame_view *v, const uint8_t *a, uint32_t n)
{
	if (n < 28)
		return;
	v->op = get16(a + 6);
	memcpy(v->sha, a + 8, 6);
	v->sip = get32(a + 14);
	memcpy(v->tha, a + 18, 6);
	v->tip = get32(a + 24);
	v->ok = get16(a) == 1 && get16(a + 2) == 0x0800 && a[4] == 6 && a[5] == 4;
}

static void read_udp(struct frame_view *v)
{
	uint8_t pseudo[12] = {0};
	const uint8_t *udp = v->payload;
	uint32_t n = v->n;

	v->ok = n >= 8 && get16(udp + 4) == n;
	if (!v->ok)
		return;
	v->sport = get16(udp);
	v->dport = get16(udp + 2);
	v->no_checksum = get16(udp + 6) == 0;
	put32(pseudo, v->src);
	put32(pseudo + 4, v->dst);
	pseudo[9] = 17;
	put16(pseudo + 10, n);
	v->ok = v->no_checksum || sum16(sum16(0, pseudo, 12), udp, n) == 0xffff;
	v->payload += 8;
	v->n -= 8;
}

static void read_ip(struct frame_view *v, const uint8_t *ip, uint32_t n)
{
	uint32_t header, total;

	if (n < 20)
		return;
	header = (ip[0] & 15) * 4u;
	total = get16(ip + 2);
	v->ok = ip[0] >> 4 == 4 && header >= 20 && total <= n && header <= total &&
		frame_sum(ip, header) == 0xffff;
	if (!v->ok)
		return;
	v->tos = ip[1];
	v->id = get16(ip + 4);
	v->frag = get16(ip + 6);
	v->ttl = ip[8];
	v->proto = ip[9];
	v->src = get32(ip + 12);
	v->dst = get32(ip + 16);
	v->payload = ip + header;
	v->n = total - header;
	if (v->proto == 17 && (v->frag & 0x3fff) == 0)
		read_udp(v);
}

struct frame_view frame_read(const struct frame *f)
{
	struct frame_view v = {0};
	uint32_t at = 14;

	if (f->n < 18)
		return v;
	memcpy(v.to, f->b, 6);
	memcpy(v.from, f->b + 6, 6);
	v.type = get16(f->b + 12);
	if (v.type == 0x8100) {
		v.vlan = get16(f->b + 14) & 0xfff;
		v.type = get16(f->b + 16);
		at = 18;
	}
	if (v.type == 0x0806)
		read_arp(&v, f->b + at, f->n - at);
	else if (v.type == 0x0800)
		read_ip(&v, f->b + at, f->n - at);
	return v;
}

void frame_fix_ip(struct frame *f)
{
	uint8_t *ip = f->b + (get16(f->b + 12) == 0x8100 ? 18 : 14);

	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~sum16(0, ip, (ip[0] & 15) * 4u));
}

uint32_t frame_rtp(uint8_t *out, uint32_t ssrc, uint16_t seq, uint32_t timestamp, uint32_t n)
{
	out[0] = 0x80;
	out[1] = 8; /* PCMA */
	put16(out + 2, seq);
	put32(out + 4, timestamp);
	put32(out + 8, ssrc);
	for (uint32_t i = 0; i < n; i++)
		out[12 + i] = (uint8_t)(seq + i);
	return 12 + n;
}
