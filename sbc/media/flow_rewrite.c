/*
 * The half of flow that knows the packet's headers: what leaves, from and to
 * where. Sums are over 16-bit words as they lie in memory: the ones' complement
 * sum is the same in either byte order (RFC 1071 section 2 B).
 */
#include <string.h>

#include "sbc/media/flow_fast.h"

/* What a locked flow must be, and must not be, to relay as it comes. */
#define FAST_MASK (FLOW_F_RTCP | FLOW_F_PROVEN | FLOW_F_CLOSED | FLOW_F_OPAQUE)

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

static void path_of(uint8_t path[FLOW_PATH_LEN], uint32_t src_ip, uint32_t dst_ip,
		    uint16_t src_port, uint16_t dst_port)
{
	memcpy(path, &src_ip, 4);
	memcpy(path + 4, &dst_ip, 4);
	memcpy(path + 8, &src_port, 2);
	memcpy(path + 10, &dst_port, 2);
}

/* RFC 1624 eqn. 3: the sum of ~m + m' over all changed words. */
static uint16_t delta_of(const uint8_t before[FLOW_PATH_LEN], const uint8_t after[FLOW_PATH_LEN])
{
	uint16_t old = flow_fold(sum_words(before, FLOW_PATH_LEN));

	return flow_fold((uint16_t)~old + sum_words(after, FLOW_PATH_LEN));
}

static void new_path(uint8_t path[FLOW_PATH_LEN], const struct flow *f)
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

/* The words of the header that leaves, but for TOS, length, identification and fragment. */
static uint16_t header_sum(const struct flow *f)
{
	const uint8_t ttl[2] = {FLOW_TTL, 17};

	return flow_fold(flow_get16(ttl) + sum_words((const uint8_t *)&f->out_src_ip, 8));
}

bool flow_join(struct flow *f, const struct flow *partner)
{
	uint8_t before[FLOW_PATH_LEN], after[FLOW_PATH_LEN];
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
	f->ip_sum = header_sum(f);
	f->flags &= (uint8_t) ~(FLOW_F_CHECKSUM | FLOW_F_FAST);
	if (f->state == FLOW_LOCKED && ip != 0) {
		path_of(before, f->src_ip, f->local_ip, f->src_port, f->local_port);
		new_path(after, f);
		f->udp_delta = delta_of(before, after);
		f->flags |= FLOW_F_CHECKSUM;
		if ((f->flags & FAST_MASK) == FLOW_F_PROVEN)
			f->flags |= FLOW_F_FAST;
	}
	return ip != 0;
}

void flow_rewrite(const struct flow *f, uint8_t *ip)
{
	uint8_t after[FLOW_PATH_LEN];
	uint16_t delta = f->udp_delta;

	if (!(f->flags & FLOW_F_CHECKSUM)) {
		new_path(after, f);
		delta = delta_of(ip + FLOW_IP_SRC, after);
	}
	flow_write_checksum(ip, delta);
	flow_write_path(f, ip);
}
