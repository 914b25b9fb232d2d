/*
 * The half of flow that knows the packet's headers: what leaves, from and to
 * where. Sums are over 16-bit words as they lie in memory: the ones' complement
 * sum is the same in either byte order (RFC 1071 section 2 B).
 */
#include <string.h>

#include "sbc/media/flow.h"

#define IP_LEN   20
#define OFF_TOS  1
#define OFF_TTL  8
#define OFF_SUM  10
#define OFF_SRC  12
#define OFF_UDP  20
#define OFF_USUM (OFF_UDP + 6)

/* The words under the UDP checksum that a relay changes: both addresses, both ports. */
#define PATH_LEN 12

static uint32_t sum_words(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;
	uint16_t word;

	for (uint32_t i = 0; i < n; i += 2) {
		memcpy(&word, p + i, 2);
		sum += word;
	}
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)(sum + (sum >> 16));
}

static void path_of(uint8_t path[PATH_LEN], uint32_t src_ip, uint32_t dst_ip, uint16_t src_port,
		    uint16_t dst_port)
{
	memcpy(path, &src_ip, 4);
	memcpy(path + 4, &dst_ip, 4);
	memcpy(path + 8, &src_port, 2);
	memcpy(path + 10, &dst_port, 2);
}

/* RFC 1624 eqn. 3: the sum of ~m + m' over all changed words. */
static uint16_t delta_of(const uint8_t before[PATH_LEN], const uint8_t after[PATH_LEN])
{
	uint16_t old = fold(sum_words(before, PATH_LEN));

	return fold((uint16_t)~old + sum_words(after, PATH_LEN));
}

static void new_path(uint8_t path[PATH_LEN], const struct flow *f)
{
	path_of(path, f->out_src_ip, f->out_dst_ip, f->out_src_port, f->out_dst_port);
}

static uint16_t wire_port(uint16_t v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};
	uint16_t out;

	memcpy(&out, b, 2);
	return out;
}

/* Where the partner's far end is; 0.0.0.0:0 while that is not proven. */
static void destination(const struct flow *partner, uint32_t *ip, uint16_t *port)
{
	*ip = 0;
	*port = 0;
	if (partner == NULL || partner->state == FLOW_FREE || !(partner->flags & FLOW_F_PROVEN))
		return;
	if (partner->state == FLOW_LOCKED) {
		*ip = partner->src_ip;
		*port = partner->src_port;
	} else {
		*ip = partner->spec.remote.ip;
		*port = wire_port(partner->spec.remote.port);
	}
}

bool flow_join(struct flow *f, const struct flow *partner)
{
	uint8_t before[PATH_LEN], after[PATH_LEN];
	uint32_t ip;
	uint16_t port;

	if (f->state == FLOW_FREE)
		return false;
	if (partner != NULL && partner->state == FLOW_FREE)
		partner = NULL;
	destination(partner, &ip, &port);
	uint32_t src_ip = partner != NULL ? partner->local_ip : 0;
	if (ip == 0 || ip != f->out_dst_ip || src_ip != f->out_src_ip)
		f->out_l2_len = 0;
	f->out_src_ip = src_ip;
	f->out_src_port = partner != NULL ? partner->local_port : 0;
	f->out_dst_ip = ip;
	f->out_dst_port = port;
	f->tos = partner != NULL ? (uint8_t)(partner->spec.dscp << 2) : 0;
	f->flags &= (uint8_t)~FLOW_F_CHECKSUM;
	if (f->state == FLOW_LOCKED && ip != 0) {
		path_of(before, f->src_ip, f->local_ip, f->src_port, f->local_port);
		new_path(after, f);
		f->udp_delta = delta_of(before, after);
		f->flags |= FLOW_F_CHECKSUM;
	}
	return ip != 0;
}

static void rewrite_udp_checksum(const struct flow *f, uint8_t *ip)
{
	uint16_t sum, delta = f->udp_delta;

	memcpy(&sum, ip + OFF_USUM, 2);
	if (sum == 0)
		return; /* none was sent: RFC 768 */
	if (!(f->flags & FLOW_F_CHECKSUM)) {
		uint8_t after[PATH_LEN];
		new_path(after, f);
		delta = delta_of(ip + OFF_SRC, after);
	}
	sum = (uint16_t)~fold((uint32_t)(uint16_t)~sum + delta);
	if (sum == 0)
		sum = 0xffff; /* zero would say that there is none */
	memcpy(ip + OFF_USUM, &sum, 2);
}

void flow_rewrite(const struct flow *f, uint8_t *ip)
{
	uint16_t sum = 0;

	/* First, while the old addresses stand. */
	rewrite_udp_checksum(f, ip);

	ip[OFF_TOS] = (uint8_t)(f->tos | (ip[OFF_TOS] & 3));
	ip[OFF_TTL] = 64;
	/* Addresses and ports lie side by side: the header has no options. */
	new_path(ip + OFF_SRC, f);
	memcpy(ip + OFF_SUM, &sum, 2);
	sum = (uint16_t)~fold(sum_words(ip, IP_LEN));
	memcpy(ip + OFF_SUM, &sum, 2);
}
